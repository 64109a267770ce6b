/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_PCI_HOTPLUG_H
#define ACPI_PCI_HOTPLUG_H

#include <hotbay/acpi.h>

/* The SSDT's part of ACPI hot-plug; for machines that have the controller. No state. */

/* How many I/O ports the controller has; 0: there is none. */
guint hb_pci_hotplug_get_length(const HbAcpiSsdt *ssdt);

/* At the root: the controller's device. */
void hb_pci_hotplug_append(GByteArray *aml, const HbAcpiSsdt *ssdt);

/* In the scope of the device for what sits in a slot: its methods. */
void hb_pci_hotplug_append_methods(GByteArray *aml, const HbAcpiSlot *slot);

/* At the root: the general-purpose event. */
void hb_pci_hotplug_append_gpe(GByteArray *aml, guint gpe);

#endif
