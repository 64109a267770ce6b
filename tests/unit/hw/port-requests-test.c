/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What operators and hosts ask of a slot, and how each request ends: once. */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <string.h>

#define SOON_MS 20 /* a time that a test waits for */
#define LONG_MS 5000

static HbPciFunction *const drive_a = &scene_drive_a.function;
static HbPciFunction *const drive_b = &scene_drive_b.function;

static void create(guint removal_ms, guint host_ms, guint acknowledge_ms)
{
	HbPortConfig config = scene_get_config();

	config.removal_timeout_ms = removal_ms;
	config.host_removal_timeout_ms = host_ms;
	config.acknowledge_timeout_ms = acknowledge_ms;
	scene_create(&config);
	scene_boot_with_drive();
}

static void remove_a(guint timeout_ms, gboolean then_pull)
{
	const HbRemoval removal = { .timeout_ms = timeout_ms, .then_pull = then_pull };
	g_autoptr(GError) error = NULL;

	hb_port_request_removal_of(scene_port, drive_a, &removal, 0, &error);
	ck_assert_msg(!error, "%s", error ? error->message : "");
}

static void let_time_pass(void)
{
	g_usleep(3 * SOON_MS * 1000);
	scene_run_loop();
}

/* The guest has seen all events, and all that was told is told. */
static void forget_the_beginning(void)
{
	scene_clear_events();
	scene_run_loop();
	scene_forget_transcript();
}

static HbSlotInfo get_info(void)
{
	HbSlotInfo info;

	hb_port_get_info(scene_port, &info);
	return info;
}

START_TEST(test_request_has_a_time_of_its_own)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	remove_a(SOON_MS, FALSE);
	ck_assert_uint_le(get_info().removal_left_ms, SOON_MS + 1);
	ck_assert_uint_gt(get_info().removal_left_ms, 0);
	scene_forget_transcript();

	let_time_pass();

	scene_assert_transcript("REMOVAL_REQUESTED A\nREMOVAL_REFUSED(TIMED_OUT) A\n");
	ck_assert_uint_eq(get_info().removal_left_ms, 0);
	scene_request_removal();
	ck_assert_uint_gt(get_info().removal_left_ms, LONG_MS / 2);
}
END_TEST

START_TEST(test_time_goes_on_from_the_request_when_the_guest_is_asked)
{
	HbPortConfig config = scene_get_config();

	scene_create(&config);
	scene_plug(&scene_drive_a);
	remove_a(200, FALSE);
	g_usleep(100000);
	ck_assert(get_info().removal_waiting);
	scene_boot();
	ck_assert(!get_info().removal_waiting);

	ck_assert_uint_le(get_info().removal_left_ms, 101);
}
END_TEST

START_TEST(test_request_for_ever_has_no_time_left)
{
	create(SOON_MS, LONG_MS, LONG_MS);
	remove_a(0, FALSE);
	scene_run_loop();
	scene_forget_transcript();

	let_time_pass();

	scene_assert_transcript("");
	ck_assert_uint_eq(get_info().removal_left_ms, 0);
	ck_assert(get_info().removal_pending);
}
END_TEST

START_TEST(test_removal_then_pull_is_a_pull_in_the_end)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	remove_a(SOON_MS, TRUE);
	ck_assert(get_info().removal_then_pull);
	forget_the_beginning();

	let_time_pass();

	scene_assert_transcript("sever A\nmsi fee00000 41\nSEVERED(ESCALATED) A\nrelease A\n");
}
END_TEST

START_TEST(test_pull_by_command_says_so)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	scene_request_removal();
	scene_forget_transcript();

	hb_port_pull_because(scene_port, drive_a, HB_SLOT_REASON_COMMAND, 0);
	scene_run_loop();

	scene_assert_transcript("sever A\nREMOVAL_REQUESTED A\nSEVERED(COMMAND) A\nrelease A\n");
}
END_TEST

START_TEST(test_drive_in_line_is_the_next_when_the_removal_ends)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	scene_request_removal();
	scene_clear_events();
	scene_set_indicator(BLINK);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	ck_assert_ptr_eq(get_info().newcomer, drive_b);
	scene_forget_transcript();

	scene_set_indicator(OFF);
	scene_run_loop();

	scene_assert_transcript("sever A\nattach B\nmsi fee00000 41\n"
				"SEVERED(REQUEST) A\nPLUGGED B\nrelease A\n");
	ck_assert_ptr_eq(get_info().occupant, drive_b);
}
END_TEST

START_TEST(test_drive_in_line_is_refused_with_the_removal)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	remove_a(SOON_MS, FALSE);
	scene_plug(&scene_drive_b);
	forget_the_beginning();

	let_time_pass();

	scene_assert_transcript("sever B\nREMOVAL_REFUSED(TIMED_OUT) A\n"
				"PLUG_REFUSED(OCCUPIED) B\nrelease B\n");
	ck_assert_ptr_eq(get_info().occupant, drive_a);
	ck_assert_ptr_null(get_info().newcomer);
}
END_TEST

START_TEST(test_drive_in_line_can_be_asked_for_in_a_removal)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	scene_request_removal();
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	ck_assert(hb_port_request_removal_of(scene_port, drive_b, NULL, 0, NULL));
	scene_run_loop();

	scene_assert_transcript("sever B\nSEVERED(REQUEST) B\nrelease B\n");
	ck_assert(get_info().removal_pending);
}
END_TEST

START_TEST(test_nobody_stands_in_line_before_the_guest_runs)
{
	HbPortConfig config = scene_get_config();
	g_autoptr(GError) error = NULL;

	scene_create(&config);
	scene_plug(&scene_drive_a);
	scene_request_removal();

	ck_assert(!hb_port_plug(scene_port, drive_b, 0, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_stranger_cannot_be_asked_for)
{
	g_autoptr(GError) error = NULL;

	create(LONG_MS, LONG_MS, LONG_MS);

	ck_assert(!hb_port_request_removal_of(scene_port, drive_b, NULL, 0, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND));
	ck_assert(!hb_port_give_back(scene_port, drive_b, 0));
	ck_assert(!hb_port_give_back(scene_port, NULL, 0));
}
END_TEST

START_TEST(test_guest_that_never_acknowledges_holds_the_slot_for_a_time)
{
	create(LONG_MS, LONG_MS, SOON_MS);
	hb_port_pull(scene_port, drive_a);
	scene_plug(&scene_drive_b);
	forget_the_beginning();

	let_time_pass();

	scene_assert_transcript("attach B\nmsi fee00000 41\nPLUGGED(UNACKNOWLEDGED) B\n");
}
END_TEST

START_TEST(test_guest_that_may_never_acknowledge_holds_the_slot_for_ever)
{
	create(LONG_MS, LONG_MS, 0);
	hb_port_pull(scene_port, drive_a);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	let_time_pass();

	scene_assert_transcript("");
}
END_TEST

START_TEST(test_host_is_given_its_drive_in_time)
{
	create(LONG_MS, SOON_MS, LONG_MS);

	ck_assert(hb_port_give_back(scene_port, drive_a, 0));
	ck_assert(!hb_port_give_back(scene_port, drive_a, 0)); /* it asks again and again */
	forget_the_beginning();
	let_time_pass();

	scene_assert_transcript("sever A\nmsi fee00000 41\nSEVERED(ESCALATED) A\nrelease A\n");
}
END_TEST

START_TEST(test_host_hastens_a_removal_that_is_under_way)
{
	create(LONG_MS, SOON_MS, LONG_MS);
	scene_request_removal();
	scene_run_loop();
	scene_forget_transcript();

	ck_assert(hb_port_give_back(scene_port, drive_a, 0));
	let_time_pass();

	scene_assert_transcript("sever A\nSEVERED(ESCALATED) A\nrelease A\n");
}
END_TEST

START_TEST(test_host_does_not_slow_a_removal_that_is_under_way)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	remove_a(SOON_MS, FALSE);
	scene_run_loop();
	scene_forget_transcript();

	ck_assert(hb_port_give_back(scene_port, drive_a, 0));
	let_time_pass();

	scene_assert_transcript("sever A\nSEVERED(ESCALATED) A\nrelease A\n");
}
END_TEST

START_TEST(test_host_may_be_told_to_wait_for_the_guest)
{
	create(SOON_MS, 0, LONG_MS);
	ck_assert(hb_port_give_back(scene_port, drive_a, 0));
	scene_forget_transcript();

	let_time_pass();

	scene_assert_transcript("REMOVAL_REQUESTED A\n");
	ck_assert(get_info().removal_pending);
}
END_TEST

START_TEST(test_host_has_at_once_what_nobody_can_be_asked_for)
{
	HbPortConfig config = scene_get_config();

	config.attention_button = FALSE;
	scene_create(&config);
	scene_boot_with_drive();

	ck_assert(hb_port_give_back(scene_port, drive_a, 0));
	scene_run_loop();

	scene_assert_transcript("sever A\nmsi fee00000 41\nSEVERED(ESCALATED) A\nrelease A\n");
}
END_TEST

START_TEST(test_host_has_at_once_what_stands_in_line)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	scene_request_removal();
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();

	ck_assert(hb_port_give_back(scene_port, drive_b, 0));
	scene_run_loop();

	scene_assert_transcript("sever B\nSEVERED(REQUEST) B\nrelease B\n");
}
END_TEST

/* The indicators, as a client hears of them. */

typedef struct Heard {
	guint n;
	HbIndicator last;
	gboolean powered;
} Heard;

static void count(const HbEvent *event, gpointer data)
{
	Heard *heard = data;

	if (event->type != HB_EVENT_INDICATORS)
		return;
	heard->n++;
	heard->last = event->power_indicator;
	heard->powered = event->powered;
}

static void blink_often(guint times)
{
	for (guint i = 0; i < times; i++) {
		scene_set_indicator(BLINK);
		scene_run_loop();
		scene_set_indicator(ON);
		scene_run_loop();
	}
}

START_TEST(test_guest_cannot_flood_with_its_indicators)
{
	Heard heard = { 0 };
	gint64 began = g_get_monotonic_time();

	create(LONG_MS, LONG_MS, LONG_MS);
	hb_host_set_listener(scene_host->host, count, &heard);
	blink_often(1000);
	scene_set_indicator(OFF);
	scene_run_loop();
	guint tenths = (guint)((g_get_monotonic_time() - began) / 100000) + 1;

	ck_assert_uint_ge(heard.n, HB_EVENT_INDICATORS_BURST - 1); /* the plug's was one */
	ck_assert_uint_le(heard.n, HB_EVENT_INDICATORS_BURST + tenths);
	g_usleep(120000);
	scene_run_loop();
	ck_assert_int_eq(heard.last, HB_INDICATOR_OFF); /* the last one is always told */
}
END_TEST

START_TEST(test_quiet_guest_has_its_indicators_told_at_once)
{
	Heard heard = { 0 };

	create(LONG_MS, LONG_MS, LONG_MS);
	hb_host_set_listener(scene_host->host, count, &heard);
	scene_set_indicator(BLINK);
	scene_run_loop();

	ck_assert_uint_eq(heard.n, 1);
	ck_assert_int_eq(heard.last, HB_INDICATOR_BLINK);
	ck_assert(heard.powered);
}
END_TEST

static void count_all(const HbEvent *event, gpointer data)
{
	(*(guint *)data)++;
}

/* Its driver leaves and comes back, faster than the loop can tell of it. */
static void desert_often(guint times)
{
	for (guint i = 0; i < times; i++) {
		scene_write_port(SLOT_CONTROL, 2, ON);
		scene_write_port(SLOT_CONTROL, 2, ON | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE);
	}
	scene_run_loop();
}

START_TEST(test_guest_cannot_flood_with_the_progress_of_a_removal)
{
	guint n = 0;

	create(LONG_MS, LONG_MS, LONG_MS);
	remove_a(0, FALSE);
	hb_host_set_listener(scene_host->host, count_all, &n);
	desert_often(10000);

	ck_assert_uint_gt(n, 2); /* it was asked again, and that was told */
	ck_assert_uint_le(n, HB_EVENT_REMOVAL_BURST);
	desert_often(10000);
	ck_assert_uint_le(n, HB_EVENT_REMOVAL_BURST);
	ck_assert_str_eq(get_info().state, "REMOVAL_REQUESTED");
}
END_TEST

START_TEST(test_progress_of_the_next_removal_is_told_again)
{
	create(LONG_MS, LONG_MS, LONG_MS);
	remove_a(SOON_MS, FALSE);
	desert_often(100);
	scene_forget_transcript();
	let_time_pass();
	scene_assert_transcript("REMOVAL_REFUSED(TIMED_OUT) A\n");

	remove_a(LONG_MS, FALSE);
	scene_forget_transcript();
	scene_run_loop();

	scene_assert_transcript("REMOVAL_REQUESTED A\n");
}
END_TEST

START_TEST(test_locked_slot_tells_the_guest_of_its_drive_again)
{
	HbPortConfig config = scene_get_config();

	config.guest_eject = FALSE;
	scene_create(&config);
	scene_boot_with_drive();

	scene_set_indicator(OFF);
	scene_run_loop();

	scene_assert_transcript("msi fee00000 41\n");
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDS | PDC | DLLSC);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("port-requests");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_test(cases, test_request_has_a_time_of_its_own);
	tcase_add_test(cases, test_time_goes_on_from_the_request_when_the_guest_is_asked);
	tcase_add_test(cases, test_request_for_ever_has_no_time_left);
	tcase_add_test(cases, test_removal_then_pull_is_a_pull_in_the_end);
	tcase_add_test(cases, test_pull_by_command_says_so);
	tcase_add_test(cases, test_drive_in_line_is_the_next_when_the_removal_ends);
	tcase_add_test(cases, test_drive_in_line_is_refused_with_the_removal);
	tcase_add_test(cases, test_drive_in_line_can_be_asked_for_in_a_removal);
	tcase_add_test(cases, test_nobody_stands_in_line_before_the_guest_runs);
	tcase_add_test(cases, test_stranger_cannot_be_asked_for);
	tcase_add_test(cases, test_guest_that_never_acknowledges_holds_the_slot_for_a_time);
	tcase_add_test(cases, test_guest_that_may_never_acknowledge_holds_the_slot_for_ever);
	tcase_add_test(cases, test_host_is_given_its_drive_in_time);
	tcase_add_test(cases, test_host_hastens_a_removal_that_is_under_way);
	tcase_add_test(cases, test_host_does_not_slow_a_removal_that_is_under_way);
	tcase_add_test(cases, test_host_may_be_told_to_wait_for_the_guest);
	tcase_add_test(cases, test_host_has_at_once_what_nobody_can_be_asked_for);
	tcase_add_test(cases, test_host_has_at_once_what_stands_in_line);
	tcase_add_test(cases, test_guest_cannot_flood_with_its_indicators);
	tcase_add_test(cases, test_quiet_guest_has_its_indicators_told_at_once);
	tcase_add_test(cases, test_guest_cannot_flood_with_the_progress_of_a_removal);
	tcase_add_test(cases, test_progress_of_the_next_removal_is_told_again);
	tcase_add_test(cases, test_locked_slot_tells_the_guest_of_its_drive_again);
	suite_add_tcase(suite, cases);
	return suite;
}
