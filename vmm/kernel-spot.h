/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_KERNEL_SPOT_H
#define VMM_KERNEL_SPOT_H

#include <glib.h>

/** HbKernelNeed: what a kernel asks of its spot. */
typedef struct HbKernelNeed {
	guint64 start;	   /* the physical address that it is linked for */
	guint64 size;	   /* of memory from there on */
	guint64 alignment; /* of where it may be instead */
	guint64 limit;	   /* guest memory that is free for it ends here */
} HbKernelNeed;

/** HbKernelSpot: where a kernel runs. */
typedef struct HbKernelSpot {
	guint64 address; /* physical */
	guint64 delta;	 /* what its virtual addresses are off their links */
	gboolean random;
} HbKernelSpot;

/** hb_kernel_spot_wants_random: Returns: whether @command_line does not say nokaslr. Pure. */
gboolean hb_kernel_spot_wants_random(const char *command_line);

/**
 * hb_kernel_spot_choose:
 * @random: (nullable): two numbers that nobody can know; NULL: it stays where it is linked for
 * @spot: (out)
 *
 * Returns: FALSE if there is no room. Pure.
 */
gboolean hb_kernel_spot_choose(const HbKernelNeed *need, const char *command_line,
			       const guint64 random[2], HbKernelSpot *spot);

#endif
