/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The MADT's entries, walked by their types and lengths (ACPI r6.5 §5.2.12). */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/suite.h"

#define FIRST_ENTRY 44

static GByteArray *blob;
static const guint8 *madt;
static gsize length;

static void build(MachineKind kind)
{
	blob = machines_build(kind);
	madt = machines_find(blob, "APIC", &length);
}

static void tear_down(void)
{
	g_byte_array_unref(blob);
}

/* The @index-th entry of @type, or NULL. */
static const guint8 *find(guint8 type, guint index)
{
	gsize i = FIRST_ENTRY;

	while (i < length) {
		ck_assert_uint_ge(madt[i + 1], 2);
		ck_assert_uint_le(i + madt[i + 1], length);
		if (madt[i] == type && index-- == 0)
			return madt + i;
		i += madt[i + 1];
	}
	return NULL;
}

START_TEST(header_has_the_local_apics_address_and_8259s)
{
	build(MACHINE_SMALL);
	ck_assert_uint_eq(machines_get_u32(madt + 36), 0xfee00000);
	ck_assert_uint_eq(machines_get_u32(madt + 40), 1);
}
END_TEST

START_TEST(each_processor_has_an_enabled_local_apic)
{
	build(MACHINE_FULL);
	for (guint i = 0; i < 128; i++) {
		const guint8 *entry = find(0, i);

		ck_assert_ptr_nonnull(entry);
		ck_assert_uint_eq(entry[1], 8);
		ck_assert_uint_eq(entry[2], i);
		ck_assert_uint_eq(entry[3], i);
		ck_assert_uint_eq(machines_get_u32(entry + 4), 1);
	}
	ck_assert_ptr_null(find(0, 128));
}
END_TEST

START_TEST(apic_ids_are_the_machines_not_the_index)
{
	static const guint8 ids[] = { 4, 0 };
	HbAcpiMachine machine = machines_get(MACHINE_SMALL);

	machine.apic_ids = ids;
	machine.n_cpus = 2;
	blob = hb_acpi_build(&machine, MACHINES_GPA, MACHINES_SIZE, NULL);
	ck_assert_ptr_nonnull(blob);
	madt = machines_find(blob, "APIC", &length);
	ck_assert_uint_eq(find(0, 0)[3], 4);
	ck_assert_uint_eq(find(0, 1)[2], 1);
	ck_assert_uint_eq(find(0, 1)[3], 0);
}
END_TEST

START_TEST(there_is_one_ioapic_from_gsi_0)
{
	build(MACHINE_SMALL);
	const guint8 *entry = find(1, 0);

	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(machines_get_u32(entry + 4), 0xfec00000);
	ck_assert_uint_eq(machines_get_u32(entry + 8), 0);
	ck_assert_ptr_null(find(1, 1));
}
END_TEST

START_TEST(timer_is_on_gsi_2)
{
	build(MACHINE_SMALL);
	const guint8 *entry = find(2, 0);

	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry[3], 0);
	ck_assert_uint_eq(machines_get_u32(entry + 4), 2);
	ck_assert_uint_eq(machines_get_u16(entry + 8), 0);
}
END_TEST

START_TEST(sci_is_level_triggered_and_active_high)
{
	build(MACHINE_SMALL);
	const guint8 *entry = find(2, 1);

	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry[3], 9);
	ck_assert_uint_eq(machines_get_u32(entry + 4), 9);
	ck_assert_uint_eq(machines_get_u16(entry + 8), 0x000d);
	ck_assert_ptr_null(find(2, 2));
}
END_TEST

START_TEST(nmi_is_lint1_of_all_processors)
{
	build(MACHINE_SMALL);
	const guint8 *entry = find(4, 0);

	ck_assert_ptr_nonnull(entry);
	ck_assert_uint_eq(entry[2], 0xff);
	ck_assert_uint_eq(machines_get_u16(entry + 3), 0);
	ck_assert_uint_eq(entry[5], 1);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("madt");
	TCase *tcase = tcase_create("entries");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, header_has_the_local_apics_address_and_8259s);
	tcase_add_test(tcase, each_processor_has_an_enabled_local_apic);
	tcase_add_test(tcase, apic_ids_are_the_machines_not_the_index);
	tcase_add_test(tcase, there_is_one_ioapic_from_gsi_0);
	tcase_add_test(tcase, timer_is_on_gsi_2);
	tcase_add_test(tcase, sci_is_level_triggered_and_active_high);
	tcase_add_test(tcase, nmi_is_lint1_of_all_processors);
	suite_add_tcase(suite, tcase);
	return suite;
}
