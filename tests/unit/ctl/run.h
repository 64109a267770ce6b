/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_CTL_RUN_H
#define TESTS_UNIT_CTL_RUN_H

#include "ctl/command.h"

/* One run of hotbayctl: its status, and what it wrote. Clear with run_clear(). */
typedef struct Run {
	HbExit status;
	char *out;
	char *err;
} Run;

/** run_hotbayctl: @line: its words, separated by blanks, without the program's name. */
Run run_hotbayctl(const char *line);
void run_clear(Run *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/** run_assert: that it ended so, and wrote both texts somewhere; NULL: wrote nothing there. */
void run_assert(const char *line, HbExit status, const char *out, const char *err);

#endif
