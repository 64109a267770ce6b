/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_DRIVES_H
#define VMM_DRIVES_H

#include "vmm/machine.h"
#include "vmm/memory.h"
#include "vmm/ports.h"

/**
 * HbDrives: the host's drives in the machine's ports: who sits where, under which id, and on its
 * way in or out. Everything here is for the loop thread.
 */
typedef struct HbDrives HbDrives;

/** HbDrivesEvent: a slot's or a drive's event, of the last three kinds of #HbMachineEventType. */
typedef void (*HbDrivesEvent)(const HbMachineEvent *event, gpointer opaque);

/**
 * hb_drives_create:
 * @ports, @vfio, @memory: must outlive the result; no drive is opened before @memory is populated
 */
HbDrives *hb_drives_create(HbPorts *ports, HbVfio *vfio, HbMemory *memory, HbDrivesEvent event,
			   gpointer opaque);

/** hb_drives_destroy: once evacuated, or before any drive was added. Takes NULL. */
void hb_drives_destroy(HbDrives *drives);

/** hb_drives_cold_plug: before the guest starts; blocks while the drive is opened. */
gboolean hb_drives_cold_plug(HbDrives *drives, const HbDriveOptions *options, GError **error);

/** hb_drives_add: see hb_machine_device_add(). @options: (transfer full) */
void hb_drives_add(HbDrives *drives, HbDriveOptions *options, HbMachineDone done, gpointer data);

/** hb_drives_remove: see hb_machine_device_del(). */
gboolean hb_drives_remove(HbDrives *drives, const char *id, const HbRemoval *removal,
			  GError **error);

/** hb_drives_pull: see hb_machine_device_pull(). */
gboolean hb_drives_pull(HbDrives *drives, const char *id, GError **error);

/** hb_drives_hear: an event of the library's; those of slots that are not @drives' are ignored. */
void hb_drives_hear(HbDrives *drives, const HbEvent *told);

/** hb_drives_is_moving: whether a drive has that id and is on its way in or out. */
gboolean hb_drives_is_moving(const HbDrives *drives, const char *id);

/** hb_drives_is_occupied: whether the port of that id has a drive, or one on its way in. */
gboolean hb_drives_is_occupied(const HbDrives *drives, const char *port);

/** hb_drives_foreach: see hb_machine_foreach_device(). */
void hb_drives_foreach(HbDrives *drives, HbMachineDeviceFunc func, gpointer data);

/**
 * hb_drives_evacuate:
 * @done: called with the @opaque of hb_drives_create() when no drive is in, on its way in, or on
 * its way out any more; possibly before this returns
 *
 * The guest has ended: pulls every drive, and says so: a removal under way has its ending too. From
 * here on no drive is taken in.
 */
void hb_drives_evacuate(HbDrives *drives, void (*done)(gpointer opaque));

#endif
