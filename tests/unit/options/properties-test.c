/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* QEMU's option syntax. */

#include "tests/unit/suite.h"

#include <hotbay/properties.h>
#include <string.h>

static HbProperties *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	HbProperties *properties = hb_properties_parse(text, NULL, &error);

	ck_assert_msg(properties != NULL, "%s", error ? error->message : text);
	return properties;
}

static void assert_message(const GError *error, const char *part)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, part) != NULL, "'%s' is not in '%s'", part,
		      error->message);
}

START_TEST(test_values_are_found_by_name)
{
	g_autoptr(HbProperties) properties = parse("a=1,b=two");

	ck_assert_str_eq(hb_properties_take(properties, "b"), "two");
	ck_assert_str_eq(hb_properties_take(properties, "a"), "1");
	ck_assert_ptr_null(hb_properties_take(properties, "c"));
}
END_TEST

START_TEST(test_two_commas_stand_for_one)
{
	g_autoptr(HbProperties) properties = parse("path=/a,,b,,,next=1");

	ck_assert_str_eq(hb_properties_take(properties, "path"), "/a,b,");
	ck_assert_str_eq(hb_properties_take(properties, "next"), "1");
}
END_TEST

START_TEST(test_a_value_may_hold_an_equals_sign)
{
	g_autoptr(HbProperties) properties = parse("path=a=b");

	ck_assert_str_eq(hb_properties_take(properties, "path"), "a=b");
}
END_TEST

START_TEST(test_a_name_alone_means_on)
{
	g_autoptr(HbProperties) properties = parse("server");
	gboolean value = FALSE;

	ck_assert(hb_properties_take_bool(properties, "server", &value, NULL));
	ck_assert(value);
}
END_TEST

START_TEST(test_the_first_value_may_come_without_its_name)
{
	g_autoptr(HbProperties) properties = hb_properties_parse("q35,accel=kvm", "type", NULL);

	ck_assert_str_eq(hb_properties_take(properties, "type"), "q35");
	ck_assert_str_eq(hb_properties_take(properties, "accel"), "kvm");
}
END_TEST

START_TEST(test_a_repeated_name_is_refused)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_properties_parse("a=1,a=2", NULL, &error));
	assert_message(error, "'a' is given twice");
}
END_TEST

START_TEST(test_an_empty_name_is_refused)
{
	ck_assert_ptr_null(hb_properties_parse("=1", NULL, NULL));
	ck_assert_ptr_null(hb_properties_parse("a=1,,,=", NULL, NULL));
}
END_TEST

START_TEST(test_what_nobody_took_is_refused_by_name)
{
	g_autoptr(HbProperties) properties = parse("a=1,rombar=0");
	g_autoptr(GError) error = NULL;

	hb_properties_take(properties, "a");
	ck_assert(!hb_properties_finish(properties, "vfio-pci", &error));
	assert_message(error, "'rombar' of vfio-pci");
}
END_TEST

START_TEST(test_all_taken_is_accepted)
{
	g_autoptr(HbProperties) properties = parse("a=1");

	hb_properties_take(properties, "a");
	ck_assert(hb_properties_finish(properties, "vfio-pci", NULL));
}
END_TEST

static const struct {
	const char *text;
	gboolean good;
	gboolean value;
} switches[] = {
	{ "x=on", TRUE, TRUE },	     { "x=yes", TRUE, TRUE }, { "x=true", TRUE, TRUE },
	{ "x=off", TRUE, FALSE },    { "x=no", TRUE, FALSE }, { "x=false", TRUE, FALSE },
	{ "x=1", FALSE, FALSE },     { "x=", FALSE, FALSE },  { "x=ON", FALSE, FALSE },
	{ "x=maybe", FALSE, FALSE },
};

START_TEST(test_switch)
{
	g_autoptr(HbProperties) properties = parse(switches[_i].text);
	gboolean value = !switches[_i].value;

	ck_assert_int_eq(hb_properties_take_bool(properties, "x", &value, NULL), switches[_i].good);
	if (switches[_i].good)
		ck_assert_int_eq(value, switches[_i].value);
}
END_TEST

static const struct {
	const char *text;
	gboolean good;
	guint64 value;
} numbers[] = {
	{ "x=3", TRUE, 3 },	{ "x=100", TRUE, 100 }, { "x=0x10", TRUE, 16 },
	{ "x=2", FALSE, 0 },	{ "x=101", FALSE, 0 },	{ "x=", FALSE, 0 },
	{ "x=4 ", FALSE, 0 },	{ "x=-4", FALSE, 0 },	{ "x=+4", FALSE, 0 },
	{ "x=four", FALSE, 0 }, { "x=0x", FALSE, 0 },	{ "x=99999999999999999999", FALSE, 0 },
};

START_TEST(test_number_from_3_to_100)
{
	g_autoptr(HbProperties) properties = parse(numbers[_i].text);
	guint64 value = 7;

	ck_assert_int_eq(hb_properties_take_uint(properties, "x", 3, 100, &value, NULL),
			 numbers[_i].good);
	ck_assert_uint_eq(value, numbers[_i].good ? numbers[_i].value : 7);
}
END_TEST

static const struct {
	const char *text;
	gboolean good;
	guint64 value;
} sizes[] = {
	{ "x=1", TRUE, 1ULL << 20 },	{ "x=1G", TRUE, 1ULL << 30 }, { "x=1g", TRUE, 1ULL << 30 },
	{ "x=1.5G", TRUE, 3ULL << 29 }, { "x=4096B", TRUE, 4096 },    { "x=2T", TRUE, 2ULL << 40 },
	{ "x=16K", TRUE, 16 << 10 },	{ "x=0", TRUE, 0 },	      { "x=-1G", FALSE, 0 },
	{ "x=1GB", FALSE, 0 },		{ "x=G", FALSE, 0 },	      { "x=", FALSE, 0 },
	{ "x=nan", FALSE, 0 },		{ "x=inf", FALSE, 0 },	      { "x=9999999999T", FALSE, 0 },
	{ "x=1X", FALSE, 0 },		{ "x= 1", FALSE, 0 },
};

START_TEST(test_size_in_mebibytes)
{
	g_autoptr(HbProperties) properties = parse(sizes[_i].text);
	guint64 value = 7;

	ck_assert_int_eq(hb_properties_take_size(properties, "x", 'M', &value, NULL),
			 sizes[_i].good);
	ck_assert_uint_eq(value, sizes[_i].good ? sizes[_i].value : 7);
}
END_TEST

START_TEST(test_what_is_not_given_leaves_the_default)
{
	g_autoptr(HbProperties) properties = parse("");
	gboolean flag = TRUE;
	guint64 number = 5;

	ck_assert(hb_properties_take_bool(properties, "x", &flag, NULL));
	ck_assert(hb_properties_take_uint(properties, "x", 10, 20, &number, NULL));
	ck_assert(hb_properties_take_size(properties, "x", 'M', &number, NULL));
	ck_assert(flag);
	ck_assert_uint_eq(number, 5);
}
END_TEST

START_TEST(test_values_may_come_one_by_one)
{
	g_autoptr(HbProperties) properties = hb_properties_create();

	ck_assert(hb_properties_add(properties, "path", "/a,b", NULL));
	ck_assert(hb_properties_add(properties, "empty", "", NULL));

	ck_assert_str_eq(hb_properties_take(properties, "path"), "/a,b");
	ck_assert_str_eq(hb_properties_take(properties, "empty"), "");
	ck_assert(hb_properties_finish(properties, "-x", NULL));
}
END_TEST

START_TEST(test_one_by_one_a_repeated_or_empty_name_is_refused)
{
	g_autoptr(HbProperties) properties = hb_properties_create();
	g_autoptr(GError) error = NULL;

	ck_assert(hb_properties_add(properties, "a", "1", NULL));
	ck_assert(!hb_properties_add(properties, "a", "2", &error));
	assert_message(error, "'a' is given twice");
	ck_assert(!hb_properties_add(properties, "", "2", NULL));
	ck_assert_str_eq(hb_properties_take(properties, "a"), "1");
}
END_TEST

START_TEST(test_a_missing_or_empty_required_value_is_named)
{
	g_autoptr(HbProperties) properties = parse("host=");
	g_autoptr(GError) missing = NULL;
	g_autoptr(GError) empty = NULL;
	const char *value;

	ck_assert(!hb_properties_take_required(properties, "id", &value, &missing));
	ck_assert(!hb_properties_take_required(properties, "host", &value, &empty));
	assert_message(missing, "'id' is missing");
	assert_message(empty, "'host' is missing");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("properties");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, test_values_are_found_by_name);
	tcase_add_test(tests, test_two_commas_stand_for_one);
	tcase_add_test(tests, test_a_value_may_hold_an_equals_sign);
	tcase_add_test(tests, test_a_name_alone_means_on);
	tcase_add_test(tests, test_the_first_value_may_come_without_its_name);
	tcase_add_test(tests, test_a_repeated_name_is_refused);
	tcase_add_test(tests, test_an_empty_name_is_refused);
	tcase_add_test(tests, test_what_nobody_took_is_refused_by_name);
	tcase_add_test(tests, test_all_taken_is_accepted);
	tcase_add_loop_test(tests, test_switch, 0, G_N_ELEMENTS(switches));
	tcase_add_loop_test(tests, test_number_from_3_to_100, 0, G_N_ELEMENTS(numbers));
	tcase_add_loop_test(tests, test_size_in_mebibytes, 0, G_N_ELEMENTS(sizes));
	tcase_add_test(tests, test_what_is_not_given_leaves_the_default);
	tcase_add_test(tests, test_values_may_come_one_by_one);
	tcase_add_test(tests, test_one_by_one_a_repeated_or_empty_name_is_refused);
	tcase_add_test(tests, test_a_missing_or_empty_required_value_is_named);
	suite_add_tcase(suite, tests);
	return suite;
}
