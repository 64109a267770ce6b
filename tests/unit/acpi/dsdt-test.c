/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What the DSDT says. */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/acpi/tools.h"
#include "tests/unit/suite.h"

#include <string.h>

static char *folder;
static char *text;

static void set_up(void)
{
	folder = tools_make_folder();
	text = NULL;
}

static void tear_down(void)
{
	tools_remove_folder(folder);
	g_free(text);
}

static void disassemble(MachineKind kind)
{
	g_autoptr(GByteArray) blob = machines_build(kind);
	g_autofree char *table = tools_write_table(folder, blob, "DSDT");

	text = tools_disassemble(folder, table, NULL);
}

static guint count(const char *phrase)
{
	guint n = 0;

	for (const char *at = text; (at = strstr(at, phrase)); at++)
		n++;
	return n;
}

static void assert_says(const char *phrase)
{
	ck_assert_msg(count(phrase) > 0, "no '%s' in: %.4000s", phrase, text);
}

static void assert_never_says(const char *phrase)
{
	ck_assert_msg(count(phrase) == 0, "'%s' in: %.4000s", phrase, text);
}

START_TEST(host_bridge_is_an_express_root)
{
	disassemble(MACHINE_SMALL);
	assert_says("Device (PCI0) { Name (_HID, EisaId (\"PNP0A08\") ) "
		    "Name (_CID, EisaId (\"PNP0A03\") ) Name (_UID, Zero) Name (_SEG, Zero) "
		    "Name (_BBN, Zero)");
}
END_TEST

START_TEST(ecam_inside_mem32_is_cut_out_and_reserved)
{
	disassemble(MACHINE_ECAM_INSIDE);
	ck_assert_uint_eq(count("DWordMemory"), 2);
	assert_says("0xA0000000, 0xAFFFFFFF, 0x00000000, 0x10000000");
	assert_says("0xC0000000, 0xFEBFFFFF, 0x00000000, 0x3EC00000");
	assert_says("Name (_HID, EisaId (\"PNP0C02\") )");
	assert_says("Memory32Fixed (ReadWrite, 0xB0000000, 0x10000000, )");
}
END_TEST

START_TEST(high_ecam_is_reserved_in_64_bits)
{
	disassemble(MACHINE_ECAM_HIGH);
	assert_never_says("Memory32Fixed");
	assert_says("QWordMemory (ResourceConsumer, PosDecode, MinFixed, MaxFixed, NonCacheable, "
		    "ReadWrite, 0x0000000000000000, 0x0000004000000000, 0x000000400FFFFFFF,");
}
END_TEST

START_TEST(what_the_board_uses_is_cut_out_of_wide_windows)
{
	disassemble(MACHINE_WIDE);
	assert_says("0x0000, 0x0000, 0x03F7,"); /* up to the serial port */
	assert_says("0x0000, 0x0400, 0x05FF,"); /* up to power management */
	assert_says("0x0000, 0x060C, 0x061F,"); /* up to GPE0 */
	assert_says("0x0000, 0x0630, 0x0CF7,"); /* up to the configuration ports */
	assert_says("0x0000, 0x0D00, 0xFFFF,"); /* the rest */
	assert_says("0x80000000, 0xAFFFFFFF,"); /* up to ECAM */
	assert_says("0xC0000000, 0xFEBFFFFF,"); /* up to the IOAPIC */
	assert_says("0xFEC01000, 0xFEDFFFFF,"); /* up to interrupt messages */
	assert_says("0xFEF00000, 0xFFFFFFFF,");
	ck_assert_uint_eq(count("WordIO"), 5);
	ck_assert_uint_eq(count("DWordMemory"), 4);
}
END_TEST

START_TEST(empty_windows_are_not_described)
{
	disassemble(MACHINE_BARE);
	assert_never_says("WordIO");
	assert_never_says("QWordMemory");
	ck_assert_uint_eq(count("DWordMemory"), 1);
}
END_TEST

START_TEST(acpi_hotplug_ports_are_cut_out_of_wide_windows)
{
	disassemble(MACHINE_ACPI_WIDE);
	assert_says("0x0000, 0x0630, 0x06FF,"); /* up to the first */
	assert_says("0x0000, 0x0A28, 0x0CF7,"); /* from the last */
}
END_TEST

START_TEST(slots_are_left_to_the_ssdt)
{
	disassemble(MACHINE_ACPI);
	assert_never_says("Device (RP");
	assert_never_says("_OSC");
	assert_never_says("_GPE");
	assert_never_says("OperationRegion");
}
END_TEST

START_TEST(pins_are_routed_in_rotation)
{
	disassemble(MACHINE_LARGE);
	assert_says("Name (_PRT, Package (0x80) {");
	assert_says("Package (0x04) { 0xFFFF, Zero, Zero, 0x10 }");
	assert_says("Package (0x04) { 0x0001FFFF, Zero, Zero, 0x11 }");
	assert_says("Package (0x04) { 0x0001FFFF, 0x03, Zero, 0x10 }");
	assert_says("Package (0x04) { 0x001FFFFF, 0x03, Zero, 0x12 }");
	ck_assert_uint_eq(count("Package (0x04)"), 128 + 1);
}
END_TEST

START_TEST(without_links_there_is_no_prt)
{
	disassemble(MACHINE_SMALL);
	assert_never_says("_PRT");
}
END_TEST

START_TEST(each_processor_is_a_device_with_the_uid_of_its_apic)
{
	disassemble(MACHINE_FULL);
	ck_assert_uint_eq(count("ACPI0007"), 128);
	assert_says("Device (C000) { Name (_HID, \"ACPI0007\" ) Name (_UID, Zero) "
		    "Name (_STA, 0x0F) }");
	assert_says("Device (C07F) { Name (_HID, \"ACPI0007\" ) Name (_UID, 0x7F) "
		    "Name (_STA, 0x0F) }");
}
END_TEST

START_TEST(serial_port_is_there_when_given)
{
	disassemble(MACHINE_SMALL);
	assert_says("Device (COM1) { Name (_HID, EisaId (\"PNP0501\") )");
	assert_says("IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08, ) IRQNoFlags () {4}");
}
END_TEST

START_TEST(serial_port_is_absent_when_not)
{
	disassemble(MACHINE_NO_SERIAL);
	assert_never_says("PNP0501");
	assert_never_says("0x03F8");
}
END_TEST

START_TEST(s5_has_the_published_sleep_type)
{
	disassemble(MACHINE_SMALL);
	ck_assert_int_eq(HB_ACPI_SLEEP_TYPE_S5, 5);
	assert_says("Name (\\_S5, Package (0x04) { 0x05, 0x05, Zero, Zero })");
}
END_TEST

static TCase *make_devices(void)
{
	TCase *tcase = tcase_create("devices");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, each_processor_is_a_device_with_the_uid_of_its_apic);
	tcase_add_test(tcase, serial_port_is_there_when_given);
	tcase_add_test(tcase, serial_port_is_absent_when_not);
	tcase_add_test(tcase, s5_has_the_published_sleep_type);
	return tcase;
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("dsdt");
	TCase *tcase = tcase_create("pci root");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, host_bridge_is_an_express_root);
	tcase_add_test(tcase, ecam_inside_mem32_is_cut_out_and_reserved);
	tcase_add_test(tcase, high_ecam_is_reserved_in_64_bits);
	tcase_add_test(tcase, what_the_board_uses_is_cut_out_of_wide_windows);
	tcase_add_test(tcase, empty_windows_are_not_described);
	tcase_add_test(tcase, acpi_hotplug_ports_are_cut_out_of_wide_windows);
	tcase_add_test(tcase, slots_are_left_to_the_ssdt);
	tcase_add_test(tcase, pins_are_routed_in_rotation);
	tcase_add_test(tcase, without_links_there_is_no_prt);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, make_devices());
	return suite;
}
