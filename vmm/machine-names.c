/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The names of a machine's states and of what ended or reset it, as QMP has them. */

#include "vmm/machine.h"

const char *hb_run_state_to_str(HbRunState state)
{
	static const char *const names[] = { "prelaunch", "running", "paused", "shutdown",
					     "internal-error" };

	return names[state];
}

static const struct {
	const char *name;
	gboolean guest;
} causes[] = {
	[HB_CAUSE_HOST_ERROR] = { "host-error", FALSE },
	[HB_CAUSE_HOST_QMP_QUIT] = { "host-qmp-quit", FALSE },
	[HB_CAUSE_HOST_QMP_SYSTEM_RESET] = { "host-qmp-system-reset", FALSE },
	[HB_CAUSE_HOST_SIGNAL] = { "host-signal", FALSE },
	[HB_CAUSE_GUEST_SHUTDOWN] = { "guest-shutdown", TRUE },
	[HB_CAUSE_GUEST_RESET] = { "guest-reset", TRUE },
};

const char *hb_cause_to_str(HbCause cause)
{
	return causes[cause].name;
}

gboolean hb_cause_is_guest(HbCause cause)
{
	return causes[cause].guest;
}
