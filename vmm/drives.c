/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The drives that are in the machine's ports or on their way:
 *
 *   device_add --> ADDING --opened--> WAITING --in the slot--> PLUGGED --device_del--> REMOVING
 *                    |                   |                        |  <---refused-----     |
 *                  failed                +-------- severed -------+-----------------------+
 *                    v                                            v
 *                  (gone)  <------------- released ----------- RELEASING
 *
 * A drive's id is taken from the first moment to the last, so DEVICE_DELETED means that it is free.
 * A slot takes a new drive while the last one is REMOVING or RELEASING: the library lets it wait in
 * line. device_del of one that is still ADDING makes it REMOVING without a function: it is closed
 * again as soon as it is open.
 *
 * Opening and closing take long and are done in a worker (vmm/drive-worker.c). All else is done on
 * the loop.
 */

#include "vmm/drives.h"

#include "vmm/drive-list.h"
#include "vmm/drive-worker.h"

struct HbDrives {
	HbPorts *ports;
	HbVfio *vfio;
	HbMemory *memory;
	HbDrivesEvent event;
	gpointer opaque;
	HbDriveList *list;
	gboolean evacuating;
	void (*evacuated)(gpointer opaque);
};

HbDrives *hb_drives_create(HbPorts *ports, HbVfio *vfio, HbMemory *memory, HbDrivesEvent event,
			   gpointer opaque)
{
	HbDrives *drives = g_new0(HbDrives, 1);

	drives->ports = ports;
	drives->vfio = vfio;
	drives->memory = memory;
	drives->event = event;
	drives->opaque = opaque;
	drives->list = hb_drive_list_create();
	return drives;
}

void hb_drives_destroy(HbDrives *drives)
{
	if (drives == NULL)
		return;
	hb_drive_list_destroy(drives->list);
	g_free(drives);
}

/* -- Events. -- */

static void send_event(HbDrives *drives, HbMachineEvent *event, const HbMachineDrive *drive)
{
	g_autofree char *path = NULL;

	if (drive) {
		path = g_strconcat("/machine/peripheral/", drive->options->id, NULL);
		event->device = drive->options->id;
		event->path = path;
		event->host = drive->host;
	}
	drives->event(event, drives->opaque);
}

/* @told: (nullable) */
static void send_drive_event(HbMachineDrive *drive, HbMachineEventType type, const HbEvent *told)
{
	HbMachineEvent event = { .type = type,
				 .bus = drive->port->options->config.id,
				 .told = told,
				 .time_us = told ? told->time_us : 0 };

	send_event(drive->drives, &event, drive);
}

/* Takes it off the list; the caller frees it. */
static void forget(HbMachineDrive *drive)
{
	HbDrives *drives = drive->drives;

	hb_drive_list_steal(drives->list, drive);
	if (drives->evacuating && hb_drive_list_get_n(drives->list) == 0)
		drives->evacuated(drives->opaque);
}

/* First off the list: a listener may add the same id at once. */
static void tell_deletion(HbMachineDrive *drive, const HbEvent *told)
{
	forget(drive);
	send_drive_event(drive, HB_MACHINE_EVENT_DEVICE_DELETED, told);
	hb_machine_drive_free(drive);
}

static void follow(HbMachineDrive *drive, const HbEvent *told)
{
	switch (told->type) {
	case HB_EVENT_PLUGGED:
		if (drive->state == HB_MACHINE_DRIVE_WAITING)
			drive->state = HB_MACHINE_DRIVE_PLUGGED;
		break;
	case HB_EVENT_REMOVAL_WAITING:
	case HB_EVENT_REMOVAL_REQUESTED:
		drive->state = HB_MACHINE_DRIVE_REMOVING;
		break;
	case HB_EVENT_REMOVAL_REFUSED:
		drive->state = HB_MACHINE_DRIVE_PLUGGED;
		send_drive_event(drive, HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR, told);
		break;
	case HB_EVENT_PLUG_REFUSED:
	case HB_EVENT_SEVERED:
		drive->state = HB_MACHINE_DRIVE_RELEASING;
		break;
	case HB_EVENT_RELEASED:
		tell_deletion(drive, told);
		break;
	default:
		break;
	}
}

void hb_drives_hear(HbDrives *drives, const HbEvent *told)
{
	const HbMachinePort *port = hb_ports_find_slot(drives->ports, told->port);

	if (port == NULL)
		return;
	HbMachineDrive *drive = hb_drive_list_find_function(drives->list, told->function,
							    told->type == HB_EVENT_RELEASED);
	HbMachineEvent sent = { .type = HB_MACHINE_EVENT_SLOT,
				.bus = port->options->config.id,
				.told = told,
				.time_us = told->time_us };

	hb_slot_history_add(port->history, told, drive ? drive->options->id : NULL);
	send_event(drives, &sent, drive);
	if (drive)
		follow(drive, told);
}

/* -- In. -- */

/* Checks @options against who is there. */
static const HbMachinePort *check_addition(const HbDrives *drives, const HbDriveOptions *options,
					   GError **error)
{
	const HbMachinePort *port = hb_ports_find_for_drive(drives->ports, options->bus, error);
	const HbMachineDrive *occupant =
		port ? hb_drive_list_find_up_to(drives->list, port, HB_MACHINE_DRIVE_PLUGGED)
		     : NULL;

	if (port == NULL)
		return NULL;
	if (hb_ports_has_id(drives->ports, options->id) ||
	    hb_drive_list_find(drives->list, options->id)) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY, "Duplicate device ID '%s'",
			    options->id);
		return NULL;
	}
	if (occupant) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Bus '%s' is occupied by '%s': remove that first, or use another",
			    options->bus, occupant->options->id);
		return NULL;
	}
	return port;
}

/* @options: (transfer full) */
static HbMachineDrive *reserve(HbDrives *drives, const HbMachinePort *port, HbDriveOptions *options)
{
	HbMachineDrive *drive = hb_drive_list_add(drives->list, port, options);

	drive->drives = drives;
	return drive;
}

/* Takes @device if it succeeds. */
static gboolean plug(HbMachineDrive *drive, HbVfioDevice *device, GError **error)
{
	HbSlotInfo info;

	drive->function = hb_vfio_device_get_function(device);
	hb_query_pci_measure(drive->function, drive->bar_sizes);
	drive->state = HB_MACHINE_DRIVE_WAITING;
	if (!hb_port_plug(drive->port->port, drive->function, 0, error)) {
		drive->function = NULL;
		return FALSE;
	}
	hb_port_get_info(drive->port->port, &info);
	if (info.occupant == drive->function)
		drive->state = HB_MACHINE_DRIVE_PLUGGED;
	return TRUE;
}

gboolean hb_drives_cold_plug(HbDrives *drives, const HbDriveOptions *options, GError **error)
{
	HbDriveOptions *copy = g_memdup2(options, sizeof(*options));
	const HbMachinePort *port;

	copy->id = g_strdup(options->id);
	copy->bus = g_strdup(options->bus);
	copy->iommufd = g_strdup(options->iommufd);
	port = check_addition(drives, copy, error);
	if (port == NULL) {
		hb_drive_options_free(copy);
		return FALSE;
	}
	HbMachineDrive *drive = reserve(drives, port, copy);
	HbVfioDevice *device =
		hb_drive_worker_open_now(drives->vfio, drives->memory, options, error);
	if (device && plug(drive, device, error))
		return TRUE;
	hb_vfio_device_close(device);
	forget(drive);
	hb_machine_drive_free(drive);
	return FALSE;
}

/* The end of an addition that led nowhere; of its removal too, if that was asked for meanwhile. */
static void end_addition(HbMachineDrive *drive, const GError *error)
{
	gboolean was_asked_for = drive->state == HB_MACHINE_DRIVE_REMOVING;

	drive->done(error, drive->data);
	if (was_asked_for) {
		tell_deletion(drive, NULL);
		return;
	}
	forget(drive);
	hb_machine_drive_free(drive);
}

/* A drive that is open and is not to be had. */
typedef struct Unwanted {
	HbMachineDrive *drive;
	GError *error; /* why: owned */
} Unwanted;

static void on_closed(gpointer data)
{
	Unwanted *unwanted = data;

	end_addition(unwanted->drive, unwanted->error);
	g_error_free(unwanted->error);
	g_free(unwanted);
}

/* @error: (transfer full) */
static void turn_away(HbMachineDrive *drive, HbVfioDevice *device, GError *error)
{
	Unwanted *unwanted = g_new0(Unwanted, 1);

	unwanted->drive = drive;
	unwanted->error = error;
	hb_drive_worker_close(device, on_closed, unwanted);
}

/* Whether it is wanted still, and its place is free. */
static gboolean let_in(HbMachineDrive *drive, HbVfioDevice *device, GError **error)
{
	if (drive->drives->evacuating) {
		g_set_error(error, HB_ERROR, HB_ERROR_GONE, "the machine is shutting down");
		return FALSE;
	}
	if (drive->state == HB_MACHINE_DRIVE_REMOVING) {
		g_set_error(error, HB_ERROR, HB_ERROR_GONE,
			    "Device '%s' was removed while it was being added", drive->options->id);
		return FALSE;
	}
	return plug(drive, device, error);
}

static void on_opened(HbVfioDevice *device, const GError *failure, gpointer data)
{
	HbMachineDrive *drive = data;
	GError *error = NULL;

	if (!device)
		end_addition(drive, failure);
	else if (!let_in(drive, device, &error))
		turn_away(drive, device, error);
	else
		drive->done(NULL, drive->data);
}

void hb_drives_add(HbDrives *drives, HbDriveOptions *options, HbMachineDone done, gpointer data)
{
	g_autoptr(GError) error = NULL;
	const HbMachinePort *port = check_addition(drives, options, &error);

	if (drives->evacuating && port) {
		g_set_error(&error, HB_ERROR, HB_ERROR_GONE, "the machine is shutting down");
		port = NULL;
	}
	if (port == NULL || !hb_ports_check_hotplug(drives->ports, port, &error)) {
		hb_drive_options_free(options);
		done(error, data);
		return;
	}
	HbMachineDrive *drive = reserve(drives, port, options);
	drive->done = done;
	drive->data = data;
	hb_drive_worker_open(drives->vfio, drives->memory, options, on_opened, drive);
}

/* -- Out. -- */

/* The drive of that name, unless it is on its way out for good. */
static HbMachineDrive *find_removable(const HbDrives *drives, const char *id, GError **error)
{
	HbMachineDrive *drive = hb_drive_list_find(drives->list, id);

	if (!hb_ports_check_is_none(drives->ports, id, error))
		return NULL;
	if (drive == NULL) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND, "Device '%s' not found", id);
		return NULL;
	}
	if (drive->state == HB_MACHINE_DRIVE_RELEASING ||
	    (drive->state == HB_MACHINE_DRIVE_REMOVING && !drive->function)) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Device '%s' is already in the process of unplug", id);
		return NULL;
	}
	return drive;
}

gboolean hb_drives_remove(HbDrives *drives, const char *id, const HbRemoval *removal,
			  GError **error)
{
	HbMachineDrive *drive = find_removable(drives, id, error);

	if (drive == NULL)
		return FALSE;
	if (drive->state == HB_MACHINE_DRIVE_REMOVING) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Device '%s' is already in the process of unplug: wait for its end, or "
			    "use x-hotbay-pull",
			    id);
		return FALSE;
	}
	if (!hb_ports_check_enabled(drives->ports, drive->port->options->config.id, error))
		return FALSE;
	if (drive->state != HB_MACHINE_DRIVE_ADDING &&
	    !hb_port_request_removal_of(drive->port->port, drive->function, removal, 0, error))
		return FALSE;
	drive->state = HB_MACHINE_DRIVE_REMOVING;
	return TRUE;
}

gboolean hb_drives_pull(HbDrives *drives, const char *id, GError **error)
{
	HbMachineDrive *drive = find_removable(drives, id, error);

	if (drive == NULL)
		return FALSE;
	if (drive->function)
		hb_port_pull_because(drive->port->port, drive->function, HB_SLOT_REASON_COMMAND, 0);
	drive->state = HB_MACHINE_DRIVE_REMOVING;
	return TRUE;
}

void hb_drives_evacuate(HbDrives *drives, void (*done)(gpointer opaque))
{
	drives->evacuating = TRUE;
	drives->evacuated = done;
	for (guint i = 0; i < hb_drive_list_get_n(drives->list); i++) {
		HbMachineDrive *drive = hb_drive_list_get(drives->list, i);

		if (drive->function && drive->state != HB_MACHINE_DRIVE_RELEASING)
			hb_port_pull_because(drive->port->port, drive->function,
					     HB_SLOT_REASON_SHUTDOWN, 0);
	}
	if (hb_drive_list_get_n(drives->list) == 0)
		done(drives->opaque);
}

/* -- Telling. -- */

gboolean hb_drives_is_moving(const HbDrives *drives, const char *id)
{
	const HbMachineDrive *drive = hb_drive_list_find(drives->list, id);

	return drive && (drive->state == HB_MACHINE_DRIVE_ADDING ||
			 drive->state >= HB_MACHINE_DRIVE_REMOVING);
}

gboolean hb_drives_is_occupied(const HbDrives *drives, const char *port)
{
	return hb_drive_list_find_up_to(drives->list, hb_ports_find(drives->ports, port),
					HB_MACHINE_DRIVE_REMOVING) != NULL;
}

/* Who asked for all devices. */
typedef struct Narration {
	const HbDrives *drives;
	HbMachineDeviceFunc func;
	gpointer data;
} Narration;

/* A port is told with the drive in it. */
static void tell_port(const HbMachineDevice *device, gpointer data)
{
	const Narration *narration = data;
	const HbDrives *drives = narration->drives;
	const HbMachineDrive *occupant = hb_drive_list_find_up_to(
		drives->list, hb_ports_find(drives->ports, device->id), HB_MACHINE_DRIVE_REMOVING);
	HbMachineDevice told = *device;

	if (occupant)
		told.occupant = occupant->options->id;
	narration->func(&told, narration->data);
}

void hb_drives_foreach(HbDrives *drives, HbMachineDeviceFunc func, gpointer data)
{
	Narration narration = { drives, func, data };

	hb_ports_foreach(drives->ports, tell_port, &narration);
	hb_drive_list_foreach(drives->list, func, data);
}
