/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl within the test's own process. */

#include "tests/unit/ctl/run.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Run run_hotbayctl(const char *line)
{
	g_autofree char *whole = g_strconcat("hotbayctl ", line, NULL);
	g_auto(GStrv) words = g_strsplit(g_strchomp(whole), " ", -1);
	size_t out_size, err_size;
	Run run = { .status = HB_EXIT_FAILED };
	FILE *out = open_memstream(&run.out, &out_size);
	FILE *err = open_memstream(&run.err, &err_size);

	run.status = hb_command_run(words, out, err, TRUE);
	fclose(out);
	fclose(err);
	return run;
}

void run_clear(Run *run)
{
	free(run->out);
	free(run->err);
}

static void assert_text(const char *line, const char *text, const char *expected)
{
	if (expected)
		ck_assert_msg(strstr(text, expected) != NULL, "%s: no '%s' in: %s", line, expected,
			      text);
	else
		ck_assert_msg(text[0] == '\0', "%s: %s", line, text);
}

void run_assert(const char *line, HbExit status, const char *out, const char *err)
{
	g_auto(Run) run = run_hotbayctl(line);

	ck_assert_msg(run.status == status, "%s: status %d: %s", line, (int)run.status, run.err);
	assert_text(line, run.out, out);
	assert_text(line, run.err, err);
}
