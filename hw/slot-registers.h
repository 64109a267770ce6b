/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_SLOT_REGISTERS_H
#define HW_SLOT_REGISTERS_H

#include <hotbay/slot.h>

/* What the slot has; fixed at creation, told to the guest in Slot Capabilities. */
typedef struct HbSlotProperties {
	guint16 number;
	guint8 power_limit; /* watts */
	gboolean hotplug;   /* FALSE: none of those below either */
	gboolean attention_button;
	gboolean power_controller;
	gboolean indicators;
	gboolean no_command_completed;
	gboolean surprise;
	gboolean locked; /* not told: an occupant that the guest switches off comes back */
} HbSlotProperties;

/* The registers as values. Pure: hw/slot.c decides what happens to them, and when. */
typedef struct HbSlotRegisters {
	HbSlotProperties properties;
	gboolean link_active; /* Data Link Layer Link Active of Link Status */
	guint16 control;      /* Slot Control */
	guint16 status;	      /* Slot Status */
} HbSlotRegisters;

guint32 hb_slot_registers_get_capabilities(const HbSlotRegisters *registers);
HbIndicator hb_slot_registers_get_attention_indicator(const HbSlotRegisters *registers);
HbIndicator hb_slot_registers_get_power_indicator(const HbSlotRegisters *registers);

/* Presence Detect State. */
gboolean hb_slot_registers_is_occupied(const HbSlotRegisters *registers);
/* Does the guest take interrupts from the slot at all? */
gboolean hb_slot_registers_is_listening(const HbSlotRegisters *registers);
/* Has the guest given up the slot: no event is enabled either? */
gboolean hb_slot_registers_is_deserted(const HbSlotRegisters *registers);
gboolean hb_slot_registers_is_blinking(const HbSlotRegisters *registers);
/* Has the guest switched the slot off? A power controller says so; else the power indicator. */
gboolean hb_slot_registers_is_switched_off(const HbSlotRegisters *registers);
/* Is the guest busy with the occupant, so that it has something to clean up after a pull? */
gboolean hb_slot_registers_is_in_use(const HbSlotRegisters *registers);
/* Has the guest cleaned up after a pull? */
gboolean hb_slot_registers_is_acknowledged(const HbSlotRegisters *registers);
/* Has the guest finished switching off, so that it sees the next plug? */
gboolean hb_slot_registers_is_settled(const HbSlotRegisters *registers);
/* Would the guest see a press, and understand it as a new one? */
gboolean hb_slot_registers_can_press(const HbSlotRegisters *registers);
/* Does the interrupt condition hold? (PCIe r6.0 §6.7.3.4) */
gboolean hb_slot_registers_is_asserted(const HbSlotRegisters *registers);

/* What the guest does. @mask: of the bytes written. */
void hb_slot_registers_write_control(HbSlotRegisters *registers, guint16 value, guint16 mask);
void hb_slot_registers_write_status(HbSlotRegisters *registers, guint16 value);

/* What the slot does. Each sets the events that go with it. */
void hb_slot_registers_raise(HbSlotRegisters *registers, guint16 events);
void hb_slot_registers_set_presence(HbSlotRegisters *registers, gboolean present);
/* To what presence and power say. TRUE: it changed. */
gboolean hb_slot_registers_update_link(HbSlotRegisters *registers);
void hb_slot_registers_set_power_indicator(HbSlotRegisters *registers, HbIndicator indicator);

/* Power, and everything, as firmware leaves it. */
void hb_slot_registers_reset_power(HbSlotRegisters *registers);
void hb_slot_registers_reset(HbSlotRegisters *registers, gboolean occupied);

#endif
