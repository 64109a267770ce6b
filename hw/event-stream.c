/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The one way to the embedder's listener.
 *
 *   slots:  vCPU, worker, loop --add--.
 *   bays:   loop ----------------add--+--> queue --idle source--> loop: listener(event)
 *   slots:  release of who left --add-'                                 function->ops->release()
 *
 * The queue has a lock of its own, the last one that is taken: items are added under the bus lock,
 * and taken without it. The time is given under that lock too, so times never go back from one
 * event to the next, but for indicators that a slot had held back.
 *
 * The listener may ask for anything: what that adds comes after what is queued. It may iterate the
 * loop, and is not called within itself: a source that fires then has no effect, so delivery makes
 * another at its end for what is left.
 */

#include "hw/event-stream.h"

typedef struct Item {
	gpointer owner;
	HbEventStreamFunc func; /* NULL: tell @event; else call this, with @data */
	gpointer data;
	HbEvent event; /* its address and error are owned */
} Item;

struct HbEventStream {
	GMainContext *context; /* one reference */

	GMutex lock;
	GQueue queue;	 /* of Item, owned; guarded by lock */
	GSource *source; /* (nullable): will deliver; guarded by lock */

	/* Loop thread only. */
	HbEventListener listener; /* (nullable) */
	gpointer data;
	gboolean delivering;
};

static void item_free(gpointer data)
{
	Item *item = data;

	g_free((char *)item->event.address);
	g_clear_error((GError **)&item->event.error);
	g_free(item);
}

HbEventStream *hb_event_stream_create(GMainContext *context)
{
	HbEventStream *stream = g_new0(HbEventStream, 1);

	stream->context = g_main_context_ref(context);
	g_mutex_init(&stream->lock);
	g_queue_init(&stream->queue);
	return stream;
}

static void drop_source(HbEventStream *stream)
{
	g_mutex_lock(&stream->lock);
	g_autoptr(GSource) source = g_steal_pointer(&stream->source);
	g_mutex_unlock(&stream->lock);

	if (source)
		g_source_destroy(source);
}

void hb_event_stream_destroy(HbEventStream *stream)
{
	if (!stream)
		return;
	drop_source(stream);
	g_queue_clear_full(&stream->queue, item_free);
	g_mutex_clear(&stream->lock);
	g_main_context_unref(stream->context);
	g_free(stream);
}

void hb_event_stream_set_listener(HbEventStream *stream, HbEventListener listener, gpointer data)
{
	stream->listener = listener;
	stream->data = data;
}

/* First takes the source away, so that the next addition makes a new one. */
static gboolean on_source(gpointer data)
{
	drop_source(data);
	hb_event_stream_deliver(data);
	return G_SOURCE_REMOVE;
}

/* With the lock held. */
static void attach_source(HbEventStream *stream)
{
	if (stream->source)
		return;
	stream->source = g_idle_source_new();
	g_source_set_priority(stream->source, G_PRIORITY_DEFAULT);
	g_source_set_callback(stream->source, on_source, stream, NULL);
	g_source_attach(stream->source, stream->context);
}

/* With the lock held. @item: (transfer full) */
static void push(HbEventStream *stream, Item *item)
{
	g_queue_push_tail(&stream->queue, item);
	attach_source(stream);
}

static gboolean is_indicators(const Item *item)
{
	return !item->func && item->event.type == HB_EVENT_INDICATORS;
}

/* With the lock held: the last item, if @item makes it pointless. Nobody has looked at it yet. */
static Item *take_replaced(HbEventStream *stream, const Item *item)
{
	const Item *last = g_queue_peek_tail(&stream->queue);

	if (!last || !is_indicators(item) || !is_indicators(last) || last->owner != item->owner)
		return NULL;
	return g_queue_pop_tail(&stream->queue);
}

void hb_event_stream_add(HbEventStream *stream, gpointer owner, const HbEvent *event)
{
	Item *item = g_new0(Item, 1);
	Item *replaced;

	item->owner = owner;
	item->event = *event;
	item->event.address = g_strdup(event->address);
	item->event.error = event->error ? g_error_copy(event->error) : NULL;
	g_mutex_lock(&stream->lock);
	if (!item->event.time_us)
		item->event.time_us = g_get_monotonic_time();
	replaced = take_replaced(stream, item);
	push(stream, item);
	g_mutex_unlock(&stream->lock);
	if (replaced)
		item_free(replaced);
}

void hb_event_stream_add_call(HbEventStream *stream, gpointer owner, HbEventStreamFunc func,
			      gpointer data)
{
	Item *item = g_new0(Item, 1);

	item->owner = owner;
	item->func = func;
	item->data = data;
	g_mutex_lock(&stream->lock);
	push(stream, item);
	g_mutex_unlock(&stream->lock);
}

static Item *take(HbEventStream *stream)
{
	g_mutex_lock(&stream->lock);
	Item *item = g_queue_pop_head(&stream->queue);
	g_mutex_unlock(&stream->lock);
	return item;
}

static void deliver(HbEventStream *stream, const Item *item)
{
	if (item->func)
		item->func(item->owner, item->data);
	else if (stream->listener)
		stream->listener(&item->event, stream->data);
}

/* What comes meanwhile has a source of its own, so that others get their turn. */
void hb_event_stream_deliver(HbEventStream *stream)
{
	Item *item;

	if (stream->delivering)
		return;
	stream->delivering = TRUE;
	g_mutex_lock(&stream->lock);
	guint n = g_queue_get_length(&stream->queue);
	g_mutex_unlock(&stream->lock);
	while (n-- && (item = take(stream))) {
		deliver(stream, item);
		item_free(item);
	}
	stream->delivering = FALSE;
	g_mutex_lock(&stream->lock);
	if (!g_queue_is_empty(&stream->queue))
		attach_source(stream);
	g_mutex_unlock(&stream->lock);
}

/* @owner's items, out of the queue and in order; with @calls or without. */
static GQueue *take_all(HbEventStream *stream, gpointer owner, gboolean calls)
{
	GQueue *taken = g_queue_new();
	GList *next;

	g_mutex_lock(&stream->lock);
	for (GList *link = stream->queue.head; link; link = next) {
		const Item *item = link->data;

		next = link->next;
		if (item->owner != owner || (item->func && !calls))
			continue;
		g_queue_unlink(&stream->queue, link);
		g_queue_push_tail_link(taken, link);
	}
	g_mutex_unlock(&stream->lock);
	return taken;
}

void hb_event_stream_forget(HbEventStream *stream, gpointer owner)
{
	g_queue_free_full(take_all(stream, owner, FALSE), item_free);
}

void hb_event_stream_finish(HbEventStream *stream, gpointer owner)
{
	GQueue *taken = take_all(stream, owner, TRUE);
	Item *item;

	while ((item = g_queue_pop_head(taken))) {
		if (item->func)
			item->func(item->owner, item->data);
		item_free(item);
	}
	g_queue_free(taken);
}

const char *hb_event_type_to_str(HbEventType type)
{
	static const char *const names[HB_EVENT_N_TYPES] = {
		[HB_EVENT_PLUG_WAITING] = "PLUG_WAITING",
		[HB_EVENT_PLUGGED] = "PLUGGED",
		[HB_EVENT_PLUG_REFUSED] = "PLUG_REFUSED",
		[HB_EVENT_REMOVAL_WAITING] = "REMOVAL_WAITING",
		[HB_EVENT_REMOVAL_REQUESTED] = "REMOVAL_REQUESTED",
		[HB_EVENT_REMOVAL_REFUSED] = "REMOVAL_REFUSED",
		[HB_EVENT_SEVERED] = "SEVERED",
		[HB_EVENT_RELEASED] = "RELEASED",
		[HB_EVENT_OVERTAKEN] = "OVERTAKEN",
		[HB_EVENT_INDICATORS] = "INDICATORS",
		[HB_EVENT_ERROR_CONTAINED] = "ERROR_CONTAINED",
		[HB_EVENT_HOST_DRIVE_ADDED] = "HOST_DRIVE_ADDED",
		[HB_EVENT_HOST_DRIVE_TAKEN] = "HOST_DRIVE_TAKEN",
		[HB_EVENT_HOST_DRIVE_REFUSED] = "HOST_DRIVE_REFUSED",
		[HB_EVENT_HOST_DRIVE_REMOVED] = "HOST_DRIVE_REMOVED",
	};

	return (guint)type < HB_EVENT_N_TYPES ? names[type] : "(unknown)";
}
