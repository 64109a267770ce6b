/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The MSI-X table: what is reported, and when. Reports are one line each: "0=fee00000:41" a vector
 * with its message, "0=-" a masked one, "on" or "off" the end of an access. */

#include "hw/msix.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>
#include <string.h>

#define CAPABILITY 0x70
#define N_VECTORS  70

#define X G_GINT64_MODIFIER "x"

static HbConfigSpace config;
static HbMsix *msix;
static GString *reports;
static guint64 pending;

static void vector_changed(gpointer opaque, guint vector, const HbMsiMessage *message)
{
	if (message)
		g_string_append_printf(reports, "%u=%" X ":%x ", vector, message->address,
				       message->data);
	else
		g_string_append_printf(reports, "%u=- ", vector);
}

static void changed(gpointer opaque, gboolean enabled)
{
	g_string_append(reports, enabled ? "on" : "off");
}

static gboolean is_pending(gpointer opaque, guint vector)
{
	return vector >= 3 && vector < 67 && pending >> (vector - 3) & 1;
}

static const HbMsixOps ops = {
	.vector_changed = vector_changed,
	.changed = changed,
	.is_pending = is_pending,
};

static void set_up(void)
{
	reports = g_string_new(NULL);
	pending = 0;
	hb_config_space_init(&config);
	msix = hb_msix_create(&config, CAPABILITY, N_VECTORS, &ops, NULL);
}

static void tear_down(void)
{
	hb_msix_destroy(msix);
	g_string_free(reports, TRUE);
}

static void assert_reports(const char *expected)
{
	ck_assert_str_eq(reports->str, expected);
	g_string_truncate(reports, 0);
}

static void write_control(guint16 value)
{
	hb_config_space_write(&config, CAPABILITY + PCI_MSIX_FLAGS, 2, value);
	hb_msix_control_written(msix);
}

static void write_entry(guint vector, guint reg, guint32 value)
{
	hb_msix_table_write(msix, vector * PCI_MSIX_ENTRY_SIZE + reg, 4, value);
}

static void write_message(guint vector, guint32 data)
{
	write_entry(vector, PCI_MSIX_ENTRY_LOWER_ADDR, 0xfee00000);
	write_entry(vector, PCI_MSIX_ENTRY_UPPER_ADDR, 0);
	write_entry(vector, PCI_MSIX_ENTRY_DATA, data);
}

/* Vector 1 delivers 0x41; nothing in the reports. */
static void enable_vector_1(void)
{
	write_control(PCI_MSIX_FLAGS_ENABLE);
	write_message(1, 0x41);
	write_entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	g_string_truncate(reports, 0);
}

START_TEST(test_new_table_is_masked_and_sized)
{
	ck_assert_uint_eq(hb_config_space_get_u16(&config, CAPABILITY + PCI_MSIX_FLAGS),
			  N_VECTORS - 1);
	for (guint i = 0; i < N_VECTORS; i++)
		ck_assert_uint_eq(hb_msix_table_read(msix, i * 16 + 12, 4), 1);
	ck_assert(!hb_msix_is_enabled(msix));
	ck_assert_uint_eq(hb_msix_get_n_vectors(msix), N_VECTORS);
	ck_assert_uint_eq(hb_msix_get_n_programmed(msix), 0);
}
END_TEST

START_TEST(test_only_enable_and_function_mask_are_writable_in_control)
{
	hb_config_space_write(&config, CAPABILITY + PCI_MSIX_FLAGS, 2, 0xffff);

	ck_assert_uint_eq(hb_config_space_get_u16(&config, CAPABILITY + PCI_MSIX_FLAGS),
			  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL | (N_VECTORS - 1));
}
END_TEST

START_TEST(test_enabling_with_all_masked_reports_only_the_enabling)
{
	write_control(PCI_MSIX_FLAGS_ENABLE);

	assert_reports("on");
}
END_TEST

START_TEST(test_message_programmed_under_its_mask_is_one_report_at_the_unmasking)
{
	write_control(PCI_MSIX_FLAGS_ENABLE);
	assert_reports("on");

	write_message(2, 0x42);
	assert_reports("");
	write_entry(2, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);

	assert_reports("2=fee00000:42 on");
}
END_TEST

START_TEST(test_masking_reports_nothing_delivered)
{
	enable_vector_1();

	write_entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL, 1);

	assert_reports("1=- on");
}
END_TEST

START_TEST(test_write_that_changes_nothing_is_not_reported)
{
	enable_vector_1();

	write_entry(1, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	write_entry(1, PCI_MSIX_ENTRY_DATA, 0x41);
	write_control(PCI_MSIX_FLAGS_ENABLE);

	assert_reports("");
}
END_TEST

START_TEST(test_function_mask_takes_and_gives_all_in_one_access)
{
	enable_vector_1();
	write_message(69, 0x43);
	write_entry(69, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	g_string_truncate(reports, 0);

	write_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	assert_reports("1=- 69=- on");
	write_control(PCI_MSIX_FLAGS_ENABLE);

	assert_reports("1=fee00000:41 69=fee00000:43 on");
}
END_TEST

START_TEST(test_table_written_before_enabling_is_reported_at_it)
{
	write_message(0, 0x40);
	write_entry(0, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	assert_reports("");

	write_control(PCI_MSIX_FLAGS_ENABLE);

	assert_reports("0=fee00000:40 on");
}
END_TEST

START_TEST(test_disabling_silences_all)
{
	enable_vector_1();

	write_control(0);

	assert_reports("1=- off");
}
END_TEST

START_TEST(test_quadword_write_is_one_report)
{
	enable_vector_1();

	hb_msix_table_write(msix, 16, 8, G_GUINT64_CONSTANT(0x12fee02000));

	assert_reports("1=12fee02000:41 on");
	ck_assert_uint_eq(hb_msix_table_read(msix, 16, 8), G_GUINT64_CONSTANT(0x12fee02000));
	hb_msix_table_write(msix, 24, 8, G_GUINT64_CONSTANT(0x100000055));
	assert_reports("1=- on");
}
END_TEST

START_TEST(test_reserved_bits_of_an_entry_read_zero)
{
	hb_msix_table_write(msix, 0, 8, G_MAXUINT64);
	hb_msix_table_write(msix, 8, 8, G_MAXUINT64);

	ck_assert_uint_eq(hb_msix_table_read(msix, 0, 8), G_MAXUINT64 - 3);
	ck_assert_uint_eq(hb_msix_table_read(msix, 8, 8), G_GUINT64_CONSTANT(0x1ffffffff));
}
END_TEST

START_TEST(test_bytes_of_the_table_can_be_reached)
{
	hb_msix_table_write(msix, 8, 4, 0x11223344);

	hb_msix_table_write(msix, 10, 1, 0xaa);

	ck_assert_uint_eq(hb_msix_table_read(msix, 8, 4), 0x11aa3344);
	ck_assert_uint_eq(hb_msix_table_read(msix, 11, 1), 0x11);
}
END_TEST

START_TEST(test_nothing_is_behind_the_table)
{
	write_control(PCI_MSIX_FLAGS_ENABLE);
	g_string_truncate(reports, 0);

	hb_msix_table_write(msix, N_VECTORS * 16, 8, G_MAXUINT64);
	hb_msix_table_write(msix, G_MAXUINT32 - 7, 8, G_MAXUINT64);

	assert_reports("");
	ck_assert_uint_eq(hb_msix_table_read(msix, N_VECTORS * 16, 8), 0);
	ck_assert_uint_eq(hb_msix_pba_read(msix, 16, 8), 0);
}
END_TEST

START_TEST(test_programmed_vectors_are_counted_to_the_last)
{
	write_message(4, 0x44);

	ck_assert_uint_eq(hb_msix_get_n_programmed(msix), 5);
}
END_TEST

START_TEST(test_pending_bits_are_asked_for)
{
	pending = 1 | G_GUINT64_CONSTANT(1) << 62;

	ck_assert_uint_eq(hb_msix_pba_read(msix, 0, 8), 8);
	ck_assert_uint_eq(hb_msix_pba_read(msix, 8, 8), 2);
	ck_assert_uint_eq(hb_msix_pba_read(msix, 8, 1), 2);
	ck_assert_uint_eq(hb_msix_pba_read(msix, 4, 4), 0);
}
END_TEST

START_TEST(test_reset_masks_and_forgets_all)
{
	enable_vector_1();

	hb_msix_reset(msix);

	assert_reports("1=- off");
	ck_assert_uint_eq(hb_msix_get_n_programmed(msix), 0);
	ck_assert_uint_eq(hb_msix_table_read(msix, 16, 8), 0);
	ck_assert_uint_eq(hb_msix_table_read(msix, 24, 8), G_GUINT64_CONSTANT(1) << 32);
	ck_assert_uint_eq(hb_config_space_get_u16(&config, CAPABILITY + PCI_MSIX_FLAGS),
			  N_VECTORS - 1);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("msix");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, test_new_table_is_masked_and_sized);
	tcase_add_test(cases, test_only_enable_and_function_mask_are_writable_in_control);
	tcase_add_test(cases, test_enabling_with_all_masked_reports_only_the_enabling);
	tcase_add_test(cases,
		       test_message_programmed_under_its_mask_is_one_report_at_the_unmasking);
	tcase_add_test(cases, test_masking_reports_nothing_delivered);
	tcase_add_test(cases, test_write_that_changes_nothing_is_not_reported);
	tcase_add_test(cases, test_function_mask_takes_and_gives_all_in_one_access);
	tcase_add_test(cases, test_table_written_before_enabling_is_reported_at_it);
	tcase_add_test(cases, test_disabling_silences_all);
	tcase_add_test(cases, test_quadword_write_is_one_report);
	tcase_add_test(cases, test_reserved_bits_of_an_entry_read_zero);
	tcase_add_test(cases, test_bytes_of_the_table_can_be_reached);
	tcase_add_test(cases, test_nothing_is_behind_the_table);
	tcase_add_test(cases, test_programmed_vectors_are_counted_to_the_last);
	tcase_add_test(cases, test_pending_bits_are_asked_for);
	tcase_add_test(cases, test_reset_masks_and_forgets_all);
	suite_add_tcase(suite, cases);
	return suite;
}
