/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_JSON_PROPERTIES_H
#define VMM_JSON_PROPERTIES_H

#include <hotbay/properties.h>
#include <json-glib/json-glib.h>

/**
 * hb_json_properties_read:
 * @object: not kept; its values may be strings, booleans and whole numbers
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_INVALID for any other kind of value
 */
HbProperties *hb_json_properties_read(JsonObject *object, GError **error);

/** hb_json_properties_parse: the same for the JSON text of an object. */
HbProperties *hb_json_properties_parse(const char *text, GError **error);

#endif
