/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The host object: what it keeps of the embedder, and which guest memory it accepts. */

#include "hw/host.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#define PAGE 0x1000

static FakeHost *fake;

static void setup(void)
{
	fake = fake_host_create();
}

static void teardown(void)
{
	fake_host_destroy(fake);
}

static gboolean add_ram(guint64 gpa, guint64 size, guint64 hva, GError **error)
{
	HbRam ram = { .gpa = gpa, .size = size, .hva = (gpointer)(guintptr)hva };

	return hb_host_add_ram(fake->host, &ram, error);
}

START_TEST(opaque_is_given_back)
{
	ck_assert_ptr_eq(hb_host_get_opaque(fake->host), fake);
}
END_TEST

START_TEST(context_is_given_back)
{
	ck_assert_ptr_eq(hb_host_get_context(fake->host), fake->context);
}
END_TEST

START_TEST(no_context_means_the_default_one)
{
	HbHost *host = hb_host_create(hb_host_get_ops(fake->host), NULL, NULL);

	ck_assert_ptr_eq(hb_host_get_context(host), g_main_context_default());
	hb_host_destroy(host);
}
END_TEST

START_TEST(destroying_nothing_is_harmless)
{
	hb_host_destroy(NULL);
}
END_TEST

START_TEST(ram_is_listed_in_ascending_order)
{
	guint n;

	ck_assert(add_ram(0x100000000, PAGE, 0x30000, NULL));
	ck_assert(add_ram(0, 0x100000, 0x10000, NULL));
	ck_assert(add_ram(0x100000, PAGE, 0x20000, NULL));

	const HbRam *ram = hb_host_get_ram(fake->host, &n);

	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(ram[0].gpa, 0);
	ck_assert_uint_eq(ram[1].gpa, 0x100000);
	ck_assert_uint_eq(ram[2].gpa, 0x100000000);
	ck_assert_ptr_eq(ram[2].hva, (gpointer)(guintptr)0x30000);
}
END_TEST

static const struct {
	guint64 gpa, size, hva;
} misdeclared[] = {
	{ 0x200, PAGE, PAGE },		    /* address not on a page */
	{ 0, 0x800, PAGE },		    /* size not of pages */
	{ 0, PAGE, 0x1080 },		    /* mapping not on a page */
	{ 0, 0, PAGE },			    /* empty */
	{ 0, PAGE, 0 },			    /* not mapped */
	{ -(guint64)PAGE, 2 * PAGE, PAGE }, /* beyond the last address */
};

START_TEST(misdeclared_ram_is_refused)
{
	g_autoptr(GError) error = NULL;
	guint n;

	ck_assert(!add_ram(misdeclared[_i].gpa, misdeclared[_i].size, misdeclared[_i].hva, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	hb_host_get_ram(fake->host, &n);
	ck_assert_uint_eq(n, 0);
}
END_TEST

static const struct {
	guint64 gpa, size;
} overlapping[] = {
	{ 0x10000, PAGE },     /* the first page */
	{ 0x1f000, 2 * PAGE }, /* the last, and one more */
	{ 0xf000, 2 * PAGE },  /* one before, and the first */
	{ 0, 0x100000 },       /* all of it */
	{ 0x14000, PAGE },     /* in the middle */
};

START_TEST(ram_declared_twice_is_refused)
{
	g_autoptr(GError) error = NULL;
	guint n;

	ck_assert(add_ram(0x10000, 0x10000, PAGE, NULL));
	ck_assert(add_ram(0x200000, 0x10000, PAGE, NULL));
	ck_assert(!add_ram(overlapping[_i].gpa, overlapping[_i].size, PAGE, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	hb_host_get_ram(fake->host, &n);
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(log_lines_reach_the_embedder)
{
	hb_host_log(fake->host, G_LOG_LEVEL_WARNING, "drive %u of %s", 3, "bay0");

	ck_assert_str_eq(fake->log->str, "drive 3 of bay0\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, opaque_is_given_back);
	tcase_add_test(tcase, context_is_given_back);
	tcase_add_test(tcase, no_context_means_the_default_one);
	tcase_add_test(tcase, destroying_nothing_is_harmless);
	tcase_add_test(tcase, ram_is_listed_in_ascending_order);
	tcase_add_loop_test(tcase, misdeclared_ram_is_refused, 0, G_N_ELEMENTS(misdeclared));
	tcase_add_loop_test(tcase, ram_declared_twice_is_refused, 0, G_N_ELEMENTS(overlapping));
	tcase_add_test(tcase, log_lines_reach_the_embedder);
	suite_add_tcase(suite, tcase);
	return suite;
}
