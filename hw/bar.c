/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The memory BARs of one function: registers that the guest writes, turned into guest physical
 * ranges that it can reach (PCIe r6.0 §7.5.1.2.1, Base Address Registers).
 *
 *                 registers name an address that all bridges forward,
 *                 Memory Space Enable set, reachable, not severed
 *    +--------+ -------------------------------------------------> +--------+
 *    | absent |                                                    | placed |
 *    +--------+ <------------------------------------------------- +--------+
 *                        any of that no longer holds
 *
 * A placed BAR is claimed from the host bridge as a whole, and the parts that have host memory are
 * mapped over it into the guest, so that accesses to them never leave it. A part that the host
 * cannot map is said so once and trapped like the rest: slower, but right.
 *
 * An update first withdraws every BAR that moves or goes and only then places the others, so two
 * BARs may swap addresses. Memory slots of the host must not overlap, neither each other nor guest
 * memory; where the guest lays BARs over each other the second one's mapping fails and is trapped,
 * and the bridge lets the first one answer.
 *
 * A BAR is placed only if it lies wholly inside a window of the host bridge, and of every bridge on
 * the way. This also disposes of what guests write on the way: zero after reset, all-ones while
 * sizing, and half of a new 64-bit address. The windows do not overlap ECAM; memory declared late
 * is looked at here.
 *
 * With the bus lock held, but for create and destroy.
 */

#include "hw/bar.h"

#include "hw/host-bridge.h"
#include "hw/host.h"
#include "hw/port.h"

#include <linux/pci_regs.h>

#define BAR_OFFSET(index) (PCI_BASE_ADDRESS_0 + 4 * (index))
#define ABSENT		  G_MAXUINT64

typedef struct Mapping {
	HbBarMapping part;
	gboolean mapped;
	guint slot; /* the host's handle, if mapped */
} Mapping;

typedef struct Bar {
	HbBars *bars;
	guint index;
	guint64 size; /* 0: not described */
	gboolean is_64bit;
	Mapping *mappings; /* owned */
	guint n_mappings;
	guint64 placed; /* its guest physical address now, or ABSENT */
	gboolean failure_logged;
} Bar;

struct HbBars {
	HbConfigSpace *config; /* the function's; outlives this */
	const HbBarOps *ops;
	gpointer opaque;
	HbHostBridge *bridge; /* NULL until attached */
	const HbPort *port;   /* (nullable): likewise */
	gboolean reachable;
	gboolean severed;
	Bar bar[HB_BAR_COUNT];
};

HbBars *hb_bars_create(HbConfigSpace *config, const HbBarOps *ops, gpointer opaque)
{
	HbBars *bars = g_new0(HbBars, 1);

	bars->config = config;
	bars->ops = ops;
	bars->opaque = opaque;
	bars->reachable = TRUE;
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		bars->bar[i].bars = bars;
		bars->bar[i].index = i;
		bars->bar[i].placed = ABSENT;
	}
	return bars;
}

void hb_bars_destroy(HbBars *bars)
{
	if (!bars)
		return;
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		g_assert(bars->bar[i].placed == ABSENT);
		g_free(bars->bar[i].mappings);
	}
	g_free(bars);
}

void hb_bars_add(HbBars *bars, guint index, const HbBarDescription *description)
{
	Bar *bar = &bars->bar[index];
	guint64 address_bits = ~(description->size - 1);
	guint32 type = PCI_BASE_ADDRESS_SPACE_MEMORY;

	g_return_if_fail(index + !!description->is_64bit < HB_BAR_COUNT);
	if (description->is_64bit)
		type |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (description->prefetchable)
		type |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	bar->size = description->size;
	bar->is_64bit = description->is_64bit;
	bar->n_mappings = description->n_mappings;
	bar->mappings = g_new0(Mapping, bar->n_mappings);
	for (guint i = 0; i < bar->n_mappings; i++)
		bar->mappings[i].part = description->mappings[i];

	hb_config_space_set_u32(bars->config, BAR_OFFSET(index), type);
	hb_config_space_set_writable(bars->config, BAR_OFFSET(index), 4, (guint32)address_bits);
	if (bar->is_64bit)
		hb_config_space_set_writable(bars->config, BAR_OFFSET(index + 1), 4,
					     (guint32)(address_bits >> 32));
}

/* The parts that the host could not map are read and written through the device. */
static guint64 read_trapped(gpointer opaque, guint64 offset, guint size)
{
	Bar *bar = opaque;

	return bar->bars->ops->read(bar->bars->opaque, bar->index, offset, size);
}

static void write_trapped(gpointer opaque, guint64 offset, guint size, guint64 value)
{
	Bar *bar = opaque;

	bar->bars->ops->write(bar->bars->opaque, bar->index, offset, size, value);
}

static const HbMmioOps trap_ops = {
	.read = read_trapped,
	.write = write_trapped,
};

static HbHost *get_host(const HbBars *bars)
{
	return hb_host_bridge_get_host(bars->bridge);
}

static void log_failure(Bar *bar, const Mapping *mapping, guint64 gpa, const GError *error)
{
	const HbConfigSpace *config = bar->bars->config;

	if (bar->failure_logged)
		return;
	bar->failure_logged = TRUE;
	hb_host_log(get_host(bar->bars), G_LOG_LEVEL_WARNING,
		    "BAR %u of %04x:%04x: 0x%" G_GINT64_MODIFIER
		    "x bytes cannot be mapped at 0x%" G_GINT64_MODIFIER
		    "x, so the guest's accesses are trapped, which is slower: %s",
		    bar->index, hb_config_space_get_u16(config, PCI_VENDOR_ID),
		    hb_config_space_get_u16(config, PCI_DEVICE_ID), mapping->part.size, gpa,
		    error->message);
}

static void tell_mapped(const Bar *bar, const Mapping *mapping, gboolean here)
{
	const HbBars *bars = bar->bars;
	const HbBarMapping *part = &mapping->part;

	if (bars->ops->mapped)
		bars->ops->mapped(bars->opaque, bar->placed + part->offset, part->size, part->hva,
				  here);
}

static void place(Bar *bar, guint64 base)
{
	HbHost *host = get_host(bar->bars);

	bar->placed = base;
	hb_host_bridge_claim(bar->bars->bridge, base, bar->size, &trap_ops, bar);
	for (guint i = 0; i < bar->n_mappings; i++) {
		Mapping *mapping = &bar->mappings[i];
		guint64 gpa = base + mapping->part.offset;
		g_autoptr(GError) error = NULL;

		mapping->mapped = hb_host_get_ops(host)->map(
			host, gpa, mapping->part.size, mapping->part.hva, &mapping->slot, &error);
		if (mapping->mapped)
			tell_mapped(bar, mapping, TRUE);
		else
			log_failure(bar, mapping, gpa, error);
	}
}

static void withdraw(Bar *bar)
{
	HbHost *host = get_host(bar->bars);

	for (guint i = 0; i < bar->n_mappings; i++) {
		Mapping *mapping = &bar->mappings[i];

		if (!mapping->mapped)
			continue;
		hb_host_get_ops(host)->unmap(host, mapping->slot);
		mapping->mapped = FALSE;
		tell_mapped(bar, mapping, FALSE);
	}
	hb_host_bridge_unclaim(bar->bars->bridge, bar->placed, &trap_ops, bar);
	bar->placed = ABSENT;
}

static guint64 get_base(const Bar *bar)
{
	const HbConfigSpace *config = bar->bars->config;
	guint64 base = hb_config_space_get_u32(config, BAR_OFFSET(bar->index));

	if (bar->is_64bit)
		base |= (guint64)hb_config_space_get_u32(config, BAR_OFFSET(bar->index + 1)) << 32;
	return base & ~(bar->size - 1);
}

static gboolean window_holds(const HbAddressWindow *window, guint64 base, guint64 size)
{
	return base >= window->base && size <= window->size &&
	       base - window->base <= window->size - size;
}

static gboolean overlaps_ram(HbHost *host, guint64 base, guint64 size)
{
	guint n;
	const HbRam *ram = hb_host_get_ram(host, &n);

	for (guint i = 0; i < n; i++)
		if (base < ram[i].gpa + ram[i].size && ram[i].gpa < base + size)
			return TRUE;
	return FALSE;
}

/* Where the registers say that @bar is, or ABSENT. */
static guint64 get_wanted(const Bar *bar)
{
	const HbBars *bars = bar->bars;
	guint16 command = hb_config_space_get_u16(bars->config, PCI_COMMAND);

	if (!bar->size || !bars->reachable || bars->severed || !(command & PCI_COMMAND_MEMORY))
		return ABSENT;

	const HbHostBridgeConfig *windows = hb_host_bridge_get_config(bars->bridge);
	guint64 base = get_base(bar);

	if (!base || (!window_holds(&windows->mem32, base, bar->size) &&
		      !window_holds(&windows->mem64, base, bar->size)))
		return ABSENT;
	if (bars->port && !hb_port_forwards(bars->port, base, bar->size))
		return ABSENT;
	return overlaps_ram(get_host(bars), base, bar->size) ? ABSENT : base;
}

void hb_bars_attach(HbBars *bars, HbHostBridge *bridge, const HbPort *port)
{
	bars->bridge = bridge;
	bars->port = port;
	hb_bars_update(bars);
}

void hb_bars_update(HbBars *bars)
{
	guint64 wanted[HB_BAR_COUNT];

	if (!bars->bridge)
		return;
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		Bar *bar = &bars->bar[i];

		wanted[i] = get_wanted(bar);
		if (bar->placed != ABSENT && bar->placed != wanted[i])
			withdraw(bar);
	}
	for (guint i = 0; i < HB_BAR_COUNT; i++) {
		Bar *bar = &bars->bar[i];

		if (wanted[i] != bar->placed)
			place(bar, wanted[i]);
	}
}

void hb_bars_set_reachable(HbBars *bars, gboolean reachable)
{
	bars->reachable = reachable;
	hb_bars_update(bars);
}

void hb_bars_sever(HbBars *bars)
{
	bars->severed = TRUE;
	hb_bars_update(bars);
}
