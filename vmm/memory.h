/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include "vmm/memory-options.h"

#include <hotbay/host.h>

/** HbMemory: the guest's RAM: one mapping, seen by the guest in one or two ranges. */
typedef struct HbMemory HbMemory;

/**
 * hb_memory_create:
 * @size: bytes, a multiple of 1 MiB
 * @backend: where its pages come from
 *
 * Reserves address space, and of huge pages from the host's pool the pages too; nothing is fetched.
 *
 * Returns: (nullable): NULL with %HB_ERROR_HOST or %HB_ERROR_INVALID, starting with the flag to
 * blame
 */
HbMemory *hb_memory_create(guint64 size, const HbMemoryBackend *backend, GError **error);

/** hb_memory_destroy: waits for hb_memory_populate()'s threads. Takes NULL. */
void hb_memory_destroy(HbMemory *memory);

/** hb_memory_get_ranges: Returns: (transfer none) (array length=n): the ranges, in order. */
const HbRam *hb_memory_get_ranges(const HbMemory *memory, guint *n);

/**
 * hb_memory_at:
 *
 * Returns: (nullable): where @size bytes at guest physical @gpa are; NULL if they are not all in
 *   one range. Any thread.
 */
gpointer hb_memory_at(const HbMemory *memory, guint64 gpa, guint64 size);

/**
 * hb_memory_lock:
 *
 * No page of it will be swapped out, once it is there.
 *
 * Returns: FALSE with %HB_ERROR_HOST naming RLIMIT_MEMLOCK, which hb_host_memory_check_limit()
 * looks at
 */
gboolean hb_memory_lock(HbMemory *memory, GError **error);

/**
 * hb_memory_populate:
 *
 * Starts threads that fetch all pages from the host, huge ones where offered, in time that nobody
 * else wants, and returns at once. The guest may run meanwhile.
 */
void hb_memory_populate(HbMemory *memory);

/**
 * hb_memory_wait_populated:
 *
 * Once started: helps them, and returns when all pages are there. Any thread.
 *
 * Returns: FALSE with %HB_ERROR_HOST if the host has not that much memory
 */
gboolean hb_memory_wait_populated(HbMemory *memory, GError **error);

#endif
