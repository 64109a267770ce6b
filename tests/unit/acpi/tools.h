/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_ACPI_TOOLS_H
#define TESTS_UNIT_ACPI_TOOLS_H

#include <glib.h>

/* A new empty folder; tools_remove_folder() removes it with its files and frees the name. */
char *tools_make_folder(void);
void tools_remove_folder(char *folder);

/*
 * Writes a table of @blob to the file @signature.dat in @folder, and returns its name; free with
 * g_free().
 */
char *tools_write_table(const char *folder, const GByteArray *blob, const char *signature);

/*
 * Runs a program of ACPICA in @folder, and returns all that it printed; free with g_free(). Fails
 * the test, and says why, if the program is not there or does not succeed.
 */
char *tools_run(const char *folder, const char *const *argv);

#endif
