/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The host bridge as a PCI function: what the guest finds at 00:00.0.
 *
 * It carries the identity of the Intel Q35 memory controller hub, because firmware and operating
 * systems choose their chipset code by it, and shows where configuration space is memory-mapped in
 * PCIEXBAR (Intel datasheet 316966, device 0, offset 60h). All of it is read-only: the embedder,
 * not the guest, decides where ECAM lies. The register can only name sizes of 64, 128 and 256 MiB;
 * with any other it reads as disabled and the ACPI MCFG table alone tells.
 */

#include "hw/q35.h"

#include "hw/config-space.h"

#include <linux/pci_regs.h>

#define Q35_VENDOR_ID	    0x8086
#define Q35_DEVICE_ID	    0x29c0
#define Q35_BASE_CLASS	    0x06 /* bridge; subclass 0: host bridge */
#define Q35_PCIEXBAR	    0x60
#define Q35_PCIEXBAR_ENABLE 1

#define MIB (G_GUINT64_CONSTANT(1) << 20)

typedef struct Q35 {
	HbPciFunction function;
	HbConfigSpace config;
} Q35;

static guint32 read_config(HbPciFunction *function, guint offset, guint size)
{
	return hb_config_space_read(&((Q35 *)function)->config, offset, size);
}

static void write_config(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	hb_config_space_write(&((Q35 *)function)->config, offset, size, value);
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
}

static void reset(HbPciFunction *function)
{
}

static void sever(HbPciFunction *function)
{
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	g_free(function);
	if (done)
		done(data);
}

static const HbPciFunctionOps q35_ops = {
	.config_read = read_config,
	.config_write = write_config,
	.attach = attach,
	.reset = reset,
	.sever = sever,
	.release = release,
};

/* Bits 2:1 of PCIEXBAR; FALSE if they have no code for @size. */
static gboolean encode_length(guint64 size, guint32 *length)
{
	switch (size / MIB) {
	case 256:
		*length = 0 << 1;
		return TRUE;
	case 128:
		*length = 1 << 1;
		return TRUE;
	case 64:
		*length = 2 << 1;
		return TRUE;
	default:
		return FALSE;
	}
}

HbPciFunction *hb_q35_create(const HbHostBridgeConfig *config)
{
	Q35 *q35 = g_new0(Q35, 1);
	guint32 length;

	q35->function.ops = &q35_ops;
	hb_config_space_init(&q35->config);
	hb_config_space_set_u16(&q35->config, PCI_VENDOR_ID, Q35_VENDOR_ID);
	hb_config_space_set_u16(&q35->config, PCI_DEVICE_ID, Q35_DEVICE_ID);
	hb_config_space_set_u8(&q35->config, PCI_CLASS_DEVICE + 1, Q35_BASE_CLASS);
	if (encode_length(config->ecam.size, &length)) {
		hb_config_space_set_u32(&q35->config, Q35_PCIEXBAR,
					(guint32)config->ecam.base | length | Q35_PCIEXBAR_ENABLE);
		hb_config_space_set_u32(&q35->config, Q35_PCIEXBAR + 4,
					(guint32)(config->ecam.base >> 32));
	}
	return &q35->function;
}
