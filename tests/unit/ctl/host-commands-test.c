/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl's words: what it shows of a captured host, and what it makes of a wrong command line.
 */

#include "ctl/table.h"
#include "ctl/targets.h"
#include "tests/unit/ctl/run.h"
#include "tests/unit/suite.h"
#include "tests/unit/vfio/host-tree.h"

#include <hotbay/error.h>

#include <json-glib/json-glib.h>
#include <string.h>

static char *root;

static void setup(void)
{
	root = host_tree_create("server");
	g_unsetenv("HOTBAY_VM");
}

static void teardown(void)
{
	host_tree_destroy(root);
}

static char *of_host(const char *command)
{
	return g_strdup_printf("--root %s %s", root, command);
}

/* The element of a JSON array whose member has that value. */
static JsonObject *pick(JsonNode *root_node, const char *member, const char *value)
{
	JsonArray *array = json_node_get_array(root_node);

	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonObject *object = json_array_get_object_element(array, i);

		if (g_strcmp0(json_object_get_string_member(object, member), value) == 0)
			return object;
	}
	ck_abort_msg("nothing with %s %s", member, value);
}

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	g_autoptr(HbTable) table = hb_table_create("A|<N>|LAST");
	char **first = g_new0(char *, 4);
	char **second = g_new0(char *, 4);
	g_autofree char *text = NULL;

	first[0] = g_strdup("wide");
	first[1] = g_strdup("1");
	first[2] = g_strdup("x");
	second[1] = g_strdup("100");
	hb_table_add(table, first);
	hb_table_note(table, "a note that widens nothing");
	hb_table_add(table, second);
	text = hb_table_format(table);
	ck_assert_str_eq(text, "A       N  LAST\n"
			       "wide    1  x\n"
			       "    a note that widens nothing\n"
			       "-     100  -\n");
}
END_TEST

START_TEST(drives_are_a_table_with_reasons_below)
{
	g_autofree char *line = of_host("drives");
	g_auto(Run) run = run_hotbayctl(line);

	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(run.out, "0000:01:00.0  1    surprise  nvme"));
	ck_assert_ptr_nonnull(strstr(run.out, "bay0     possible\n"));
	ck_assert_ptr_nonnull(strstr(
		run.out, "bay1     no\n    nvme1n1p1 is mounted on /run/data: unmount it\n"));
}
END_TEST

START_TEST(drives_are_json_for_scripts)
{
	g_autofree char *line = of_host("drives --json");
	g_auto(Run) run = run_hotbayctl(line);
	g_autoptr(JsonNode) node = json_from_string(run.out, NULL);
	JsonObject *idle = pick(node, "serial", "bay0");
	JsonObject *mounted = pick(node, "serial", "bay1");

	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert(json_object_get_boolean_member(idle, "can-pass-through"));
	ck_assert_int_eq(json_object_get_int_member(idle, "size"), 1 << 30);
	ck_assert_str_eq(json_object_get_string_member(idle, "bay"), "1");
	ck_assert(!json_object_get_boolean_member(mounted, "can-pass-through"));
	ck_assert_int_eq(json_array_get_length(json_object_get_array_member(mounted, "obstacles")),
			 2);
}
END_TEST

START_TEST(addresses_stand_alone_on_lines)
{
	g_autofree char *line = of_host("drives --addresses");

	run_assert(line, HB_EXIT_DONE, "0000:01:00.0\n0000:02:00.0\n", NULL);
}
END_TEST

START_TEST(bays_are_shown_empty_ones_too)
{
	g_autofree char *table = of_host("bays");
	g_autofree char *json = of_host("bays --json");
	g_auto(Run) run = run_hotbayctl(json);
	g_autoptr(JsonNode) node = json_from_string(run.out, NULL);
	JsonObject *empty = pick(node, "name", "80");

	run_assert(table, HB_EXIT_DONE, "80   0000:00:1a.0  yes       yes       no", NULL);
	ck_assert_str_eq(json_object_get_string_member(empty, "presence"), "no");
	ck_assert_int_eq(json_array_get_length(json_object_get_array_member(empty, "occupants")),
			 0);
}
END_TEST

static void assert_target(const HbInventory *inventory, const char *word, const char *address)
{
	g_autofree char *found = hb_targets_find_drive(inventory, word, NULL);

	ck_assert_pstr_eq(found, address);
}

START_TEST(a_drive_is_found_by_address_and_by_bay)
{
	g_autoptr(HbInventory) inventory = hb_inventory_take(root, NULL);

	assert_target(inventory, "0000:01:00.0", "0000:01:00.0");
	assert_target(inventory, "0a:00.0", "0000:0a:00.0");
	assert_target(inventory, "61", "0000:0a:00.0");
	assert_target(inventory, "99", "0000:0d:00.0"); /* the bay's other function is no drive */
	assert_target(inventory, "80", NULL);		/* empty */
	assert_target(inventory, "1234", NULL);
	assert_target(inventory, "zz:00.0", NULL);
}
END_TEST

START_TEST(a_bay_with_several_drives_is_ambiguous)
{
	g_autoptr(GError) error = NULL;

	host_tree_write(root, "sys/bus/pci/devices/0000:0d:00.1/class", "0x010802\n");
	g_autoptr(HbInventory) inventory = hb_inventory_take(root, NULL);
	ck_assert_ptr_null(hb_targets_find_drive(inventory, "99", &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
}
END_TEST

START_TEST(wrong_command_lines_are_told_from_each_other)
{
	run_assert("", HB_EXIT_USAGE, NULL, "Usage: hotbayctl");
	run_assert("frobnicate", HB_EXIT_USAGE, NULL, "no command 'frobnicate'");
	run_assert("--frob drives", HB_EXIT_USAGE, NULL, "no option --frob");
	run_assert("--vm", HB_EXIT_USAGE, NULL, "no option --vm, or no value for it");
	run_assert("drives --frob", HB_EXIT_USAGE, NULL, "--frob");
	run_assert("drives 0000:01:00.0", HB_EXIT_USAGE, NULL, "too many words");
	run_assert("slots", HB_EXIT_USAGE, NULL, "of which VM?");
	run_assert("passthrough on", HB_EXIT_USAGE, NULL, "a word is missing");
	run_assert("passthrough maybe 01:00.0", HB_EXIT_USAGE, NULL, "on or off?");
	run_assert("passthrough off 01:00.0 --persist", HB_EXIT_USAGE, NULL, "are for on");
	run_assert("passthrough on 01:00.0 --from-vm", HB_EXIT_USAGE, NULL, "is for off");
	run_assert("passthrough on 01:00.0 --lose-data", HB_EXIT_USAGE, NULL, "is for --force");
	run_assert("--root / passthrough on 01:00.0", HB_EXIT_USAGE, NULL, "only be looked at");
	run_assert("--vm x remove a --then-pull", HB_EXIT_USAGE, NULL, "Give a --timeout");
	run_assert("--vm x remove a --timeout -1", HB_EXIT_USAGE, NULL, "--timeout is in seconds");
	run_assert("--vm x top --interval 0", HB_EXIT_USAGE, NULL, "0.1 to 3600");
}
END_TEST

START_TEST(help_and_version_are_what_was_asked_for)
{
	run_assert("--help", HB_EXIT_DONE, "passthrough on|off", NULL);
	run_assert("drives --help", HB_EXIT_USAGE, NULL, "--help");
	run_assert("--version", HB_EXIT_DONE, "hotbayctl ", NULL);
}
END_TEST

START_TEST(what_is_not_there_has_a_status_of_its_own)
{
	run_assert("passthrough on 0000:ff:1f.7", HB_EXIT_NOT_FOUND, NULL,
		   "0000:ff:1f.7: no NVMe drive of this host");
	run_assert("passthrough off 98765", HB_EXIT_NOT_FOUND, NULL, "bay 98765");
	run_assert("--root /nowhere drives", HB_EXIT_FAILED, NULL, "/nowhere/sys/bus/pci/devices");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host-commands");
	TCase *tcase = tcase_create("captured host");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60); /* many small files, on a busy machine */
	tcase_add_test(tcase, columns_are_as_wide_as_their_widest_cell);
	tcase_add_test(tcase, drives_are_a_table_with_reasons_below);
	tcase_add_test(tcase, drives_are_json_for_scripts);
	tcase_add_test(tcase, addresses_stand_alone_on_lines);
	tcase_add_test(tcase, bays_are_shown_empty_ones_too);
	tcase_add_test(tcase, a_drive_is_found_by_address_and_by_bay);
	tcase_add_test(tcase, a_bay_with_several_drives_is_ambiguous);
	tcase_add_test(tcase, wrong_command_lines_are_told_from_each_other);
	tcase_add_test(tcase, help_and_version_are_what_was_asked_for);
	tcase_add_test(tcase, what_is_not_there_has_a_status_of_its_own);
	suite_add_tcase(suite, tcase);
	return suite;
}
