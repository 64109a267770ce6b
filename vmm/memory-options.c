/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Where guest memory comes from: QEMU's memory backends, and its two older flags for the same. A
 * guest has one piece of memory, so there is one backend at most. Pure: the host is not looked at.
 */

#include "vmm/memory-options.h"

#include <hotbay/error.h>

#define MIB	 ((guint64)1 << 20)
#define MAX_SIZE ((guint64)1 << 46)

static const char *const kinds[] = {
	[HB_MEMORY_ANONYMOUS] = "memory-backend-ram",
	[HB_MEMORY_MEMFD] = "memory-backend-memfd",
	[HB_MEMORY_FILE] = "memory-backend-file",
};

static void backend_free(HbMemoryBackend *backend)
{
	g_free(backend->id);
	g_free(backend->path);
	g_free(backend);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbMemoryBackend, backend_free)

static void free_backend(gpointer data)
{
	backend_free(data);
}

void hb_memory_options_init(HbMemoryOptions *options)
{
	options->backends = g_ptr_array_new_with_free_func(free_backend);
}

void hb_memory_options_finish(HbMemoryOptions *options)
{
	g_clear_pointer(&options->backends, g_ptr_array_unref);
	g_clear_pointer(&options->chosen, g_free);
	g_clear_pointer(&options->path, g_free);
}

static HbMemoryBackend *add(HbMemoryOptions *options, HbMemoryKind kind)
{
	HbMemoryBackend *backend = g_new0(HbMemoryBackend, 1);

	backend->kind = kind;
	g_ptr_array_add(options->backends, backend);
	return backend;
}

/* -- One -object. -- */

static gboolean take_kind(HbProperties *object, HbMemoryKind *kind, GError **error)
{
	const char *type;

	if (!hb_properties_take_required(object, "qom-type", &type, error))
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (g_str_equal(type, kinds[i])) {
			*kind = (HbMemoryKind)i;
			return TRUE;
		}
	}
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "'%s' is not supported: the objects there are are %s, %s, %s and iommufd", type,
		    kinds[HB_MEMORY_MEMFD], kinds[HB_MEMORY_FILE], kinds[HB_MEMORY_ANONYMOUS]);
	return FALSE;
}

static gboolean take_size(HbProperties *object, HbMemoryBackend *backend, GError **error)
{
	if (!hb_properties_take_size(object, "size", 'B', &backend->size, error))
		return FALSE;
	if (backend->size && backend->size <= MAX_SIZE && backend->size % MIB == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "'size' must be given, and be a multiple of 1M up to 64T: it is that of -m");
	return FALSE;
}

static gboolean take_huge_pages(HbProperties *object, HbMemoryBackend *backend, GError **error)
{
	if (!hb_properties_take_bool(object, "hugetlb", &backend->hugetlb, error) ||
	    !hb_properties_take_size(object, "hugetlbsize", 'B', &backend->huge_page, error))
		return FALSE;
	if (backend->huge_page == 0)
		return TRUE;
	if (!backend->hugetlb) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "'hugetlbsize' is that of huge pages, and there are none: add "
			    "hugetlb=on");
		return FALSE;
	}
	if ((backend->huge_page & (backend->huge_page - 1)) == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "'hugetlbsize' is no power of two: give a size that "
		    "/sys/kernel/mm/hugepages lists, such as 2M");
	return FALSE;
}

/* Neither is pinned memory merged with other pages, nor is what others can write to sealed. */
static gboolean take_fixed(HbProperties *object, const HbMemoryBackend *backend, GError **error)
{
	gboolean merge = FALSE, seal = TRUE;

	if (!hb_properties_take_bool(object, "merge", &merge, error))
		return FALSE;
	if (merge) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'merge=on' is not supported, memory that a drive may reach is not "
			    "merged: leave it out");
		return FALSE;
	}
	if (backend->kind == HB_MEMORY_MEMFD &&
	    !hb_properties_take_bool(object, "seal", &seal, error))
		return FALSE;
	if (seal)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "'seal=off' is not supported, who shortened the memory would end the guest: "
		    "leave it out");
	return FALSE;
}

static gboolean take_path(HbProperties *object, HbMemoryBackend *backend, GError **error)
{
	const char *path;

	if (!hb_properties_take_required(object, "mem-path", &path, error))
		return FALSE;
	backend->path = g_strdup(path);
	return TRUE;
}

static gboolean take_all(HbProperties *object, HbMemoryBackend *backend, GError **error)
{
	const char *id;

	if (!hb_properties_take_required(object, "id", &id, error))
		return FALSE;
	backend->id = g_strdup(id);
	/* As QEMU's. */
	backend->share = backend->kind == HB_MEMORY_MEMFD;
	return take_size(object, backend, error) &&
	       hb_properties_take_bool(object, "share", &backend->share, error) &&
	       hb_properties_take_bool(object, "prealloc", &backend->prealloc, error) &&
	       hb_properties_take_bool(object, "dump", &backend->in_dumps, error) &&
	       (backend->kind != HB_MEMORY_MEMFD || take_huge_pages(object, backend, error)) &&
	       (backend->kind != HB_MEMORY_FILE || take_path(object, backend, error)) &&
	       take_fixed(object, backend, error) &&
	       hb_properties_finish(object, kinds[backend->kind], error);
}

gboolean hb_memory_options_add(HbMemoryOptions *options, HbProperties *object, GError **error)
{
	HbMemoryKind kind;

	if (!take_kind(object, &kind, error))
		return FALSE;
	if (take_all(object, add(options, kind), error))
		return TRUE;
	g_prefix_error(error, "%s: ", kinds[kind]);
	return FALSE;
}

/* -- All flags together. -- */

static gboolean check_one(const HbMemoryOptions *options, GError **error)
{
	const HbMemoryBackend *backend;

	if (options->backends->len == 0 && options->chosen) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "-machine: memory-backend=%s: there is no such object: add -object "
			    "memory-backend-memfd,id=%s,size=...",
			    options->chosen, options->chosen);
		return FALSE;
	}
	if (options->backends->len == 0)
		return TRUE;
	backend = g_ptr_array_index(options->backends, 0);
	if (options->backends->len > 1) {
		backend = g_ptr_array_index(options->backends, 1);
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "-object: %s: guest memory is one piece: give one memory backend",
			    backend->id);
		return FALSE;
	}
	if (g_strcmp0(options->chosen, backend->id) != 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "-object: %s: nothing uses it: add memory-backend=%s to -machine",
			    backend->id, backend->id);
		return FALSE;
	}
	if (options->path == NULL)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-mem-path: guest memory comes from -object %s already: leave one of them out",
		    backend->id);
	return FALSE;
}

static gboolean settle_size(const HbMemoryBackend *backend, guint64 *size, gboolean size_given,
			    GError **error)
{
	if (backend->id == NULL || backend->size == *size)
		return TRUE;
	if (!size_given) {
		*size = backend->size;
		return TRUE;
	}
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-object: %s: its %" G_GUINT64_FORMAT " MiB are not the %" G_GUINT64_FORMAT
		    " MiB of -m: give the same size to both",
		    backend->id, backend->size / MIB, *size / MIB);
	return FALSE;
}

gboolean hb_memory_options_settle(HbMemoryOptions *options, guint64 *size, gboolean size_given,
				  GError **error)
{
	HbMemoryBackend *backend;

	if (!check_one(options, error))
		return FALSE;
	if (options->backends->len)
		backend = g_ptr_array_index(options->backends, 0);
	else
		backend = add(options, options->path ? HB_MEMORY_FILE : HB_MEMORY_ANONYMOUS);
	if (options->path)
		backend->path = g_strdup(options->path);
	backend->prealloc |= options->prealloc;
	options->backend = backend;
	return settle_size(backend, size, size_given, error);
}
