/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_EVENT_STREAM_H
#define HW_EVENT_STREAM_H

#include <hotbay/event.h>

/*
 * All that happens in the slots and bays of one host, on its way from whatever thread it happened
 * in to the loop: the listener's events, and between them what is to be done in its turn. In the
 * order of the calls, each once, no lock held. Each item has an owner, who can take his own back.
 */
typedef struct HbEventStream HbEventStream;

/* On the loop. */
typedef void (*HbEventStreamFunc)(gpointer owner, gpointer data);

HbEventStream *hb_event_stream_create(GMainContext *context);

/* When no owner has an item in it any more. Takes NULL. */
void hb_event_stream_destroy(HbEventStream *stream);

/* Loop thread. */
void hb_event_stream_set_listener(HbEventStream *stream, HbEventListener listener, gpointer data);

/*
 * Any thread, with any lock but the stream's. @event and what it points to is copied, but for port,
 * function and bay. It is given the time of this call if it has none. HB_EVENT_INDICATORS replaces
 * the item before it, if that is its owner's HB_EVENT_INDICATORS.
 */
void hb_event_stream_add(HbEventStream *stream, gpointer owner, const HbEvent *event);

/* @func is called in its turn. Likewise. */
void hb_event_stream_add_call(HbEventStream *stream, gpointer owner, HbEventStreamFunc func,
			      gpointer data);

/* What is in the stream by now is told and done before this returns; within the listener or a call,
 * soon after it has returned. Loop thread, without a lock. */
void hb_event_stream_deliver(HbEventStream *stream);

/* @owner's events are not told any more. Any thread, likewise. */
void hb_event_stream_forget(HbEventStream *stream, gpointer owner);

/* @owner's calls are made at once, and his events not told. Loop thread, without a lock. */
void hb_event_stream_finish(HbEventStream *stream, gpointer owner);

#endif
