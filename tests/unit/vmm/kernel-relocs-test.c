/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The relocation table of a kernel: both of its forms, and what is none. */

#include "tests/unit/suite.h"
#include "vmm/kernel-relocs.h"

#include <hotbay/error.h>
#include <string.h>

#define LINK  0xffffffff81000000ULL
#define SIZE  0x1000
#define DELTA 0x6000000

static guint8 image[SIZE];

static guint32 get32(guint offset)
{
	guint32 value;

	memcpy(&value, image + offset, sizeof(value));
	return value;
}

static guint64 get64(guint offset)
{
	guint64 value;

	memcpy(&value, image + offset, sizeof(value));
	return value;
}

static void set_up(void)
{
	memset(image, 0x11, sizeof(image));
}

#define PARSE(words, relocs) hb_kernel_relocs_parse(words, G_N_ELEMENTS(words), relocs)

START_TEST(test_a_table_of_three_lists_is_that_of_older_kernels)
{
	static const guint32 words[] = { 0, 0x81000800, 0, 0x81000400, 0x81000404, 0, 0x81000010 };
	HbKernelRelocs relocs;

	ck_assert(PARSE(words, &relocs));
	ck_assert_uint_eq(relocs.words64.n, 1);
	ck_assert_uint_eq(relocs.inverse32.n, 2);
	ck_assert_uint_eq(relocs.words32.n, 1);
	ck_assert_uint_eq(relocs.words32.words[0], 0x81000010);
}
END_TEST

START_TEST(test_a_table_of_two_lists_has_no_inverse_ones)
{
	static const guint32 words[] = { 0, 0x81000800, 0x81000808, 0, 0x81000010 };
	HbKernelRelocs relocs;

	ck_assert(PARSE(words, &relocs));
	ck_assert_uint_eq(relocs.words64.n, 2);
	ck_assert_uint_eq(relocs.inverse32.n, 0);
	ck_assert_uint_eq(relocs.words32.n, 1);
}
END_TEST

START_TEST(test_the_inverse_list_may_be_empty)
{
	static const guint32 words[] = { 0, 0x81000800, 0, 0, 0x81000010 };
	HbKernelRelocs relocs;

	ck_assert(PARSE(words, &relocs));
	ck_assert_uint_eq(relocs.inverse32.n, 0);
}
END_TEST

START_TEST(test_padding_is_no_table)
{
	static const guint32 zeros[] = { 0, 0, 0 };
	static const guint32 no64[] = { 0, 0, 0x81000400, 0, 0x81000010 };
	static const guint32 no32[] = { 0, 0x81000800, 0, 0x81000400, 0 };
	HbKernelRelocs relocs;

	ck_assert(!hb_kernel_relocs_parse(zeros, 1, &relocs));
	ck_assert(!hb_kernel_relocs_parse(zeros, 2, &relocs));
	ck_assert(!PARSE(zeros, &relocs));
	ck_assert(!PARSE(no64, &relocs));
	ck_assert(!PARSE(no32, &relocs));
}
END_TEST

START_TEST(test_what_is_no_table_is_not_taken_for_one)
{
	static const guint32 nothing_first[] = { 0x81000010, 0, 0x81000010, 0 };
	static const guint32 one[] = { 0, 0x81000010 };
	static const guint32 four[] = { 0, 0, 0, 0 };
	HbKernelRelocs relocs;

	ck_assert(!PARSE(nothing_first, &relocs));
	ck_assert(!PARSE(one, &relocs));
	ck_assert(!PARSE(four, &relocs));
	ck_assert(!hb_kernel_relocs_parse(one, 0, &relocs));
}
END_TEST

START_TEST(test_places_move_with_the_kernel)
{
	static const guint32 words[] = { 0, 0x81000801, 0, 0x81000402, 0, 0x81000011 };
	HbKernelRelocs relocs;

	ck_assert(PARSE(words, &relocs));
	ck_assert(hb_kernel_relocs_apply(&relocs, image, SIZE, LINK, DELTA, NULL));
	ck_assert_uint_eq(get64(0x801), 0x1111111111111111 + DELTA);
	ck_assert_uint_eq(get32(0x402), 0x11111111 - DELTA);
	ck_assert_uint_eq(get32(0x11), 0x11111111 + DELTA);
}
END_TEST

START_TEST(test_nothing_but_the_places_changes)
{
	static const guint32 words[] = { 0, 0x81000800, 0, 0x81000400, 0, 0x81000010 };
	HbKernelRelocs relocs;

	ck_assert(PARSE(words, &relocs));
	ck_assert(hb_kernel_relocs_apply(&relocs, image, SIZE, LINK, DELTA, NULL));
	memset(image + 0x800, 0x11, 8);
	memset(image + 0x400, 0x11, 4);
	memset(image + 0x10, 0x11, 4);
	for (guint i = 0; i < SIZE; i++)
		ck_assert_uint_eq(image[i], 0x11);
}
END_TEST

/* Each with a place of which not all bytes are within the image, or none. */
static const guint32 outside[][6] = {
	{ 0, 0x81000800, 0, 0x81000010, 0x81000014, 0x81000ffd },
	{ 0, 0x81000800, 0, 0x81000010, 1, 0x80ffffff },
	{ 0, 0x81000800, 0, 0x81000ffd, 0, 0x81000010 },
	{ 0, 0x81000ff9, 0, 0, 0x81000010, 0x81000014 },
	{ 0, 0x81000800, 0, 0x81000010, 1, 0xffffffff },
};

START_TEST(test_a_place_outside_the_image_is_an_error)
{
	HbKernelRelocs relocs;
	g_autoptr(GError) error = NULL;

	ck_assert(PARSE(outside[_i], &relocs));
	ck_assert(!hb_kernel_relocs_check(&relocs, SIZE, LINK, NULL));
	ck_assert(!hb_kernel_relocs_apply(&relocs, image, SIZE, LINK, DELTA, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	for (guint i = 0; i < SIZE; i++)
		ck_assert_uint_eq(image[i], 0x11);
}
END_TEST

START_TEST(test_the_last_bytes_are_within_the_image)
{
	static const guint32 words[] = { 0, 0x81000ff0, 0, 0x81000ff8, 0, 0x81000ffc };
	HbKernelRelocs relocs;

	ck_assert(PARSE(words, &relocs));
	ck_assert(hb_kernel_relocs_apply(&relocs, image, SIZE, LINK, DELTA, NULL));
	ck_assert(!hb_kernel_relocs_apply(&relocs, image, 3, LINK, DELTA, NULL));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("kernel-relocs");
	TCase *tests = tcase_create("table");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, test_a_table_of_three_lists_is_that_of_older_kernels);
	tcase_add_test(tests, test_a_table_of_two_lists_has_no_inverse_ones);
	tcase_add_test(tests, test_the_inverse_list_may_be_empty);
	tcase_add_test(tests, test_padding_is_no_table);
	tcase_add_test(tests, test_what_is_no_table_is_not_taken_for_one);
	tcase_add_test(tests, test_places_move_with_the_kernel);
	tcase_add_test(tests, test_nothing_but_the_places_changes);
	tcase_add_loop_test(tests, test_a_place_outside_the_image_is_an_error, 0,
			    G_N_ELEMENTS(outside));
	tcase_add_test(tests, test_the_last_bytes_are_within_the_image);
	suite_add_tcase(suite, tests);
	return suite;
}
