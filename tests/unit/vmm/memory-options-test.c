/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Where guest memory comes from, by the flags; what is refused by name is in the options' test. */

#include "tests/unit/suite.h"
#include "vmm/memory-options.h"

#define MIB (1ULL << 20)

static HbMemoryOptions options;

static void set_up(void)
{
	options = (HbMemoryOptions){ 0 };
	hb_memory_options_init(&options);
}

static void tear_down(void)
{
	hb_memory_options_finish(&options);
}

static void add(const char *text)
{
	g_autoptr(HbProperties) object = hb_properties_parse(text, "qom-type", NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_msg(hb_memory_options_add(&options, object, &error), "%s",
		      error ? error->message : "");
}

static const HbMemoryBackend *settle(guint64 *size, gboolean given)
{
	g_autoptr(GError) error = NULL;

	ck_assert_msg(hb_memory_options_settle(&options, size, given, &error), "%s",
		      error ? error->message : "");
	return options.backend;
}

START_TEST(test_without_a_flag_it_is_anonymous_and_private)
{
	guint64 size = 64 * MIB;
	const HbMemoryBackend *backend = settle(&size, FALSE);

	ck_assert_int_eq(backend->kind, HB_MEMORY_ANONYMOUS);
	ck_assert(!backend->share && !backend->prealloc && !backend->in_dumps);
	ck_assert_uint_eq(size, 64 * MIB);
}
END_TEST

START_TEST(test_a_memfd_is_shared_unless_it_says_otherwise)
{
	guint64 size = 128 * MIB;

	options.chosen = g_strdup("m");
	add("memory-backend-memfd,id=m,size=1G,hugetlb=on,hugetlbsize=2M,prealloc=on,dump=on");
	const HbMemoryBackend *backend = settle(&size, FALSE);

	ck_assert_int_eq(backend->kind, HB_MEMORY_MEMFD);
	ck_assert(backend->share && backend->hugetlb && backend->prealloc && backend->in_dumps);
	ck_assert_uint_eq(backend->huge_page, 2 * MIB);
	/* Without -m, the machine is as large as its memory. */
	ck_assert_uint_eq(size, 1024 * MIB);
}
END_TEST

START_TEST(test_a_file_has_a_path_and_is_private)
{
	guint64 size = 64 * MIB;

	options.chosen = g_strdup("m");
	add("memory-backend-file,id=m,size=64M,mem-path=/dev/hugepages,merge=off");
	const HbMemoryBackend *backend = settle(&size, TRUE);

	ck_assert_int_eq(backend->kind, HB_MEMORY_FILE);
	ck_assert_str_eq(backend->path, "/dev/hugepages");
	ck_assert(!backend->share);
}
END_TEST

START_TEST(test_the_older_flags_say_the_same)
{
	guint64 size = 64 * MIB;

	options.path = g_strdup("/dev/hugepages");
	options.prealloc = TRUE;
	const HbMemoryBackend *backend = settle(&size, TRUE);

	ck_assert_int_eq(backend->kind, HB_MEMORY_FILE);
	ck_assert_str_eq(backend->path, "/dev/hugepages");
	ck_assert(backend->prealloc);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("memory-options");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_without_a_flag_it_is_anonymous_and_private);
	tcase_add_test(tests, test_a_memfd_is_shared_unless_it_says_otherwise);
	tcase_add_test(tests, test_a_file_has_a_path_and_is_private);
	tcase_add_test(tests, test_the_older_flags_say_the_same);
	suite_add_tcase(suite, tests);
	return suite;
}
