/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_PORT_H
#define HW_PORT_H

#include <hotbay/slot.h>

/* How a root port identifies itself: QEMU's generic one, so that guests know what to expect. */
#define HB_ROOT_PORT_VENDOR_ID 0x1b36
#define HB_ROOT_PORT_DEVICE_ID 0x000c

/* Where its capabilities are. */
#define HB_PORT_PM	0x40
#define HB_PORT_MSI	0x48
#define HB_PORT_EXPRESS 0x60

#endif
