/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The slot's registers and properties, and its table of impossible pairs. */

#include "tests/unit/hw/slot-scene.h"
#include "tests/unit/suite.h"

#include <string.h>

START_TEST(test_command_completes_unless_the_slot_says_it_does_not)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.no_command_completed = FALSE;
	slot_scene_create(&properties);
	slot_scene_write_control(PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE,
				 PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_CCIE);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY);
	ck_assert_uint_eq(slot_scene.registers.status, CC);
	slot_scene_create_default();
	slot_scene_write_control(0xffff, 0xffff);
	ck_assert_uint_eq(slot_scene.registers.status, 0);
}
END_TEST

START_TEST(test_enabling_with_an_event_waiting_is_an_edge)
{
	slot_scene_create_default();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_write_control(PCI_EXP_SLTCTL_PDCE, PCI_EXP_SLTCTL_PDCE);
	slot_scene_assert_actions(0);

	slot_scene_write_control(PCI_EXP_SLTCTL_HPIE, PCI_EXP_SLTCTL_HPIE);

	slot_scene_assert_actions(HB_SLOT_ACTION_NOTIFY);
}
END_TEST

START_TEST(test_reserved_indicator_value_changes_nothing)
{
	slot_scene_create_default();
	slot_scene_set_indicator(BLINK);

	slot_scene_set_indicator(0);

	slot_scene_assert_actions(0);
	ck_assert_uint_eq(hb_slot_registers_get_power_indicator(&slot_scene.registers),
			  HB_INDICATOR_BLINK);
}
END_TEST

START_TEST(test_slot_without_hotplug_offers_nothing)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.hotplug = FALSE;
	slot_scene_create(&properties);
	slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);
	slot_scene_write_control(0xffff, 0xffff);

	ck_assert_uint_eq(hb_slot_registers_get_capabilities(&slot_scene.registers) & 0x4007f, 0);
	ck_assert_uint_eq(slot_scene.registers.control, 0);
	ck_assert_uint_eq(slot_scene.registers.status, PDS);
	ck_assert(slot_scene.registers.link_active);
	ck_assert(!hb_slot_can_be_asked(&slot_scene));
}
END_TEST

/* Brings a new default slot into @state. */
static void bring_to(HbSlotState state)
{
	slot_scene_create_with_power_controller();
	switch (state) {
	case HB_SLOT_STATE_EMPTY:
		return;
	case HB_SLOT_STATE_OFF:
		slot_scene_give(HB_SLOT_INPUT_PLUG);
		return;
	case HB_SLOT_STATE_REMOVAL_WAITING:
		slot_scene_give(HB_SLOT_INPUT_COLD_PLUG);
		slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
		return;
	default:
		slot_scene_plug_into_running_guest();
	}
	if (state == HB_SLOT_STATE_REMOVAL_REQUESTED || state == HB_SLOT_STATE_SETTLING)
		slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	if (state == HB_SLOT_STATE_SETTLING)
		slot_scene_set_power(FALSE);
	if (state == HB_SLOT_STATE_HAUNTED)
		slot_scene_give(HB_SLOT_INPUT_PULL);
}

/* A bit for each input: C cold plug, P plug, R request, I insist, N both that are about the one in
 * line. */
#define C (1u << HB_SLOT_INPUT_COLD_PLUG)
#define P (1u << HB_SLOT_INPUT_PLUG)
#define R (1u << HB_SLOT_INPUT_REQUEST_REMOVAL)
#define I (1u << HB_SLOT_INPUT_INSIST)
#define N (1u << HB_SLOT_INPUT_PULL_NEWCOMER | 1u << HB_SLOT_INPUT_DISMISS_NEWCOMER)

static const guint impossible[HB_SLOT_N_STATES] = {
	[HB_SLOT_STATE_EMPTY] = R | N | I,
	[HB_SLOT_STATE_OFF] = C | P | N | I,
	[HB_SLOT_STATE_ON] = C | P | N | I,
	[HB_SLOT_STATE_REMOVAL_WAITING] = C | R | N,
	[HB_SLOT_STATE_REMOVAL_REQUESTED] = C | R | N,
	[HB_SLOT_STATE_HAUNTED] = C | R | N | I,
	[HB_SLOT_STATE_SETTLING] = C | R | N | I,
};

START_TEST(test_impossible_pairs_are_these_and_change_nothing)
{
	HbSlotState state = _i / HB_SLOT_N_INPUTS;
	HbSlotInput input = _i % HB_SLOT_N_INPUTS;

	bring_to(state);
	slot_scene_assert_state(state);
	HbSlot before = slot_scene;
	slot_scene_give(input);

	ck_assert_uint_eq(slot_scene_last.actions & HB_SLOT_ACTION_IMPOSSIBLE,
			  impossible[state] & 1u << input ? HB_SLOT_ACTION_IMPOSSIBLE : 0);
	if (impossible[state] & 1u << input)
		ck_assert_mem_eq(&slot_scene, &before, sizeof(slot_scene));
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
	slot_scene_create(&properties);

	guint32 capabilities = hb_slot_registers_get_capabilities(&slot_scene.registers);

	ck_assert_uint_eq(capabilities & ~(PCI_EXP_SLTCAP_SPLV | PCI_EXP_SLTCAP_PSN), expected);
	ck_assert_uint_eq(capabilities >> 19, 0x1fff);
}
END_TEST

START_TEST(test_attention_indicator_reads_as_written)
{
	slot_scene_create_default();

	slot_scene_write_control(PCI_EXP_SLTCTL_ATTN_IND_BLINK, PCI_EXP_SLTCTL_AIC);

	slot_scene_assert_actions(HB_SLOT_ACTION_REPORT_INDICATORS);
	ck_assert_int_eq(hb_slot_registers_get_attention_indicator(&slot_scene.registers),
			 HB_INDICATOR_BLINK);
}
END_TEST

START_TEST(test_every_word_is_known)
{
	for (int i = 0; i < HB_SLOT_N_STATES; i++)
		ck_assert_str_ne(hb_slot_state_to_str(i), "(unknown)");
	for (int i = 0; i < HB_SLOT_N_INPUTS; i++)
		ck_assert_str_ne(hb_slot_input_to_str(i), "(unknown)");
	ck_assert_str_eq(hb_port_failure_to_str(HB_PORT_FAILURE_SILENT), "SILENT");
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

	tcase_add_test(cases, test_command_completes_unless_the_slot_says_it_does_not);
	tcase_add_test(cases, test_enabling_with_an_event_waiting_is_an_edge);
	tcase_add_test(cases, test_reserved_indicator_value_changes_nothing);
	tcase_add_test(cases, test_slot_without_hotplug_offers_nothing);
	tcase_add_loop_test(cases, test_each_property_is_its_bit_of_the_capabilities, 0, 32);
	tcase_add_test(cases, test_attention_indicator_reads_as_written);
	tcase_add_test(cases, test_every_word_is_known);
	tcase_add_loop_test(pairs, test_impossible_pairs_are_these_and_change_nothing, 0,
			    HB_SLOT_N_STATES * HB_SLOT_N_INPUTS);
	suite_add_tcase(suite, cases);
	suite_add_tcase(suite, pairs);
	return suite;
}
