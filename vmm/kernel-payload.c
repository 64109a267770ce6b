/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The payload of a bzImage: an ELF image and its relocation table, compressed, with the size that
 * it unpacks to in its last four bytes (Documentation/arch/x86/boot.rst in Linux, payload_offset).
 *
 * Read, summed and unpacked in pieces, so that none of it stays in memory.
 */

#include "vmm/kernel-payload.h"

#include "vmm/kernel-unpacker.h"

#include <errno.h>
#include <hotbay/error.h>
#include <string.h>
#include <unistd.h>

#define PIECE	     65536
#define BLOCK	     4096 /* a hole's unit */
#define SIZE_WORD    4
#define MAX_UNPACKED (512U << 20)
#define MARGIN	     (G_GUINT64_CONSTANT(64) << 20) /* of the disk, for everybody else */
#define NO_PAYLOAD   "the file names no payload"

static gboolean refuse(GError **error, const char *what)
{
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "%s", what);
	return FALSE;
}

/* -- Finding. -- */

static gboolean read_at(const HbBzImage *image, gpointer target, guint64 size, guint64 offset,
			GError **error)
{
	return hb_bzimage_read_file(image->fd, image->path, target, size, offset, error);
}

static gboolean place(HbKernelPayload *payload, const HbBzImage *image, GError **error)
{
	guint64 limit = hb_bzimage_get_load_size(image);

	payload->length = image->header.payload_length;
	if (payload->length <= SIZE_WORD || image->header.payload_offset > limit ||
	    payload->length > limit - image->header.payload_offset)
		return refuse(error, NO_PAYLOAD);
	payload->offset = image->setup_size + image->header.payload_offset;
	return TRUE;
}

static gboolean check_kind(const HbKernelPayload *payload, const HbBzImage *image, GError **error)
{
	guint8 start[SIZE_WORD + SIZE_WORD];
	gsize length = MIN(payload->length, sizeof(start));

	return read_at(image, start, length, payload->offset, error) &&
	       (hb_unpacker_find(start, length) || refuse(error, "a compression we do not have"));
}

static gboolean read_size(HbKernelPayload *payload, const HbBzImage *image, GError **error)
{
	guint32 word;

	if (!read_at(image, &word, SIZE_WORD, payload->offset + payload->length - SIZE_WORD, error))
		return FALSE;
	payload->unpacked_size = GUINT32_FROM_LE(word);
	return payload->unpacked_size <= MAX_UNPACKED || refuse(error, "a payload beyond 512 MiB");
}

static gboolean sum_up(HbKernelPayload *payload, const HbBzImage *image, GError **error)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guint8 *piece = g_malloc(PIECE);

	for (guint64 done = 0; done < payload->length;) {
		gsize length = MIN(payload->length - done, PIECE);

		if (!read_at(image, piece, length, payload->offset + done, error))
			return FALSE;
		g_checksum_update(checksum, piece, (gssize)length);
		done += length;
	}
	payload->digest = g_strdup(g_checksum_get_string(checksum));
	return TRUE;
}

HbKernelPayload *hb_kernel_payload_find(const HbBzImage *image, GError **error)
{
	g_autoptr(HbKernelPayload) payload = g_new0(HbKernelPayload, 1);

	if (place(payload, image, error) && check_kind(payload, image, error) &&
	    read_size(payload, image, error) && sum_up(payload, image, error))
		return g_steal_pointer(&payload);
	return NULL;
}

void hb_kernel_payload_free(HbKernelPayload *payload)
{
	if (payload == NULL)
		return;
	g_free(payload->digest);
	g_free(payload);
}

/* -- Unpacking. -- */

/* Where it goes, and how far that has come. */
typedef struct Sink {
	int fd;
	guint64 size;
	guint64 limit;
} Sink;

static gboolean write_all(int fd, const guint8 *data, gsize size, guint64 offset, GError **error)
{
	while (size) {
		gssize done = pwrite(fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			g_set_error(error, HB_ERROR, HB_ERROR_HOST,
				    "write of the unpacked kernel: %s: free space there",
				    g_strerror(done ? errno : ENOSPC));
			return FALSE;
		}
		data += done;
		offset += (guint64)done;
		size -= (gsize)done;
	}
	return TRUE;
}

static gboolean is_zero(const guint8 *data, gsize size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

/* @data starts on a multiple of BLOCK: runs of blocks that are not zero are written. */
static gboolean put(Sink *sink, const guint8 *data, gsize size, GError **error)
{
	gsize start = 0;

	if (size > sink->limit - sink->size)
		return refuse(error, "a payload larger than it says");
	for (gsize at = 0; at < size; at += BLOCK) {
		if (!is_zero(data + at, MIN(BLOCK, size - at)))
			continue;
		if (!write_all(sink->fd, data + start, at - start, sink->size + start, error))
			return FALSE;
		start = at + BLOCK;
	}
	if (start < size &&
	    !write_all(sink->fd, data + start, size - start, sink->size + start, error))
		return FALSE;
	sink->size += size;
	return TRUE;
}

/* Pieces of the payload in, pieces of the kernel out. */
typedef struct Run {
	const HbKernelPayload *payload;
	const HbBzImage *image;
	const HbUnpackerOps *ops;
	gpointer state;
	GChecksum *checksum;
	guint64 taken;	/* of the payload */
	guint64 length; /* of what is packed in it */
	guint8 in[PIECE];
	guint8 out[PIECE];
} Run;

/* The payload up to @end, at most a piece of it, summed up as it is read. */
static gboolean take(Run *run, guint64 end, HbUnpackerBuffer *in, GError **error)
{
	*in = (HbUnpackerBuffer){ run->in, MIN(end - run->taken, PIECE) };
	if (!read_at(run->image, in->at, in->left, run->payload->offset + run->taken, error))
		return FALSE;
	g_checksum_update(run->checksum, in->at, (gssize)in->left);
	run->taken += in->left;
	return TRUE;
}

/* More of it once the last piece is used up; nothing at its end. */
static gboolean fill(Run *run, HbUnpackerBuffer *in, GError **error)
{
	return in->left || take(run, run->length, in, error);
}

/* Whether this was what hb_kernel_payload_find() read, and not a file that was replaced meanwhile.
 */
static gboolean check_sum(Run *run, GError **error)
{
	HbUnpackerBuffer rest;

	while (run->taken < run->payload->length) {
		if (!take(run, run->payload->length, &rest, error))
			return FALSE;
	}
	return g_str_equal(g_checksum_get_string(run->checksum), run->payload->digest) ||
	       refuse(error, "the file changes while it is read");
}

/* One piece of the kernel, or what is left of it. */
static gboolean unpack_piece(Run *run, HbUnpackerBuffer *in, HbUnpackerBuffer *out, gboolean *ended,
			     GError **error)
{
	while (!*ended && out->left) {
		gsize before = out->left;

		if (!fill(run, in, error))
			return FALSE;
		gboolean exhausted = in->left == 0;
		if (!run->ops->step(run->state, in, out, ended))
			return refuse(error, "a damaged payload");
		if (exhausted && out->left == before && !*ended)
			return refuse(error, "a payload that ends too early");
	}
	return TRUE;
}

static gboolean pump(Run *run, Sink *sink, GError **error)
{
	HbUnpackerBuffer in = { run->in, 0 };
	gboolean ended = FALSE;

	while (!ended) {
		HbUnpackerBuffer out = { run->out, PIECE };

		if (!unpack_piece(run, &in, &out, &ended, error) ||
		    !put(sink, run->out, PIECE - out.left, error))
			return FALSE;
	}
	return sink->size == sink->limit || refuse(error, "a payload smaller than it says");
}

static gboolean start_run(Run *run, GError **error)
{
	const HbKernelPayload *payload = run->payload;
	gsize length = MIN(payload->length, PIECE);

	if (!read_at(run->image, run->in, length, payload->offset, error))
		return FALSE;
	run->ops = hb_unpacker_find(run->in, length);
	if (run->ops == NULL)
		return refuse(error, "a compression we do not have");
	run->length = payload->length - (run->ops->has_size_word ? SIZE_WORD : 0);
	run->state = run->ops->start();
	return run->state || refuse(error, "no memory to unpack it");
}

gboolean hb_kernel_payload_fits(const HbKernelPayload *payload, const struct statvfs *disk)
{
	/* Some file systems have no bound, and say so by having no blocks. */
	return disk->f_blocks == 0 ||
	       disk->f_bavail >= (payload->unpacked_size + MARGIN) / MAX(disk->f_frsize, 1);
}

static gboolean check_disk(const HbKernelPayload *payload, int target, GError **error)
{
	struct statvfs disk;

	if (fstatvfs(target, &disk) || hb_kernel_payload_fits(payload, &disk))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "the unpacked kernel would have %" G_GUINT64_FORMAT
		    " MiB, and leave less than 64: free space there",
		    (guint64)payload->unpacked_size >> 20);
	return FALSE;
}

gboolean hb_kernel_payload_unpack(const HbKernelPayload *payload, const HbBzImage *image,
				  int target, GError **error)
{
	g_autofree Run *run = g_new0(Run, 1);
	Sink sink = { target, 0, payload->unpacked_size };

	run->payload = payload;
	run->image = image;
	if (!check_disk(payload, target, error) || !start_run(run, error))
		return FALSE;
	run->checksum = g_checksum_new(G_CHECKSUM_SHA256);
	gboolean done = pump(run, &sink, error) && check_sum(run, error);
	g_checksum_free(run->checksum);
	run->ops->finish(run->state);
	if (!done)
		return FALSE;
	if (ftruncate(target, (off_t)sink.size) == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "ftruncate of the unpacked kernel: %s: free space there", g_strerror(errno));
	return FALSE;
}
