/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What the SSDT of a whole machine says. */

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
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *ssdt = tools_write_table(folder, blob, "SSDT");

	text = tools_disassemble(folder, ssdt, dsdt);
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

/* It creates names: a second caller in it at the same time would find them taken. */
START_TEST(osc_is_serialized)
{
	disassemble(MACHINE_SMALL);
	assert_says("Method (_OSC, 4, Serialized)");
}
END_TEST

/* Linux 7.2 would name pciehp's slots "1-1", "2-1" ...: see acpi/ssdt.c */
START_TEST(native_slots_are_not_described)
{
	disassemble(MACHINE_LARGE);
	assert_never_says("Device (RP");
	assert_never_says("_SUN");
}
END_TEST

START_TEST(slot_number_stands_with_the_occupant)
{
	disassemble(MACHINE_NO_HOTPLUG);
	ck_assert_uint_eq(count("_SUN"), 32);
	assert_says("Device (RP20) { Name (_ADR, 0x00040000) "
		    "Device (SLOT) { Name (_ADR, Zero) Name (_SUN, One) } }");
	assert_says("Device (RP3F) { Name (_ADR, 0x00070007) "
		    "Device (SLOT) { Name (_ADR, Zero) Name (_SUN, 0x20) } }");
}
END_TEST

START_TEST(slots_offer_nothing_to_acpi_hot_plug)
{
	disassemble(MACHINE_NO_HOTPLUG);
	assert_never_says("_EJ0");
	assert_never_says("_RMV");
	assert_never_says("Notify");
}
END_TEST

START_TEST(acpi_slots_have_methods_on_registers_of_their_own)
{
	disassemble(MACHINE_ACPI);
	assert_says("OperationRegion (HPIO, SystemIO, 0x0700, 0x88) "
		    "Field (HPIO, DWordAcc, NoLock, WriteAsZeros) { HEVT, 32, HSTG, 32, S000, 32, "
		    "S001, 32,");
	assert_says("Device (RP21) { Name (_ADR, 0x00040001) "
		    "Device (SLOT) { Name (_ADR, Zero) Name (_SUN, 0x02) "
		    "Method (_STA, 0, NotSerialized) { Return (\\_SB.HBHP.S001) } "
		    "Method (_EJ0, 1, NotSerialized) { \\_SB.HBHP.S001 = One } "
		    "Method (_OST, 3, NotSerialized) { \\_SB.HBHP.S001 = "
		    "((((Arg0 & 0xFFFF) << 0x10) | (( Arg1 & 0xFF) << 0x08)) | 0x02) } } }");
	ck_assert_uint_eq(count("Method (_EJ0"), 32);
	assert_says("Method (_INI, 0, NotSerialized) { HSTG = Zero } "
		    "Method (REDY, 0, NotSerialized) { HSTG = One }");
	assert_never_says("_PS0");
	assert_never_says("_RMV");
}
END_TEST

START_TEST(acpi_hotplug_is_ready_from_osc_on)
{
	disassemble(MACHINE_ACPI);
	assert_says("CreateDWordField (Arg3, 0x08, CDW3) \\_SB.HBHP.REDY () If");
}
END_TEST

START_TEST(acpi_events_are_notifications_of_port_and_slot)
{
	disassemble(MACHINE_ACPI);
	assert_says(
		"If ((Arg0 == 0x1F)) { If ((Arg1 == 0x02)) { Notify (\\_SB.PCI0.RP3F.SLOT, 0x03) } "
		"Else { Notify (\\_SB.PCI0.RP3F, Zero) } }");
	ck_assert_uint_eq(count("Notify ("), 64);
	assert_says("Method (NEWS, 0, NotSerialized) { Local0 = HEVT While (Local0) { "
		    "HNOT ((Local0 >> 0x08), (Local0 & 0xFF)) Local0 = HEVT } }");
	assert_says("Scope (\\_GPE) { Method (_L01, 0, NotSerialized) { \\_SB.HBHP.NEWS () } }");
}
END_TEST

START_TEST(without_acpi_hotplug_there_is_no_event)
{
	disassemble(MACHINE_LARGE);
	assert_never_says("_GPE");
	assert_never_says("OperationRegion");
	assert_never_says("_INI");
}
END_TEST

START_TEST(without_slots_there_are_no_root_ports)
{
	disassemble(MACHINE_NO_SLOTS);
	assert_says("Method (_OSC");
	assert_never_says("Device (RP");
}
END_TEST

START_TEST(acpi_hotplug_ports_are_the_controllers)
{
	disassemble(MACHINE_ACPI_WIDE);
	assert_says("OperationRegion (HPIO, SystemIO, 0x0700, 0x0328)");
	assert_says("S002, 32, S003, 32,");
	assert_says("Device (RP18) { Name (_ADR, 0x00030000) Device (SLOT) { Name (_ADR, Zero) "
		    "Name (_SUN, 0x08) Method (_STA, 0, NotSerialized) { Return "
		    "(\\_SB.HBHP.S0C7) }");
	assert_says("IO (Decode16, 0x0700, 0x0700, 0x01, 0x80, )");
	assert_says("IO (Decode16, 0x0A00, 0x0A00, 0x01, 0x28, )");
}
END_TEST

START_TEST(the_bridge_is_another_tables)
{
	disassemble(MACHINE_SMALL);
	ck_assert_uint_eq(count("External ("), 1);
	assert_says("External (_SB_.PCI0, DeviceObj)");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("ssdt");
	TCase *tcase = tcase_create("slots");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, osc_is_serialized);
	tcase_add_test(tcase, native_slots_are_not_described);
	tcase_add_test(tcase, slot_number_stands_with_the_occupant);
	tcase_add_test(tcase, slots_offer_nothing_to_acpi_hot_plug);
	tcase_add_test(tcase, acpi_slots_have_methods_on_registers_of_their_own);
	tcase_add_test(tcase, acpi_hotplug_is_ready_from_osc_on);
	tcase_add_test(tcase, acpi_events_are_notifications_of_port_and_slot);
	tcase_add_test(tcase, without_acpi_hotplug_there_is_no_event);
	tcase_add_test(tcase, without_slots_there_are_no_root_ports);
	tcase_add_test(tcase, acpi_hotplug_ports_are_the_controllers);
	tcase_add_test(tcase, the_bridge_is_another_tables);
	suite_add_tcase(suite, tcase);
	return suite;
}
