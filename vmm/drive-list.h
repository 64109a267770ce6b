/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_DRIVE_LIST_H
#define VMM_DRIVE_LIST_H

#include "vmm/ports.h"
#include "vmm/query-pci.h"

/** HbMachineDriveState: see vmm/drives.c; in the order in which a drive goes through them. */
typedef enum HbMachineDriveState {
	HB_MACHINE_DRIVE_ADDING,
	HB_MACHINE_DRIVE_WAITING,
	HB_MACHINE_DRIVE_PLUGGED,
	HB_MACHINE_DRIVE_REMOVING,
	HB_MACHINE_DRIVE_RELEASING,
} HbMachineDriveState;

/** HbMachineDrive: a drive that is in a port or on its way; its members are vmm/drives.c's. */
typedef struct HbMachineDrive {
	struct HbDrives *drives;
	HbDriveOptions *options; /* owned */
	char host[HB_PCI_ADDRESS_STRLEN];
	const HbMachinePort *port;
	HbMachineDriveState state;
	HbPciFunction *function; /* from the plug on; the slot's */
	guint64 bar_sizes[HB_QUERY_PCI_BARS];
	HbMachineDone done; /* of an addition in flight */
	gpointer data;
} HbMachineDrive;

/** HbDriveList: these, in order of addition. For the loop thread. */
typedef struct HbDriveList HbDriveList;

HbDriveList *hb_drive_list_create(void);

/** hb_drive_list_destroy: and the drives in it. */
void hb_drive_list_destroy(HbDriveList *list);

/**
 * hb_drive_list_add:
 * @port: outlives the drive
 * @options: (transfer full)
 *
 * Returns: (transfer none): the new drive, at the end of the list
 */
HbMachineDrive *hb_drive_list_add(HbDriveList *list, const HbMachinePort *port,
				  HbDriveOptions *options);

/** hb_drive_list_steal: takes it off the list. The caller has hb_machine_drive_free() to call. */
void hb_drive_list_steal(HbDriveList *list, HbMachineDrive *drive);

void hb_machine_drive_free(HbMachineDrive *drive);

guint hb_drive_list_get_n(const HbDriveList *list);
HbMachineDrive *hb_drive_list_get(const HbDriveList *list, guint index);

/** hb_drive_list_find: Returns: (transfer none) (nullable): the one of that id. */
HbMachineDrive *hb_drive_list_find(const HbDriveList *list, const char *id);

/**
 * hb_drive_list_find_up_to:
 *
 * Returns: (transfer none) (nullable): the first of that port that has not come further than @last
 */
HbMachineDrive *hb_drive_list_find_up_to(const HbDriveList *list, const HbMachinePort *port,
					 HbMachineDriveState last);

/**
 * hb_drive_list_find_function:
 * @function: (nullable): whom a slot's event is about
 * @leaving: the event is that it was released
 *
 * A released function's address may be another's by now, so the one that was leaving goes first for
 * that event, and is passed over for all others.
 *
 * Returns: (transfer none) (nullable): the drive
 */
HbMachineDrive *hb_drive_list_find_function(const HbDriveList *list, const HbPciFunction *function,
					    gboolean leaving);

/** hb_drive_list_foreach: the drives of hb_machine_foreach_device(). */
void hb_drive_list_foreach(const HbDriveList *list, HbMachineDeviceFunc func, gpointer data);

#endif
