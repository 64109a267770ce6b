/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_INTERRUPTS_H
#define CTL_INTERRUPTS_H

#include <glib.h>

/**
 * hb_interrupts_count:
 * @text: of /proc/interrupts
 * @address: "0000:01:00.0"
 *
 * Returns: how many interrupts VFIO has taken from the drive on all CPUs since it was enabled
 */
guint64 hb_interrupts_count(const char *text, const char *address);

#endif
