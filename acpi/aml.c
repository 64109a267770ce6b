/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The AML encoder: grammar in, bytes out, nothing kept in between.
 *
 * A block's length (PkgLength, ACPI r6.5 §20.2.4) stands before its contents and counts itself, in
 * as few bytes as will do:
 *
 *	bytes  largest  lead byte                          then
 *	  1         63  00 length[5:0]                     -
 *	  2       4095  01 00 length[3:0]                  length[11:4]
 *	  3      2^20-1 10 00 length[3:0]                  length[11:4] length[19:12]
 *	  4      2^28-1 11 00 length[3:0]                  ... length[27:20]
 *
 * So it is inserted when the block ends: a block is known by the offset at which that will be.
 *
 * No state, so any thread.
 */

#include "acpi/aml.h"

#include "acpi/bytes.h"

#include <hotbay/pci.h>

#include <string.h>

#define SEGMENT_LENGTH	 4
#define MAX_SEGMENTS	 255
#define MAX_PKG_LENGTH_4 0x0fffffff

/* ACPI r6.5 §20.2, the prefixes and opcodes that take a form of their own. */
enum {
	ZERO_OP = 0x00,
	ONE_OP = 0x01,
	NAME_OP = 0x08,
	BYTE_PREFIX = 0x0a,
	WORD_PREFIX = 0x0b,
	DWORD_PREFIX = 0x0c,
	STRING_PREFIX = 0x0d,
	QWORD_PREFIX = 0x0e,
	SCOPE_OP = 0x10,
	BUFFER_OP = 0x11,
	PACKAGE_OP = 0x12,
	METHOD_OP = 0x14,
	DUAL_NAME_PREFIX = 0x2e,
	MULTI_NAME_PREFIX = 0x2f,
	EXT_OP_PREFIX = 0x5b,
	LOCAL0_OP = 0x60,
	ARG0_OP = 0x68,
	EXT_REGION_OP = 0x80,
	EXT_FIELD_OP = 0x81,
	EXT_DEVICE_OP = 0x82,
	IF_OP = 0xa0,
	ELSE_OP = 0xa1,
	WHILE_OP = 0xa2,
};

#define SPACE_SYSTEM_IO 1 /* ACPI r6.5 §20.2.5.2, RegionSpace */

/* FieldFlags, ibid. */
#define FIELD_DWORD_ACCESS   3
#define FIELD_WRITE_AS_ZEROS (2 << 5)

#define MAX_FIELD_BITS 0x3f /* in a PkgLength of one byte */

void hb_aml_append_op(GByteArray *aml, HbAmlOp op)
{
	hb_bytes_append_u8(aml, op);
}

static void append_segment(GByteArray *aml, const char *segment)
{
	gsize length = strlen(segment);

	g_assert(length >= 1 && length <= SEGMENT_LENGTH);
	g_assert(g_ascii_isupper(segment[0]) || segment[0] == '_');
	for (gsize i = 0; i < SEGMENT_LENGTH; i++)
		hb_bytes_append_u8(aml, i < length ? segment[i] : '_');
}

/* NameString, ACPI r6.5 §20.2.2 */
void hb_aml_append_path(GByteArray *aml, const char *path)
{
	while (*path == '\\' || *path == '^')
		hb_bytes_append_u8(aml, *path++);

	g_auto(GStrv) segments = g_strsplit(path, ".", -1);
	guint n = g_strv_length(segments);

	g_assert(n <= MAX_SEGMENTS);
	if (n == 0) {
		hb_bytes_append_u8(aml, ZERO_OP); /* NullName: the root or the parent itself */
	} else if (n == 2) {
		hb_bytes_append_u8(aml, DUAL_NAME_PREFIX);
	} else if (n > 2) {
		hb_bytes_append_u8(aml, MULTI_NAME_PREFIX);
		hb_bytes_append_u8(aml, n);
	}
	for (guint i = 0; i < n; i++)
		append_segment(aml, segments[i]);
}

void hb_aml_append_integer(GByteArray *aml, guint64 value)
{
	if (value == 0) {
		hb_bytes_append_u8(aml, ZERO_OP);
	} else if (value == 1) {
		hb_bytes_append_u8(aml, ONE_OP);
	} else if (value <= G_MAXUINT8) {
		hb_bytes_append_u8(aml, BYTE_PREFIX);
		hb_bytes_append_u8(aml, value);
	} else if (value <= G_MAXUINT16) {
		hb_bytes_append_u8(aml, WORD_PREFIX);
		hb_bytes_append_u16(aml, value);
	} else if (value <= G_MAXUINT32) {
		hb_bytes_append_u8(aml, DWORD_PREFIX);
		hb_bytes_append_u32(aml, value);
	} else {
		hb_bytes_append_u8(aml, QWORD_PREFIX);
		hb_bytes_append_u64(aml, value);
	}
}

void hb_aml_append_string(GByteArray *aml, const char *string)
{
	hb_bytes_append_u8(aml, STRING_PREFIX);
	g_byte_array_append(aml, (const guint8 *)string, strlen(string) + 1);
}

void hb_aml_append_buffer(GByteArray *aml, const guint8 *data, gsize length)
{
	hb_bytes_append_u8(aml, BUFFER_OP);
	gsize block = aml->len;

	hb_aml_append_integer(aml, length);
	if (length > 0)
		g_byte_array_append(aml, data, length);
	hb_aml_end(aml, block);
}

/* End Tag, ACPI r6.5 §6.4.2.9; a checksum of zero means that there is none. */
void hb_aml_append_template(GByteArray *aml, const GByteArray *descriptors)
{
	static const guint8 end_tag[] = { 0x79, 0x00 };
	g_autoptr(GByteArray) template = g_byte_array_new();

	if (descriptors->len > 0)
		g_byte_array_append(template, descriptors->data, descriptors->len);
	g_byte_array_append(template, end_tag, sizeof(end_tag));
	hb_aml_append_buffer(aml, template->data, template->len);
}

/* Three letters of five bits each, then four hexadecimal digits; in memory order, so big-endian. */
void hb_aml_append_eisa_id(GByteArray *aml, const char *id)
{
	guint32 value = 0;

	g_assert(strlen(id) == 7);
	for (guint i = 0; i < 3; i++) {
		g_assert(g_ascii_isupper(id[i]));
		value = value << 5 | (guint32)(id[i] - 'A' + 1);
	}
	for (guint i = 3; i < 7; i++) {
		g_assert(g_ascii_isxdigit(id[i]));
		value = value << 4 | (guint32)g_ascii_xdigit_value(id[i]);
	}
	hb_bytes_append_u8(aml, DWORD_PREFIX);
	hb_bytes_append_u32(aml, GUINT32_SWAP_LE_BE(value));
}

void hb_aml_append_uuid(GByteArray *aml, const char *uuid)
{
	/* Where in the text each byte of the buffer stands. */
	static const guint8 positions[16] = { 6,  4,  2,  0,  11, 9,  16, 14,
					      19, 21, 24, 26, 28, 30, 32, 34 };
	guint8 bytes[16];

	g_assert(g_uuid_string_is_valid(uuid));
	for (guint i = 0; i < G_N_ELEMENTS(bytes); i++)
		bytes[i] = g_ascii_xdigit_value(uuid[positions[i]]) << 4 |
			   g_ascii_xdigit_value(uuid[positions[i] + 1]);
	hb_aml_append_buffer(aml, bytes, sizeof(bytes));
}

void hb_aml_append_arg(GByteArray *aml, guint index)
{
	g_assert(index <= 6);
	hb_bytes_append_u8(aml, ARG0_OP + index);
}

void hb_aml_append_local(GByteArray *aml, guint index)
{
	g_assert(index <= 7);
	hb_bytes_append_u8(aml, LOCAL0_OP + index);
}

void hb_aml_append_name(GByteArray *aml, const char *path)
{
	hb_bytes_append_u8(aml, NAME_OP);
	hb_aml_append_path(aml, path);
}

void hb_aml_append_adr(GByteArray *aml, guint8 devfn)
{
	hb_aml_append_name(aml, "_ADR");
	hb_aml_append_integer(aml, (guint)HB_PCI_DEVICE(devfn) << 16 | HB_PCI_FUNCTION(devfn));
}

void hb_aml_append_io_region(GByteArray *aml, const char *path, guint16 base, guint length)
{
	hb_bytes_append_u8(aml, EXT_OP_PREFIX);
	hb_bytes_append_u8(aml, EXT_REGION_OP);
	hb_aml_append_path(aml, path);
	hb_bytes_append_u8(aml, SPACE_SYSTEM_IO);
	hb_aml_append_integer(aml, base);
	hb_aml_append_integer(aml, length);
}

/* NamedField, ACPI r6.5 §20.2.5.2: here a PkgLength does not count itself. */
void hb_aml_append_field_unit(GByteArray *aml, const char *name, guint bits)
{
	g_assert(bits >= 1 && bits <= MAX_FIELD_BITS);
	append_segment(aml, name);
	hb_bytes_append_u8(aml, bits);
}

gsize hb_aml_begin_scope(GByteArray *aml, const char *path)
{
	hb_bytes_append_u8(aml, SCOPE_OP);
	gsize block = aml->len;

	hb_aml_append_path(aml, path);
	return block;
}

gsize hb_aml_begin_device(GByteArray *aml, const char *path)
{
	hb_bytes_append_u8(aml, EXT_OP_PREFIX);
	hb_bytes_append_u8(aml, EXT_DEVICE_OP);
	gsize block = aml->len;

	hb_aml_append_path(aml, path);
	return block;
}

/* DefMethod, ACPI r6.5 §20.2.5.2: arguments in bits 2:0, serialized in bit 3. */
gsize hb_aml_begin_method(GByteArray *aml, const char *path, guint n_args, gboolean serialized)
{
	g_assert(n_args <= 7);
	hb_bytes_append_u8(aml, METHOD_OP);
	gsize block = aml->len;

	hb_aml_append_path(aml, path);
	hb_bytes_append_u8(aml, n_args | (serialized ? 0x08 : 0));
	return block;
}

gsize hb_aml_begin_package(GByteArray *aml, guint n_elements)
{
	g_assert(n_elements <= G_MAXUINT8);
	hb_bytes_append_u8(aml, PACKAGE_OP);
	gsize block = aml->len;

	hb_bytes_append_u8(aml, n_elements);
	return block;
}

gsize hb_aml_begin_if(GByteArray *aml)
{
	hb_bytes_append_u8(aml, IF_OP);
	return aml->len;
}

gsize hb_aml_begin_else(GByteArray *aml)
{
	hb_bytes_append_u8(aml, ELSE_OP);
	return aml->len;
}

gsize hb_aml_begin_while(GByteArray *aml)
{
	hb_bytes_append_u8(aml, WHILE_OP);
	return aml->len;
}

gsize hb_aml_begin_dword_field(GByteArray *aml, const char *region)
{
	hb_bytes_append_u8(aml, EXT_OP_PREFIX);
	hb_bytes_append_u8(aml, EXT_FIELD_OP);
	gsize block = aml->len;

	hb_aml_append_path(aml, region);
	hb_bytes_append_u8(aml, FIELD_DWORD_ACCESS | FIELD_WRITE_AS_ZEROS);
	return block;
}

/* Writes PkgLength for @contents bytes to @bytes, and returns how many bytes it took. */
static guint encode_pkg_length(gsize contents, guint8 bytes[4])
{
	if (contents + 1 <= 0x3f) {
		bytes[0] = contents + 1;
		return 1;
	}

	guint n = contents + 2 <= 0xfff ? 2 : contents + 3 <= 0xfffff ? 3 : 4;
	gsize length = contents + n;

	g_assert(length <= MAX_PKG_LENGTH_4);
	bytes[0] = (n - 1) << 6 | (length & 0xf);
	for (guint i = 1; i < n; i++)
		bytes[i] = (length >> (4 + 8 * (i - 1))) & 0xff;
	return n;
}

void hb_aml_end(GByteArray *aml, gsize block)
{
	guint8 bytes[4];

	g_assert(block <= aml->len);
	gsize contents = aml->len - block;
	guint n = encode_pkg_length(contents, bytes);

	g_byte_array_set_size(aml, aml->len + n);
	memmove(aml->data + block + n, aml->data + block, contents);
	memcpy(aml->data + block, bytes, n);
}
