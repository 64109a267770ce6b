/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The scanner cuts a stream: what comes out of it, for bytes that go in. */

#include "vmm/json-scanner.h"

#include "tests/unit/suite.h"

#include <string.h>

/* Feeds @step bytes at a time; values come out as they are, errors as "!message", each on a line.
 */
static char *scan_in_steps(const char *data, gsize length, gsize step)
{
	g_autoptr(HbJsonScanner) scanner = hb_json_scanner_create();
	GString *out = g_string_new(NULL);

	for (gsize at = 0; at < length;) {
		gsize used = 0;
		gsize size;
		HbJsonScan scan = hb_json_scanner_feed(scanner, (const guint8 *)data + at,
						       MIN(step, length - at), &used);

		if (scan == HB_JSON_SCAN_VALUE)
			g_string_append_printf(out, "%s\n",
					       hb_json_scanner_get_text(scanner, &size));
		else if (scan == HB_JSON_SCAN_ERROR)
			g_string_append_printf(out, "!%s\n", hb_json_scanner_get_error(scanner));
		at += used;
	}
	return g_string_free(out, FALSE);
}

static void assert_scans(const char *data, gsize length, const char *expected)
{
	g_autofree char *whole = scan_in_steps(data, length, length);
	g_autofree char *bytewise = scan_in_steps(data, length, 1);

	ck_assert_str_eq(whole, expected);
	ck_assert_str_eq(bytewise, expected);
}

#define assert_text_scans(data, expected) assert_scans(data, sizeof(data) - 1, expected)

START_TEST(values_without_separators_are_cut_apart)
{
	assert_text_scans("{\"a\":1}[2]{}\"s\"{}", "{\"a\":1}\n[2]\n{}\n\"s\"\n{}\n");
}
END_TEST

START_TEST(blanks_between_values_are_dropped)
{
	assert_text_scans(" \t\r\n{}\n \n[]\n", "{}\n[]\n");
}
END_TEST

START_TEST(atom_ends_at_blank_or_bracket)
{
	assert_text_scans("42 true\nnull{}-1.5e3[", "42\ntrue\nnull\n{}\n-1.5e3\n");
}
END_TEST

START_TEST(unfinished_value_waits)
{
	assert_text_scans("{\"a\": [1, ", "");
}
END_TEST

START_TEST(brackets_and_quotes_in_strings_do_not_count)
{
	assert_text_scans("{\"}]\\\"{\":\"[\\\\\"}{}", "{\"}]\\\"{\":\"[\\\\\"}\n{}\n");
}
END_TEST

START_TEST(single_quotes_become_double)
{
	assert_text_scans("{'a':'it\\'s \"b\"'}", "{\"a\":\"it's \\\"b\\\"\"}\n");
}
END_TEST

START_TEST(stray_byte_skips_the_line)
{
	assert_text_scans("} {\"a\":1}\n{}", "!stray '}'\n{}\n");
	assert_text_scans("\xc3\xa4{}\n{}", "!stray byte 0xc3\n{}\n");
}
END_TEST

START_TEST(garbage_line_is_one_error)
{
	assert_text_scans("garbage here {}\n{}",
			  "!'garbage' is neither a number nor true, false or null\n{}\n");
}
END_TEST

START_TEST(control_bytes_are_one_error_for_a_run)
{
	assert_scans("\0\0\0{}", 5, "!stray byte 0x00\n{}\n");
	assert_text_scans("\xff\xff{}\xff[]", "!stray byte 0xff\n{}\n!stray byte 0xff\n[]\n");
}
END_TEST

START_TEST(nul_inside_an_object_is_stray)
{
	assert_scans("{\"a\":\0}\n{}", 10, "!stray byte 0x00\n!stray '}'\n{}\n");
}
END_TEST

START_TEST(half_a_line_ends_at_0xff)
{
	assert_text_scans("{\"execute\": \xff{}", "!stray byte 0xff\n{}\n");
}
END_TEST

START_TEST(string_does_not_span_lines)
{
	assert_text_scans("{\"execute\": \"sto\n{}", "!control character 0x0a in a string\n{}\n");
	assert_text_scans("{\"execute\": \"sto\\\n{}", "!control character 0x0a in a string\n{}\n");
}
END_TEST

START_TEST(mismatched_bracket_skips_the_line)
{
	assert_text_scans("{\"a\": ]} {}\n{}", "!stray ']'\n{}\n");
}
END_TEST

START_TEST(comment_and_assignment_are_no_json)
{
	assert_text_scans("{/* } */}\n{}", "!stray '/'\n{}\n");
	assert_text_scans("var = {}\n[]",
			  "!'var' is neither a number nor true, false or null\n[]\n");
}
END_TEST

START_TEST(bad_atom_refuses_only_its_value)
{
	assert_text_scans("{\"a\":[nope]}{}",
			  "!'nope' is neither a number nor true, false or null\n{}\n");
}
END_TEST

START_TEST(first_of_several_blemishes_is_told)
{
	assert_text_scans("{\"a\":one,\"b\":\"\\q\"}{}",
			  "!'one' is neither a number nor true, false or null\n{}\n");
}
END_TEST

static const char *const bad_numbers[] = {
	"0x10", "010", "+5", "1.", ".5", "1e", "1e+", "--5", "5-", "1.5.5", "-", "NaN", "1e1e1",
};

START_TEST(what_is_no_number_is_refused)
{
	g_autofree char *data = g_strdup_printf("[%s]", bad_numbers[_i]);
	g_autofree char *expected = g_strdup_printf(
		"!'%s' is neither a number nor true, false or null\n", bad_numbers[_i]);

	assert_scans(data, strlen(data), expected);
}
END_TEST

static const char *const good_numbers[] = {
	"0",
	"-0",
	"7",
	"-12",
	"1.5",
	"1e3",
	"1E+3",
	"0.25e-7",
	"9223372036854775807",
	"-9223372036854775808",
};

START_TEST(numbers_pass)
{
	g_autofree char *data = g_strdup_printf("[%s]", good_numbers[_i]);
	g_autofree char *expected = g_strdup_printf("%s\n", data);

	assert_scans(data, strlen(data), expected);
}
END_TEST

START_TEST(number_out_of_range_is_refused)
{
	assert_text_scans("[9223372036854775808]",
			  "!number '9223372036854775808' is out of range\n");
	assert_text_scans("[1e999]", "!number '1e999' is out of range\n");
}
END_TEST

START_TEST(escaped_nul_is_refused)
{
	assert_text_scans("[\"quit\\u0000x\"]{}", "!\\u0000 in a string is not supported\n{}\n");
}
END_TEST

START_TEST(bad_escapes_refuse_only_their_value)
{
	assert_text_scans("[\"\\q\"]{}", "!unknown escape in a string\n{}\n");
	assert_text_scans("[\"\\u12\"]{}", "!\\u in a string wants four hexadecimal digits\n{}\n");
}
END_TEST

START_TEST(good_escapes_pass)
{
	assert_text_scans("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"]",
			  "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"]\n");
}
END_TEST

static char *nest(guint depth)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < depth; i++)
		g_string_append_c(text, '[');
	for (guint i = 0; i < depth; i++)
		g_string_append_c(text, ']');
	return g_string_free(text, FALSE);
}

START_TEST(nesting_up_to_the_limit_passes)
{
	g_autofree char *data = nest(HB_JSON_SCANNER_MAX_NESTING);
	g_autofree char *expected = g_strconcat(data, "\n", NULL);

	assert_scans(data, strlen(data), expected);
}
END_TEST

START_TEST(deeper_nesting_skips_the_line)
{
	g_autofree char *deep = nest(HB_JSON_SCANNER_MAX_NESTING + 1);
	g_autofree char *data = g_strconcat(deep, "\n{}", NULL);

	assert_scans(data, strlen(data), "!nested deeper than 256 levels\n{}\n");
}
END_TEST

/* {"a":"xxx…"} of @size bytes. */
static char *make_value(gsize size)
{
	char *value = g_malloc(size + 1);

	memset(value, 'x', size);
	memcpy(value, "{\"a\":\"", 6);
	memcpy(value + size - 2, "\"}", 3);
	return value;
}

START_TEST(value_of_the_largest_size_passes)
{
	g_autofree char *data = make_value(HB_JSON_SCANNER_MAX_SIZE);
	g_autofree char *expected = g_strconcat(data, "\n", NULL);

	assert_scans(data, strlen(data), expected);
}
END_TEST

START_TEST(larger_value_skips_the_line)
{
	g_autofree char *large = make_value(HB_JSON_SCANNER_MAX_SIZE + 1);
	g_autofree char *data = g_strconcat(large, "\n{}", NULL);

	assert_scans(data, strlen(data), "!larger than 1048576 bytes\n{}\n");
}
END_TEST

START_TEST(destroy_takes_null)
{
	hb_json_scanner_destroy(NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("json-scanner");
	TCase *framing = tcase_create("framing");
	TCase *content = tcase_create("content");
	TCase *limits = tcase_create("limits");

	tcase_add_test(framing, values_without_separators_are_cut_apart);
	tcase_add_test(framing, blanks_between_values_are_dropped);
	tcase_add_test(framing, atom_ends_at_blank_or_bracket);
	tcase_add_test(framing, unfinished_value_waits);
	tcase_add_test(framing, brackets_and_quotes_in_strings_do_not_count);
	tcase_add_test(framing, single_quotes_become_double);
	tcase_add_test(framing, stray_byte_skips_the_line);
	tcase_add_test(framing, garbage_line_is_one_error);
	tcase_add_test(framing, control_bytes_are_one_error_for_a_run);
	tcase_add_test(framing, nul_inside_an_object_is_stray);
	tcase_add_test(framing, half_a_line_ends_at_0xff);
	tcase_add_test(framing, string_does_not_span_lines);
	tcase_add_test(framing, mismatched_bracket_skips_the_line);
	tcase_add_test(framing, comment_and_assignment_are_no_json);
	suite_add_tcase(suite, framing);

	tcase_add_test(content, bad_atom_refuses_only_its_value);
	tcase_add_test(content, first_of_several_blemishes_is_told);
	tcase_add_loop_test(content, what_is_no_number_is_refused, 0, G_N_ELEMENTS(bad_numbers));
	tcase_add_loop_test(content, numbers_pass, 0, G_N_ELEMENTS(good_numbers));
	tcase_add_test(content, number_out_of_range_is_refused);
	tcase_add_test(content, escaped_nul_is_refused);
	tcase_add_test(content, bad_escapes_refuse_only_their_value);
	tcase_add_test(content, good_escapes_pass);
	suite_add_tcase(suite, content);

	tcase_add_test(limits, nesting_up_to_the_limit_passes);
	tcase_add_test(limits, deeper_nesting_skips_the_line);
	tcase_add_test(limits, value_of_the_largest_size_passes);
	tcase_add_test(limits, larger_value_skips_the_line);
	tcase_add_test(limits, destroy_takes_null);
	suite_add_tcase(suite, limits);
	return suite;
}
