/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_BIND_H
#define HOTBAY_BIND_H

/** bind.h: drives between the host's own driver and vfio-pci. */

#include <glib.h>

G_BEGIN_DECLS

/**
 * HbBindFlags:
 * @HB_BIND_NONE: nothing of that
 * @HB_BIND_FORCE: switch although a process has the drive's block device open
 * @HB_BIND_LOSE_DATA: with @HB_BIND_FORCE: switch although the host keeps data on the drive
 * (mounted, swap, md, LVM, ZFS). Its file systems then fail as if the drive were pulled.
 * @HB_BIND_PERSIST: and after each boot of the host, a drive of that kind in that place, whatever
 * its address is by then
 * @HB_BIND_WAIT: while another switch is under way on this host, wait for its end
 * @HB_BIND_FROM_VM: to the kernel although a VM has the drive
 *
 * What else a switch may do, or has to.
 */
typedef enum HbBindFlags {
	HB_BIND_NONE = 0,
	HB_BIND_FORCE = 1 << 0,
	HB_BIND_LOSE_DATA = 1 << 1,
	HB_BIND_PERSIST = 1 << 2,
	HB_BIND_WAIT = 1 << 3,
	HB_BIND_FROM_VM = 1 << 4,
} HbBindFlags;

/**
 * HbBindProgress:
 * @address: a drive's
 * @step: what is about to be done with it, in words
 *
 * Called before each step of a switch, and of its undoing after one has failed. On the thread that
 * has called hb_bind_to_vfio() or hb_bind_to_kernel().
 */
typedef void (*HbBindProgress)(const char *address, const char *step, gpointer data);

/**
 * HbBindRequest:
 * @addresses: drives, as "0000:01:00.0"; NULL-terminated
 * @flags: what else is allowed or wanted
 * @program: (nullable): with %HB_BIND_PERSIST, the command that the rule for udev runs as
 *   "PROGRAM passthrough on ADDRESS", with the address of then; an absolute path
 * @progress: (nullable): called on the calling thread
 * @data: for @progress
 *
 * Which drives to switch, and how.
 */
typedef struct HbBindRequest {
	const char *const *addresses;
	HbBindFlags flags;
	const char *program;
	HbBindProgress progress;
	gpointer data;
} HbBindRequest;

/**
 * hb_bind_to_vfio:
 * @request: which drives
 *
 * Takes drives from the host's own driver and gives them to vfio-pci, loading it if need be. All of
 * them or none: everything is checked before anything changes, and when a step fails, what was done
 * is undone. A drive that is with vfio-pci already stays there. One that the nvme driver is still
 * starting is waited for, up to 30 s. Blocks; as root; any thread, but one switch at a time on a
 * host.
 *
 * Returns: FALSE with an error that names drive, reason and remedy: %HB_ERROR_NOT_FOUND no such
 * NVMe drive; %HB_ERROR_BUSY in use, still starting, or another switch is under way;
 * %HB_ERROR_UNSUPPORTED it cannot be passed through on this host; %HB_ERROR_INVALID an address
 * twice; %HB_ERROR_HOST the kernel refused a step. If even the undoing failed, the message says how
 * the drive was left.
 */
gboolean hb_bind_to_vfio(const HbBindRequest *request, GError **error);

/**
 * hb_bind_to_kernel:
 * @request: which drives
 *
 * Gives drives back to the host's own driver, and forgets what %HB_BIND_PERSIST wrote. Refuses with
 * %HB_ERROR_BUSY while a VM has one of them, unless with %HB_BIND_FROM_VM: then it is asked to let
 * go, as by any unbind, and the kernel waits until it has: for a slot of hotbay's as long as
 * @host_removal_timeout_ms of #HbPortConfig says; without end if that is 0, or for a VM that is not
 * hotbay's. Other drives can be switched meanwhile; another switch of the same drive is refused
 * with %HB_ERROR_BUSY.
 *
 * Returns: FALSE with the errors of hb_bind_to_vfio(); with %HB_BIND_FROM_VM also
 * %HB_ERROR_UNSUPPORTED: vfio-pci has another function of the IOMMU group, which is not named
 */
gboolean hb_bind_to_kernel(const HbBindRequest *request, GError **error);

G_END_DECLS

#endif
