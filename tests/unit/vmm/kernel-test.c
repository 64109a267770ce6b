/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The guest's kernel from file to memory: unpacked here, or by the guest if anything is in the way.
 */

#include "tests/unit/suite.h"
#include "tests/unit/vmm/fake-kernel.h"
#include "vmm/kernel.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB    (1ULL << 20)
#define MEMORY (64 * MIB)
#define LIMIT  (60 * MIB)
#define PACKED (16 * MIB + 0x200) /* the entry of a bzImage that unpacks itself */
#define KASLR  2

static char *folder;
static char *path;
static char *cache;
static HbMemory *memory;
static HbKernel *kernel;
static HbKernelStart start;

static void set_up(void)
{
	folder = g_dir_make_tmp("kernel-XXXXXX", NULL);
	path = g_build_filename(folder, "kernel", NULL);
	cache = g_build_filename(folder, "cache", NULL);
	memory = hb_memory_create(MEMORY, &(HbMemoryBackend){ 0 }, NULL);
}

static void delete_all(const char *where)
{
	g_autoptr(GDir) dir = g_dir_open(where, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(where, name, NULL);

		delete_all(inner);
	}
	g_remove(where);
}

/* The name of a file in the cache that starts so, or NULL; g_free(). */
static char *find_file(const char *prefix)
{
	g_autoptr(GDir) dir = g_dir_open(cache, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		if (g_str_has_prefix(name, prefix))
			return g_build_filename(cache, name, NULL);
	}
	return NULL;
}

/* Once it is in the cache, for which closing does not wait. */
static void close_kernel(void)
{
	char *draft;

	g_clear_pointer(&kernel, hb_kernel_close);
	for (guint i = 0; i < 1000 && (draft = find_file(".draft-")); i++) {
		g_free(draft);
		g_usleep(10000);
	}
}

static void tear_down(void)
{
	close_kernel();
	hb_memory_destroy(memory);
	delete_all(folder);
	g_free(cache);
	g_free(path);
	g_free(folder);
}

/* Takes @file. */
static void write_kernel(GByteArray *file)
{
	ck_assert(g_file_set_contents(path, (const char *)file->data, file->len, NULL));
	g_byte_array_unref(file);
}

/* A bzImage of that ELF image; takes it. */
static GByteArray *pack(GByteArray *elf)
{
	g_autoptr(GByteArray) packed = fake_xz(elf->data, elf->len);

	g_byte_array_unref(elf);
	return fake_bzimage(packed->data, packed->len);
}

static gboolean load(const char *command_line)
{
	const HbKernelRoom room = { 16 * MIB, LIMIT };

	return hb_kernel_load(kernel, memory, &room, command_line, &start, NULL);
}

static void boot(GByteArray *file, const char *folder_or_null, const char *command_line)
{
	write_kernel(file);
	kernel = hb_kernel_open(path, folder_or_null, NULL);
	ck_assert_ptr_nonnull(kernel);
	ck_assert(load(command_line));
}

static guint64 get64(guint64 gpa)
{
	guint64 value;

	memcpy(&value, hb_memory_at(memory, gpa, sizeof(value)), sizeof(value));
	return value;
}

static void assert_unpacked_at(guint64 address)
{
	ck_assert_uint_eq(start.address, address);
	ck_assert_uint_eq(start.entry, address + FAKE_ENTRY);
	ck_assert_mem_eq(hb_memory_at(memory, address, 4), "tttt", 4);
	ck_assert_mem_eq(hb_memory_at(memory, address + FAKE_DATA, 4), "dddd", 4);
	ck_assert_uint_eq(get64(address + FAKE_SIZE - 8), 0);
}

static void assert_packed(void)
{
	ck_assert_uint_eq(start.entry, PACKED);
	ck_assert_uint_eq(start.loadflags, 0);
	ck_assert_mem_eq(hb_memory_at(memory, 16 * MIB, 4), "kkkk", 4);
}

static guint count_entries(void)
{
	g_autoptr(GDir) dir = g_dir_open(cache, 0, NULL);
	guint n = 0;

	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

/* -- Where it is. -- */

START_TEST(test_a_vmlinux_is_loaded_where_it_is_linked_for)
{
	boot(fake_vmlinux(), cache, "quiet");
	assert_unpacked_at(FAKE_START);
	ck_assert_uint_eq(start.loadflags, 0);
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(test_a_vmlinux_has_the_header_of_a_bzimage)
{
	boot(fake_vmlinux(), NULL, "quiet");
	const struct setup_header *header = hb_kernel_get_header(kernel);

	ck_assert_uint_eq(header->header, 0x53726448);
	ck_assert_uint_eq(header->pref_address, FAKE_START);
	ck_assert_uint_eq(header->init_size, FAKE_SIZE);
	ck_assert_uint_eq(header->cmdline_size, 2047);
	ck_assert_uint_eq(hb_kernel_get_load_size(kernel), FAKE_SIZE);
}
END_TEST

START_TEST(test_a_bzimage_is_unpacked_here)
{
	boot(pack(fake_vmlinux()), cache, "quiet");
	assert_unpacked_at(FAKE_START);
	ck_assert_uint_eq(start.loadflags, 0);
}
END_TEST

START_TEST(test_a_bzimage_keeps_its_own_header)
{
	boot(pack(fake_vmlinux()), cache, "quiet");
	ck_assert_uint_eq(hb_kernel_get_header(kernel)->init_size, 0x100000);
	ck_assert_uint_eq(hb_kernel_get_header(kernel)->relocatable_kernel, 1);
}
END_TEST

START_TEST(test_nokaslr_has_a_movable_kernel_where_it_is_linked_for)
{
	boot(pack(fake_movable_vmlinux()), cache, "quiet nokaslr");
	assert_unpacked_at(FAKE_START);
	ck_assert_uint_eq(start.loadflags, 0);
	ck_assert_uint_eq(get64(FAKE_START + FAKE_PLACE64), FAKE_LINK + 0x40);
}
END_TEST

/* All that is relocated says that the kernel runs at one address. */
static void assert_consistent(void)
{
	guint64 delta = get64(start.address + FAKE_PLACE64) - (FAKE_LINK + 0x40);

	assert_unpacked_at(start.address);
	ck_assert_uint_eq(start.loadflags, KASLR);
	ck_assert_uint_eq(delta % (2 * MIB), 0);
	ck_assert_uint_lt(delta, 1ULL << 30);
	ck_assert_uint_eq((guint32)get64(start.address + FAKE_PLACE32),
			  (guint32)(0x81000040 + delta));
	ck_assert_uint_eq((guint32)get64(start.address + FAKE_INVERSE),
			  (guint32)(0x7f000000 - delta));
	ck_assert_uint_ge(start.address, FAKE_START);
	ck_assert_uint_le(start.address + FAKE_SIZE, LIMIT);
}

START_TEST(test_a_movable_kernel_is_somewhere_else_each_time)
{
	g_autoptr(GHashTable) physical = g_hash_table_new(NULL, NULL);
	g_autoptr(GHashTable) virtual = g_hash_table_new(NULL, NULL);

	boot(pack(fake_movable_vmlinux()), cache, "quiet");
	for (guint i = 0; i < 64; i++) {
		ck_assert(load("quiet"));
		assert_consistent();
		g_hash_table_add(physical, GSIZE_TO_POINTER(start.address));
		g_hash_table_add(virtual, GSIZE_TO_POINTER(get64(start.address + FAKE_PLACE64)));
	}
	/* Of 21 and 503 places. */
	ck_assert_uint_gt(g_hash_table_size(physical), 10);
	ck_assert_uint_gt(g_hash_table_size(virtual), 30);
}
END_TEST

START_TEST(test_a_movable_vmlinux_moves_too)
{
	boot(fake_movable_vmlinux(), NULL, "quiet");
	assert_consistent();
}
END_TEST

START_TEST(test_what_follows_a_vmlinux_may_be_anything)
{
	GByteArray *file = fake_vmlinux();

	g_byte_array_append(file, (const guint8 *)"debug information", 16);
	boot(file, NULL, "quiet");
	assert_unpacked_at(FAKE_START);
	ck_assert_uint_eq(start.loadflags, 0);
}
END_TEST

/* -- The cache. -- */

START_TEST(test_an_unpacked_kernel_is_kept_and_used_again)
{
	boot(pack(fake_vmlinux()), cache, "quiet");
	close_kernel();
	ck_assert_uint_eq(count_entries(), 1);
	memset(hb_memory_at(memory, 0, MEMORY), 0xff, MEMORY);
	kernel = hb_kernel_open(path, cache, NULL);
	ck_assert(load("quiet"));
	assert_unpacked_at(FAKE_START);
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

START_TEST(test_another_kernel_has_another_entry)
{
	GByteArray *other = fake_vmlinux();

	boot(pack(fake_vmlinux()), cache, "quiet");
	close_kernel();
	other->data[0x1000 + 1000] = 'x';
	boot(pack(other), cache, "quiet");
	ck_assert_int_eq(*(char *)hb_memory_at(memory, FAKE_START + 1000, 1), 'x');
	close_kernel();
	ck_assert_uint_eq(count_entries(), 2);
}
END_TEST

START_TEST(test_a_reset_loads_a_kernel_whose_entry_is_gone)
{
	boot(pack(fake_vmlinux()), cache, "quiet");
	close_kernel();
	kernel = hb_kernel_open(path, cache, NULL);
	ck_assert(load("quiet"));
	delete_all(cache);
	memset(hb_memory_at(memory, 0, MEMORY), 0xff, MEMORY);
	ck_assert(load("quiet"));
	assert_unpacked_at(FAKE_START);
}
END_TEST

/* The entry of a kernel that was just booted, with other bytes in it. */
static void damage(guint64 offset)
{
	g_autofree char *entry = find_file("");
	int fd = open(entry, O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(pwrite(fd, "\xff\xff", 2, (off_t)offset), 2);
	close(fd);
}

START_TEST(test_a_damaged_entry_is_unpacked_anew)
{
	static const guint64 offsets[] = { 0, 0x1000 + 1000, 0x3000, 0x3000 + FAKE_DATA_SIZE + 5 };

	boot(pack(fake_movable_vmlinux()), cache, "quiet nokaslr");
	close_kernel();
	damage(offsets[_i]);
	kernel = hb_kernel_open(path, cache, NULL);
	ck_assert(load("quiet nokaslr"));
	assert_unpacked_at(FAKE_START);
	ck_assert_int_eq(*(char *)hb_memory_at(memory, FAKE_START + 1000, 1), 't');
	close_kernel();
	ck_assert_uint_eq(count_entries(), 1);
	kernel = hb_kernel_open(path, cache, NULL);
	ck_assert(load("quiet"));
	assert_consistent();
}
END_TEST

/* Takes @content: what an entry of the kernel at @path would be if it had been unpacked to that. */
static char *replace_entry(GByteArray *content)
{
	g_autofree char *entry = find_file("");
	guint32 sum = (guint32)crc32(0, content->data, content->len);
	g_autofree char *digest = g_path_get_basename(entry);
	char *other;

	digest[64] = '\0';
	other = g_strdup_printf("%s/%s-%08x-2.elf", cache, digest, sum);
	g_remove(entry);
	ck_assert(g_file_set_contents_full(other, (const char *)content->data, content->len,
					   G_FILE_SET_CONTENTS_NONE, 0600, NULL));
	g_byte_array_unref(content);
	return other;
}

START_TEST(test_an_entry_that_is_no_such_kernel_is_unpacked_anew)
{
	GByteArray *content = fake_movable_vmlinux();
	Elf64_Ehdr *header = (Elf64_Ehdr *)(gpointer)content->data;

	boot(pack(fake_movable_vmlinux()), cache, "quiet");
	close_kernel();
	if (_i == 0)
		header->e_machine = EM_386; /* no ELF image of ours */
	else
		fake_put32(content->data + content->len - 4, 0x81fffffc); /* a place outside it */
	g_autofree char *bad = replace_entry(content);
	kernel = hb_kernel_open(path, cache, NULL);
	ck_assert(load("quiet"));
	assert_consistent();
	close_kernel();
	ck_assert(!g_file_test(bad, G_FILE_TEST_EXISTS));
	ck_assert_uint_eq(count_entries(), 1);
}
END_TEST

/* -- When the guest unpacks it. -- */

START_TEST(test_without_a_cache_the_guest_unpacks_it)
{
	boot(pack(fake_movable_vmlinux()), NULL, "quiet");
	assert_packed();
}
END_TEST

START_TEST(test_with_a_cache_that_cannot_be_it_does_too)
{
	boot(pack(fake_movable_vmlinux()), "/proc/nothing/here", "quiet");
	assert_packed();
}
END_TEST

START_TEST(test_with_a_cache_of_others_it_does_too)
{
	ck_assert_int_eq(g_mkdir(cache, 0700), 0);
	ck_assert_int_eq(chmod(cache, 0777), 0);
	boot(pack(fake_movable_vmlinux()), cache, "quiet");
	assert_packed();
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(test_a_damaged_payload_is_left_to_the_guest)
{
	GByteArray *file = pack(fake_movable_vmlinux());

	memset(file->data + FAKE_SETUP + FAKE_CODE + 100, 0xa5, 30);
	boot(file, cache, "quiet");
	assert_packed();
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(test_a_payload_that_is_no_kernel_is_left_to_the_guest)
{
	g_autoptr(GByteArray) packed = fake_zstd((const guint8 *)"no ELF image at all", 19);

	boot(fake_bzimage(packed->data, packed->len), cache, "quiet");
	assert_packed();
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(test_a_kernel_for_another_place_than_its_header_says_is_left_to_the_guest)
{
	GByteArray *elf = fake_vmlinux();
	Elf64_Phdr segment;

	memcpy(&segment, elf->data + sizeof(Elf64_Ehdr), sizeof(segment));
	segment.p_paddr -= 0x200000;
	segment.p_memsz += 0x200000;
	memcpy(elf->data + sizeof(Elf64_Ehdr), &segment, sizeof(segment));
	((Elf64_Ehdr *)(gpointer)elf->data)->e_entry -= 0x200000;
	boot(pack(elf), cache, "quiet");
	assert_packed();
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(test_relocations_that_make_no_sense_are_left_to_the_guest)
{
	static const guint32 tables[][4] = { { 0, 0x81fffffc, 0, 0x81000000 }, { 1, 2, 3, 4 } };
	GByteArray *elf = fake_vmlinux();

	g_byte_array_append(elf, (const guint8 *)tables[_i], sizeof(tables[_i]));
	boot(pack(elf), cache, "quiet");
	assert_packed();
	ck_assert_uint_eq(count_entries(), 0);
}
END_TEST

START_TEST(test_a_guest_too_small_to_have_it_unpacked_unpacks_it_elsewhere)
{
	const HbKernelRoom room = { 2 * MIB, 16 * MIB };

	write_kernel(pack(fake_vmlinux()));
	kernel = hb_kernel_open(path, cache, NULL);
	ck_assert(hb_kernel_load(kernel, memory, &room, "quiet", &start, NULL));
	ck_assert_uint_eq(start.entry, 2 * MIB + 0x200);
}
END_TEST

/* -- Errors. -- */

START_TEST(test_a_vmlinux_that_is_none_is_named)
{
	g_autoptr(GError) error = NULL;
	GByteArray *file = fake_vmlinux();

	((Elf64_Ehdr *)(gpointer)file->data)->e_machine = EM_386;
	write_kernel(file);
	ck_assert_ptr_null(hb_kernel_open(path, cache, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(error->message, path));
	ck_assert_ptr_nonnull(strstr(error->message, "bzImage"));
}
END_TEST

START_TEST(test_a_file_that_is_gone_is_named)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kernel_open(path, cache, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND));
	ck_assert_ptr_nonnull(strstr(error->message, path));
}
END_TEST

static void add_place_tests(Suite *suite)
{
	TCase *tests = tcase_create("place");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_vmlinux_is_loaded_where_it_is_linked_for);
	tcase_add_test(tests, test_a_vmlinux_has_the_header_of_a_bzimage);
	tcase_add_test(tests, test_a_bzimage_is_unpacked_here);
	tcase_add_test(tests, test_a_bzimage_keeps_its_own_header);
	tcase_add_test(tests, test_nokaslr_has_a_movable_kernel_where_it_is_linked_for);
	tcase_add_test(tests, test_a_movable_kernel_is_somewhere_else_each_time);
	tcase_add_test(tests, test_a_movable_vmlinux_moves_too);
	tcase_add_test(tests, test_what_follows_a_vmlinux_may_be_anything);
	tcase_add_test(tests, test_a_vmlinux_that_is_none_is_named);
	tcase_add_test(tests, test_a_file_that_is_gone_is_named);
	suite_add_tcase(suite, tests);
}

static void add_cache_tests(Suite *suite)
{
	TCase *tests = tcase_create("cache");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_an_unpacked_kernel_is_kept_and_used_again);
	tcase_add_test(tests, test_another_kernel_has_another_entry);
	tcase_add_test(tests, test_a_reset_loads_a_kernel_whose_entry_is_gone);
	tcase_add_loop_test(tests, test_a_damaged_entry_is_unpacked_anew, 0, 4);
	tcase_add_loop_test(tests, test_an_entry_that_is_no_such_kernel_is_unpacked_anew, 0, 2);
	suite_add_tcase(suite, tests);
}

static void add_fallback_tests(Suite *suite)
{
	TCase *tests = tcase_create("fall-back");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_without_a_cache_the_guest_unpacks_it);
	tcase_add_test(tests, test_with_a_cache_that_cannot_be_it_does_too);
	tcase_add_test(tests, test_with_a_cache_of_others_it_does_too);
	tcase_add_test(tests, test_a_damaged_payload_is_left_to_the_guest);
	tcase_add_test(tests, test_a_payload_that_is_no_kernel_is_left_to_the_guest);
	tcase_add_test(tests,
		       test_a_kernel_for_another_place_than_its_header_says_is_left_to_the_guest);
	tcase_add_loop_test(tests, test_relocations_that_make_no_sense_are_left_to_the_guest, 0, 2);
	tcase_add_test(tests, test_a_guest_too_small_to_have_it_unpacked_unpacks_it_elsewhere);
	suite_add_tcase(suite, tests);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("kernel");

	add_place_tests(suite);
	add_cache_tests(suite);
	add_fallback_tests(suite);
	return suite;
}
