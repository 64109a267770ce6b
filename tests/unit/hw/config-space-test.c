/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Configuration space as data: masks decide what a write does. */

#include "hw/config-space.h"
#include "tests/unit/suite.h"

static HbConfigSpace config;

static void set_up(void)
{
	hb_config_space_init(&config);
}

START_TEST(test_new_space_is_zero_and_read_only)
{
	hb_config_space_write(&config, 0x10, 4, 0xffffffff);

	for (guint i = 0; i < HB_CONFIG_SIZE; i += 4)
		ck_assert_uint_eq(hb_config_space_read(&config, i, 4), 0);
}
END_TEST

START_TEST(test_write_changes_only_writable_bits)
{
	hb_config_space_set_u32(&config, 0x10, 0x11223344);
	hb_config_space_set_writable(&config, 0x10, 4, 0x00ff00f0);

	hb_config_space_write(&config, 0x10, 4, 0xaabbccdd);

	ck_assert_uint_eq(hb_config_space_get_u32(&config, 0x10), 0x11bb33d4);
}
END_TEST

START_TEST(test_ones_clear_and_zeros_do_not)
{
	hb_config_space_set_u16(&config, 0x06, 0xffff);
	hb_config_space_set_write_1_clear(&config, 0x06, 2, 0xf900);

	hb_config_space_write(&config, 0x06, 2, 0x81ff);

	ck_assert_uint_eq(hb_config_space_get_u16(&config, 0x06), 0x7eff);
}
END_TEST

/* Both kinds of bit in one register, written in each width. */
START_TEST(test_bytes_beside_a_write_keep_their_value)
{
	guint size = 1u << _i;
	guint32 touched = (guint32)((G_GUINT64_CONSTANT(1) << (8 * size)) - 1);

	hb_config_space_set_u32(&config, 0x40, 0xf0f0f0f0);
	hb_config_space_set_writable(&config, 0x40, 4, 0x0f0f0f0f);
	hb_config_space_set_write_1_clear(&config, 0x40, 4, 0xf0f0f0f0);

	hb_config_space_write(&config, 0x40, size, 0xffffffff);

	ck_assert_uint_eq(hb_config_space_read(&config, 0x40, 4),
			  (0x0f0f0f0f & touched) | (0xf0f0f0f0 & ~touched));
}
END_TEST

START_TEST(test_space_is_little_endian)
{
	hb_config_space_set_u32(&config, 0xffc, 0x44332211);

	ck_assert_uint_eq(hb_config_space_get_u8(&config, 0xffc), 0x11);
	ck_assert_uint_eq(hb_config_space_get_u8(&config, 0xfff), 0x44);
	ck_assert_uint_eq(hb_config_space_get_u16(&config, 0xffe), 0x4433);
}
END_TEST

START_TEST(test_overlap_needs_a_common_byte)
{
	ck_assert(hb_config_space_overlaps(4, 2, 5, 1));
	ck_assert(hb_config_space_overlaps(4, 4, 0, 64));
	ck_assert(!hb_config_space_overlaps(4, 2, 6, 2));
	ck_assert(!hb_config_space_overlaps(6, 2, 4, 2));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("config-space");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, set_up, NULL);
	tcase_add_test(cases, test_new_space_is_zero_and_read_only);
	tcase_add_test(cases, test_write_changes_only_writable_bits);
	tcase_add_test(cases, test_ones_clear_and_zeros_do_not);
	tcase_add_loop_test(cases, test_bytes_beside_a_write_keep_their_value, 0, 3);
	tcase_add_test(cases, test_space_is_little_endian);
	tcase_add_test(cases, test_overlap_needs_a_common_byte);
	suite_add_tcase(suite, cases);
	return suite;
}
