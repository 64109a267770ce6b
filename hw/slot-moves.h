/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_SLOT_MOVES_H
#define HW_SLOT_MOVES_H

#include "hw/slot.h"

/*
 * How a slot gets from one state to another: each changes the state and the registers and adds what
 * is to be done. Pure. hw/slot.c says which of them an input is in which state.
 */

/* Of the two inputs that are register writes. */
typedef struct HbSlotWrite {
	guint16 value;
	guint16 mask;
} HbSlotWrite;

/* Nothing happens: the caller should not have asked. */
void hb_slot_moves_impossible(HbSlotResult *result);

/* Says whether the interrupt condition has become true since the last look. */
void hb_slot_moves_look_at_interrupt(HbSlot *slot, HbSlotResult *result);

/* What the guest writes takes effect, and is an interrupt if it is one, before the slot answers. */
void hb_slot_moves_write_status(HbSlot *slot, HbSlotWrite write, HbSlotResult *result);
void hb_slot_moves_write_control(HbSlot *slot, HbSlotWrite write, HbSlotResult *result);

/* In. */
void hb_slot_moves_admit(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_admit_cold(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_stand_in_line(HbSlot *slot, HbSlotResult *result);
/* The one in line leaves it, by any input. Impossible if there is none. */
void hb_slot_moves_dismiss(HbSlot *slot, HbSlotInput input, HbSlotResult *result);

/* Out. */
/* The occupant is cut off and given back, in either mode; the registers are the caller's. */
void hb_slot_moves_sever(HbSlot *slot, HbSlotReason reason, HbSlotResult *result);
void hb_slot_moves_depart(HbSlot *slot, HbSlotReason reason, HbSlotResult *result);
void hb_slot_moves_settle(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_come_to_rest(HbSlot *slot, HbSlotResult *result);
/* The guest never said that it is done with the last one: whoever is in line comes in. */
void hb_slot_moves_stop_waiting(HbSlot *slot, HbSlotResult *result);

/* A removal's way. */
void hb_slot_moves_wait_for_removal(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_press_for_removal(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_refuse_newcomer(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_refuse_removal(HbSlot *slot, HbSlotReason reason, HbSlotResult *result);

/* The guest's own hand: the occupant stays. */
void hb_slot_moves_switch_off(HbSlot *slot);
/* To a guest that is done with switching off: announces the occupant again, if that is due. */
void hb_slot_moves_recall(HbSlot *slot);

/* A reset of the port. */
void hb_slot_moves_reset_away(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_reset_vacant(HbSlot *slot, HbSlotResult *result);
void hb_slot_moves_reset_occupied(HbSlot *slot);

#endif
