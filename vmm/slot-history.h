/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_SLOT_HISTORY_H
#define VMM_SLOT_HISTORY_H

#include <hotbay/hotbay.h>

/**
 * HbSlotHistory: the last that happened in one slot, so that who asks afterwards can still see it.
 * Bounded in memory, whatever the guest does. Loop thread.
 */
typedef struct HbSlotHistory HbSlotHistory;

/** HB_SLOT_HISTORY_LENGTH: entries that are kept; older ones are forgotten. */
#define HB_SLOT_HISTORY_LENGTH 32

/** HbSlotHistoryEntry: @told: a slot's event as the library told it, but for its function. @device:
 * nullable. */
typedef struct HbSlotHistoryEntry {
	HbEvent told;
	char *device;
} HbSlotHistoryEntry;

HbSlotHistory *hb_slot_history_create(void);

/** hb_slot_history_destroy: takes NULL. */
void hb_slot_history_destroy(HbSlotHistory *history);

/**
 * hb_slot_history_add:
 * @device: (nullable): the drive it is about; copied
 *
 * Of changes of the indicators in a row the last one is kept: a guest cannot blink the rest away.
 */
void hb_slot_history_add(HbSlotHistory *history, const HbEvent *told, const char *device);

/** hb_slot_history_get_n: Returns: how many entries there are. */
guint hb_slot_history_get_n(const HbSlotHistory *history);

/** hb_slot_history_get: Returns: (transfer none): the oldest is 0. Valid until the next addition.
 */
const HbSlotHistoryEntry *hb_slot_history_get(const HbSlotHistory *history, guint index);

#endif
