/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_MEMORY_FILE_H
#define VMM_MEMORY_FILE_H

#include "vmm/memory-options.h"

/** HbMemoryFile: what guest memory is mapped from. */
typedef struct HbMemoryFile {
	int fd;		   /* the caller's to close */
	guint64 page_size; /* bytes */
	gboolean hugetlb;  /* its pages are from the host's pool of huge ones */
} HbMemoryFile;

/**
 * hb_memory_file_open:
 * @backend: of kind HB_MEMORY_MEMFD or HB_MEMORY_FILE
 * @size: bytes that it is to have at least
 *
 * A file that is made for this has no name, or is left as QEMU leaves it: with its name and data.
 *
 * Returns: FALSE with %HB_ERROR_HOST or %HB_ERROR_INVALID and the remedy
 */
gboolean hb_memory_file_open(const HbMemoryBackend *backend, guint64 size, HbMemoryFile *file,
			     GError **error);

/** hb_memory_file_is_hugetlb: Returns: whether the file of @backend, which may not be there yet,
 * has pages from the host's pool of huge ones. */
gboolean hb_memory_file_is_hugetlb(const HbMemoryBackend *backend);

/** hb_memory_file_explain: Returns: (transfer full): why @size bytes of it cannot be mapped, and
 * the remedy. */
char *hb_memory_file_explain(const HbMemoryFile *file, guint64 size, int code);

#endif
