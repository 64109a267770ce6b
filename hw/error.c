/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The library's error domain. */

#include <hotbay/error.h>

G_DEFINE_QUARK(hb - error - quark, hb_error)
