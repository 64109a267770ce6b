/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <json-glib/json-glib.h>
#include <stdio.h>

/* Small helps with JSON, in and out. Names that are not there, or of another type, are NULL or 0.
 */

const char *hb_json_get_string(JsonObject *object, const char *name);
gint64 hb_json_get_int(JsonObject *object, const char *name);
gboolean hb_json_get_boolean(JsonObject *object, const char *name);

/** hb_json_get_object: Returns: (transfer none) (nullable): */
JsonObject *hb_json_get_object(JsonObject *object, const char *name);

/** hb_json_get_array: Returns: (transfer none) (nullable): */
JsonArray *hb_json_get_array(JsonObject *object, const char *name);

/** hb_json_set_string: null if @value is NULL. */
void hb_json_set_string(JsonObject *object, const char *name, const char *value);
void hb_json_set_strings(JsonObject *object, const char *name, char *const *values);

/** hb_json_print: @array: (transfer full): indented, with an end of line. */
void hb_json_print(FILE *stream, JsonArray *array);

/** hb_json_format_object: Returns: (transfer full): on one line, without its end. */
char *hb_json_format_object(JsonObject *object);

#endif
