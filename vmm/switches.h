/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_SWITCHES_H
#define VMM_SWITCHES_H

#include "vmm/machine.h"

#include <hotbay/options.h>

/** HbSwitches: the machine's PCIe switches by their ids. For the loop thread. */
typedef struct HbSwitches HbSwitches;

HbSwitches *hb_switches_create(void);

/** hb_switches_destroy: the switches themselves are their bridge's. Takes NULL. */
void hb_switches_destroy(HbSwitches *switches);

/**
 * hb_switches_add:
 * @port: whose slot it goes into
 * @options: must outlive @switches
 *
 * Before the guest starts. Returns: FALSE with an error that starts with the driver's name
 */
gboolean hb_switches_add(HbSwitches *switches, HbPort *port, const HbSwitchOptions *options,
			 GError **error);

/** hb_switches_find: Returns: (transfer none) (nullable): the one of that id. */
HbSwitch *hb_switches_find(const HbSwitches *switches, const char *id);

/** hb_switches_find_in: Returns: (transfer none) (nullable): the id of the switch in a port's slot.
 */
const char *hb_switches_find_in(const HbSwitches *switches, const char *port);

/** hb_switches_foreach: see hb_machine_foreach_device(). */
void hb_switches_foreach(const HbSwitches *switches, HbMachineDeviceFunc func, gpointer data);

#endif
