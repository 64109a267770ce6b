/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Where a kernel is put: within what is free, and anywhere in there. */

#include "tests/unit/suite.h"
#include "vmm/kernel-spot.h"

#define MIB (1ULL << 20)

static const HbKernelNeed need = {
	.start = 16 * MIB,
	.size = 58 * MIB + 4096,
	.alignment = 2 * MIB,
	.limit = 1000 * MIB,
};

START_TEST(test_without_random_numbers_it_is_where_it_is_linked_for)
{
	HbKernelSpot spot;

	ck_assert(hb_kernel_spot_choose(&need, "", NULL, &spot));
	ck_assert_uint_eq(spot.address, 16 * MIB);
	ck_assert_uint_eq(spot.delta, 0);
	ck_assert(!spot.random);
}
END_TEST

START_TEST(test_every_number_gives_a_spot_that_fits)
{
	for (guint64 i = 0; i < 2000; i++) {
		const guint64 random[] = { i, i * 7 };
		HbKernelSpot spot;

		ck_assert(hb_kernel_spot_choose(&need, "", random, &spot));
		ck_assert(spot.random);
		ck_assert_uint_eq(spot.address % (2 * MIB), 0);
		ck_assert_uint_ge(spot.address, need.start);
		ck_assert_uint_le(spot.address + 60 * MIB, need.limit);
		ck_assert_uint_eq(spot.delta % (2 * MIB), 0);
		ck_assert_uint_le(need.start + spot.delta + 60 * MIB, 1024 * MIB);
	}
}
END_TEST

START_TEST(test_the_last_spots_are_taken_too)
{
	const guint64 random[] = { 474, 462 }; /* (1024 - 16 - 60) / 2, (1000 - 16 - 60) / 2 */
	HbKernelSpot spot;

	ck_assert(hb_kernel_spot_choose(&need, "", random, &spot));
	ck_assert_uint_eq(spot.delta, 948 * MIB);
	ck_assert_uint_eq(spot.address, 940 * MIB);
}
END_TEST

START_TEST(test_the_two_addresses_do_not_tell_of_each_other)
{
	const guint64 random[] = { 3, 5 };
	HbKernelSpot spot;

	ck_assert(hb_kernel_spot_choose(&need, "", random, &spot));
	ck_assert_uint_eq(spot.delta, 6 * MIB);
	ck_assert_uint_eq(spot.address, 26 * MIB);
}
END_TEST

START_TEST(test_a_kernels_own_alignment_is_kept)
{
	HbKernelNeed coarse = need;
	const guint64 random[] = { 1, 1 };
	HbKernelSpot spot;

	coarse.alignment = 16 * MIB;
	ck_assert(hb_kernel_spot_choose(&coarse, "", random, &spot));
	ck_assert_uint_eq(spot.delta, 16 * MIB);
	ck_assert_uint_eq(spot.address, 32 * MIB);
}
END_TEST

START_TEST(test_a_kernel_that_is_not_aligned_stays)
{
	HbKernelNeed odd = need;
	const guint64 random[] = { 1, 1 };
	HbKernelSpot spot;

	odd.start += MIB;
	ck_assert(hb_kernel_spot_choose(&odd, "", random, &spot));
	ck_assert_uint_eq(spot.address, 17 * MIB);
	ck_assert(!spot.random);
}
END_TEST

START_TEST(test_a_small_guest_has_one_physical_spot)
{
	HbKernelNeed tight = need;
	const guint64 random[] = { 9, 9 };
	HbKernelSpot spot;

	tight.limit = tight.start + tight.size;
	ck_assert(hb_kernel_spot_choose(&tight, "", random, &spot));
	ck_assert_uint_eq(spot.address, 16 * MIB);
	ck_assert_uint_eq(spot.delta, 18 * MIB);
	tight.limit--;
	ck_assert(!hb_kernel_spot_choose(&tight, "", random, &spot));
}
END_TEST

static const char *const limiting[] = { "mem=512M", "quiet memmap=64M$512M", "hugepages=4 x" };

START_TEST(test_a_guest_told_to_use_less_memory_has_its_kernel_where_it_is_linked_for)
{
	const guint64 random[] = { 3, 5 };
	HbKernelSpot spot;

	ck_assert(hb_kernel_spot_choose(&need, limiting[_i], random, &spot));
	ck_assert_uint_eq(spot.address, 16 * MIB);
	ck_assert_uint_eq(spot.delta, 6 * MIB);
}
END_TEST

START_TEST(test_nokaslr_is_a_word_of_its_own)
{
	ck_assert(!hb_kernel_spot_wants_random("nokaslr"));
	ck_assert(!hb_kernel_spot_wants_random("quiet nokaslr panic=-1"));
	ck_assert(hb_kernel_spot_wants_random(""));
	ck_assert(hb_kernel_spot_wants_random("quiet nokaslrs xnokaslr nokaslr=0"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("kernel-spot");
	TCase *tests = tcase_create("spot");

	tcase_add_test(tests, test_without_random_numbers_it_is_where_it_is_linked_for);
	tcase_add_test(tests, test_every_number_gives_a_spot_that_fits);
	tcase_add_test(tests, test_the_last_spots_are_taken_too);
	tcase_add_test(tests, test_the_two_addresses_do_not_tell_of_each_other);
	tcase_add_test(tests, test_a_kernels_own_alignment_is_kept);
	tcase_add_test(tests, test_a_kernel_that_is_not_aligned_stays);
	tcase_add_test(tests, test_a_small_guest_has_one_physical_spot);
	tcase_add_loop_test(
		tests, test_a_guest_told_to_use_less_memory_has_its_kernel_where_it_is_linked_for,
		0, G_N_ELEMENTS(limiting));
	tcase_add_test(tests, test_nokaslr_is_a_word_of_its_own);
	suite_add_tcase(suite, tests);
	return suite;
}
