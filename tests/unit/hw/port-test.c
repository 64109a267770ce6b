/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What happens in a root port's slot, told as stories: who does what, and who hears of it when. */

#include "hw/bus.h"
#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <string.h>

/* Stories. */

START_TEST(test_pull_severs_then_tells_then_releases)
{
	scene_create_default();
	scene_boot_with_drive();

	hb_port_pull(scene_port, &scene_drive_a.function);
	scene_assert_transcript("sever A\nmsi fee00000 41\n");
	ck_assert_uint_eq(hb_host_bridge_config_read(scene_bridge, 1, 0, 0, 4), 0xffffffff);
	scene_run_loop();

	scene_assert_transcript("SEVERED(PULL) A\nrelease A\n");
	scene_finish_release(&scene_drive_a);
	scene_assert_transcript("RELEASED(PULL) A\n");
}
END_TEST

START_TEST(test_orderly_removal_reports_each_step)
{
	scene_create_default();
	scene_boot_with_drive();

	scene_request_removal();
	scene_clear_events();
	scene_set_indicator(BLINK);
	scene_set_indicator(OFF);
	scene_run_loop();

	scene_assert_transcript("msi fee00000 41\nsever A\nmsi fee00000 41\n"
				"REMOVAL_REQUESTED A\nSEVERED(REQUEST) A\nrelease A\n");
}
END_TEST

START_TEST(test_newcomer_waits_unseen_and_enters_in_turn)
{
	scene_create_default();
	scene_boot_with_drive();
	hb_port_pull(scene_port, NULL);
	scene_clear_events();
	scene_run_loop();
	scene_forget_transcript();

	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_assert_transcript("PLUG_WAITING B\n");
	ck_assert_ptr_null(hb_host_bridge_find(scene_bridge, 1, 0));
	scene_set_indicator(OFF);
	scene_run_loop();

	scene_assert_transcript("attach B\nmsi fee00000 41\nPLUGGED B\n");
	ck_assert_ptr_eq(hb_host_bridge_find(scene_bridge, 1, 0), &scene_drive_b.function);
}
END_TEST

START_TEST(test_pull_of_the_newcomer_ends_its_wait)
{
	scene_create_default();
	scene_boot_with_drive();
	hb_port_pull(scene_port, NULL);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	hb_port_pull(scene_port, &scene_drive_b.function);
	scene_run_loop();

	scene_assert_transcript("sever B\nSEVERED(PULL) B\nrelease B\n");
}
END_TEST

START_TEST(test_late_witness_does_not_take_the_successor)
{
	scene_create_default();
	scene_boot_with_drive();
	hb_port_pull(scene_port, &scene_drive_a.function);
	scene_clear_events();
	scene_set_indicator(OFF);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	hb_port_pull(scene_port, &scene_drive_a.function);
	scene_run_loop();

	scene_assert_transcript("");
	ck_assert_ptr_eq(hb_host_bridge_find(scene_bridge, 1, 0), &scene_drive_b.function);
}
END_TEST

static gpointer pull_from_thread(gpointer data)
{
	hb_port_pull(scene_port, data);
	return NULL;
}

START_TEST(test_pull_from_another_thread_reports_on_the_loop)
{
	scene_create_default();
	scene_boot_with_drive();

	g_thread_join(g_thread_new("pull", pull_from_thread, &scene_drive_a.function));
	scene_assert_transcript("sever A\nmsi fee00000 41\n");
	scene_run_loop();

	scene_assert_transcript("SEVERED(PULL) A\nrelease A\n");
}
END_TEST

START_TEST(test_guest_that_does_not_answer_is_reported)
{
	HbPortConfig config = scene_get_config();

	config.removal_timeout_ms = 5;
	scene_create(&config);
	scene_boot_with_drive();

	scene_request_removal();
	scene_forget_transcript();
	scene_run_loop();
	scene_forget_transcript();
	g_main_context_iteration(scene_host->context, TRUE);
	scene_run_loop();

	scene_assert_transcript("REMOVAL_REFUSED(TIMED_OUT) A\n");
	scene_request_removal();
	scene_assert_transcript("msi fee00000 41\n");
}
END_TEST

/* Waits for longer than any removal timer of these tests. */
static void wait_for_timers(void)
{
	g_usleep(20000);
	scene_run_loop();
}

static void create_with_timeout(guint milliseconds)
{
	HbPortConfig config = scene_get_config();

	config.removal_timeout_ms = milliseconds;
	scene_create(&config);
	scene_boot_with_drive();
}

START_TEST(test_removal_that_has_ended_does_not_time_out)
{
	create_with_timeout(5);
	scene_request_removal();
	scene_clear_events();
	scene_set_indicator(BLINK);
	scene_set_indicator(ON);
	scene_run_loop();
	scene_forget_transcript();

	wait_for_timers();

	scene_assert_transcript("");
}
END_TEST

START_TEST(test_removal_without_a_timeout_waits_for_ever)
{
	create_with_timeout(0);
	scene_request_removal();
	scene_run_loop();
	scene_forget_transcript();

	wait_for_timers();

	scene_assert_transcript("");
}
END_TEST

START_TEST(test_second_removal_has_its_own_time)
{
	create_with_timeout(400);
	scene_request_removal();
	scene_clear_events();
	scene_set_indicator(BLINK);
	scene_set_indicator(ON);
	g_usleep(250000);
	scene_request_removal();
	scene_run_loop();
	scene_forget_transcript();

	g_usleep(200000); /* the first one's time is up, the second one's is not */
	scene_run_loop();
	scene_assert_transcript("");
	g_main_context_iteration(scene_host->context, TRUE);
	scene_run_loop();

	scene_assert_transcript("REMOVAL_REFUSED(TIMED_OUT) A\n");
}
END_TEST

START_TEST(test_newcomer_enters_a_settling_slot_after_its_rest)
{
	HbPortConfig config = scene_get_config();

	config.power_controller = TRUE;
	config.indicators = FALSE;
	scene_create(&config);
	scene_boot_with_drive();
	scene_request_removal();
	scene_clear_events();
	scene_write_port(SLOT_CONTROL, 2, scene_read_port(SLOT_CONTROL, 2) | PCI_EXP_SLTCTL_PCC);
	scene_clear_events();
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	g_main_context_iteration(scene_host->context, TRUE);
	scene_run_loop();

	scene_assert_transcript("attach B\nmsi fee00000 41\nPLUGGED B\n");
}
END_TEST

START_TEST(test_revocation_reaches_a_drive_that_the_guest_cannot_see)
{
	guint n_faults = 5;

	scene_create_default();
	scene_boot_with_drive();
	ck_assert(hb_host_bridge_revoke(scene_bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 0);
	scene_write_port(PM_CONTROL, 2, 3);
	scene_forget_transcript();
	n_faults = 5;

	ck_assert(hb_host_bridge_revoke(scene_bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 0);

	scene_assert_transcript("revoke A\n");
}
END_TEST

START_TEST(test_revocation_of_nothing_revokes_nothing)
{
	guint n_faults = 0;

	scene_create_default();

	ck_assert(hb_host_bridge_revoke(scene_bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 1);
}
END_TEST

START_TEST(test_port_and_drive_know_each_other)
{
	scene_create_default();

	scene_plug(&scene_drive_a);

	ck_assert_ptr_eq(scene_drive_a.function.port, scene_port);
	ck_assert_str_eq(hb_port_get_id(scene_port), "bay0");
	ck_assert_ptr_eq(hb_port_get_bridge(scene_port), scene_bridge);
}
END_TEST

START_TEST(test_guest_that_cancels_is_reported)
{
	scene_create_default();
	scene_boot_with_drive();
	scene_request_removal();
	scene_clear_events();
	scene_set_indicator(BLINK);
	scene_run_loop();
	scene_forget_transcript();

	scene_set_indicator(ON);
	scene_run_loop();

	scene_assert_transcript("REMOVAL_REFUSED(CANCELLED) A\n");
}
END_TEST

START_TEST(test_power_off_by_the_guest_resets_and_hides_the_drive)
{
	HbPortConfig config = scene_get_config();

	config.power_controller = TRUE;
	scene_create(&config);
	scene_boot_with_drive();

	scene_write_port(SLOT_CONTROL, 2, scene_read_port(SLOT_CONTROL, 2) | PCI_EXP_SLTCTL_PCC);
	scene_assert_transcript("bus-reset A\nmsi fee00000 41\n");
	ck_assert_uint_eq(hb_host_bridge_config_read(scene_bridge, 1, 0, 0, 4), 0xffffffff);
	scene_write_port(SLOT_CONTROL, 2, scene_read_port(SLOT_CONTROL, 2) & ~PCI_EXP_SLTCTL_PCC);

	ck_assert_uint_eq(hb_host_bridge_config_read(scene_bridge, 1, 0, 0, 4), 0x5a);
}
END_TEST

START_TEST(test_secondary_bus_reset_resets_the_drive_once)
{
	scene_create_default();
	scene_boot_with_drive();

	scene_write_port(PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
	scene_write_port(PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
	scene_write_port(PCI_BRIDGE_CONTROL, 2, 0);

	scene_assert_transcript("bus-reset A\n");
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDS);
}
END_TEST

START_TEST(test_reset_of_the_vm_leaves_the_port_as_firmware_would)
{
	scene_create_default();
	scene_boot_with_drive();

	hb_host_bridge_reset(scene_bridge);

	scene_assert_transcript("reset A\n");
	ck_assert_uint_eq(scene_read_port(SLOT_CONTROL, 2), ON | PCI_EXP_SLTCTL_ATTN_IND_OFF);
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDS);
	ck_assert_uint_eq(scene_read_port(PCI_SECONDARY_BUS, 1), 0);
	ck_assert_uint_eq(scene_read_port(PCI_VENDOR_ID, 4), 0x000c1b36);
	ck_assert_uint_eq(scene_read_port(MSI_CONTROL, 2) & PCI_MSI_FLAGS_ENABLE, 0);
	ck_assert_uint_eq(scene_read_port(LINK_STATUS, 2) & PCI_EXP_LNKSTA_DLLLA,
			  PCI_EXP_LNKSTA_DLLLA);
}
END_TEST

START_TEST(test_reset_of_the_vm_completes_a_removal)
{
	scene_create_default();
	scene_boot_with_drive();
	scene_request_removal();
	scene_run_loop();
	scene_forget_transcript();

	hb_host_bridge_reset(scene_bridge);
	scene_run_loop();

	scene_assert_transcript("sever A\nSEVERED(RESET) A\nrelease A\n");
}
END_TEST

START_TEST(test_port_that_sleeps_hides_the_drive)
{
	scene_create_default();
	scene_boot_with_drive();

	scene_write_port(PM_CONTROL, 2, 3);
	ck_assert_ptr_null(hb_host_bridge_find(scene_bridge, 1, 0));
	scene_write_port(PM_CONTROL, 2, 1);
	ck_assert_uint_eq(scene_read_port(PM_CONTROL, 2) & PCI_PM_CTRL_STATE_MASK, 3);
	scene_write_port(PM_CONTROL, 2, 0);

	ck_assert_ptr_eq(hb_host_bridge_find(scene_bridge, 1, 0), &scene_drive_a.function);
}
END_TEST

START_TEST(test_only_device_zero_answers_behind_the_link)
{
	scene_create_default();
	scene_boot_with_drive();

	ck_assert_ptr_eq(hb_host_bridge_find(scene_bridge, 1, 0), &scene_drive_a.function);
	ck_assert_ptr_null(hb_host_bridge_find(scene_bridge, 1, 1));
	ck_assert_ptr_null(hb_host_bridge_find(scene_bridge, 1, HB_PCI_DEVFN(1, 0)));
	ck_assert_ptr_null(hb_host_bridge_find(scene_bridge, 2, 0));
}
END_TEST

START_TEST(test_info_is_what_the_registers_say)
{
	HbSlotInfo info;

	scene_create_default();
	scene_boot_with_drive();
	scene_request_removal();

	hb_port_get_info(scene_port, &info);

	ck_assert_str_eq(info.state, "REMOVAL_REQUESTED");
	ck_assert_ptr_eq(info.occupant, &scene_drive_a.function);
	ck_assert_uint_eq(info.secondary_bus, 1);
	ck_assert(info.presence && info.link_active && info.removal_pending);
	ck_assert_int_eq(info.power_indicator, HB_INDICATOR_ON);
	ck_assert_int_eq(info.attention_indicator, HB_INDICATOR_OFF);
	ck_assert_uint_eq(info.slot_control, scene_read_port(SLOT_CONTROL, 2));
	ck_assert_uint_eq(info.slot_status, scene_read_port(SLOT_STATUS, 2));
}
END_TEST

/* Refusals. */

START_TEST(test_plug_into_an_occupied_slot_is_busy)
{
	g_autoptr(GError) error = NULL;

	scene_create_default();
	scene_boot_with_drive();

	ck_assert(!hb_port_plug(scene_port, &scene_drive_b.function, 0, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	ck_assert_ptr_nonnull(strstr(error->message, "bay0"));
	ck_assert_ptr_null(scene_drive_b.function.port);
}
END_TEST

START_TEST(test_plug_behind_a_waiting_newcomer_is_busy)
{
	g_autoptr(GError) error = NULL;
	Drive third = { .function.ops = &scene_drive_ops, .name = "C" };

	scene_create_default();
	scene_boot_with_drive();
	hb_port_pull(scene_port, NULL);
	scene_plug(&scene_drive_b);

	ck_assert(!hb_port_plug(scene_port, &third.function, 0, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_slot_without_hotplug_takes_only_a_cold_plug)
{
	HbPortConfig config = scene_get_config();
	g_autoptr(GError) error = NULL;

	config.hotplug = FALSE;
	scene_create(&config);
	scene_plug(&scene_drive_a);
	hb_port_set_running(scene_port);
	ck_assert(!hb_port_request_removal(scene_port, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	g_clear_error(&error);
	hb_port_pull(scene_port, NULL);

	ck_assert(!hb_port_plug(scene_port, &scene_drive_b.function, 0, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), 0);
}
END_TEST

START_TEST(test_request_for_an_empty_slot_finds_nothing)
{
	g_autoptr(GError) error = NULL;

	scene_create_default();

	ck_assert(!hb_port_request_removal(scene_port, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(test_second_request_is_busy)
{
	g_autoptr(GError) error = NULL;

	scene_create_default();
	scene_boot_with_drive();
	scene_request_removal();

	ck_assert(!hb_port_request_removal(scene_port, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_request_without_a_button_is_unsupported)
{
	HbPortConfig config = scene_get_config();
	g_autoptr(GError) error = NULL;

	config.attention_button = FALSE;
	scene_create(&config);
	scene_boot_with_drive();

	ck_assert(!hb_port_request_removal(scene_port, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
}
END_TEST

START_TEST(test_slot_without_hotplug_refuses_a_drive_by_that_name)
{
	HbPortConfig config = scene_get_config();
	g_autoptr(GError) plug = NULL;

	config.hotplug = FALSE;
	scene_create(&config);
	hb_port_set_running(scene_port);
	ck_assert(!hb_port_plug(scene_port, &scene_drive_a.function, 0, &plug));
	ck_assert(g_error_matches(plug, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(plug->message, "bay0 is not hot-plug capable"));
}
END_TEST

START_TEST(test_drive_in_a_slot_without_hotplug_stays_till_it_is_pulled)
{
	HbPortConfig config = scene_get_config();
	g_autoptr(GError) error = NULL;

	config.hotplug = FALSE;
	scene_create(&config);
	scene_boot_with_drive();
	ck_assert(!hb_port_request_removal(scene_port, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(error->message, "bay0 is not hot-plug capable"));

	hb_port_pull(scene_port, NULL);

	scene_assert_transcript("sever A\n");
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), 0);
}
END_TEST

START_TEST(test_port_with_a_wrong_configuration_is_refused)
{
	HbPortConfig wrong[6];

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++)
		wrong[i] = scene_get_config();
	wrong[0].id = NULL;
	wrong[1].slot = 0x2000;
	wrong[2].mem32_size = 1;
	wrong[3].slot_power_limit = HB_SLOT_POWER_LIMIT_MAX + 1;
	wrong[4].link.speed = HB_LINK_SPEED_64_GT + 1;
	wrong[5].link.width = 3;
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		ck_assert_ptr_null(hb_port_create(scene_bridge, &wrong[i], &error));
		ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	}
}
END_TEST

START_TEST(test_port_on_a_taken_address_is_busy)
{
	HbPortConfig config = scene_get_config();
	g_autoptr(GError) error = NULL;

	scene_create_default();

	ck_assert_ptr_null(hb_port_create(scene_bridge, &config, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_port_asks_for_its_windows)
{
	HbPortConfig config = scene_get_config();
	HbReserve reserve;

	config.mem32_size = 3 * MIB;
	config.mem64_size = 512 * MIB;
	config.reserved_buses = 2;
	scene_create(&config);

	HbPciFunction *function = hb_port_get_function(scene_port);

	function->secondary->get_reserve(function, &reserve);
	ck_assert_uint_eq(reserve.window[HB_WINDOW_MEM32], 3 * MIB);
	ck_assert_uint_eq(reserve.window[HB_WINDOW_MEM64], 512 * MIB);
	ck_assert_uint_eq(reserve.buses, 2);
}
END_TEST

/* Ends. Each of these destroys the bridge itself, and leaves tear_down() another. */

static void destroy_bridge(void)
{
	HbHostBridgeConfig config = { .ecam = { 0xe0000000, MIB } };

	hb_host_bridge_destroy(scene_bridge);
	scene_bridge = hb_host_bridge_create(scene_host->host, &config, NULL);
}

START_TEST(test_bridge_takes_occupant_and_newcomer_with_it)
{
	scene_create_default();
	scene_boot_with_drive();
	hb_port_pull(scene_port, NULL);
	scene_plug(&scene_drive_b);
	scene_forget_transcript();

	destroy_bridge();

	/* A is in the queue: severed, not released yet. */
	scene_assert_transcript("sever B\nrelease-now A\nrelease-now B\n");
}
END_TEST

START_TEST(test_bridge_waits_for_a_release_in_a_worker)
{
	scene_create_default();
	scene_boot_with_drive();
	scene_drive_a.in_worker = TRUE;
	hb_port_pull(scene_port, NULL);
	scene_run_loop();
	scene_forget_transcript();

	destroy_bridge();

	/* The listener hears nothing any more; run_loop() in tear_down() would find a late source.
	 */
	scene_assert_transcript("");
	ck_assert(!g_main_context_pending(scene_host->context));
}
END_TEST

static void plug_again(const HbEvent *event, gpointer data)
{
	scene_tell(hb_event_type_to_str(event->type),
		   event->function ? ((Drive *)event->function)->name : "-");
	if (event->type == HB_EVENT_RELEASED)
		scene_plug(&scene_drive_b);
}

START_TEST(test_listener_may_plug_the_next)
{
	scene_create_default();
	hb_port_set_running(scene_port);
	scene_plug(&scene_drive_a);
	hb_port_pull(scene_port, NULL);
	scene_run_loop();
	scene_forget_transcript();
	hb_host_set_listener(scene_host->host, plug_again, NULL);

	scene_finish_release(&scene_drive_a);
	scene_run_loop();

	scene_assert_transcript("RELEASED A\nattach B\nINDICATORS B\nPLUGGED B\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("port");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_test(cases, test_pull_severs_then_tells_then_releases);
	tcase_add_test(cases, test_orderly_removal_reports_each_step);
	tcase_add_test(cases, test_newcomer_waits_unseen_and_enters_in_turn);
	tcase_add_test(cases, test_pull_of_the_newcomer_ends_its_wait);
	tcase_add_test(cases, test_late_witness_does_not_take_the_successor);
	tcase_add_test(cases, test_pull_from_another_thread_reports_on_the_loop);
	tcase_add_test(cases, test_guest_that_does_not_answer_is_reported);
	tcase_add_test(cases, test_removal_that_has_ended_does_not_time_out);
	tcase_add_test(cases, test_removal_without_a_timeout_waits_for_ever);
	tcase_add_test(cases, test_second_removal_has_its_own_time);
	tcase_add_test(cases, test_newcomer_enters_a_settling_slot_after_its_rest);
	tcase_add_test(cases, test_revocation_reaches_a_drive_that_the_guest_cannot_see);
	tcase_add_test(cases, test_revocation_of_nothing_revokes_nothing);
	tcase_add_test(cases, test_port_and_drive_know_each_other);
	tcase_add_test(cases, test_guest_that_cancels_is_reported);
	tcase_add_test(cases, test_power_off_by_the_guest_resets_and_hides_the_drive);
	tcase_add_test(cases, test_secondary_bus_reset_resets_the_drive_once);
	tcase_add_test(cases, test_reset_of_the_vm_leaves_the_port_as_firmware_would);
	tcase_add_test(cases, test_reset_of_the_vm_completes_a_removal);
	tcase_add_test(cases, test_port_that_sleeps_hides_the_drive);
	tcase_add_test(cases, test_only_device_zero_answers_behind_the_link);
	tcase_add_test(cases, test_info_is_what_the_registers_say);
	tcase_add_test(cases, test_plug_into_an_occupied_slot_is_busy);
	tcase_add_test(cases, test_plug_behind_a_waiting_newcomer_is_busy);
	tcase_add_test(cases, test_slot_without_hotplug_takes_only_a_cold_plug);
	tcase_add_test(cases, test_request_for_an_empty_slot_finds_nothing);
	tcase_add_test(cases, test_second_request_is_busy);
	tcase_add_test(cases, test_request_without_a_button_is_unsupported);
	tcase_add_test(cases, test_slot_without_hotplug_refuses_a_drive_by_that_name);
	tcase_add_test(cases, test_drive_in_a_slot_without_hotplug_stays_till_it_is_pulled);
	tcase_add_test(cases, test_port_with_a_wrong_configuration_is_refused);
	tcase_add_test(cases, test_port_on_a_taken_address_is_busy);
	tcase_add_test(cases, test_port_asks_for_its_windows);
	tcase_add_test(cases, test_bridge_takes_occupant_and_newcomer_with_it);
	tcase_add_test(cases, test_bridge_waits_for_a_release_in_a_worker);
	tcase_add_test(cases, test_listener_may_plug_the_next);
	suite_add_tcase(suite, cases);
	return suite;
}
