/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The folder of unpacked kernels: what is found there, what is not trusted, and what is kept. */

#include "tests/unit/suite.h"
#include "vmm/kernel-cache.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGEST "622b2da3bab4ab5425003015288f6f895a8b28e0c97477d22d560d470b2aed04"
#define ENTRY  DIGEST "-5dd29aab-2.elf" /* of "kernel" */
#define DRAFT  ".draft-0123456789abcdef"

static char *folder;
static HbKernelCache *cache;

static char *path_of(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void set_up(void)
{
	folder = g_dir_make_tmp("kernel-cache-XXXXXX", NULL);
	cache = hb_kernel_cache_open(folder, NULL);
	ck_assert_ptr_nonnull(cache);
}

static guint count_files(void)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir))
		n++;
	return n;
}

static void tear_down(void)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = path_of(name);

		g_remove(path);
	}
	g_dir_close(dir);
	hb_kernel_cache_close(cache);
	g_rmdir(folder);
	g_free(folder);
}

static void write_draft(HbKernelDraft *draft, const char *text)
{
	ck_assert_ptr_nonnull(draft);
	ck_assert_int_eq(write(hb_kernel_draft_get_fd(draft), text, strlen(text)),
			 (int)strlen(text));
}

static void store(const char *digest, const char *text)
{
	HbKernelDraft *draft = hb_kernel_cache_draft(cache, digest, NULL);

	write_draft(draft, text);
	g_thread_join(hb_kernel_draft_publish(draft));
}

/* One of many that are not DIGEST; g_free(). */
static char *digest_of(char digit)
{
	return g_strnfill(64, digit);
}

static gboolean is_found(const char *digest, guint64 size)
{
	int fd = hb_kernel_cache_find(cache, digest, size);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Seconds before now that an entry was last used. */
static void age(const char *name, gint64 seconds)
{
	g_autofree char *path = path_of(name);
	struct timespec times[2] = { { .tv_sec = time(NULL) - seconds },
				     { .tv_sec = time(NULL) - seconds } };

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* -- Entries. -- */

START_TEST(test_what_is_published_is_found)
{
	char text[8] = "";

	store(DIGEST, "kernel");
	int fd = hb_kernel_cache_find(cache, DIGEST, 6);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, text, sizeof(text)), 6);
	ck_assert_str_eq(text, "kernel");
	close(fd);
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(test_an_entry_is_for_its_owner_alone)
{
	g_autofree char *path = path_of(ENTRY);
	struct stat status;

	store(DIGEST, "kernel");
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode, S_IFREG | 0600);
}
END_TEST

START_TEST(test_an_empty_cache_finds_nothing)
{
	ck_assert(!is_found(DIGEST, 6));
}
END_TEST

START_TEST(test_a_draft_is_not_found)
{
	g_autoptr(HbKernelDraft) draft = hb_kernel_cache_draft(cache, DIGEST, NULL);

	write_draft(draft, "kernel");
	ck_assert(!is_found(DIGEST, 6));
}
END_TEST

START_TEST(test_a_draft_that_is_given_up_leaves_nothing)
{
	HbKernelDraft *draft = hb_kernel_cache_draft(cache, DIGEST, NULL);

	write_draft(draft, "ker");
	hb_kernel_draft_free(draft);
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(test_an_entry_of_another_size_is_not_used)
{
	store(DIGEST, "kernel");
	ck_assert(!is_found(DIGEST, 5));
	ck_assert(!is_found(DIGEST, 7));
}
END_TEST

START_TEST(test_an_entry_that_is_not_used_is_replaced)
{
	store(DIGEST, "kern");
	ck_assert(!is_found(DIGEST, 6));
	store(DIGEST, "kernel");
	ck_assert(is_found(DIGEST, 6));
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

START_TEST(test_an_entry_that_others_may_write_to_is_not_used)
{
	static const guint modes[] = { 0620, 0602, 0666 };
	g_autofree char *path = path_of(ENTRY);

	store(DIGEST, "kernel");
	ck_assert_int_eq(chmod(path, modes[_i]), 0);
	ck_assert(!is_found(DIGEST, 6));
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(test_an_entry_that_others_may_read_is_used)
{
	g_autofree char *path = path_of(ENTRY);

	store(DIGEST, "kernel");
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert(is_found(DIGEST, 6));
}
END_TEST

START_TEST(test_a_damaged_entry_is_discarded)
{
	g_autofree char *path = path_of(ENTRY);
	int fd;

	store(DIGEST, "kernel");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "K", 1, _i), 1);
	close(fd);
	ck_assert(!is_found(DIGEST, 6));
	ck_assert_uint_eq(count_files(), 0);
}
END_TEST

START_TEST(test_an_entry_can_be_discarded)
{
	g_autofree char *other = digest_of('a');

	store(DIGEST, "kernel");
	store(other, "kernel");
	hb_kernel_cache_discard(cache, DIGEST);
	ck_assert(!is_found(DIGEST, 6));
	ck_assert(is_found(other, 6));
}
END_TEST

START_TEST(test_a_draft_that_was_opened_stays_the_same_file)
{
	HbKernelDraft *draft = hb_kernel_cache_draft(cache, DIGEST, NULL);
	int fd = hb_kernel_draft_open(draft, NULL);
	struct stat opened, entry;
	g_autofree char *path = path_of(ENTRY);

	write_draft(draft, "kernel");
	g_thread_join(hb_kernel_draft_publish(draft));
	ck_assert_int_eq(fstat(fd, &opened), 0);
	ck_assert_int_eq(stat(path, &entry), 0);
	ck_assert_uint_eq(opened.st_ino, entry.st_ino);
	ck_assert_int_lt(write(fd, "x", 1), 0);
	close(fd);
}
END_TEST

START_TEST(test_an_entry_of_somebody_else_is_not_used)
{
	g_autofree char *path = path_of(ENTRY);

	store(DIGEST, "kernel");
	ck_assert_int_eq(chown(path, 1234, (gid_t)-1), 0);
	ck_assert(!is_found(DIGEST, 6));
}
END_TEST

START_TEST(test_a_link_is_no_entry)
{
	g_autofree char *path = path_of(ENTRY);
	g_autofree char *other = path_of("other");

	ck_assert(g_file_set_contents(other, "kernel", -1, NULL));
	ck_assert_int_eq(chmod(other, 0600), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert(!is_found(DIGEST, 6));
}
END_TEST

START_TEST(test_a_pipe_is_no_entry)
{
	g_autofree char *path = path_of(ENTRY);

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert(!is_found(DIGEST, 0));
}
END_TEST

START_TEST(test_a_draft_that_cannot_have_its_name_leaves_nothing)
{
	g_autofree char *path = path_of(ENTRY);
	char text[8] = "";

	ck_assert_int_eq(g_mkdir(path, 0700), 0);
	HbKernelDraft *draft = hb_kernel_cache_draft(cache, DIGEST, NULL);
	write_draft(draft, "kernel");
	int fd = dup(hb_kernel_draft_get_fd(draft));
	g_thread_join(hb_kernel_draft_publish(draft));
	ck_assert_uint_eq(count_files(), 1);
	ck_assert(!is_found(DIGEST, 6));
	ck_assert_int_eq(pread(fd, text, sizeof(text), 0), 6);
	close(fd);
}
END_TEST

/* -- The folder. -- */

START_TEST(test_a_folder_that_is_not_there_is_made)
{
	g_autofree char *inner = path_of("inner");
	g_autoptr(HbKernelCache) made = hb_kernel_cache_open(inner, NULL);
	struct stat status;

	ck_assert_ptr_nonnull(made);
	ck_assert_int_eq(stat(inner, &status), 0);
	ck_assert_uint_eq(status.st_mode, S_IFDIR | 0700);
}
END_TEST

START_TEST(test_a_folder_that_others_may_write_to_is_refused)
{
	static const guint modes[] = { 0720, 0702, 01777 };
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(chmod(folder, modes[_i]), 0);
	ck_assert_ptr_null(hb_kernel_cache_open(folder, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(strstr(error->message, folder));
}
END_TEST

START_TEST(test_a_folder_of_somebody_else_is_refused)
{
	ck_assert_int_eq(chown(folder, 1234, (gid_t)-1), 0);
	ck_assert_ptr_null(hb_kernel_cache_open(folder, NULL));
}
END_TEST

START_TEST(test_a_link_to_a_folder_is_refused)
{
	g_autofree char *link = path_of("link");

	ck_assert_int_eq(symlink(folder, link), 0);
	ck_assert_ptr_null(hb_kernel_cache_open(link, NULL));
}
END_TEST

START_TEST(test_a_folder_that_cannot_be_is_an_error)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kernel_cache_open("/proc/nothing/here", &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
}
END_TEST

START_TEST(test_a_folder_that_is_gone_takes_no_draft)
{
	g_autofree char *inner = path_of("inner");
	g_autoptr(HbKernelCache) made = hb_kernel_cache_open(inner, NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(g_rmdir(inner), 0);
	ck_assert_ptr_null(hb_kernel_cache_draft(made, DIGEST, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert(!is_found(DIGEST, 6));
}
END_TEST

/* -- What is kept. -- */

START_TEST(test_the_last_used_entries_are_kept)
{
	for (char digit = 'a'; digit < 'a' + HB_KERNEL_CACHE_ENTRIES; digit++) {
		g_autofree char *digest = digest_of(digit);
		g_autofree char *name = g_strconcat(digest, "-5dd29aab-2.elf", NULL);

		store(digest, "kernel");
		age(name, 100 - 10 * (digit - 'a'));
	}
	g_autofree char *first = digest_of('a'), *second = digest_of('b'), *last = digest_of('e');
	ck_assert(is_found(first, 6)); /* and so the second was used longest ago */
	store(last, "kernel");
	ck_assert(is_found(first, 6));
	ck_assert(!is_found(second, 6));
	ck_assert(is_found(last, 6));
	ck_assert_uint_eq(count_files(), HB_KERNEL_CACHE_ENTRIES);
}
END_TEST

START_TEST(test_an_entry_that_is_discarded_stays_with_who_has_it)
{
	char text[8] = "";

	store(DIGEST, "kernel");
	int fd = hb_kernel_cache_find(cache, DIGEST, 6);
	age(ENTRY, 100);
	for (char digit = 'a'; digit < 'a' + HB_KERNEL_CACHE_ENTRIES; digit++) {
		g_autofree char *digest = digest_of(digit);

		store(digest, "another");
	}
	ck_assert(!is_found(DIGEST, 6));
	ck_assert_int_eq(pread(fd, text, sizeof(text), 0), 6);
	ck_assert_str_eq(text, "kernel");
	close(fd);
}
END_TEST

START_TEST(test_a_draft_of_the_dead_is_removed_when_another_is_published)
{
	g_autofree char *dead = path_of(DRAFT);

	ck_assert(g_file_set_contents(dead, "x", -1, NULL));
	store(DIGEST, "kernel");
	ck_assert(!g_file_test(dead, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(test_opening_removes_the_drafts_of_the_dead_only)
{
	g_autoptr(HbKernelDraft) living G_GNUC_UNUSED = hb_kernel_cache_draft(cache, DIGEST, NULL);
	g_autofree char *dead = path_of(DRAFT);

	ck_assert(g_file_set_contents(dead, "x", -1, NULL));
	ck_assert_uint_eq(count_files(), 2);
	g_autoptr(HbKernelCache) again G_GNUC_UNUSED = hb_kernel_cache_open(folder, NULL);
	ck_assert(!g_file_test(dead, G_FILE_TEST_EXISTS));
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

/* Almost an entry's name, or a draft's. */
static const char *const others[] = {
	"kernel",
	"mine-1.elf",
	"mine-2.elf",
	"-2.elf",
	DIGEST "-2.elf",
	DIGEST "0-5dd29aab-2.elf",
	DIGEST "-dc4d13b-2.elf",
	DIGEST "-5dd29aab-2.elf.old",
	DIGEST "-5dd29aab-1.elf",
	".draft-",
	".draft-letter",
	".draft-0123456789abcde",
	".draft-0123456789abcdef0",
};

START_TEST(test_other_files_are_left_alone)
{
	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *path = path_of(others[i]);

		ck_assert(g_file_set_contents(path, "x", -1, NULL));
		age(others[i], 7200);
	}
	for (char digit = 'a'; digit <= 'a' + HB_KERNEL_CACHE_ENTRIES; digit++) {
		g_autofree char *digest = digest_of(digit);

		store(digest, "kernel");
	}
	ck_assert(!is_found(DIGEST, 1));
	hb_kernel_cache_discard(cache, DIGEST);
	ck_assert_uint_eq(count_files(), G_N_ELEMENTS(others) + HB_KERNEL_CACHE_ENTRIES);
}
END_TEST

static gpointer store_often(gpointer data)
{
	for (guint i = 0; i < 50; i++) {
		store(DIGEST, "kernel");
		ck_assert(is_found(DIGEST, 6));
	}
	return NULL;
}

START_TEST(test_many_may_store_and_find_the_same_at_once)
{
	GThread *threads[4];

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("store", store_often, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	ck_assert_uint_eq(count_files(), 1);
}
END_TEST

static void add_entry_tests(Suite *suite)
{
	TCase *tests = tcase_create("entries");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_what_is_published_is_found);
	tcase_add_test(tests, test_an_entry_is_for_its_owner_alone);
	tcase_add_test(tests, test_an_empty_cache_finds_nothing);
	tcase_add_test(tests, test_a_draft_is_not_found);
	tcase_add_test(tests, test_a_draft_that_is_given_up_leaves_nothing);
	tcase_add_test(tests, test_an_entry_of_another_size_is_not_used);
	tcase_add_test(tests, test_an_entry_that_is_not_used_is_replaced);
	tcase_add_loop_test(tests, test_an_entry_that_others_may_write_to_is_not_used, 0, 3);
	tcase_add_test(tests, test_an_entry_that_others_may_read_is_used);
	tcase_add_loop_test(tests, test_a_damaged_entry_is_discarded, 0, 6);
	tcase_add_test(tests, test_an_entry_can_be_discarded);
	tcase_add_test(tests, test_a_draft_that_was_opened_stays_the_same_file);
	if (geteuid() == 0)
		tcase_add_test(tests, test_an_entry_of_somebody_else_is_not_used);
	tcase_add_test(tests, test_a_link_is_no_entry);
	tcase_add_test(tests, test_a_pipe_is_no_entry);
	tcase_add_test(tests, test_a_draft_that_cannot_have_its_name_leaves_nothing);
	suite_add_tcase(suite, tests);
}

static void add_folder_tests(Suite *suite)
{
	TCase *tests = tcase_create("folder");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_folder_that_is_not_there_is_made);
	tcase_add_loop_test(tests, test_a_folder_that_others_may_write_to_is_refused, 0, 3);
	if (geteuid() == 0)
		tcase_add_test(tests, test_a_folder_of_somebody_else_is_refused);
	tcase_add_test(tests, test_a_link_to_a_folder_is_refused);
	tcase_add_test(tests, test_a_folder_that_cannot_be_is_an_error);
	tcase_add_test(tests, test_a_folder_that_is_gone_takes_no_draft);
	suite_add_tcase(suite, tests);
}

static void add_bound_tests(Suite *suite)
{
	TCase *tests = tcase_create("bound");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_the_last_used_entries_are_kept);
	tcase_add_test(tests, test_an_entry_that_is_discarded_stays_with_who_has_it);
	tcase_add_test(tests, test_a_draft_of_the_dead_is_removed_when_another_is_published);
	tcase_add_test(tests, test_opening_removes_the_drafts_of_the_dead_only);
	tcase_add_test(tests, test_other_files_are_left_alone);
	tcase_add_test(tests, test_many_may_store_and_find_the_same_at_once);
	suite_add_tcase(suite, tests);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("kernel-cache");

	add_entry_tests(suite);
	add_folder_tests(suite);
	add_bound_tests(suite);
	return suite;
}
