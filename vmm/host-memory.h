/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_HOST_MEMORY_H
#define VMM_HOST_MEMORY_H

#include <glib.h>

/** HbHostMemoryUse: how guest memory is held, which is how often the kernel counts it as locked. */
typedef enum HbHostMemoryUse {
	HB_HOST_MEMORY_LOCKED = 1,
	HB_HOST_MEMORY_LOCKED_AND_PINNED = 2, /* by VFIO, for drives */
} HbHostMemoryUse;

/**
 * hb_host_memory_check:
 * @root: "/", or a folder laid out like it: of it proc and sys/fs/cgroup are read
 * @size: bytes of guest memory, not yet there
 *
 * Whether the host has that much memory for this process, and lets it hold it. What cannot be read
 * is no reason against it.
 *
 * Returns: FALSE with %HB_ERROR_HOST naming the limit, what is needed and the remedy
 */
gboolean hb_host_memory_check(const char *root, guint64 size, HbHostMemoryUse use, GError **error);

/** hb_host_memory_check_limit: the second half of it alone, where pages were set aside before. */
gboolean hb_host_memory_check_limit(const char *root, guint64 size, HbHostMemoryUse use,
				    GError **error);

#endif
