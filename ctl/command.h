/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <glib.h>
#include <stdio.h>

/**
 * HbExit:
 * @HB_EXIT_DONE: what was asked for is done
 * @HB_EXIT_FAILED: the host or the VM could not do it; what was begun is undone
 * @HB_EXIT_USAGE: the command line is wrong
 * @HB_EXIT_REFUSED: refused, and nothing has changed
 * @HB_EXIT_NOT_FOUND: there is no such drive, slot or device
 * @HB_EXIT_GUEST: the guest did not let go in time, or said no
 * @HB_EXIT_NO_VM: nobody answers at the socket, or the VM went away
 *
 * Exit statuses, for scripts; hotbayctl(1) lists them.
 */
typedef enum HbExit {
	HB_EXIT_DONE = 0,
	HB_EXIT_FAILED = 1,
	HB_EXIT_USAGE = 2,
	HB_EXIT_REFUSED = 3,
	HB_EXIT_NOT_FOUND = 4,
	HB_EXIT_GUEST = 5,
	HB_EXIT_NO_VM = 6,
} HbExit;

/**
 * HbInvocation:
 * @vm: (nullable): the VM's QMP socket
 * @root: (nullable): a captured host to look at instead of this one
 * @words: what follows the command; NULL-terminated
 * @out: for what was asked for
 * @err: for progress and complaints
 * @progress: whether somebody watches @err
 */
typedef struct HbInvocation {
	const char *vm;
	const char *root;
	char **words;
	FILE *out;
	FILE *err;
	gboolean progress;
} HbInvocation;

/**
 * HbCommand:
 * @needs_vm: whether it talks to a VM
 * @usage: what may follow the name
 * @run: may change the words
 */
typedef struct HbCommand {
	const char *name;
	gboolean needs_vm;
	const char *usage;
	const char *summary;
	HbExit (*run)(HbInvocation *invocation);
} HbCommand;

HbExit hb_command_drives(HbInvocation *invocation);
HbExit hb_command_bays(HbInvocation *invocation);
HbExit hb_command_passthrough(HbInvocation *invocation);
HbExit hb_command_slots(HbInvocation *invocation);
HbExit hb_command_add(HbInvocation *invocation);
HbExit hb_command_remove(HbInvocation *invocation);
HbExit hb_command_pull(HbInvocation *invocation);
HbExit hb_command_events(HbInvocation *invocation);
HbExit hb_command_top(HbInvocation *invocation);

/**
 * hb_command_run:
 * @words: as main() has them, the program's name first; may be changed
 * @progress: whether @err is a terminal
 *
 * The whole program: finds the command and runs it.
 */
HbExit hb_command_run(char **words, FILE *out, FILE *err, gboolean progress);

/** hb_command_fail: says it on @err; Returns: the status that suits the error. */
HbExit hb_command_fail(const HbInvocation *invocation, const GError *error);

/**
 * hb_command_parse:
 * @entries: the command's options
 * @least: how many words must be left when the options are gone
 * @most: how many may be
 *
 * Returns: FALSE after a complaint on @err
 */
gboolean hb_command_parse(HbInvocation *invocation, const GOptionEntry *entries, guint least,
			  guint most);

#endif
