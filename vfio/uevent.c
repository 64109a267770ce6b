/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The kernel's own uevents, and not those that udev passes on when its rules are done: a drive that
 * is to be VFIO's is claimed in the moment between its appearing and the search for its driver, and
 * a host without udev is a host too.
 *
 * That moment is shorter than what a busy loop takes to wake up. So a thread of its own listens,
 * with a real-time priority where the process may have one, and hands on to the loop:
 *
 *     kernel --netlink--> thread: first() --queue, eventfd--> loop: then()
 *
 * The kernel keeps for a listener what fits its buffer, drops what comes until that is empty, and
 * says so once, by ENOBUFS (net/netlink/af_netlink.c, netlink_overrun(), Linux 6.1). So the buffer
 * is large, and when it was not large enough, the loop is told as soon as it is empty.
 */

#include "vfio/uevent.h"

#include <hotbay/error.h>

#include <errno.h>
#include <glib-unix.h>
#include <libudev.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Some thousand events: of all the drives of a host, and of what comes with each. */
#define BUFFER_SIZE (4 << 20)

struct HbUevents {
	struct udev *udev;
	struct udev_monitor *monitor;
	HbUeventFunc first; /* on the thread */
	HbUeventFunc then;  /* on the loop */
	gpointer data;
	GThread *thread;
	int stop_fd;
	int news_fd;
	GAsyncQueue *news; /* of HbUevent, owned */
	GSource *source;
};

static void event_free(gpointer data)
{
	HbUevent *event = data;

	g_free((char *)event->action);
	g_free((char *)event->path);
	g_free(event);
}

/* -- The thread. -- */

static void hand_on(HbUevents *uevents, const HbUevent *event)
{
	HbUevent *copy = g_new0(HbUevent, 1);

	copy->action = g_strdup(event->action);
	copy->path = g_strdup(event->path);
	copy->sequence = event->sequence;
	g_async_queue_push(uevents->news, copy);
	eventfd_write(uevents->news_fd, 1);
}

static void pass(HbUevents *uevents, struct udev_device *device)
{
	const HbUevent event = { .action = udev_device_get_action(device),
				 .path = udev_device_get_devpath(device),
				 .sequence = udev_device_get_seqnum(device) };

	if (event.action && event.path) {
		uevents->first(&event, uevents->data);
		hand_on(uevents, &event);
	}
	udev_device_unref(device);
}

/* NULL: there is none, or, with @lost, there are some that the kernel has dropped. */
static struct udev_device *receive_one(HbUevents *uevents, gboolean *lost)
{
	struct udev_device *device;

	errno = 0;
	device = udev_monitor_receive_device(uevents->monitor);
	*lost = !device && errno == ENOBUFS;
	return device;
}

static void receive(HbUevents *uevents)
{
	const HbUevent loss = { .action = HB_UEVENT_LOST, .path = "" };
	struct udev_device *device;
	gboolean lost, any_lost = FALSE;

	while ((device = receive_one(uevents, &lost)) || lost) {
		if (device)
			pass(uevents, device);
		any_lost |= lost;
	}
	if (any_lost)
		hand_on(uevents, &loss);
}

static gpointer listen_thread(gpointer data)
{
	HbUevents *uevents = data;
	const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };
	struct pollfd fds[] = {
		{ .fd = udev_monitor_get_fd(uevents->monitor), .events = POLLIN },
		{ .fd = uevents->stop_fd, .events = POLLIN },
	};

	/* Without it, somebody else's driver is sometimes faster: see vfio/bay-take.c. */
	sched_setscheduler(0, SCHED_FIFO, &lowest);
	while (fds[1].revents == 0) {
		if (poll(fds, G_N_ELEMENTS(fds), -1) > 0 && fds[0].revents)
			receive(uevents);
	}
	return NULL;
}

/* -- The loop. -- */

static gboolean on_news(gint fd, GIOCondition condition, gpointer data)
{
	HbUevents *uevents = data;
	HbUevent *event;
	eventfd_t count;

	eventfd_read(fd, &count);
	while ((event = g_async_queue_try_pop(uevents->news))) {
		uevents->then(event, uevents->data);
		event_free(event);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean listen_to_kernel(HbUevents *uevents)
{
	uevents->udev = udev_new();
	uevents->monitor =
		uevents->udev ? udev_monitor_new_from_netlink(uevents->udev, "kernel") : NULL;
	/* a smaller buffer, as who may not have this one has it, overflows sooner */
	if (uevents->monitor)
		udev_monitor_set_receive_buffer_size(uevents->monitor, BUFFER_SIZE);
	return uevents->monitor &&
	       udev_monitor_filter_add_match_subsystem_devtype(uevents->monitor, "pci", NULL) >=
		       0 &&
	       udev_monitor_enable_receiving(uevents->monitor) >= 0;
}

static gboolean open_fds(HbUevents *uevents)
{
	uevents->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uevents->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return uevents->stop_fd >= 0 && uevents->news_fd >= 0;
}

static HbUevents *uevents_new(HbUeventFunc first, HbUeventFunc then, gpointer data)
{
	HbUevents *uevents = g_new0(HbUevents, 1);

	uevents->first = first;
	uevents->then = then;
	uevents->data = data;
	uevents->stop_fd = uevents->news_fd = -1;
	uevents->news = g_async_queue_new_full(event_free);
	return uevents;
}

HbUevents *hb_uevents_open(GMainContext *context, HbUeventFunc first, HbUeventFunc then,
			   gpointer data, GError **error)
{
	HbUevents *uevents = uevents_new(first, then, data);

	if (!listen_to_kernel(uevents) || !open_fds(uevents)) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "listening to the kernel's uevents: %s: a bay cannot be watched "
			    "without them",
			    g_strerror(errno));
		hb_uevents_close(uevents);
		return NULL;
	}
	uevents->source = g_unix_fd_source_new(uevents->news_fd, G_IO_IN);
	g_source_set_priority(uevents->source, G_PRIORITY_HIGH);
	g_source_set_callback(uevents->source, G_SOURCE_FUNC(on_news), uevents, NULL);
	g_source_attach(uevents->source, context);
	uevents->thread = g_thread_new("hotbay-uevents", listen_thread, uevents);
	return uevents;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void hb_uevents_close(HbUevents *uevents)
{
	if (!uevents)
		return;
	if (uevents->thread) {
		eventfd_write(uevents->stop_fd, 1);
		g_thread_join(uevents->thread);
	}
	if (uevents->source) {
		g_source_destroy(uevents->source);
		g_source_unref(uevents->source);
	}
	g_async_queue_unref(uevents->news);
	close_fd(uevents->news_fd);
	close_fd(uevents->stop_fd);
	if (uevents->monitor)
		udev_monitor_unref(uevents->monitor);
	if (uevents->udev)
		udev_unref(uevents->udev);
	g_free(uevents);
}
