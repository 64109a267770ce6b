/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_AER_H
#define HW_AER_H

#include "hw/config-space.h"

#define HB_AER_SIZE 0x38 /* bytes of the capability of a root port */

/*
 * Advanced Error Reporting of a root port (PCIe r6.0 §7.8.4), in the extended capability at
 * @capability of @config. All state is in the configuration space. With the bus lock held.
 */
typedef struct HbAer {
	HbConfigSpace *config;
	guint capability;
	guint express; /* its enables and its own record are in the PCI Express capability */
} HbAer;

/* Sets all but the capability's header, as firmware leaves it. */
void hb_aer_init(HbAer *aer, HbConfigSpace *config, guint capability, guint express);

/*
 * The port itself has seen an uncorrectable error: one bit of Uncorrectable Error Status (PCIe r6.0
 * §7.8.4.2). Recorded and, as far as the guest lets it, reported. @requester: the port's own ID.
 */
void hb_aer_report(HbAer *aer, guint16 requester, guint32 error);

/* Does the condition of the error interrupt hold? (PCIe r6.0 §6.2.4.1.2) */
gboolean hb_aer_is_asserted(const HbAer *aer);

/* Interrupts of this capability come by the first message: Root Error Status says so. */
#define HB_AER_VECTOR 0

#endif
