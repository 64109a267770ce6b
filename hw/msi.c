/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The MSI capability in its longest form:
 *
 *   +00  Message Control | next | id
 *   +04  Message Address              31:2
 *   +08  Message Upper Address
 *   +0c  reserved        | Message Data
 *   +10  Mask Bits                    one a vector
 *   +14  Pending Bits                 one a vector, read-only
 *
 * All state is in the configuration space. An edge that meets its mask sets the pending bit and is
 * sent at the unmasking (PCIe r6.0 §6.1.4.5); one that meets MSI switched off is lost, since there
 * is no interrupt pin here to take it.
 */

#include "hw/msi.h"

#include <linux/pci_regs.h>

_Static_assert(PCI_MSI_PENDING_64 + 4 == HB_MSI_SIZE, "the capability ends with Pending Bits");

static guint32 vector_mask(const HbMsi *msi)
{
	return (guint32)((G_GUINT64_CONSTANT(1) << msi->n_vectors) - 1);
}

static guint16 get_control(const HbMsi *msi)
{
	return hb_config_space_get_u16(msi->config, msi->capability + PCI_MSI_FLAGS);
}

static guint32 get_bits(const HbMsi *msi, guint reg)
{
	return hb_config_space_get_u32(msi->config, msi->capability + reg);
}

static void set_pending(HbMsi *msi, guint vector, gboolean pending)
{
	guint32 bits = get_bits(msi, PCI_MSI_PENDING_64) & ~(1u << vector);

	hb_config_space_set_u32(msi->config, msi->capability + PCI_MSI_PENDING_64,
				bits | ((guint32)pending << vector));
}

void hb_msi_init(HbMsi *msi, HbConfigSpace *config, guint capability, guint n_vectors)
{
	guint capable = g_bit_storage(n_vectors) - 1;

	*msi = (HbMsi){ .config = config, .capability = capability, .n_vectors = n_vectors };
	hb_config_space_set_u16(
		config, capability + PCI_MSI_FLAGS,
		(guint16)(PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | capable << 1));
	hb_config_space_set_writable(config, capability + PCI_MSI_FLAGS, 2,
				     PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
	hb_config_space_set_writable(config, capability + PCI_MSI_ADDRESS_LO, 4, 0xfffffffc);
	hb_config_space_set_writable(config, capability + PCI_MSI_ADDRESS_HI, 4, 0xffffffff);
	hb_config_space_set_writable(config, capability + PCI_MSI_DATA_64, 2, 0xffff);
	hb_config_space_set_writable(config, capability + PCI_MSI_MASK_64, 4, vector_mask(msi));
}

static gboolean is_enabled(const HbMsi *msi)
{
	return get_control(msi) & PCI_MSI_FLAGS_ENABLE;
}

/* How many low bits of the data tell vectors apart: as many as the guest granted, if it is sane. */
static guint get_log2_enabled(const HbMsi *msi)
{
	guint granted = (get_control(msi) & PCI_MSI_FLAGS_QSIZE) >> 4;

	return MIN(granted, g_bit_storage(msi->n_vectors) - 1);
}

static void get_message(const HbMsi *msi, guint vector, HbMsiMessage *message)
{
	guint32 low = (1u << get_log2_enabled(msi)) - 1;
	guint32 data = hb_config_space_get_u16(msi->config, msi->capability + PCI_MSI_DATA_64);

	message->address = (guint64)get_bits(msi, PCI_MSI_ADDRESS_HI) << 32 |
			   get_bits(msi, PCI_MSI_ADDRESS_LO);
	message->data = (data & ~low) | (vector & low);
}

gboolean hb_msi_notify(HbMsi *msi, guint vector, HbMsiMessage *message)
{
	if (!is_enabled(msi))
		return FALSE;
	if (get_bits(msi, PCI_MSI_MASK_64) & (1u << vector)) {
		set_pending(msi, vector, TRUE);
		return FALSE;
	}
	get_message(msi, vector, message);
	return TRUE;
}

void hb_msi_withdraw(HbMsi *msi, guint vector)
{
	set_pending(msi, vector, FALSE);
}

gboolean hb_msi_unmasked(HbMsi *msi, guint vector, HbMsiMessage *message)
{
	if (!is_enabled(msi) || !(get_bits(msi, PCI_MSI_PENDING_64) & (1u << vector)) ||
	    get_bits(msi, PCI_MSI_MASK_64) & (1u << vector))
		return FALSE;
	set_pending(msi, vector, FALSE);
	get_message(msi, vector, message);
	return TRUE;
}
