/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What happens between a request and its end:
 *
 *     HOTBAY_SLOT_REMOVAL_REQUESTED    the guest was asked
 *     HOTBAY_SLOT_INDICATORS           its power indicator blinks: it makes up its mind, then works
 *     HOTBAY_SLOT_SEVERED              it has let go, or the drive was pulled
 *     DEVICE_DELETED                   the end: the host has it back
 *     DEVICE_UNPLUG_GUEST_ERROR        the other end: cancelled, or timed out
 */

#include "ctl/removal.h"

#include "ctl/json.h"

#include <string.h>

/* What a reader is told of an event; NULL for nothing. */
static const char *tell_step(JsonObject *event, JsonObject *data)
{
	static const char *const steps[][2] = {
		{ "HOTBAY_SLOT_REMOVAL_REQUESTED", "the guest was asked" },
		{ "HOTBAY_SLOT_REMOVAL_WAITING", "the guest cannot be asked yet" },
		{ "HOTBAY_SLOT_SEVERED", "out of the guest" },
		{ "HOTBAY_SLOT_RELEASED", "back on the host" },
	};
	const char *name = hb_json_get_string(event, "event");

	if (g_strcmp0(name, "HOTBAY_SLOT_INDICATORS") == 0)
		return g_strcmp0(hb_json_get_string(data, "power-indicator"), "blink") == 0
			       ? "the guest is at it: its power indicator blinks"
			       : NULL;
	for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
		if (g_strcmp0(name, steps[i][0]) == 0)
			return steps[i][1];
	return NULL;
}

static void tell(const HbInvocation *invocation, JsonObject *event, JsonObject *data, gint64 start)
{
	const char *step = invocation->progress ? tell_step(event, data) : NULL;

	if (step)
		fprintf(invocation->err, "%6.2f s  %s: %s\n",
			(double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC,
			hb_json_get_string(data, "device"), step);
}

HbRemovalEnd hb_removal_wait(const HbInvocation *invocation, HbMonitor *monitor, const char *id,
			     gint64 deadline, char **reason, GError **error)
{
	gint64 start = g_get_monotonic_time();
	GError *problem = NULL;

	for (;;) {
		g_autoptr(JsonObject) event = hb_monitor_wait_event(monitor, deadline, &problem);
		JsonObject *data = event ? hb_json_get_object(event, "data") : NULL;
		const char *name = event ? hb_json_get_string(event, "event") : NULL;

		if (problem) {
			g_propagate_error(error, problem);
			return HB_REMOVAL_FAILED;
		}
		if (!event)
			return HB_REMOVAL_LATE;
		if (g_strcmp0(hb_json_get_string(data, "device"), id) != 0)
			continue;
		tell(invocation, event, data, start);
		if (g_strcmp0(name, "HOTBAY_SLOT_SEVERED") == 0) {
			g_free(*reason);
			*reason = g_strdup(hb_json_get_string(data, "reason"));
		}
		if (g_strcmp0(name, "DEVICE_DELETED") == 0)
			return HB_REMOVAL_RELEASED;
		if (g_strcmp0(name, "DEVICE_UNPLUG_GUEST_ERROR") == 0) {
			g_free(*reason);
			*reason = g_strdup(hb_json_get_string(data, "reason"));
			return HB_REMOVAL_REFUSED;
		}
	}
}
