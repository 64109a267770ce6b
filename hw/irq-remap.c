/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The interrupt remapping table: which host interrupt of which drive becomes which guest interrupt,
 * and that none outlives its drive.
 *
 *   host interrupt --> eventfd --+-- connected: the host's route delivers the message, no exit
 *                                +-- forwarded: the loop sends it, where the host has no route,
 *                                |   or not yet
 *                                +-- neither (masked): stays signalled; this is the pending bit
 *
 * A guest changes masks far more often than messages, and each commit of routes can cost
 * milliseconds (KVM waits until no vCPU uses the old table), as can each disconnection. So a route
 * is kept while its vector is masked, and reconnecting it is free of commits as long as the message
 * is the old one. All new messages of a source go into one commit, before any of its vectors is
 * connected: the first interrupt of a vector can only carry its new message.
 *
 *   unmasked   |  |  |                            |   |
 *   forwarded  [============)                     [==)[============)
 *   connected               [====================)                 [=======
 *   commit                  ^ one for three                        ^ if the message is new
 *                    <quiet>                           <quiet>
 *
 * Guests unmask one vector after the other, with work between (Linux starts a queue for each), and
 * mask a vector around each change of its message. So a vector that is unmasked is forwarded at
 * once, which costs no call of the host, and routed when nothing has changed for QUIET_MS, or
 * after MOST_MS. A guest that masks and unmasks all the time is forwarded nearly all the time, and
 * costs the host a connection each MOST_MS, which ends with the next mask; if it takes breaks, one
 * each QUIET_MS at most. A commit comes with it only if a message has changed.
 *
 * A route that the host refuses (routes are finite) does not stop the drive: the vector is
 * forwarded from then on, for as long as the source lives, and the operator is told once for each
 * source. A message that the host refuses is one interrupt lost; of that too the operator is told
 * once.
 *
 * With the bus lock held, but for create, destroy, open, the count in use, and close.
 */

#include "hw/irq-remap.h"

#include "hw/host.h"
#include "hw/irq-forward.h"
#include "hw/irq-shares.h"
#include "hw/later.h"

#include <hotbay/error.h>

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A drive's start, from its first vector to its last, is one commit if the guest takes no longer
 * breaks and is done in that time. */
#define QUIET_MS 100
#define MOST_MS	 1000

struct HbIrqRemap {
	HbHost *host;
	guint budget;
	guint used;		 /* atomic */
	char *shares;		 /* (nullable): the file, if the budget is the host's */
	HbIrqRemapCounts counts; /* each atomic */
};

typedef struct Vector {
	int eventfd;
	gboolean masked;
	HbMsiMessage message;  /* what the guest wants, unless masked */
	gboolean has_route;    /* route is ours */
	guint route;	       /* the host's handle */
	gboolean is_routed;    /* routed holds what the host was told */
	HbMsiMessage routed;   /* valid only if is_routed */
	gboolean is_new;       /* its route is part of the commit that is being made */
	gboolean connected;    /* the host consumes eventfd */
	gboolean unroutable;   /* the host refused: forward it when unmasked */
	HbIrqForward *forward; /* (nullable) while it is unmasked and not connected */
} Vector;

struct HbIrqSource {
	HbIrqRemap *remap;
	int share; /* of the host's budget; -1: none */
	char *name;
	HbIrqForwardOwner forwards; /* of all vectors */
	guint n_vectors;
	Vector *vectors;
	HbLater *later; /* (nullable): once attached, until severed */
	gboolean severed;
	gboolean refusal_logged;
};

HbIrqRemap *hb_irq_remap_create(HbHost *host, guint budget)
{
	HbIrqRemap *remap = g_new0(HbIrqRemap, 1);

	remap->host = host;
	remap->budget = budget;
	return remap;
}

gboolean hb_irq_remap_share(HbIrqRemap *remap, const char *path, GError **error)
{
	if (!hb_irq_shares_check(path, error))
		return FALSE;
	g_free(remap->shares);
	remap->shares = g_strdup(path);
	return TRUE;
}

void hb_irq_remap_destroy(HbIrqRemap *remap)
{
	g_free(remap->shares);
	g_free(remap);
}

guint hb_irq_remap_get_used(HbIrqRemap *remap)
{
	return (guint)g_atomic_int_get((gint *)&remap->used);
}

static void count(guint *counter)
{
	g_atomic_int_inc((gint *)counter);
}

static guint get_count(const guint *counter)
{
	return (guint)g_atomic_int_get((const gint *)counter);
}

void hb_irq_remap_get_counts(HbIrqRemap *remap, HbIrqRemapCounts *counts)
{
	counts->commits = get_count(&remap->counts.commits);
	counts->connections = get_count(&remap->counts.connections);
	counts->vector_calls = get_count(&remap->counts.vector_calls);
}

static gboolean reserve(HbIrqRemap *remap, const char *name, guint n, GError **error)
{
	guint used;

	do {
		used = hb_irq_remap_get_used(remap);
		if (n > remap->budget - used) {
			g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
				    "%s: needs %u interrupt vectors, but %u of this VM's %u are in "
				    "use: remove a drive or raise the VM's vector budget",
				    name, n, used, remap->budget);
			return FALSE;
		}
	} while (!g_atomic_int_compare_and_exchange((gint *)&remap->used, (gint)used,
						    (gint)(used + n)));
	return TRUE;
}

static gboolean take_share(HbIrqSource *source, GError **error)
{
	const HbIrqRemap *remap = source->remap;

	if (remap->shares == NULL)
		return TRUE;
	source->share = hb_irq_shares_take(remap->shares, remap->budget, source->name,
					   source->n_vectors, error);
	return source->share >= 0;
}

static const HbHostOps *get_ops(HbIrqSource *source)
{
	return hb_host_get_ops(source->remap->host);
}

static gboolean create_eventfds(HbIrqSource *source, GError **error)
{
	for (guint i = 0; i < source->n_vectors; i++) {
		source->vectors[i].eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (source->vectors[i].eventfd < 0) {
			g_set_error(error, HB_ERROR, HB_ERROR_HOST,
				    "%s: eventfd for interrupt vector %u of %u: %s: raise the "
				    "limit of open files (ulimit -n)",
				    source->name, i, source->n_vectors, g_strerror(errno));
			return FALSE;
		}
	}
	return TRUE;
}

HbIrqSource *hb_irq_source_open(HbIrqRemap *remap, const char *name, guint n_vectors,
				GError **error)
{
	if (!reserve(remap, name, n_vectors, error))
		return NULL;

	HbIrqSource *source = g_new0(HbIrqSource, 1);

	source->remap = remap;
	source->share = -1;
	source->name = g_strdup(name);
	source->forwards = (HbIrqForwardOwner){ .host = remap->host, .name = source->name };
	source->n_vectors = n_vectors;
	source->vectors = g_new0(Vector, n_vectors);
	for (guint i = 0; i < n_vectors; i++) {
		source->vectors[i].eventfd = -1;
		source->vectors[i].masked = TRUE;
	}
	if (!take_share(source, error) || !create_eventfds(source, error)) {
		hb_irq_source_close(source);
		return NULL;
	}
	return source;
}

void hb_irq_source_close(HbIrqSource *source)
{
	if (!source)
		return;
	hb_irq_source_sever(source);
	for (guint i = 0; i < source->n_vectors; i++)
		if (source->vectors[i].eventfd >= 0)
			close(source->vectors[i].eventfd);
	if (source->share >= 0)
		close(source->share);
	g_atomic_int_add((gint *)&source->remap->used, -(gint)source->n_vectors);
	g_free(source->vectors);
	g_free(source->name);
	g_free(source);
}

int hb_irq_source_get_eventfd(HbIrqSource *source, guint vector)
{
	g_return_val_if_fail(vector < source->n_vectors, -1);
	return source->vectors[vector].eventfd;
}

void hb_irq_source_count_vector_call(HbIrqSource *source)
{
	count(&source->remap->counts.vector_calls);
}

void hb_irq_source_count_connection(HbIrqSource *source)
{
	count(&source->remap->counts.connections);
}

void hb_irq_source_set(HbIrqSource *source, guint vector, const HbMsiMessage *message)
{
	g_return_if_fail(vector < source->n_vectors);

	Vector *v = &source->vectors[vector];

	v->masked = message == NULL;
	if (message)
		v->message = *message;
}

static gboolean messages_equal(const HbMsiMessage *a, const HbMsiMessage *b)
{
	return a->address == b->address && a->data == b->data;
}

static gboolean commit_routes(HbIrqSource *source, GError **error)
{
	count(&source->remap->counts.commits);
	return get_ops(source)->routes_commit(source->remap->host, error);
}

static void disconnect(HbIrqSource *source, Vector *v)
{
	if (v->connected) {
		count(&source->remap->counts.connections);
		get_ops(source)->route_disconnect(source->remap->host, v->route, v->eventfd);
	}
	v->connected = FALSE;
	g_clear_pointer(&v->forward, hb_irq_forward_stop);
}

static void drop_route(HbIrqSource *source, Vector *v)
{
	disconnect(source, v);
	if (v->has_route)
		get_ops(source)->route_remove(source->remap->host, v->route);
	v->has_route = FALSE;
	v->is_routed = FALSE;
}

static void refuse(HbIrqSource *source, Vector *v, const GError *error)
{
	drop_route(source, v);
	v->unroutable = TRUE;
	if (source->refusal_logged)
		return;
	source->refusal_logged = TRUE;
	hb_host_log(source->remap->host, G_LOG_LEVEL_WARNING,
		    "%s: interrupt vector %u cannot be routed by the host, so it and others like "
		    "it are delivered from the main loop, which is slower: %s",
		    source->name, (guint)(v - source->vectors), error->message);
}

/* Tell the host what @v delivers, if that is news to it. */
static gboolean stage(HbIrqSource *source, Vector *v)
{
	HbHost *host = source->remap->host;
	g_autoptr(GError) error = NULL;

	if (v->masked || v->unroutable || (v->is_routed && messages_equal(&v->message, &v->routed)))
		return FALSE;
	if (!v->has_route) {
		v->has_route = get_ops(source)->route_add(host, &v->route, &error);
		if (!v->has_route) {
			refuse(source, v, error);
			return FALSE;
		}
	}
	get_ops(source)->route_set(host, v->route, &v->message);
	v->routed = v->message;
	v->is_routed = TRUE;
	return TRUE;
}

static void refuse_new(HbIrqSource *source, const GError *error)
{
	for (guint i = 0; i < source->n_vectors; i++)
		if (source->vectors[i].is_new)
			refuse(source, &source->vectors[i], error);
}

static void stage_all(HbIrqSource *source)
{
	g_autoptr(GError) error = NULL;
	gboolean any = FALSE;

	for (guint i = 0; i < source->n_vectors; i++) {
		source->vectors[i].is_new = stage(source, &source->vectors[i]);
		any |= source->vectors[i].is_new;
	}
	if (any && !commit_routes(source, &error))
		refuse_new(source, error);
}

/* Returns whether there was anything. */
static gboolean drain(int fd)
{
	eventfd_t count;

	return eventfd_read(fd, &count) == 0;
}

static void connect_route(HbIrqSource *source, Vector *v)
{
	g_autoptr(GError) error = NULL;

	if (v->connected)
		return;
	g_clear_pointer(&v->forward, hb_irq_forward_stop);
	/* A host may deliver what is pending at the connect without consuming it (KVM does). */
	gboolean pending = drain(v->eventfd);
	count(&source->remap->counts.connections);
	v->connected =
		get_ops(source)->route_connect(source->remap->host, v->route, v->eventfd, &error);
	if (pending)
		eventfd_write(v->eventfd, 1);
	if (!v->connected)
		refuse(source, v, error);
}

static void forward(HbIrqSource *source, Vector *v)
{
	if (v->forward)
		hb_irq_forward_set_message(v->forward, &v->message);
	else
		v->forward = hb_irq_forward_start(&source->forwards, v->eventfd, &v->message);
}

static void connect_vector(HbIrqSource *source, Vector *v)
{
	if (!v->unroutable)
		connect_route(source, v);
	if (v->unroutable)
		forward(source, v);
}

static void route_all(gpointer data)
{
	HbIrqSource *source = data;

	stage_all(source);
	for (guint i = 0; i < source->n_vectors; i++)
		if (!source->vectors[i].masked)
			connect_vector(source, &source->vectors[i]);
}

/* Returns whether @v is to have its route later. */
static gboolean forward_for_now(HbIrqSource *source, Vector *v)
{
	if (v->masked || (v->connected && messages_equal(&v->message, &v->routed)))
		return FALSE;
	if (v->connected)
		disconnect(source, v);
	forward(source, v);
	return !v->unroutable;
}

static void forward_all_for_now(HbIrqSource *source)
{
	gboolean any = FALSE;

	for (guint i = 0; i < source->n_vectors; i++)
		any |= forward_for_now(source, &source->vectors[i]);
	if (any)
		hb_later_ask(source->later);
}

void hb_irq_source_commit(HbIrqSource *source)
{
	if (source->severed)
		return;
	for (guint i = 0; i < source->n_vectors; i++)
		if (source->vectors[i].masked)
			disconnect(source, &source->vectors[i]);
	if (source->later)
		forward_all_for_now(source);
	else
		route_all(source);
}

void hb_irq_source_attach(HbIrqSource *source, HbHostBridge *bridge)
{
	const HbLaterTimes times = { .quiet_ms = QUIET_MS, .most_ms = MOST_MS };

	if (!source->later && !source->severed)
		source->later = hb_later_create(bridge, times, route_all, source);
}

gboolean hb_irq_source_is_pending(HbIrqSource *source, guint vector)
{
	g_return_val_if_fail(vector < source->n_vectors, FALSE);

	const Vector *v = &source->vectors[vector];
	struct pollfd pending = { .fd = v->eventfd, .events = POLLIN };

	return v->masked && !source->severed && poll(&pending, 1, 0) == 1 &&
	       pending.revents & POLLIN;
}

void hb_irq_source_sever(HbIrqSource *source)
{
	g_autoptr(GError) error = NULL;
	gboolean any = FALSE;

	if (source->severed)
		return;
	source->severed = TRUE;
	g_clear_pointer(&source->later, hb_later_destroy);
	for (guint i = 0; i < source->n_vectors; i++)
		disconnect(source, &source->vectors[i]);
	for (guint i = 0; i < source->n_vectors; i++) {
		any |= source->vectors[i].has_route;
		drop_route(source, &source->vectors[i]);
	}
	if (any && !commit_routes(source, &error))
		hb_host_log(source->remap->host, G_LOG_LEVEL_WARNING,
			    "%s: its interrupt routes are disconnected, but their removal was "
			    "refused; the next change of routes retries it: %s",
			    source->name, error->message);
}

void hb_irq_source_reset(HbIrqSource *source)
{
	for (guint i = 0; i < source->n_vectors; i++) {
		Vector *v = &source->vectors[i];

		v->masked = TRUE;
		disconnect(source, v);
		drain(v->eventfd);
	}
}
