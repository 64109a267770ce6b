/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_VFIO_H
#define HOTBAY_VFIO_H

/** vfio.h: the host's drives, opened for a VM. */

#include <hotbay/pci.h>

G_BEGIN_DECLS

/**
 * HbVfio:
 *
 * What the passed-through drives of one VM share: the IOMMU address space that mirrors guest
 * memory, and the interrupt remapping table with its budget.
 */
typedef struct HbVfio HbVfio;

/** HB_VFIO_MAX_DRIVES: how many passed-through drives a VM may have. */
#define HB_VFIO_MAX_DRIVES 32

/** HB_VFIO_DEFAULT_MAX_VECTORS: host interrupts that the drives of one VM may use together, or of
 * all VMs of a host that share the budget. */
#define HB_VFIO_DEFAULT_MAX_VECTORS 4096

/** HB_VFIO_MAX_VECTORS: the largest budget. */
#define HB_VFIO_MAX_VECTORS (1 << 20)

/**
 * hb_vfio_create:
 * @host: with all its RAM declared
 * @max_vectors: the interrupt budget, at most %HB_VFIO_MAX_VECTORS; 0 for the default
 *
 * Makes what the drives of a VM share. Touches nothing of the host yet. Loop thread.
 *
 * Returns: (transfer full): free with hb_vfio_destroy()
 */
HbVfio *hb_vfio_create(HbHost *host, guint max_vectors);

/** hb_vfio_destroy: frees it, after all its devices are released or closed. Takes NULL. Loop
 * thread. */
void hb_vfio_destroy(HbVfio *vfio);

/**
 * hb_vfio_share_vectors:
 * @path: of a file in a folder that lives as long as the host runs, /run/hotbay/vectors say;
 *   created, for its owner alone, with its folder if it is missing
 *
 * Makes the budget one of the host, before the first drive. What all processes use that name this
 * file counts, each against its own budget. A process that ends gives back what it had, even if it
 * is killed. Nothing is written to the file; it must not be deleted while one of them runs.
 *
 * Returns: FALSE with %HB_ERROR_HOST if the file cannot be opened for writing
 */
gboolean hb_vfio_share_vectors(HbVfio *vfio, const char *path, GError **error);

/**
 * hb_vfio_expect_vectors:
 * @n_vectors: for each drive; 0 if it is not known
 *
 * Before the first drive: how many interrupts a guest will use of each in the end. NVMe drivers
 * begin with one, and then take one for each vCPU and one for the admin queue. So many are asked of
 * the host at once when the first one is, instead of again for the others, in which the host must
 * stop the first one. Those that the guest does not use are idle vectors of the host; what it uses
 * beyond is asked for when it does.
 */
void hb_vfio_expect_vectors(HbVfio *vfio, guint n_vectors);

/**
 * HbVfioCounters:
 * @route_commits: calls of routes_commit of #HbHostOps; each can take as long as every vCPU needs
 *   to leave the old table
 * @route_connections: calls of route_connect, route_disconnect, pin_connect and pin_disconnect
 * @vector_calls: VFIO_DEVICE_SET_IRQS, by which interrupts of a drive are switched on or off
 * @notifier_calls: VFIO_DEVICE_SET_IRQS, by which the kernel is told how to say that it wants a
 *   drive back, or that one has failed: two when a drive is opened, two when it is closed
 *
 * What the interrupts of a VM's drives have cost so far, of drives that have left too. The numbers
 * wrap.
 */
typedef struct HbVfioCounters {
	guint route_commits;
	guint route_connections;
	guint vector_calls;
	guint notifier_calls;
} HbVfioCounters;

/**
 * hb_vfio_get_counters:
 * @counters: (out): where to store them
 *
 * Tells what the interrupts of the VM's drives have cost so far. Any thread.
 */
void hb_vfio_get_counters(HbVfio *vfio, HbVfioCounters *counters);

/**
 * HbVfioIommu: by what the host's IOMMU is told of guest memory.
 * @HB_VFIO_IOMMU_AUTO: by iommufd, if library, host and user can when the first drive comes; else
 *   by VFIO type1
 * @HB_VFIO_IOMMU_TYPE1: a VFIO container and the groups of drives
 * @HB_VFIO_IOMMU_IOMMUFD: /dev/iommu and VFIO's character devices; Linux 6.6 and later, with
 *   CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV
 */
typedef enum HbVfioIommu {
	HB_VFIO_IOMMU_AUTO,
	HB_VFIO_IOMMU_TYPE1,
	HB_VFIO_IOMMU_IOMMUFD,
} HbVfioIommu;

/**
 * hb_vfio_iommu_to_str:
 * @iommu: which
 *
 * Returns: "auto", "type1" or "iommufd"; static
 */
const char *hb_vfio_iommu_to_str(HbVfioIommu iommu);

/**
 * hb_vfio_use_iommu:
 * @iommu: which
 * @iommufd: of %HB_VFIO_IOMMU_IOMMUFD, a file descriptor that has /dev/iommu open, for a process
 *   that may not open it itself; the library's from here on, also after an error, and closed if
 *   it is of no use for @iommu. -1: none
 *
 * Says by what drives reach guest memory, before the first drive, and once; if it is not called,
 * %HB_VFIO_IOMMU_AUTO is taken. All drives of a VM share one address space, so it is for all of
 * them. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_UNSUPPORTED if it is iommufd, and the host has none, or the library
 *   was built without
 */
gboolean hb_vfio_use_iommu(HbVfio *vfio, HbVfioIommu iommu, int iommufd, GError **error);

/**
 * hb_vfio_connect_drives:
 *
 * Lets drives reach each other's memory, such as controller memory buffers, by DMA: before the
 * first drive and after hb_vfio_use_iommu(), once. Without it they reach guest RAM only. Where the
 * guest moves a BAR, the host's IOMMU follows a moment later. It needs VFIO type1, which
 * %HB_VFIO_IOMMU_AUTO then is. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_UNSUPPORTED if hb_vfio_use_iommu() was told iommufd
 */
gboolean hb_vfio_connect_drives(HbVfio *vfio, GError **error);

/** HbVfioDevice: a drive of the host, open for its VM. */
typedef struct HbVfioDevice HbVfioDevice;

/**
 * hb_vfio_device_open:
 * @host_address: the drive on the host, bound to vfio-pci
 * @id: the operator's name for it, for log lines; copied
 *
 * Opens a host NVMe drive: attaches its IOMMU group, maps guest memory for DMA if it is the first,
 * resets it, and reads what it has. Can take seconds: call it in a worker. Any thread; one call at
 * a time for each #HbVfio is enforced inside.
 *
 * Returns: (nullable): NULL with an error that names the address and the remedy:
 *   %HB_ERROR_NOT_FOUND no such device; %HB_ERROR_UNSUPPORTED no NVMe drive, no IOMMU, no reset, or
 * bound to another driver; %HB_ERROR_BUSY in use by a VM, or its group is shared with a foreign
 * device; %HB_ERROR_LIMIT; %HB_ERROR_HOST anything else the kernel refused. Nothing is left open.
 */
HbVfioDevice *hb_vfio_device_open(HbVfio *vfio, const HbPciAddress *host_address, const char *id,
				  GError **error);

/**
 * hb_vfio_device_get_function:
 *
 * Gets the drive as a PCI function, for hb_port_plug(): from then on the slot owns the device,
 * follows its removal, and frees it. While it sits there the device watches the host: a drive
 * pulled from it becomes hb_port_pull(), a request to let it go hb_port_give_back().
 *
 * Returns: (transfer none): the function
 */
HbPciFunction *hb_vfio_device_get_function(HbVfioDevice *device);

/** hb_vfio_device_close: gives a device that was never plugged back to the host. Blocks. */
void hb_vfio_device_close(HbVfioDevice *device);

G_END_DECLS

#endif
