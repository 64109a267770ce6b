/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What is packed in a bzImage: found, and unpacked whole or not at all. */

#include "tests/unit/suite.h"
#include "tests/unit/vmm/fake-kernel.h"
#include "vmm/kernel-payload.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 300001 /* several pieces, and no multiple of anything */
#define HOLE 131072 /* zeros in the middle */

static const FakePacker packers[] = { fake_xz, fake_zstd, fake_gzip };

static char *path;
static guint8 *plain;
static int target;

static void set_up(void)
{
	int fd = g_file_open_tmp("kernel-payload-XXXXXX", &path, NULL);
	guint32 state = 1;

	close(fd);
	target = memfd_create("target", MFD_CLOEXEC);
	plain = g_malloc(SIZE);
	for (guint i = 0; i < SIZE; i++) {
		state = state * 1103515245 + 12345;
		plain[i] = i % 3 ? (guint8)(state >> 24) : 0xe8; /* a call, to the x86 filter */
	}
	memset(plain + 65000, 0, HOLE);
}

static void tear_down(void)
{
	close(target);
	g_unlink(path);
	g_free(path);
	g_free(plain);
}

/* A bzImage with that payload; takes @packed. */
static HbBzImage *open_image(GByteArray *packed)
{
	g_autoptr(GByteArray) file = fake_bzimage(packed->data, packed->len);
	HbBzImage *image;

	ck_assert(g_file_set_contents(path, (const char *)file->data, file->len, NULL));
	image = hb_bzimage_open(path, NULL);
	ck_assert_ptr_nonnull(image);
	g_byte_array_unref(packed);
	return image;
}

static gboolean unpack(GByteArray *packed, GError **error)
{
	g_autoptr(HbBzImage) image = open_image(packed);
	g_autoptr(HbKernelPayload) payload = hb_kernel_payload_find(image, NULL);

	ck_assert_ptr_nonnull(payload);
	return hb_kernel_payload_unpack(payload, image, target, error);
}

static void assert_refused(GByteArray *packed, const char *part)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!unpack(packed, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
}

START_TEST(test_a_payload_is_unpacked)
{
	g_autofree guint8 *result = g_malloc(SIZE);
	struct stat status;

	ck_assert(unpack(packers[_i](plain, SIZE), NULL));
	ck_assert_int_eq(fstat(target, &status), 0);
	ck_assert_int_eq(status.st_size, SIZE);
	ck_assert_int_eq(pread(target, result, SIZE, 0), SIZE);
	ck_assert_mem_eq(result, plain, SIZE);
}
END_TEST

START_TEST(test_zeros_are_not_written)
{
	struct stat status;

	ck_assert(unpack(fake_zstd(plain, SIZE), NULL));
	ck_assert_int_eq(fstat(target, &status), 0);
	ck_assert_int_le(status.st_blocks * 512, SIZE - HOLE + 4 * 4096);
}
END_TEST

START_TEST(test_a_payload_that_ends_in_zeros_keeps_its_size)
{
	struct stat status;

	memset(plain + SIZE - HOLE, 0, HOLE);
	ck_assert(unpack(packers[_i](plain, SIZE), NULL));
	ck_assert_int_eq(fstat(target, &status), 0);
	ck_assert_int_eq(status.st_size, SIZE);
}
END_TEST

START_TEST(test_a_payload_tells_its_size_and_sum)
{
	GByteArray *packed = packers[_i](plain, SIZE);
	g_autofree char *sum =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, packed->data, packed->len);
	g_autoptr(HbBzImage) image = open_image(packed);
	g_autoptr(HbKernelPayload) payload = hb_kernel_payload_find(image, NULL);

	ck_assert_uint_eq(payload->unpacked_size, SIZE);
	ck_assert_str_eq(payload->digest, sum);
}
END_TEST

START_TEST(test_a_damaged_payload_is_refused)
{
	GByteArray *packed = packers[_i](plain, SIZE);

	for (guint i = 0; i < 64; i++)
		packed->data[packed->len / 2 + i] ^= 0xff;
	assert_refused(packed, "payload");
}
END_TEST

START_TEST(test_a_payload_that_ends_too_early_is_refused)
{
	GByteArray *packed = packers[_i](plain, SIZE);

	g_byte_array_remove_range(packed, packed->len / 2, packed->len / 2 - 8);
	assert_refused(packed, "payload");
}
END_TEST

START_TEST(test_a_payload_of_another_size_than_it_says_is_refused)
{
	GByteArray *smaller = fake_xz(plain, SIZE), *larger = fake_zstd(plain, SIZE);

	fake_put32(smaller->data + smaller->len - 4, SIZE + 1);
	assert_refused(smaller, "smaller than it says");
	fake_put32(larger->data + larger->len - 4, SIZE - 1);
	assert_refused(larger, "larger than it says");
}
END_TEST

static void assert_not_found(HbBzImage *image, const char *part)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kernel_payload_find(image, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
	hb_bzimage_close(image);
}

START_TEST(test_other_compressions_are_not_ours)
{
	/* bzip2, lzma, lzo, lz4 */
	static const char others[][16] = { "BZh91AY&SY", "\x5d\0\0\0\x04", "\x89LZO\0\r\n\x1a",
					   "\x02!L\x18" };

	for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
		GByteArray *packed = g_byte_array_new();

		g_byte_array_append(packed, (const guint8 *)others[i], sizeof(others[i]));
		assert_not_found(open_image(packed), "compression");
	}
}
END_TEST

START_TEST(test_a_payload_beyond_all_measure_is_not_unpacked)
{
	GByteArray *packed = fake_xz(plain, SIZE);

	fake_put32(packed->data + packed->len - 4, G_MAXUINT32);
	assert_not_found(open_image(packed), "512 MiB");
}
END_TEST

static const struct {
	guint32 offset;
	guint32 length;
} places[] = { { 0, 0 }, { 0, 4 }, { G_MAXUINT32, 100 }, { 0, G_MAXUINT32 }, { 8, 1 << 30 } };

START_TEST(test_a_payload_outside_the_file_is_none)
{
	HbBzImage *image = open_image(fake_xz(plain, SIZE));

	image->header.payload_offset = places[_i].offset;
	image->header.payload_length = places[_i].length;
	assert_not_found(image, "names no payload");
}
END_TEST

START_TEST(test_a_file_that_changes_meanwhile_is_not_unpacked)
{
	g_autoptr(HbBzImage) image = open_image(packers[_i](plain, SIZE));
	g_autoptr(HbKernelPayload) payload = hb_kernel_payload_find(image, NULL);
	g_autoptr(GError) error = NULL;

	payload->digest[63] ^= 1; /* as if other bytes had been found */
	ck_assert(!hb_kernel_payload_unpack(payload, image, target, &error));
	ck_assert_msg(strstr(error->message, "changes") != NULL, "%s", error->message);
}
END_TEST

START_TEST(test_a_full_disk_is_an_error)
{
	GError *error = NULL;

	close(target);
	target = open("/dev/full", O_RDWR | O_CLOEXEC);
	ck_assert(!unpack(fake_xz(plain, SIZE), &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	g_error_free(error);
}
END_TEST

START_TEST(test_room_is_left_on_the_disk)
{
	const HbKernelPayload payload = { .unpacked_size = 40U << 20 };
	const struct statvfs enough = { .f_frsize = 4096, .f_blocks = 30000, .f_bavail = 26624 };
	const struct statvfs less = { .f_frsize = 4096, .f_blocks = 30000, .f_bavail = 26623 };
	const struct statvfs no_bound = { .f_frsize = 4096 };

	ck_assert(hb_kernel_payload_fits(&payload, &enough));
	ck_assert(!hb_kernel_payload_fits(&payload, &less));
	ck_assert(hb_kernel_payload_fits(&payload, &no_bound));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("kernel-payload");
	TCase *tests = tcase_create("payload");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, test_a_payload_is_unpacked, 0, G_N_ELEMENTS(packers));
	tcase_add_test(tests, test_zeros_are_not_written);
	tcase_add_loop_test(tests, test_a_payload_that_ends_in_zeros_keeps_its_size, 0,
			    G_N_ELEMENTS(packers));
	tcase_add_loop_test(tests, test_a_payload_tells_its_size_and_sum, 0, G_N_ELEMENTS(packers));
	tcase_add_loop_test(tests, test_a_damaged_payload_is_refused, 0, G_N_ELEMENTS(packers));
	tcase_add_loop_test(tests, test_a_payload_that_ends_too_early_is_refused, 0,
			    G_N_ELEMENTS(packers));
	tcase_add_test(tests, test_a_payload_of_another_size_than_it_says_is_refused);
	tcase_add_test(tests, test_other_compressions_are_not_ours);
	tcase_add_test(tests, test_a_payload_beyond_all_measure_is_not_unpacked);
	tcase_add_loop_test(tests, test_a_payload_outside_the_file_is_none, 0,
			    G_N_ELEMENTS(places));
	tcase_add_loop_test(tests, test_a_file_that_changes_meanwhile_is_not_unpacked, 0,
			    G_N_ELEMENTS(packers));
	tcase_add_test(tests, test_a_full_disk_is_an_error);
	tcase_add_test(tests, test_room_is_left_on_the_disk);
	suite_add_tcase(suite, tests);
	return suite;
}
