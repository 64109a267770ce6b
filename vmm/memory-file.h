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
	gboolean shared;   /* to be mapped so */
	char *made; /* (nullable): the name of a file that was not there before; the caller's */
} HbMemoryFile;

/** HbMemoryPlace: what guest memory will take of the host. */
typedef struct HbMemoryPlace {
	gboolean hugetlb; /* pages from its pool of huge ones */
	gboolean on_disk; /* a file of an ordinary file system */
	guint64 needed;	  /* bytes of its memory that are not in use yet; none with @hugetlb */
} HbMemoryPlace;

/**
 * hb_memory_file_look:
 * @backend: of any kind
 * @size: bytes of guest memory
 *
 * Before anything is made: a file need not be there yet.
 */
void hb_memory_file_look(const HbMemoryBackend *backend, guint64 size, HbMemoryPlace *place);

/**
 * hb_memory_file_open:
 * @backend: of kind HB_MEMORY_MEMFD or HB_MEMORY_FILE
 * @size: bytes that it is to have at least
 *
 * In a folder it has no name. A file with a name stays, and so does what is in it; only one that
 * was made for this, and could not be used, is to be removed.
 *
 * Returns: FALSE with %HB_ERROR_HOST or %HB_ERROR_INVALID and the remedy
 */
gboolean hb_memory_file_open(const HbMemoryBackend *backend, guint64 size, HbMemoryFile *file,
			     GError **error);

/** hb_memory_file_unmake: removes a file that was made for this, and forgets its name. */
void hb_memory_file_unmake(HbMemoryFile *file);

/** hb_memory_file_explain: Returns: (transfer full): why @size bytes of it cannot be mapped, and
 * the remedy. */
char *hb_memory_file_explain(const HbMemoryFile *file, guint64 size, int code);

#endif
