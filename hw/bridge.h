/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_BRIDGE_H
#define HW_BRIDGE_H

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

#endif
