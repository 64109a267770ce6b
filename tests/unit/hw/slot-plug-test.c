/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Who comes into a slot, and when: cases 1 to 3, 5, 10 and 13 of hw/slot.c, told as stories. */

#include "tests/unit/hw/slot-scene.h"
#include "tests/unit/suite.h"

START_TEST(test_plug_into_a_powered_slot_is_announced_by_the_link)
{
	slot_scene_create_default();
	slot_scene_listen_as_linux();

	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	ck_assert(slot_scene.registers.link_active);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | DLLSC);
}
END_TEST

START_TEST(test_plug_into_a_slot_without_power_comes_with_a_press)
{
	slot_scene_create_with_power_controller();
	slot_scene_listen_as_linux();

	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	ck_assert(!slot_scene.registers.link_active);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | ABP);
}
END_TEST

START_TEST(test_power_on_brings_the_link_up)
{
	slot_scene_create_with_power_controller();
	slot_scene_listen_as_linux();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_clear_events();

	slot_scene_set_power(TRUE);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot_scene.registers.link_active);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | DLLSC);
}
END_TEST

START_TEST(test_plug_without_a_button_is_announced_by_presence)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.attention_button = FALSE;
	properties.power_controller = TRUE;
	slot_scene_create(&properties);
	slot_scene_listen_as_linux();

	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC);
}
END_TEST

START_TEST(test_plug_while_nobody_listens_is_simply_there)
{
	slot_scene_create_default();

	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot_scene.registers.link_active);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot_scene.registers),
			  HB_INDICATOR_ON);
	ck_assert(!(slot_scene.registers.status & ABP));
}
END_TEST

START_TEST(test_plug_while_nobody_listens_leaves_an_unpowered_slot_unpowered)
{
	slot_scene_create_with_power_controller();

	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	ck_assert(!slot_scene.registers.link_active);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot_scene.registers),
			  HB_INDICATOR_OFF);
}
END_TEST

START_TEST(test_cold_plug_leaves_what_firmware_would)
{
	slot_scene_create_with_power_controller();

	slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
	ck_assert_uint_eq(slot_scene.registers.control, ON | PCI_EXP_SLTCTL_ATTN_IND_OFF);
	ck_assert(slot_scene.registers.link_active);
}
END_TEST

START_TEST(test_removal_with_power_controller_settles_before_the_next_plug)
{
	slot_scene_create_with_power_controller();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_set_indicator(BLINK);

	slot_scene_set_power(FALSE);
	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER |
				  HB_SLOT_ACTION_START_HAUNT_TIMER |
				  HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_SETTLING);
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_PLUG_WAITING);
	ck_assert(!hb_slot_registers_is_occupied(&slot_scene.registers));
	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	ck_assert(slot_scene.registers.status & ABP);
}
END_TEST

START_TEST(test_removal_without_indicators_settles_for_a_time)
{
	slot_scene_create_without_indicators(TRUE);
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_clear_events();

	slot_scene_set_power(FALSE);
	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER |
				  HB_SLOT_ACTION_START_SETTLE_TIMER |
				  HB_SLOT_ACTION_REPORT_INDICATORS | HB_SLOT_ACTION_NOTIFY);
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_assert_state(HB_SLOT_STATE_SETTLING);
	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
}
END_TEST

START_TEST(test_newcomer_enters_when_the_guest_has_buried_the_old_one)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_clear_events();

	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_PLUG_WAITING);
	slot_scene_set_indicator(OFF);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_NOTIFY |
				  HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
}
END_TEST

START_TEST(test_haunting_without_indicators_ends_with_the_events)
{
	slot_scene_create_without_indicators(FALSE);
	slot_scene_listen_as_linux();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_clear_events();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_assert_state(HB_SLOT_STATE_HAUNTED);

	slot_scene_clear_events();

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_NOTIFY);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_plug_into_a_blinking_empty_slot_waits)
{
	slot_scene_create_default();
	slot_scene_listen_as_linux();
	slot_scene_set_indicator(BLINK);

	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_PLUG_WAITING |
				  HB_SLOT_ACTION_START_HAUNT_TIMER);
	slot_scene_assert_state(HB_SLOT_STATE_SETTLING);
	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
}
END_TEST

START_TEST(test_reset_lets_the_newcomer_in)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_RESET);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_STOP_TIMER);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
}
END_TEST

START_TEST(test_line_has_room_for_one)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_assert_actions(HB_SLOT_ACTION_IMPOSSIBLE);
}
END_TEST

START_TEST(test_request_for_the_newcomer_takes_it_out_of_the_line)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	ck_assert(slot_scene_last.actions & HB_SLOT_ACTION_SEVER_NEWCOMER);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_REQUEST);
}
END_TEST

START_TEST(test_pull_of_the_newcomer_takes_it_out_of_the_line)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_PULL_NEWCOMER);

	slot_scene_assert_actions(HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
				  HB_SLOT_ACTION_REPORT_SEVERED);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_PULL);
	slot_scene_set_indicator(OFF);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_guest_that_stops_listening_ends_the_haunting)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_write_control(0, PCI_EXP_SLTCTL_HPIE);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
	ck_assert(!(slot_scene_last.actions & HB_SLOT_ACTION_NOTIFY));
	slot_scene_assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_plug_in_a_removal_enters_with_its_end)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();

	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_PLUG_WAITING);
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	slot_scene_set_indicator(OFF);

	slot_scene_assert_actions(LEAVES | ENTERS | HB_SLOT_ACTION_STOP_TIMER |
				  HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | DLLSC);
}
END_TEST

START_TEST(test_plug_behind_a_removal_that_waits_stays_behind_it)
{
	slot_scene_create_default();
	slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_listen_as_linux();

	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	ck_assert(slot_scene.newcomer);
}
END_TEST

START_TEST(test_refused_removal_refuses_who_waits_for_the_place)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	slot_scene_assert_actions(HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED |
				  HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
				  HB_SLOT_ACTION_REPORT_PLUG_REFUSED);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_TIMED_OUT);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert(!slot_scene.newcomer);
}
END_TEST

START_TEST(test_pull_in_a_removal_keeps_who_waits_in_line)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_assert_state(HB_SLOT_STATE_HAUNTED);
	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
}
END_TEST

START_TEST(test_reset_in_a_removal_lets_the_newcomer_in)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_RESET);

	slot_scene_assert_actions(LEAVES | ENTERS | HB_SLOT_ACTION_STOP_TIMER |
				  HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_RESET);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
}
END_TEST

START_TEST(test_dismissal_in_a_removal_is_of_the_one_in_line)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_DISMISS_NEWCOMER);

	slot_scene_assert_actions(HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
				  HB_SLOT_ACTION_REPORT_SEVERED);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_REQUEST);
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
}
END_TEST

START_TEST(test_guest_that_never_acknowledges_has_the_newcomer_after_a_time)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_clear_events();

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	slot_scene_assert_actions(ENTERS | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_NOTIFY);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_UNACKNOWLEDGED);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_haunting_ends_with_its_time_when_nobody_waits)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);
	slot_scene_assert_actions(HB_SLOT_ACTION_STOP_TIMER);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_NONE);
}
END_TEST

START_TEST(test_late_burial_announces_the_newcomer_once_more)
{
	slot_scene_create_with_power_controller();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);
	slot_scene_clear_events();

	slot_scene_set_power(FALSE);
	slot_scene_clear_events();
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	slot_scene_set_indicator(OFF);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | ABP);
	ck_assert(slot_scene_last.actions & HB_SLOT_ACTION_NOTIFY);
	slot_scene_clear_events();
	slot_scene_set_power(TRUE);
	slot_scene_set_power(FALSE);
	slot_scene_clear_events();
	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene.registers.status, PDS); /* once */
}
END_TEST

START_TEST(test_settling_that_never_ends_lets_the_newcomer_in_after_a_time)
{
	slot_scene_create_with_power_controller();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();
	slot_scene_set_power(FALSE);
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	ck_assert_uint_eq(slot_scene_last.actions & ENTERS, ENTERS);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_UNACKNOWLEDGED);
	ck_assert(!(slot_scene.registers.status & ABP)); /* it blinks */
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot-plug");
	TCase *cases = tcase_create("cases");

	tcase_add_test(cases, test_plug_into_a_powered_slot_is_announced_by_the_link);
	tcase_add_test(cases, test_plug_into_a_slot_without_power_comes_with_a_press);
	tcase_add_test(cases, test_power_on_brings_the_link_up);
	tcase_add_test(cases, test_plug_without_a_button_is_announced_by_presence);
	tcase_add_test(cases, test_plug_while_nobody_listens_is_simply_there);
	tcase_add_test(cases, test_plug_while_nobody_listens_leaves_an_unpowered_slot_unpowered);
	tcase_add_test(cases, test_cold_plug_leaves_what_firmware_would);
	tcase_add_test(cases, test_removal_with_power_controller_settles_before_the_next_plug);
	tcase_add_test(cases, test_removal_without_indicators_settles_for_a_time);
	tcase_add_test(cases, test_newcomer_enters_when_the_guest_has_buried_the_old_one);
	tcase_add_test(cases, test_haunting_without_indicators_ends_with_the_events);
	tcase_add_test(cases, test_plug_into_a_blinking_empty_slot_waits);
	tcase_add_test(cases, test_reset_lets_the_newcomer_in);
	tcase_add_test(cases, test_line_has_room_for_one);
	tcase_add_test(cases, test_request_for_the_newcomer_takes_it_out_of_the_line);
	tcase_add_test(cases, test_pull_of_the_newcomer_takes_it_out_of_the_line);
	tcase_add_test(cases, test_guest_that_stops_listening_ends_the_haunting);
	tcase_add_test(cases, test_plug_in_a_removal_enters_with_its_end);
	tcase_add_test(cases, test_plug_behind_a_removal_that_waits_stays_behind_it);
	tcase_add_test(cases, test_refused_removal_refuses_who_waits_for_the_place);
	tcase_add_test(cases, test_pull_in_a_removal_keeps_who_waits_in_line);
	tcase_add_test(cases, test_reset_in_a_removal_lets_the_newcomer_in);
	tcase_add_test(cases, test_dismissal_in_a_removal_is_of_the_one_in_line);
	tcase_add_test(cases, test_guest_that_never_acknowledges_has_the_newcomer_after_a_time);
	tcase_add_test(cases, test_haunting_ends_with_its_time_when_nobody_waits);
	tcase_add_test(cases, test_late_burial_announces_the_newcomer_once_more);
	tcase_add_test(cases, test_settling_that_never_ends_lets_the_newcomer_in_after_a_time);
	suite_add_tcase(suite, cases);
	return suite;
}
