/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Captured hosts, from text to folders and back. */

#include "tests/unit/vfio/host-tree.h"

#include <check.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_VARIABLE "HOTBAY_TEST_HOSTS"

static char *make_parent(const char *root, const char *path)
{
	char *whole = g_build_filename(root, path, NULL);
	g_autofree char *folder = g_path_get_dirname(whole);

	ck_assert_msg(g_mkdir_with_parents(folder, 0755) == 0, "%s", folder);
	return whole;
}

static void write_bytes(const char *root, const char *path, const char *hex)
{
	g_autofree char *whole = make_parent(root, path);
	guint8 bytes[256] = { 0 };
	gsize length = strlen(hex) / 2;

	for (gsize i = 0; i < length; i++)
		bytes[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
				    g_ascii_xdigit_value(hex[2 * i + 1]));

	/* the capture leaves out the zeroes at the end */
	length = length <= 64 ? 64 : sizeof(bytes);
	ck_assert(g_file_set_contents(whole, (const char *)bytes, (gssize)length, NULL));
}

void host_tree_write(const char *root, const char *path, const char *text)
{
	g_autofree char *whole = make_parent(root, path);

	ck_assert_msg(g_file_set_contents(whole, text, -1, NULL), "%s", whole);
}

void host_tree_link(const char *root, const char *path, const char *target)
{
	g_autofree char *whole = make_parent(root, path);

	ck_assert_msg(symlink(target, whole) == 0, "%s", whole);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	return remove(path);
}

void host_tree_remove(const char *root, const char *path)
{
	g_autofree char *whole = g_build_filename(root, path, NULL);

	ck_assert_msg(nftw(whole, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0, "%s", whole);
}

static void add_entry(const char *root, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 3);
	const char *rest = g_strv_length(words) == 3 ? words[2] : "";

	ck_assert_int_ge(g_strv_length(words), 2);
	if (strcmp(words[0], "d") == 0) {
		g_autofree char *path = g_build_filename(root, words[1], NULL);
		ck_assert_int_eq(g_mkdir_with_parents(path, 0755), 0);
	} else if (strcmp(words[0], "l") == 0) {
		host_tree_link(root, words[1], rest);
	} else if (strcmp(words[0], "x") == 0) {
		write_bytes(root, words[1], rest);
	} else {
		g_autofree char *text = g_strcompress(rest);
		ck_assert_str_eq(words[0], "f");
		host_tree_write(root, words[1], text);
	}
}

/* In memory where that is possible: a host is many small files. */
static char *make_folder(void)
{
	char *path = g_strdup("/dev/shm/hotbay-host-XXXXXX");

	if (g_mkdtemp(path))
		return path;
	g_free(path);
	return g_dir_make_tmp("hotbay-host-XXXXXX", NULL);
}

char *host_tree_create(const char *name)
{
	g_autofree char *root = make_folder();
	g_autofree char *file = g_strconcat(name, ".tree", NULL);
	g_autofree char *path = g_build_filename(g_getenv(FOLDER_VARIABLE), file, NULL);
	g_autofree char *text = NULL;

	ck_assert_ptr_nonnull(root);
	ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++)
		if (lines[i][0] && lines[i][0] != '#')
			add_entry(root, lines[i]);
	return g_steal_pointer(&root);
}

void host_tree_destroy(char *root)
{
	host_tree_remove(root, "");
	g_free(root);
}

static GPtrArray *dumped; /* of char *, while nftw() runs */

static int dump_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	char *text = NULL;

	if (kind == FTW_SL)
		text = g_file_read_link(path, NULL);
	else if (kind == FTW_F)
		ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	g_ptr_array_add(dumped, g_strdup_printf("%s %d %s", path, kind, text ? text : ""));
	g_free(text);
	return 0;
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *host_tree_dump(const char *root)
{
	dumped = g_ptr_array_new_with_free_func(g_free);
	ck_assert_int_eq(nftw(root, dump_entry, 8, FTW_PHYS), 0);
	g_ptr_array_sort(dumped, compare_lines);
	g_ptr_array_add(dumped, NULL);
	char *text = g_strjoinv("\n", (char **)dumped->pdata);
	g_ptr_array_unref(dumped);
	return text;
}
