/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A kernel file that somebody made up: its first 4 KiB as an ELF image's headers, the rest as its
 * relocation table, and all of it as the payload of a bzImage, which must unpack to no more than it
 * says. What the headers are said to mean must be within the bounds that loading
 * relies on, and relocations must stay within the image.
 */

#include "vmm/elf-kernel.h"
#include "vmm/kernel-payload.h"
#include "vmm/kernel-relocs.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_SIZE   65536
#define DELTA	     0x200000
#define MAX_UNPACKED (1 << 20) /* for the fuzzer's pace */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_layout(const HbElfLayout *layout, guint64 file_size)
{
	g_assert_true(layout->n_segments <= HB_ELF_KERNEL_MAX_SEGMENTS);
	g_assert_true(layout->start < layout->end && layout->end - layout->start <= 1U << 30);
	g_assert_true(layout->entry >= layout->start && layout->entry < layout->end);
	g_assert_true(layout->file_end <= file_size);
	for (guint i = 0; i < layout->n_segments; i++) {
		const HbElfSegment *segment = &layout->segments[i];

		g_assert_true(segment->address >= layout->start);
		g_assert_true(segment->size <= layout->end - segment->address);
		g_assert_true(segment->file_size <= segment->size);
		g_assert_true(segment->file_size <= file_size);
		g_assert_true(segment->offset <= file_size - segment->file_size);
	}
}

static void relocate(const uint8_t *data, size_t size, guint64 link_address)
{
	gsize n = size / sizeof(guint32);
	g_autofree guint32 *words = g_memdup2(data, n * sizeof(guint32));
	g_autofree guint8 *image = g_malloc0(IMAGE_SIZE);
	HbKernelRelocs relocs;

	if (hb_kernel_relocs_parse(words, n, &relocs))
		hb_kernel_relocs_apply(&relocs, image, IMAGE_SIZE, link_address, DELTA, NULL);
}

static void unpack(const uint8_t *data, size_t size)
{
	char path[] = "made up";
	int target = memfd_create("target", MFD_CLOEXEC);
	HbBzImage image = { .path = path, .fd = memfd_create("image", MFD_CLOEXEC) };
	struct stat status;

	g_assert_true(write(image.fd, data, size) == (gssize)size);
	image.file_size = size;
	image.header.payload_length = (guint32)size;
	g_autoptr(HbKernelPayload) payload = hb_kernel_payload_find(&image, NULL);
	if (payload && payload->unpacked_size <= MAX_UNPACKED) {
		gboolean done = hb_kernel_payload_unpack(payload, &image, target, NULL);

		g_assert_true(fstat(target, &status) == 0);
		g_assert_true(status.st_size <= payload->unpacked_size);
		g_assert_true(!done || status.st_size == payload->unpacked_size);
	}
	close(image.fd);
	close(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gsize head = MIN(size, HB_ELF_KERNEL_HEAD);
	HbElfLayout layout;

	if (hb_elf_kernel_parse(data, head, size, &layout, NULL)) {
		check_layout(&layout, size);
		relocate(data + layout.file_end, size - layout.file_end, layout.link_address);
	}
	/* Without having to guess a whole ELF header first. */
	relocate(data, size, G_GUINT64_CONSTANT(0xffffffff81000000));
	unpack(data, size);
	return 0;
}
