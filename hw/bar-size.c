/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * How large the memory BARs of a function are, and whether a bridge's windows hold them.
 *
 *   64-bit and prefetchable ----> the prefetchable window, which may lie above 4 GiB
 *   every other memory BAR -----> the 32-bit window
 *
 * BARs are powers of two, so those of one window pack without gaps, the largest first, if the
 * window is as aligned as the largest: then their sum is all that they need.
 */

#include "hw/bar-size.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>

#define MIB ((guint64)1 << 20)

static guint bar_offset(guint index)
{
	return PCI_BASE_ADDRESS_0 + 4 * index;
}

/* Which of its bits a BAR register lets one write. */
static guint32 read_mask(HbPciFunction *function, guint index)
{
	guint32 saved = function->ops->config_read(function, bar_offset(index), 4);

	function->ops->config_write(function, bar_offset(index), 4, G_MAXUINT32);
	guint32 mask = function->ops->config_read(function, bar_offset(index), 4);
	function->ops->config_write(function, bar_offset(index), 4, saved);
	return mask;
}

/* BAR @index of @n; FALSE if there is none. */
static gboolean measure_bar(HbPciFunction *function, guint index, guint n, HbBarSize *bar)
{
	guint32 low = read_mask(function, index);
	guint64 mask = low & (guint32)PCI_BASE_ADDRESS_MEM_MASK;

	if (!low || low & PCI_BASE_ADDRESS_SPACE_IO)
		return FALSE;
	*bar = (HbBarSize){
		.index = index,
		.is_64bit = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64,
		.prefetchable = (low & PCI_BASE_ADDRESS_MEM_PREFETCH) != 0,
	};
	if (bar->is_64bit && index + 1 == n)
		return FALSE;
	if (bar->is_64bit)
		mask |= (guint64)read_mask(function, index + 1) << 32;
	else
		mask |= (guint64)G_MAXUINT32 << 32;
	bar->size = ~mask + 1;
	return bar->size != 0;
}

guint hb_bar_size_measure(HbPciFunction *function, HbBarSize bars[HB_MAX_BARS])
{
	guint32 type = function->ops->config_read(function, PCI_HEADER_TYPE, 1);
	gboolean is_bridge = (type & PCI_HEADER_TYPE_MASK) == PCI_HEADER_TYPE_BRIDGE;
	guint n = is_bridge ? 2 : HB_MAX_BARS;
	guint found = 0;

	for (guint i = 0; i < n; i++) {
		if (!measure_bar(function, i, n, &bars[found]))
			continue;
		i += bars[found].is_64bit;
		found++;
	}
	return found;
}

HbWindowKind hb_bar_size_get_window(const HbBarSize *bar)
{
	return bar->is_64bit && bar->prefetchable ? HB_WINDOW_MEM64 : HB_WINDOW_MEM32;
}

static gboolean check_kind(const HbBarSize *bars, guint n, HbWindowKind kind, guint64 window,
			   GError **error)
{
	const HbBarSize *largest = NULL;
	guint64 sum = 0;

	for (guint i = 0; i < n; i++) {
		if (hb_bar_size_get_window(&bars[i]) != kind)
			continue;
		sum += bars[i].size;
		if (!largest || bars[i].size > largest->size)
			largest = &bars[i];
	}
	if (sum <= window)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "BAR %u of 0x%" G_GINT64_MODIFIER "x bytes does not fit the port's %s window "
		    "of 0x%" G_GINT64_MODIFIER "x: start the machine with %s=%" G_GUINT64_FORMAT
		    "M or more for this port, or with the drive in it",
		    largest->index, largest->size,
		    kind == HB_WINDOW_MEM32 ? "32-bit" : "prefetchable", window,
		    kind == HB_WINDOW_MEM32 ? "mem-reserve" : "pref64-reserve",
		    (sum + MIB - 1) / MIB);
	return FALSE;
}

gboolean hb_bar_size_check_fit(HbPciFunction *function, const guint64 window[HB_N_WINDOW_KINDS],
			       GError **error)
{
	HbBarSize bars[HB_MAX_BARS];
	guint n = hb_bar_size_measure(function, bars);

	for (HbWindowKind kind = 0; kind < HB_N_WINDOW_KINDS; kind++)
		if (!check_kind(bars, n, kind, window[kind], error))
			return FALSE;
	return TRUE;
}
