/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_BYTES_H
#define ACPI_BYTES_H

#include <glib.h>

/* Little-endian numbers at the end of a byte array, as all of ACPI wants them. */

static inline void hb_bytes_append_u8(GByteArray *bytes, guint8 value)
{
	g_byte_array_append(bytes, &value, sizeof(value));
}

static inline void hb_bytes_append_u16(GByteArray *bytes, guint16 value)
{
	guint16 little = GUINT16_TO_LE(value);

	g_byte_array_append(bytes, (const guint8 *)&little, sizeof(little));
}

static inline void hb_bytes_append_u32(GByteArray *bytes, guint32 value)
{
	guint32 little = GUINT32_TO_LE(value);

	g_byte_array_append(bytes, (const guint8 *)&little, sizeof(little));
}

static inline void hb_bytes_append_u64(GByteArray *bytes, guint64 value)
{
	guint64 little = GUINT64_TO_LE(value);

	g_byte_array_append(bytes, (const guint8 *)&little, sizeof(little));
}

#endif
