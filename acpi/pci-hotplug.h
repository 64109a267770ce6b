/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_PCI_HOTPLUG_H
#define ACPI_PCI_HOTPLUG_H

#include <hotbay/acpi.h>

/* The DSDT's part of ACPI hot-plug; for machines that have the controller. No state. */

/* The register HB_ACPI_HOTPLUG_STAGE, in the scope of the host bridge. */
#define HB_PCI_HOTPLUG_STAGE "HSTG"

/* How many I/O ports the controller has; 0: there is none. */
guint hb_pci_hotplug_get_length(const HbAcpiMachine *machine);

/* In the scope of the host bridge: the controller's registers, _INI, and a device for each slot. */
void hb_pci_hotplug_append(GByteArray *aml, const HbAcpiMachine *machine);

/* At the root: the general-purpose event. */
void hb_pci_hotplug_append_gpe(GByteArray *aml, const HbAcpiMachine *machine);

#endif
