/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_SLOT_REPORTS_H
#define HW_SLOT_REPORTS_H

#include "hw/event-stream.h"

/*
 * What happened in one slot, on its way into the host's stream of events, and between those the
 * release of functions that have left.
 */
typedef struct HbSlotReports HbSlotReports;

/* @stream: must outlive the reports */
HbSlotReports *hb_slot_reports_create(HbEventStream *stream, GMainContext *context);

/*
 * Every function still in the stream is released before this returns, and one that is being
 * released in a worker is waited for. Frees @reports. Loop thread, without the bus lock. Takes
 * NULL.
 */
void hb_slot_reports_destroy(HbSlotReports *reports);

/* Nothing is told any more; functions are released as before. Loop thread. */
void hb_slot_reports_end(HbSlotReports *reports);

/* Any thread, with or without the bus lock. */
void hb_slot_reports_add(HbSlotReports *reports, const HbEvent *event);

/*
 * Release @released->function (which is severed) in its turn; @released, HB_EVENT_RELEASED,
 * follows. Likewise.
 */
void hb_slot_reports_add_release(HbSlotReports *reports, const HbEvent *released);

#endif
