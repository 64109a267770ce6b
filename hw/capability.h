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
 * The same for extended capability @id (PCIe r6.0 §7.6.3) in its @version: @offset is a multiple of
 * 4 from 0x100, where the first one has to be.
 */
void hb_capability_add_extended(HbConfigSpace *config, guint16 id, guint8 version, guint offset);

#endif
