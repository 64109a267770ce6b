/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl against VMs that say what the test wants them to say. */

#include "ctl/interrupts.h"
#include "tests/unit/ctl/fake-vm.h"
#include "tests/unit/ctl/run.h"
#include "tests/unit/suite.h"

#include <string.h>

#define DONE   "{\"return\":{}}"
#define REFUSE "{\"error\":{\"class\":\"GenericError\",\"desc\":\"bay0: it is occupied\"}}"
#define SLOTS                                                                                      \
	"{\"return\":[{\"id\":\"bay0\",\"slot\":1,\"state\":\"on\",\"presence\":true,"             \
	"\"link-active\":true,\"removal-pending\":false,\"attention-indicator\":\"off\","          \
	"\"power-indicator\":\"on\",\"occupants\":[{\"id\":\"data\","                              \
	"\"host\":\"0000:01:00.0\",\"state\":\"plugged\"}]},"                                      \
	"{\"id\":\"bay1\",\"slot\":2,\"state\":\"empty\",\"presence\":false,"                      \
	"\"link-active\":false,\"removal-pending\":false,\"attention-indicator\":\"blink\","       \
	"\"power-indicator\":\"off\"}]}"
#define EVENT(name, data)                                                                          \
	"{\"timestamp\":{\"seconds\":1700000000,\"microseconds\":42},\"event\":\"" name            \
	"\",\"data\":{" data "}}"
#define OF_DATA	  "\"device\":\"data\",\"bus\":\"bay0\""
#define DELETED	  EVENT("DEVICE_DELETED", "\"device\":\"data\",\"path\":\"/x\"")
#define REFUSED	  EVENT("DEVICE_UNPLUG_GUEST_ERROR", OF_DATA ",\"reason\":\"cancelled\"")
#define SOMEBODYS EVENT("DEVICE_DELETED", "\"device\":\"other\"")
#define REQUESTED EVENT("HOTBAY_SLOT_REMOVAL_REQUESTED", OF_DATA)
#define BLINKS	  EVENT("HOTBAY_SLOT_INDICATORS", OF_DATA ",\"power-indicator\":\"blink\"")

static FakeVm *vm;

static void start(const FakeAnswer *answers, guint n_answers)
{
	vm = fake_vm_start(NULL, answers, n_answers);
	g_setenv("HOTBAY_VM", fake_vm_get_path(vm), TRUE);
}

/* Runs it, and asserts how it ends and what the VM was asked. */
static void assert_run(const char *line, HbExit status, const char *out, const char *err,
		       const char *requests)
{
	run_assert(line, status, out, err);
	g_autofree char *heard = fake_vm_stop(vm);
	ck_assert_str_eq(heard, requests);
}

#define QUERY "{\"execute\":\"x-hotbay-query-slots\"}\n"

/* ---- slots ---- */

START_TEST(slots_are_a_table)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS } };

	start(answers, 1);
	g_auto(Run) run = run_hotbayctl("slots");
	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert_ptr_nonnull(
		strstr(run.out, "bay0       1  on     data   0000:01:00.0  yes      yes   off"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "bay1       2  empty  -      -             no       no    blink"));
	assert_run("slots --ids", HB_EXIT_DONE, "data\n", NULL, QUERY QUERY);
}
END_TEST

/* The first holds the VM's drive; in the second's bay is one that stays the host's; the third's is
 * empty; the fourth has none. */
#define BOUND_SLOTS                                                                                \
	"{\"return\":[{\"id\":\"bay0\",\"slot\":1,\"state\":\"on\","                               \
	"\"host-slot\":\"1-2\",\"auto-add\":\"on\",\"host-drive\":\"0000:01:00.0\","               \
	"\"occupants\":[{\"id\":\"bay0-drive\",\"host\":\"0000:01:00.0\","                         \
	"\"state\":\"plugged\"}]},"                                                                \
	"{\"id\":\"bay1\",\"slot\":2,\"state\":\"empty\",\"host-slot\":\"2\","                     \
	"\"auto-add\":\"off\",\"host-drive\":\"0000:02:00.0\"},"                                   \
	"{\"id\":\"bay2\",\"slot\":3,\"state\":\"empty\",\"host-slot\":\"3\","                     \
	"\"auto-add\":\"passthrough\"},"                                                           \
	"{\"id\":\"free\",\"slot\":4,\"state\":\"empty\"}]}"

START_TEST(slots_bound_to_the_hosts_show_their_bays)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", BOUND_SLOTS } };

	start(answers, 1);
	g_auto(Run) run = run_hotbayctl("slots");
	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(run.out, "  DOING    BAY  AUTO-ADD     IN-BAY\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "  plugged  1-2  on           0000:01:00.0\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "  -        2    off          0000:02:00.0\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "  -        3    passthrough  -\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "  -        -    -            -\n"));
	assert_run("slots --ids", HB_EXIT_DONE, "bay0-drive\n", NULL, QUERY QUERY);
}
END_TEST

START_TEST(slots_that_are_not_bound_show_no_bays)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS } };

	start(answers, 1);
	assert_run("slots", HB_EXIT_DONE, "  POWER-LED  DOING\n", NULL, QUERY);
}
END_TEST

START_TEST(a_vm_of_another_hypervisor_is_named_as_such)
{
	start(NULL, 0);
	assert_run("slots", HB_EXIT_REFUSED, NULL, "not run by hotbay", QUERY);
}
END_TEST

START_TEST(slots_that_are_no_slots_are_no_disaster)
{
	const FakeAnswer answers[] = {
		{ "x-hotbay-query-slots", "{\"return\":[7,{\"id\":8,\"occupants\":[null]},{}]}" },
		{ "x-hotbay-query-slots", DONE },
	};

	start(answers, 2);
	run_assert("slots", HB_EXIT_DONE, "SLOT", NULL);
	assert_run("slots", HB_EXIT_NO_VM, NULL, "is no list", QUERY QUERY);
}
END_TEST

/* ---- nobody, or nothing sensible, at the socket ---- */

START_TEST(a_socket_without_vm_has_a_status_of_its_own)
{
	run_assert("--vm /nowhere/qmp slots", HB_EXIT_NO_VM, NULL, "no VM answers there");
}
END_TEST

START_TEST(what_does_not_speak_qmp_is_told)
{
	const char *const greetings[] = { "SSH-2.0-OpenSSH", "{\"hello\":1}", "[]" };

	for (guint i = 0; i < G_N_ELEMENTS(greetings); i++) {
		vm = fake_vm_start(greetings[i], NULL, 0);
		g_setenv("HOTBAY_VM", fake_vm_get_path(vm), TRUE);
		assert_run("slots", HB_EXIT_NO_VM, NULL, "is no QMP", "");
	}
}
END_TEST

START_TEST(a_vm_that_ends_in_the_middle_is_told)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "device_del", DONE, REQUESTED, TRUE } };

	start(answers, 2);
	assert_run("remove data", HB_EXIT_NO_VM, NULL, "the VM has ended",
		   QUERY "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"data\"}}\n");
}
END_TEST

/* ---- add ---- */

#define ADD                                                                                        \
	"{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"vfio-pci\","                      \
	"\"host\":\"0000:01:00.0\",\"bus\":\"bay0\",\"id\":\"%s\"}}\n"

START_TEST(an_added_drive_is_waited_for)
{
	const FakeAnswer answers[] = { { "device_add", DONE,
					 SOMEBODYS "\n" EVENT("HOTBAY_SLOT_PLUGGED", OF_DATA) } };
	g_autofree char *asked = g_strdup_printf(ADD, "data");

	start(answers, 1);
	assert_run("add 01:00.0 bay0 --id data", HB_EXIT_DONE, "data: 0000:01:00.0 is in slot bay0",
		   NULL, asked);
}
END_TEST

START_TEST(a_drive_without_id_gets_one_that_says_which_it_is)
{
	const FakeAnswer answers[] = { { "device_add", DONE,
					 EVENT("HOTBAY_SLOT_PLUGGED",
					       "\"device\":\"nvme-0000-01-00-0\"") } };
	g_autofree char *asked = g_strdup_printf(ADD, "nvme-0000-01-00-0");

	start(answers, 1);
	assert_run("add 0000:01:00.0 bay0", HB_EXIT_DONE, "nvme-0000-01-00-0:", NULL, asked);
}
END_TEST

START_TEST(an_add_that_is_refused_says_the_vms_words)
{
	const FakeAnswer answers[] = { { "device_add", REFUSE } };
	g_autofree char *asked = g_strdup_printf(ADD, "data");

	start(answers, 1);
	assert_run("add 01:00.0 bay0 --id data", HB_EXIT_REFUSED, NULL, "bay0: it is occupied",
		   asked);
}
END_TEST

START_TEST(a_drive_that_goes_before_it_came_is_told)
{
	const FakeAnswer answers[] = { { "device_add", DONE, DELETED } };
	g_autofree char *asked = g_strdup_printf(ADD, "data");

	start(answers, 1);
	assert_run("add 01:00.0 bay0 --id data", HB_EXIT_REFUSED, NULL, "let go again", asked);
}
END_TEST

/* ---- remove and pull ---- */

#define DEL "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"data\"}}\n"

START_TEST(a_removal_is_followed_to_its_end)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "device_del", DONE,
					 REQUESTED "\n" BLINKS "\n" SOMEBODYS "\n" DELETED } };

	start(answers, 2);
	g_auto(Run) run = run_hotbayctl("remove data");
	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert_str_eq(run.out, "data: removed, and back on the host\n");
	ck_assert_ptr_nonnull(strstr(run.err, "data: the guest was asked"));
	ck_assert_ptr_nonnull(strstr(run.err, "its power indicator blinks"));
	g_autofree char *heard = fake_vm_stop(vm);
	ck_assert_str_eq(heard, QUERY DEL);
}
END_TEST

START_TEST(a_drive_is_meant_by_its_slot_and_by_its_address_too)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "device_del", DONE, DELETED } };

	start(answers, 2);
	run_assert("remove bay0", HB_EXIT_DONE, "data: removed", NULL);
	assert_run("remove 0000:01:00.0", HB_EXIT_DONE, "data: removed", NULL, QUERY DEL QUERY DEL);
}
END_TEST

START_TEST(a_drive_that_is_not_there_is_not_asked_for)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS } };

	start(answers, 1);
	run_assert("remove nothing", HB_EXIT_NOT_FOUND, NULL, "nothing: no drive of this VM");
	assert_run("pull bay1", HB_EXIT_NOT_FOUND, NULL, "bay1: no drive", QUERY QUERY);
}
END_TEST

START_TEST(a_guest_that_refuses_has_a_status_of_its_own)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "device_del", DONE, REQUESTED "\n" REFUSED } };

	start(answers, 2);
	assert_run("remove data", HB_EXIT_GUEST, NULL, "did not let go of it (cancelled)",
		   QUERY DEL);
}
END_TEST

START_TEST(the_vm_keeps_the_time_of_a_removal)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "x-hotbay-remove", DONE, DELETED } };

	start(answers, 2);
	run_assert("remove data --timeout 2.5", HB_EXIT_DONE, "data: removed", NULL);
	assert_run("remove data --timeout 10 --then-pull", HB_EXIT_DONE, "data: removed", NULL,
		   QUERY "{\"execute\":\"x-hotbay-remove\",\"arguments\":{\"timeout-ms\":2500,"
			 "\"id\":\"data\"}}\n" QUERY
			 "{\"execute\":\"x-hotbay-remove\",\"arguments\":{\"timeout-ms\":10000,"
			 "\"then-pull\":true,\"id\":\"data\"}}\n");
}
END_TEST

START_TEST(a_removal_that_became_a_pull_says_so)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "x-hotbay-remove", DONE,
					 EVENT("HOTBAY_SLOT_SEVERED", OF_DATA
					       ",\"reason\":\"escalated\"") "\n" DELETED } };

	start(answers, 2);
	assert_run("remove data --timeout 1 --then-pull", HB_EXIT_DONE,
		   "data: pulled, as the guest did not let go", "data: out of the guest",
		   QUERY "{\"execute\":\"x-hotbay-remove\",\"arguments\":{\"timeout-ms\":1000,"
			 "\"then-pull\":true,\"id\":\"data\"}}\n");
}
END_TEST

START_TEST(a_vm_that_knows_no_time_refuses_one)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS } };

	start(answers, 1);
	assert_run("remove data --timeout 1", HB_EXIT_REFUSED, NULL, "no such command",
		   QUERY "{\"execute\":\"x-hotbay-remove\",\"arguments\":{\"timeout-ms\":1000,"
			 "\"id\":\"data\"}}\n");
}
END_TEST

START_TEST(a_pull_is_waited_for)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS },
				       { "x-hotbay-pull", DONE,
					 EVENT("HOTBAY_SLOT_SEVERED",
					       OF_DATA ",\"reason\":\"command\"") "\n" DELETED } };

	start(answers, 2);
	assert_run("pull data", HB_EXIT_DONE, "data: pulled, and back on the host",
		   "data: out of the guest",
		   QUERY "{\"execute\":\"x-hotbay-pull\",\"arguments\":{\"id\":\"data\"}}\n");
}
END_TEST

/* ---- events and top ---- */

START_TEST(events_are_lines_until_the_vm_says_goodbye)
{
	const FakeAnswer answers[] = {
		{ "qmp_capabilities", DONE,
		  BLINKS "\n" EVENT("SHUTDOWN", "\"guest\":true,\"reason\":\"guest-shutdown\""),
		  TRUE }
	};

	start(answers, 1);
	g_auto(Run) run = run_hotbayctl("events");
	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(
		run.out,
		".000042 HOTBAY_SLOT_INDICATORS device=data bus=bay0 power-indicator=blink\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "SHUTDOWN guest=true reason=guest-shutdown\n"));
	assert_run("events --json", HB_EXIT_DONE, "\"event\":\"SHUTDOWN\"", NULL, "");
}
END_TEST

START_TEST(a_drive_that_the_host_keeps_is_a_line_with_the_reason)
{
	const FakeAnswer answers[] = {
		{ "qmp_capabilities", DONE,
		  EVENT("HOTBAY_HOST_DRIVE_REFUSED",
			"\"bus\":\"bay0\",\"host-slot\":\"1-2\",\"host\":\"0000:01:00.0\","
			"\"reason\":\"nvme0n1 is mounted\"") "\n" EVENT("SHUTDOWN", ""),
		  TRUE }
	};

	start(answers, 1);
	assert_run("events", HB_EXIT_DONE,
		   " HOTBAY_HOST_DRIVE_REFUSED bus=bay0 host-slot=1-2 host=0000:01:00.0 "
		   "reason=\"nvme0n1 is mounted\"\n",
		   NULL, "");
}
END_TEST

START_TEST(events_of_a_vm_that_dies_end_with_a_complaint)
{
	const FakeAnswer answers[] = { { "qmp_capabilities", DONE, BLINKS, TRUE } };

	start(answers, 1);
	assert_run("events", HB_EXIT_NO_VM, "HOTBAY_SLOT_INDICATORS", "the VM has ended", "");
}
END_TEST

START_TEST(top_off_a_terminal_is_one_table_after_the_other)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS } };

	start(answers, 1);
	g_auto(Run) run = run_hotbayctl("top --interval 0.1 --count 2");
	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	const char *first = strstr(run.out, "bay0  data   0000:01:00.0  on     off");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(strstr(first + 1, "bay0  data   0000:01:00.0  on     off"));
	ck_assert_ptr_null(strchr(run.out, '\033'));
	g_autofree char *heard = fake_vm_stop(vm);
	ck_assert_str_eq(heard, QUERY QUERY);
}
END_TEST

START_TEST(top_has_the_bays_too_and_fits_100_columns)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", BOUND_SLOTS } };

	start(answers, 1);
	g_auto(Run) run = run_hotbayctl("top --count 1");
	g_auto(GStrv) lines = g_strsplit(run.out, "\n", -1);
	ck_assert_int_eq(run.status, HB_EXIT_DONE);
	ck_assert_ptr_nonnull(strstr(run.out, "  INTR/S  BAY  AUTO-ADD     IN-BAY\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "       -  1-2  on           0000:01:00.0\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "       -  2    off          0000:02:00.0\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "       -  -    -            -\n"));
	for (guint i = 0; lines[i]; i++)
		ck_assert_msg(strlen(lines[i]) <= 100, "%s", lines[i]);
	g_autofree char *heard = fake_vm_stop(vm);
	ck_assert_str_eq(heard, QUERY);
}
END_TEST

START_TEST(top_of_slots_that_are_not_bound_has_no_bays)
{
	const FakeAnswer answers[] = { { "x-hotbay-query-slots", SLOTS } };

	start(answers, 1);
	assert_run("top --count 1", HB_EXIT_DONE, "  DOING    INTR/S\n", NULL, QUERY);
}
END_TEST

START_TEST(interrupts_are_those_of_the_drive_on_all_cpus)
{
	const char *text =
		"           CPU0       CPU1\n"
		"  0:         18          0   IO-APIC    2-edge      timer\n"
		" 45:    100     20   IR-PCI-MSI 524288-edge      vfio-msix[0](0000:01:00.0)\n"
		" 46:      3      0   IR-PCI-MSI 524289-edge      vfio-msix[1](0000:01:00.0)\n"
		" 47:       9000          0   IR-PCI-MSI 999-edge      vfio-msix[0](0000:02:00.0)\n"
		" 48:       7000          0   IR-PCI-MSI 999-edge      nvme0q0 (0000:01:00.0)\n";

	ck_assert_uint_eq(hb_interrupts_count(text, "0000:01:00.0"), 123);
	ck_assert_uint_eq(hb_interrupts_count(text, "0000:02:00.0"), 9000);
	ck_assert_uint_eq(hb_interrupts_count(text, "0000:03:00.0"), 0);
	ck_assert_uint_eq(hb_interrupts_count("", "0000:03:00.0"), 0);
}
END_TEST

static void add_tests(TCase *tcase, const TTest *const *tests)
{
	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("vm-commands");
	TCase *tcase = tcase_create("fake VM");
	const TTest *const tests[] = {
		slots_are_a_table,
		slots_bound_to_the_hosts_show_their_bays,
		slots_that_are_not_bound_show_no_bays,
		a_vm_of_another_hypervisor_is_named_as_such,
		slots_that_are_no_slots_are_no_disaster,
		a_socket_without_vm_has_a_status_of_its_own,
		what_does_not_speak_qmp_is_told,
		a_vm_that_ends_in_the_middle_is_told,
		an_added_drive_is_waited_for,
		a_drive_without_id_gets_one_that_says_which_it_is,
		an_add_that_is_refused_says_the_vms_words,
		a_drive_that_goes_before_it_came_is_told,
		a_removal_is_followed_to_its_end,
		a_drive_is_meant_by_its_slot_and_by_its_address_too,
		a_drive_that_is_not_there_is_not_asked_for,
		a_guest_that_refuses_has_a_status_of_its_own,
		the_vm_keeps_the_time_of_a_removal,
		a_removal_that_became_a_pull_says_so,
		a_vm_that_knows_no_time_refuses_one,
		a_pull_is_waited_for,
		events_are_lines_until_the_vm_says_goodbye,
		a_drive_that_the_host_keeps_is_a_line_with_the_reason,
		events_of_a_vm_that_dies_end_with_a_complaint,
		top_off_a_terminal_is_one_table_after_the_other,
		top_has_the_bays_too_and_fits_100_columns,
		top_of_slots_that_are_not_bound_has_no_bays,
		interrupts_are_those_of_the_drive_on_all_cpus,
		NULL,
	};

	add_tests(tcase, tests);
	suite_add_tcase(suite, tcase);
	return suite;
}
