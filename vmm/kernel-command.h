/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_COMMAND_H
#define VMM_KERNEL_COMMAND_H

#include <glib.h>

/** hb_kernel_command_has_word: Returns: whether a kernel's command line has that word. Pure. */
gboolean hb_kernel_command_has_word(const char *command_line, const char *word);

/** hb_kernel_command_has_start: Returns: whether a word of it starts so, as "mem=" does. Pure. */
gboolean hb_kernel_command_has_start(const char *command_line, const char *start);

#endif
