/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* BARs: from what the guest writes to what it can reach. */

#include "hw/bar.h"
#include "hw/host-bridge.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>

#define MEM32 G_GUINT64_CONSTANT(0xc0000000)
#define MEM64 G_GUINT64_CONSTANT(0x800000000)

#define BAR0 PCI_BASE_ADDRESS_0
#define BAR1 PCI_BASE_ADDRESS_1
#define BAR2 PCI_BASE_ADDRESS_2
#define BAR4 PCI_BASE_ADDRESS_4

static const HbHostBridgeConfig windows = {
	.ecam = { 0xe0000000, 0x10000000 },
	.mem32 = { MEM32, 0x20000000 },
	.mem64 = { MEM64, 0x100000000 },
};

static FakeHost *host;
static HbHostBridge *bridge;
static HbConfigSpace config;
static HbBars *bars;
static GString *trapped;
static GString *told; /* to whom it is for other drives */

static guint64 read_trapped(gpointer opaque, guint index, guint64 offset, guint size)
{
	g_string_append_printf(trapped, "read %u %x %u\n", index, (guint)offset, size);
	return 0x5a;
}

static void write_trapped(gpointer opaque, guint index, guint64 offset, guint size, guint64 value)
{
	g_string_append_printf(trapped, "write %u %x %u %x\n", index, (guint)offset, size,
			       (guint)value);
}

static void note_mapped(gpointer opaque, guint64 gpa, guint64 size, gpointer hva, gboolean here)
{
	g_string_append_printf(told, "%s%x %x from %x, ", here ? "+" : "-", (guint)gpa, (guint)size,
			       GPOINTER_TO_UINT(hva));
}

static const HbBarOps bar_ops = {
	.read = read_trapped,
	.write = write_trapped,
	.mapped = note_mapped,
};

/* A drive: BAR 0 of 16 KiB with its first half and last page mapped, BAR 2 all trapped, 32-bit,
 * BAR 4 a prefetchable 1 MiB in one piece. */
static void add_bars(void)
{
	const HbBarMapping parts[] = { { 0, 0x2000, (gpointer)0x10000 },
				       { 0x3000, 0x1000, (gpointer)0x13000 } };
	const HbBarMapping whole = { 0, 0x100000, (gpointer)0x200000 };
	const HbBarDescription registers = {
		.size = 0x4000,
		.is_64bit = TRUE,
		.mappings = parts,
		.n_mappings = G_N_ELEMENTS(parts),
	};
	const HbBarDescription table = { .size = 0x1000 };
	const HbBarDescription memory = {
		.size = 0x100000,
		.is_64bit = TRUE,
		.prefetchable = TRUE,
		.mappings = &whole,
		.n_mappings = 1,
	};

	hb_bars_add(bars, 0, &registers);
	hb_bars_add(bars, 2, &table);
	hb_bars_add(bars, 4, &memory);
}

static void setup(void)
{
	host = fake_host_create();
	bridge = hb_host_bridge_create(host->host, &windows, NULL);
	trapped = g_string_new(NULL);
	told = g_string_new(NULL);
	hb_config_space_init(&config);
	hb_config_space_set_writable(&config, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	bars = hb_bars_create(&config, &bar_ops, NULL);
	add_bars();
	hb_host_bridge_lock(bridge);
	hb_bars_attach(bars, bridge, NULL);
	hb_host_bridge_unlock(bridge);
}

static void sever(void)
{
	hb_host_bridge_lock(bridge);
	hb_bars_sever(bars);
	hb_host_bridge_unlock(bridge);
}

static void teardown(void)
{
	sever();
	hb_bars_destroy(bars);
	hb_host_bridge_destroy(bridge);
	g_string_free(trapped, TRUE);
	g_string_free(told, TRUE);
	fake_host_destroy(host);
}

/* As the guest's write of a register. */
static void write_config(guint offset, guint size, guint32 value)
{
	hb_host_bridge_lock(bridge);
	hb_config_space_write(&config, offset, size, value);
	hb_bars_update(bars);
	hb_host_bridge_unlock(bridge);
}

static void enable(void)
{
	write_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void set_reachable(gboolean reachable)
{
	hb_host_bridge_lock(bridge);
	hb_bars_set_reachable(bars, reachable);
	hb_host_bridge_unlock(bridge);
}

static guint64 read_memory(guint64 gpa, guint size)
{
	guint64 value = 0;

	ck_assert(hb_host_bridge_mmio(bridge, gpa, &value, size, FALSE));
	return value;
}

static void assert_calls(const char *expected)
{
	g_autofree char *calls = fake_host_take_calls(host);

	ck_assert_str_eq(calls, expected);
}

/* Registers. */

START_TEST(all_ones_read_back_as_the_size_and_type)
{
	for (guint offset = BAR0; offset <= PCI_BASE_ADDRESS_5; offset += 4)
		write_config(offset, 4, 0xffffffff);

	ck_assert_uint_eq(hb_config_space_read(&config, BAR0, 4), 0xffffc004);
	ck_assert_uint_eq(hb_config_space_read(&config, BAR1, 4), 0xffffffff);
	ck_assert_uint_eq(hb_config_space_read(&config, BAR2, 4), 0xfffff000);
	ck_assert_uint_eq(hb_config_space_read(&config, PCI_BASE_ADDRESS_3, 4), 0);
	ck_assert_uint_eq(hb_config_space_read(&config, BAR4, 4), 0xfff0000c);
}
END_TEST

START_TEST(sizing_with_decode_on_maps_nothing)
{
	enable();
	for (guint offset = BAR0; offset <= PCI_BASE_ADDRESS_5; offset += 4)
		write_config(offset, 4, 0xffffffff);

	assert_calls("");
}
END_TEST

START_TEST(a_huge_bar_is_sized_in_its_upper_half)
{
	HbConfigSpace other;
	const HbBarDescription huge = { .size = G_GUINT64_CONSTANT(1) << 33, .is_64bit = TRUE };

	hb_config_space_init(&other);
	HbBars *large = hb_bars_create(&other, &bar_ops, NULL);
	hb_bars_add(large, 0, &huge);
	hb_config_space_write(&other, BAR0, 4, 0xffffffff);
	hb_config_space_write(&other, BAR1, 4, 0xffffffff);

	ck_assert_uint_eq(hb_config_space_read(&other, BAR0, 4), 4);
	ck_assert_uint_eq(hb_config_space_read(&other, BAR1, 4), 0xfffffffe);
	hb_bars_destroy(large);
}
END_TEST

/* Mapping. */

START_TEST(enabling_decode_maps_what_has_memory)
{
	write_config(BAR0, 4, MEM32);
	assert_calls("");
	enable();

	assert_calls("map c0000000 2000\nmap c0003000 1000\n");
}
END_TEST

START_TEST(disabling_decode_unmaps_it)
{
	write_config(BAR0, 4, MEM32);
	enable();
	assert_calls("map c0000000 2000\nmap c0003000 1000\n");
	write_config(PCI_COMMAND, 2, 0);

	assert_calls("unmap c0000000\nunmap c0003000\n");
	ck_assert_uint_eq(read_memory(MEM32 + 0x2000, 4), 0xffffffff);
	ck_assert_str_eq(trapped->str, "");
}
END_TEST

START_TEST(an_update_without_change_does_nothing)
{
	write_config(BAR4, 4, MEM32);
	enable();
	assert_calls("map c0000000 100000\n");
	enable();

	assert_calls("");
}
END_TEST

START_TEST(a_bar_above_4_gib_is_mapped_when_both_halves_are_there)
{
	enable();
	write_config(BAR4, 4, 0x10000000);
	assert_calls("");
	write_config(PCI_BASE_ADDRESS_5, 4, MEM64 >> 32);

	assert_calls("map 810000000 100000\n");
}
END_TEST

START_TEST(a_moving_bar_leaves_before_it_arrives)
{
	write_config(BAR4, 4, MEM32);
	enable();
	assert_calls("map c0000000 100000\n");
	write_config(BAR4, 4, MEM32 + 0x100000);

	assert_calls("unmap c0000000\nmap c0100000 100000\n");
}
END_TEST

START_TEST(what_is_mapped_and_where_is_told_until_it_is_severed)
{
	write_config(BAR0, 4, MEM32);
	enable();
	ck_assert_str_eq(told->str, "+c0000000 2000 from 10000, +c0003000 1000 from 13000, ");
	g_string_truncate(told, 0);
	write_config(BAR0, 4, MEM32 + 0x10000);
	ck_assert_str_eq(told->str, "-c0000000 2000 from 10000, -c0003000 1000 from 13000, "
				    "+c0010000 2000 from 10000, +c0013000 1000 from 13000, ");
	g_string_truncate(told, 0);
	sever();
	ck_assert_str_eq(told->str, "-c0010000 2000 from 10000, -c0013000 1000 from 13000, ");
}
END_TEST

START_TEST(what_cannot_be_mapped_is_not_told)
{
	host->no_map = TRUE;
	write_config(BAR0, 4, MEM32);
	enable();
	sever();
	ck_assert_str_eq(told->str, "");
}
END_TEST

START_TEST(bars_may_swap_places)
{
	write_config(BAR0, 4, MEM32);
	write_config(BAR4, 4, MEM32 + 0x100000);
	enable();
	assert_calls("map c0000000 2000\nmap c0003000 1000\nmap c0100000 100000\n");
	hb_config_space_write(&config, BAR0, 4, MEM32 + 0x100000);
	write_config(BAR4, 4, MEM32);

	assert_calls("unmap c0000000\nunmap c0003000\nunmap c0100000\n"
		     "map c0100000 2000\nmap c0103000 1000\nmap c0000000 100000\n");
	ck_assert_str_eq(host->log->str, "");
}
END_TEST

static const guint64 bad_places[] = {
	0,	     /* never assigned */
	0xe0000000,  /* ECAM */
	0x10000000,  /* in no window */
	0xbfff0000,  /* begins before a window */
	0x7fff00000, /* likewise */
	0x900000000, /* after the last */
};

START_TEST(a_bar_in_no_window_is_not_mapped)
{
	enable();
	hb_config_space_write(&config, BAR4, 4, (guint32)bad_places[_i]);
	write_config(PCI_BASE_ADDRESS_5, 4, (guint32)(bad_places[_i] >> 32));

	assert_calls("");
}
END_TEST

START_TEST(a_bar_over_guest_memory_is_not_mapped)
{
	HbRam ram = { .gpa = MEM64 + 0x80000, .size = 0x1000, .hva = (gpointer)0x1000 };

	ck_assert(hb_host_add_ram(host->host, &ram, NULL));
	hb_config_space_write(&config, PCI_BASE_ADDRESS_5, 4, MEM64 >> 32);
	enable();

	assert_calls("");
}
END_TEST

/* Trapping. */

START_TEST(parts_without_memory_are_trapped)
{
	write_config(BAR0, 4, MEM32);
	write_config(BAR2, 4, MEM32 + 0x10000);
	enable();

	guint64 value = 0x77;

	ck_assert_uint_eq(read_memory(MEM32 + 0x2008, 4), 0x5a);
	ck_assert(hb_host_bridge_mmio(bridge, MEM32 + 0x10010, &value, 2, TRUE));

	ck_assert_str_eq(trapped->str, "read 0 2008 4\nwrite 2 10 2 77\n");
}
END_TEST

START_TEST(what_cannot_be_mapped_is_trapped_and_said_once)
{
	host->no_map = TRUE;
	write_config(BAR0, 4, MEM32);
	enable();
	write_config(BAR0, 4, MEM32 + 0x10000);

	ck_assert_uint_eq(read_memory(MEM32 + 0x10004, 4), 0x5a);
	ck_assert_str_eq(trapped->str, "read 0 4 4\n");
	ck_assert_ptr_nonnull(g_strstr_len(host->log->str, -1, "BAR 0"));
	ck_assert_ptr_nonnull(g_strstr_len(host->log->str, -1, "map refused by the fake"));
	ck_assert_ptr_eq(strchr(host->log->str, '\n'), strrchr(host->log->str, '\n'));
}
END_TEST

START_TEST(a_bar_laid_over_another_is_trapped_behind_it)
{
	write_config(BAR0, 4, MEM32);
	enable();
	assert_calls("map c0000000 2000\nmap c0003000 1000\n");
	write_config(BAR4, 4, MEM32);

	assert_calls("");
	ck_assert_ptr_nonnull(g_strstr_len(host->log->str, -1, "BAR 4"));
	read_memory(MEM32 + 0x2000, 1);
	read_memory(MEM32 + 0x4000, 1);
	ck_assert_str_eq(trapped->str, "read 0 2000 1\nread 4 4000 1\n");
	write_config(BAR4, 4, MEM32 + 0x100000);
	assert_calls("map c0100000 100000\n");
}
END_TEST

/* Out of reach. */

START_TEST(an_unreachable_device_is_withdrawn_until_it_returns)
{
	write_config(BAR4, 4, MEM32);
	enable();
	assert_calls("map c0000000 100000\n");
	set_reachable(FALSE);
	assert_calls("unmap c0000000\n");
	ck_assert_uint_eq(read_memory(MEM32, 4), 0xffffffff);
	set_reachable(TRUE);

	assert_calls("map c0000000 100000\n");
}
END_TEST

START_TEST(a_severed_device_reads_all_ones_for_good)
{
	write_config(BAR0, 4, MEM32);
	enable();
	assert_calls("map c0000000 2000\nmap c0003000 1000\n");
	sever();
	assert_calls("unmap c0000000\nunmap c0003000\n");
	set_reachable(TRUE);
	write_config(BAR0, 4, MEM32 + 0x4000);

	assert_calls("");
	ck_assert_uint_eq(read_memory(MEM32 + 0x2000, 8), G_MAXUINT64);
	ck_assert_uint_eq(read_memory(MEM32 + 0x6000, 8), G_MAXUINT64);
	ck_assert_str_eq(trapped->str, "");
}
END_TEST

START_TEST(a_device_attached_with_decode_on_is_mapped_at_once)
{
	HbConfigSpace other;
	const HbBarMapping whole = { 0, 0x1000, (gpointer)0x10000 };
	const HbBarDescription description = { .size = 0x1000,
					       .mappings = &whole,
					       .n_mappings = 1 };

	hb_config_space_init(&other);
	HbBars *cold = hb_bars_create(&other, &bar_ops, NULL);
	hb_bars_add(cold, 1, &description);
	hb_config_space_write(&other, BAR1, 4, MEM32 + 0x5000);
	hb_config_space_set_u16(&other, PCI_COMMAND, PCI_COMMAND_MEMORY);
	hb_bars_update(cold);
	assert_calls("");
	hb_host_bridge_lock(bridge);
	hb_bars_attach(cold, bridge, NULL);
	assert_calls("map c0005000 1000\n");
	hb_bars_sever(cold);
	hb_host_bridge_unlock(bridge);
	hb_bars_destroy(cold);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bar");
	TCase *tcase = tcase_create("bar");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_ones_read_back_as_the_size_and_type);
	tcase_add_test(tcase, sizing_with_decode_on_maps_nothing);
	tcase_add_test(tcase, a_huge_bar_is_sized_in_its_upper_half);
	tcase_add_test(tcase, enabling_decode_maps_what_has_memory);
	tcase_add_test(tcase, disabling_decode_unmaps_it);
	tcase_add_test(tcase, an_update_without_change_does_nothing);
	tcase_add_test(tcase, a_bar_above_4_gib_is_mapped_when_both_halves_are_there);
	tcase_add_test(tcase, a_moving_bar_leaves_before_it_arrives);
	tcase_add_test(tcase, what_is_mapped_and_where_is_told_until_it_is_severed);
	tcase_add_test(tcase, what_cannot_be_mapped_is_not_told);
	tcase_add_test(tcase, bars_may_swap_places);
	tcase_add_loop_test(tcase, a_bar_in_no_window_is_not_mapped, 0, G_N_ELEMENTS(bad_places));
	tcase_add_test(tcase, a_bar_over_guest_memory_is_not_mapped);
	tcase_add_test(tcase, parts_without_memory_are_trapped);
	tcase_add_test(tcase, what_cannot_be_mapped_is_trapped_and_said_once);
	tcase_add_test(tcase, a_bar_laid_over_another_is_trapped_behind_it);
	tcase_add_test(tcase, an_unreachable_device_is_withdrawn_until_it_returns);
	tcase_add_test(tcase, a_severed_device_reads_all_ones_for_good);
	tcase_add_test(tcase, a_device_attached_with_decode_on_is_mapped_at_once);
	suite_add_tcase(suite, tcase);
	return suite;
}
