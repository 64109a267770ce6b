/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* An event of QMP as a line for a reader: when, what, and of whom. */

#include "ctl/event-words.h"

#include "ctl/json.h"

#include <string.h>

static char *format_time(JsonObject *event)
{
	JsonObject *stamp = hb_json_get_object(event, "timestamp");
	g_autoptr(GDateTime) time =
		g_date_time_new_from_unix_local(hb_json_get_int(stamp, "seconds"));
	g_autofree char *seconds = time ? g_date_time_format(time, "%H:%M:%S") : g_strdup("?");

	return g_strdup_printf("%s.%06" G_GINT64_FORMAT, seconds,
			       hb_json_get_int(stamp, "microseconds"));
}

static void append_member(JsonObject *object, const char *name, JsonNode *node, gpointer data)
{
	g_autofree char *text = json_to_string(node, FALSE);

	/* a sentence keeps its quotes */
	if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
	    !strchr(json_node_get_string(node), ' '))
		g_string_append_printf(data, " %s=%s", name, json_node_get_string(node));
	else
		g_string_append_printf(data, " %s=%s", name, text);
}

char *hb_event_words_make(JsonObject *event)
{
	g_autofree char *time = format_time(event);
	const char *name = hb_json_get_string(event, "event");
	JsonObject *data = hb_json_get_object(event, "data");
	GString *words = g_string_new(NULL);

	g_string_append_printf(words, "%s %s", time, name ? name : "?");
	if (data)
		json_object_foreach_member(data, append_member, words);
	return g_string_free(words, FALSE);
}
