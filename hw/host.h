/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_HOST_H
#define HW_HOST_H

#include "hw/event-stream.h"

#include <hotbay/host.h>

/* The part of the host object that only the library sees. */

/* What the embedder supplied. */
const HbHostOps *hb_host_get_ops(HbHost *host);

/* What is told to hb_host_set_listener()'s. Any thread. */
HbEventStream *hb_host_get_events(HbHost *host);

/* One line for the operator, without a newline: to the embedder's log, or else to stderr. Any
 * thread. */
void hb_host_log(HbHost *host, GLogLevelFlags level, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Run @function once on the loop, after this returns, ahead of ordinary events and in the order of
 * the calls. Any thread. */
void hb_host_post(HbHost *host, GSourceOnceFunc function, gpointer data);

#endif
