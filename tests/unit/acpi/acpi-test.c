/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The blob as a whole: how tables are found, that they are sound, and what is refused. */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <string.h>

static guint8 sum(const guint8 *data, gsize length)
{
	guint8 total = 0;

	for (gsize i = 0; i < length; i++)
		total += data[i];
	return total;
}

/* What hb_acpi_build() says to @machine at @gpa: nothing, or a message that holds @word. */
static void assert_refused(const HbAcpiMachine *machine, guint64 gpa, gsize size, HbError code,
			   const char *word)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GByteArray) blob = hb_acpi_build(machine, gpa, size, &error);

	ck_assert_ptr_null(blob);
	ck_assert_msg(g_error_matches(error, HB_ERROR, code), "%s: another code", error->message);
	ck_assert_msg(strstr(error->message, word) != NULL, "%s: no '%s'", error->message, word);
}

static void assert_invalid(const HbAcpiMachine *machine, const char *word)
{
	assert_refused(machine, MACHINES_GPA, MACHINES_SIZE, HB_ERROR_INVALID, word);
}

START_TEST(rsdp_is_first_and_sound)
{
	g_autoptr(GByteArray) blob = machines_build(MACHINE_SMALL);

	ck_assert_mem_eq(blob->data, "RSD PTR ", 8);
	ck_assert_uint_eq(blob->data[15], 2);
	ck_assert_uint_eq(machines_get_u32(blob->data + 20), 36);
	ck_assert_uint_eq(sum(blob->data, 20), 0);
	ck_assert_uint_eq(sum(blob->data, 36), 0);
}
END_TEST

START_TEST(every_table_has_a_zero_sum)
{
	static const char *const signatures[] = { "XSDT", "FACP", "APIC", "MCFG", "SSDT", "DSDT" };
	g_autoptr(GByteArray) blob = machines_build(_i);

	for (guint i = 0; i < G_N_ELEMENTS(signatures); i++) {
		gsize length;
		const guint8 *table = machines_find(blob, signatures[i], &length);

		ck_assert_msg(sum(table, length) == 0, "%s", signatures[i]);
	}
}
END_TEST

START_TEST(xsdt_lists_four_tables)
{
	g_autoptr(GByteArray) blob = machines_build(MACHINE_SMALL);
	gsize length;

	machines_find(blob, "XSDT", &length);
	ck_assert_uint_eq(length, 36 + 4 * 8);
}
END_TEST

START_TEST(facs_is_aligned_to_64_bytes)
{
	g_autoptr(GByteArray) blob = machines_build(MACHINE_SMALL);
	gsize length;
	const guint8 *facs = machines_find(blob, "FACS", &length);

	ck_assert_uint_eq((MACHINES_GPA + (gsize)(facs - blob->data)) % 64, 0);
	ck_assert_uint_eq(length, 64);
	ck_assert_uint_eq(facs[32], 2);
}
END_TEST

START_TEST(mcfg_covers_the_buses_of_ecam)
{
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);
	gsize length;

	machine.bridge.ecam.size = 0x4000000;
	g_autoptr(GByteArray) blob = hb_acpi_build(&machine, MACHINES_GPA, MACHINES_SIZE, NULL);
	ck_assert_ptr_nonnull(blob);
	const guint8 *mcfg = machines_find(blob, "MCFG", &length);

	ck_assert_uint_eq(length, 60);
	ck_assert_uint_eq(machines_get_u64(mcfg + 44), 0xb0000000);
	ck_assert_uint_eq(machines_get_u16(mcfg + 52), 0); /* segment */
	ck_assert_uint_eq(mcfg[54], 0);
	ck_assert_uint_eq(mcfg[55], 63);
}
END_TEST

START_TEST(same_machine_gives_the_same_bytes)
{
	g_autoptr(GByteArray) first = machines_build(MACHINE_LARGE);
	g_autoptr(GByteArray) second = machines_build(MACHINE_LARGE);

	ck_assert_uint_eq(first->len, second->len);
	ck_assert_mem_eq(first->data, second->data, first->len);
}
END_TEST

START_TEST(exact_room_is_enough_and_one_byte_less_is_not)
{
	const HbAcpiMachine machine = machines_get(MACHINE_FULL);
	g_autoptr(GByteArray) blob = machines_build(MACHINE_FULL);
	g_autoptr(GByteArray) again = hb_acpi_build(&machine, MACHINES_GPA, blob->len, NULL);

	ck_assert_ptr_nonnull(again);
	assert_refused(&machine, MACHINES_GPA, blob->len - 1, HB_ERROR_LIMIT, "room");
}
END_TEST

START_TEST(address_must_be_aligned_and_below_4_gib)
{
	const HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	assert_refused(&machine, MACHINES_GPA + 32, MACHINES_SIZE, HB_ERROR_INVALID, "0xe0020");
	assert_refused(&machine, G_GUINT64_CONSTANT(0x100000000), MACHINES_SIZE, HB_ERROR_INVALID,
		       "0x100000000");
	assert_refused(&machine, 0xfffff000, MACHINES_SIZE, HB_ERROR_INVALID, "0xfffff000");
}
END_TEST

START_TEST(processors_must_exist_and_differ)
{
	static const guint8 twice[] = { 1, 1 };
	static const guint8 broadcast[] = { 255 };
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	machine.n_cpus = 0;
	assert_invalid(&machine, "n_cpus");
	machine.n_cpus = 256;
	assert_invalid(&machine, "n_cpus");
	machine.n_cpus = 2;
	machine.apic_ids = twice;
	assert_invalid(&machine, "apic_ids[1]");
	machine.n_cpus = 1;
	machine.apic_ids = broadcast;
	assert_invalid(&machine, "apic_ids[0]");
}
END_TEST

START_TEST(ecam_must_be_whole_buses_and_aligned)
{
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	machine.bridge.ecam.size = 0;
	assert_invalid(&machine, "ECAM");
	machine.bridge.ecam.size = 0x80000;
	assert_invalid(&machine, "ECAM");
	machine.bridge.ecam.size = 0x300000;
	assert_invalid(&machine, "ECAM");
	machine.bridge.ecam.size = 0x20000000;
	assert_invalid(&machine, "ECAM");
	machine.bridge.ecam = (HbAddressWindow){ 0xb0100000, 0x10000000 };
	assert_invalid(&machine, "ECAM");
}
END_TEST

START_TEST(windows_must_fit_their_spaces)
{
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	machine.bridge.io = (HbAddressWindow){ 0x1000, 0xf001 };
	assert_invalid(&machine, "io");
	machine = machines_get(MACHINE_SMALL);
	machine.bridge.mem32 = (HbAddressWindow){ 0xc0000000, 0x40000001 };
	assert_invalid(&machine, "mem32");
	machine = machines_get(MACHINE_SMALL);
	machine.bridge.mem64 = (HbAddressWindow){ 0x1000, G_MAXUINT64 };
	assert_invalid(&machine, "mem64");
}
END_TEST

START_TEST(slots_must_differ)
{
	static const HbAcpiSlot same_number[] = { { 0x20, 1 }, { 0x21, 1 } };
	static const HbAcpiSlot same_port[] = { { 0x20, 1 }, { 0x20, 2 } };
	static const HbAcpiSlot too_large[] = { { 0x20, 0x2000 } };
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	machine.slots = too_large;
	assert_invalid(&machine, "8192");
	machine.n_slots = 2;
	machine.slots = same_number;
	assert_invalid(&machine, "slots[1]");
	machine.slots = same_port;
	assert_invalid(&machine, "00:04.0");
}
END_TEST

START_TEST(ports_must_exist)
{
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	machine.pm_base = 0;
	assert_invalid(&machine, "pm_base");
	machine.pm_base = 0xfff8;
	assert_invalid(&machine, "pm_base");
	machine = machines_get(MACHINE_SMALL);
	machine.gpe0_length = 15;
	assert_invalid(&machine, "gpe0_length");
	machine.gpe0_length = 32;
	assert_invalid(&machine, "gpe0_length");
	machine.gpe0_length = 16;
	machine.gpe0_base = 0xfff8;
	assert_invalid(&machine, "gpe0_base");
	machine = machines_get(MACHINE_SMALL);
	machine.serial_port = 0xfff9;
	assert_invalid(&machine, "serial_port");
}
END_TEST

START_TEST(interrupts_must_exist)
{
	HbAcpiMachine machine = machines_get(MACHINE_LARGE);

	machine.sci = 16;
	assert_invalid(&machine, "sci");
	machine.sci = 2;
	assert_invalid(&machine, "sci");
	machine = machines_get(MACHINE_LARGE);
	machine.serial_gsi = 16;
	assert_invalid(&machine, "serial_gsi");
	machine.serial_gsi = machine.sci;
	assert_invalid(&machine, "serial_gsi");
	machine = machines_get(MACHINE_LARGE);
	machine.pci_gsi[2] = 24;
	assert_invalid(&machine, "pci_gsi[2]");
	machine.pci_gsi[2] = 0;
	assert_invalid(&machine, "3 of 4");
}
END_TEST

START_TEST(hotplug_must_have_ports_an_event_and_slots_of_its_own)
{
	static const HbAcpiSlot same[] = { { 0x20, 1, 4 }, { 0x21, 2, 4 } };
	static const HbAcpiSlot beyond[] = { { 0x20, 1, HB_ACPI_HOTPLUG_MAX_SLOTS } };
	HbAcpiMachine machine = machines_get(MACHINE_ACPI);

	machine.native_hotplug = TRUE;
	assert_invalid(&machine, "native_hotplug");
	machine.native_hotplug = FALSE;
	machine.hotplug_base = 0x702;
	assert_invalid(&machine, "hotplug_base 0x702");
	machine.hotplug_base = 0xff80;
	assert_invalid(&machine, "136 I/O ports");
	machine = machines_get(MACHINE_ACPI);
	machine.gpe0_length = 0;
	assert_invalid(&machine, "GPE0");
	machine = machines_get(MACHINE_ACPI);
	machine.slots = same;
	machine.n_slots = 2;
	assert_invalid(&machine, "index 4 of slots[1]");
	machine.slots = beyond;
	machine.n_slots = 1;
	assert_invalid(&machine, "index 256");
}
END_TEST

static TCase *make_refusals(void)
{
	TCase *tcase = tcase_create("refusals");

	tcase_add_test(tcase, exact_room_is_enough_and_one_byte_less_is_not);
	tcase_add_test(tcase, address_must_be_aligned_and_below_4_gib);
	tcase_add_test(tcase, processors_must_exist_and_differ);
	tcase_add_test(tcase, ecam_must_be_whole_buses_and_aligned);
	tcase_add_test(tcase, windows_must_fit_their_spaces);
	tcase_add_test(tcase, slots_must_differ);
	tcase_add_test(tcase, ports_must_exist);
	tcase_add_test(tcase, interrupts_must_exist);
	tcase_add_test(tcase, hotplug_must_have_ports_an_event_and_slots_of_its_own);
	return tcase;
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("acpi");
	TCase *tcase = tcase_create("blob");

	tcase_add_test(tcase, rsdp_is_first_and_sound);
	tcase_add_loop_test(tcase, every_table_has_a_zero_sum, 0, MACHINE_KINDS);
	tcase_add_test(tcase, xsdt_lists_four_tables);
	tcase_add_test(tcase, facs_is_aligned_to_64_bytes);
	tcase_add_test(tcase, mcfg_covers_the_buses_of_ecam);
	tcase_add_test(tcase, same_machine_gives_the_same_bytes);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, make_refusals());
	return suite;
}
