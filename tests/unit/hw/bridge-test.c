/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The type 1 header. */

#include "hw/bridge.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>

static HbConfigSpace config;

static void set_up(void)
{
	hb_config_space_init(&config);
	hb_bridge_init(&config, 0x1b36, 0x000c, FALSE);
}

START_TEST(test_new_bridge_decodes_no_bus_and_no_memory)
{
	for (guint bus = 0; bus < 256; bus++)
		ck_assert(!hb_bridge_decodes(&config, (guint8)bus));
	ck_assert_uint_gt(hb_config_space_get_u16(&config, PCI_MEMORY_BASE),
			  hb_config_space_get_u16(&config, PCI_MEMORY_LIMIT));
	ck_assert_uint_gt(hb_config_space_get_u16(&config, PCI_PREF_MEMORY_BASE),
			  hb_config_space_get_u16(&config, PCI_PREF_MEMORY_LIMIT));
}
END_TEST

START_TEST(test_bridge_decodes_secondary_to_subordinate)
{
	hb_config_space_write(&config, PCI_PRIMARY_BUS, 4, 0x00070500);

	ck_assert_uint_eq(hb_bridge_get_secondary_bus(&config), 5);
	ck_assert(!hb_bridge_decodes(&config, 4));
	ck_assert(hb_bridge_decodes(&config, 5));
	ck_assert(hb_bridge_decodes(&config, 7));
	ck_assert(!hb_bridge_decodes(&config, 8));
}
END_TEST

START_TEST(test_windows_keep_their_writable_bits)
{
	hb_config_space_write(&config, PCI_MEMORY_BASE, 4, 0xffffffff);
	hb_config_space_write(&config, PCI_PREF_MEMORY_BASE, 4, 0xffffffff);
	hb_config_space_write(&config, PCI_PREF_BASE_UPPER32, 4, 0x12345678);
	hb_config_space_write(&config, PCI_PREF_LIMIT_UPPER32, 4, 0x9abcdef0);

	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_MEMORY_BASE), 0xfff0fff0);
	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_PREF_MEMORY_BASE), 0xfff1fff1);
	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_PREF_BASE_UPPER32), 0x12345678);
	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_PREF_LIMIT_UPPER32), 0x9abcdef0);
}
END_TEST

START_TEST(test_windows_take_addresses)
{
	hb_config_space_write(&config, PCI_MEMORY_BASE, 4, 0xc120c010);
	hb_config_space_write(&config, PCI_PREF_MEMORY_BASE, 4, 0x01300010);

	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_MEMORY_BASE), 0xc120c010);
	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_PREF_MEMORY_BASE), 0x01310011);
}
END_TEST

START_TEST(test_scratch_registers_keep_what_is_written)
{
	static const guint8 scratch[] = { PCI_CACHE_LINE_SIZE, PCI_PRIMARY_BUS,
					  PCI_INTERRUPT_LINE };

	for (guint i = 0; i < G_N_ELEMENTS(scratch); i++) {
		hb_config_space_write(&config, scratch[i], 1, 0xa5);
		ck_assert_uint_eq(hb_config_space_get_u8(&config, scratch[i]), 0xa5);
	}
}
END_TEST

START_TEST(test_error_bits_are_cleared_by_ones)
{
	static const guint8 registers[] = { PCI_STATUS, PCI_SEC_STATUS };

	for (guint i = 0; i < G_N_ELEMENTS(registers); i++) {
		hb_config_space_set_u16(&config, registers[i], 0xf910);
		hb_config_space_write(&config, registers[i], 2, 0xffff);
		ck_assert_uint_eq(hb_config_space_get_u16(&config, registers[i]), 0x0010);
	}
}
END_TEST

START_TEST(test_io_window_does_not_exist)
{
	hb_config_space_write(&config, PCI_IO_BASE, 2, 0xffff);
	hb_config_space_write(&config, PCI_IO_BASE_UPPER16, 4, 0xffffffff);

	ck_assert_uint_eq(hb_config_space_get_u16(&config, PCI_IO_BASE), 0);
	ck_assert_uint_eq(hb_config_space_get_u32(&config, PCI_IO_BASE_UPPER16), 0);
}
END_TEST

START_TEST(test_bus_reset_is_a_bit_of_bridge_control)
{
	ck_assert(!hb_bridge_is_bus_in_reset(&config));

	hb_config_space_write(&config, PCI_BRIDGE_CONTROL, 2, 0xffff);

	ck_assert(hb_bridge_is_bus_in_reset(&config));
	ck_assert_uint_eq(hb_config_space_get_u16(&config, PCI_BRIDGE_CONTROL), 0x0043);
}
END_TEST

START_TEST(test_multifunction_is_said_in_the_header_type)
{
	hb_bridge_init(&config, 0x1b36, 0x000c, TRUE);

	ck_assert_uint_eq(hb_config_space_get_u8(&config, PCI_HEADER_TYPE), 0x81);
}
END_TEST

/* c0100000 to c02fffff, and 8_40000000 to 8_7fffffff. */
static void open_windows(void)
{
	hb_config_space_write(&config, PCI_MEMORY_BASE, 4, 0xc020c010);
	hb_config_space_write(&config, PCI_PREF_MEMORY_BASE, 4, 0x7ff04000);
	hb_config_space_write(&config, PCI_PREF_BASE_UPPER32, 4, 8);
	hb_config_space_write(&config, PCI_PREF_LIMIT_UPPER32, 4, 8);
	hb_config_space_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

START_TEST(test_new_bridge_has_no_windows)
{
	ck_assert_uint_eq(hb_bridge_get_window(&config, HB_WINDOW_MEM32).size, 0);
	ck_assert_uint_eq(hb_bridge_get_window(&config, HB_WINDOW_MEM64).size, 0);
}
END_TEST

START_TEST(test_windows_are_what_registers_say)
{
	open_windows();

	HbAddressWindow mem32 = hb_bridge_get_window(&config, HB_WINDOW_MEM32);
	HbAddressWindow mem64 = hb_bridge_get_window(&config, HB_WINDOW_MEM64);

	ck_assert_uint_eq(mem32.base, 0xc0100000);
	ck_assert_uint_eq(mem32.size, 0x200000);
	ck_assert_uint_eq(mem64.base, 0x840000000);
	ck_assert_uint_eq(mem64.size, 0x40000000);
}
END_TEST

static const struct {
	guint64 base;
	guint64 size;
	gboolean forwarded;
} accesses[] = {
	{ 0xc0100000, 0x200000, TRUE },	    { 0xc0100000, 0x200001, FALSE },
	{ 0xc00fffff, 2, FALSE },	    { 0xc02ff000, 0x1000, TRUE },
	{ 0xc0300000, 0x1000, FALSE },	    { 0x840000000, 0x40000000, TRUE },
	{ 0x87ffff000, 0x2000, FALSE },	    { 0x40000000, 0x1000, FALSE },
	{ 0x840000000, 1ull << 63, FALSE },
};

START_TEST(test_memory_in_a_window_is_forwarded)
{
	open_windows();

	ck_assert_int_eq(hb_bridge_forwards(&config, accesses[_i].base, accesses[_i].size),
			 accesses[_i].forwarded);
	hb_config_space_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	ck_assert(!hb_bridge_forwards(&config, accesses[_i].base, accesses[_i].size));
}
END_TEST

#define PM 0x40

START_TEST(test_power_states_are_d0_and_d3)
{
	hb_bridge_add_pm(&config, PM);
	ck_assert(hb_bridge_is_awake(&config, PM));
	hb_bridge_write(&config, PM, PM + PCI_PM_CTRL, 2, 1);
	ck_assert(hb_bridge_is_awake(&config, PM));
	hb_bridge_write(&config, PM, PM + PCI_PM_CTRL, 2, 3);
	ck_assert(!hb_bridge_is_awake(&config, PM));
	hb_bridge_write(&config, PM, PM + PCI_PM_CTRL, 2, 2);

	ck_assert(!hb_bridge_is_awake(&config, PM));
}
END_TEST

START_TEST(test_a_bus_master_that_is_awake_passes_dma)
{
	hb_bridge_add_pm(&config, PM);
	ck_assert(!hb_bridge_passes_dma(&config, PM));
	hb_bridge_write(&config, PM, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	ck_assert(hb_bridge_passes_dma(&config, PM));
	hb_bridge_write(&config, PM, PM + PCI_PM_CTRL, 2, 3);

	ck_assert(!hb_bridge_passes_dma(&config, PM));
}
END_TEST

static const struct {
	guint offset;
	guint size;
	guint effects;
} writes[] = {
	{ PCI_COMMAND, 1, HB_BRIDGE_PATH_CHANGED },
	{ PCI_COMMAND, 4, HB_BRIDGE_PATH_CHANGED },
	{ PCI_STATUS, 2, 0 },
	{ PCI_PRIMARY_BUS, 4, 0 },
	{ PCI_MEMORY_BASE, 4, HB_BRIDGE_PATH_CHANGED },
	{ PCI_MEMORY_LIMIT, 1, HB_BRIDGE_PATH_CHANGED },
	{ PCI_PREF_LIMIT_UPPER32, 4, HB_BRIDGE_PATH_CHANGED },
	{ PCI_IO_BASE_UPPER16, 4, 0 },
	{ PCI_BRIDGE_CONTROL, 2, HB_BRIDGE_BUS_RESET },
	{ PM + PCI_PM_CTRL, 1, HB_BRIDGE_PATH_CHANGED },
};

START_TEST(test_writes_say_what_they_bring_about)
{
	hb_bridge_add_pm(&config, PM);

	ck_assert_uint_eq(
		hb_bridge_write(&config, PM, writes[_i].offset, writes[_i].size, G_MAXUINT32),
		writes[_i].effects);
}
END_TEST

START_TEST(test_bus_reset_begins_once)
{
	hb_bridge_add_pm(&config, PM);
	hb_bridge_write(&config, PM, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);

	ck_assert_uint_eq(
		hb_bridge_write(&config, PM, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bridge");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, set_up, NULL);
	tcase_add_test(cases, test_new_bridge_decodes_no_bus_and_no_memory);
	tcase_add_test(cases, test_bridge_decodes_secondary_to_subordinate);
	tcase_add_test(cases, test_windows_keep_their_writable_bits);
	tcase_add_test(cases, test_windows_take_addresses);
	tcase_add_test(cases, test_scratch_registers_keep_what_is_written);
	tcase_add_test(cases, test_error_bits_are_cleared_by_ones);
	tcase_add_test(cases, test_io_window_does_not_exist);
	tcase_add_test(cases, test_bus_reset_is_a_bit_of_bridge_control);
	tcase_add_test(cases, test_multifunction_is_said_in_the_header_type);
	tcase_add_test(cases, test_new_bridge_has_no_windows);
	tcase_add_test(cases, test_windows_are_what_registers_say);
	tcase_add_loop_test(cases, test_memory_in_a_window_is_forwarded, 0, G_N_ELEMENTS(accesses));
	tcase_add_test(cases, test_power_states_are_d0_and_d3);
	tcase_add_test(cases, test_a_bus_master_that_is_awake_passes_dma);
	tcase_add_loop_test(cases, test_writes_say_what_they_bring_about, 0, G_N_ELEMENTS(writes));
	tcase_add_test(cases, test_bus_reset_begins_once);
	suite_add_tcase(suite, cases);
	return suite;
}
