/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Unpacked kernels, each in a file that is named after what it was unpacked from and what it is:
 *
 *   SHA-256 of the packed kernel "-" CRC-32 of the file "-2.elf"    an entry
 *   ".draft-" 16 random digits    on its way, and locked by flock(); of a process that died, if not
 *
 * An entry is complete and never written to again: it is on the disk before it gets its name. What
 * the disk makes of it later, its CRC-32 and the size that the packed kernel tells find out; a
 * damaged entry is discarded. Against what could be put in its place, folder and entries must
 * belong to root or to this user, and nobody else may write to them. Processes need no lock for
 * entries: rename() is atomic, two that unpack the same kernel at the same time put the same file
 * in the same place, and who has an entry open keeps it when it is discarded. Nothing else in the
 * folder is touched.
 */

#include "vmm/kernel-cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hotbay/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define ROOTS_FOLDER	 "/var/cache/hotbay"
#define USERS_FOLDER	 "hotbay"
#define DIGITS		 "0123456789abcdef"
#define DIGEST_DIGITS	 64
#define SUM_DIGITS	 8
#define ENTRY_SUFFIX	 "-2.elf" /* the number is the format's */
#define DRAFT_PREFIX	 ".draft-"
#define DRAFT_DIGITS	 16
#define FOLDER_MODE	 0700
#define ENTRY_MODE	 0600
#define OTHERS_MAY_WRITE 0022
#define ATTEMPTS	 16
#define PIECE		 65536

struct HbKernelCache {
	char *folder;
	int fd;
};

struct HbKernelDraft {
	HbKernelCache *cache; /* its own */
	char *digest;
	char *name; /* NULL: it is an entry, or gone */
	int fd;	    /* holds the lock */
};

char *hb_kernel_cache_get_default(void)
{
	return geteuid() == 0 ? g_strdup(ROOTS_FOLDER)
			      : g_build_filename(g_get_user_cache_dir(), USERS_FOLDER, NULL);
}

static gboolean is_trusted(const struct stat *status)
{
	return (status->st_uid == 0 || status->st_uid == geteuid()) &&
	       !(status->st_mode & OTHERS_MAY_WRITE);
}

/* -- What is in it. -- */

static gboolean has_digits(const char *text, gsize n)
{
	return strspn(text, DIGITS) == n;
}

static gboolean is_entry(const char *name)
{
	if (!has_digits(name, DIGEST_DIGITS) || name[DIGEST_DIGITS] != '-')
		return FALSE;
	name += DIGEST_DIGITS + 1;
	return has_digits(name, SUM_DIGITS) && g_str_equal(name + SUM_DIGITS, ENTRY_SUFFIX);
}

static gboolean is_draft(const char *name)
{
	if (!g_str_has_prefix(name, DRAFT_PREFIX))
		return FALSE;
	name += strlen(DRAFT_PREFIX);
	return has_digits(name, DRAFT_DIGITS) && name[DRAFT_DIGITS] == '\0';
}

/* The names of all that it has; g_ptr_array_unref(). */
static GPtrArray *list(const HbKernelCache *cache)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	int copy = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *found;

	if (folder == NULL) {
		if (copy >= 0)
			close(copy);
		return names;
	}
	while ((found = readdir(folder)))
		g_ptr_array_add(names, g_strdup(found->d_name));
	closedir(folder);
	return names;
}

/* The names of the entries that were unpacked from @digest; likewise. */
static GPtrArray *list_entries(const HbKernelCache *cache, const char *digest)
{
	GPtrArray *names = list(cache);

	for (guint i = names->len; i-- > 0;) {
		const char *name = g_ptr_array_index(names, i);

		if (!is_entry(name) || !g_str_has_prefix(name, digest))
			g_ptr_array_remove_index(names, i);
	}
	return names;
}

/* -- What is kept. -- */

typedef struct Entry {
	const char *name;
	struct timespec used;
} Entry;

/* The last used one first. */
static int compare_entries(gconstpointer a, gconstpointer b)
{
	const struct timespec *x = &((const Entry *)a)->used, *y = &((const Entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

/* A draft whose process lives is locked. */
static void remove_if_dead(const HbKernelCache *cache, const char *name)
{
	int fd = openat(cache->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(cache->fd, name, 0);
	close(fd);
}

/* Keeps the last used entries, and the drafts of the living. */
static void tidy(const HbKernelCache *cache)
{
	g_autoptr(GPtrArray) names = list(cache);
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Entry));

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		struct stat status;

		if (is_draft(name)) {
			remove_if_dead(cache, name);
		} else if (is_entry(name) &&
			   fstatat(cache->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
			Entry entry = { name, status.st_mtim };

			g_array_append_val(entries, entry);
		}
	}
	g_array_sort(entries, compare_entries);
	for (guint i = HB_KERNEL_CACHE_ENTRIES; i < entries->len; i++)
		unlinkat(cache->fd, g_array_index(entries, Entry, i).name, 0);
}

/* -- The folder. -- */

static HbKernelCache *cache_new(const char *folder, int fd)
{
	HbKernelCache *cache = g_new0(HbKernelCache, 1);

	cache->folder = g_strdup(folder);
	cache->fd = fd;
	return cache;
}

HbKernelCache *hb_kernel_cache_open(const char *folder, GError **error)
{
	struct stat status;

	g_mkdir_with_parents(folder, FOLDER_MODE); /* if that fails, so does the next */
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &status)) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "%s: %s: name another folder by x-hotbay-kernel-cache=", folder,
			    g_strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (!is_trusted(&status)) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "%s: others may write to it, or it is theirs: make it this user's, "
			    "with mode 0700",
			    folder);
		close(fd);
		return NULL;
	}
	HbKernelCache *cache = cache_new(folder, fd);
	tidy(cache);
	return cache;
}

void hb_kernel_cache_close(HbKernelCache *cache)
{
	if (cache == NULL)
		return;
	close(cache->fd);
	g_free(cache->folder);
	g_free(cache);
}

/* -- Entries. -- */

/* All of it, from its start. FALSE with errno. */
static gboolean sum_up(int fd, guint32 *sum)
{
	g_autofree guint8 *piece = g_malloc(PIECE);
	off_t offset = 0;
	gssize length;

	*sum = 0;
	while ((length = pread(fd, piece, PIECE, offset)) != 0) {
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return FALSE;
		*sum = (guint32)crc32(*sum, piece, (uInt)length);
		offset += length;
	}
	return TRUE;
}

static gboolean has_sum(int fd, const char *name)
{
	guint32 sum;

	return sum_up(fd, &sum) && sum == strtoul(name + DIGEST_DIGITS + 1, NULL, 16);
}

/* (nullable): why that must not be booted. */
static const char *find_fault(int fd, const char *name, guint64 size)
{
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return "no regular file";
	if (!is_trusted(&status))
		return "others may write to it, or it is theirs";
	if ((guint64)status.st_size != size)
		return "another size";
	return has_sum(fd, name) ? NULL : "damaged";
}

/* -1: it is gone, or was no entry, and then is gone now. */
static int open_entry(const HbKernelCache *cache, const char *name, guint64 size)
{
	int fd = openat(cache->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const char *fault = fd < 0 ? NULL : find_fault(fd, name, size);

	if (fault) {
		g_info("%s/%s is discarded: %s", cache->folder, name, fault);
		unlinkat(cache->fd, name, 0);
		close(fd);
		return -1;
	}
	if (fd >= 0 && futimens(fd, NULL))
		g_debug("%s/%s: %s", cache->folder, name, g_strerror(errno));
	return fd;
}

int hb_kernel_cache_find(const HbKernelCache *cache, const char *digest, guint64 size)
{
	g_autoptr(GPtrArray) names = list_entries(cache, digest);
	int fd = -1;

	for (guint i = 0; i < names->len && fd < 0; i++)
		fd = open_entry(cache, g_ptr_array_index(names, i), size);
	return fd;
}

void hb_kernel_cache_discard(const HbKernelCache *cache, const char *digest)
{
	g_autoptr(GPtrArray) names = list_entries(cache, digest);

	for (guint i = 0; i < names->len; i++)
		unlinkat(cache->fd, g_ptr_array_index(names, i), 0);
}

/* -- Drafts. -- */

/* FALSE: it was taken for a dead one's before. */
static gboolean lock(int fd)
{
	struct stat status;

	/* A file system without locks keeps drafts: nobody can have one then. */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return FALSE;
	return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/* Under a name that nobody has. */
static gboolean make_file(HbKernelDraft *draft)
{
	for (guint i = 0; i < ATTEMPTS; i++) {
		g_free(draft->name);
		draft->name =
			g_strdup_printf(DRAFT_PREFIX "%08x%08x", g_random_int(), g_random_int());
		draft->fd = openat(draft->cache->fd, draft->name,
				   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, ENTRY_MODE);
		if (draft->fd >= 0 && lock(draft->fd))
			return TRUE;
		if (draft->fd < 0 && errno != EEXIST)
			break;
		if (draft->fd >= 0)
			close(draft->fd);
		draft->fd = -1;
		errno = EAGAIN;
	}
	g_clear_pointer(&draft->name, g_free);
	return FALSE;
}

HbKernelDraft *hb_kernel_cache_draft(const HbKernelCache *cache, const char *digest, GError **error)
{
	g_autoptr(HbKernelDraft) draft = g_new0(HbKernelDraft, 1);
	int fd = fcntl(cache->fd, F_DUPFD_CLOEXEC, 0);

	draft->fd = -1;
	if (fd >= 0)
		draft->cache = cache_new(cache->folder, fd);
	draft->digest = g_strdup(digest);
	if (draft->cache && make_file(draft))
		return g_steal_pointer(&draft);
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "%s: %s: let this user write there, or name another folder by "
		    "x-hotbay-kernel-cache=",
		    cache->folder, g_strerror(errno));
	return NULL;
}

int hb_kernel_draft_get_fd(const HbKernelDraft *draft)
{
	return draft->fd;
}

int hb_kernel_draft_open(const HbKernelDraft *draft, GError **error)
{
	int fd = openat(draft->cache->fd, draft->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s/%s: %s: leave the folder alone",
			    draft->cache->folder, draft->name, g_strerror(errno));
	return fd;
}

/* FALSE with errno. */
static gboolean become_entry(HbKernelDraft *draft)
{
	int folder = draft->cache->fd;
	guint32 sum;

	if (!sum_up(draft->fd, &sum) || fsync(draft->fd))
		return FALSE;
	g_autofree char *entry = g_strdup_printf("%s-%08x" ENTRY_SUFFIX, draft->digest, sum);
	if (renameat(folder, draft->name, folder, entry))
		return FALSE;
	g_clear_pointer(&draft->name, g_free);
	return TRUE;
}

static gpointer publish(gpointer data)
{
	g_autoptr(HbKernelDraft) draft = data;

	if (become_entry(draft))
		tidy(draft->cache);
	else
		g_info("%s: a kernel is not kept: %s", draft->cache->folder, g_strerror(errno));
	return NULL;
}

GThread *hb_kernel_draft_publish(HbKernelDraft *draft)
{
	g_autoptr(GError) error = NULL;
	GThread *publisher = g_thread_try_new("kernel-cache", publish, draft, &error);

	if (publisher == NULL) {
		g_info("%s: a kernel is not kept: %s", draft->cache->folder, error->message);
		hb_kernel_draft_free(draft);
	}
	return publisher;
}

void hb_kernel_draft_free(HbKernelDraft *draft)
{
	if (draft == NULL)
		return;
	if (draft->name)
		unlinkat(draft->cache->fd, draft->name, 0); /* who has it open has it still */
	if (draft->fd >= 0)
		close(draft->fd);
	hb_kernel_cache_close(draft->cache);
	g_free(draft->digest);
	g_free(draft->name);
	g_free(draft);
}
