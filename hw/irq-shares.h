/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_IRQ_SHARES_H
#define HW_IRQ_SHARES_H

#include <glib.h>

/* How many shares a host can have, whatever the budget of a VM. */
#define HB_IRQ_SHARES_MAX (1u << 20)

/*
 * Whether the file of shares can be used; it and its folder are created where they are missing.
 * HB_ERROR_HOST names the file and the remedy.
 */
gboolean hb_irq_shares_check(const char *path, GError **error);

/*
 * Takes @n of the host's shares for the source called @name. Any thread; does not wait.
 *
 * Returns: an open file, which is the shares: closing it gives them back, and so does the end of
 * the process, however it comes. -1: HB_ERROR_LIMIT if all processes together would have more than
 * @budget, with the numbers; HB_ERROR_HOST if the file cannot be used
 */
int hb_irq_shares_take(const char *path, guint budget, const char *name, guint n, GError **error);

#endif
