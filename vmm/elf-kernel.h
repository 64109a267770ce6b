/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_ELF_KERNEL_H
#define VMM_ELF_KERNEL_H

#include <glib.h>

#define HB_ELF_KERNEL_MAX_SEGMENTS 16
#define HB_ELF_KERNEL_HEAD	   4096 /* in so many bytes all headers must be */

/** HbElfSegment: what is loaded from where to where. */
typedef struct HbElfSegment {
	guint64 offset;
	guint64 file_size;
	guint64 address; /* physical */
	guint64 size;	 /* in memory: what is beyond @file_size is zeroed */
} HbElfSegment;

/** HbElfLayout: what an ELF file's headers say, checked against its size and each other. */
typedef struct HbElfLayout {
	guint64 start;	      /* physical address of the lowest byte */
	guint64 end;	      /* behind the highest */
	guint64 link_address; /* virtual address of @start */
	guint64 entry;	      /* physical, for the place that it is linked for */
	guint64 file_end;     /* of the ELF image: what is behind is something else */
	HbElfSegment segments[HB_ELF_KERNEL_MAX_SEGMENTS];
	guint n_segments;
} HbElfLayout;

/** HbElfKernel: a Linux kernel as its linker made it, in an open file. */
typedef struct HbElfKernel {
	char *path;
	int fd;
	guint64 file_size;
	HbElfLayout layout;
} HbElfKernel;

/** hb_elf_kernel_is_elf: Returns: whether a file that starts so says that it is an ELF file. Pure.
 */
gboolean hb_elf_kernel_is_elf(const guint8 *start, gsize length);

/**
 * hb_elf_kernel_parse:
 * @head: (array length=length): the file's start, %HB_ELF_KERNEL_HEAD bytes if it has them
 * @layout: (out)
 *
 * Returns: FALSE with %HB_ERROR_UNSUPPORTED and the reason. Pure.
 */
gboolean hb_elf_kernel_parse(const guint8 *head, gsize length, guint64 file_size,
			     HbElfLayout *layout, GError **error);

/**
 * hb_elf_kernel_open:
 * @fd: (transfer full): of the file; closed also on failure
 * @path: for messages
 *
 * Returns: (nullable): NULL with %HB_ERROR_UNSUPPORTED if it is no kernel's ELF image
 */
HbElfKernel *hb_elf_kernel_open(int fd, const char *path, GError **error);
void hb_elf_kernel_close(HbElfKernel *kernel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbElfKernel, hb_elf_kernel_close)

/**
 * hb_elf_kernel_load:
 * @target: the layout's end - start bytes
 *
 * Returns: FALSE with %HB_ERROR_HOST if the file cannot be read any more
 */
gboolean hb_elf_kernel_load(const HbElfKernel *kernel, guint8 *target, GError **error);

/**
 * hb_elf_kernel_has_relocs: Returns: whether anything follows the ELF image. Whether that is a
 * relocation table hb_elf_kernel_check_relocs() tells.
 */
gboolean hb_elf_kernel_has_relocs(const HbElfKernel *kernel);

/**
 * hb_elf_kernel_check_relocs: Returns: FALSE with %HB_ERROR_INVALID if what follows the ELF image
 * is no relocation table that fits it.
 */
gboolean hb_elf_kernel_check_relocs(const HbElfKernel *kernel, GError **error);

/**
 * hb_elf_kernel_relocate:
 * @target: where it was loaded
 * @delta: how far from its link address it is going to run
 *
 * Returns: FALSE with %HB_ERROR_INVALID if the table makes no sense
 */
gboolean hb_elf_kernel_relocate(const HbElfKernel *kernel, guint8 *target, guint64 delta,
				GError **error);

#endif
