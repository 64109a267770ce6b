/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_SLOT_REPORTS_H
#define HW_SLOT_REPORTS_H

#include <hotbay/slot.h>

/*
 * What happened in one slot, on its way from whatever thread it happened in to the loop: the
 * listener's events, and between them the release of functions that have left. In order, each item
 * once, no lock held.
 */
typedef struct HbSlotReports HbSlotReports;

HbSlotReports *hb_slot_reports_create(HbPort *port, GMainContext *context);

/*
 * No listener any more; every function still in the queue is released before this returns, and one
 * that is being released in a worker is waited for. Frees @reports. Loop thread, without the bus
 * lock.
 */
void hb_slot_reports_destroy(HbSlotReports *reports);

/* Loop thread. */
void hb_slot_reports_set_listener(HbSlotReports *reports, HbSlotListener listener, gpointer data);

/* Any thread, with or without the bus lock. @told is copied, and given the time of this call. */
void hb_slot_reports_add(HbSlotReports *reports, const HbSlotReport *told);

/* Release @function (which is severed) in its turn; HB_SLOT_RELEASED follows. Likewise. */
void hb_slot_reports_add_release(HbSlotReports *reports, HbPciFunction *function);

#endif
