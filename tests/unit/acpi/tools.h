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

/* Likewise a table of its own, to @file. */
void tools_write(const char *folder, const char *file, const char *content, gsize length);

/*
 * The table in @file, in the disassembler's words: white space is squeezed and comments are taken
 * out, so that a phrase of ASL can be looked for. @external: (nullable): the file of a table that
 * it refers to; free with g_free().
 */
char *tools_disassemble(const char *folder, const char *file, const char *external);

/*
 * Runs a program of ACPICA in @folder, and returns all that it printed; free with g_free(). Fails
 * the test, and says why, if the program is not there or does not succeed.
 */
char *tools_run(const char *folder, const char *const *argv);

#endif
