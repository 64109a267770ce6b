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

char *tools_write_table(const char *folder, const GByteArray *blob, const char *signature)
{
	g_autofree char *file = g_strconcat(signature, ".dat", NULL);
	g_autofree char *path = g_build_filename(folder, file, NULL);
	g_autoptr(GError) error = NULL;
	gsize length;
	const guint8 *table = machines_find(blob, signature, &length);

	ck_assert_msg(g_file_set_contents(path, (const char *)table, length, &error), "%s",
		      error ? error->message : path);
	return g_steal_pointer(&file);
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
