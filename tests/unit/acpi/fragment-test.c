/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The SSDT beside tables of an embedder's own, which ACPICA's compiler makes here, executed by its
 * interpreter. I/O ports are plain memory there: what a method has written can be read back.
 */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/acpi/tools.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <string.h>

#define BRIDGE	"\\_SB.BRD0.PC01"
#define N_SLOTS 2

/* A host bridge that is not where the library would put it, and has an _INI of its own. */
#define OWN_DSDT(in_bridge, beside)                                                                \
	"DefinitionBlock (\"\", \"DSDT\", 2, \"OTHERS\", \"OWN\", 1) {\n"                          \
	" External (\\_SB.HBHP.REDY, MethodObj)\n"                                                 \
	" External (\\_SB.HBHP.NEWS, MethodObj)\n"                                                 \
	" Device (\\_SB.BRD0) {\n"                                                                 \
	"  Name (_HID, \"ACPI0004\")\n"                                                            \
	"  Name (_UID, Zero)\n"                                                                    \
	"  Device (PC01) {\n"                                                                      \
	"   Name (_HID, EisaId (\"PNP0A08\"))\n"                                                   \
	"   Name (_UID, One)\n"                                                                    \
	"   Name (_SEG, One)\n"                                                                    \
	"   Name (_BBN, Zero)\n"                                                                   \
	"   Method (_INI) { }\n" in_bridge "  }\n"                                                 \
	" }\n" beside "}\n"

#define OWN_OSC                                                                                    \
	"Method (_OSC, 4) {\n"                                                                     \
	" If (Arg0 == ToUUID (\"33db4d5b-1ff7-401c-9657-7441c03dd766\")) {\n"                      \
	"  \\_SB.HBHP.REDY ()\n"                                                                   \
	" }\n"                                                                                     \
	" Return (Arg3)\n"                                                                         \
	"}\n"

#define OWN_EVENT                                                                                  \
	"Device (\\_SB.GED0) {\n"                                                                  \
	" Name (_HID, \"ACPI0013\")\n"                                                             \
	" Name (_UID, Zero)\n"                                                                     \
	" Name (_CRS, ResourceTemplate () {\n"                                                     \
	"  Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) { 20 }\n"                    \
	" })\n"                                                                                    \
	" Method (_EVT, 1, Serialized) { \\_SB.HBHP.NEWS () }\n"                                   \
	"}\n"

#define HOST_BRIDGE "5b 4d db 33 f7 1f 1c 40 96 57 74 41 c0 3d d7 66"
#define OSC                                                                                        \
	"evaluate " BRIDGE "._OSC (" HOST_BRIDGE ") 1 3 "                                          \
	"(00 00 00 00 1f 01 00 00 1d 00 00 00)"

static const HbAcpiSlot slots[N_SLOTS] = { { 0x20, 1, 0 }, { 0x28, 7, 5 } };

static const HbAcpiSsdt native = {
	.bridge = BRIDGE,
	.slots = slots,
	.n_slots = N_SLOTS,
	.native_hotplug = TRUE,
	.osc = TRUE,
};

static const HbAcpiSsdt acpi = {
	.bridge = BRIDGE,
	.slots = slots,
	.n_slots = N_SLOTS,
	.hotplug_base = 0x700,
	.osc = TRUE,
	.has_gpe = TRUE,
	.gpe = 0x2a,
};

static char *folder;

static void set_up(void)
{
	folder = tools_make_folder();
}

static void tear_down(void)
{
	tools_remove_folder(folder);
}

static void write_ssdt(const HbAcpiSsdt *ssdt)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) table = hb_acpi_build_ssdt(ssdt, &error);

	ck_assert_msg(table != NULL, "%s", error ? error->message : "no error is set");
	tools_write(folder, "SSDT.dat", (const char *)table->data, table->len);
}

/* What the interpreter says to @commands on a machine with these two tables. */
static char *execute(const char *own_dsdt, const HbAcpiSsdt *ssdt, const char *commands)
{
	const char *const compile[] = { "iasl", "-p", "DSDT", "own.asl", NULL };
	const char *const interpret[] = {
		"acpiexec", "-b", commands, "DSDT.aml", "SSDT.dat", NULL
	};

	tools_write(folder, "own.asl", own_dsdt, strlen(own_dsdt));
	write_ssdt(ssdt);
	g_free(tools_run(folder, compile));
	return tools_run(folder, interpret);
}

/* Likewise, and without an error. */
static char *run(const char *own_dsdt, const HbAcpiSsdt *ssdt, const char *commands)
{
	char *text = execute(own_dsdt, ssdt, commands);

	ck_assert_msg(!strstr(text, "ACPI Error") && !strstr(text, "Exception") &&
			      strstr(text, "2 ACPI AML tables successfully acquired and loaded"),
		      "%.2000s", text);
	return text;
}

/* The last integer that a command has evaluated to. */
static guint64 get_after(const char *own_dsdt, const HbAcpiSsdt *ssdt, const char *commands)
{
	g_autofree char *text = run(own_dsdt, ssdt, commands);
	const char *value = g_strrstr(text, "[Integer] = ");

	ck_assert_msg(value != NULL, "%.2000s", text);
	return g_ascii_strtoull(value + strlen("[Integer] = "), NULL, 16);
}

START_TEST(native_slots_need_osc_and_nothing_else)
{
	const char *dsdt = OWN_DSDT("", "");

	ck_assert_uint_eq(get_after(dsdt, &native, OSC ";evaluate " BRIDGE ".HBCT"), 0x1d);
	g_autofree char *text = run(dsdt, &native, "namespace");
	ck_assert_msg(!strstr(text, "HBHP") && !strstr(text, "RP20"), "%.4000s", text);
}
END_TEST

START_TEST(acpi_slots_are_below_the_embedders_bridge)
{
	const char *dsdt = OWN_DSDT("", "");

	ck_assert_uint_eq(get_after(dsdt, &acpi,
				    "evaluate " BRIDGE ".RP28.SLOT._EJ0 1;"
				    "evaluate \\_SB.HBHP.S005"),
			  HB_ACPI_HOTPLUG_EJ0);
	ck_assert_uint_eq(get_after(dsdt, &acpi,
				    "evaluate " BRIDGE ".RP28.SLOT._EJ0 1;"
				    "evaluate " BRIDGE ".RP28.SLOT._STA"),
			  HB_ACPI_HOTPLUG_EJ0);
	ck_assert_uint_eq(get_after(dsdt, &acpi, "evaluate " BRIDGE ".RP28.SLOT._SUN"), 7);
	ck_assert_uint_eq(get_after(dsdt, &acpi, "evaluate " BRIDGE ".RP28._ADR"), 0x50000);
	ck_assert_uint_eq(get_after(dsdt, &acpi, OSC ";evaluate " BRIDGE ".HBCT"), 0x1c);
	ck_assert_uint_eq(get_after(dsdt, &acpi, OSC ";evaluate \\_SB.HBHP.HSTG"),
			  HB_ACPI_HOTPLUG_READY);
}
END_TEST

START_TEST(news_are_notified_to_them)
{
	g_autofree char *text =
		run(OWN_DSDT("", ""), &acpi, "evaluate \\_SB.HBHP.HNOT 5 2;evaluate \\_GPE._L2A");

	ck_assert_msg(strstr(text, "Notify on [SLOT]") && strstr(text, "Value 0x03"), "%.2000s",
		      text);
}
END_TEST

START_TEST(an_osc_of_the_embedders_own_tells_that_pci_is_enumerated)
{
	const char *dsdt = OWN_DSDT(OWN_OSC, "");
	HbAcpiSsdt ssdt = acpi;

	ssdt.osc = FALSE;
	ck_assert_uint_eq(get_after(dsdt, &ssdt, "evaluate \\_SB.HBHP.HSTG"),
			  HB_ACPI_HOTPLUG_LOADED);
	ck_assert_uint_eq(get_after(dsdt, &ssdt, OSC ";evaluate \\_SB.HBHP.HSTG"),
			  HB_ACPI_HOTPLUG_READY);
}
END_TEST

START_TEST(an_event_of_the_embedders_own_takes_the_news)
{
	HbAcpiSsdt ssdt = acpi;

	ssdt.has_gpe = FALSE;

	const char *dsdt = OWN_DSDT("", OWN_EVENT);
	g_autofree char *text = run(dsdt, &ssdt, "evaluate \\_SB.GED0._EVT 20;namespace;quit");
	/* The interpreter's own trace is an allocation that it misses at its end: an error. */
	g_autofree char *traced = execute(
		dsdt, &ssdt, "trace method " HB_ACPI_NEWS_METHOD ";evaluate \\_SB.GED0._EVT 20");

	ck_assert_msg(!strstr(text, "_L"), "%.4000s", text);
	ck_assert_msg(strstr(traced, "Method End") && strstr(traced, HB_ACPI_NEWS_METHOD "] exec"),
		      "%.4000s", traced);
}
END_TEST

START_TEST(a_whole_machine_has_the_same_table)
{
	const HbAcpiMachine machine = machines_get(MACHINE_ACPI);
	const HbAcpiSsdt ssdt = {
		.bridge = "\\_SB.PCI0",
		.slots = machine.slots,
		.n_slots = machine.n_slots,
		.hotplug_base = machine.hotplug_base,
		.osc = TRUE,
		.has_gpe = TRUE,
		.gpe = HB_ACPI_HOTPLUG_GPE,
	};
	g_autoptr(GByteArray) blob = machines_build(MACHINE_ACPI);
	g_autoptr(GByteArray) table = hb_acpi_build_ssdt(&ssdt, NULL);
	gsize length;
	const guint8 *whole = machines_find(blob, "SSDT", &length);

	ck_assert_uint_eq(table->len, length);
	ck_assert_mem_eq(table->data, whole, length);
}
END_TEST

static void assert_refused(const HbAcpiSsdt *ssdt, const char *word)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_acpi_build_ssdt(ssdt, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	ck_assert_msg(strstr(error->message, word) != NULL, "%s: no '%s'", error->message, word);
}

START_TEST(the_bridge_must_be_a_whole_path)
{
	static const char *const wrong[] = { "",
					     "\\",
					     "PCI0",
					     "\\_SB.",
					     "\\_SB..PCI0",
					     "\\_SB.TOOLONG",
					     "\\_SB.PCI0\n",
					     "\\_SB.0PCI",
					     "^PCI0" };
	HbAcpiSsdt ssdt = acpi;

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		ssdt.bridge = wrong[i];
		assert_refused(&ssdt, "bridge is '");
	}
	ssdt.bridge = NULL;
	assert_refused(&ssdt, "bridge is '(null)'");
}
END_TEST

START_TEST(what_cannot_be_said_is_refused)
{
	HbAcpiSsdt ssdt = native;

	ssdt.osc = FALSE;
	assert_refused(&ssdt, "nothing to say");
	ssdt = native;
	ssdt.hotplug_base = 0x700;
	assert_refused(&ssdt, "native_hotplug");
	ssdt = acpi;
	ssdt.hotplug_base = 0x702;
	assert_refused(&ssdt, "hotplug_base 0x702");
}
END_TEST

START_TEST(what_is_granted_depends_on_the_mode_and_on_what_is_asked_for)
{
	ck_assert_uint_eq(hb_acpi_grant_control(0xffffffff, TRUE), 0x1d);
	ck_assert_uint_eq(hb_acpi_grant_control(0xffffffff, FALSE), 0x1c);
	ck_assert_uint_eq(hb_acpi_grant_control(HB_ACPI_OSC_PME, TRUE), HB_ACPI_OSC_PME);
	ck_assert_uint_eq(hb_acpi_grant_control(0, TRUE), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("fragment");
	TCase *beside = tcase_create("beside an embedder's tables");
	TCase *refusals = tcase_create("what is said and what is refused");

	tcase_set_timeout(beside, 60);
	tcase_add_checked_fixture(beside, set_up, tear_down);
	tcase_add_test(beside, native_slots_need_osc_and_nothing_else);
	tcase_add_test(beside, acpi_slots_are_below_the_embedders_bridge);
	tcase_add_test(beside, news_are_notified_to_them);
	tcase_add_test(beside, an_osc_of_the_embedders_own_tells_that_pci_is_enumerated);
	tcase_add_test(beside, an_event_of_the_embedders_own_takes_the_news);
	tcase_add_test(refusals, a_whole_machine_has_the_same_table);
	tcase_add_test(refusals, the_bridge_must_be_a_whole_path);
	tcase_add_test(refusals, what_cannot_be_said_is_refused);
	tcase_add_test(refusals, what_is_granted_depends_on_the_mode_and_on_what_is_asked_for);
	suite_add_tcase(suite, beside);
	suite_add_tcase(suite, refusals);
	return suite;
}
