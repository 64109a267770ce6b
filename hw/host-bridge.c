/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The root of the PCI hierarchy: which function the guest reaches by a configuration access, and
 * what answers at a guest physical address that is no RAM.
 *
 *   I/O ports CF8h, CFCh ----.
 *   ECAM window --------------+--> (bus, device, function, offset) --> function on bus 0,
 *   config_read/_write() ----'                                         or behind a bridge of bus 0
 *
 *   memory: ECAM, else the first claimed range (a BAR), else all-ones inside the windows
 *
 * Guests may access anything with any size and alignment. Every access is cut into naturally
 * aligned pieces of at most 4 bytes (configuration) or 8 bytes (memory) before it is decoded, so a
 * function never sees one that crosses its own end, a register's, or another function.
 *
 * Threads: any, since each entry takes the bus lock. The ops of functions and of claimed ranges are
 * called with it held and so must not call the entries that take it; hb_host_bridge_claim() and
 * hb_host_bridge_unclaim() are for them.
 */

#include "hw/host-bridge.h"

#include "hw/address-map.h"
#include "hw/bus.h"
#include "hw/config-space.h"
#include "hw/host.h"
#include "hw/port.h"
#include "hw/q35.h"

#include <hotbay/error.h>

#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)
#define GIB (G_GUINT64_CONSTANT(1) << 30)

/* PCI r3.0 §3.2.2.3.2, Configuration Mechanism #1. */
#define CONFIG_ADDRESS_PORT   0xcf8
#define CONFIG_DATA_PORT      0xcfc
#define CONFIG_DATA_LAST      0xcff
#define CONFIG_ADDRESS_ENABLE 0x80000000u
#define CONFIG_ADDRESS_MASK   0x80fffffcu

#define CONFIG_PIECE 4
#define MEMORY_PIECE 8

/* Far more than other threads can be first in a row: each time it takes a drive that goes. */
#define MAX_FAULTS 16

struct HbHostBridge {
	HbHost *host;
	HbHostBridgeConfig config;
	GMutex lock;

	/* All below is guarded by lock. */
	HbBus *bus0;
	HbAddressMap map;
	guint32 config_address;
};

/* The size of the first piece of an access of @left bytes at @address. */
static guint next_piece(guint64 address, guint left, guint largest)
{
	guint piece = largest;

	while (piece > left || address % piece)
		piece /= 2;
	return piece;
}

static guint64 load(const guint8 *data, guint size)
{
	guint64 value = 0;

	for (guint i = 0; i < size; i++)
		value |= (guint64)data[i] << (8 * i);
	return value;
}

static void store(guint8 *data, guint size, guint64 value)
{
	for (guint i = 0; i < size; i++)
		data[i] = (guint8)(value >> (8 * i));
}

/* Nobody answers: reads are all-ones, writes are lost. */
static void master_abort(guint8 *data, guint size, gboolean is_write)
{
	if (!is_write)
		memset(data, 0xff, size);
}

static gboolean window_contains(const HbAddressWindow *window, guint64 address)
{
	return address >= window->base && address - window->base < window->size;
}

HbPciFunction *hb_host_bridge_route(HbHostBridge *bridge, guint8 bus, guint8 devfn)
{
	return bus ? hb_bus_find_behind(bridge->bus0, bus, devfn) : hb_bus_get(bridge->bus0, devfn);
}

/* One piece, aligned to its size of at most 4. */
static void access_config(HbHostBridge *bridge, guint8 bus, guint8 devfn, guint offset,
			  guint8 *data, guint size, gboolean is_write)
{
	HbPciFunction *function = hb_host_bridge_route(bridge, bus, devfn);

	if (!function || offset >= HB_CONFIG_SIZE)
		master_abort(data, size, is_write);
	else if (is_write)
		function->ops->config_write(function, offset, size, (guint32)load(data, size));
	else
		store(data, size, function->ops->config_read(function, offset, size));
}

/* PCIe r6.0 §7.2.2: address bits 27:20 are the bus, 19:12 device and function, 11:0 the offset. */
static void access_ecam(HbHostBridge *bridge, guint64 address, guint8 *data, guint size,
			gboolean is_write)
{
	access_config(bridge, (guint8)(address >> 20), (guint8)(address >> 12), address & 0xfff,
		      data, size, is_write);
}

static void access_range(const HbAddressRange *range, guint64 gpa, guint8 *data, guint size,
			 gboolean is_write)
{
	guint64 offset = gpa - range->base;

	if (is_write)
		range->ops->write(range->opaque, offset, size, load(data, size));
	else
		store(data, size, range->ops->read(range->opaque, offset, size));
}

static gboolean check_window(const char *name, const HbAddressWindow *window, guint64 limit,
			     GError **error)
{
	if (!window->size)
		return TRUE;
	if (!(window->base % MIB) && !(window->size % MIB) && window->base < limit &&
	    window->size <= limit - window->base)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "%s window at 0x%" G_GINT64_MODIFIER "x, 0x%" G_GINT64_MODIFIER
		    "x bytes: align both to 1 MiB and keep its end below 0x%" G_GINT64_MODIFIER "x",
		    name, window->base, window->size, limit);
	return FALSE;
}

static gboolean check_ecam(const HbAddressWindow *ecam, GError **error)
{
	if (ecam->size >= MIB && ecam->size <= 256 * MIB && !(ecam->size & (ecam->size - 1)) &&
	    !(ecam->base % ecam->size))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "ECAM window at 0x%" G_GINT64_MODIFIER "x, 0x%" G_GINT64_MODIFIER
		    "x bytes: give it 1 MiB for each bus, a power of two up to 256 MiB, "
		    "and align it to its size",
		    ecam->base, ecam->size);
	return FALSE;
}

static gboolean check_disjoint(const char *name, const HbAddressWindow *a, const char *other,
			       const HbAddressWindow *b, GError **error)
{
	if (!a->size || !b->size || (a->base < b->base && b->base - a->base >= a->size) ||
	    (b->base < a->base && a->base - b->base >= b->size))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "the %s window overlaps %s at 0x%" G_GINT64_MODIFIER "x: move one of them",
		    name, other, MAX(a->base, b->base));
	return FALSE;
}

static gboolean check_against_ram(HbHost *host, const char *name, const HbAddressWindow *window,
				  GError **error)
{
	guint n;
	const HbRam *ram = hb_host_get_ram(host, &n);

	for (guint i = 0; i < n; i++) {
		HbAddressWindow range = { ram[i].gpa, ram[i].size };

		if (!check_disjoint(name, window, "guest memory", &range, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_config(HbHost *host, const HbHostBridgeConfig *config, GError **error)
{
	return check_ecam(&config->ecam, error) &&
	       check_window("32-bit memory", &config->mem32, 4 * GIB, error) &&
	       check_window("64-bit memory", &config->mem64, G_MAXUINT64, error) &&
	       check_disjoint("32-bit memory", &config->mem32, "ECAM", &config->ecam, error) &&
	       check_disjoint("64-bit memory", &config->mem64, "ECAM", &config->ecam, error) &&
	       check_disjoint("64-bit memory", &config->mem64, "the 32-bit window", &config->mem32,
			      error) &&
	       check_against_ram(host, "ECAM", &config->ecam, error) &&
	       check_against_ram(host, "32-bit memory", &config->mem32, error) &&
	       check_against_ram(host, "64-bit memory", &config->mem64, error);
}

HbHostBridge *hb_host_bridge_create(HbHost *host, const HbHostBridgeConfig *config, GError **error)
{
	if (!check_config(host, config, error))
		return NULL;

	HbHostBridge *bridge = g_new0(HbHostBridge, 1);

	bridge->host = host;
	bridge->config = *config;
	g_mutex_init(&bridge->lock);
	hb_address_map_init(&bridge->map);
	bridge->bus0 = hb_bus_create();
	hb_bus_add(bridge->bus0, 0, hb_q35_create(config));
	return bridge;
}

void hb_host_bridge_destroy(HbHostBridge *bridge)
{
	if (!bridge)
		return;
	hb_host_bridge_lock(bridge);
	hb_bus_sever(bridge->bus0);
	hb_host_bridge_unlock(bridge);
	hb_bus_destroy(bridge->bus0);
	hb_address_map_finish(&bridge->map);
	g_mutex_clear(&bridge->lock);
	g_free(bridge);
}

HbHost *hb_host_bridge_get_host(HbHostBridge *bridge)
{
	return bridge->host;
}

const HbHostBridgeConfig *hb_host_bridge_get_config(HbHostBridge *bridge)
{
	return &bridge->config;
}

void hb_host_bridge_lock(HbHostBridge *bridge)
{
	g_mutex_lock(&bridge->lock);
}

void hb_host_bridge_unlock(HbHostBridge *bridge)
{
	g_mutex_unlock(&bridge->lock);
}

gboolean hb_host_bridge_add(HbHostBridge *bridge, guint8 devfn, HbPciFunction *function,
			    GError **error)
{
	hb_host_bridge_lock(bridge);
	gboolean added = hb_bus_add(bridge->bus0, devfn, function);
	if (added)
		function->ops->attach(function, bridge);
	hb_host_bridge_unlock(bridge);
	if (!added)
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "00:%02x.%x is taken: give the device another address on bus 0",
			    HB_PCI_DEVICE(devfn), HB_PCI_FUNCTION(devfn));
	return added;
}

gboolean hb_host_bridge_passes_dma(const HbPciFunction *function)
{
	return !function->port || hb_port_passes_dma(function->port);
}

guint hb_host_bridge_get_pin_link(const HbPort *port, guint pin)
{
	return hb_port_get_pin_link(port, pin);
}

void hb_host_bridge_claim(HbHostBridge *bridge, guint64 base, guint64 size, const HbMmioOps *ops,
			  gpointer opaque)
{
	HbAddressRange range = { .base = base, .size = size, .ops = ops, .opaque = opaque };

	hb_address_map_claim(&bridge->map, &range);
}

void hb_host_bridge_unclaim(HbHostBridge *bridge, guint64 base, const HbMmioOps *ops,
			    gpointer opaque)
{
	hb_address_map_unclaim(&bridge->map, base, ops, opaque);
}

void hb_host_bridge_reset(HbHostBridge *bridge)
{
	hb_host_bridge_lock(bridge);
	bridge->config_address = 0;
	hb_bus_reset(bridge->bus0);
	hb_host_bridge_unlock(bridge);
}

static gboolean is_ours(HbHostBridge *bridge, guint64 gpa)
{
	HbAddressRange range;

	return window_contains(&bridge->config.ecam, gpa) ||
	       window_contains(&bridge->config.mem32, gpa) ||
	       window_contains(&bridge->config.mem64, gpa) ||
	       hb_address_map_find(&bridge->map, gpa, &range);
}

/* Performs the first piece of a memory access and returns its size. */
static guint access_memory(HbHostBridge *bridge, guint64 gpa, guint8 *data, guint left,
			   gboolean is_write)
{
	const HbAddressWindow *ecam = &bridge->config.ecam;
	gboolean is_config = window_contains(ecam, gpa);
	guint size = next_piece(gpa, left, is_config ? CONFIG_PIECE : MEMORY_PIECE);
	HbAddressRange range;

	if (is_config)
		access_ecam(bridge, gpa - ecam->base, data, size, is_write);
	else if (hb_address_map_find(&bridge->map, gpa, &range))
		access_range(&range, gpa, data, size, is_write);
	else
		master_abort(data, size, is_write);
	return size;
}

gboolean hb_host_bridge_mmio(HbHostBridge *bridge, guint64 gpa, gpointer data, guint size,
			     gboolean is_write)
{
	guint8 *bytes = data;

	hb_host_bridge_lock(bridge);
	gboolean ours = is_ours(bridge, gpa);
	for (guint done = 0; ours && done < size;)
		done += access_memory(bridge, gpa + done, bytes + done, size - done, is_write);
	hb_host_bridge_unlock(bridge);
	return ours;
}

static void access_config_address(HbHostBridge *bridge, guint8 *data, gboolean is_write)
{
	if (is_write)
		bridge->config_address = (guint32)load(data, 4) & CONFIG_ADDRESS_MASK;
	else
		store(data, 4, bridge->config_address);
}

/* Performs the first piece of an access to the data port and returns its size. */
static guint access_config_data(HbHostBridge *bridge, guint port, guint8 *data, guint left,
				gboolean is_write)
{
	guint32 address = bridge->config_address;
	guint size = next_piece(port, left, CONFIG_PIECE);

	if (port <= CONFIG_DATA_LAST && address & CONFIG_ADDRESS_ENABLE)
		access_config(bridge, (guint8)(address >> 16), (guint8)(address >> 8),
			      (address & 0xfc) + port - CONFIG_DATA_PORT, data, size, is_write);
	else
		master_abort(data, size, is_write);
	return size;
}

gboolean hb_host_bridge_pio(HbHostBridge *bridge, guint16 port, gpointer data, guint size,
			    gboolean is_write)
{
	gboolean is_address = port == CONFIG_ADDRESS_PORT && size == 4;
	guint8 *bytes = data;

	/* The address port takes whole doublewords only; smaller accesses are somebody else's,
	 * above all those to the reset control register at CF9h. */
	if (!is_address && (port < CONFIG_DATA_PORT || port > CONFIG_DATA_LAST))
		return FALSE;
	hb_host_bridge_lock(bridge);
	if (is_address)
		access_config_address(bridge, bytes, is_write);
	for (guint done = 0; !is_address && done < size;)
		done += access_config_data(bridge, port + done, bytes + done, size - done,
					   is_write);
	hb_host_bridge_unlock(bridge);
	return TRUE;
}

static void access_config_pieces(HbHostBridge *bridge, guint8 bus, guint8 devfn, guint offset,
				 guint8 *data, guint size, gboolean is_write)
{
	guint piece;

	hb_host_bridge_lock(bridge);
	for (guint done = 0; done < size; done += piece) {
		piece = next_piece(offset + done, size - done, CONFIG_PIECE);
		access_config(bridge, bus, devfn, offset + done, data + done, piece, is_write);
	}
	hb_host_bridge_unlock(bridge);
}

guint32 hb_host_bridge_config_read(HbHostBridge *bridge, guint8 bus, guint8 devfn, guint offset,
				   guint size)
{
	guint8 data[CONFIG_PIECE] = { 0 };

	access_config_pieces(bridge, bus, devfn, offset, data, MIN(size, CONFIG_PIECE), FALSE);
	return (guint32)load(data, sizeof(data));
}

void hb_host_bridge_config_write(HbHostBridge *bridge, guint8 bus, guint8 devfn, guint offset,
				 guint size, guint32 value)
{
	guint8 data[CONFIG_PIECE];

	store(data, sizeof(data), value);
	access_config_pieces(bridge, bus, devfn, offset, data, MIN(size, CONFIG_PIECE), TRUE);
}

HbPciFunction *hb_host_bridge_find(HbHostBridge *bridge, guint8 bus, guint8 devfn)
{
	hb_host_bridge_lock(bridge);
	HbPciFunction *function = hb_host_bridge_route(bridge, bus, devfn);
	hb_host_bridge_unlock(bridge);
	return function;
}

gboolean hb_host_bridge_revoke(HbHostBridge *bridge, guint *n_faults)
{
	hb_host_bridge_lock(bridge);
	gboolean revoked = hb_bus_revoke(bridge->bus0);
	hb_host_bridge_unlock(bridge);
	*n_faults = revoked ? 0 : *n_faults + 1;
	if (*n_faults < MAX_FAULTS)
		return TRUE;
	*n_faults = 0;
	return FALSE;
}
