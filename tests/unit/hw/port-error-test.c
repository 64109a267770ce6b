/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A drive that fails in its slot: what its guest is told, and in which order. */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#define UNCORRECTABLE_STATUS (HB_PORT_AER + PCI_ERR_UNCOR_STATUS)
#define ROOT_COMMAND	     (HB_PORT_AER + PCI_ERR_ROOT_COMMAND)
#define ROOT_STATUS	     (HB_PORT_AER + PCI_ERR_ROOT_STATUS)
#define ERROR_SOURCE	     (HB_PORT_AER + PCI_ERR_ROOT_ERR_SRC)
#define DEVICE_CONTROL	     (HB_PORT_EXPRESS + PCI_EXP_DEVCTL)

/* As Linux does it: drivers/pci/pcie/aer.c, aer_enable_rootport(). */
static void listen_to_errors(void)
{
	scene_write_port(DEVICE_CONTROL, 2, 0x281f);
	scene_write_port(ROOT_COMMAND, 4, 7);
	scene_forget_transcript();
}

static void boot_with_drive(void)
{
	scene_create_default();
	scene_boot_with_drive();
	listen_to_errors();
}

static void break_down(HbPortFailure failure)
{
	hb_port_fail(scene_port, &scene_drive_a.function, failure);
}

START_TEST(test_an_error_is_told_with_the_removal_and_has_its_own_reason)
{
	boot_with_drive();

	break_down(HB_PORT_FAILURE_INTERNAL);
	scene_assert_transcript("msi fee00000 41\nsever A\nmsi fee00000 41\n");
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDC | DLLSC);
	ck_assert_uint_eq(scene_read_port(ERROR_SOURCE, 4), (guint32)DEVFN << 16);
	scene_run_loop();

	scene_assert_transcript(
		"ERROR_CONTAINED(ERROR)(INTERNAL) A\nSEVERED(ERROR) A\nrelease A\n");
}
END_TEST

static const struct {
	HbPortFailure failure;
	guint32 error;
} failures[] = {
	{ HB_PORT_FAILURE_INTERNAL, PCI_ERR_UNC_INTN },
	{ HB_PORT_FAILURE_SILENT, PCI_ERR_UNC_COMP_TIME },
};

START_TEST(test_the_failure_is_named_and_is_not_fatal)
{
	boot_with_drive();

	break_down(failures[_i].failure);

	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), failures[_i].error);
	ck_assert_uint_eq(scene_read_port(ROOT_STATUS, 4),
			  PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
}
END_TEST

START_TEST(test_a_pull_is_no_error)
{
	boot_with_drive();

	hb_port_pull(scene_port, &scene_drive_a.function);

	scene_assert_transcript("sever A\nmsi fee00000 41\n");
	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), 0);
	ck_assert_uint_eq(scene_read_port(ROOT_STATUS, 4), 0);
}
END_TEST

START_TEST(test_a_guest_that_does_not_listen_to_errors_hears_of_the_removal)
{
	scene_create_default();
	scene_boot_with_drive();

	break_down(HB_PORT_FAILURE_INTERNAL);

	scene_assert_transcript("sever A\nmsi fee00000 41\n");
	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), PCI_ERR_UNC_INTN);
	ck_assert_uint_eq(scene_read_port(ROOT_STATUS, 4), 0);
}
END_TEST

START_TEST(test_the_slot_is_haunted_as_after_a_pull)
{
	boot_with_drive();
	break_down(HB_PORT_FAILURE_SILENT);
	scene_clear_events();
	scene_plug(&scene_drive_b);
	ck_assert_ptr_null(hb_host_bridge_find(scene_bridge, 1, 0));

	scene_set_indicator(OFF);

	ck_assert_ptr_eq(hb_host_bridge_find(scene_bridge, 1, 0), &scene_drive_b.function);
}
END_TEST

START_TEST(test_an_error_ends_a_removal_that_was_asked_for)
{
	boot_with_drive();
	scene_request_removal();
	scene_run_loop();
	scene_forget_transcript();

	break_down(HB_PORT_FAILURE_INTERNAL);
	scene_run_loop();

	scene_assert_transcript("msi fee00000 41\nsever A\nERROR_CONTAINED(ERROR)(INTERNAL) A\n"
				"SEVERED(ERROR) A\nrelease A\n");
}
END_TEST

START_TEST(test_the_guest_never_hears_of_one_in_line)
{
	boot_with_drive();
	hb_port_pull(scene_port, &scene_drive_a.function);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	hb_port_fail(scene_port, &scene_drive_b.function, HB_PORT_FAILURE_INTERNAL);
	scene_run_loop();

	scene_assert_transcript(
		"sever B\nERROR_CONTAINED(ERROR)(INTERNAL) B\nSEVERED(ERROR) B\nrelease B\n");
	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), 0);
}
END_TEST

START_TEST(test_a_late_error_does_not_take_the_successor)
{
	boot_with_drive();
	hb_port_pull(scene_port, &scene_drive_a.function);
	scene_clear_events();
	scene_set_indicator(OFF);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	break_down(HB_PORT_FAILURE_INTERNAL);
	scene_run_loop();

	scene_assert_transcript("");
	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), 0);
}
END_TEST

START_TEST(test_a_drive_without_power_fails_unheard)
{
	HbPortConfig config = scene_get_config();

	config.power_controller = TRUE;
	scene_create(&config);
	scene_boot_with_drive();
	listen_to_errors();
	scene_write_port(SLOT_CONTROL, 2, scene_read_port(SLOT_CONTROL, 2) | PCI_EXP_SLTCTL_PCC);

	break_down(HB_PORT_FAILURE_SILENT);

	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), 0);
}
END_TEST

START_TEST(test_a_masked_error_interrupt_waits_with_the_slots)
{
	boot_with_drive();
	scene_write_port(MSI_MASK, 4, 1);
	break_down(HB_PORT_FAILURE_INTERNAL);
	scene_assert_transcript("sever A\n");

	/* The slot's cause goes, the error's stays. */
	scene_clear_events();
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 1);
	scene_write_port(MSI_MASK, 4, 0);

	scene_assert_transcript("msi fee00000 41\n");
}
END_TEST

START_TEST(test_a_masked_interrupt_goes_with_the_last_of_its_causes)
{
	boot_with_drive();
	scene_write_port(MSI_MASK, 4, 1);
	break_down(HB_PORT_FAILURE_INTERNAL);

	scene_write_port(ROOT_STATUS, 4, 0x7f);
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 1);
	scene_clear_events();
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 0);
	scene_write_port(MSI_MASK, 4, 0);

	scene_assert_transcript("sever A\n");
}
END_TEST

START_TEST(test_enabling_error_interrupts_over_an_error_signals_once)
{
	boot_with_drive();
	scene_write_port(ROOT_COMMAND, 4, 0);
	break_down(HB_PORT_FAILURE_INTERNAL);
	scene_forget_transcript();

	scene_write_port(ROOT_COMMAND, 4, 2);
	scene_assert_transcript("msi fee00000 41\n");
	scene_write_port(ROOT_COMMAND, 4, 7);

	scene_assert_transcript("");
}
END_TEST

START_TEST(test_a_reset_forgets_the_error)
{
	boot_with_drive();
	break_down(HB_PORT_FAILURE_INTERNAL);
	scene_run_loop();

	hb_host_bridge_reset(scene_bridge);

	ck_assert_uint_eq(scene_read_port(UNCORRECTABLE_STATUS, 4), 0);
	ck_assert_uint_eq(scene_read_port(ROOT_STATUS, 4), 0);
	ck_assert_uint_eq(scene_read_port(ROOT_COMMAND, 4), 0);
}
END_TEST

START_TEST(test_the_next_error_after_a_reset_signals_again)
{
	boot_with_drive();
	break_down(HB_PORT_FAILURE_INTERNAL);
	hb_host_bridge_reset(scene_bridge);
	scene_run_loop();
	scene_plug(&scene_drive_b);
	scene_boot();
	listen_to_errors();

	hb_port_fail(scene_port, &scene_drive_b.function, HB_PORT_FAILURE_SILENT);

	scene_assert_transcript("msi fee00000 41\nsever B\nmsi fee00000 41\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("port-error");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_test(cases, test_an_error_is_told_with_the_removal_and_has_its_own_reason);
	tcase_add_loop_test(cases, test_the_failure_is_named_and_is_not_fatal, 0,
			    G_N_ELEMENTS(failures));
	tcase_add_test(cases, test_a_pull_is_no_error);
	tcase_add_test(cases, test_a_guest_that_does_not_listen_to_errors_hears_of_the_removal);
	tcase_add_test(cases, test_the_slot_is_haunted_as_after_a_pull);
	tcase_add_test(cases, test_an_error_ends_a_removal_that_was_asked_for);
	tcase_add_test(cases, test_the_guest_never_hears_of_one_in_line);
	tcase_add_test(cases, test_a_late_error_does_not_take_the_successor);
	tcase_add_test(cases, test_a_drive_without_power_fails_unheard);
	tcase_add_test(cases, test_a_masked_error_interrupt_waits_with_the_slots);
	tcase_add_test(cases, test_a_masked_interrupt_goes_with_the_last_of_its_causes);
	tcase_add_test(cases, test_enabling_error_interrupts_over_an_error_signals_once);
	tcase_add_test(cases, test_a_reset_forgets_the_error);
	tcase_add_test(cases, test_the_next_error_after_a_reset_signals_again);
	suite_add_tcase(suite, cases);
	return suite;
}
