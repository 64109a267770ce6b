/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_SWITCH_H
#define HOTBAY_SWITCH_H

/** switch.h: PCI Express switches, for more slots than bus 0 has room for. */

#include <hotbay/slot.h>

G_BEGIN_DECLS

/** HB_SWITCH_MAX_DEPTH: how many switches may be one below the other. */
#define HB_SWITCH_MAX_DEPTH 3

/**
 * hb_switch_create:
 * @port: in whose slot it sits; without hot-plug, and empty
 * @id: the operator's name for it, for messages; copied
 *
 * A PCI Express switch (PCIe r6.0 §1.3.3): an Upstream Port in the slot of @port, and the bus
 * inside, on which hb_port_create() puts Downstream Ports with slots of their own. It stays: a
 * request to remove it is refused, and a pull of its slot does nothing. A reset of the machine, or
 * of the bus above it, resets all that is below. The bridge of @port owns it. Before the guest
 * starts, and before hb_host_bridge_lay_out(). Loop thread.
 *
 * Returns: (transfer none) (nullable): NULL with %HB_ERROR_INVALID without an id,
 *   %HB_ERROR_UNSUPPORTED if @port is hot-plug capable, %HB_ERROR_BUSY if it is occupied, or
 *   %HB_ERROR_LIMIT if there are %HB_SWITCH_MAX_DEPTH switches above
 */
HbSwitch *hb_switch_create(HbPort *port, const char *id, GError **error);

/** hb_switch_get_port: Returns: (transfer none): in whose slot it sits. Any thread. */
HbPort *hb_switch_get_port(HbSwitch *self);

/** hb_switch_get_function: Returns: (transfer none): its Upstream Port as hb_host_bridge_find()
 * finds it. Any thread. */
HbPciFunction *hb_switch_get_function(HbSwitch *self);

G_END_DECLS

#endif
