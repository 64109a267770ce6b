/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_H
#define VMM_KERNEL_H

#include "vmm/bzimage.h"
#include "vmm/memory.h"

/** HbKernel: what -kernel names, a bzImage or a vmlinux, open. */
typedef struct HbKernel HbKernel;

/** HbKernelRoom: where in the guest's memory it may be. */
typedef struct HbKernelRoom {
	guint64 address; /* of a bzImage that unpacks itself, as its header has it */
	guint64 limit;	 /* what lies above is used otherwise */
} HbKernelRoom;

/** HbKernelStart: how it is entered. */
typedef struct HbKernelStart {
	guint64 address; /* where it was loaded */
	guint64 entry;
	guint8 loadflags;  /* of the setup header, in addition */
	gboolean unpacked; /* its own unpacker does not run */
} HbKernelStart;

/**
 * hb_kernel_open:
 * @cache: (nullable): the folder of unpacked kernels; NULL: a bzImage unpacks itself, in the guest
 *
 * Returns: (nullable): NULL with an error that starts with "-kernel"
 */
HbKernel *hb_kernel_open(const char *path, const char *cache, GError **error);

/** hb_kernel_close: takes NULL. */
void hb_kernel_close(HbKernel *kernel);

/**
 * hb_kernel_get_header: Returns: (transfer none): the boot protocol's header; for a vmlinux, which
 *   has none, one that says the same of it.
 */
const struct setup_header *hb_kernel_get_header(const HbKernel *kernel);

/** hb_kernel_get_load_size: Returns: bytes that are read at least to @address of its room. */
guint64 hb_kernel_get_load_size(const HbKernel *kernel);

/**
 * hb_kernel_load:
 * @room: holds what the header asks for
 * @start: (out)
 *
 * Writes it into guest memory, each time to another place unless @command_line says nokaslr, or it
 * cannot move. The first time, a bzImage that is not in the cache yet is unpacked, which takes a
 * second or more.
 *
 * Returns: FALSE with %HB_ERROR_HOST if the file cannot be read any more
 */
gboolean hb_kernel_load(HbKernel *kernel, const HbMemory *memory, const HbKernelRoom *room,
			const char *command_line, HbKernelStart *start, GError **error);

#endif
