/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * hotbayctl slots: a VM's slots, as a table, as the VM's own JSON, or only the drives' ids. Where a
 * slot is bound to a slot of the host, the table has what there is to tell of that bay as well.
 */

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/slot-list.h"
#include "ctl/table.h"

#define COLUMNS	    "SLOT|<NUMBER>|STATE|DRIVE|HOST|PRESENT|LINK|ATTENTION-LED|POWER-LED|DOING"
#define BAY_COLUMNS "|BAY|AUTO-ADD|IN-BAY"

static char *copy(JsonObject *object, const char *name)
{
	return g_strdup(hb_json_get_string(object, name));
}

static char *tell(JsonObject *slot, const char *name)
{
	return g_strdup(hb_json_get_boolean(slot, name) ? "yes" : "no");
}

static void add_row(HbTable *table, JsonObject *slot)
{
	JsonObject *occupant = hb_slot_list_get_occupant(slot);
	char **cells = g_new0(char *, 14);

	cells[0] = copy(slot, "id");
	cells[1] = g_strdup_printf("%" G_GINT64_FORMAT, hb_json_get_int(slot, "slot"));
	cells[2] = copy(slot, "state");
	cells[3] = occupant ? copy(occupant, "id") : NULL;
	cells[4] = occupant ? copy(occupant, "host") : NULL;
	cells[5] = tell(slot, "presence");
	cells[6] = tell(slot, "link-active");
	cells[7] = copy(slot, "attention-indicator");
	cells[8] = copy(slot, "power-indicator");
	cells[9] = g_strdup(hb_json_get_boolean(slot, "removal-pending") ? "removal"
			    : occupant ? hb_json_get_string(occupant, "state")
				       : NULL);
	if (hb_slot_list_is_bound(slot)) {
		cells[10] = copy(slot, "host-slot");
		cells[11] = copy(slot, "auto-add");
		cells[12] = copy(slot, "host-drive");
	}
	hb_table_add(table, cells);
}

static void print_table(FILE *out, JsonArray *slots)
{
	g_autoptr(HbTable) table =
		hb_table_create(hb_slot_list_any_is_bound(slots) ? COLUMNS BAY_COLUMNS : COLUMNS);
	g_autofree char *text = NULL;

	for (guint i = 0; i < json_array_get_length(slots); i++)
		add_row(table, hb_slot_list_get(slots, i));
	text = hb_table_format(table);
	fputs(text, out);
}

static void print_ids(FILE *out, JsonArray *slots)
{
	for (guint i = 0; i < json_array_get_length(slots); i++) {
		JsonArray *occupants = hb_json_get_array(hb_slot_list_get(slots, i), "occupants");

		for (guint j = 0; occupants && j < json_array_get_length(occupants); j++) {
			const char *id = hb_json_get_string(hb_slot_list_get(occupants, j), "id");

			if (id)
				fprintf(out, "%s\n", id);
		}
	}
}

HbExit hb_command_slots(HbInvocation *invocation)
{
	gboolean json = FALSE, ids = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
		{ "ids", 0, 0, G_OPTION_ARG_NONE, &ids, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;

	if (!hb_command_parse(invocation, entries, 0, 0))
		return HB_EXIT_USAGE;
	g_autoptr(HbMonitor) monitor = hb_monitor_connect(invocation->vm, &error);
	g_autoptr(JsonArray) slots = monitor ? hb_slot_list_query(monitor, &error) : NULL;
	if (!slots)
		return hb_command_fail(invocation, error);
	if (json)
		hb_json_print(invocation->out, json_array_ref(slots));
	else if (ids)
		print_ids(invocation->out, slots);
	else
		print_table(invocation->out, slots);
	return HB_EXIT_DONE;
}
