/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The type 1 configuration header (PCIe r6.0 §7.5.1.3) as masks.
 *
 * The bridge routes configuration accesses by its bus numbers, and memory accesses by its windows
 * while Memory Space is enabled: a BAR that lies outside is not reached. There is no I/O window:
 * base and limit are read-only zero, as PCIe r6.0 §7.5.1.3.6 allows. What a drive writes to memory
 * goes through the host's IOMMU, past this bridge: so while Bus Master Enable is off here, a drive
 * below is made to have it off itself (vfio/config.c), which ends DMA and MSI alike.
 */

#include "hw/bridge.h"

#include "hw/capability.h"

#include <linux/pci_regs.h>

#define CLASS_PCI_BRIDGE    0x0604
#define CACHE_LINE_WRITABLE 0xff
#define PM_VERSION	    3
#define WINDOW_WRITABLE	    0xfff0
#define WINDOW_CLOSED	    0xfff0 /* as a base, above a limit of zero */

/* Latched by the bits that report errors upstream; they exist and are never set. */
#define STATUS_WRITE_1_CLEAR                                                                       \
	(PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |           \
	 PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY)

static void set_masks(HbConfigSpace *config)
{
	hb_config_space_set_writable(config, PCI_COMMAND, 2,
				     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
					     PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
					     PCI_COMMAND_INTX_DISABLE);
	hb_config_space_set_write_1_clear(config, PCI_STATUS, 2, STATUS_WRITE_1_CLEAR);
	hb_config_space_set_writable(config, PCI_CACHE_LINE_SIZE, 1, CACHE_LINE_WRITABLE);
	hb_config_space_set_writable(config, PCI_PRIMARY_BUS, 1, 0xff);
	hb_config_space_set_writable(config, PCI_SECONDARY_BUS, 1, 0xff);
	hb_config_space_set_writable(config, PCI_SUBORDINATE_BUS, 1, 0xff);
	hb_config_space_set_write_1_clear(config, PCI_SEC_STATUS, 2, STATUS_WRITE_1_CLEAR);
	hb_config_space_set_writable(config, PCI_MEMORY_BASE, 2, WINDOW_WRITABLE);
	hb_config_space_set_writable(config, PCI_MEMORY_LIMIT, 2, WINDOW_WRITABLE);
	hb_config_space_set_writable(config, PCI_PREF_MEMORY_BASE, 2, WINDOW_WRITABLE);
	hb_config_space_set_writable(config, PCI_PREF_MEMORY_LIMIT, 2, WINDOW_WRITABLE);
	hb_config_space_set_writable(config, PCI_PREF_BASE_UPPER32, 4, G_MAXUINT32);
	hb_config_space_set_writable(config, PCI_PREF_LIMIT_UPPER32, 4, G_MAXUINT32);
	hb_config_space_set_writable(config, PCI_INTERRUPT_LINE, 1, 0xff);
	hb_config_space_set_writable(config, PCI_BRIDGE_CONTROL, 2,
				     PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR |
					     PCI_BRIDGE_CTL_BUS_RESET);
}

void hb_bridge_init(HbConfigSpace *config, guint16 vendor, guint16 device, gboolean multifunction)
{
	hb_config_space_set_u16(config, PCI_VENDOR_ID, vendor);
	hb_config_space_set_u16(config, PCI_DEVICE_ID, device);
	hb_config_space_set_u16(config, PCI_CLASS_DEVICE, CLASS_PCI_BRIDGE);
	hb_config_space_set_u8(config, PCI_HEADER_TYPE,
			       PCI_HEADER_TYPE_BRIDGE | (multifunction ? 0x80 : 0));
	hb_config_space_set_u16(config, PCI_MEMORY_BASE, WINDOW_CLOSED);
	hb_config_space_set_u16(config, PCI_PREF_MEMORY_BASE,
				WINDOW_CLOSED | PCI_PREF_RANGE_TYPE_64);
	hb_config_space_set_u16(config, PCI_PREF_MEMORY_LIMIT, PCI_PREF_RANGE_TYPE_64);
	set_masks(config);
}

guint8 hb_bridge_get_secondary_bus(const HbConfigSpace *config)
{
	return hb_config_space_get_u8(config, PCI_SECONDARY_BUS);
}

gboolean hb_bridge_decodes(const HbConfigSpace *config, guint8 bus)
{
	guint8 secondary = hb_bridge_get_secondary_bus(config);

	return secondary && bus >= secondary &&
	       bus <= hb_config_space_get_u8(config, PCI_SUBORDINATE_BUS);
}

gboolean hb_bridge_is_bus_in_reset(const HbConfigSpace *config)
{
	return hb_config_space_get_u16(config, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET;
}

/* PCIe r6.0 §7.5.1.3.8 and §7.5.1.3.9: bits 15:4 are address bits 31:20. */
static guint64 window_address(guint16 reg, guint32 upper)
{
	return (guint64)upper << 32 | (guint64)(reg & WINDOW_WRITABLE) << 16;
}

static HbAddressWindow make_window(guint64 first, guint64 limit)
{
	HbAddressWindow window = { 0 };
	guint64 last = limit | 0xfffff;

	if (first <= last) {
		window.base = first;
		window.size = last - first + 1;
	}
	return window;
}

HbAddressWindow hb_bridge_get_window(const HbConfigSpace *config, HbWindowKind kind)
{
	if (kind == HB_WINDOW_MEM32)
		return make_window(
			window_address(hb_config_space_get_u16(config, PCI_MEMORY_BASE), 0),
			window_address(hb_config_space_get_u16(config, PCI_MEMORY_LIMIT), 0));
	return make_window(window_address(hb_config_space_get_u16(config, PCI_PREF_MEMORY_BASE),
					  hb_config_space_get_u32(config, PCI_PREF_BASE_UPPER32)),
			   window_address(hb_config_space_get_u16(config, PCI_PREF_MEMORY_LIMIT),
					  hb_config_space_get_u32(config, PCI_PREF_LIMIT_UPPER32)));
}

gboolean hb_bridge_forwards(const HbConfigSpace *config, guint64 base, guint64 size)
{
	if (!(hb_config_space_get_u16(config, PCI_COMMAND) & PCI_COMMAND_MEMORY))
		return FALSE;
	for (HbWindowKind kind = 0; kind < HB_N_WINDOW_KINDS; kind++) {
		HbAddressWindow window = hb_bridge_get_window(config, kind);

		if (base >= window.base && size <= window.size &&
		    base - window.base <= window.size - size)
			return TRUE;
	}
	return FALSE;
}

void hb_bridge_add_pm(HbConfigSpace *config, guint offset)
{
	hb_capability_add(config, PCI_CAP_ID_PM, offset);
	hb_config_space_set_u16(config, offset + PCI_PM_PMC, PM_VERSION);
	hb_config_space_set_u16(config, offset + PCI_PM_CTRL, PCI_PM_CTRL_NO_SOFT_RESET);
	hb_config_space_set_writable(config, offset + PCI_PM_CTRL, 2, PCI_PM_CTRL_STATE_MASK);
}

gboolean hb_bridge_is_awake(const HbConfigSpace *config, guint pm)
{
	return !(hb_config_space_get_u16(config, pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK);
}

gboolean hb_bridge_passes_dma(const HbConfigSpace *config, guint pm)
{
	return hb_bridge_is_awake(config, pm) &&
	       hb_config_space_get_u16(config, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static gboolean routes_by(guint pm, guint offset, guint size)
{
	return hb_config_space_overlaps(offset, size, PCI_COMMAND, 2) ||
	       hb_config_space_overlaps(offset, size, PCI_MEMORY_BASE,
					PCI_IO_BASE_UPPER16 - PCI_MEMORY_BASE) ||
	       hb_config_space_overlaps(offset, size, pm + PCI_PM_CTRL, 2);
}

/* PCIe r6.0 §7.5.2.2: a write of a power state that is not supported is discarded. */
guint hb_bridge_write(HbConfigSpace *config, guint pm, guint offset, guint size, guint32 value)
{
	guint16 old = hb_config_space_get_u16(config, pm + PCI_PM_CTRL);
	gboolean was_in_reset = hb_bridge_is_bus_in_reset(config);
	guint effects = routes_by(pm, offset, size) ? HB_BRIDGE_PATH_CHANGED : 0;

	hb_config_space_write(config, offset, size, value);

	guint state = hb_config_space_get_u16(config, pm + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK;
	if (state == 1 || state == 2)
		hb_config_space_set_u16(config, pm + PCI_PM_CTRL, old);
	if (!was_in_reset && hb_bridge_is_bus_in_reset(config))
		effects |= HB_BRIDGE_BUS_RESET;
	return effects;
}
