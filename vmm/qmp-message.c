/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The shapes of QEMU's Machine Protocol (QEMU docs/interop/qmp-spec):
 *
 *   {"QMP": {"version": {...}, "capabilities": []}}                         the greeting
 *   {"execute": NAME, "arguments": {...}, "id": ANY}                        a request
 *   {"return": ANY, "id": ANY}  or  {"error": {"class", "desc"}, "id"}      its reply
 *   {"timestamp": {"seconds", "microseconds"}, "event": NAME, "data": {}}   an event
 *
 * The version is a dialect: clients choose by it what to ask for. It is the version of QEMU whose
 * commands are spoken here; the package says who really speaks.
 */

#include "vmm/qmp-message.h"

#include <hotbay/error.h>
#include <string.h>

#define DIALECT_MAJOR 7
#define DIALECT_MINOR 2
#define DIALECT_MICRO 0
#define PACKAGE	      "hotbay " HB_VERSION

void hb_qmp_request_free(HbQmpRequest *request)
{
	if (!request)
		return;
	g_free(request->execute);
	g_clear_pointer(&request->arguments, json_object_unref);
	g_clear_pointer(&request->id, json_node_unref);
	g_free(request);
}

/* json-glib's messages begin with a place in a file; there is no file. */
static const char *skip_place(const char *message)
{
	static const char marker[] = "Parse error: ";
	const char *at = strstr(message, marker);

	return at ? at + strlen(marker) : message;
}

static gboolean is_string(JsonNode *node)
{
	return JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
}

static gboolean check_members(JsonObject *object, GError **error)
{
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	json_object_iter_init(&iter, object);
	while (json_object_iter_next(&iter, &name, &node)) {
		if (strcmp(name, "execute") == 0) {
			if (!is_string(node)) {
				g_set_error_literal(error, HB_ERROR, HB_ERROR_INVALID,
						    "QMP input member 'execute' must be a string");
				return FALSE;
			}
		} else if (strcmp(name, "arguments") == 0) {
			if (!JSON_NODE_HOLDS_OBJECT(node)) {
				g_set_error_literal(
					error, HB_ERROR, HB_ERROR_INVALID,
					"QMP input member 'arguments' must be an object");
				return FALSE;
			}
		} else if (strcmp(name, "id") != 0) {
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "QMP input member '%s' is unexpected", name);
			return FALSE;
		}
	}
	if (!json_object_has_member(object, "execute")) {
		g_set_error_literal(error, HB_ERROR, HB_ERROR_INVALID,
				    "QMP input lacks member 'execute'");
		return FALSE;
	}
	return TRUE;
}

HbQmpRequest *hb_qmp_message_parse(const char *text, gsize length, JsonNode **id, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autoptr(HbQmpRequest) request = g_new0(HbQmpRequest, 1);
	g_autoptr(GError) syntax = NULL;
	JsonNode *root;
	JsonObject *object;

	*id = NULL;
	if (!json_parser_load_from_data(parser, text, (gssize)length, &syntax)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "JSON parse error, %s",
			    skip_place(syntax->message));
		return NULL;
	}
	root = json_parser_get_root(parser);
	if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
		g_set_error_literal(error, HB_ERROR, HB_ERROR_INVALID,
				    "QMP input must be a JSON object");
		return NULL;
	}

	object = json_node_get_object(root);
	if (json_object_has_member(object, "id"))
		request->id = json_object_dup_member(object, "id");
	if (!check_members(object, error)) {
		*id = g_steal_pointer(&request->id);
		return NULL;
	}
	request->execute = g_strdup(json_object_get_string_member(object, "execute"));
	request->arguments =
		json_object_has_member(object, "arguments")
			? json_object_ref(json_object_get_object_member(object, "arguments"))
			: json_object_new();
	return g_steal_pointer(&request);
}

static JsonNode *wrap(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

static char *to_line(JsonObject *message)
{
	g_autoptr(JsonNode) root = wrap(message);
	g_autofree char *text = json_to_string(root, FALSE);

	return g_strconcat(text, "\r\n", NULL);
}

static char *to_reply(JsonObject *message, JsonNode *id)
{
	if (id)
		json_object_set_member(message, "id", json_node_copy(id));
	return to_line(message);
}

JsonNode *hb_qmp_message_version(void)
{
	JsonObject *qemu = json_object_new();
	JsonObject *version = json_object_new();

	json_object_set_int_member(qemu, "micro", DIALECT_MICRO);
	json_object_set_int_member(qemu, "minor", DIALECT_MINOR);
	json_object_set_int_member(qemu, "major", DIALECT_MAJOR);
	json_object_set_object_member(version, "qemu", qemu);
	json_object_set_string_member(version, "package", PACKAGE);
	return wrap(version);
}

char *hb_qmp_message_greeting(void)
{
	JsonObject *qmp = json_object_new();
	JsonObject *message = json_object_new();

	json_object_set_member(qmp, "version", hb_qmp_message_version());
	json_object_set_array_member(qmp, "capabilities", json_array_new());
	json_object_set_object_member(message, "QMP", qmp);
	return to_line(message);
}

char *hb_qmp_message_return(JsonNode *value, JsonNode *id)
{
	JsonObject *message = json_object_new();

	json_object_set_member(message, "return", value ? value : wrap(json_object_new()));
	return to_reply(message, id);
}

char *hb_qmp_message_error(const char *error_class, const char *description, JsonNode *id)
{
	/* A description may quote what a client sent, cut anywhere. */
	g_autofree char *readable = g_utf8_make_valid(description, -1);
	JsonObject *error = json_object_new();
	JsonObject *message = json_object_new();

	json_object_set_string_member(error, "class", error_class);
	json_object_set_string_member(error, "desc", readable);
	json_object_set_object_member(message, "error", error);
	return to_reply(message, id);
}

char *hb_qmp_message_event(const char *event, JsonObject *data, gint64 time_us, gint64 monotonic_us)
{
	JsonObject *timestamp = json_object_new();
	JsonObject *message = json_object_new();

	json_object_set_int_member(timestamp, "seconds", time_us / G_USEC_PER_SEC);
	json_object_set_int_member(timestamp, "microseconds", time_us % G_USEC_PER_SEC);
	json_object_set_int_member(timestamp, "monotonic", monotonic_us);
	json_object_set_object_member(message, "timestamp", timestamp);
	json_object_set_string_member(message, "event", event);
	if (data)
		json_object_set_object_member(message, "data", data);
	return to_line(message);
}
