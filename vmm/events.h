/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_EVENTS_H
#define VMM_EVENTS_H

#include "vmm/machine.h"
#include "vmm/qmp.h"

/** hb_events_emit: tells @qmp's clients of @event, in QEMU's words where QEMU has them. */
void hb_events_emit(HbQmp *qmp, const HbMachineEvent *event);

/** hb_events_set_indicators: adds what @told says of the indicators and the power. */
void hb_events_set_indicators(JsonObject *object, const HbEvent *told);

/** hb_events_set_failure: adds what told of it, by @told, a %HB_EVENT_ERROR_CONTAINED. */
void hb_events_set_failure(JsonObject *object, const HbEvent *told);

/**
 * hb_events_name:
 * @symbol: a name as the library writes it, "TIMED_OUT"
 *
 * Returns: (transfer full): as QMP does, "timed-out"
 */
char *hb_events_name(const char *symbol);

#endif
