/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Asking a VM for its slots, and finding in them what a person means. */

#include "ctl/slot-list.h"

#include "ctl/json.h"

#include <hotbay/error.h>

JsonArray *hb_slot_list_query(HbMonitor *monitor, GError **error)
{
	GError *problem = NULL;
	g_autoptr(JsonNode) answer =
		hb_monitor_execute(monitor, "x-hotbay-query-slots", NULL, &problem);

	if (answer && JSON_NODE_HOLDS_ARRAY(answer))
		return json_node_dup_array(answer);
	if (!problem)
		g_set_error(error, HB_ERROR, HB_ERROR_GONE, "the VM's list of slots is no list");
	else if (g_error_matches(problem, HB_ERROR, HB_ERROR_UNSUPPORTED))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "the VM does not know of slots: it is not run by hotbay (%s)",
			    problem->message);
	else
		g_propagate_error(error, g_steal_pointer(&problem));
	g_clear_error(&problem);
	return NULL;
}

JsonObject *hb_slot_list_get(JsonArray *slots, guint index)
{
	JsonNode *node = json_array_get_element(slots, index);

	return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonObject *hb_slot_list_get_occupant(JsonObject *slot)
{
	JsonArray *occupants = hb_json_get_array(slot, "occupants");

	return occupants && json_array_get_length(occupants) ? hb_slot_list_get(occupants, 0)
							     : NULL;
}

gboolean hb_slot_list_is_bound(JsonObject *slot)
{
	return hb_json_get_string(slot, "host-slot") != NULL;
}

gboolean hb_slot_list_any_is_bound(JsonArray *slots)
{
	for (guint i = 0; i < json_array_get_length(slots); i++)
		if (hb_slot_list_is_bound(hb_slot_list_get(slots, i)))
			return TRUE;
	return FALSE;
}

static const char *find_in_slot(JsonObject *slot, const char *word)
{
	JsonArray *occupants = hb_json_get_array(slot, "occupants");
	gboolean whole = g_strcmp0(hb_json_get_string(slot, "id"), word) == 0;

	for (guint i = 0; occupants && i < json_array_get_length(occupants); i++) {
		JsonObject *occupant = hb_slot_list_get(occupants, i);
		const char *id = hb_json_get_string(occupant, "id");

		if (id && (whole || g_strcmp0(id, word) == 0 ||
			   g_strcmp0(hb_json_get_string(occupant, "host"), word) == 0))
			return id;
	}
	return NULL;
}

char *hb_slot_list_find_device(JsonArray *slots, const char *word, GError **error)
{
	for (guint i = 0; i < json_array_get_length(slots); i++) {
		const char *id = find_in_slot(hb_slot_list_get(slots, i), word);

		if (id)
			return g_strdup(id);
	}
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
		    "%s: no drive of this VM has that id, slot or address; `hotbayctl slots` lists "
		    "them",
		    word);
	return NULL;
}
