/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Sets of addresses as lists of windows. A host bridge may only claim what it really passes on:
 * what lies inside its windows but belongs to the board (ECAM, the interrupt controllers, the
 * configuration ports) is cut out, so that no guest places a BAR on it.
 */

#include "acpi/windows.h"

guint64 hb_windows_get_end(const HbAddressWindow *window)
{
	return window->base + window->size;
}

static void append_between(GArray *windows, guint64 base, guint64 end)
{
	const HbAddressWindow window = { .base = base, .size = end - base };

	if (base < end)
		g_array_append_val(windows, window);
}

static GArray *subtract_one(const GArray *windows, const HbAddressWindow *hole)
{
	GArray *rest = g_array_new(FALSE, FALSE, sizeof(HbAddressWindow));
	guint64 hole_end = hb_windows_get_end(hole);

	for (guint i = 0; i < windows->len; i++) {
		const HbAddressWindow *window = &g_array_index(windows, HbAddressWindow, i);
		guint64 end = hb_windows_get_end(window);

		append_between(rest, window->base, MIN(end, hole->base));
		append_between(rest, MAX(window->base, hole_end), end);
	}
	return rest;
}

GArray *hb_windows_subtract(const HbAddressWindow *window, const HbAddressWindow *holes,
			    guint n_holes)
{
	GArray *windows = g_array_new(FALSE, FALSE, sizeof(HbAddressWindow));

	append_between(windows, window->base, hb_windows_get_end(window));
	for (guint i = 0; i < n_holes; i++) {
		if (holes[i].size == 0)
			continue;
		GArray *rest = subtract_one(windows, &holes[i]);

		g_array_unref(windows);
		windows = rest;
	}
	return windows;
}
