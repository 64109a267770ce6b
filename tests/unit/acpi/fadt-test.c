/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The FADT at the byte offsets of ACPI r6.5 §5.2.9. */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/suite.h"

static GByteArray *blob;
static const guint8 *fadt;

static void build(MachineKind kind)
{
	gsize length;

	blob = machines_build(kind);
	fadt = machines_find(blob, "FACP", &length);
	ck_assert_uint_eq(length, 276);
}

static void tear_down(void)
{
	g_byte_array_unref(blob);
}

/* A generic address: I/O space, width in bits, offset 0, access size, address. */
static void assert_port(guint offset, guint8 width, guint8 access_size, guint16 address)
{
	ck_assert_uint_eq(fadt[offset], 1);
	ck_assert_uint_eq(fadt[offset + 1], width);
	ck_assert_uint_eq(fadt[offset + 2], 0);
	ck_assert_uint_eq(fadt[offset + 3], access_size);
	ck_assert_uint_eq(machines_get_u64(fadt + offset + 4), address);
}

START_TEST(revision_is_6_5)
{
	build(MACHINE_SMALL);
	ck_assert_uint_eq(fadt[8], 6);
	ck_assert_uint_eq(fadt[131], 5);
}
END_TEST

START_TEST(both_dsdt_pointers_agree_and_one_facs_pointer_is_set)
{
	build(MACHINE_SMALL);
	ck_assert_uint_ne(machines_get_u32(fadt + 40), 0);
	ck_assert_uint_eq(machines_get_u32(fadt + 40), machines_get_u64(fadt + 140));
	ck_assert_uint_ne(machines_get_u32(fadt + 36), 0);
	ck_assert_uint_eq(machines_get_u64(fadt + 132), 0);
}
END_TEST

START_TEST(machine_is_always_in_acpi_mode)
{
	build(MACHINE_SMALL);
	ck_assert_uint_eq(machines_get_u32(fadt + 48), 0); /* SMI_CMD */
	ck_assert_uint_eq(fadt[52], 0);			   /* ACPI_ENABLE */
	ck_assert_uint_eq(fadt[53], 0);			   /* ACPI_DISABLE */
}
END_TEST

START_TEST(registers_are_described_twice_alike)
{
	build(MACHINE_SMALL);
	ck_assert_uint_eq(machines_get_u16(fadt + 46), 9);
	ck_assert_uint_eq(machines_get_u32(fadt + 56), 0x600);
	ck_assert_uint_eq(machines_get_u32(fadt + 64), 0x604);
	ck_assert_uint_eq(machines_get_u32(fadt + 76), 0x608);
	ck_assert_uint_eq(machines_get_u32(fadt + 80), 0x620);
	ck_assert_uint_eq(fadt[88], 4);
	ck_assert_uint_eq(fadt[89], 2);
	ck_assert_uint_eq(fadt[91], 4);
	ck_assert_uint_eq(fadt[92], 16);
	assert_port(148, 32, 2, 0x600);
	assert_port(172, 16, 2, 0x604);
	assert_port(208, 32, 3, 0x608);
	assert_port(220, 128, 1, 0x620);
}
END_TEST

START_TEST(flags_say_what_there_is)
{
	build(MACHINE_SMALL);
	/* WBINVD, PROC_C1, no sleep button, no RTC wake, 32-bit timer, reset register */
	ck_assert_uint_eq(machines_get_u32(fadt + 112), 0x565);
	/* legacy devices, no 8042, no VGA, no real-time clock */
	ck_assert_uint_eq(machines_get_u16(fadt + 109), 0x25);
}
END_TEST

START_TEST(without_serial_port_there_are_no_legacy_devices)
{
	build(MACHINE_NO_SERIAL);
	ck_assert_uint_eq(machines_get_u16(fadt + 109), 0x24);
}
END_TEST

START_TEST(reset_register_is_a_port)
{
	build(MACHINE_SMALL);
	assert_port(116, 8, 1, 0xcf9);
	ck_assert_uint_eq(fadt[128], 6);
}
END_TEST

START_TEST(what_is_absent_is_zero)
{
	static const guint8 zero[12];

	build(MACHINE_BARE);
	ck_assert_uint_eq(machines_get_u32(fadt + 112), 0x165); /* no RESET_REG_SUP */
	ck_assert_mem_eq(fadt + 116, zero, 12);
	ck_assert_uint_eq(machines_get_u32(fadt + 80), 0);
	ck_assert_uint_eq(fadt[92], 0);
	ck_assert_mem_eq(fadt + 220, zero, 12);
}
END_TEST

START_TEST(there_is_no_c2_and_no_c3)
{
	build(MACHINE_SMALL);
	ck_assert_uint_gt(machines_get_u16(fadt + 96), 100);
	ck_assert_uint_gt(machines_get_u16(fadt + 98), 1000);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("fadt");
	TCase *tcase = tcase_create("fields");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_test(tcase, revision_is_6_5);
	tcase_add_test(tcase, both_dsdt_pointers_agree_and_one_facs_pointer_is_set);
	tcase_add_test(tcase, machine_is_always_in_acpi_mode);
	tcase_add_test(tcase, registers_are_described_twice_alike);
	tcase_add_test(tcase, flags_say_what_there_is);
	tcase_add_test(tcase, without_serial_port_there_are_no_legacy_devices);
	tcase_add_test(tcase, reset_register_is_a_port);
	tcase_add_test(tcase, what_is_absent_is_zero);
	tcase_add_test(tcase, there_is_no_c2_and_no_c3);
	suite_add_tcase(suite, tcase);
	return suite;
}
