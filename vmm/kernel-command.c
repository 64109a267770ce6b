/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The kernel's command line, as far as it is for its loader: words between blanks
 * (arch/x86/lib/cmdline.c in Linux).
 */

#include "vmm/kernel-command.h"

#define BLANKS " \t\n"

gboolean hb_kernel_command_has_word(const char *command_line, const char *word)
{
	g_auto(GStrv) words = g_strsplit_set(command_line, BLANKS, -1);

	return g_strv_contains((const char *const *)words, word);
}

gboolean hb_kernel_command_has_start(const char *command_line, const char *start)
{
	g_auto(GStrv) words = g_strsplit_set(command_line, BLANKS, -1);

	for (guint i = 0; words[i]; i++) {
		if (g_str_has_prefix(words[i], start))
			return TRUE;
	}
	return FALSE;
}
