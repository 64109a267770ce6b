/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The ports and switches of the command line, once created. A port is found by its id, which is the
 * "bus" of what goes into it, or by the library's object, which is whom an event is from. What can
 * be refused without a look at the drives is refused here, in the words that an operator knows.
 */

#include "vmm/ports.h"

#include "vmm/switches.h"

struct HbPorts {
	HbHostBridge *bridge;
	HbAcpiHotplug *hotplug; /* NULL: the slots are native */
	GPtrArray *list;	/* of HbMachinePort */
	HbSwitches *switches;
	gboolean hotplug_disabled;
};

/* -- Making them. -- */

static void port_free(gpointer data)
{
	HbMachinePort *port = data;

	hb_slot_history_destroy(port->history);
	g_free(port);
}

HbPorts *hb_ports_create(HbHostBridge *bridge)
{
	HbPorts *ports = g_new0(HbPorts, 1);

	ports->bridge = bridge;
	ports->list = g_ptr_array_new_with_free_func(port_free);
	ports->switches = hb_switches_create();
	return ports;
}

void hb_ports_destroy(HbPorts *ports)
{
	if (ports == NULL)
		return;
	hb_switches_destroy(ports->switches);
	g_ptr_array_unref(ports->list);
	g_free(ports);
}

void hb_ports_set_hotplug(HbPorts *ports, HbAcpiHotplug *hotplug)
{
	ports->hotplug = hotplug;
}

void hb_ports_disable_hotplug(HbPorts *ports)
{
	ports->hotplug_disabled = TRUE;
}

/* @place: as vmm/tables.c tells the guest */
static gboolean add_port(HbPorts *ports, const HbPortOptions *options, guint place, GError **error)
{
	HbPortConfig config = options->config;

	config.parent = hb_switches_find(ports->switches, options->bus);
	config.acpi = config.parent ? NULL : ports->hotplug;
	config.acpi_index = place;
	HbPort *slot_port = hb_port_create(ports->bridge, &config, error);
	if (slot_port == NULL) {
		g_prefix_error(error, "%s: ", hb_port_options_get_driver(options));
		return FALSE;
	}
	HbMachinePort *port = g_new0(HbMachinePort, 1);
	port->options = options;
	port->port = slot_port;
	port->history = hb_slot_history_create();
	g_ptr_array_add(ports->list, port);
	return TRUE;
}

static gboolean add_switch(HbPorts *ports, const HbSwitchOptions *options, GError **error)
{
	return hb_switches_add(ports->switches, hb_ports_find(ports, options->bus)->port, options,
			       error);
}

gboolean hb_ports_add(HbPorts *ports, const HbDeviceOptions *devices, GError **error)
{
	for (guint depth = 0; depth <= HB_SWITCH_MAX_DEPTH; depth++) {
		for (guint i = 0; i < hb_device_options_get_n_switches(devices); i++) {
			const HbSwitchOptions *options = hb_device_options_get_switch(devices, i);

			if (options->depth == depth && !add_switch(ports, options, error))
				return FALSE;
		}
		for (guint i = 0; i < hb_device_options_get_n_ports(devices); i++) {
			const HbPortOptions *options = hb_device_options_get_port(devices, i);

			if (options->depth == depth && !add_port(ports, options, i, error))
				return FALSE;
		}
	}
	return TRUE;
}

void hb_ports_set_running(HbPorts *ports)
{
	for (guint i = 0; i < ports->list->len; i++) {
		const HbMachinePort *port = g_ptr_array_index(ports->list, i);

		hb_port_set_running(port->port);
	}
}

/* -- Looking up. -- */

const HbMachinePort *hb_ports_find(const HbPorts *ports, const char *id)
{
	for (guint i = 0; i < ports->list->len; i++) {
		const HbMachinePort *port = g_ptr_array_index(ports->list, i);

		if (g_str_equal(port->options->config.id, id))
			return port;
	}
	return NULL;
}

const HbMachinePort *hb_ports_find_slot(const HbPorts *ports, const HbPort *slot_port)
{
	for (guint i = 0; i < ports->list->len; i++) {
		const HbMachinePort *port = g_ptr_array_index(ports->list, i);

		if (port->port == slot_port)
			return port;
	}
	return NULL;
}

gboolean hb_ports_has_id(const HbPorts *ports, const char *id)
{
	return hb_ports_find(ports, id) || hb_switches_find(ports->switches, id);
}

/* -- What they are not for. -- */

const HbMachinePort *hb_ports_find_for_drive(const HbPorts *ports, const char *bus, GError **error)
{
	const HbMachinePort *port = hb_ports_find(ports, bus);
	const char *in_slot = hb_switches_find_in(ports->switches, bus);

	if (port == NULL) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_NOT_FOUND,
			hb_switches_find(ports->switches, bus)
				? "Bus '%s' is inside a switch: name one of its downstream ports"
				: "Bus '%s' not found",
			bus);
		return NULL;
	}
	if (in_slot) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Bus '%s' is occupied by the switch '%s': name one of its downstream "
			    "ports",
			    bus, in_slot);
		return NULL;
	}
	return port;
}

gboolean hb_ports_check_enabled(const HbPorts *ports, const char *bus, GError **error)
{
	if (!ports->hotplug_disabled)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "Bus '%s' does not support hotplugging: the machine was started with -machine "
		    "passthrough-hotplug=off: leave that out",
		    bus);
	return FALSE;
}

gboolean hb_ports_check_hotplug(const HbPorts *ports, const HbMachinePort *port, GError **error)
{
	const HbPortConfig *config = &port->options->config;

	if (!hb_ports_check_enabled(ports, config->id, error))
		return FALSE;
	if (config->hotplug)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "Bus '%s' does not support hotplugging: start it with hotplug=on", config->id);
	return FALSE;
}

gboolean hb_ports_check_is_none(const HbPorts *ports, const char *id, GError **error)
{
	const HbMachinePort *port = hb_ports_find(ports, id);
	HbSwitch *found = hb_switches_find(ports->switches, id);

	if (found)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '%s' does not support hotplugging: '%s' is a switch, and those "
			    "stay",
			    hb_port_get_id(hb_switch_get_port(found)), id);
	else if (port)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '%s' does not support hotplugging: '%s' is a %s port, and those "
			    "stay",
			    port->options->bus, id,
			    port->options->is_downstream ? "downstream" : "root");
	return !found && !port;
}

/* -- Telling. -- */

static void describe_port(const HbPorts *ports, const HbMachinePort *port, HbMachineDevice *device)
{
	const HbPortConfig *config = &port->options->config;

	*device = (HbMachineDevice){
		.driver = hb_port_options_get_driver(port->options),
		.id = config->id,
		.bus = port->options->bus,
		.devfn = config->devfn,
		.port = port->port,
		.function = hb_port_get_function(port->port),
		.chassis = config->chassis,
		.slot = config->slot,
		.hotplug = config->hotplug,
		.history = port->history,
		.occupant = hb_switches_find_in(ports->switches, config->id),
	};
}

void hb_ports_foreach(const HbPorts *ports, HbMachineDeviceFunc func, gpointer data)
{
	HbMachineDevice device;

	for (guint i = 0; i < ports->list->len; i++) {
		describe_port(ports, g_ptr_array_index(ports->list, i), &device);
		func(&device, data);
	}
	hb_switches_foreach(ports->switches, func, data);
}
