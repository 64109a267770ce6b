/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The PCI Express capability as data, of a root port, or of a switch's port. What a guest writes to
 * Device, Link and Root Control is kept and has no effect here: no link is trained and no power
 * management event comes; hw/aer.c looks at the error reporting enables. Slot Control and Slot
 * Status are read-only: the slot's state machine owns them, and what it says is shown.
 *
 * The link is always trained when it is active. It runs as the drive's own link on the host does,
 * as far as the port can follow: both ends of a link that name different speeds make a guest report
 * a drive that is slower than it could be (Linux drivers/pci/pci.c, pcie_print_link_status()).
 */

#include "hw/express.h"

#include <linux/pci_regs.h>

_Static_assert(PCI_EXP_SLTSTA2 + 2 == HB_EXPRESS_SIZE, "the capability ends with Slot Status 2");

#define VERSION	      2
#define SPEEDS_SHIFT  1	 /* Link Capabilities 2, Supported Link Speeds Vector */
#define CHAIN_LONGEST 48 /* capabilities of four bytes between the header and 0x100 */
#define WIDTH_SHIFT   4
#define PORT_SHIFT    24
#define TYPE_SHIFT    4 /* Device/Port Type */

/* Errors, relaxed ordering, payload, no snoop, read request size; as after reset. */
#define DEVICE_CONTROL_WRITABLE 0x78ff
#define DEVICE_CONTROL_INITIAL	0x2810
#define DEVICE_STATUS_ERRORS	0x000f
#define LINK_CONTROL_WRITABLE	(PCI_EXP_LNKCTL_ASPMC | PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_ES)
#define ROOT_CONTROL_WRITABLE                                                                      \
	(PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE | PCI_EXP_RTCTL_PMEIE)
#define LINK_CONTROL_2_SPEED 0x000f

/* Which ports have a register; the bits are 1 << Device/Port Type. */
#define ROOT_PORT  (1u << PCI_EXP_TYPE_ROOT_PORT)
#define UPSTREAM   (1u << PCI_EXP_TYPE_UPSTREAM)
#define DOWNSTREAM (1u << PCI_EXP_TYPE_DOWNSTREAM)
#define WITH_SLOT  (ROOT_PORT | DOWNSTREAM)
#define ALL_PORTS  (WITH_SLOT | UPSTREAM)

typedef struct Register {
	guint offset;
	guint size;
	guint32 value;
	guint32 writable;
	guint ports;
} Register;

/* ARI Forwarding: a device behind the port may have more than 8 functions (PCIe r6.0 §6.13). */
static const Register registers[] = {
	{ PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER, 0, ALL_PORTS },
	{ PCI_EXP_DEVCTL, 2, DEVICE_CONTROL_INITIAL, DEVICE_CONTROL_WRITABLE, ALL_PORTS },
	{ PCI_EXP_LNKCTL, 2, 0, LINK_CONTROL_WRITABLE, ALL_PORTS },
	{ PCI_EXP_RTCTL, 2, 0, ROOT_CONTROL_WRITABLE, ROOT_PORT },
	{ PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_ARI, 0, WITH_SLOT },
	{ PCI_EXP_DEVCTL2, 2, 0, PCI_EXP_DEVCTL2_ARI, WITH_SLOT },
};

static void init_register(HbConfigSpace *config, guint capability, const Register *reg)
{
	if (reg->size == 2)
		hb_config_space_set_u16(config, capability + reg->offset, (guint16)reg->value);
	else
		hb_config_space_set_u32(config, capability + reg->offset, reg->value);
	hb_config_space_set_writable(config, capability + reg->offset, reg->size, reg->writable);
}

/* An upstream port's link is always up. */
static void init_link(HbConfigSpace *config, guint capability, gboolean has_slot,
		      guint8 port_number, HbLink fastest)
{
	guint32 speeds = ((1u << fastest.speed) - 1) << SPEEDS_SHIFT;
	guint16 status = (guint16)(fastest.speed | fastest.width << WIDTH_SHIFT);

	hb_config_space_set_u32(config, capability + PCI_EXP_LNKCAP,
				status | (has_slot ? PCI_EXP_LNKCAP_DLLLARC : 0) |
					(guint32)port_number << PORT_SHIFT);
	hb_config_space_set_u16(config, capability + PCI_EXP_LNKSTA, has_slot ? 0 : status);
	hb_config_space_set_u32(config, capability + PCI_EXP_LNKCAP2, speeds);
	hb_config_space_set_u16(config, capability + PCI_EXP_LNKCTL2, fastest.speed);
	hb_config_space_set_writable(config, capability + PCI_EXP_LNKCTL2, 2, LINK_CONTROL_2_SPEED);
}

void hb_express_init(HbConfigSpace *config, guint capability, guint type, guint8 port_number,
		     HbLink fastest, guint32 slot_capabilities)
{
	gboolean has_slot = (WITH_SLOT >> type) & 1;

	for (guint i = 0; i < G_N_ELEMENTS(registers); i++)
		if ((registers[i].ports >> type) & 1)
			init_register(config, capability, &registers[i]);
	hb_config_space_set_u16(
		config, capability + PCI_EXP_FLAGS,
		(guint16)(VERSION | type << TYPE_SHIFT | (has_slot ? PCI_EXP_FLAGS_SLOT : 0)));
	init_link(config, capability, has_slot, port_number, fastest);
	hb_config_space_set_u32(config, capability + PCI_EXP_SLTCAP, slot_capabilities);
	hb_config_space_set_write_1_clear(config, capability + PCI_EXP_DEVSTA, 2,
					  DEVICE_STATUS_ERRORS);
	if (type == PCI_EXP_TYPE_ROOT_PORT)
		hb_config_space_set_write_1_clear(config, capability + PCI_EXP_RTSTA, 4,
						  PCI_EXP_RTSTA_PME);
}

void hb_express_set_slot(HbConfigSpace *config, guint capability, const HbLink *link,
			 guint16 slot_control, guint16 slot_status)
{
	guint16 status = 0;

	if (link)
		status = (guint16)(link->speed | link->width << WIDTH_SHIFT | PCI_EXP_LNKSTA_DLLLA);
	hb_config_space_set_u16(config, capability + PCI_EXP_LNKSTA, status);
	hb_config_space_set_u16(config, capability + PCI_EXP_SLTCTL, slot_control);
	hb_config_space_set_u16(config, capability + PCI_EXP_SLTSTA, slot_status);
}

gboolean hb_express_is_speed(guint speed)
{
	return speed >= HB_LINK_SPEED_2_5_GT && speed <= HB_LINK_SPEED_64_GT;
}

gboolean hb_express_is_width(guint width)
{
	static const guint8 widths[] = { 1, 2, 4, 8, 12, 16, 32 };

	for (guint i = 0; i < G_N_ELEMENTS(widths); i++)
		if (width == widths[i])
			return TRUE;
	return FALSE;
}

/* Where the function's own capability is; 0 if it has none. */
static guint find_express(HbPciFunction *function)
{
	guint offset = function->ops->config_read(function, PCI_CAPABILITY_LIST, 1) & ~3u;

	for (guint i = 0; i < CHAIN_LONGEST && offset >= HB_CONFIG_HEADER_SIZE; i++) {
		guint32 header = function->ops->config_read(function, offset, 2);

		if ((header & 0xff) == PCI_CAP_ID_EXP)
			return offset;
		offset = header >> 8 & ~3u;
	}
	return 0;
}

HbLink hb_express_get_link(HbPciFunction *function, HbLink fastest)
{
	guint express = find_express(function);
	guint32 status = 0;

	if (express && express <= PCI_CFG_SPACE_SIZE - HB_EXPRESS_SIZE)
		status = function->ops->config_read(function, express + PCI_EXP_LNKSTA, 2);
	guint speed = status & PCI_EXP_LNKSTA_CLS;
	guint width = (status & PCI_EXP_LNKSTA_NLW) >> WIDTH_SHIFT;

	if (!hb_express_is_speed(speed) || !hb_express_is_width(width))
		return fastest;
	return (HbLink){ .speed = (guint8)MIN(speed, fastest.speed),
			 .width = (guint8)MIN(width, fastest.width) };
}
