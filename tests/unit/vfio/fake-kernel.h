/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_VFIO_FAKE_KERNEL_H
#define TESTS_UNIT_VFIO_FAKE_KERNEL_H

#include "vfio/bind.h"

/*
 * The kernel's side of a switch, upon a captured host: what is written to driver_override, unbind,
 * bind and drivers_probe has the effect that it has in drivers/base/bus.c, and any one step can be
 * made to fail.
 */
typedef struct FakeKernel {
	const char *root;
	guint steps;		/* so far */
	guint failing;		/* the step that fails, counted from 1; 0: none does */
	gboolean failing_after; /* and all later ones too */
	gboolean no_nvme;	/* the host's own driver is not loaded */
	const char *held;	/* the end of a node's path that somebody has; NULL */
	guint loaded;		/* modules asked for */
	gboolean unloadable;	/* which are not to be had */
	GString *said;		/* one letter a step: o, u, b, p */
	void (*on_unbind)(const char *address); /* what happens while a VM lets go; NULL */
} FakeKernel;

extern const HbBindOps fake_kernel_ops;

#endif
