/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* How large BARs are, and whether they fit. */

#include "hw/bar-size.h"
#include "tests/unit/hw/fake-function.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>
#include <string.h>

#define KIB 0x400
#define MIB G_GUINT64_CONSTANT(0x100000)
#define GIB G_GUINT64_CONSTANT(0x40000000)

#define BAR_32	    0x0
#define BAR_64	    0x4
#define BAR_64_PREF 0xc

static FakeFunction *drive;

static void setup(void)
{
	drive = fake_function_create(0x10);
}

static void teardown(void)
{
	fake_function_destroy(drive);
}

START_TEST(each_bar_is_found_with_its_size_and_kind)
{
	HbBarSize bars[HB_MAX_BARS];

	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(drive, 2, 8 * GIB, BAR_64_PREF);
	fake_function_add_bar(drive, 5, 4 * KIB, BAR_32);

	ck_assert_uint_eq(hb_bar_size_measure(&drive->function, bars), 3);
	ck_assert_uint_eq(bars[0].index, 0);
	ck_assert_uint_eq(bars[0].size, 16 * KIB);
	ck_assert(bars[0].is_64bit && !bars[0].prefetchable);
	ck_assert_uint_eq(bars[1].index, 2);
	ck_assert_uint_eq(bars[1].size, 8 * GIB);
	ck_assert(bars[1].is_64bit && bars[1].prefetchable);
	ck_assert_uint_eq(bars[2].index, 5);
	ck_assert_uint_eq(bars[2].size, 4 * KIB);
	ck_assert(!bars[2].is_64bit);
}
END_TEST

START_TEST(registers_are_as_before)
{
	HbBarSize bars[HB_MAX_BARS];

	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	hb_config_space_write(&drive->config, PCI_BASE_ADDRESS_0, 4, 0xc0004000);
	hb_config_space_write(&drive->config, PCI_BASE_ADDRESS_1, 4, 8);
	hb_bar_size_measure(&drive->function, bars);

	ck_assert_uint_eq(fake_function_get_bar(drive, 0), 0x8c0004000);
}
END_TEST

START_TEST(io_bars_and_half_bars_do_not_count)
{
	HbBarSize bars[HB_MAX_BARS];

	hb_config_space_set_u32(&drive->config, PCI_BASE_ADDRESS_0, 1);
	hb_config_space_set_writable(&drive->config, PCI_BASE_ADDRESS_0, 4, 0xffffffe0);
	hb_config_space_set_u32(&drive->config, PCI_BASE_ADDRESS_5, BAR_64);
	hb_config_space_set_writable(&drive->config, PCI_BASE_ADDRESS_5, 4, 0xffff0000);

	ck_assert_uint_eq(hb_bar_size_measure(&drive->function, bars), 0);
}
END_TEST

static gboolean check_fit(guint64 mem32, guint64 mem64, GError **error)
{
	const guint64 window[HB_N_WINDOW_KINDS] = { mem32, mem64 };

	return hb_bar_size_check_fit(&drive->function, window, error);
}

START_TEST(bars_that_fill_their_windows_fit)
{
	fake_function_add_bar(drive, 0, 1 * MIB, BAR_64);
	fake_function_add_bar(drive, 2, 1 * MIB, BAR_32);
	fake_function_add_bar(drive, 4, 4 * GIB, BAR_64_PREF);

	ck_assert(check_fit(2 * MIB, 4 * GIB, NULL));
}
END_TEST

START_TEST(a_large_bar_is_refused_with_its_remedy)
{
	g_autoptr(GError) error = NULL;

	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(drive, 2, 256 * MIB, BAR_64_PREF);

	ck_assert(!check_fit(2 * MIB, 64 * MIB, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(strstr(error->message, "BAR 2 of 0x10000000 bytes"));
	ck_assert_ptr_nonnull(strstr(error->message, "prefetchable window of 0x4000000"));
	ck_assert_ptr_nonnull(strstr(error->message, "pref64-reserve=256M"));
}
END_TEST

START_TEST(bars_that_only_together_are_too_large_are_refused)
{
	g_autoptr(GError) error = NULL;

	fake_function_add_bar(drive, 0, 2 * MIB, BAR_64);
	fake_function_add_bar(drive, 2, 4 * KIB, BAR_32);

	ck_assert(!check_fit(2 * MIB, 64 * MIB, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "BAR 0"));
	ck_assert_ptr_nonnull(strstr(error->message, "mem-reserve=3M"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bar-size");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_bar_is_found_with_its_size_and_kind);
	tcase_add_test(tests, registers_are_as_before);
	tcase_add_test(tests, io_bars_and_half_bars_do_not_count);
	tcase_add_test(tests, bars_that_fill_their_windows_fit);
	tcase_add_test(tests, a_large_bar_is_refused_with_its_remedy);
	tcase_add_test(tests, bars_that_only_together_are_too_large_are_refused);
	suite_add_tcase(suite, tests);
	return suite;
}
