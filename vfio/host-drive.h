/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_HOST_DRIVE_H
#define VFIO_HOST_DRIVE_H

#include "vfio/block-uses.h"

#include <hotbay/inventory.h>

/** hb_host_drives_list: Returns: (transfer full): addresses of the NVMe drives, in rising order. */
GPtrArray *hb_host_drives_list(const char *root);

/**
 * hb_host_drive_create:
 *
 * Everything of a drive but its names and its slot, which stay NULL. Free with
 * hb_host_drive_destroy().
 */
HbHostDrive *hb_host_drive_create(const char *root, const char *address, const HbBlockUses *uses);
void hb_host_drive_destroy(HbHostDrive *drive);

#endif
