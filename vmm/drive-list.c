/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Which drives there are, in order of addition, and who is meant: by an id, by the port it is for,
 * or by the function that an event of the library names. What becomes of them is vmm/drives.c's.
 */

#include "vmm/drive-list.h"

struct HbDriveList {
	GPtrArray *drives; /* of HbMachineDrive */
};

static const char *const state_names[] = { "adding", "waiting", "plugged", "removing",
					   "releasing" };

void hb_machine_drive_free(HbMachineDrive *drive)
{
	hb_drive_options_free(drive->options);
	g_free(drive);
}

static void free_element(gpointer data)
{
	hb_machine_drive_free(data);
}

HbDriveList *hb_drive_list_create(void)
{
	HbDriveList *list = g_new0(HbDriveList, 1);

	list->drives = g_ptr_array_new_with_free_func(free_element);
	return list;
}

void hb_drive_list_destroy(HbDriveList *list)
{
	g_ptr_array_unref(list->drives);
	g_free(list);
}

HbMachineDrive *hb_drive_list_add(HbDriveList *list, const HbMachinePort *port,
				  HbDriveOptions *options)
{
	HbMachineDrive *drive = g_new0(HbMachineDrive, 1);

	drive->options = options;
	drive->port = port;
	hb_pci_address_format(&options->host, drive->host);
	g_ptr_array_add(list->drives, drive);
	return drive;
}

void hb_drive_list_steal(HbDriveList *list, HbMachineDrive *drive)
{
	guint index;

	if (g_ptr_array_find(list->drives, drive, &index))
		g_ptr_array_steal_index(list->drives, index);
}

guint hb_drive_list_get_n(const HbDriveList *list)
{
	return list->drives->len;
}

HbMachineDrive *hb_drive_list_get(const HbDriveList *list, guint index)
{
	return g_ptr_array_index(list->drives, index);
}

HbMachineDrive *hb_drive_list_find(const HbDriveList *list, const char *id)
{
	for (guint i = 0; i < list->drives->len; i++) {
		HbMachineDrive *drive = hb_drive_list_get(list, i);

		if (g_str_equal(drive->options->id, id))
			return drive;
	}
	return NULL;
}

HbMachineDrive *hb_drive_list_find_up_to(const HbDriveList *list, const HbMachinePort *port,
					 HbMachineDriveState last)
{
	for (guint i = 0; i < list->drives->len; i++) {
		HbMachineDrive *drive = hb_drive_list_get(list, i);

		if (drive->port == port && drive->state <= last)
			return drive;
	}
	return NULL;
}

HbMachineDrive *hb_drive_list_find_function(const HbDriveList *list, const HbPciFunction *function,
					    gboolean leaving)
{
	for (guint i = 0; function && i < list->drives->len; i++) {
		HbMachineDrive *drive = hb_drive_list_get(list, i);

		if (drive->function == function &&
		    (drive->state == HB_MACHINE_DRIVE_RELEASING) == leaving)
			return drive;
	}
	return NULL;
}

static void describe(const HbMachineDrive *drive, HbMachineDevice *device)
{
	gboolean is_leaving = drive->state == HB_MACHINE_DRIVE_RELEASING;

	*device = (HbMachineDevice){
		.driver = "vfio-pci",
		.id = drive->options->id,
		.bus = drive->port->options->config.id,
		.port = drive->port->port,
		.host = drive->host,
		.function = is_leaving ? NULL : drive->function,
		.state = state_names[drive->state],
		.bar_sizes = drive->bar_sizes,
	};
}

void hb_drive_list_foreach(const HbDriveList *list, HbMachineDeviceFunc func, gpointer data)
{
	HbMachineDevice device;

	for (guint i = 0; i < list->drives->len; i++) {
		describe(hb_drive_list_get(list, i), &device);
		func(&device, data);
	}
}
