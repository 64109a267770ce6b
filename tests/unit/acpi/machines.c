/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The machines, and a reader of tables that knows nothing of the code that wrote them. */

#include "tests/unit/acpi/machines.h"

#include <check.h>
#include <string.h>

#define XSDT_POINTER  24
#define FACS_POINTER  36
#define DSDT_POINTER  140
#define HEADER_LENGTH 36
#define LENGTH_OFFSET 4
#define N_APIC_IDS    128
#define N_SLOTS	      32
#define GIB	      (G_GUINT64_CONSTANT(1) << 30)

static const HbAcpiSlot slots[N_SLOTS] = {
	{ 0x20, 1, 0 },	  { 0x21, 2, 1 },   { 0x22, 3, 2 },   { 0x23, 4, 3 },	{ 0x24, 5, 4 },
	{ 0x25, 6, 5 },	  { 0x26, 7, 6 },   { 0x27, 8, 7 },   { 0x28, 9, 8 },	{ 0x29, 10, 9 },
	{ 0x2a, 11, 10 }, { 0x2b, 12, 11 }, { 0x2c, 13, 12 }, { 0x2d, 14, 13 }, { 0x2e, 15, 14 },
	{ 0x2f, 16, 15 }, { 0x30, 17, 16 }, { 0x31, 18, 17 }, { 0x32, 19, 18 }, { 0x33, 20, 19 },
	{ 0x34, 21, 20 }, { 0x35, 22, 21 }, { 0x36, 23, 22 }, { 0x37, 24, 23 }, { 0x38, 25, 24 },
	{ 0x39, 26, 25 }, { 0x3a, 27, 26 }, { 0x3b, 28, 27 }, { 0x3c, 29, 28 }, { 0x3d, 30, 29 },
	{ 0x3e, 31, 30 }, { 0x3f, 32, 31 },
};

#define EIGHT(n) (n), (n) + 1, (n) + 2, (n) + 3, (n) + 4, (n) + 5, (n) + 6, (n) + 7

static const guint8 apic_ids[N_APIC_IDS] = {
	EIGHT(0),  EIGHT(8),  EIGHT(16), EIGHT(24), EIGHT(32), EIGHT(40),  EIGHT(48),  EIGHT(56),
	EIGHT(64), EIGHT(72), EIGHT(80), EIGHT(88), EIGHT(96), EIGHT(104), EIGHT(112), EIGHT(120),
};

static const HbAcpiMachine small = {
	.apic_ids = apic_ids,
	.n_cpus = 1,
	.lapic_address = 0xfee00000,
	.ioapic_address = 0xfec00000,
	.bridge = { .ecam = { 0xb0000000, 0x10000000 },
		    .mem32 = { 0xc0000000, 0x3ec00000 },
		    .mem64 = { 512 * GIB, 256 * GIB },
		    .io = { 0x1000, 0xf000 } },
	.slots = slots,
	.n_slots = 1,
	.pm_base = 0x600,
	.gpe0_base = 0x620,
	.gpe0_length = 16,
	.sci = 9,
	.reset_port = 0xcf9,
	.reset_value = 6,
	.serial_port = 0x3f8,
	.serial_gsi = 4,
	.native_hotplug = TRUE,
};

static void make_large(HbAcpiMachine *machine)
{
	machine->n_cpus = 8;
	machine->n_slots = N_SLOTS;
	for (guint i = 0; i < G_N_ELEMENTS(machine->pci_gsi); i++)
		machine->pci_gsi[i] = 16 + i;
}

static void make_denied(HbAcpiMachine *machine, guint n_slots)
{
	machine->native_hotplug = FALSE;
	machine->n_slots = n_slots;
}

static void make_acpi(HbAcpiMachine *machine)
{
	make_denied(machine, N_SLOTS);
	machine->hotplug_base = 0x700;
}

static void make_acpi_wide(HbAcpiMachine *machine)
{
	static const HbAcpiSlot few[] = { { 0x10, 7, 3 }, { 0x18, 8, 199 } };

	make_acpi(machine);
	machine->slots = few;
	machine->n_slots = G_N_ELEMENTS(few);
	machine->bridge.io = (HbAddressWindow){ 0, 0x10000 };
}

static void make_bare(HbAcpiMachine *machine)
{
	machine->bridge.io.size = 0;
	machine->bridge.mem64.size = 0;
	machine->gpe0_base = 0;
	machine->gpe0_length = 0;
	machine->reset_port = 0;
}

HbAcpiMachine machines_get(MachineKind kind)
{
	HbAcpiMachine machine = small;

	if (kind == MACHINE_LARGE)
		make_large(&machine);
	else if (kind == MACHINE_FULL)
		machine.n_cpus = N_APIC_IDS;
	else if (kind == MACHINE_NO_SLOTS)
		make_denied(&machine, 0);
	else if (kind == MACHINE_NO_HOTPLUG)
		make_denied(&machine, N_SLOTS);
	else if (kind == MACHINE_ACPI)
		make_acpi(&machine);
	else if (kind == MACHINE_ACPI_WIDE)
		make_acpi_wide(&machine);
	else if (kind == MACHINE_NO_SERIAL)
		machine.serial_port = 0;
	else if (kind == MACHINE_ECAM_INSIDE)
		machine.bridge.mem32 = (HbAddressWindow){ 0xa0000000, 0x5ec00000 };
	else if (kind == MACHINE_ECAM_HIGH)
		machine.bridge.ecam.base = 256 * GIB;
	else if (kind == MACHINE_BARE)
		make_bare(&machine);
	else if (kind == MACHINE_WIDE) {
		machine.bridge.io = (HbAddressWindow){ 0, 0x10000 };
		machine.bridge.mem32 = (HbAddressWindow){ 0x80000000, 0x80000000 };
	}
	return machine;
}

GByteArray *machines_build(MachineKind kind)
{
	const HbAcpiMachine machine = machines_get(kind);
	g_autoptr(GError) error = NULL;
	GByteArray *blob = hb_acpi_build(&machine, MACHINES_GPA, MACHINES_SIZE, &error);

	ck_assert_msg(blob != NULL, "%s", error ? error->message : "no error is set");
	return blob;
}

static const guint8 *at(const GByteArray *blob, guint64 gpa, gsize *length)
{
	ck_assert_uint_ge(gpa, MACHINES_GPA);
	gsize offset = gpa - MACHINES_GPA;

	ck_assert_uint_le(offset + HEADER_LENGTH, blob->len);
	*length = machines_get_u32(blob->data + offset + LENGTH_OFFSET);
	ck_assert_uint_le(offset + *length, blob->len);
	return blob->data + offset;
}

static const guint8 *find_in_xsdt(const GByteArray *blob, const char *signature, gsize *length)
{
	gsize xsdt_length;
	const guint8 *xsdt = at(blob, machines_get_u64(blob->data + XSDT_POINTER), &xsdt_length);

	if (memcmp(signature, "XSDT", 4) == 0) {
		*length = xsdt_length;
		return xsdt;
	}
	for (gsize i = HEADER_LENGTH; i < xsdt_length; i += 8) {
		const guint8 *table = at(blob, machines_get_u64(xsdt + i), length);

		if (memcmp(table, signature, 4) == 0)
			return table;
	}
	ck_abort_msg("the XSDT has no %s", signature);
}

const guint8 *machines_find(const GByteArray *blob, const char *signature, gsize *length)
{
	if (strcmp(signature, "DSDT") != 0 && strcmp(signature, "FACS") != 0)
		return find_in_xsdt(blob, signature, length);

	const guint8 *fadt = find_in_xsdt(blob, "FACP", length);
	guint64 gpa = strcmp(signature, "DSDT") == 0 ? machines_get_u64(fadt + DSDT_POINTER)
						     : machines_get_u32(fadt + FACS_POINTER);
	const guint8 *table = at(blob, gpa, length);

	ck_assert_mem_eq(table, signature, 4);
	return table;
}

guint16 machines_get_u16(const guint8 *data)
{
	return (guint16)(data[0] | data[1] << 8);
}

guint32 machines_get_u32(const guint8 *data)
{
	return machines_get_u16(data) | (guint32)machines_get_u16(data + 2) << 16;
}

guint64 machines_get_u64(const guint8 *data)
{
	return machines_get_u32(data) | (guint64)machines_get_u32(data + 4) << 32;
}
