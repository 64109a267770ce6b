/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * -device: root ports on pcie.0 and drives in them, from properties to checked structs. Each device
 * is first read by itself; hb_devices_check() then looks at all of them together, so the order of
 * the flags does not matter. Pure: the host is not looked at.
 */

#include "vmm/device-options.h"

#include <string.h>

#define ROOT_BUS    "pcie.0"
#define HOST_BRIDGE 0x00 /* the device number of Q35's host bridge */
#define LPC_BRIDGE  0x1f /* and of its ISA bridge */
#define N_DEVFNS    256
#define MAX_SLOT    0x1fff /* Physical Slot Number has 13 bits, PCIe r6.0 §7.5.3.9 */
#define WINDOW_UNIT (1ULL << 20)
#define DRIVERS	    "pcie-root-port, vfio-pci"

static void port_free(gpointer data)
{
	HbPortOptions *port = data;

	if (port == NULL)
		return;
	g_free((char *)port->config.id);
	g_free(port);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbPortOptions, port_free)

void hb_drive_options_free(HbDriveOptions *drive)
{
	if (drive == NULL)
		return;
	g_free(drive->id);
	g_free(drive->bus);
	g_free(drive);
}

static void drive_free(gpointer data)
{
	hb_drive_options_free(data);
}

void hb_devices_init(HbDevices *devices)
{
	devices->ports = g_ptr_array_new_with_free_func(port_free);
	devices->drives = g_ptr_array_new_with_free_func(drive_free);
}

void hb_devices_finish(HbDevices *devices)
{
	g_clear_pointer(&devices->ports, g_ptr_array_unref);
	g_clear_pointer(&devices->drives, g_ptr_array_unref);
}

/* QEMU's rule for ids: a letter, then letters, digits and "-._". */
static gboolean check_id(const char *id, GError **error)
{
	if (g_ascii_isalpha(id[0]) &&
	    strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == strlen(id))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "Parameter 'id' expects an identifier, not '%s': use letters, digits, '-', '.' "
		    "and '_', with a letter first",
		    id);
	return FALSE;
}

/* "4", "4.0", "0x4.0x0": device and function, both hexadecimal as everywhere in PCI. */
static gboolean parse_devfn(const char *text, guint8 *devfn, GError **error)
{
	guint64 numbers[2] = { 0, 0 };
	g_auto(GStrv) words = g_strsplit(text, ".", 3);
	guint n = g_strv_length(words);
	gboolean good = n == 1 || n == 2;

	for (guint i = 0; good && i < n; i++) {
		const char *digits = words[i] + (g_str_has_prefix(words[i], "0x") ? 2 : 0);

		good = g_ascii_string_to_unsigned(digits, 16, 0, i ? 7 : 0x1f, &numbers[i], NULL);
	}
	if (!good) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Parameter 'addr' expects DEVICE or DEVICE.FUNCTION in hexadecimal, up "
			    "to 1f.7, not '%s'",
			    text);
		return FALSE;
	}
	*devfn = HB_PCI_DEVFN(numbers[0], numbers[1]);
	return TRUE;
}

static gboolean check_root_bus(HbProperties *properties, GError **error)
{
	const char *bus = hb_properties_take(properties, "bus");

	if (bus == NULL || g_str_equal(bus, ROOT_BUS))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
		    "Bus '%s' not found: a root port sits on bus=" ROOT_BUS, bus);
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

static gboolean read_port_place(HbProperties *properties, HbPortOptions *port, GError **error)
{
	const char *addr = hb_properties_take(properties, "addr");
	guint64 chassis = 0, slot = 0;

	port->has_devfn = addr != NULL;
	if ((addr && !parse_devfn(addr, &port->config.devfn, error)) ||
	    !check_root_bus(properties, error) ||
	    !hb_properties_take_bool(properties, "multifunction", &port->config.multifunction,
				     error) ||
	    !hb_properties_take_uint(properties, "chassis", 0, G_MAXUINT8, &chassis, error) ||
	    !hb_properties_take_uint(properties, "slot", 0, MAX_SLOT, &slot, error))
		return FALSE;
	port->config.chassis = (guint8)chassis;
	port->config.slot = (guint16)slot;
	return TRUE;
}

static gboolean read_port_slot(HbProperties *properties, HbPortConfig *config, GError **error)
{
	const struct {
		const char *name;
		gboolean *value;
	} switches[] = {
		{ "hotplug", &config->hotplug },
		{ "x-attention-button", &config->attention_button },
		{ "x-power-controller", &config->power_controller },
		{ "x-indicators", &config->indicators },
		{ "x-no-command-completed", &config->no_command_completed },
		{ "x-surprise", &config->surprise },
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
					     HB_MACHINE_MAX_TIMEOUT_MS, &timeout, error))
			return FALSE;
		*timeouts[i].value = (guint)timeout;
	}
	return take_window(properties, "mem-reserve", &config->mem32_size, error) &&
	       take_window(properties, "pref64-reserve", &config->mem64_size, error);
}

static HbPortOptions *read_port(HbProperties *properties, GError **error)
{
	g_autoptr(HbPortOptions) port = g_new0(HbPortOptions, 1);
	const char *id;

	hb_port_config_init(&port->config);
	port->config.id = NULL;
	if (!hb_properties_take_required(properties, "id", &id, error) || !check_id(id, error))
		return NULL;
	port->config.id = g_strdup(id);
	if (!read_port_place(properties, port, error) ||
	    !read_port_slot(properties, &port->config, error) ||
	    !hb_properties_finish(properties, "pcie-root-port", error))
		return NULL;
	return g_steal_pointer(&port);
}

static gboolean check_drive_addr(HbProperties *properties, GError **error)
{
	const char *addr = hb_properties_take(properties, "addr");
	guint8 devfn = 0;

	if (addr && !parse_devfn(addr, &devfn, error))
		return FALSE;
	if (devfn == 0)
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_INVALID,
		"Parameter 'addr' is '%s', but a slot has one place: leave it out or say addr=0",
		addr);
	return FALSE;
}

/* A drive without an id gets a name that no id can have. */
static char *drive_name(const char *id, const HbPciAddress *host)
{
	char text[HB_PCI_ADDRESS_STRLEN];

	return id ? g_strdup(id)
		  : g_strconcat("vfio-pci@", hb_pci_address_format(host, text), NULL);
}

static HbDriveOptions *read_drive(HbProperties *properties, GError **error)
{
	g_autoptr(HbDriveOptions) drive = g_new0(HbDriveOptions, 1);
	const char *id = hb_properties_take(properties, "id");
	const char *host, *bus;

	if ((id && !check_id(id, error)) ||
	    !hb_properties_take_required(properties, "host", &host, error) ||
	    !hb_pci_address_parse(host, &drive->host, error) ||
	    !hb_properties_take_required(properties, "bus", &bus, error) ||
	    !check_drive_addr(properties, error) ||
	    !hb_properties_finish(properties, "vfio-pci", error))
		return NULL;
	drive->id = drive_name(id, &drive->host);
	drive->bus = g_strdup(bus);
	return g_steal_pointer(&drive);
}

static gboolean add_port(HbDevices *devices, HbProperties *properties, GError **error)
{
	HbPortOptions *port = read_port(properties, error);

	if (port)
		g_ptr_array_add(devices->ports, port);
	return port != NULL;
}

static gboolean add_drive(HbDevices *devices, HbProperties *properties, GError **error)
{
	HbDriveOptions *drive = read_drive(properties, error);

	if (drive)
		g_ptr_array_add(devices->drives, drive);
	return drive != NULL;
}

gboolean hb_devices_add(HbDevices *devices, HbProperties *properties, GError **error)
{
	const char *driver;
	gboolean good;

	if (!hb_properties_take_required(properties, "driver", &driver, error))
		return FALSE;
	if (g_str_equal(driver, "pcie-root-port")) {
		good = add_port(devices, properties, error);
	} else if (g_str_equal(driver, "vfio-pci")) {
		good = add_drive(devices, properties, error);
	} else {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'%s' is not a valid device model name: there are " DRIVERS, driver);
		return FALSE;
	}
	if (!good)
		g_prefix_error(error, "%s: ", driver);
	return good;
}

HbDriveOptions *hb_drive_options_from_json(JsonObject *object, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_from_json(object, error);
	const char *driver;

	if (properties == NULL ||
	    !hb_properties_take_required(properties, "driver", &driver, error))
		return NULL;
	if (g_str_equal(driver, "vfio-pci"))
		return read_drive(properties, error);
	if (g_str_equal(driver, "pcie-root-port"))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '" ROOT_BUS "' does not support hotplugging: give root ports with "
			    "-device at start");
	else
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'%s' is not a valid device model name: only vfio-pci can be added",
			    driver);
	return NULL;
}

/* -- What only all flags together show. -- */

static gboolean claim_id(GHashTable *ids, const char *id, GError **error)
{
	if (g_hash_table_add(ids, (gpointer)id))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "Duplicate device ID '%s': ids are unique in a machine", id);
	return FALSE;
}

static gboolean check_ids(const HbDevices *devices, GError **error)
{
	g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < devices->ports->len; i++) {
		HbPortOptions *port = g_ptr_array_index(devices->ports, i);

		if (!claim_id(ids, port->config.id, error))
			return FALSE;
	}
	for (guint i = 0; i < devices->drives->len; i++) {
		HbDriveOptions *drive = g_ptr_array_index(devices->drives, i);

		if (!claim_id(ids, drive->id, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean is_taken_device(HbPortOptions *const *by_devfn, guint device)
{
	for (guint function = 0; function < 8; function++) {
		if (by_devfn[HB_PCI_DEVFN(device, function)])
			return TRUE;
	}
	return device == HOST_BRIDGE || device == LPC_BRIDGE;
}

static gboolean claim_devfn(HbPortOptions **by_devfn, HbPortOptions *port, GError **error)
{
	guint device = HB_PCI_DEVICE(port->config.devfn);
	HbPortOptions *other = by_devfn[port->config.devfn];

	if (other || device == HOST_BRIDGE || device == LPC_BRIDGE) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "pcie-root-port %s: addr=%x.%x is taken by %s: choose another",
			    port->config.id, device, HB_PCI_FUNCTION(port->config.devfn),
			    other		    ? other->config.id
			    : device == HOST_BRIDGE ? "the host bridge"
						    : "the LPC bridge");
		return FALSE;
	}
	by_devfn[port->config.devfn] = port;
	return TRUE;
}

/* Ports without addr= get function 0 of the lowest free device, as QEMU gives it. */
static gboolean place_port(HbPortOptions **by_devfn, HbPortOptions *port, GError **error)
{
	for (guint device = 0; device < 32; device++) {
		if (is_taken_device(by_devfn, device))
			continue;
		port->config.devfn = HB_PCI_DEVFN(device, 0);
		by_devfn[port->config.devfn] = port;
		return TRUE;
	}
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "pcie-root-port %s: " ROOT_BUS
		    " has no free device: put several ports into one "
		    "with addr=DEVICE.FUNCTION,multifunction=on",
		    port->config.id);
	return FALSE;
}

/* A guest looks for functions 1 to 7 only if function 0 says that there are some. */
static gboolean check_function(HbPortOptions *const *by_devfn, const HbPortOptions *port,
			       GError **error)
{
	guint device = HB_PCI_DEVICE(port->config.devfn);
	const HbPortOptions *first = by_devfn[HB_PCI_DEVFN(device, 0)];

	if (port == first || (first && first->config.multifunction))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "pcie-root-port %s: no guest finds addr=%x.%x unless a port at addr=%x.0 has "
		    "multifunction=on",
		    port->config.id, device, HB_PCI_FUNCTION(port->config.devfn), device);
	return FALSE;
}

static gboolean check_places(HbDevices *devices, GError **error)
{
	HbPortOptions *by_devfn[N_DEVFNS] = { NULL };
	HbPortOptions **ports = (HbPortOptions **)devices->ports->pdata;
	guint n = devices->ports->len;

	for (guint i = 0; i < n; i++) {
		if (ports[i]->has_devfn && !claim_devfn(by_devfn, ports[i], error))
			return FALSE;
	}
	for (guint i = 0; i < n; i++) {
		if (!ports[i]->has_devfn && !place_port(by_devfn, ports[i], error))
			return FALSE;
	}
	for (guint i = 0; i < n; i++) {
		if (!check_function(by_devfn, ports[i], error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_slot_numbers(const HbDevices *devices, GError **error)
{
	for (guint i = 0; i < devices->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(devices->ports, i);

		for (guint j = 0; j < i; j++) {
			const HbPortOptions *other = g_ptr_array_index(devices->ports, j);

			if (other->config.chassis != port->config.chassis ||
			    other->config.slot != port->config.slot)
				continue;
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "pcie-root-port %s: chassis=%u,slot=%u is taken by %s: give "
				    "each port its own",
				    port->config.id, port->config.chassis, port->config.slot,
				    other->config.id);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean has_port(const HbDevices *devices, const char *id)
{
	for (guint i = 0; i < devices->ports->len; i++) {
		const HbPortOptions *port = g_ptr_array_index(devices->ports, i);

		if (g_str_equal(port->config.id, id))
			return TRUE;
	}
	return FALSE;
}

static gboolean check_drives(const HbDevices *devices, GError **error)
{
	g_autoptr(GHashTable) occupied = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < devices->drives->len; i++) {
		HbDriveOptions *drive = g_ptr_array_index(devices->drives, i);
		HbDriveOptions *other = g_hash_table_lookup(occupied, drive->bus);

		if (!has_port(devices, drive->bus)) {
			g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
				    "vfio-pci: Bus '%s' not found: name the id of a "
				    "pcie-root-port",
				    drive->bus);
			return FALSE;
		}
		if (other) {
			g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
				    "vfio-pci: Bus '%s' is occupied by '%s': a slot holds one "
				    "drive",
				    drive->bus, other->id);
			return FALSE;
		}
		g_hash_table_insert(occupied, drive->bus, drive);
	}
	if (devices->drives->len <= HB_VFIO_MAX_DRIVES)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "vfio-pci: %u drives given, but a VM may have %u: leave some out",
		    devices->drives->len, HB_VFIO_MAX_DRIVES);
	return FALSE;
}

static gint compare_ports(gconstpointer a, gconstpointer b)
{
	const HbPortOptions *first = *(HbPortOptions *const *)a;
	const HbPortOptions *second = *(HbPortOptions *const *)b;

	return (gint)first->config.devfn - (gint)second->config.devfn;
}

gboolean hb_devices_check(HbDevices *devices, GError **error)
{
	if (!check_ids(devices, error) || !check_places(devices, error) ||
	    !check_slot_numbers(devices, error) || !check_drives(devices, error))
		return FALSE;
	g_ptr_array_sort(devices->ports, compare_ports);
	return TRUE;
}
