/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What the library says of itself. HB_VERSION comes from meson.build. */

#include <hotbay/version.h>

/* A header that names another version than the build would mislead every client. */
_Static_assert(sizeof(HB_VERSION) == sizeof(G_STRINGIFY(HB_VERSION_MAJOR) "." G_STRINGIFY(
					     HB_VERSION_MINOR) "." G_STRINGIFY(HB_VERSION_MICRO)),
	       "include/hotbay/version.h and meson.build disagree");

const char *hb_version(void)
{
	return G_STRINGIFY(HB_VERSION_MAJOR) "." G_STRINGIFY(HB_VERSION_MINOR) "." G_STRINGIFY(
		HB_VERSION_MICRO);
}
