/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_ADDRESS_MAP_H
#define HW_ADDRESS_MAP_H

#include "hw/host-bridge.h"

/* One claimed range of guest physical addresses, and who answers there. */
typedef struct HbAddressRange {
	guint64 base;
	guint64 size;
	const HbMmioOps *ops;
	gpointer opaque;
} HbAddressRange;

/* The claimed ranges in the order in which they were claimed. With the bus lock held. */
typedef struct HbAddressMap {
	GArray *ranges; /* of HbAddressRange */
} HbAddressMap;

void hb_address_map_init(HbAddressMap *map);
void hb_address_map_finish(HbAddressMap *map);

void hb_address_map_claim(HbAddressMap *map, const HbAddressRange *range);

/* Drops the range of that base and owner; does nothing if there is none. */
void hb_address_map_unclaim(HbAddressMap *map, guint64 base, const HbMmioOps *ops, gpointer opaque);

/* Copies the range that answers at @gpa, the one claimed first, to @range; FALSE if none does. */
gboolean hb_address_map_find(const HbAddressMap *map, guint64 gpa, HbAddressRange *range);

#endif
