/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * MCFG, PCI Firmware r3.3 §4.1.2: where the memory-mapped configuration space is. Linux believes it
 * only if the DSDT reserves the same range for a motherboard device.
 */

#include "acpi/board.h"
#include "acpi/table.h"
#include "acpi/tables.h"

typedef struct __attribute__((packed)) Mcfg {
	guint64 reserved;
	guint64 base;
	guint16 segment;
	guint8 first_bus;
	guint8 last_bus;
	guint32 reserved2;
} Mcfg;
_Static_assert(sizeof(Mcfg) == 24, "PCI Firmware r3.3 §4.1.2");

void hb_mcfg_append(GByteArray *blob, const HbAcpiMachine *machine)
{
	gsize table = hb_table_begin(blob, "MCFG", 1);
	const Mcfg mcfg = {
		.base = GUINT64_TO_LE(machine->bridge.ecam.base),
		.last_bus = machine->bridge.ecam.size / HB_BOARD_BUS_SIZE - 1,
	};

	g_byte_array_append(blob, (const guint8 *)&mcfg, sizeof(mcfg));
	hb_table_end(blob, table);
}
