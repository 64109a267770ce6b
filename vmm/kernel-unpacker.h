/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_UNPACKER_H
#define VMM_KERNEL_UNPACKER_H

#include <glib.h>

/** HbUnpackerBuffer: bytes that are still to be taken, or room that is still to be filled. */
typedef struct HbUnpackerBuffer {
	guint8 *at;
	gsize left;
} HbUnpackerBuffer;

/**
 * HbUnpackerOps: one compression. Pure: bytes in, bytes out.
 * @start: Returns: (nullable): its state; NULL if there is no memory for it
 * @step: takes from @in and puts to @out, advancing both. Returns: FALSE if the input is damaged
 */
typedef struct HbUnpackerOps {
	guint8 magic[6]; /* that its data start with */
	gsize magic_size;
	gboolean has_size_word; /* Linux's build appends the unpacked size, which is not its own */
	gpointer (*start)(void);
	gboolean (*step)(gpointer state, HbUnpackerBuffer *in, HbUnpackerBuffer *out,
			 gboolean *ended);
	void (*finish)(gpointer state);
} HbUnpackerOps;

/** hb_unpacker_find: Returns: (nullable): for data that start so. */
const HbUnpackerOps *hb_unpacker_find(const guint8 *start, gsize length);

#endif
