/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_HW_STRICT_HOST_H
#define TESTS_UNIT_HW_STRICT_HOST_H

#include <hotbay/host.h>

/*
 * A hypervisor that holds the library to the letter of HbHostOps, and fails the test otherwise: one
 * call at a time; only what is mapped is unmapped; a route is set, committed, connected,
 * disconnected and removed in that order, with an eventfd that is open; and in the end nothing is
 * left. It can refuse any one call that may be refused.
 */
typedef struct StrictHost StrictHost;

/* @refused: which one of these calls, counted from 1, is refused; 0: none */
StrictHost *strict_host_create(guint refused);

/* Fails the test if memory is mapped or a route is there. */
void strict_host_destroy(StrictHost *strict);

HbHost *strict_host_get_host(StrictHost *strict);
GMainContext *strict_host_get_context(StrictHost *strict);

/* The name of the call that was refused; NULL: there were not so many. */
const char *strict_host_get_refused(StrictHost *strict);

guint strict_host_get_n_mapped(StrictHost *strict);

/*
 * Whether this message has come since it was last asked: by signal_msi, or by the eventfd of a
 * route that delivers it. On the loop.
 */
gboolean strict_host_delivers(StrictHost *strict, const HbMsiMessage *message);

#endif
