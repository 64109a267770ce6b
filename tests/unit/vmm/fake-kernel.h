/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_VMM_FAKE_KERNEL_H
#define TESTS_UNIT_VMM_FAKE_KERNEL_H

/*
 * Kernels made up for tests. The vmlinux has a segment of text and one of data with bss behind it,
 * linked for 16 MiB; the bzImage is a header, some code, and what it is given as payload.
 */

#include <asm/bootparam.h>
#include <elf.h>
#include <glib.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define FAKE_START     0x1000000U
#define FAKE_LINK      0xffffffff81000000ULL
#define FAKE_ENTRY     0x40 /* behind the start */
#define FAKE_TEXT      0x2000
#define FAKE_DATA      0x3000 /* where the data is, behind the start; the text ends before */
#define FAKE_DATA_SIZE 0x800
#define FAKE_SIZE      0x6000 /* with bss */
#define FAKE_PLACE32   0x100  /* what has to be relocated, behind the start */
#define FAKE_INVERSE   0x108
#define FAKE_PLACE64   0x3010
#define FAKE_SETUP     1024
#define FAKE_CODE      0x300 /* of the bzImage, before its payload */

static inline void fake_put32(guint8 *at, guint32 value)
{
	memcpy(at, &value, sizeof(value));
}

static inline void fake_put64(guint8 *at, guint64 value)
{
	memcpy(at, &value, sizeof(value));
}

/* The ELF image alone, with text at 0x1000 and data at 0x3000 of the file. */
static inline GByteArray *fake_vmlinux(void)
{
	GByteArray *file = g_byte_array_new();
	Elf64_Ehdr header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_entry = FAKE_START + FAKE_ENTRY,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	Elf64_Phdr segments[2] = {
		{ PT_LOAD, 5, 0x1000, FAKE_LINK, FAKE_START, FAKE_TEXT, FAKE_TEXT, 0x200000 },
		{ PT_LOAD, 6, 0x3000, FAKE_LINK + FAKE_DATA, FAKE_START + FAKE_DATA, FAKE_DATA_SIZE,
		  FAKE_SIZE - FAKE_DATA, 0x200000 },
	};

	g_byte_array_set_size(file, 0x3000 + FAKE_DATA_SIZE);
	memset(file->data, 0, file->len);
	memcpy(file->data, &header, sizeof(header));
	memcpy(file->data + sizeof(header), segments, sizeof(segments));
	memset(file->data + 0x1000, 't', FAKE_TEXT);
	memset(file->data + 0x3000, 'd', FAKE_DATA_SIZE);
	fake_put32(file->data + 0x1000 + FAKE_PLACE32, 0x81000040);
	fake_put32(file->data + 0x1000 + FAKE_INVERSE, 0x7f000000);
	fake_put64(file->data + FAKE_PLACE64, FAKE_LINK + 0x40);
	return file;
}

/* With a relocation table of Linux up to 6.14 behind it. */
static inline GByteArray *fake_movable_vmlinux(void)
{
	static const guint32 table[] = { 0, 0x81000000 + FAKE_PLACE64, 0, 0x81000000 + FAKE_INVERSE,
					 0, 0x81000000 + FAKE_PLACE32 };
	GByteArray *file = fake_vmlinux();

	g_byte_array_append(file, (const guint8 *)table, sizeof(table));
	return file;
}

typedef GByteArray *(*FakePacker)(const guint8 *data, gsize size);

static inline void fake_append_size(GByteArray *packed, gsize size)
{
	guint8 word[4];

	fake_put32(word, (guint32)size);
	g_byte_array_append(packed, word, sizeof(word));
}

/* As Linux's build does: with the filter for x86, and the size behind it. */
static inline GByteArray *fake_xz(const guint8 *data, gsize size)
{
	GByteArray *packed = g_byte_array_new();
	gsize done = 0, room = lzma_stream_buffer_bound(size);
	lzma_options_lzma options;

	lzma_lzma_preset(&options, 1);
	lzma_filter filters[] = { { LZMA_FILTER_X86, NULL },
				  { LZMA_FILTER_LZMA2, &options },
				  { LZMA_VLI_UNKNOWN, NULL } };
	g_byte_array_set_size(packed, (guint)room);
	g_assert_true(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, size,
						packed->data, &done, room) == LZMA_OK);
	g_byte_array_set_size(packed, (guint)done);
	fake_append_size(packed, size);
	return packed;
}

/* With a checksum, as the program zstd makes it. */
static inline GByteArray *fake_zstd(const guint8 *data, gsize size)
{
	GByteArray *packed = g_byte_array_new();
	ZSTD_CCtx *context = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	g_byte_array_set_size(packed, (guint)ZSTD_compressBound(size));
	gsize done = ZSTD_compress2(context, packed->data, packed->len, data, size);
	g_assert_true(!ZSTD_isError(done));
	ZSTD_freeCCtx(context);
	g_byte_array_set_size(packed, (guint)done);
	fake_append_size(packed, size);
	return packed;
}

static inline GByteArray *fake_gzip(const guint8 *data, gsize size)
{
	GByteArray *packed = g_byte_array_new();
	z_stream stream = { .next_in = (Bytef *)data, .avail_in = (uInt)size };

	g_assert_true(deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) ==
		      Z_OK);
	g_byte_array_set_size(packed, (guint)deflateBound(&stream, size));
	stream.next_out = packed->data;
	stream.avail_out = packed->len;
	g_assert_true(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	g_byte_array_set_size(packed, (guint)stream.total_out);
	deflateEnd(&stream);
	return packed;
}

static inline GByteArray *fake_bzimage(const guint8 *payload, gsize size)
{
	GByteArray *file = g_byte_array_new();
	struct setup_header header = {
		.setup_sects = 1,
		.boot_flag = 0xaa55,
		.jump = 0x66eb, /* the header ends at 0x268 */
		.header = 0x53726448,
		.version = 0x20f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64 | XLF_5LEVEL | XLF_5LEVEL_ENABLED,
		.cmdline_size = 2047,
		.payload_offset = FAKE_CODE,
		.payload_length = (guint32)size,
		.pref_address = FAKE_START,
		.init_size = 0x100000,
	};

	g_byte_array_set_size(file, FAKE_SETUP + FAKE_CODE);
	memset(file->data, 'k', file->len);
	memcpy(file->data + 0x1f1, &header, sizeof(header));
	g_byte_array_append(file, payload, (guint)size);
	return file;
}

#endif
