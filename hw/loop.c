/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A GLib main context, driven from somebody else's loop.
 *
 *   fd (epoll) --+-- watched (epoll), made anew after each dispatch
 *                |     +-- the context's wake-up descriptor: news from other threads
 *                |     +-- descriptors of its sources
 *                +-- timer (timerfd): the context's next time-out
 *
 * The context is one for ownerless polling: since nobody sleeps in it, it signals its wake-up
 * descriptor for every new source and every changed time, whichever thread makes them, the one that
 * dispatches included. So what was armed once is never out of date without being readable.
 *
 * What is watched is made anew, because a source may have closed its descriptor and another may
 * have been given the same number, of which epoll knows only one, or neither.
 */

#include <hotbay/error.h>
#include <hotbay/loop.h>

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Rounds of one dispatch, so that sources that never rest leave the embedder's loop its turn. */
#define MAX_ROUNDS 16
/* How long to wait where something cannot be watched, for want of descriptors or memory. */
#define UNWATCHED_MS 10

_Static_assert((int)EPOLLIN == G_IO_IN && (int)EPOLLOUT == G_IO_OUT && (int)EPOLLPRI == G_IO_PRI &&
		       (int)EPOLLERR == G_IO_ERR && (int)EPOLLHUP == G_IO_HUP,
	       "conditions are the same bits for GLib and for epoll");

/* Loop thread only, after the creation. */
struct HbLoop {
	GMainContext *context; /* one reference */
	int fd;
	int watched;	/* in fd; -1: there was no descriptor for it */
	int timer;	/* in fd */
	GArray *polled; /* of GPollFD: the context's, of the round that is under way */
	gboolean dispatching;
};

static gboolean add_to(int epoll, int fd, guint32 events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void set_timer(HbLoop *loop, int timeout_ms)
{
	/* All zero disarms it, so what is due at once is due in a nanosecond. */
	struct itimerspec when = { .it_value.tv_nsec = timeout_ms == 0 };

	if (timeout_ms > 0) {
		when.it_value.tv_sec = timeout_ms / 1000;
		when.it_value.tv_nsec = timeout_ms % 1000 * 1000000L;
	}
	timerfd_settime(loop->timer, 0, &when, NULL);
}

/* What the context waits for now. Returns its time-out in milliseconds, -1 for none. */
static int query(HbLoop *loop, int priority)
{
	int timeout_ms, n;

	while ((n = g_main_context_query(loop->context, priority, &timeout_ms,
					 (GPollFD *)loop->polled->data, (int)loop->polled->len)) >
	       (int)loop->polled->len)
		g_array_set_size(loop->polled, (guint)n);
	g_array_set_size(loop->polled, (guint)n);
	return timeout_ms;
}

/* Watches what the last round asked for. Returns whether all of it. */
static gboolean watch(HbLoop *loop)
{
	gboolean whole = TRUE;

	if (loop->watched >= 0)
		close(loop->watched);
	loop->watched = epoll_create1(EPOLL_CLOEXEC);
	if (loop->watched < 0)
		return FALSE;
	for (guint i = 0; i < loop->polled->len; i++) {
		const GPollFD *polled = &g_array_index(loop->polled, GPollFD, i);

		whole &= add_to(loop->watched, polled->fd, polled->events);
	}
	return add_to(loop->fd, loop->watched, EPOLLIN) && whole;
}

/* @timeout_ms: until the next look, however quiet the descriptors are; -1: never. */
static void arm(HbLoop *loop, int timeout_ms)
{
	if (!watch(loop) && (timeout_ms < 0 || timeout_ms > UNWATCHED_MS))
		timeout_ms = UNWATCHED_MS;
	set_timer(loop, timeout_ms);
}

/* One turn of g_main_context_iteration(), without its sleep. Returns whether anything was due. */
static gboolean run_round(HbLoop *loop, int *timeout_ms)
{
	int priority;

	g_main_context_prepare(loop->context, &priority);
	*timeout_ms = query(loop, priority);
	/* A GPollFD is a struct pollfd: that is what GLib itself does with it. */
	while (poll((struct pollfd *)loop->polled->data, loop->polled->len, 0) < 0 &&
	       errno == EINTR)
		continue;
	if (!g_main_context_check(loop->context, priority, (GPollFD *)loop->polled->data,
				  (int)loop->polled->len))
		return FALSE;
	g_main_context_dispatch(loop->context);
	return TRUE;
}

_Static_assert(sizeof(GPollFD) == sizeof(struct pollfd) &&
		       G_STRUCT_OFFSET(GPollFD, events) == G_STRUCT_OFFSET(struct pollfd, events) &&
		       G_STRUCT_OFFSET(GPollFD, revents) == G_STRUCT_OFFSET(struct pollfd, revents),
	       "GLib's pollfd is the system's");

void hb_loop_dispatch(HbLoop *loop)
{
	int timeout_ms = 0;
	gboolean was_due = TRUE;

	/* Owned by somebody else: that thread iterates it. */
	if (loop->dispatching || !g_main_context_acquire(loop->context))
		return;
	loop->dispatching = TRUE;
	for (guint round = 0; was_due && round < MAX_ROUNDS; round++)
		was_due = run_round(loop, &timeout_ms);
	arm(loop, was_due ? 0 : timeout_ms);
	loop->dispatching = FALSE;
	g_main_context_release(loop->context);
}

static gboolean open_descriptors(HbLoop *loop, GError **error)
{
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	loop->watched = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd >= 0 && loop->timer >= 0 && loop->watched >= 0 &&
	    add_to(loop->fd, loop->timer, EPOLLIN))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "the loop's descriptors: %s: raise the limit of open files (ulimit -n)",
		    g_strerror(errno));
	return FALSE;
}

HbLoop *hb_loop_create(GError **error)
{
	HbLoop *loop = g_new0(HbLoop, 1);

	loop->polled = g_array_new(FALSE, TRUE, sizeof(GPollFD));
	if (!open_descriptors(loop, error)) {
		hb_loop_destroy(loop);
		return NULL;
	}
	/* GLib aborts the process when it gets no descriptor for a context: it can have this one's
	 * place. */
	close(loop->watched);
	loop->watched = -1;
	loop->context = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
	arm(loop, 0); /* readable, until the first dispatch has looked what there is */
	return loop;
}

void hb_loop_destroy(HbLoop *loop)
{
	if (!loop)
		return;
	if (loop->watched >= 0)
		close(loop->watched);
	if (loop->timer >= 0)
		close(loop->timer);
	if (loop->fd >= 0)
		close(loop->fd);
	g_array_unref(loop->polled);
	if (loop->context)
		g_main_context_unref(loop->context);
	g_free(loop);
}

GMainContext *hb_loop_get_context(HbLoop *loop)
{
	return loop->context;
}

int hb_loop_get_fd(HbLoop *loop)
{
	return loop->fd;
}
