/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Ports: pcie-root-port and xio3130-downstream. Each names its place, its slot's registers and
 * times, its windows, and the slot of the host behind it.
 */

#include "options/port-options.h"

#include "options/names.h"

#include <hotbay/error.h>

#define MAX_SLOT    0x1fff /* Physical Slot Number has 13 bits, PCIe r6.0 §7.5.3.9 */
#define WINDOW_UNIT (1ULL << 20)

void hb_port_options_free(HbPortOptions *port)
{
	if (port == NULL)
		return;
	g_free((char *)port->config.id);
	g_free(port->bus);
	g_free(port->host_slot);
	g_free(port);
}

const char *hb_port_options_get_driver(const HbPortOptions *port)
{
	return port->is_downstream ? HB_NAMES_DOWNSTREAM : HB_NAMES_ROOT_PORT;
}

/* A downstream port names its switch, which hb_device_options_check() looks for. */
static gboolean read_bus(HbProperties *properties, HbPortOptions *port, GError **error)
{
	const char *bus = HB_ROOT_BUS;

	if (port->is_downstream && !hb_properties_take_required(properties, "bus", &bus, error))
		return FALSE;
	if (!port->is_downstream)
		bus = hb_properties_take(properties, "bus");
	port->bus = g_strdup(bus ? bus : HB_ROOT_BUS);
	if (port->is_downstream || g_str_equal(port->bus, HB_ROOT_BUS))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
		    "Bus '%s' not found: a root port sits on bus=" HB_ROOT_BUS, bus);
	return FALSE;
}

static gboolean take_window(HbProperties *properties, const char *name, guint64 *size,
			    GError **error)
{
	if (!hb_properties_take_size(properties, name, 'B', size, error))
		return FALSE;
	if (*size % WINDOW_UNIT == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "Parameter '%s' must be a multiple of 1M",
		    name);
	return FALSE;
}

/* QEMU's windows that are not there are not asked for; 0 says so. */
static gboolean refuse_window(HbProperties *properties, const char *name, const char *reason,
			      GError **error)
{
	guint64 size = 0;

	if (!hb_properties_take_size(properties, name, 'B', &size, error))
		return FALSE;
	if (size == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "Parameter '%s' is not supported: %s: leave it out", name, reason);
	return FALSE;
}

static gboolean read_reserves(HbProperties *properties, HbPortConfig *config, GError **error)
{
	guint64 buses = 0;

	if (!take_window(properties, "mem-reserve", &config->mem32_size, error) ||
	    !take_window(properties, "pref64-reserve", &config->mem64_size, error) ||
	    !refuse_window(properties, "pref32-reserve",
			   "a port has one prefetchable window, that of pref64-reserve", error) ||
	    !refuse_window(properties, "io-reserve", "NVMe drives have no I/O ports", error) ||
	    !hb_properties_take_uint(properties, "bus-reserve", 0, G_MAXUINT8, &buses, error))
		return FALSE;
	config->reserved_buses = (guint8)buses;
	return TRUE;
}

static gboolean read_port_place(HbProperties *properties, HbPortOptions *port, GError **error)
{
	const char *addr = hb_properties_take(properties, "addr");
	guint64 chassis = 0, slot = 0;

	port->has_devfn = addr != NULL;
	if ((addr && !hb_names_parse_devfn(addr, &port->config.devfn, error)) ||
	    !read_bus(properties, port, error) ||
	    !hb_properties_take_bool(properties, "multifunction", &port->config.multifunction,
				     error) ||
	    !hb_properties_take_uint(properties, "chassis", 0, G_MAXUINT8, &chassis, error) ||
	    !hb_properties_take_uint(properties, "slot", 0, MAX_SLOT, &slot, error))
		return FALSE;
	port->config.chassis = (guint8)chassis;
	port->config.slot = (guint16)slot;
	return TRUE;
}

/* One of @choices; where it stands among them replaces @index. */
static gboolean take_choice(HbProperties *properties, const char *name, const char *const *choices,
			    guint *index, GError **error)
{
	const char *text = hb_properties_take(properties, name);

	if (text == NULL)
		return TRUE;
	for (guint i = 0; choices[i]; i++) {
		if (g_str_equal(choices[i], text)) {
			*index = i;
			return TRUE;
		}
	}
	g_autofree char *list = g_strjoinv(", ", (char **)choices);
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "Parameter '%s' expects one of %s, not '%s'",
		    name, list, text);
	return FALSE;
}

/* QEMU's names and values (QEMU hw/core/qdev-properties-system.c). */
static gboolean read_port_link(HbProperties *properties, HbPortConfig *config, GError **error)
{
	static const char *const speeds[] = { "2_5", "5", "8", "16", "32", "64", NULL };
	static const char *const widths[] = { "1", "2", "4", "8", "12", "16", "32", NULL };
	guint speed = config->link.speed - HB_LINK_SPEED_2_5_GT, width = G_MAXUINT;
	guint64 watts = config->slot_power_limit;

	if (!take_choice(properties, "x-speed", speeds, &speed, error) ||
	    !take_choice(properties, "x-width", widths, &width, error) ||
	    !hb_properties_take_uint(properties, "slot-power-limit", 0, HB_SLOT_POWER_LIMIT_MAX,
				     &watts, error))
		return FALSE;
	config->link.speed = (guint8)(HB_LINK_SPEED_2_5_GT + speed);
	if (width != G_MAXUINT)
		config->link.width = (guint8)g_ascii_strtoull(widths[width], NULL, 10);
	config->slot_power_limit = (guint)watts;
	return TRUE;
}

static gboolean read_port_slot(HbProperties *properties, HbPortConfig *config, GError **error)
{
	const struct {
		const char *name;
		gboolean *value;
	} switches[] = {
		{ "hotplug", &config->hotplug },
		{ "attention-button", &config->attention_button },
		{ "power-controller", &config->power_controller },
		{ "indicators", &config->indicators },
		{ "no-command-completed", &config->no_command_completed },
		{ "surprise", &config->surprise },
		{ "guest-eject", &config->guest_eject },
	};
	const struct {
		const char *name;
		guint *value;
	} timeouts[] = {
		{ "x-removal-timeout-ms", &config->removal_timeout_ms },
		{ "x-host-removal-timeout-ms", &config->host_removal_timeout_ms },
		{ "x-acknowledge-timeout-ms", &config->acknowledge_timeout_ms },
	};

	for (guint i = 0; i < G_N_ELEMENTS(switches); i++) {
		if (!hb_properties_take_bool(properties, switches[i].name, switches[i].value,
					     error))
			return FALSE;
	}
	for (guint i = 0; i < G_N_ELEMENTS(timeouts); i++) {
		guint64 timeout = *timeouts[i].value;

		if (!hb_properties_take_uint(properties, timeouts[i].name, 0,
					     HB_OPTIONS_MAX_TIMEOUT_MS, &timeout, error))
			return FALSE;
		*timeouts[i].value = (guint)timeout;
	}
	return read_port_link(properties, config, error) &&
	       read_reserves(properties, config, error);
}

static const char *const auto_adds[] = { "off", "passthrough", "on", NULL };

const char *hb_auto_add_to_str(HbAutoAdd auto_add)
{
	return auto_adds[auto_add];
}

static gboolean check_bay(const HbPortOptions *port, GError **error)
{
	const HbPortConfig *config = &port->config;

	if (!port->host_slot && (port->auto_add || port->host_leds))
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: '%s' needs a slot of the host: add host-slot=NAME", config->id,
			    port->auto_add ? "auto-add" : "host-leds");
	else if (port->host_slot && !port->host_slot[0])
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: Parameter 'host-slot' is empty: `hotbayctl bays` lists the names",
			    config->id);
	else if (port->auto_add == HB_AUTO_ADD_ON && !config->hotplug)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: auto-add=on is for a slot with hotplug=on", config->id);
	else if (port->host_leds && !config->indicators)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: host-leds=on shows the slot's indicators: leave indicators=on",
			    config->id);
	else
		return TRUE;
	return FALSE;
}

/* The slot of the host behind it, which is looked for when the machine is made. */
static gboolean read_bay(HbProperties *properties, HbPortOptions *port, GError **error)
{
	guint auto_add = HB_AUTO_ADD_OFF;

	port->host_slot = g_strdup(hb_properties_take(properties, "host-slot"));
	if (!take_choice(properties, "auto-add", auto_adds, &auto_add, error) ||
	    !hb_properties_take_bool(properties, "host-leds", &port->host_leds, error))
		return FALSE;
	port->auto_add = (HbAutoAdd)auto_add;
	return check_bay(port, error);
}

HbPortOptions *hb_port_options_read(HbProperties *properties, gboolean is_downstream,
				    GError **error)
{
	g_autoptr(HbPortOptions) port = g_new0(HbPortOptions, 1);
	const char *id;

	hb_port_config_init(&port->config);
	port->config.id = NULL;
	port->is_downstream = is_downstream;
	if (!hb_properties_take_required(properties, "id", &id, error) ||
	    !hb_names_check_id(id, error))
		return NULL;
	port->config.id = g_strdup(id);
	if (!read_port_place(properties, port, error) ||
	    !read_port_slot(properties, &port->config, error) ||
	    !read_bay(properties, port, error) ||
	    !hb_properties_finish(properties, hb_port_options_get_driver(port), error))
		return NULL;
	return g_steal_pointer(&port);
}
