/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * First-fit allocation of guest physical addresses: deterministic, so a machine with the same ports
 * has the same addresses at every start, and gaps left by large alignments are used by what fits.
 */

#include "hw/address-space.h"

void hb_address_space_init(HbAddressSpace *space, const HbAddressWindow *window)
{
	space->window = *window;
	space->taken = g_array_new(FALSE, FALSE, sizeof(HbAddressWindow));
}

void hb_address_space_finish(HbAddressSpace *space)
{
	g_clear_pointer(&space->taken, g_array_unref);
}

/* Is there room between @from and @end? Then @base is where. */
static gboolean fits(guint64 from, guint64 end, guint64 size, guint64 alignment, guint64 *base)
{
	guint64 skipped = -from & (alignment - 1);

	if (!from)
		skipped = alignment;
	if (skipped > end - from || size > end - from - skipped)
		return FALSE;
	*base = from + skipped;
	return TRUE;
}

gboolean hb_address_space_take(HbAddressSpace *space, guint64 size, guint64 alignment,
			       guint64 *base)
{
	HbAddressWindow taken = { .size = size };
	guint64 from = space->window.base;
	guint at;

	for (at = 0; at < space->taken->len; at++) {
		const HbAddressWindow *next = &g_array_index(space->taken, HbAddressWindow, at);

		if (fits(from, next->base, size, alignment, &taken.base))
			break;
		from = next->base + next->size;
	}
	if (at == space->taken->len &&
	    !fits(from, space->window.base + space->window.size, size, alignment, &taken.base))
		return FALSE;
	g_array_insert_val(space->taken, at, taken);
	*base = taken.base;
	return TRUE;
}
