/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* I/O ports: the right device, the right offset, or nobody. */

#include "tests/unit/suite.h"
#include "vmm/pio.h"

static HbPio *pio;
static guint last_offset;
static guint last_size;
static guint32 last_value;

static guint32 on_read(gpointer opaque, guint offset, guint size)
{
	last_offset = offset;
	last_size = size;
	return GPOINTER_TO_UINT(opaque);
}

static void on_write(gpointer opaque, guint offset, guint size, guint32 value)
{
	last_offset = offset;
	last_size = size;
	last_value = value;
}

static const HbPioOps ops = { on_read, on_write };

static void set_up(void)
{
	last_offset = last_size = last_value = 0;
	pio = hb_pio_create();
	hb_pio_add(pio, 0x100, 8, &ops, GUINT_TO_POINTER(0x11223344));
	hb_pio_add(pio, 0xfffe, 2, &ops, GUINT_TO_POINTER(0x55));
}

static void tear_down(void)
{
	hb_pio_destroy(pio);
}

START_TEST(test_a_read_is_little_endian_and_of_its_size)
{
	guint8 data[4] = { 0, 0, 0xee, 0xee };

	ck_assert(hb_pio_access(pio, 0x104, data, 2, FALSE));
	ck_assert_uint_eq(last_offset, 4);
	ck_assert_uint_eq(last_size, 2);
	ck_assert_uint_eq(data[0], 0x44);
	ck_assert_uint_eq(data[1], 0x33);
	ck_assert_uint_eq(data[2], 0xee);
}
END_TEST

START_TEST(test_a_write_passes_its_value)
{
	guint8 data[4] = { 1, 2, 3, 4 };

	ck_assert(hb_pio_access(pio, 0x100, data, 4, TRUE));
	ck_assert_uint_eq(last_offset, 0);
	ck_assert_uint_eq(last_value, 0x04030201);
}
END_TEST

START_TEST(test_the_last_port_can_be_reached)
{
	guint8 data = 0;

	ck_assert(hb_pio_access(pio, 0xffff, &data, 1, FALSE));
	ck_assert_uint_eq(data, 0x55);
}
END_TEST

START_TEST(test_what_is_not_all_in_one_range_is_nobodys)
{
	guint8 data[4] = { 7, 7, 7, 7 };

	ck_assert(!hb_pio_access(pio, 0xff, data, 1, FALSE));
	ck_assert(!hb_pio_access(pio, 0xff, data, 2, FALSE));
	ck_assert(!hb_pio_access(pio, 0x108, data, 1, FALSE));
	ck_assert(!hb_pio_access(pio, 0x106, data, 4, TRUE));
	ck_assert(!hb_pio_access(pio, 0xffff, data, 2, FALSE));
	ck_assert_uint_eq(data[0], 7);
	ck_assert_uint_eq(last_size, 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("pio");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_read_is_little_endian_and_of_its_size);
	tcase_add_test(tests, test_a_write_passes_its_value);
	tcase_add_test(tests, test_the_last_port_can_be_reached);
	tcase_add_test(tests, test_what_is_not_all_in_one_range_is_nobodys);
	suite_add_tcase(suite, tests);
	return suite;
}
