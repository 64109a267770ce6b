/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_BAR_SIZE_H
#define HW_BAR_SIZE_H

#include <hotbay/pci.h>

#define HB_MAX_BARS 6

/* The windows of a bridge, and of the host bridge. */
typedef enum HbWindowKind {
	HB_WINDOW_MEM32,
	HB_WINDOW_MEM64,
	HB_N_WINDOW_KINDS,
} HbWindowKind;

/* One memory BAR. */
typedef struct HbBarSize {
	guint index;
	guint64 size; /* a power of two */
	gboolean is_64bit;
	gboolean prefetchable;
} HbBarSize;

/*
 * Finds the memory BARs of @function by writing all-ones to them, as firmware does (PCIe r6.0
 * §7.5.1.2.1), and leaves them as they were. Of one that a guest can reach, Memory Space is
 * disabled meanwhile by the caller. With the bus lock held, or on a function that is nowhere yet.
 *
 * Returns: how many there are, in order of their index
 */
guint hb_bar_size_measure(HbPciFunction *function, HbBarSize bars[HB_MAX_BARS]);

/* Which window of the bridge above it holds a BAR: its prefetchable window is the only one above
 * 4 GiB (PCIe r6.0 §7.5.1.3). */
HbWindowKind hb_bar_size_get_window(const HbBarSize *bar);

/*
 * Do all memory BARs of @function fit windows of these sizes together?
 *
 * Returns: FALSE with %HB_ERROR_LIMIT; the message names the BAR, its size, the window and the
 * remedy
 */
gboolean hb_bar_size_check_fit(HbPciFunction *function, const guint64 window[HB_N_WINDOW_KINDS],
			       GError **error);

#endif
