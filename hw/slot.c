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
 *    An occupant that came while nobody listened is unmet: the guest may have passed its bus
 * before, and takes a press for the wish to add it. Then the end of that blink is no answer, and
 * the button is pressed again.
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
 *     A guest that never says so has HAUNTED's time, then who is in line comes in unacknowledged;
 * so too in SETTLING. Should it bury the old one later, it switches the new one off with it: that
 *     is recalled, which is to say announced once more (recall).
 *
 * 12. The guest switches power off by its own hand, or its indicator: OFF, and the occupant stays.
 *     With its power it loses its state (RESET). A locked slot recalls it as soon as the guest is
 *     done with switching off.
 *
 *    PIC        on    |off         |blink    |on
 *    notify            E  (locked)
 *    state      ON |OFF            |ON
 *
 * 13. Plug while the indicator of an empty slot blinks: SETTLING, as after 5.
 *
 * 14. A reset of the port: registers as firmware leaves them; a removal under way is complete
 *     (RESET), a haunted or settling slot is not any more, and who is in line is simply there.
 *
 * 15. The guest stops listening (HPIE=0) in HAUNTED or SETTLING: over, since nobody will say so.
 *
 * 16. The guest deserts the slot: HPIE and all event enables are 0, as before a kexec. An occupant
 *     is left as firmware leaves it, whatever its indicator showed, and a removal that the old
 *     kernel was asked for waits for the next, as in 6.
 *
 *    enables    --------\_________/------
 *    press         v                v
 *    PIC        on    |on   (was blinking)
 *    state      REM._R. |REM._WAITING |REM._REQUESTED
 *
 * 17. A removal that is insisted on is never REFUSED: where it would be, it is a pull (ESCALATED).
 *
 * What firmware leaves, at first and after a reset: an occupied slot is powered with its power
 * indicator on; an empty one is off in both. Linux believes an indicator that it finds, and an
 * empty slot that is powered would not be powered on again by an add.
 *
 * Invariants: link active => presence. One ending for each request. SEVER before RELEASE, each once
 * for each occupant. No press in a blink. Nobody is admitted while haunted, but by its time-out.
 * NOTIFY exactly when HPIE && (an event && its enable) becomes true (PCIe r6.0 §6.7.3.4).
 */

#include "hw/slot.h"

#include "hw/slot-moves.h"

#include <linux/pci_regs.h>

/* One function a state. */

static void step_empty(HbSlot *slot, HbSlotInput input, HbSlotWrite write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_COLD_PLUG:
		hb_slot_moves_admit_cold(slot, result);
		break;
	case HB_SLOT_INPUT_PLUG:
		if (hb_slot_registers_is_listening(&slot->registers) &&
		    hb_slot_registers_is_blinking(&slot->registers)) {
			hb_slot_moves_stand_in_line(slot, result);
			slot->state = HB_SLOT_STATE_SETTLING;
		} else {
			hb_slot_moves_admit(slot, result);
		}
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		hb_slot_moves_write_control(slot, write, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		hb_slot_moves_write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		hb_slot_moves_reset_vacant(slot, result);
		break;
	case HB_SLOT_INPUT_PULL:    /* the last occupant's second witness */
	case HB_SLOT_INPUT_TIMEOUT: /* fired as it was stopped */
		break;
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
	case HB_SLOT_INPUT_DISMISS_NEWCOMER:
	case HB_SLOT_INPUT_INSIST:
		hb_slot_moves_impossible(result);
		break;
	}
}

static void step_off(HbSlot *slot, HbSlotInput input, HbSlotWrite write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
		hb_slot_moves_depart(slot, HB_SLOT_REASON_REQUEST, result);
		break;
	case HB_SLOT_INPUT_PULL:
		hb_slot_moves_depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		hb_slot_moves_write_control(slot, write, result);
		if (!hb_slot_registers_is_switched_off(&slot->registers))
			slot->state = HB_SLOT_STATE_ON;
		else if (hb_slot_registers_is_settled(&slot->registers))
			hb_slot_moves_recall(slot);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		hb_slot_moves_write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		hb_slot_moves_reset_occupied(slot);
		break;
	case HB_SLOT_INPUT_TIMEOUT: /* of the rest, or fired as it was stopped */
		if (!slot->registers.properties.indicators)
			hb_slot_moves_recall(slot);
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_PLUG:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
	case HB_SLOT_INPUT_DISMISS_NEWCOMER:
	case HB_SLOT_INPUT_INSIST:
		hb_slot_moves_impossible(result);
		break;
	}
}

static void request_removal(HbSlot *slot, HbSlotResult *result)
{
	if (!hb_slot_can_be_asked(slot))
		hb_slot_moves_impossible(result);
	else if (hb_slot_registers_can_press(&slot->registers))
		hb_slot_moves_press_for_removal(slot, result);
	else
		hb_slot_moves_wait_for_removal(slot, result);
}

static void step_on(HbSlot *slot, HbSlotInput input, HbSlotWrite write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
		request_removal(slot, result);
		break;
	case HB_SLOT_INPUT_PULL:
		hb_slot_moves_depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		hb_slot_moves_write_control(slot, write, result);
		if (hb_slot_registers_is_switched_off(&slot->registers))
			hb_slot_moves_switch_off(slot);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		hb_slot_moves_write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		hb_slot_moves_reset_occupied(slot);
		break;
	case HB_SLOT_INPUT_TIMEOUT: /* fired as it was stopped */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_PLUG:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
	case HB_SLOT_INPUT_DISMISS_NEWCOMER:
	case HB_SLOT_INPUT_INSIST:
		hb_slot_moves_impossible(result);
		break;
	}
}

/* What the guest's answer is, in both states of a removal. */
static void control_in_removal(HbSlot *slot, HbSlotWrite write, HbSlotResult *result)
{
	HbSlotRegisters *registers = &slot->registers;
	gboolean was_requested = slot->state == HB_SLOT_STATE_REMOVAL_REQUESTED;
	gboolean was_blinking = hb_slot_registers_is_blinking(registers);
	gboolean was_unmet = slot->unmet;

	hb_slot_moves_write_control(slot, write, result);
	gboolean relit =
		was_blinking && hb_slot_registers_get_power_indicator(registers) == HB_INDICATOR_ON;

	if (hb_slot_registers_is_switched_off(registers)) {
		hb_slot_moves_depart(slot, HB_SLOT_REASON_REQUEST, result);
	} else if (was_requested && hb_slot_registers_is_deserted(registers)) {
		hb_slot_registers_write_status(registers, PCI_EXP_SLTSTA_ABP);
		hb_slot_moves_wait_for_removal(slot, result);
	} else if (was_requested && relit && !was_unmet) {
		hb_slot_moves_refuse_removal(slot, HB_SLOT_REASON_CANCELLED, result);
	} else if (was_requested && !relit) {
		return; /* no answer yet */
	} else if (hb_slot_registers_can_press(registers)) {
		hb_slot_moves_press_for_removal(slot, result);
	} else if (was_requested) {
		hb_slot_moves_wait_for_removal(slot, result);
	}
}

/* REMOVAL_WAITING and REMOVAL_REQUESTED differ in what the guest's commands mean. */
static void step_removal(HbSlot *slot, HbSlotInput input, HbSlotWrite write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_PLUG:
		hb_slot_moves_stand_in_line(slot, result);
		break;
	case HB_SLOT_INPUT_PULL_NEWCOMER:
	case HB_SLOT_INPUT_DISMISS_NEWCOMER:
		hb_slot_moves_dismiss(slot, input, result);
		break;
	case HB_SLOT_INPUT_INSIST:
		slot->insists = TRUE;
		break;
	case HB_SLOT_INPUT_PULL:
		hb_slot_moves_depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		control_in_removal(slot, write, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		hb_slot_moves_write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		hb_slot_moves_reset_away(slot, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		hb_slot_moves_refuse_removal(slot, HB_SLOT_REASON_TIMED_OUT, result);
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_REQUEST_REMOVAL: /* one is under way */
		hb_slot_moves_impossible(result);
		break;
	}
}

static void control_in_haunted(HbSlot *slot, HbSlotWrite write, HbSlotResult *result)
{
	gboolean was_blinking = hb_slot_registers_is_blinking(&slot->registers);

	hb_slot_moves_write_control(slot, write, result);
	if (hb_slot_registers_is_acknowledged(&slot->registers))
		hb_slot_moves_settle(slot, result);
	else if (was_blinking &&
		 hb_slot_registers_get_power_indicator(&slot->registers) == HB_INDICATOR_ON)
		hb_slot_registers_raise(&slot->registers,
					PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
}

static void step_haunted(HbSlot *slot, HbSlotInput input, HbSlotWrite write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_PLUG:
		hb_slot_moves_stand_in_line(slot, result);
		break;
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
	case HB_SLOT_INPUT_DISMISS_NEWCOMER:
		hb_slot_moves_dismiss(slot, input, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		control_in_haunted(slot, write, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		hb_slot_moves_write_status(slot, write, result);
		if (hb_slot_registers_is_acknowledged(&slot->registers))
			hb_slot_moves_settle(slot, result);
		break;
	case HB_SLOT_INPUT_RESET:
		hb_slot_moves_reset_vacant(slot, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		hb_slot_moves_stop_waiting(slot, result);
		break;
	case HB_SLOT_INPUT_PULL: /* a second witness */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_INSIST:
		hb_slot_moves_impossible(result);
		break;
	}
}

static void step_settling(HbSlot *slot, HbSlotInput input, HbSlotWrite write, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_PLUG:
		hb_slot_moves_stand_in_line(slot, result);
		break;
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
	case HB_SLOT_INPUT_PULL_NEWCOMER:
	case HB_SLOT_INPUT_DISMISS_NEWCOMER:
		hb_slot_moves_dismiss(slot, input, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		hb_slot_moves_write_control(slot, write, result);
		if (hb_slot_registers_is_settled(&slot->registers))
			hb_slot_moves_come_to_rest(slot, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		hb_slot_moves_write_status(slot, write, result);
		break;
	case HB_SLOT_INPUT_RESET:
		hb_slot_moves_reset_vacant(slot, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		if (slot->registers.properties.indicators)
			hb_slot_moves_stop_waiting(slot, result);
		else
			hb_slot_moves_come_to_rest(slot, result);
		break;
	case HB_SLOT_INPUT_PULL: /* a second witness */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_INSIST:
		hb_slot_moves_impossible(result);
		break;
	}
}

/* What each state waits for at most: the action that starts its timer, 0 for none. */
static guint get_timer(const HbSlot *slot)
{
	gboolean rests = !slot->registers.properties.indicators; /* for a fixed time */

	switch (slot->state) {
	case HB_SLOT_STATE_REMOVAL_WAITING:
	case HB_SLOT_STATE_REMOVAL_REQUESTED:
		return HB_SLOT_ACTION_START_REMOVAL_TIMER;
	case HB_SLOT_STATE_HAUNTED:
		return HB_SLOT_ACTION_START_HAUNT_TIMER;
	case HB_SLOT_STATE_SETTLING:
		return rests ? HB_SLOT_ACTION_START_SETTLE_TIMER : HB_SLOT_ACTION_START_HAUNT_TIMER;
	case HB_SLOT_STATE_OFF:
		return rests && slot->recall ? HB_SLOT_ACTION_START_SETTLE_TIMER : 0;
	case HB_SLOT_STATE_EMPTY:
	case HB_SLOT_STATE_ON:
		return 0;
	}
	return 0;
}

/* The guest has taken its occupant up: it knows it now. */
static void look_at_meeting(HbSlot *slot, const HbSlot *before)
{
	if (!hb_slot_registers_is_listening(&slot->registers) ||
	    hb_slot_registers_is_switched_off(&slot->registers) ||
	    !hb_slot_registers_is_blinking(&before->registers) ||
	    hb_slot_registers_get_power_indicator(&slot->registers) != HB_INDICATOR_ON)
		return;
	slot->unmet = FALSE;
	slot->recall = FALSE;
}

static void say_what_changed(const HbSlot *before, const HbSlot *after, HbSlotResult *result)
{
	guint16 shown = PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC;
	guint was_running = get_timer(before);
	guint running = get_timer(after);

	if ((before->registers.control ^ after->registers.control) & shown)
		result->actions |= HB_SLOT_ACTION_REPORT_INDICATORS;
	if (running == was_running)
		return;
	result->actions |= running | (was_running ? HB_SLOT_ACTION_STOP_TIMER : 0);
}

HbSlotResult hb_slot_step(HbSlot *slot, HbSlotInput input, guint16 value, guint16 mask)
{
	static void (*const steps[])(HbSlot *, HbSlotInput, HbSlotWrite, HbSlotResult *) = {
		[HB_SLOT_STATE_EMPTY] = step_empty,
		[HB_SLOT_STATE_OFF] = step_off,
		[HB_SLOT_STATE_ON] = step_on,
		[HB_SLOT_STATE_REMOVAL_WAITING] = step_removal,
		[HB_SLOT_STATE_REMOVAL_REQUESTED] = step_removal,
		[HB_SLOT_STATE_HAUNTED] = step_haunted,
		[HB_SLOT_STATE_SETTLING] = step_settling,
	};
	HbSlotResult result = { 0 };
	HbSlot before = *slot;

	steps[slot->state](slot, input, (HbSlotWrite){ value, mask }, &result);

	hb_slot_moves_look_at_interrupt(slot, &result);
	if (input == HB_SLOT_INPUT_CONTROL_WRITTEN)
		look_at_meeting(slot, &before);
	say_what_changed(&before, slot, &result);
	return result;
}

void hb_slot_init(HbSlot *slot, const HbSlotProperties *properties)
{
	*slot = (HbSlot){ .registers.properties = *properties, .state = HB_SLOT_STATE_EMPTY };
	if (!properties->hotplug)
		slot->registers.properties = (HbSlotProperties){
			.number = properties->number,
			.power_limit = properties->power_limit,
		};
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
