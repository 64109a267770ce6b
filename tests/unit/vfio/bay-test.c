/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Bays of a captured server, whose kernel tells what a test says. */

#include "hw/host.h"
#include "tests/unit/hw/fake-function.h"
#include "tests/unit/suite.h"
#include "tests/unit/vfio/fake-kernel.h"
#include "tests/unit/vfio/host-tree.h"
#include "vfio/bay.h"
#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define IDLE	    "0000:01:00.0" /* in slot 1 */
#define IDLE_PATH   "/devices/pci0000:00/0000:00:04.0/" IDLE
#define MOUNTED	    "0000:02:00.0" /* in slot 2 */
#define MOUNT_PATH  "/devices/pci0000:00/0000:00:04.1/" MOUNTED
#define FOLDER	    "sys" IDLE_PATH
#define DRIVER	    "sys/bus/pci/devices/" IDLE "/driver"
#define OVERRIDE    "sys/bus/pci/devices/" IDLE "/driver_override"
#define PATIENCE_MS 50

static char *root;
static FakeKernel kernel;
static HbHost *embedder;
static HbBays *bays;
static GString *told; /* a word an event */

static void on_log(HbHost *unused, GLogLevelFlags level, const char *line)
{
}

static const HbHostOps host_ops = { .log = on_log };

static void on_event(const HbEvent *event, gpointer data)
{
	static const char *const words[] = {
		[HB_EVENT_HOST_DRIVE_ADDED] = "added",
		[HB_EVENT_HOST_DRIVE_TAKEN] = "taken",
		[HB_EVENT_HOST_DRIVE_REFUSED] = "refused",
		[HB_EVENT_HOST_DRIVE_REMOVED] = "removed",
	};

	if (event->type == HB_EVENT_INDICATORS)
		return;
	if (event->port) {
		g_string_append_printf(told, "%s ", hb_event_type_to_str(event->type));
		return;
	}
	ck_assert_ptr_nonnull(event->bay);
	g_string_append_printf(told, "%s ", words[event->type]);
	if (event->error)
		g_string_append_printf(told, "(%s) ", event->error->message);
}

static void open_bays(void)
{
	HbBindHost host = { .root = root, .ops = &fake_kernel_ops, .opaque = &kernel };

	bays = hb_bays_create_on(&host, embedder, PATIENCE_MS, NULL);
	ck_assert_ptr_nonnull(bays);
}

static void setup(void)
{
	root = host_tree_create("server");
	kernel = (FakeKernel){ .root = root, .said = g_string_new(NULL) };
	embedder = hb_host_create(&host_ops, NULL, NULL);
	hb_host_set_listener(embedder, on_event, NULL);
	open_bays();
	told = g_string_new(NULL);
}

static void teardown(void)
{
	hb_bays_destroy(bays);
	hb_host_destroy(embedder);
	g_string_free(told, TRUE);
	g_string_free(kernel.said, TRUE);
	host_tree_destroy(root);
}

static HbBay *watch(const char *slot, gboolean take)
{
	HbBay *bay = hb_bays_claim(bays, slot, NULL);

	ck_assert_ptr_nonnull(bay);
	hb_bay_watch(bay, take);
	return bay;
}

static void happen(const char *action, const char *path, guint64 sequence)
{
	const HbUevent event = { .action = action, .path = path, .sequence = sequence };

	hb_bays_claim_arrival(&event, bays);
	hb_bays_hear(&event, bays);
}

static void tell_all(void)
{
	hb_event_stream_deliver(hb_host_get_events(embedder));
}

static void hear_numbered(const char *action, const char *path, guint64 sequence)
{
	happen(action, path, sequence);
	tell_all();
}

/* Newer than any look. */
static void hear(const char *action, const char *path)
{
	hear_numbered(action, path, G_MAXUINT64);
}

/* The kernel had to leave out what it told last. */
static void hear_loss(void)
{
	hear(HB_UEVENT_LOST, "");
}

static void take_out(void)
{
	host_tree_remove(root, FOLDER);
	host_tree_remove(root, "sys/bus/pci/devices/" IDLE);
}

/* A drive that no driver has looked at yet. */
static void put_in(const char *address)
{
	g_autofree char *folder =
		g_strdup_printf("sys/devices/pci0000:00/0000:00:04.0/%s", address);
	g_autofree char *class = g_strconcat(folder, "/class", NULL);
	g_autofree char *override = g_strconcat(folder, "/driver_override", NULL);
	g_autofree char *link = g_strdup_printf("sys/bus/pci/devices/%s", address);
	g_autofree char *target =
		g_strdup_printf("../../../devices/pci0000:00/0000:00:04.0/%s", address);

	host_tree_write(root, class, "0x010802\n");
	host_tree_write(root, override, "(null)\n");
	host_tree_link(root, link, target);
}

/* Another drive at the same address. Its folder is made while the old one is there: else it could
 * get the same number, other than in sysfs. */
static void exchange(void)
{
	g_autofree char *from = g_build_filename(root, FOLDER ".new", NULL);
	g_autofree char *to = g_build_filename(root, FOLDER, NULL);

	host_tree_write(root, FOLDER ".new/class", "0x010802\n");
	host_tree_write(root, FOLDER ".new/driver_override", "(null)\n");
	host_tree_remove(root, FOLDER);
	ck_assert_int_eq(rename(from, to), 0);
}

static void wait_for(const char *word)
{
	while (!strstr(told->str, word))
		g_main_context_iteration(NULL, TRUE);
}

static void assert_driver(const char *expected)
{
	g_autofree char *driver = hb_host_files_link_name(root, DRIVER);

	ck_assert_pstr_eq(driver, expected);
}

static void assert_not_claimed(const char *slot, HbError code, const char *word)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_bays_claim(bays, slot, &error));
	ck_assert_msg(g_error_matches(error, HB_ERROR, (int)code), "%s", error->message);
	ck_assert_msg(strstr(error->message, word) != NULL, "no '%s' in: %s", word, error->message);
}

START_TEST(a_slot_is_found_by_its_name_and_by_its_port)
{
	ck_assert_str_eq(hb_bay_get_port(watch("1", FALSE)), "0000:00:04.0");
	ck_assert_str_eq(hb_bay_get_slot(watch("0000:00:04.1", FALSE)), "2");
}
END_TEST

START_TEST(a_slot_that_does_not_exist_is_named_with_those_that_do)
{
	assert_not_claimed("77", HB_ERROR_NOT_FOUND, "host slot 77");
	assert_not_claimed("77", HB_ERROR_NOT_FOUND, "62 (port 0000:08:02.0)");
}
END_TEST

/* Without its registers, as others than root see it, the number of a slot is that in its name. */
static void rename_slot_2(void)
{
	g_autofree char *config =
		g_strconcat(root, "/sys/bus/pci/devices/0000:00:04.1/config", NULL);

	ck_assert_int_eq(truncate(config, 64), 0);
	host_tree_remove(root, "sys/bus/pci/slots/2");
	host_tree_write(root, "sys/bus/pci/slots/1-1/address", "0000:02:00\n");
}

START_TEST(a_number_that_two_slots_have_is_refused_and_their_ports_are_not)
{
	hb_bays_destroy(bays);
	rename_slot_2();
	open_bays();
	assert_not_claimed("1", HB_ERROR_INVALID, "1-1 (port 0000:00:04.1)");
	ck_assert_str_eq(hb_bay_get_slot(watch("0000:00:04.0", FALSE)), "1");
	ck_assert_str_eq(hb_bay_get_port(watch("1-1", FALSE)), "0000:00:04.1");
}
END_TEST

START_TEST(a_slot_is_claimed_once)
{
	watch("1", FALSE);
	assert_not_claimed("0000:00:04.0", HB_ERROR_BUSY, "another port's");
}
END_TEST

START_TEST(a_slot_of_another_vm_is_refused_with_its_process)
{
	HbBindHost host = { .root = root, .ops = &fake_kernel_ops, .opaque = &kernel };
	HbBays *others = hb_bays_create_on(&host, embedder, PATIENCE_MS, NULL);
	g_autofree char *process = g_strdup_printf("process %d", getpid());

	ck_assert_ptr_nonnull(hb_bays_claim(others, "1", NULL));
	assert_not_claimed("1", HB_ERROR_BUSY, process);
	hb_bays_destroy(others);
	ck_assert_ptr_nonnull(hb_bays_claim(bays, "1", NULL));
}
END_TEST

START_TEST(a_drive_that_was_there_is_known_and_not_announced)
{
	HbBay *bay = watch("1", TRUE);

	ck_assert_str_eq(hb_bay_get_drive(bay), IDLE);
	hear("add", IDLE_PATH);
	ck_assert_str_eq(told->str, "");
	assert_driver("nvme");
}
END_TEST

START_TEST(a_pushed_drive_is_claimed_before_a_driver_has_it)
{
	watch("1", TRUE);
	hear("remove", IDLE_PATH);
	host_tree_remove(root, DRIVER);
	hear("add", IDLE_PATH);
	wait_for("taken");
	ck_assert_str_eq(told->str, "removed added taken ");
	assert_driver("vfio-pci");
	ck_assert_msg(!strchr(kernel.said->str, 'u'), "it was unbound: %s", kernel.said->str);
}
END_TEST

START_TEST(a_drive_that_its_driver_had_first_is_switched)
{
	watch("1", TRUE);
	hear("remove", IDLE_PATH);
	hear("add", IDLE_PATH);
	wait_for("taken");
	ck_assert_str_eq(kernel.said->str, "oub");
	assert_driver("vfio-pci");
}
END_TEST

START_TEST(without_a_wish_to_take_it_a_drive_is_only_announced)
{
	watch("1", FALSE);
	hear("remove", IDLE_PATH);
	hear("add", IDLE_PATH);
	ck_assert_str_eq(told->str, "removed added ");
	ck_assert_uint_eq(kernel.steps, 0);
}
END_TEST

START_TEST(a_drive_in_use_is_refused_with_the_reason_and_stays)
{
	watch("2", TRUE);
	hear("remove", MOUNT_PATH);
	hear("add", MOUNT_PATH);
	wait_for("refused");
	ck_assert_ptr_nonnull(strstr(told->str, "mounted on /run/data"));
	g_autofree char *driver =
		hb_host_files_link_name(root, "sys/bus/pci/devices/" MOUNTED "/driver");
	ck_assert_str_eq(driver, "nvme");
}
END_TEST

START_TEST(a_drive_that_vfio_does_not_take_is_left_without_a_claim)
{
	watch("1", TRUE);
	hear("remove", IDLE_PATH);
	host_tree_remove(root, DRIVER);
	host_tree_remove(root, "sys/bus/pci/drivers/vfio-pci");
	kernel.unloadable = TRUE;
	hear("add", IDLE_PATH);
	wait_for("refused");
	g_autofree char *override = hb_host_files_read(root, OVERRIDE);
	ck_assert_str_eq(override, "(null)");
}
END_TEST

START_TEST(an_unbound_drive_is_left_alone_until_it_comes_anew)
{
	watch("1", TRUE);
	hear("remove", IDLE_PATH);
	hear("add", IDLE_PATH);
	wait_for("taken");
	host_tree_remove(root, DRIVER);
	kernel.steps = 0;
	hear("unbind", IDLE_PATH);
	hear("change", IDLE_PATH);
	ck_assert_uint_eq(kernel.steps, 0);
	hear("remove", IDLE_PATH);
	hear("add", IDLE_PATH);
	wait_for("removed added taken removed added taken");
	assert_driver("vfio-pci");
}
END_TEST

START_TEST(what_is_no_drive_is_refused)
{
	HbBay *bay = watch("1", TRUE);

	hear("remove", IDLE_PATH);
	host_tree_write(root, "sys/bus/pci/devices/" IDLE "/class", "0x020000\n");
	hear("add", IDLE_PATH);
	ck_assert_ptr_nonnull(strstr(told->str, "not an NVMe drive"));
	ck_assert_ptr_null(hb_bay_get_drive(bay));
}
END_TEST

START_TEST(a_drive_in_another_slot_is_nobodys)
{
	watch("1", TRUE);
	hear("add", MOUNT_PATH);
	hear("remove", MOUNT_PATH);
	ck_assert_str_eq(told->str, "");
}
END_TEST

START_TEST(a_drive_may_come_back_under_another_address)
{
	HbBay *bay = watch("1", FALSE);

	hear("remove", IDLE_PATH);
	host_tree_write(root, "sys/bus/pci/devices/0000:21:00.0/class", "0x010802\n");
	hear("add", "/devices/pci0000:00/0000:00:04.0/0000:21:00.0");
	ck_assert_str_eq(hb_bay_get_drive(bay), "0000:21:00.0");
}
END_TEST

START_TEST(what_is_as_it_was_is_no_news_when_events_were_lost)
{
	watch("1", TRUE);
	watch("62", TRUE);
	hear_loss();
	ck_assert_str_eq(told->str, "");
	ck_assert_uint_eq(kernel.steps, 0);
}
END_TEST

START_TEST(a_removal_that_was_lost_is_found)
{
	HbBay *bay = watch("1", TRUE);

	take_out();
	hear_loss();
	ck_assert_str_eq(told->str, "removed ");
	ck_assert_ptr_null(hb_bay_get_drive(bay));
	hear("remove", IDLE_PATH);
	ck_assert_str_eq(told->str, "removed ");
}
END_TEST

START_TEST(a_push_that_was_lost_is_found_and_the_drive_taken)
{
	HbBay *bay = watch("1", TRUE);

	take_out();
	hear("remove", IDLE_PATH);
	put_in("0000:21:00.0");
	hear_loss();
	hear("add", "/devices/pci0000:00/0000:00:04.0/0000:21:00.0");
	wait_for("taken");
	ck_assert_str_eq(told->str, "removed added taken ");
	ck_assert_str_eq(hb_bay_get_drive(bay), "0000:21:00.0");
	g_autofree char *driver =
		hb_host_files_link_name(root, "sys/bus/pci/devices/0000:21:00.0/driver");
	ck_assert_str_eq(driver, "vfio-pci");
}
END_TEST

START_TEST(another_drive_at_the_same_address_is_found_when_both_events_were_lost)
{
	watch("1", TRUE);
	exchange();
	hear_loss();
	wait_for("taken");
	ck_assert_str_eq(told->str, "removed added taken ");
	assert_driver("vfio-pci");
	hear_loss();
	ck_assert_str_eq(told->str, "removed added taken ");
}
END_TEST

START_TEST(what_was_told_before_a_look_is_no_news_after_it)
{
	watch("1", FALSE);
	exchange();
	host_tree_write(root, "sys/kernel/uevent_seqnum", "9\n");
	hear_loss();
	hear_numbered("remove", IDLE_PATH, 8);
	hear_numbered("add", IDLE_PATH, 9);
	ck_assert_str_eq(told->str, "removed added ");
	hear_numbered("remove", IDLE_PATH, 10);
	ck_assert_str_eq(told->str, "removed added removed ");
}
END_TEST

START_TEST(a_drive_that_has_gone_since_is_not_announced)
{
	watch("1", TRUE);
	hear("remove", IDLE_PATH);
	take_out();
	hear("add", IDLE_PATH);
	ck_assert_str_eq(told->str, "removed ");
}
END_TEST

START_TEST(what_is_no_drive_is_not_found_when_events_were_lost)
{
	watch("1", TRUE);
	host_tree_write(root, "sys/bus/pci/devices/" IDLE "/class", "0x020000\n");
	hear("remove", IDLE_PATH);
	hear_loss();
	ck_assert_str_eq(told->str, "removed ");
}
END_TEST

START_TEST(a_drive_that_is_there_is_taken_at_once_for_a_machine_that_starts)
{
	HbBay *bay = watch("1", TRUE);

	ck_assert(hb_bay_take_now(bay, NULL));
	assert_driver("vfio-pci");
	ck_assert(!hb_bay_take_now(watch("62", TRUE), NULL));
}
END_TEST

/* -- A slot beside the bay. -- */

static HbHostBridge *create_bridge(void)
{
	const HbHostBridgeConfig config = {
		.ecam = { 0xe0000000, 0x1000000 },
		.mem32 = { 0xc0000000, 0x10000000 },
		.mem64 = { 0x100000000, 0x40000000 },
	};

	return hb_host_bridge_create(embedder, &config, NULL);
}

static HbPort *create_port(HbHostBridge *bridge)
{
	HbPortConfig config;

	hb_port_config_init(&config);
	config.id = "bay0";
	config.devfn = HB_PCI_DEVFN(4, 0);
	config.chassis = 1;
	config.slot = 1;
	return hb_port_create(bridge, &config, NULL);
}

START_TEST(slots_and_bays_are_told_in_the_order_in_which_things_happened)
{
	HbHostBridge *bridge = create_bridge();
	HbPort *port = create_port(bridge);
	FakeFunction *drive = fake_function_create(0x10);

	watch("1", FALSE);
	ck_assert(hb_port_plug(port, &drive->function, 1, NULL));
	happen("remove", IDLE_PATH, G_MAXUINT64);
	hb_port_pull(port, &drive->function);
	happen("add", IDLE_PATH, G_MAXUINT64);
	ck_assert_str_eq(told->str, "");
	tell_all();
	ck_assert_str_eq(told->str, "PLUGGED removed SEVERED added ");
	tell_all();
	ck_assert_str_eq(told->str, "PLUGGED removed SEVERED added RELEASED ");

	hb_host_bridge_destroy(bridge);
	fake_function_destroy(drive);
}
END_TEST

START_TEST(bays_that_are_destroyed_are_not_told_of_any_more)
{
	watch("1", FALSE);
	happen("remove", IDLE_PATH, G_MAXUINT64);
	hb_bays_destroy(bays);
	tell_all();
	ck_assert_str_eq(told->str, "");
	open_bays();
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bay");
	TCase *tcase = tcase_create("bay");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60); /* many small files, on a busy machine */
	tcase_add_test(tcase, a_slot_is_found_by_its_name_and_by_its_port);
	tcase_add_test(tcase, a_slot_that_does_not_exist_is_named_with_those_that_do);
	tcase_add_test(tcase, a_number_that_two_slots_have_is_refused_and_their_ports_are_not);
	tcase_add_test(tcase, a_slot_is_claimed_once);
	tcase_add_test(tcase, a_slot_of_another_vm_is_refused_with_its_process);
	tcase_add_test(tcase, a_drive_that_was_there_is_known_and_not_announced);
	tcase_add_test(tcase, a_pushed_drive_is_claimed_before_a_driver_has_it);
	tcase_add_test(tcase, a_drive_that_its_driver_had_first_is_switched);
	tcase_add_test(tcase, without_a_wish_to_take_it_a_drive_is_only_announced);
	tcase_add_test(tcase, a_drive_in_use_is_refused_with_the_reason_and_stays);
	tcase_add_test(tcase, a_drive_that_vfio_does_not_take_is_left_without_a_claim);
	tcase_add_test(tcase, an_unbound_drive_is_left_alone_until_it_comes_anew);
	tcase_add_test(tcase, what_is_no_drive_is_refused);
	tcase_add_test(tcase, a_drive_in_another_slot_is_nobodys);
	tcase_add_test(tcase, a_drive_may_come_back_under_another_address);
	tcase_add_test(tcase, what_is_as_it_was_is_no_news_when_events_were_lost);
	tcase_add_test(tcase, a_removal_that_was_lost_is_found);
	tcase_add_test(tcase, a_push_that_was_lost_is_found_and_the_drive_taken);
	tcase_add_test(tcase,
		       another_drive_at_the_same_address_is_found_when_both_events_were_lost);
	tcase_add_test(tcase, what_was_told_before_a_look_is_no_news_after_it);
	tcase_add_test(tcase, a_drive_that_has_gone_since_is_not_announced);
	tcase_add_test(tcase, what_is_no_drive_is_not_found_when_events_were_lost);
	tcase_add_test(tcase, a_drive_that_is_there_is_taken_at_once_for_a_machine_that_starts);
	tcase_add_test(tcase, slots_and_bays_are_told_in_the_order_in_which_things_happened);
	tcase_add_test(tcase, bays_that_are_destroyed_are_not_told_of_any_more);
	suite_add_tcase(suite, tcase);
	return suite;
}
