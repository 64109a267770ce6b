/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef OPTIONS_NAMES_H
#define OPTIONS_NAMES_H

#include <glib.h>

/* The device models that there are, as QEMU calls them. */
#define HB_NAMES_ROOT_PORT  "pcie-root-port"
#define HB_NAMES_UPSTREAM   "x3130-upstream"
#define HB_NAMES_DOWNSTREAM "xio3130-downstream"
#define HB_NAMES_DRIVE	    "vfio-pci"

/* In no id, but in what a drive without one is called: "vfio-pci@0000:01:00.0". */
#define HB_NAMES_NO_ID '@'

/** hb_names_check_id: Returns: FALSE with %HB_ERROR_INVALID if @id is none. */
gboolean hb_names_check_id(const char *id, GError **error);

/** hb_names_parse_devfn: Returns: FALSE with %HB_ERROR_INVALID if @text is no "addr=". */
gboolean hb_names_parse_devfn(const char *text, guint8 *devfn, GError **error);

#endif
