/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_CAPABILITY_H
#define HW_CAPABILITY_H

#include "hw/config-space.h"

/*
 * Append capability @id (PCIe r6.0 §7.5.1.1.11) to the chain: @offset is a multiple of 4 from 0x40
 * to 0xfc, where nothing else is. Its two bytes of header are written, the rest is the caller's.
 */
void hb_capability_add(HbConfigSpace *config, guint8 id, guint offset);

/*
 * Likewise for an extended capability (PCIe r6.0 §7.6.3), at 0x100 for the first and a multiple of
 * 4 above it for the others.
 */
void hb_capability_add_extended(HbConfigSpace *config, guint16 id, guint version, guint offset);

/* Where capability @id is; 0 if there is none. A chain that runs in a circle has an end here. */
guint hb_capability_find(const HbConfigSpace *config, guint8 id);
guint hb_capability_find_extended(const HbConfigSpace *config, guint16 id);

#endif
