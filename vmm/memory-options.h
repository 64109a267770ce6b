/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_MEMORY_OPTIONS_H
#define VMM_MEMORY_OPTIONS_H

#include <hotbay/properties.h>

/** HbMemoryKind: where guest memory's pages come from. */
typedef enum HbMemoryKind {
	HB_MEMORY_ANONYMOUS, /* memory-backend-ram, and what is had without any -object */
	HB_MEMORY_MEMFD,
	HB_MEMORY_FILE,
} HbMemoryKind;

/** HbMemoryBackend: one -object memory-backend-*; all zero is memory as it is had without one. */
typedef struct HbMemoryBackend {
	HbMemoryKind kind;
	char *id;
	char *path;	   /* of HB_MEMORY_FILE: a file, or the folder for one without a name */
	guint64 size;	   /* bytes */
	gboolean hugetlb;  /* of HB_MEMORY_MEMFD: huge pages from the host's pool */
	guint64 huge_page; /* bytes of one of them; 0: the host's default */
	gboolean share;	   /* other processes that have its file see what the guest writes */
	gboolean prealloc; /* all pages are there before the guest starts */
	gboolean in_dumps; /* a core file holds it */
} HbMemoryBackend;

/** HbMemoryOptions: what -object, -machine memory-backend=, -mem-path and -mem-prealloc say. */
typedef struct HbMemoryOptions {
	GPtrArray *backends;		/* of HbMemoryBackend */
	char *chosen;			/* -machine memory-backend=ID; NULL: none */
	char *path;			/* -mem-path; NULL: none */
	gboolean prealloc;		/* -mem-prealloc */
	const HbMemoryBackend *backend; /* once settled: the one guest memory is from; never NULL */
} HbMemoryOptions;

void hb_memory_options_init(HbMemoryOptions *options);
void hb_memory_options_finish(HbMemoryOptions *options);

/**
 * hb_memory_options_add:
 * @object: of one -object; "qom-type" says which
 *
 * Returns: FALSE with an error that starts with the object's type
 */
gboolean hb_memory_options_add(HbMemoryOptions *options, HbProperties *object, GError **error);

/**
 * hb_memory_options_settle:
 * @size: (inout): bytes of guest memory by -m
 * @size_given: -m was; without it @size becomes the backend's
 *
 * After the last flag. Returns: FALSE with an error that starts with the flag to blame
 */
gboolean hb_memory_options_settle(HbMemoryOptions *options, guint64 *size, gboolean size_given,
				  GError **error);

#endif
