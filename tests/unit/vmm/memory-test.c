/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Guest memory: its ranges, and that it can be fetched ahead of use and locked. */

#include "tests/unit/suite.h"
#include "vmm/memory-file.h"
#include "vmm/memory.h"

#include <fcntl.h>
#include <hotbay/error.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static HbMemory *memory;
static char id[] = "m";
static char null[] = "/dev/null";
static char in_memory[] = "/dev/shm/hotbay-memory-test";
static char nowhere[] = "/proc/none/file";

static void create_from(guint64 size, const HbMemoryBackend *backend)
{
	g_autoptr(GError) error = NULL;

	memory = hb_memory_create(size, backend, &error);
	ck_assert_msg(memory != NULL, "%s", error ? error->message : "");
}

static void create(guint64 size)
{
	create_from(size, &(HbMemoryBackend){ 0 });
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

START_TEST(test_a_memfd_can_be_populated_too)
{
	const HbMemoryBackend backend = { .kind = HB_MEMORY_MEMFD, .id = id, .share = TRUE };

	create_from(70 * MIB, &backend);
	guint8 *base = hb_memory_at(memory, 0, 70 * MIB);

	base[33 * MIB] = 0x5a;
	hb_memory_populate(memory);
	ck_assert(hb_memory_wait_populated(memory, NULL));
	ck_assert(is_resident(base, 70 * MIB));
	ck_assert_uint_eq(base[33 * MIB], 0x5a);
}
END_TEST

static char *make_file(gsize size)
{
	char *path;
	int fd = g_file_open_tmp("memory-XXXXXX", &path, NULL);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
	return path;
}

/* Of a file with one byte set, whether the guest sees it, and whether the file sees the guest's. */
static void share_file(gboolean share, guint8 expected)
{
	g_autofree char *path = make_file(4 * MIB);
	const HbMemoryBackend backend = {
		.kind = HB_MEMORY_FILE, .id = id, .path = path, .share = share
	};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	guint8 byte = 7;

	ck_assert_int_eq(pwrite(fd, &byte, 1, 5000), 1);
	create_from(4 * MIB, &backend);
	guint8 *base = hb_memory_at(memory, 0, 4 * MIB);
	ck_assert_uint_eq(base[5000], 7);
	base[5000] = 8;
	ck_assert_int_eq(pread(fd, &byte, 1, 5000), 1);
	ck_assert_uint_eq(byte, expected);
	close(fd);
	unlink(path);
}

START_TEST(test_a_shared_file_sees_what_the_guest_writes)
{
	share_file(TRUE, 8);
}
END_TEST

START_TEST(test_a_private_file_keeps_what_it_had)
{
	share_file(FALSE, 7);
}
END_TEST

START_TEST(test_a_file_in_a_folder_leaves_nothing_there)
{
	g_autofree char *folder = g_dir_make_tmp("memory-XXXXXX", NULL);
	const HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .path = folder, .share = TRUE };

	create_from(4 * MIB, &backend);
	/* Only an empty folder goes. */
	ck_assert_int_eq(rmdir(folder), 0);
	((guint8 *)hb_memory_at(memory, 0, 4 * MIB))[MIB] = 1;
}
END_TEST

static void assert_refused(guint64 size, const HbMemoryBackend *backend, const char *start,
			   const char *part)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_memory_create(size, backend, &error));
	ck_assert_msg(g_str_has_prefix(error->message, start) && strstr(error->message, part), "%s",
		      error->message);
}

START_TEST(test_a_file_that_is_too_short_is_refused_and_kept)
{
	g_autofree char *path = make_file(MIB);
	const HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .id = id, .path = path };

	assert_refused(4 * MIB, &backend, "-object: m:", "has 1 MiB and guest memory needs 4 MiB");
	ck_assert_int_eq(access(path, F_OK), 0);
	unlink(path);
}
END_TEST

START_TEST(test_a_file_that_cannot_be_is_refused_by_its_flag)
{
	const HbMemoryBackend device = { .kind = HB_MEMORY_FILE, .path = null };
	const HbMemoryBackend missing = { .kind = HB_MEMORY_FILE, .path = nowhere };

	assert_refused(4 * MIB, &device, "-mem-path:", "no regular file");
	assert_refused(4 * MIB, &missing, "-mem-path:", "/proc/none/file");
}
END_TEST

/* Larger than any address space. */
START_TEST(test_a_file_that_was_made_in_vain_is_removed)
{
	g_autofree char *folder = g_dir_make_tmp("memory-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "new", NULL);
	const HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .path = path };

	assert_refused(512 * 1024 * GIB, &backend, "-mem-path:", "");
	ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* Of tmpfs, which /dev/shm is on any Linux, a private page is one beside the file's. */
START_TEST(test_a_private_file_in_memory_counts_twice)
{
	HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .path = in_memory };
	HbMemoryPlace place;

	hb_memory_file_look(&backend, 4 * MIB, &place);
	ck_assert(!place.hugetlb && !place.on_disk);
	ck_assert_uint_eq(place.needed, 8 * MIB);
	backend.share = TRUE;
	hb_memory_file_look(&backend, 4 * MIB, &place);
	ck_assert_uint_eq(place.needed, 4 * MIB);
}
END_TEST

/* It is asked for its room too, since its pages are the file's first. */
START_TEST(test_a_private_file_needs_its_room_in_memory)
{
	const HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .path = in_memory };
	struct statvfs system;

	ck_assert_int_eq(statvfs("/dev/shm", &system), 0);
	guint64 left = (guint64)system.f_bavail * system.f_frsize / MIB;
	assert_refused((left + 64) * MIB, &backend, "-mem-path:", "MiB left");
	ck_assert_int_ne(access(in_memory, F_OK), 0);
}
END_TEST

START_TEST(test_what_a_shared_file_has_already_does_not_count)
{
	HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .path = in_memory, .share = TRUE };
	g_autofree char *text = g_strnfill(MIB, 'x');
	HbMemoryPlace place;

	ck_assert(g_file_set_contents(in_memory, text, MIB, NULL));
	hb_memory_file_look(&backend, 4 * MIB, &place);
	unlink(in_memory);
	ck_assert_uint_eq(place.needed, 3 * MIB);
}
END_TEST

START_TEST(test_a_file_without_a_name_is_there_once)
{
	static char shm[] = "/dev/shm";
	const HbMemoryBackend backend = { .kind = HB_MEMORY_FILE, .path = shm };
	HbMemoryFile file;

	ck_assert(hb_memory_file_open(&backend, 4 * MIB, &file, NULL));
	ck_assert(file.shared);
	close(file.fd);
}
END_TEST

/* No host has huge pages of 512 GiB in its pool, and few have any of the others. */
START_TEST(test_huge_pages_that_the_host_has_not_are_named)
{
	HbMemoryBackend backend = { .kind = HB_MEMORY_MEMFD, .id = id, .hugetlb = TRUE };

	backend.huge_page = 512 * GIB;
	assert_refused(512 * GIB, &backend, "-object: m:", "/sys/kernel/mm/hugepages");
	backend.huge_page = 2 * MIB;
	assert_refused(1024 * GIB, &backend, "-object: m:", "nr_hugepages");
	assert_refused(3 * MIB, &backend, "-object: m:", "no multiple of its pages of 2 MiB");
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
	tcase_add_test(tests, test_a_memfd_can_be_populated_too);
	tcase_add_test(tests, test_a_shared_file_sees_what_the_guest_writes);
	tcase_add_test(tests, test_a_private_file_keeps_what_it_had);
	tcase_add_test(tests, test_a_file_in_a_folder_leaves_nothing_there);
	tcase_add_test(tests, test_a_file_that_is_too_short_is_refused_and_kept);
	tcase_add_test(tests, test_a_file_that_cannot_be_is_refused_by_its_flag);
	tcase_add_test(tests, test_a_file_that_was_made_in_vain_is_removed);
	tcase_add_test(tests, test_a_private_file_in_memory_counts_twice);
	tcase_add_test(tests, test_a_private_file_needs_its_room_in_memory);
	tcase_add_test(tests, test_what_a_shared_file_has_already_does_not_count);
	tcase_add_test(tests, test_a_file_without_a_name_is_there_once);
	tcase_add_test(tests, test_huge_pages_that_the_host_has_not_are_named);
	tcase_add_test(tests, test_a_low_limit_is_named_with_its_remedy);
	suite_add_tcase(suite, tests);
	return suite;
}
