/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_CACHE_H
#define VMM_KERNEL_CACHE_H

#include <glib.h>

#define HB_KERNEL_CACHE_ENTRIES 4 /* the last used ones are kept */

/** HbKernelCache: a folder of unpacked kernels, shared by all VMs of a user. */
typedef struct HbKernelCache HbKernelCache;

/** HbKernelDraft: a kernel on its way into the cache. */
typedef struct HbKernelDraft HbKernelDraft;

/** hb_kernel_cache_get_default: Returns: (transfer full): the folder of this process's user. */
char *hb_kernel_cache_get_default(void);

/**
 * hb_kernel_cache_open:
 * @folder: made if it is not there
 *
 * What processes that died left in there is removed.
 *
 * Returns: (nullable): NULL with %HB_ERROR_HOST if it cannot be used, or must not be because
 *   others could change what is in there, or it is a link
 */
HbKernelCache *hb_kernel_cache_open(const char *folder, GError **error);

/** hb_kernel_cache_close: takes NULL. Drafts stay valid. */
void hb_kernel_cache_close(HbKernelCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbKernelCache, hb_kernel_cache_close)

/**
 * hb_kernel_cache_find:
 * @digest: of the packed kernel, in hexadecimal digits
 * @size: of the unpacked one
 *
 * Reads all of it; one that is damaged, or that others could have changed, is discarded.
 *
 * Returns: a descriptor to close(), -1 if there is none that may be used. The entry counts as used
 *   now; that another process may discard it then does not matter to the descriptor.
 */
int hb_kernel_cache_find(const HbKernelCache *cache, const char *digest, guint64 size);

/** hb_kernel_cache_discard: removes what hb_kernel_cache_find() found, as it is no kernel. */
void hb_kernel_cache_discard(const HbKernelCache *cache, const char *digest);

/**
 * hb_kernel_cache_draft:
 *
 * Returns: (nullable): an empty file that nobody will find; NULL with %HB_ERROR_HOST
 */
HbKernelDraft *hb_kernel_cache_draft(const HbKernelCache *cache, const char *digest,
				     GError **error);

/** hb_kernel_draft_get_fd: Returns: to be written to; lives with the draft. */
int hb_kernel_draft_get_fd(const HbKernelDraft *draft);

/**
 * hb_kernel_draft_open: Returns: the same file, read-only, to close(); -1 with %HB_ERROR_HOST. It
 * stays the same when the draft is published, or gone.
 */
int hb_kernel_draft_open(const HbKernelDraft *draft, GError **error);

/**
 * hb_kernel_draft_publish:
 * @draft: (transfer full)
 *
 * Starts a thread that makes the draft an entry once it is on the disk, and then discards entries
 * that are too many. Nobody has to wait for it: if the process ends before, the draft is a dead
 * one.
 *
 * Returns: (transfer full) (nullable): the thread; NULL if there is none, and the draft is gone
 */
GThread *hb_kernel_draft_publish(HbKernelDraft *draft);

/** hb_kernel_draft_free: it is gone. Takes NULL. */
void hb_kernel_draft_free(HbKernelDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbKernelDraft, hb_kernel_draft_free)

#endif
