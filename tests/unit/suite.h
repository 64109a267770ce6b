/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>

/* Every <noun>-test.c defines this; suite.c runs it and prints TAP. */
Suite *test_suite(void);

/* For test_suite() to return where the machine cannot run it: prints a plan of no tests with the
 * reason, so that it counts as skipped and not as passed. Always NULL. */
Suite *test_skip(const char *reason);

#endif
