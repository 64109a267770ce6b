/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The library's error domain. */

#include <hotbay/error.h>

GQuark hb_error_quark(void)
{
	return g_quark_from_static_string("hb-error-quark");
}
