/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_PIO_H
#define VMM_PIO_H

#include <glib.h>

/** HbPio: who answers which I/O ports. Built first, then only read: any thread may access. */
typedef struct HbPio HbPio;

/**
 * HbPioOps:
 * @read: @size is 1, 2 or 4, and the access lies within the range; @offset counts from its base
 */
typedef struct HbPioOps {
	guint32 (*read)(gpointer opaque, guint offset, guint size);
	void (*write)(gpointer opaque, guint offset, guint size, guint32 value);
} HbPioOps;

HbPio *hb_pio_create(void);
void hb_pio_destroy(HbPio *pio);

/** hb_pio_add: ranges must not overlap. */
void hb_pio_add(HbPio *pio, guint16 base, guint length, const HbPioOps *ops, gpointer opaque);

/**
 * hb_pio_access:
 * @data: @size bytes, little-endian
 *
 * Returns: FALSE if no range has all of the access; @data is untouched then
 */
gboolean hb_pio_access(HbPio *pio, guint16 port, gpointer data, guint size, gboolean is_write);

#endif
