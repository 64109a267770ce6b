/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_PORTS_H
#define VMM_PORTS_H

#include "vmm/machine.h"

/**
 * HbPorts: the machine's ports and switches, which stay, and what can be said of them whatever
 * drive is in there. Everything here is for the loop thread.
 */
typedef struct HbPorts HbPorts;

/** HbMachinePort: one port. All of it is #HbPorts's, but @port, which is the bridge's. */
typedef struct HbMachinePort {
	const HbPortOptions *options;
	HbPort *port;
	HbSlotHistory *history;
} HbMachinePort;

/** hb_ports_create: @bridge: must outlive the result */
HbPorts *hb_ports_create(HbHostBridge *bridge);

/** hb_ports_destroy: the ports themselves are their bridge's. Takes NULL. */
void hb_ports_destroy(HbPorts *ports);

/**
 * hb_ports_set_hotplug:
 * @hotplug: must outlive the ports
 *
 * Root ports that are added from here on are in ACPI mode, and slots of @hotplug by their place in
 * #HbDeviceOptions.
 */
void hb_ports_set_hotplug(HbPorts *ports, HbAcpiHotplug *hotplug);

/**
 * hb_ports_add:
 * @devices: checked; must outlive @ports
 *
 * Creates all ports and switches, each after what it sits in. Before the guest starts.
 */
gboolean hb_ports_add(HbPorts *ports, const HbDeviceOptions *devices, GError **error);

/** hb_ports_disable_hotplug: additions and removals are refused from here on, and say why. */
void hb_ports_disable_hotplug(HbPorts *ports);

/** hb_ports_set_running: the guest is about to start. */
void hb_ports_set_running(HbPorts *ports);

/** hb_ports_find: Returns: (transfer none) (nullable): the port of that id. */
const HbMachinePort *hb_ports_find(const HbPorts *ports, const char *id);

/** hb_ports_find_slot: Returns: (transfer none) (nullable): the one that is the bridge's @port. */
const HbMachinePort *hb_ports_find_slot(const HbPorts *ports, const HbPort *port);

/** hb_ports_has_id: whether a port or a switch has it. */
gboolean hb_ports_has_id(const HbPorts *ports, const char *id);

/**
 * hb_ports_find_for_drive:
 *
 * Returns: (transfer none) (nullable): the port of that id; NULL with an error if there is none, or
 *   if it is no place for a drive
 */
const HbMachinePort *hb_ports_find_for_drive(const HbPorts *ports, const char *bus, GError **error);

/** hb_ports_check_enabled: whether drives may come to or go from @bus while the guest runs. */
gboolean hb_ports_check_enabled(const HbPorts *ports, const char *bus, GError **error);

/** hb_ports_check_hotplug: likewise, and whether the port is made for it. */
gboolean hb_ports_check_hotplug(const HbPorts *ports, const HbMachinePort *port, GError **error);

/** hb_ports_check_is_none: refuses, as something that stays, the id of a port or a switch. */
gboolean hb_ports_check_is_none(const HbPorts *ports, const char *id, GError **error);

/** hb_ports_foreach: the ports and switches of hb_machine_foreach_device(), without drives. */
void hb_ports_foreach(const HbPorts *ports, HbMachineDeviceFunc func, gpointer data);

#endif
