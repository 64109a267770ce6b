/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_ACPI_SLOT_H
#define HW_ACPI_SLOT_H

#include "hw/slot.h"

/*
 * The same slot in ACPI mode, as pure as hw/slot.c: the same states, inputs and actions, so that
 * hw/port.c carries both out alike. What a native slot says by its registers, this one says by
 * events that the guest takes one by one (STATUS_WRITTEN), and the guest answers by calling methods
 * (CONTROL_WRITTEN). hw/acpi-slot.c draws every case.
 */

/* What the guest has not been told yet. Bits of HbSlot.events, and the value of STATUS_WRITTEN:
 * ones were taken. */
#define HB_ACPI_SLOT_EJECT (1u << 0) /* let go of it */
#define HB_ACPI_SLOT_CHECK (1u << 1) /* look who is there */

/* What the guest says: the value of CONTROL_WRITTEN. */
typedef enum HbAcpiSlotCommand {
	HB_ACPI_SLOT_STOP,  /* a new operating system has loaded the tables: the last one is gone */
	HB_ACPI_SLOT_START, /* it is about to look for PCI devices, and can be told of slots */
	HB_ACPI_SLOT_EJ0,   /* it has let go of the occupant */
	HB_ACPI_SLOT_DENY,  /* it cannot let go of the occupant */
	HB_ACPI_SLOT_USE,   /* it has enabled the occupant, which it had let go */
} HbAcpiSlotCommand;

#define HB_ACPI_SLOT_N_COMMANDS (HB_ACPI_SLOT_USE + 1)

/* Of the properties only those count that are not of native hot-plug: number, power limit, locked.
 */
void hb_acpi_slot_init(HbSlot *slot, const HbSlotProperties *properties);

/* The counterpart of hb_slot_step(). @mask is not used. */
HbSlotResult hb_acpi_slot_step(HbSlot *slot, HbSlotInput input, guint16 value, guint16 mask);

/* Does _OST with these arguments say that an ejection failed? (ACPI r6.5 §6.3.5) */
gboolean hb_acpi_slot_is_denial(guint source, guint status);

#endif
