/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The two chains of capabilities in a configuration space.
 *
 *   0x34 ---> [id|next] ---> [id|next] ---> 0       below 0x100: one byte each
 *   0x100 --> [next:12|version:4|id:16] ---> 0      above: one doubleword, the first is at 0x100
 *
 * New ones go to the end, so that a guest meets them in the order in which they were added.
 */

#include "hw/capability.h"

#include <linux/pci_regs.h>

#define CHAIN_LONGEST	       ((PCI_CFG_SPACE_SIZE - HB_CONFIG_HEADER_SIZE) / 4)
#define EXTENDED_CHAIN_LONGEST ((HB_CONFIG_SIZE - PCI_CFG_SPACE_SIZE) / 8)

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

guint hb_capability_find(const HbConfigSpace *config, guint8 id)
{
	guint offset = hb_config_space_get_u8(config, PCI_CAPABILITY_LIST) & ~3u;

	for (guint i = 0; i < CHAIN_LONGEST && offset >= HB_CONFIG_HEADER_SIZE; i++) {
		if (hb_config_space_get_u8(config, offset + PCI_CAP_LIST_ID) == id)
			return offset;
		offset = hb_config_space_get_u8(config, offset + PCI_CAP_LIST_NEXT) & ~3u;
	}
	return 0;
}

void hb_capability_add_extended(HbConfigSpace *config, guint16 id, guint version, guint offset)
{
	guint last = PCI_CFG_SPACE_SIZE;

	for (guint i = 0; i < EXTENDED_CHAIN_LONGEST && offset != last; i++) {
		guint32 header = hb_config_space_get_u32(config, last);
		guint next = PCI_EXT_CAP_NEXT(header);

		if (!next) {
			header |= (guint32)offset << 20;
			hb_config_space_set_u32(config, last, header);
			break;
		}
		last = next;
	}
	hb_config_space_set_u32(config, offset, (guint32)id | (guint32)version << 16);
}

guint hb_capability_find_extended(const HbConfigSpace *config, guint16 id)
{
	guint offset = PCI_CFG_SPACE_SIZE;

	for (guint i = 0; i < EXTENDED_CHAIN_LONGEST && offset >= PCI_CFG_SPACE_SIZE; i++) {
		guint32 header = hb_config_space_get_u32(config, offset);

		if (header && PCI_EXT_CAP_ID(header) == id)
			return offset;
		offset = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}
