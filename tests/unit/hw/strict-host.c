/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The contract of HbHostOps, as an embedder reads it. */

#include "tests/unit/hw/strict-host.h"

#include <hotbay/error.h>

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>

#define PAGE	     4096
#define MAX_MAPPINGS 64
#define MAX_ROUTES   64
#define NOT_OPEN     (-1)

typedef struct Mapping {
	guint64 gpa;
	guint64 size; /* 0: there is none */
} Mapping;

typedef struct Route {
	gboolean used;
	gboolean has_message;
	HbMsiMessage message;	/* as set */
	gboolean is_committed;	/* since there is a message */
	HbMsiMessage committed; /* as it is delivered */
	int eventfd;		/* NOT_OPEN: it is not connected */
} Route;

struct StrictHost {
	HbHost *host;
	GMainContext *context;
	gint busy; /* atomic: somebody is in a call that comes under the bus lock */
	guint refused_at;

	GMutex lock; /* signal_msi comes at any time, on any thread */
	guint n_calls;
	const char *refused; /* (nullable) */
	HbMsiMessage last;   /* that was signalled */

	Mapping mappings[MAX_MAPPINGS];
	Route routes[MAX_ROUTES];
};

static StrictHost *get_strict(HbHost *host)
{
	return hb_host_get_opaque(host);
}

static StrictHost *enter(HbHost *host)
{
	StrictHost *strict = get_strict(host);

	ck_assert_msg(g_atomic_int_compare_and_exchange(&strict->busy, 0, 1),
		      "two calls at the same time");
	return strict;
}

static void leave(StrictHost *strict)
{
	g_atomic_int_set(&strict->busy, 0);
}

/* Counts a call that may be refused. */
static gboolean is_refused(StrictHost *strict, const char *name, GError **error)
{
	gboolean refused;

	g_mutex_lock(&strict->lock);
	refused = ++strict->n_calls == strict->refused_at;
	if (refused)
		strict->refused = name;
	g_mutex_unlock(&strict->lock);
	if (refused)
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s refused by the strict", name);
	return refused;
}

static gboolean overlaps(const Mapping *mapping, guint64 gpa, guint64 size)
{
	return mapping->size && gpa < mapping->gpa + mapping->size && mapping->gpa < gpa + size;
}

static gboolean take_mapping(StrictHost *strict, guint64 gpa, guint64 size, guint *slot,
			     GError **error)
{
	guint unused = MAX_MAPPINGS;

	if (is_refused(strict, "map", error))
		return FALSE;
	for (guint i = 0; i < MAX_MAPPINGS; i++) {
		if (strict->mappings[i].size == 0)
			unused = i;
		if (overlaps(&strict->mappings[i], gpa, size)) {
			g_set_error(error, HB_ERROR, HB_ERROR_HOST, "overlapping map");
			return FALSE;
		}
	}
	ck_assert_uint_lt(unused, MAX_MAPPINGS);
	strict->mappings[unused] = (Mapping){ gpa, size };
	*slot = unused;
	return TRUE;
}

static gboolean map(HbHost *host, guint64 gpa, guint64 size, gpointer hva, guint *slot,
		    GError **error)
{
	StrictHost *strict = enter(host);

	ck_assert_uint_gt(size, 0);
	ck_assert_uint_eq((gpa | size | (guintptr)hva) % PAGE, 0);
	gboolean mapped = take_mapping(strict, gpa, size, slot, error);
	leave(strict);
	return mapped;
}

static void unmap(HbHost *host, guint slot)
{
	StrictHost *strict = enter(host);

	ck_assert_uint_lt(slot, MAX_MAPPINGS);
	ck_assert_uint_gt(strict->mappings[slot].size, 0);
	strict->mappings[slot].size = 0;
	leave(strict);
}

static gboolean signal_msi(HbHost *host, const HbMsiMessage *message, GError **error)
{
	StrictHost *strict = get_strict(host);

	if (is_refused(strict, "signal_msi", error))
		return FALSE;
	g_mutex_lock(&strict->lock);
	strict->last = *message;
	g_mutex_unlock(&strict->lock);
	return TRUE;
}

static guint find_unused_route(const StrictHost *strict)
{
	guint route = 0;

	while (route < MAX_ROUTES && strict->routes[route].used)
		route++;
	ck_assert_uint_lt(route, MAX_ROUTES);
	return route;
}

static gboolean route_add(HbHost *host, guint *route, GError **error)
{
	StrictHost *strict = enter(host);
	gboolean added = !is_refused(strict, "route_add", error);

	if (added) {
		*route = find_unused_route(strict);
		strict->routes[*route] = (Route){ .used = TRUE, .eventfd = NOT_OPEN };
	}
	leave(strict);
	return added;
}

static Route *get_route(StrictHost *strict, guint route)
{
	ck_assert_uint_lt(route, MAX_ROUTES);
	ck_assert(strict->routes[route].used);
	return &strict->routes[route];
}

static void route_set(HbHost *host, guint route, const HbMsiMessage *message)
{
	StrictHost *strict = enter(host);
	Route *entry = get_route(strict, route);

	entry->has_message = TRUE;
	entry->message = *message;
	leave(strict);
}

static void route_remove(HbHost *host, guint route)
{
	StrictHost *strict = enter(host);
	Route *entry = get_route(strict, route);

	ck_assert_int_eq(entry->eventfd, NOT_OPEN);
	*entry = (Route){ .eventfd = NOT_OPEN };
	leave(strict);
}

static gboolean routes_commit(HbHost *host, GError **error)
{
	StrictHost *strict = enter(host);
	gboolean committed = !is_refused(strict, "routes_commit", error);

	for (guint i = 0; i < MAX_ROUTES && committed; i++) {
		Route *route = &strict->routes[i];

		route->is_committed = route->has_message;
		route->committed = route->message;
	}
	leave(strict);
	return committed;
}

static gboolean route_connect(HbHost *host, guint route, int eventfd, GError **error)
{
	StrictHost *strict = enter(host);
	Route *entry = get_route(strict, route);
	gboolean connected = !is_refused(strict, "route_connect", error);

	ck_assert(entry->is_committed);
	ck_assert_int_eq(entry->eventfd, NOT_OPEN);
	ck_assert_int_ge(fcntl(eventfd, F_GETFD), 0);
	if (connected)
		entry->eventfd = eventfd;
	leave(strict);
	return connected;
}

static void route_disconnect(HbHost *host, guint route, int eventfd)
{
	StrictHost *strict = enter(host);
	Route *entry = get_route(strict, route);

	ck_assert_int_eq(entry->eventfd, eventfd);
	ck_assert_int_ge(fcntl(eventfd, F_GETFD), 0);
	entry->eventfd = NOT_OPEN;
	leave(strict);
}

static void ignore_log(HbHost *host, GLogLevelFlags level, const char *line)
{
}

static const HbHostOps strict_ops = {
	.map = map,
	.unmap = unmap,
	.signal_msi = signal_msi,
	.route_add = route_add,
	.route_set = route_set,
	.route_remove = route_remove,
	.routes_commit = routes_commit,
	.route_connect = route_connect,
	.route_disconnect = route_disconnect,
	.log = ignore_log,
};

StrictHost *strict_host_create(guint refused)
{
	StrictHost *strict = g_new0(StrictHost, 1);

	strict->refused_at = refused;
	strict->context = g_main_context_new();
	strict->host = hb_host_create(&strict_ops, strict, strict->context);
	g_mutex_init(&strict->lock);
	return strict;
}

void strict_host_destroy(StrictHost *strict)
{
	ck_assert_uint_eq(strict_host_get_n_mapped(strict), 0);
	for (guint i = 0; i < MAX_ROUTES; i++)
		ck_assert_msg(!strict->routes[i].used, "route %u is left", i);
	hb_host_destroy(strict->host);
	g_main_context_unref(strict->context);
	g_mutex_clear(&strict->lock);
	g_free(strict);
}

HbHost *strict_host_get_host(StrictHost *strict)
{
	return strict->host;
}

GMainContext *strict_host_get_context(StrictHost *strict)
{
	return strict->context;
}

const char *strict_host_get_refused(StrictHost *strict)
{
	return strict->refused;
}

guint strict_host_get_n_mapped(StrictHost *strict)
{
	guint n = 0;

	for (guint i = 0; i < MAX_MAPPINGS; i++)
		n += strict->mappings[i].size != 0;
	return n;
}

static gboolean is_same(const HbMsiMessage *a, const HbMsiMessage *b)
{
	return a->address == b->address && a->data == b->data;
}

static gboolean take_signalled(StrictHost *strict, const HbMsiMessage *message)
{
	gboolean signalled;

	g_mutex_lock(&strict->lock);
	signalled = is_same(&strict->last, message);
	if (signalled)
		strict->last = (HbMsiMessage){ 0 };
	g_mutex_unlock(&strict->lock);
	return signalled;
}

/* As KVM does with an irqfd: takes its signal, and delivers what its route says. */
static gboolean take_eventfd(const Route *route)
{
	struct pollfd polled = { .fd = route->eventfd, .events = POLLIN };
	eventfd_t count;

	return route->used && route->eventfd != NOT_OPEN && poll(&polled, 1, 0) == 1 &&
	       eventfd_read(route->eventfd, &count) == 0;
}

gboolean strict_host_delivers(StrictHost *strict, const HbMsiMessage *message)
{
	gboolean delivered = take_signalled(strict, message);

	for (guint i = 0; i < MAX_ROUTES; i++) {
		const Route *route = &strict->routes[i];

		if (take_eventfd(route))
			delivered |= is_same(&route->committed, message);
	}
	return delivered;
}
