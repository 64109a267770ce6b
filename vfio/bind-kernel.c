/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* How a switch of drivers acts upon the kernel that it runs on. */

#include "vfio/bind.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *remedy(int number)
{
	return number == EACCES || number == EPERM ? "; this needs root" : "";
}

/* The kernel acts on one write() and answers with its result. */
static gboolean write_file(gpointer opaque, const char *path, const char *text, GError **error)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
	int number = errno;

	if (fd >= 0)
		close(fd);
	if (written >= 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "writing \"%.*s\" to %s: %s%s",
		    (int)strcspn(text, "\n"), text, path, g_strerror(number), remedy(number));
	return FALSE;
}

/*
 * For a block device O_EXCL claims it and its partitions from mounts, md, swap and the like in
 * every mount namespace (block/bdev.c, bd_may_claim(), Linux 6.1). A VFIO group can be opened only
 * once.
 */
static int claim(gpointer opaque, const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
	int number = errno;

	if (fd < 0)
		g_set_error(error, HB_ERROR, number == EBUSY ? HB_ERROR_BUSY : HB_ERROR_HOST,
			    "%s: %s%s", path,
			    number == EBUSY ? "someone holds it; see lsblk, lsof and other "
					      "containers' mounts"
					    : g_strerror(number),
			    remedy(number));
	return fd;
}

static gboolean load(gpointer opaque, const char *module, GError **error)
{
	char *words[] = { (char *)"modprobe", (char *)module, NULL };
	g_autofree char *said = NULL;
	g_autoptr(GError) problem = NULL;
	int status;

	if (g_spawn_sync(NULL, words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said, &status,
			 &problem) &&
	    g_spawn_check_wait_status(status, &problem))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "modprobe %s: %s%s%s", module, problem->message,
		    said && said[0] ? ": " : "", said ? g_strchomp(said) : "");
	return FALSE;
}

const HbBindOps hb_bind_kernel_ops = { .write = write_file, .claim = claim, .load = load };

static const HbBindHost this_host = { .root = "", .ops = &hb_bind_kernel_ops };

gboolean hb_bind_to_vfio(const HbBindRequest *request, GError **error)
{
	return hb_bind_switch(&this_host, request, TRUE, error);
}

gboolean hb_bind_to_kernel(const HbBindRequest *request, GError **error)
{
	return hb_bind_switch(&this_host, request, FALSE, error);
}
