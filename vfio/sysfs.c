/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What sysfs says about a host PCI function before anything of it is opened, so that a drive which
 * cannot be passed through is refused with a reason a person can act on, rather than with the errno
 * of the ioctl that happens to fail first.
 */

#include "vfio/sysfs.h"

#include <hotbay/error.h>

#include <string.h>

#define CLASS_NVME   0x0108 /* mass storage, non-volatile memory (PCI Code and ID r1.15 §1.2) */
#define CLASS_BRIDGE 0x06

static char *device_path(const char *root, const char *address, const char *leaf)
{
	return g_build_filename(root, "bus/pci/devices", address, leaf, NULL);
}

/* The last component of where a link in the device's folder leads; NULL if there is no such link.
 */
static char *read_link_name(const char *root, const char *address, const char *leaf)
{
	g_autofree char *path = device_path(root, address, leaf);
	g_autofree char *target = g_file_read_link(path, NULL);

	return target ? g_path_get_basename(target) : NULL;
}

static guint read_class(const char *root, const char *address)
{
	g_autofree char *path = device_path(root, address, "class");
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return 0;
	return (guint)g_ascii_strtoull(text, NULL, 16);
}

static gboolean check_exists(const char *root, const char *address, GError **error)
{
	g_autofree char *path = device_path(root, address, NULL);

	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
		    "%s: no such PCI device on this host; `hotbayctl drives` lists its NVMe drives",
		    address);
	return FALSE;
}

static gboolean check_class(const char *root, const char *address, GError **error)
{
	guint class = read_class(root, address);

	if (class >> 8 == CLASS_NVME)
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		"%s: not an NVMe drive (its class is %06x, not 0108xx); only NVMe drives can be "
		"passed through; `hotbayctl drives` lists them",
		address, class);
	return FALSE;
}

static gboolean check_driver(const char *root, const char *address, GError **error)
{
	g_autofree char *driver = read_link_name(root, address, "driver");

	if (g_strcmp0(driver, "vfio-pci") == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "%s: bound to %s, not to vfio-pci; `hotbayctl passthrough on %s` gives it to "
		    "vfio-pci if the host does not use it",
		    address, driver ? driver : "no driver", address);
	return FALSE;
}

gboolean hb_sysfs_is_foreign(const char *root, const char *member)
{
	static const char *const harmless[] = { "vfio-pci", "pci-stub", NULL };
	g_autofree char *driver = read_link_name(root, member, "driver");

	if (!driver || g_strv_contains(harmless, driver))
		return FALSE;
	/* Linux lets its own bridge driver stay: it does no DMA of its own. */
	return read_class(root, member) >> 16 != CLASS_BRIDGE;
}

static char *find_foreign(const char *root, const char *address)
{
	g_autofree char *path = device_path(root, address, "iommu_group/devices");
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *member;

	while (dir && (member = g_dir_read_name(dir)))
		if (strcmp(member, address) != 0 && hb_sysfs_is_foreign(root, member))
			return g_strdup(member);
	return NULL;
}

static gboolean check_group(const char *root, const char *address, guint *group, GError **error)
{
	g_autofree char *name = read_link_name(root, address, "iommu_group");

	if (!name) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			"%s: in no IOMMU group; enable the IOMMU in the firmware and boot the host "
			"with intel_iommu=on (AMD: amd_iommu=on)",
			address);
		return FALSE;
	}
	g_autofree char *foreign = find_foreign(root, address);
	if (foreign) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_BUSY,
			"%s: shares IOMMU group %s with %s, which another driver uses; move the "
			"drive to a slot with a group of its own, or bind %s to vfio-pci too",
			address, name, foreign, foreign);
		return FALSE;
	}
	*group = (guint)g_ascii_strtoull(name, NULL, 10);
	return TRUE;
}

gboolean hb_sysfs_check_drive(const char *root, const HbPciAddress *address, guint *group,
			      GError **error)
{
	char name[HB_PCI_ADDRESS_STRLEN];

	hb_pci_address_format(address, name);
	return check_exists(root, name, error) && check_class(root, name, error) &&
	       check_driver(root, name, error) && check_group(root, name, group, error);
}
