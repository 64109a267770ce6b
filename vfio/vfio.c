/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What the passed-through drives of one VM share. The mutex is held while a device is attached,
 * leaves or is detached, seconds at worst, so only workers take it: neither a vCPU nor the loop
 * waits for it. It is not held while one is opened.
 */

#include "vfio/vfio.h"

#include "vfio/peers.h"

#include <hotbay/error.h>

#include <unistd.h>

/* GMutex is not fair: without a pause a drive that is closed would wait for all windows. */
#define BETWEEN_WINDOWS_US 500

struct HbVfio {
	HbHost *host;
	HbIrqRemap *remap;
	guint n_expected;     /* vectors of each drive; set before the first one */
	guint notifier_calls; /* atomic */
	GMutex mutex;	      /* guards all below */
	HbIommu *iommu;	      /* NULL: to be chosen when the first drive comes */
	GPtrArray *drives;    /* of char *: the addresses that are attached */

	HbVfioPeers *peers;   /* NULL: drives do not reach each other */
	GThreadPool *syncing; /* of one thread, if there are @peers */
	gint sync_pending;    /* atomic: a sync is to come that has not begun */
};

HbVfio *hb_vfio_create(HbHost *host, guint max_vectors)
{
	HbVfio *vfio = g_new0(HbVfio, 1);

	vfio->host = host;
	vfio->remap =
		hb_irq_remap_create(host, max_vectors ? max_vectors : HB_VFIO_DEFAULT_MAX_VECTORS);
	vfio->drives = g_ptr_array_new_with_free_func(g_free);
	g_mutex_init(&vfio->mutex);
	return vfio;
}

void hb_vfio_destroy(HbVfio *vfio)
{
	if (!vfio)
		return;
	g_assert(vfio->drives->len == 0);
	if (vfio->syncing)
		g_thread_pool_free(vfio->syncing, FALSE, TRUE);
	hb_vfio_peers_destroy(vfio->peers);
	g_ptr_array_unref(vfio->drives);
	if (vfio->iommu)
		vfio->iommu->ops->destroy(vfio->iommu);
	hb_irq_remap_destroy(vfio->remap);
	g_mutex_clear(&vfio->mutex);
	g_free(vfio);
}

gboolean hb_vfio_share_vectors(HbVfio *vfio, const char *path, GError **error)
{
	return hb_irq_remap_share(vfio->remap, path, error);
}

void hb_vfio_expect_vectors(HbVfio *vfio, guint n_vectors)
{
	vfio->n_expected = n_vectors;
}

guint hb_vfio_get_expected_vectors(HbVfio *vfio)
{
	return vfio->n_expected;
}

guint *hb_vfio_get_notifier_calls(HbVfio *vfio)
{
	return &vfio->notifier_calls;
}

void hb_vfio_get_counters(HbVfio *vfio, HbVfioCounters *counters)
{
	HbIrqRemapCounts counts;

	hb_irq_remap_get_counts(vfio->remap, &counts);
	counters->route_commits = counts.commits;
	counters->route_connections = counts.connections;
	counters->vector_calls = counts.vector_calls;
	counters->notifier_calls = (guint)g_atomic_int_get((gint *)&vfio->notifier_calls);
}

const char *hb_vfio_iommu_to_str(HbVfioIommu iommu)
{
	static const char *const names[] = {
		[HB_VFIO_IOMMU_AUTO] = "auto",
		[HB_VFIO_IOMMU_TYPE1] = "type1",
		[HB_VFIO_IOMMU_IOMMUFD] = "iommufd",
	};

	return names[iommu];
}

gboolean hb_vfio_use_iommu(HbVfio *vfio, HbVfioIommu iommu, int iommufd, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	g_assert(!vfio->iommu);
	if (iommu != HB_VFIO_IOMMU_IOMMUFD && iommufd >= 0)
		close(iommufd); /* ours, though nobody uses it */
	if (iommu == HB_VFIO_IOMMU_TYPE1)
		vfio->iommu = hb_iommu_type1_create(vfio->host);
	if (iommu == HB_VFIO_IOMMU_IOMMUFD)
		vfio->iommu = hb_iommu_iommufd_create(vfio->host, HB_IOMMU_ROOT, iommufd, error);
	return vfio->iommu || iommu == HB_VFIO_IOMMU_AUTO;
}

/* For all drives to come, by what the first one can have. */
static void choose_iommu(HbVfio *vfio, const char *address)
{
	if (!vfio->peers && hb_iommu_iommufd_is_usable(HB_IOMMU_ROOT, address))
		vfio->iommu = hb_iommu_iommufd_create(vfio->host, HB_IOMMU_ROOT, -1, NULL);
	if (!vfio->iommu)
		vfio->iommu = hb_iommu_type1_create(vfio->host);
}

HbHost *hb_vfio_get_host(HbVfio *vfio)
{
	return vfio->host;
}

HbIrqRemap *hb_vfio_get_irq_remap(HbVfio *vfio)
{
	return vfio->remap;
}

/* The kernel would open a drive twice for the same VM; its registers would have two masters. */
static gboolean check_room(const HbVfio *vfio, const char *address, GError **error)
{
	if (g_ptr_array_find_with_equal_func(vfio->drives, address, g_str_equal, NULL)) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_BUSY,
			"%s: this VM has the drive already: remove it first, and wait until it is "
			"released",
			address);
		return FALSE;
	}
	if (vfio->drives->len == HB_VFIO_MAX_DRIVES) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_LIMIT,
			"%s: this VM has %u passed-through drives, which is the limit: remove one "
			"first",
			address, HB_VFIO_MAX_DRIVES);
		return FALSE;
	}
	return TRUE;
}

static HbIommuAttachment *attach(HbVfio *vfio, guint group, const char *address, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	if (!check_room(vfio, address, error))
		return NULL;
	if (!vfio->iommu)
		choose_iommu(vfio, address);
	HbIommuAttachment *attachment =
		vfio->iommu->ops->attach(vfio->iommu, group, address, error);
	if (attachment)
		g_ptr_array_add(vfio->drives, g_strdup(address));
	return attachment;
}

HbIommuAttachment *hb_vfio_attach(HbVfio *vfio, guint group, const char *address, int *device_fd,
				  GError **error)
{
	HbIommuAttachment *attachment = attach(vfio, group, address, error);

	*device_fd = -1;
	if (!attachment)
		return NULL;
	*device_fd = vfio->iommu->ops->open(vfio->iommu, attachment, address, error);
	if (*device_fd >= 0)
		return attachment;
	hb_vfio_detach(vfio, attachment, address);
	return NULL;
}

void hb_vfio_leave(HbVfio *vfio, HbIommuAttachment *attachment)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	vfio->iommu->ops->leave(vfio->iommu, attachment);
}

void hb_vfio_detach(HbVfio *vfio, HbIommuAttachment *attachment, const char *address)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);
	guint index;

	vfio->iommu->ops->detach(vfio->iommu, attachment);
	if (g_ptr_array_find_with_equal_func(vfio->drives, address, g_str_equal, &index))
		g_ptr_array_remove_index_fast(vfio->drives, index);
}

/* ---- drives that reach each other ---- */

static gboolean map_next(HbVfio *vfio)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	return vfio->iommu && hb_vfio_peers_map_next(vfio->peers, vfio->iommu);
}

static void run_sync(gpointer data, gpointer unused)
{
	HbVfio *vfio = data;

	g_atomic_int_set(&vfio->sync_pending, FALSE);
	while (map_next(vfio))
		g_usleep(BETWEEN_WINDOWS_US);
}

gboolean hb_vfio_connect_drives(HbVfio *vfio, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);

	if (vfio->iommu && !vfio->iommu->ops->map_window) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "%s cannot map a drive's memory for other drives: use VFIO type1",
			    vfio->iommu->ops->name);
		return FALSE;
	}
	vfio->syncing = g_thread_pool_new(run_sync, NULL, 1, FALSE, error);
	if (!vfio->syncing)
		return FALSE;
	vfio->peers = hb_vfio_peers_create(vfio->host);
	return TRUE;
}

void hb_vfio_set_window(HbVfio *vfio, guint64 gpa, guint64 size, gpointer hva, gboolean here)
{
	if (!vfio->peers)
		return;
	hb_vfio_peers_set(vfio->peers, gpa, size, hva, here);
	if (g_atomic_int_compare_and_exchange(&vfio->sync_pending, FALSE, TRUE))
		g_thread_pool_push(vfio->syncing, vfio, NULL);
}

void hb_vfio_unmap_windows(HbVfio *vfio)
{
	if (!vfio->peers)
		return;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vfio->mutex);
	if (vfio->iommu)
		hb_vfio_peers_unmap(vfio->peers, vfio->iommu);
}
