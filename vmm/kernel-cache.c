/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Unpacked kernels, each in a file that is named after what it was unpacked from:
 *
 *   SHA-256 of the packed kernel "-1.elf"    an entry, complete and never written to again
 *   ".draft-" random digits                  on its way; of a process that died, if it is old
 *
 * An entry is on the disk before it gets its name, so a name is never seen without its content, not
 * even after a power failure; with the size that the packed kernel tells, that is its integrity.
 * Against what could be put in its place, folder and entries must belong to root or to this user,
 * and nobody else may write to them. Processes need no lock: rename() is atomic, two that unpack
 * the same kernel at the same time put the same file in the same place, and who has an entry open
 * keeps it when it is discarded.
 */

#include "vmm/kernel-cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hotbay/error.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOTS_FOLDER	 "/var/cache/hotbay"
#define USERS_FOLDER	 "hotbay"
#define ENTRY_SUFFIX	 "-1.elf" /* the number is the format's */
#define DRAFT_PREFIX	 ".draft-"
#define DRAFT_SECONDS	 3600 /* an older one is nobody's any more */
#define FOLDER_MODE	 0700
#define ENTRY_MODE	 0600
#define OTHERS_MAY_WRITE 0022
#define ATTEMPTS	 16

struct HbKernelCache {
	char *folder;
	int fd;
};

struct HbKernelDraft {
	HbKernelCache *cache; /* its own */
	char *entry;	      /* the name to be */
	char *name;	      /* NULL: it has its name, or is gone */
	int fd;
	GThread *publisher; /* NULL: there is none; uses all above */
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
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
	return cache_new(folder, fd);
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

int hb_kernel_cache_find(const HbKernelCache *cache, const char *digest, guint64 size)
{
	g_autofree char *name = g_strconcat(digest, ENTRY_SUFFIX, NULL);
	struct stat status;
	int fd = openat(cache->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || !is_trusted(&status) ||
	    (guint64)status.st_size != size) {
		g_info("%s/%s is not used: another owner, mode or size", cache->folder, name);
		close(fd);
		return -1;
	}
	/* Root's entries may be read by all, and their times are root's. */
	if (futimens(fd, NULL))
		g_debug("%s/%s: %s", cache->folder, name, g_strerror(errno));
	return fd;
}

typedef struct Entry {
	char *name;
	struct timespec used;
} Entry;

static void clear_entry(gpointer data)
{
	g_free(((Entry *)data)->name);
}

/* The last used one first. */
static int compare_entries(gconstpointer a, gconstpointer b)
{
	const struct timespec *x = &((const Entry *)a)->used, *y = &((const Entry *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec < y->tv_nsec ? 1 : x->tv_nsec > y->tv_nsec ? -1 : 0;
}

static void look_at(const HbKernelCache *cache, const char *name, GArray *entries)
{
	struct stat status;

	if (fstatat(cache->fd, name, &status, AT_SYMLINK_NOFOLLOW) || !S_ISREG(status.st_mode))
		return;
	if (g_str_has_suffix(name, ENTRY_SUFFIX)) {
		Entry entry = { g_strdup(name), status.st_mtim };

		g_array_append_val(entries, entry);
	} else if (g_str_has_prefix(name, DRAFT_PREFIX) &&
		   time(NULL) - status.st_mtim.tv_sec > DRAFT_SECONDS) {
		unlinkat(cache->fd, name, 0);
	}
}

/* Keeps the last used entries. */
static void tidy(const HbKernelCache *cache)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	int copy = openat(cache->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *found;

	g_array_set_clear_func(entries, clear_entry);
	if (folder == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((found = readdir(folder)))
		look_at(cache, found->d_name, entries);
	closedir(folder);
	g_array_sort(entries, compare_entries);
	for (guint i = HB_KERNEL_CACHE_ENTRIES; i < entries->len; i++)
		unlinkat(cache->fd, g_array_index(entries, Entry, i).name, 0);
}

/* -- Drafts. -- */

/* Under a name that nobody has. */
static gboolean make_file(HbKernelDraft *draft)
{
	for (guint i = 0; i < ATTEMPTS; i++) {
		g_free(draft->name);
		draft->name =
			g_strdup_printf(DRAFT_PREFIX "%08x%08x", g_random_int(), g_random_int());
		draft->fd = openat(draft->cache->fd, draft->name,
				   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, ENTRY_MODE);
		if (draft->fd >= 0)
			return TRUE;
		if (errno != EEXIST)
			break;
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
	draft->entry = g_strconcat(digest, ENTRY_SUFFIX, NULL);
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

static gpointer publish(gpointer data)
{
	HbKernelDraft *draft = data;
	int folder = draft->cache->fd;

	if (fsync(draft->fd) || renameat(folder, draft->name, folder, draft->entry)) {
		g_info("%s/%s is not kept: %s", draft->cache->folder, draft->entry,
		       g_strerror(errno));
		unlinkat(folder, draft->name, 0); /* who has it open has it still */
	} else {
		tidy(draft->cache);
	}
	g_clear_pointer(&draft->name, g_free);
	return NULL;
}

void hb_kernel_draft_publish(HbKernelDraft *draft)
{
	draft->publisher = g_thread_new("kernel-cache", publish, draft);
}

void hb_kernel_draft_free(HbKernelDraft *draft)
{
	if (draft == NULL)
		return;
	if (draft->publisher)
		g_thread_join(draft->publisher);
	if (draft->name)
		unlinkat(draft->cache->fd, draft->name, 0);
	if (draft->fd >= 0)
		close(draft->fd);
	hb_kernel_cache_close(draft->cache);
	g_free(draft->entry);
	g_free(draft->name);
	g_free(draft);
}
