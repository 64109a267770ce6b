/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_TABLE_H
#define ACPI_TABLE_H

#include <glib.h>

/* What every table starts with: ACPI r6.5 §5.2.6 */
typedef struct __attribute__((packed)) HbTableHeader {
	char signature[4];
	guint32 length;
	guint8 revision;
	guint8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	guint32 oem_revision;
	char creator_id[4];
	guint32 creator_revision;
} HbTableHeader;
_Static_assert(sizeof(HbTableHeader) == 36, "ACPI r6.5 §5.2.6");

/* Where a register is: ACPI r6.5 §5.2.3.2 */
typedef struct __attribute__((packed)) HbGenericAddress {
	guint8 space;
	guint8 bit_width;
	guint8 bit_offset;
	guint8 access_size;
	guint64 address;
} HbGenericAddress;
_Static_assert(sizeof(HbGenericAddress) == 12, "ACPI r6.5 §5.2.3.2");

#define HB_TABLE_OEM_ID "HOTBAY"

/* Starts a table in @blob, at its end, with a header; returns what hb_table_end() takes. */
gsize hb_table_begin(GByteArray *blob, const char *signature, guint8 revision);

/* Fills in the length and the checksum of all that was appended since. */
void hb_table_end(GByteArray *blob, gsize table);

/* Appends zeroes up to a multiple of @alignment, and returns the offset. */
gsize hb_table_align(GByteArray *blob, gsize alignment);

/* What makes the sum of @length bytes zero, if it is added to it. */
guint8 hb_table_checksum(const guint8 *data, gsize length);

#endif
