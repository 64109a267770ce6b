/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_TARGETS_H
#define CTL_TARGETS_H

#include <hotbay/inventory.h>

/**
 * hb_targets_find_drive:
 * @word: what a person calls a drive: its address, with or without domain, or its bay's number
 *
 * Returns: (transfer full) (nullable): its address; NULL with %HB_ERROR_NOT_FOUND or, if the bay
 *   holds several drives, %HB_ERROR_INVALID. An address need not be there.
 */
char *hb_targets_find_drive(const HbInventory *inventory, const char *word, GError **error);

#endif
