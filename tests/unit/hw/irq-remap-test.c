/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Interrupt remapping: what the host is asked for what the guest programs, and the budget. */

#include "hw/host-bridge.h"
#include "hw/irq-remap.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define BUDGET 8

static const HbMsiMessage message_a = { 0xfee00000, 0x41 };
static const HbMsiMessage message_b = { 0xfee01000, 0x42 };

static FakeHost *host;
static HbIrqRemap *remap;
static HbIrqSource *source;

static void setup(void)
{
	host = fake_host_create();
	remap = hb_irq_remap_create(host->host, BUDGET);
	source = hb_irq_source_open(remap, "bay0", 3, NULL);
}

static void teardown(void)
{
	hb_irq_source_close(source);
	hb_irq_remap_destroy(remap);
	fake_host_destroy(host);
}

static void assert_calls(const char *expected)
{
	g_autofree char *calls = fake_host_take_calls(host);

	ck_assert_str_eq(calls, expected);
}

static void set_and_commit(guint vector, const HbMsiMessage *message)
{
	hb_irq_source_set(source, vector, message);
	hb_irq_source_commit(source);
}

/* As the host kernel does for an interrupt of the drive. */
static void interrupt(guint vector)
{
	guint64 one = 1;

	ck_assert_int_eq(write(hb_irq_source_get_eventfd(source, vector), &one, sizeof(one)),
			 sizeof(one));
}

static void run_loop(void)
{
	while (g_main_context_iteration(host->context, FALSE))
		continue;
}

static guint count_log_lines(void)
{
	guint n = 0;

	for (const char *c = host->log->str; *c; c++)
		n += *c == '\n';
	return n;
}

/* Budget. */

START_TEST(a_source_takes_from_the_budget_and_gives_back)
{
	HbIrqSource *other = hb_irq_source_open(remap, "bay1", 5, NULL);

	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 8);
	hb_irq_source_close(other);
	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 3);
}
END_TEST

START_TEST(a_source_beyond_the_budget_is_refused_with_the_numbers)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_irq_source_open(remap, "bay1", 6, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "bay1: needs 6 "));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "3 of this VM's 8"));
	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 3);
}
END_TEST

START_TEST(an_absurd_number_of_vectors_does_not_wrap_the_count)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_irq_source_open(remap, "bay1", G_MAXUINT - 1, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
}
END_TEST

START_TEST(a_source_without_file_descriptors_is_refused_and_leaves_nothing)
{
	struct rlimit limit = { .rlim_cur = 1, .rlim_max = 1 };
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)hb_irq_source_get_eventfd(source, 2) + 2;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

	ck_assert_ptr_null(hb_irq_source_open(remap, "bay1", 4, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 3);
	ck_assert_int_eq(fcntl(hb_irq_source_get_eventfd(source, 2) + 1, F_GETFD), -1);
}
END_TEST

static gpointer open_and_close(gpointer data)
{
	gboolean *exceeded = data;

	for (guint i = 0; i < 2000; i++) {
		HbIrqSource *other = hb_irq_source_open(remap, "bay1", 2, NULL);

		*exceeded |= hb_irq_remap_get_used(remap) > BUDGET;
		hb_irq_source_close(other);
	}
	return NULL;
}

START_TEST(the_budget_holds_between_threads)
{
	gboolean exceeded[4] = { FALSE };
	GThread *threads[4];

	for (guint i = 0; i < 4; i++)
		threads[i] = g_thread_new("opener", open_and_close, &exceeded[i]);
	for (guint i = 0; i < 4; i++)
		g_thread_join(threads[i]);

	for (guint i = 0; i < 4; i++)
		ck_assert(!exceeded[i]);
	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 3);
}
END_TEST

/* Two VMs of one host, each with its table. */
START_TEST(a_shared_budget_counts_the_sources_of_all_tables)
{
	g_autofree char *folder = g_dir_make_tmp("irq-remap-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "vectors", NULL);
	HbIrqRemap *tables[2];
	HbIrqSource *first, *second;
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 2; i++) {
		tables[i] = hb_irq_remap_create(host->host, BUDGET);
		ck_assert(hb_irq_remap_share(tables[i], path, NULL));
	}
	first = hb_irq_source_open(tables[0], "bay0", 5, NULL);
	ck_assert_ptr_null(hb_irq_source_open(tables[1], "bay1", 4, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_uint_eq(hb_irq_remap_get_used(tables[1]), 0);
	hb_irq_source_close(first);
	second = hb_irq_source_open(tables[1], "bay1", 4, NULL);
	ck_assert_ptr_nonnull(second);

	hb_irq_source_close(second);
	for (guint i = 0; i < 2; i++)
		hb_irq_remap_destroy(tables[i]);
	g_remove(path);
	g_remove(folder);
}
END_TEST

START_TEST(eventfds_do_not_block_and_do_not_leak_into_children)
{
	int fd = hb_irq_source_get_eventfd(source, 0);

	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

/* Routes. */

START_TEST(a_message_takes_effect_at_the_commit)
{
	hb_irq_source_set(source, 0, &message_a);
	assert_calls("");
	hb_irq_source_commit(source);

	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
}
END_TEST

START_TEST(many_messages_are_one_commit_made_before_any_is_connected)
{
	hb_irq_source_set(source, 0, &message_a);
	hb_irq_source_set(source, 2, &message_b);
	hb_irq_source_commit(source);

	assert_calls("add 0\nset 0 fee00000 41\nadd 1\nset 1 fee01000 42\ncommit\n"
		     "connect 0\nconnect 1\n");
}
END_TEST

START_TEST(masking_and_unmasking_costs_no_commit)
{
	set_and_commit(0, &message_a);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
	set_and_commit(0, NULL);
	assert_calls("disconnect 0\n");
	set_and_commit(0, &message_a);

	assert_calls("connect 0\n");
}
END_TEST

START_TEST(a_new_message_keeps_its_route)
{
	set_and_commit(0, &message_a);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
	set_and_commit(0, &message_b);

	assert_calls("set 0 fee01000 42\ncommit\n");
}
END_TEST

START_TEST(a_message_changed_under_mask_is_committed_before_it_is_connected)
{
	set_and_commit(0, &message_a);
	set_and_commit(0, NULL);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\ndisconnect 0\n");
	set_and_commit(0, &message_b);

	assert_calls("set 0 fee01000 42\ncommit\nconnect 0\n");
}
END_TEST

START_TEST(a_commit_without_change_does_nothing)
{
	set_and_commit(0, &message_a);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
	set_and_commit(0, &message_a);

	assert_calls("");
}
END_TEST

/* Pending. */

START_TEST(an_interrupt_behind_a_mask_is_pending)
{
	ck_assert(!hb_irq_source_is_pending(source, 1));
	interrupt(1);

	ck_assert(hb_irq_source_is_pending(source, 1));
	ck_assert(!hb_irq_source_is_pending(source, 0));
}
END_TEST

START_TEST(an_interrupt_on_its_way_is_not_pending)
{
	set_and_commit(1, &message_a);
	interrupt(1);

	ck_assert(!hb_irq_source_is_pending(source, 1));
}
END_TEST

/* By hand. */

START_TEST(what_has_no_route_is_delivered_by_hand)
{
	host->max_routes = 0;
	set_and_commit(0, &message_a);
	assert_calls("");
	interrupt(0);
	run_loop();

	assert_calls("msi fee00000 41\n");
	run_loop();
	assert_calls("");
}
END_TEST

START_TEST(the_operator_hears_of_it_once)
{
	host->max_routes = 0;
	for (guint vector = 0; vector < 3; vector++)
		set_and_commit(vector, &message_a);

	ck_assert_uint_eq(count_log_lines(), 1);
	ck_assert_ptr_nonnull(g_strstr_len(host->log->str, -1, "bay0: interrupt vector 0 "));
}
END_TEST

START_TEST(a_refused_commit_leaves_old_vectors_routed)
{
	set_and_commit(0, &message_a);
	host->no_commit = TRUE;
	set_and_commit(1, &message_b);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n"
		     "add 1\nset 1 fee01000 42\nremove 1\n");
	interrupt(1);
	run_loop();

	assert_calls("msi fee01000 42\n");
}
END_TEST

START_TEST(a_refused_message_is_never_delivered_as_the_old_one)
{
	set_and_commit(0, &message_a);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
	host->no_commit = TRUE;
	set_and_commit(0, &message_b);

	assert_calls("set 0 fee01000 42\ndisconnect 0\nremove 0\n");
	interrupt(0);
	run_loop();
	assert_calls("msi fee01000 42\n");
}
END_TEST

START_TEST(a_refused_connection_is_delivered_by_hand)
{
	host->no_connect = TRUE;
	set_and_commit(0, &message_a);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nremove 0\n");
	interrupt(0);
	run_loop();

	assert_calls("msi fee00000 41\n");
}
END_TEST

START_TEST(by_hand_too_a_mask_holds_the_interrupt_back)
{
	host->max_routes = 0;
	set_and_commit(0, &message_a);
	set_and_commit(0, NULL);
	interrupt(0);
	run_loop();
	assert_calls("");
	ck_assert(hb_irq_source_is_pending(source, 0));
	set_and_commit(0, &message_b);
	run_loop();

	assert_calls("msi fee01000 42\n");
	ck_assert(!hb_irq_source_is_pending(source, 0));
}
END_TEST

START_TEST(by_hand_too_a_message_can_change)
{
	host->max_routes = 0;
	set_and_commit(0, &message_a);
	set_and_commit(0, &message_b);
	interrupt(0);
	run_loop();

	assert_calls("msi fee01000 42\n");
}
END_TEST

static gpointer run_loop_until_told(gpointer data)
{
	gint *stop = data;

	while (!g_atomic_int_get(stop))
		g_main_context_iteration(host->context, TRUE);
	return NULL;
}

START_TEST(by_hand_too_nothing_is_delivered_once_it_is_severed)
{
	gint stop = 0;
	GThread *loop = g_thread_new("loop", run_loop_until_told, &stop);

	host->max_routes = 0;
	for (guint i = 0; i < 500; i++) {
		set_and_commit(0, i % 2 ? NULL : &message_a);
		interrupt(0);
	}
	set_and_commit(0, &message_a);
	hb_irq_source_sever(source);
	g_free(fake_host_take_calls(host));
	interrupt(0);
	g_usleep(20000);

	assert_calls("");
	g_atomic_int_set(&stop, 1);
	g_main_context_wakeup(host->context);
	g_thread_join(loop);
}
END_TEST

/* The end. */

START_TEST(a_severed_source_is_cut_off_with_one_commit)
{
	set_and_commit(0, &message_a);
	set_and_commit(1, &message_b);
	set_and_commit(1, NULL);
	g_free(fake_host_take_calls(host));
	hb_irq_source_sever(source);
	assert_calls("disconnect 0\nremove 0\nremove 1\ncommit\n");
	hb_irq_source_sever(source);

	assert_calls("");
}
END_TEST

START_TEST(a_severed_source_stays_silent)
{
	host->max_routes = 0;
	set_and_commit(0, &message_a);
	hb_irq_source_sever(source);
	interrupt(0);
	interrupt(1);
	set_and_commit(1, &message_a);
	run_loop();

	assert_calls("");
	ck_assert(!hb_irq_source_is_pending(source, 0));
}
END_TEST

START_TEST(closing_a_live_source_severs_it)
{
	HbIrqSource *other = hb_irq_source_open(remap, "bay1", 1, NULL);

	hb_irq_source_set(other, 0, &message_a);
	hb_irq_source_commit(other);
	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
	hb_irq_source_close(other);

	assert_calls("disconnect 0\nremove 0\ncommit\n");
}
END_TEST

START_TEST(closing_an_unused_source_asks_nothing_of_the_host)
{
	hb_irq_source_close(hb_irq_source_open(remap, "bay1", 1, NULL));

	assert_calls("");
}
END_TEST

START_TEST(a_reset_masks_and_forgets_what_was_pending)
{
	interrupt(1);
	set_and_commit(0, &message_a);
	g_free(fake_host_take_calls(host));
	hb_irq_source_reset(source);
	assert_calls("disconnect 0\n");
	ck_assert(!hb_irq_source_is_pending(source, 1));
	hb_irq_source_commit(source);

	assert_calls("");
}
END_TEST

START_TEST(a_source_works_again_after_a_reset)
{
	set_and_commit(0, &message_a);
	hb_irq_source_reset(source);
	g_free(fake_host_take_calls(host));
	set_and_commit(0, &message_b);

	assert_calls("set 0 fee01000 42\ncommit\nconnect 0\n");
}
END_TEST

/* In use by a guest: what is new is forwarded first, and routed a moment later. */

static HbHostBridge *bridge;

static void setup_attached(void)
{
	const HbHostBridgeConfig config = { .ecam = { 0xb0000000, 0x1000000 } };

	setup();
	bridge = hb_host_bridge_create(host->host, &config, NULL);
	ck_assert_ptr_nonnull(bridge);
	hb_irq_source_attach(source, bridge);
}

static void teardown_attached(void)
{
	hb_irq_source_sever(source);
	hb_host_bridge_destroy(bridge);
	teardown();
}

/* As a vCPU does it. */
static void set_locked(guint vector, const HbMsiMessage *message)
{
	hb_host_bridge_lock(bridge);
	set_and_commit(vector, message);
	hb_host_bridge_unlock(bridge);
}

static void run_loop_for(guint ms)
{
	gint64 end = g_get_monotonic_time() + 1000 * (gint64)ms;

	while (g_get_monotonic_time() < end) {
		g_main_context_iteration(host->context, FALSE);
		g_usleep(1000);
	}
}

/* Longer than the guest must be quiet, on a slow machine too. */
static void let_routes_be_made(void)
{
	for (guint i = 0; i < 100 && !strstr(host->calls->str, "\nconnect"); i++)
		run_loop_for(20);
}

static guint count_calls(const char *calls, const char *name)
{
	guint n = 0;

	for (const char *at = strstr(calls, name); at; at = strstr(at + 1, name))
		n++;
	return n;
}

START_TEST(a_new_vector_is_delivered_before_it_is_routed)
{
	set_locked(0, &message_a);
	interrupt(0);
	run_loop();

	assert_calls("msi fee00000 41\n");
}
END_TEST

START_TEST(vectors_unmasked_one_by_one_are_one_commit)
{
	set_locked(0, &message_a);
	run_loop_for(5);
	set_locked(1, &message_b);
	run_loop_for(5);
	set_locked(2, &message_a);
	assert_calls("");
	let_routes_be_made();

	assert_calls("add 0\nset 0 fee00000 41\nadd 1\nset 1 fee01000 42\nadd 2\n"
		     "set 2 fee00000 41\ncommit\nconnect 0\nconnect 1\nconnect 2\n");
}
END_TEST

START_TEST(a_vector_that_is_routed_is_forwarded_no_more)
{
	set_locked(0, &message_a);
	let_routes_be_made();
	g_free(fake_host_take_calls(host));
	interrupt(0);
	run_loop_for(20);

	assert_calls(""); /* the host's to deliver */
}
END_TEST

START_TEST(an_unmasked_vector_delivers_what_was_pending_at_once)
{
	interrupt(0);
	set_locked(0, &message_a);
	run_loop();

	assert_calls("msi fee00000 41\n");
}
END_TEST

START_TEST(a_changed_message_is_never_delivered_as_the_old_one)
{
	set_locked(0, &message_a);
	let_routes_be_made();
	g_free(fake_host_take_calls(host));
	set_locked(0, &message_b);
	assert_calls("disconnect 0\n");
	interrupt(0);
	run_loop();
	assert_calls("msi fee01000 42\n");
	let_routes_be_made();

	assert_calls("set 0 fee01000 42\ncommit\nconnect 0\n");
}
END_TEST

START_TEST(a_mask_costs_no_commit_and_its_end_none)
{
	set_locked(0, &message_a);
	let_routes_be_made();
	g_free(fake_host_take_calls(host));
	set_locked(0, NULL);
	set_locked(0, &message_a);
	let_routes_be_made();

	assert_calls("disconnect 0\nconnect 0\n");
}
END_TEST

START_TEST(a_guest_that_toggles_a_mask_costs_the_host_nothing_meanwhile)
{
	set_locked(0, &message_a);
	for (guint i = 0; i < 1000; i++) {
		set_locked(0, NULL);
		set_locked(0, i % 2 ? &message_a : &message_b);
	}
	assert_calls("");
	let_routes_be_made();

	assert_calls("add 0\nset 0 fee00000 41\ncommit\nconnect 0\n");
}
END_TEST

/* It gets its routes now and then all the same, and each costs a disconnection: few of them. */
START_TEST(a_guest_that_never_stops_toggling_costs_few_commits)
{
	gint64 start = g_get_monotonic_time();
	guint n_toggles = 0;

	while (g_get_monotonic_time() - start < 2500000) {
		set_locked(0, NULL);
		set_locked(0, n_toggles++ % 2 ? &message_a : &message_b);
		g_main_context_iteration(host->context, FALSE);
	}
	g_autofree char *calls = fake_host_take_calls(host);

	ck_assert_uint_ge(n_toggles, 1000);
	ck_assert_uint_ge(count_calls(calls, "commit"), 1);
	ck_assert_uint_le(count_calls(calls, "commit"), 3);
}
END_TEST

START_TEST(a_drive_severed_before_its_routes_are_made_never_has_any)
{
	set_locked(0, &message_a);
	hb_host_bridge_lock(bridge);
	hb_irq_source_sever(source);
	hb_host_bridge_unlock(bridge);
	interrupt(0);
	run_loop_for(200);

	assert_calls("");
}
END_TEST

START_TEST(what_the_host_refuses_later_stays_forwarded)
{
	host->no_commit = TRUE;
	set_locked(0, &message_a);
	run_loop_for(300);
	assert_calls("add 0\nset 0 fee00000 41\nremove 0\n");
	ck_assert_uint_eq(count_log_lines(), 1);
	interrupt(0);
	run_loop();

	assert_calls("msi fee00000 41\n");
}
END_TEST

/* A guest may write any message, and has a new forwarder with each unmask. */
START_TEST(messages_that_the_host_refuses_are_said_once_for_the_drive)
{
	host->no_msi = TRUE;
	for (guint i = 0; i < 6; i++) {
		set_locked(i % 3, &message_a);
		interrupt(i % 3);
		run_loop();
		set_locked(i % 3, NULL);
	}

	ck_assert_uint_eq(count_log_lines(), 1);
	ck_assert_ptr_nonnull(strstr(host->log->str, "bay0: interrupt with message 0x41"));
}
END_TEST

START_TEST(calls_are_counted)
{
	HbIrqRemapCounts counts;

	set_locked(0, &message_a);
	set_locked(1, &message_b);
	let_routes_be_made();
	set_locked(0, NULL);
	hb_irq_remap_get_counts(remap, &counts);

	ck_assert_uint_eq(counts.commits, 1);
	ck_assert_uint_eq(counts.connections, 3);
}
END_TEST

static TCase *create_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_budget_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_source_takes_from_the_budget_and_gives_back);
	tcase_add_test(tcase, a_source_beyond_the_budget_is_refused_with_the_numbers);
	tcase_add_test(tcase, an_absurd_number_of_vectors_does_not_wrap_the_count);
	tcase_add_test(tcase, a_source_without_file_descriptors_is_refused_and_leaves_nothing);
	tcase_add_test(tcase, the_budget_holds_between_threads);
	tcase_add_test(tcase, a_shared_budget_counts_the_sources_of_all_tables);
	tcase_add_test(tcase, eventfds_do_not_block_and_do_not_leak_into_children);
}

static void add_route_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_message_takes_effect_at_the_commit);
	tcase_add_test(tcase, many_messages_are_one_commit_made_before_any_is_connected);
	tcase_add_test(tcase, masking_and_unmasking_costs_no_commit);
	tcase_add_test(tcase, a_new_message_keeps_its_route);
	tcase_add_test(tcase, a_message_changed_under_mask_is_committed_before_it_is_connected);
	tcase_add_test(tcase, a_commit_without_change_does_nothing);
	tcase_add_test(tcase, an_interrupt_behind_a_mask_is_pending);
	tcase_add_test(tcase, an_interrupt_on_its_way_is_not_pending);
}

static void add_hand_tests(TCase *tcase)
{
	tcase_add_test(tcase, what_has_no_route_is_delivered_by_hand);
	tcase_add_test(tcase, the_operator_hears_of_it_once);
	tcase_add_test(tcase, a_refused_commit_leaves_old_vectors_routed);
	tcase_add_test(tcase, a_refused_message_is_never_delivered_as_the_old_one);
	tcase_add_test(tcase, a_refused_connection_is_delivered_by_hand);
	tcase_add_test(tcase, by_hand_too_a_mask_holds_the_interrupt_back);
	tcase_add_test(tcase, by_hand_too_a_message_can_change);
	tcase_add_test(tcase, by_hand_too_nothing_is_delivered_once_it_is_severed);
}

static void add_end_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_severed_source_is_cut_off_with_one_commit);
	tcase_add_test(tcase, a_severed_source_stays_silent);
	tcase_add_test(tcase, closing_a_live_source_severs_it);
	tcase_add_test(tcase, closing_an_unused_source_asks_nothing_of_the_host);
	tcase_add_test(tcase, a_reset_masks_and_forgets_what_was_pending);
	tcase_add_test(tcase, a_source_works_again_after_a_reset);
}

static void add_later_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_new_vector_is_delivered_before_it_is_routed);
	tcase_add_test(tcase, vectors_unmasked_one_by_one_are_one_commit);
	tcase_add_test(tcase, a_vector_that_is_routed_is_forwarded_no_more);
	tcase_add_test(tcase, an_unmasked_vector_delivers_what_was_pending_at_once);
	tcase_add_test(tcase, a_changed_message_is_never_delivered_as_the_old_one);
	tcase_add_test(tcase, a_mask_costs_no_commit_and_its_end_none);
	tcase_add_test(tcase, a_guest_that_toggles_a_mask_costs_the_host_nothing_meanwhile);
	tcase_add_test(tcase, a_guest_that_never_stops_toggling_costs_few_commits);
	tcase_add_test(tcase, a_drive_severed_before_its_routes_are_made_never_has_any);
	tcase_add_test(tcase, what_the_host_refuses_later_stays_forwarded);
	tcase_add_test(tcase, messages_that_the_host_refuses_are_said_once_for_the_drive);
	tcase_add_test(tcase, calls_are_counted);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("irq-remap");
	TCase *attached = tcase_create("attached");

	add_budget_tests(create_case(suite, "budget"));
	add_route_tests(create_case(suite, "routes"));
	add_hand_tests(create_case(suite, "by hand"));
	add_end_tests(create_case(suite, "end"));
	tcase_add_checked_fixture(attached, setup_attached, teardown_attached);
	add_later_tests(attached);
	suite_add_tcase(suite, attached);
	return suite;
}
