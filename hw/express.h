/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_EXPRESS_H
#define HW_EXPRESS_H

#include "hw/config-space.h"

#include <hotbay/slot.h>

/* Faster than any drive, so that a link is what the drive makes of it. */
#define HB_EXPRESS_DEFAULT_LINK ((HbLink){ .speed = HB_LINK_SPEED_32_GT, .width = 16 })

#define HB_EXPRESS_SIZE 0x3c /* bytes of the capability, version 2 */

/*
 * The PCI Express capability of a port (PCIe r6.0 §7.5.3), at @capability of @config; sets all but
 * the header. @type is a Device/Port Type of §7.5.3.2: a root port or a downstream port, which have
 * a slot, or an upstream port, whose link is always up. @fastest: the link that it offers. With the
 * bus lock held.
 */
void hb_express_init(HbConfigSpace *config, guint capability, guint type, guint8 port_number,
		     HbLink fastest, guint32 slot_capabilities);

/* Show what the slot's state machine says: Link Status, Slot Control, Slot Status. @link: that with
 * the occupant, NULL while it is down. */
void hb_express_set_slot(HbConfigSpace *config, guint capability, const HbLink *link,
			 guint16 slot_control, guint16 slot_status);

gboolean hb_express_is_speed(guint speed);
gboolean hb_express_is_width(guint width);

/* The link between a port that offers @fastest and what a guest reads of @function's own; @fastest
 * if the function says nothing that can be a link. */
HbLink hb_express_get_link(HbPciFunction *function, HbLink fastest);

#endif
