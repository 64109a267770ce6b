/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_IOMMU_H
#define VFIO_IOMMU_H

#include <hotbay/host.h>

/*
 * The IOMMU address space of one VM, which mirrors guest memory, and the way to a device's file
 * descriptor through it. One file a backend. Callers hold HbVfio's mutex, but for @open; workers
 * only.
 */
typedef struct HbIommu HbIommu;
typedef struct HbIommuAttachment HbIommuAttachment;

typedef struct HbIommuOps {
	const char *name;
	/*
	 * Let the group of the function called @address ("0000:01:00.0") into the address space, or
	 * a place be kept there for the function itself, and map guest memory if it is not mapped.
	 * Returns what all below take.
	 */
	HbIommuAttachment *(*attach)(HbIommu *iommu, guint group, const char *address,
				     GError **error);
	/*
	 * The device's descriptor, which is the caller's and is closed before the detach; -1 with
	 * an error, and the detach follows. The kernel resets a drive for it, 0.1 s of waiting, so
	 * it is called without the mutex: drives that come together are reset together.
	 */
	int (*open)(HbIommu *iommu, const HbIommuAttachment *attachment, const char *address,
		    GError **error);
	/*
	 * A function of the group does no DMA any more, and its descriptor is being closed: what is
	 * mapped for it alone may go now, which takes as long as the close does. Its detach
	 * follows.
	 */
	void (*leave)(HbIommu *iommu, HbIommuAttachment *attachment);
	void (*detach)(HbIommu *iommu, HbIommuAttachment *attachment);
	/*
	 * Map @size bytes of a drive's BAR, mapped at @hva, for the DMA of all that are attached;
	 * and undo one, which cannot fail. NULL, both: this backend cannot map such memory.
	 */
	gboolean (*map_window)(HbIommu *iommu, guint64 iova, guint64 size, gpointer hva,
			       GError **error);
	void (*unmap_window)(HbIommu *iommu, guint64 iova, guint64 size);
	void (*destroy)(HbIommu *iommu);
} HbIommuOps;

struct HbIommu {
	const HbIommuOps *ops;
};

/* VFIO type1: a container, groups in it. Touches nothing of the host until the first attach. */
HbIommu *hb_iommu_type1_create(HbHost *host);

/* Where the two functions below find dev and sys; tests point them at a tree of their own. */
#define HB_IOMMU_ROOT "/"

/*
 * iommufd: one I/O address space in the iommufd @fd, which becomes the backend's, or in one of its
 * own if @fd is -1. NULL with HB_ERROR_UNSUPPORTED, and @fd closed, if this host or this build has
 * no iommufd.
 */
HbIommu *hb_iommu_iommufd_create(HbHost *host, const char *root, int fd, GError **error);

/* Can that be had, and does VFIO show the function called @address as iommufd needs it? */
gboolean hb_iommu_iommufd_is_usable(const char *root, const char *address);

#endif
