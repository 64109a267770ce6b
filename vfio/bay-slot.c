/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Which slot of the host is meant. Where several have the same Physical Slot Number the kernel
 * calls the first one "1" and the others "1-1", "1-2", in the order in which it met them
 * (drivers/pci/slot.c, make_slot_name(), Linux 6.1): then "1" is whichever came first at this boot,
 * and a drive could be taken from the wrong one. So it is refused; a port's address has no such
 * doubt.
 */

#include "vfio/bay-slot.h"

#include <hotbay/error.h>

#include <string.h>

static const char *get_name(const HbHostSlot *slot)
{
	return slot->name ? slot->name : slot->port;
}

static char *list_slots(const HbInventory *inventory, guint number)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++) {
		const HbHostSlot *slot = hb_inventory_get_slot(inventory, i);

		if (!slot->port || !slot->name || (number && slot->number != number))
			continue;
		g_ptr_array_add(names, g_strdup_printf("%s (port %s)", slot->name, slot->port));
	}
	if (names->len == 0)
		g_ptr_array_add(names, g_strdup("none"));
	g_ptr_array_add(names, NULL);
	return g_strjoinv(", ", (char **)names->pdata);
}

static gboolean check_name(const HbInventory *inventory, const HbHostSlot *found, GError **error)
{
	guint n = 0;

	if (!found->number || strchr(found->name, '-'))
		return TRUE;
	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++)
		n += hb_inventory_get_slot(inventory, i)->number == found->number;
	if (n <= 1)
		return TRUE;
	g_autofree char *list = list_slots(inventory, found->number);
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "host slot %s: several have that number: %s: name the port's address instead",
		    found->name, list);
	return FALSE;
}

static gboolean check_slot(const HbHostSlot *slot, GError **error)
{
	if (slot->port && slot->name)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    slot->port ? "host slot %s: no driver of the host runs it: boot the host with "
				 "pcie_ports=native, or use another slot"
			       : "host slot %s: it is no PCI Express slot: use another",
		    get_name(slot));
	return FALSE;
}

const HbHostSlot *hb_bay_slot_find(const HbInventory *inventory, const char *word, GError **error)
{
	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++) {
		const HbHostSlot *slot = hb_inventory_get_slot(inventory, i);
		gboolean by_name = g_strcmp0(slot->name, word) == 0;

		if (!by_name && g_strcmp0(slot->port, word) != 0)
			continue;
		if (!check_slot(slot, error) || (by_name && !check_name(inventory, slot, error)))
			return NULL;
		return slot;
	}
	g_autofree char *list = list_slots(inventory, 0);
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
		    "host slot %s: this host has none; it has %s; see `hotbayctl bays`", word,
		    list);
	return NULL;
}
