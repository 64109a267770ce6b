/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The switches of the command line, once created: who they are and where they sit. They stay as
 * long as the machine does.
 */

#include "vmm/switches.h"

typedef struct Entry {
	const HbSwitchOptions *options;
	HbSwitch *self; /* the bridge's */
} Entry;

struct HbSwitches {
	GArray *entries; /* of Entry, each after the one above it */
};

HbSwitches *hb_switches_create(void)
{
	HbSwitches *switches = g_new0(HbSwitches, 1);

	switches->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	return switches;
}

void hb_switches_destroy(HbSwitches *switches)
{
	if (switches == NULL)
		return;
	g_array_unref(switches->entries);
	g_free(switches);
}

gboolean hb_switches_add(HbSwitches *switches, HbPort *port, const HbSwitchOptions *options,
			 GError **error)
{
	Entry entry = { .options = options, .self = hb_switch_create(port, options->id, error) };

	if (entry.self)
		g_array_append_val(switches->entries, entry);
	else
		g_prefix_error(error, "x3130-upstream: ");
	return entry.self != NULL;
}

HbSwitch *hb_switches_find(const HbSwitches *switches, const char *id)
{
	for (guint i = 0; i < switches->entries->len; i++) {
		const Entry *entry = &g_array_index(switches->entries, Entry, i);

		if (g_str_equal(entry->options->id, id))
			return entry->self;
	}
	return NULL;
}

const char *hb_switches_find_in(const HbSwitches *switches, const char *port)
{
	for (guint i = 0; i < switches->entries->len; i++) {
		const Entry *entry = &g_array_index(switches->entries, Entry, i);

		if (g_str_equal(entry->options->bus, port))
			return entry->options->id;
	}
	return NULL;
}

void hb_switches_foreach(const HbSwitches *switches, HbMachineDeviceFunc func, gpointer data)
{
	for (guint i = 0; i < switches->entries->len; i++) {
		const Entry *entry = &g_array_index(switches->entries, Entry, i);
		const HbMachineDevice device = {
			.driver = "x3130-upstream",
			.id = entry->options->id,
			.bus = entry->options->bus,
			.port = hb_switch_get_port(entry->self),
			.function = hb_switch_get_function(entry->self),
			.state = "fixed",
		};

		func(&device, data);
	}
}
