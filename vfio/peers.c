/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Peer-to-peer: a drive's DMA to another drive's BAR goes to the address at which the guest has
 * that BAR, so the IOMMU must map it there, wherever the guest moves it.
 *
 *              set, by the guest's writes             sync, in a worker
 *     BARs  ----------------------------->  wanted  ---------------------->  mapped
 *
 * A guest moves BARs with the bus lock held, and the IOMMU can keep one waiting for seconds, while
 * another drive is attached. So what is wanted is only written down there, and a sync, later and
 * at the latest before a drive's memory is unmapped, makes the difference. In between, the guest's
 * own drives reach a BAR of the guest's own at its old address, and no new one: that is what
 * happens on bare metal, too, to DMA that is under way while a BAR is moved.
 *
 * First all that is not wanted goes, so that two BARs may swap addresses. A window is known by all
 * of address, size and memory: one that left and came back at another address is another one.
 */

#include "vfio/peers.h"

#include "hw/host.h"

typedef struct Window {
	guint64 gpa;
	guint64 size;
	gpointer hva;
	gboolean refused; /* of those that were tried */
} Window;

struct HbVfioPeers {
	HbHost *host;
	GMutex mutex;	/* guards @wanted; nothing is waited for with it held */
	GArray *wanted; /* of Window */
	GArray *tried;	/* of Window: those mapped, and those refused; HbVfio's mutex */
};

HbVfioPeers *hb_vfio_peers_create(HbHost *host)
{
	HbVfioPeers *peers = g_new0(HbVfioPeers, 1);

	peers->host = host;
	g_mutex_init(&peers->mutex);
	peers->wanted = g_array_new(FALSE, FALSE, sizeof(Window));
	peers->tried = g_array_new(FALSE, FALSE, sizeof(Window));
	return peers;
}

void hb_vfio_peers_destroy(HbVfioPeers *peers)
{
	if (!peers)
		return;
	g_assert(peers->wanted->len == 0 && peers->tried->len == 0);
	g_array_unref(peers->wanted);
	g_array_unref(peers->tried);
	g_mutex_clear(&peers->mutex);
	g_free(peers);
}

static gboolean find(const GArray *windows, const Window *window, guint *index)
{
	for (guint i = 0; i < windows->len; i++) {
		const Window *other = &g_array_index(windows, Window, i);

		if (other->gpa != window->gpa || other->size != window->size ||
		    other->hva != window->hva)
			continue;
		*index = i;
		return TRUE;
	}
	return FALSE;
}

void hb_vfio_peers_set(HbVfioPeers *peers, guint64 gpa, guint64 size, gpointer hva, gboolean here)
{
	Window window = { .gpa = gpa, .size = size, .hva = hva };
	guint index;

	g_mutex_lock(&peers->mutex);
	gboolean known = find(peers->wanted, &window, &index);
	if (here && !known)
		g_array_append_val(peers->wanted, window);
	if (!here && known)
		g_array_remove_index_fast(peers->wanted, index);
	g_mutex_unlock(&peers->mutex);
}

static GArray *copy_wanted(HbVfioPeers *peers)
{
	g_mutex_lock(&peers->mutex);
	GArray *wanted = g_array_copy(peers->wanted);
	g_mutex_unlock(&peers->mutex);
	return wanted;
}

static void unmap_unwanted(HbVfioPeers *peers, const GArray *wanted, HbIommu *iommu)
{
	guint index;

	for (guint i = peers->tried->len; i-- > 0;) {
		const Window *window = &g_array_index(peers->tried, Window, i);

		if (find(wanted, window, &index))
			continue;
		if (!window->refused)
			iommu->ops->unmap_window(iommu, window->gpa, window->size);
		g_array_remove_index_fast(peers->tried, i);
	}
}

static void map_window(HbVfioPeers *peers, Window *window, HbIommu *iommu)
{
	g_autoptr(GError) error = NULL;

	window->refused =
		!iommu->ops->map_window(iommu, window->gpa, window->size, window->hva, &error);
	if (window->refused)
		hb_host_log(peers->host, G_LOG_LEVEL_WARNING,
			    "other drives cannot reach a drive's BAR by DMA: %s", error->message);
	g_array_append_val(peers->tried, *window);
}

void hb_vfio_peers_sync(HbVfioPeers *peers, HbIommu *iommu)
{
	g_autoptr(GArray) wanted = copy_wanted(peers);
	guint index;

	unmap_unwanted(peers, wanted, iommu);
	for (guint i = 0; i < wanted->len; i++) {
		Window *window = &g_array_index(wanted, Window, i);

		if (!find(peers->tried, window, &index))
			map_window(peers, window, iommu);
	}
}
