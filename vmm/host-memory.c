/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Whether guest memory that is to be locked can be had, asked before there is a guest. A machine
 * that finds out while it fetches its pages is killed by the host or, worse, has another one
 * killed; one that finds out with its first drive has a running guest by then.
 *
 *   there is   the least of MemAvailable, and for the process's control group and each one around
 *              it, memory.max - memory.current + what of that is file cache: the kernel gives that
 *              up before it kills
 *   allowed    RLIMIT_MEMLOCK, unless the process has CAP_IPC_LOCK. Memory that is locked and then
 *              pinned for a drive counts twice (Linux mm/mlock.c, drivers/vfio/vfio_iommu_type1.c)
 *
 * It is a look, not a reservation: who starts two machines at once can still be wrong.
 */

#include "vmm/host-memory.h"

#include <hotbay/error.h>

#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#define KIB (G_GUINT64_CONSTANT(1) << 10)
#define MIB (G_GUINT64_CONSTANT(1) << 20)

/* (nullable): the contents of @name in @folder, which is below @root. */
static char *read_file(const char *root, const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(root, folder, name, NULL);
	char *text;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* The number of a file that has one; FALSE for none, and for "max". */
static gboolean read_number(const char *root, const char *folder, const char *name, guint64 *number)
{
	g_autofree char *text = read_file(root, folder, name);

	return text &&
	       g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT64, number, NULL);
}

/* (transfer full) (nullable): what follows @key at the start of a line of @text. */
static char *find_value(const char *text, const char *key)
{
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], key))
			return g_strdup(lines[i] + strlen(key));
	}
	return NULL;
}

/* 0 if it is not there. */
static guint64 find_number(const char *text, const char *key)
{
	g_autofree char *value = find_value(text, key);

	return value ? g_ascii_strtoull(value, NULL, 10) : 0;
}

/* -- What there is. -- */

/* Bytes, and which file says so. */
typedef struct Room {
	guint64 bytes;
	char *source; /* owned */
} Room;

static void narrow(Room *room, guint64 bytes, const char *folder, const char *name)
{
	if (bytes >= room->bytes)
		return;
	room->bytes = bytes;
	g_free(room->source);
	room->source = g_strconcat("/", folder, "/", name, NULL);
}

static void narrow_to_group(Room *room, const char *root, const char *folder)
{
	g_autofree char *stat = read_file(root, folder, "memory.stat");
	guint64 max, current;

	if (!read_number(root, folder, "memory.max", &max) ||
	    !read_number(root, folder, "memory.current", &current))
		return;
	guint64 cache = find_number(stat, "inactive_file ") + find_number(stat, "active_file ");
	guint64 held = current - MIN(current, cache);
	narrow(room, max - MIN(max, held), folder, "memory.max");
}

/* The limits of a group hold for all below it. */
static void narrow_to_groups(Room *room, const char *root)
{
	g_autofree char *groups = read_file(root, "proc/self", "cgroup");
	g_autofree char *path = find_value(groups, "0::"); /* version 2's line, cgroups(7) */

	while (path && path[0] == '/' && path[1] != '\0') {
		g_autofree char *folder = g_strconcat("sys/fs/cgroup", path, NULL);

		narrow_to_group(room, root, folder);
		*strrchr(path, '/') = '\0';
	}
	/* The root of a container's own view has limits too. */
	narrow_to_group(room, root, "sys/fs/cgroup");
}

gboolean hb_host_memory_check_room(const char *root, guint64 size, GError **error)
{
	g_autofree char *meminfo = read_file(root, "proc", "meminfo");
	guint64 available = find_number(meminfo, "MemAvailable:");
	Room room = { G_MAXUINT64, NULL };

	if (available)
		narrow(&room, available * KIB, "proc", "meminfo");
	narrow_to_groups(&room, root);
	g_autofree char *source = room.source;
	if (size <= room.bytes)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "-m: all %" G_GUINT64_FORMAT " MiB of guest memory are reserved at the start, "
		    "and by %s there are %" G_GUINT64_FORMAT " MiB: free memory on the host, raise "
		    "that limit, or give less",
		    size / MIB, source, room.bytes / MIB);
	return FALSE;
}

/* -- What is allowed. -- */

static gboolean may_lock_all(const char *root)
{
	g_autofree char *status = read_file(root, "proc/self", "status");
	g_autofree char *capabilities = find_value(status, "CapEff:");

	if (capabilities == NULL)
		return FALSE;
	return g_ascii_strtoull(g_strstrip(capabilities), NULL, 16) >> CAP_IPC_LOCK & 1;
}

gboolean hb_host_memory_check_limit(const char *root, guint64 size, HbHostMemoryUse use,
				    GError **error)
{
	guint64 needed = use == HB_HOST_MEMORY_LOCKED_AND_PINNED ? 2 * size : size;
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur >= needed || may_lock_all(root))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "-m: guest memory cannot be %s: RLIMIT_MEMLOCK is %" G_GUINT64_FORMAT
		    " KiB and must be at least %" G_GUINT64_FORMAT " KiB%s: raise it with 'ulimit "
		    "-l %" G_GUINT64_FORMAT
		    "', LimitMEMLOCK= of the systemd unit, or in /etc/security/limits.conf",
		    use == HB_HOST_MEMORY_PINNED ? "pinned for drives" : "locked",
		    (guint64)limit.rlim_cur / KIB, needed / KIB,
		    use != HB_HOST_MEMORY_LOCKED_AND_PINNED
			    ? ""
			    : ", twice the guest's memory, which is locked and then pinned for "
			      "drives",
		    needed / KIB);
	return FALSE;
}
