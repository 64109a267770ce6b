/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_DEVICE_OPTIONS_H
#define VMM_DEVICE_OPTIONS_H

#include "vmm/properties.h"

#include <hotbay/hotbay.h>

/** HB_MACHINE_MAX_TIMEOUT_MS: the longest time that a slot's guest can be given: a day. */
#define HB_MACHINE_MAX_TIMEOUT_MS (24 * 3600 * 1000)

#define HB_ROOT_BUS "pcie.0"

/** HbAutoAdd: what becomes of a drive that is pushed into a port's slot of the host. */
typedef enum HbAutoAdd {
	HB_AUTO_ADD_OFF,	 /* it is announced */
	HB_AUTO_ADD_PASSTHROUGH, /* and given to vfio-pci */
	HB_AUTO_ADD_ON,		 /* and added */
} HbAutoAdd;

/** hb_auto_add_to_str: Returns: "off", "passthrough", "on". */
const char *hb_auto_add_to_str(HbAutoAdd auto_add);

/** HbPortOptions: one pcie-root-port or xio3130-downstream; @config.id is owned, @config.parent is
 * for who creates it. */
typedef struct HbPortOptions {
	HbPortConfig config;
	gboolean is_downstream;
	char *bus;	    /* HB_ROOT_BUS, or the id of the switch */
	gboolean has_devfn; /* -device addr= was given */
	guint depth;	    /* switches between it and bus 0; once checked */
	char *host_slot;    /* the host's slot that it is bound to; NULL: none */
	HbAutoAdd auto_add;
	gboolean host_leds; /* the guest's indicators are shown there */
} HbPortOptions;

/** HbSwitchOptions: one x3130-upstream. */
typedef struct HbSwitchOptions {
	char *id;
	char *bus;   /* the id of the port in whose slot it sits */
	guint depth; /* it and the switches between it and bus 0; once checked */
} HbSwitchOptions;

/** HbDriveOptions: one vfio-pci, of -device or of QMP's device_add. */
typedef struct HbDriveOptions {
	char *id; /* NULL: the operator gave none */
	char *bus;
	HbPciAddress host;
} HbDriveOptions;

/** HbDevices: all -device flags together. */
typedef struct HbDevices {
	GPtrArray *ports;    /* HbPortOptions, once checked in order of depth, bus and devfn */
	GPtrArray *switches; /* HbSwitchOptions, in order of the command line */
	GPtrArray *drives;   /* HbDriveOptions, likewise */
	gboolean hotplug_disabled;
} HbDevices;

void hb_devices_init(HbDevices *devices);
void hb_devices_finish(HbDevices *devices);

/**
 * hb_devices_add:
 * @object: of one -device
 *
 * Returns: FALSE with an error that starts with the driver's name
 */
gboolean hb_devices_add(HbDevices *devices, HbProperties *properties, GError **error);

/**
 * hb_devices_check:
 *
 * After the last -device: gives the ports without addr= a place, and checks what only all flags
 * together show: duplicate ids, addresses and slot numbers, buses that do not exist or hold two
 * devices, functions that no guest would find. A port that holds a switch loses its hot-plug, since
 * a switch stays.
 */
gboolean hb_devices_check(HbDevices *devices, GError **error);

/** hb_devices_have_hotplug: Returns: whether a slot takes drives while the guest runs; once
 * checked. */
gboolean hb_devices_have_hotplug(const HbDevices *devices);

/** hb_devices_disable_hotplug: makes all slots those of ports with hotplug=off. Once checked. */
void hb_devices_disable_hotplug(HbDevices *devices);

/** hb_devices_count_buses: Returns: how many PCI buses they make behind bus 0, with bus-reserve. */
guint hb_devices_count_buses(const HbDevices *devices);

/** HB_DEVICES_MAX_PATH: bridges from bus 0 to a port, itself included: each switch makes two. */
#define HB_DEVICES_MAX_PATH (2 * HB_SWITCH_MAX_DEPTH + 1)

/**
 * hb_devices_get_path:
 * @devices: checked
 * @path: (out): device and function of each bridge on its bus, from bus 0 down to @port
 *
 * Returns: how many there are; 1 for a root port
 */
guint hb_devices_get_path(const HbDevices *devices, const HbPortOptions *port,
			  guint8 path[HB_DEVICES_MAX_PATH]);

/** hb_port_options_get_driver: Returns: "pcie-root-port" or "xio3130-downstream". */
const char *hb_port_options_get_driver(const HbPortOptions *port);

/**
 * hb_drive_options_from_json:
 * @object: "driver", "host", "bus" and so on: the arguments of QMP's device_add
 *
 * Returns: (transfer full) (nullable): NULL with an error in QEMU's words
 */
HbDriveOptions *hb_drive_options_from_json(JsonObject *object, GError **error);

void hb_drive_options_free(HbDriveOptions *drive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbDriveOptions, hb_drive_options_free)

#endif
