/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The methods of ACPI hot-plug, executed by ACPICA's interpreter, whose I/O ports are plain memory:
 * what a method has written can be read back.
 */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/acpi/tools.h"
#include "tests/unit/suite.h"

#include <string.h>

static char *folder;

static void set_up(void)
{
	folder = tools_make_folder();
}

static void tear_down(void)
{
	tools_remove_folder(folder);
}

/* What acpiexec says to @commands. */
static char *run(const char *commands)
{
	g_autoptr(GByteArray) blob = machines_build(MACHINE_ACPI);
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *ssdt = tools_write_table(folder, blob, "SSDT");
	const char *const argv[] = { "acpiexec", "-b", commands, dsdt, ssdt, NULL };
	char *text = tools_run(folder, argv);

	ck_assert_msg(!strstr(text, "ACPI Error") && !strstr(text, "Exception"), "%.2000s", text);
	return text;
}

/* Runs @commands and returns the register's value after them. */
static guint64 get_after(const char *commands, const char *name)
{
	g_autofree char *all = g_strconcat(commands, ";evaluate \\_SB.HBHP.", name, NULL);
	g_autofree char *text = run(all);
	const char *value = g_strrstr(text, "[Integer] = ");

	ck_assert_msg(value != NULL, "%.2000s", text);
	return g_ascii_strtoull(value + strlen("[Integer] = "), NULL, 16);
}

/* The registers of a slot before and behind it stay zero. */
static void assert_only_register_5(const char *commands, guint64 value)
{
	ck_assert_uint_eq(get_after(commands, "S004"), 0);
	ck_assert_uint_eq(get_after(commands, "S005"), value);
	ck_assert_uint_eq(get_after(commands, "S006"), 0);
}

/* As Linux asks first: with the query flag. */
#define HOST_BRIDGE "5b 4d db 33 f7 1f 1c 40 96 57 74 41 c0 3d d7 66"
#define OSC                                                                                        \
	"evaluate \\_SB.PCI0._OSC (" HOST_BRIDGE ") 1 3 "                                          \
	"(01 00 00 00 1f 01 00 00 1d 00 00 00)"

START_TEST(ready_is_told_by_osc_and_not_before)
{
	ck_assert_uint_eq(get_after("help", "HSTG"), HB_ACPI_HOTPLUG_LOADED);
	ck_assert_uint_eq(get_after(OSC, "HSTG"), HB_ACPI_HOTPLUG_READY);
	ck_assert_uint_eq(get_after(OSC ";evaluate \\_SB.HBHP._INI", "HSTG"),
			  HB_ACPI_HOTPLUG_LOADED);
}
END_TEST

START_TEST(ej0_tells_its_own_slot)
{
	assert_only_register_5("evaluate \\_SB.PCI0.RP25.SLOT._EJ0 1", HB_ACPI_HOTPLUG_EJ0);
}
END_TEST

START_TEST(ost_tells_source_and_status)
{
	assert_only_register_5("evaluate \\_SB.PCI0.RP25.SLOT._OST 0x103 0x82 (00)",
			       0x103u << 16 | 0x82 << 8 | HB_ACPI_HOTPLUG_OST);
}
END_TEST

/* The memory holds what _EJ0 wrote, so that is what the next read finds. */
START_TEST(sta_is_what_the_register_reads)
{
	g_autofree char *text = run("evaluate \\_SB.PCI0.RP25.SLOT._EJ0 1;"
				    "evaluate \\_SB.PCI0.RP25.SLOT._STA;"
				    "evaluate \\_SB.PCI0.RP26.SLOT._STA");

	ck_assert_msg(strstr(text, "[Integer] = 0000000000000001") != NULL, "%.2000s", text);
	ck_assert_msg(strstr(text, "[Integer] = 0000000000000000") != NULL, "%.2000s", text);
}
END_TEST

static guint count(const char *text, const char *phrase)
{
	guint n = 0;

	for (const char *at = text; (at = strstr(at, phrase)); at++)
		n++;
	return n;
}

START_TEST(news_reach_the_right_device)
{
	g_autofree char *eject = run("evaluate \\_SB.HBHP.HNOT 5 2");
	g_autofree char *check = run("evaluate \\_SB.HBHP.HNOT 31 1");
	g_autofree char *nobody = run("evaluate \\_SB.HBHP.HNOT 32 1");

	ck_assert_uint_eq(count(eject, "Notify on"), 1);
	ck_assert_msg(strstr(eject, "Notify on [SLOT]") && strstr(eject, "Value 0x03"), "%.2000s",
		      eject);
	ck_assert_uint_eq(count(check, "Notify on"), 1);
	ck_assert_msg(strstr(check, "Notify on [RP3F]") && strstr(check, "Value 0x00"), "%.2000s",
		      check);
	ck_assert_uint_eq(count(nobody, "Notify on"), 0);
}
END_TEST

START_TEST(event_without_news_ends)
{
	g_autofree char *text = run("evaluate \\_GPE._L01");

	ck_assert_uint_eq(count(text, "Notify on"), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("pci-hotplug");
	TCase *tcase = tcase_create("methods");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, ready_is_told_by_osc_and_not_before);
	tcase_add_test(tcase, ej0_tells_its_own_slot);
	tcase_add_test(tcase, ost_tells_source_and_status);
	tcase_add_test(tcase, sta_is_what_the_register_reads);
	tcase_add_test(tcase, news_reach_the_right_device);
	tcase_add_test(tcase, event_without_news_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
