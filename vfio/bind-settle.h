/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BIND_SETTLE_H
#define VFIO_BIND_SETTLE_H

#include <glib.h>

/** HB_BIND_SETTLE_SECONDS: how long a drive may take to start. */
#define HB_BIND_SETTLE_SECONDS 30

/**
 * hb_bind_settle:
 * @root: as in vfio/host-files.h
 *
 * Waits until the nvme driver, if it has the drive, has started it or given up. Any thread; blocks.
 *
 * Returns: FALSE with %HB_ERROR_BUSY if that took too long
 */
gboolean hb_bind_settle(const char *root, const char *address, GError **error);

/** hb_bind_is_settled: whether there is nothing to wait for, now. */
gboolean hb_bind_is_settled(const char *root, const char *address);

#endif
