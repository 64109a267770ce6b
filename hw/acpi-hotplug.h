/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_ACPI_HOTPLUG_H
#define HW_ACPI_HOTPLUG_H

#include "hw/slot.h"

#include <hotbay/acpi-hotplug.h>

/* The controller as its slots see it. All of this with the bus lock held. */

/* What the controller asks of a slot, by what the guest does. */
typedef struct HbAcpiHotplugSlotOps {
	/* _STA: is there an occupant that answers? */
	gboolean (*is_present)(gpointer slot);
	/* CONTROL_WRITTEN or STATUS_WRITTEN, see hw/acpi-slot.h */
	void (*step)(gpointer slot, HbSlotInput input, guint16 value);
} HbAcpiHotplugSlotOps;

/*
 * Takes a slot in under an index of its own, and a reference to @hotplug for it. FALSE with
 * HB_ERROR_INVALID or HB_ERROR_BUSY.
 */
gboolean hb_acpi_hotplug_add(HbAcpiHotplug *hotplug, guint index, const HbAcpiHotplugSlotOps *ops,
			     gpointer slot, GError **error);

/* The slot goes, and with it its reference. */
void hb_acpi_hotplug_remove(HbAcpiHotplug *hotplug, guint index);

/* The events that the slot shows are these now, of HB_ACPI_SLOT_*. */
void hb_acpi_hotplug_set_events(HbAcpiHotplug *hotplug, guint index, guint8 events);

#endif
