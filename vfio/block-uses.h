/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BLOCK_USES_H
#define VFIO_BLOCK_USES_H

#include <glib.h>

/**
 * HbBlockUses:
 *
 * Who uses the host's block devices: mounts, swap, holders, file systems of several devices, open
 * files. Loaded once for all drives. Any one thread.
 */
typedef struct HbBlockUses HbBlockUses;

HbBlockUses *hb_block_uses_load(const char *root);
void hb_block_uses_free(HbBlockUses *uses);

/**
 * hb_block_uses_tell:
 * @name: a whole block device, such as "nvme0n1"
 * @obstacles: of hb_obstacles_create(); gets one entry for each use of the device, of its
 *   partitions, and of what is built upon them
 */
void hb_block_uses_tell(const HbBlockUses *uses, const char *name, GArray *obstacles);

/**
 * hb_block_uses_find_process:
 * @path: of a device node, such as "/dev/vfio/17"
 *
 * Returns: (transfer none) (nullable): "hotbay (process 4711)" if one has it open. Without root
 * only one's own processes show.
 */
const char *hb_block_uses_find_process(const HbBlockUses *uses, const char *path);

#endif
