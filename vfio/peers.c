/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Peer-to-peer: a drive's DMA to another drive's BAR goes to the address at which the guest has
 * that BAR, so the IOMMU must map it there, wherever the guest moves it.
 *
 *              set, by the guest's writes             unmap, map_next, in a worker
 *     BARs  ----------------------------->  wanted  -------------------------------->  mapped
 *
 * A guest moves BARs with the bus lock held, and the IOMMU can keep one waiting for seconds, while
 * another drive is attached. So what is wanted is only written down there, and a worker, later,
 * makes the difference, window by window; a drive that is closed waits for one of them at most, and
 * has unmapped before its memory goes what is not wanted, and nothing more. In between, the guest's
 * own drives reach a BAR of the guest's own at its old address, and no new one: that is what
 * happens on bare metal, too, to DMA that is under way while a BAR is moved.
 *
 * Before each that is mapped all that is not wanted goes, so that two BARs may swap addresses. A
 * window is known by all of address, size and memory: one that left and came back at another
 * address is another one. That it was refused is known as long as it is wanted; the log says it
 * once a VM, since a guest can have it happen as often as it likes.
 */

#include "vfio/peers.h"

#include "hw/host.h"

typedef struct Window {
	guint64 gpa;
	guint64 size;
	gpointer hva;
	gboolean refused; /* of those wanted: the host would not map it */
} Window;

struct HbVfioPeers {
	HbHost *host;
	GMutex mutex;	/* guards @wanted; nothing is waited for with it held */
	GArray *wanted; /* of Window */

	/* HbVfio's mutex guards these. */
	GArray *mapped; /* of Window */
	gboolean refusal_logged;
};

HbVfioPeers *hb_vfio_peers_create(HbHost *host)
{
	HbVfioPeers *peers = g_new0(HbVfioPeers, 1);

	peers->host = host;
	g_mutex_init(&peers->mutex);
	peers->wanted = g_array_new(FALSE, FALSE, sizeof(Window));
	peers->mapped = g_array_new(FALSE, FALSE, sizeof(Window));
	return peers;
}

void hb_vfio_peers_destroy(HbVfioPeers *peers)
{
	if (!peers)
		return;
	g_assert(peers->wanted->len == 0 && peers->mapped->len == 0);
	g_array_unref(peers->wanted);
	g_array_unref(peers->mapped);
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

static void unmap_others(HbVfioPeers *peers, const GArray *wanted, HbIommu *iommu)
{
	guint index;

	for (guint i = peers->mapped->len; i-- > 0;) {
		const Window *window = &g_array_index(peers->mapped, Window, i);

		if (find(wanted, window, &index))
			continue;
		iommu->ops->unmap_window(iommu, window->gpa, window->size);
		g_array_remove_index_fast(peers->mapped, i);
	}
}

void hb_vfio_peers_unmap(HbVfioPeers *peers, HbIommu *iommu)
{
	g_autoptr(GArray) wanted = copy_wanted(peers);

	unmap_others(peers, wanted, iommu);
}

static const Window *find_next(const HbVfioPeers *peers, const GArray *wanted)
{
	guint index;

	for (guint i = 0; i < wanted->len; i++) {
		const Window *window = &g_array_index(wanted, Window, i);

		if (!window->refused && !find(peers->mapped, window, &index))
			return window;
	}
	return NULL;
}

static void note_refusal(HbVfioPeers *peers, const Window *window, const GError *error)
{
	guint index;

	g_mutex_lock(&peers->mutex);
	if (find(peers->wanted, window, &index))
		g_array_index(peers->wanted, Window, index).refused = TRUE;
	g_mutex_unlock(&peers->mutex);
	if (!peers->refusal_logged)
		hb_host_log(peers->host, G_LOG_LEVEL_WARNING,
			    "other drives cannot reach a drive's BAR by DMA: %s; of more such "
			    "BARs of this VM nothing is said",
			    error->message);
	peers->refusal_logged = TRUE;
}

gboolean hb_vfio_peers_map_next(HbVfioPeers *peers, HbIommu *iommu)
{
	g_autoptr(GArray) wanted = copy_wanted(peers);
	g_autoptr(GError) error = NULL;

	unmap_others(peers, wanted, iommu);
	const Window *window = find_next(peers, wanted);
	if (!window)
		return FALSE;
	if (iommu->ops->map_window(iommu, window->gpa, window->size, window->hva, &error))
		g_array_append_val(peers->mapped, *window);
	else
		note_refusal(peers, window, error);
	return TRUE;
}
