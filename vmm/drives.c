/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The ports and switches, and the drives that are in them or on their way:
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

#include "vmm/drive-worker.h"
#include "vmm/query-pci.h"
#include "vmm/switches.h"

typedef enum DriveState {
	ADDING,
	WAITING,
	PLUGGED,
	REMOVING,
	RELEASING,
} DriveState;

static const char *const state_names[] = { "adding", "waiting", "plugged", "removing",
					   "releasing" };

typedef struct Port {
	const HbPortOptions *options;
	HbPort *port; /* the bridge's */
	HbDrives *drives;
	HbSlotHistory *history;
} Port;

typedef struct Drive {
	HbDrives *drives;
	HbDriveOptions *options; /* owned */
	char host[HB_PCI_ADDRESS_STRLEN];
	Port *port;
	DriveState state;
	HbPciFunction *function; /* from the plug on; the slot's */
	guint64 bar_sizes[HB_QUERY_PCI_BARS];
	HbMachineDone done; /* of an addition in flight */
	gpointer data;
} Drive;

struct HbDrives {
	HbHostBridge *bridge;
	HbVfio *vfio;
	HbMemory *memory;
	HbAcpiHotplug *hotplug; /* NULL: the slots are native */
	HbDrivesEvent event;
	gpointer opaque;
	GPtrArray *ports; /* of Port */
	HbSwitches *switches;
	GPtrArray *list; /* of Drive, in order of addition */
	gboolean hotplug_disabled;
	gboolean evacuating;
	void (*evacuated)(gpointer opaque);
};

static void drive_free(gpointer data)
{
	Drive *drive = data;

	hb_drive_options_free(drive->options);
	g_free(drive);
}

/* -- Looking up. -- */

static Port *find_port(const HbDrives *drives, const char *id)
{
	for (guint i = 0; i < drives->ports->len; i++) {
		Port *port = g_ptr_array_index(drives->ports, i);

		if (g_str_equal(port->options->config.id, id))
			return port;
	}
	return NULL;
}

static Drive *find_drive(const HbDrives *drives, const char *id)
{
	for (guint i = 0; i < drives->list->len; i++) {
		Drive *drive = g_ptr_array_index(drives->list, i);

		if (g_str_equal(drive->options->id, id))
			return drive;
	}
	return NULL;
}

/* The first drive of the port that has not come further than @last. */
static Drive *find_up_to(const HbDrives *drives, const Port *port, DriveState last)
{
	for (guint i = 0; i < drives->list->len; i++) {
		Drive *drive = g_ptr_array_index(drives->list, i);

		if (drive->port == port && drive->state <= last)
			return drive;
	}
	return NULL;
}

/*
 * Whom a slot's event is about. A released function's address may be another's by now, so the one
 * that was leaving goes first for that event, and is passed over for all others.
 */
static Drive *find_by_function(const HbDrives *drives, const HbPciFunction *function,
			       gboolean leaving)
{
	if (function == NULL)
		return NULL;
	for (guint i = 0; i < drives->list->len; i++) {
		Drive *drive = g_ptr_array_index(drives->list, i);

		if (drive->function == function && (drive->state == RELEASING) == leaving)
			return drive;
	}
	return NULL;
}

/* -- Events. -- */

static void send_event(HbDrives *drives, HbMachineEvent *event, const Drive *drive)
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
static void send_drive_event(Drive *drive, HbMachineEventType type, const HbEvent *told)
{
	HbMachineEvent event = { .type = type,
				 .bus = drive->port->options->config.id,
				 .told = told,
				 .time_us = told ? told->time_us : 0 };

	send_event(drive->drives, &event, drive);
}

/* Takes it off the list; the caller frees it. */
static void forget(Drive *drive)
{
	HbDrives *drives = drive->drives;
	guint index;

	if (g_ptr_array_find(drives->list, drive, &index))
		g_ptr_array_steal_index(drives->list, index);
	if (drives->evacuating && drives->list->len == 0)
		drives->evacuated(drives->opaque);
}

/* First off the list: a listener may add the same id at once. */
static void tell_deletion(Drive *drive, const HbEvent *told)
{
	forget(drive);
	send_drive_event(drive, HB_MACHINE_EVENT_DEVICE_DELETED, told);
	drive_free(drive);
}

static void follow(Drive *drive, const HbEvent *told)
{
	switch (told->type) {
	case HB_EVENT_PLUGGED:
		if (drive->state == WAITING)
			drive->state = PLUGGED;
		break;
	case HB_EVENT_REMOVAL_WAITING:
	case HB_EVENT_REMOVAL_REQUESTED:
		drive->state = REMOVING;
		break;
	case HB_EVENT_REMOVAL_REFUSED:
		drive->state = PLUGGED;
		send_drive_event(drive, HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR, told);
		break;
	case HB_EVENT_PLUG_REFUSED:
	case HB_EVENT_SEVERED:
		drive->state = RELEASING;
		break;
	case HB_EVENT_RELEASED:
		tell_deletion(drive, told);
		break;
	default:
		break;
	}
}

static Port *find_by_port(const HbDrives *drives, const HbPort *slot_port)
{
	for (guint i = 0; i < drives->ports->len; i++) {
		Port *port = g_ptr_array_index(drives->ports, i);

		if (port->port == slot_port)
			return port;
	}
	return NULL;
}

void hb_drives_hear(HbDrives *drives, const HbEvent *told)
{
	Port *port = find_by_port(drives, told->port);

	if (port == NULL)
		return;
	Drive *drive = find_by_function(drives, told->function, told->type == HB_EVENT_RELEASED);
	HbMachineEvent sent = { .type = HB_MACHINE_EVENT_SLOT,
				.bus = port->options->config.id,
				.told = told,
				.time_us = told->time_us };

	hb_slot_history_add(port->history, told, drive ? drive->options->id : NULL);
	send_event(drives, &sent, drive);
	if (drive)
		follow(drive, told);
}

/* -- Ports. -- */

static void port_free(gpointer data)
{
	Port *port = data;

	hb_slot_history_destroy(port->history);
	g_free(port);
}

HbDrives *hb_drives_create(HbHostBridge *bridge, HbVfio *vfio, HbMemory *memory,
			   HbDrivesEvent event, gpointer opaque)
{
	HbDrives *drives = g_new0(HbDrives, 1);

	drives->bridge = bridge;
	drives->vfio = vfio;
	drives->memory = memory;
	drives->event = event;
	drives->opaque = opaque;
	drives->ports = g_ptr_array_new_with_free_func(port_free);
	drives->switches = hb_switches_create();
	drives->list = g_ptr_array_new_with_free_func(drive_free);
	return drives;
}

void hb_drives_destroy(HbDrives *drives)
{
	if (drives == NULL)
		return;
	g_ptr_array_unref(drives->list);
	hb_switches_destroy(drives->switches);
	g_ptr_array_unref(drives->ports);
	g_free(drives);
}

void hb_drives_set_hotplug(HbDrives *drives, HbAcpiHotplug *hotplug)
{
	drives->hotplug = hotplug;
}

void hb_drives_disable_hotplug(HbDrives *drives)
{
	drives->hotplug_disabled = TRUE;
}

/* @place: as vmm/tables.c tells the guest */
static gboolean add_port(HbDrives *drives, const HbPortOptions *options, guint place,
			 GError **error)
{
	HbPortConfig config = options->config;

	config.parent = hb_switches_find(drives->switches, options->bus);
	config.acpi = config.parent ? NULL : drives->hotplug;
	config.acpi_index = place;
	HbPort *slot_port = hb_port_create(drives->bridge, &config, error);
	if (slot_port == NULL) {
		g_prefix_error(error, "%s: ", hb_port_options_get_driver(options));
		return FALSE;
	}
	Port *port = g_new0(Port, 1);
	port->options = options;
	port->port = slot_port;
	port->drives = drives;
	port->history = hb_slot_history_create();
	g_ptr_array_add(drives->ports, port);
	return TRUE;
}

static gboolean add_switch(HbDrives *drives, const HbSwitchOptions *options, GError **error)
{
	return hb_switches_add(drives->switches, find_port(drives, options->bus)->port, options,
			       error);
}

gboolean hb_drives_add_ports(HbDrives *drives, const HbDeviceOptions *devices, GError **error)
{
	for (guint depth = 0; depth <= HB_SWITCH_MAX_DEPTH; depth++) {
		for (guint i = 0; i < hb_device_options_get_n_switches(devices); i++) {
			const HbSwitchOptions *options = hb_device_options_get_switch(devices, i);

			if (options->depth == depth && !add_switch(drives, options, error))
				return FALSE;
		}
		for (guint i = 0; i < hb_device_options_get_n_ports(devices); i++) {
			const HbPortOptions *options = hb_device_options_get_port(devices, i);

			if (options->depth == depth && !add_port(drives, options, i, error))
				return FALSE;
		}
	}
	return TRUE;
}

void hb_drives_set_running(HbDrives *drives)
{
	for (guint i = 0; i < drives->ports->len; i++) {
		Port *port = g_ptr_array_index(drives->ports, i);

		hb_port_set_running(port->port);
	}
}

/* -- In. -- */

/* Checks @options against who is there. */
static Port *check_addition(const HbDrives *drives, const HbDriveOptions *options, GError **error)
{
	Port *port = find_port(drives, options->bus);
	const Drive *occupant = port ? find_up_to(drives, port, PLUGGED) : NULL;
	const char *in_slot = hb_switches_find_in(drives->switches, options->bus);

	if (port == NULL) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_NOT_FOUND,
			hb_switches_find(drives->switches, options->bus)
				? "Bus '%s' is inside a switch: name one of its downstream ports"
				: "Bus '%s' not found",
			options->bus);
		return NULL;
	}
	if (in_slot) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Bus '%s' is occupied by the switch '%s': name one of its downstream "
			    "ports",
			    options->bus, in_slot);
		return NULL;
	}
	if (find_port(drives, options->id) || hb_switches_find(drives->switches, options->id) ||
	    find_drive(drives, options->id)) {
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

/* For a drive that is to go to or from @bus. */
static gboolean check_enabled(const HbDrives *drives, const char *bus, GError **error)
{
	if (!drives->hotplug_disabled)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "Bus '%s' does not support hotplugging: the machine was started with -machine "
		    "passthrough-hotplug=off: leave that out",
		    bus);
	return FALSE;
}

/* Also for a port that takes nothing while the guest runs: said before a drive is opened. */
static gboolean check_hotplug(const Port *port, GError **error)
{
	if (!check_enabled(port->drives, port->options->config.id, error))
		return FALSE;
	if (port->options->config.hotplug)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "Bus '%s' does not support hotplugging: start it with hotplug=on",
		    port->options->config.id);
	return FALSE;
}

/* @options: (transfer full) */
static Drive *reserve(HbDrives *drives, Port *port, HbDriveOptions *options)
{
	Drive *drive = g_new0(Drive, 1);

	drive->drives = drives;
	drive->options = options;
	drive->port = port;
	hb_pci_address_format(&options->host, drive->host);
	g_ptr_array_add(drives->list, drive);
	return drive;
}

/* Takes @device if it succeeds. */
static gboolean plug(Drive *drive, HbVfioDevice *device, GError **error)
{
	HbSlotInfo info;

	drive->function = hb_vfio_device_get_function(device);
	hb_query_pci_measure(drive->function, drive->bar_sizes);
	drive->state = WAITING;
	if (!hb_port_plug(drive->port->port, drive->function, 0, error)) {
		drive->function = NULL;
		return FALSE;
	}
	hb_port_get_info(drive->port->port, &info);
	if (info.occupant == drive->function)
		drive->state = PLUGGED;
	return TRUE;
}

gboolean hb_drives_cold_plug(HbDrives *drives, const HbDriveOptions *options, GError **error)
{
	HbDriveOptions *copy = g_memdup2(options, sizeof(*options));
	Port *port;

	copy->id = g_strdup(options->id);
	copy->bus = g_strdup(options->bus);
	copy->iommufd = g_strdup(options->iommufd);
	port = check_addition(drives, copy, error);
	if (port == NULL) {
		hb_drive_options_free(copy);
		return FALSE;
	}
	Drive *drive = reserve(drives, port, copy);
	HbVfioDevice *device =
		hb_drive_worker_open_now(drives->vfio, drives->memory, options, error);
	if (device && plug(drive, device, error))
		return TRUE;
	hb_vfio_device_close(device);
	forget(drive);
	drive_free(drive);
	return FALSE;
}

/* The end of an addition that led nowhere; of its removal too, if that was asked for meanwhile. */
static void end_addition(Drive *drive, const GError *error)
{
	gboolean was_asked_for = drive->state == REMOVING;

	drive->done(error, drive->data);
	if (was_asked_for) {
		tell_deletion(drive, NULL);
		return;
	}
	forget(drive);
	drive_free(drive);
}

/* A drive that is open and is not to be had. */
typedef struct Unwanted {
	Drive *drive;
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
static void turn_away(Drive *drive, HbVfioDevice *device, GError *error)
{
	Unwanted *unwanted = g_new0(Unwanted, 1);

	unwanted->drive = drive;
	unwanted->error = error;
	hb_drive_worker_close(device, on_closed, unwanted);
}

/* Whether it is wanted still, and its place is free. */
static gboolean let_in(Drive *drive, HbVfioDevice *device, GError **error)
{
	if (drive->drives->evacuating) {
		g_set_error(error, HB_ERROR, HB_ERROR_GONE, "the machine is shutting down");
		return FALSE;
	}
	if (drive->state == REMOVING) {
		g_set_error(error, HB_ERROR, HB_ERROR_GONE,
			    "Device '%s' was removed while it was being added", drive->options->id);
		return FALSE;
	}
	return plug(drive, device, error);
}

static void on_opened(HbVfioDevice *device, const GError *failure, gpointer data)
{
	Drive *drive = data;
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
	Port *port = check_addition(drives, options, &error);

	if (drives->evacuating && port) {
		g_set_error(&error, HB_ERROR, HB_ERROR_GONE, "the machine is shutting down");
		port = NULL;
	}
	if (port == NULL || !check_hotplug(port, &error)) {
		hb_drive_options_free(options);
		done(error, data);
		return;
	}
	Drive *drive = reserve(drives, port, options);
	drive->done = done;
	drive->data = data;
	hb_drive_worker_open(drives->vfio, drives->memory, options, on_opened, drive);
}

/* -- Out. -- */

/* The drive of that name, unless it is on its way out for good. */
static Drive *find_removable(const HbDrives *drives, const char *id, GError **error)
{
	Drive *drive = find_drive(drives, id);
	const Port *port = find_port(drives, id);
	HbSwitch *found = hb_switches_find(drives->switches, id);

	if (found)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '%s' does not support hotplugging: '%s' is a switch, and those "
			    "stay",
			    hb_port_get_id(hb_switch_get_port(found)), id);
	else if (port)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '%s' does not support hotplugging: '%s' is a %s port, and those "
			    "stay",
			    port->options->bus, id,
			    port->options->is_downstream ? "downstream" : "root");
	if (found || port)
		return NULL;
	if (drive == NULL) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND, "Device '%s' not found", id);
		return NULL;
	}
	if (drive->state == RELEASING || (drive->state == REMOVING && !drive->function)) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Device '%s' is already in the process of unplug", id);
		return NULL;
	}
	return drive;
}

gboolean hb_drives_remove(HbDrives *drives, const char *id, const HbRemoval *removal,
			  GError **error)
{
	Drive *drive = find_removable(drives, id, error);

	if (drive == NULL)
		return FALSE;
	if (drive->state == REMOVING) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Device '%s' is already in the process of unplug: wait for its end, or "
			    "use x-hotbay-pull",
			    id);
		return FALSE;
	}
	if (!check_enabled(drives, drive->port->options->config.id, error))
		return FALSE;
	if (drive->state != ADDING &&
	    !hb_port_request_removal_of(drive->port->port, drive->function, removal, 0, error))
		return FALSE;
	drive->state = REMOVING;
	return TRUE;
}

gboolean hb_drives_pull(HbDrives *drives, const char *id, GError **error)
{
	Drive *drive = find_removable(drives, id, error);

	if (drive == NULL)
		return FALSE;
	if (drive->function)
		hb_port_pull_because(drive->port->port, drive->function, HB_SLOT_REASON_COMMAND, 0);
	drive->state = REMOVING;
	return TRUE;
}

void hb_drives_evacuate(HbDrives *drives, void (*done)(gpointer opaque))
{
	drives->evacuating = TRUE;
	drives->evacuated = done;
	for (guint i = 0; i < drives->list->len; i++) {
		Drive *drive = g_ptr_array_index(drives->list, i);

		if (drive->function && drive->state != RELEASING)
			hb_port_pull_because(drive->port->port, drive->function,
					     HB_SLOT_REASON_SHUTDOWN, 0);
	}
	if (drives->list->len == 0)
		done(drives->opaque);
}

/* -- Telling. -- */

gboolean hb_drives_is_moving(const HbDrives *drives, const char *id)
{
	const Drive *drive = find_drive(drives, id);

	return drive && (drive->state == ADDING || drive->state >= REMOVING);
}

gboolean hb_drives_is_occupied(const HbDrives *drives, const char *port)
{
	return find_up_to(drives, find_port(drives, port), REMOVING) != NULL;
}

static void describe_port(const HbDrives *drives, const Port *port, HbMachineDevice *device)
{
	const HbPortConfig *config = &port->options->config;
	const Drive *occupant = find_up_to(drives, port, REMOVING);

	*device = (HbMachineDevice){
		.driver = hb_port_options_get_driver(port->options),
		.id = config->id,
		.bus = port->options->bus,
		.devfn = config->devfn,
		.port = port->port,
		.function = hb_port_get_function(port->port),
		.chassis = config->chassis,
		.slot = config->slot,
		.hotplug = config->hotplug,
		.history = port->history,
		.occupant = occupant ? occupant->options->id
				     : hb_switches_find_in(drives->switches, config->id),
	};
}

static void describe_drive(const Drive *drive, HbMachineDevice *device)
{
	*device = (HbMachineDevice){
		.driver = "vfio-pci",
		.id = drive->options->id,
		.bus = drive->port->options->config.id,
		.port = drive->port->port,
		.host = drive->host,
		.function = drive->state == RELEASING ? NULL : drive->function,
		.state = state_names[drive->state],
		.bar_sizes = drive->bar_sizes,
	};
}

void hb_drives_foreach(HbDrives *drives, HbMachineDeviceFunc func, gpointer data)
{
	HbMachineDevice device;

	for (guint i = 0; i < drives->ports->len; i++) {
		describe_port(drives, g_ptr_array_index(drives->ports, i), &device);
		func(&device, data);
	}
	hb_switches_foreach(drives->switches, func, data);
	for (guint i = 0; i < drives->list->len; i++) {
		describe_drive(g_ptr_array_index(drives->list, i), &device);
		func(&device, data);
	}
}
