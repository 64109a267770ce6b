/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Holes cut out of a window. */

#include "acpi/windows.h"
#include "tests/unit/suite.h"

static const HbAddressWindow window = { 0x1000, 0x1000 };

static void assert_window(const GArray *windows, guint index, guint64 base, guint64 size)
{
	ck_assert_uint_lt(index, windows->len);
	ck_assert_uint_eq(g_array_index(windows, HbAddressWindow, index).base, base);
	ck_assert_uint_eq(g_array_index(windows, HbAddressWindow, index).size, size);
}

START_TEST(window_without_holes_is_whole)
{
	g_autoptr(GArray) rest = hb_windows_subtract(&window, NULL, 0);

	ck_assert_uint_eq(rest->len, 1);
	assert_window(rest, 0, 0x1000, 0x1000);
}
END_TEST

START_TEST(empty_window_yields_nothing)
{
	const HbAddressWindow empty = { 0x1000, 0 };
	g_autoptr(GArray) rest = hb_windows_subtract(&empty, NULL, 0);

	ck_assert_uint_eq(rest->len, 0);
}
END_TEST

START_TEST(hole_inside_leaves_both_sides)
{
	const HbAddressWindow hole = { 0x1400, 0x100 };
	g_autoptr(GArray) rest = hb_windows_subtract(&window, &hole, 1);

	ck_assert_uint_eq(rest->len, 2);
	assert_window(rest, 0, 0x1000, 0x400);
	assert_window(rest, 1, 0x1500, 0xb00);
}
END_TEST

START_TEST(hole_at_an_edge_leaves_the_other_side)
{
	const HbAddressWindow holes[] = { { 0x0, 0x1100 }, { 0x1f00, 0x9000 } };
	g_autoptr(GArray) rest = hb_windows_subtract(&window, holes, 2);

	ck_assert_uint_eq(rest->len, 1);
	assert_window(rest, 0, 0x1100, 0xe00);
}
END_TEST

START_TEST(hole_over_everything_leaves_nothing)
{
	const HbAddressWindow hole = { 0, 0x10000 };
	g_autoptr(GArray) rest = hb_windows_subtract(&window, &hole, 1);

	ck_assert_uint_eq(rest->len, 0);
}
END_TEST

START_TEST(holes_outside_or_empty_change_nothing)
{
	const HbAddressWindow holes[] = { { 0x0, 0x1000 }, { 0x2000, 0x1000 }, { 0x1800, 0 } };
	g_autoptr(GArray) rest = hb_windows_subtract(&window, holes, 3);

	ck_assert_uint_eq(rest->len, 1);
	assert_window(rest, 0, 0x1000, 0x1000);
}
END_TEST

START_TEST(overlapping_holes_cut_once_and_order_is_kept)
{
	const HbAddressWindow holes[] = { { 0x1800, 0x200 }, { 0x1200, 0x100 }, { 0x1900, 0x200 } };
	g_autoptr(GArray) rest = hb_windows_subtract(&window, holes, 3);

	ck_assert_uint_eq(rest->len, 3);
	assert_window(rest, 0, 0x1000, 0x200);
	assert_window(rest, 1, 0x1300, 0x500);
	assert_window(rest, 2, 0x1b00, 0x500);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("windows");
	TCase *tcase = tcase_create("subtract");

	tcase_add_test(tcase, window_without_holes_is_whole);
	tcase_add_test(tcase, empty_window_yields_nothing);
	tcase_add_test(tcase, hole_inside_leaves_both_sides);
	tcase_add_test(tcase, hole_at_an_edge_leaves_the_other_side);
	tcase_add_test(tcase, hole_over_everything_leaves_nothing);
	tcase_add_test(tcase, holes_outside_or_empty_change_nothing);
	tcase_add_test(tcase, overlapping_holes_cut_once_and_order_is_kept);
	suite_add_tcase(suite, tcase);
	return suite;
}
