/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_BAR_H
#define HW_BAR_H

#include "hw/config-space.h"

#include <hotbay/pci.h>

#define HB_BAR_COUNT 6

/* A part of a BAR that is mapped straight into the guest: 4 KiB-aligned offset and size. */
typedef struct HbBarMapping {
	guint64 offset;
	guint64 size;
	gpointer hva;
} HbBarMapping;

/* One memory BAR; I/O BARs are not offered to guests. @size is a power of two, at least 4 KiB. */
typedef struct HbBarDescription {
	guint64 size;
	gboolean is_64bit;
	gboolean prefetchable;
	const HbBarMapping *mappings; /* copied */
	guint n_mappings;
} HbBarDescription;

/*
 * @read, @write: guest accesses to the parts of BAR @index that are not mapped.
 * @mapped: (nullable): @size bytes at @hva now are (@here) or are no longer at guest physical @gpa.
 *
 * With the bus lock held.
 */
typedef struct HbBarOps {
	guint64 (*read)(gpointer opaque, guint index, guint64 offset, guint size);
	void (*write)(gpointer opaque, guint index, guint64 offset, guint size, guint64 value);
	void (*mapped)(gpointer opaque, guint64 gpa, guint64 size, gpointer hva, gboolean here);
} HbBarOps;

typedef struct HbBars HbBars;

/*
 * The BARs of one function, kept in its @config (type 0 header, offsets 0x10 to 0x27): sizing by
 * writing all-ones, decode by the Command register's Memory Space Enable, mapping into the guest by
 * the host's memory slots, the rest trapped through @ops.
 */
HbBars *hb_bars_create(HbConfigSpace *config, const HbBarOps *ops, gpointer opaque);

/* After hb_bars_sever(), if it was ever attached. */
void hb_bars_destroy(HbBars *bars);

/* Describe BAR @index, which with @is_64bit takes @index + 1 too. Before hb_bars_attach(). */
void hb_bars_add(HbBars *bars, guint index, const HbBarDescription *description);

/*
 * From here on mappings are made; the rest with the bus lock held. @port is whose slot the function
 * sits in; NULL: on bus 0.
 */
void hb_bars_attach(HbBars *bars, HbHostBridge *bridge, const HbPort *port);

/* After each guest write that touches Command or a BAR, and when the path from bus 0 has changed:
 * make the mappings what the registers say. */
void hb_bars_update(HbBars *bars);

/* Whether the device can be reached at all: FALSE in D1 to D3; TRUE at the start. Updates. */
void hb_bars_set_reachable(HbBars *bars, gboolean reachable);

/* Withdraw everything, for good: later guest accesses fall through to the bridge's all-ones. */
void hb_bars_sever(HbBars *bars);

#endif
