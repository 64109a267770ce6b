/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_HOST_BRIDGE_H
#define HW_HOST_BRIDGE_H

#include <hotbay/pci.h>

/* The part of the host bridge that only the library sees. */

/*
 * The bus lock: one mutex, not recursive, guards all that the guest sees of the functions below
 * this bridge. It is never held across anything that waits for a device or for the guest.
 */
void hb_host_bridge_lock(HbHostBridge *bridge);
void hb_host_bridge_unlock(HbHostBridge *bridge);

const HbHostBridgeConfig *hb_host_bridge_get_config(HbHostBridge *bridge);

/* hb_host_bridge_find() with the bus lock held. */
HbPciFunction *hb_host_bridge_route(HbHostBridge *bridge, guint8 bus, guint8 devfn);

/*
 * Do all bridges between @function and bus 0 pass on what it writes to memory: are they bus
 * masters, in D0? With the bus lock held.
 */
gboolean hb_host_bridge_passes_dma(const HbPciFunction *function);

/*
 * The line of the root bus's interrupt pins that @pin (INTA is 0) of device 0 behind @port is
 * joined to, by the bridges on the way (PCIe r6.0 §2.2.8.1, table 2-21). Any thread.
 */
guint hb_host_bridge_get_pin_link(const HbPort *port, guint pin);

/*
 * Trapped memory: guest accesses to [base, base + size) come to @ops, cut into pieces of 1, 2, 4 or
 * 8 bytes aligned to their size; @base and @size are multiples of 8. Ranges may overlap (a guest
 * can program that): the one claimed first wins. With the bus lock held, as are the calls of @ops.
 */
typedef struct HbMmioOps {
	guint64 (*read)(gpointer opaque, guint64 offset, guint size);
	void (*write)(gpointer opaque, guint64 offset, guint size, guint64 value);
} HbMmioOps;

void hb_host_bridge_claim(HbHostBridge *bridge, guint64 base, guint64 size, const HbMmioOps *ops,
			  gpointer opaque);
void hb_host_bridge_unclaim(HbHostBridge *bridge, guint64 base, const HbMmioOps *ops,
			    gpointer opaque);

#endif
