/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A PCI function without a device, for tests of what is done to one. */

#include "tests/unit/hw/fake-function.h"

#include <linux/pci_regs.h>

static FakeFunction *get_fake(HbPciFunction *function)
{
	return (FakeFunction *)function;
}

static guint32 read_config(HbPciFunction *function, guint offset, guint size)
{
	FakeFunction *fake = get_fake(function);

	g_string_append_printf(fake->accesses, "read %x %x\n", offset, size);
	return hb_config_space_read(&fake->config, offset, size);
}

static void write_config(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	FakeFunction *fake = get_fake(function);

	g_string_append_printf(fake->accesses, "write %x %x %x\n", offset, size, value);
	hb_config_space_write(&fake->config, offset, size, value);
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
	get_fake(function)->attached_to = bridge;
}

static void reset(HbPciFunction *function)
{
	get_fake(function)->n_resets++;
}

static void sever(HbPciFunction *function)
{
	get_fake(function)->n_severs++;
}

static gboolean revoke_bars(HbPciFunction *function)
{
	FakeFunction *fake = get_fake(function);

	fake->n_revokes++;
	return fake->revokes || (fake->behind && revoke_bars(&fake->behind->function));
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	get_fake(function)->n_releases++;
	if (done)
		done(data);
}

static const HbPciFunctionOps fake_ops = {
	.config_read = read_config,
	.config_write = write_config,
	.attach = attach,
	.reset = reset,
	.bus_reset = reset,
	.sever = sever,
	.revoke = revoke_bars,
	.release = release,
};

FakeFunction *fake_function_create(guint16 device)
{
	FakeFunction *fake = g_new0(FakeFunction, 1);

	fake->function.ops = &fake_ops;
	fake->accesses = g_string_new(NULL);
	hb_config_space_init(&fake->config);
	hb_config_space_set_u16(&fake->config, PCI_VENDOR_ID, 0x1b36);
	hb_config_space_set_u16(&fake->config, PCI_DEVICE_ID, device);
	hb_config_space_set_writable(&fake->config, PCI_COMMAND, 2, 0x0507);
	return fake;
}

static gboolean decodes(HbPciFunction *bridge_function, guint8 bus)
{
	const HbConfigSpace *config = &get_fake(bridge_function)->config;

	return hb_config_space_get_u8(config, PCI_SECONDARY_BUS) &&
	       bus >= hb_config_space_get_u8(config, PCI_SECONDARY_BUS) &&
	       bus <= hb_config_space_get_u8(config, PCI_SUBORDINATE_BUS);
}

static HbPciFunction *find(HbPciFunction *bridge_function, guint8 bus, guint8 devfn)
{
	FakeFunction *fake = get_fake(bridge_function);
	guint8 secondary = hb_config_space_get_u8(&fake->config, PCI_SECONDARY_BUS);

	return fake->behind && bus == secondary && devfn == 0 ? &fake->behind->function : NULL;
}

static void get_reserve(HbPciFunction *bridge_function, HbReserve *reserve)
{
	const FakeFunction *fake = get_fake(bridge_function);

	reserve->window[HB_WINDOW_MEM32] = fake->mem32_size;
	reserve->window[HB_WINDOW_MEM64] = fake->mem64_size;
	reserve->buses = fake->reserved_buses;
}

static const HbSecondaryBusOps fake_secondary_bus_ops = {
	.decodes = decodes,
	.find = find,
	.get_reserve = get_reserve,
};

FakeFunction *fake_function_create_bridge(guint16 device)
{
	FakeFunction *fake = fake_function_create(device);

	fake->function.secondary = &fake_secondary_bus_ops;
	hb_config_space_set_u8(&fake->config, PCI_HEADER_TYPE, PCI_HEADER_TYPE_BRIDGE);
	hb_config_space_set_writable(&fake->config, PCI_PRIMARY_BUS, 4, 0x00ffffff);
	hb_config_space_set_writable(&fake->config, PCI_MEMORY_BASE, 4, 0xfff0fff0);
	hb_config_space_set_writable(&fake->config, PCI_PREF_MEMORY_BASE, 4, 0xfff0fff0);
	hb_config_space_set_writable(&fake->config, PCI_PREF_BASE_UPPER32, 4, G_MAXUINT32);
	hb_config_space_set_writable(&fake->config, PCI_PREF_LIMIT_UPPER32, 4, G_MAXUINT32);
	return fake;
}

void fake_function_destroy(FakeFunction *fake)
{
	g_string_free(fake->accesses, TRUE);
	g_free(fake);
}

void fake_function_add_bar(FakeFunction *fake, guint index, guint64 size, guint32 type)
{
	guint offset = PCI_BASE_ADDRESS_0 + 4 * index;

	hb_config_space_set_u32(&fake->config, offset, type);
	hb_config_space_set_writable(&fake->config, offset, 4, (guint32)-size);
	if (type & PCI_BASE_ADDRESS_MEM_TYPE_64)
		hb_config_space_set_writable(&fake->config, offset + 4, 4, (guint32)(-size >> 32));
}

guint64 fake_function_get_bar(const FakeFunction *fake, guint index)
{
	guint offset = PCI_BASE_ADDRESS_0 + 4 * index;
	guint32 low = hb_config_space_get_u32(&fake->config, offset);
	guint64 address = low & (guint32)PCI_BASE_ADDRESS_MEM_MASK;

	if (low & PCI_BASE_ADDRESS_MEM_TYPE_64)
		address |= (guint64)hb_config_space_get_u32(&fake->config, offset + 4) << 32;
	return address;
}
