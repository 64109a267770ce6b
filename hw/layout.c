/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The machine as firmware would leave it to the operating system: buses numbered, bridges with
 * windows, BARs placed. Everything is found and set through configuration accesses, so whatever a
 * function shows the guest is what is laid out.
 *
 *   down:  for each function of a bus, in ascending order: size its BARs; if it is a bridge, give
 * it the next bus number and go down to that bus, then the last number used as subordinate up:
 * window = what the port asks for, or what is behind it needs if that is more down:  place BARs and
 * windows in the host bridge's, and what is behind each window in it; write the registers; enable
 * forwarding
 *
 * Which window a BAR behind a bridge can use is decided by the bridge (hw/bar-size.c). On bus 0
 * every 64-bit BAR may lie high. A window is aligned to the largest power of two it holds, so that
 * a BAR of that size can be hot-added later. Behind a bridge the most aligned comes first, which
 * leaves no gaps; bus 0 keeps the order of the functions, so its addresses are easy to foresee.
 *
 * Again, after a reset: bridges ask for what they had (HbSecondaryBusOps.laid_out), so all windows
 * are where they were. If there is no room for what drives need beyond that, because the guest had
 * made larger windows by itself, it is lean: the windows that are asked for, and BARs that do not
 * fit are left out.
 *
 * Memory Space stays disabled in endpoints: enabling it is the operating system's. I/O windows are
 * closed: the slots' drives have no I/O BARs.
 *
 * The loop thread, while the guest does not run. Takes the bus lock for each access.
 */

#include "hw/address-space.h"
#include "hw/bus.h"
#include "hw/host-bridge.h"
#include "hw/host.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>

#define MIB	 (G_GUINT64_CONSTANT(1) << 20)
#define N_DEVFNS 256
#define MAX_BUS	 256

#define HEADER_TYPE_MULTIFUNCTION 0x80 /* PCIe r6.0 §7.5.1.1.9 */

/* Where packing is tried out: as aligned as any window. */
static const HbAddressWindow sandbox = { .base = G_GUINT64_CONSTANT(1) << 62,
					 .size = G_GUINT64_CONSTANT(1) << 61 };

static const char *const config_names[HB_N_WINDOW_KINDS] = { "mem32", "mem64" };
static const char *const kind_names[HB_N_WINDOW_KINDS] = { "32-bit", "prefetchable" };

typedef struct Bridge Bridge;

/* A BAR or a bridge's window: it needs addresses. */
typedef struct Need {
	guint8 bus;
	guint8 devfn;
	HbWindowKind kind;
	guint64 size;
	guint64 alignment;
	guint index;	   /* of a BAR */
	gboolean is_64bit; /* likewise */
	Bridge *bridge;	   /* whose window it is; NULL: a BAR */
} Need;

struct Bridge {
	guint8 bus;
	guint8 devfn;
	guint8 secondary;
	HbReserve reserve;
	GArray *needs; /* of Need: behind it, on its secondary bus */
	HbAddressWindow window[HB_N_WINDOW_KINDS];
};

typedef struct Layout {
	HbHostBridge *bridge;
	GPtrArray *bridges; /* of Bridge, owned */
	GArray *needs;	    /* of Need: on bus 0 */
	guint next_bus;
	guint n_buses; /* that ECAM reaches */
	gboolean lean; /* windows as asked for, and what does not fit is left out */
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

/* ---- down: buses and BARs ---- */

static gboolean scan_bus(Layout *layout, guint8 bus, GArray *needs, GError **error);

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

static guint bar_offset(guint index)
{
	return PCI_BASE_ADDRESS_0 + 4 * index;
}

static guint measure(Layout *layout, guint8 bus, guint8 devfn, HbBarSize bars[HB_MAX_BARS])
{
	guint32 command = read_config(layout, bus, devfn, PCI_COMMAND, 2);
	guint n = 0;

	write_config(layout, bus, devfn, PCI_COMMAND, 2,
		     command & ~(guint32)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	hb_host_bridge_lock(layout->bridge);
	HbPciFunction *function = hb_host_bridge_route(layout->bridge, bus, devfn);
	if (function)
		n = hb_bar_size_measure(function, bars);
	hb_host_bridge_unlock(layout->bridge);
	return n;
}

static void scan_bars(Layout *layout, guint8 bus, guint8 devfn, GArray *needs)
{
	HbBarSize bars[HB_MAX_BARS];
	guint n = measure(layout, bus, devfn, bars);

	for (guint i = 0; i < n; i++) {
		Need need = { .bus = bus, .devfn = devfn, .index = bars[i].index };

		need.size = need.alignment = bars[i].size;
		need.is_64bit = bars[i].is_64bit;
		need.kind = bus == 0 && bars[i].is_64bit ? HB_WINDOW_MEM64
							 : hb_bar_size_get_window(&bars[i]);
		g_array_append_val(needs, need);
	}
}

/* FALSE if the function is no bridge. */
static gboolean get_reserve(Layout *layout, guint8 bus, guint8 devfn, HbReserve *reserve)
{
	hb_host_bridge_lock(layout->bridge);
	HbPciFunction *function = hb_host_bridge_route(layout->bridge, bus, devfn);
	gboolean is_bridge = function && function->secondary;
	if (is_bridge)
		function->secondary->get_reserve(function, reserve);
	hb_host_bridge_unlock(layout->bridge);
	return is_bridge;
}

static gboolean take_buses(Layout *layout, const Bridge *bridge, guint n, GError **error)
{
	if (n <= layout->n_buses - layout->next_bus) {
		layout->next_bus += n;
		return TRUE;
	}
	g_set_error(
		error, HB_ERROR, HB_ERROR_LIMIT,
		"bridge %02x:%02x.%x: no bus number left, ECAM reaches %u buses of the %u that "
		"there can be: enlarge the ecam window by 1 MiB for each, or have fewer ports and "
		"less bus-reserve",
		bridge->bus, HB_PCI_DEVICE(bridge->devfn), HB_PCI_FUNCTION(bridge->devfn),
		layout->n_buses, MAX_BUS);
	return FALSE;
}

/* While a bus is scanned, all numbers that are left lead there. */
static gboolean scan_behind(Layout *layout, Bridge *bridge, GError **error)
{
	guint8 bus = bridge->bus, devfn = bridge->devfn;

	bridge->secondary = (guint8)layout->next_bus;
	if (!take_buses(layout, bridge, 1, error))
		return FALSE;
	write_config(layout, bus, devfn, PCI_PRIMARY_BUS, 1, bus);
	write_config(layout, bus, devfn, PCI_SECONDARY_BUS, 1, bridge->secondary);
	write_config(layout, bus, devfn, PCI_SUBORDINATE_BUS, 1, layout->n_buses - 1);
	if (!scan_bus(layout, bridge->secondary, bridge->needs, error) ||
	    !take_buses(layout, bridge, bridge->reserve.buses, error))
		return FALSE;
	write_config(layout, bus, devfn, PCI_SUBORDINATE_BUS, 1, layout->next_bus - 1);
	return TRUE;
}

/* ---- up: windows ---- */

static gint compare_alignments(gconstpointer a, gconstpointer b)
{
	const Need *need_a = a, *need_b = b;

	return (need_a->alignment < need_b->alignment) - (need_a->alignment > need_b->alignment);
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

/* How much of a window these take, placed in their order. */
static guint64 pack(const Layout *layout, const GArray *needs, HbWindowKind kind)
{
	HbAddressSpace space;
	guint64 taken = 0;

	hb_address_space_init(&space, &sandbox);
	for (guint i = 0; i < needs->len && taken < sandbox.size; i++) {
		const Need *need = &g_array_index(needs, Need, i);
		guint64 base;

		if (need->kind != kind || (layout->lean && !need->bridge))
			continue;
		taken = hb_address_space_take(&space, need->size, need->alignment, &base)
				? MAX(taken, base + need->size - sandbox.base)
				: sandbox.size;
	}
	hb_address_space_finish(&space);
	return taken;
}

/* A window is not there if neither the port asks for one nor anything behind it. */
static void need_windows(const Layout *layout, Bridge *bridge, GArray *needs)
{
	for (HbWindowKind kind = 0; kind < HB_N_WINDOW_KINDS; kind++) {
		guint64 needed = pack(layout, bridge->needs, kind);
		Need need = { .bus = bridge->bus, .devfn = bridge->devfn, .bridge = bridge };

		need.kind = kind;
		need.size = align_up(MAX(bridge->reserve.window[kind], needed), MIB);
		if (!need.size)
			continue;
		need.alignment = power_of_two_below(need.size);
		g_array_append_val(needs, need);
	}
}

static void free_bridge(gpointer data)
{
	Bridge *bridge = data;

	g_array_unref(bridge->needs);
	g_free(bridge);
}

static gboolean scan_bridge(Layout *layout, guint8 bus, guint8 devfn, const HbReserve *reserve,
			    GArray *needs, GError **error)
{
	Bridge *bridge = g_new0(Bridge, 1);

	bridge->bus = bus;
	bridge->devfn = devfn;
	bridge->reserve = *reserve;
	bridge->needs = g_array_new(FALSE, FALSE, sizeof(Need));
	g_ptr_array_add(layout->bridges, bridge);
	if (!scan_behind(layout, bridge, error))
		return FALSE;
	g_array_sort(bridge->needs, compare_alignments);
	need_windows(layout, bridge, needs);
	return TRUE;
}

static gboolean scan_bus(Layout *layout, guint8 bus, GArray *needs, GError **error)
{
	HbReserve reserve;

	for (guint i = 0; i < N_DEVFNS; i++) {
		guint8 devfn = (guint8)i;

		if (!should_probe(layout, bus, devfn))
			continue;
		scan_bars(layout, bus, devfn, needs);
		if (get_reserve(layout, bus, devfn, &reserve) &&
		    !scan_bridge(layout, bus, devfn, &reserve, needs, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- down: addresses ---- */

static const Need *find_largest_bar(const GArray *needs, HbWindowKind kind)
{
	const Need *largest = NULL;

	for (guint i = 0; i < needs->len; i++) {
		const Need *need = &g_array_index(needs, Need, i);

		if (need->kind == kind && need->bridge)
			need = find_largest_bar(need->bridge->needs, kind);
		if (need && need->kind == kind && (!largest || need->size > largest->size))
			largest = need;
	}
	return largest;
}

static char *describe_bar(const Need *bar)
{
	return g_strdup_printf("BAR %u of %02x:%02x.%x takes 0x%" G_GINT64_MODIFIER "x", bar->index,
			       bar->bus, HB_PCI_DEVICE(bar->devfn), HB_PCI_FUNCTION(bar->devfn),
			       bar->size);
}

static void set_window_error(const Need *need, GError **error)
{
	const Need *largest = find_largest_bar(need->bridge->needs, need->kind);
	g_autofree char *reason = largest ? describe_bar(largest) : g_strdup("all asked for");

	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "bridge %02x:%02x.%x: no room for its %s window of 0x%" G_GINT64_MODIFIER
		    "x bytes (%s): enlarge the host bridge's %s window, or let ports reserve less",
		    need->bus, HB_PCI_DEVICE(need->devfn), HB_PCI_FUNCTION(need->devfn),
		    kind_names[need->kind], need->size, reason, config_names[need->kind]);
}

/* What does not fit: an error, or left out and said. */
static gboolean refuse_bar(Layout *layout, const Need *need, GError **error)
{
	g_autofree char *reason = describe_bar(need);

	if (!layout->lean) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "no room: %s: enlarge the host bridge's %s window", reason,
			    config_names[need->kind]);
		return FALSE;
	}
	hb_host_log(
		hb_host_bridge_get_host(layout->bridge), G_LOG_LEVEL_WARNING,
		"%s, which its port's %s window does not hold after the reset: it has no address "
		"unless the guest finds one; give the port a larger window at start",
		reason, kind_names[need->kind]);
	return TRUE;
}

static void write_bar(Layout *layout, const Need *bar, guint64 base)
{
	write_config(layout, bar->bus, bar->devfn, bar_offset(bar->index), 4, (guint32)base);
	if (bar->is_64bit)
		write_config(layout, bar->bus, bar->devfn, bar_offset(bar->index + 1), 4,
			     (guint32)(base >> 32));
}

static gboolean place(Layout *layout, const GArray *needs, HbWindowKind kind,
		      const HbAddressWindow *window, GError **error)
{
	gboolean good = TRUE;
	HbAddressSpace space;

	hb_address_space_init(&space, window);
	for (guint i = 0; i < needs->len && good; i++) {
		const Need *need = &g_array_index(needs, Need, i);
		guint64 base = 0;

		if (need->kind != kind)
			continue;
		gboolean fits = hb_address_space_take(&space, need->size, need->alignment, &base);
		if (fits && need->bridge)
			need->bridge->window[kind] = (HbAddressWindow){ base, need->size };
		else if (!need->bridge)
			write_bar(layout, need, base);
		if (!fits && need->bridge) {
			set_window_error(need, error);
			good = FALSE;
		} else if (!fits) {
			good = refuse_bar(layout, need, error);
		}
	}
	hb_address_space_finish(&space);
	return good;
}

/* PCIe r6.0 §7.5.1.3.8: the registers hold address bits 31:20; base above limit closes it. */
static void write_mem32_window(Layout *layout, const Bridge *bridge)
{
	const HbAddressWindow *window = &bridge->window[HB_WINDOW_MEM32];
	guint64 last = window->base + window->size - 1;

	write_config(layout, bridge->bus, bridge->devfn, PCI_MEMORY_BASE, 2,
		     window->size ? (guint32)(window->base >> 16) & 0xfff0 : 0xfff0);
	write_config(layout, bridge->bus, bridge->devfn, PCI_MEMORY_LIMIT, 2,
		     window->size ? (guint32)(last >> 16) & 0xfff0 : 0);
}

/* PCIe r6.0 §7.5.1.3.9 and §7.5.1.3.10 */
static void write_mem64_window(Layout *layout, const Bridge *bridge)
{
	const HbAddressWindow *window = &bridge->window[HB_WINDOW_MEM64];
	guint64 base = window->size ? window->base : 0xfff00000;
	guint64 last = window->size ? window->base + window->size - 1 : 0;
	guint8 bus = bridge->bus, devfn = bridge->devfn;

	write_config(layout, bus, devfn, PCI_PREF_MEMORY_BASE, 2, (guint32)(base >> 16) & 0xfff0);
	write_config(layout, bus, devfn, PCI_PREF_MEMORY_LIMIT, 2, (guint32)(last >> 16) & 0xfff0);
	write_config(layout, bus, devfn, PCI_PREF_BASE_UPPER32, 4, (guint32)(base >> 32));
	write_config(layout, bus, devfn, PCI_PREF_LIMIT_UPPER32, 4, (guint32)(last >> 32));
}

static void tell_bridge(Layout *layout, const Bridge *bridge)
{
	guint64 window[HB_N_WINDOW_KINDS] = { bridge->window[HB_WINDOW_MEM32].size,
					      bridge->window[HB_WINDOW_MEM64].size };

	hb_host_bridge_lock(layout->bridge);
	HbPciFunction *function = hb_host_bridge_route(layout->bridge, bridge->bus, bridge->devfn);
	if (function && function->secondary && function->secondary->laid_out)
		function->secondary->laid_out(function, window);
	hb_host_bridge_unlock(layout->bridge);
}

static gboolean place_behind(Layout *layout, const Bridge *bridge, GError **error)
{
	for (HbWindowKind kind = 0; kind < HB_N_WINDOW_KINDS; kind++)
		if (!place(layout, bridge->needs, kind, &bridge->window[kind], error))
			return FALSE;
	write_config(layout, bridge->bus, bridge->devfn, PCI_IO_BASE, 1, 0xf0);
	write_config(layout, bridge->bus, bridge->devfn, PCI_IO_LIMIT, 1, 0);
	write_mem32_window(layout, bridge);
	write_mem64_window(layout, bridge);
	write_config(layout, bridge->bus, bridge->devfn, PCI_COMMAND, 2,
		     read_config(layout, bridge->bus, bridge->devfn, PCI_COMMAND, 2) |
			     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	tell_bridge(layout, bridge);
	return TRUE;
}

/* Bridges are in the order in which they were found, so each comes after the one above it. */
static gboolean place_all(Layout *layout, GError **error)
{
	const HbHostBridgeConfig *config = hb_host_bridge_get_config(layout->bridge);

	if (!place(layout, layout->needs, HB_WINDOW_MEM32, &config->mem32, error) ||
	    !place(layout, layout->needs, HB_WINDOW_MEM64, &config->mem64, error))
		return FALSE;
	for (guint i = 0; i < layout->bridges->len; i++)
		if (!place_behind(layout, g_ptr_array_index(layout->bridges, i), error))
			return FALSE;
	return TRUE;
}

static gboolean lay_out(HbHostBridge *bridge, gboolean lean, GError **error)
{
	const HbHostBridgeConfig *config = hb_host_bridge_get_config(bridge);
	Layout layout = {
		.bridge = bridge,
		.bridges = g_ptr_array_new_with_free_func(free_bridge),
		.needs = g_array_new(FALSE, FALSE, sizeof(Need)),
		.next_bus = 1,
		.n_buses = (guint)(config->ecam.size / MIB),
		.lean = lean,
	};

	gboolean done = scan_bus(&layout, 0, layout.needs, error) && place_all(&layout, error);
	g_ptr_array_unref(layout.bridges);
	g_array_unref(layout.needs);
	return done;
}

gboolean hb_host_bridge_lay_out(HbHostBridge *bridge, GError **error)
{
	return lay_out(bridge, FALSE, error);
}

gboolean hb_host_bridge_lay_out_again(HbHostBridge *bridge, GError **error)
{
	return lay_out(bridge, FALSE, NULL) || lay_out(bridge, TRUE, error);
}
