/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a slot adds to the stream of events.
 *
 *   add ------------------> stream --> listener(event)
 *   add_release ----------> stream --> function->ops->release()
 *                                              |  (later, on the loop)
 *                           stream <-RELEASED- done()
 *
 * A guest can change its indicators faster than anybody can be told. Reports of them are rationed:
 * one that would exceed the ration is held, replaced by what comes after it, and told when there is
 * a ration again. So the last state is always told, though it may come after what happened later.
 *
 * A guest can also have itself asked again and again in a removal, by leaving its driver and coming
 * back. Of that only the first are told, and no last one: late, it would be about a removal that is
 * over. All else happens once for each thing that is asked of the slot. So whatever the guests do,
 * a release waits for two bursts of each slot at most, and the rations of the time that the loop
 * slept.
 *
 * The lock here is taken before the stream's.
 */

#include "hw/slot-reports.h"

#define RATION_US (G_USEC_PER_SEC / 10)

struct HbSlotReports {
	HbEventStream *stream;
	GMainContext *context; /* one reference */

	GMutex lock; /* guards all up to @late */
	gboolean ended;
	guint rations; /* of indicator reports */
	gint64 rationed_us;
	gboolean holds; /* @held waits for a ration, which @late brings */
	HbEvent held;
	guint n_progress; /* told of the removal under way */
	GSource *late;	  /* (nullable) */

	/* Loop thread only. */
	gboolean destroying;
	guint n_releasing; /* released, but not done */
};

/* One function that leaves. */
typedef struct Release {
	HbSlotReports *reports;
	HbEvent released; /* what is told then; its function is for identification */
} Release;

HbSlotReports *hb_slot_reports_create(HbEventStream *stream, GMainContext *context)
{
	HbSlotReports *reports = g_new0(HbSlotReports, 1);

	reports->stream = stream;
	reports->context = g_main_context_ref(context);
	g_mutex_init(&reports->lock);
	reports->rations = HB_EVENT_INDICATORS_BURST;
	reports->rationed_us = g_get_monotonic_time();
	return reports;
}

static void drop_late(HbSlotReports *reports)
{
	g_mutex_lock(&reports->lock);
	g_autoptr(GSource) source = g_steal_pointer(&reports->late);
	g_mutex_unlock(&reports->lock);

	if (source)
		g_source_destroy(source);
}

/* From here on with the lock held, until it says otherwise. */

static gboolean take_ration(HbSlotReports *reports)
{
	gint64 earned = (g_get_monotonic_time() - reports->rationed_us) / RATION_US;

	reports->rationed_us += earned * RATION_US;
	reports->rations = (guint)MIN((gint64)reports->rations + earned, HB_EVENT_INDICATORS_BURST);
	if (reports->rations == 0)
		return FALSE;
	reports->rations--;
	return TRUE;
}

static gboolean on_late(gpointer data)
{
	HbSlotReports *reports = data;

	drop_late(reports);
	g_mutex_lock(&reports->lock);
	if (reports->holds && !reports->ended && take_ration(reports)) {
		reports->holds = FALSE;
		hb_event_stream_add(reports->stream, reports, &reports->held);
	}
	g_mutex_unlock(&reports->lock);
	return G_SOURCE_REMOVE;
}

static void hold(HbSlotReports *reports, const HbEvent *event)
{
	reports->holds = TRUE;
	reports->held = *event;
	reports->held.time_us = g_get_monotonic_time();
	if (reports->late)
		return;
	reports->late = g_timeout_source_new(RATION_US / 1000 + 1);
	g_source_set_priority(reports->late, G_PRIORITY_DEFAULT);
	g_source_set_callback(reports->late, on_late, reports, NULL);
	g_source_attach(reports->late, reports->context);
}

/* In a removal: was the guest asked, or had to wait, more often than is told? */
static gboolean is_too_often(HbSlotReports *reports, HbEventType type)
{
	switch (type) {
	case HB_EVENT_REMOVAL_WAITING:
	case HB_EVENT_REMOVAL_REQUESTED:
		if (reports->n_progress == HB_EVENT_REMOVAL_BURST)
			return TRUE;
		reports->n_progress++;
		return FALSE;
	case HB_EVENT_REMOVAL_REFUSED:
	case HB_EVENT_SEVERED:
		reports->n_progress = 0;
		return FALSE;
	default:
		return FALSE;
	}
}

static void add(HbSlotReports *reports, const HbEvent *event)
{
	gboolean is_rationed = event->type == HB_EVENT_INDICATORS;

	if (reports->ended || is_too_often(reports, event->type))
		return;
	if (is_rationed && !take_ration(reports)) {
		hold(reports, event);
		return;
	}
	if (is_rationed)
		reports->holds = FALSE;
	hb_event_stream_add(reports->stream, reports, event);
}

/* Without the lock. */

void hb_slot_reports_add(HbSlotReports *reports, const HbEvent *event)
{
	g_mutex_lock(&reports->lock);
	add(reports, event);
	g_mutex_unlock(&reports->lock);
}

/* On the loop: the function is freed, it may be some time ago, by a worker. So its address may be
 * another's already, and that one told of. */
static void on_released(gpointer data)
{
	g_autofree Release *release = data;
	HbSlotReports *reports = release->reports;

	reports->n_releasing--;
	hb_slot_reports_add(reports, &release->released);
	hb_event_stream_deliver(reports->stream);
}

static void release_function(gpointer owner, gpointer data)
{
	HbSlotReports *reports = owner;
	Release *release = data;
	HbPciFunction *function = release->released.function;

	if (reports->destroying) {
		function->ops->release(function, NULL, NULL);
		g_free(release);
		return;
	}
	reports->n_releasing++;
	function->ops->release(function, on_released, release);
}

void hb_slot_reports_add_release(HbSlotReports *reports, const HbEvent *released)
{
	Release *release = g_new0(Release, 1);

	release->reports = reports;
	release->released = *released;
	g_mutex_lock(&reports->lock);
	if (reports->held.function == released->function)
		reports->held.function = NULL; /* its address may soon be another's */
	hb_event_stream_add_call(reports->stream, reports, release_function, release);
	g_mutex_unlock(&reports->lock);
}

void hb_slot_reports_end(HbSlotReports *reports)
{
	g_mutex_lock(&reports->lock);
	reports->ended = TRUE;
	g_mutex_unlock(&reports->lock);
	hb_event_stream_forget(reports->stream, reports);
}

void hb_slot_reports_destroy(HbSlotReports *reports)
{
	if (!reports)
		return;
	hb_slot_reports_end(reports);
	reports->destroying = TRUE;
	hb_event_stream_finish(reports->stream, reports);
	while (reports->n_releasing)
		g_main_context_iteration(reports->context, TRUE);
	drop_late(reports);
	g_main_context_unref(reports->context);
	g_mutex_clear(&reports->lock);
	g_free(reports);
}
