/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Booting without firmware: what is accepted as a kernel, where things go, what the guest finds. */

#include "tests/unit/suite.h"
#include "tests/unit/vmm/fake-kernel.h"
#include "vmm/boot.h"
#include "vmm/layout.h"

#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <string.h>

#define MIB	  (1ULL << 20)
#define GIB	  (1ULL << 30)
#define SETUP	  1024 /* one boot sector, one sector of setup code */
#define BODY	  5000
#define ZERO_PAGE 0x7000
#define COMMAND	  0x20000

static char *folder;
static HbMemory *memory;
static HbBoot *boot;

static void set_up(void)
{
	folder = g_dir_make_tmp("hotbay-boot-XXXXXX", NULL);
	memory = hb_memory_create(64 * MIB, &(HbMemoryBackend){ 0 }, NULL);
}

static void delete_all(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		delete_all(inner);
	}
	g_remove(path);
}

static void tear_down(void)
{
	g_clear_pointer(&boot, hb_boot_destroy);
	hb_memory_destroy(memory);
	delete_all(folder);
	g_free(folder);
}

static char *write_file(const char *name, gconstpointer data, gsize size)
{
	char *path = g_build_filename(folder, name, NULL);

	ck_assert(g_file_set_contents(path, data, (gssize)size, NULL));
	return path;
}

/* A small but complete bzImage: what follows its header is 'k's. */
static void fill_image(guint8 image[SETUP + BODY])
{
	struct setup_header header = {
		.setup_sects = 1,
		.boot_flag = 0xaa55,
		.jump = 0x66eb, /* the header ends at 0x268 */
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 2 * MIB,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 100,
		.pref_address = 16 * MIB,
		.init_size = MIB,
	};

	memset(image, 'k', SETUP + BODY);
	memcpy(image + 0x1f1, &header, sizeof(header));
}

static char *write_kernel(void)
{
	guint8 image[SETUP + BODY];

	fill_image(image);
	return write_file("kernel", image, sizeof(image));
}

static void assert_message(const GError *error, const char *part)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
}

/* -- What is a kernel. -- */

START_TEST(test_a_kernel_header_is_read)
{
	guint8 image[SETUP + BODY];
	struct setup_header header;

	fill_image(image);
	ck_assert(hb_bzimage_parse_header(image, sizeof(image), &header, NULL));
	ck_assert_uint_eq(header.pref_address, 16 * MIB);
}
END_TEST

static const struct {
	guint offset;
	guint8 value;
	const char *part;
} broken[] = {
	{ 0x1fe, 0x00, "no boot header" },  { 0x202, 0x00, "no boot header" },
	{ 0x206, 0x0b, "older than 2.12" }, { 0x211, 0x00, "no 64-bit entry" },
	{ 0x236, 0x00, "no 64-bit entry" },
};

START_TEST(test_another_image_is_refused)
{
	guint8 image[SETUP + BODY];
	struct setup_header header;
	g_autoptr(GError) error = NULL;

	fill_image(image);
	image[broken[_i].offset] = broken[_i].value;
	ck_assert(!hb_bzimage_parse_header(image, sizeof(image), &header, &error));
	assert_message(error, broken[_i].part);
}
END_TEST

START_TEST(test_every_truncated_header_is_refused)
{
	guint8 image[SETUP + BODY];
	struct setup_header header;

	fill_image(image);
	for (gsize length = 0; length < 0x1f1 + sizeof(header); length++)
		ck_assert(!hb_bzimage_parse_header(image, length, &header, NULL));
}
END_TEST

START_TEST(test_what_lies_behind_a_short_header_is_not_taken_for_one)
{
	guint8 image[SETUP + BODY];
	struct setup_header header;

	fill_image(image);
	image[0x201] = 0x58; /* ends at 0x25a: before pref_address */
	ck_assert(hb_bzimage_parse_header(image, sizeof(image), &header, NULL));
	ck_assert_uint_eq(header.init_size, 0);
	ck_assert_uint_eq(header.cmdline_size, 100);
}
END_TEST

START_TEST(test_a_missing_kernel_is_named)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_boot_create(memory, "/nonexistent/k", NULL, NULL, NULL, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND));
	assert_message(error, "-kernel: /nonexistent/k: ");
}
END_TEST

START_TEST(test_a_folder_is_no_kernel)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_boot_create(memory, folder, NULL, NULL, NULL, &error));
	assert_message(error, "no regular file");
}
END_TEST

START_TEST(test_a_kernel_without_its_body_is_refused)
{
	guint8 image[SETUP + BODY];
	g_autoptr(GError) error = NULL;

	fill_image(image);
	g_autofree char *path = write_file("kernel", image, SETUP);
	ck_assert_ptr_null(hb_boot_create(memory, path, NULL, NULL, NULL, &error));
	assert_message(error, "too short");
}
END_TEST

START_TEST(test_a_missing_initrd_is_named)
{
	g_autofree char *kernel = write_kernel();
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_boot_create(memory, kernel, NULL, "/nonexistent/i", NULL, &error));
	assert_message(error, "-initrd: /nonexistent/i: ");
}
END_TEST

START_TEST(test_an_empty_initrd_is_refused)
{
	g_autofree char *kernel = write_kernel();
	g_autofree char *initrd = write_file("initrd", "", 0);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_boot_create(memory, kernel, NULL, initrd, NULL, &error));
	assert_message(error, "-initrd: ");
}
END_TEST

START_TEST(test_a_command_line_longer_than_the_kernel_takes_is_refused)
{
	g_autofree char *kernel = write_kernel();
	g_autofree char *line = g_strnfill(101, 'x');
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_boot_create(memory, kernel, NULL, NULL, line, &error));
	assert_message(error, "-append: longer than the 100 characters");
}
END_TEST

/* -- Where things go. -- */

static const struct setup_header movable = {
	.kernel_alignment = 2 * MIB,
	.relocatable_kernel = 1,
	.pref_address = 16 * MIB,
	.init_size = 50 * MIB,
	.initrd_addr_max = 0x7fffffff,
};

START_TEST(test_the_kernel_goes_where_it_prefers_to_be)
{
	guint64 address;

	ck_assert(hb_boot_place_kernel(&movable, MIB, 66 * MIB, &address, NULL));
	ck_assert_uint_eq(address, 16 * MIB);
}
END_TEST

START_TEST(test_the_kernel_goes_lower_in_a_small_guest)
{
	guint64 address;

	ck_assert(hb_boot_place_kernel(&movable, MIB, 66 * MIB - 1, &address, NULL));
	ck_assert_uint_eq(address, 2 * MIB);
}
END_TEST

START_TEST(test_a_guest_too_small_for_the_kernel_is_refused)
{
	g_autoptr(GError) error = NULL;
	guint64 address;

	ck_assert(!hb_boot_place_kernel(&movable, MIB, 52 * MIB - 1, &address, &error));
	assert_message(error, "-m: too small");
}
END_TEST

START_TEST(test_a_kernel_that_cannot_move_needs_its_place)
{
	struct setup_header fixed = movable;
	guint64 address;

	fixed.relocatable_kernel = 0;
	ck_assert(!hb_boot_place_kernel(&fixed, MIB, 60 * MIB, &address, NULL));
}
END_TEST

START_TEST(test_the_initrd_ends_where_memory_ends)
{
	guint64 address;

	ck_assert(hb_boot_place_initrd(&movable, 5000, 66 * MIB, GIB, &address, NULL));
	ck_assert_uint_eq(address, GIB - 8192);
}
END_TEST

START_TEST(test_the_initrd_stays_below_what_the_kernel_accepts)
{
	struct setup_header old = movable;
	guint64 address;

	old.initrd_addr_max = 0x37ffffff;
	ck_assert(hb_boot_place_initrd(&old, 4096, 66 * MIB, GIB, &address, NULL));
	ck_assert_uint_eq(address, 0x38000000 - 4096);
}
END_TEST

START_TEST(test_an_initrd_that_would_reach_into_the_kernel_is_refused)
{
	g_autoptr(GError) error = NULL;
	guint64 address;

	ck_assert(!hb_boot_place_initrd(&movable, 31 * MIB, 66 * MIB, 96 * MIB, &address, &error));
	assert_message(error, "-initrd: ");
	ck_assert(!hb_boot_place_initrd(&movable, 97 * MIB, 66 * MIB, 96 * MIB, &address, NULL));
}
END_TEST

/* -- What the guest finds. -- */

static const HbRam large[] = { { 0, 2 * GIB, NULL }, { 4 * GIB, GIB, NULL } };

static guint type_at(const struct boot_params *params, guint64 address)
{
	for (guint i = 0; i < params->e820_entries; i++) {
		const struct boot_e820_entry *entry = &params->e820_table[i];

		if (address >= entry->addr && address - entry->addr < entry->size)
			return entry->type;
	}
	return 0;
}

static const struct {
	guint64 address;
	guint type;
} map[] = {
	{ 0, 1 },
	{ 0x9fbff, 1 },
	{ 0x9fc00, 0 },
	{ HB_LAYOUT_TABLES, 2 },
	{ 0xfffff, 2 },
	{ MIB, 1 },
	{ 2 * GIB - 1, 1 },
	{ 2 * GIB, 0 },
	{ HB_LAYOUT_ECAM, 2 },
	{ HB_LAYOUT_MEM32, 0 },
	{ HB_LAYOUT_TSS, 2 },
	{ 4 * GIB, 1 },
	{ 5 * GIB - 1, 1 },
	{ 5 * GIB, 0 },
};

START_TEST(test_the_memory_map)
{
	struct boot_params params = { 0 };

	hb_boot_fill_e820(large, G_N_ELEMENTS(large), &params);
	ck_assert_uint_eq(type_at(&params, map[_i].address), map[_i].type);
}
END_TEST

START_TEST(test_the_memory_map_is_in_order_without_overlaps)
{
	struct boot_params params = { 0 };

	hb_boot_fill_e820(large, G_N_ELEMENTS(large), &params);
	for (guint i = 1; i < params.e820_entries; i++)
		ck_assert_uint_ge(params.e820_table[i].addr,
				  params.e820_table[i - 1].addr + params.e820_table[i - 1].size);
}
END_TEST

static void load(const char *command_line)
{
	g_autofree char *kernel = write_kernel();
	g_autofree char *initrd = write_file("initrd", "initrd", 6);
	g_autoptr(GByteArray) tables = g_byte_array_new();

	g_byte_array_append(tables, (const guint8 *)"RSD PTR ", 8);
	boot = hb_boot_create(memory, kernel, NULL, initrd, command_line, NULL);
	ck_assert_ptr_nonnull(boot);
	ck_assert(hb_boot_load(boot, tables, NULL));
}

START_TEST(test_everything_is_where_the_zero_page_says)
{
	load("quiet");
	const struct boot_params *params = hb_memory_at(memory, ZERO_PAGE, sizeof(*params));

	ck_assert_uint_eq(params->hdr.header, 0x53726448);
	ck_assert_uint_eq(params->hdr.type_of_loader, 0xff);
	ck_assert_uint_eq(params->hdr.ramdisk_size, 6);
	ck_assert_mem_eq(hb_memory_at(memory, params->hdr.ramdisk_image, 6), "initrd", 6);
	ck_assert_str_eq(hb_memory_at(memory, params->hdr.cmd_line_ptr, 6), "quiet");
	ck_assert_mem_eq(hb_memory_at(memory, params->acpi_rsdp_addr, 8), "RSD PTR ", 8);
	ck_assert_mem_eq(hb_memory_at(memory, 16 * MIB, 4), "kkkk", 4);
	ck_assert_mem_eq(hb_memory_at(memory, 16 * MIB + BODY - 1, 2), "k", 2);
}
END_TEST

START_TEST(test_the_first_vcpu_begins_at_the_64_bit_entry)
{
	struct kvm_sregs sregs = { 0 };
	struct kvm_regs regs;

	load("quiet");
	hb_boot_set_registers(boot, TRUE, &sregs, &regs);
	ck_assert_uint_eq(regs.rip, 16 * MIB + 0x200);
	ck_assert_uint_eq(regs.rsi, ZERO_PAGE);
	ck_assert_uint_eq(regs.rflags, 2);
	ck_assert_uint_eq(sregs.cs.l, 1);
	ck_assert_uint_eq(sregs.efer, 0x500);
	ck_assert_uint_eq(sregs.cr0, 0x80000011);
}
END_TEST

/* Walks the page tables as the processor would; @top is 39, or 48 with five levels. */
static guint64 translate(guint64 cr3, int top, guint64 address)
{
	const guint64 *table = hb_memory_at(memory, cr3, 4096);
	guint64 entry = table[(address >> top) & 511];

	for (int shift = top - 9; shift >= 21; shift -= 9) {
		ck_assert(entry & 1);
		table = hb_memory_at(memory, entry & ~0xfffULL, 4096);
		entry = table[(address >> shift) & 511];
	}
	ck_assert_uint_eq(entry & 0x81, 0x81);
	return (entry & ~0x1fffffULL) | (address & 0x1fffff);
}

static const guint64 mapped[] = { 0, 0x7000, 16 * MIB + 0x200, GIB + 5, 4 * GIB - 1 };

START_TEST(test_the_first_4_gib_are_mapped_one_to_one)
{
	struct kvm_sregs sregs = { 0 };
	struct kvm_regs regs;

	load("quiet");
	hb_boot_set_registers(boot, TRUE, &sregs, &regs);
	ck_assert_uint_eq(sregs.cr4, 0x20);
	for (guint i = 0; i < G_N_ELEMENTS(mapped); i++)
		ck_assert_uint_eq(translate(sregs.cr3, 39, mapped[i]), mapped[i]);
}
END_TEST

/* A bzImage that is unpacked here. */
static void load_unpacked(const char *command_line)
{
	g_autoptr(GByteArray) elf = fake_movable_vmlinux();
	g_autoptr(GByteArray) packed = fake_xz(elf->data, elf->len);
	g_autoptr(GByteArray) image = fake_bzimage(packed->data, packed->len);
	g_autoptr(GByteArray) tables = g_byte_array_new();
	g_autofree char *kernel = write_file("kernel", image->data, image->len);
	g_autofree char *initrd = write_file("initrd", "initrd", 6);
	g_autofree char *cache = g_build_filename(folder, "cache", NULL);

	boot = hb_boot_create(memory, kernel, cache, initrd, command_line, NULL);
	ck_assert_ptr_nonnull(boot);
	ck_assert(hb_boot_load(boot, tables, NULL));
}

START_TEST(test_an_unpacked_kernel_begins_at_its_own_entry)
{
	struct kvm_sregs sregs = { 0 };
	struct kvm_regs regs;

	load_unpacked("nokaslr");
	hb_boot_set_registers(boot, FALSE, &sregs, &regs);
	ck_assert_uint_eq(regs.rip, FAKE_START + FAKE_ENTRY);
	ck_assert_uint_eq(regs.rsi, ZERO_PAGE);
}
END_TEST

START_TEST(test_an_unpacked_kernel_is_told_that_its_place_is_random)
{
	load_unpacked("quiet");
	const struct boot_params *params = hb_memory_at(memory, ZERO_PAGE, sizeof(*params));
	struct kvm_sregs sregs = { 0 };
	struct kvm_regs regs;

	hb_boot_set_registers(boot, FALSE, &sregs, &regs);
	ck_assert_uint_eq(params->hdr.loadflags, LOADED_HIGH | KASLR_FLAG);
	ck_assert_uint_eq(regs.rip, params->hdr.code32_start + FAKE_ENTRY);
	ck_assert_uint_le(params->hdr.code32_start + FAKE_SIZE, params->hdr.ramdisk_image);
}
END_TEST

START_TEST(test_an_unpacked_kernel_has_five_levels_where_they_can_be)
{
	struct kvm_sregs four = { 0 }, five = { 0 };
	struct kvm_regs regs;

	load_unpacked("nokaslr");
	hb_boot_set_registers(boot, FALSE, &four, &regs);
	hb_boot_set_registers(boot, TRUE, &five, &regs);
	ck_assert_uint_eq(four.cr4, 0x20);
	ck_assert_uint_eq(five.cr4, 0x1020);
	for (guint i = 0; i < G_N_ELEMENTS(mapped); i++) {
		ck_assert_uint_eq(translate(four.cr3, 39, mapped[i]), mapped[i]);
		ck_assert_uint_eq(translate(five.cr3, 48, mapped[i]), mapped[i]);
	}
}
END_TEST

START_TEST(test_no5lvl_keeps_an_unpacked_kernel_at_four)
{
	struct kvm_sregs sregs = { 0 };
	struct kvm_regs regs;

	load_unpacked("nokaslr no5lvl");
	hb_boot_set_registers(boot, TRUE, &sregs, &regs);
	ck_assert_uint_eq(sregs.cr4, 0x20);
}
END_TEST

START_TEST(test_loading_again_undoes_what_the_guest_did)
{
	g_autoptr(GByteArray) tables = g_byte_array_new();

	g_byte_array_append(tables, (const guint8 *)"RSD PTR ", 8);
	load("quiet");
	memset(hb_memory_at(memory, 0x500, 0x40000), 0xff, 0x40000);
	memset(hb_memory_at(memory, 16 * MIB, BODY), 0xff, BODY);
	ck_assert(hb_boot_load(boot, tables, NULL));
	ck_assert_str_eq(hb_memory_at(memory, COMMAND, 6), "quiet");
	ck_assert_mem_eq(hb_memory_at(memory, 16 * MIB, 4), "kkkk", 4);
}
END_TEST

START_TEST(test_a_kernel_file_that_has_shrunk_is_an_error)
{
	g_autofree char *path = g_build_filename(folder, "kernel", NULL);
	g_autoptr(GByteArray) tables = g_byte_array_new();
	g_autoptr(GError) error = NULL;

	load("quiet");
	ck_assert_int_eq(truncate(path, SETUP), 0);
	ck_assert(!hb_boot_load(boot, tables, &error));
	assert_message(error, "shorter than it was");
}
END_TEST

static void add_kernel_tests(Suite *suite)
{
	TCase *tests = tcase_create("kernel");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_kernel_header_is_read);
	tcase_add_loop_test(tests, test_another_image_is_refused, 0, G_N_ELEMENTS(broken));
	tcase_add_test(tests, test_every_truncated_header_is_refused);
	tcase_add_test(tests, test_what_lies_behind_a_short_header_is_not_taken_for_one);
	tcase_add_test(tests, test_a_missing_kernel_is_named);
	tcase_add_test(tests, test_a_folder_is_no_kernel);
	tcase_add_test(tests, test_a_kernel_without_its_body_is_refused);
	tcase_add_test(tests, test_a_missing_initrd_is_named);
	tcase_add_test(tests, test_an_empty_initrd_is_refused);
	tcase_add_test(tests, test_a_command_line_longer_than_the_kernel_takes_is_refused);
	suite_add_tcase(suite, tests);
}

static void add_guest_tests(Suite *suite)
{
	TCase *tests = tcase_create("guest");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_the_kernel_goes_where_it_prefers_to_be);
	tcase_add_test(tests, test_the_kernel_goes_lower_in_a_small_guest);
	tcase_add_test(tests, test_a_guest_too_small_for_the_kernel_is_refused);
	tcase_add_test(tests, test_a_kernel_that_cannot_move_needs_its_place);
	tcase_add_test(tests, test_the_initrd_ends_where_memory_ends);
	tcase_add_test(tests, test_the_initrd_stays_below_what_the_kernel_accepts);
	tcase_add_test(tests, test_an_initrd_that_would_reach_into_the_kernel_is_refused);
	tcase_add_loop_test(tests, test_the_memory_map, 0, G_N_ELEMENTS(map));
	tcase_add_test(tests, test_the_memory_map_is_in_order_without_overlaps);
	tcase_add_test(tests, test_everything_is_where_the_zero_page_says);
	tcase_add_test(tests, test_the_first_vcpu_begins_at_the_64_bit_entry);
	tcase_add_test(tests, test_the_first_4_gib_are_mapped_one_to_one);
	tcase_add_test(tests, test_an_unpacked_kernel_begins_at_its_own_entry);
	tcase_add_test(tests, test_an_unpacked_kernel_is_told_that_its_place_is_random);
	tcase_add_test(tests, test_an_unpacked_kernel_has_five_levels_where_they_can_be);
	tcase_add_test(tests, test_no5lvl_keeps_an_unpacked_kernel_at_four);
	tcase_add_test(tests, test_loading_again_undoes_what_the_guest_did);
	tcase_add_test(tests, test_a_kernel_file_that_has_shrunk_is_an_error);
	suite_add_tcase(suite, tests);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("boot");

	add_kernel_tests(suite);
	add_guest_tests(suite);
	return suite;
}
