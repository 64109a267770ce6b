/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* ACPI's fixed hardware: power button, sleep, timer, reset. */

#include "tests/unit/suite.h"
#include "vmm/pm.h"

#define STATUS	     0
#define ENABLE	     2
#define CONTROL	     4
#define TIMER	     8
#define POWER_BUTTON 0x0100
#define SLEEP_ENABLE 0x2000

static HbPm *pm;
static gboolean sci;
static guint n_power_offs;
static gint64 now;

static void on_sci(gpointer opaque, gboolean level)
{
	ck_assert_int_ne(level, sci);
	sci = level;
}

static void on_power_off(gpointer opaque)
{
	n_power_offs++;
}

static gint64 on_get_time(gpointer opaque)
{
	return now;
}

static const HbPmOps ops = { on_sci, on_power_off, on_get_time };

static void set_up(void)
{
	sci = FALSE;
	n_power_offs = 0;
	now = 0;
	pm = hb_pm_create(&ops, NULL);
}

static void tear_down(void)
{
	hb_pm_destroy(pm);
}

START_TEST(test_the_machine_is_in_acpi_mode_for_good)
{
	ck_assert_uint_eq(hb_pm_read(pm, CONTROL, 2), 1);
	hb_pm_write(pm, CONTROL, 2, 0);
	ck_assert_uint_eq(hb_pm_read(pm, CONTROL, 2), 1);
}
END_TEST

START_TEST(test_the_power_button_sets_its_status)
{
	hb_pm_press_power_button(pm);
	ck_assert_uint_eq(hb_pm_read(pm, STATUS, 2), POWER_BUTTON);
	ck_assert(!sci);
}
END_TEST

START_TEST(test_an_enabled_power_button_raises_the_sci_until_acknowledged)
{
	hb_pm_write(pm, ENABLE, 2, POWER_BUTTON);
	hb_pm_press_power_button(pm);
	ck_assert(sci);
	hb_pm_write(pm, STATUS, 2, POWER_BUTTON);
	ck_assert(!sci);
	ck_assert_uint_eq(hb_pm_read(pm, STATUS, 2), 0);
}
END_TEST

START_TEST(test_enabling_after_the_press_raises_the_sci)
{
	hb_pm_press_power_button(pm);
	hb_pm_write(pm, ENABLE, 2, POWER_BUTTON);
	ck_assert(sci);
}
END_TEST

START_TEST(test_writing_zero_to_status_clears_nothing)
{
	hb_pm_press_power_button(pm);
	hb_pm_write(pm, STATUS, 2, 0);
	ck_assert_uint_eq(hb_pm_read(pm, STATUS, 2), POWER_BUTTON);
}
END_TEST

START_TEST(test_bytes_reach_their_halves)
{
	hb_pm_write(pm, ENABLE + 1, 1, POWER_BUTTON >> 8);
	ck_assert_uint_eq(hb_pm_read(pm, ENABLE, 2), POWER_BUTTON);
	ck_assert_uint_eq(hb_pm_read(pm, STATUS, 4), POWER_BUTTON << 16);
}
END_TEST

START_TEST(test_sleep_enable_switches_off)
{
	hb_pm_write(pm, CONTROL, 2, 0x1c00);
	ck_assert_uint_eq(n_power_offs, 0);
	hb_pm_write(pm, CONTROL, 2, 0x1c00 | SLEEP_ENABLE);
	ck_assert_uint_eq(n_power_offs, 1);
	ck_assert_uint_eq(hb_pm_read(pm, CONTROL, 2) & SLEEP_ENABLE, 0);
}
END_TEST

START_TEST(test_sleep_enable_as_a_byte_switches_off)
{
	hb_pm_write(pm, CONTROL + 1, 1, (SLEEP_ENABLE | 0x1400) >> 8);
	ck_assert_uint_eq(n_power_offs, 1);
}
END_TEST

START_TEST(test_the_timer_counts_at_3579545_hertz)
{
	now = G_USEC_PER_SEC;
	ck_assert_uint_eq(hb_pm_read(pm, TIMER, 4), 3579545);
	now = 2 * G_USEC_PER_SEC + 500000;
	ck_assert_uint_eq(hb_pm_read(pm, TIMER, 4), 8948862);
}
END_TEST

START_TEST(test_the_timer_wraps_at_32_bits)
{
	now = (gint64)1200 * G_USEC_PER_SEC;
	ck_assert_uint_eq(hb_pm_read(pm, TIMER, 4), (guint32)(1200ULL * 3579545));
}
END_TEST

START_TEST(test_the_timer_is_read_only)
{
	now = G_USEC_PER_SEC;
	hb_pm_write(pm, TIMER, 4, 0);
	ck_assert_uint_eq(hb_pm_read(pm, TIMER, 4), 3579545);
}
END_TEST

START_TEST(test_accesses_over_the_end_are_harmless)
{
	hb_pm_write(pm, 11, 4, 0xffffffff);
	ck_assert_uint_eq(hb_pm_read(pm, 11, 4), 0xffffffff);
	hb_pm_write_gpe0(pm, 15, 2, 0xffff);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 15, 2), 0xffffffff);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 15, 1), 0);
}
END_TEST

START_TEST(test_gpe_enables_are_kept_and_status_is_clear)
{
	hb_pm_write_gpe0(pm, 0, 4, 0xffffffff);
	hb_pm_write_gpe0(pm, 8, 4, 0x12345678);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 0, 4), 0);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 8, 4), 0x12345678);
	ck_assert(!sci);
}
END_TEST

START_TEST(test_an_enabled_gpe_raises_the_sci_while_its_source_is_asserted)
{
	hb_pm_write_gpe0(pm, 8, 1, 1 << 1);
	hb_pm_set_gpe(pm, 1, TRUE);
	ck_assert(sci);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 0, 2), 1 << 1);
	hb_pm_write_gpe0(pm, 0, 1, 0xff);
	ck_assert(sci);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 0, 1), 1 << 1);

	hb_pm_set_gpe(pm, 1, FALSE);
	ck_assert(sci);
	hb_pm_write_gpe0(pm, 0, 1, 1 << 1);
	ck_assert(!sci);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 0, 1), 0);
}
END_TEST

/* As an operating system does that starts: it clears everything, then enables. */
START_TEST(test_a_gpe_from_before_it_was_enabled_is_not_lost)
{
	hb_pm_set_gpe(pm, 1, TRUE);
	ck_assert(!sci);
	hb_pm_write_gpe0(pm, 0, 4, 0xffffffff);
	hb_pm_write_gpe0(pm, 4, 4, 0xffffffff);
	hb_pm_write_gpe0(pm, 8, 1, 1 << 1);
	ck_assert(sci);
}
END_TEST

START_TEST(test_gpes_have_sources_of_their_own)
{
	hb_pm_write_gpe0(pm, 8, 4, 0xffffffff);
	hb_pm_set_gpe(pm, 9, TRUE);
	hb_pm_set_gpe(pm, 1, TRUE);
	hb_pm_set_gpe(pm, 9, FALSE);
	hb_pm_write_gpe0(pm, 0, 4, 0xffffffff);
	ck_assert_uint_eq(hb_pm_read_gpe0(pm, 0, 4), 1 << 1);
	ck_assert(sci);
}
END_TEST

START_TEST(test_reset_keeps_the_sources_of_gpes)
{
	hb_pm_write_gpe0(pm, 8, 1, 1 << 1);
	hb_pm_set_gpe(pm, 1, TRUE);
	hb_pm_reset(pm);
	ck_assert(!sci);
	hb_pm_write_gpe0(pm, 8, 1, 1 << 1);
	ck_assert(sci);
}
END_TEST

START_TEST(test_reset_lowers_the_sci_and_forgets)
{
	hb_pm_write(pm, ENABLE, 2, POWER_BUTTON);
	hb_pm_press_power_button(pm);
	hb_pm_reset(pm);
	ck_assert(!sci);
	ck_assert_uint_eq(hb_pm_read(pm, STATUS, 4), 0);
	ck_assert_uint_eq(hb_pm_read(pm, CONTROL, 2), 1);
}
END_TEST

START_TEST(test_the_reset_register_resets_with_bit_2)
{
	ck_assert(hb_pm_is_reset(0x06));
	ck_assert(hb_pm_is_reset(0x0e));
	ck_assert(hb_pm_is_reset(HB_PM_RESET_VALUE));
	ck_assert(!hb_pm_is_reset(0x02));
	ck_assert(!hb_pm_is_reset(0x00));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("pm");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_the_machine_is_in_acpi_mode_for_good);
	tcase_add_test(tests, test_the_power_button_sets_its_status);
	tcase_add_test(tests, test_an_enabled_power_button_raises_the_sci_until_acknowledged);
	tcase_add_test(tests, test_enabling_after_the_press_raises_the_sci);
	tcase_add_test(tests, test_writing_zero_to_status_clears_nothing);
	tcase_add_test(tests, test_bytes_reach_their_halves);
	tcase_add_test(tests, test_sleep_enable_switches_off);
	tcase_add_test(tests, test_sleep_enable_as_a_byte_switches_off);
	tcase_add_test(tests, test_the_timer_counts_at_3579545_hertz);
	tcase_add_test(tests, test_the_timer_wraps_at_32_bits);
	tcase_add_test(tests, test_the_timer_is_read_only);
	tcase_add_test(tests, test_accesses_over_the_end_are_harmless);
	tcase_add_test(tests, test_gpe_enables_are_kept_and_status_is_clear);
	tcase_add_test(tests, test_an_enabled_gpe_raises_the_sci_while_its_source_is_asserted);
	tcase_add_test(tests, test_a_gpe_from_before_it_was_enabled_is_not_lost);
	tcase_add_test(tests, test_gpes_have_sources_of_their_own);
	tcase_add_test(tests, test_reset_keeps_the_sources_of_gpes);
	tcase_add_test(tests, test_reset_lowers_the_sci_and_forgets);
	tcase_add_test(tests, test_the_reset_register_resets_with_bit_2);
	suite_add_tcase(suite, tests);
	return suite;
}
