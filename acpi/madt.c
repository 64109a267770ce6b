/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The Multiple APIC Description Table, ACPI r6.5 §5.2.12: a local APIC for each processor, one
 * IOAPIC from GSI 0, and where the interrupts of a PC differ from the identity:
 *
 *	the timer    ISA IRQ 0  ->  GSI 2
 *	the SCI      ISA IRQ n  ->  GSI n, level-triggered and active high
 *	NMI                     ->  LINT1 of every local APIC
 */

#include "acpi/table.h"
#include "acpi/tables.h"

enum {
	TYPE_LOCAL_APIC = 0,
	TYPE_IO_APIC = 1,
	TYPE_INTERRUPT_SOURCE_OVERRIDE = 2,
	TYPE_LOCAL_APIC_NMI = 4,
};

#define PCAT_COMPAT	   (1u << 0) /* there are 8259s too */
#define LOCAL_APIC_ENABLED (1u << 0)
#define ALL_PROCESSORS	   0xff

/* MPS INTI flags, ACPI r6.5 §5.2.12.5 */
#define CONFORMS_TO_BUS	  0
#define LEVEL_ACTIVE_HIGH 0x000d

typedef struct __attribute__((packed)) LocalApic {
	guint8 type;
	guint8 length;
	guint8 processor_uid;
	guint8 apic_id;
	guint32 flags;
} LocalApic;
_Static_assert(sizeof(LocalApic) == 8, "ACPI r6.5 §5.2.12.2");

typedef struct __attribute__((packed)) IoApic {
	guint8 type;
	guint8 length;
	guint8 id;
	guint8 reserved;
	guint32 address;
	guint32 gsi_base;
} IoApic;
_Static_assert(sizeof(IoApic) == 12, "ACPI r6.5 §5.2.12.3");

typedef struct __attribute__((packed)) InterruptSourceOverride {
	guint8 type;
	guint8 length;
	guint8 bus;
	guint8 source;
	guint32 gsi;
	guint16 flags;
} InterruptSourceOverride;
_Static_assert(sizeof(InterruptSourceOverride) == 10, "ACPI r6.5 §5.2.12.5");

typedef struct __attribute__((packed)) LocalApicNmi {
	guint8 type;
	guint8 length;
	guint8 processor_uid;
	guint16 flags;
	guint8 lint;
} LocalApicNmi;
_Static_assert(sizeof(LocalApicNmi) == 6, "ACPI r6.5 §5.2.12.7");

static void append_local_apics(GByteArray *blob, const HbAcpiMachine *machine)
{
	for (guint i = 0; i < machine->n_cpus; i++) {
		const LocalApic entry = {
			.type = TYPE_LOCAL_APIC,
			.length = sizeof(entry),
			.processor_uid = i,
			.apic_id = machine->apic_ids[i],
			.flags = GUINT32_TO_LE(LOCAL_APIC_ENABLED),
		};

		g_byte_array_append(blob, (const guint8 *)&entry, sizeof(entry));
	}
}

static void append_io_apic(GByteArray *blob, const HbAcpiMachine *machine)
{
	const IoApic entry = {
		.type = TYPE_IO_APIC,
		.length = sizeof(entry),
		.id = machine->ioapic_id,
		.address = GUINT32_TO_LE(machine->ioapic_address),
	};

	g_byte_array_append(blob, (const guint8 *)&entry, sizeof(entry));
}

static void append_override(GByteArray *blob, guint8 source, guint32 gsi, guint16 flags)
{
	const InterruptSourceOverride entry = {
		.type = TYPE_INTERRUPT_SOURCE_OVERRIDE,
		.length = sizeof(entry),
		.source = source,
		.gsi = GUINT32_TO_LE(gsi),
		.flags = GUINT16_TO_LE(flags),
	};

	g_byte_array_append(blob, (const guint8 *)&entry, sizeof(entry));
}

static void append_nmi(GByteArray *blob)
{
	const LocalApicNmi entry = {
		.type = TYPE_LOCAL_APIC_NMI,
		.length = sizeof(entry),
		.processor_uid = ALL_PROCESSORS,
		.lint = 1,
	};

	g_byte_array_append(blob, (const guint8 *)&entry, sizeof(entry));
}

void hb_madt_append(GByteArray *blob, const HbAcpiMachine *machine)
{
	gsize table = hb_table_begin(blob, "APIC", 6);
	const guint32 fields[] = { GUINT32_TO_LE(machine->lapic_address),
				   GUINT32_TO_LE(PCAT_COMPAT) };

	g_byte_array_append(blob, (const guint8 *)fields, sizeof(fields));
	append_local_apics(blob, machine);
	append_io_apic(blob, machine);
	append_override(blob, 0, 2, CONFORMS_TO_BUS);
	append_override(blob, machine->sci, machine->sci, LEVEL_ACTIVE_HIGH);
	append_nmi(blob);
	hb_table_end(blob, table);
}
