/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The Firmware ACPI Control Structure, ACPI r6.5 §5.2.10: the global lock, which nobody contends
 * for, and the waking vector of sleep states that the machine does not have. No checksum.
 */

#include "acpi/tables.h"

#include <stddef.h>

typedef struct __attribute__((packed)) Facs {
	char signature[4];
	guint32 length;
	guint32 hardware_signature;
	guint32 waking_vector;
	guint32 global_lock;
	guint32 flags;
	guint64 x_waking_vector;
	guint8 version;
	guint8 reserved1[3];
	guint32 ospm_flags;
	guint8 reserved2[24];
} Facs;
_Static_assert(sizeof(Facs) == 64, "ACPI r6.5 §5.2.10");
_Static_assert(offsetof(Facs, version) == 32, "ACPI r6.5 §5.2.10");

void hb_facs_append(GByteArray *blob)
{
	const Facs facs = {
		.signature = { 'F', 'A', 'C', 'S' },
		.length = GUINT32_TO_LE(sizeof(facs)),
		.version = 2,
	};

	g_byte_array_append(blob, (const guint8 *)&facs, sizeof(facs));
}
