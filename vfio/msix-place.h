/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_MSIX_PLACE_H
#define VFIO_MSIX_PLACE_H

#include "hw/bar.h"
#include "vfio/config.h"
#include "vfio/regions.h"

/*
 * Where the guest finds the MSI-X table and the PBA of its drive: where the drive has them, or, if
 * that is among the doorbells, in a BAR that the drive does not use.
 */

/*
 * Decide, and say it in the guest's capability. @bars: the drive's, by index. Before
 * hb_vfio_interrupts_locate(). Returns whether they were moved.
 */
gboolean hb_vfio_msix_place(HbVfioConfig *config, const HbVfioBarInfo bars[HB_BAR_COUNT]);

/* The BAR that holds them, if they were moved. It has nothing behind it. */
void hb_vfio_msix_place_describe(const HbVfioConfig *config, HbBars *bars);

#endif
