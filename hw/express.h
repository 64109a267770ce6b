/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_EXPRESS_H
#define HW_EXPRESS_H

#include "hw/config-space.h"

#define HB_EXPRESS_SIZE 0x3c /* bytes of the capability, version 2 */

/*
 * The PCI Express capability of a port (PCIe r6.0 §7.5.3), at @capability of @config; sets all but
 * the header. @type is a Device/Port Type of §7.5.3.2: a root port or a downstream port, which have
 * a slot, or an upstream port, whose link is always up. With the bus lock held.
 */
void hb_express_init(HbConfigSpace *config, guint capability, guint type, guint8 port_number,
		     guint32 slot_capabilities);

/* Show what the slot's state machine says: Link Status, Slot Control, Slot Status. */
void hb_express_set_slot(HbConfigSpace *config, guint capability, gboolean link_active,
			 guint16 slot_control, guint16 slot_status);

#endif
