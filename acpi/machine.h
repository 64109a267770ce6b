/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_MACHINE_H
#define ACPI_MACHINE_H

#include <hotbay/acpi.h>

/* Whether @machine can be described: FALSE with HB_ERROR_INVALID, which names the member. */
gboolean hb_machine_validate(const HbAcpiMachine *machine, GError **error);

/* Likewise slots. */
gboolean hb_ssdt_validate(const HbAcpiSsdt *ssdt, GError **error);

/* What the SSDT of that machine is to say. */
HbAcpiSsdt hb_machine_get_ssdt(const HbAcpiMachine *machine);

#endif
