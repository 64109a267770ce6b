/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_REMOVAL_H
#define CTL_REMOVAL_H

#include "ctl/command.h"
#include "ctl/monitor.h"

/**
 * HbRemovalEnd:
 * @HB_REMOVAL_RELEASED: the host has the drive back
 * @HB_REMOVAL_REFUSED: the guest said no
 * @HB_REMOVAL_LATE: the time is up; the drive may still be released later
 * @HB_REMOVAL_FAILED: with an error: the VM is not there any more
 */
typedef enum HbRemovalEnd {
	HB_REMOVAL_RELEASED,
	HB_REMOVAL_REFUSED,
	HB_REMOVAL_LATE,
	HB_REMOVAL_FAILED,
} HbRemovalEnd;

/**
 * hb_removal_wait:
 * @id: of the drive
 * @deadline: as g_get_monotonic_time(); -1 for ever
 * @reason: (inout) (transfer full) (nullable): NULL before; why the guest refused, or how the drive
 *   went: "request", "pull", "escalated" and so on, as docs/qmp.md has them
 *
 * Follows a removal that was asked for, telling its steps on @invocation's err if somebody watches.
 */
HbRemovalEnd hb_removal_wait(const HbInvocation *invocation, HbMonitor *monitor, const char *id,
			     gint64 deadline, char **reason, GError **error);

#endif
