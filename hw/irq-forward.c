/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One eventfd watched on the loop, and its signals sent on as MSI messages.
 *
 * The loop may be in the middle of a delivery, without the bus lock, while a vCPU masks the vector.
 * So each forwarder has a lock of its own, held across the delivery: stopping waits for that one
 * delivery and no longer, and the loop never takes the bus lock while it holds this one. The last
 * reference goes with the source, which the loop may drop after the stop.
 */

#include "hw/irq-forward.h"

#include "hw/host.h"

#include <glib-unix.h>
#include <unistd.h>

struct HbIrqForward {
	HbIrqForwardOwner *owner; /* not touched any more once it is stopped */
	int eventfd;
	GSource *source; /* one reference; the source holds one of this */
	GMutex lock;

	/* Guarded by lock. */
	HbMsiMessage message;
	gboolean stopped;
};

static void clear_forward(gpointer data)
{
	HbIrqForward *forward = data;

	g_mutex_clear(&forward->lock);
}

static void unref_forward(gpointer data)
{
	g_atomic_rc_box_release_full(data, clear_forward);
}

static void deliver(HbIrqForward *forward)
{
	HbIrqForwardOwner *owner = forward->owner;
	g_autoptr(GError) error = NULL;
	guint64 count;

	if (read(forward->eventfd, &count, sizeof(count)) != sizeof(count))
		return;
	if (hb_host_get_ops(owner->host)->signal_msi(owner->host, &forward->message, &error) ||
	    owner->failure_logged)
		return;
	owner->failure_logged = TRUE;
	hb_host_log(owner->host, G_LOG_LEVEL_WARNING,
		    "%s: interrupt with message 0x%x at 0x%" G_GINT64_MODIFIER
		    "x is lost, as are others that are refused: %s",
		    owner->name, forward->message.data, forward->message.address, error->message);
}

static gboolean signalled(gint fd, GIOCondition condition, gpointer data)
{
	HbIrqForward *forward = data;

	g_mutex_lock(&forward->lock);
	if (!forward->stopped)
		deliver(forward);
	g_mutex_unlock(&forward->lock);
	return G_SOURCE_CONTINUE;
}

HbIrqForward *hb_irq_forward_start(HbIrqForwardOwner *owner, int eventfd,
				   const HbMsiMessage *message)
{
	HbIrqForward *forward = g_atomic_rc_box_new0(HbIrqForward);

	forward->owner = owner;
	forward->eventfd = eventfd;
	forward->message = *message;
	g_mutex_init(&forward->lock);
	forward->source = g_unix_fd_source_new(eventfd, G_IO_IN);
	g_source_set_callback(forward->source, G_SOURCE_FUNC(signalled),
			      g_atomic_rc_box_acquire(forward), unref_forward);
	g_source_attach(forward->source, hb_host_get_context(owner->host));
	return forward;
}

void hb_irq_forward_set_message(HbIrqForward *forward, const HbMsiMessage *message)
{
	g_mutex_lock(&forward->lock);
	forward->message = *message;
	g_mutex_unlock(&forward->lock);
}

void hb_irq_forward_stop(HbIrqForward *forward)
{
	if (!forward)
		return;
	g_mutex_lock(&forward->lock);
	forward->stopped = TRUE;
	g_mutex_unlock(&forward->lock);
	g_source_destroy(forward->source);
	g_source_unref(forward->source);
	unref_forward(forward);
}
