/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * -device: what only all flags together show. Names must be unique and lead somewhere, each place
 * is taken once, and the whole is a tree:
 *
 *   pcie.0 --- pcie-root-port --- x3130-upstream --- xio3130-downstream --- vfio-pci
 *                 depth 0             depth 1              depth 1
 *
 * The depth of a device follows from what it sits in. One that gets none sits in itself.
 */

#include "options/device-options.h"

#include "options/names.h"

#include <hotbay/error.h>
#include <hotbay/switch.h>
#include <hotbay/vfio.h>

#include <string.h>

#define N_DEVFNS 256
#define NO_DEPTH G_MAXUINT

/* -- Names. -- */

static HbPortOptions *find_port(const HbDeviceOptions *options, const char *id)
{
	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (g_str_equal(port->config.id, id))
			return port;
	}
	return NULL;
}

static HbSwitchOptions *find_switch(const HbDeviceOptions *options, const char *id)
{
	for (guint i = 0; i < options->switches->len; i++) {
		HbSwitchOptions *self = g_ptr_array_index(options->switches, i);

		if (g_str_equal(self->id, id))
			return self;
	}
	return NULL;
}

/* Puts "vfio-pci d0: " before a message. What a drive without an id is called says its driver. */
static void prefix_device(GError **error, const char *driver, const char *id)
{
	if (strchr(id, HB_NAMES_NO_ID))
		g_prefix_error(error, "%s: ", id);
	else
		g_prefix_error(error, "%s %s: ", driver, id);
}

static gboolean claim_id(GHashTable *ids, const char *driver, const char *id, GError **error)
{
	if (g_hash_table_add(ids, (gpointer)id))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "Duplicate device ID '%s': ids are unique in a machine", id);
	prefix_device(error, driver, id);
	return FALSE;
}

static gboolean check_ids(const HbDeviceOptions *options, GError **error)
{
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (!claim_id(ids, hb_port_options_get_driver(port), port->config.id, error))
			return FALSE;
	}
	for (guint i = 0; i < options->switches->len; i++) {
		HbSwitchOptions *self = g_ptr_array_index(options->switches, i);

		if (!claim_id(ids, HB_NAMES_UPSTREAM, self->id, error))
			return FALSE;
	}
	for (guint i = 0; i < options->drives->len; i++) {
		HbDriveOptions *drive = g_ptr_array_index(options->drives, i);

		if (!claim_id(ids, HB_NAMES_DRIVE, drive->id, error))
			return FALSE;
	}
	return TRUE;
}

/* -- What sits in a slot. -- */

/* The device @id goes into the slot of the port @bus. */
static gboolean claim_slot(const HbDeviceOptions *options, GHashTable *occupied, const char *driver,
			   const char *id, const char *bus, GError **error)
{
	const char *other = g_hash_table_lookup(occupied, bus);

	if (find_switch(options, bus))
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "Bus '%s' is inside a switch: name one of its xio3130-downstream ports",
			    bus);
	else if (!find_port(options, bus))
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "Bus '%s' not found: name the id of a pcie-root-port or "
			    "xio3130-downstream",
			    bus);
	else if (other)
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "Bus '%s' is occupied by '%s': a slot holds one device", bus, other);
	else
		return g_hash_table_insert(occupied, (gpointer)bus, (gpointer)id);
	prefix_device(error, driver, id);
	return FALSE;
}

static gboolean take_hotplug(HbPortOptions *port, const HbSwitchOptions *self, GError **error)
{
	port->config.hotplug = FALSE;
	if (!port->host_slot)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "%s %s: host-slot is for a slot that takes drives, and this one holds the "
		    "switch '%s': bind the switch's ports",
		    hb_port_options_get_driver(port), port->config.id, self->id);
	return FALSE;
}

static gboolean check_slots(const HbDeviceOptions *options, GError **error)
{
	g_autoptr(GHashTable) occupied = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < options->switches->len; i++) {
		HbSwitchOptions *self = g_ptr_array_index(options->switches, i);

		if (!claim_slot(options, occupied, HB_NAMES_UPSTREAM, self->id, self->bus, error))
			return FALSE;
		if (!take_hotplug(find_port(options, self->bus), self, error))
			return FALSE;
	}
	for (guint i = 0; i < options->drives->len; i++) {
		HbDriveOptions *drive = g_ptr_array_index(options->drives, i);

		if (!claim_slot(options, occupied, HB_NAMES_DRIVE, drive->id, drive->bus, error))
			return FALSE;
	}
	if (options->drives->len <= HB_VFIO_MAX_DRIVES)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "vfio-pci: %u drives given, but a VM may have %u: leave some out",
		    options->drives->len, HB_VFIO_MAX_DRIVES);
	return FALSE;
}

/* -- The tree. -- */

static gboolean check_switch_buses(const HbDeviceOptions *options, GError **error)
{
	for (guint i = 0; i < options->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (!port->is_downstream || find_switch(options, port->bus))
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "xio3130-downstream %s: Bus '%s' not found: name the id of an "
			    "x3130-upstream",
			    port->config.id, port->bus);
		return FALSE;
	}
	return TRUE;
}

/* Gives depths to those whose place has one; whether there were any. */
static gboolean spread_depths(const HbDeviceOptions *options)
{
	gboolean spread = FALSE;

	for (guint i = 0; i < options->switches->len; i++) {
		HbSwitchOptions *self = g_ptr_array_index(options->switches, i);
		guint depth = find_port(options, self->bus)->depth;

		if (self->depth != NO_DEPTH || depth == NO_DEPTH)
			continue;
		self->depth = depth + 1;
		spread = TRUE;
	}
	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (port->is_downstream)
			port->depth = find_switch(options, port->bus)->depth;
	}
	return spread;
}

static gboolean check_depths(const HbDeviceOptions *options, GError **error)
{
	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);

		port->depth = port->is_downstream ? NO_DEPTH : 0;
	}
	for (guint i = 0; i < options->switches->len; i++)
		((HbSwitchOptions *)g_ptr_array_index(options->switches, i))->depth = NO_DEPTH;
	while (spread_depths(options))
		continue;
	for (guint i = 0; i < options->switches->len; i++) {
		const HbSwitchOptions *self = g_ptr_array_index(options->switches, i);

		if (self->depth <= HB_SWITCH_MAX_DEPTH)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    self->depth == NO_DEPTH
				    ? "x3130-upstream %s: Bus '%s' is below it: name a port that "
				      "is not"
				    : "x3130-upstream %s: there are too many switches between bus "
				      "'%s' and " HB_ROOT_BUS ": use a port closer to it",
			    self->id, self->bus);
		return FALSE;
	}
	return TRUE;
}

/* -- Places on a bus. -- */

typedef struct Bus {
	const char *name;
	char *const *reserved; /* by device; NULL: none is */
	HbPortOptions *by_devfn[N_DEVFNS];
} Bus;

/* (nullable): whose the device is, if ports cannot have it. */
static const char *get_holder(const Bus *bus, guint device)
{
	return bus->reserved ? bus->reserved[device] : NULL;
}

static gboolean is_taken_device(const Bus *bus, guint device)
{
	for (guint function = 0; function < 8; function++) {
		if (bus->by_devfn[HB_PCI_DEVFN(device, function)])
			return TRUE;
	}
	return get_holder(bus, device) != NULL;
}

static gboolean claim_devfn(Bus *bus, HbPortOptions *port, GError **error)
{
	guint device = HB_PCI_DEVICE(port->config.devfn);
	const HbPortOptions *other = bus->by_devfn[port->config.devfn];
	const char *holder = other ? other->config.id : get_holder(bus, device);

	if (holder) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "%s %s: addr=%x.%x is taken by %s: choose another",
			    hb_port_options_get_driver(port), port->config.id, device,
			    HB_PCI_FUNCTION(port->config.devfn), holder);
		return FALSE;
	}
	bus->by_devfn[port->config.devfn] = port;
	return TRUE;
}

/* Ports without addr= get function 0 of the lowest free device, as QEMU gives it. */
static gboolean place_port(Bus *bus, HbPortOptions *port, GError **error)
{
	for (guint device = 0; device < 32; device++) {
		if (is_taken_device(bus, device))
			continue;
		port->config.devfn = HB_PCI_DEVFN(device, 0);
		bus->by_devfn[port->config.devfn] = port;
		return TRUE;
	}
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "%s %s: %s has no free device: put several ports into one with "
		    "addr=DEVICE.FUNCTION,multifunction=on",
		    hb_port_options_get_driver(port), port->config.id, bus->name);
	return FALSE;
}

/* A guest looks for functions 1 to 7 only if function 0 says that there are some. */
static gboolean check_function(const Bus *bus, const HbPortOptions *port, GError **error)
{
	guint device = HB_PCI_DEVICE(port->config.devfn);
	const HbPortOptions *first = bus->by_devfn[HB_PCI_DEVFN(device, 0)];

	if (port == first || (first && first->config.multifunction))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "%s %s: no guest finds addr=%x.%x unless a port at addr=%x.0 has "
		    "multifunction=on",
		    hb_port_options_get_driver(port), port->config.id, device,
		    HB_PCI_FUNCTION(port->config.devfn), device);
	return FALSE;
}

typedef gboolean (*PortCheck)(Bus *bus, HbPortOptions *port, GError **error);

/* For the ports of a bus that were given an address, or were not. */
static gboolean for_ports(HbDeviceOptions *options, Bus *bus, gboolean has_devfn, PortCheck check,
			  GError **error)
{
	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (g_str_equal(port->bus, bus->name) && port->has_devfn == has_devfn &&
		    !check(bus, port, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_bus(HbDeviceOptions *options, const char *name, char *const *reserved,
			  GError **error)
{
	Bus bus = { .name = name, .reserved = reserved };

	if (!for_ports(options, &bus, TRUE, claim_devfn, error) ||
	    !for_ports(options, &bus, FALSE, place_port, error))
		return FALSE;
	for (guint i = 0; i < N_DEVFNS; i++) {
		if (bus.by_devfn[i] && !check_function(&bus, bus.by_devfn[i], error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_places(HbDeviceOptions *options, GError **error)
{
	if (!check_bus(options, HB_ROOT_BUS, options->reserved, error))
		return FALSE;
	for (guint i = 0; i < options->switches->len; i++) {
		const HbSwitchOptions *self = g_ptr_array_index(options->switches, i);

		if (!check_bus(options, self->id, NULL, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_slot_numbers(const HbDeviceOptions *options, GError **error)
{
	for (guint i = 0; i < options->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(options->ports, i);

		for (guint j = 0; j < i; j++) {
			const HbPortOptions *other = g_ptr_array_index(options->ports, j);

			if (other->config.chassis != port->config.chassis ||
			    other->config.slot != port->config.slot)
				continue;
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "%s %s: chassis=%u,slot=%u is taken by %s: give each port its "
				    "own",
				    hb_port_options_get_driver(port), port->config.id,
				    port->config.chassis, port->config.slot, other->config.id);
			return FALSE;
		}
	}
	return TRUE;
}

/* Two names can still mean one slot of the host: hb_bays_claim() finds that. */
static gboolean check_host_slots(const HbDeviceOptions *options, GError **error)
{
	g_autoptr(GHashTable) by_slot = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);
		const char *other =
			port->host_slot ? g_hash_table_lookup(by_slot, port->host_slot) : NULL;

		if (other) {
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "%s %s: host-slot=%s is bound to %s: give each port its own",
				    hb_port_options_get_driver(port), port->config.id,
				    port->host_slot, other);
			return FALSE;
		}
		if (port->host_slot)
			g_hash_table_insert(by_slot, port->host_slot, (gpointer)port->config.id);
	}
	return TRUE;
}

/* -- All of it. -- */

static gint compare_ports(gconstpointer a, gconstpointer b)
{
	const HbPortOptions *first = *(HbPortOptions *const *)a;
	const HbPortOptions *second = *(HbPortOptions *const *)b;
	gint bus = strcmp(first->bus, second->bus);

	if (first->depth != second->depth)
		return first->depth < second->depth ? -1 : 1;
	return bus ? bus : (gint)first->config.devfn - (gint)second->config.devfn;
}

gboolean hb_device_options_check(HbDeviceOptions *options, GError **error)
{
	if (!check_ids(options, error) || !check_switch_buses(options, error) ||
	    !check_places(options, error) || !check_slot_numbers(options, error) ||
	    !check_slots(options, error) || !check_host_slots(options, error) ||
	    !check_depths(options, error))
		return FALSE;
	g_ptr_array_sort(options->ports, compare_ports);
	return TRUE;
}

gboolean hb_device_options_have_hotplug(const HbDeviceOptions *options)
{
	for (guint i = 0; i < options->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (port->config.hotplug)
			return TRUE;
	}
	return FALSE;
}

/* A drive that is pushed into the host cannot be added then. */
static gboolean check_auto_add(const HbDeviceOptions *options, GError **error)
{
	for (guint i = 0; i < options->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(options->ports, i);

		if (port->auto_add != HB_AUTO_ADD_ON)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s %s: auto-add=on does not go with slots that take no drives: leave "
			    "one of the two out",
			    hb_port_options_get_driver(port), port->config.id);
		return FALSE;
	}
	return TRUE;
}

gboolean hb_device_options_disable_hotplug(HbDeviceOptions *options, GError **error)
{
	if (!check_auto_add(options, error))
		return FALSE;
	for (guint i = 0; i < options->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(options->ports, i);

		port->config.hotplug = FALSE;
	}
	return TRUE;
}

/* @by_number: of ports: a slot's number is all that ACPI calls it by (_SUN), there is no chassis */
static gboolean check_acpi_port(const HbPortOptions *port, GHashTable *by_number, GError **error)
{
	gpointer number = GUINT_TO_POINTER((guint)port->config.slot);
	const HbPortOptions *other = g_hash_table_lookup(by_number, number);

	if (port->host_leds)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s %s: host-leds=on shows a native slot's indicators, and with ACPI "
			    "hot-plug there are none: leave one of the two out",
			    hb_port_options_get_driver(port), port->config.id);
	else if (port->config.hotplug && other)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s %s: with ACPI hot-plug slots have no chassis, and %s is slot %u "
			    "too: give each its own slot=",
			    hb_port_options_get_driver(port), port->config.id, other->config.id,
			    port->config.slot);
	else
		return !port->config.hotplug ||
		       g_hash_table_insert(by_number, number, (gpointer)port);
	return FALSE;
}

gboolean hb_device_options_check_acpi(const HbDeviceOptions *options, GError **error)
{
	g_autoptr(GHashTable) by_number = g_hash_table_new(NULL, NULL);

	if (options->switches->len) {
		const HbSwitchOptions *self = g_ptr_array_index(options->switches, 0);

		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    HB_NAMES_UPSTREAM
			    " %s: ACPI hot-plug is for root ports' slots, and those of switches "
			    "are native only: leave one of the two out",
			    self->id);
		return FALSE;
	}
	for (guint i = 0; i < options->ports->len; i++) {
		if (!check_acpi_port(g_ptr_array_index(options->ports, i), by_number, error))
			return FALSE;
	}
	return TRUE;
}

guint hb_device_options_count_buses(const HbDeviceOptions *options)
{
	guint n = options->switches->len;

	for (guint i = 0; i < options->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(options->ports, i);

		n += 1u + port->config.reserved_buses;
	}
	return n;
}
