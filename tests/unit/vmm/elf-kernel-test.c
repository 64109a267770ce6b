/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The ELF image of a kernel: what is taken for one, and what of it is loaded where. */

#include "tests/unit/suite.h"
#include "tests/unit/vmm/fake-kernel.h"
#include "vmm/elf-kernel.h"

#include <fcntl.h>
#include <hotbay/error.h>
#include <sys/mman.h>
#include <unistd.h>

static GByteArray *file;
static HbElfLayout layout;
static guint8 memory[FAKE_SIZE];

static void set_up(void)
{
	file = fake_vmlinux();
	memset(memory, 0xff, sizeof(memory));
}

static void tear_down(void)
{
	g_byte_array_unref(file);
}

static gboolean parse(GError **error)
{
	return hb_elf_kernel_parse(file->data, MIN(file->len, HB_ELF_KERNEL_HEAD), file->len,
				   &layout, error);
}

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)(gpointer)file->data;
}

static Elf64_Phdr *segment(guint n)
{
	return (Elf64_Phdr *)(gpointer)(file->data + sizeof(Elf64_Ehdr)) + n;
}

static void assert_refused(const char *part)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!parse(&error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
}

static HbElfKernel *open_file(void)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, file->data, file->len), (int)file->len);
	return hb_elf_kernel_open(fd, "kernel", NULL);
}

/* -- What is one. -- */

START_TEST(test_the_layout_of_a_kernel)
{
	ck_assert(parse(NULL));
	ck_assert_uint_eq(layout.start, FAKE_START);
	ck_assert_uint_eq(layout.end, FAKE_START + FAKE_SIZE);
	ck_assert_uint_eq(layout.link_address, FAKE_LINK);
	ck_assert_uint_eq(layout.entry, FAKE_START + FAKE_ENTRY);
	ck_assert_uint_eq(layout.file_end, file->len);
	ck_assert_uint_eq(layout.n_segments, 2);
}
END_TEST

START_TEST(test_a_kernel_that_can_be_anywhere_is_one_too)
{
	header()->e_type = ET_DYN;
	ck_assert(parse(NULL));
}
END_TEST

START_TEST(test_section_headers_belong_to_the_image)
{
	header()->e_shoff = file->len;
	header()->e_shentsize = sizeof(Elf64_Shdr);
	header()->e_shnum = 2;
	g_byte_array_set_size(file, file->len + 2 * sizeof(Elf64_Shdr));
	ck_assert(parse(NULL));
	ck_assert_uint_eq(layout.file_end, file->len);
	g_byte_array_set_size(file, file->len - 1);
	assert_refused("section headers");
}
END_TEST

START_TEST(test_the_order_of_segments_does_not_matter)
{
	Elf64_Phdr first = *segment(0);

	*segment(0) = *segment(1);
	*segment(1) = first;
	ck_assert(parse(NULL));
	ck_assert_uint_eq(layout.start, FAKE_START);
	ck_assert_uint_eq(layout.link_address, FAKE_LINK);
}
END_TEST

START_TEST(test_other_segments_are_not_looked_at)
{
	segment(1)->p_type = PT_NOTE;
	segment(1)->p_offset = G_MAXUINT64;
	ck_assert(parse(NULL));
	ck_assert_uint_eq(layout.n_segments, 1);
}
END_TEST

START_TEST(test_every_truncated_file_is_refused)
{
	for (gsize length = 0; length < file->len; length++)
		ck_assert(!hb_elf_kernel_parse(file->data, MIN(length, HB_ELF_KERNEL_HEAD), length,
					       &layout, NULL));
}
END_TEST

/* -- What is none. -- */

static void be_no_elf(void)
{
	file->data[0] = 'x';
}
static void be_32_bit(void)
{
	header()->e_ident[EI_CLASS] = ELFCLASS32;
}
static void be_big_endian(void)
{
	header()->e_ident[EI_DATA] = ELFDATA2MSB;
}
static void be_for_arm(void)
{
	header()->e_machine = EM_AARCH64;
}
static void be_an_object(void)
{
	header()->e_type = ET_REL;
}
static void have_a_far_table(void)
{
	header()->e_phoff = G_MAXUINT64 - 8;
}
static void have_a_long_table(void)
{
	header()->e_phnum = G_MAXUINT16;
}
static void have_odd_entries(void)
{
	header()->e_phentsize = 32;
}
static void have_no_segment(void)
{
	header()->e_phnum = 0;
}
static void enter_below(void)
{
	header()->e_entry = FAKE_START - 1;
}
static void enter_bss(void)
{
	header()->e_entry = FAKE_START + FAKE_SIZE - 1;
}
static void enter_a_virtual_address(void)
{
	header()->e_entry = FAKE_LINK;
}
static void end_early(void)
{
	segment(1)->p_filesz = FAKE_DATA_SIZE + 1;
}
static void wrap_the_offset(void)
{
	segment(1)->p_offset = G_MAXUINT64;
}
static void be_larger_than_memory(void)
{
	segment(0)->p_memsz = FAKE_TEXT - 1;
}
static void overlap(void)
{
	segment(1)->p_paddr = FAKE_START + FAKE_TEXT - 1;
}
static void be_the_same(void)
{
	segment(1)->p_paddr = FAKE_START;
}
static void be_high(void)
{
	segment(1)->p_paddr = 1ULL << 32;
}
static void wrap_the_address(void)
{
	segment(1)->p_paddr = G_MAXUINT64;
}
static void be_huge(void)
{
	segment(1)->p_memsz = G_MAXUINT64;
}
static void be_far_apart(void)
{
	segment(1)->p_paddr = FAKE_START + (1U << 30);
}
static void be_below_1_mib(void)
{
	segment(1)->p_paddr = 0x8000;
}
static void have_far_sections(void)
{
	header()->e_shoff = G_MAXUINT64;
}

static const struct {
	void (*change)(void);
	const char *part;
} broken[] = {
	{ be_no_elf, "no ELF file" },
	{ be_32_bit, "not for x86-64" },
	{ be_big_endian, "not for x86-64" },
	{ be_for_arm, "not for x86-64" },
	{ be_an_object, "no executable" },
	{ have_a_far_table, "program headers" },
	{ have_a_long_table, "program headers" },
	{ have_odd_entries, "program headers" },
	{ have_no_segment, "without code" },
	{ enter_below, "without code" },
	{ enter_bss, "without code" },
	{ enter_a_virtual_address, "without code" },
	{ end_early, "ends before its segments" },
	{ wrap_the_offset, "ends before its segments" },
	{ be_larger_than_memory, "larger than its memory" },
	{ overlap, "overlap" },
	{ be_the_same, "overlap" },
	{ be_high, "too high" },
	{ wrap_the_address, "too high" },
	{ be_huge, "too large" },
	{ be_far_apart, "more than 1 GiB" },
	{ be_below_1_mib, "below 1 MiB" },
	{ have_far_sections, "section headers" },
};

START_TEST(test_another_file_is_refused)
{
	broken[_i].change();
	assert_refused(broken[_i].part);
}
END_TEST

START_TEST(test_too_many_segments_are_refused)
{
	header()->e_phnum = HB_ELF_KERNEL_MAX_SEGMENTS + 1;
	for (guint i = 1; i <= HB_ELF_KERNEL_MAX_SEGMENTS; i++)
		*segment(i) = (Elf64_Phdr){ .p_type = PT_LOAD,
					    .p_paddr = FAKE_START + 0x10000 * i,
					    .p_memsz = 1 };
	assert_refused("too many segments");
}
END_TEST

/* -- Loading. -- */

START_TEST(test_segments_are_loaded_and_bss_is_zero)
{
	g_autoptr(HbElfKernel) kernel = open_file();

	ck_assert(hb_elf_kernel_load(kernel, memory, NULL));
	ck_assert_int_eq(memory[0], 't');
	ck_assert_int_eq(memory[FAKE_TEXT - 1], 't');
	ck_assert_int_eq(memory[FAKE_DATA], 'd');
	for (guint i = FAKE_DATA + FAKE_DATA_SIZE; i < FAKE_SIZE; i++)
		ck_assert_int_eq(memory[i], 0);
}
END_TEST

START_TEST(test_a_file_that_has_shrunk_is_an_error)
{
	g_autoptr(HbElfKernel) kernel = open_file();
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(ftruncate(kernel->fd, 0x2000), 0);
	ck_assert(!hb_elf_kernel_load(kernel, memory, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
}
END_TEST

START_TEST(test_a_table_behind_the_image_moves_it)
{
	g_byte_array_unref(file);
	file = fake_movable_vmlinux();
	g_autoptr(HbElfKernel) kernel = open_file();
	guint32 word;

	ck_assert(hb_elf_kernel_has_relocs(kernel));
	ck_assert(hb_elf_kernel_check_relocs(kernel, NULL));
	ck_assert(hb_elf_kernel_load(kernel, memory, NULL));
	ck_assert(hb_elf_kernel_relocate(kernel, memory, 0x200000, NULL));
	memcpy(&word, memory + FAKE_PLACE32, sizeof(word));
	ck_assert_uint_eq(word, 0x81200040);
}
END_TEST

START_TEST(test_without_a_table_it_cannot_be_moved)
{
	g_autoptr(HbElfKernel) kernel = open_file();

	ck_assert(!hb_elf_kernel_has_relocs(kernel));
	ck_assert(!hb_elf_kernel_check_relocs(kernel, NULL));
}
END_TEST

START_TEST(test_what_is_no_table_does_not_move_it)
{
	g_byte_array_append(file, (const guint8 *)"something else..", 16);
	g_autoptr(HbElfKernel) kernel = open_file();
	g_autoptr(GError) error = NULL;

	ck_assert(!hb_elf_kernel_check_relocs(kernel, NULL));
	ck_assert(!hb_elf_kernel_relocate(kernel, memory, 0x200000, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("elf-kernel");
	TCase *tests = tcase_create("image");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_the_layout_of_a_kernel);
	tcase_add_test(tests, test_a_kernel_that_can_be_anywhere_is_one_too);
	tcase_add_test(tests, test_section_headers_belong_to_the_image);
	tcase_add_test(tests, test_the_order_of_segments_does_not_matter);
	tcase_add_test(tests, test_other_segments_are_not_looked_at);
	tcase_add_test(tests, test_every_truncated_file_is_refused);
	tcase_add_loop_test(tests, test_another_file_is_refused, 0, G_N_ELEMENTS(broken));
	tcase_add_test(tests, test_too_many_segments_are_refused);
	tcase_add_test(tests, test_segments_are_loaded_and_bss_is_zero);
	tcase_add_test(tests, test_a_file_that_has_shrunk_is_an_error);
	tcase_add_test(tests, test_a_table_behind_the_image_moves_it);
	tcase_add_test(tests, test_without_a_table_it_cannot_be_moved);
	tcase_add_test(tests, test_what_is_no_table_does_not_move_it);
	suite_add_tcase(suite, tests);
	return suite;
}
