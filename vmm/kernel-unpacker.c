/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The compressions that distributions choose for their kernels, by their libraries: xz, with
 * liblzma, which brings the filter for x86 code that Linux's build puts before it; zstd; and gzip.
 */

#include "vmm/kernel-unpacker.h"

#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define MAX_MEMORY                                                                                 \
	(G_GUINT64_CONSTANT(256) << 20) /* of liblzma: Linux's dictionaries have up to 128 MiB */
#define GZIP_ONLY (MAX_WBITS + 16)	/* zlib's inflateInit2() */

/* -- xz. -- */

static gpointer start_xz(void)
{
	lzma_stream *stream = g_new0(lzma_stream, 1);

	if (lzma_stream_decoder(stream, MAX_MEMORY, 0) == LZMA_OK)
		return stream;
	g_free(stream);
	return NULL;
}

static gboolean step_xz(gpointer state, HbUnpackerBuffer *in, HbUnpackerBuffer *out,
			gboolean *ended)
{
	lzma_stream *stream = state;

	stream->next_in = in->at;
	stream->avail_in = in->left;
	stream->next_out = out->at;
	stream->avail_out = out->left;
	lzma_ret result = lzma_code(stream, LZMA_RUN);
	*in = (HbUnpackerBuffer){ in->at + (in->left - stream->avail_in), stream->avail_in };
	*out = (HbUnpackerBuffer){ stream->next_out, stream->avail_out };
	*ended = result == LZMA_STREAM_END;
	return *ended || result == LZMA_OK;
}

static void finish_xz(gpointer state)
{
	lzma_end(state);
	g_free(state);
}

/* -- zstd. -- */

static gpointer start_zstd(void)
{
	return ZSTD_createDStream();
}

static gboolean step_zstd(gpointer state, HbUnpackerBuffer *in, HbUnpackerBuffer *out,
			  gboolean *ended)
{
	ZSTD_inBuffer from = { in->at, in->left, 0 };
	ZSTD_outBuffer to = { out->at, out->left, 0 };
	gsize result = ZSTD_decompressStream(state, &to, &from);

	*in = (HbUnpackerBuffer){ in->at + from.pos, in->left - from.pos };
	*out = (HbUnpackerBuffer){ out->at + to.pos, out->left - to.pos };
	*ended = result == 0;
	return !ZSTD_isError(result);
}

static void finish_zstd(gpointer state)
{
	ZSTD_freeDStream(state);
}

/* -- gzip. -- */

static gpointer start_gzip(void)
{
	z_stream *stream = g_new0(z_stream, 1);

	if (inflateInit2(stream, GZIP_ONLY) == Z_OK)
		return stream;
	g_free(stream);
	return NULL;
}

static gboolean step_gzip(gpointer state, HbUnpackerBuffer *in, HbUnpackerBuffer *out,
			  gboolean *ended)
{
	z_stream *stream = state;

	stream->next_in = in->at;
	stream->avail_in = (uInt)in->left;
	stream->next_out = out->at;
	stream->avail_out = (uInt)out->left;
	int result = inflate(stream, Z_NO_FLUSH);
	*in = (HbUnpackerBuffer){ stream->next_in, stream->avail_in };
	*out = (HbUnpackerBuffer){ stream->next_out, stream->avail_out };
	*ended = result == Z_STREAM_END;
	return *ended || result == Z_OK;
}

static void finish_gzip(gpointer state)
{
	inflateEnd(state);
	g_free(state);
}

static const HbUnpackerOps unpackers[] = {
	{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, TRUE, start_xz, step_xz, finish_xz },
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, TRUE, start_zstd, step_zstd, finish_zstd },
	{ { 0x1f, 0x8b, 0x08 }, 3, FALSE, start_gzip, step_gzip, finish_gzip },
};

const HbUnpackerOps *hb_unpacker_find(const guint8 *start, gsize length)
{
	for (guint i = 0; i < G_N_ELEMENTS(unpackers); i++) {
		if (length >= unpackers[i].magic_size &&
		    memcmp(start, unpackers[i].magic, unpackers[i].magic_size) == 0)
			return &unpackers[i];
	}
	return NULL;
}
