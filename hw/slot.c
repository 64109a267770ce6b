/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The hot-plug slot. Time runs to the right; a line's upper level is 1. "v" is a press or an edge.
 * PIC is Power Indicator Control, PCC Power Controller Control (1 is off), as the guest writes
 * them. E: one NOTIFY, if the guest enabled the event.
 *
 * 1. Plug into a slot that is powered (no power controller, or PCC=0). The link announces it.
 *
 *    presence   ___/------------------
 *    link       ___/------------------
 *    PIC        off   |blink    |on
 *    notify        E
 *    state      EMPTY |OFF |ON
 *
 * 2. Plug into a slot that is switched off. The link stays down; with a button the guest does not
 *    listen to presence, so a press goes with it: in Linux both together make the add immediate.
 *
 *    presence   ___/------------------
 *    press         v
 *    PCC        off   |on
 *    link       ______/---------------
 *    notify        E   E
 *    state      EMPTY |OFF |ON
 *
 * 3. Plug while nobody listens (Hot-Plug Interrupt Enable is 0). The registers say what firmware
 *    would have left: the power indicator of a powered slot is on. The guest finds it later.
 *
 * 4. Orderly removal, no power controller: complete with the power indicator.
 *
 *    asked         v
 *    press         v
 *    PIC        on    |blink  5 s   |off
 *    presence   --------------------\______
 *    link       --------------------\______
 *    notify        E                 E
 *    state      ON |REMOVAL_REQUESTED |EMPTY
 *
 * 5. Orderly removal with a power controller: complete when power is off. The guest then sleeps
 *    through presence and link changes until it switches the indicator off; an add meanwhile would
 *    be lost, so it stands in line.
 *
 *    PCC        on                  |off
 *    PIC        on    |blink  5 s          1 s  |off
 *    presence   --------------------\___________/---  (a newcomer's)
 *    newcomer                           plug    admitted
 *    state      ON |REMOVAL_REQUESTED |SETTLING |OFF
 *
 *    Without indicators nothing tells when it is done: SETTLING lasts HB_SLOT_SETTLE_MS.
 *
 * 6. Asked while the guest cannot take a press: it does not listen yet, or the indicator blinks (a
 *    press in a blink means the opposite of what is wanted).
 *
 *    asked          v
 *    PIC        |blink (adding)   |on
 *    press                        v
 *    state      ON  |REM._WAITING |REMOVAL_REQUESTED
 *
 * 7. Asked when the guest has it switched off: complete at once, no press.
 *
 *    state      OFF |EMPTY, or SETTLING as in 5
 *
 * 8. The guest cancels. REFUSED(CANCELLED).
 *
 *    press         v
 *    PIC        on    |blink   |on
 *    state      ON |REM._REQ.. |ON
 *
 * 9. The guest does not answer. REFUSED(TIMED_OUT). A press that it has not seen is taken back. One
 *    that it saw may still blink: the next request then waits as in 6.
 *
 * 10. Pull. The guest had it in use, so the slot is haunted until the guest says that it is done
 *     with the old one, by its power indicator; a newcomer waits in line.
 *
 *    presence   ------\__________/------
 *    link       ------\__________/------
 *    notify            E          E
 *    PIC        on          |off
 *    newcomer           plug     admitted
 *    state      ON    |HAUNTED   |OFF
 *
 *     If an add completes in a haunted slot (PIC goes from blink to on), the guest missed the pull:
 *     Linux drops link and presence changes that come while it checks the link. It is told again.
 *     Without indicators the end is power off, and without a power controller that the guest has
 *     cleared Presence Detect Changed and Data Link Layer State Changed.
 *
 * 11. Pull during a removal: as 10; the pull is the removal's end.
 *
 * 12. The guest switches power off by its own hand, or its indicator: OFF, and the occupant stays.
 *     With its power it loses its state (RESET).
 *
 * 13. Plug while the indicator of an empty slot blinks: SETTLING, as after 5.
 *
 * 14. A reset of the port: registers as firmware leaves them; a removal under way is complete
 *     (RESET), a haunted or settling slot is not any more, and who is in line is simply there.
 *
 * 15. The guest stops listening (HPIE=0) in HAUNTED or SETTLING: over, since nobody will say so.
 *
 * What firmware leaves, at first and after a reset: an occupied slot is powered with its power
 * indicator on; an empty one is off in both. Linux believes an indicator that it finds, and an
 * empty slot that is powered would not be powered on again by an add.
 *
 * Invariants: link active => presence. One ending for each request. SEVER before RELEASE, each once
 * for each occupant. No press in a blink. Nobody is admitted while haunted. NOTIFY exactly when
 * HPIE && (an event && its enable) becomes true (PCIe r6.0 §6.7.3.4).
 */

#include "hw/slot.h"

#include <linux/pci_regs.h>

/* Of the two inputs that are register writes. */
typedef struct Write {
	guint16 value;
	guint16 mask;
} Write;

/* Moving from state to state. */

static void impossible(HbSlotResult *result)
{
	result->actions |= HB_SLOT_ACTION_IMPOSSIBLE;
}

/* Says whether the interrupt condition has become true since the last look. */
static void look_at_interrupt(HbSlot *slot, HbSlotResult *result)
{
	gboolean was_asserted = slot->asserted;

	slot->asserted = hb_slot_registers_is_asserted(&slot->registers);
	if (slot->asserted && !was_asserted)
		result->actions |= HB_SLOT_ACTION_NOTIFY;
}

/*
 * What a guest writes takes effect before the slot answers. So a write that clears an event, and an
 * answer that sets it again, are an edge.
 */
static void write_status(HbSlot *slot, Write write, HbSlotResult *result)
{
	hb_slot_registers_write_status(&slot->registers, write.value);
	look_at_interrupt(slot, result);
}

/* One command. An occupant that stays loses its state with its power. */
static void write_control(HbSlot *slot, Write write, HbSlotResult *result)
{
	gboolean was_active = slot->registers.link_active;

	hb_slot_registers_write_control(&slot->registers, write.value, write.mask);
	if (was_active && !slot->registers.link_active)
		result->actions |= HB_SLOT_ACTION_RESET;
	look_at_interrupt(slot, result);
}

static void become_occupied(HbSlot *slot, HbSlotResult *result)
{
	slot->state = hb_slot_registers_is_switched_off(&slot->registers) ? HB_SLOT_STATE_OFF
									  : HB_SLOT_STATE_ON;
	slot->newcomer = FALSE;
	result->actions |= HB_SLOT_ACTION_ADMIT | HB_SLOT_ACTION_REPORT_PLUGGED;
}

/* The one in line comes in and is announced: cases 1, 2 and 3. */
static void admit(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_registers_set_presence(&slot->registers, TRUE);
	gboolean announced = hb_slot_registers_update_link(&slot->registers) &&
			     slot->registers.control & PCI_EXP_SLTCTL_DLLSCE;

	if (!hb_slot_registers_is_listening(&slot->registers))
		hb_slot_registers_set_power_indicator(&slot->registers, slot->registers.link_active
										? HB_INDICATOR_ON
										: HB_INDICATOR_OFF);
	else if (!announced && hb_slot_registers_can_press(&slot->registers))
		hb_slot_registers_raise(&slot->registers, PCI_EXP_SLTSTA_ABP);
	become_occupied(slot, result);
}

/* The one in line is simply there. */
static void admit_cold(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_registers_reset(&slot->registers, TRUE);
	become_occupied(slot, result);
}

/* The last occupant is history. While nobody listens an empty slot is as firmware leaves it. */
static void come_to_rest(HbSlot *slot, HbSlotResult *result)
{
	if (!hb_slot_registers_is_listening(&slot->registers))
		hb_slot_registers_reset_power(&slot->registers);
	if (slot->newcomer)
		admit(slot, result);
	else
		slot->state = HB_SLOT_STATE_EMPTY;
}

static void settle(HbSlot *slot, HbSlotResult *result)
{
	if (hb_slot_registers_is_settled(&slot->registers)) {
		come_to_rest(slot, result);
		return;
	}
	slot->state = HB_SLOT_STATE_SETTLING;
	if (!slot->registers.properties.indicators)
		result->actions |= HB_SLOT_ACTION_START_SETTLE_TIMER;
}

static void end_settling(HbSlot *slot, HbSlotResult *result)
{
	if (!slot->registers.properties.indicators)
		result->actions |= HB_SLOT_ACTION_STOP_TIMER;
	come_to_rest(slot, result);
}

static void sever(HbSlotResult *result, HbSlotReason reason)
{
	result->actions |=
		HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_RELEASE | HB_SLOT_ACTION_REPORT_SEVERED;
	result->actions &= ~(guint)HB_SLOT_ACTION_RESET; /* it does not get its power back here */
	result->reason = reason;
}

/* The occupant leaves. A press that the guest has not seen leaves with it. */
static void depart(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	gboolean haunts =
		reason == HB_SLOT_REASON_PULL && hb_slot_registers_is_in_use(&slot->registers);

	sever(result, reason);
	hb_slot_registers_write_status(&slot->registers, PCI_EXP_SLTSTA_ABP);
	hb_slot_registers_set_presence(&slot->registers, FALSE);
	hb_slot_registers_update_link(&slot->registers);
	if (haunts)
		slot->state = HB_SLOT_STATE_HAUNTED;
	else
		settle(slot, result);
}

/* The one in line leaves it, by either input. */
static void dismiss_newcomer(HbSlot *slot, HbSlotInput input, HbSlotResult *result)
{
	if (!slot->newcomer) {
		impossible(result);
		return;
	}
	slot->newcomer = FALSE;
	result->actions |= HB_SLOT_ACTION_SEVER_NEWCOMER | HB_SLOT_ACTION_RELEASE |
			   HB_SLOT_ACTION_REPORT_SEVERED;
	result->reason =
		input == HB_SLOT_INPUT_PULL_NEWCOMER ? HB_SLOT_REASON_PULL : HB_SLOT_REASON_REQUEST;
}

static void stand_in_line(HbSlot *slot, HbSlotResult *result)
{
	if (slot->newcomer)
		impossible(result);
	else
		slot->newcomer = TRUE;
}

static void press_for_removal(HbSlot *slot, HbSlotResult *result)
{
	hb_slot_registers_raise(&slot->registers, PCI_EXP_SLTSTA_ABP);
	slot->state = HB_SLOT_STATE_REMOVAL_REQUESTED;
	result->actions |= HB_SLOT_ACTION_START_REMOVAL_TIMER | HB_SLOT_ACTION_REPORT_REQUESTED;
}

static void end_removal(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	result->actions |= HB_SLOT_ACTION_STOP_TIMER;
	depart(slot, reason, result);
}

static void refuse_removal(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	hb_slot_registers_write_status(&slot->registers, PCI_EXP_SLTSTA_ABP);
	slot->state = HB_SLOT_STATE_ON;
	result->actions |= HB_SLOT_ACTION_STOP_TIMER | HB_SLOT_ACTION_REPORT_REFUSED;
	result->reason = reason;
}

/* Case 14 with a removal under way. */
static void reset_away(HbSlot *slot, HbSlotResult *result)
{
	result->actions |= HB_SLOT_ACTION_STOP_TIMER;
	sever(result, HB_SLOT_REASON_RESET);
	hb_slot_registers_reset(&slot->registers, FALSE);
	slot->state = HB_SLOT_STATE_EMPTY;
}

static void reset_unoccupied(HbSlot *slot, HbSlotResult *result)
{
	if (slot->newcomer) {
		admit_cold(slot, result);
	} else {
		hb_slot_registers_reset(&slot->registers, FALSE);
		slot->state = HB_SLOT_STATE_EMPTY;
	}
}

static void reset_occupied(HbSlot *slot)
{
	hb_slot_registers_reset(&slot->registers, TRUE);
	slot->state = HB_SLOT_STATE_ON;
}

/* One function a state. */

static void step_empty(HbSlot *slot, HbSlotInput input, Write write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_COLD_PLUG:
		admit_cold(slot, result);
		break;
	case HB_SLOT_INPUT_PLUG:
		if (hb_slot_registers_is_listening(&slot->registers) &&
		    hb_slot_registers_is_blinking(&slot->registers)) {
			slot->newcomer = TRUE;
			slot->state = HB_SLOT_STATE_SETTLING;
		} else {
			admit(slot, result);
		}
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		reset_unoccupied(slot, result);
		break;
	case HB_SLOT_INPUT_PULL:    /* the last occupant's second witness */
	case HB_SLOT_INPUT_TIMEOUT: /* fired as it was stopped */
		break;
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		impossible(result);
		break;
	}
}

static void step_off(HbSlot *slot, HbSlotInput input, Write write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
		depart(slot, HB_SLOT_REASON_REQUEST, result);
		break;
	case HB_SLOT_INPUT_PULL:
		depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		if (!hb_slot_registers_is_switched_off(&slot->registers))
			slot->state = HB_SLOT_STATE_ON;
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		reset_occupied(slot);
		break;
	case HB_SLOT_INPUT_TIMEOUT: /* fired as it was stopped */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_PLUG:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		impossible(result);
		break;
	}
}

static void step_on(HbSlot *slot, HbSlotInput input, Write write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
		if (!hb_slot_can_be_asked(slot)) {
			impossible(result);
		} else if (hb_slot_registers_can_press(&slot->registers)) {
			press_for_removal(slot, result);
		} else {
			slot->state = HB_SLOT_STATE_REMOVAL_WAITING;
			result->actions |= HB_SLOT_ACTION_START_REMOVAL_TIMER;
		}
		break;
	case HB_SLOT_INPUT_PULL:
		depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		if (hb_slot_registers_is_switched_off(&slot->registers))
			slot->state = HB_SLOT_STATE_OFF;
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		reset_occupied(slot);
		break;
	case HB_SLOT_INPUT_TIMEOUT: /* fired as it was stopped */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_PLUG:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		impossible(result);
		break;
	}
}

static void step_removal_waiting(HbSlot *slot, HbSlotInput input, Write write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_PULL:
		end_removal(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		if (hb_slot_registers_is_switched_off(&slot->registers))
			end_removal(slot, HB_SLOT_REASON_REQUEST, result);
		else if (hb_slot_registers_can_press(&slot->registers))
			press_for_removal(slot, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		reset_away(slot, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		refuse_removal(slot, HB_SLOT_REASON_TIMED_OUT, result);
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_PLUG:
	case HB_SLOT_INPUT_REQUEST_REMOVAL: /* one is under way */
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		impossible(result);
		break;
	}
}

static void step_removal_requested(HbSlot *slot, HbSlotInput input, Write write,
				   HbSlotResult *result)
{
	gboolean was_blinking = hb_slot_registers_is_blinking(&slot->registers);

	switch (input) {
	case HB_SLOT_INPUT_PULL:
		end_removal(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		if (hb_slot_registers_is_switched_off(&slot->registers))
			end_removal(slot, HB_SLOT_REASON_REQUEST, result);
		else if (was_blinking &&
			 hb_slot_registers_get_power_indicator(&slot->registers) == HB_INDICATOR_ON)
			refuse_removal(slot, HB_SLOT_REASON_CANCELLED, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		reset_away(slot, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		refuse_removal(slot, HB_SLOT_REASON_TIMED_OUT, result);
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_PLUG:
	case HB_SLOT_INPUT_REQUEST_REMOVAL: /* one is under way */
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		impossible(result);
		break;
	}
}

static void step_haunted(HbSlot *slot, HbSlotInput input, Write write, HbSlotResult *result)
{
	gboolean was_blinking = hb_slot_registers_is_blinking(&slot->registers);

	switch (input) {
	case HB_SLOT_INPUT_PLUG:
		stand_in_line(slot, result);
		break;
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		dismiss_newcomer(slot, input, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		if (hb_slot_registers_is_acknowledged(&slot->registers))
			settle(slot, result);
		else if (was_blinking &&
			 hb_slot_registers_get_power_indicator(&slot->registers) == HB_INDICATOR_ON)
			hb_slot_registers_raise(&slot->registers,
						PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		if (hb_slot_registers_is_acknowledged(&slot->registers))
			settle(slot, result);
		break;
	case HB_SLOT_INPUT_RESET:
		reset_unoccupied(slot, result);
		break;
	case HB_SLOT_INPUT_PULL:    /* a second witness */
	case HB_SLOT_INPUT_TIMEOUT: /* fired as it was stopped */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
		impossible(result);
		break;
	}
}

static void step_settling(HbSlot *slot, HbSlotInput input, Write write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_PLUG:
		stand_in_line(slot, result);
		break;
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
		dismiss_newcomer(slot, input, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		write_control(slot, write, result);
		if (hb_slot_registers_is_settled(&slot->registers))
			end_settling(slot, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		if (!slot->registers.properties.indicators)
			result->actions |= HB_SLOT_ACTION_STOP_TIMER;
		reset_unoccupied(slot, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		if (!slot->registers.properties.indicators)
			end_settling(slot, result);
		break;
	case HB_SLOT_INPUT_PULL: /* a second witness */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
		impossible(result);
		break;
	}
}

HbSlotResult hb_slot_step(HbSlot *slot, HbSlotInput input, guint16 value, guint16 mask)
{
	static void (*const steps[])(HbSlot *, HbSlotInput, Write, HbSlotResult *) = {
		[HB_SLOT_STATE_EMPTY] = step_empty,
		[HB_SLOT_STATE_OFF] = step_off,
		[HB_SLOT_STATE_ON] = step_on,
		[HB_SLOT_STATE_REMOVAL_WAITING] = step_removal_waiting,
		[HB_SLOT_STATE_REMOVAL_REQUESTED] = step_removal_requested,
		[HB_SLOT_STATE_HAUNTED] = step_haunted,
		[HB_SLOT_STATE_SETTLING] = step_settling,
	};
	HbSlotResult result = { 0 };
	guint16 indicators = slot->registers.control & (PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC);

	steps[slot->state](slot, input, (Write){ value, mask }, &result);

	look_at_interrupt(slot, &result);
	if (indicators != (slot->registers.control & (PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC)))
		result.actions |= HB_SLOT_ACTION_REPORT_INDICATORS;
	return result;
}

void hb_slot_init(HbSlot *slot, const HbSlotProperties *properties)
{
	*slot = (HbSlot){ .registers.properties = *properties, .state = HB_SLOT_STATE_EMPTY };
	if (!properties->hotplug)
		slot->registers.properties = (HbSlotProperties){ .number = properties->number };
	hb_slot_registers_reset(&slot->registers, FALSE);
}

gboolean hb_slot_is_removal_pending(const HbSlot *slot)
{
	return slot->state == HB_SLOT_STATE_REMOVAL_WAITING ||
	       slot->state == HB_SLOT_STATE_REMOVAL_REQUESTED;
}

gboolean hb_slot_can_be_asked(const HbSlot *slot)
{
	return slot->registers.properties.attention_button &&
	       (slot->registers.properties.power_controller ||
		slot->registers.properties.indicators);
}
