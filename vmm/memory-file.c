/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The file behind guest memory: a memfd, or one on tmpfs or hugetlbfs. Guest memory that is not
 * there when the guest touches it ends the guest, so room for it is looked for first: the mapping
 * of huge pages reserves them from the host's pool, a file system is asked what it has left, and
 * nobody can make a memfd shorter. What a control group allows of huge pages is not looked at.
 *
 * A private mapping of tmpfs has each page twice once it is written to, the file's and its own
 * (do_cow_fault() of mm/memory.c, Linux 6.1). Nobody else has a file without a name, so that one is
 * mapped shared, whatever was said: it is the same, for half of the memory.
 */

#include "vmm/memory-file.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define KIB	    ((guint64)1 << 10)
#define MIB	    ((guint64)1 << 20)
#define PAGES	    "/sys/kernel/mm/hugepages"
#define BLOCK	    512 /* of st_blocks */
#define MEMFD_SHIFT 26	/* MFD_HUGE_SHIFT: where flags have the page size's logarithm */

static gboolean fail(GError **error, const char *what, const char *remedy)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: %s%s", what, g_strerror(errno), remedy);
	return FALSE;
}

static int open_memfd(const HbMemoryBackend *backend, GError **error)
{
	guint flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (backend->hugetlb ? MFD_HUGETLB : 0);

	if (backend->huge_page)
		flags |= (guint)g_bit_storage(backend->huge_page - 1) << MEMFD_SHIFT;
	int fd = memfd_create("hotbay-memory", flags);
	if (fd < 0)
		fail(error, "memfd_create",
		     errno == ENODEV || errno == EINVAL
			     ? "; the host has no huge pages of that size: " PAGES " lists those "
			       "that it has, give one of them as hugetlbsize="
			     : "");
	return fd;
}

static gboolean is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int open_in_folder(const char *folder)
{
	g_autofree char *template = g_build_filename(folder, "hotbay-memory-XXXXXX", NULL);
	int fd = mkostemp(template, O_CLOEXEC);

	if (fd >= 0)
		unlink(template);
	return fd;
}

static int open_named(const char *path, HbMemoryFile *file)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		file->made = g_strdup(path);
	return fd;
}

static int open_path(const HbMemoryBackend *backend, HbMemoryFile *file, GError **error)
{
	int fd = is_folder(backend->path) ? open_in_folder(backend->path)
					  : open_named(backend->path, file);

	if (fd < 0)
		fail(error, backend->path, ": give a file or a folder on tmpfs or hugetlbfs");
	return fd;
}

static gboolean check_room(const struct stat *status, int fd, const char *path, guint64 size,
			   GError **error)
{
	struct statvfs system;
	guint64 held = (guint64)status->st_blocks * BLOCK;

	/* tmpfs without a limit has no blocks at all. */
	if (fstatvfs(fd, &system) || system.f_blocks == 0 || held >= size ||
	    (guint64)system.f_bavail * system.f_frsize >= size - held)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "%s: its file system has %" G_GUINT64_FORMAT " MiB left and guest memory "
		    "needs %" G_GUINT64_FORMAT " MiB: make it larger, or give less with -m",
		    path, (guint64)system.f_bavail * system.f_frsize / MIB, (size - held) / MIB);
	return FALSE;
}

/* A new one gets its size; one that was there before has to have it. */
static gboolean size_file(const HbMemoryFile *file, const char *path, guint64 size,
			  gboolean takes_room, GError **error)
{
	struct stat status;

	if (fstat(file->fd, &status))
		return fail(error, path, "");
	if (!S_ISREG(status.st_mode)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: no regular file: give one, or a folder, on tmpfs or hugetlbfs",
			    path);
		return FALSE;
	}
	if (status.st_size && (guint64)status.st_size < size) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: has %" G_GUINT64_FORMAT " MiB and guest memory needs "
			    "%" G_GUINT64_FORMAT " MiB: remove the file, or give less with -m",
			    path, (guint64)status.st_size / MIB, size / MIB);
		return FALSE;
	}
	if (takes_room && !check_room(&status, file->fd, path, size, error))
		return FALSE;
	if (status.st_size == 0 && ftruncate(file->fd, (off_t)size))
		return fail(error, path, ": is its file system full?");
	return TRUE;
}

static gboolean check_page_size(const HbMemoryFile *file, guint64 size, GError **error)
{
	if (size % file->page_size == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "guest memory is no multiple of its pages of %" G_GUINT64_FORMAT
		    " MiB: give such a size with -m",
		    file->page_size / MIB);
	return FALSE;
}

static gboolean is_hugetlbfs(const struct statfs *system)
{
	return (guint)system->f_type == HUGETLBFS_MAGIC;
}

static gboolean is_tmpfs(const struct statfs *system)
{
	return (guint)system->f_type == TMPFS_MAGIC;
}

/* See above; a file on disk is as it was asked for. */
static gboolean is_shared(const HbMemoryBackend *backend, const struct statfs *system)
{
	return backend->share || ((backend->path == NULL || is_folder(backend->path)) &&
				  (is_tmpfs(system) || is_hugetlbfs(system)));
}

static gboolean prepare(HbMemoryFile *file, const HbMemoryBackend *backend, guint64 size,
			GError **error)
{
	const char *path = backend->path ? backend->path : "memfd";
	struct statfs system;

	if (fstatfs(file->fd, &system))
		return fail(error, "fstatfs", "");
	file->page_size = (guint64)system.f_bsize;
	file->hugetlb = is_hugetlbfs(&system);
	file->shared = is_shared(backend, &system);
	/* A private page of a file on disk takes nothing of it. */
	gboolean takes_room = (file->shared || is_tmpfs(&system)) && !file->hugetlb;
	if (!check_page_size(file, size, error) || !size_file(file, path, size, takes_room, error))
		return FALSE;
	return backend->kind != HB_MEMORY_MEMFD ||
	       fcntl(file->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0 ||
	       fail(error, "F_ADD_SEALS", "");
}

gboolean hb_memory_file_open(const HbMemoryBackend *backend, guint64 size, HbMemoryFile *file,
			     GError **error)
{
	*file = (HbMemoryFile){ 0 };
	file->fd = backend->kind == HB_MEMORY_MEMFD ? open_memfd(backend, error)
						    : open_path(backend, file, error);
	if (file->fd < 0)
		return FALSE;
	if (prepare(file, backend, size, error))
		return TRUE;
	close(file->fd);
	hb_memory_file_unmake(file);
	return FALSE;
}

void hb_memory_file_unmake(HbMemoryFile *file)
{
	if (file->made)
		unlink(file->made);
	g_clear_pointer(&file->made, g_free);
}

static void look_at_path(const HbMemoryBackend *backend, guint64 size, HbMemoryPlace *place)
{
	g_autofree char *folder = g_path_get_dirname(backend->path);
	gboolean named = !is_folder(backend->path);
	struct statfs system;
	struct stat status;

	/* What cannot be looked at cannot be opened either, which says why. */
	if (statfs(backend->path, &system) && statfs(folder, &system))
		return;
	place->hugetlb = is_hugetlbfs(&system);
	place->on_disk = !is_tmpfs(&system) && !place->hugetlb;
	if (!is_tmpfs(&system) || !named)
		return;
	guint64 held = stat(backend->path, &status) ? 0 : (guint64)status.st_blocks * BLOCK;
	place->needed = size - MIN(held, size) + (backend->share ? 0 : size);
}

void hb_memory_file_look(const HbMemoryBackend *backend, guint64 size, HbMemoryPlace *place)
{
	*place = (HbMemoryPlace){ .hugetlb = backend->hugetlb, .needed = size };
	if (backend->kind == HB_MEMORY_FILE)
		look_at_path(backend, size, place);
	if (place->hugetlb)
		place->needed = 0;
}

static guint64 read_pool(guint64 page_size, const char *name)
{
	g_autofree char *path = g_strdup_printf(PAGES "/hugepages-%" G_GUINT64_FORMAT "kB/%s",
						page_size / KIB, name);
	g_autofree char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* Those that somebody has reserved, and not touched yet, are free for the kernel only. */
static guint64 count_free(guint64 page_size)
{
	guint64 n = read_pool(page_size, "free_hugepages");
	guint64 reserved = read_pool(page_size, "resv_hugepages");

	return n - MIN(reserved, n);
}

char *hb_memory_file_explain(const HbMemoryFile *file, guint64 size, int code)
{
	if (!file->hugetlb || code != ENOMEM)
		return g_strdup_printf("mmap of %" G_GUINT64_FORMAT
				       " MiB: %s: give less, or raise ulimit -v",
				       size / MIB, g_strerror(code));
	return g_strdup_printf(
		"guest memory is %" G_GUINT64_FORMAT " huge pages of %" G_GUINT64_FORMAT
		" KiB, and the host has %" G_GUINT64_FORMAT " free: raise " PAGES
		"/hugepages-%" G_GUINT64_FORMAT "kB/nr_hugepages (and the size= of a mounted "
		"hugetlbfs), or give less with -m",
		size / file->page_size, file->page_size / KIB, count_free(file->page_size),
		file->page_size / KIB);
}
