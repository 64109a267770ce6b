/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* json-glib insists that a member be there and of the right type; what a VM sends need not be. */

#include "ctl/json.h"

static JsonNode *get_value(JsonObject *object, const char *name, GType type)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node
											     : NULL;
}

const char *hb_json_get_string(JsonObject *object, const char *name)
{
	JsonNode *node = get_value(object, name, G_TYPE_STRING);

	return node ? json_node_get_string(node) : NULL;
}

gint64 hb_json_get_int(JsonObject *object, const char *name)
{
	JsonNode *node = get_value(object, name, G_TYPE_INT64);

	return node ? json_node_get_int(node) : 0;
}

gboolean hb_json_get_boolean(JsonObject *object, const char *name)
{
	JsonNode *node = get_value(object, name, G_TYPE_BOOLEAN);

	return node && json_node_get_boolean(node);
}

JsonObject *hb_json_get_object(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *hb_json_get_array(JsonObject *object, const char *name)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

void hb_json_set_string(JsonObject *object, const char *name, const char *value)
{
	if (value)
		json_object_set_string_member(object, name, value);
	else
		json_object_set_null_member(object, name);
}

void hb_json_set_strings(JsonObject *object, const char *name, char *const *values)
{
	JsonArray *array = json_array_new();

	for (; *values; values++)
		json_array_add_string_element(array, *values);
	json_object_set_array_member(object, name, array);
}

static char *format_node(JsonNode *node, gboolean pretty)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();

	json_generator_set_root(generator, node);
	json_generator_set_pretty(generator, pretty);
	return json_generator_to_data(generator, NULL);
}

void hb_json_print(FILE *stream, JsonArray *array)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_ARRAY);
	g_autofree char *text = NULL;

	json_node_take_array(node, array);
	text = format_node(node, TRUE);
	fprintf(stream, "%s\n", text);
}

char *hb_json_format_object(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(node, object);
	return format_node(node, FALSE);
}
