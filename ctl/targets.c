/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * From what a person says to what the kernel says. Whoever stands at a server knows the number on
 * the bay and not the address of the drive in it.
 */

#include "ctl/targets.h"

#include <hotbay/error.h>
#include <hotbay/pci.h>

#include <string.h>

static const HbHostSlot *find_bay(const HbInventory *inventory, const char *word)
{
	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++) {
		const HbHostSlot *slot = hb_inventory_get_slot(inventory, i);
		g_autofree char *number = g_strdup_printf("%u", slot->number);

		if (strcmp(slot->name ? slot->name : number, word) == 0)
			return slot;
	}
	return NULL;
}

static char *find_in_bay(const HbInventory *inventory, const char *word, GError **error)
{
	const HbHostSlot *slot = find_bay(inventory, word);
	const HbHostDrive *found = NULL;

	if (!slot) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "bay %s: this host has none; `hotbayctl bays` lists them", word);
		return NULL;
	}
	for (guint i = 0; i < hb_inventory_get_n_drives(inventory); i++) {
		const HbHostDrive *drive = hb_inventory_get_drive(inventory, i);

		if (drive->slot != slot)
			continue;
		if (found) {
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "bay %s: there are several drives in it, %s and %s: say which",
				    word, found->address, drive->address);
			return NULL;
		}
		found = drive;
	}
	if (!found)
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "bay %s: there is no NVMe drive in it", word);
	return found ? g_strdup(found->address) : NULL;
}

char *hb_targets_find_drive(const HbInventory *inventory, const char *word, GError **error)
{
	char text[HB_PCI_ADDRESS_STRLEN];
	HbPciAddress address;

	if (!strchr(word, ':'))
		return find_in_bay(inventory, word, error);
	if (hb_inventory_find_drive(inventory, word))
		return g_strdup(word);
	if (!hb_pci_address_parse(word, &address, error))
		return NULL;
	return g_strdup(hb_pci_address_format(&address, text));
}
