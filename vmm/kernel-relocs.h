/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_RELOCS_H
#define VMM_KERNEL_RELOCS_H

#include <glib.h>

/** HbKernelRelocList: a part of the table; points into it. */
typedef struct HbKernelRelocList {
	const guint32 *words;
	gsize n;
} HbKernelRelocList;

/**
 * HbKernelRelocs: the places of a Linux kernel that hold its own virtual addresses. Each is named
 * by the low half of its link address, whose high half is all ones.
 */
typedef struct HbKernelRelocs {
	HbKernelRelocList words32;
	HbKernelRelocList inverse32; /* the address is subtracted there; none since Linux 6.15 */
	HbKernelRelocList words64;
} HbKernelRelocs;

/**
 * hb_kernel_relocs_parse:
 * @words: (array length=n): all that follows the kernel's ELF image; must outlive @relocs
 * @relocs: (out)
 *
 * Returns: FALSE if this is no table of either form. Pure.
 */
gboolean hb_kernel_relocs_parse(const guint32 *words, gsize n, HbKernelRelocs *relocs);

/**
 * hb_kernel_relocs_check:
 * @size: of the kernel in memory
 * @address: the link address of its first byte
 *
 * Returns: FALSE with %HB_ERROR_INVALID if a place is outside the kernel. Pure.
 */
gboolean hb_kernel_relocs_check(const HbKernelRelocs *relocs, guint64 size, guint64 address,
				GError **error);

/**
 * hb_kernel_relocs_apply:
 * @image: (array length=size): the loaded kernel
 * @address: the link address of its first byte
 * @delta: how far from there it is going to run
 *
 * Returns: FALSE with %HB_ERROR_INVALID if a place is outside @image, of which nothing is changed
 * then. Pure.
 */
gboolean hb_kernel_relocs_apply(const HbKernelRelocs *relocs, guint8 *image, guint64 size,
				guint64 address, guint64 delta, GError **error);

#endif
