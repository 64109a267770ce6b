/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 *	asked    |  |   |          | | | | | | | | | | |
 *	done              <quiet->|                  |  <quiet->|
 *	                           <------ most ---->
 *
 * One GSource without a descriptor, whose ready time is what moves. The loop may be on its way to
 * run it, waiting for the bus lock, while it is destroyed under that lock: so the source is its own
 * reference count, and looks again once it has the lock.
 */

#include "hw/later.h"

#include "hw/host-bridge.h"

#define NEVER (-1)

struct HbLater {
	GSource source; /* first: it is one */
	HbHostBridge *bridge;
	HbLaterTimes times;

	/* Guarded by the bus lock. */
	HbLaterFunc func; /* NULL: destroyed */
	gpointer data;
	gint64 due;	 /* monotonic, microseconds; NEVER: not asked for */
	gint64 last_due; /* not later than that */
};

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	HbLater *later = (HbLater *)source;

	hb_host_bridge_lock(later->bridge);
	if (later->func && later->due != NEVER && later->due > g_get_monotonic_time()) {
		g_source_set_ready_time(source, later->due);
	} else if (later->func && later->due != NEVER) {
		hb_later_forget(later);
		later->func(later->data);
	}
	hb_host_bridge_unlock(later->bridge);
	return G_SOURCE_CONTINUE;
}

HbLater *hb_later_create(HbHostBridge *bridge, HbLaterTimes times, HbLaterFunc func, gpointer data)
{
	static GSourceFuncs funcs = { .dispatch = dispatch };
	HbLater *later = (HbLater *)g_source_new(&funcs, sizeof(*later));

	later->bridge = bridge;
	later->times = times;
	later->func = func;
	later->data = data;
	later->due = NEVER;
	g_source_attach(&later->source, hb_host_get_context(hb_host_bridge_get_host(bridge)));
	return later;
}

void hb_later_ask(HbLater *later)
{
	gint64 now = g_get_monotonic_time();
	gboolean is_first = later->due == NEVER;

	if (is_first)
		later->last_due = now + 1000 * (gint64)later->times.most_ms;
	later->due = MIN(now + 1000 * (gint64)later->times.quiet_ms, later->last_due);
	if (is_first) /* the loop finds out by itself that it was put off: no need to wake it */
		g_source_set_ready_time(&later->source, later->due);
}

void hb_later_forget(HbLater *later)
{
	later->due = NEVER;
	g_source_set_ready_time(&later->source, NEVER);
}

gboolean hb_later_is_asked(const HbLater *later)
{
	return later->due != NEVER;
}

void hb_later_destroy(HbLater *later)
{
	if (!later)
		return;
	later->func = NULL;
	g_source_destroy(&later->source);
	g_source_unref(&later->source);
}
