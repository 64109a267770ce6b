/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_COMMANDS_H
#define VMM_COMMANDS_H

#include "vmm/machine.h"
#include "vmm/qmp.h"

/**
 * HbCommands:
 *
 * A machine's monitor: a QMP server whose commands act on the machine and whose events are the
 * machine's. The loop thread only; docs/qmp.md describes what clients see.
 */
typedef struct HbCommands HbCommands;

/**
 * hb_commands_create:
 * @machine: must outlive the result
 *
 * Nobody can connect yet: see hb_qmp_listen().
 */
HbCommands *hb_commands_create(HbMachine *machine);

/** hb_commands_destroy: closes all connections. Not from inside a command. Takes NULL. */
void hb_commands_destroy(HbCommands *commands);

/** hb_commands_get_qmp: Returns: (transfer none): the server. */
HbQmp *hb_commands_get_qmp(HbCommands *commands);

#endif
