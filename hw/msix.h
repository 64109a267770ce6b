/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_MSIX_H
#define HW_MSIX_H

#include "hw/config-space.h"

#include <hotbay/host.h>

/*
 * MSI-X as the guest sees it (PCIe r6.0 §7.7.2): the capability's Message Control in the function's
 * @config, the table, and the pending bits. Pure bookkeeping: what it decides is reported to @ops.
 * With the bus lock held.
 */
typedef struct HbMsix HbMsix;

typedef struct HbMsixOps {
	/* What @vector delivers changed: @message, or NULL while it is masked in any way. */
	void (*vector_changed)(gpointer opaque, guint vector, const HbMsiMessage *message);
	/* All calls of vector_changed of one guest access are done; MSI-X is on or off. */
	void (*changed)(gpointer opaque, gboolean enabled);
	gboolean (*is_pending)(gpointer opaque, guint vector);
} HbMsixOps;

/* @capability: its offset in @config; n_vectors 1 to 2048. Sets Message Control and its masks. */
HbMsix *hb_msix_create(HbConfigSpace *config, guint capability, guint n_vectors,
		       const HbMsixOps *ops, gpointer opaque);
void hb_msix_destroy(HbMsix *msix);

guint hb_msix_get_n_vectors(const HbMsix *msix);
gboolean hb_msix_is_enabled(const HbMsix *msix);
/* One past the last vector whose message the guest has programmed (a nonzero address). */
guint hb_msix_get_n_programmed(const HbMsix *msix);

/* After a guest write that touches Message Control. */
void hb_msix_control_written(HbMsix *msix);

/* Guest accesses to the table (16 bytes a vector) and to the PBA (64 bits for 64 vectors); @size 1
 * to 8. */
guint64 hb_msix_table_read(HbMsix *msix, guint64 offset, guint size);
void hb_msix_table_write(HbMsix *msix, guint64 offset, guint size, guint64 value);
guint64 hb_msix_pba_read(HbMsix *msix, guint64 offset, guint size);

/* As after a conventional reset: disabled, all vectors masked, messages zero. Reports. */
void hb_msix_reset(HbMsix *msix);

#endif
