/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The slot's words: how its states, inputs, reasons, failures and indicators are written. */

#include "hw/slot.h"

static const char *get_name(const char *const *names, guint n, guint index)
{
	return index < n ? names[index] : "(unknown)";
}

const char *hb_slot_state_to_str(HbSlotState state)
{
	static const char *const names[] = {
		[HB_SLOT_STATE_EMPTY] = "EMPTY",
		[HB_SLOT_STATE_OFF] = "OFF",
		[HB_SLOT_STATE_ON] = "ON",
		[HB_SLOT_STATE_REMOVAL_WAITING] = "REMOVAL_WAITING",
		[HB_SLOT_STATE_REMOVAL_REQUESTED] = "REMOVAL_REQUESTED",
		[HB_SLOT_STATE_HAUNTED] = "HAUNTED",
		[HB_SLOT_STATE_SETTLING] = "SETTLING",
	};

	return get_name(names, G_N_ELEMENTS(names), state);
}

const char *hb_slot_input_to_str(HbSlotInput input)
{
	static const char *const names[] = {
		[HB_SLOT_INPUT_COLD_PLUG] = "COLD_PLUG",
		[HB_SLOT_INPUT_PLUG] = "PLUG",
		[HB_SLOT_INPUT_REQUEST_REMOVAL] = "REQUEST_REMOVAL",
		[HB_SLOT_INPUT_PULL] = "PULL",
		[HB_SLOT_INPUT_PULL_NEWCOMER] = "PULL_NEWCOMER",
		[HB_SLOT_INPUT_CONTROL_WRITTEN] = "CONTROL_WRITTEN",
		[HB_SLOT_INPUT_STATUS_WRITTEN] = "STATUS_WRITTEN",
		[HB_SLOT_INPUT_RESET] = "RESET",
		[HB_SLOT_INPUT_TIMEOUT] = "TIMEOUT",
		[HB_SLOT_INPUT_INSIST] = "INSIST",
		[HB_SLOT_INPUT_DISMISS_NEWCOMER] = "DISMISS_NEWCOMER",
	};

	return get_name(names, G_N_ELEMENTS(names), input);
}

const char *hb_slot_reason_to_str(HbSlotReason reason)
{
	static const char *const names[] = {
		[HB_SLOT_REASON_NONE] = "NONE",
		[HB_SLOT_REASON_REQUEST] = "REQUEST",
		[HB_SLOT_REASON_PULL] = "PULL",
		[HB_SLOT_REASON_RESET] = "RESET",
		[HB_SLOT_REASON_CANCELLED] = "CANCELLED",
		[HB_SLOT_REASON_TIMED_OUT] = "TIMED_OUT",
		[HB_SLOT_REASON_ESCALATED] = "ESCALATED",
		[HB_SLOT_REASON_COMMAND] = "COMMAND",
		[HB_SLOT_REASON_SHUTDOWN] = "SHUTDOWN",
		[HB_SLOT_REASON_OCCUPIED] = "OCCUPIED",
		[HB_SLOT_REASON_UNACKNOWLEDGED] = "UNACKNOWLEDGED",
		[HB_SLOT_REASON_ERROR] = "ERROR",
		[HB_SLOT_REASON_REFUSED] = "REFUSED",
	};

	return get_name(names, G_N_ELEMENTS(names), reason);
}

const char *hb_port_failure_to_str(HbPortFailure failure)
{
	static const char *const names[] = {
		[HB_PORT_FAILURE_INTERNAL] = "INTERNAL",
		[HB_PORT_FAILURE_SILENT] = "SILENT",
	};

	return get_name(names, G_N_ELEMENTS(names), failure);
}

const char *hb_indicator_to_str(HbIndicator indicator)
{
	static const char *const names[] = {
		[HB_INDICATOR_RESERVED] = "reserved",
		[HB_INDICATOR_ON] = "on",
		[HB_INDICATOR_BLINK] = "blink",
		[HB_INDICATOR_OFF] = "off",
	};

	return get_name(names, G_N_ELEMENTS(names), indicator);
}
