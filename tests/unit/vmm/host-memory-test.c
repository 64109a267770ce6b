/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The host's memory, as files of a made-up host tell of it, and what a process may lock of it. */

#include "tests/unit/suite.h"
#include "vmm/host-memory.h"

#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/resource.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

#define ALL_CAPABILITIES "Name:\thotbay\nCapEff:\t000001ffffffffff\n"
#define NO_IPC_LOCK	 "Name:\thotbay\nCapEff:\t000001ffffffbfff\n"

static char *root;

static void write_file(const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(root, name, NULL);
	g_autofree char *folder = g_path_get_dirname(path);

	ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
}

/* A host with 4 GiB, and a process that may lock all of it. */
static void set_up(void)
{
	root = g_dir_make_tmp("host-memory-XXXXXX", NULL);
	write_file("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable:    4194304 kB\n");
	write_file("proc/self/status", ALL_CAPABILITIES);
}

static void delete (const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		delete (inner);
	}
	ck_assert_int_eq(g_remove(path), 0);
}

static void tear_down(void)
{
	delete (root);
	g_free(root);
}

static gboolean check(guint64 size, HbHostMemoryUse use, GError **error)
{
	return hb_host_memory_check_limit(root, size, use, error) &&
	       hb_host_memory_check_room(root, size, error);
}

static gboolean fits(guint64 size)
{
	return check(size, HB_HOST_MEMORY_LOCKED_AND_PINNED, NULL);
}

static void assert_refused(guint64 size, HbHostMemoryUse use, const char *const *parts)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!check(size, use, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	for (; *parts; parts++)
		ck_assert_msg(strstr(error->message, *parts) != NULL, "%s", error->message);
}

static void limit_locking(rlim_t bytes)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	write_file("proc/self/status", NO_IPC_LOCK);
}

START_TEST(test_what_is_available_is_the_limit)
{
	static const char *const parts[] = { "-m:",	 "4097 MiB",  "/proc/meminfo",
					     "4096 MiB", "give less", NULL };

	ck_assert(fits(4 * GIB));
	assert_refused(4 * GIB + MIB, HB_HOST_MEMORY_LOCKED, parts);
}
END_TEST

START_TEST(test_a_control_group_with_a_limit_has_less)
{
	static const char *const parts[] = { "-m:", "/sys/fs/cgroup/vms/a/memory.max", "768 MiB",
					     "raise that limit", NULL };

	write_file("proc/self/cgroup", "0::/vms/a\n");
	write_file("sys/fs/cgroup/vms/a/memory.max", "1073741824\n");
	write_file("sys/fs/cgroup/vms/a/memory.current", "268435456\n");
	ck_assert(fits(768 * MIB));
	assert_refused(769 * MIB, HB_HOST_MEMORY_LOCKED, parts);
}
END_TEST

START_TEST(test_file_cache_of_a_control_group_is_given_up)
{
	write_file("proc/self/cgroup", "0::/vms\n");
	write_file("sys/fs/cgroup/vms/memory.max", "1073741824\n");
	write_file("sys/fs/cgroup/vms/memory.current", "1073741824\n");
	ck_assert(!fits(MIB));
	write_file("sys/fs/cgroup/vms/memory.stat",
		   "anon 1\ninactive_anon 2\ninactive_file 134217728\nactive_file 134217728\n");
	ck_assert(fits(256 * MIB));
	ck_assert(!fits(257 * MIB));
}
END_TEST

START_TEST(test_the_least_of_all_groups_around_counts)
{
	write_file("proc/self/cgroup", "1:name=systemd:/x\n0::/vms/a\n");
	write_file("sys/fs/cgroup/vms/a/memory.max", "max\n");
	write_file("sys/fs/cgroup/vms/a/memory.current", "0\n");
	write_file("sys/fs/cgroup/vms/memory.max", "536870912\n");
	write_file("sys/fs/cgroup/vms/memory.current", "0\n");
	ck_assert(fits(512 * MIB));
	ck_assert(!fits(513 * MIB));
}
END_TEST

START_TEST(test_a_container_that_sees_itself_as_the_root_has_limits)
{
	write_file("proc/self/cgroup", "0::/\n");
	write_file("sys/fs/cgroup/memory.max", "536870912\n");
	write_file("sys/fs/cgroup/memory.current", "536870913\n");
	ck_assert(!fits(MIB));
}
END_TEST

START_TEST(test_a_host_that_tells_nothing_is_believed_to_have_enough)
{
	write_file("proc/meminfo", "");
	ck_assert(fits(64 * GIB));
}
END_TEST

START_TEST(test_memory_for_drives_counts_twice_against_the_limit)
{
	static const char *const parts[] = { "-m:",	      "RLIMIT_MEMLOCK is 2048 KiB",
					     "4096 KiB",      "ulimit -l 4096",
					     "LimitMEMLOCK=", NULL };

	limit_locking(2 * MIB);
	ck_assert(fits(MIB));
	assert_refused(2 * MIB, HB_HOST_MEMORY_LOCKED_AND_PINNED, parts);
}
END_TEST

START_TEST(test_memory_that_is_only_locked_counts_once)
{
	static const char *const parts[] = { "ulimit -l 3072", NULL };

	limit_locking(2 * MIB);
	ck_assert(check(2 * MIB, HB_HOST_MEMORY_LOCKED, NULL));
	assert_refused(3 * MIB, HB_HOST_MEMORY_LOCKED, parts);
}
END_TEST

START_TEST(test_huge_pages_are_pinned_and_not_locked)
{
	static const char *const parts[] = { "-m:", "cannot be pinned for drives", "3072 KiB",
					     NULL };

	limit_locking(2 * MIB);
	ck_assert(check(2 * MIB, HB_HOST_MEMORY_PINNED, NULL));
	assert_refused(3 * MIB, HB_HOST_MEMORY_PINNED, parts);
}
END_TEST

START_TEST(test_who_may_lock_everything_has_no_limit)
{
	limit_locking(2 * MIB);
	write_file("proc/self/status", ALL_CAPABILITIES);
	ck_assert(fits(4 * GIB));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host-memory");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_what_is_available_is_the_limit);
	tcase_add_test(tests, test_a_control_group_with_a_limit_has_less);
	tcase_add_test(tests, test_file_cache_of_a_control_group_is_given_up);
	tcase_add_test(tests, test_the_least_of_all_groups_around_counts);
	tcase_add_test(tests, test_a_container_that_sees_itself_as_the_root_has_limits);
	tcase_add_test(tests, test_a_host_that_tells_nothing_is_believed_to_have_enough);
	tcase_add_test(tests, test_huge_pages_are_pinned_and_not_locked);
	tcase_add_test(tests, test_memory_for_drives_counts_twice_against_the_limit);
	tcase_add_test(tests, test_memory_that_is_only_locked_counts_once);
	tcase_add_test(tests, test_who_may_lock_everything_has_no_limit);
	suite_add_tcase(suite, tests);
	return suite;
}
