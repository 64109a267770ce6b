/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_CONFIG_SPACE_H
#define HW_CONFIG_SPACE_H

#include <glib.h>

#define HB_CONFIG_SIZE	      4096
#define HB_CONFIG_HEADER_SIZE 64

/*
 * A function's 4 KiB configuration space as data: each bit has a value, and is read-only unless it
 * is in
 * @writable (read-write) or @write_1_clear (RW1C). Little-endian, as the guest sees it.
 */
typedef struct HbConfigSpace {
	guint8 value[HB_CONFIG_SIZE];
	guint8 writable[HB_CONFIG_SIZE];
	guint8 write_1_clear[HB_CONFIG_SIZE];
} HbConfigSpace;

/* All zero and read-only. */
void hb_config_space_init(HbConfigSpace *config);

/* What a guest reads and writes: @size 1, 2 or 4, @offset aligned to it. */
guint32 hb_config_space_read(const HbConfigSpace *config, guint offset, guint size);
void hb_config_space_write(HbConfigSpace *config, guint offset, guint size, guint32 value);

/* What the device model reads and sets, whatever the masks say. */
guint8 hb_config_space_get_u8(const HbConfigSpace *config, guint offset);
guint16 hb_config_space_get_u16(const HbConfigSpace *config, guint offset);
guint32 hb_config_space_get_u32(const HbConfigSpace *config, guint offset);
void hb_config_space_set_u8(HbConfigSpace *config, guint offset, guint8 value);
void hb_config_space_set_u16(HbConfigSpace *config, guint offset, guint16 value);
void hb_config_space_set_u32(HbConfigSpace *config, guint offset, guint32 value);

/* Replace the masks of @size (1, 2 or 4) bytes. */
void hb_config_space_set_writable(HbConfigSpace *config, guint offset, guint size, guint32 mask);
void hb_config_space_set_write_1_clear(HbConfigSpace *config, guint offset, guint size,
				       guint32 mask);

/* Does an access of @size bytes at @offset touch any of @length bytes at @start? */
gboolean hb_config_space_overlaps(guint offset, guint size, guint start, guint length);

#endif
