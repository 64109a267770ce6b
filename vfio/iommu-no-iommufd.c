/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* In the place of vfio/iommu-iommufd.c, where the kernel headers of the build are older than it. */

#include "vfio/iommu.h"

#include <hotbay/error.h>

#include <unistd.h>

HbIommu *hb_iommu_iommufd_create(HbHost *host, const char *root, int fd, GError **error)
{
	if (fd >= 0)
		close(fd);
	g_set_error(
		error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		"built without iommufd, for want of <linux/iommufd.h>: use VFIO type1, or build "
		"with the headers of Linux 6.6 or later (meson's option kernel-headers)");
	return NULL;
}

gboolean hb_iommu_iommufd_is_usable(const char *root, const char *address)
{
	return FALSE;
}
