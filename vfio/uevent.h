/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_UEVENT_H
#define VFIO_UEVENT_H

#include <glib.h>

/*
 * What the host's kernel tells of its PCI functions as it happens: that one has come, has got a
 * driver, is gone.
 */
typedef struct HbUevents HbUevents;

/** HB_UEVENT_LOST: an @action of our own: the kernel has left out events that came after those told
 * before, since nobody took them in time. What has come and gone meanwhile only sysfs knows. */
#define HB_UEVENT_LOST "lost"

/** HbUevent: @action is "add", "remove", "bind" and so on; @path is the function's in sysfs, below
 * "/sys", as "/devices/pci0000:00/0000:00:04.0/0000:01:00.0"; of %HB_UEVENT_LOST it is "".
 * @sequence rises from event to event, up to what "/sys/kernel/uevent_seqnum" says. */
typedef struct HbUevent {
	const char *action;
	const char *path;
	guint64 sequence;
} HbUevent;

/** HbUeventFunc: @event is valid during the call. */
typedef void (*HbUeventFunc)(const HbUevent *event, gpointer data);

/**
 * hb_uevents_open:
 * @first: called at once, on a thread of its own; must not wait for the loop
 * @then: called on the loop, for the same event, and for %HB_UEVENT_LOST
 *
 * Listens from here on. Both are called in the order in which things happened, and not any more
 * when hb_uevents_close() returns.
 */
HbUevents *hb_uevents_open(GMainContext *context, HbUeventFunc first, HbUeventFunc then,
			   gpointer data, GError **error);
void hb_uevents_close(HbUevents *uevents); /* takes NULL */

#endif
