/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Guest memory: its ranges, and that it can be fetched ahead of use and locked. */

#include "tests/unit/suite.h"
#include "vmm/memory.h"

#include <hotbay/error.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static HbMemory *memory;

static void create(guint64 size)
{
	memory = hb_memory_create(size, NULL);
	ck_assert_ptr_nonnull(memory);
}

static void tear_down(void)
{
	g_clear_pointer(&memory, hb_memory_destroy);
}

START_TEST(test_small_memory_is_one_range_from_zero)
{
	create(64 * MIB);
	guint n;
	const HbRam *ranges = hb_memory_get_ranges(memory, &n);

	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(ranges[0].gpa, 0);
	ck_assert_uint_eq(ranges[0].size, 64 * MIB);
	ck_assert_uint_eq((guintptr)ranges[0].hva % (2 * MIB), 0);
}
END_TEST

START_TEST(test_large_memory_continues_at_4_gib)
{
	create(3 * GIB);
	guint n;
	const HbRam *ranges = hb_memory_get_ranges(memory, &n);

	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(ranges[0].size, 2 * GIB);
	ck_assert_uint_eq(ranges[1].gpa, 4 * GIB);
	ck_assert_uint_eq(ranges[1].size, GIB);
	ck_assert_ptr_eq(ranges[1].hva, (guint8 *)ranges[0].hva + 2 * GIB);
}
END_TEST

START_TEST(test_addresses_are_found_within_one_range_only)
{
	create(3 * GIB);
	guint8 *base = hb_memory_at(memory, 0, 1);

	ck_assert_ptr_nonnull(base);
	ck_assert_ptr_eq(hb_memory_at(memory, 0x1000, 16), base + 0x1000);
	ck_assert_ptr_eq(hb_memory_at(memory, 4 * GIB + 5, 1), base + 2 * GIB + 5);
	ck_assert_ptr_nonnull(hb_memory_at(memory, 2 * GIB - 1, 1));
	ck_assert_ptr_null(hb_memory_at(memory, 2 * GIB - 1, 2));
	ck_assert_ptr_null(hb_memory_at(memory, 2 * GIB, 1));
	ck_assert_ptr_null(hb_memory_at(memory, 4 * GIB, GIB + 1));
	ck_assert_ptr_null(hb_memory_at(memory, G_MAXUINT64, 2));
	ck_assert_ptr_null(hb_memory_at(memory, 0, G_MAXUINT64));
}
END_TEST

static gboolean is_resident(const guint8 *base, gsize size)
{
	gsize page = (gsize)sysconf(_SC_PAGESIZE);
	g_autofree guint8 *pages = g_malloc0(size / page);

	ck_assert_int_eq(mincore((gpointer)base, size, pages), 0);
	for (gsize i = 0; i < size / page; i++) {
		if (!(pages[i] & 1))
			return FALSE;
	}
	return TRUE;
}

START_TEST(test_populated_memory_is_there_and_keeps_its_contents)
{
	create(70 * MIB);
	guint8 *base = hb_memory_at(memory, 0, 70 * MIB);

	base[33 * MIB] = 0x5a;
	ck_assert(!is_resident(base, 70 * MIB));
	hb_memory_populate(memory);
	ck_assert(hb_memory_wait_populated(memory, NULL));
	ck_assert(is_resident(base, 70 * MIB));
	ck_assert_uint_eq(base[33 * MIB], 0x5a);
}
END_TEST

START_TEST(test_memory_that_is_not_populated_needs_no_wait)
{
	create(64 * MIB);
	ck_assert(hb_memory_wait_populated(memory, NULL));
}
END_TEST

/* Root may lock whatever the limit says, so ask as somebody else, and come back. */
static gboolean lock_with_limit(const struct rlimit *limit, GError **error)
{
	gboolean is_root = geteuid() == 0;

	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, limit), 0);
	if (is_root)
		ck_assert_int_eq(seteuid(65534), 0);
	gboolean locked = hb_memory_lock(memory, error);
	if (is_root)
		ck_assert_int_eq(seteuid(0), 0);
	/* A changed user may not be looked at, which the leak checker wants to do. */
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0);
	return locked;
}

START_TEST(test_a_low_limit_is_named_with_its_remedy)
{
	const struct rlimit limit = { MIB, MIB };
	g_autoptr(GError) error = NULL;

	create(64 * MIB);
	ck_assert(!lock_with_limit(&limit, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(strstr(error->message, "raise RLIMIT_MEMLOCK"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("memory");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, test_small_memory_is_one_range_from_zero);
	tcase_add_test(tests, test_large_memory_continues_at_4_gib);
	tcase_add_test(tests, test_addresses_are_found_within_one_range_only);
	tcase_add_test(tests, test_populated_memory_is_there_and_keeps_its_contents);
	tcase_add_test(tests, test_memory_that_is_not_populated_needs_no_wait);
	tcase_add_test(tests, test_a_low_limit_is_named_with_its_remedy);
	suite_add_tcase(suite, tests);
	return suite;
}
