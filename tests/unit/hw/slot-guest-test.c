/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The guest's own hand: it switches off, comes back, goes away: cases 12, 15 and 16 of hw/slot.c.
 */

#include "tests/unit/hw/slot-scene.h"
#include "tests/unit/suite.h"

START_TEST(test_power_off_by_the_guest_keeps_the_occupant)
{
	slot_scene_create_with_power_controller();
	slot_scene_plug_into_running_guest();
	slot_scene_clear_events();

	slot_scene_set_power(FALSE);

	slot_scene_assert_actions(HB_SLOT_ACTION_RESET | HB_SLOT_ACTION_NOTIFY |
				  HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | DLLSC);
	slot_scene_set_power(TRUE);
	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot_scene.registers.link_active);
}
END_TEST

START_TEST(test_indicator_off_and_on_keeps_the_occupant)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_clear_events();

	slot_scene_set_indicator(OFF);
	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	slot_scene_set_indicator(BLINK);
	slot_scene_set_indicator(ON);

	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
	ck_assert(slot_scene.registers.link_active);
}
END_TEST

START_TEST(test_locked_slot_brings_its_occupant_back)
{
	slot_scene_create_locked();
	slot_scene_plug_into_running_guest();
	slot_scene_clear_events();

	slot_scene_set_indicator(OFF);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | DLLSC);
	slot_scene_add_as_linux();
	slot_scene_assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_locked_slot_with_power_controller_waits_for_the_guest)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.locked = properties.power_controller = TRUE;
	slot_scene_create(&properties);
	slot_scene_plug_into_running_guest();
	slot_scene_set_power(FALSE);
	slot_scene_clear_events();
	ck_assert_uint_eq(slot_scene.registers.status, PDS);

	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | ABP);
}
END_TEST

START_TEST(test_locked_slot_without_indicators_rests_before_it_recalls)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.locked = properties.power_controller = TRUE;
	properties.indicators = FALSE;
	slot_scene_create(&properties);
	slot_scene_plug_into_running_guest();
	slot_scene_set_power(FALSE);
	ck_assert(slot_scene_last.actions & HB_SLOT_ACTION_START_SETTLE_TIMER);
	slot_scene_clear_events();

	slot_scene_give(HB_SLOT_INPUT_TIMEOUT);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_STOP_TIMER);
	ck_assert_uint_eq(slot_scene.registers.status, PDS | PDC | ABP);
}
END_TEST

START_TEST(test_locked_slot_gives_its_occupant_to_a_request)
{
	slot_scene_create_locked();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();

	slot_scene_set_indicator(OFF);

	ck_assert_uint_eq(slot_scene_last.actions & LEAVES, LEAVES);
	slot_scene_assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_locked_slot_that_nobody_listens_to_is_on)
{
	slot_scene_create_locked();
	slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);

	slot_scene_set_indicator(OFF);

	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot_scene.registers),
			  HB_INDICATOR_ON);
}
END_TEST

START_TEST(test_deserted_slot_is_left_as_by_firmware)
{
	slot_scene_create_with_power_controller();
	slot_scene_plug_into_running_guest();
	slot_scene_set_power(FALSE);
	slot_scene_set_indicator(OFF);
	slot_scene_assert_state(HB_SLOT_STATE_OFF);

	slot_scene_desert_as_linux();

	slot_scene_assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot_scene.registers.link_active);
	ck_assert_uint_eq(slot_scene.registers.control, ON | PCI_EXP_SLTCTL_ATTN_IND_OFF);
}
END_TEST

START_TEST(test_guest_that_only_sleeps_has_not_deserted)
{
	slot_scene_create_default();
	slot_scene_plug_into_running_guest();
	slot_scene_request_until_blink();

	slot_scene_write_control(0, PCI_EXP_SLTCTL_HPIE);

	slot_scene_assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	ck_assert(hb_slot_registers_is_blinking(&slot_scene.registers));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot-guest");
	TCase *cases = tcase_create("cases");

	tcase_add_test(cases, test_power_off_by_the_guest_keeps_the_occupant);
	tcase_add_test(cases, test_indicator_off_and_on_keeps_the_occupant);
	tcase_add_test(cases, test_locked_slot_brings_its_occupant_back);
	tcase_add_test(cases, test_locked_slot_with_power_controller_waits_for_the_guest);
	tcase_add_test(cases, test_locked_slot_without_indicators_rests_before_it_recalls);
	tcase_add_test(cases, test_locked_slot_gives_its_occupant_to_a_request);
	tcase_add_test(cases, test_locked_slot_that_nobody_listens_to_is_on);
	tcase_add_test(cases, test_deserted_slot_is_left_as_by_firmware);
	tcase_add_test(cases, test_guest_that_only_sleeps_has_not_deserted);
	suite_add_tcase(suite, cases);
	return suite;
}
