/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_REGIONS_H
#define VFIO_REGIONS_H

#include "hw/bar.h"
#include "vfio/config.h"

/*
 * The BARs of a passed-through drive: what can be mapped is, in pieces that leave out the pages of
 * the MSI-X table and PBA; the rest is reached by reads and writes of VFIO's device.
 */
typedef struct HbVfioRegions HbVfioRegions;

/* A range of a BAR that must be trapped; in bytes, of any alignment. */
typedef struct HbVfioTrap {
	guint bar;
	guint64 offset;
	guint64 size;
} HbVfioTrap;

/* A BAR as the drive has it. */
typedef struct HbVfioBarInfo {
	guint64 size; /* 0: there is none, or it is the upper half of one */
	gboolean is_64bit;
	gboolean is_msix_mappable; /* the page of the MSI-X table may be mapped too */
} HbVfioBarInfo;

void hb_vfio_regions_look(int device_fd, const HbVfioConfig *config,
			  HbVfioBarInfo bars[HB_BAR_COUNT]);

/* Keeps no reference to @config or @traps. @config tells the kinds of the BARs. */
HbVfioRegions *hb_vfio_regions_open(int device_fd, const HbVfioConfig *config,
				    const HbVfioTrap *traps, guint n_traps, GError **error);

/* Unmaps it all. The guest and the BARs have let go of the mappings. */
void hb_vfio_regions_close(HbVfioRegions *regions);

/* Describe to @bars what there is. */
void hb_vfio_regions_describe(const HbVfioRegions *regions, HbBars *bars);

/* Slow accesses, @size 1 to 8; all-ones from a drive that does not answer. */
guint64 hb_vfio_regions_read(const HbVfioRegions *regions, guint bar, guint64 offset, guint size);
void hb_vfio_regions_write(const HbVfioRegions *regions, guint bar, guint64 offset, guint size,
			   guint64 value);

/*
 * Subtract from the pieces of @areas (GArray of HbBarMapping, hva unused) all 4 KiB pages that
 * @trap touches. Returns a new array.
 */
GArray *hb_vfio_regions_subtract(GArray *areas, guint64 trap_offset, guint64 trap_size);

#endif
