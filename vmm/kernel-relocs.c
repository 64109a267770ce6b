/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The relocation table that Linux's build appends to a kernel whose addresses can be randomized
 * (arch/x86/tools/relocs.c and handle_relocations() of arch/x86/boot/compressed/misc.c in Linux).
 * It is made of 32-bit words and meant to be read from its end; from its start it is
 *
 *   up to 6.14:   0 | 64-bit places | 0 | inverse 32-bit places | 0 | 32-bit places
 *   from 6.15 on: 0 | 64-bit places | 0 | 32-bit places
 *
 * No place is 0, so the number of zero words tells the form. Each kernel has places of 32 and of 64
 * bits; what has none of either is something else, such as padding.
 */

#include "vmm/kernel-relocs.h"

#include <hotbay/error.h>
#include <string.h>

#define MAX_LISTS   3
#define SIGN_EXTEND G_GUINT64_CONSTANT(0xffffffff00000000)

gboolean hb_kernel_relocs_parse(const guint32 *words, gsize n, HbKernelRelocs *relocs)
{
	HbKernelRelocList lists[MAX_LISTS];
	guint n_lists = 0;

	if (n == 0 || words[0] != 0)
		return FALSE;
	for (gsize i = 0; i < n; i++) {
		if (words[i] != 0) {
			lists[n_lists - 1].n++;
			continue;
		}
		if (n_lists == MAX_LISTS)
			return FALSE;
		lists[n_lists++] = (HbKernelRelocList){ &words[i + 1], 0 };
	}
	if (n_lists < 2 || lists[0].n == 0 || lists[n_lists - 1].n == 0)
		return FALSE;
	*relocs = (HbKernelRelocs){ .words64 = lists[0], .words32 = lists[n_lists - 1] };
	if (n_lists == MAX_LISTS)
		relocs->inverse32 = lists[1];
	return TRUE;
}

/* Where in the image @word's place is, if it is there. */
static guint64 get_offset(guint32 word, guint64 address)
{
	return (SIGN_EXTEND | word) - address;
}

static gboolean is_within(guint32 word, gsize width, guint64 size, guint64 address)
{
	return width <= size && get_offset(word, address) <= size - width;
}

/* Whether all places of a list, of @width bytes each, are within the image. */
static gboolean check(const HbKernelRelocList *list, gsize width, guint64 size, guint64 address,
		      GError **error)
{
	for (gsize i = 0; i < list->n; i++) {
		if (is_within(list->words[i], width, size, address))
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "a relocation at 0x%08x is outside the kernel: the file is damaged, "
			    "replace it",
			    list->words[i]);
		return FALSE;
	}
	return TRUE;
}

gboolean hb_kernel_relocs_check(const HbKernelRelocs *relocs, guint64 size, guint64 address,
				GError **error)
{
	return check(&relocs->words32, 4, size, address, error) &&
	       check(&relocs->inverse32, 4, size, address, error) &&
	       check(&relocs->words64, 8, size, address, error);
}

/* Adds @delta to all places of a list, of @width bytes each. */
static void add(const HbKernelRelocList *list, gsize width, guint8 *image, guint64 address,
		guint64 delta)
{
	for (gsize i = 0; i < list->n; i++) {
		guint8 *place = image + get_offset(list->words[i], address);
		guint64 value = 0;

		memcpy(&value, place, width);
		value += delta;
		memcpy(place, &value, width);
	}
}

gboolean hb_kernel_relocs_apply(const HbKernelRelocs *relocs, guint8 *image, guint64 size,
				guint64 address, guint64 delta, GError **error)
{
	if (!hb_kernel_relocs_check(relocs, size, address, error))
		return FALSE;
	add(&relocs->words32, 4, image, address, delta);
	add(&relocs->inverse32, 4, image, address, 0 - delta);
	add(&relocs->words64, 8, image, address, delta);
	return TRUE;
}
