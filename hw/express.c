/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The PCI Express capability as data, of a root port, or of a switch's port. What a guest writes to
 * Device, Link and Root Control is kept and has no effect: there are no errors to report, no link
 * to train and no power management events. The link runs at its full width and speed whenever it is
 * active. Slot Control and Slot Status are read-only here: the slot's state machine owns them, and
 * what it says is shown.
 */

#include "hw/express.h"

#include <linux/pci_regs.h>

_Static_assert(PCI_EXP_SLTSTA2 + 2 == HB_EXPRESS_SIZE, "the capability ends with Slot Status 2");

#define VERSION	       2
#define SPEED_8_GT     3
#define SPEEDS_TO_8_GT (7u << 1) /* Link Capabilities 2, Supported Link Speeds Vector */
#define WIDTH	       4
#define WIDTH_SHIFT    4
#define PORT_SHIFT     24
#define TYPE_SHIFT     4 /* Device/Port Type */

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
	{ PCI_EXP_LNKSTA, 2, SPEED_8_GT | WIDTH << WIDTH_SHIFT, 0, UPSTREAM },
	{ PCI_EXP_RTCTL, 2, 0, ROOT_CONTROL_WRITABLE, ROOT_PORT },
	{ PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_ARI, 0, WITH_SLOT },
	{ PCI_EXP_DEVCTL2, 2, 0, PCI_EXP_DEVCTL2_ARI, WITH_SLOT },
	{ PCI_EXP_LNKCAP2, 4, SPEEDS_TO_8_GT, 0, ALL_PORTS },
	{ PCI_EXP_LNKCTL2, 2, SPEED_8_GT, LINK_CONTROL_2_SPEED, ALL_PORTS },
};

static void init_register(HbConfigSpace *config, guint capability, const Register *reg)
{
	if (reg->size == 2)
		hb_config_space_set_u16(config, capability + reg->offset, (guint16)reg->value);
	else
		hb_config_space_set_u32(config, capability + reg->offset, reg->value);
	hb_config_space_set_writable(config, capability + reg->offset, reg->size, reg->writable);
}

void hb_express_init(HbConfigSpace *config, guint capability, guint type, guint8 port_number,
		     guint32 slot_capabilities)
{
	gboolean has_slot = (WITH_SLOT >> type) & 1;

	for (guint i = 0; i < G_N_ELEMENTS(registers); i++)
		if ((registers[i].ports >> type) & 1)
			init_register(config, capability, &registers[i]);
	hb_config_space_set_u16(
		config, capability + PCI_EXP_FLAGS,
		(guint16)(VERSION | type << TYPE_SHIFT | (has_slot ? PCI_EXP_FLAGS_SLOT : 0)));
	hb_config_space_set_u32(config, capability + PCI_EXP_LNKCAP,
				SPEED_8_GT | WIDTH << WIDTH_SHIFT |
					(has_slot ? PCI_EXP_LNKCAP_DLLLARC : 0) |
					(guint32)port_number << PORT_SHIFT);
	hb_config_space_set_u32(config, capability + PCI_EXP_SLTCAP, slot_capabilities);
	hb_config_space_set_write_1_clear(config, capability + PCI_EXP_DEVSTA, 2,
					  DEVICE_STATUS_ERRORS);
	if (type == PCI_EXP_TYPE_ROOT_PORT)
		hb_config_space_set_write_1_clear(config, capability + PCI_EXP_RTSTA, 4,
						  PCI_EXP_RTSTA_PME);
}

void hb_express_set_slot(HbConfigSpace *config, guint capability, gboolean link_active,
			 guint16 slot_control, guint16 slot_status)
{
	guint16 link = 0;

	if (link_active)
		link = SPEED_8_GT | WIDTH << WIDTH_SHIFT | PCI_EXP_LNKSTA_DLLLA;
	hb_config_space_set_u16(config, capability + PCI_EXP_LNKSTA, link);
	hb_config_space_set_u16(config, capability + PCI_EXP_SLTCTL, slot_control);
	hb_config_space_set_u16(config, capability + PCI_EXP_SLTSTA, slot_status);
}
