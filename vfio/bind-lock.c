/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Two locks, because a switch may have to wait for a guest, and only who wants the same drive is to
 * wait with it: a drive's is held for the whole switch, the bus's while nobody is waited for.
 */

#include "vfio/bind-lock.h"

#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* @taken: what it means that another has it */
static int lock(int fd, const char *path, gboolean wait, const char *taken, GError **error)
{
	if (fd >= 0 && flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		g_set_error_literal(error, HB_ERROR, HB_ERROR_BUSY, taken);
	else
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "locking %s: %s", path,
			    g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int hb_bind_lock_drive(const char *root, const char *address, gboolean wait, GError **error)
{
	g_autofree char *path = hb_host_files_path(root, "sys/bus/pci/devices/%s", address);
	g_autofree char *taken =
		g_strdup_printf("%s: another passthrough switch of it is under way, and may be "
				"waiting for its VM's guest: wait for that",
				address);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return -1;
	return lock(fd, path, wait, taken, error);
}

int hb_bind_lock_bus(const char *root, gboolean wait, GError **error)
{
	g_autofree char *path = hb_host_files_path(root, "sys/bus/pci");

	return lock(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, wait,
		    "another passthrough switch is under way on this host: wait for it", error);
}
