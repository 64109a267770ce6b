/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_PORT_H
#define HW_PORT_H

#include <hotbay/slot.h>

/* How a root port identifies itself: QEMU's generic one, so that guests know what to expect. */
#define HB_ROOT_PORT_VENDOR_ID 0x1b36
#define HB_ROOT_PORT_DEVICE_ID 0x000c

/* A downstream port is a TI XIO3130's, as QEMU's is. */
#define HB_DOWNSTREAM_PORT_VENDOR_ID 0x104c
#define HB_DOWNSTREAM_PORT_DEVICE_ID 0x8233

/* Where its capabilities are. */
#define HB_PORT_PM	0x40
#define HB_PORT_MSI	0x48
#define HB_PORT_EXPRESS 0x60
#define HB_PORT_AER	0x100

/* FALSE with %HB_ERROR_INVALID: no port can be like this. */
gboolean hb_port_config_check(const HbPortConfig *config, GError **error);

gboolean hb_port_is_hotplug(const HbPort *port);

/* (transfer none) (nullable): the switch it belongs to, NULL of a root port. */
HbSwitch *hb_port_get_parent(const HbPort *port);

/*
 * Do memory accesses to [@base, @base + @size) get from bus 0 to what is in the slot, by the
 * windows, Memory Space Enable and power state of all bridges on the way? With the bus lock held.
 */
gboolean hb_port_forwards(const HbPort *port, guint64 base, guint64 size);

/* And the other way: do they pass on what it writes to memory? */
gboolean hb_port_passes_dma(const HbPort *port);

/* See hb_host_bridge_get_pin_link(). */
guint hb_port_get_pin_link(const HbPort *port, guint pin);

#endif
