/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_HOST_MEMORY_H
#define VMM_HOST_MEMORY_H

#include <glib.h>

/** HbHostMemoryUse: how guest memory is held; the kernel counts it as locked for each. */
typedef enum HbHostMemoryUse {
	HB_HOST_MEMORY_LOCKED,
	HB_HOST_MEMORY_PINNED, /* by VFIO, for drives */
	HB_HOST_MEMORY_LOCKED_AND_PINNED,
} HbHostMemoryUse;

/**
 * hb_host_memory_check_limit:
 * @root: "/", or a folder laid out like it: of it proc is read
 * @size: bytes of guest memory
 *
 * Whether the host lets this process hold that much. What cannot be read is no reason against it.
 *
 * Returns: FALSE with %HB_ERROR_HOST naming the limit, what is needed and the remedy
 */
gboolean hb_host_memory_check_limit(const char *root, guint64 size, HbHostMemoryUse use,
				    GError **error);

/**
 * hb_host_memory_check_room:
 * @root: likewise; of it proc and sys/fs/cgroup are read
 * @size: bytes that guest memory will take, and are not in use yet
 *
 * Whether the host has that much for this process. Otherwise likewise.
 */
gboolean hb_host_memory_check_room(const char *root, guint64 size, GError **error);

#endif
