/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_ACPI_MACHINES_H
#define TESTS_UNIT_ACPI_MACHINES_H

#include <hotbay/acpi.h>

#define MACHINES_GPA  0xe0000
#define MACHINES_SIZE 0x20000

/* The machines that the tests of this room describe. */
typedef enum MachineKind {
	MACHINE_SMALL,	    /* 1 processor, 1 slot */
	MACHINE_LARGE,	    /* 8 processors, 32 slots on 4 devices, interrupt pins routed */
	MACHINE_FULL,	    /* 128 processors */
	MACHINE_NO_SLOTS,   /* and native hot-plug denied, or there would be nothing to see */
	MACHINE_NO_HOTPLUG, /* native hot-plug denied, 32 slots */
	MACHINE_ACPI,	    /* ACPI hot-plug, 32 slots */
	MACHINE_ACPI_WIDE,  /* ACPI hot-plug, 2 slots of 200, windows over all ports */
	MACHINE_NO_SERIAL,
	MACHINE_ECAM_INSIDE, /* ECAM in the middle of mem32 */
	MACHINE_ECAM_HIGH,   /* ECAM above 4 GiB */
	MACHINE_BARE,	     /* no I/O or 64-bit window, no GPE block, no reset register */
	MACHINE_WIDE,	     /* windows over all ports and everything below 4 GiB */
	MACHINE_KINDS,
} MachineKind;

/* Its arrays are static. */
HbAcpiMachine machines_get(MachineKind kind);

/* Builds it at MACHINES_GPA, and fails the test if that fails. Free with g_byte_array_unref(). */
GByteArray *machines_build(MachineKind kind);

/*
 * The table that starts with @signature, and its length: found by following the pointers from the
 * RSDP. Fails the test if it is not there.
 */
const guint8 *machines_find(const GByteArray *blob, const char *signature, gsize *length);

/* Little-endian numbers of 2, 4 and 8 bytes. */
guint16 machines_get_u16(const guint8 *data);
guint32 machines_get_u32(const guint8 *data);
guint64 machines_get_u64(const guint8 *data);

#endif
