/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BIND_LOCK_H
#define VFIO_BIND_LOCK_H

#include <glib.h>

/*
 * What keeps passthrough switches apart: flock() on folders of sysfs, below @root, which is as in
 * vfio/host-files.h. A lock dies with its owner. Both return a descriptor to close; with @wait they
 * wait for the other's end, else fail with %HB_ERROR_BUSY.
 */

/** hb_bind_lock_drive: Returns: -1 with an error, or without one if the drive is not there. */
int hb_bind_lock_drive(const char *root, const char *address, gboolean wait, GError **error);

/** hb_bind_lock_bus: after the drives'. Returns: -1 with an error. */
int hb_bind_lock_bus(const char *root, gboolean wait, GError **error);

#endif
