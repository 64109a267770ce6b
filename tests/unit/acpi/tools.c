/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * ACPICA's own programs as judges: its compiler and disassembler (iasl), and its interpreter, the
 * one in the Linux kernel, as a program (acpiexec). Both are in Debian's acpica-tools. A missing
 * judge is a failure: a skipped verdict would look like a good one.
 */

#include "tests/unit/acpi/tools.h"

#include "tests/unit/acpi/machines.h"

#include <check.h>
#include <glib/gstdio.h>
#include <string.h>

char *tools_make_folder(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = g_dir_make_tmp("hotbay-acpi-XXXXXX", &error);

	ck_assert_msg(folder != NULL, "%s", error ? error->message : "no folder");
	return folder;
}

void tools_remove_folder(char *folder)
{
	g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
	const char *name;

	while (files && (name = g_dir_read_name(files))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);

		g_unlink(path);
	}
	g_rmdir(folder);
	g_free(folder);
}

void tools_write(const char *folder, const char *file, const char *content, gsize length)
{
	g_autofree char *path = g_build_filename(folder, file, NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_msg(g_file_set_contents(path, content, (gssize)length, &error), "%s",
		      error ? error->message : path);
}

char *tools_write_table(const char *folder, const GByteArray *blob, const char *signature)
{
	char *file = g_strconcat(signature, ".dat", NULL);
	gsize length;
	const guint8 *table = machines_find(blob, signature, &length);

	tools_write(folder, file, (const char *)table, length);
	return file;
}

static char *replace(const char *string, const char *pattern, const char *replacement)
{
	g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);

	return g_regex_replace_literal(regex, string, -1, 0, replacement, 0, NULL);
}

char *tools_disassemble(const char *folder, const char *file, const char *external)
{
	const char *const alone[] = { "iasl", "-d", file, NULL };
	const char *const beside[] = { "iasl", "-e", external, "-d", file, NULL };
	g_autofree char *output = tools_run(folder, external ? beside : alone);
	g_autofree char *stem = g_strndup(file, strcspn(file, "."));
	g_autofree char *source = g_strconcat(folder, "/", stem, ".dsl", NULL);
	g_autofree char *text = NULL;

	ck_assert_msg(g_file_get_contents(source, &text, NULL, NULL), "%s", output);
	g_autofree char *uncommented = replace(text, "//[^\\n]*|/\\*(?s:.*?)\\*/", "");
	return replace(uncommented, "\\s+", " ");
}

char *tools_run(const char *folder, const char *const *argv)
{
	g_autofree char *out = NULL;
	g_autofree char *err = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;

	if (!g_spawn_sync(folder, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
			  &status, &error))
		ck_abort_msg("%s: %s; install acpica-tools", argv[0], error->message);

	char *text = g_strconcat(out, err, NULL);

	if (!g_spawn_check_wait_status(status, &error))
		ck_abort_msg("%s: %s: %.2000s", argv[0], error->message, text);
	return text;
}
