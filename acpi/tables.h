/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_TABLES_H
#define ACPI_TABLES_H

#include <hotbay/acpi.h>

/*
 * One function a table, each in a file of its own: appends the table for a machine that
 * hb_acpi_build() found valid to the end of @blob. None has state, so any thread.
 */

/* acpi/facs.c: at a multiple of 64 bytes */
void hb_facs_append(GByteArray *blob);

/* acpi/fadt.c: with the guest physical addresses of the two tables that it points to */
void hb_fadt_append(GByteArray *blob, const HbAcpiMachine *machine, guint32 facs, guint32 dsdt);

/* acpi/madt.c */
void hb_madt_append(GByteArray *blob, const HbAcpiMachine *machine);

/* acpi/mcfg.c */
void hb_mcfg_append(GByteArray *blob, const HbAcpiMachine *machine);

/* acpi/dsdt.c */
void hb_dsdt_append(GByteArray *blob, const HbAcpiMachine *machine);

/* acpi/ssdt.c: for slots that hb_ssdt_validate() found valid */
#define HB_SSDT_PORT	 "RP%02X" /* of devfn: the root port's device, below the bridge's */
#define HB_SSDT_OCCUPANT "SLOT"	  /* below that, for what sits in the slot */
void hb_ssdt_append(GByteArray *blob, const HbAcpiSsdt *ssdt);

/* acpi/pci-root.c: the DSDT's device for the host bridge, in the scope \_SB */
#define HB_PCI_ROOT_NAME "PCI0"
void hb_pci_root_append(GByteArray *aml, const HbAcpiMachine *machine);

/* acpi/osc.c: the host bridge's _OSC method, in the bridge's scope */
void hb_osc_append(GByteArray *aml, const HbAcpiSsdt *ssdt);

#endif
