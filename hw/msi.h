/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_MSI_H
#define HW_MSI_H

#include "hw/config-space.h"

#include <hotbay/host.h>

#define HB_MSI_SIZE 0x18 /* bytes of the capability */

/*
 * MSI as the guest sees it (PCIe r6.0 §7.7.1), with 64-bit addresses and per-vector masking, in the
 * capability at @capability of @config. It decides what to send; the caller sends. With the bus
 * lock held.
 */
typedef struct HbMsi {
	HbConfigSpace *config;
	guint capability;
	guint n_vectors;
} HbMsi;

/* @n_vectors: 1, 2, 4, 8, 16 or 32. Sets all but the capability's header. */
void hb_msi_init(HbMsi *msi, HbConfigSpace *config, guint capability, guint n_vectors);

/* An edge on @vector. TRUE: send @message now. FALSE: it is off, or masked and now pending. */
gboolean hb_msi_notify(HbMsi *msi, guint vector, HbMsiMessage *message);

/* The cause of a pending interrupt has gone: forget it. */
void hb_msi_withdraw(HbMsi *msi, guint vector);

/*
 * After a guest write that touches the capability: is @vector pending and not masked any more? It
 * is pending no longer then. TRUE: send @message now.
 */
gboolean hb_msi_unmasked(HbMsi *msi, guint vector, HbMsiMessage *message);

#endif
