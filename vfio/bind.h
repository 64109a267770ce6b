/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BIND_H
#define VFIO_BIND_H

#include <hotbay/bind.h>

/**
 * HbBindOps:
 * @write: @text into a file of sysfs
 * @claim: opens a device node for oneself alone; -1 with %HB_ERROR_BUSY if someone else has it
 * @load: loads a module of the kernel
 *
 * What a switch does to the host. Tests put a kernel of their own here.
 */
typedef struct HbBindOps {
	gboolean (*write)(gpointer opaque, const char *path, const char *text, GError **error);
	int (*claim)(gpointer opaque, const char *path, GError **error);
	gboolean (*load)(gpointer opaque, const char *module, GError **error);
} HbBindOps;

/** HbBindHost: a host and the way to change it; @root as in vfio/host-files.h. */
typedef struct HbBindHost {
	const char *root;
	const HbBindOps *ops;
	gpointer opaque;
} HbBindHost;

extern const HbBindOps hb_bind_kernel_ops; /* the real ones */

gboolean hb_bind_switch(const HbBindHost *host, const HbBindRequest *request, gboolean to_vfio,
			GError **error);

#endif
