/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * x-hotbay-query-slots: each slot as it is, with the drives whose place it is, what waits for its
 * turn there, and what happened last. Nothing is asked of the guest.
 */

#include "vmm/query-slots.h"

#include "vmm/events.h"

#include <string.h>

static gboolean is_port(const HbMachineDevice *device)
{
	return strcmp(device->driver, "pcie-root-port") == 0 ||
	       strcmp(device->driver, "xio3130-downstream") == 0;
}

static JsonObject *describe_removal(const HbSlotInfo *info)
{
	JsonObject *removal = json_object_new();

	json_object_set_boolean_member(removal, "asked", !info->removal_waiting);
	json_object_set_boolean_member(removal, "then-pull", info->removal_then_pull);
	if (info->removal_left_ms)
		json_object_set_int_member(removal, "left-ms", info->removal_left_ms);
	return removal;
}

static JsonObject *describe_entry(const HbSlotHistoryEntry *entry)
{
	JsonObject *object = json_object_new();
	g_autofree char *event = hb_events_name(hb_event_type_to_str(entry->told.type));
	g_autofree char *reason = hb_events_name(hb_slot_reason_to_str(entry->told.reason));

	json_object_set_int_member(object, "monotonic", entry->told.time_us);
	json_object_set_string_member(object, "event", event);
	if (entry->device)
		json_object_set_string_member(object, "device", entry->device);
	if (entry->told.reason != HB_SLOT_REASON_NONE)
		json_object_set_string_member(object, "reason", reason);
	if (entry->told.type == HB_EVENT_ERROR_CONTAINED)
		hb_events_set_failure(object, &entry->told);
	if (entry->told.type == HB_EVENT_INDICATORS)
		hb_events_set_indicators(object, &entry->told);
	return object;
}

static JsonArray *describe_history(const HbSlotHistory *history)
{
	JsonArray *list = json_array_new();

	for (guint i = 0; history && i < hb_slot_history_get_n(history); i++)
		json_array_add_object_element(list,
					      describe_entry(hb_slot_history_get(history, i)));
	return list;
}

static void describe_bay(JsonObject *slot, const HbMachineDevice *port)
{
	json_object_set_string_member(slot, "host-slot", port->host_slot);
	json_object_set_string_member(slot, "auto-add", port->auto_add);
	if (port->host_drive)
		json_object_set_string_member(slot, "host-drive", port->host_drive);
}

static JsonObject *describe_slot(const HbMachineDevice *port)
{
	JsonObject *slot = json_object_new();
	g_autofree char *address = g_strdup_printf("%02x.%x", HB_PCI_DEVICE(port->devfn),
						   HB_PCI_FUNCTION(port->devfn));
	g_autofree char *state = NULL;
	HbSlotInfo info;

	hb_port_get_info(port->port, &info);
	state = hb_events_name(info.state);
	json_object_set_string_member(slot, "id", port->id);
	json_object_set_string_member(slot, "bus", port->bus);
	json_object_set_string_member(slot, "addr", address);
	json_object_set_int_member(slot, "chassis", port->chassis);
	json_object_set_int_member(slot, "slot", port->slot);
	json_object_set_boolean_member(slot, "hotplug", port->hotplug);
	if (port->host_slot)
		describe_bay(slot, port);
	json_object_set_int_member(slot, "secondary-bus", info.secondary_bus);
	json_object_set_string_member(slot, "state", state);
	json_object_set_boolean_member(slot, "presence", info.presence);
	json_object_set_boolean_member(slot, "link-active", info.link_active);
	json_object_set_boolean_member(slot, "removal-pending", info.removal_pending);
	json_object_set_string_member(slot, "attention-indicator",
				      hb_indicator_to_str(info.attention_indicator));
	json_object_set_string_member(slot, "power-indicator",
				      hb_indicator_to_str(info.power_indicator));
	json_object_set_int_member(slot, "slot-control", info.slot_control);
	json_object_set_int_member(slot, "slot-status", info.slot_status);
	json_object_set_array_member(slot, "queue", json_array_new());
	if (info.removal_pending)
		json_object_set_object_member(slot, "removal", describe_removal(&info));
	json_object_set_array_member(slot, "history", describe_history(port->history));
	return slot;
}

static JsonObject *find_slot(JsonArray *slots, const char *id)
{
	for (guint i = 0; i < json_array_get_length(slots); i++) {
		JsonObject *slot = json_array_get_object_element(slots, i);

		if (g_strcmp0(json_object_get_string_member(slot, "id"), id) == 0)
			return slot;
	}
	return NULL;
}

/* A drive, or a switch, which has no place on the host. */
static JsonObject *describe_occupant(const HbMachineDevice *device)
{
	JsonObject *occupant = json_object_new();

	if (device->id)
		json_object_set_string_member(occupant, "id", device->id);
	if (device->host)
		json_object_set_string_member(occupant, "host", device->host);
	json_object_set_string_member(occupant, "state", device->state);
	return occupant;
}

/*
 * What waits for its turn: the removal that the guest has yet to be asked for comes before the
 * drive that takes the place, and drives come in that order.
 */
static void add_to_queue(JsonObject *slot, const HbMachineDevice *drive)
{
	JsonObject *entry;
	HbSlotInfo info;
	const char *request = NULL;

	if (drive->port == NULL || drive->function == NULL)
		return;
	hb_port_get_info(drive->port, &info);
	if (info.newcomer == drive->function)
		request = "plug";
	else if (info.removal_waiting && info.occupant == drive->function)
		request = "removal";
	if (request == NULL)
		return;
	entry = json_object_new();
	json_object_set_string_member(entry, "request", request);
	if (drive->id)
		json_object_set_string_member(entry, "device", drive->id);
	json_array_add_object_element(json_object_get_array_member(slot, "queue"), entry);
}

/* Ports come first, so a drive's slot is in the list when the drive comes. */
static void add_to_slots(const HbMachineDevice *device, gpointer data)
{
	JsonArray *slots = data;
	JsonObject *slot;

	if (is_port(device)) {
		json_array_add_object_element(slots, describe_slot(device));
		return;
	}
	slot = find_slot(slots, device->bus);
	if (!slot)
		return;
	/* A drive that is being released can share the slot with the next one. */
	if (!json_object_has_member(slot, "occupants"))
		json_object_set_array_member(slot, "occupants", json_array_new());
	json_array_add_object_element(json_object_get_array_member(slot, "occupants"),
				      describe_occupant(device));
	add_to_queue(slot, device);
}

JsonNode *hb_query_slots_list(HbMachine *machine)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *slots = json_array_new();

	hb_machine_foreach_device(machine, add_to_slots, slots);
	json_node_take_array(node, slots);
	return node;
}
