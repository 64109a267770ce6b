/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_PEERS_H
#define VFIO_PEERS_H

#include "vfio/iommu.h"

/*
 * Where the drives of one VM reach each other's BARs by DMA: which windows there are to be in the
 * IOMMU's address space, and which there are.
 */
typedef struct HbVfioPeers HbVfioPeers;

HbVfioPeers *hb_vfio_peers_create(HbHost *host);

/* When no window is here and none is mapped. Takes NULL. */
void hb_vfio_peers_destroy(HbVfioPeers *peers);

/*
 * @size bytes of a BAR, mapped at @hva, are (@here) or are no longer at guest physical @gpa, in
 * multiples of 4 KiB. Windows that are here do not overlap. Any thread; waits for nobody.
 */
void hb_vfio_peers_set(HbVfioPeers *peers, guint64 gpa, guint64 size, gpointer hva, gboolean here);

/*
 * All windows that are no longer here are unmapped when this returns. A worker, with HbVfio's
 * mutex, as the next one. @iommu has the two functions for it.
 */
void hb_vfio_peers_unmap(HbVfioPeers *peers, HbIommu *iommu);

/*
 * One step to what was set: as the last one, and then one window that is here is mapped. If that
 * cannot be, it is not tried again while it stays, and the first of them is said in the log.
 * Returns: FALSE if there was none to map
 */
gboolean hb_vfio_peers_map_next(HbVfioPeers *peers, HbIommu *iommu);

#endif
