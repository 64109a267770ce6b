/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Ports bound to slots of the host. A drive that comes there is announced; taken by the library and
 * so vfio-pci's, unless auto-add=off; and with auto-add=on added like by device_add, as
 * "PORT-drive". That id may still be its predecessor's, whose last file is being closed: then the
 * addition waits for that one's DEVICE_DELETED.
 */

#include "vmm/bays.h"

#include <string.h>

typedef struct Bay {
	HbMachineBays *bays;
	const HbPortOptions *port;
	HbBay *bay;
	char *adding;  /* address of the drive whose addition is under way; NULL: none */
	char *waiting; /* of one whose id is not free yet; NULL: none */
} Bay;

struct HbMachineBays {
	HbBays *host;
	HbDrives *drives;
	HbDrivesEvent event;
	gpointer opaque;
	GPtrArray *list; /* of Bay */
};

static void bay_free(gpointer data)
{
	Bay *bay = data;

	g_free(bay->adding);
	g_free(bay->waiting);
	g_free(bay);
}

static char *make_id(const Bay *bay)
{
	return g_strconcat(bay->port->config.id, "-drive", NULL);
}

static void send_event(const Bay *bay, const char *host, const HbEvent *told)
{
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_BAY,
				       .bus = bay->port->config.id,
				       .host = host,
				       .host_slot = hb_bay_get_slot(bay->bay),
				       .told = told,
				       .time_us = told->time_us };

	bay->bays->event(&event, bay->bays->opaque);
}

static void send_refusal(const Bay *bay, const char *host, const GError *error)
{
	const HbEvent told = { .type = HB_EVENT_HOST_DRIVE_REFUSED, .error = error };

	send_event(bay, host, &told);
}

/* -- Adding. -- */

static HbDriveOptions *make_options(const Bay *bay, const char *host, GError **error)
{
	g_autoptr(HbDriveOptions) options = g_new0(HbDriveOptions, 1);

	if (!hb_pci_address_parse(host, &options->host, error))
		return NULL;
	options->id = make_id(bay);
	options->bus = g_strdup(bay->port->config.id);
	return g_steal_pointer(&options);
}

static void add_waiting(Bay *bay);

static void on_added(const GError *error, gpointer data)
{
	Bay *bay = data;
	g_autofree char *host = g_steal_pointer(&bay->adding);

	if (error)
		send_refusal(bay, host, error);
	add_waiting(bay);
}

static void add(Bay *bay, const char *host)
{
	g_autoptr(GError) error = NULL;
	HbDriveOptions *options = make_options(bay, host, &error);

	bay->adding = g_strdup(host);
	if (options)
		hb_drives_add(bay->bays->drives, options, on_added, bay);
	else
		on_added(error, bay);
}

static void add_waiting(Bay *bay)
{
	g_autofree char *id = make_id(bay);

	if (!bay->waiting || bay->adding || hb_drives_is_moving(bay->bays->drives, id))
		return;
	g_autofree char *host = g_steal_pointer(&bay->waiting);
	add(bay, host);
}

static Bay *find_by_bay(const HbMachineBays *bays, const HbBay *host_bay)
{
	for (guint i = 0; i < bays->list->len; i++) {
		Bay *bay = g_ptr_array_index(bays->list, i);

		if (bay->bay == host_bay)
			return bay;
	}
	return NULL;
}

void hb_machine_bays_hear(HbMachineBays *bays, const HbEvent *told)
{
	Bay *bay = find_by_bay(bays, told->bay);

	if (!bay)
		return;
	send_event(bay, told->address, told);
	if (told->type == HB_EVENT_HOST_DRIVE_REMOVED)
		g_clear_pointer(&bay->waiting, g_free);
	if (told->type != HB_EVENT_HOST_DRIVE_TAKEN || bay->port->auto_add != HB_AUTO_ADD_ON)
		return;
	g_free(bay->waiting);
	bay->waiting = g_strdup(told->address);
	add_waiting(bay);
}

/* -- The machine's beginning and end. -- */

static gboolean claim(HbMachineBays *bays, const HbPortOptions *port, GError **error)
{
	HbBay *host_bay = hb_bays_claim(bays->host, port->host_slot, error);

	if (host_bay && port->host_leds && !hb_bay_has_attention(host_bay)) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "host slot %s: it has no attention indicator: leave host-leds out",
			    port->host_slot);
		host_bay = NULL;
	}
	if (!host_bay) {
		g_prefix_error(error, "%s: ", port->config.id);
		return FALSE;
	}
	Bay *bay = g_new0(Bay, 1);
	bay->bays = bays;
	bay->port = port;
	bay->bay = host_bay;
	g_ptr_array_add(bays->list, bay);
	hb_bay_watch(host_bay, port->auto_add != HB_AUTO_ADD_OFF);
	if (port->host_leds)
		hb_bay_set_attention(host_bay, HB_HOST_INDICATOR_OFF);
	return TRUE;
}

HbMachineBays *hb_machine_bays_create(HbHost *host, const HbDeviceOptions *devices,
				      HbDrives *drives, HbDrivesEvent event, gpointer opaque,
				      GError **error)
{
	HbMachineBays *bays = g_new0(HbMachineBays, 1);

	bays->drives = drives;
	bays->event = event;
	bays->opaque = opaque;
	bays->list = g_ptr_array_new_with_free_func(bay_free);
	for (guint i = 0; i < hb_device_options_get_n_ports(devices); i++) {
		const HbPortOptions *port = hb_device_options_get_port(devices, i);

		if (!port->host_slot)
			continue;
		if (!bays->host)
			bays->host = hb_bays_create(host, error);
		if (bays->host && claim(bays, port, error))
			continue;
		hb_machine_bays_destroy(bays);
		return NULL;
	}
	return bays;
}

void hb_machine_bays_destroy(HbMachineBays *bays)
{
	if (bays == NULL)
		return;
	hb_bays_destroy(bays->host);
	g_ptr_array_unref(bays->list);
	g_free(bays);
}

static gboolean cold_plug(Bay *bay, GError **error)
{
	if (!hb_bay_take_now(bay->bay, error))
		return FALSE;
	if (bay->port->auto_add != HB_AUTO_ADD_ON)
		return TRUE;
	g_autoptr(HbDriveOptions) options = make_options(bay, hb_bay_get_drive(bay->bay), error);
	return options && hb_drives_cold_plug(bay->bays->drives, options, error);
}

void hb_machine_bays_cold_plug(HbMachineBays *bays)
{
	for (guint i = 0; i < bays->list->len; i++) {
		Bay *bay = g_ptr_array_index(bays->list, i);
		g_autoptr(GError) error = NULL;

		if (!hb_bay_get_drive(bay->bay) || bay->port->auto_add == HB_AUTO_ADD_OFF ||
		    hb_drives_is_occupied(bays->drives, bay->port->config.id))
			continue;
		if (!cold_plug(bay, &error))
			g_printerr("hotbay: %s: starting without the drive in host slot %s: %s\n",
				   bay->port->config.id, hb_bay_get_slot(bay->bay), error->message);
	}
}

/* -- The guest's indicators. -- */

/*
 * The host's power indicator is its kernel's own. So what blinks in the guest while a drive is on
 * its way in or out blinks here as well, unless the guest shows something by attention itself.
 */
static HbHostIndicator get_attention(const HbEvent *told)
{
	if (told->attention_indicator == HB_INDICATOR_ON)
		return HB_HOST_INDICATOR_ON;
	if (told->attention_indicator == HB_INDICATOR_BLINK ||
	    told->power_indicator == HB_INDICATOR_BLINK)
		return HB_HOST_INDICATOR_BLINK;
	return HB_HOST_INDICATOR_OFF;
}

static Bay *find_bay(const HbMachineBays *bays, const char *port)
{
	for (guint i = 0; i < bays->list->len; i++) {
		Bay *bay = g_ptr_array_index(bays->list, i);

		if (g_strcmp0(bay->port->config.id, port) == 0)
			return bay;
	}
	return NULL;
}

/* A release does not say what the slot shows. */
static void show_indicators(const HbMachineBays *bays, const HbMachineEvent *event)
{
	const Bay *bay = find_bay(bays, event->bus);

	if (bay && bay->port->host_leds && event->told->type != HB_EVENT_RELEASED)
		hb_bay_set_attention(bay->bay, get_attention(event->told));
}

void hb_machine_bays_follow(HbMachineBays *bays, const HbMachineEvent *event)
{
	if (event->type == HB_MACHINE_EVENT_SLOT)
		show_indicators(bays, event);
	for (guint i = 0; event->type == HB_MACHINE_EVENT_DEVICE_DELETED && i < bays->list->len;
	     i++)
		add_waiting(g_ptr_array_index(bays->list, i));
}

/* -- Telling. -- */

/* Who asked for all devices. */
typedef struct Narration {
	const HbMachineBays *bays;
	HbMachineDeviceFunc func;
	gpointer data;
} Narration;

static void tell_device(const HbMachineDevice *device, gpointer data)
{
	const Narration *narration = data;
	const Bay *bay = find_bay(narration->bays, device->id);
	HbMachineDevice told = *device;

	if (bay) {
		told.host_slot = hb_bay_get_slot(bay->bay);
		told.auto_add = hb_auto_add_to_str(bay->port->auto_add);
		told.host_drive = hb_bay_get_drive(bay->bay);
	}
	narration->func(&told, narration->data);
}

void hb_machine_bays_foreach(HbMachineBays *bays, HbMachineDeviceFunc func, gpointer data)
{
	Narration narration = { bays, func, data };

	hb_drives_foreach(bays->drives, tell_device, &narration);
}
