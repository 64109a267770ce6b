/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Where a kernel that can move is put, so that nobody knows where it is: a random physical address,
 * and, independent of it, a random virtual one. A bzImage that unpacks itself chooses likewise, by
 * the same words of its command line (arch/x86/boot/compressed/kaslr.c in Linux), but also from
 * memory beyond 4 GiB.
 */

#include "vmm/kernel-spot.h"

#include "vmm/kernel-command.h"

#define LARGE_PAGE   (G_GUINT64_CONSTANT(2) << 20)
#define VIRTUAL_SIZE (G_GUINT64_CONSTANT(1) << 30) /* Linux's KERNEL_IMAGE_SIZE */

/* Words that leave the guest less memory than it has, or need much of it in one piece. */
static const char *const memory_words[] = { "mem=", "memmap=", "hugepages=" };

gboolean hb_kernel_spot_wants_random(const char *command_line)
{
	return !hb_kernel_command_has_word(command_line, "nokaslr");
}

static gboolean limits_memory(const char *command_line)
{
	for (guint i = 0; i < G_N_ELEMENTS(memory_words); i++) {
		if (hb_kernel_command_has_start(command_line, memory_words[i]))
			return TRUE;
	}
	return FALSE;
}

/* One of all places for @size bytes from @start on, below @limit. */
static guint64 pick(guint64 start, guint64 size, guint64 limit, guint64 alignment, guint64 random)
{
	if (limit < start || limit - start < size)
		return start;
	return start + random % ((limit - start - size) / alignment + 1) * alignment;
}

gboolean hb_kernel_spot_choose(const HbKernelNeed *need, const char *command_line,
			       const guint64 random[2], HbKernelSpot *spot)
{
	/* Linux maps itself in large pages, all of which must be memory. */
	guint64 size = (need->size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	guint64 alignment = MAX(need->alignment, LARGE_PAGE);

	*spot = (HbKernelSpot){ .address = need->start };
	if (need->limit < need->start || need->limit - need->start < need->size)
		return FALSE;
	if (random == NULL || need->start % alignment)
		return TRUE;
	spot->random = TRUE;
	spot->delta = pick(need->start, size, VIRTUAL_SIZE, alignment, random[0]) - need->start;
	if (!limits_memory(command_line))
		spot->address = pick(need->start, size, need->limit, alignment, random[1]);
	return TRUE;
}
