/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BAY_LOCK_H
#define VFIO_BAY_LOCK_H

#include <glib.h>

/**
 * hb_bay_lock:
 * @root: as in vfio/host-files.h
 * @slot: as the operator calls it, for the message
 * @port: address of the slot's port
 *
 * Takes a slot of the host for this process, for as long as the descriptor stays open.
 *
 * Returns: a descriptor to be closed; -1 with %HB_ERROR_BUSY if a process has the slot, which the
 *   message names, or %HB_ERROR_HOST
 */
int hb_bay_lock(const char *root, const char *slot, const char *port, GError **error);

#endif
