/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The interrupt vectors that the VMs of a host have together. Each vector is a locked byte of one
 * file that all VMs open, and the kernel does the counting:
 *
 *   byte       0                    n            budget
 *              |-- drive a --|------|-- drive b --|.........   nothing is ever written
 *              lock of a's    free   lock of b's
 *              open file             open file
 *
 * The locks are open file description locks, and every drive has an open file of its own: closing
 * it gives the drive's share back, and the kernel closes it for a process that was killed. So there
 * is nothing to clean up, nothing to believe that another process wrote, and no lock to wait for
 * while a stopped process holds it.
 *
 * First the bytes are locked, among the first @budget of the file, and then all others are counted:
 * VMs with different budgets hold to the number each, whoever has which bytes. Two that race for
 * the last ones may both be refused; never do both get them.
 */

#include "hw/irq-shares.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Bytes from @start up to @end. */
typedef struct Run {
	guint start;
	guint end;
} Run;

static int open_file(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT) {
		g_autofree char *folder = g_path_get_dirname(path);

		g_mkdir_with_parents(folder, 0755);
		fd = open(path, flags | O_CREAT, 0600);
	}
	return fd;
}

static void set_file_error(const char *path, GError **error)
{
	int code = errno;

	g_set_error(
		error, HB_ERROR, HB_ERROR_HOST,
		"%s, in which the interrupt vectors of this host's VMs are counted: %s: make it "
		"a file that this user may read and write",
		path, g_strerror(code));
}

static gboolean try_lock(int fd, const Run *run)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = run->start,
			      .l_len = run->end - run->start };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Some bytes of @within that other open files have; empty, at its end, if there are none. */
static gboolean find_some(int fd, const Run *within, Run *found)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = within->start,
			      .l_len = within->end - within->start };

	if (fcntl(fd, F_OFD_GETLK, &lock))
		return FALSE;
	*found = (Run){ within->end, within->end };
	if (lock.l_type == F_UNLCK)
		return TRUE;
	found->start = (guint)MAX(lock.l_start, (off_t)within->start);
	/* A length of 0 is to the end of all files. */
	if (lock.l_len && lock.l_start + lock.l_len < within->end)
		found->end = (guint)(lock.l_start + lock.l_len);
	return TRUE;
}

/* The first of them. The kernel tells one of many, and not by place. */
static gboolean find_first(int fd, const Run *within, Run *found)
{
	Run below = *within, next;

	if (!find_some(fd, within, found))
		return FALSE;
	while (found->start > below.start) {
		below.end = found->start;
		if (!find_some(fd, &below, &next))
			return FALSE;
		if (next.start == next.end)
			break;
		*found = next;
	}
	return TRUE;
}

/* How many bytes of the whole file other open files have. */
static gboolean count_others(int fd, guint *n)
{
	Run rest = { 0, HB_IRQ_SHARES_MAX }, taken;

	*n = 0;
	while (rest.start < rest.end) {
		if (!find_first(fd, &rest, &taken))
			return FALSE;
		*n += taken.end - taken.start;
		rest.start = taken.end;
	}
	return TRUE;
}

/* Locks up to *@n bytes, the lowest free ones of @within, and says how many are missing. */
static gboolean lock_free(int fd, const Run *within, guint *n)
{
	Run rest = *within, taken;

	while (*n && rest.start < rest.end) {
		if (!find_first(fd, &rest, &taken))
			return FALSE;
		Run wanted = { rest.start, rest.start + MIN(*n, taken.start - rest.start) };
		if (wanted.start == wanted.end) {
			rest.start = taken.end;
		} else if (try_lock(fd, &wanted)) {
			*n -= wanted.end - wanted.start;
			rest.start = wanted.end;
		} else if (errno != EAGAIN && errno != EACCES) {
			return FALSE;
		} /* or somebody was faster: look again */
	}
	return TRUE;
}

/* What @fd has then is without meaning if it fails. */
static gboolean take(int fd, const char *path, guint budget, const char *name, guint n,
		     GError **error)
{
	const Run within = { 0, MIN(budget, HB_IRQ_SHARES_MAX) };
	guint missing = n, others;

	if (!lock_free(fd, &within, &missing) || !count_others(fd, &others)) {
		set_file_error(path, error);
		return FALSE;
	}
	if (missing == 0 && others <= budget && n <= budget - others)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "%s: needs %u interrupt vectors, but the drives of this host's VMs have %u of "
		    "the %u that they may have together: remove a drive from one of the VMs, or "
		    "start this one with a larger budget (x-hotbay-max-vectors)",
		    name, n, others, budget);
	return FALSE;
}

gboolean hb_irq_shares_check(const char *path, GError **error)
{
	int fd = open_file(path);
	guint others;
	gboolean good = fd >= 0 && count_others(fd, &others);

	if (!good)
		set_file_error(path, error);
	if (fd >= 0)
		close(fd);
	return good;
}

int hb_irq_shares_take(const char *path, guint budget, const char *name, guint n, GError **error)
{
	int fd = open_file(path);

	if (fd < 0) {
		set_file_error(path, error);
		return -1;
	}
	if (take(fd, path, budget, name, n, error))
		return fd;
	close(fd);
	return -1;
}
