/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A GLib main context behind one descriptor, driven by a plain poll(). */

#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/loop.h>

#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define SOON_MS	 20
#define LONG_MS	 5000
#define MINUTE_S 60

static HbLoop *loop;
static guint n_calls;

static void setup(void)
{
	n_calls = 0;
	loop = hb_loop_create(NULL);
	ck_assert_ptr_nonnull(loop);
	hb_loop_dispatch(loop);
}

static void teardown(void)
{
	hb_loop_destroy(loop);
}

static gboolean is_readable_in(int timeout_ms)
{
	struct pollfd polled = { .fd = hb_loop_get_fd(loop), .events = POLLIN };

	return poll(&polled, 1, timeout_ms) == 1;
}

/* What an embedder does, until the descriptor is quiet. */
static void run_until_quiet(void)
{
	while (is_readable_in(0))
		hb_loop_dispatch(loop);
}

static gboolean on_call(gpointer data)
{
	n_calls++;
	return G_SOURCE_REMOVE;
}

static gboolean on_call_again(gpointer data)
{
	n_calls++;
	return G_SOURCE_CONTINUE;
}

static gboolean on_event(gint fd, GIOCondition condition, gpointer data)
{
	eventfd_t count;

	n_calls++;
	ck_assert_int_eq(eventfd_read(fd, &count), 0);
	return G_SOURCE_CONTINUE;
}

static GSource *attach(GSource *source, GSourceFunc func)
{
	g_source_set_callback(source, func, NULL, NULL);
	g_source_attach(source, hb_loop_get_context(loop));
	return source;
}

static void detach(GSource *source)
{
	g_source_destroy(source);
	g_source_unref(source);
}

static GSource *watch(int fd)
{
	return attach(g_unix_fd_source_new(fd, G_IO_IN), G_SOURCE_FUNC(on_event));
}

static int new_event(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

START_TEST(a_loop_without_work_is_quiet)
{
	ck_assert(!is_readable_in(SOON_MS));
}
END_TEST

START_TEST(a_fresh_loop_is_readable_until_it_was_dispatched)
{
	HbLoop *fresh = hb_loop_create(NULL);
	struct pollfd polled = { .fd = hb_loop_get_fd(fresh), .events = POLLIN };

	ck_assert_int_eq(poll(&polled, 1, LONG_MS), 1);
	hb_loop_dispatch(fresh);
	ck_assert_int_eq(poll(&polled, 1, 0), 0);
	hb_loop_destroy(fresh);
}
END_TEST

START_TEST(work_that_the_same_thread_adds_is_seen)
{
	g_source_unref(attach(g_idle_source_new(), on_call));

	ck_assert(is_readable_in(LONG_MS));
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 1);
}
END_TEST

static gpointer add_work(gpointer data)
{
	g_source_unref(attach(g_idle_source_new(), on_call));
	return NULL;
}

START_TEST(work_that_another_thread_adds_ends_the_wait)
{
	GThread *thread = g_thread_new("adds", add_work, NULL);

	ck_assert(is_readable_in(LONG_MS));
	g_thread_join(thread);
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 1);
}
END_TEST

START_TEST(a_timer_ends_the_wait_when_it_is_due)
{
	gint64 started = g_get_monotonic_time();

	g_source_unref(attach(g_timeout_source_new(SOON_MS), on_call));
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 0);

	ck_assert(is_readable_in(LONG_MS));
	ck_assert_int_ge(g_get_monotonic_time() - started, SOON_MS * 1000);
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 1);
	ck_assert(!is_readable_in(SOON_MS));
}
END_TEST

START_TEST(a_timer_that_is_brought_forward_ends_the_wait)
{
	GSource *timer = attach(g_timeout_source_new_seconds(MINUTE_S), on_call);

	run_until_quiet();
	g_source_set_ready_time(timer, 0);

	ck_assert(is_readable_in(LONG_MS));
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 1);
	g_source_unref(timer);
}
END_TEST

START_TEST(a_descriptor_of_a_source_ends_the_wait)
{
	int event = new_event();
	GSource *source = watch(event);

	run_until_quiet();
	ck_assert(!is_readable_in(SOON_MS));
	ck_assert_int_eq(eventfd_write(event, 1), 0);

	ck_assert(is_readable_in(LONG_MS));
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 1);
	detach(source);
	close(event);
}
END_TEST

/* The case that epoll alone gets wrong: the old file lives on in the copy. */
START_TEST(a_descriptor_number_that_comes_again_is_watched_as_the_new_file)
{
	int old = new_event();
	int copy = dup(old);
	GSource *source = watch(old);

	run_until_quiet();
	detach(source);
	close(old);
	int event = new_event();
	ck_assert_int_eq(event, old);
	source = watch(event);
	run_until_quiet();

	ck_assert_int_eq(eventfd_write(copy, 1), 0);
	ck_assert(!is_readable_in(SOON_MS));
	ck_assert_int_eq(eventfd_write(event, 1), 0);
	ck_assert(is_readable_in(LONG_MS));
	run_until_quiet();
	ck_assert_uint_eq(n_calls, 1);
	detach(source);
	close(event);
	close(copy);
}
END_TEST

START_TEST(work_that_never_rests_leaves_the_embedder_its_turn)
{
	GSource *restless = attach(g_idle_source_new(), on_call_again);

	hb_loop_dispatch(loop);

	ck_assert_uint_gt(n_calls, 0);
	ck_assert(is_readable_in(LONG_MS));
	detach(restless);
	run_until_quiet();
	ck_assert(!is_readable_in(SOON_MS));
}
END_TEST

static gboolean on_call_dispatch(gpointer data)
{
	n_calls++;
	hb_loop_dispatch(loop);
	return G_SOURCE_REMOVE;
}

START_TEST(dispatching_from_within_does_nothing)
{
	g_source_unref(attach(g_idle_source_new(), on_call_dispatch));
	g_source_unref(attach(g_idle_source_new(), on_call_dispatch));

	run_until_quiet();

	ck_assert_uint_eq(n_calls, 2);
}
END_TEST

START_TEST(the_descriptor_can_be_watched_by_epoll)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, hb_loop_get_fd(loop), &event), 0);
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, SOON_MS), 0);
	g_source_unref(attach(g_idle_source_new(), on_call));
	ck_assert_int_eq(epoll_wait(epoll, &event, 1, LONG_MS), 1);
	close(epoll);
}
END_TEST

/* Whatever is open stays open; nothing more can be opened. */
static void forbid_new_files(struct rlimit *before)
{
	struct rlimit none = { .rlim_cur = 3, .rlim_max = 3 };

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, before), 0);
	none.rlim_max = before->rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

START_TEST(without_free_descriptors_creation_fails_with_the_remedy)
{
	g_autoptr(GError) error = NULL;
	struct rlimit before;

	forbid_new_files(&before);
	HbLoop *none = hb_loop_create(&error);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);

	ck_assert_ptr_null(none);
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "ulimit"));
}
END_TEST

START_TEST(without_free_descriptors_work_is_still_found)
{
	struct rlimit before;
	int event = new_event();
	GSource *source = watch(event);

	forbid_new_files(&before);
	hb_loop_dispatch(loop);
	ck_assert_int_eq(eventfd_write(event, 1), 0);
	ck_assert(is_readable_in(LONG_MS));
	hb_loop_dispatch(loop);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);

	ck_assert_uint_eq(n_calls, 1);
	ck_assert(is_readable_in(LONG_MS));
	hb_loop_dispatch(loop);
	ck_assert(!is_readable_in(SOON_MS));
	detach(source);
	close(event);
}
END_TEST

START_TEST(a_loop_leaves_no_descriptor_open)
{
	HbLoop *other = hb_loop_create(NULL);
	int fd = hb_loop_get_fd(other);

	hb_loop_dispatch(other);
	hb_loop_destroy(other);

	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	hb_loop_destroy(NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("loop");
	TCase *tcase = tcase_create("loop");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_loop_without_work_is_quiet);
	tcase_add_test(tcase, a_fresh_loop_is_readable_until_it_was_dispatched);
	tcase_add_test(tcase, work_that_the_same_thread_adds_is_seen);
	tcase_add_test(tcase, work_that_another_thread_adds_ends_the_wait);
	tcase_add_test(tcase, a_timer_ends_the_wait_when_it_is_due);
	tcase_add_test(tcase, a_timer_that_is_brought_forward_ends_the_wait);
	tcase_add_test(tcase, a_descriptor_of_a_source_ends_the_wait);
	tcase_add_test(tcase, a_descriptor_number_that_comes_again_is_watched_as_the_new_file);
	tcase_add_test(tcase, work_that_never_rests_leaves_the_embedder_its_turn);
	tcase_add_test(tcase, dispatching_from_within_does_nothing);
	tcase_add_test(tcase, the_descriptor_can_be_watched_by_epoll);
	tcase_add_test(tcase, without_free_descriptors_creation_fails_with_the_remedy);
	tcase_add_test(tcase, without_free_descriptors_work_is_still_found);
	tcase_add_test(tcase, a_loop_leaves_no_descriptor_open);
	suite_add_tcase(suite, tcase);
	return suite;
}
