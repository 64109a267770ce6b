/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The machine as firmware would leave it to the operating system: buses numbered, bridges with
 * windows, BARs placed. Everything is found and set through configuration accesses, so whatever a
 * function shows the guest is what is laid out.
 *
 *   for each function of bus 0, in ascending order
 *     a bridge:  secondary = subordinate = the next bus
 *                size the BARs of the functions behind it
 *                window = what the port asks for, or what those BARs need if that is more
 *                place the window, then the BARs in it; enable forwarding
 *     any other: size its BARs and place them
 *
 * Which window a BAR behind a bridge can use is decided by the bridge, whose prefetchable window is
 * the only one above 4 GiB (PCIe r6.0 §7.5.1.3): 64-bit prefetchable BARs go there, all others into
 * the 32-bit window. On bus 0 every 64-bit BAR may lie high. A window is aligned to the largest
 * power of two it holds, so that a BAR of that size can be hot-added later.
 *
 * Memory Space stays disabled in endpoints: enabling it is the operating system's. A slot holds no
 * further bridge, so each secondary bus ends there. I/O windows are closed: the slots' drives have
 * no I/O BARs.
 *
 * The loop thread, while the guest does not run. Takes the bus lock for each access.
 */

#include "hw/host-bridge.h"

#include "hw/address-space.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>

#define MIB	 (G_GUINT64_CONSTANT(1) << 20)
#define N_DEVFNS 256
#define N_BARS	 6

#define HEADER_TYPE_MULTIFUNCTION 0x80 /* PCIe r6.0 §7.5.1.1.9 */

typedef enum WindowKind {
	WINDOW_MEM32,
	WINDOW_MEM64,
	N_WINDOW_KINDS,
} WindowKind;

static const char *const config_names[N_WINDOW_KINDS] = { "mem32", "mem64" };

/* One memory BAR that was found. */
typedef struct LayoutBar {
	guint8 bus;
	guint8 devfn;
	guint index;
	guint64 size;
	gboolean is_64bit;
	WindowKind kind;
} LayoutBar;

typedef struct Layout {
	HbHostBridge *bridge;
	HbAddressSpace space[N_WINDOW_KINDS]; /* what is left of the host bridge's windows */
	guint next_bus;
	guint n_buses; /* that ECAM reaches */
} Layout;

static guint32 read_config(Layout *layout, guint8 bus, guint8 devfn, guint offset, guint size)
{
	return hb_host_bridge_config_read(layout->bridge, bus, devfn, offset, size);
}

static void write_config(Layout *layout, guint8 bus, guint8 devfn, guint offset, guint size,
			 guint32 value)
{
	hb_host_bridge_config_write(layout->bridge, bus, devfn, offset, size, value);
}

static gboolean is_present(Layout *layout, guint8 bus, guint8 devfn)
{
	return read_config(layout, bus, devfn, PCI_VENDOR_ID, 2) != 0xffff;
}

/* Function 0 says whether the device has others. */
static gboolean should_probe(Layout *layout, guint8 bus, guint8 devfn)
{
	guint8 first = HB_PCI_DEVFN(HB_PCI_DEVICE(devfn), 0);

	return is_present(layout, bus, devfn) &&
	       (devfn == first ||
		(is_present(layout, bus, first) &&
		 read_config(layout, bus, first, PCI_HEADER_TYPE, 1) & HEADER_TYPE_MULTIFUNCTION));
}

static gboolean is_bridge(Layout *layout, guint8 bus, guint8 devfn)
{
	return (read_config(layout, bus, devfn, PCI_HEADER_TYPE, 1) & PCI_HEADER_TYPE_MASK) ==
	       PCI_HEADER_TYPE_BRIDGE;
}

static guint bar_offset(guint index)
{
	return PCI_BASE_ADDRESS_0 + 4 * index;
}

/* Which of its bits a BAR register lets one write. */
static guint32 read_bar_mask(Layout *layout, guint8 bus, guint8 devfn, guint index)
{
	guint32 saved = read_config(layout, bus, devfn, bar_offset(index), 4);

	write_config(layout, bus, devfn, bar_offset(index), 4, G_MAXUINT32);
	guint32 mask = read_config(layout, bus, devfn, bar_offset(index), 4);
	write_config(layout, bus, devfn, bar_offset(index), 4, saved);
	return mask;
}

static WindowKind choose_window(const LayoutBar *bar, gboolean prefetchable)
{
	return bar->is_64bit && (prefetchable || bar->bus == 0) ? WINDOW_MEM64 : WINDOW_MEM32;
}

/* Sizes BAR @index of @n; FALSE if there is none. PCIe r6.0 §7.5.1.2.1. */
static gboolean size_bar(Layout *layout, guint8 bus, guint8 devfn, guint index, guint n,
			 LayoutBar *bar)
{
	guint32 low = read_bar_mask(layout, bus, devfn, index);
	guint64 mask = low & (guint32)PCI_BASE_ADDRESS_MEM_MASK;

	if (!low || low & PCI_BASE_ADDRESS_SPACE_IO)
		return FALSE;
	*bar = (LayoutBar){ .bus = bus, .devfn = devfn, .index = index };
	bar->is_64bit = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->is_64bit && index + 1 == n)
		return FALSE;
	if (bar->is_64bit)
		mask |= (guint64)read_bar_mask(layout, bus, devfn, index + 1) << 32;
	else
		mask |= (guint64)G_MAXUINT32 << 32;
	bar->size = ~mask + 1;
	bar->kind = choose_window(bar, (low & PCI_BASE_ADDRESS_MEM_PREFETCH) != 0);
	return bar->size != 0;
}

static void size_function(Layout *layout, guint8 bus, guint8 devfn, GArray *bars)
{
	guint n = is_bridge(layout, bus, devfn) ? 2 : N_BARS;
	guint32 command = read_config(layout, bus, devfn, PCI_COMMAND, 2);
	LayoutBar bar;

	write_config(layout, bus, devfn, PCI_COMMAND, 2,
		     command & ~(guint32)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (guint i = 0; i < n; i++) {
		if (!size_bar(layout, bus, devfn, i, n, &bar))
			continue;
		g_array_append_val(bars, bar);
		i += bar.is_64bit;
	}
}

static gint compare_sizes(gconstpointer a, gconstpointer b)
{
	const LayoutBar *bar_a = a, *bar_b = b;

	return (bar_a->size < bar_b->size) - (bar_a->size > bar_b->size);
}

/* Places @bars of @kind in @space, which must be large enough and as aligned as the largest. */
static gboolean place_bars(Layout *layout, const GArray *bars, WindowKind kind,
			   HbAddressSpace *space, GError **error)
{
	for (guint i = 0; i < bars->len; i++) {
		const LayoutBar *bar = &g_array_index(bars, LayoutBar, i);
		guint64 base;

		if (bar->kind != kind)
			continue;
		if (!hb_address_space_take(space, bar->size, bar->size, &base)) {
			g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
				    "%02x:%02x.%x: no room for its BAR %u of 0x%" G_GINT64_MODIFIER
				    "x bytes: enlarge the host bridge's %s window",
				    bar->bus, HB_PCI_DEVICE(bar->devfn),
				    HB_PCI_FUNCTION(bar->devfn), bar->index, bar->size,
				    config_names[kind]);
			return FALSE;
		}
		write_config(layout, bar->bus, bar->devfn, bar_offset(bar->index), 4,
			     (guint32)base);
		if (bar->is_64bit)
			write_config(layout, bar->bus, bar->devfn, bar_offset(bar->index + 1), 4,
				     (guint32)(base >> 32));
	}
	return TRUE;
}

static guint64 align_up(guint64 value, guint64 alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

/* @value > 0 */
static guint64 power_of_two_below(guint64 value)
{
	return G_GUINT64_CONSTANT(1) << (63 - __builtin_clzll(value));
}

/* The bars are powers of two and sorted in descending order, so they pack without gaps. */
static const LayoutBar *sum_bars(const GArray *bars, WindowKind kind, guint64 *sum)
{
	const LayoutBar *largest = NULL;

	*sum = 0;
	for (guint i = 0; i < bars->len; i++) {
		const LayoutBar *bar = &g_array_index(bars, LayoutBar, i);

		if (bar->kind != kind)
			continue;
		if (!largest)
			largest = bar;
		*sum += bar->size;
	}
	return largest;
}

static void set_window_error(guint8 devfn, WindowKind kind, guint64 size, const LayoutBar *largest,
			     GError **error)
{
	g_autofree char *reason =
		largest ? g_strdup_printf(
				  " (BAR %u of %02x:%02x.%x takes 0x%" G_GINT64_MODIFIER "x of it)",
				  largest->index, largest->bus, HB_PCI_DEVICE(largest->devfn),
				  HB_PCI_FUNCTION(largest->devfn), largest->size)
			: g_strdup("");

	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "root port 00:%02x.%x: no room for its %s window of 0x%" G_GINT64_MODIFIER
		    "x bytes%s: enlarge the host bridge's %s window, or let ports reserve less",
		    HB_PCI_DEVICE(devfn), HB_PCI_FUNCTION(devfn),
		    kind == WINDOW_MEM32 ? "32-bit" : "prefetchable", size, reason,
		    config_names[kind]);
}

/* Finds room for a port's window; it is empty if neither the port nor a BAR asks for one. */
static gboolean take_window(Layout *layout, guint8 devfn, WindowKind kind, guint64 asked,
			    const GArray *bars, HbAddressWindow *window, GError **error)
{
	guint64 needed;
	const LayoutBar *largest = sum_bars(bars, kind, &needed);

	*window = (HbAddressWindow){ .size = align_up(MAX(asked, needed), MIB) };
	if (!window->size || hb_address_space_take(&layout->space[kind], window->size,
						   power_of_two_below(window->size), &window->base))
		return TRUE;
	set_window_error(devfn, kind, window->size, largest, error);
	return FALSE;
}

/* PCIe r6.0 §7.5.1.3.8: the registers hold address bits 31:20; base above limit closes it. */
static void write_mem32_window(Layout *layout, guint8 devfn, const HbAddressWindow *window)
{
	guint64 last = window->base + window->size - 1;

	write_config(layout, 0, devfn, PCI_MEMORY_BASE, 2,
		     window->size ? (guint32)(window->base >> 16) & 0xfff0 : 0xfff0);
	write_config(layout, 0, devfn, PCI_MEMORY_LIMIT, 2,
		     window->size ? (guint32)(last >> 16) & 0xfff0 : 0);
}

/* PCIe r6.0 §7.5.1.3.9 and §7.5.1.3.10 */
static void write_mem64_window(Layout *layout, guint8 devfn, const HbAddressWindow *window)
{
	guint64 base = window->size ? window->base : 0xfff00000;
	guint64 last = window->size ? window->base + window->size - 1 : 0;

	write_config(layout, 0, devfn, PCI_PREF_MEMORY_BASE, 2, (guint32)(base >> 16) & 0xfff0);
	write_config(layout, 0, devfn, PCI_PREF_MEMORY_LIMIT, 2, (guint32)(last >> 16) & 0xfff0);
	write_config(layout, 0, devfn, PCI_PREF_BASE_UPPER32, 4, (guint32)(base >> 32));
	write_config(layout, 0, devfn, PCI_PREF_LIMIT_UPPER32, 4, (guint32)(last >> 32));
}

static gboolean number_bus(Layout *layout, guint8 devfn, guint8 *bus, GError **error)
{
	if (layout->next_bus >= layout->n_buses) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "root port 00:%02x.%x: no bus number left, ECAM reaches %u buses: "
			    "enlarge the ecam window by 1 MiB for each port",
			    HB_PCI_DEVICE(devfn), HB_PCI_FUNCTION(devfn), layout->n_buses);
		return FALSE;
	}
	*bus = (guint8)layout->next_bus++;
	write_config(layout, 0, devfn, PCI_PRIMARY_BUS, 1, 0);
	write_config(layout, 0, devfn, PCI_SECONDARY_BUS, 1, *bus);
	write_config(layout, 0, devfn, PCI_SUBORDINATE_BUS, 1, *bus);
	return TRUE;
}

static GArray *size_bus(Layout *layout, guint8 bus)
{
	GArray *bars = g_array_new(FALSE, FALSE, sizeof(LayoutBar));

	for (guint devfn = 0; devfn < N_DEVFNS; devfn++)
		if (should_probe(layout, bus, (guint8)devfn))
			size_function(layout, bus, (guint8)devfn, bars);
	g_array_sort(bars, compare_sizes);
	return bars;
}

static gboolean place_behind(Layout *layout, const GArray *bars, WindowKind kind,
			     const HbAddressWindow *window, GError **error)
{
	HbAddressSpace space;

	hb_address_space_init(&space, window);
	gboolean placed = place_bars(layout, bars, kind, &space, error);
	hb_address_space_finish(&space);
	return placed;
}

static gboolean lay_out_bridge(Layout *layout, guint8 devfn, const guint64 asked[N_WINDOW_KINDS],
			       GError **error)
{
	HbAddressWindow windows[N_WINDOW_KINDS];
	guint8 bus;

	if (!number_bus(layout, devfn, &bus, error))
		return FALSE;

	g_autoptr(GArray) bars = size_bus(layout, bus);

	for (WindowKind kind = 0; kind < N_WINDOW_KINDS; kind++)
		if (!take_window(layout, devfn, kind, asked[kind], bars, &windows[kind], error) ||
		    !place_behind(layout, bars, kind, &windows[kind], error))
			return FALSE;
	write_config(layout, 0, devfn, PCI_IO_BASE, 1, 0xf0);
	write_config(layout, 0, devfn, PCI_IO_LIMIT, 1, 0);
	write_mem32_window(layout, devfn, &windows[WINDOW_MEM32]);
	write_mem64_window(layout, devfn, &windows[WINDOW_MEM64]);
	write_config(layout, 0, devfn, PCI_COMMAND, 2,
		     read_config(layout, 0, devfn, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY |
			     PCI_COMMAND_MASTER);
	return TRUE;
}

static gboolean lay_out_function(Layout *layout, guint8 devfn, GError **error)
{
	g_autoptr(GArray) bars = g_array_new(FALSE, FALSE, sizeof(LayoutBar));
	guint64 asked[N_WINDOW_KINDS];

	size_function(layout, 0, devfn, bars);
	g_array_sort(bars, compare_sizes);
	for (WindowKind kind = 0; kind < N_WINDOW_KINDS; kind++)
		if (!place_bars(layout, bars, kind, &layout->space[kind], error))
			return FALSE;
	return !hb_host_bridge_get_window_sizes(layout->bridge, devfn, &asked[WINDOW_MEM32],
						&asked[WINDOW_MEM64]) ||
	       lay_out_bridge(layout, devfn, asked, error);
}

static gboolean lay_out_root(Layout *layout, GError **error)
{
	for (guint devfn = 0; devfn < N_DEVFNS; devfn++)
		if (should_probe(layout, 0, (guint8)devfn) &&
		    !lay_out_function(layout, (guint8)devfn, error))
			return FALSE;
	return TRUE;
}

gboolean hb_host_bridge_lay_out(HbHostBridge *bridge, GError **error)
{
	const HbHostBridgeConfig *config = hb_host_bridge_get_config(bridge);
	Layout layout = {
		.bridge = bridge,
		.next_bus = 1,
		.n_buses = (guint)(config->ecam.size / MIB),
	};

	hb_address_space_init(&layout.space[WINDOW_MEM32], &config->mem32);
	hb_address_space_init(&layout.space[WINDOW_MEM64], &config->mem64);
	gboolean done = lay_out_root(&layout, error);
	hb_address_space_finish(&layout.space[WINDOW_MEM32]);
	hb_address_space_finish(&layout.space[WINDOW_MEM64]);
	return done;
}
