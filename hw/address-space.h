/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_ADDRESS_SPACE_H
#define HW_ADDRESS_SPACE_H

#include <hotbay/pci.h>

/* A window of addresses that is given away piece by piece. */
typedef struct HbAddressSpace {
	HbAddressWindow window;
	GArray *taken; /* of HbAddressWindow, ascending */
} HbAddressSpace;

void hb_address_space_init(HbAddressSpace *space, const HbAddressWindow *window);
void hb_address_space_finish(HbAddressSpace *space);

/*
 * The lowest free @size bytes at a multiple of @alignment, a power of two, are @base's from now on;
 * FALSE if there are none. Address 0 is never given away: a BAR of 0 is an unset BAR.
 */
gboolean hb_address_space_take(HbAddressSpace *space, guint64 size, guint64 alignment,
			       guint64 *base);

#endif
