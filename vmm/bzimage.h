/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_BZIMAGE_H
#define VMM_BZIMAGE_H

#include <asm/bootparam.h>
#include <glib.h>

/** HbBzImage: an open Linux kernel image (Documentation/arch/x86/boot.rst in Linux). */
typedef struct HbBzImage {
	char *path;
	int fd;
	struct setup_header header;
	guint64 setup_size; /* bytes of the real-mode part, which is not needed */
	guint64 file_size;
} HbBzImage;

/**
 * hb_bzimage_open:
 *
 * Returns: (nullable): NULL with %HB_ERROR_NOT_FOUND if the file cannot be read,
 *   %HB_ERROR_UNSUPPORTED if it is no 64-bit bzImage
 */
HbBzImage *hb_bzimage_open(const char *path, GError **error);
void hb_bzimage_close(HbBzImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbBzImage, hb_bzimage_close)

/**
 * hb_bzimage_parse_header:
 * @start: the image's first bytes
 * @length: how many of them there are
 * @header: (out)
 *
 * Returns: FALSE with %HB_ERROR_UNSUPPORTED and the reason. Pure.
 */
gboolean hb_bzimage_parse_header(const guint8 *start, gsize length, struct setup_header *header,
				 GError **error);

/** hb_bzimage_get_load_size: Returns: bytes that hb_bzimage_load() writes. */
guint64 hb_bzimage_get_load_size(const HbBzImage *image);

/** hb_bzimage_load: reads the kernel proper to @target. Returns: FALSE with %HB_ERROR_HOST */
gboolean hb_bzimage_load(const HbBzImage *image, gpointer target, GError **error);

/** hb_bzimage_read_file: reads exactly @size bytes at @offset; the error names @path. */
gboolean hb_bzimage_read_file(int fd, const char *path, gpointer target, guint64 size,
			      guint64 offset, GError **error);

#endif
