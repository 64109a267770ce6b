/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The whole machine, booting a "kernel" of a few instructions: what the guest does to its state,
 * and what the operator does. Needs /dev/kvm, and is skipped where there is none.
 */

#include "tests/unit/suite.h"
#include "vmm/bzimage.h"
#include "vmm/machine.h"
#include "vmm/vm.h"

#include <glib/gstdio.h>
#include <string.h>

#define MIB   (1ULL << 20)
#define SETUP 1024
#define ENTRY 0x200

/* mov dx, 0x604; mov ax, 0x3400; out dx, ax; jmp $: SLP_EN */
static const guint8 power_off_code[] = { 0x66, 0xba, 0x04, 0x06, 0x66, 0xb8,
					 0x00, 0x34, 0x66, 0xef, 0xeb, 0xfe };

/* mov dx, 0xcf9; mov al, 6; out dx, al; jmp $ */
static const guint8 reset_code[] = { 0x66, 0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xeb, 0xfe };

/* again: out 0x80, al; jmp again */
static const guint8 busy_code[] = { 0xe6, 0x80, 0xeb, 0xfc };

/* mov dx, 0x3f8; mov al, 'K'; out dx, al; then SLP_EN as above */
static const guint8 hello_code[] = { 0x66, 0xba, 0xf8, 0x03, 0xb0, 'K',	 0xee, 0x66, 0xba, 0x04,
				     0x06, 0x66, 0xb8, 0x00, 0x34, 0x66, 0xef, 0xeb, 0xfe };

static char *folder;
static HbOptions *options;
static HbMachine *machine;
static GString *events;
static guint stop_after; /* quit at this many events */
static guint n_events;

static void on_event(HbMachine *from, const HbMachineEvent *event, gpointer data)
{
	static const char *const names[] = { "SHUTDOWN", "RESET", "POWERDOWN", "STOP", "RESUME" };

	g_string_append(events, names[event->type]);
	if (event->type <= HB_MACHINE_EVENT_RESET)
		g_string_append_printf(events, "(%s)", hb_cause_to_str(event->cause));
	g_string_append_c(events, ' ');
	if (++n_events == stop_after)
		hb_machine_quit(from, HB_CAUSE_HOST_QMP_QUIT);
}

static char *path_of(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void write_kernel(const guint8 *code, gsize size)
{
	guint8 image[SETUP + ENTRY + 64] = { 0 };
	struct setup_header header = {
		.setup_sects = 1,
		.boot_flag = 0xaa55,
		.jump = 0x66eb,
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 2 * MIB,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 100,
		.pref_address = 2 * MIB,
		.init_size = MIB,
	};
	g_autofree char *path = path_of("kernel");

	memcpy(image + 0x1f1, &header, sizeof(header));
	memcpy(image + SETUP + ENTRY, code, size);
	ck_assert(g_file_set_contents(path, (const char *)image, sizeof(image), NULL));
}

static void set_up(void)
{
	folder = g_dir_make_tmp("hotbay-machine-XXXXXX", NULL);
	events = g_string_new(NULL);
	stop_after = n_events = 0;
}

static void tear_down(void)
{
	static const char *const names[] = { "kernel", "serial" };

	hb_machine_destroy(machine);
	hb_options_free(options);
	machine = NULL;
	options = NULL;
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = path_of(names[i]);

		g_unlink(path);
	}
	g_rmdir(folder);
	g_free(folder);
	g_string_free(events, TRUE);
}

/* @flags: with %s for the folder */
static void create(const guint8 *code, gsize size, const char *flags)
{
	g_autofree char *line = g_strdup_printf("hotbay -m 16 -kernel %s/kernel %s", folder, flags);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	int argc = (int)g_strv_length(words);
	g_autoptr(GError) error = NULL;

	write_kernel(code, size);
	options = hb_options_parse(argc, (const char *const *)words, &error);
	ck_assert_msg(options != NULL, "%s", error ? error->message : "");
	machine = hb_machine_create(options, &error);
	ck_assert_msg(machine != NULL, "%s", error ? error->message : "");
	hb_machine_add_listener(machine, on_event, NULL);
}

#define CREATE(code, flags) create((code), sizeof(code), (flags))

/* From the loop, while the guest runs. @act returns G_SOURCE_REMOVE. */
static void soon(GSourceFunc act)
{
	g_timeout_add(20, act, NULL);
}

START_TEST(test_a_guest_that_powers_off_ends_the_machine)
{
	CREATE(power_off_code, "-nodefaults");
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME SHUTDOWN(guest-shutdown) ");
	ck_assert_int_eq(hb_machine_get_run_state(machine), HB_RUN_STATE_SHUTDOWN);
}
END_TEST

START_TEST(test_what_the_guest_sends_is_in_the_serial_file)
{
	g_autofree char *path = path_of("serial");
	g_autofree char *flags = g_strconcat("-serial file:", path, NULL);
	g_autofree char *contents = NULL;

	create(hello_code, sizeof(hello_code), flags);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
	ck_assert_str_eq(contents, "K");
}
END_TEST

START_TEST(test_a_guest_that_resets_starts_again)
{
	CREATE(reset_code, "-nodefaults");
	stop_after = 4;
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME RESET(guest-reset) RESET(guest-reset) "
				      "RESET(guest-reset) SHUTDOWN(host-qmp-quit) ");
}
END_TEST

START_TEST(test_with_no_reboot_a_reset_ends_the_machine)
{
	CREATE(reset_code, "-no-reboot");
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME SHUTDOWN(guest-reset) ");
}
END_TEST

static gboolean quit_by_signal(gpointer data)
{
	hb_machine_quit(machine, HB_CAUSE_HOST_SIGNAL);
	hb_machine_quit(machine, HB_CAUSE_HOST_QMP_QUIT);
	return G_SOURCE_REMOVE;
}

START_TEST(test_quitting_is_told_once)
{
	CREATE(busy_code, "-nodefaults");
	soon(quit_by_signal);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME SHUTDOWN(host-signal) ");
}
END_TEST

static gboolean stop_twice_and_go_on(gpointer data)
{
	ck_assert_int_eq(hb_machine_get_run_state(machine), HB_RUN_STATE_RUNNING);
	hb_machine_stop(machine);
	hb_machine_stop(machine);
	ck_assert_int_eq(hb_machine_get_run_state(machine), HB_RUN_STATE_PAUSED);
	ck_assert(hb_machine_cont(machine, NULL));
	ck_assert(hb_machine_cont(machine, NULL));
	hb_machine_quit(machine, HB_CAUSE_HOST_QMP_QUIT);
	return G_SOURCE_REMOVE;
}

START_TEST(test_stop_and_cont_are_idempotent)
{
	CREATE(busy_code, "-smp 2");
	soon(stop_twice_and_go_on);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME STOP RESUME SHUTDOWN(host-qmp-quit) ");
}
END_TEST

static gboolean start_after_a_look(gpointer data)
{
	ck_assert_uint_eq(n_events, 0);
	ck_assert_int_eq(hb_machine_get_run_state(machine), HB_RUN_STATE_PRELAUNCH);
	ck_assert(hb_machine_cont(machine, NULL));
	return G_SOURCE_REMOVE;
}

START_TEST(test_with_S_nothing_runs_before_cont)
{
	CREATE(power_off_code, "-S");
	soon(start_after_a_look);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME SHUTDOWN(guest-shutdown) ");
}
END_TEST

static gboolean check_shutdown_state(gpointer data)
{
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(hb_machine_get_run_state(machine), HB_RUN_STATE_SHUTDOWN);
	ck_assert(!hb_machine_cont(machine, &error));
	ck_assert_str_eq(error->message, "Resetting the Virtual Machine is required");
	hb_machine_quit(machine, HB_CAUSE_HOST_QMP_QUIT);
	return G_SOURCE_REMOVE;
}

START_TEST(test_with_no_shutdown_the_process_stays)
{
	CREATE(power_off_code, "-no-shutdown");
	g_timeout_add(500, check_shutdown_state, NULL);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str,
			 "RESUME SHUTDOWN(guest-shutdown) STOP SHUTDOWN(host-qmp-quit) ");
}
END_TEST

static gboolean reset_by_operator(gpointer data)
{
	hb_machine_reset(machine, HB_CAUSE_HOST_QMP_SYSTEM_RESET);
	return G_SOURCE_REMOVE;
}

START_TEST(test_the_operator_resets_a_running_machine)
{
	CREATE(busy_code, "-nodefaults");
	stop_after = 2;
	soon(reset_by_operator);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str,
			 "RESUME RESET(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ");
}
END_TEST

static gboolean press_power_button(gpointer data)
{
	hb_machine_powerdown(machine);
	return G_SOURCE_REMOVE;
}

START_TEST(test_the_power_button_is_only_a_request)
{
	CREATE(busy_code, "-nodefaults");
	stop_after = 2;
	soon(press_power_button);
	ck_assert_int_eq(hb_machine_run(machine), 0);
	ck_assert_str_eq(events->str, "RESUME POWERDOWN SHUTDOWN(host-qmp-quit) ");
}
END_TEST

START_TEST(test_each_vcpu_has_a_thread)
{
	CREATE(busy_code, "-smp 3 -S");
	ck_assert_uint_eq(hb_machine_get_n_cpus(machine), 3);
	for (guint i = 0; i < 3; i++)
		ck_assert_int_gt(hb_machine_get_cpu_thread_id(machine, i), 0);
}
END_TEST

START_TEST(test_name_and_uuid_are_the_operators)
{
	CREATE(busy_code, "-name vm0 -uuid 12345678-1234-1234-1234-123456789abc");
	ck_assert_str_eq(hb_machine_get_name(machine), "vm0");
	ck_assert_str_eq(hb_machine_get_uuid(machine), "12345678-1234-1234-1234-123456789abc");
}
END_TEST

START_TEST(test_without_a_uuid_it_is_all_zeroes)
{
	CREATE(busy_code, "-nodefaults");
	ck_assert_ptr_null(hb_machine_get_name(machine));
	ck_assert_str_eq(hb_machine_get_uuid(machine), "00000000-0000-0000-0000-000000000000");
}
END_TEST

START_TEST(test_a_cold_plugged_drive_that_does_not_exist_is_blamed_by_flag)
{
	g_autoptr(GError) error = NULL;

	CREATE(busy_code, "-nodefaults");
	g_autofree char *line =
		g_strdup_printf("hotbay -m 16 -kernel %s/kernel -device pcie-root-port,id=p "
				"-device vfio-pci,host=ffff:ff:1f.7,bus=p",
				folder);
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	g_autoptr(HbOptions) other =
		hb_options_parse((int)g_strv_length(words), (const char *const *)words, NULL);
	ck_assert_ptr_nonnull(other);
	ck_assert_ptr_null(hb_machine_create(other, &error));
	ck_assert_msg(g_str_has_prefix(error->message, "-device vfio-pci: "), "%s", error->message);
}
END_TEST

static void add_guest_tests(Suite *suite)
{
	TCase *tests = tcase_create("guest");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_a_guest_that_powers_off_ends_the_machine);
	tcase_add_test(tests, test_what_the_guest_sends_is_in_the_serial_file);
	tcase_add_test(tests, test_a_guest_that_resets_starts_again);
	tcase_add_test(tests, test_with_no_reboot_a_reset_ends_the_machine);
	tcase_add_test(tests, test_with_no_shutdown_the_process_stays);
	suite_add_tcase(suite, tests);
}

static void add_operator_tests(Suite *suite)
{
	TCase *tests = tcase_create("operator");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_quitting_is_told_once);
	tcase_add_test(tests, test_stop_and_cont_are_idempotent);
	tcase_add_test(tests, test_with_S_nothing_runs_before_cont);
	tcase_add_test(tests, test_the_operator_resets_a_running_machine);
	tcase_add_test(tests, test_the_power_button_is_only_a_request);
	tcase_add_test(tests, test_each_vcpu_has_a_thread);
	tcase_add_test(tests, test_name_and_uuid_are_the_operators);
	tcase_add_test(tests, test_without_a_uuid_it_is_all_zeroes);
	tcase_add_test(tests, test_a_cold_plugged_drive_that_does_not_exist_is_blamed_by_flag);
	suite_add_tcase(suite, tests);
}

Suite *test_suite(void)
{
	g_autoptr(GError) error = NULL;
	HbVm *probe = hb_vm_create(1, &error);

	if (probe == NULL)
		return test_skip(error->message);
	hb_vm_destroy(probe);

	Suite *suite = suite_create("machine");
	add_guest_tests(suite);
	add_operator_tests(suite);
	return suite;
}
