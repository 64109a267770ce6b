/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_RESOURCE_H
#define ACPI_RESOURCE_H

#include <hotbay/pci.h>

/*
 * Resource descriptors (ACPI r6.5 §6.4), appended to a byte array for hb_aml_append_template().
 *
 * What a device consumes is its own; what it produces is a window that it passes on to the devices
 * behind it.
 */

/* I/O Port Descriptor: @length ports from @base, consumed, 16 bits decoded. */
void hb_resource_append_io(GByteArray *descriptors, guint16 base, guint8 length);

/* IRQ Descriptor without flags: ISA interrupt @irq, 0 to 15, edge-triggered and active high. */
void hb_resource_append_irq(GByteArray *descriptors, guint irq);

/* Memory that is consumed: a 32-bit fixed descriptor, or a QWord one if it ends above 4 GiB. */
void hb_resource_append_memory(GByteArray *descriptors, const HbAddressWindow *range);

/* Windows that are produced, not empty: buses from 0, I/O ports, memory below 4 GiB, any memory. */
void hb_resource_append_bus_window(GByteArray *descriptors, guint n_buses);
void hb_resource_append_io_window(GByteArray *descriptors, const HbAddressWindow *window);
void hb_resource_append_mem32_window(GByteArray *descriptors, const HbAddressWindow *window);
void hb_resource_append_mem64_window(GByteArray *descriptors, const HbAddressWindow *window);

#endif
