/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_SLOT_LIST_H
#define CTL_SLOT_LIST_H

#include "ctl/monitor.h"

/* A VM's slots, as x-hotbay-query-slots has them; docs/qmp.md lists the members. */

/** hb_slot_list_query: Returns: (transfer full) (nullable): NULL with an error. */
JsonArray *hb_slot_list_query(HbMonitor *monitor, GError **error);

/**
 * hb_slot_list_find_device:
 * @word: a drive's id, a slot's id, or a drive's address on the host
 *
 * Returns: (transfer full) (nullable): the drive's id; NULL with %HB_ERROR_NOT_FOUND
 */
char *hb_slot_list_find_device(JsonArray *slots, const char *word, GError **error);

/** hb_slot_list_get: Returns: (transfer none) (nullable): an element, if it is an object. */
JsonObject *hb_slot_list_get(JsonArray *slots, guint index);

/** hb_slot_list_is_bound: whether a slot is bound to a slot of the host. */
gboolean hb_slot_list_is_bound(JsonObject *slot);

/** hb_slot_list_any_is_bound: whether one of them is. */
gboolean hb_slot_list_any_is_bound(JsonArray *slots);

/** hb_slot_list_get_occupant: Returns: (transfer none) (nullable): the first in the slot. */
JsonObject *hb_slot_list_get_occupant(JsonObject *slot);

#endif
