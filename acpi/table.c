/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The frame of an ACPI table: a header, whose length and checksum are known when the table ends.
 *
 * No state, so any thread.
 */

#include "acpi/table.h"

#include <stddef.h>
#include <string.h>

gsize hb_table_begin(GByteArray *blob, const char *signature, guint8 revision)
{
	HbTableHeader header = {
		.revision = revision,
		.oem_revision = GUINT32_TO_LE(1),
		.creator_revision = GUINT32_TO_LE(1),
	};
	gsize table = blob->len;

	memcpy(header.signature, signature, sizeof(header.signature));
	memcpy(header.oem_id, HB_TABLE_OEM_ID, sizeof(header.oem_id));
	memcpy(header.oem_table_id, "HB  ", 4);
	memcpy(header.oem_table_id + 4, signature, 4);
	memcpy(header.creator_id, "HBAY", sizeof(header.creator_id));
	g_byte_array_append(blob, (const guint8 *)&header, sizeof(header));
	return table;
}

void hb_table_end(GByteArray *blob, gsize table)
{
	guint32 length = blob->len - table;
	guint32 little = GUINT32_TO_LE(length);
	guint8 *header = blob->data + table;

	memcpy(header + offsetof(HbTableHeader, length), &little, sizeof(little));
	header[offsetof(HbTableHeader, checksum)] = 0;
	header[offsetof(HbTableHeader, checksum)] = hb_table_checksum(header, length);
}

gsize hb_table_align(GByteArray *blob, gsize alignment)
{
	static const guint8 zero;

	while (blob->len % alignment != 0)
		g_byte_array_append(blob, &zero, sizeof(zero));
	return blob->len;
}

guint8 hb_table_checksum(const guint8 *data, gsize length)
{
	guint8 sum = 0;

	for (gsize i = 0; i < length; i++)
		sum += data[i];
	return -sum;
}
