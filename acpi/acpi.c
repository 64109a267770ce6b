/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * All tables in one blob, and how they find each other:
 *
 *	RSDP -> XSDT -> FADT -> DSDT
 *	             |       -> FACS
 *	             -> MADT
 *	             -> MCFG
 *	             -> SSDT
 *
 * The RSDP comes first, since its address is what the guest is told; the rest in an order in which
 * everything that is pointed to is there already. Tables start at multiples of 16 bytes, the FACS
 * at a multiple of 64.
 *
 * No state, so any thread.
 */

#include "acpi/machine.h"
#include "acpi/table.h"
#include "acpi/tables.h"

#include <hotbay/error.h>

#include <stddef.h>
#include <string.h>

#define BLOB_ALIGNMENT	64
#define FACS_ALIGNMENT	64
#define TABLE_ALIGNMENT 16

/* Root System Description Pointer, ACPI r6.5 §5.2.5.3 */
typedef struct __attribute__((packed)) Rsdp {
	char signature[8];
	guint8 checksum; /* of the first 20 bytes, all there were in ACPI 1.0 */
	char oem_id[6];
	guint8 revision;
	guint32 rsdt;
	guint32 length;
	guint64 xsdt;
	guint8 extended_checksum;
	guint8 reserved[3];
} Rsdp;
_Static_assert(sizeof(Rsdp) == 36, "ACPI r6.5 §5.2.5.3");
_Static_assert(offsetof(Rsdp, length) == 20, "ACPI r6.5 §5.2.5.3");

static Rsdp make_rsdp(guint64 xsdt)
{
	Rsdp rsdp = {
		.revision = 2,
		.length = GUINT32_TO_LE(sizeof(rsdp)),
		.xsdt = GUINT64_TO_LE(xsdt),
	};

	memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
	memcpy(rsdp.oem_id, HB_TABLE_OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = hb_table_checksum((const guint8 *)&rsdp, offsetof(Rsdp, length));
	rsdp.extended_checksum = hb_table_checksum((const guint8 *)&rsdp, sizeof(rsdp));
	return rsdp;
}

/* Extended System Description Table, ACPI r6.5 §5.2.8 */
static void append_xsdt(GByteArray *blob, const guint64 *tables, guint n_tables)
{
	gsize table = hb_table_begin(blob, "XSDT", 1);

	for (guint i = 0; i < n_tables; i++) {
		guint64 address = GUINT64_TO_LE(tables[i]);

		g_byte_array_append(blob, (const guint8 *)&address, sizeof(address));
	}
	hb_table_end(blob, table);
}

static GByteArray *build(const HbAcpiMachine *machine, guint32 gpa)
{
	GByteArray *blob = g_byte_array_new();
	const HbAcpiSsdt ssdt = hb_machine_get_ssdt(machine);
	guint64 tables[4];

	g_byte_array_set_size(blob, sizeof(Rsdp));
	memset(blob->data, 0, blob->len);

	guint32 facs = gpa + hb_table_align(blob, FACS_ALIGNMENT);
	hb_facs_append(blob);
	guint32 dsdt = gpa + hb_table_align(blob, TABLE_ALIGNMENT);
	hb_dsdt_append(blob, machine);
	tables[0] = gpa + hb_table_align(blob, TABLE_ALIGNMENT);
	hb_fadt_append(blob, machine, facs, dsdt);
	tables[1] = gpa + hb_table_align(blob, TABLE_ALIGNMENT);
	hb_madt_append(blob, machine);
	tables[2] = gpa + hb_table_align(blob, TABLE_ALIGNMENT);
	hb_mcfg_append(blob, machine);
	tables[3] = gpa + hb_table_align(blob, TABLE_ALIGNMENT);
	hb_ssdt_append(blob, &ssdt);
	guint64 xsdt = gpa + hb_table_align(blob, TABLE_ALIGNMENT);
	append_xsdt(blob, tables, G_N_ELEMENTS(tables));

	const Rsdp rsdp = make_rsdp(xsdt);

	memcpy(blob->data, &rsdp, sizeof(rsdp));
	return blob;
}

GByteArray *hb_acpi_build(const HbAcpiMachine *machine, guint64 gpa, gsize size, GError **error)
{
	if (gpa % BLOB_ALIGNMENT != 0 || gpa > G_MAXUINT32 || size > G_MAXUINT32 - gpa) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "ACPI: tables at 0x%" G_GINT64_MODIFIER
			    "x; give an address below 4 GiB that is a multiple of %d",
			    gpa, BLOB_ALIGNMENT);
		return NULL;
	}
	if (!hb_machine_validate(machine, error))
		return NULL;

	g_autoptr(GByteArray) blob = build(machine, gpa);

	if (blob->len > size) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "ACPI: the tables take %u bytes, and %" G_GSIZE_FORMAT
			    " are there; give them more room",
			    blob->len, size);
		return NULL;
	}
	return g_steal_pointer(&blob);
}
