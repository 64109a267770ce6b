/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_SWITCH_H
#define HW_SWITCH_H

#include <hotbay/switch.h>

/* How an upstream port identifies itself: a TI XIO3130's, as QEMU's does. */
#define HB_UPSTREAM_PORT_VENDOR_ID 0x104c
#define HB_UPSTREAM_PORT_DEVICE_ID 0x8232

/* Where its capabilities are. */
#define HB_UPSTREAM_PORT_PM	 0x40
#define HB_UPSTREAM_PORT_EXPRESS 0x60

/* Puts a downstream port on the bus inside; FALSE with %HB_ERROR_BUSY if @devfn is taken. Takes the
 * bus lock. */
gboolean hb_switch_add(HbSwitch *self, guint8 devfn, HbPciFunction *port, GError **error);

/* Like hb_port_forwards(): do memory accesses get from bus 0 to the bus inside? */
gboolean hb_switch_forwards(const HbSwitch *self, guint64 base, guint64 size);

/* Like hb_port_passes_dma(). */
gboolean hb_switch_passes_dma(const HbSwitch *self);

/* Which line of the root bus's pins the upstream port's @pin is joined to. */
guint hb_switch_get_pin_link(const HbSwitch *self, guint pin);

#endif
