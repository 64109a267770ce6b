/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A slot's queue to the loop.
 *
 *   vCPU, worker, loop --add--> queue --idle source--> loop: listener(event)
 *                                                            function->ops->release()
 *                                     <--RELEASED-- done() <--'   (later, on the loop)
 *
 * The listener may plug, pull or request again: what that adds comes after what is queued. It may
 * not destroy the bridge.
 *
 * The queue has a lock of its own, since items are added under the bus lock and taken without it.
 *
 * A guest can change its indicators faster than anybody can be told. Reports of them are rationed:
 * one that would exceed the ration is held, replaced by what comes after it, and told when there is
 * a ration again. So the last state is always told, though it may come after what happened later.
 */

#include "hw/slot-reports.h"

#define RATION_US (G_USEC_PER_SEC / 10)

typedef struct Report {
	gboolean is_release; /* release the function; else tell the listener */
	HbSlotReport told;
} Report;

struct HbSlotReports {
	HbPort *port;
	GMainContext *context; /* one reference */

	GMutex lock;
	GQueue queue;	 /* of Report, owned; guarded by lock */
	GSource *source; /* (nullable): will deliver; guarded by lock */

	/* Guarded by lock. */
	guint rations; /* of indicator reports */
	gint64 rationed_us;
	gboolean holds; /* @held waits for a ration, which @late brings */
	HbSlotReport held;
	GSource *late; /* (nullable) */

	/* Loop thread only. */
	HbSlotListener listener;
	gpointer data;
	gboolean delivering;
	guint n_releasing; /* released, but not done */
};

/* One function that is being released. */
typedef struct Release {
	HbSlotReports *reports;
	HbPciFunction *function; /* for identification */
} Release;

static void deliver_all(HbSlotReports *reports);

HbSlotReports *hb_slot_reports_create(HbPort *port, GMainContext *context)
{
	HbSlotReports *reports = g_new0(HbSlotReports, 1);

	reports->port = port;
	reports->context = g_main_context_ref(context);
	g_mutex_init(&reports->lock);
	g_queue_init(&reports->queue);
	reports->rations = HB_SLOT_INDICATORS_BURST;
	reports->rationed_us = g_get_monotonic_time();
	return reports;
}

void hb_slot_reports_set_listener(HbSlotReports *reports, HbSlotListener listener, gpointer data)
{
	reports->listener = listener;
	reports->data = data;
}

static void drop(HbSlotReports *reports, GSource **place)
{
	GSource *source;

	g_mutex_lock(&reports->lock);
	source = g_steal_pointer(place);
	g_mutex_unlock(&reports->lock);
	if (source) {
		g_source_destroy(source);
		g_source_unref(source);
	}
}

/* First takes the source away, so that the next addition makes a new one. */
static gboolean on_source(gpointer data)
{
	HbSlotReports *reports = data;

	drop(reports, &reports->source);
	deliver_all(reports);
	return G_SOURCE_REMOVE;
}

static void attach(HbSlotReports *reports, GSource *source, GSourceFunc func)
{
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, func, reports, NULL);
	g_source_attach(source, reports->context);
}

/* From here on with the lock held, until it says otherwise. */

static void push(HbSlotReports *reports, const Report *report)
{
	g_queue_push_tail(&reports->queue, g_memdup2(report, sizeof(*report)));
	if (reports->source)
		return;
	reports->source = g_idle_source_new();
	attach(reports, reports->source, on_source);
}

static gboolean take_ration(HbSlotReports *reports)
{
	gint64 earned = (g_get_monotonic_time() - reports->rationed_us) / RATION_US;

	reports->rationed_us += earned * RATION_US;
	reports->rations = (guint)MIN((gint64)reports->rations + earned, HB_SLOT_INDICATORS_BURST);
	if (reports->rations == 0)
		return FALSE;
	reports->rations--;
	return TRUE;
}

static void push_indicators(HbSlotReports *reports, const Report *report)
{
	Report *last = g_queue_peek_tail(&reports->queue);

	reports->holds = FALSE;
	if (last && !last->is_release && last->told.event == HB_SLOT_INDICATORS)
		last->told = report->told; /* nobody has looked since */
	else
		push(reports, report);
}

static gboolean on_late(gpointer data)
{
	HbSlotReports *reports = data;
	Report report = { .is_release = FALSE };

	drop(reports, &reports->late);
	g_mutex_lock(&reports->lock);
	report.told = reports->held;
	if (reports->holds && take_ration(reports))
		push_indicators(reports, &report);
	g_mutex_unlock(&reports->lock);
	return G_SOURCE_REMOVE;
}

static void add_indicators(HbSlotReports *reports, const Report *report)
{
	if (take_ration(reports)) {
		push_indicators(reports, report);
		return;
	}
	reports->holds = TRUE;
	reports->held = report->told;
	if (reports->late)
		return;
	reports->late = g_timeout_source_new(RATION_US / 1000 + 1);
	attach(reports, reports->late, on_late);
}

/* Without the lock. */

void hb_slot_reports_add(HbSlotReports *reports, const HbSlotReport *told)
{
	Report report = { .told = *told };

	report.told.time_us = g_get_monotonic_time();
	g_mutex_lock(&reports->lock);
	if (told->event == HB_SLOT_INDICATORS)
		add_indicators(reports, &report);
	else
		push(reports, &report);
	g_mutex_unlock(&reports->lock);
}

void hb_slot_reports_add_release(HbSlotReports *reports, HbPciFunction *function)
{
	Report report = { .is_release = TRUE, .told.function = function };

	g_mutex_lock(&reports->lock);
	if (reports->held.function == function)
		reports->held.function = NULL; /* its address may soon be another's */
	push(reports, &report);
	g_mutex_unlock(&reports->lock);
}

static Report *take(HbSlotReports *reports)
{
	g_mutex_lock(&reports->lock);
	Report *report = g_queue_pop_head(&reports->queue);
	g_mutex_unlock(&reports->lock);
	return report;
}

/* On the loop: the function is freed. Told at once, before its address can be used again. */
static void on_released(gpointer data)
{
	g_autofree Release *release = data;
	HbSlotReports *reports = release->reports;
	HbSlotReport report = { .event = HB_SLOT_RELEASED, .function = release->function };

	reports->n_releasing--;
	hb_slot_reports_add(reports, &report);
	deliver_all(reports);
}

static void deliver(HbSlotReports *reports, const Report *report)
{
	if (!report->is_release) {
		if (reports->listener)
			reports->listener(reports->port, &report->told, reports->data);
		return;
	}
	HbPciFunction *function = report->told.function;
	Release *release = g_new0(Release, 1);
	release->reports = reports;
	release->function = function;
	reports->n_releasing++;
	function->ops->release(function, on_released, release);
}

/* What is there now; what comes meanwhile has a source of its own, so that others get their turn.
 */
static void deliver_all(HbSlotReports *reports)
{
	Report *report;

	if (reports->delivering)
		return;
	reports->delivering = TRUE;
	g_mutex_lock(&reports->lock);
	guint n = g_queue_get_length(&reports->queue);
	g_mutex_unlock(&reports->lock);
	while (n-- && (report = take(reports))) {
		deliver(reports, report);
		g_free(report);
	}
	reports->delivering = FALSE;
}

void hb_slot_reports_destroy(HbSlotReports *reports)
{
	Report *report;

	if (!reports)
		return;
	reports->listener = NULL;
	while ((report = take(reports))) {
		if (report->is_release)
			report->told.function->ops->release(report->told.function, NULL, NULL);
		g_free(report);
	}
	while (reports->n_releasing)
		g_main_context_iteration(reports->context, TRUE);
	drop(reports, &reports->source);
	drop(reports, &reports->late);
	g_main_context_unref(reports->context);
	g_mutex_clear(&reports->lock);
	g_free(reports);
}
