/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The slot's numbered cases (hw/slot.c), told as stories, and its table of impossible pairs. */

#include "hw/slot.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>
#include <string.h>

#define ON    PCI_EXP_SLTCTL_PWR_IND_ON
#define BLINK PCI_EXP_SLTCTL_PWR_IND_BLINK
#define OFF   PCI_EXP_SLTCTL_PWR_IND_OFF

#define ABP   PCI_EXP_SLTSTA_ABP
#define PDC   PCI_EXP_SLTSTA_PDC
#define CC    PCI_EXP_SLTSTA_CC
#define PDS   PCI_EXP_SLTSTA_PDS
#define DLLSC PCI_EXP_SLTSTA_DLLSC

#define LEAVES (HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_RELEASE | HB_SLOT_ACTION_REPORT_SEVERED)
#define ENTERS (HB_SLOT_ACTION_ADMIT | HB_SLOT_ACTION_REPORT_PLUGGED)

static HbSlot slot;
static HbSlotResult last;

static HbSlotProperties get_defaults(void)
{
	return (HbSlotProperties){
		.number = 5,
		.hotplug = TRUE,
		.attention_button = TRUE,
		.indicators = TRUE,
		.no_command_completed = TRUE,
		.surprise = TRUE,
	};
}

static void create_default(void)
{
	HbSlotProperties properties = get_defaults();

	hb_slot_init(&slot, &properties);
}

static void create_with_power_controller(void)
{
	HbSlotProperties properties = get_defaults();

	properties.power_controller = TRUE;
	hb_slot_init(&slot, &properties);
}

static void create_without_indicators(gboolean power_controller)
{
	HbSlotProperties properties = get_defaults();

	properties.indicators = FALSE;
	properties.power_controller = power_controller;
	hb_slot_init(&slot, &properties);
}

static void give(HbSlotInput input)
{
	last = hb_slot_step(&slot, input, 0, 0);
}

static void write_control(guint16 value, guint16 mask)
{
	last = hb_slot_step(&slot, HB_SLOT_INPUT_CONTROL_WRITTEN, value, mask);
}

static void clear_events(void)
{
	last = hb_slot_step(&slot, HB_SLOT_INPUT_STATUS_WRITTEN, 0xffff, 0xffff);
}

static void set_indicator(guint16 value)
{
	write_control(value, PCI_EXP_SLTCTL_PIC);
}

static void set_power(gboolean on)
{
	write_control(on ? PCI_EXP_SLTCTL_PWR_ON : PCI_EXP_SLTCTL_PWR_OFF, PCI_EXP_SLTCTL_PCC);
}

/* As Linux does: presence only where there is no button. */
static void listen_as_linux(void)
{
	guint16 enables = PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE;

	enables |= slot.registers.properties.attention_button ? PCI_EXP_SLTCTL_ABPE
							      : PCI_EXP_SLTCTL_PDCE;
	clear_events();
	write_control(enables, PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_ABPE |
				       PCI_EXP_SLTCTL_PDCE);
}

/* Linux takes up a newly plugged function. */
static void add_as_linux(void)
{
	clear_events();
	if (slot.registers.properties.power_controller)
		set_power(TRUE);
	set_indicator(BLINK);
	clear_events();
	set_indicator(ON);
}

static void plug_into_running_guest(void)
{
	listen_as_linux();
	give(HB_SLOT_INPUT_PLUG);
	add_as_linux();
}

static void assert_state(HbSlotState state)
{
	ck_assert_str_eq(hb_slot_state_to_str(slot.state), hb_slot_state_to_str(state));
}

static void assert_actions(guint actions)
{
	ck_assert_uint_eq(last.actions, actions);
}

START_TEST(test_plug_into_a_powered_slot_is_announced_by_the_link)
{
	create_default();
	listen_as_linux();

	give(HB_SLOT_INPUT_PLUG);

	assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	assert_state(HB_SLOT_STATE_OFF);
	ck_assert(slot.registers.link_active);
	ck_assert_uint_eq(slot.registers.status, PDS | PDC | DLLSC);
}
END_TEST

START_TEST(test_plug_into_a_slot_without_power_comes_with_a_press)
{
	create_with_power_controller();
	listen_as_linux();

	give(HB_SLOT_INPUT_PLUG);

	assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	ck_assert(!slot.registers.link_active);
	ck_assert_uint_eq(slot.registers.status, PDS | PDC | ABP);
}
END_TEST

START_TEST(test_power_on_brings_the_link_up)
{
	create_with_power_controller();
	listen_as_linux();
	give(HB_SLOT_INPUT_PLUG);
	clear_events();

	set_power(TRUE);

	assert_actions(HB_SLOT_ACTION_NOTIFY);
	assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot.registers.link_active);
	ck_assert_uint_eq(slot.registers.status, PDS | DLLSC);
}
END_TEST

START_TEST(test_plug_without_a_button_is_announced_by_presence)
{
	HbSlotProperties properties = get_defaults();

	properties.attention_button = FALSE;
	properties.power_controller = TRUE;
	hb_slot_init(&slot, &properties);
	listen_as_linux();

	give(HB_SLOT_INPUT_PLUG);

	assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	ck_assert_uint_eq(slot.registers.status, PDS | PDC);
}
END_TEST

START_TEST(test_plug_while_nobody_listens_is_simply_there)
{
	create_default();

	give(HB_SLOT_INPUT_PLUG);

	assert_actions(ENTERS | HB_SLOT_ACTION_REPORT_INDICATORS);
	assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot.registers.link_active);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot.registers), HB_INDICATOR_ON);
	ck_assert(!(slot.registers.status & ABP));
}
END_TEST

START_TEST(test_plug_while_nobody_listens_leaves_an_unpowered_slot_unpowered)
{
	create_with_power_controller();

	give(HB_SLOT_INPUT_PLUG);

	assert_state(HB_SLOT_STATE_OFF);
	ck_assert(!slot.registers.link_active);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot.registers), HB_INDICATOR_OFF);
}
END_TEST

START_TEST(test_cold_plug_leaves_what_firmware_would)
{
	create_with_power_controller();

	give(HB_SLOT_INPUT_COLD_PLUG);

	assert_actions(ENTERS | HB_SLOT_ACTION_REPORT_INDICATORS);
	assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot.registers.status, PDS);
	ck_assert_uint_eq(slot.registers.control, ON | PCI_EXP_SLTCTL_ATTN_IND_OFF);
	ck_assert(slot.registers.link_active);
}
END_TEST

START_TEST(test_orderly_removal_is_complete_with_the_indicator)
{
	create_default();
	plug_into_running_guest();

	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	assert_actions(HB_SLOT_ACTION_START_REMOVAL_TIMER | HB_SLOT_ACTION_NOTIFY |
		       HB_SLOT_ACTION_REPORT_REQUESTED);
	ck_assert_uint_eq(slot.registers.status, PDS | ABP);
	clear_events();
	set_indicator(BLINK);
	assert_actions(HB_SLOT_ACTION_REPORT_INDICATORS);
	set_indicator(OFF);

	assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_NOTIFY |
		       HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_REQUEST);
	assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert_uint_eq(slot.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_removal_with_power_controller_settles_before_the_next_plug)
{
	create_with_power_controller();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	set_indicator(BLINK);

	set_power(FALSE);
	assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER);
	assert_state(HB_SLOT_STATE_SETTLING);
	give(HB_SLOT_INPUT_PLUG);
	assert_actions(0);
	ck_assert(!hb_slot_registers_is_occupied(&slot.registers));
	set_indicator(OFF);

	ck_assert_uint_eq(last.actions & ENTERS, ENTERS);
	assert_state(HB_SLOT_STATE_OFF);
	ck_assert(slot.registers.status & ABP);
}
END_TEST

START_TEST(test_removal_without_indicators_settles_for_a_time)
{
	create_without_indicators(TRUE);
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	clear_events();

	set_power(FALSE);
	assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_START_SETTLE_TIMER |
		       HB_SLOT_ACTION_NOTIFY);
	give(HB_SLOT_INPUT_PLUG);
	assert_state(HB_SLOT_STATE_SETTLING);
	give(HB_SLOT_INPUT_TIMEOUT);

	ck_assert_uint_eq(last.actions & ENTERS, ENTERS);
	assert_state(HB_SLOT_STATE_OFF);
}
END_TEST

START_TEST(test_request_in_a_blink_waits_for_its_end)
{
	create_default();
	listen_as_linux();
	give(HB_SLOT_INPUT_PLUG);
	clear_events();
	set_indicator(BLINK);

	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	assert_actions(HB_SLOT_ACTION_START_REMOVAL_TIMER);
	assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	set_indicator(ON);

	assert_actions(HB_SLOT_ACTION_START_REMOVAL_TIMER | HB_SLOT_ACTION_NOTIFY |
		       HB_SLOT_ACTION_REPORT_INDICATORS | HB_SLOT_ACTION_REPORT_REQUESTED);
	assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
}
END_TEST

START_TEST(test_request_before_the_guest_listens_is_kept_for_it)
{
	create_default();
	give(HB_SLOT_INPUT_COLD_PLUG);

	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	ck_assert_uint_eq(slot.registers.status, PDS);
	listen_as_linux();

	assert_state(HB_SLOT_STATE_REMOVAL_REQUESTED);
	ck_assert(last.actions & HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_request_in_a_slot_that_is_off_is_complete_at_once)
{
	create_default();
	plug_into_running_guest();
	set_indicator(OFF);
	assert_state(HB_SLOT_STATE_OFF);

	give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	assert_actions(LEAVES | HB_SLOT_ACTION_NOTIFY);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_REQUEST);
	assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert(!(slot.registers.status & ABP));
}
END_TEST

START_TEST(test_guest_that_stops_the_blink_has_cancelled)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	clear_events();
	set_indicator(BLINK);

	set_indicator(ON);

	assert_actions(HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_INDICATORS |
		       HB_SLOT_ACTION_REPORT_REFUSED);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_CANCELLED);
	assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_timeout_takes_an_unseen_press_back)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	give(HB_SLOT_INPUT_TIMEOUT);

	assert_actions(HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_TIMED_OUT);
	assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot.registers.status, PDS);
}
END_TEST

START_TEST(test_second_request_does_not_press_into_the_blink_of_the_first)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	clear_events();
	set_indicator(BLINK);
	give(HB_SLOT_INPUT_TIMEOUT);

	give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	assert_state(HB_SLOT_STATE_REMOVAL_WAITING);
	ck_assert(!(slot.registers.status & ABP));
	set_indicator(OFF);

	ck_assert_uint_eq(last.actions & LEAVES, LEAVES);
	assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_pull_tells_link_and_presence_with_one_interrupt)
{
	create_default();
	plug_into_running_guest();

	give(HB_SLOT_INPUT_PULL);

	assert_actions(LEAVES | HB_SLOT_ACTION_NOTIFY);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_PULL);
	assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert(!slot.registers.link_active);
	ck_assert_uint_eq(slot.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_newcomer_enters_when_the_guest_has_buried_the_old_one)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_PULL);
	clear_events();

	give(HB_SLOT_INPUT_PLUG);
	assert_actions(0);
	set_indicator(OFF);

	assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS);
	assert_state(HB_SLOT_STATE_OFF);
}
END_TEST

START_TEST(test_guest_that_missed_the_pull_is_told_again)
{
	create_default();
	listen_as_linux();
	give(HB_SLOT_INPUT_PLUG);
	clear_events();
	set_indicator(BLINK);
	give(HB_SLOT_INPUT_PULL);
	clear_events();

	set_indicator(ON);

	assert_actions(HB_SLOT_ACTION_NOTIFY | HB_SLOT_ACTION_REPORT_INDICATORS);
	assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert_uint_eq(slot.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_haunting_without_indicators_ends_with_the_events)
{
	create_without_indicators(FALSE);
	listen_as_linux();
	give(HB_SLOT_INPUT_PLUG);
	clear_events();
	give(HB_SLOT_INPUT_PULL);
	give(HB_SLOT_INPUT_PLUG);
	assert_state(HB_SLOT_STATE_HAUNTED);

	clear_events();

	assert_actions(ENTERS | HB_SLOT_ACTION_NOTIFY);
	assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_pull_of_an_unused_function_does_not_haunt)
{
	create_default();
	listen_as_linux();
	give(HB_SLOT_INPUT_PLUG);

	give(HB_SLOT_INPUT_PULL);

	assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_pull_is_the_end_of_a_removal)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	give(HB_SLOT_INPUT_PULL);

	assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_PULL);
	assert_state(HB_SLOT_STATE_HAUNTED);
	ck_assert_uint_eq(slot.registers.status, PDC | DLLSC);
}
END_TEST

START_TEST(test_pull_of_the_newcomer_takes_it_out_of_the_line)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_PULL);
	give(HB_SLOT_INPUT_PLUG);

	give(HB_SLOT_INPUT_PULL_NEWCOMER);

	assert_actions(HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
		       HB_SLOT_ACTION_REPORT_SEVERED);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_PULL);
	set_indicator(OFF);
	assert_state(HB_SLOT_STATE_EMPTY);
}
END_TEST

START_TEST(test_request_for_the_newcomer_takes_it_out_of_the_line)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_PULL);
	give(HB_SLOT_INPUT_PLUG);

	give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	ck_assert(last.actions & HB_SLOT_ACTION_SEVER_NEWCOMER);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_REQUEST);
}
END_TEST

START_TEST(test_power_off_by_the_guest_keeps_the_occupant)
{
	create_with_power_controller();
	plug_into_running_guest();
	clear_events();

	set_power(FALSE);

	assert_actions(HB_SLOT_ACTION_RESET | HB_SLOT_ACTION_NOTIFY);
	assert_state(HB_SLOT_STATE_OFF);
	ck_assert_uint_eq(slot.registers.status, PDS | DLLSC);
	set_power(TRUE);
	assert_state(HB_SLOT_STATE_ON);
	ck_assert(slot.registers.link_active);
}
END_TEST

START_TEST(test_plug_into_a_blinking_empty_slot_waits)
{
	create_default();
	listen_as_linux();
	set_indicator(BLINK);

	give(HB_SLOT_INPUT_PLUG);
	assert_actions(0);
	assert_state(HB_SLOT_STATE_SETTLING);
	set_indicator(OFF);

	ck_assert_uint_eq(last.actions & ENTERS, ENTERS);
}
END_TEST

START_TEST(test_reset_completes_a_removal)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_REQUEST_REMOVAL);

	give(HB_SLOT_INPUT_RESET);

	assert_actions(LEAVES | HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(last.reason, HB_SLOT_REASON_RESET);
	assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert_uint_eq(slot.registers.status, 0);
}
END_TEST

START_TEST(test_reset_lets_the_newcomer_in)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_PULL);
	give(HB_SLOT_INPUT_PLUG);

	give(HB_SLOT_INPUT_RESET);

	assert_actions(ENTERS);
	assert_state(HB_SLOT_STATE_ON);
	ck_assert_uint_eq(slot.registers.status, PDS);
}
END_TEST

START_TEST(test_guest_that_stops_listening_ends_the_haunting)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_PULL);
	give(HB_SLOT_INPUT_PLUG);

	write_control(0, PCI_EXP_SLTCTL_HPIE);

	ck_assert_uint_eq(last.actions & ENTERS, ENTERS);
	ck_assert(!(last.actions & HB_SLOT_ACTION_NOTIFY));
	assert_state(HB_SLOT_STATE_ON);
}
END_TEST

START_TEST(test_command_completes_unless_the_slot_says_it_does_not)
{
	HbSlotProperties properties = get_defaults();

	properties.no_command_completed = FALSE;
	hb_slot_init(&slot, &properties);
	write_control(PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE,
		      PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE);

	assert_actions(HB_SLOT_ACTION_NOTIFY);
	ck_assert_uint_eq(slot.registers.status, CC);
	create_default();
	write_control(0xffff, 0xffff);
	ck_assert_uint_eq(slot.registers.status, 0);
}
END_TEST

START_TEST(test_enabling_with_an_event_waiting_is_an_edge)
{
	create_default();
	give(HB_SLOT_INPUT_PLUG);
	write_control(PCI_EXP_SLTCTL_PDCE, PCI_EXP_SLTCTL_PDCE);
	assert_actions(0);

	write_control(PCI_EXP_SLTCTL_HPIE, PCI_EXP_SLTCTL_HPIE);

	assert_actions(HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_reserved_indicator_value_changes_nothing)
{
	create_default();
	set_indicator(BLINK);

	set_indicator(0);

	assert_actions(0);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot.registers),
			  HB_INDICATOR_BLINK);
}
END_TEST

START_TEST(test_slot_without_hotplug_offers_nothing)
{
	HbSlotProperties properties = get_defaults();

	properties.hotplug = FALSE;
	hb_slot_init(&slot, &properties);
	give(HB_SLOT_INPUT_COLD_PLUG);
	write_control(0xffff, 0xffff);

	ck_assert_uint_eq(hb_slot_registers_get_capabilities(&slot.registers) & 0x4007f, 0);
	ck_assert_uint_eq(slot.registers.control, 0);
	ck_assert_uint_eq(slot.registers.status, PDS);
	ck_assert(slot.registers.link_active);
	ck_assert(!hb_slot_can_be_asked(&slot));
}
END_TEST

/* Brings a new default slot into @state. */
static void bring_to(HbSlotState state)
{
	create_with_power_controller();
	switch (state) {
	case HB_SLOT_STATE_EMPTY:
		return;
	case HB_SLOT_STATE_OFF:
		give(HB_SLOT_INPUT_PLUG);
		return;
	case HB_SLOT_STATE_REMOVAL_WAITING:
		give(HB_SLOT_INPUT_COLD_PLUG);
		give(HB_SLOT_INPUT_REQUEST_REMOVAL);
		return;
	default:
		plug_into_running_guest();
	}
	if (state == HB_SLOT_STATE_REMOVAL_REQUESTED || state == HB_SLOT_STATE_SETTLING)
		give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	if (state == HB_SLOT_STATE_SETTLING)
		set_power(FALSE);
	if (state == HB_SLOT_STATE_HAUNTED)
		give(HB_SLOT_INPUT_PULL);
}

/* A bit for each input: C cold plug, P plug, R request, N pull of the newcomer. */
#define C (1u << HB_SLOT_INPUT_COLD_PLUG)
#define P (1u << HB_SLOT_INPUT_PLUG)
#define R (1u << HB_SLOT_INPUT_REQUEST_REMOVAL)
#define N (1u << HB_SLOT_INPUT_PULL_NEWCOMER)

static const guint impossible[HB_SLOT_N_STATES] = {
	[HB_SLOT_STATE_EMPTY] = R | N,
	[HB_SLOT_STATE_OFF] = C | P | N,
	[HB_SLOT_STATE_ON] = C | P | N,
	[HB_SLOT_STATE_REMOVAL_WAITING] = C | P | R | N,
	[HB_SLOT_STATE_REMOVAL_REQUESTED] = C | P | R | N,
	[HB_SLOT_STATE_HAUNTED] = C | R | N,
	[HB_SLOT_STATE_SETTLING] = C | R | N,
};

START_TEST(test_impossible_pairs_are_these_and_change_nothing)
{
	HbSlotState state = _i / HB_SLOT_N_INPUTS;
	HbSlotInput input = _i % HB_SLOT_N_INPUTS;

	bring_to(state);
	assert_state(state);
	HbSlot before = slot;
	give(input);

	ck_assert_uint_eq(last.actions & HB_SLOT_ACTION_IMPOSSIBLE,
			  impossible[state] & 1u << input ? HB_SLOT_ACTION_IMPOSSIBLE : 0);
	if (impossible[state] & 1u << input)
		ck_assert_mem_eq(&slot, &before, sizeof(slot));
}
END_TEST

START_TEST(test_line_has_room_for_one)
{
	create_default();
	plug_into_running_guest();
	give(HB_SLOT_INPUT_PULL);
	give(HB_SLOT_INPUT_PLUG);

	give(HB_SLOT_INPUT_PLUG);

	assert_actions(HB_SLOT_ACTION_IMPOSSIBLE);
}
END_TEST

START_TEST(test_each_property_is_its_bit_of_the_capabilities)
{
	HbSlotProperties properties = { .number = 0x1fff, .hotplug = TRUE };
	static const guint32 bits[] = { PCI_EXP_SLTCAP_ABP, PCI_EXP_SLTCAP_PCP,
					PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP,
					PCI_EXP_SLTCAP_NCCS, PCI_EXP_SLTCAP_HPS };
	guint set = (guint)_i;
	guint32 expected = PCI_EXP_SLTCAP_HPC;

	properties.attention_button = set & 1;
	properties.power_controller = !!(set & 2);
	properties.indicators = !!(set & 4);
	properties.no_command_completed = !!(set & 8);
	properties.surprise = !!(set & 16);
	for (guint i = 0; i < G_N_ELEMENTS(bits); i++)
		expected |= set & 1u << i ? bits[i] : 0;
	hb_slot_init(&slot, &properties);

	guint32 capabilities = hb_slot_registers_get_capabilities(&slot.registers);

	ck_assert_uint_eq(capabilities & ~(PCI_EXP_SLTCAP_SPLV | PCI_EXP_SLTCAP_PSN), expected);
	ck_assert_uint_eq(capabilities >> 19, 0x1fff);
}
END_TEST

START_TEST(test_attention_indicator_reads_as_written)
{
	create_default();

	write_control(PCI_EXP_SLTCTL_ATTN_IND_BLINK, PCI_EXP_SLTCTL_AIC);

	assert_actions(HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(hb_slot_registers_get_attention_indicator(&slot.registers),
			 HB_INDICATOR_BLINK);
}
END_TEST

START_TEST(test_pull_while_nobody_listens_leaves_an_empty_slot_off)
{
	create_with_power_controller();
	give(HB_SLOT_INPUT_COLD_PLUG);

	give(HB_SLOT_INPUT_PULL);

	assert_state(HB_SLOT_STATE_EMPTY);
	ck_assert_uint_eq(slot.registers.control,
			  OFF | PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF);
}
END_TEST

START_TEST(test_every_word_is_known)
{
	for (int i = 0; i < HB_SLOT_N_STATES; i++)
		ck_assert_str_ne(hb_slot_state_to_str(i), "(unknown)");
	for (int i = 0; i < HB_SLOT_N_INPUTS; i++)
		ck_assert_str_ne(hb_slot_input_to_str(i), "(unknown)");
	ck_assert_str_eq(hb_slot_event_to_str(HB_SLOT_REMOVAL_REFUSED), "REMOVAL_REFUSED");
	ck_assert_str_eq(hb_slot_reason_to_str(HB_SLOT_REASON_TIMED_OUT), "TIMED_OUT");
	ck_assert_str_eq(hb_indicator_to_str(HB_INDICATOR_BLINK), "blink");
	ck_assert_str_eq(hb_slot_state_to_str(HB_SLOT_N_STATES), "(unknown)");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot");
	TCase *cases = tcase_create("cases");
	TCase *pairs = tcase_create("pairs");

	tcase_add_test(cases, test_plug_into_a_powered_slot_is_announced_by_the_link);
	tcase_add_test(cases, test_plug_into_a_slot_without_power_comes_with_a_press);
	tcase_add_test(cases, test_power_on_brings_the_link_up);
	tcase_add_test(cases, test_plug_without_a_button_is_announced_by_presence);
	tcase_add_test(cases, test_plug_while_nobody_listens_is_simply_there);
	tcase_add_test(cases, test_plug_while_nobody_listens_leaves_an_unpowered_slot_unpowered);
	tcase_add_test(cases, test_cold_plug_leaves_what_firmware_would);
	tcase_add_test(cases, test_orderly_removal_is_complete_with_the_indicator);
	tcase_add_test(cases, test_removal_with_power_controller_settles_before_the_next_plug);
	tcase_add_test(cases, test_removal_without_indicators_settles_for_a_time);
	tcase_add_test(cases, test_request_in_a_blink_waits_for_its_end);
	tcase_add_test(cases, test_request_before_the_guest_listens_is_kept_for_it);
	tcase_add_test(cases, test_request_in_a_slot_that_is_off_is_complete_at_once);
	tcase_add_test(cases, test_guest_that_stops_the_blink_has_cancelled);
	tcase_add_test(cases, test_timeout_takes_an_unseen_press_back);
	tcase_add_test(cases, test_second_request_does_not_press_into_the_blink_of_the_first);
	tcase_add_test(cases, test_pull_tells_link_and_presence_with_one_interrupt);
	tcase_add_test(cases, test_newcomer_enters_when_the_guest_has_buried_the_old_one);
	tcase_add_test(cases, test_guest_that_missed_the_pull_is_told_again);
	tcase_add_test(cases, test_haunting_without_indicators_ends_with_the_events);
	tcase_add_test(cases, test_pull_of_an_unused_function_does_not_haunt);
	tcase_add_test(cases, test_pull_is_the_end_of_a_removal);
	tcase_add_test(cases, test_pull_of_the_newcomer_takes_it_out_of_the_line);
	tcase_add_test(cases, test_request_for_the_newcomer_takes_it_out_of_the_line);
	tcase_add_test(cases, test_power_off_by_the_guest_keeps_the_occupant);
	tcase_add_test(cases, test_plug_into_a_blinking_empty_slot_waits);
	tcase_add_test(cases, test_reset_completes_a_removal);
	tcase_add_test(cases, test_reset_lets_the_newcomer_in);
	tcase_add_test(cases, test_guest_that_stops_listening_ends_the_haunting);
	tcase_add_test(cases, test_command_completes_unless_the_slot_says_it_does_not);
	tcase_add_test(cases, test_enabling_with_an_event_waiting_is_an_edge);
	tcase_add_test(cases, test_reserved_indicator_value_changes_nothing);
	tcase_add_test(cases, test_slot_without_hotplug_offers_nothing);
	tcase_add_test(cases, test_line_has_room_for_one);
	tcase_add_loop_test(cases, test_each_property_is_its_bit_of_the_capabilities, 0, 32);
	tcase_add_test(cases, test_attention_indicator_reads_as_written);
	tcase_add_test(cases, test_pull_while_nobody_listens_leaves_an_empty_slot_off);
	tcase_add_test(cases, test_every_word_is_known);
	tcase_add_loop_test(pairs, test_impossible_pairs_are_these_and_change_nothing, 0,
			    HB_SLOT_N_STATES * HB_SLOT_N_INPUTS);
	suite_add_tcase(suite, cases);
	suite_add_tcase(suite, pairs);
	return suite;
}
