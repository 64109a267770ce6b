/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_SYSFS_H
#define VFIO_SYSFS_H

#include <hotbay/pci.h>

/* Where the kernel shows its devices; tests point the functions below at a captured tree. */
#define HB_SYSFS_ROOT "/sys"

/*
 * May this host function be given to a guest? It must exist, be an NVMe drive (class 0108xx),
 * be bound to vfio-pci, and share its IOMMU group with nothing but functions that VFIO or nobody
 * drives. Stores the group's number. Any thread.
 */
gboolean hb_sysfs_check_drive(const char *root, const HbPciAddress *address, guint *group,
			      GError **error);

/*
 * Does someone but VFIO drive this function? In the IOMMU group of a passed-through drive it would
 * share the guest's address space. Bridges are harmless. Any thread.
 */
gboolean hb_sysfs_is_foreign(const char *root, const char *member);

#endif
