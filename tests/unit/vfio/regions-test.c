/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Which pages of a BAR are mapped when some of it must be trapped. */

#include "tests/unit/suite.h"
#include "vfio/regions.h"

#define PAGE 0x1000ull

static GArray *areas;

static void setup(void)
{
	HbBarMapping whole = { .offset = 0, .size = 8 * PAGE };

	areas = g_array_new(FALSE, FALSE, sizeof(HbBarMapping));
	g_array_append_val(areas, whole);
}

static void teardown(void)
{
	g_array_unref(areas);
}

static void subtract(guint64 offset, guint64 size)
{
	GArray *left = hb_vfio_regions_subtract(areas, offset, size);

	g_array_unref(areas);
	areas = left;
}

static void assert_area(guint index, guint64 offset, guint64 size)
{
	const HbBarMapping *area = &g_array_index(areas, HbBarMapping, index);

	ck_assert_uint_eq(area->offset, offset);
	ck_assert_uint_eq(area->size, size);
}

START_TEST(a_table_in_the_middle_leaves_two_areas)
{
	subtract(3 * PAGE, 65 * 16);
	ck_assert_uint_eq(areas->len, 2);
	assert_area(0, 0, 3 * PAGE);
	assert_area(1, 4 * PAGE, 4 * PAGE);
}
END_TEST

START_TEST(a_table_at_the_start_leaves_the_rest)
{
	subtract(0, 16);
	ck_assert_uint_eq(areas->len, 1);
	assert_area(0, PAGE, 7 * PAGE);
}
END_TEST

START_TEST(a_table_across_a_page_boundary_takes_both_pages)
{
	subtract(2 * PAGE - 16, 32);
	ck_assert_uint_eq(areas->len, 2);
	assert_area(0, 0, PAGE);
	assert_area(1, 3 * PAGE, 5 * PAGE);
}
END_TEST

START_TEST(a_trap_of_everything_leaves_nothing)
{
	subtract(0, 8 * PAGE);
	ck_assert_uint_eq(areas->len, 0);
}
END_TEST

START_TEST(a_trap_outside_changes_nothing)
{
	subtract(8 * PAGE, PAGE);
	ck_assert_uint_eq(areas->len, 1);
	assert_area(0, 0, 8 * PAGE);
}
END_TEST

START_TEST(table_and_pba_are_subtracted_one_after_the_other)
{
	subtract(2 * PAGE, 1024);
	subtract(5 * PAGE + 8, 8);
	ck_assert_uint_eq(areas->len, 3);
	assert_area(0, 0, 2 * PAGE);
	assert_area(1, 3 * PAGE, 2 * PAGE);
	assert_area(2, 6 * PAGE, 2 * PAGE);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("regions");
	TCase *tcase = tcase_create("subtract");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_table_in_the_middle_leaves_two_areas);
	tcase_add_test(tcase, a_table_at_the_start_leaves_the_rest);
	tcase_add_test(tcase, a_table_across_a_page_boundary_takes_both_pages);
	tcase_add_test(tcase, a_trap_of_everything_leaves_nothing);
	tcase_add_test(tcase, a_trap_outside_changes_nothing);
	tcase_add_test(tcase, table_and_pba_are_subtracted_one_after_the_other);
	suite_add_tcase(suite, tcase);
	return suite;
}
