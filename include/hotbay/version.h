/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_VERSION_H
#define HOTBAY_VERSION_H

/** version.h: which library this is. */

#include <glib.h>

G_BEGIN_DECLS

/** HB_VERSION_MAJOR: of the version that the embedder is compiled against: what breaks it. */
#define HB_VERSION_MAJOR 0

/** HB_VERSION_MINOR: what adds to it. */
#define HB_VERSION_MINOR 1

/** HB_VERSION_MICRO: what mends it. */
#define HB_VERSION_MICRO 0

/**
 * hb_version:
 *
 * Returns: the version of the library that is running, "MAJOR.MINOR.MICRO"; static. Any thread.
 */
const char *hb_version(void);

G_END_DECLS

#endif
