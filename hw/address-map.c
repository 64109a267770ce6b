/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Which function answers at which guest physical address.
 *
 * A guest may program two BARs to overlap; then the first to arrive keeps answering. Keeping the
 * ranges in order of arrival and scanning them makes that rule evident. There are two or three for
 * each drive, so at most about a hundred, and the exit from the guest that leads here costs more
 * than the scan. A found range is copied out: the access may well change the map.
 */

#include "hw/address-map.h"

void hb_address_map_init(HbAddressMap *map)
{
	map->ranges = g_array_new(FALSE, FALSE, sizeof(HbAddressRange));
}

void hb_address_map_finish(HbAddressMap *map)
{
	g_clear_pointer(&map->ranges, g_array_unref);
}

void hb_address_map_claim(HbAddressMap *map, const HbAddressRange *range)
{
	g_array_append_vals(map->ranges, range, 1);
}

void hb_address_map_unclaim(HbAddressMap *map, guint64 base, const HbMmioOps *ops, gpointer opaque)
{
	for (guint i = 0; i < map->ranges->len; i++) {
		const HbAddressRange *range = &g_array_index(map->ranges, HbAddressRange, i);

		if (range->base == base && range->ops == ops && range->opaque == opaque) {
			g_array_remove_index(map->ranges, i);
			return;
		}
	}
}

gboolean hb_address_map_find(const HbAddressMap *map, guint64 gpa, HbAddressRange *range)
{
	for (guint i = 0; i < map->ranges->len; i++) {
		const HbAddressRange *candidate = &g_array_index(map->ranges, HbAddressRange, i);

		if (gpa >= candidate->base && gpa - candidate->base < candidate->size) {
			*range = *candidate;
			return TRUE;
		}
	}
	return FALSE;
}
