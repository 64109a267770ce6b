/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_BAYS_H
#define VMM_BAYS_H

#include "vmm/drives.h"

/**
 * HbMachineBays: the ports that are bound to a slot of the host, and what is done about the drives
 * there. Everything here is for the loop thread.
 */
typedef struct HbMachineBays HbMachineBays;

/**
 * hb_machine_bays_create:
 * @devices, @drives: must outlive the result
 * @event: told of %HB_MACHINE_EVENT_BAY, with @opaque
 *
 * Claims the slots of the host, all or none.
 *
 * Returns: (nullable): NULL with an error that names the port
 */
HbMachineBays *hb_machine_bays_create(HbHost *host, const HbDeviceOptions *devices,
				      HbDrives *drives, HbDrivesEvent event, gpointer opaque,
				      GError **error);

/** hb_machine_bays_destroy: before @drives. Takes NULL. */
void hb_machine_bays_destroy(HbMachineBays *bays);

/**
 * hb_machine_bays_cold_plug:
 *
 * Takes and plugs the drives that are there already, where the policy says so. One that cannot be
 * had is told on standard error, and is no reason not to start. Before the guest starts; blocks.
 */
void hb_machine_bays_cold_plug(HbMachineBays *bays);

/** hb_machine_bays_hear: an event of the library's; those of bays that are not @bays' are ignored.
 */
void hb_machine_bays_hear(HbMachineBays *bays, const HbEvent *told);

/** hb_machine_bays_follow: an event of the drives', after it was told. */
void hb_machine_bays_follow(HbMachineBays *bays, const HbMachineEvent *event);

/** hb_machine_bays_foreach: hb_drives_foreach(), with what there is to tell of a port's bay. */
void hb_machine_bays_foreach(HbMachineBays *bays, HbMachineDeviceFunc func, gpointer data);

#endif
