/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_HOST_FILES_H
#define VFIO_HOST_FILES_H

#include <glib.h>

/*
 * The files in which a host's kernel describes it, below a root: "" for this host, or a folder with
 * a captured one. Paths are made as printf() would. What is not there, or may not be read, is NULL.
 */

char *hb_host_files_path(const char *root, const char *format, ...) G_GNUC_PRINTF(2, 3);
gboolean hb_host_files_exist(const char *root, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** hb_host_files_read: Returns: (transfer full) (nullable): text without white space around it. */
char *hb_host_files_read(const char *root, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** hb_host_files_read_number: decimal, or hexadecimal after 0x; @fallback if it is none. */
gint64 hb_host_files_read_number(const char *root, gint64 fallback, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/** hb_host_files_link_name: the last component of where a link leads. */
char *hb_host_files_link_name(const char *root, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** hb_host_files_list: Returns: (transfer full): names in a folder, sorted; empty if there are
 * none.
 */
GPtrArray *hb_host_files_list(const char *root, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
