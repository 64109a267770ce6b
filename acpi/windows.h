/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_WINDOWS_H
#define ACPI_WINDOWS_H

#include <hotbay/pci.h>

/*
 * What is left of @window without @holes: a GArray of HbAddressWindow in ascending order, none of
 * them empty. Holes may be empty, overlap, touch, or lie outside. Any thread.
 */
GArray *hb_windows_subtract(const HbAddressWindow *window, const HbAddressWindow *holes,
			    guint n_holes);

/* The first address after @window; a window ends at or below 2^64 - 1. */
guint64 hb_windows_get_end(const HbAddressWindow *window);

#endif
