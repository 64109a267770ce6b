/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The numbered cases of hw/acpi-slot.c, told as stories. */

#include "hw/acpi-slot.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>

#define CHECK HB_ACPI_SLOT_CHECK
#define EJECT HB_ACPI_SLOT_EJECT

#define LEAVES (HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_RELEASE | HB_SLOT_ACTION_REPORT_SEVERED)
#define ENTERS (HB_SLOT_ACTION_ADMIT | HB_SLOT_ACTION_REPORT_PLUGGED)

static HbSlot slot;
static HbSlotResult last;

/* As configured, and what of that a slot in ACPI mode has. */
static void create_with(gboolean locked)
{
	const HbSlotProperties properties = {
		.number = 5,
		.hotplug = TRUE,
		.attention_button = TRUE,
		.power_controller = TRUE,
		.indicators = TRUE,
		.surprise = TRUE,
		.locked = locked,
	};

	hb_acpi_slot_init(&slot, &properties);
}

static void create(void)
{
	create_with(FALSE);
}

static guint step(HbSlotInput input, guint16 value)
{
	last = hb_acpi_slot_step(&slot, input, value, 0);
	return last.actions;
}

static guint plug(void)
{
	return step(HB_SLOT_INPUT_PLUG, 0);
}

static guint request(void)
{
	return step(HB_SLOT_INPUT_REQUEST_REMOVAL, 0);
}

static guint pull(void)
{
	return step(HB_SLOT_INPUT_PULL, 0);
}

static guint take(guint16 event)
{
	return step(HB_SLOT_INPUT_STATUS_WRITTEN, event);
}

static guint say(HbAcpiSlotCommand command)
{
	return step(HB_SLOT_INPUT_CONTROL_WRITTEN, command);
}

static void assert_slot(HbSlotState state, gboolean present, guint events)
{
	ck_assert_str_eq(hb_slot_state_to_str(slot.state), hb_slot_state_to_str(state));
	ck_assert_int_eq(hb_slot_registers_is_occupied(&slot.registers), present);
	ck_assert_int_eq(slot.registers.link_active, present);
	ck_assert_uint_eq(slot.events, events);
	ck_assert_int_eq(slot.asserted, slot.started && events != 0);
}

/* A guest that is up and has a drive in use. */
static void boot_with_drive(void)
{
	create();
	step(HB_SLOT_INPUT_COLD_PLUG, 0);
	say(HB_ACPI_SLOT_START);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}

START_TEST(test_no_native_driver_would_take_the_slot)
{
	create();
	ck_assert_uint_eq(hb_slot_registers_get_capabilities(&slot.registers) &
				  (PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_HPS | PCI_EXP_SLTCAP_ABP |
				   PCI_EXP_SLTCAP_PCP),
			  0);
	ck_assert_uint_eq(hb_slot_registers_get_capabilities(&slot.registers) >> 19, 5);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
}
END_TEST

START_TEST(test_case_1_a_plug_asks_for_a_look)
{
	create();
	say(HB_ACPI_SLOT_START);
	ck_assert_uint_eq(plug(), ENTERS | HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_ON, TRUE, CHECK);
	ck_assert_uint_eq(take(CHECK), 0);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

START_TEST(test_case_1_a_plug_before_the_guest_is_up_is_not_lost)
{
	create();
	ck_assert_uint_eq(plug(), ENTERS);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_STOP), 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_START), HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_ON, TRUE, CHECK);
}
END_TEST

START_TEST(test_a_cold_plug_is_simply_there)
{
	create();
	ck_assert_uint_eq(step(HB_SLOT_INPUT_COLD_PLUG, 0), ENTERS);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

START_TEST(test_case_2_a_removal_ends_with_ej0)
{
	boot_with_drive();
	ck_assert_uint_eq(request(), HB_SLOT_ACTION_START_REMOVAL_TIMER | HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_REMOVAL_WAITING, TRUE, EJECT);
	ck_assert_uint_eq(take(EJECT), HB_SLOT_ACTION_REPORT_REQUESTED);
	assert_slot(HB_SLOT_STATE_REMOVAL_REQUESTED, TRUE, 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_STOP_TIMER | LEAVES);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_REQUEST);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
	ck_assert_uint_eq(plug(), ENTERS | HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_case_2_a_guest_that_ejects_by_itself_has_answered)
{
	boot_with_drive();
	request();
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_STOP_TIMER | LEAVES);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
}
END_TEST

START_TEST(test_case_3_a_denial_is_a_refusal_at_once)
{
	boot_with_drive();
	request();
	take(EJECT);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_DENY),
			  HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_REFUSED);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
	ck_assert_uint_eq(request(), HB_SLOT_ACTION_START_REMOVAL_TIMER | HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_case_3_a_denial_of_an_unseen_request_is_of_an_earlier_one)
{
	boot_with_drive();
	request();
	ck_assert_uint_eq(say(HB_ACPI_SLOT_DENY), 0);
	assert_slot(HB_SLOT_STATE_REMOVAL_WAITING, TRUE, EJECT);
}
END_TEST

START_TEST(test_case_3_silence_is_a_refusal_and_takes_the_question_back)
{
	boot_with_drive();
	request();
	ck_assert_uint_eq(step(HB_SLOT_INPUT_TIMEOUT, 0),
			  HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_TIMED_OUT);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

START_TEST(test_case_3_a_late_ej0_does_not_lose_the_drive)
{
	boot_with_drive();
	request();
	take(EJECT);
	step(HB_SLOT_INPUT_TIMEOUT, 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_RESET);
	assert_slot(HB_SLOT_STATE_OFF, TRUE, 0);
}
END_TEST

START_TEST(test_case_4_a_pull_haunts_until_ej0)
{
	boot_with_drive();
	ck_assert_uint_eq(pull(),
			  LEAVES | HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_START_HAUNT_TIMER);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_PULL);
	assert_slot(HB_SLOT_STATE_HAUNTED, FALSE, EJECT | CHECK);
	ck_assert_uint_eq(plug(), HB_SLOT_ACTION_REPORT_PLUG_WAITING);
	take(EJECT);
	take(CHECK);
	assert_slot(HB_SLOT_STATE_HAUNTED, FALSE, 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0),
			  ENTERS | HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_STOP_TIMER);
	assert_slot(HB_SLOT_STATE_ON, TRUE, CHECK);
}
END_TEST

START_TEST(test_case_4_without_a_newcomer_the_slot_is_empty_after_ej0)
{
	boot_with_drive();
	pull();
	take(EJECT);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_STOP_TIMER);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
}
END_TEST

START_TEST(test_case_4_a_pull_overtakes_a_removal)
{
	boot_with_drive();
	request();
	take(EJECT);
	ck_assert_uint_eq(pull(), HB_SLOT_ACTION_STOP_TIMER | LEAVES | HB_SLOT_ACTION_NOTIFY |
					  HB_SLOT_ACTION_START_HAUNT_TIMER);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_PULL);
	assert_slot(HB_SLOT_STATE_HAUNTED, FALSE, EJECT | CHECK);
}
END_TEST

START_TEST(test_case_5_the_guests_own_hand_keeps_the_drive)
{
	boot_with_drive();
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_RESET);
	assert_slot(HB_SLOT_STATE_OFF, TRUE, 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_USE), 0);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

START_TEST(test_case_6_a_removal_when_off_is_complete_at_once)
{
	boot_with_drive();
	say(HB_ACPI_SLOT_EJ0);
	ck_assert_uint_eq(request(),
			  LEAVES | HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_START_HAUNT_TIMER);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_REQUEST);
	assert_slot(HB_SLOT_STATE_HAUNTED, FALSE, EJECT | CHECK);
}
END_TEST

START_TEST(test_case_7_a_new_system_is_asked_again)
{
	boot_with_drive();
	request();
	take(EJECT);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_STOP), 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_START), HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_REMOVAL_REQUESTED, TRUE, EJECT);
	ck_assert_uint_eq(take(EJECT), 0); /* the operator knows already */
}
END_TEST

START_TEST(test_case_7_a_new_system_knows_no_ghosts)
{
	boot_with_drive();
	pull();
	plug();
	ck_assert_uint_eq(say(HB_ACPI_SLOT_STOP), ENTERS | HB_SLOT_ACTION_STOP_TIMER);
	assert_slot(HB_SLOT_STATE_ON, TRUE, CHECK);
}
END_TEST

START_TEST(test_case_8_who_was_never_seen_does_not_haunt)
{
	create();
	plug();
	ck_assert_uint_eq(pull(), LEAVES);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
}
END_TEST

START_TEST(test_case_9_a_reset_completes_a_removal)
{
	boot_with_drive();
	request();
	ck_assert_uint_eq(step(HB_SLOT_INPUT_RESET, 0), HB_SLOT_ACTION_STOP_TIMER | LEAVES);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_RESET);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
	ck_assert(!slot.started);
}
END_TEST

START_TEST(test_case_9_a_reset_lets_the_newcomer_in)
{
	boot_with_drive();
	pull();
	plug();
	ck_assert_uint_eq(step(HB_SLOT_INPUT_RESET, 0), ENTERS | HB_SLOT_ACTION_STOP_TIMER);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

START_TEST(test_case_2_a_newcomer_enters_as_the_removal_ends)
{
	boot_with_drive();
	request();
	take(EJECT);
	ck_assert_uint_eq(plug(), HB_SLOT_ACTION_REPORT_PLUG_WAITING);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0),
			  HB_SLOT_ACTION_STOP_TIMER | LEAVES | ENTERS | HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_ON, TRUE, CHECK);
}
END_TEST

START_TEST(test_case_2_asked_before_a_system_has_started_it_waits)
{
	create();
	step(HB_SLOT_INPUT_COLD_PLUG, 0);
	ck_assert_uint_eq(request(), HB_SLOT_ACTION_START_REMOVAL_TIMER |
					     HB_SLOT_ACTION_REPORT_REMOVAL_WAITING);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_START), HB_SLOT_ACTION_NOTIFY);
	ck_assert_uint_eq(take(EJECT), HB_SLOT_ACTION_REPORT_REQUESTED);
}
END_TEST

START_TEST(test_case_3_a_refusal_refuses_the_newcomer)
{
	boot_with_drive();
	request();
	take(EJECT);
	plug();
	ck_assert_uint_eq(say(HB_ACPI_SLOT_DENY),
			  HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED |
				  HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
				  HB_SLOT_ACTION_REPORT_PLUG_REFUSED);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

START_TEST(test_case_3_insisted_on_it_ends_with_a_pull)
{
	boot_with_drive();
	request();
	take(EJECT);
	ck_assert_uint_eq(step(HB_SLOT_INPUT_INSIST, 0), 0);
	step(HB_SLOT_INPUT_TIMEOUT, 0);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_ESCALATED);
	ck_assert_uint_eq(last.actions, LEAVES | HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_STOP_TIMER |
						HB_SLOT_ACTION_START_HAUNT_TIMER);
	assert_slot(HB_SLOT_STATE_HAUNTED, FALSE, EJECT | CHECK);
}
END_TEST

START_TEST(test_case_4_a_late_burial_is_recalled)
{
	boot_with_drive();
	pull();
	plug();
	ck_assert_uint_eq(step(HB_SLOT_INPUT_TIMEOUT, 0), ENTERS | HB_SLOT_ACTION_STOP_TIMER);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_UNACKNOWLEDGED);
	take(CHECK);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_RESET | HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_OFF, TRUE, CHECK);
	say(HB_ACPI_SLOT_USE);
	take(CHECK);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_RESET);
}
END_TEST

START_TEST(test_case_5_a_locked_slot_recalls_its_drive)
{
	create_with(TRUE);
	step(HB_SLOT_INPUT_COLD_PLUG, 0);
	say(HB_ACPI_SLOT_START);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), HB_SLOT_ACTION_RESET | HB_SLOT_ACTION_NOTIFY);
	assert_slot(HB_SLOT_STATE_OFF, TRUE, CHECK);
}
END_TEST

START_TEST(test_methods_out_of_turn_change_nothing)
{
	create();
	say(HB_ACPI_SLOT_START);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_EJ0), 0);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_DENY), 0);
	ck_assert_uint_eq(take(0xffff), 0);
	assert_slot(HB_SLOT_STATE_EMPTY, FALSE, 0);
	plug();
	take(CHECK);
	ck_assert_uint_eq(say(HB_ACPI_SLOT_DENY), 0);
	assert_slot(HB_SLOT_STATE_ON, TRUE, 0);
}
END_TEST

/* ACPI r6.5 §6.3.5, and include/linux/acpi.h of Linux 6.1. */
START_TEST(test_what_ost_denies)
{
	ck_assert(hb_acpi_slot_is_denial(3, 0x01));
	ck_assert(hb_acpi_slot_is_denial(3, 0x80));
	ck_assert(hb_acpi_slot_is_denial(3, 0x82));
	ck_assert(hb_acpi_slot_is_denial(0x103, 0x83));
	ck_assert(!hb_acpi_slot_is_denial(3, 0x00));
	ck_assert(!hb_acpi_slot_is_denial(3, 0x84));
	ck_assert(!hb_acpi_slot_is_denial(0x103, 0x84));
	ck_assert(!hb_acpi_slot_is_denial(0, 0x01));
	ck_assert(!hb_acpi_slot_is_denial(1, 0x80));
	ck_assert(!hb_acpi_slot_is_denial(0x200, 0x80));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("acpi-slot");
	TCase *tests = tcase_create("stories");

	tcase_add_test(tests, test_no_native_driver_would_take_the_slot);
	tcase_add_test(tests, test_case_1_a_plug_asks_for_a_look);
	tcase_add_test(tests, test_case_1_a_plug_before_the_guest_is_up_is_not_lost);
	tcase_add_test(tests, test_a_cold_plug_is_simply_there);
	tcase_add_test(tests, test_case_2_a_removal_ends_with_ej0);
	tcase_add_test(tests, test_case_2_a_guest_that_ejects_by_itself_has_answered);
	tcase_add_test(tests, test_case_3_a_denial_is_a_refusal_at_once);
	tcase_add_test(tests, test_case_3_a_denial_of_an_unseen_request_is_of_an_earlier_one);
	tcase_add_test(tests, test_case_3_silence_is_a_refusal_and_takes_the_question_back);
	tcase_add_test(tests, test_case_3_a_late_ej0_does_not_lose_the_drive);
	tcase_add_test(tests, test_case_4_a_pull_haunts_until_ej0);
	tcase_add_test(tests, test_case_4_without_a_newcomer_the_slot_is_empty_after_ej0);
	tcase_add_test(tests, test_case_4_a_pull_overtakes_a_removal);
	tcase_add_test(tests, test_case_5_the_guests_own_hand_keeps_the_drive);
	tcase_add_test(tests, test_case_6_a_removal_when_off_is_complete_at_once);
	tcase_add_test(tests, test_case_7_a_new_system_is_asked_again);
	tcase_add_test(tests, test_case_7_a_new_system_knows_no_ghosts);
	tcase_add_test(tests, test_case_8_who_was_never_seen_does_not_haunt);
	tcase_add_test(tests, test_case_9_a_reset_completes_a_removal);
	tcase_add_test(tests, test_case_9_a_reset_lets_the_newcomer_in);
	tcase_add_test(tests, test_case_2_a_newcomer_enters_as_the_removal_ends);
	tcase_add_test(tests, test_case_2_asked_before_a_system_has_started_it_waits);
	tcase_add_test(tests, test_case_3_a_refusal_refuses_the_newcomer);
	tcase_add_test(tests, test_case_3_insisted_on_it_ends_with_a_pull);
	tcase_add_test(tests, test_case_4_a_late_burial_is_recalled);
	tcase_add_test(tests, test_case_5_a_locked_slot_recalls_its_drive);
	tcase_add_test(tests, test_methods_out_of_turn_change_nothing);
	tcase_add_test(tests, test_what_ost_denies);
	suite_add_tcase(suite, tests);
	return suite;
}
