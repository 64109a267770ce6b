/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Properties in JSON: the arguments of a command, or the text of a flag. The library takes names
 * and values, and leaves it to us which JSON library they come from.
 */

#include "vmm/json-properties.h"

#include <hotbay/error.h>

/* (transfer full) (nullable): a JSON scalar as the option syntax would write it. */
static char *scalar_to_text(JsonNode *node)
{
	if (!JSON_NODE_HOLDS_VALUE(node))
		return NULL;
	switch (json_node_get_value_type(node)) {
	case G_TYPE_STRING:
		return g_strdup(json_node_get_string(node));
	case G_TYPE_BOOLEAN:
		return g_strdup(json_node_get_boolean(node) ? "on" : "off");
	case G_TYPE_INT64:
		return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
	default:
		return NULL;
	}
}

HbProperties *hb_json_properties_read(JsonObject *object, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_create();
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	json_object_iter_init_ordered(&iter, object);
	while (json_object_iter_next_ordered(&iter, &name, &node)) {
		g_autofree char *value = scalar_to_text(node);

		if (value == NULL) {
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "Invalid parameter type for '%s', expected: string, boolean "
				    "or integer",
				    name);
			return NULL;
		}
		if (!hb_properties_add(properties, name, value, error))
			return NULL;
	}
	return g_steal_pointer(&properties);
}

HbProperties *hb_json_properties_parse(const char *text, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autoptr(JsonNode) node = json_from_string(text, &reason);

	if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "not a JSON object: %s",
			    reason ? reason->message : "write {\"driver\": ..., ...}");
		return NULL;
	}
	return hb_json_properties_read(json_node_get_object(node), error);
}
