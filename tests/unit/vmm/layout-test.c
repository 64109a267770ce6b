/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The guest's address space: nothing overlaps, everything fits. */

#include "tests/unit/suite.h"
#include "vmm/layout.h"

#include <hotbay/error.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static const struct {
	guint64 memory, low, high;
} rams[] = {
	{ MIB, MIB, 0 },
	{ 2 * GIB, 2 * GIB, 0 },
	{ 2 * GIB + MIB, 2 * GIB, MIB },
	{ 64 * GIB, 2 * GIB, 62 * GIB },
};

START_TEST(test_ram_above_2_gib_goes_above_4_gib)
{
	guint64 low, high;

	hb_layout_ram(rams[_i].memory, &low, &high);
	ck_assert_uint_eq(low, rams[_i].low);
	ck_assert_uint_eq(high, rams[_i].high);
}
END_TEST

static HbHostBridgeConfig lay_out(guint64 memory, guint bits)
{
	HbHostBridgeConfig config;

	ck_assert(hb_layout_bridge(memory, bits, 4, &config, NULL));
	return config;
}

START_TEST(test_the_windows_below_4_gib_do_not_overlap)
{
	HbHostBridgeConfig config = lay_out(GIB, 40);

	ck_assert_uint_ge(config.ecam.base, HB_LAYOUT_LOW_LIMIT);
	ck_assert_uint_eq(config.ecam.base % config.ecam.size, 0);
	ck_assert_uint_ge(config.mem32.base, config.ecam.base + config.ecam.size);
	ck_assert_uint_le(config.mem32.base + config.mem32.size, HB_LAYOUT_IOAPIC);
}
END_TEST

static const struct {
	guint behind, buses;
} ecams[] = { { 0, 8 }, { 7, 8 }, { 8, 16 }, { 32, 64 }, { 240, 256 } };

START_TEST(test_ecam_has_the_buses_that_there_are_and_few_more)
{
	HbHostBridgeConfig config;

	ck_assert(hb_layout_bridge(GIB, 40, ecams[_i].behind, &config, NULL));
	ck_assert_uint_eq(config.ecam.size, ecams[_i].buses * MIB);
}
END_TEST

START_TEST(test_the_high_window_follows_ram)
{
	ck_assert_uint_eq(lay_out(GIB, 40).mem64.base, 4 * GIB);
	ck_assert_uint_eq(lay_out(3 * GIB, 40).mem64.base, 5 * GIB);
	ck_assert_uint_eq(lay_out(3 * GIB + MIB, 40).mem64.base, 6 * GIB);
}
END_TEST

START_TEST(test_the_high_window_is_8_tib_where_it_fits)
{
	ck_assert_uint_eq(lay_out(GIB, 46).mem64.size, 8192 * GIB);
	ck_assert_uint_eq(lay_out(GIB, 40).mem64.size, (1012 - 4) * GIB);
}
END_TEST

START_TEST(test_the_high_window_ends_with_the_address_bits)
{
	HbHostBridgeConfig config = lay_out(GIB, 36);

	ck_assert_uint_eq(config.mem64.base + config.mem64.size, 64 * GIB);
}
END_TEST

START_TEST(test_the_high_window_stays_below_hypertransport)
{
	HbHostBridgeConfig config = lay_out(900 * GIB, 40);

	ck_assert_uint_eq(config.mem64.base + config.mem64.size, 1012 * GIB);
}
END_TEST

START_TEST(test_more_memory_than_address_bits_is_refused)
{
	g_autoptr(GError) error = NULL;
	HbHostBridgeConfig config;

	ck_assert(!hb_layout_bridge(64 * GIB, 36, 4, &config, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_msg(g_str_has_prefix(error->message, "-m: "), "%s", error->message);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("layout");
	TCase *tests = tcase_create("all");

	tcase_add_loop_test(tests, test_ram_above_2_gib_goes_above_4_gib, 0, G_N_ELEMENTS(rams));
	tcase_add_test(tests, test_the_windows_below_4_gib_do_not_overlap);
	tcase_add_loop_test(tests, test_ecam_has_the_buses_that_there_are_and_few_more, 0,
			    G_N_ELEMENTS(ecams));
	tcase_add_test(tests, test_the_high_window_follows_ram);
	tcase_add_test(tests, test_the_high_window_is_8_tib_where_it_fits);
	tcase_add_test(tests, test_the_high_window_ends_with_the_address_bits);
	tcase_add_test(tests, test_the_high_window_stays_below_hypertransport);
	tcase_add_test(tests, test_more_memory_than_address_bits_is_refused);
	suite_add_tcase(suite, tests);
	return suite;
}
