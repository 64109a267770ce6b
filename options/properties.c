/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * QEMU's option syntax, "name=value,name=value", as an ordered list of texts; the flag that asked
 * takes what it knows, with the type it wants, and what is left over is refused by name. So no list
 * of known names has to be kept beside the code that reads them.
 */

#include <hotbay/error.h>
#include <hotbay/properties.h>

#include <string.h>

typedef struct Property {
	char *name;
	char *value;
	gboolean taken;
} Property;

struct HbProperties {
	GPtrArray *list; /* of Property, in the order given */
};

static void property_free(gpointer data)
{
	Property *property = data;

	g_free(property->name);
	g_free(property->value);
	g_free(property);
}

HbProperties *hb_properties_create(void)
{
	HbProperties *properties = g_new0(HbProperties, 1);

	properties->list = g_ptr_array_new_with_free_func(property_free);
	return properties;
}

void hb_properties_free(HbProperties *properties)
{
	if (properties == NULL)
		return;
	g_ptr_array_unref(properties->list);
	g_free(properties);
}

static Property *find(HbProperties *properties, const char *name)
{
	for (guint i = 0; i < properties->list->len; i++) {
		Property *property = g_ptr_array_index(properties->list, i);

		if (g_str_equal(property->name, name))
			return property;
	}
	return NULL;
}

/* Takes both strings. */
static gboolean add(HbProperties *properties, char *name, char *value, GError **error)
{
	Property *property = g_new0(Property, 1);

	property->name = name;
	property->value = value;
	if (name[0] == '\0' || find(properties, name)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    name[0] ? "Property '%s' is given twice: give it once"
				    : "'%s' is no property: write name=value",
			    name[0] ? name : value);
		property_free(property);
		return FALSE;
	}
	g_ptr_array_add(properties->list, property);
	return TRUE;
}

/* The text up to the next single comma, ",," made one; moves *@cursor behind that comma. */
static char *next_element(const char **cursor)
{
	GString *element = g_string_new(NULL);
	const char *at = *cursor;

	for (; *at; at++) {
		if (*at == ',' && at[1] != ',')
			break;
		if (*at == ',')
			at++;
		g_string_append_c(element, *at);
	}
	*cursor = *at ? at + 1 : at;
	return g_string_free(element, FALSE);
}

static gboolean add_element(HbProperties *properties, const char *element, const char *implied,
			    GError **error)
{
	const char *equals = strchr(element, '=');

	if (equals)
		return add(properties, g_strndup(element, equals - element), g_strdup(equals + 1),
			   error);
	if (implied)
		return add(properties, g_strdup(implied), g_strdup(element), error);
	return add(properties, g_strdup(element), g_strdup("on"), error);
}

HbProperties *hb_properties_parse(const char *text, const char *implied, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_create();

	for (const char *cursor = text; *cursor; implied = NULL) {
		g_autofree char *element = next_element(&cursor);

		if (!add_element(properties, element, implied, error))
			return NULL;
	}
	return g_steal_pointer(&properties);
}

gboolean hb_properties_add(HbProperties *properties, const char *name, const char *value,
			   GError **error)
{
	return add(properties, g_strdup(name), g_strdup(value), error);
}

const char *hb_properties_take(HbProperties *properties, const char *name)
{
	Property *property = find(properties, name);

	if (property == NULL)
		return NULL;
	property->taken = TRUE;
	return property->value;
}

gboolean hb_properties_take_required(HbProperties *properties, const char *name, const char **value,
				     GError **error)
{
	*value = hb_properties_take(properties, name);
	if (*value == NULL || (*value)[0] == '\0') {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Parameter '%s' is missing: add %s=...", name, name);
		return FALSE;
	}
	return TRUE;
}

gboolean hb_properties_take_bool(HbProperties *properties, const char *name, gboolean *value,
				 GError **error)
{
	static const char *const yes[] = { "on", "yes", "true", "y", NULL };
	static const char *const no[] = { "off", "no", "false", "n", NULL };
	const char *text = hb_properties_take(properties, name);

	if (text == NULL)
		return TRUE;
	if (!g_strv_contains(yes, text) && !g_strv_contains(no, text)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Parameter '%s' expects 'on' or 'off', not '%s'", name, text);
		return FALSE;
	}
	*value = g_strv_contains(yes, text);
	return TRUE;
}

gboolean hb_properties_take_uint(HbProperties *properties, const char *name, guint64 min,
				 guint64 max, guint64 *value, GError **error)
{
	const char *text = hb_properties_take(properties, name);
	gboolean hexadecimal = text && g_str_has_prefix(text, "0x");

	if (text == NULL)
		return TRUE;
	if (!g_ascii_string_to_unsigned(hexadecimal ? text + 2 : text, hexadecimal ? 16 : 10, min,
					max, value, NULL)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Parameter '%s' expects a number from %" G_GUINT64_FORMAT
			    " to %" G_GUINT64_FORMAT ", not '%s'",
			    name, min, max, text);
		return FALSE;
	}
	return TRUE;
}

/* log2 of what a suffix stands for, or -1. */
static int unit_shift(char unit)
{
	static const char units[] = "BKMGT";
	const char *at = strchr(units, g_ascii_toupper(unit));

	return unit && at ? (int)(at - units) * 10 : -1;
}

/* Whole numbers, and decimal fractions as in "1.5G". */
static gboolean parse_size(const char *text, char unit, guint64 *value)
{
	char *end;

	if (!g_ascii_isdigit(text[0]))
		return FALSE;
	double number = g_ascii_strtod(text, &end);
	if (*end && end[1])
		return FALSE;
	int shift = unit_shift(*end ? *end : unit);
	double bytes = shift < 0 ? -1 : number * (double)(1ULL << shift);
	if (!(bytes >= 0 && bytes < (double)(1ULL << 62)))
		return FALSE;
	*value = (guint64)bytes;
	return TRUE;
}

gboolean hb_properties_take_size(HbProperties *properties, const char *name, char unit,
				 guint64 *value, GError **error)
{
	const char *text = hb_properties_take(properties, name);

	if (text == NULL || parse_size(text, unit, value))
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_INVALID,
		"Parameter '%s' expects a size, a number with one of the suffixes K, M, G and T, "
		"not '%s'",
		name, text);
	return FALSE;
}

gboolean hb_properties_finish(HbProperties *properties, const char *owner, GError **error)
{
	for (guint i = 0; i < properties->list->len; i++) {
		Property *property = g_ptr_array_index(properties->list, i);

		if (property->taken)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Property '%s' of %s is not supported here: leave out '%s=%s'",
			    property->name, owner, property->name, property->value);
		return FALSE;
	}
	return TRUE;
}
