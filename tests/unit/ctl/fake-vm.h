/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_CTL_FAKE_VM_H
#define TESTS_UNIT_CTL_FAKE_VM_H

#include <glib.h>

/**
 * FakeAnswer:
 * @command: that it is the answer to
 * @reply: a message of QMP without its id: {"return":...} or {"error":...}
 * @lines: (nullable): what is said right after it, such as events; "\n" between two
 * @hangs_up: and then the VM ends
 *
 * What a VM says when it is asked. A command without an answer is CommandNotFound; one that is
 * asked again gets the next answer for it, or the last one again.
 */
typedef struct FakeAnswer {
	const char *command;
	const char *reply;
	const char *lines;
	gboolean hangs_up;
} FakeAnswer;

/**
 * FakeVm:
 *
 * The server's end of a QMP socket, in a thread of its own, for one client after another.
 */
typedef struct FakeVm FakeVm;

/** fake_vm_start: @greeting: (nullable): what it says first; NULL for a right one. */
FakeVm *fake_vm_start(const char *greeting, const FakeAnswer *answers, guint n_answers);

const char *fake_vm_get_path(const FakeVm *vm);

/** fake_vm_stop: Returns: (transfer full): the requests it got after qmp_capabilities, a line each,
 * without their ids. */
char *fake_vm_stop(FakeVm *vm);

#endif
