/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_LATER_H
#define HW_LATER_H

#include <hotbay/pci.h>

/*
 * Work that is put off, so that what comes in a row is done once: it runs on the loop, with the bus
 * lock held, when nothing has asked for it for a while, or when the first to ask has waited long.
 */
typedef struct HbLater HbLater;

typedef void (*HbLaterFunc)(gpointer data);

/* How long after the last request, and how long after the first at most; milliseconds. */
typedef struct HbLaterTimes {
	guint quiet_ms;
	guint most_ms;
} HbLaterTimes;

/* @bridge outlives it, and is destroyed on the loop. Any thread. */
HbLater *hb_later_create(HbHostBridge *bridge, HbLaterTimes times, HbLaterFunc func, gpointer data);

/* With the bus lock held, as all below. */
void hb_later_ask(HbLater *later);
void hb_later_forget(HbLater *later); /* what was asked for */
gboolean hb_later_is_asked(const HbLater *later);

/* Forgets it, for good: when this returns @func is not run any more. Takes NULL. */
void hb_later_destroy(HbLater *later);

#endif
