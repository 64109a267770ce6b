/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_IRQ_REMAP_H
#define HW_IRQ_REMAP_H

#include <hotbay/host.h>

/*
 * The interrupt remapping table of one VM: (source, vector) -> host eventfd -> guest message.
 *
 * A source is one passed-through drive. Its vectors' eventfds are signalled by the host's
 * interrupts; a vector that is set to a message and committed is delivered by the host's route
 * (KVM: irqfd) without entering user space. A masked vector keeps its eventfd signalled: that is
 * its pending bit. All but create, destroy and the budget's count run with the bus lock held.
 */
typedef struct HbIrqRemap HbIrqRemap;
typedef struct HbIrqSource HbIrqSource;

/* @budget: how many vectors all sources may have together. */
HbIrqRemap *hb_irq_remap_create(HbHost *host, guint budget);
void hb_irq_remap_destroy(HbIrqRemap *remap);

/*
 * Before the first source: the budget is what all processes have together that name the same file,
 * see hw/irq-shares.h. FALSE if it cannot be used.
 */
gboolean hb_irq_remap_share(HbIrqRemap *remap, const char *path, GError **error);

/* Vectors in use now; any thread. */
guint hb_irq_remap_get_used(HbIrqRemap *remap);

/*
 * Reserve @n_vectors for the source called @name (for messages; copied) and create their eventfds
 * (non-blocking, close-on-exec). HB_ERROR_LIMIT names the budget, what is used and what was asked.
 * Any thread, without the bus lock: the budget is counted atomically.
 */
HbIrqSource *hb_irq_source_open(HbIrqRemap *remap, const char *name, guint n_vectors,
				GError **error);

/* Give everything back; severed first if it was not. Any thread, without the bus lock, once
 * severed. */
void hb_irq_source_close(HbIrqSource *source);

/* The eventfd that the host is to signal for @vector; stays the source's. */
int hb_irq_source_get_eventfd(HbIrqSource *source, guint vector);

/* Say what @vector delivers: @message, or nothing (masked) if NULL. Takes effect at the next
 * commit. */
void hb_irq_source_set(HbIrqSource *source, guint vector, const HbMsiMessage *message);

/*
 * Make all changes of this source effective: at most one routes_commit of the host, and only if a
 * message differs from what is routed. A vector that was pending while masked is delivered now.
 * What the host refuses is logged once, and delivered by hand from then on (signal_msi).
 */
void hb_irq_source_commit(HbIrqSource *source);

/* Is an interrupt waiting behind a masked vector? (PBA) */
gboolean hb_irq_source_is_pending(HbIrqSource *source, guint vector);

/* The drive is gone: no vector is delivered any more when this returns, all with one commit.
 * Idempotent. */
void hb_irq_source_sever(HbIrqSource *source);

/* Forget all messages (masked) and pending interrupts, as after a reset; not severed. */
void hb_irq_source_reset(HbIrqSource *source);

#endif
