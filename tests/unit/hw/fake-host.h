/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_HW_FAKE_HOST_H
#define TESTS_UNIT_HW_FAKE_HOST_H

#include <hotbay/host.h>

/*
 * A hypervisor that writes down what it is asked, one line a call, numbers in hexadecimal:
 *
 *   map GPA SIZE | unmap GPA | msi ADDRESS DATA | add ROUTE | set ROUTE ADDRESS DATA
 *   remove ROUTE | commit | connect ROUTE | disconnect ROUTE | pin LINK | unpin LINK
 *
 * Like KVM it refuses mappings that overlap. Refused calls are not written down.
 */
typedef struct FakeHost {
	HbHost *host;
	GMainContext *context;
	GString *calls;
	GString *log;	    /* its log lines, each with a newline */
	GArray *memory;	    /* of FakeMemory; the index is the slot */
	guint n_routes;	    /* that were added */
	guint max_routes;   /* route_add refuses more; no limit at first */
	gboolean no_commit; /* routes_commit refuses */
	gboolean no_connect;
	gboolean no_msi;
	gboolean no_map;
} FakeHost;

FakeHost *fake_host_create(void);
void fake_host_destroy(FakeHost *fake);

/* The calls since the last time this was asked; the caller frees. */
char *fake_host_take_calls(FakeHost *fake);

#endif
