/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * 00:1f.0, Q35's LPC bridge (ICH9 data sheet §13.1), as an identity only: a read-only header
 * without BARs or capabilities. What a real one decodes (power management, reset) has fixed ports
 * here.
 */

#include "vmm/lpc.h"

#include <string.h>

#define HEADER_SIZE 64

/* PCI r3.0 §6.1: vendor, device, command, status, revision, class, then all zero. */
static const guint8 header[HEADER_SIZE] = {
	[0x00] = 0x86, [0x01] = 0x80,		     /* Intel */
	[0x02] = 0x18, [0x03] = 0x29,		     /* 82801IB (ICH9) LPC Interface Controller */
	[0x04] = 0x07,				     /* Command: I/O, memory, bus master */
	[0x08] = 0x02,				     /* revision */
	[0x09] = 0x00, [0x0a] = 0x01, [0x0b] = 0x06, /* class: ISA bridge */
};

static guint32 config_read(HbPciFunction *function, guint offset, guint size)
{
	guint32 value = 0;

	if (offset + size <= HEADER_SIZE)
		memcpy(&value, &header[offset], size);
	return value;
}

static void config_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
}

static void do_nothing(HbPciFunction *function)
{
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	g_free(function);
	if (done)
		done(data);
}

static const HbPciFunctionOps ops = {
	.config_read = config_read,
	.config_write = config_write,
	.attach = attach,
	.reset = do_nothing,
	.sever = do_nothing,
	.release = release,
};

HbPciFunction *hb_lpc_create(void)
{
	HbPciFunction *function = g_new0(HbPciFunction, 1);

	function->ops = &ops;
	return function;
}
