/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_AML_H
#define ACPI_AML_H

#include <glib.h>

/*
 * ACPI Machine Language terms (ACPI r6.5 §20.2), appended to a byte array in the order in which
 * they are written: an operator, then its operands. A block is begun, filled and ended:
 *
 *	gsize device = hb_aml_begin_device(aml, "PCI0");
 *	hb_aml_append_name(aml, "_UID");
 *	hb_aml_append_integer(aml, 0);
 *	hb_aml_end(aml, device);
 *
 * Paths, ids and UUIDs come from the code that describes the machine, never from a user, so a
 * malformed one is a programming error.
 */

/* Operators, ACPI r6.5 §20.3 */
typedef enum HbAmlOp {
	HB_AML_STORE = 0x70,		  /* source, target */
	HB_AML_SHIFT_LEFT = 0x79,	  /* operand, count, target */
	HB_AML_SHIFT_RIGHT = 0x7a,	  /* operand, count, target */
	HB_AML_AND = 0x7b,		  /* operand, operand, target */
	HB_AML_OR = 0x7d,		  /* operand, operand, target */
	HB_AML_NOTIFY = 0x86,		  /* object, value */
	HB_AML_CREATE_DWORD_FIELD = 0x8a, /* buffer, byte index, name */
	HB_AML_LNOT = 0x92,		  /* operand */
	HB_AML_LEQUAL = 0x93,		  /* operand, operand */
	HB_AML_RETURN = 0xa4,		  /* value */
} HbAmlOp;

void hb_aml_append_op(GByteArray *aml, HbAmlOp op);

/* A name path: "_STA", "\\_SB.PCI0", "^CTRL". Segments shorter than four get underscores. */
void hb_aml_append_path(GByteArray *aml, const char *path);

/* An integer in its shortest form. */
void hb_aml_append_integer(GByteArray *aml, guint64 value);

/* An ASCII string. */
void hb_aml_append_string(GByteArray *aml, const char *string);

void hb_aml_append_buffer(GByteArray *aml, const guint8 *data, gsize length);

/* A buffer of resource descriptors, see acpi/resource.h; the end tag is added. */
void hb_aml_append_template(GByteArray *aml, const GByteArray *descriptors);

/* What ASL calls EISAID ("PNP0A08"): an integer (ACPI r6.5 §6.1.5). */
void hb_aml_append_eisa_id(GByteArray *aml, const char *id);

/* What ASL calls ToUUID: a buffer of 16 bytes, the first three fields swapped (§19.6). */
void hb_aml_append_uuid(GByteArray *aml, const char *uuid);

/* Argument 0 to 6 and local variable 0 to 7 of the method around it. */
void hb_aml_append_arg(GByteArray *aml, guint index);
void hb_aml_append_local(GByteArray *aml, guint index);

/* Name (path, ...): its value is what is appended next. */
void hb_aml_append_name(GByteArray *aml, const char *path);

/* _ADR of a PCI function (ACPI r6.5 §6.1.1): device and function. @devfn: on its bus */
void hb_aml_append_adr(GByteArray *aml, guint8 devfn);

/* OperationRegion (path, SystemIO, base, length) */
void hb_aml_append_io_region(GByteArray *aml, const char *path, guint16 base, guint length);

/* In a field list: the next @bits of the region, 1 to 63, under a name. */
void hb_aml_append_field_unit(GByteArray *aml, const char *name, guint bits);

/* Each returns what hb_aml_end() takes. */
gsize hb_aml_begin_scope(GByteArray *aml, const char *path);
gsize hb_aml_begin_device(GByteArray *aml, const char *path);
gsize hb_aml_begin_method(GByteArray *aml, const char *path, guint n_args, gboolean serialized);

/* @n_elements: how many follow before hb_aml_end(), at most 255 */
gsize hb_aml_begin_package(GByteArray *aml, guint n_elements);

/* The condition is what is appended next, the statements after it. */
gsize hb_aml_begin_if(GByteArray *aml);

/* Right after the end of an If. */
gsize hb_aml_begin_else(GByteArray *aml);

/* Like an If. */
gsize hb_aml_begin_while(GByteArray *aml);

/* Field (region, DWordAcc, NoLock, WriteAsZeros): field units follow. */
gsize hb_aml_begin_dword_field(GByteArray *aml, const char *region);

/* Ends the block: puts its length in front of it. Inner blocks end first. */
void hb_aml_end(GByteArray *aml, gsize block);

#endif
