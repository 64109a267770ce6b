/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BAY_TAKE_H
#define VFIO_BAY_TAKE_H

#include "vfio/bind.h"

/**
 * hb_bay_claim:
 * @address: of a drive that has appeared a moment ago
 *
 * Names vfio-pci as its only driver, unless one has it already. Any thread. Waits for nobody but a
 * driver whose probe begins that very moment.
 */
void hb_bay_claim(const HbBindHost *host, const char *address);

/**
 * hb_bay_take:
 * @address: of a drive in a bay, claimed or not
 * @patience_ms: how long the kernel may take to look for its driver
 *
 * Gives a drive to vfio-pci: before another driver has it, if that can be; else by a switch with
 * all its checks. If that fails, the drive is as it was. Any thread; blocks.
 *
 * Returns: FALSE with the errors of hb_bind_to_vfio()
 */
gboolean hb_bay_take(const HbBindHost *host, const char *address, guint patience_ms,
		     GError **error);

#endif
