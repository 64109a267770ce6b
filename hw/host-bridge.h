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

/*
 * How a bridge function routes what lies behind it. With the bus lock held. Configuration accesses
 * reach a function behind it by @find, by bus number; reset, sever and revoke do not depend on bus
 * numbers, which are the guest's, so there the bridge's own op passes them on.
 */
typedef struct HbSecondaryBusOps {
	gboolean (*decodes)(HbPciFunction *bridge_function, guint8 bus);
	HbPciFunction *(*find)(HbPciFunction *bridge_function, guint8 bus, guint8 devfn);
	/* What the bridge wants to be given at lay-out: bytes of each kind of window. */
	void (*get_window_sizes)(HbPciFunction *bridge_function, guint64 *mem32, guint64 *mem64);
} HbSecondaryBusOps;

/* Like hb_host_bridge_add(), for a function that is a bridge. */
gboolean hb_host_bridge_add_bridge(HbHostBridge *bridge, guint8 devfn, HbPciFunction *function,
				   const HbSecondaryBusOps *ops, GError **error);

/* What the bridge at @devfn of bus 0 wants at lay-out; FALSE if there is none. Takes the lock. */
gboolean hb_host_bridge_get_window_sizes(HbHostBridge *bridge, guint8 devfn, guint64 *mem32,
					 guint64 *mem64);

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
