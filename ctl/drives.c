/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl drives: the host's NVMe drives, as a table, as JSON, or only their addresses. */

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/table.h"

#include <hotbay/inventory.h>

#include <string.h>

static const char *name_slot(const HbHostDrive *drive, char *buffer, gsize size)
{
	if (!drive->slot)
		return NULL;
	if (drive->slot->name)
		return drive->slot->name;
	g_snprintf(buffer, (gulong)size, "%u", drive->slot->number);
	return buffer;
}

static const char *tell_hotplug(const HbHostSlot *slot)
{
	if (!slot)
		return "no";
	if (slot->hotplug == HB_ANSWER_YES && slot->surprise == HB_ANSWER_YES)
		return "surprise";
	return hb_answer_to_str(slot->hotplug);
}

static gboolean is_on(const HbHostDrive *drive)
{
	return g_strcmp0(drive->driver, "vfio-pci") == 0;
}

static const char *tell_passthrough(const HbHostDrive *drive)
{
	if (is_on(drive))
		return drive->n_obstacles ? "on, but" : "on";
	return drive->n_obstacles ? "no" : "possible";
}

static void add_row(HbTable *table, const HbHostDrive *drive)
{
	char **cells = g_new0(char *, 10);
	char buffer[16];

	cells[0] = g_strdup(drive->address);
	cells[1] = g_strdup(name_slot(drive, buffer, sizeof(buffer)));
	cells[2] = g_strdup(tell_hotplug(drive->slot));
	cells[3] = g_strdup(drive->driver);
	cells[4] = drive->group < 0 ? NULL : g_strdup_printf("%d", drive->group);
	cells[5] = drive->size ? g_format_size_full(drive->size, G_FORMAT_SIZE_IEC_UNITS) : NULL;
	cells[6] = drive->model ? g_strdup(drive->model)
				: g_strdup_printf("%s %s", drive->vendor_name, drive->device_name);
	cells[7] = g_strdup(drive->serial);
	cells[8] = g_strdup(tell_passthrough(drive));
	hb_table_add(table, cells);
	for (guint i = 0; i < drive->n_obstacles; i++)
		hb_table_note(table, drive->obstacles[i].text);
}

static void print_table(FILE *out, const HbInventory *inventory)
{
	g_autoptr(HbTable) table = hb_table_create(
		"ADDRESS|BAY|HOT-PLUG|DRIVER|<GROUP>|<SIZE>|MODEL|SERIAL|PASSTHROUGH");
	g_autofree char *text = NULL;

	for (guint i = 0; i < hb_inventory_get_n_drives(inventory); i++)
		add_row(table, hb_inventory_get_drive(inventory, i));
	text = hb_table_format(table);
	fputs(text, out);
}

static void describe_obstacles(JsonObject *object, const HbHostDrive *drive)
{
	JsonArray *obstacles = json_array_new();

	for (guint i = 0; i < drive->n_obstacles; i++) {
		JsonObject *obstacle = json_object_new();

		json_object_set_string_member(obstacle, "kind",
					      hb_obstacle_kind_to_str(drive->obstacles[i].kind));
		json_object_set_string_member(obstacle, "text", drive->obstacles[i].text);
		json_array_add_object_element(obstacles, obstacle);
	}
	json_object_set_boolean_member(object, "can-pass-through", drive->n_obstacles == 0);
	json_object_set_array_member(object, "obstacles", obstacles);
}

static JsonObject *describe_drive(const HbHostDrive *drive)
{
	JsonObject *object = json_object_new();
	char buffer[16];

	json_object_set_string_member(object, "address", drive->address);
	json_object_set_int_member(object, "vendor-id", drive->vendor_id);
	json_object_set_int_member(object, "device-id", drive->device_id);
	json_object_set_int_member(object, "subsystem-vendor-id", drive->subsystem_vendor_id);
	json_object_set_int_member(object, "subsystem-id", drive->subsystem_id);
	json_object_set_string_member(object, "vendor-name", drive->vendor_name);
	json_object_set_string_member(object, "device-name", drive->device_name);
	hb_json_set_string(object, "controller", drive->controller);
	hb_json_set_string(object, "model", drive->model);
	hb_json_set_string(object, "serial", drive->serial);
	hb_json_set_string(object, "firmware", drive->firmware);
	json_object_set_int_member(object, "size", (gint64)drive->size);
	hb_json_set_strings(object, "namespaces", drive->namespaces);
	hb_json_set_string(object, "driver", drive->driver);
	json_object_set_int_member(object, "iommu-group", drive->group);
	hb_json_set_strings(object, "foreign-members", drive->foreign);
	hb_json_set_string(object, "link-speed", drive->link_speed);
	json_object_set_int_member(object, "link-width", drive->link_width);
	json_object_set_int_member(object, "numa-node", drive->numa_node);
	hb_json_set_string(object, "bay", name_slot(drive, buffer, sizeof(buffer)));
	json_object_set_string_member(object, "hot-plug",
				      drive->slot ? hb_answer_to_str(drive->slot->hotplug) : "no");
	json_object_set_string_member(object, "surprise",
				      drive->slot ? hb_answer_to_str(drive->slot->surprise) : "no");
	json_object_set_boolean_member(object, "passed-through", is_on(drive));
	describe_obstacles(object, drive);
	return object;
}

static void print_json(FILE *out, const HbInventory *inventory)
{
	JsonArray *drives = json_array_new();

	for (guint i = 0; i < hb_inventory_get_n_drives(inventory); i++)
		json_array_add_object_element(drives,
					      describe_drive(hb_inventory_get_drive(inventory, i)));
	hb_json_print(out, drives);
}

HbExit hb_command_drives(HbInvocation *invocation)
{
	gboolean json = FALSE, addresses = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
		{ "addresses", 0, 0, G_OPTION_ARG_NONE, &addresses, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;

	if (!hb_command_parse(invocation, entries, 0, 0))
		return HB_EXIT_USAGE;
	g_autoptr(HbInventory) inventory = hb_inventory_take(invocation->root, &error);
	if (!inventory)
		return hb_command_fail(invocation, error);
	if (json) {
		print_json(invocation->out, inventory);
	} else if (addresses) {
		for (guint i = 0; i < hb_inventory_get_n_drives(inventory); i++)
			fprintf(invocation->out, "%s\n",
				hb_inventory_get_drive(inventory, i)->address);
	} else {
		print_table(invocation->out, inventory);
	}
	return HB_EXIT_DONE;
}
