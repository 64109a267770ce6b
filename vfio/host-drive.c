/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One NVMe drive of the host: what its function's folder in sysfs says, what the nvme driver has
 * read from it, and why it cannot be passed through, if so. All reasons are listed and not only the
 * first, so that a person can see at once whether the drive is worth the trouble.
 *
 * Only files that the kernel answers at once: not driver_override, whose reader waits as long as an
 * unbind of that drive waits for a guest (drivers/pci/pci-sysfs.c, Linux 6.1).
 */

#include "vfio/host-drive.h"

#include "vfio/host-files.h"
#include "vfio/obstacles.h"
#include "vfio/sysfs.h"

#include <string.h>

#define CLASS_NVME 0x0108 /* PCI Code and ID r1.15 §1.2 */
#define PCI_DEVICE "sys/bus/pci/devices/%s"

GPtrArray *hb_host_drives_list(const char *root)
{
	GPtrArray *names = hb_host_files_list(root, "sys/bus/pci/devices");

	for (guint i = names->len; i > 0; i--) {
		const char *name = g_ptr_array_index(names, i - 1);

		if (hb_host_files_read_number(root, 0, PCI_DEVICE "/class", name) >> 8 !=
		    CLASS_NVME)
			g_ptr_array_remove_index(names, i - 1);
	}
	return names;
}

/* ---- what it is ---- */

static guint16 read_id(const char *root, const char *address, const char *leaf)
{
	return (guint16)hb_host_files_read_number(root, 0, PCI_DEVICE "/%s", address, leaf);
}

static void read_function(HbHostDrive *drive, const char *root)
{
	const char *address = drive->address;

	drive->vendor_id = read_id(root, address, "vendor");
	drive->device_id = read_id(root, address, "device");
	drive->subsystem_vendor_id = read_id(root, address, "subsystem_vendor");
	drive->subsystem_id = read_id(root, address, "subsystem_device");
	drive->driver = hb_host_files_link_name(root, PCI_DEVICE "/driver", address);
	drive->link_speed = hb_host_files_read(root, PCI_DEVICE "/current_link_speed", address);
	drive->link_width = (guint)hb_host_files_read_number(
		root, 0, PCI_DEVICE "/current_link_width", address);
	drive->numa_node =
		(gint)hb_host_files_read_number(root, -1, PCI_DEVICE "/numa_node", address);
}

/*
 * "nvme0n1" is a namespace, "nvme0c1n1" one of several paths to the namespace "nvme0n1" (native
 * multipath): who uses the drive uses that.
 */
static char *name_namespace(const char *entry)
{
	g_autoptr(GRegex) regex = g_regex_new("^(nvme\\d+)(c\\d+)?(n\\d+)$", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	if (!g_regex_match(regex, entry, 0, &match))
		return NULL;
	g_autofree char *head = g_match_info_fetch(match, 1);
	g_autofree char *tail = g_match_info_fetch(match, 3);
	return g_strconcat(head, tail, NULL);
}

static void read_namespaces(HbHostDrive *drive, const char *root)
{
	g_autoptr(GPtrArray) entries =
		hb_host_files_list(root, PCI_DEVICE "/nvme/%s", drive->address, drive->controller);
	GPtrArray *found = g_ptr_array_new();

	for (guint i = 0; i < entries->len; i++) {
		char *name = name_namespace(g_ptr_array_index(entries, i));

		if (!name)
			continue;
		/* in units of 512 bytes, whatever the drive's blocks are */
		drive->size += 512 * (guint64)hb_host_files_read_number(
					     root, 0, "sys/class/block/%s/size", name);
		g_ptr_array_add(found, name);
	}
	g_ptr_array_add(found, NULL);
	drive->namespaces = (char **)g_ptr_array_free(found, FALSE);
}

static char *read_nvme(const HbHostDrive *drive, const char *root, const char *leaf)
{
	return hb_host_files_read(root, PCI_DEVICE "/nvme/%s/%s", drive->address, drive->controller,
				  leaf);
}

static void read_controller(HbHostDrive *drive, const char *root)
{
	g_autoptr(GPtrArray) controllers =
		hb_host_files_list(root, PCI_DEVICE "/nvme", drive->address);

	if (controllers->len == 0) {
		drive->namespaces = g_new0(char *, 1);
		return;
	}
	drive->controller = g_strdup(g_ptr_array_index(controllers, 0));
	drive->model = read_nvme(drive, root, "model");
	drive->serial = read_nvme(drive, root, "serial");
	drive->firmware = read_nvme(drive, root, "firmware_rev");
	read_namespaces(drive, root);
}

static void read_group(HbHostDrive *drive, const char *root)
{
	g_autofree char *sysfs = hb_host_files_path(root, "sys");
	g_autofree char *name =
		hb_host_files_link_name(root, PCI_DEVICE "/iommu_group", drive->address);
	GPtrArray *foreign = g_ptr_array_new();

	drive->group = name ? (gint)g_ascii_strtoll(name, NULL, 10) : -1;
	if (name) {
		g_autoptr(GPtrArray) members =
			hb_host_files_list(root, "sys/kernel/iommu_groups/%s/devices", name);

		for (guint i = 0; i < members->len; i++) {
			const char *member = g_ptr_array_index(members, i);

			if (strcmp(member, drive->address) != 0 &&
			    hb_sysfs_is_foreign(sysfs, member))
				g_ptr_array_add(foreign, g_strdup(member));
		}
	}
	g_ptr_array_add(foreign, NULL);
	drive->foreign = (char **)g_ptr_array_free(foreign, FALSE);
}

/* ---- why it cannot be passed through ---- */

/* The group's file while VFIO has the drive, or the device's own. */
static void tell_vm(const HbHostDrive *drive, const char *root, const HbBlockUses *uses,
		    GArray *obstacles)
{
	g_autofree char *group = g_strdup_printf("/dev/vfio/%d", drive->group);
	g_autoptr(GPtrArray) devices =
		hb_host_files_list(root, PCI_DEVICE "/vfio-dev", drive->address);
	const char *process = hb_block_uses_find_process(uses, group);

	for (guint i = 0; !process && i < devices->len; i++) {
		g_autofree char *path = g_strdup_printf(
			"/dev/vfio/devices/%s", (const char *)g_ptr_array_index(devices, i));
		process = hb_block_uses_find_process(uses, path);
	}
	if (process)
		hb_obstacles_add(obstacles, HB_OBSTACLE_VM, "%s has it: remove it from there first",
				 process);
}

/* By the link to the first one: Linux before 6.9 answers for sriov_numvfs as for driver_override.
 */
static void tell_functions(const HbHostDrive *drive, const char *root, GArray *obstacles)
{
	if (hb_host_files_exist(root, PCI_DEVICE "/virtfn0", drive->address))
		hb_obstacles_add(obstacles, HB_OBSTACLE_FUNCTIONS,
				 "SR-IOV functions of it are switched on: switch them off "
				 "(sriov_numvfs), or pass those through");
}

/* Domains that the kernel makes up for what is behind Intel's VMD have five digits. */
static gboolean is_behind_vmd(const HbHostDrive *drive)
{
	return strcspn(drive->address, ":") > 4;
}

static void tell_iommu(const HbHostDrive *drive, const char *root, GArray *obstacles)
{
	if (is_behind_vmd(drive)) {
		hb_obstacles_add(obstacles, HB_OBSTACLE_DOMAIN,
				 "it is behind an Intel VMD controller: switch VMD off in the "
				 "firmware's setup");
		return;
	}
	if (drive->group < 0)
		hb_obstacles_add(obstacles, HB_OBSTACLE_IOMMU,
				 "it is in no IOMMU group: enable the IOMMU in the firmware's "
				 "setup and boot with intel_iommu=on (AMD: amd_iommu=on)");
	for (guint i = 0; drive->foreign[i]; i++) {
		g_autofree char *driver =
			hb_host_files_link_name(root, PCI_DEVICE "/driver", drive->foreign[i]);

		hb_obstacles_add(obstacles, HB_OBSTACLE_GROUP,
				 "it shares IOMMU group %d with %s, which %s drives: move the "
				 "drive to a slot with a group of its own, or pass both through",
				 drive->group, drive->foreign[i], driver ? driver : "nobody");
	}
}

/* The kernel makes the file only for a function that it can reset (drivers/pci/pci-sysfs.c). */
static void tell_reset(const HbHostDrive *drive, const char *root, GArray *obstacles)
{
	if (!hb_host_files_exist(root, PCI_DEVICE "/reset", drive->address))
		hb_obstacles_add(obstacles, HB_OBSTACLE_RESET,
				 "the host cannot reset it, so it would carry data from one owner "
				 "to the next: use another drive or slot");
}

static void tell_obstacles(HbHostDrive *drive, const char *root, const HbBlockUses *uses)
{
	GArray *obstacles = hb_obstacles_create();

	tell_vm(drive, root, uses, obstacles);
	for (guint i = 0; drive->namespaces[i]; i++)
		hb_block_uses_tell(uses, drive->namespaces[i], obstacles);
	tell_functions(drive, root, obstacles);
	tell_iommu(drive, root, obstacles);
	tell_reset(drive, root, obstacles);
	drive->n_obstacles = obstacles->len;
	drive->obstacles = (HbObstacle *)(gpointer)g_array_free(obstacles, FALSE);
}

HbHostDrive *hb_host_drive_create(const char *root, const char *address, const HbBlockUses *uses)
{
	HbHostDrive *drive = g_new0(HbHostDrive, 1);

	drive->address = g_strdup(address);
	read_function(drive, root);
	read_controller(drive, root);
	read_group(drive, root);
	tell_obstacles(drive, root, uses);
	return drive;
}

void hb_host_drive_destroy(HbHostDrive *drive)
{
	if (!drive)
		return;
	for (guint i = 0; i < drive->n_obstacles; i++)
		hb_obstacles_clear(&drive->obstacles[i]);
	g_free(drive->obstacles);
	g_strfreev(drive->foreign);
	g_strfreev(drive->namespaces);
	g_free(drive->link_speed);
	g_free(drive->driver);
	g_free(drive->firmware);
	g_free(drive->serial);
	g_free(drive->model);
	g_free(drive->controller);
	g_free(drive->device_name);
	g_free(drive->vendor_name);
	g_free(drive->address);
	g_free(drive);
}
