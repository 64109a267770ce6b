/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Work put off: once for many requests, not for ever, and not after its end. */

#include "hw/host-bridge.h"
#include "hw/later.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#define QUIET_MS 40
#define MOST_MS	 200

static FakeHost *host;
static HbHostBridge *bridge;
static HbLater *later;
static guint n_done;

static void do_it(gpointer data)
{
	n_done++;
}

static void setup(void)
{
	const HbHostBridgeConfig config = { .ecam = { 0xb0000000, 0x1000000 } };
	const HbLaterTimes times = { .quiet_ms = QUIET_MS, .most_ms = MOST_MS };

	n_done = 0;
	host = fake_host_create();
	bridge = hb_host_bridge_create(host->host, &config, NULL);
	ck_assert_ptr_nonnull(bridge);
	later = hb_later_create(bridge, times, do_it, NULL);
}

static void teardown(void)
{
	hb_later_destroy(later);
	hb_host_bridge_destroy(bridge);
	fake_host_destroy(host);
}

static void ask(void)
{
	hb_host_bridge_lock(bridge);
	hb_later_ask(later);
	hb_host_bridge_unlock(bridge);
}

/* Looks at the loop all the while; returns after how many milliseconds it was done @n times. */
static gint64 run_until_done(guint n, gint64 at_most_ms)
{
	gint64 start = g_get_monotonic_time();

	while (n_done < n && g_get_monotonic_time() - start < 1000 * at_most_ms) {
		g_main_context_iteration(host->context, FALSE);
		g_usleep(1000);
	}
	return (g_get_monotonic_time() - start) / 1000;
}

START_TEST(what_nobody_asks_for_is_not_done)
{
	run_until_done(1, 2 * QUIET_MS);

	ck_assert_uint_eq(n_done, 0);
}
END_TEST

START_TEST(many_requests_are_one_turn_when_it_is_quiet)
{
	for (guint i = 0; i < 100; i++)
		ask();
	ck_assert(hb_later_is_asked(later));

	ck_assert_int_ge(run_until_done(1, 10000), QUIET_MS - 1);
	run_until_done(2, 2 * QUIET_MS);

	ck_assert_uint_eq(n_done, 1);
	ck_assert(!hb_later_is_asked(later));
}
END_TEST

START_TEST(a_request_puts_it_off_again)
{
	gint64 start = g_get_monotonic_time();

	ask();
	run_until_done(1, QUIET_MS / 2);
	ask();
	run_until_done(1, 10000);

	ck_assert_int_ge(g_get_monotonic_time() - start, 1000 * (QUIET_MS / 2 + QUIET_MS - 2));
}
END_TEST

/* However slow this machine is: the requests do not end before it is done. */
START_TEST(requests_without_end_do_not_put_it_off_for_ever)
{
	gint64 start = g_get_monotonic_time();

	while (n_done == 0) {
		ask();
		g_main_context_iteration(host->context, FALSE);
	}

	ck_assert_int_ge(g_get_monotonic_time() - start, 1000 * (MOST_MS - 1));
}
END_TEST

START_TEST(what_is_forgotten_is_not_done_until_it_is_asked_for_anew)
{
	ask();
	hb_later_forget(later);
	run_until_done(1, 2 * QUIET_MS);
	ck_assert_uint_eq(n_done, 0);

	ask();
	run_until_done(1, 10000);

	ck_assert_uint_eq(n_done, 1);
}
END_TEST

static gpointer run_loop(gpointer data)
{
	g_main_context_iteration(host->context, TRUE);
	return NULL;
}

START_TEST(what_is_destroyed_while_the_loop_waits_for_the_lock_is_not_done)
{
	ask();
	hb_host_bridge_lock(bridge);
	GThread *loop = g_thread_new("loop", run_loop, NULL);
	g_usleep(2 * 1000 * QUIET_MS); /* by now the loop wants the lock, if it is quick */
	g_clear_pointer(&later, hb_later_destroy);
	hb_host_bridge_unlock(bridge);
	g_main_context_wakeup(host->context);
	g_thread_join(loop);

	ck_assert_uint_eq(n_done, 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("later");
	TCase *tcase = tcase_create("later");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_nobody_asks_for_is_not_done);
	tcase_add_test(tcase, many_requests_are_one_turn_when_it_is_quiet);
	tcase_add_test(tcase, a_request_puts_it_off_again);
	tcase_add_test(tcase, requests_without_end_do_not_put_it_off_for_ever);
	tcase_add_test(tcase, what_is_forgotten_is_not_done_until_it_is_asked_for_anew);
	tcase_add_test(tcase, what_is_destroyed_while_the_loop_waits_for_the_lock_is_not_done);
	suite_add_tcase(suite, tcase);
	return suite;
}
