/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The slot in ACPI mode. Drawn as in hw/slot.c; "c" and "e" are the events CHECK and EJECT, pending
 * while the line is up: each asserts the GPE until the guest takes it, so none is lost, and none
 * comes twice. Present is what _STA says, and whether configuration space answers.
 *
 * No event is shown before the operating system has started (START). Linux enables its GPEs before
 * it knows the devices that notifications are for, and answers such a notification with a failure
 * (drivers/acpi/scan.c, 6.1, acpi_scan_init(); drivers/acpi/bus.c, acpi_bus_notify()).
 *
 * 1. Plug. The guest looks at the slot whenever it can.
 *
 *    present    ___/------------------
 *    c          ___/--\_______________
 *    state      EMPTY |ON
 *
 * 2. Orderly removal: complete when the guest calls _EJ0. There is nothing to wait for. A newcomer
 *    that stands in line meanwhile comes in then.
 *
 *    asked          v
 *    e          ____/--\______________
 *    _EJ0                      v
 *    present    ---------------\______
 *    state      ON |REMOVAL_   |REMOVAL_   |EMPTY
 *                   WAITING     REQUESTED
 *
 * 3. The guest calls _OST with a failure (ACPI r6.5 §6.3.5) in REMOVAL_REQUESTED: ON,
 *    REFUSED(REFUSED). It does not answer: ON, REFUSED(TIMED_OUT); an event that it has not
 *    taken is taken back. If it comes to call _EJ0 after that, it is as in 5. A removal that is
 *    insisted on is never refused: where it would be, it is a pull (ESCALATED).
 *
 * 4. Pull. The guest is told both to look and to let go: a guest that takes only one of them for
 *    the loss of a device still learns of it, and _EJ0 says that it is done with the old one. Until
 *    then the slot is haunted, and a newcomer waits in line. A look is not enough: Linux compares
 *    what is there with what it had (drivers/pci/hotplug/acpiphp_glue.c, 6.1,
 *    acpiphp_check_bridge()), and a newcomer would pass for the drive that left.
 *
 *    present    ------\__________/------
 *    e          ______/--\______________
 *    c          ______/----\_____/--\___
 *    _EJ0                        v
 *    newcomer           plug     admitted
 *    state      ON    |HAUNTED   |ON
 *
 *    A guest that never calls it has HAUNTED's time, then who is in line comes in unacknowledged.
 *    Should it bury the old one later, it lets go of the new one with it: that is recalled, as
 *    in 5.
 *
 * 5. The guest calls _EJ0 by its own hand: OFF. The occupant stays, visible but without decoding
 *    and bus mastering (RESET), so that the guest can find and enable it again (USE): ON. A locked
 *    slot recalls it: the guest is told to look at once.
 *
 * 6. Removal or pull when it is OFF: gone at once, without asking. The guest may be about to find
 *    it again, so it is told as in 4.
 *
 * 7. A new operating system comes (STOP) without a reset of the machine, as by kexec: it has not
 *    seen who left, so a haunted slot is not any more; and a removal that its predecessor was asked
 *    for is asked for again. That is still one request, and told to the operator once.
 *
 * 8. Pull while no operating system has started: nobody has seen it, and nobody is told.
 *
 * 9. A reset: as in hw/slot.c, case 14.
 *
 * Methods called out of turn (_EJ0 of an empty slot, _OST that nobody waits for) change nothing.
 *
 * Invariants: present = link active. One ending for each request. SEVER before RELEASE, each once
 * for each occupant. Nobody is admitted while haunted, but by its time-out. NOTIFY exactly when the
 * first event is shown.
 */

#include "hw/acpi-slot.h"

#include "hw/slot-moves.h"

/* ACPI r6.5 §6.3.5, source events */
#define SOURCE_EJECT_REQUEST	 0x003
#define SOURCE_EJECT_BY_OPERATOR 0x103
/* and status codes; all others for these sources are failures */
#define STATUS_SUCCESS	   0x00
#define STATUS_IN_PROGRESS 0x84

gboolean hb_acpi_slot_is_denial(guint source, guint status)
{
	return (source == SOURCE_EJECT_REQUEST || source == SOURCE_EJECT_BY_OPERATOR) &&
	       status != STATUS_SUCCESS && status != STATUS_IN_PROGRESS;
}

/* Moving from state to state; what is the same in both modes is in hw/slot-moves.c. */

static void set_present(HbSlot *slot, gboolean present)
{
	hb_slot_registers_set_presence(&slot->registers, present);
	hb_slot_registers_update_link(&slot->registers);
}

static void admit(HbSlot *slot, guint8 events, HbSlotResult *result)
{
	set_present(slot, TRUE);
	slot->state = HB_SLOT_STATE_ON;
	slot->events = events;
	slot->newcomer = FALSE;
	result->actions |= HB_SLOT_ACTION_ADMIT | HB_SLOT_ACTION_REPORT_PLUGGED;
}

/* The last occupant is history. @events: with which a newcomer is announced. */
static void come_to_rest(HbSlot *slot, guint8 events, HbSlotResult *result)
{
	slot->state = HB_SLOT_STATE_EMPTY;
	slot->events = 0;
	if (slot->newcomer)
		admit(slot, events, result);
}

static void stop_waiting(HbSlot *slot, HbSlotResult *result)
{
	slot->recall = slot->newcomer;
	if (slot->newcomer)
		result->reason = HB_SLOT_REASON_UNACKNOWLEDGED;
	come_to_rest(slot, HB_ACPI_SLOT_CHECK, result);
}

static void sever(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	set_present(slot, FALSE);
	hb_slot_moves_sever(slot, reason, result);
}

/* The occupant leaves, and not by the guest's hand: cases 4, 6 and 8. */
static void depart(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	sever(slot, reason, result);
	if (!slot->started) {
		come_to_rest(slot, HB_ACPI_SLOT_CHECK, result);
		return;
	}
	slot->state = HB_SLOT_STATE_HAUNTED;
	slot->events = HB_ACPI_SLOT_EJECT | HB_ACPI_SLOT_CHECK;
}

/* A guest that is not up yet cannot be asked yet. */
static void request_removal(HbSlot *slot, HbSlotResult *result)
{
	slot->events |= HB_ACPI_SLOT_EJECT;
	slot->state = HB_SLOT_STATE_REMOVAL_WAITING;
	if (!slot->started)
		result->actions |= HB_SLOT_ACTION_REPORT_REMOVAL_WAITING;
}

static void end_removal(HbSlot *slot, HbSlotResult *result)
{
	sever(slot, HB_SLOT_REASON_REQUEST, result);
	come_to_rest(slot, HB_ACPI_SLOT_CHECK, result);
}

static void refuse_removal(HbSlot *slot, HbSlotReason reason, HbSlotResult *result)
{
	if (slot->insists) {
		depart(slot, HB_SLOT_REASON_ESCALATED, result);
		return;
	}
	slot->events &= (guint8)~HB_ACPI_SLOT_EJECT;
	slot->state = HB_SLOT_STATE_ON;
	result->actions |= HB_SLOT_ACTION_REPORT_REFUSED;
	result->reason = reason;
	hb_slot_moves_refuse_newcomer(slot, result);
}

static void let_go(HbSlot *slot, HbSlotResult *result)
{
	slot->state = HB_SLOT_STATE_OFF;
	result->actions |= HB_SLOT_ACTION_RESET;
	if (slot->recall || slot->registers.properties.locked)
		slot->events |= HB_ACPI_SLOT_CHECK;
	slot->recall = FALSE;
}

static void reset_occupied(HbSlot *slot)
{
	slot->state = HB_SLOT_STATE_ON;
	slot->events = 0;
	slot->recall = FALSE;
}

/* One function a state. What is the same in all of them, hb_acpi_slot_step() has done. */

static void step_empty(HbSlot *slot, HbSlotInput input, guint16 value, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_COLD_PLUG:
		admit(slot, 0, result);
		break;
	case HB_SLOT_INPUT_PLUG:
		admit(slot, HB_ACPI_SLOT_CHECK, result);
		break;
	case HB_SLOT_INPUT_RESET:
		come_to_rest(slot, 0, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
	case HB_SLOT_INPUT_STATUS_WRITTEN:
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

static void step_off(HbSlot *slot, HbSlotInput input, guint16 value, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
		depart(slot, HB_SLOT_REASON_REQUEST, result);
		break;
	case HB_SLOT_INPUT_PULL:
		depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		if (value == HB_ACPI_SLOT_USE || value == HB_ACPI_SLOT_STOP)
			slot->state = HB_SLOT_STATE_ON;
		break;
	case HB_SLOT_INPUT_RESET:
		reset_occupied(slot);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
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

static void step_on(HbSlot *slot, HbSlotInput input, guint16 value, HbSlotResult *result)
{
	switch (input) {
	case HB_SLOT_INPUT_REQUEST_REMOVAL:
		request_removal(slot, result);
		break;
	case HB_SLOT_INPUT_PULL:
		depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		if (value == HB_ACPI_SLOT_EJ0)
			let_go(slot, result);
		else if (value == HB_ACPI_SLOT_STOP)
			slot->recall = FALSE;
		break;
	case HB_SLOT_INPUT_RESET:
		reset_occupied(slot);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
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

/* The guest's answers; those to a request that it has not seen were meant for an earlier one. */
static void answer(HbSlot *slot, guint16 value, HbSlotResult *result)
{
	if (value == HB_ACPI_SLOT_EJ0)
		end_removal(slot, result);
	else if (value == HB_ACPI_SLOT_DENY && slot->state == HB_SLOT_STATE_REMOVAL_REQUESTED)
		refuse_removal(slot, HB_SLOT_REASON_REFUSED, result);
	else if (value == HB_ACPI_SLOT_STOP)
		slot->events |= HB_ACPI_SLOT_EJECT;
}

static void step_removing(HbSlot *slot, HbSlotInput input, guint16 value, HbSlotResult *result)
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
		depart(slot, HB_SLOT_REASON_PULL, result);
		break;
	case HB_SLOT_INPUT_CONTROL_WRITTEN:
		answer(slot, value, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
		if (slot->state == HB_SLOT_STATE_REMOVAL_WAITING && value & HB_ACPI_SLOT_EJECT) {
			slot->state = HB_SLOT_STATE_REMOVAL_REQUESTED;
			result->actions |= HB_SLOT_ACTION_REPORT_REQUESTED;
		}
		break;
	case HB_SLOT_INPUT_RESET:
		sever(slot, HB_SLOT_REASON_RESET, result);
		come_to_rest(slot, 0, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		refuse_removal(slot, HB_SLOT_REASON_TIMED_OUT, result);
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_REQUEST_REMOVAL: /* one is under way */
		hb_slot_moves_impossible(result);
		break;
	}
}

static void step_haunted(HbSlot *slot, HbSlotInput input, guint16 value, HbSlotResult *result)
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
		if (value == HB_ACPI_SLOT_EJ0 || value == HB_ACPI_SLOT_STOP)
			come_to_rest(slot, HB_ACPI_SLOT_CHECK, result);
		break;
	case HB_SLOT_INPUT_RESET:
		come_to_rest(slot, 0, result);
		break;
	case HB_SLOT_INPUT_TIMEOUT:
		stop_waiting(slot, result);
		break;
	case HB_SLOT_INPUT_STATUS_WRITTEN:
	case HB_SLOT_INPUT_PULL: /* a second witness */
		break;
	case HB_SLOT_INPUT_COLD_PLUG:
	case HB_SLOT_INPUT_INSIST:
		hb_slot_moves_impossible(result);
		break;
	}
}

/* What any input does to the slot, wherever it is. */
static void listen(HbSlot *slot, HbSlotInput input, guint16 value)
{
	gboolean command = input == HB_SLOT_INPUT_CONTROL_WRITTEN;

	if (input == HB_SLOT_INPUT_STATUS_WRITTEN)
		slot->events &= (guint8)~value;
	else if (input == HB_SLOT_INPUT_RESET || (command && value == HB_ACPI_SLOT_STOP))
		slot->started = FALSE;
	else if (command && value == HB_ACPI_SLOT_START)
		slot->started = TRUE;
}

/* What each state waits for at most: the action that starts its timer, 0 for none. */
static guint get_timer(const HbSlot *slot)
{
	if (hb_slot_is_removal_pending(slot))
		return HB_SLOT_ACTION_START_REMOVAL_TIMER;
	return slot->state == HB_SLOT_STATE_HAUNTED ? HB_SLOT_ACTION_START_HAUNT_TIMER : 0;
}

static void say_what_changed(const HbSlot *before, HbSlot *after, HbSlotResult *result)
{
	guint was_running = get_timer(before);
	guint running = get_timer(after);

	after->asserted = after->started && after->events;
	if (after->asserted && !before->asserted)
		result->actions |= HB_SLOT_ACTION_NOTIFY;
	if (running != was_running)
		result->actions |= running | (was_running ? HB_SLOT_ACTION_STOP_TIMER : 0);
}

HbSlotResult hb_acpi_slot_step(HbSlot *slot, HbSlotInput input, guint16 value, guint16 mask)
{
	static void (*const steps[HB_SLOT_N_STATES])(HbSlot *, HbSlotInput, guint16,
						     HbSlotResult *) = {
		[HB_SLOT_STATE_EMPTY] = step_empty,
		[HB_SLOT_STATE_OFF] = step_off,
		[HB_SLOT_STATE_ON] = step_on,
		[HB_SLOT_STATE_REMOVAL_WAITING] = step_removing,
		[HB_SLOT_STATE_REMOVAL_REQUESTED] = step_removing,
		[HB_SLOT_STATE_HAUNTED] = step_haunted,
		[HB_SLOT_STATE_SETTLING] = step_haunted, /* never: _EJ0 is all that it takes */
	};
	HbSlotResult result = { 0 };
	HbSlot before = *slot;

	listen(slot, input, value);
	steps[slot->state](slot, input, value, &result);
	say_what_changed(&before, slot, &result);
	return result;
}

/* Its registers are those of a slot without hot-plug: no native driver takes it for its own. */
void hb_acpi_slot_init(HbSlot *slot, const HbSlotProperties *properties)
{
	*slot = (HbSlot){
		.state = HB_SLOT_STATE_EMPTY,
		.registers.properties = { .number = properties->number,
					  .power_limit = properties->power_limit,
					  .locked = properties->locked },
	};
	hb_slot_registers_reset(&slot->registers, FALSE);
}
