/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Resource descriptors against bytes worked out by hand from ACPI r6.5 §6.4. */

#include "acpi/resource.h"
#include "tests/unit/suite.h"

#define assert_bytes(bytes, ...)                                                                   \
	do {                                                                                       \
		const guint8 expected_[] = { __VA_ARGS__ };                                        \
		ck_assert_uint_eq((bytes)->len, sizeof(expected_));                                \
		ck_assert_mem_eq((bytes)->data, expected_, sizeof(expected_));                     \
	} while (0)

static GByteArray *bytes;

static void set_up(void)
{
	bytes = g_byte_array_new();
}

static void tear_down(void)
{
	g_byte_array_unref(bytes);
}

START_TEST(io_ports_are_fixed_and_decoded_in_full)
{
	hb_resource_append_io(bytes, 0xcf8, 8);
	assert_bytes(bytes, 0x47, 0x01, 0xf8, 0x0c, 0xf8, 0x0c, 0x01, 0x08);
}
END_TEST

START_TEST(irq_is_a_bit_of_the_mask)
{
	hb_resource_append_irq(bytes, 4);
	hb_resource_append_irq(bytes, 15);
	assert_bytes(bytes, 0x22, 0x10, 0x00, 0x22, 0x00, 0x80);
}
END_TEST

START_TEST(memory_below_4_gib_is_a_fixed_32_bit_range)
{
	const HbAddressWindow ecam = { 0xf0000000, 0x10000000 };

	hb_resource_append_memory(bytes, &ecam);
	assert_bytes(bytes, 0x86, 0x09, 0x00, 0x01, 0x00, 0x00, 0x00, 0xf0, 0x00, 0x00, 0x00, 0x10);
}
END_TEST

START_TEST(memory_above_4_gib_is_a_consumed_qword_range)
{
	const HbAddressWindow ecam = { G_GUINT64_CONSTANT(0x100000000), 0x10000000 };

	hb_resource_append_memory(bytes, &ecam);
	assert_bytes(bytes, 0x8a, 0x2b, 0x00, 0x00, 0x0d, 0x01, /* */
		     0, 0, 0, 0, 0, 0, 0, 0,			/* granularity */
		     0, 0, 0, 0, 1, 0, 0, 0,			/* minimum */
		     0xff, 0xff, 0xff, 0x0f, 1, 0, 0, 0,	/* maximum */
		     0, 0, 0, 0, 0, 0, 0, 0,			/* translation */
		     0, 0, 0, 0x10, 0, 0, 0, 0);		/* length */
}
END_TEST

START_TEST(bus_window_starts_at_bus_0)
{
	hb_resource_append_bus_window(bytes, 256);
	assert_bytes(bytes, 0x88, 0x0d, 0x00, 0x02, 0x0c, 0x00, 0, 0, 0, 0, 0xff, 0x00, 0, 0, 0x00,
		     0x01);
}
END_TEST

START_TEST(io_window_is_produced_over_its_entire_range)
{
	const HbAddressWindow io = { 0x1000, 0xf000 };

	hb_resource_append_io_window(bytes, &io);
	assert_bytes(bytes, 0x88, 0x0d, 0x00, 0x01, 0x0c, 0x03, 0, 0, 0x00, 0x10, 0xff, 0xff, 0, 0,
		     0x00, 0xf0);
}
END_TEST

START_TEST(mem32_window_is_produced_and_not_cacheable)
{
	const HbAddressWindow mem32 = { 0xc0000000, 0x40000000 };

	hb_resource_append_mem32_window(bytes, &mem32);
	assert_bytes(bytes, 0x87, 0x17, 0x00, 0x00, 0x0c, 0x01, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xc0,
		     0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0x40);
}
END_TEST

START_TEST(mem64_window_is_produced_and_cacheable)
{
	const HbAddressWindow mem64 = { G_GUINT64_CONSTANT(0x8000000000),
					G_GUINT64_CONSTANT(0x4000000000) };

	hb_resource_append_mem64_window(bytes, &mem64);
	assert_bytes(bytes, 0x8a, 0x2b, 0x00, 0x00, 0x0c, 0x03, /* */
		     0, 0, 0, 0, 0, 0, 0, 0,			/* granularity */
		     0, 0, 0, 0, 0x80, 0, 0, 0,			/* minimum */
		     0xff, 0xff, 0xff, 0xff, 0xbf, 0, 0, 0,	/* maximum */
		     0, 0, 0, 0, 0, 0, 0, 0,			/* translation */
		     0, 0, 0, 0, 0x40, 0, 0, 0);		/* length */
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("resource");
	TCase *tcase = tcase_create("descriptors");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, io_ports_are_fixed_and_decoded_in_full);
	tcase_add_test(tcase, irq_is_a_bit_of_the_mask);
	tcase_add_test(tcase, memory_below_4_gib_is_a_fixed_32_bit_range);
	tcase_add_test(tcase, memory_above_4_gib_is_a_consumed_qword_range);
	tcase_add_test(tcase, bus_window_starts_at_bus_0);
	tcase_add_test(tcase, io_window_is_produced_over_its_entire_range);
	tcase_add_test(tcase, mem32_window_is_produced_and_not_cacheable);
	tcase_add_test(tcase, mem64_window_is_produced_and_cacheable);
	suite_add_tcase(suite, tcase);
	return suite;
}
