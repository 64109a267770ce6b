/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_IRQ_REMAP_H
#define HW_IRQ_REMAP_H

#include <hotbay/pci.h>

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

/* What the host was asked for on behalf of all sources so far; numbers only grow, and wrap. */
typedef struct HbIrqRemapCounts {
	guint commits;	   /* of routes */
	guint connections; /* of routes and pins to eventfds, made and ended */
	guint vector_calls;
} HbIrqRemapCounts;

/* Any thread. */
void hb_irq_remap_get_counts(HbIrqRemap *remap, HbIrqRemapCounts *counts);

/* A source's owner has asked the host once to switch interrupts of the device on or off. Any
 * thread. */
void hb_irq_source_count_vector_call(HbIrqSource *source);

/* A source's owner has connected or disconnected a pin of the device. Any thread. */
void hb_irq_source_count_connection(HbIrqSource *source);

/*
 * Reserve @n_vectors for the source called @name (for messages; copied) and create their eventfds
 * (non-blocking, close-on-exec). HB_ERROR_LIMIT names the budget, what is used and what was asked.
 * Any thread, without the bus lock: the budget is counted atomically.
 */
HbIrqSource *hb_irq_source_open(HbIrqRemap *remap, const char *name, guint n_vectors,
				GError **error);

/*
 * The guest is about to use it: from here on a commit costs the host nothing at once. What is
 * unmasked is forwarded by the loop until nothing has changed for a moment, and then all routes
 * that are new go into one commit. Until then, and without this, each commit is made at once.
 * @bridge outlives the source. With the bus lock held, as all below but the close.
 */
void hb_irq_source_attach(HbIrqSource *source, HbHostBridge *bridge);

/* Give everything back; severed first if it was not. Any thread, without the bus lock, once
 * severed. */
void hb_irq_source_close(HbIrqSource *source);

/* The eventfd that the host is to signal for @vector; stays the source's. */
int hb_irq_source_get_eventfd(HbIrqSource *source, guint vector);

/* Say what @vector delivers: @message, or nothing (masked) if NULL. Takes effect at the next
 * commit. */
void hb_irq_source_set(HbIrqSource *source, guint vector, const HbMsiMessage *message);

/*
 * Make all changes of this source effective, for the guest when this returns: at most one
 * routes_commit of the host, later if it is attached, and only if a message differs from what is
 * routed. A vector that was pending while masked is delivered now.
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
