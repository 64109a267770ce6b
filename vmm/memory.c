/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Guest memory: one mapping, anonymous and private unless a backend says otherwise, aligned so that
 * the host can back it with huge pages, and shown to the guest in up to two ranges, below and above
 * the 32-bit hole.
 *
 * A passed-through drive pins all of it, which takes long if every page must be found and cleared
 * first. So where a drive can come, threads fetch the pages while the guest boots:
 * MADV_POPULATE_WRITE faults a page in as a write would, without writing, so it cannot disturb the
 * guest. The lock is taken before, on pages as they come (MLOCK_ONFAULT): a limit that is too low
 * shows at once.
 */

#include "vmm/memory.h"

#include "vmm/layout.h"
#include "vmm/memory-file.h"

#include <errno.h>
#include <hotbay/error.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB	     (G_GUINT64_CONSTANT(1) << 20)
#define HUGE_PAGE    (2 * MIB)
#define CHUNK	     (4 * MIB) /* what a thread takes at a time: mmap() waits for so long */
#define MAX_THREADS  16
#define THREAD_SHARE (256 * MIB) /* less is not worth a thread of its own */
#define SMALL_PAGE   4096

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

struct HbMemory {
	guint8 *mapping; /* with the slack for its alignment */
	gsize mapping_size;
	guint8 *base;
	guint64 size;
	gboolean hugetlb; /* never swapped: needs no lock */
	HbRam ranges[2];
	guint n_ranges;

	GThread *threads[MAX_THREADS]; /* the first n_threads */
	guint n_threads;

	GMutex lock; /* guards all below */
	GCond done;
	guint64 next;	    /* where the next chunk starts */
	guint n_busy;	    /* chunks being fetched */
	int populate_errno; /* of the first that failed */
};

/* Address space with slack for the alignment, and in it the pages. */
static gboolean map(HbMemory *memory, const HbMemoryFile *file)
{
	guint64 alignment = MAX(file->page_size, HUGE_PAGE);
	int flags = MAP_FIXED | (file->shared ? MAP_SHARED : MAP_PRIVATE) |
		    (file->fd < 0 ? MAP_ANONYMOUS : 0) | (file->hugetlb ? 0 : MAP_NORESERVE);

	memory->mapping_size = memory->size + alignment;
	memory->mapping = mmap(NULL, memory->mapping_size, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory->mapping == MAP_FAILED) {
		memory->mapping = NULL;
		return FALSE;
	}
	memory->base = memory->mapping + (alignment - (guintptr)memory->mapping % alignment);
	return mmap(memory->base, memory->size, PROT_READ | PROT_WRITE, flags, file->fd, 0) !=
	       MAP_FAILED;
}

static gboolean map_backend(HbMemory *memory, const HbMemoryBackend *backend, GError **error)
{
	HbMemoryFile file = { .fd = -1, .page_size = SMALL_PAGE, .shared = backend->share };
	gboolean mapped;
	int code;

	if (backend->kind != HB_MEMORY_ANONYMOUS &&
	    !hb_memory_file_open(backend, memory->size, &file, error))
		return FALSE;
	mapped = map(memory, &file);
	code = errno;
	if (file.fd >= 0)
		close(file.fd);
	memory->hugetlb = file.hugetlb;
	if (mapped) {
		g_free(file.made);
		return TRUE;
	}
	hb_memory_file_unmake(&file);
	g_autofree char *reason = hb_memory_file_explain(&file, memory->size, code);
	g_set_error_literal(error, HB_ERROR, HB_ERROR_HOST, reason);
	return FALSE;
}

/* Who asked for the memory, for messages. */
static char *name_flag(const HbMemoryBackend *backend)
{
	if (backend->id)
		return g_strconcat("-object: ", backend->id, NULL);
	return g_strdup(backend->kind == HB_MEMORY_FILE ? "-mem-path" : "-m");
}

HbMemory *hb_memory_create(guint64 size, const HbMemoryBackend *backend, GError **error)
{
	HbMemory *memory = g_new0(HbMemory, 1);
	guint64 low, high;

	g_mutex_init(&memory->lock);
	g_cond_init(&memory->done);
	memory->size = size;
	if (!map_backend(memory, backend, error)) {
		g_autofree char *flag = name_flag(backend);

		g_prefix_error(error, "%s: ", flag);
		hb_memory_destroy(memory);
		return NULL;
	}
	/* Advice only: the host may have no huge pages. */
	if (!memory->hugetlb)
		madvise(memory->base, size, MADV_HUGEPAGE);
	if (!backend->in_dumps)
		madvise(memory->base, size, MADV_DONTDUMP);
	hb_layout_ram(size, &low, &high);
	memory->ranges[memory->n_ranges++] = (HbRam){ 0, low, memory->base };
	if (high)
		memory->ranges[memory->n_ranges++] =
			(HbRam){ HB_LAYOUT_HIGH, high, memory->base + low };
	return memory;
}

void hb_memory_destroy(HbMemory *memory)
{
	if (memory == NULL)
		return;
	g_mutex_lock(&memory->lock);
	memory->next = memory->size; /* nobody needs the rest */
	g_mutex_unlock(&memory->lock);
	for (guint i = 0; i < memory->n_threads; i++)
		g_thread_join(memory->threads[i]);
	if (memory->mapping)
		munmap(memory->mapping, memory->mapping_size);
	g_cond_clear(&memory->done);
	g_mutex_clear(&memory->lock);
	g_free(memory);
}

const HbRam *hb_memory_get_ranges(const HbMemory *memory, guint *n)
{
	*n = memory->n_ranges;
	return memory->ranges;
}

gpointer hb_memory_at(const HbMemory *memory, guint64 gpa, guint64 size)
{
	for (guint i = 0; i < memory->n_ranges; i++) {
		const HbRam *range = &memory->ranges[i];

		if (gpa >= range->gpa && gpa - range->gpa <= range->size &&
		    size <= range->size - (gpa - range->gpa))
			return (guint8 *)range->hva + (gpa - range->gpa);
	}
	return NULL;
}

gboolean hb_memory_lock(HbMemory *memory, GError **error)
{
	if (memory->hugetlb || mlock2(memory->base, memory->size, MLOCK_ONFAULT) == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "-m: guest memory cannot be locked: %s: raise RLIMIT_MEMLOCK, with 'ulimit -l' "
		    "or LimitMEMLOCK= of the systemd unit, or give less",
		    g_strerror(errno));
	return FALSE;
}

/* Before Linux 5.14: an atomic access that changes nothing, since the guest may be running. */
static void touch(guint8 *start, gsize length)
{
	for (gsize i = 0; i < length; i += SMALL_PAGE)
		__atomic_fetch_or(&start[i], 0, __ATOMIC_RELAXED);
}

static int populate_chunk(guint8 *start, gsize length)
{
	int code = 0;

	while (madvise(start, length, MADV_POPULATE_WRITE)) {
		if (errno == EINTR || errno == EAGAIN)
			continue;
		code = errno;
		break;
	}
	if (code == EINVAL) {
		touch(start, length);
		code = 0;
	}
	return code;
}

/* Fetches chunks until none is left. */
static void populate(HbMemory *memory)
{
	g_mutex_lock(&memory->lock);
	while (memory->next < memory->size && memory->populate_errno == 0) {
		guint64 offset = memory->next;
		guint64 length = MIN(CHUNK, memory->size - offset);

		memory->next += length;
		memory->n_busy++;
		g_mutex_unlock(&memory->lock);
		int code = populate_chunk(memory->base + offset, length);
		g_mutex_lock(&memory->lock);
		memory->n_busy--;
		if (memory->populate_errno == 0)
			memory->populate_errno = code;
	}
	g_cond_broadcast(&memory->done);
	g_mutex_unlock(&memory->lock);
}

static gpointer populate_thread(gpointer data)
{
	const struct sched_param none = { 0 };

	/* Without effect at worst. */
	sched_setscheduler(0, SCHED_IDLE, &none);
	populate(data);
	return NULL;
}

void hb_memory_populate(HbMemory *memory)
{
	guint64 n = MIN((memory->size + THREAD_SHARE - 1) / THREAD_SHARE, MAX_THREADS);

	n = MIN(n, g_get_num_processors());
	while (memory->n_threads < n)
		memory->threads[memory->n_threads++] =
			g_thread_new("populate", populate_thread, memory);
}

gboolean hb_memory_wait_populated(HbMemory *memory, GError **error)
{
	if (memory->n_threads == 0)
		return TRUE;
	populate(memory);
	g_mutex_lock(&memory->lock);
	while (memory->n_busy)
		g_cond_wait(&memory->done, &memory->lock);
	int code = memory->populate_errno;
	g_mutex_unlock(&memory->lock);
	if (code == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "the host cannot give the guest its %" G_GUINT64_FORMAT
		    " MiB: %s: free memory on the host, or give less with -m",
		    memory->size / MIB, g_strerror(code));
	return FALSE;
}
