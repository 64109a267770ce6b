/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <glib.h>

/**
 * HbTable:
 *
 * Rows of text in columns that are as wide as their widest cell. Any one thread.
 */
typedef struct HbTable HbTable;

/** hb_table_create: @heads: names of the columns, separated by '|'; one in "<...>" is
 * right-aligned. */
HbTable *hb_table_create(const char *heads);
void hb_table_free(HbTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbTable, hb_table_free)

/** hb_table_add: @cells: (transfer full): one for each column; NULL or "" becomes "-". */
void hb_table_add(HbTable *table, char **cells);

/** hb_table_note: a line under the last row, indented. */
void hb_table_note(HbTable *table, const char *text);

/** hb_table_format: Returns: (transfer full): all of it; only the head if there are no rows. */
char *hb_table_format(const HbTable *table);

#endif
