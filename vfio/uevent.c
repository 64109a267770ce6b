/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The kernel's own uevents, and not those that udev passes on when its rules are done: a drive that
 * is to be VFIO's is claimed in the moment between its appearing and the search for its driver, and
 * a host without udev is a host too.
 */

#include "vfio/uevent.h"

#include <hotbay/error.h>

#include <errno.h>
#include <glib-unix.h>
#include <libudev.h>

struct HbUevents {
	struct udev *udev;
	struct udev_monitor *monitor;
	GSource *source;
	HbUeventFunc func;
	gpointer data;
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
	HbUevents *uevents = data;
	struct udev_device *device;

	while ((device = udev_monitor_receive_device(uevents->monitor))) {
		const HbUevent event = { .action = udev_device_get_action(device),
					 .path = udev_device_get_devpath(device) };

		if (event.action && event.path)
			uevents->func(&event, uevents->data);
		udev_device_unref(device);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean listen_to_kernel(HbUevents *uevents)
{
	uevents->udev = udev_new();
	uevents->monitor =
		uevents->udev ? udev_monitor_new_from_netlink(uevents->udev, "kernel") : NULL;
	return uevents->monitor &&
	       udev_monitor_filter_add_match_subsystem_devtype(uevents->monitor, "pci", NULL) >=
		       0 &&
	       udev_monitor_enable_receiving(uevents->monitor) >= 0;
}

HbUevents *hb_uevents_open(GMainContext *context, HbUeventFunc func, gpointer data, GError **error)
{
	HbUevents *uevents = g_new0(HbUevents, 1);

	uevents->func = func;
	uevents->data = data;
	if (!listen_to_kernel(uevents)) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "listening to the kernel's uevents: %s: a bay cannot be watched "
			    "without them",
			    g_strerror(errno));
		hb_uevents_close(uevents);
		return NULL;
	}
	uevents->source = g_unix_fd_source_new(udev_monitor_get_fd(uevents->monitor), G_IO_IN);
	g_source_set_priority(uevents->source, G_PRIORITY_HIGH);
	g_source_set_callback(uevents->source, G_SOURCE_FUNC(on_readable), uevents, NULL);
	g_source_attach(uevents->source, context);
	return uevents;
}

void hb_uevents_close(HbUevents *uevents)
{
	if (!uevents)
		return;
	if (uevents->source) {
		g_source_destroy(uevents->source);
		g_source_unref(uevents->source);
	}
	if (uevents->monitor)
		udev_monitor_unref(uevents->monitor);
	if (uevents->udev)
		udev_unref(uevents->udev);
	g_free(uevents);
}
