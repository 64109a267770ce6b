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
 */

#include "hw/slot-reports.h"

typedef struct Report {
	gboolean is_release; /* release @function; else tell the listener */
	HbSlotEvent event;
	HbSlotReason reason;
	HbPciFunction *function;
} Report;

struct HbSlotReports {
	HbPort *port;
	GMainContext *context; /* one reference */

	GMutex lock;
	GQueue queue;	 /* of Report, owned; guarded by lock */
	GSource *source; /* (nullable): will deliver; guarded by lock */

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
	return reports;
}

void hb_slot_reports_set_listener(HbSlotReports *reports, HbSlotListener listener, gpointer data)
{
	reports->listener = listener;
	reports->data = data;
}

/* Takes the source away, so that the next addition makes a new one. */
static void forget_source(HbSlotReports *reports)
{
	GSource *source;

	g_mutex_lock(&reports->lock);
	source = g_steal_pointer(&reports->source);
	g_mutex_unlock(&reports->lock);
	if (source) {
		g_source_destroy(source);
		g_source_unref(source);
	}
}

static gboolean on_source(gpointer data)
{
	HbSlotReports *reports = data;

	forget_source(reports);
	deliver_all(reports);
	return G_SOURCE_REMOVE;
}

/*
 * A guest can change its indicators faster than anybody can be told. One report says it: the
 * listener looks at what they are when it comes.
 */
static gboolean is_told_already(HbSlotReports *reports, const Report *report)
{
	const Report *last = g_queue_peek_tail(&reports->queue);

	return last && !last->is_release && !report->is_release &&
	       last->event == HB_SLOT_INDICATORS && report->event == HB_SLOT_INDICATORS;
}

static void add(HbSlotReports *reports, const Report *report)
{
	g_mutex_lock(&reports->lock);
	if (!is_told_already(reports, report))
		g_queue_push_tail(&reports->queue, g_memdup2(report, sizeof(*report)));
	if (!reports->source) {
		reports->source = g_idle_source_new();
		g_source_set_priority(reports->source, G_PRIORITY_DEFAULT);
		g_source_set_callback(reports->source, on_source, reports, NULL);
		g_source_attach(reports->source, reports->context);
	}
	g_mutex_unlock(&reports->lock);
}

void hb_slot_reports_add(HbSlotReports *reports, HbSlotEvent event, HbSlotReason reason,
			 HbPciFunction *function)
{
	Report report = { .event = event, .reason = reason, .function = function };

	add(reports, &report);
}

void hb_slot_reports_add_release(HbSlotReports *reports, HbPciFunction *function)
{
	Report report = { .is_release = TRUE, .function = function };

	add(reports, &report);
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

	reports->n_releasing--;
	hb_slot_reports_add(reports, HB_SLOT_RELEASED, HB_SLOT_REASON_NONE, release->function);
	deliver_all(reports);
}

static void deliver(HbSlotReports *reports, const Report *report)
{
	if (!report->is_release) {
		if (reports->listener)
			reports->listener(reports->port, report->event, report->reason,
					  report->function, reports->data);
		return;
	}
	Release *release = g_new0(Release, 1);
	release->reports = reports;
	release->function = report->function;
	reports->n_releasing++;
	report->function->ops->release(report->function, on_released, release);
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
			report->function->ops->release(report->function, NULL, NULL);
		g_free(report);
	}
	while (reports->n_releasing)
		g_main_context_iteration(reports->context, TRUE);
	forget_source(reports);
	g_main_context_unref(reports->context);
	g_mutex_clear(&reports->lock);
	g_free(reports);
}
