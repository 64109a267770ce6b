/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The main() of every unit test: runs one Check suite and prints TAP on stdout. */

#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>

Suite *test_skip(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	return NULL;
}

int main(void)
{
	Suite *suite = test_suite();

	if (!suite)
		return EXIT_SUCCESS;

	SRunner *runner = srunner_create(suite);

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
