/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_VERSION_H
#define HOTBAY_VERSION_H

#include <glib.h>

G_BEGIN_DECLS

#define HB_VERSION_MAJOR 0
#define HB_VERSION_MINOR 1
#define HB_VERSION_MICRO 0

/**
 * hb_version:
 *
 * Returns: the version of the library that is running, "MAJOR.MINOR.MICRO"; static. Any thread.
 */
const char *hb_version(void);

G_END_DECLS

#endif
