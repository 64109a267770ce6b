/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_PAYLOAD_H
#define VMM_KERNEL_PAYLOAD_H

#include "vmm/bzimage.h"

#include <sys/statvfs.h>

/** HbKernelPayload: where in a bzImage its compressed kernel is, and what it is. */
typedef struct HbKernelPayload {
	guint64 offset; /* in the file */
	guint64 length;
	guint32 unpacked_size; /* bytes, as it says itself */
	char *digest;	       /* of all of it, SHA-256 in hexadecimal digits */
} HbKernelPayload;

/**
 * hb_kernel_payload_find:
 * @image: open
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_UNSUPPORTED if it has none that
 *   hb_kernel_payload_unpack() could take, %HB_ERROR_HOST if it cannot be read
 */
HbKernelPayload *hb_kernel_payload_find(const HbBzImage *image, GError **error);
void hb_kernel_payload_free(HbKernelPayload *payload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbKernelPayload, hb_kernel_payload_free)

/**
 * hb_kernel_payload_fits: Returns: whether there is room for it unpacked, and 64 MiB beside it.
 * Pure.
 */
gboolean hb_kernel_payload_fits(const HbKernelPayload *payload, const struct statvfs *disk);

/**
 * hb_kernel_payload_unpack:
 * @target: an empty file; what is zero in there stays a hole
 *
 * Returns: FALSE with %HB_ERROR_UNSUPPORTED if it is damaged, or not what was found any more,
 *   %HB_ERROR_HOST if a file cannot be read or written, or the disk is too full
 */
gboolean hb_kernel_payload_unpack(const HbKernelPayload *payload, const HbBzImage *image,
				  int target, GError **error);

#endif
