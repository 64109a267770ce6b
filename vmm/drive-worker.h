/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_DRIVE_WORKER_H
#define VMM_DRIVE_WORKER_H

#include "vmm/memory.h"

#include <hotbay/options.h>
#include <hotbay/vfio.h>

/**
 * HbDriveWorkerOpened:
 * @device: (transfer full) (nullable): NULL with @error
 *
 * On the loop, never before the call that takes it has returned.
 */
typedef void (*HbDriveWorkerOpened)(HbVfioDevice *device, const GError *error, gpointer data);

/**
 * hb_drive_worker_open:
 * @vfio, @memory, @options: must stay as they are until @opened is called
 *
 * Opens a drive in a worker, once @memory is populated. Loop thread.
 */
void hb_drive_worker_open(HbVfio *vfio, HbMemory *memory, const HbDriveOptions *options,
			  HbDriveWorkerOpened opened, gpointer data);

/** hb_drive_worker_open_now: likewise, and waits for it. */
HbVfioDevice *hb_drive_worker_open_now(HbVfio *vfio, HbMemory *memory,
				       const HbDriveOptions *options, GError **error);

/** hb_drive_worker_close: closes a drive that was never plugged; @closed is called as above. */
void hb_drive_worker_close(HbVfioDevice *device, void (*closed)(gpointer data), gpointer data);

#endif
