/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_BUS_H
#define HW_BUS_H

#include "hw/bar-size.h"

#include <hotbay/pci.h>

/* What a bridge is given at lay-out: bytes of window of each kind, and bus numbers behind it beyond
 * those that are used. */
typedef struct HbReserve {
	guint64 window[HB_N_WINDOW_KINDS];
	guint buses;
} HbReserve;

/*
 * How a bridge function routes what lies behind it. With the bus lock held. Configuration accesses
 * reach a function behind it by @find, by bus number; reset, sever, revoke and path_changed do not
 * depend on bus numbers, which are the guest's, so there the bridge's own op passes them on.
 */
typedef struct HbSecondaryBusOps {
	gboolean (*decodes)(HbPciFunction *bridge_function, guint8 bus);
	HbPciFunction *(*find)(HbPciFunction *bridge_function, guint8 bus, guint8 devfn);
	/* What it wants to be given at lay-out. */
	void (*get_reserve)(HbPciFunction *bridge_function, HbReserve *reserve);
	/* (nullable): what it was given. */
	void (*laid_out)(HbPciFunction *bridge_function, const guint64 window[HB_N_WINDOW_KINDS]);
} HbSecondaryBusOps;

/*
 * The functions of one bus and what is behind them: bus 0, or the bus inside a switch. Owns them.
 * All with the bus lock held, but for create and destroy.
 */
typedef struct HbBus HbBus;

HbBus *hb_bus_create(void);

/* Releases every function, the last first. Without the bus lock, after hb_bus_sever(). Takes NULL.
 */
void hb_bus_destroy(HbBus *bus);

/* FALSE if @devfn is taken; then @function stays the caller's. */
gboolean hb_bus_add(HbBus *bus, guint8 devfn, HbPciFunction *function);

/* Who is at @devfn, NULL if nobody is. */
HbPciFunction *hb_bus_get(const HbBus *bus, guint8 devfn);

/* Whom a configuration access to the bus @number, behind one of the bridges here, reaches; NULL: no
 * one. */
HbPciFunction *hb_bus_find_behind(const HbBus *bus, guint8 number, guint8 devfn);

/* The ops of #HbPciFunctionOps, for every function here. */
void hb_bus_reset(HbBus *bus);
void hb_bus_bus_reset(HbBus *bus);
void hb_bus_path_changed(HbBus *bus);
void hb_bus_sever(HbBus *bus);
gboolean hb_bus_revoke(HbBus *bus);

#endif
