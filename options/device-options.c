/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * -device: ports, switches and drives, from properties to structs. Each device is read by itself;
 * options/device-check.c then looks at all of them together, so the order of the flags does not
 * matter.
 */

#include "options/device-options.h"

#include "options/names.h"
#include "options/port-options.h"

#include <hotbay/error.h>

#define HOST_BRIDGE 0 /* its device number, see hb_host_bridge_create() */
#define DRIVERS                                                                                    \
	HB_NAMES_ROOT_PORT ", " HB_NAMES_UPSTREAM ", " HB_NAMES_DOWNSTREAM ", " HB_NAMES_DRIVE

#define IOMMU_REASON                                                                               \
	"a guest's IOMMU does not go with hot-plug passthrough, for which all guest memory is "    \
	"mapped: leave it out"
#define MEMORY_REASON                                                                              \
	"memory hot-plug does not go with hot-plug passthrough, for which all guest memory is "    \
	"reserved at the start: give it with -m"

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
	g_free(drive->iommufd);
	g_free(drive);
}

static void drive_free(gpointer data)
{
	hb_drive_options_free(data);
}

static void port_free(gpointer data)
{
	hb_port_options_free(data);
}

HbDeviceOptions *hb_device_options_create(void)
{
	HbDeviceOptions *options = g_new0(HbDeviceOptions, 1);

	options->ports = g_ptr_array_new_with_free_func(port_free);
	options->switches = g_ptr_array_new_with_free_func(switch_free);
	options->drives = g_ptr_array_new_with_free_func(drive_free);
	hb_device_options_reserve(options, HOST_BRIDGE, "the host bridge");
	return options;
}

void hb_device_options_destroy(HbDeviceOptions *options)
{
	if (options == NULL)
		return;
	g_ptr_array_unref(options->ports);
	g_ptr_array_unref(options->switches);
	g_ptr_array_unref(options->drives);
	for (guint device = 0; device < G_N_ELEMENTS(options->reserved); device++)
		g_free(options->reserved[device]);
	g_free(options);
}

void hb_device_options_reserve(HbDeviceOptions *options, guint device, const char *what)
{
	g_return_if_fail(device < G_N_ELEMENTS(options->reserved));
	g_free(options->reserved[device]);
	options->reserved[device] = g_strdup(what);
}

static gboolean check_slot_addr(HbProperties *properties, GError **error)
{
	const char *addr = hb_properties_take(properties, "addr");
	guint8 devfn = 0;

	if (addr && !hb_names_parse_devfn(addr, &devfn, error))
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
		  : g_strdup_printf(HB_NAMES_DRIVE "%c%s", HB_NAMES_NO_ID,
				    hb_pci_address_format(host, text));
}

static HbDriveOptions *read_drive(HbProperties *properties, GError **error)
{
	g_autoptr(HbDriveOptions) drive = g_new0(HbDriveOptions, 1);
	const char *id = hb_properties_take(properties, "id");
	const char *iommufd = hb_properties_take(properties, "iommufd");
	const char *host, *bus;

	if ((id && !hb_names_check_id(id, error)) ||
	    !hb_properties_take_required(properties, "host", &host, error) ||
	    !hb_pci_address_parse(host, &drive->host, error) ||
	    !hb_properties_take_required(properties, "bus", &bus, error) ||
	    !check_slot_addr(properties, error) ||
	    !hb_properties_finish(properties, HB_NAMES_DRIVE, error))
		return NULL;
	drive->id = drive_name(id, &drive->host);
	drive->bus = g_strdup(bus);
	drive->iommufd = g_strdup(iommufd);
	return g_steal_pointer(&drive);
}

static HbSwitchOptions *read_switch(HbProperties *properties, GError **error)
{
	g_autoptr(HbSwitchOptions) self = g_new0(HbSwitchOptions, 1);
	const char *id, *bus;
	gboolean multifunction = FALSE;

	if (!hb_properties_take_required(properties, "id", &id, error) ||
	    !hb_names_check_id(id, error) ||
	    !hb_properties_take_required(properties, "bus", &bus, error) ||
	    !check_slot_addr(properties, error) ||
	    !hb_properties_take_bool(properties, "multifunction", &multifunction, error) ||
	    !hb_properties_finish(properties, HB_NAMES_UPSTREAM, error))
		return NULL;
	self->id = g_strdup(id);
	self->bus = g_strdup(bus);
	if (!multifunction)
		return g_steal_pointer(&self);
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "%s: multifunction=on is not supported: a slot has one place", id);
	return NULL;
}

/* Takes @device, unless it is NULL. */
static gboolean add(GPtrArray *list, gpointer device)
{
	if (device)
		g_ptr_array_add(list, device);
	return device != NULL;
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

gboolean hb_device_options_add(HbDeviceOptions *options, HbProperties *properties, GError **error)
{
	const char *driver;
	gboolean good;

	if (!hb_properties_take_required(properties, "driver", &driver, error))
		return FALSE;
	if (g_str_equal(driver, HB_NAMES_ROOT_PORT)) {
		good = add(options->ports, hb_port_options_read(properties, FALSE, error));
	} else if (g_str_equal(driver, HB_NAMES_DOWNSTREAM)) {
		good = add(options->ports, hb_port_options_read(properties, TRUE, error));
	} else if (g_str_equal(driver, HB_NAMES_UPSTREAM)) {
		good = add(options->switches, read_switch(properties, error));
	} else if (g_str_equal(driver, HB_NAMES_DRIVE)) {
		good = add(options->drives, read_drive(properties, error));
	} else {
		refuse_driver(driver, "there are " DRIVERS, error);
		return FALSE;
	}
	if (!good)
		g_prefix_error(error, "%s: ", driver);
	return good;
}

gboolean hb_device_options_parse(HbDeviceOptions *options, const char *text, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(text, "driver", error);

	return properties && hb_device_options_add(options, properties, error);
}

HbDriveOptions *hb_drive_options_read(HbProperties *properties, GError **error)
{
	const char *driver;

	if (!hb_properties_take_required(properties, "driver", &driver, error))
		return NULL;
	if (g_str_equal(driver, HB_NAMES_DRIVE))
		return read_drive(properties, error);
	if (g_str_equal(driver, HB_NAMES_ROOT_PORT))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Bus '" HB_ROOT_BUS "' does not support hotplugging: give root ports "
			    "with -device at start");
	else if (g_str_equal(driver, HB_NAMES_UPSTREAM) || g_str_equal(driver, HB_NAMES_DOWNSTREAM))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "Switches do not support hotplugging: give '%s' with -device at start",
			    driver);
	else
		refuse_driver(driver, "only vfio-pci can be added", error);
	return NULL;
}

guint hb_device_options_get_n_ports(const HbDeviceOptions *options)
{
	return options->ports->len;
}

const HbPortOptions *hb_device_options_get_port(const HbDeviceOptions *options, guint index)
{
	return g_ptr_array_index(options->ports, index);
}

guint hb_device_options_get_n_switches(const HbDeviceOptions *options)
{
	return options->switches->len;
}

const HbSwitchOptions *hb_device_options_get_switch(const HbDeviceOptions *options, guint index)
{
	return g_ptr_array_index(options->switches, index);
}

guint hb_device_options_get_n_drives(const HbDeviceOptions *options)
{
	return options->drives->len;
}

const HbDriveOptions *hb_device_options_get_drive(const HbDeviceOptions *options, guint index)
{
	return g_ptr_array_index(options->drives, index);
}
