/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* One stream for all that happens: in order, each once, from any thread. */

#include "hw/event-stream.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#define N_THREADS 4
#define N_EVENTS  2000

static HbEventStream *stream;
static GString *told;
static gboolean answers; /* the listener adds one more */
static gboolean waits;	 /* and iterates the loop */
static int left, right;	 /* two owners */

static void add(gpointer owner, HbEventType type)
{
	const HbEvent event = { .type = type };

	hb_event_stream_add(stream, owner, &event);
}

static void listen(const HbEvent *event, gpointer data)
{
	g_string_append_printf(told, "%s", hb_event_type_to_str(event->type));
	if (event->address)
		g_string_append_printf(told, "(%s, %s)", event->address, event->error->message);
	g_string_append_c(told, ' ');
	if (answers)
		add(&right, HB_EVENT_PLUGGED);
	answers = FALSE;
	if (waits) {
		while (g_main_context_iteration(NULL, FALSE))
			continue;
		g_string_append(told, "; ");
	}
}

static void call(gpointer owner, gpointer data)
{
	g_string_append_printf(told, "%s! ", (const char *)data);
}

static void run_loop(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		continue;
}

static void set_up(void)
{
	stream = hb_event_stream_create(g_main_context_default());
	hb_event_stream_set_listener(stream, listen, NULL);
	told = g_string_new(NULL);
	answers = waits = FALSE;
}

static void tear_down(void)
{
	hb_event_stream_destroy(stream);
	ck_assert(!g_main_context_pending(NULL));
	g_string_free(told, TRUE);
}

START_TEST(owners_share_one_order)
{
	add(&left, HB_EVENT_PLUGGED);
	add(&right, HB_EVENT_HOST_DRIVE_ADDED);
	hb_event_stream_add_call(stream, &left, call, (char *)"release");
	add(&right, HB_EVENT_HOST_DRIVE_REMOVED);
	add(&left, HB_EVENT_SEVERED);
	ck_assert_str_eq(told->str, "");
	run_loop();
	ck_assert_str_eq(told->str,
			 "PLUGGED HOST_DRIVE_ADDED release! HOST_DRIVE_REMOVED SEVERED ");
}
END_TEST

START_TEST(what_a_listener_brings_about_comes_after_what_is_there)
{
	answers = TRUE;
	add(&left, HB_EVENT_SEVERED);
	add(&left, HB_EVENT_RELEASED);
	run_loop();
	ck_assert_str_eq(told->str, "SEVERED RELEASED PLUGGED ");
}
END_TEST

START_TEST(a_listener_that_iterates_the_loop_is_not_called_within_itself_and_misses_nothing)
{
	answers = TRUE;
	waits = TRUE;
	add(&left, HB_EVENT_SEVERED);
	run_loop();
	ck_assert_str_eq(told->str, "SEVERED ; PLUGGED ; ");
}
END_TEST

START_TEST(indicators_replace_what_nobody_has_seen_of_the_same_slot)
{
	add(&left, HB_EVENT_INDICATORS);
	add(&left, HB_EVENT_INDICATORS);
	add(&right, HB_EVENT_INDICATORS);
	add(&left, HB_EVENT_PLUGGED);
	add(&left, HB_EVENT_INDICATORS);
	run_loop();
	ck_assert_str_eq(told->str, "INDICATORS INDICATORS PLUGGED INDICATORS ");
}
END_TEST

START_TEST(what_an_event_points_to_is_copied)
{
	GError *error = g_error_new_literal(HB_ERROR, HB_ERROR_BUSY, "mounted");
	char address[] = "0000:01:00.0";
	const HbEvent event = { .type = HB_EVENT_HOST_DRIVE_REFUSED,
				.address = address,
				.error = error };

	hb_event_stream_add(stream, &left, &event);
	g_error_free(error);
	address[0] = '?';
	run_loop();
	ck_assert_str_eq(told->str, "HOST_DRIVE_REFUSED(0000:01:00.0, mounted) ");
}
END_TEST

START_TEST(an_owner_that_is_forgotten_has_only_its_calls_made)
{
	add(&left, HB_EVENT_PLUGGED);
	hb_event_stream_add_call(stream, &left, call, (char *)"release");
	add(&right, HB_EVENT_SEVERED);
	hb_event_stream_forget(stream, &left);
	run_loop();
	ck_assert_str_eq(told->str, "release! SEVERED ");
}
END_TEST

START_TEST(an_owner_that_finishes_has_its_calls_made_at_once)
{
	add(&right, HB_EVENT_PLUGGED);
	add(&left, HB_EVENT_PLUGGED);
	hb_event_stream_add_call(stream, &left, call, (char *)"release");
	hb_event_stream_finish(stream, &left);
	ck_assert_str_eq(told->str, "release! ");
	run_loop();
	ck_assert_str_eq(told->str, "release! PLUGGED ");
}
END_TEST

START_TEST(without_a_listener_nothing_is_kept_for_the_next)
{
	hb_event_stream_set_listener(stream, NULL, NULL);
	add(&left, HB_EVENT_PLUGGED);
	run_loop();
	hb_event_stream_set_listener(stream, listen, NULL);
	run_loop();
	ck_assert_str_eq(told->str, "");
}
END_TEST

START_TEST(each_type_has_a_name_of_its_own)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint type = 0; type < HB_EVENT_N_TYPES; type++)
		ck_assert_msg(g_hash_table_add(names, (char *)hb_event_type_to_str(type)),
			      "%s twice", hb_event_type_to_str(type));
	ck_assert(!g_hash_table_contains(names, "(unknown)"));
	ck_assert_str_eq(hb_event_type_to_str(HB_EVENT_N_TYPES), "(unknown)");
}
END_TEST

/* -- Threads. -- */

static guint64 heard[N_THREADS]; /* how many of each; its events are numbered from 0 */
static gint64 last_us;

static void follow(const HbEvent *event, gpointer data)
{
	guint thread = (guint)(event->request / N_EVENTS);

	ck_assert_uint_eq(event->request % N_EVENTS, heard[thread]);
	heard[thread]++;
	ck_assert_int_ge(event->time_us, last_us);
	last_us = event->time_us;
}

static gpointer run_thread(gpointer data)
{
	guint64 first = GPOINTER_TO_UINT(data) * N_EVENTS;

	for (guint64 i = 0; i < N_EVENTS; i++) {
		const HbEvent event = { .type = HB_EVENT_PLUGGED, .request = first + i };

		hb_event_stream_add(stream, heard, &event);
	}
	return NULL;
}

static gboolean has_heard_all(void)
{
	for (guint i = 0; i < N_THREADS; i++) {
		if (heard[i] != N_EVENTS)
			return FALSE;
	}
	return TRUE;
}

START_TEST(of_threads_nothing_is_lost_and_time_does_not_go_back)
{
	GThread *threads[N_THREADS];

	hb_event_stream_set_listener(stream, follow, NULL);
	for (guint i = 0; i < N_THREADS; i++)
		threads[i] = g_thread_new("adds", run_thread, GUINT_TO_POINTER(i));
	while (!has_heard_all())
		g_main_context_iteration(NULL, TRUE);
	for (guint i = 0; i < N_THREADS; i++)
		g_thread_join(threads[i]);
	run_loop();
	ck_assert(has_heard_all());
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("event-stream");
	TCase *tcase = tcase_create("stream");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, owners_share_one_order);
	tcase_add_test(tcase, what_a_listener_brings_about_comes_after_what_is_there);
	tcase_add_test(
		tcase,
		a_listener_that_iterates_the_loop_is_not_called_within_itself_and_misses_nothing);
	tcase_add_test(tcase, indicators_replace_what_nobody_has_seen_of_the_same_slot);
	tcase_add_test(tcase, what_an_event_points_to_is_copied);
	tcase_add_test(tcase, an_owner_that_is_forgotten_has_only_its_calls_made);
	tcase_add_test(tcase, an_owner_that_finishes_has_its_calls_made_at_once);
	tcase_add_test(tcase, without_a_listener_nothing_is_kept_for_the_next);
	tcase_add_test(tcase, each_type_has_a_name_of_its_own);
	tcase_add_test(tcase, of_threads_nothing_is_lost_and_time_does_not_go_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
