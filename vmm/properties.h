/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_PROPERTIES_H
#define VMM_PROPERTIES_H

#include <glib.h>
#include <json-glib/json-glib.h>

/**
 * HbProperties:
 *
 * What follows a flag: names with values, each to be taken once by the flag's own parser. What is
 * left over at hb_properties_finish() was not understood, and is an error that names it. Pure.
 */
typedef struct HbProperties HbProperties;

/**
 * hb_properties_parse:
 * @text: QEMU's "name=value,name=value"; ",," in a value stands for one comma, a name alone for
 *   "=on", and "noNAME" is not special
 * @implied: (nullable): the name of a first value that comes without one
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_INVALID for an empty or repeated name
 */
HbProperties *hb_properties_parse(const char *text, const char *implied, GError **error);

/**
 * hb_properties_from_json:
 * @object: not kept; its values may be strings, booleans and whole numbers
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_INVALID for any other kind of value
 */
HbProperties *hb_properties_from_json(JsonObject *object, GError **error);

/** hb_properties_from_json_text: the same for the JSON text of an object. */
HbProperties *hb_properties_from_json_text(const char *text, GError **error);

void hb_properties_free(HbProperties *properties);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbProperties, hb_properties_free)

/** hb_properties_take: Returns: (transfer none) (nullable): the value; lives with @properties. */
const char *hb_properties_take(HbProperties *properties, const char *name);

/* The typed ones leave the result alone and succeed if the property was not given. */
gboolean hb_properties_take_bool(HbProperties *properties, const char *name, gboolean *value,
				 GError **error);
gboolean hb_properties_take_uint(HbProperties *properties, const char *name, guint64 min,
				 guint64 max, guint64 *value, GError **error);

/** hb_properties_take_size: bytes, with one of the suffixes B K M G T; @unit is that of a bare
 * number.
 */
gboolean hb_properties_take_size(HbProperties *properties, const char *name, char unit,
				 guint64 *value, GError **error);

/** hb_properties_take_required: like hb_properties_take(), but it must be there and not empty. */
gboolean hb_properties_take_required(HbProperties *properties, const char *name, const char **value,
				     GError **error);

/**
 * hb_properties_finish:
 * @owner: for the message, "-smp" or "pcie-root-port"
 *
 * Returns: FALSE with %HB_ERROR_INVALID if a property was not taken
 */
gboolean hb_properties_finish(HbProperties *properties, const char *owner, GError **error);

#endif
