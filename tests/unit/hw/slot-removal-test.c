/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* How a function leaves: removals, their endings, and pulls: cases 4 to 11, 14 and 17 of hw/slot.c.
 */

#include "tests/unit/hw/slot-scene.h"
#include "tests/unit/suite.h"

START_TEST(test_orderly_removal_is_complete_with_the_indicator)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();

	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_assert_actions(HB_SLOT_ACTION_START_REMOVAL_TIMER | HB_SLOT_ACTION_NOTIFY |
				  HB_SLOT_ACTION_REPORT_REQUESTED);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | ABP);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_set_indicator(OFF);

	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_NOTIFY |
				  HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_REQUEST);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert_uint_eq(slot_scene.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_request_in_a_blink_waits_for_its_end)
{
	slot_scene_create_default();
	slot_scene_listen_as_linux();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);

	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_assert_actions(HB_SLOT_ACTION_START_REMOVAL_TIMER |
				  HB_SLOT_ACTION_REPORT_REMOVAL_WAITING);
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	slot_scene_set_indicator(ON);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS |
				  HB_SLOT_ACTION_REPORT_REQUESTED);
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
}
END_TEST

START_TEST(test_request_before_the_guest_listens_is_kept_for_it)
{
	slot_scene_create_default();
	slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);

	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
	slot_scene_listen_as_linux();

	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	ck_assert(slot_scene_last.actions & HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_request_in_a_slot_that_is_off_is_complete_at_once)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_set_indicator(OFF);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);

	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_NOTIFY);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_REQUEST);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert(!(slot_scene.registers.status & ABP));
}
END_TEST

START_TEST(test_guest_that_stops_the_blink_has_cancelled)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);

	slot_scene_set_indicator(ON);

	slot_scene_assert_actions(HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_INDICATORS |
				  HB_SLOT_ACTION_REPORT_REFUSED);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_CANCELLED);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_timeout_takes_an_unseen_press_back)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	slot_scene_assert_actions(HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_TIMED_OUT);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
}
END_TEST

START_TEST(test_second_request_does_not_press_into_the_blink_of_the_first)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);
	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	ck_assert(!(slot_scene.registers.status & ABP));
	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene_last.actions & LEAVES, LEAVES);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_pull_tells_link_and_presence_with_one_interrupt)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();

	slot_scene_give(HB_SLOT_INPUT_PULL);

	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_START_HAUNT_TIMER |
				  HB_SLOT_ACTION_NOTIFY);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_PULL);
	slot_scene_assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert(!slot_scene.registers.link_active);
	ck_assert_uint_eq(slot_scene.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_guest_that_missed_the_pull_is_told_again)
{
	slot_scene_create_default();
	slot_scene_listen_as_linux();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);
	slot_scene_give(HB_SLOT_INPUT_PULL);
	slot_scene_clear_events();

	slot_scene_set_indicator(ON);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert_uint_eq(slot_scene.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_pull_of_an_unused_function_does_not_haunt)
{
	slot_scene_create_default();
	slot_scene_listen_as_linux();
	slot_scene_give(HB_SLOT_INPUT_PLUG);

	slot_scene_give(HB_SLOT_INPUT_PULL);

	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_pull_is_the_end_of_a_removal)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	slot_scene_give(HB_SLOT_INPUT_PULL);

	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_START_HAUNT_TIMER |
				  HB_SLOT_ACTION_STOP_TIMER);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_PULL);
	slot_scene_assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert_uint_eq(slot_scene.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_reset_completes_a_removal)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	slot_scene_give(HB_SLOT_INPUT_RESET);

	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER |
				  HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_RESET);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert_uint_eq(slot_scene.registers.status, 0);
}
END_TEST

START_TEST(test_pull_while_nobody_listens_leaves_an_empty_slot_off)
{
	slot_scene_create_with_power_controller();
	slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);

	slot_scene_give(HB_SLOT_INPUT_PULL);

	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert_uint_eq(slot_scene.registers.control,
			  OFF | PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF);
}
END_TEST

START_TEST(test_removal_that_is_insisted_on_is_a_pull_when_time_is_up)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_give(HB_SLOT_INPUT_INSIST);
	slot_scene_assert_actions(0);

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	slot_scene_assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER |
				  HB_SLOT_ACTION_START_HAUNT_TIMER);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_ESCALATED);
	slot_scene_assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert_uint_eq(slot_scene.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_removal_that_is_insisted_on_is_a_pull_when_the_guest_cancels)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();
	slot_scene_give(HB_SLOT_INPUT_INSIST);

	slot_scene_set_indicator(ON);

	ck_assert_uint_eq(slot_scene_last.actions & LEAVES, LEAVES);
	ck_assert(!(slot_scene_last.actions & HB_SLOT_ACTION_REPORT_REFUSED));
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_ESCALATED);
}
END_TEST

START_TEST(test_insisting_ends_with_its_removal)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();
	slot_scene_give(HB_SLOT_INPUT_INSIST);
	slot_scene_set_indicator(OFF);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_REQUEST);
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_add_as_linux();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	ck_assert(slot_scene_last.actions & HB_SLOT_ACTION_REPORT_REFUSED);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
}
END_TEST

/* The guest's scan passed the bus before the drive came: it takes the press for an add. */
START_TEST(test_press_that_was_read_as_an_add_is_given_again)
{
	slot_scene_create_default();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_listen_as_linux();
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	slot_scene_clear_events();

	slot_scene_set_indicator(BLINK);
	slot_scene_set_indicator(ON);

	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS |
				  HB_SLOT_ACTION_REPORT_REQUESTED);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);
	slot_scene_set_indicator(ON);
	ck_assert_int_eq(slot_scene_last.reason, HB_SLOT_REASON_CANCELLED); /* that was an answer */
}
END_TEST

START_TEST(test_removal_outlives_a_kernel_that_hands_over)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();

	slot_scene_desert_as_linux();
	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_INDICATORS |
				  HB_SLOT_ACTION_REPORT_REMOVAL_WAITING);
	slot_scene_listen_as_linux();

	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	ck_assert(slot_scene_last.actions & HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_unseen_press_is_taken_back_from_a_kernel_that_hands_over)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	slot_scene_desert_as_linux();

	ck_assert(!(slot_scene.registers.status & ABP));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot-removal");
	TCase *cases = tcase_create("cases");

	tcase_add_test(cases, test_orderly_removal_is_complete_with_the_indicator);
	tcase_add_test(cases, test_request_in_a_blink_waits_for_its_end);
	tcase_add_test(cases, test_request_before_the_guest_listens_is_kept_for_it);
	tcase_add_test(cases, test_request_in_a_slot_that_is_off_is_complete_at_once);
	tcase_add_test(cases, test_guest_that_stops_the_blink_has_cancelled);
	tcase_add_test(cases, test_timeout_takes_an_unseen_press_back);
	tcase_add_test(cases, test_second_request_does_not_press_into_the_blink_of_the_first);
	tcase_add_test(cases, test_pull_tells_link_and_presence_with_one_interrupt);
	tcase_add_test(cases, test_guest_that_missed_the_pull_is_told_again);
	tcase_add_test(cases, test_pull_of_an_unused_function_does_not_haunt);
	tcase_add_test(cases, test_pull_is_the_end_of_a_removal);
	tcase_add_test(cases, test_reset_completes_a_removal);
	tcase_add_test(cases, test_pull_while_nobody_listens_leaves_an_empty_slot_off);
	tcase_add_test(cases, test_removal_that_is_insisted_on_is_a_pull_when_time_is_up);
	tcase_add_test(cases, test_removal_that_is_insisted_on_is_a_pull_when_the_guest_cancels);
	tcase_add_test(cases, test_insisting_ends_with_its_removal);
	tcase_add_test(cases, test_press_that_was_read_as_an_add_is_given_again);
	tcase_add_test(cases, test_removal_outlives_a_kernel_that_hands_over);
	tcase_add_test(cases, test_unseen_press_is_taken_back_from_a_kernel_that_hands_over);
	suite_add_tcase(suite, cases);
	return suite;
}
