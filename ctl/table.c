/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Columns of text. A row is a vector of cells; a note is a row of one cell that widens nothing. */

#include "ctl/table.h"

#include <string.h>

#define GAP 2

typedef struct Row {
	gboolean is_note;
	char **cells;
} Row;

struct HbTable {
	guint n_columns;
	gboolean *right; /* of each column */
	GArray *rows;	 /* of Row; the first is the head */
};

static void clear_row(gpointer data)
{
	g_strfreev(((Row *)data)->cells);
}

HbTable *hb_table_create(const char *heads)
{
	HbTable *table = g_new0(HbTable, 1);
	char **cells = g_strsplit(heads, "|", -1);

	table->n_columns = g_strv_length(cells);
	table->right = g_new0(gboolean, table->n_columns);
	table->rows = g_array_new(FALSE, FALSE, sizeof(Row));
	g_array_set_clear_func(table->rows, clear_row);
	for (guint i = 0; i < table->n_columns; i++) {
		gsize length = strlen(cells[i]);

		table->right[i] = cells[i][0] == '<';
		if (table->right[i]) {
			char *bare = g_strndup(cells[i] + 1, length - 2);
			g_free(cells[i]);
			cells[i] = bare;
		}
	}
	hb_table_add(table, cells);
	return table;
}

void hb_table_free(HbTable *table)
{
	if (!table)
		return;
	g_array_unref(table->rows);
	g_free(table->right);
	g_free(table);
}

void hb_table_add(HbTable *table, char **cells)
{
	Row row = { .cells = g_new0(char *, table->n_columns + 1) };

	for (guint i = 0; i < table->n_columns; i++)
		row.cells[i] = cells[i] && cells[i][0] ? g_strdup(cells[i]) : g_strdup("-");
	/* cells may have holes, so g_strfreev() would stop early */
	for (guint i = 0; i < table->n_columns; i++)
		g_free(cells[i]);
	g_free(cells);
	g_array_append_val(table->rows, row);
}

void hb_table_note(HbTable *table, const char *text)
{
	Row row = { .is_note = TRUE, .cells = g_new0(char *, 2) };

	row.cells[0] = g_strdup(text);
	g_array_append_val(table->rows, row);
}

static guint measure(const HbTable *table, guint column)
{
	glong width = 0;

	for (guint i = 0; i < table->rows->len; i++) {
		const Row *row = &g_array_index(table->rows, Row, i);

		if (!row->is_note)
			width = MAX(width, g_utf8_strlen(row->cells[column], -1));
	}
	return (guint)width;
}

static void format_cell(GString *text, const char *cell, guint width, gboolean right, gboolean last)
{
	guint blanks = width - (guint)g_utf8_strlen(cell, -1);

	if (right)
		g_string_append_printf(text, "%*s", (int)blanks, "");
	g_string_append(text, cell);
	if (!right && !last)
		g_string_append_printf(text, "%*s", (int)blanks, "");
	g_string_append_printf(text, "%*s", last ? 0 : GAP, "");
}

char *hb_table_format(const HbTable *table)
{
	g_autofree guint *widths = g_new(guint, table->n_columns);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < table->n_columns; i++)
		widths[i] = measure(table, i);
	for (guint i = 0; i < table->rows->len; i++) {
		const Row *row = &g_array_index(table->rows, Row, i);

		if (row->is_note)
			g_string_append_printf(text, "    %s", row->cells[0]);
		for (guint j = 0; !row->is_note && j < table->n_columns; j++)
			format_cell(text, row->cells[j], widths[j], table->right[j],
				    j + 1 == table->n_columns);
		g_string_append_c(text, '\n');
	}
	return g_string_free(text, FALSE);
}
