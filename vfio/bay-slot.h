/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BAY_SLOT_H
#define VFIO_BAY_SLOT_H

#include <hotbay/inventory.h>

/**
 * hb_bay_slot_find:
 * @word: what the operator calls it: see hb_bays_claim()
 *
 * Returns: (transfer none) (nullable): a slot with a port, that a driver of the host runs; NULL
 * with the errors of hb_bays_claim()
 */
const HbHostSlot *hb_bay_slot_find(const HbInventory *inventory, const char *word, GError **error);

#endif
