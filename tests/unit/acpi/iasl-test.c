/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The acceptance test: ACPICA reads every table of every machine without a complaint. Its compiler,
 * given what its disassembler makes of a table, arrives at the same bytes; its interpreter loads
 * the namespace and evaluates every predefined name.
 */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/acpi/tools.h"
#include "tests/unit/suite.h"

#include <string.h>

/* A table's own header, with the compiler's name and the checksum, is not compared. */
#define HEADER_LENGTH 36

/* If (Zero) { External (\_SB.PCI0, DeviceObj) } */
#define DECLARATION_LENGTH 16

static char *folder;
static GByteArray *blob;

static void set_up(void)
{
	folder = tools_make_folder();
}

static void tear_down(void)
{
	tools_remove_folder(folder);
	g_byte_array_unref(blob);
}

static void assert_says(const char *text, const char *wanted)
{
	ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in: %.2000s", wanted, text);
}

static void assert_no_complaint(const char *text)
{
	static const char *const complaints[] = { "ACPI Error",	      "ACPI Warning",	"ACPI BIOS",
						  "Firmware Warning", "Firmware Error", "Exception",
						  "ncorrect checksum" };

	for (guint i = 0; i < G_N_ELEMENTS(complaints); i++)
		ck_assert_msg(!strstr(text, complaints[i]), "'%s' in: %.2000s", complaints[i],
			      text);
}

/* Has the compiler make again what the disassembler says of @signature; *length: of all of it. */
static char *recompile(const char *signature, gsize *length)
{
	g_autofree char *table = tools_write_table(folder, blob, signature);
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *source = g_strconcat(signature, ".dsl", NULL);
	g_autofree char *result = g_build_filename(folder, "again.aml", NULL);
	/* -e: a table that is referred to */
	const char *const disassemble[] = { "iasl", "-e", dsdt, "-d", table, NULL };
	const char *const disassemble_dsdt[] = { "iasl", "-d", table, NULL };
	/* -we: a warning is an error; -oa: no optimization, so that bytes can be compared */
	const char *const compile[] = { "iasl", "-we", "-oa", "-p", "again", source, NULL };
	g_autofree char *disassembled =
		tools_run(folder, strcmp(signature, "SSDT") == 0 ? disassemble : disassemble_dsdt);
	g_autofree char *compiled = tools_run(folder, compile);
	char *bytes = NULL;

	assert_no_complaint(disassembled);
	assert_says(compiled, "0 Errors, 0 Warnings, 0 Remarks");
	ck_assert(g_file_get_contents(result, &bytes, length, NULL));
	return bytes;
}

/* @n_declared: how many bytes the compiler puts first, to declare what is in other tables */
static void assert_recompiles(const char *signature, gsize n_declared)
{
	gsize length, again_length;
	const guint8 *original = machines_find(blob, signature, &length);
	g_autofree char *again = recompile(signature, &again_length);

	ck_assert_msg(again_length == length + n_declared, "%s: %zu bytes, not %zu", signature,
		      again_length, length + n_declared);
	ck_assert_msg(memcmp(again + HEADER_LENGTH + n_declared, original + HEADER_LENGTH,
			     length - HEADER_LENGTH) == 0,
		      "%s: other bytes", signature);
}

START_TEST(compiler_accepts_every_table_and_returns_it)
{
	blob = machines_build(_i);
	assert_recompiles("XSDT", 0);
	assert_recompiles("FACP", 0);
	assert_recompiles("FACS", 0);
	assert_recompiles("APIC", 0);
	assert_recompiles("MCFG", 0);
	assert_recompiles("DSDT", 0);
	assert_recompiles("SSDT", DECLARATION_LENGTH);
}
END_TEST

START_TEST(interpreter_loads_the_tables_without_complaint)
{
	blob = machines_build(_i);
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *ssdt = tools_write_table(folder, blob, "SSDT");
	g_autofree char *fadt = tools_write_table(folder, blob, "FACP");
	g_autofree char *madt = tools_write_table(folder, blob, "APIC");
	g_autofree char *mcfg = tools_write_table(folder, blob, "MCFG");
	const char *const argv[] = { "acpiexec", "-b", "quit", dsdt, ssdt, fadt, madt, mcfg, NULL };
	g_autofree char *text = tools_run(folder, argv);

	assert_no_complaint(text);
	assert_says(text, "2 ACPI AML tables successfully acquired and loaded");
}
END_TEST

/* Every AE_ code in @text is AE_OK, or one that starts with @other. */
static void assert_codes(const char *text, const char *other)
{
	for (const char *at = text; (at = strstr(at, "AE_")); at++)
		ck_assert_msg(g_str_has_prefix(at, "AE_OK") || g_str_has_prefix(at, other),
			      "%.40s in: %.2000s", at, text);
}

/* acpiexec calls _OSC and _OST with integers where buffers belong, and then complains of itself. */
static char *without_its_own_mistake(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *rest = g_string_new(NULL);

	for (guint i = 0; lines[i]; i++) {
		if (!strstr(lines[i], "_OSC: Argument #") && !strstr(lines[i], "_OST: Argument #3"))
			g_string_append_printf(rest, "%s\n", lines[i]);
	}
	return g_string_free(rest, FALSE);
}

START_TEST(interpreter_evaluates_every_predefined_name)
{
	blob = machines_build(_i);
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *ssdt = tools_write_table(folder, blob, "SSDT");
	const char *const argv[] = { "acpiexec", "-b", "execute predefined", dsdt, ssdt, NULL };
	g_autofree char *all = tools_run(folder, argv);
	g_autofree char *text = without_its_own_mistake(all);

	assert_no_complaint(text);
	assert_says(text, "\\_SB_.PCI0._CRS                  returned AE_OK");
	assert_says(text, "\\_S5_                            returned AE_OK");
	assert_codes(text, "AE_OK");
}
END_TEST

START_TEST(interpreter_decodes_every_resource)
{
	blob = machines_build(_i);
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *ssdt = tools_write_table(folder, blob, "SSDT");
	const char *const argv[] = { "acpiexec", "-b", "resources", dsdt, ssdt, NULL };
	g_autofree char *text = tools_run(folder, argv);

	assert_no_complaint(text);
	assert_says(text, "32-Bit DWORD Address Space Resource");
	assert_codes(text, "AE_NOT_FOUND"); /* it looks for _PRS and _SRS too */
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("iasl");
	TCase *tcase = tcase_create("acceptance");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, compiler_accepts_every_table_and_returns_it, 0, MACHINE_KINDS);
	tcase_add_loop_test(tcase, interpreter_loads_the_tables_without_complaint, 0,
			    MACHINE_KINDS);
	tcase_add_loop_test(tcase, interpreter_evaluates_every_predefined_name, 0, MACHINE_KINDS);
	tcase_add_loop_test(tcase, interpreter_decodes_every_resource, 0, MACHINE_KINDS);
	suite_add_tcase(suite, tcase);
	return suite;
}
