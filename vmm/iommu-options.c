/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * By what the host's IOMMU is told of guest memory: QEMU's object iommufd, which drives name, and a
 * property of the machine for those who want to say it without one. All drives share one address
 * space, so there is one object at most, and it is for all of them. Pure: the host is not looked
 * at.
 */

#include "vmm/iommu-options.h"

#include <hotbay/error.h>

#define OBJECT "iommufd"

void hb_iommu_options_init(HbIommuOptions *options)
{
	options->fd = -1;
}

void hb_iommu_options_finish(HbIommuOptions *options)
{
	g_clear_pointer(&options->id, g_free);
}

static gboolean take_fd(HbIommuOptions *options, HbProperties *object, GError **error)
{
	guint64 fd = 0;

	if (!hb_properties_take(object, "fd"))
		return TRUE;
	if (!hb_properties_take_uint(object, "fd", 0, G_MAXINT, &fd, error))
		return FALSE;
	options->fd = (int)fd;
	return TRUE;
}

static gboolean take_all(HbIommuOptions *options, HbProperties *object, GError **error)
{
	const char *id;

	if (!hb_properties_take_required(object, "id", &id, error) ||
	    !take_fd(options, object, error) || !hb_properties_finish(object, OBJECT, error))
		return FALSE;
	if (options->id) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "%s would be a second one, and all drives of a machine share one "
			    "address space: give one",
			    id);
		return FALSE;
	}
	options->id = g_strdup(id);
	return TRUE;
}

gboolean hb_iommu_options_add(HbIommuOptions *options, HbProperties *object, GError **error)
{
	if (take_all(options, object, error))
		return TRUE;
	g_prefix_error(error, OBJECT ": ");
	return FALSE;
}

gboolean hb_iommu_options_choose(HbIommuOptions *options, const char *name, GError **error)
{
	for (HbVfioIommu i = HB_VFIO_IOMMU_AUTO; i <= HB_VFIO_IOMMU_IOMMUFD; i++) {
		if (g_str_equal(name, hb_vfio_iommu_to_str(i))) {
			options->iommu = i;
			return TRUE;
		}
	}
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "x-hotbay-iommu=%s is not supported: say auto, type1 or iommufd", name);
	return FALSE;
}

gboolean hb_iommu_options_check_drive(const HbIommuOptions *options, const HbDriveOptions *drive,
				      GError **error)
{
	if (drive->iommufd == NULL || g_strcmp0(drive->iommufd, options->id) == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
		    "vfio-pci %s: iommufd=%s: there is no such object: start the machine with "
		    "-object iommufd,id=%s, or leave it out",
		    drive->id, drive->iommufd, drive->iommufd);
	return FALSE;
}

/* Of a machine without drives. */
static gboolean check_unused(const HbIommuOptions *options, GError **error)
{
	if (!options->id && !options->peer_to_peer)
		return TRUE;
	g_autofree char *flag = options->id ? g_strdup_printf("-object: %s", options->id)
					    : g_strdup("-machine: x-hotbay-peer-to-peer=on");
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "%s: nothing uses it, since no drive can come: add -device "
		    "pcie-root-port,id=..., with hot-plug or a drive in it, or leave it out",
		    flag);
	return FALSE;
}

gboolean hb_iommu_options_settle(HbIommuOptions *options, const HbDeviceOptions *devices,
				 gboolean drives, GError **error)
{
	if (!drives && !check_unused(options, error))
		return FALSE;
	for (guint i = 0; i < hb_device_options_get_n_drives(devices); i++) {
		if (hb_iommu_options_check_drive(options, hb_device_options_get_drive(devices, i),
						 error))
			continue;
		g_prefix_error(error, "-device: ");
		return FALSE;
	}
	if (options->id && options->iommu == HB_VFIO_IOMMU_TYPE1) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "-object: %s: iommufd does not go with x-hotbay-iommu=type1 of "
			    "-machine: leave one of them out",
			    options->id);
		return FALSE;
	}
	if (options->id)
		options->iommu = HB_VFIO_IOMMU_IOMMUFD;
	return TRUE;
}
