/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_MACHINE_H
#define ACPI_MACHINE_H

#include <hotbay/acpi.h>

/* Whether @machine can be described: FALSE with HB_ERROR_INVALID, which names the member. */
gboolean hb_machine_validate(const HbAcpiMachine *machine, GError **error);

#endif
