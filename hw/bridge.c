/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The type 1 configuration header (PCIe r6.0 §7.5.1.3) as masks.
 *
 * The bridge routes configuration accesses by its bus numbers. Its memory windows are registers
 * only: BARs behind it are mapped where they say, since a guest that programs the one without the
 * other gets from real hardware nothing that it could rely on. There is no I/O window: base and
 * limit are read-only zero, as PCIe r6.0 §7.5.1.3.6 allows.
 */

#include "hw/bridge.h"

#include <linux/pci_regs.h>

#define CLASS_PCI_BRIDGE    0x0604
#define CACHE_LINE_WRITABLE 0xff
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
