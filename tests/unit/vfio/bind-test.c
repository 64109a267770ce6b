/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The passthrough switch, upon a captured server whose kernel can be made to fail at any step. */

#include "tests/unit/suite.h"
#include "tests/unit/vfio/fake-kernel.h"
#include "tests/unit/vfio/host-tree.h"
#include "vfio/bind-rule.h"
#include "vfio/bind-settle.h"
#include "vfio/bind.h"
#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDLE	"0000:01:00.0"
#define SECOND	"0000:0a:00.0"
#define MOUNTED "0000:02:00.0"
#define OPENED	"0000:03:00.0"
#define RULE	"etc/udev/rules.d/70-hotbay-0000:00-04.0-00.0.rules"

static char *root;
static FakeKernel kernel;

static void setup(void)
{
	root = host_tree_create("server");
	kernel = (FakeKernel){ .root = root, .said = g_string_new(NULL) };
}

static void teardown(void)
{
	g_string_free(kernel.said, TRUE);
	host_tree_destroy(root);
}

static gboolean switch_with(const char *const *addresses, gboolean to_vfio, HbBindFlags flags,
			    GError **error)
{
	HbBindHost host = { .root = root, .ops = &fake_kernel_ops, .opaque = &kernel };
	HbBindRequest request = { .addresses = addresses,
				  .flags = flags,
				  .program = "/usr/bin/hotbayctl" };

	return hb_bind_switch(&host, &request, to_vfio, error);
}

static gboolean switch_one(const char *address, gboolean to_vfio, HbBindFlags flags, GError **error)
{
	const char *const addresses[] = { address, NULL };

	return switch_with(addresses, to_vfio, flags, error);
}

static void assert_driver(const char *address, const char *expected)
{
	g_autofree char *driver =
		hb_host_files_link_name(root, "sys/bus/pci/devices/%s/driver", address);

	ck_assert_pstr_eq(driver, expected);
}

/* Tells only where two hosts begin to differ: they are long. */
static void assert_same(const char *before, const char *after)
{
	gsize i = 0;

	while (before[i] && before[i] == after[i])
		i++;
	ck_assert_msg(before[i] == after[i], "before: %.200s\nafter: %.200s",
		      before + (i < 80 ? 0 : i - 80), after + (i < 80 ? 0 : i - 80));
}

/* Refused, before anything was changed. */
static void assert_refused(const char *address, gboolean to_vfio, HbBindFlags flags, HbError code,
			   const char *word)
{
	g_autofree char *before = host_tree_dump(root);
	g_autofree char *after = NULL;
	g_autoptr(GError) error = NULL;

	ck_assert(!switch_one(address, to_vfio, flags, &error));
	ck_assert_msg(g_error_matches(error, HB_ERROR, (int)code), "%s", error->message);
	ck_assert_msg(strstr(error->message, address) != NULL, "%s", error->message);
	ck_assert_msg(strstr(error->message, word) != NULL, "no '%s' in: %s", word, error->message);
	ck_assert_uint_eq(kernel.steps, 0);
	after = host_tree_dump(root);
	assert_same(before, after);
}

START_TEST(an_idle_drive_goes_to_vfio_and_comes_back_as_it_was)
{
	g_autofree char *before = NULL;

	host_tree_write(root, "sys/bus/pci/drivers/vfio-pci/bind", "");
	before = host_tree_dump(root);
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	assert_driver(IDLE, "vfio-pci");
	ck_assert_str_eq(kernel.said->str, "oub");
	ck_assert(switch_one(IDLE, FALSE, HB_BIND_NONE, NULL));
	assert_driver(IDLE, "nvme");
	g_autofree char *after = host_tree_dump(root);
	assert_same(before, after);
}
END_TEST

START_TEST(a_drive_that_is_there_already_is_left_alone)
{
	ck_assert(switch_one(IDLE, FALSE, HB_BIND_NONE, NULL));
	ck_assert_uint_eq(kernel.steps, 0);
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	guint steps = kernel.steps;
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	ck_assert_uint_eq(kernel.steps, steps);
	assert_driver(IDLE, "vfio-pci");
}
END_TEST

START_TEST(the_driver_is_loaded_if_it_is_not_there)
{
	host_tree_remove(root, "sys/bus/pci/drivers/vfio-pci");
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	ck_assert_uint_eq(kernel.loaded, 1);
	ck_assert(switch_one(SECOND, TRUE, HB_BIND_NONE, NULL));
	ck_assert_uint_eq(kernel.loaded, 1);
}
END_TEST

START_TEST(a_mounted_drive_is_refused_and_told_where)
{
	assert_refused(MOUNTED, TRUE, HB_BIND_NONE, HB_ERROR_BUSY, "mounted on /run/data");
}
END_TEST

START_TEST(a_mounted_drive_is_not_forced_by_one_word)
{
	assert_refused(MOUNTED, TRUE, HB_BIND_FORCE, HB_ERROR_BUSY, "mounted");
	assert_refused(MOUNTED, TRUE, HB_BIND_LOSE_DATA, HB_ERROR_BUSY, "mounted");
	ck_assert(switch_one(MOUNTED, TRUE, HB_BIND_FORCE | HB_BIND_LOSE_DATA, NULL));
	assert_driver(MOUNTED, "vfio-pci");
}
END_TEST

START_TEST(a_drive_that_a_process_has_open_is_forced_by_one)
{
	assert_refused(OPENED, TRUE, HB_BIND_NONE, HB_ERROR_BUSY, "sleep (process");
	ck_assert(switch_one(OPENED, TRUE, HB_BIND_FORCE, NULL));
	assert_driver(OPENED, "vfio-pci");
}
END_TEST

START_TEST(a_use_that_only_the_claim_finds_is_refused)
{
	host_tree_write(root, "dev/nvme0n1", "");
	kernel.held = "/dev/nvme0n1";
	assert_refused(IDLE, TRUE, HB_BIND_NONE, HB_ERROR_BUSY, "someone holds it");
	assert_refused(IDLE, TRUE, HB_BIND_FORCE, HB_ERROR_BUSY, "someone holds it");
}
END_TEST

static void give_to_vm(void)
{
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	g_autofree char *group =
		hb_host_files_link_name(root, "sys/bus/pci/devices/" IDLE "/iommu_group");
	g_autofree char *node = g_strdup_printf("/dev/vfio/%s", group);
	host_tree_write(root, "proc/4711/comm", "hotbay\n");
	host_tree_link(root, "proc/4711/fd/9", node);
	host_tree_write(root, node, "");
	kernel.held = g_intern_string(node); /* it outlives this */
	kernel.steps = 0;
}

START_TEST(a_drive_of_a_vm_is_not_taken_back)
{
	give_to_vm();
	assert_refused(IDLE, FALSE, HB_BIND_FORCE | HB_BIND_LOSE_DATA, HB_ERROR_BUSY,
		       "hotbay (process 4711)");
}
END_TEST

START_TEST(a_drive_of_a_vm_is_taken_back_by_a_word_of_its_own)
{
	give_to_vm();
	ck_assert(switch_one(IDLE, FALSE, HB_BIND_FROM_VM, NULL));
	assert_driver(IDLE, "nvme");
}
END_TEST

/* As for a device whose lock an unbind has: who reads these waits, here for the test's end. */
static void make_unreadable(const char *leaf)
{
	g_autofree char *file = g_strdup_printf("sys/bus/pci/devices/" IDLE "/%s", leaf);
	g_autofree char *path = g_build_filename(root, file, NULL);

	if (g_file_test(path, G_FILE_TEST_EXISTS))
		host_tree_remove(root, file);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void switch_others(const char *address)
{
	g_autoptr(GError) error = NULL;

	kernel.on_unbind = NULL;
	make_unreadable("driver_override");
	make_unreadable("sriov_numvfs");
	ck_assert(switch_one(SECOND, TRUE, HB_BIND_NONE, NULL));
	ck_assert(!switch_one(IDLE, FALSE, HB_BIND_FROM_VM, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	ck_assert_ptr_nonnull(strstr(error->message, IDLE));
	host_tree_remove(root, "sys/bus/pci/devices/" IDLE "/driver_override");
	host_tree_write(root, "sys/bus/pci/devices/" IDLE "/driver_override", "vfio-pci\n");
}

START_TEST(while_a_vm_lets_go_others_can_be_switched_and_the_same_drive_cannot)
{
	give_to_vm();
	kernel.on_unbind = switch_others;
	ck_assert(switch_one(IDLE, FALSE, HB_BIND_FROM_VM, NULL));
	assert_driver(IDLE, "nvme");
	assert_driver(SECOND, "vfio-pci");
}
END_TEST

static void give_again(const char *address)
{
	kernel.on_unbind = NULL;
	host_tree_link(root, "sys/bus/pci/devices/" IDLE "/driver", "x/vfio-pci");
}

START_TEST(a_drive_that_a_vm_has_again_meanwhile_is_left_to_it)
{
	g_autoptr(GError) error = NULL;

	give_to_vm();
	kernel.on_unbind = give_again;
	ck_assert(!switch_one(IDLE, FALSE, HB_BIND_FROM_VM, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	assert_driver(IDLE, "vfio-pci");
}
END_TEST

START_TEST(a_vm_of_another_user_is_found_by_the_group)
{
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	g_autofree char *group =
		hb_host_files_link_name(root, "sys/bus/pci/devices/" IDLE "/iommu_group");
	g_autofree char *node = g_strdup_printf("dev/vfio/%s", group);
	host_tree_write(root, node, "");
	kernel.held = node;
	kernel.steps = 0;
	assert_refused(IDLE, FALSE, HB_BIND_NONE, HB_ERROR_BUSY, "someone holds it");
}
END_TEST

START_TEST(a_shared_group_is_refused_with_the_foreigners_address)
{
	assert_refused("0000:0d:00.0", TRUE, HB_BIND_FORCE | HB_BIND_LOSE_DATA,
		       HB_ERROR_UNSUPPORTED, "0000:0d:00.1");
}
END_TEST

static const char *const both[] = { IDLE, SECOND, NULL };

static void put_into_one_group(void)
{
	host_tree_link(root, "sys/kernel/iommu_groups/900/devices/" IDLE, "x");
	host_tree_link(root, "sys/kernel/iommu_groups/900/devices/" SECOND, "x");
	for (guint i = 0; both[i]; i++) {
		g_autofree char *link =
			g_strdup_printf("sys/bus/pci/devices/%s/iommu_group", both[i]);
		host_tree_remove(root, link);
		host_tree_link(root, link, "../../../kernel/iommu_groups/900");
	}
}

START_TEST(drives_of_one_group_go_together)
{
	put_into_one_group();
	assert_refused(IDLE, TRUE, HB_BIND_NONE, HB_ERROR_UNSUPPORTED, SECOND);
	ck_assert(switch_with(both, TRUE, HB_BIND_NONE, NULL));
	assert_driver(IDLE, "vfio-pci");
	assert_driver(SECOND, "vfio-pci");
}
END_TEST

START_TEST(drives_of_one_group_leave_a_vm_together)
{
	put_into_one_group();
	ck_assert(switch_with(both, TRUE, HB_BIND_NONE, NULL));
	kernel.steps = 0;
	assert_refused(IDLE, FALSE, HB_BIND_FROM_VM, HB_ERROR_UNSUPPORTED, SECOND);
	assert_refused(SECOND, FALSE, HB_BIND_FROM_VM, HB_ERROR_UNSUPPORTED, IDLE);
	g_string_truncate(kernel.said, 0);
	ck_assert(switch_with(both, FALSE, HB_BIND_FROM_VM, NULL));
	ck_assert_str_eq(kernel.said->str, "uuopop");
	assert_driver(IDLE, "nvme");
	assert_driver(SECOND, "nvme");
}
END_TEST

START_TEST(what_fails_after_the_vms_have_let_go_is_undone)
{
	put_into_one_group();
	host_tree_write(root, "sys/bus/pci/drivers/vfio-pci/bind", "");
	ck_assert(switch_with(both, TRUE, HB_BIND_NONE, NULL));
	g_autofree char *before = host_tree_dump(root);
	for (guint step = 1; step <= 6; step++) {
		g_autoptr(GError) error = NULL;

		kernel.steps = 0;
		kernel.failing = step;
		ck_assert(!switch_with(both, FALSE, HB_BIND_FROM_VM, &error));
		ck_assert_msg(!strstr(error->message, "undoing"), "%s", error->message);
		g_autofree char *after = host_tree_dump(root);
		assert_same(before, after);
	}
}
END_TEST

START_TEST(an_address_without_a_drive_is_not_found)
{
	assert_refused("0000:77:00.0", TRUE, HB_BIND_NONE, HB_ERROR_NOT_FOUND, "hotbayctl drives");
}
END_TEST

START_TEST(one_bad_address_keeps_the_good_ones_from_changing)
{
	static const char *const addresses[] = { IDLE, "0000:77:00.0", NULL };

	ck_assert(!switch_with(addresses, TRUE, HB_BIND_NONE, NULL));
	ck_assert_uint_eq(kernel.steps, 0);
	assert_driver(IDLE, "nvme");
}
END_TEST

START_TEST(an_address_twice_is_refused)
{
	static const char *const addresses[] = { IDLE, SECOND, IDLE, NULL };
	g_autoptr(GError) error = NULL;

	ck_assert(!switch_with(addresses, TRUE, HB_BIND_NONE, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	ck_assert_uint_eq(kernel.steps, 0);
}
END_TEST

/* Whichever step fails, and in whichever direction, everything is as it was before. */
static void assert_undone(gboolean to_vfio, guint failing)
{
	static const char *const addresses[] = { IDLE, SECOND, OPENED, NULL };
	g_autofree char *before = host_tree_dump(root);
	g_autoptr(GError) error = NULL;

	kernel.steps = 0;
	kernel.failing = failing;
	ck_assert(!switch_with(addresses, to_vfio, HB_BIND_FORCE | HB_BIND_PERSIST, &error));
	ck_assert_msg(strstr(error->message, "made to fail") != NULL, "%s", error->message);
	ck_assert_msg(strstr(error->message, "undoing") == NULL, "%s", error->message);
	g_autofree char *after = host_tree_dump(root);
	assert_same(before, after);
	kernel.failing = 0;
}

#define STEPS 9 /* three drives: override, unbind, bind each */

START_TEST(a_failing_step_is_undone_completely)
{
	static const char *const addresses[] = { IDLE, SECOND, OPENED, NULL };

	host_tree_write(root, "sys/bus/pci/drivers/vfio-pci/bind", "");
	host_tree_write(root, "etc/udev/rules.d/README", "");
	for (guint step = 1; step <= STEPS; step++)
		assert_undone(TRUE, step);
	kernel.steps = 0;
	ck_assert(switch_with(addresses, TRUE, HB_BIND_FORCE | HB_BIND_PERSIST, NULL));
	ck_assert_uint_eq(kernel.steps, STEPS);
	for (guint step = 1; step <= STEPS; step++)
		assert_undone(FALSE, step);
}
END_TEST

START_TEST(a_driver_that_does_not_take_the_drive_is_undone)
{
	g_autoptr(GError) error = NULL;

	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	g_autofree char *before = host_tree_dump(root);
	kernel.no_nvme = TRUE;
	ck_assert(!switch_one(IDLE, FALSE, HB_BIND_NONE, &error));
	ck_assert_msg(strstr(error->message, "nobody drives it") != NULL, "%s", error->message);
	g_autofree char *after = host_tree_dump(root);
	assert_same(before, after);
}
END_TEST

START_TEST(an_undoing_that_fails_is_said)
{
	g_autoptr(GError) error = NULL;

	kernel.failing = 3;
	kernel.failing_after = TRUE;
	ck_assert(!switch_one(IDLE, TRUE, HB_BIND_NONE, &error));
	ck_assert_msg(strstr(error->message, "undoing it failed too") != NULL, "%s",
		      error->message);
}
END_TEST

START_TEST(what_persists_is_a_rule_for_this_drive_and_goes_with_the_passthrough)
{
	g_autofree char *rule = NULL;

	ck_assert(switch_one(IDLE, TRUE, HB_BIND_PERSIST, NULL));
	rule = hb_host_files_read(root, RULE);
	ck_assert_ptr_nonnull(rule);
	ck_assert_ptr_nonnull(strstr(rule, "ATTR{vendor}==\"0x1b36\", ATTR{device}==\"0x0010\", "
					   "ATTR{subsystem_vendor}==\"0x1af4\", "
					   "ATTR{subsystem_device}==\"0x1100\""));
	ck_assert_ptr_nonnull(strstr(rule, "ATTR{driver_override}=\"vfio-pci\""));
	ck_assert_ptr_nonnull(strstr(rule, "RUN+=\"/usr/bin/hotbayctl passthrough on %k\""));
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
	ck_assert(hb_host_files_exist(root, RULE));
	ck_assert(switch_one(IDLE, FALSE, HB_BIND_NONE, NULL));
	ck_assert(!hb_host_files_exist(root, RULE));
}
END_TEST

/* As udev compares a DEVPATH. */
static gboolean matches(const char *rule, const char *path)
{
	g_auto(GStrv) parts = g_strsplit(rule, "DEVPATH==\"", 2);
	g_auto(GStrv) words = g_strsplit(parts[1], "\"", 2);

	return fnmatch(words[0], path, 0) == 0;
}

START_TEST(a_rule_follows_its_drive_when_the_hosts_buses_get_other_numbers)
{
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_PERSIST, NULL));
	g_autofree char *rule = hb_host_files_read(root, RULE);
	ck_assert(matches(rule, "/devices/pci0000:00/0000:00:04.0/0000:01:00.0"));
	ck_assert(matches(rule, "/devices/pci0000:00/0000:00:04.0/0000:21:00.0"));
	ck_assert(!matches(rule, "/devices/pci0000:00/0000:00:04.1/0000:01:00.0"));
	ck_assert(!matches(rule, "/devices/pci0000:00/0000:00:04.0/0000:01:00.1"));
	ck_assert(!matches(rule, "/devices/pci0000:80/0000:80:04.0/0000:81:00.0"));
}
END_TEST

START_TEST(a_rule_for_a_drive_behind_a_switch_has_all_the_ports_on_the_way)
{
	ck_assert(switch_one(SECOND, TRUE, HB_BIND_PERSIST, NULL));
	g_autofree char *rule = hb_host_files_read(
		root, "etc/udev/rules.d/70-hotbay-0000:00-1c.0-00.0-01.0-00.0.rules");
	ck_assert_ptr_nonnull(rule);
	ck_assert(matches(rule, "/devices/pci0000:00/0000:00:1c.0/0000:17:00.0/0000:18:01.0/"
				"0000:1a:00.0"));
	ck_assert(!matches(rule, "/devices/pci0000:00/0000:00:1c.0/0000:07:00.0/0000:08:00.0/"
				 "0000:09:00.0"));
}
END_TEST

static void put_at(const char *address, const char *place)
{
	g_autofree char *link = g_strdup_printf("sys/bus/pci/devices/%s", address);
	g_autofree char *target = g_strdup_printf("../../../devices/%s/%s", place, address);

	host_tree_link(root, link, target);
}

/* It has another address now, and its old one is that of a drive elsewhere. */
START_TEST(a_rule_is_that_of_the_drive_in_its_place_whatever_the_address)
{
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_PERSIST, NULL));
	host_tree_remove(root, "sys/bus/pci/devices/" IDLE);
	put_at("0000:21:00.0", "pci0000:00/0000:00:04.0");
	put_at(IDLE, "pci0000:00/0000:00:03.0");
	g_autofree char *rule = hb_bind_rule_read(root, "0000:21:00.0");
	ck_assert_ptr_nonnull(rule);
	ck_assert_ptr_null(hb_bind_rule_read(root, IDLE));
	ck_assert(hb_bind_rule_set(root, IDLE, NULL, NULL));
	ck_assert(hb_host_files_exist(root, RULE));
	ck_assert(hb_bind_rule_set(root, "0000:21:00.0", NULL, NULL));
	ck_assert(!hb_host_files_exist(root, RULE));
}
END_TEST

START_TEST(a_rule_of_the_earlier_naming_is_found_and_goes)
{
	static const char earlier[] = "etc/udev/rules.d/70-hotbay-" IDLE ".rules";

	host_tree_write(root, earlier, "earlier");
	g_autofree char *rule = hb_bind_rule_read(root, IDLE);
	ck_assert_pstr_eq(rule, "earlier");
	ck_assert(switch_one(IDLE, FALSE, HB_BIND_NONE, NULL));
	ck_assert(!hb_host_files_exist(root, earlier));
	host_tree_write(root, earlier, "earlier");
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_PERSIST, NULL));
	ck_assert(!hb_host_files_exist(root, earlier));
	ck_assert(hb_host_files_exist(root, RULE));
}
END_TEST

START_TEST(a_root_bus_is_found_wherever_it_is)
{
	put_at("0000:21:00.0", "platform/40000000.pcie/pci0000:00/0000:00:04.0");
	put_at("1a2b:00:00.0", "LNXSYSTM:00/VMBUS:01/4cbd4a1f-1a2b/pci1a2b:00");
	put_at("0000:22:00.0", "pc");
	ck_assert(hb_bind_rule_set(root, "0000:21:00.0", "text", NULL));
	ck_assert(hb_host_files_exist(root, RULE));
	ck_assert(hb_bind_rule_set(root, "1a2b:00:00.0", "text", NULL));
	ck_assert(hb_host_files_exist(root, "etc/udev/rules.d/70-hotbay-1a2b:00-00.0.rules"));
	ck_assert(!hb_bind_rule_set(root, "0000:22:00.0", "text", NULL));
	ck_assert(hb_bind_rule_set(root, "0000:22:00.0", NULL, NULL));
}
END_TEST

START_TEST(a_drive_that_is_gone_has_no_rule_and_gets_none)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_bind_rule_read(root, "0000:77:00.0"));
	ck_assert(hb_bind_rule_set(root, "0000:77:00.0", NULL, NULL));
	ck_assert(!hb_bind_rule_set(root, "0000:77:00.0", "text", &error));
	ck_assert_ptr_nonnull(strstr(error->message, "0000:77:00.0"));
}
END_TEST

START_TEST(a_rule_that_cannot_be_written_is_undone)
{
	g_autoptr(GError) error = NULL;

	host_tree_write(root, "etc/udev", "a file where a folder should be");
	host_tree_write(root, "sys/bus/pci/drivers/vfio-pci/bind", "");
	g_autofree char *before = host_tree_dump(root);
	ck_assert(!switch_one(IDLE, TRUE, HB_BIND_PERSIST, &error));
	ck_assert_msg(strstr(error->message, "rules.d") != NULL, "%s", error->message);
	g_autofree char *after = host_tree_dump(root);
	assert_same(before, after);
}
END_TEST

START_TEST(a_program_that_udev_would_misread_is_refused)
{
	static const char *const programs[] = { NULL, "hotbayctl", "/opt/my tools/hotbayctl",
						"/opt/$env/hotbayctl" };
	static const char *const addresses[] = { IDLE, NULL };
	HbBindHost host = { .root = root, .ops = &fake_kernel_ops, .opaque = &kernel };

	for (guint i = 0; i < G_N_ELEMENTS(programs); i++) {
		HbBindRequest request = { .addresses = addresses,
					  .flags = HB_BIND_PERSIST,
					  .program = programs[i] };
		g_autoptr(GError) error = NULL;

		ck_assert(!hb_bind_switch(&host, &request, TRUE, &error));
		ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	}
	ck_assert_uint_eq(kernel.steps, 0);
}
END_TEST

START_TEST(two_switches_at_once_are_refused)
{
	g_autofree char *path = g_build_filename(root, "sys/bus/pci", NULL);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert(!switch_one(IDLE, TRUE, HB_BIND_NONE, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	close(fd);
	ck_assert(switch_one(IDLE, TRUE, HB_BIND_NONE, NULL));
}
END_TEST

START_TEST(a_drive_that_nvme_is_starting_is_not_settled)
{
	static const char state[] = "sys/bus/pci/devices/" IDLE "/nvme/nvme0/state";

	ck_assert(hb_bind_is_settled(root, IDLE));
	host_tree_write(root, state, "connecting\n");
	ck_assert(!hb_bind_is_settled(root, IDLE));
	host_tree_write(root, state, "live\n");
	ck_assert(hb_bind_is_settled(root, IDLE));
	host_tree_remove(root, "sys/bus/pci/devices/" IDLE "/nvme");
	ck_assert(!hb_bind_is_settled(root, IDLE));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bind");
	TCase *tcase = tcase_create("switch");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60); /* many small files, on a busy machine */
	tcase_add_test(tcase, an_idle_drive_goes_to_vfio_and_comes_back_as_it_was);
	tcase_add_test(tcase, a_drive_that_is_there_already_is_left_alone);
	tcase_add_test(tcase, the_driver_is_loaded_if_it_is_not_there);
	tcase_add_test(tcase, a_mounted_drive_is_refused_and_told_where);
	tcase_add_test(tcase, a_mounted_drive_is_not_forced_by_one_word);
	tcase_add_test(tcase, a_drive_that_a_process_has_open_is_forced_by_one);
	tcase_add_test(tcase, a_use_that_only_the_claim_finds_is_refused);
	tcase_add_test(tcase, a_drive_of_a_vm_is_not_taken_back);
	tcase_add_test(tcase, a_drive_of_a_vm_is_taken_back_by_a_word_of_its_own);
	tcase_add_test(tcase, while_a_vm_lets_go_others_can_be_switched_and_the_same_drive_cannot);
	tcase_add_test(tcase, a_drive_that_a_vm_has_again_meanwhile_is_left_to_it);
	tcase_add_test(tcase, a_vm_of_another_user_is_found_by_the_group);
	tcase_add_test(tcase, a_shared_group_is_refused_with_the_foreigners_address);
	tcase_add_test(tcase, drives_of_one_group_go_together);
	tcase_add_test(tcase, drives_of_one_group_leave_a_vm_together);
	tcase_add_test(tcase, what_fails_after_the_vms_have_let_go_is_undone);
	tcase_add_test(tcase, an_address_without_a_drive_is_not_found);
	tcase_add_test(tcase, one_bad_address_keeps_the_good_ones_from_changing);
	tcase_add_test(tcase, an_address_twice_is_refused);
	tcase_add_test(tcase, a_failing_step_is_undone_completely);
	tcase_add_test(tcase, a_driver_that_does_not_take_the_drive_is_undone);
	tcase_add_test(tcase, an_undoing_that_fails_is_said);
	tcase_add_test(tcase, what_persists_is_a_rule_for_this_drive_and_goes_with_the_passthrough);
	tcase_add_test(tcase, a_rule_follows_its_drive_when_the_hosts_buses_get_other_numbers);
	tcase_add_test(tcase, a_rule_for_a_drive_behind_a_switch_has_all_the_ports_on_the_way);
	tcase_add_test(tcase, a_rule_is_that_of_the_drive_in_its_place_whatever_the_address);
	tcase_add_test(tcase, a_rule_of_the_earlier_naming_is_found_and_goes);
	tcase_add_test(tcase, a_root_bus_is_found_wherever_it_is);
	tcase_add_test(tcase, a_drive_that_is_gone_has_no_rule_and_gets_none);
	tcase_add_test(tcase, a_rule_that_cannot_be_written_is_undone);
	tcase_add_test(tcase, a_program_that_udev_would_misread_is_refused);
	tcase_add_test(tcase, two_switches_at_once_are_refused);
	tcase_add_test(tcase, a_drive_that_nvme_is_starting_is_not_settled);
	suite_add_tcase(suite, tcase);
	return suite;
}
