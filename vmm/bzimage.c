/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A bzImage: one boot sector, setup_sects sectors of real-mode code, and the kernel proper with its
 * own 64-bit entry 0x200 bytes in. Only its header is kept; the kernel is read from the file
 * straight into guest memory, at start and at each reset.
 */

#include "vmm/bzimage.h"

#include <errno.h>
#include <fcntl.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR		512
#define HEADER_OFFSET	0x1f1
#define JUMP_OFFSET	0x201 /* the byte here says how long the header is */
#define HEADER_FIXED	0x202 /* where that length counts from */
#define BOOT_FLAG	0xaa55
#define MAGIC		0x53726448 /* "HdrS" */
#define MIN_VERSION	0x020c	   /* 2.12, Linux 3.8: xloadflags */
#define DEFAULT_SECTORS 4	   /* a count of 0 means this */
#define NEEDED		(HEADER_OFFSET + sizeof(struct setup_header))

static gboolean refuse(GError **error, const char *what)
{
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "%s: give a 64-bit bzImage, such as Debian's /boot/vmlinuz-*", what);
	return FALSE;
}

gboolean hb_bzimage_parse_header(const guint8 *start, gsize length, struct setup_header *header,
				 GError **error)
{
	if (length < NEEDED)
		return refuse(error, "no Linux kernel, the file is too short");
	memcpy(header, start + HEADER_OFFSET, sizeof(*header));
	if (header->boot_flag != BOOT_FLAG || header->header != MAGIC)
		return refuse(error, "no Linux kernel, there is no boot header");
	if (header->version < MIN_VERSION)
		return refuse(error, "boot protocol older than 2.12");
	if (!(header->loadflags & LOADED_HIGH) || !(header->xloadflags & XLF_KERNEL_64))
		return refuse(error, "the kernel has no 64-bit entry");
	/* What lies behind the header's own end is no header, whatever this struct's size. */
	gsize end = HEADER_FIXED + start[JUMP_OFFSET];
	if (end < NEEDED && end > HEADER_OFFSET)
		memset((guint8 *)header + (end - HEADER_OFFSET), 0, NEEDED - end);
	return TRUE;
}

gboolean hb_bzimage_read_file(int fd, const char *path, gpointer target, guint64 size,
			      guint64 offset, GError **error)
{
	guint8 *at = target;

	while (size) {
		gssize done = pread(fd, at, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: %s: is it being replaced?",
				    path, done ? g_strerror(errno) : "shorter than it was");
			return FALSE;
		}
		at += done;
		offset += (guint64)done;
		size -= (guint64)done;
	}
	return TRUE;
}

static gboolean read_header(HbBzImage *image, GError **error)
{
	guint8 start[NEEDED];
	struct stat status;

	if (fstat(image->fd, &status) || !S_ISREG(status.st_mode))
		return refuse(error, "no regular file");
	image->file_size = (guint64)status.st_size;
	gsize length = MIN(image->file_size, sizeof(start));
	if (!hb_bzimage_read_file(image->fd, image->path, start, length, 0, error) ||
	    !hb_bzimage_parse_header(start, length, &image->header, error))
		return FALSE;
	guint sectors = image->header.setup_sects ? image->header.setup_sects : DEFAULT_SECTORS;
	image->setup_size = (sectors + 1) * SECTOR;
	if (image->setup_size >= image->file_size)
		return refuse(error, "no Linux kernel, the file is too short");
	return TRUE;
}

HbBzImage *hb_bzimage_open(const char *path, GError **error)
{
	g_autoptr(HbBzImage) image = g_new0(HbBzImage, 1);

	image->path = g_strdup(path);
	image->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (image->fd < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "-kernel: %s: %s: name a readable file", path, g_strerror(errno));
		return NULL;
	}
	if (!read_header(image, error)) {
		g_prefix_error(error, "-kernel: %s: ", path);
		return NULL;
	}
	return g_steal_pointer(&image);
}

void hb_bzimage_close(HbBzImage *image)
{
	if (image == NULL)
		return;
	if (image->fd >= 0)
		close(image->fd);
	g_free(image->path);
	g_free(image);
}

guint64 hb_bzimage_get_load_size(const HbBzImage *image)
{
	return image->file_size - image->setup_size;
}

gboolean hb_bzimage_load(const HbBzImage *image, gpointer target, GError **error)
{
	return hb_bzimage_read_file(image->fd, image->path, target, hb_bzimage_get_load_size(image),
				    image->setup_size, error);
}
