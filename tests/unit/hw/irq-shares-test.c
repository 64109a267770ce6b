/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The host's interrupt vectors, counted across processes, and given back by those that are killed.
 */

#include "hw/irq-shares.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUDGET 8

static char *folder;
static char *path;

static void setup(void)
{
	folder = g_dir_make_tmp("irq-shares-XXXXXX", NULL);
	path = g_build_filename(folder, "run", "vectors", NULL);
}

static void teardown(void)
{
	g_autofree char *run = g_path_get_dirname(path);

	g_remove(path);
	g_remove(run);
	g_remove(folder);
	g_clear_pointer(&path, g_free);
	g_clear_pointer(&folder, g_free);
}

static int take(guint n)
{
	return hb_irq_shares_take(path, BUDGET, "bay0", n, NULL);
}

static void assert_refused(guint budget, guint n, const char *part)
{
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(hb_irq_shares_take(path, budget, "bay0", n, &error), -1);
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
}

START_TEST(all_of_the_budget_can_be_taken_and_no_more)
{
	int first = take(5), second = take(3);

	ck_assert_int_ge(first, 0);
	ck_assert_int_ge(second, 0);
	assert_refused(BUDGET, 1, "bay0: needs 1 interrupt vectors");
	assert_refused(BUDGET, 1, "have 8 of the 8");
	close(first);
	close(second);
}
END_TEST

START_TEST(a_closed_share_is_free_again)
{
	int first = take(5);
	int second = take(3);

	close(first);
	first = take(5);
	ck_assert_int_ge(first, 0);
	assert_refused(BUDGET, 1, "have 8 of the 8");
	close(first);
	close(second);
}
END_TEST

START_TEST(a_share_fits_into_several_gaps)
{
	int fds[8];

	for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
		fds[i] = take(1);
	close(fds[1]);
	close(fds[4]);
	close(fds[5]);
	fds[1] = take(3);
	ck_assert_int_ge(fds[1], 0);
	assert_refused(BUDGET, 1, "have 8 of the 8");
	close(fds[1]);
	fds[1] = take(2);
	ck_assert_int_ge(fds[1], 0);
	fds[4] = take(1);
	ck_assert_int_ge(fds[4], 0);
	fds[5] = take(0);
	for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
}
END_TEST

START_TEST(what_is_refused_takes_nothing)
{
	int first = take(5);

	assert_refused(BUDGET, 4,
		       "needs 4 interrupt vectors, but the drives of this host's VMs "
		       "have 5 of the 8");
	int second = take(3);
	ck_assert_int_ge(second, 0);
	close(first);
	close(second);
}
END_TEST

START_TEST(more_than_the_budget_is_refused_on_an_empty_host)
{
	assert_refused(BUDGET, 9, "have 0 of the 8");
	assert_refused(BUDGET, G_MAXUINT, "have 0 of the 8");
}
END_TEST

/* Drive b's bytes lie above the small budget, where there is room: its number counts all the same.
 */
START_TEST(vms_with_other_budgets_are_counted_wherever_their_shares_are)
{
	int a = hb_irq_shares_take(path, 16, "a", 6, NULL);
	int b = hb_irq_shares_take(path, 16, "b", 6, NULL);

	close(a);
	assert_refused(BUDGET, 3, "have 6 of the 8");
	a = take(2);
	ck_assert_int_ge(a, 0);
	close(a);
	close(b);
}
END_TEST

/* A process that takes @n and sleeps; returns when it has them. */
static pid_t start_process(guint n)
{
	int ready[2];
	char byte = 0;

	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		byte = take(n) >= 0 ? 'y' : 'n';
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 'y');
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void kill_process(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(another_process_counts_and_its_death_gives_back)
{
	pid_t other = start_process(6);

	assert_refused(BUDGET, 3, "have 6 of the 8");
	int mine = take(2);
	ck_assert_int_ge(mine, 0);
	kill_process(other);
	int more = take(6);
	ck_assert_int_ge(more, 0);
	close(mine);
	close(more);
}
END_TEST

/* One that hangs in the debugger must not hang the others. */
START_TEST(a_stopped_process_is_counted_and_stops_nobody)
{
	pid_t other = start_process(6);

	ck_assert_int_eq(kill(other, SIGSTOP), 0);
	assert_refused(BUDGET, 3, "have 6 of the 8");
	int mine = take(2);
	ck_assert_int_ge(mine, 0);
	close(mine);
	kill_process(other);
}
END_TEST

#define N_RACERS 4
#define N_ROUNDS 300

/* Takes and gives back, in steps that do not divide the budget, as often as it can. */
static void race(guint n)
{
	for (guint i = 0; i < N_ROUNDS; i++) {
		int fd = take(n);

		if (fd >= 0)
			close(fd);
	}
	_exit(0);
}

START_TEST(racing_processes_leave_nothing_behind)
{
	pid_t racers[N_RACERS];
	int all;

	for (guint i = 0; i < N_RACERS; i++) {
		racers[i] = fork();
		ck_assert_int_ge(racers[i], 0);
		if (racers[i] == 0)
			race(i + 2);
	}
	for (guint i = 0; i < N_RACERS; i++) {
		int status;

		ck_assert_int_eq(waitpid(racers[i], &status, 0), racers[i]);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	all = take(BUDGET);
	ck_assert_int_ge(all, 0);
	close(all);
}
END_TEST

static gint n_taken;
static gint exceeded;

static gpointer race_in_thread(gpointer data)
{
	gint n = GPOINTER_TO_INT(data);

	for (guint i = 0; i < N_ROUNDS; i++) {
		int fd = take((guint)n);

		if (fd < 0)
			continue;
		if (g_atomic_int_add(&n_taken, n) + n > BUDGET)
			g_atomic_int_set(&exceeded, 1);
		g_atomic_int_add(&n_taken, -n);
		close(fd);
	}
	return NULL;
}

START_TEST(the_budget_holds_in_a_race)
{
	GThread *threads[N_RACERS];

	for (gint i = 0; i < N_RACERS; i++)
		threads[i] = g_thread_new("racer", race_in_thread, GINT_TO_POINTER(i + 2));
	for (guint i = 0; i < N_RACERS; i++)
		g_thread_join(threads[i]);
	ck_assert_int_eq(exceeded, 0);
}
END_TEST

START_TEST(a_file_that_is_missing_is_made_with_its_folder)
{
	struct stat status;

	ck_assert(hb_irq_shares_check(path, NULL));
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(status.st_size, 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_is_named_with_the_remedy)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!hb_irq_shares_check("/proc/no/file", &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(strstr(error->message, "/proc/no/file"));
	ck_assert_ptr_nonnull(strstr(error->message, "make it a file"));
}
END_TEST

START_TEST(a_link_in_its_place_is_not_followed)
{
	g_autofree char *run = g_path_get_dirname(path);
	g_autofree char *target = g_build_filename(folder, "target", NULL);

	ck_assert_int_eq(g_mkdir(run, 0700), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert(!hb_irq_shares_check(path, NULL));
	ck_assert(!g_file_test(target, G_FILE_TEST_EXISTS));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("irq-shares");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_of_the_budget_can_be_taken_and_no_more);
	tcase_add_test(tcase, a_closed_share_is_free_again);
	tcase_add_test(tcase, a_share_fits_into_several_gaps);
	tcase_add_test(tcase, what_is_refused_takes_nothing);
	tcase_add_test(tcase, more_than_the_budget_is_refused_on_an_empty_host);
	tcase_add_test(tcase, vms_with_other_budgets_are_counted_wherever_their_shares_are);
	tcase_add_test(tcase, another_process_counts_and_its_death_gives_back);
	tcase_add_test(tcase, a_stopped_process_is_counted_and_stops_nobody);
	tcase_add_test(tcase, racing_processes_leave_nothing_behind);
	tcase_add_test(tcase, the_budget_holds_in_a_race);
	tcase_add_test(tcase, a_file_that_is_missing_is_made_with_its_folder);
	tcase_add_test(tcase, a_file_that_cannot_be_is_named_with_the_remedy);
	tcase_add_test(tcase, a_link_in_its_place_is_not_followed);
	suite_add_tcase(suite, tcase);
	return suite;
}
