/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_VFIO_H
#define VFIO_VFIO_H

#include "hw/irq-remap.h"
#include "vfio/iommu.h"

#include <hotbay/vfio.h>

/* The part of HbVfio that its devices see. Workers; each call takes HbVfio's mutex. */

HbHost *hb_vfio_get_host(HbVfio *vfio);
HbIrqRemap *hb_vfio_get_irq_remap(HbVfio *vfio);
guint hb_vfio_get_expected_vectors(HbVfio *vfio);
guint *hb_vfio_get_notifier_calls(HbVfio *vfio); /* atomic; to count there */

/* As the IOMMU backend's (vfio/iommu.h): each drive once, HB_VFIO_MAX_DRIVES at most. */
HbIommuAttachment *hb_vfio_attach(HbVfio *vfio, guint group, const char *address, int *device_fd,
				  GError **error);
void hb_vfio_leave(HbVfio *vfio, HbIommuAttachment *attachment);
void hb_vfio_detach(HbVfio *vfio, HbIommuAttachment *attachment, const char *address);

/*
 * A part of a drive's BAR is, or is no longer, where other drives may reach it (vfio/peers.h), if
 * they are to. Any thread: it takes effect soon, in a worker.
 */
void hb_vfio_set_window(HbVfio *vfio, guint64 gpa, guint64 size, gpointer hva, gboolean here);

/* When this returns nobody reaches what is no longer there. What is new is not waited for. */
void hb_vfio_unmap_windows(HbVfio *vfio);

#endif
