/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One VM a slot of the host: a lock on a file that is named after the slot's port. The kernel keeps
 * it with the open file, so it goes when its owner does, however that ends. The file stays: to
 * remove it would let two processes each lock a file of that name. What is in it, the owner's
 * process id, is for the message only.
 */

#include "vfio/bay-lock.h"

#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define FOLDER "run/lock/hotbay"

static void fail(GError **error, const char *slot, const char *path, int number)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "host slot %s: locking %s: %s%s", slot, path,
		    g_strerror(number), number == EACCES ? "; this needs root" : "");
}

static void refuse(GError **error, const char *slot, int fd)
{
	char text[16] = "";
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	guint64 owner = length > 0 ? g_ascii_strtoull(text, NULL, 10) : 0;
	g_autofree char *process = owner ? g_strdup_printf("process %" G_GUINT64_FORMAT, owner)
					 : g_strdup("another process");

	g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
		    "host slot %s: it is a bay of another VM, %s: end that, or use another slot",
		    slot, process);
}

int hb_bay_lock(const char *root, const char *slot, const char *port, GError **error)
{
	g_autofree char *folder = hb_host_files_path(root, FOLDER);
	g_autofree char *path = hb_host_files_path(root, FOLDER "/%s", port);

	if (g_mkdir_with_parents(folder, 0755) < 0) {
		fail(error, slot, folder, errno);
		return -1;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		fail(error, slot, path, errno);
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (ftruncate(fd, 0) == 0)
			dprintf(fd, "%d\n", getpid());
		return fd;
	}
	if (errno == EWOULDBLOCK)
		refuse(error, slot, fd);
	else
		fail(error, slot, path, errno);
	close(fd);
	return -1;
}
