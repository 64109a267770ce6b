/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BIND_RULE_H
#define VFIO_BIND_RULE_H

#include <glib.h>

/*
 * The rule for udev that makes a passthrough outlast a boot: one file for each place that a drive
 * can be in, below @root, which is as in vfio/host-files.h. The place is found by the address of
 * the drive that is there now.
 */

/** hb_bind_rule_check: whether udev can be told to run @program; %HB_ERROR_INVALID if not. */
gboolean hb_bind_rule_check(const char *program, GError **error);

/** hb_bind_rule_read: Returns: (transfer full) (nullable): the rule's text, of whichever naming;
 * NULL if there is none.
 */
char *hb_bind_rule_read(const char *root, const char *address);

/** hb_bind_rule_make: Returns: (transfer full): the text for a drive that is there. */
char *hb_bind_rule_make(const char *root, const char *address, const char *program);

/** hb_bind_rule_set: @text NULL: there is to be none. Replaces it as a whole or leaves it; one of
 * the earlier naming goes. */
gboolean hb_bind_rule_set(const char *root, const char *address, const char *text, GError **error);

#endif
