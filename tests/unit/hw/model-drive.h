/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_HW_MODEL_DRIVE_H
#define TESTS_UNIT_HW_MODEL_DRIVE_H

#include "hw/irq-remap.h"

#include <hotbay/pci.h>

/*
 * A drive as the library itself would build one, but without a device: 16 KiB of memory as BAR 0,
 * its last two pages trapped for the MSI-X table and PBA, four vectors. Frees itself on release,
 * and counts itself in *@alive (atomic) for as long as it lives.
 */
HbPciFunction *model_drive_create(HbIrqRemap *remap, gint *alive);

/* From its attachment on it batches its routes, as a drive of the host does. Before the plug. */
void model_drive_batch_routes(HbPciFunction *function);

/* A host interrupt of the drive. With the bus lock held, and only while it is not severed. */
void model_drive_interrupt(HbPciFunction *function, guint vector);

#endif
