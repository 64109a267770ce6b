/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Configuration space as three arrays of bytes: what a bit reads, whether the guest may write it,
 * and whether writing one clears it. A bit in neither mask is read-only: a write leaves it alone.
 * Nothing here has a side effect; the function that owns the space looks at what changed.
 *
 * Any thread, under the lock of whoever owns the space.
 */

#include "hw/config-space.h"

#include <string.h>

static gboolean is_inside(guint offset, guint size)
{
	return offset < HB_CONFIG_SIZE && size <= HB_CONFIG_SIZE - offset;
}

static guint32 load(const guint8 *bytes, guint size)
{
	guint32 value = 0;

	for (guint i = 0; i < size; i++)
		value |= (guint32)bytes[i] << (8 * i);
	return value;
}

static void store(guint8 *bytes, guint size, guint32 value)
{
	for (guint i = 0; i < size; i++)
		bytes[i] = (guint8)(value >> (8 * i));
}

void hb_config_space_init(HbConfigSpace *config)
{
	memset(config, 0, sizeof(*config));
}

guint32 hb_config_space_read(const HbConfigSpace *config, guint offset, guint size)
{
	g_return_val_if_fail(is_inside(offset, size), G_MAXUINT32);
	return load(config->value + offset, size);
}

void hb_config_space_write(HbConfigSpace *config, guint offset, guint size, guint32 value)
{
	g_return_if_fail(is_inside(offset, size));
	for (guint i = 0; i < size; i++) {
		guint8 *byte = &config->value[offset + i];
		guint8 written = (guint8)(value >> (8 * i));
		guint8 writable = config->writable[offset + i];

		*byte = (guint8)((*byte & ~writable) | (written & writable));
		*byte &= (guint8) ~(written & config->write_1_clear[offset + i]);
	}
}

guint8 hb_config_space_get_u8(const HbConfigSpace *config, guint offset)
{
	return (guint8)hb_config_space_read(config, offset, 1);
}

guint16 hb_config_space_get_u16(const HbConfigSpace *config, guint offset)
{
	return (guint16)hb_config_space_read(config, offset, 2);
}

guint32 hb_config_space_get_u32(const HbConfigSpace *config, guint offset)
{
	return hb_config_space_read(config, offset, 4);
}

void hb_config_space_set_u8(HbConfigSpace *config, guint offset, guint8 value)
{
	g_return_if_fail(is_inside(offset, 1));
	store(config->value + offset, 1, value);
}

void hb_config_space_set_u16(HbConfigSpace *config, guint offset, guint16 value)
{
	g_return_if_fail(is_inside(offset, 2));
	store(config->value + offset, 2, value);
}

void hb_config_space_set_u32(HbConfigSpace *config, guint offset, guint32 value)
{
	g_return_if_fail(is_inside(offset, 4));
	store(config->value + offset, 4, value);
}

void hb_config_space_set_writable(HbConfigSpace *config, guint offset, guint size, guint32 mask)
{
	g_return_if_fail(is_inside(offset, size));
	store(config->writable + offset, size, mask);
}

void hb_config_space_set_write_1_clear(HbConfigSpace *config, guint offset, guint size,
				       guint32 mask)
{
	g_return_if_fail(is_inside(offset, size));
	store(config->write_1_clear + offset, size, mask);
}

gboolean hb_config_space_overlaps(guint offset, guint size, guint start, guint length)
{
	return offset < start + length && start < offset + size;
}
