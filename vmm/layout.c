/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Where things lie in the guest's address space.
 *
 *   0           RAM, up to 2 GiB; ACPI tables in the last 128 KiB of the first MiB
 *   0xb0000000  ECAM, as many buses as the slots need
 *   0xc0000000  window for 32-bit BARs, up to 0xfe000000
 *   0xfec00000  IOAPIC, local APICs, KVM's own pages
 *   4 GiB       the rest of RAM
 *   then        window for 64-bit BARs, from the next GiB on
 */

#include "vmm/layout.h"

#include <hotbay/error.h>

#define GIB	       (G_GUINT64_CONSTANT(1) << 30)
#define MAX_MEM64_SIZE (8192 * GIB)
#define BUS_ECAM_SIZE  0x100000U /* PCIe r6.0 §7.2.2 */
#define MIN_BUSES      8

/*
 * The window is for large controller memory buffers. Linux maps those that it uses for peer-to-peer
 * transfers linearly, and has room for 10 TiB beyond RAM
 * (CONFIG_RANDOMIZE_MEMORY_PHYSICAL_PADDING).
 *
 * With 40 address bits AMD's processors reserve the last 12 GiB for HyperTransport (AMD64 manual
 * volume 2, and Linux arch/x86/kernel/e820.c); a window must end below.
 */
#define HYPERTRANSPORT_BASE G_GUINT64_CONSTANT(0xfd00000000)
#define HYPERTRANSPORT_END  G_GUINT64_CONSTANT(0x10000000000)

void hb_layout_ram(guint64 memory, guint64 *low, guint64 *high)
{
	*low = MIN(memory, HB_LAYOUT_LOW_LIMIT);
	*high = memory - *low;
}

/* The end of what the 64-bit window may use. */
static guint64 usable_end(guint address_bits)
{
	guint64 end = G_GUINT64_CONSTANT(1) << MIN(address_bits, 52);

	return end == HYPERTRANSPORT_END ? HYPERTRANSPORT_BASE : end;
}

/*
 * Linux looks for a device in every place of every bus that ECAM covers and no bridge has claimed,
 * 64 exits a bus (arch/x86/pci/legacy.c, pcibios_fixup_peer_bridges(), Linux 6.1): so ECAM covers
 * what there is and no more.
 */
static guint64 ecam_size(guint n_behind)
{
	guint64 n_buses = MIN_BUSES;

	while (n_buses < n_behind + 1)
		n_buses *= 2;
	return MIN(n_buses * BUS_ECAM_SIZE, HB_LAYOUT_ECAM_LIMIT);
}

gboolean hb_layout_bridge(guint64 memory, guint address_bits, guint n_buses,
			  HbHostBridgeConfig *config, GError **error)
{
	guint64 low, high;
	guint64 end = usable_end(address_bits);

	hb_layout_ram(memory, &low, &high);
	guint64 base = (HB_LAYOUT_HIGH + high + GIB - 1) / GIB * GIB;
	if (base + GIB > end) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "-m: %" G_GUINT64_FORMAT " MiB do not fit the processor's %u address "
			    "bits: give less",
			    memory >> 20, address_bits);
		return FALSE;
	}
	*config = (HbHostBridgeConfig){
		.ecam = { HB_LAYOUT_ECAM, ecam_size(n_buses) },
		.mem32 = { HB_LAYOUT_MEM32, HB_LAYOUT_MEM32_SIZE },
		.mem64 = { base, MIN((end - base) / GIB * GIB, MAX_MEM64_SIZE) },
		.io = { HB_LAYOUT_IO, HB_LAYOUT_IO_SIZE },
	};
	return TRUE;
}
