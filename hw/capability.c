/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The chain of capabilities below 0x100, and that of extended ones from there on.
 *
 *   0x34 ---> [id|next] ---> [id|next] ---> 0        0x100: [id|version|next] ---> [...] ---> 0
 *
 * New ones go to the end, so that a guest meets them in the order in which they were added. Where
 * there is no extended capability an all-zero header at 0x100 says so (PCIe r6.0 §7.6.2).
 */

#include "hw/capability.h"

#include <linux/pci_regs.h>

#define CHAIN_LONGEST	       ((PCI_CFG_SPACE_SIZE - HB_CONFIG_HEADER_SIZE) / 4)
#define EXTENDED_CHAIN_LONGEST ((HB_CONFIG_SIZE - PCI_CFG_SPACE_SIZE) / 8)
#define EXTENDED_VERSION_SHIFT 16
#define EXTENDED_NEXT_SHIFT    20

/* The offset of the byte that ends the chain. */
static guint find_end(const HbConfigSpace *config)
{
	guint link = PCI_CAPABILITY_LIST;

	for (guint i = 0; i < CHAIN_LONGEST && hb_config_space_get_u8(config, link); i++)
		link = (hb_config_space_get_u8(config, link) & ~3u) + PCI_CAP_LIST_NEXT;
	return link;
}

void hb_capability_add(HbConfigSpace *config, guint8 id, guint offset)
{
	guint16 status = hb_config_space_get_u16(config, PCI_STATUS);

	hb_config_space_set_u16(config, PCI_STATUS, status | PCI_STATUS_CAP_LIST);
	hb_config_space_set_u8(config, find_end(config), (guint8)offset);
	hb_config_space_set_u8(config, offset + PCI_CAP_LIST_ID, id);
	hb_config_space_set_u8(config, offset + PCI_CAP_LIST_NEXT, 0);
}

/* The offset of the header that ends the extended chain. */
static guint find_extended_end(const HbConfigSpace *config)
{
	guint offset = PCI_CFG_SPACE_SIZE;

	for (guint i = 0; i < EXTENDED_CHAIN_LONGEST; i++) {
		guint next = PCI_EXT_CAP_NEXT(hb_config_space_get_u32(config, offset));

		if (!next)
			break;
		offset = next;
	}
	return offset;
}

void hb_capability_add_extended(HbConfigSpace *config, guint16 id, guint8 version, guint offset)
{
	guint end = find_extended_end(config);

	if (offset != end)
		hb_config_space_set_u32(config, end,
					hb_config_space_get_u32(config, end) |
						offset << EXTENDED_NEXT_SHIFT);
	hb_config_space_set_u32(config, offset, id | (guint32)version << EXTENDED_VERSION_SHIFT);
}
