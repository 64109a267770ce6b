/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_OPTIONS_H
#define HOTBAY_OPTIONS_H

/**
 * options.h: a machine's ports, switches and drives as its operator writes them.
 *
 * In QEMU's words: "pcie-root-port,id=bay0", "x3130-upstream,…", "xio3130-downstream,…" and
 * "vfio-pci,host=01:00.0,bus=bay0". docs/flags.md has every property. Text becomes structs here and
 * nothing else: no port is created and no drive opened, that is slot.h's, switch.h's and vfio.h's.
 * Not all that they say has to be done: an embedder refuses a port of which it cannot do all, by
 * its own message.
 *
 * Pure: no file, no clock, no lock. Any thread, one at a time for each object.
 */

#include <hotbay/properties.h>
#include <hotbay/slot.h>

G_BEGIN_DECLS

/** HB_ROOT_BUS: what bus 0 is called in "bus=". */
#define HB_ROOT_BUS "pcie.0"

/** HB_OPTIONS_MAX_TIMEOUT_MS: the longest time that a slot's guest can be given: a day. */
#define HB_OPTIONS_MAX_TIMEOUT_MS (24 * 3600 * 1000)

/**
 * HbAutoAdd:
 * @HB_AUTO_ADD_OFF: it is announced
 * @HB_AUTO_ADD_PASSTHROUGH: and given to vfio-pci, see hb_bay_watch()
 * @HB_AUTO_ADD_ON: and added
 *
 * What becomes of a drive that is pushed into a port's slot of the host.
 */
typedef enum HbAutoAdd {
	HB_AUTO_ADD_OFF,
	HB_AUTO_ADD_PASSTHROUGH,
	HB_AUTO_ADD_ON,
} HbAutoAdd;

/**
 * hb_auto_add_to_str:
 * @auto_add: what becomes of a drive
 *
 * Returns: "off", "passthrough" or "on"; static
 */
const char *hb_auto_add_to_str(HbAutoAdd auto_add);

/**
 * HbPortOptions:
 * @config: copy it, fill in @parent and @acpi of the copy, and give that to hb_port_create(); what
 *   was not given is as hb_port_config_init() has it
 * @is_downstream: an xio3130-downstream, and not a pcie-root-port: @parent is the switch @bus, and
 *   without it the copy would make a root port
 * @bus: %HB_ROOT_BUS, or the id of the switch that it belongs to
 * @has_devfn: "addr=" was given; if not, hb_device_options_check() chooses
 * @depth: switches between it and bus 0; once checked
 * @host_slot: (nullable): the slot of the host that it is bound to, for hb_bays_claim()
 * @auto_add: what becomes of drives in there
 * @host_leds: whether the guest's attention indicator is shown there, see hb_bay_set_attention()
 *
 * A port with a slot: one pcie-root-port or xio3130-downstream.
 */
typedef struct HbPortOptions {
	HbPortConfig config;
	gboolean is_downstream;
	char *bus;
	gboolean has_devfn;
	guint depth;
	char *host_slot;
	HbAutoAdd auto_add;
	gboolean host_leds;
} HbPortOptions;

/** hb_port_options_get_driver: Returns: "pcie-root-port" or "xio3130-downstream". */
const char *hb_port_options_get_driver(const HbPortOptions *port);

/**
 * HbSwitchOptions:
 * @id: unique among all devices
 * @bus: the id of the port in whose slot it sits, for hb_switch_create()
 * @depth: it and the switches between it and bus 0; once checked
 *
 * One x3130-upstream.
 */
typedef struct HbSwitchOptions {
	char *id;
	char *bus;
	guint depth;
} HbSwitchOptions;

/**
 * HbDriveOptions:
 * @id: unique among all devices; one that was given none has a name that no id can have, made of
 *   @host
 * @bus: the id of the port in whose slot it goes
 * @host: where it is on the host, for hb_vfio_device_open()
 * @iommufd: (nullable): the embedder's name of the iommufd that it is to be reached by, see
 *   hb_vfio_use_iommu(), which is for all drives
 *
 * One vfio-pci.
 */
typedef struct HbDriveOptions {
	char *id;
	char *bus;
	HbPciAddress host;
	char *iommufd;
} HbDriveOptions;

/**
 * hb_drive_options_read:
 * @properties: "driver", "host", "bus" and so on: the arguments of a monitor's device_add
 *
 * Reads what is said of a drive that comes while the machine runs.
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_INVALID, or %HB_ERROR_UNSUPPORTED if
 *   "driver" is none that can be added then; free with hb_drive_options_free()
 */
HbDriveOptions *hb_drive_options_read(HbProperties *properties, GError **error);

/** hb_drive_options_free: frees them. Takes NULL. */
void hb_drive_options_free(HbDriveOptions *drive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbDriveOptions, hb_drive_options_free)

/**
 * HbDeviceOptions:
 *
 * The devices that a machine starts with: all its "-device" flags together. They are added one by
 * one, in any order, and then checked as a whole.
 */
typedef struct HbDeviceOptions HbDeviceOptions;

/** hb_device_options_create: Returns: (transfer full): ones without a device. */
HbDeviceOptions *hb_device_options_create(void);

/** hb_device_options_destroy: frees them, with all that was read from it. Takes NULL. */
void hb_device_options_destroy(HbDeviceOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbDeviceOptions, hb_device_options_destroy)

/**
 * hb_device_options_reserve:
 * @device: 0 to 31
 * @what: for messages, "the LPC bridge"; copied
 *
 * Keeps a device number of bus 0 for the embedder, with all its functions: no port gets it. That of
 * the host bridge, 0, is reserved already.
 */
void hb_device_options_reserve(HbDeviceOptions *options, guint device, const char *what);

/**
 * hb_device_options_add:
 * @properties: "driver", "id" and so on, of one device
 *
 * Adds a device.
 *
 * Returns: FALSE with an error that starts with the driver's name: %HB_ERROR_INVALID a property is
 *   missing, malformed, out of its range or unknown; %HB_ERROR_UNSUPPORTED the driver, or what a
 *   property asks for; %HB_ERROR_NOT_FOUND the bus
 */
gboolean hb_device_options_add(HbDeviceOptions *options, HbProperties *properties, GError **error);

/**
 * hb_device_options_parse:
 * @text: "pcie-root-port,id=bay0,slot=1", as hb_properties_parse() reads it
 *
 * Does what hb_device_options_add() does, from the text of a flag.
 *
 * Returns: FALSE with an error of hb_properties_parse() or hb_device_options_add()
 */
gboolean hb_device_options_parse(HbDeviceOptions *options, const char *text, GError **error);

/**
 * hb_device_options_check:
 *
 * Ends the adding: gives the ports without "addr=" a place, and checks what only all of them
 * together show: ids, addresses, slot numbers and slots of the host that are given twice, buses
 * that do not exist or hold two devices, functions that no guest would find. A port that holds a
 * switch loses its hot-plug, since a switch stays.
 *
 * Returns: FALSE with an error that starts with driver and id, of a drive without an id with its
 *   name, and of too many drives with the driver: %HB_ERROR_INVALID, %HB_ERROR_NOT_FOUND,
 *   %HB_ERROR_BUSY, or %HB_ERROR_LIMIT
 */
gboolean hb_device_options_check(HbDeviceOptions *options, GError **error);

/** hb_device_options_get_n_ports: Returns: how many ports were added. */
guint hb_device_options_get_n_ports(const HbDeviceOptions *options);

/**
 * hb_device_options_get_port:
 * @index: from 0; below hb_device_options_get_n_ports()
 *
 * Returns: (transfer none): a port; they are in order of depth, bus and devfn, once checked: in
 * this order they may be created, each switch before the first port with its id
 */
const HbPortOptions *hb_device_options_get_port(const HbDeviceOptions *options, guint index);

/** hb_device_options_get_n_switches: Returns: how many switches were added. */
guint hb_device_options_get_n_switches(const HbDeviceOptions *options);

/**
 * hb_device_options_get_switch:
 * @index: from 0; below hb_device_options_get_n_switches()
 *
 * Returns: (transfer none): a switch; they are in the order in which they were added
 */
const HbSwitchOptions *hb_device_options_get_switch(const HbDeviceOptions *options, guint index);

/** hb_device_options_get_n_drives: Returns: how many drives were added. */
guint hb_device_options_get_n_drives(const HbDeviceOptions *options);

/**
 * hb_device_options_get_drive:
 * @index: from 0; below hb_device_options_get_n_drives()
 *
 * Returns: (transfer none): a drive; they are in the order in which they were added
 */
const HbDriveOptions *hb_device_options_get_drive(const HbDeviceOptions *options, guint index);

/** hb_device_options_have_hotplug: Returns: whether a slot takes drives while the guest runs; once
 * checked. */
gboolean hb_device_options_have_hotplug(const HbDeviceOptions *options);

/**
 * hb_device_options_disable_hotplug:
 *
 * Makes all slots those of ports with hotplug=off. Once checked.
 *
 * Returns: FALSE with %HB_ERROR_INVALID and nothing changed if a port has auto-add=on; the error
 *   starts with driver and id
 */
gboolean hb_device_options_disable_hotplug(HbDeviceOptions *options, GError **error);

/**
 * hb_device_options_check_acpi:
 *
 * Checks, for a machine whose slots get an #HbAcpiHotplug, what only native slots can do. Once
 * checked, and after hb_device_options_disable_hotplug() if that is called.
 *
 * Returns: FALSE with an error that starts with driver and id: %HB_ERROR_UNSUPPORTED there is a
 *   switch; %HB_ERROR_INVALID a port has host-leds=on, or two slots have one number
 */
gboolean hb_device_options_check_acpi(const HbDeviceOptions *options, GError **error);

/** hb_device_options_count_buses: Returns: how many PCI buses they make behind bus 0, with
 * "bus-reserve": what ECAM must hold beside it. */
guint hb_device_options_count_buses(const HbDeviceOptions *options);

G_END_DECLS

#endif
