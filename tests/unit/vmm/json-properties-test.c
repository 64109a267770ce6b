/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Properties in JSON. */

#include "tests/unit/suite.h"
#include "vmm/json-properties.h"

START_TEST(test_json_scalars_become_texts)
{
	g_autoptr(HbProperties) properties = hb_json_properties_parse(
		"{\"id\": \"d0\", \"multifunction\": true, \"slot\": 3}", NULL);

	ck_assert_ptr_nonnull(properties);
	ck_assert_str_eq(hb_properties_take(properties, "id"), "d0");
	ck_assert_str_eq(hb_properties_take(properties, "multifunction"), "on");
	ck_assert_str_eq(hb_properties_take(properties, "slot"), "3");
}
END_TEST

static const char *const bad_json[] = {
	"{", "[]", "3", "", "{\"id\": null}", "{\"id\": []}", "{\"id\": {}}", "{\"id\": 1.5}"
};

START_TEST(test_other_json_is_refused)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_json_properties_parse(bad_json[_i], &error));
	ck_assert_ptr_nonnull(error);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("json-properties");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, test_json_scalars_become_texts);
	tcase_add_loop_test(tests, test_other_json_is_refused, 0, G_N_ELEMENTS(bad_json));
	suite_add_tcase(suite, tests);
	return suite;
}
