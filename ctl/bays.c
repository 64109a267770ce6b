/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl bays: the host's slots, as a table or as JSON. */

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/table.h"

#include <hotbay/inventory.h>

/* "0000:01:00.0 bay0" for a drive, the address alone for anything else. */
static char *name_occupants(const HbInventory *inventory, const HbHostSlot *slot)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; slot->occupants[i]; i++) {
		const char *address = slot->occupants[i];
		const HbHostDrive *drive = hb_inventory_find_drive(inventory, address);

		g_ptr_array_add(names, drive && drive->serial
					       ? g_strdup_printf("%s %s", address, drive->serial)
					       : g_strdup(address));
	}
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **)names->pdata);
}

static void add_row(HbTable *table, const HbInventory *inventory, const HbHostSlot *slot)
{
	char **cells = g_new0(char *, 11);

	cells[0] = slot->name ? g_strdup(slot->name) : g_strdup_printf("%u", slot->number);
	cells[1] = g_strdup(slot->port);
	cells[2] = g_strdup(hb_answer_to_str(slot->hotplug));
	cells[3] = g_strdup(hb_answer_to_str(slot->surprise));
	cells[4] = g_strdup(hb_answer_to_str(slot->presence));
	cells[5] = g_strdup(hb_answer_to_str(slot->link));
	cells[6] = g_strdup(hb_answer_to_str(slot->power));
	cells[7] = g_strdup(hb_host_indicator_to_str(slot->attention));
	cells[8] = g_strdup(hb_host_indicator_to_str(slot->power_indicator));
	cells[9] = name_occupants(inventory, slot);
	hb_table_add(table, cells);
}

static void print_table(FILE *out, const HbInventory *inventory)
{
	g_autoptr(HbTable) table = hb_table_create("BAY|PORT|HOT-PLUG|SURPRISE|PRESENT|LINK|POWER|"
						   "ATTENTION-LED|POWER-LED|OCCUPANTS");
	g_autofree char *text = NULL;

	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++)
		add_row(table, inventory, hb_inventory_get_slot(inventory, i));
	text = hb_table_format(table);
	fputs(text, out);
}

static JsonObject *describe_slot(const HbHostSlot *slot)
{
	JsonObject *object = json_object_new();

	hb_json_set_string(object, "name", slot->name);
	json_object_set_int_member(object, "number", slot->number);
	hb_json_set_string(object, "port", slot->port);
	hb_json_set_string(object, "bus", slot->bus);
	json_object_set_string_member(object, "hot-plug", hb_answer_to_str(slot->hotplug));
	json_object_set_string_member(object, "surprise", hb_answer_to_str(slot->surprise));
	json_object_set_string_member(object, "presence", hb_answer_to_str(slot->presence));
	json_object_set_string_member(object, "link", hb_answer_to_str(slot->link));
	json_object_set_string_member(object, "power", hb_answer_to_str(slot->power));
	json_object_set_string_member(object, "attention-indicator",
				      hb_host_indicator_to_str(slot->attention));
	json_object_set_string_member(object, "power-indicator",
				      hb_host_indicator_to_str(slot->power_indicator));
	hb_json_set_strings(object, "occupants", slot->occupants);
	return object;
}

static void print_json(FILE *out, const HbInventory *inventory)
{
	JsonArray *slots = json_array_new();

	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++)
		json_array_add_object_element(slots,
					      describe_slot(hb_inventory_get_slot(inventory, i)));
	hb_json_print(out, slots);
}

HbExit hb_command_bays(HbInvocation *invocation)
{
	gboolean json = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;

	if (!hb_command_parse(invocation, entries, 0, 0))
		return HB_EXIT_USAGE;
	g_autoptr(HbInventory) inventory = hb_inventory_take(invocation->root, &error);
	if (!inventory)
		return hb_command_fail(invocation, error);
	if (json)
		print_json(invocation->out, inventory);
	else
		print_table(invocation->out, inventory);
	return HB_EXIT_DONE;
}
