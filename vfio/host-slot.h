/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_HOST_SLOT_H
#define VFIO_HOST_SLOT_H

#include <hotbay/inventory.h>

/** HB_HOST_CONFIG_SIZE: of the configuration space that slots are read from. */
#define HB_HOST_CONFIG_SIZE 256

/**
 * HbHostConfigReader:
 * @buffer: HB_HOST_CONFIG_SIZE bytes, zeroed
 *
 * Reads the configuration space of a function as far as it may. Returns: how many bytes it got.
 */
typedef guint (*HbHostConfigReader)(const char *address, guint8 *buffer, gpointer data);

/**
 * hb_host_slots_list:
 *
 * Returns: (transfer full): of HbHostSlot, by number, then port: all that the kernel's slot drivers
 * run, and all that a port says it has
 */
GPtrArray *hb_host_slots_list(const char *root, HbHostConfigReader read, gpointer data);

/**
 * hb_host_slots_find:
 * @address: of a function
 *
 * Returns: (transfer none) (nullable): the slot whose port is nearest above it
 */
HbHostSlot *hb_host_slots_find(GPtrArray *slots, const char *root, const char *address);

#endif
