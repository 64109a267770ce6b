/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * I/O ports: a handful of ranges, looked through in the order in which they were added, so the
 * busiest should come first.
 */

#include "vmm/pio.h"

#include <string.h>

typedef struct Range {
	guint16 base;
	guint length;
	const HbPioOps *ops;
	gpointer opaque;
} Range;

struct HbPio {
	GArray *ranges; /* of Range */
};

HbPio *hb_pio_create(void)
{
	HbPio *pio = g_new0(HbPio, 1);

	pio->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
	return pio;
}

void hb_pio_destroy(HbPio *pio)
{
	if (pio == NULL)
		return;
	g_array_unref(pio->ranges);
	g_free(pio);
}

void hb_pio_add(HbPio *pio, guint16 base, guint length, const HbPioOps *ops, gpointer opaque)
{
	Range range = { base, length, ops, opaque };

	g_array_append_val(pio->ranges, range);
}

static const Range *find(const HbPio *pio, guint port, guint size)
{
	for (guint i = 0; i < pio->ranges->len; i++) {
		const Range *range = &g_array_index(pio->ranges, Range, i);

		if (port >= range->base && port + size <= range->base + range->length)
			return range;
	}
	return NULL;
}

gboolean hb_pio_access(HbPio *pio, guint16 port, gpointer data, guint size, gboolean is_write)
{
	const Range *range = find(pio, port, size);
	guint32 value = 0;

	if (range == NULL)
		return FALSE;
	if (is_write) {
		memcpy(&value, data, size);
		range->ops->write(range->opaque, port - range->base, size, GUINT32_FROM_LE(value));
	} else {
		value = GUINT32_TO_LE(range->ops->read(range->opaque, port - range->base, size));
		memcpy(data, &value, size);
	}
	return TRUE;
}
