/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Short ways to what sysfs and procfs say. A file there may go while it is looked for, or answer
 * EIO for a drive that has just left; nothing of that is an error to who looks at a whole host.
 */

#include "vfio/host-files.h"

#include <string.h>

static char *make_path(const char *root, const char *format, va_list arguments)
{
	g_autofree char *rest = g_strdup_vprintf(format, arguments);

	return g_strconcat(root, "/", rest, NULL);
}

#define MAKE_PATH(path, root, format)                                                              \
	g_autofree char *path = NULL;                                                              \
	do {                                                                                       \
		va_list arguments;                                                                 \
		va_start(arguments, format);                                                       \
		path = make_path((root), format, arguments);                                       \
		va_end(arguments);                                                                 \
	} while (0)

char *hb_host_files_path(const char *root, const char *format, ...)
{
	MAKE_PATH(path, root, format);
	return g_steal_pointer(&path);
}

gboolean hb_host_files_exist(const char *root, const char *format, ...)
{
	MAKE_PATH(path, root, format);
	return g_file_test(path, G_FILE_TEST_EXISTS);
}

static char *read_text(const char *path)
{
	char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	return g_strstrip(text);
}

char *hb_host_files_read(const char *root, const char *format, ...)
{
	MAKE_PATH(path, root, format);
	return read_text(path);
}

gint64 hb_host_files_read_number(const char *root, gint64 fallback, const char *format, ...)
{
	MAKE_PATH(path, root, format);
	g_autofree char *text = read_text(path);
	char *end = NULL;

	if (!text)
		return fallback;
	gint64 number = g_ascii_strtoll(text, &end, g_str_has_prefix(text, "0x") ? 16 : 10);
	return end == text ? fallback : number;
}

char *hb_host_files_link_name(const char *root, const char *format, ...)
{
	MAKE_PATH(path, root, format);
	g_autofree char *target = g_file_read_link(path, NULL);

	return target ? g_path_get_basename(target) : NULL;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *hb_host_files_list(const char *root, const char *format, ...)
{
	MAKE_PATH(path, root, format);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	return names;
}
