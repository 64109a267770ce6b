/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Who uses a block device.
 *
 *     mounts      /proc/self/mountinfo, by device number or by source
 *     btrfs       /sys/fs/btrfs/UUID/devices: mountinfo names only one of several devices
 *     swap        /proc/swaps
 *     holders     /sys/class/block/NAME/holders: md, LVM, dm-crypt, bcache; and who uses those
 *     ZFS         has no holders: the signature in udev's database, and a pool of that name
 * imported processes   links of /proc/PID/fd
 *
 * Mounts of other mount namespaces are not in there. Who is about to take a drive away therefore
 * also claims its block devices exclusively, which fails for every one of the above (vfio/bind.c).
 */

#include "vfio/block-uses.h"

#include "vfio/host-files.h"
#include "vfio/obstacles.h"

#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 8 /* of device upon device; the kernel itself forbids circles */

typedef struct Mount {
	char *number; /* "259:1" */
	char *source; /* "nvme0n1p1"; NULL if it is no device */
	char *place;
} Mount;

struct HbBlockUses {
	char *root;
	GPtrArray *mounts;  /* of Mount */
	GPtrArray *swaps;   /* of char *: "nvme0n1p2" */
	GHashTable *opened; /* "/dev/nvme0n1" to "smartd (process 12)" */
};

static void free_mount(gpointer data)
{
	Mount *mount = data;

	g_free(mount->number);
	g_free(mount->source);
	g_free(mount->place);
	g_free(mount);
}

/* proc(5): ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAGS...] - TYPE SOURCE OPTIONS */
static void load_mount(HbBlockUses *uses, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", -1);
	guint count = g_strv_length(words);

	for (guint i = 5; i + 2 < count; i++) {
		if (strcmp(words[i], "-") != 0)
			continue;
		Mount *mount = g_new0(Mount, 1);
		mount->number = g_strdup(words[2]);
		if (g_str_has_prefix(words[i + 2], "/dev/"))
			mount->source = g_path_get_basename(words[i + 2]);
		mount->place = g_strcompress(words[4]);
		g_ptr_array_add(uses->mounts, mount);
		return;
	}
}

static void load_mounts(HbBlockUses *uses)
{
	g_autofree char *text = hb_host_files_read(uses->root, "proc/self/mountinfo");
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (guint i = 0; lines && lines[i]; i++)
		load_mount(uses, lines[i]);
}

/* A title, then a line each that begins with the path. */
static void load_swaps(HbBlockUses *uses)
{
	g_autofree char *text = hb_host_files_read(uses->root, "proc/swaps");
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (guint i = 1; lines && lines[0] && lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit_set(lines[i], " \t", 2);

		if (words[0])
			g_ptr_array_add(uses->swaps, g_path_get_basename(words[0]));
	}
}

static void load_open_file(HbBlockUses *uses, const char *pid, const char *number)
{
	g_autofree char *path = hb_host_files_path(uses->root, "proc/%s/fd/%s", pid, number);
	g_autofree char *target = g_file_read_link(path, NULL);

	if (!target ||
	    !(g_str_has_prefix(target, "/dev/nvme") || g_str_has_prefix(target, "/dev/vfio/")))
		return;
	g_autofree char *name = hb_host_files_read(uses->root, "proc/%s/comm", pid);
	g_hash_table_replace(uses->opened, g_steal_pointer(&target),
			     g_strdup_printf("%s (process %s)", name ? name : "someone", pid));
}

static void load_processes(HbBlockUses *uses)
{
	g_autoptr(GPtrArray) pids = hb_host_files_list(uses->root, "proc");
	g_autofree char *self = g_strdup_printf("%d", getpid());

	for (guint i = 0; i < pids->len; i++) {
		const char *pid = g_ptr_array_index(pids, i);

		if (!g_ascii_isdigit(pid[0]) || (uses->root[0] == '\0' && strcmp(pid, self) == 0))
			continue;
		g_autoptr(GPtrArray) numbers = hb_host_files_list(uses->root, "proc/%s/fd", pid);
		for (guint j = 0; j < numbers->len; j++)
			load_open_file(uses, pid, g_ptr_array_index(numbers, j));
	}
}

HbBlockUses *hb_block_uses_load(const char *root)
{
	HbBlockUses *uses = g_new0(HbBlockUses, 1);

	uses->root = g_strdup(root);
	uses->mounts = g_ptr_array_new_with_free_func(free_mount);
	uses->swaps = g_ptr_array_new_with_free_func(g_free);
	uses->opened = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	load_mounts(uses);
	load_swaps(uses);
	load_processes(uses);
	return uses;
}

void hb_block_uses_free(HbBlockUses *uses)
{
	if (!uses)
		return;
	g_hash_table_unref(uses->opened);
	g_ptr_array_unref(uses->swaps);
	g_ptr_array_unref(uses->mounts);
	g_free(uses->root);
	g_free(uses);
}

const char *hb_block_uses_find_process(const HbBlockUses *uses, const char *path)
{
	return g_hash_table_lookup(uses->opened, path);
}

/* ---- one device, whole or partition ---- */

static void tell_mounts(const HbBlockUses *uses, const char *name, GArray *obstacles)
{
	g_autofree char *number = hb_host_files_read(uses->root, "sys/class/block/%s/dev", name);

	for (guint i = 0; i < uses->mounts->len; i++) {
		const Mount *mount = g_ptr_array_index(uses->mounts, i);

		if (g_strcmp0(mount->number, number) == 0 || g_strcmp0(mount->source, name) == 0)
			hb_obstacles_add(obstacles, HB_OBSTACLE_DATA,
					 "%s is mounted on %s: unmount it", name, mount->place);
	}
}

static void tell_swap(const HbBlockUses *uses, const char *name, GArray *obstacles)
{
	if (g_ptr_array_find_with_equal_func(uses->swaps, name, g_str_equal, NULL))
		hb_obstacles_add(obstacles, HB_OBSTACLE_DATA, "%s is swap: swapoff /dev/%s", name,
				 name);
}

static void tell_btrfs(const HbBlockUses *uses, const char *name, GArray *obstacles)
{
	g_autoptr(GPtrArray) volumes = hb_host_files_list(uses->root, "sys/fs/btrfs");

	for (guint i = 0; i < volumes->len; i++) {
		const char *volume = g_ptr_array_index(volumes, i);

		if (hb_host_files_exist(uses->root, "sys/fs/btrfs/%s/devices/%s", volume, name))
			hb_obstacles_add(obstacles, HB_OBSTACLE_DATA,
					 "%s is in the mounted btrfs %s: unmount it, or remove the "
					 "device from it",
					 name, volume);
	}
}

/* A property that udev has written down of a block device: a line "E:KEY=VALUE". */
static char *read_udev_property(const HbBlockUses *uses, const char *name, const char *key)
{
	g_autofree char *number = hb_host_files_read(uses->root, "sys/class/block/%s/dev", name);
	g_autofree char *text =
		number ? hb_host_files_read(uses->root, "run/udev/data/b%s", number) : NULL;
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
	g_autofree char *start = g_strdup_printf("E:%s=", key);

	for (guint i = 0; lines && lines[i]; i++)
		if (g_str_has_prefix(lines[i], start))
			return g_strdup(lines[i] + strlen(start));
	return NULL;
}

static void tell_zfs(const HbBlockUses *uses, const char *name, GArray *obstacles)
{
	g_autofree char *type = read_udev_property(uses, name, "ID_FS_TYPE");
	g_autofree char *pool = NULL;

	if (g_strcmp0(type, "zfs_member") != 0)
		return;
	pool = read_udev_property(uses, name, "ID_FS_LABEL");
	if (pool && hb_host_files_exist(uses->root, "proc/spl/kstat/zfs/%s", pool))
		hb_obstacles_add(obstacles, HB_OBSTACLE_DATA,
				 "%s is in the imported ZFS pool %s: zpool export %s, or take the "
				 "device out of it",
				 name, pool, pool);
}

static void tell_process(const HbBlockUses *uses, const char *name, GArray *obstacles)
{
	g_autofree char *path = g_strdup_printf("/dev/%s", name);
	const char *process = hb_block_uses_find_process(uses, path);

	if (process)
		hb_obstacles_add(obstacles, HB_OBSTACLE_OPEN, "%s is open in %s: end it", name,
				 process);
}

/* What kind of thing is built upon another device. */
static char *describe_holder(const HbBlockUses *uses, const char *holder)
{
	g_autofree char *uuid =
		hb_host_files_read(uses->root, "sys/class/block/%s/dm/uuid", holder);
	g_autofree char *name =
		hb_host_files_read(uses->root, "sys/class/block/%s/dm/name", holder);

	if (hb_host_files_exist(uses->root, "sys/class/block/%s/md", holder))
		return g_strdup_printf("the md array %s: mdadm --stop /dev/%s, or fail and remove "
				       "the device from it",
				       holder, holder);
	if (uuid && g_str_has_prefix(uuid, "LVM-"))
		return g_strdup_printf("the LVM volume %s: deactivate its group (vgchange -an)",
				       name);
	if (uuid && g_str_has_prefix(uuid, "CRYPT-"))
		return g_strdup_printf("the encrypted device %s: cryptsetup close %s", name, name);
	if (name)
		return g_strdup_printf("the device-mapper device %s: dmsetup remove %s", name,
				       name);
	return g_strdup_printf("%s, which is built upon it: take it apart", holder);
}

static void tell_device(const HbBlockUses *uses, const char *name, guint depth, GArray *obstacles);

static void tell_holders(const HbBlockUses *uses, const char *name, guint depth, GArray *obstacles)
{
	g_autoptr(GPtrArray) holders =
		hb_host_files_list(uses->root, "sys/class/block/%s/holders", name);

	for (guint i = 0; i < holders->len; i++) {
		const char *holder = g_ptr_array_index(holders, i);
		g_autofree char *what = describe_holder(uses, holder);

		hb_obstacles_add(obstacles, HB_OBSTACLE_DATA, "%s is in %s", name, what);
		tell_device(uses, holder, depth + 1, obstacles);
	}
}

static void tell_partitions(const HbBlockUses *uses, const char *name, guint depth,
			    GArray *obstacles)
{
	g_autoptr(GPtrArray) entries = hb_host_files_list(uses->root, "sys/class/block/%s", name);

	for (guint i = 0; i < entries->len; i++) {
		const char *entry = g_ptr_array_index(entries, i);

		if (hb_host_files_exist(uses->root, "sys/class/block/%s/%s/partition", name, entry))
			tell_device(uses, entry, depth + 1, obstacles);
	}
}

static void tell_device(const HbBlockUses *uses, const char *name, guint depth, GArray *obstacles)
{
	if (depth > MAX_DEPTH)
		return;
	tell_mounts(uses, name, obstacles);
	tell_btrfs(uses, name, obstacles);
	tell_swap(uses, name, obstacles);
	tell_zfs(uses, name, obstacles);
	tell_process(uses, name, obstacles);
	tell_holders(uses, name, depth, obstacles);
	tell_partitions(uses, name, depth, obstacles);
}

void hb_block_uses_tell(const HbBlockUses *uses, const char *name, GArray *obstacles)
{
	tell_device(uses, name, 0, obstacles);
}
