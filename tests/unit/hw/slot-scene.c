/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

#include "tests/unit/hw/slot-scene.h"

#include "tests/unit/suite.h"

HbSlot slot_scene;
HbSlotResult slot_scene_last;

HbSlotProperties slot_scene_get_defaults(void)
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

void slot_scene_create(const HbSlotProperties *properties)
{
	hb_slot_init(&slot_scene, properties);
}

void slot_scene_create_locked(void)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.locked = TRUE;
	slot_scene_create(&properties);
}

void slot_scene_create_default(void)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	slot_scene_create(&properties);
}

void slot_scene_create_with_power_controller(void)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.power_controller = TRUE;
	slot_scene_create(&properties);
}

void slot_scene_create_without_indicators(gboolean power_controller)
{
	HbSlotProperties properties = slot_scene_get_defaults();

	properties.indicators = FALSE;
	properties.power_controller = power_controller;
	slot_scene_create(&properties);
}

void slot_scene_give(HbSlotInput input)
{
	slot_scene_last = hb_slot_step(&slot_scene, input, 0, 0);
}

void slot_scene_write_control(guint16 value, guint16 mask)
{
	slot_scene_last = hb_slot_step(&slot_scene, HB_SLOT_INPUT_CONTROL_WRITTEN, value, mask);
}

void slot_scene_clear_events(void)
{
	slot_scene_last = hb_slot_step(&slot_scene, HB_SLOT_INPUT_STATUS_WRITTEN, 0xffff, 0xffff);
}

void slot_scene_set_indicator(guint16 value)
{
	slot_scene_write_control(value, PCI_EXP_SLTCTL_PIC);
}

void slot_scene_set_power(gboolean on)
{
	slot_scene_write_control(on ? PCI_EXP_SLTCTL_PWR_ON : PCI_EXP_SLTCTL_PWR_OFF,
				 PCI_EXP_SLTCTL_PCC);
}

/* As Linux does: presence only where there is no button. */
void slot_scene_listen_as_linux(void)
{
	guint16 enables = PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE;

	enables |= slot_scene.registers.properties.attention_button ? PCI_EXP_SLTCTL_ABPE
								    : PCI_EXP_SLTCTL_PDCE;
	slot_scene_clear_events();
	slot_scene_write_control(enables, PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE |
						  PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE);
}

/* pcie_disable_notification(). */
void slot_scene_desert_as_linux(void)
{
	slot_scene_write_control(0, PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE |
					    PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE |
					    PCI_EXP_SLTCTL_CCIE);
}

void slot_scene_request_until_blink(void)
{
	slot_scene_give(HB_SLOT_INPUT_REQUEST_REMOVAL);
	slot_scene_clear_events();
	slot_scene_set_indicator(BLINK);
}

/* Linux takes up a newly plugged function. */
void slot_scene_add_as_linux(void)
{
	slot_scene_clear_events();
	if (slot_scene.registers.properties.power_controller)
		slot_scene_set_power(TRUE);
	slot_scene_set_indicator(BLINK);
	slot_scene_clear_events();
	slot_scene_set_indicator(ON);
}

void slot_scene_plug_into_running_guest(void)
{
	slot_scene_listen_as_linux();
	slot_scene_give(HB_SLOT_INPUT_PLUG);
	slot_scene_add_as_linux();
}

void slot_scene_assert_state(HbSlotState state)
{
	ck_assert_str_eq(hb_slot_state_to_str(slot_scene.state), hb_slot_state_to_str(state));
}

void slot_scene_assert_actions(guint actions)
{
	ck_assert_uint_eq(slot_scene_last.actions, actions);
}
