/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The slot's transitions. Two functions are told apart: the occupant, whom the guest sees, and the
 * newcomer in line, whom it does not.
 *
 *              stand_in_line           admit                  depart
 *   (outside) ---------------> line -----------> occupant -------------> (outside)
 *        ^----------------------'        ^-----------'
 *                dismiss                    recall
 *
 * After depart() the guest may have something to finish: the slot is haunted or settling until
 * come_to_rest(), and that is where the line moves up.
 */

#include "hw/slot-moves.h"

#include <linux/pci_regs.h>

void hb_slot_moves_impossible(HbSlotResult *result)
{
	result->actions |= HB_SLOT_ACTION_IMPOSSIBLE;
}

void hb_slot_moves_look_at_interrupt(HbSlot *slot, HbSlotResult *result)
{
	gboolean was_asserted = slot->asserted;

	slot->asserted = hb_slot_registers_is_asserted(&slot->registers);
	if (slot->asserted && !was_asserted)
		result->actions |= HB_SLOT_ACTION_NOTIFY;
}

/* So a write that clears an event, and an answer that sets it again, are an edge. */
void hb_slot_moves_write_status(HbSlot *slot, HbSlotWrite write, HbSlotResult *result)
{
	hb_slot_registers_write_status(&slot->registers, write.value);
	hb_slot_moves_look_at_interrupt(slot, result);
}

/*
 * The guest's driver has left, for a kernel that comes after it or for none. That one finds the
 * occupant as firmware leaves it: a blink or a dark indicator of the old driver's would never end,
 * and who uses the drive would look as if they did not.
 */
static void leave_to_the_next(HbSlot *slot)
{
	if (!hb_slot_registers_is_occupied(&slot->registers))
		return;
	hb_slot_registers_reset_power(&slot->registers);
	hb_slot_registers_update_link(&slot->registers);
	slot->unmet = TRUE;
	slot->recall = FALSE;
}

/* One command. An occupant that stays loses its state with its power. */
void hb_slot_moves_write_control(HbSlot *slot, HbSlotWrite write, HbSlotResult *result)
{
	gboolean was_active = slot->registers.link_active;
	gboolean was_listening = hb_slot_registers_is_listening(&slot->registers);

	hb_slot_registers_write_control(&slot->registers, write.value, write.mask);
	hb_slot_moves_look_at_interrupt(slot, result);
	if (was_listening && hb_slot_registers_is_deserted(&slot->registers))
		leave_to_the_next(slot);
	if (was_active && !slot->registers.link_active)
		result->actions |= HB_SLOT_ACTION_RESET;
}

/* In. */

static void become_occupied(HbSlot *slot, HbSlotResult *result)
{
	slot->state = hb_slot_registers_is_switched_off(&slot->registers) ? HB_SLOT_STATE_OFF
									  : HB_SLOT_STATE_ON;
	slot->newcomer = FALSE;
	result->actions |= HB_SLOT_ACTION_ADMIT | HB_SLOT_ACTION_REPORT_PLUGGED;
}

/* The one in line comes in and is announced: cases 1, 2 and 3. */
void hb_slot_moves_admit(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_registers_set_presence(&slot->registers, TRUE);
	gboolean announced = hb_slot_registers_update_link(&slot->registers) &&
			     slot->registers.control & PCI_EXP_SLTCTL_DLLSCE;

	slot->unmet = !hb_slot_registers_is_listening(&slot->registers);
	if (slot->unmet)
		hb_slot_registers_set_power_indicator(&slot->registers, slot->registers.link_active
										? HB_INDICATOR_ON
										: HB_INDICATOR_OFF);
	else if (!announced && hb_slot_registers_can_press(&slot->registers))
		hb_slot_registers_raise(&slot->registers, PCI_EXP_SLTSTA_ABP);
	become_occupied(slot, result);
}

/* The one in line is simply there. */
void hb_slot_moves_admit_cold(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_registers_reset(&slot->registers, TRUE);
	become_occupied(slot, result);
}

void hb_slot_moves_stand_in_line(HbSlot *slot, HbSlotResult *result)
{
	if (slot->newcomer) {
		hb_slot_moves_impossible(result);
		return;
	}
	slot->newcomer = TRUE;
	result->actions |= HB_SLOT_ACTION_REPORT_PLUG_WAITING;
}

void hb_slot_moves_dismiss(HbSlot *slot, HbSlotInput input, HbSlotResult *result)
{
	if (!slot->newcomer) {
		hb_slot_moves_impossible(result);
		return;
	}
	slot->newcomer = FALSE;
	result->actions |= HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
			   HB_SLOT_ACTION_REPORT_SEVERED;
	result->reason =
		input == HB_SLOT_INPUT_PULL_NEWCOMER ? HB_SLOT_REASON_PULL : HB_SLOT_REASON_REQUEST;
}

/* Out. */

/* The last occupant is history. While nobody listens an empty slot is as firmware leaves it. */
void hb_slot_moves_come_to_rest(HbSlot *slot, HbSlotResult *result)
{
	if (!hb_slot_registers_is_listening(&slot->registers))
		hb_slot_registers_reset_power(&slot->registers);
	if (slot->newcomer)
		hb_slot_moves_admit(slot, result);
	else
		slot->state = HB_SLOT_STATE_EMPTY;
}

/* If the guest comes back to bury the last one, it switches the new one off with it: then that is
 * announced once more. */
void hb_slot_moves_stop_waiting(HbSlot *slot, HbSlotResult *result)
{
	if (slot->newcomer)
		result->reason = HB_SLOT_REASON_UNACKNOWLEDGED;
	slot->recall = slot->newcomer;
	hb_slot_moves_come_to_rest(slot, result);
}

void hb_slot_moves_settle(HbSlot *slot, HbSlotResult *result)
{
	if (hb_slot_registers_is_settled(&slot->registers))
		hb_slot_moves_come_to_rest(slot, result);
	else
		slot->state = HB_SLOT_STATE_SETTLING;
}

void hb_slot_moves_sever(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	result->actions |=
		HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_RELEASE | HB_SLOT_ACTION_REPORT_SEVERED;
	result->actions &= ~(guint)HB_SLOT_ACTION_RESET; /* it does not get its power back here */
	result->reason = reason;
	slot->insists = slot->unmet = slot->recall = FALSE;
}

/* The occupant leaves. A press that the guest has not seen leaves with it. */
void hb_slot_moves_depart(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	gboolean haunts =
		reason != HB_SLOT_REASON_REQUEST && hb_slot_registers_is_in_use(&slot->registers);

	hb_slot_moves_sever(slot, reason, result);
	hb_slot_registers_write_status(&slot->registers, PCI_EXP_SLTSTA_ABP);
	hb_slot_registers_set_presence(&slot->registers, FALSE);
	hb_slot_registers_update_link(&slot->registers);
	if (haunts)
		slot->state = HB_SLOT_STATE_HAUNTED;
	else
		hb_slot_moves_settle(slot, result);
}

/* A removal's way. */

void hb_slot_moves_wait_for_removal(HbSlot *slot, HbSlotResult *result)
{
	slot->state = HB_SLOT_STATE_REMOVAL_WAITING;
	result->actions |= HB_SLOT_ACTION_REPORT_REMOVAL_WAITING;
}

void hb_slot_moves_press_for_removal(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_registers_raise(&slot->registers, PCI_EXP_SLTSTA_ABP);
	slot->state = HB_SLOT_STATE_REMOVAL_REQUESTED;
	result->actions |= HB_SLOT_ACTION_REPORT_REQUESTED;
}

/* The place that the one in line waits for does not become free. */
void hb_slot_moves_refuse_newcomer(HbSlot *slot, HbSlotResult *result)
{
	if (!slot->newcomer)
		return;
	slot->newcomer = FALSE;
	result->actions |= HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
			   HB_SLOT_ACTION_REPORT_PLUG_REFUSED;
}

void hb_slot_moves_refuse_removal(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	if (slot->insists) {
		hb_slot_moves_depart(slot, HB_SLOT_REASON_ESCALATED, result);
		return;
	}
	hb_slot_registers_write_status(&slot->registers, PCI_EXP_SLTSTA_ABP);
	slot->state = HB_SLOT_STATE_ON;
	result->actions |= HB_SLOT_ACTION_REPORT_REFUSED;
	result->reason = reason;
	hb_slot_moves_refuse_newcomer(slot, result);
}

/* The guest's own hand. */

void hb_slot_moves_switch_off(HbSlot *slot)
{
	slot->state = HB_SLOT_STATE_OFF;
	if (slot->registers.properties.locked)
		slot->recall = TRUE;
	if (hb_slot_registers_is_settled(&slot->registers))
		hb_slot_moves_recall(slot);
}

void hb_slot_moves_recall(HbSlot *slot)
{
	HbSlotRegisters *registers = &slot->registers;

	if (!slot->recall)
		return;
	if (!hb_slot_registers_is_listening(registers)) {
		leave_to_the_next(slot);
		slot->state = HB_SLOT_STATE_ON;
		return;
	}
	slot->recall = FALSE;
	hb_slot_registers_raise(registers, PCI_EXP_SLTSTA_PDC);
	if (registers->link_active)
		hb_slot_registers_raise(registers, PCI_EXP_SLTSTA_DLLSC);
	if (!(registers->link_active && registers->control & PCI_EXP_SLTCTL_DLLSCE) &&
	    hb_slot_registers_can_press(registers))
		hb_slot_registers_raise(registers, PCI_EXP_SLTSTA_ABP);
}

/* A reset of the port. */

/* With a removal under way. */
void hb_slot_moves_reset_away(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_moves_sever(slot, HB_SLOT_REASON_RESET, result);
	hb_slot_moves_reset_vacant(slot, result);
}

void hb_slot_moves_reset_vacant(HbSlot *slot, HbSlotResult *result)
{
	if (slot->newcomer) {
		hb_slot_moves_admit_cold(slot, result);
	} else {
		hb_slot_registers_reset(&slot->registers, FALSE);
		slot->state = HB_SLOT_STATE_EMPTY;
	}
}

void hb_slot_moves_reset_occupied(HbSlot *slot)
{
	hb_slot_registers_reset(&slot->registers, TRUE);
	slot->state = HB_SLOT_STATE_ON;
	slot->unmet = slot->recall = FALSE;
}
