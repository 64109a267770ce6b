/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A ring of the last entries: @first is the oldest of @n. */

#include "vmm/slot-history.h"

struct HbSlotHistory {
	HbSlotHistoryEntry entries[HB_SLOT_HISTORY_LENGTH];
	guint first;
	guint n;
};

static HbSlotHistoryEntry *at(HbSlotHistory *history, guint index)
{
	return &history->entries[(history->first + index) % HB_SLOT_HISTORY_LENGTH];
}

HbSlotHistory *hb_slot_history_create(void)
{
	return g_new0(HbSlotHistory, 1);
}

void hb_slot_history_destroy(HbSlotHistory *history)
{
	if (history == NULL)
		return;
	for (guint i = 0; i < HB_SLOT_HISTORY_LENGTH; i++)
		g_free(history->entries[i].device);
	g_free(history);
}

/* The place of the next entry: the last one's, a free one, or the oldest one's. */
static HbSlotHistoryEntry *make_room(HbSlotHistory *history, HbEventType type)
{
	if (type == HB_EVENT_INDICATORS && history->n &&
	    at(history, history->n - 1)->told.type == HB_EVENT_INDICATORS)
		return at(history, history->n - 1);
	if (history->n < HB_SLOT_HISTORY_LENGTH)
		return at(history, history->n++);
	history->first = (history->first + 1) % HB_SLOT_HISTORY_LENGTH;
	return at(history, HB_SLOT_HISTORY_LENGTH - 1);
}

void hb_slot_history_add(HbSlotHistory *history, const HbEvent *told, const char *device)
{
	HbSlotHistoryEntry *entry = make_room(history, told->type);

	g_free(entry->device);
	entry->device = g_strdup(device);
	entry->told = *told;
	entry->told.function = NULL;
}

guint hb_slot_history_get_n(const HbSlotHistory *history)
{
	return history->n;
}

const HbSlotHistoryEntry *hb_slot_history_get(const HbSlotHistory *history, guint index)
{
	return at((HbSlotHistory *)history, index);
}
