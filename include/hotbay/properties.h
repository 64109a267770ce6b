/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_PROPERTIES_H
#define HOTBAY_PROPERTIES_H

/** properties.h: the names and values behind a flag. */

#include <glib.h>

G_BEGIN_DECLS

/**
 * HbProperties:
 *
 * What follows a flag: names with values, each to be taken once by who knows it. What is left over
 * at hb_properties_finish() was not understood, and is an error that names it.
 *
 * There are two ways to make one: from QEMU's option syntax with hb_properties_parse(), and name by
 * name with hb_properties_add(). The second is for JSON, which the library leaves to whatever its
 * embedder reads JSON with: an object of a flag or a monitor is nothing but names and values here.
 *
 * Everything in this header is pure: no file, no clock, no lock. Any thread, one at a time for each
 * object. Errors are %HB_ERROR_INVALID, and say what to write instead.
 */
typedef struct HbProperties HbProperties;

/** hb_properties_create: Returns: (transfer full): an empty one. */
HbProperties *hb_properties_create(void);

/** hb_properties_free: frees them, with their values. Takes NULL. */
void hb_properties_free(HbProperties *properties);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbProperties, hb_properties_free)

/**
 * hb_properties_parse:
 * @text: QEMU's "name=value,name=value"; ",," in a value stands for one comma, a name alone for
 *   "=on", and "noNAME" is not special
 * @implied: (nullable): the name of a first value that comes without one
 *
 * Reads the text of a flag.
 *
 * Returns: (transfer full) (nullable): NULL with an error for an empty or repeated name
 */
HbProperties *hb_properties_parse(const char *text, const char *implied, GError **error);

/**
 * hb_properties_add:
 * @name: copied
 * @value: copied; of JSON a string as it is, a boolean as "true" or "false" or as "on" or "off", a
 *   whole number in decimal digits. Other kinds of values are not properties.
 *
 * Adds one that a JSON object, say, has.
 *
 * Returns: FALSE with an error for an empty or repeated name
 */
gboolean hb_properties_add(HbProperties *properties, const char *name, const char *value,
			   GError **error);

/**
 * hb_properties_take:
 * @name: of the property
 *
 * Returns: (transfer none) (nullable): the value, which lives with @properties; NULL if it was not
 *   given
 */
const char *hb_properties_take(HbProperties *properties, const char *name);

/**
 * hb_properties_take_required:
 * @name: of the property
 * @value: (out) (transfer none): lives with @properties
 *
 * Takes a property that there has to be.
 *
 * Returns: FALSE with an error if it was not given, or is empty
 */
gboolean hb_properties_take_required(HbProperties *properties, const char *name, const char **value,
				     GError **error);

/**
 * hb_properties_take_bool:
 * @name: of the property
 * @value: (inout): "on", "yes", "true", "y" or "off", "no", "false", "n"; left alone if the
 *   property was not given
 *
 * Takes a property that is true or false.
 *
 * Returns: FALSE with an error for any other value
 */
gboolean hb_properties_take_bool(HbProperties *properties, const char *name, gboolean *value,
				 GError **error);

/**
 * hb_properties_take_uint:
 * @name: of the property
 * @min: the least that it may be
 * @max: the most
 * @value: (inout): decimal, or hexadecimal after "0x"; left alone if the property was not given
 *
 * Takes a property that is a number.
 *
 * Returns: FALSE with an error for what is no number from @min to @max
 */
gboolean hb_properties_take_uint(HbProperties *properties, const char *name, guint64 min,
				 guint64 max, guint64 *value, GError **error);

/**
 * hb_properties_take_size:
 * @name: of the property
 * @unit: of a number without suffix: one of B K M G T
 * @value: (inout): in bytes, less than 2^62; left alone if the property was not given
 *
 * Takes a property that is a size.
 *
 * Returns: FALSE with an error for what is no number with an optional suffix B, K, M, G or T
 */
gboolean hb_properties_take_size(HbProperties *properties, const char *name, char unit,
				 guint64 *value, GError **error);

/**
 * hb_properties_finish:
 * @owner: whose properties they are, for the message: "-smp" or "pcie-root-port"
 *
 * Ends the taking: what is left over is an error.
 *
 * Returns: FALSE with an error that names the first property that was not taken
 */
gboolean hb_properties_finish(HbProperties *properties, const char *owner, GError **error);

G_END_DECLS

#endif
