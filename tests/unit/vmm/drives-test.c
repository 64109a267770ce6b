/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Who may go where, and under which id. The drives named here do not exist on any host, so each
 * addition that is let through ends with an error of the host's; drives that do exist are the
 * lab's.
 */

#include "tests/unit/suite.h"
#include "vmm/drives.h"

#include <string.h>

#define NOWHERE "ffff:ff:1f.7"

static HbHost *host;
static HbHostBridge *bridge;
static HbVfio *vfio;
static HbMemory *memory;
static HbPorts *ports;
static HbDrives *drives;
static HbDeviceOptions *devices;
static guint n_events;
static HbMachineEventType last_event;
static guint n_evacuated;

static void on_log(HbHost *unused, GLogLevelFlags level, const char *line)
{
}

/* Nothing is ever mapped or routed. */
static const HbHostOps host_ops = { .log = on_log };

static void on_event(const HbMachineEvent *event, gpointer opaque)
{
	n_events++;
	last_event = event->type;
}

static void on_evacuated(gpointer opaque)
{
	n_evacuated++;
}

static void add_port(const char *text)
{
	ck_assert(hb_device_options_parse(devices, text, NULL));
}

static void create(gboolean hotplug)
{
	const HbHostBridgeConfig config = {
		.ecam = { 0xb0000000, 0x1000000 },
		.mem32 = { 0xc0000000, 0x10000000 },
		.mem64 = { 0x100000000, 0x100000000 },
	};

	n_events = n_evacuated = 0;
	host = hb_host_create(&host_ops, NULL, NULL);
	bridge = hb_host_bridge_create(host, &config, NULL);
	vfio = hb_vfio_create(host, 0);
	memory = hb_memory_create(1 << 20, &(HbMemoryBackend){ 0 }, NULL);
	ports = hb_ports_create(bridge);
	drives = hb_drives_create(ports, vfio, memory, on_event, NULL);
	devices = hb_device_options_create();
	add_port("pcie-root-port,id=bay0,slot=1");
	add_port("pcie-root-port,id=bay1,slot=2");
	add_port("pcie-root-port,id=fixed,slot=3,hotplug=off");
	add_port("pcie-root-port,id=rp0,slot=4");
	add_port("x3130-upstream,id=up0,bus=rp0");
	add_port("xio3130-downstream,id=dp0,bus=up0,slot=5");
	ck_assert(hb_device_options_check(devices, NULL));
	if (!hotplug)
		hb_ports_disable_hotplug(ports);
	ck_assert(hb_ports_add(ports, devices, NULL));
	hb_ports_set_running(ports);
}

static void set_up(void)
{
	create(TRUE);
}

static void set_up_without_hotplug(void)
{
	create(FALSE);
}

static void tear_down(void)
{
	if (n_evacuated == 0)
		hb_drives_evacuate(drives, on_evacuated);
	while (n_evacuated == 0)
		g_main_context_iteration(NULL, TRUE);
	hb_drives_destroy(drives);
	hb_ports_destroy(ports);
	hb_host_bridge_destroy(bridge);
	hb_vfio_destroy(vfio);
	hb_memory_destroy(memory);
	hb_host_destroy(host);
	hb_device_options_destroy(devices);
}

/* How one addition ended. */
typedef struct Outcome {
	gboolean ended;
	GError *error;
} Outcome;

static void on_done(const GError *error, gpointer data)
{
	Outcome *outcome = data;

	ck_assert(!outcome->ended);
	outcome->ended = TRUE;
	outcome->error = error ? g_error_copy(error) : NULL;
}

static void add(const char *id, const char *bus, Outcome *outcome)
{
	HbDriveOptions *options = g_new0(HbDriveOptions, 1);

	*outcome = (Outcome){ FALSE, NULL };
	options->id = g_strdup(id);
	options->bus = g_strdup(bus);
	ck_assert(hb_pci_address_parse(NOWHERE, &options->host, NULL));
	hb_drives_add(drives, options, on_done, outcome);
}

static void wait(Outcome *outcome)
{
	while (!outcome->ended)
		g_main_context_iteration(NULL, TRUE);
}

/* At once, without asking the host. */
static void assert_refused(Outcome *outcome, const char *message)
{
	ck_assert(outcome->ended);
	ck_assert_ptr_nonnull(outcome->error);
	ck_assert_msg(g_str_has_prefix(outcome->error->message, message), "%s",
		      outcome->error->message);
	g_clear_error(&outcome->error);
}

static void assert_not_found(Outcome *outcome)
{
	wait(outcome);
	ck_assert(g_error_matches(outcome->error, HB_ERROR, HB_ERROR_NOT_FOUND));
	ck_assert_ptr_nonnull(strstr(outcome->error->message, NOWHERE));
	g_clear_error(&outcome->error);
}

START_TEST(test_an_unknown_bus_is_refused_at_once)
{
	Outcome outcome;

	add("d0", "bay9", &outcome);
	assert_refused(&outcome, "Bus 'bay9' not found");
}
END_TEST

START_TEST(test_a_port_without_hot_plug_is_refused_at_once)
{
	Outcome outcome;

	add("d0", "fixed", &outcome);
	assert_refused(&outcome, "Bus 'fixed' does not support hotplugging");
}
END_TEST

START_TEST(test_a_switch_takes_no_drive)
{
	Outcome outcome;

	add("d0", "rp0", &outcome);
	assert_refused(&outcome, "Bus 'rp0' is occupied by the switch 'up0'");
	add("d0", "up0", &outcome);
	assert_refused(&outcome, "Bus 'up0' is inside a switch");
	add("up0", "dp0", &outcome);
	assert_refused(&outcome, "Duplicate device ID 'up0'");
}
END_TEST

START_TEST(test_a_slot_below_a_switch_takes_a_drive)
{
	Outcome outcome;

	add("d0", "dp0", &outcome);
	assert_not_found(&outcome);
}
END_TEST

START_TEST(test_a_ports_id_is_no_drives)
{
	Outcome outcome;

	add("bay1", "bay0", &outcome);
	assert_refused(&outcome, "Duplicate device ID 'bay1'");
}
END_TEST

START_TEST(test_a_host_address_that_does_not_exist_is_reported_later)
{
	Outcome outcome;

	add("d0", "bay0", &outcome);
	ck_assert(!outcome.ended);
	assert_not_found(&outcome);
}
END_TEST

START_TEST(test_an_id_in_flight_is_taken)
{
	Outcome first, second;

	add("d0", "bay0", &first);
	add("d0", "bay1", &second);
	assert_refused(&second, "Duplicate device ID 'd0'");
	assert_not_found(&first);
}
END_TEST

START_TEST(test_a_bus_in_flight_is_occupied)
{
	Outcome first, second;

	add("d0", "bay0", &first);
	add("d1", "bay0", &second);
	assert_refused(&second, "Bus 'bay0' is occupied by 'd0'");
	assert_not_found(&first);
}
END_TEST

START_TEST(test_a_failed_addition_frees_id_and_bus)
{
	Outcome outcome;

	for (guint i = 0; i < 3; i++) {
		add("d0", "bay0", &outcome);
		assert_not_found(&outcome);
	}
}
END_TEST

START_TEST(test_two_additions_go_on_side_by_side)
{
	Outcome first, second;

	add("d0", "bay0", &first);
	add("d1", "bay1", &second);
	assert_not_found(&first);
	assert_not_found(&second);
}
END_TEST

static void assert_not_removed(const char *id, HbError code, const char *message)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!hb_drives_remove(drives, id, NULL, &error));
	ck_assert(g_error_matches(error, HB_ERROR, (gint)code));
	ck_assert_msg(g_str_has_prefix(error->message, message), "%s", error->message);
}

START_TEST(test_an_unknown_drive_cannot_be_removed)
{
	assert_not_removed("d7", HB_ERROR_NOT_FOUND, "Device 'd7' not found");
}
END_TEST

START_TEST(test_a_port_cannot_be_removed)
{
	assert_not_removed("bay0", HB_ERROR_UNSUPPORTED,
			   "Bus 'pcie.0' does not support hotplugging");
}
END_TEST

START_TEST(test_a_switch_and_its_ports_cannot_be_removed)
{
	assert_not_removed("up0", HB_ERROR_UNSUPPORTED,
			   "Bus 'rp0' does not support hotplugging: 'up0' is a switch");
	assert_not_removed("dp0", HB_ERROR_UNSUPPORTED,
			   "Bus 'up0' does not support hotplugging: 'dp0' is a downstream port");
}
END_TEST

/* The addition has an end, and so has the removal. */
static void assert_came_to_nothing(Outcome *outcome)
{
	wait(outcome);
	ck_assert_ptr_nonnull(outcome->error);
	g_clear_error(&outcome->error);
	ck_assert_uint_eq(n_events, 1);
	ck_assert_int_eq(last_event, HB_MACHINE_EVENT_DEVICE_DELETED);
	assert_not_removed("d0", HB_ERROR_NOT_FOUND, "Device 'd0' not found");
}

START_TEST(test_a_drive_that_is_still_coming_can_be_removed)
{
	Outcome outcome;

	add("d0", "bay0", &outcome);
	ck_assert(hb_drives_remove(drives, "d0", NULL, NULL));
	ck_assert_uint_eq(n_events, 0);
	assert_came_to_nothing(&outcome);
}
END_TEST

START_TEST(test_a_drive_that_is_still_coming_can_be_pulled)
{
	Outcome outcome;

	add("d0", "bay0", &outcome);
	ck_assert(hb_drives_pull(drives, "d0", NULL));
	assert_came_to_nothing(&outcome);
}
END_TEST

START_TEST(test_a_removal_has_one_request)
{
	Outcome outcome;
	g_autoptr(GError) error = NULL;

	add("d0", "bay0", &outcome);
	ck_assert(hb_drives_remove(drives, "d0", NULL, NULL));
	assert_not_removed("d0", HB_ERROR_BUSY, "Device 'd0' is already in the process of unplug");
	ck_assert(!hb_drives_pull(drives, "d0", &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	assert_came_to_nothing(&outcome);
}
END_TEST

START_TEST(test_a_bus_is_free_for_another_once_its_drive_is_to_go)
{
	Outcome first, second;

	add("d0", "bay0", &first);
	ck_assert(hb_drives_remove(drives, "d0", NULL, NULL));
	add("d1", "bay0", &second);
	ck_assert(!second.ended);
	assert_not_found(&second);
	wait(&first);
	g_clear_error(&first.error);
}
END_TEST

START_TEST(test_an_unknown_drive_and_a_port_cannot_be_pulled)
{
	g_autoptr(GError) unknown = NULL;
	g_autoptr(GError) port = NULL;

	ck_assert(!hb_drives_pull(drives, "d7", &unknown));
	ck_assert(g_error_matches(unknown, HB_ERROR, HB_ERROR_NOT_FOUND));
	ck_assert(!hb_drives_pull(drives, "bay0", &port));
	ck_assert(g_error_matches(port, HB_ERROR, HB_ERROR_UNSUPPORTED));
}
END_TEST

/* Ids in the order told, with a comma behind each. */
static void collect(const HbMachineDevice *device, gpointer data)
{
	g_string_append_printf(data, "%s:%s:%s,", device->id, device->bus,
			       device->state	  ? device->state
			       : device->occupant ? device->occupant
						  : "-");
}

START_TEST(test_ports_and_drives_are_told_in_order)
{
	g_autoptr(GString) told = g_string_new(NULL);
	Outcome outcome;

	add("d0", "bay1", &outcome);
	hb_drives_foreach(drives, collect, told);
	ck_assert_str_eq(told->str, "bay0:pcie.0:-,bay1:pcie.0:d0,fixed:pcie.0:-,rp0:pcie.0:up0,"
				    "dp0:up0:-,up0:rp0:fixed,d0:bay1:adding,");
	assert_not_found(&outcome);
}
END_TEST

START_TEST(test_nobody_in_is_evacuated_at_once)
{
	hb_drives_evacuate(drives, on_evacuated);
	ck_assert_uint_eq(n_evacuated, 1);
}
END_TEST

START_TEST(test_evacuation_waits_for_who_is_on_the_way_in)
{
	Outcome outcome;

	add("d0", "bay0", &outcome);
	hb_drives_evacuate(drives, on_evacuated);
	ck_assert_uint_eq(n_evacuated, 0);
	wait(&outcome);
	ck_assert_uint_eq(n_evacuated, 1);
	ck_assert_ptr_nonnull(outcome.error);
	g_clear_error(&outcome.error);
}
END_TEST

START_TEST(test_after_evacuation_nobody_is_let_in)
{
	Outcome outcome;

	hb_drives_evacuate(drives, on_evacuated);
	add("d0", "bay0", &outcome);
	assert_refused(&outcome, "the machine is shutting down");
}
END_TEST

START_TEST(test_a_failed_addition_sends_no_event)
{
	Outcome outcome;

	add("d0", "bay0", &outcome);
	assert_not_found(&outcome);
	ck_assert_uint_eq(n_events, 0);
}
END_TEST

START_TEST(test_a_failed_cold_plug_leaves_nothing)
{
	HbDriveOptions options = { .id = (char *)"d0", .bus = (char *)"bay0" };
	g_autoptr(GError) error = NULL;

	ck_assert(hb_pci_address_parse(NOWHERE, &options.host, NULL));
	ck_assert(!hb_drives_cold_plug(drives, &options, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND));
	assert_not_removed("d0", HB_ERROR_NOT_FOUND, "Device 'd0' not found");
}
END_TEST

START_TEST(test_a_machine_without_hotplug_says_which_flag_forbids_an_addition)
{
	Outcome outcome;

	add("d0", "bay0", &outcome);
	ck_assert_ptr_nonnull(strstr(outcome.error->message, "-machine passthrough-hotplug=off"));
	assert_refused(&outcome, "Bus 'bay0' does not support hotplugging");
}
END_TEST

static void add_tests_without_hotplug(Suite *suite)
{
	TCase *tests = tcase_create("without hotplug");

	tcase_add_checked_fixture(tests, set_up_without_hotplug, tear_down);
	tcase_add_test(tests, test_a_machine_without_hotplug_says_which_flag_forbids_an_addition);
	suite_add_tcase(suite, tests);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("drives");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_an_unknown_bus_is_refused_at_once);
	tcase_add_test(tests, test_a_port_without_hot_plug_is_refused_at_once);
	tcase_add_test(tests, test_a_switch_takes_no_drive);
	tcase_add_test(tests, test_a_slot_below_a_switch_takes_a_drive);
	tcase_add_test(tests, test_a_switch_and_its_ports_cannot_be_removed);
	tcase_add_test(tests, test_a_ports_id_is_no_drives);
	tcase_add_test(tests, test_a_host_address_that_does_not_exist_is_reported_later);
	tcase_add_test(tests, test_an_id_in_flight_is_taken);
	tcase_add_test(tests, test_a_bus_in_flight_is_occupied);
	tcase_add_test(tests, test_a_failed_addition_frees_id_and_bus);
	tcase_add_test(tests, test_two_additions_go_on_side_by_side);
	tcase_add_test(tests, test_an_unknown_drive_cannot_be_removed);
	tcase_add_test(tests, test_a_port_cannot_be_removed);
	tcase_add_test(tests, test_a_drive_that_is_still_coming_can_be_removed);
	tcase_add_test(tests, test_a_drive_that_is_still_coming_can_be_pulled);
	tcase_add_test(tests, test_a_removal_has_one_request);
	tcase_add_test(tests, test_a_bus_is_free_for_another_once_its_drive_is_to_go);
	tcase_add_test(tests, test_an_unknown_drive_and_a_port_cannot_be_pulled);
	tcase_add_test(tests, test_ports_and_drives_are_told_in_order);
	tcase_add_test(tests, test_nobody_in_is_evacuated_at_once);
	tcase_add_test(tests, test_evacuation_waits_for_who_is_on_the_way_in);
	tcase_add_test(tests, test_after_evacuation_nobody_is_let_in);
	tcase_add_test(tests, test_a_failed_addition_sends_no_event);
	tcase_add_test(tests, test_a_failed_cold_plug_leaves_nothing);
	suite_add_tcase(suite, tests);
	add_tests_without_hotplug(suite);
	return suite;
}
