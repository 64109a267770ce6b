/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_BRIDGE_H
#define HW_BRIDGE_H

#include "hw/bar-size.h"
#include "hw/config-space.h"

/*
 * The type 1 header of a PCI-to-PCI bridge in @config: identity, bus numbers, a memory and a 64-bit
 * prefetchable window, no I/O window; no bus numbers yet and the windows closed. With the bus lock
 * held.
 */
void hb_bridge_init(HbConfigSpace *config, guint16 vendor, guint16 device, gboolean multifunction);

/* Does a configuration access to @bus belong behind this bridge? */
gboolean hb_bridge_decodes(const HbConfigSpace *config, guint8 bus);

guint8 hb_bridge_get_secondary_bus(const HbConfigSpace *config);

/* Is the secondary bus held in reset? */
gboolean hb_bridge_is_bus_in_reset(const HbConfigSpace *config);

/* What a window's registers say; empty if its base is above its limit. */
HbAddressWindow hb_bridge_get_window(const HbConfigSpace *config, HbWindowKind kind);

/*
 * Does a memory access from above get through: all of [@base, @base + @size) lies in one window,
 * and Memory Space is enabled? PCIe r6.0 §7.5.1.1.3 and §7.5.1.3.
 */
gboolean hb_bridge_forwards(const HbConfigSpace *config, guint64 base, guint64 size);

/* Gives it a Power Management capability at @offset: D0 and D3hot. */
void hb_bridge_add_pm(HbConfigSpace *config, guint offset);

/* Is the bridge, whose capability is at @pm, in D0? In D3hot it forwards nothing. */
gboolean hb_bridge_is_awake(const HbConfigSpace *config, guint pm);

/* Does it pass on what is written to memory from below: Bus Master Enable, in D0? */
gboolean hb_bridge_passes_dma(const HbConfigSpace *config, guint pm);

/* What a guest's write brought about, besides a register's value. */
typedef enum HbBridgeEffect {
	HB_BRIDGE_PATH_CHANGED = 1 << 0, /* it may forward or pass on other accesses than before */
	HB_BRIDGE_BUS_RESET = 1 << 1,	 /* a reset of the secondary bus begins */
} HbBridgeEffect;

/* Returns: a set of HbBridgeEffect */
guint hb_bridge_write(HbConfigSpace *config, guint pm, guint offset, guint size, guint32 value);

#endif
