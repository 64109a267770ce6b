/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * -device: ports, switches and drives, from properties to structs. Each device is read by itself;
 * vmm/device-check.c then looks at all of them together, so the order of the flags does not matter.
 * Pure: the host is not looked at.
 */

#include "vmm/device-options.h"

#include <string.h>

#define ROOT_PORT   "pcie-root-port"
#define UPSTREAM    "x3130-upstream"
#define DOWNSTREAM  "xio3130-downstream"
#define DRIVE	    "vfio-pci"
#define DRIVERS	    ROOT_PORT ", " UPSTREAM ", " DOWNSTREAM ", " DRIVE
#define MAX_SLOT    0x1fff /* Physical Slot Number has 13 bits, PCIe r6.0 §7.5.3.9 */
#define WINDOW_UNIT (1ULL << 20)

#define IOMMU_REASON                                                                               \
	"a guest's IOMMU does not go with hot-plug passthrough, for which all guest memory is "    \
	"mapped: leave it out"
#define MEMORY_REASON                                                                              \
	"memory hot-plug does not go with hot-plug passthrough, for which all guest memory is "    \
	"reserved at the start: give it with -m"

static void port_free(gpointer data)
{
	HbPortOptions *port = data;

	if (port == NULL)
		return;
	g_free((char *)port->config.id);
	g_free(port->bus);
	g_free(port->host_slot);
	g_free(port);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbPortOptions, port_free)

static void switch_free(gpointer data)
{
	HbSwitchOptions *options = data;

	if (options == NULL)
		return;
	g_free(options->id);
	g_free(options->bus);
	g_free(options);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbSwitchOptions, switch_free)

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
	devices->switches = g_ptr_array_new_with_free_func(switch_free);
	devices->drives = g_ptr_array_new_with_free_func(drive_free);
}

void hb_devices_finish(HbDevices *devices)
{
	g_clear_pointer(&devices->ports, g_ptr_array_unref);
	g_clear_pointer(&devices->switches, g_ptr_array_unref);
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

const char *hb_port_options_get_driver(const HbPortOptions *port)
{
	return port->is_downstream ? DOWNSTREAM : ROOT_PORT;
}

/* A downstream port names its switch, which hb_devices_check() looks for. */
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
	if ((addr && !parse_devfn(addr, &port->config.devfn, error)) ||
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
					     HB_MACHINE_MAX_TIMEOUT_MS, &timeout, error))
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

static HbPortOptions *read_port(HbProperties *properties, gboolean is_downstream, GError **error)
{
	g_autoptr(HbPortOptions) port = g_new0(HbPortOptions, 1);
	const char *id;

	hb_port_config_init(&port->config);
	port->config.id = NULL;
	port->is_downstream = is_downstream;
	if (!hb_properties_take_required(properties, "id", &id, error) || !check_id(id, error))
		return NULL;
	port->config.id = g_strdup(id);
	if (!read_port_place(properties, port, error) ||
	    !read_port_slot(properties, &port->config, error) ||
	    !read_bay(properties, port, error) ||
	    !hb_properties_finish(properties, hb_port_options_get_driver(port), error))
		return NULL;
	return g_steal_pointer(&port);
}

static gboolean check_slot_addr(HbProperties *properties, GError **error)
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
	    !check_slot_addr(properties, error) ||
	    !hb_properties_finish(properties, "vfio-pci", error))
		return NULL;
	drive->id = drive_name(id, &drive->host);
	drive->bus = g_strdup(bus);
	return g_steal_pointer(&drive);
}

static HbSwitchOptions *read_switch(HbProperties *properties, GError **error)
{
	g_autoptr(HbSwitchOptions) options = g_new0(HbSwitchOptions, 1);
	const char *id, *bus;
	gboolean multifunction = FALSE;

	if (!hb_properties_take_required(properties, "id", &id, error) || !check_id(id, error) ||
	    !hb_properties_take_required(properties, "bus", &bus, error) ||
	    !check_slot_addr(properties, error) ||
	    !hb_properties_take_bool(properties, "multifunction", &multifunction, error) ||
	    !hb_properties_finish(properties, UPSTREAM, error))
		return NULL;
	options->id = g_strdup(id);
	options->bus = g_strdup(bus);
	if (!multifunction)
		return g_steal_pointer(&options);
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "%s: multifunction=on is not supported: a slot has one place", id);
	return NULL;
}

static gboolean add_switch(HbDevices *devices, HbProperties *properties, GError **error)
{
	HbSwitchOptions *options = read_switch(properties, error);

	if (options)
		g_ptr_array_add(devices->switches, options);
	return options != NULL;
}

static gboolean add_port(HbDevices *devices, HbProperties *properties, gboolean is_downstream,
			 GError **error)
{
	HbPortOptions *port = read_port(properties, is_downstream, error);

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

/* What does not go with drives that come and go, by the names that QEMU has for it. */
static const struct {
	const char *pattern;
	const char *reason;
} excluded[] = {
	{ "*-iommu", IOMMU_REASON },
	{ "*-iommu-pci", IOMMU_REASON },
	{ "*-iommu-device", IOMMU_REASON },
	{ "pc-dimm", MEMORY_REASON },
	{ "nvdimm", MEMORY_REASON },
	{ "virtio-mem-pci*", MEMORY_REASON },
	{ "virtio-pmem-pci*", MEMORY_REASON },
	{ "*-x86_64-cpu", "CPU hot-plug does not go with hot-plug passthrough: give all vCPUs with "
			  "-smp" },
};

/* @remedy: for those of which nothing is known */
static void refuse_driver(const char *driver, const char *remedy, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(excluded); i++) {
		if (!g_pattern_match_simple(excluded[i].pattern, driver))
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "'%s' is not supported: %s",
			    driver, excluded[i].reason);
		return;
	}
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "'%s' is not a valid device model name: %s", driver, remedy);
}

gboolean hb_devices_add(HbDevices *devices, HbProperties *properties, GError **error)
{
	const char *driver;
	gboolean good;

	if (!hb_properties_take_required(properties, "driver", &driver, error))
		return FALSE;
	if (g_str_equal(driver, ROOT_PORT) || g_str_equal(driver, DOWNSTREAM)) {
		good = add_port(devices, properties, g_str_equal(driver, DOWNSTREAM), error);
	} else if (g_str_equal(driver, UPSTREAM)) {
		good = add_switch(devices, properties, error);
	} else if (g_str_equal(driver, DRIVE)) {
		good = add_drive(devices, properties, error);
	} else {
		refuse_driver(driver, "there are " DRIVERS, error);
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
	if (g_str_equal(driver, DRIVE))
		return read_drive(properties, error);
	if (g_str_equal(driver, ROOT_PORT))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '" HB_ROOT_BUS "' does not support hotplugging: give root ports "
			    "with -device at start");
	else if (g_str_equal(driver, UPSTREAM) || g_str_equal(driver, DOWNSTREAM))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Switches do not support hotplugging: give '%s' with -device at start",
			    driver);
	else
		refuse_driver(driver, "only vfio-pci can be added", error);
	return NULL;
}
