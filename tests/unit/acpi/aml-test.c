/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The encoder against bytes worked out by hand from ACPI r6.5 §20.2. */

#include "acpi/aml.h"
#include "tests/unit/suite.h"

#include <hotbay/pci.h>

#include <string.h>

#define assert_bytes(aml, ...)                                                                     \
	do {                                                                                       \
		const guint8 expected_[] = { __VA_ARGS__ };                                        \
		ck_assert_uint_eq((aml)->len, sizeof(expected_));                                  \
		ck_assert_mem_eq((aml)->data, expected_, sizeof(expected_));                       \
	} while (0)

static GByteArray *aml;

static void set_up(void)
{
	aml = g_byte_array_new();
}

static void tear_down(void)
{
	g_byte_array_unref(aml);
}

/* A block whose contents are @length bytes of 0xaa. */
static void append_block(guint length)
{
	gsize block = hb_aml_begin_else(aml);

	g_byte_array_set_size(aml, aml->len + length);
	memset(aml->data + block, 0xaa, length);
	hb_aml_end(aml, block);
}

START_TEST(integer_zero_and_one_are_opcodes)
{
	hb_aml_append_integer(aml, 0);
	hb_aml_append_integer(aml, 1);
	assert_bytes(aml, 0x00, 0x01);
}
END_TEST

START_TEST(integer_takes_its_shortest_form)
{
	hb_aml_append_integer(aml, 2);
	hb_aml_append_integer(aml, 0xff);
	hb_aml_append_integer(aml, 0x100);
	hb_aml_append_integer(aml, 0xffff);
	hb_aml_append_integer(aml, 0x10000);
	hb_aml_append_integer(aml, 0xffffffff);
	assert_bytes(aml, 0x0a, 0x02, 0x0a, 0xff, 0x0b, 0x00, 0x01, 0x0b, 0xff, 0xff, 0x0c, 0x00,
		     0x00, 0x01, 0x00, 0x0c, 0xff, 0xff, 0xff, 0xff);
}
END_TEST

START_TEST(integer_beyond_32_bits_is_a_qword)
{
	hb_aml_append_integer(aml, G_GUINT64_CONSTANT(0x123456789abcdef0));
	assert_bytes(aml, 0x0e, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34, 0x12);
}
END_TEST

START_TEST(path_of_one_segment_is_padded)
{
	hb_aml_append_path(aml, "_S5");
	assert_bytes(aml, '_', 'S', '5', '_');
}
END_TEST

START_TEST(path_of_two_segments_has_the_dual_prefix)
{
	hb_aml_append_path(aml, "\\_SB.PCI0");
	assert_bytes(aml, '\\', 0x2e, '_', 'S', 'B', '_', 'P', 'C', 'I', '0');
}
END_TEST

START_TEST(path_of_three_segments_has_the_multi_prefix_and_count)
{
	hb_aml_append_path(aml, "^^A.B.C");
	assert_bytes(aml, '^', '^', 0x2f, 3, 'A', '_', '_', '_', 'B', '_', '_', '_', 'C', '_', '_',
		     '_');
}
END_TEST

START_TEST(path_without_segments_is_the_null_name)
{
	hb_aml_append_path(aml, "\\");
	hb_aml_append_path(aml, "");
	assert_bytes(aml, '\\', 0x00, 0x00);
}
END_TEST

START_TEST(pkg_length_of_63_takes_one_byte)
{
	append_block(62);
	ck_assert_uint_eq(aml->len, 1 + 1 + 62);
	ck_assert_uint_eq(aml->data[1], 0x3f);
	ck_assert_uint_eq(aml->data[2], 0xaa);
}
END_TEST

START_TEST(pkg_length_past_63_takes_two_bytes)
{
	append_block(63);
	ck_assert_uint_eq(aml->len, 1 + 2 + 63);
	ck_assert_uint_eq(aml->data[1], 0x41); /* 65 = 0x041 */
	ck_assert_uint_eq(aml->data[2], 0x04);
	ck_assert_uint_eq(aml->data[3], 0xaa);
}
END_TEST

START_TEST(pkg_length_of_4095_takes_two_bytes)
{
	append_block(4093);
	ck_assert_uint_eq(aml->len, 1 + 2 + 4093);
	ck_assert_uint_eq(aml->data[1], 0x4f);
	ck_assert_uint_eq(aml->data[2], 0xff);
}
END_TEST

START_TEST(pkg_length_past_4095_takes_three_bytes)
{
	append_block(4094);
	ck_assert_uint_eq(aml->len, 1 + 3 + 4094);
	ck_assert_uint_eq(aml->data[1], 0x81); /* 4097 = 0x01001 */
	ck_assert_uint_eq(aml->data[2], 0x00);
	ck_assert_uint_eq(aml->data[3], 0x01);
}
END_TEST

START_TEST(pkg_length_of_a_mebibyte_takes_four_bytes)
{
	append_block(0x100000);
	ck_assert_uint_eq(aml->len, 1 + 4 + 0x100000);
	ck_assert_uint_eq(aml->data[1], 0xc4); /* 0x0100004 */
	ck_assert_uint_eq(aml->data[2], 0x00);
	ck_assert_uint_eq(aml->data[3], 0x00);
	ck_assert_uint_eq(aml->data[4], 0x01);
}
END_TEST

START_TEST(string_ends_with_a_zero)
{
	hb_aml_append_string(aml, "ACPI0007");
	assert_bytes(aml, 0x0d, 'A', 'C', 'P', 'I', '0', '0', '0', '7', 0);
}
END_TEST

START_TEST(buffer_counts_its_bytes)
{
	const guint8 data[] = { 1, 2, 3 };

	hb_aml_append_buffer(aml, data, sizeof(data));
	assert_bytes(aml, 0x11, 6, 0x0a, 3, 1, 2, 3);
}
END_TEST

START_TEST(empty_buffer_is_complete)
{
	hb_aml_append_buffer(aml, NULL, 0);
	assert_bytes(aml, 0x11, 2, 0x00);
}
END_TEST

START_TEST(template_ends_with_the_end_tag)
{
	g_autoptr(GByteArray) descriptors = g_byte_array_new();
	const guint8 irq[] = { 0x22, 0x10, 0x00 };

	g_byte_array_append(descriptors, irq, sizeof(irq));
	hb_aml_append_template(aml, descriptors);
	assert_bytes(aml, 0x11, 8, 0x0a, 5, 0x22, 0x10, 0x00, 0x79, 0x00);
}
END_TEST

START_TEST(eisa_id_is_compressed)
{
	hb_aml_append_eisa_id(aml, "PNP0A08");
	assert_bytes(aml, 0x0c, 0x41, 0xd0, 0x0a, 0x08);
}
END_TEST

START_TEST(uuid_has_its_first_three_fields_swapped)
{
	hb_aml_append_uuid(aml, "33db4d5b-1ff7-401c-9657-7441c03dd766");
	assert_bytes(aml, 0x11, 19, 0x0a, 16, 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40, 0x96,
		     0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66);
}
END_TEST

START_TEST(package_of_integers)
{
	gsize package = hb_aml_begin_package(aml, 2);

	hb_aml_append_integer(aml, 5);
	hb_aml_append_integer(aml, 0);
	hb_aml_end(aml, package);
	assert_bytes(aml, 0x12, 5, 2, 0x0a, 5, 0x00);
}
END_TEST

START_TEST(device_in_a_scope)
{
	gsize scope = hb_aml_begin_scope(aml, "\\_SB");
	gsize device = hb_aml_begin_device(aml, "COM1");

	hb_aml_append_name(aml, "_UID");
	hb_aml_append_integer(aml, 1);
	hb_aml_end(aml, device);
	hb_aml_end(aml, scope);
	assert_bytes(aml, 0x10, 19, '\\', '_', 'S', 'B', '_', 0x5b, 0x82, 11, 'C', 'O', 'M', '1',
		     0x08, '_', 'U', 'I', 'D', 0x01);
}
END_TEST

START_TEST(method_flags_hold_arguments_and_serialization)
{
	gsize method = hb_aml_begin_method(aml, "_OSC", 4, TRUE);

	hb_aml_append_op(aml, HB_AML_RETURN);
	hb_aml_append_arg(aml, 3);
	hb_aml_end(aml, method);

	method = hb_aml_begin_method(aml, "_STA", 0, FALSE);
	hb_aml_end(aml, method);
	assert_bytes(aml, 0x14, 8, '_', 'O', 'S', 'C', 0x0c, 0xa4, 0x6b, 0x14, 6, '_', 'S', 'T',
		     'A', 0x00);
}
END_TEST

START_TEST(if_and_else)
{
	gsize block = hb_aml_begin_if(aml);

	hb_aml_append_op(aml, HB_AML_LNOT);
	hb_aml_append_op(aml, HB_AML_LEQUAL);
	hb_aml_append_arg(aml, 0);
	hb_aml_append_integer(aml, 1);
	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_integer(aml, 0);
	hb_aml_append_local(aml, 7);
	hb_aml_end(aml, block);
	block = hb_aml_begin_else(aml);
	hb_aml_append_op(aml, HB_AML_RETURN);
	hb_aml_append_local(aml, 0);
	hb_aml_end(aml, block);
	assert_bytes(aml, 0xa0, 8, 0x92, 0x93, 0x68, 0x01, 0x70, 0x00, 0x67, 0xa1, 3, 0xa4, 0x60);
}
END_TEST

START_TEST(while_loop_with_a_notification)
{
	gsize loop = hb_aml_begin_while(aml);

	hb_aml_append_local(aml, 0);
	hb_aml_append_op(aml, HB_AML_NOTIFY);
	hb_aml_append_path(aml, "RP20");
	hb_aml_append_integer(aml, 3);
	hb_aml_end(aml, loop);
	assert_bytes(aml, 0xa2, 9, 0x60, 0x86, 'R', 'P', '2', '0', 0x0a, 3);
}
END_TEST

START_TEST(io_region_with_its_fields)
{
	hb_aml_append_io_region(aml, "HPIO", 0x700, 8);
	gsize field = hb_aml_begin_dword_field(aml, "HPIO");

	hb_aml_append_field_unit(aml, "A", 32);
	hb_aml_append_field_unit(aml, "B", 8);
	hb_aml_end(aml, field);
	assert_bytes(aml, 0x5b, 0x80, 'H', 'P', 'I', 'O', 0x01, 0x0b, 0x00, 0x07, 0x0a, 8, 0x5b,
		     0x81, 16, 'H', 'P', 'I', 'O', 0x43, 'A', '_', '_', '_', 32, 'B', '_', '_', '_',
		     8);
}
END_TEST

START_TEST(address_of_a_function)
{
	hb_aml_append_adr(aml, HB_PCI_DEVFN(4, 1));
	assert_bytes(aml, 0x08, '_', 'A', 'D', 'R', 0x0c, 0x01, 0x00, 0x04, 0x00);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("aml");
	TCase *tcase = tcase_create("encoder");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, integer_zero_and_one_are_opcodes);
	tcase_add_test(tcase, integer_takes_its_shortest_form);
	tcase_add_test(tcase, integer_beyond_32_bits_is_a_qword);
	tcase_add_test(tcase, path_of_one_segment_is_padded);
	tcase_add_test(tcase, path_of_two_segments_has_the_dual_prefix);
	tcase_add_test(tcase, path_of_three_segments_has_the_multi_prefix_and_count);
	tcase_add_test(tcase, path_without_segments_is_the_null_name);
	tcase_add_test(tcase, pkg_length_of_63_takes_one_byte);
	tcase_add_test(tcase, pkg_length_past_63_takes_two_bytes);
	tcase_add_test(tcase, pkg_length_of_4095_takes_two_bytes);
	tcase_add_test(tcase, pkg_length_past_4095_takes_three_bytes);
	tcase_add_test(tcase, pkg_length_of_a_mebibyte_takes_four_bytes);
	tcase_add_test(tcase, string_ends_with_a_zero);
	tcase_add_test(tcase, buffer_counts_its_bytes);
	tcase_add_test(tcase, empty_buffer_is_complete);
	tcase_add_test(tcase, template_ends_with_the_end_tag);
	tcase_add_test(tcase, eisa_id_is_compressed);
	tcase_add_test(tcase, uuid_has_its_first_three_fields_swapped);
	tcase_add_test(tcase, package_of_integers);
	tcase_add_test(tcase, device_in_a_scope);
	tcase_add_test(tcase, method_flags_hold_arguments_and_serialization);
	tcase_add_test(tcase, if_and_else);
	tcase_add_test(tcase, while_loop_with_a_notification);
	tcase_add_test(tcase, io_region_with_its_fields);
	tcase_add_test(tcase, address_of_a_function);
	suite_add_tcase(suite, tcase);
	return suite;
}
