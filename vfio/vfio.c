/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What the passed-through drives of one VM share. The mutex is held while a device is attached or
 * detached, seconds at worst, so only workers take it: neither a vCPU nor the loop waits for it.
 */

#include "vfio/vfio.h"

#include <hotbay/error.h>

struct HbVfio {
	HbHost *host;
	HbIrqRemap *remap;
	GMutex mutex; /* guards the IOMMU and the count */
	HbIommu *iommu;
	guint n_drives;
};

HbVfio *hb_vfio_create(HbHost *host, guint max_vectors)
{
	HbVfio *vfio = g_new0(HbVfio, 1);

	vfio->host = host;
	vfio->remap =
		hb_irq_remap_create(host, max_vectors ? max_vectors : HB_VFIO_DEFAULT_MAX_VECTORS);
	vfio->iommu = hb_iommu_type1_create(host);
	g_mutex_init(&vfio->mutex);
	return vfio;
}

void hb_vfio_destroy(HbVfio *vfio)
{
	if (!vfio)
		return;
	g_assert(vfio->n_drives == 0);
	vfio->iommu->ops->destroy(vfio->iommu);
	hb_irq_remap_destroy(vfio->remap);
	g_mutex_clear(&vfio->mutex);
	g_free(vfio);
}

HbHost *hb_vfio_get_host(HbVfio *vfio)
{
	return vfio->host;
}

HbIrqRemap *hb_vfio_get_irq_remap(HbVfio *vfio)
{
	return vfio->remap;
}

HbIommuAttachment *hb_vfio_attach(HbVfio *vfio, guint group, const char *address, int *device_fd,
				  GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	if (vfio->n_drives == HB_VFIO_MAX_DRIVES) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_LIMIT,
			"%s: this VM has %u passed-through drives, which is the limit; remove one "
			"first",
			address, HB_VFIO_MAX_DRIVES);
		return NULL;
	}
	HbIommuAttachment *attachment =
		vfio->iommu->ops->attach(vfio->iommu, group, address, device_fd, error);
	if (attachment)
		vfio->n_drives++;
	return attachment;
}

void hb_vfio_detach(HbVfio *vfio, HbIommuAttachment *attachment)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	vfio->iommu->ops->detach(vfio->iommu, attachment);
	vfio->n_drives--;
}
