/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_INTX_H
#define VFIO_INTX_H

#include "vfio/config.h"

#include <hotbay/pci.h>

/* How long a guest must be without messages until it has the pin. On a slow host a driver takes a
 * while to come to them, and would have it for nothing. */
#define HB_VFIO_INTX_ON_MS 300

/*
 * A drive's interrupt pin, for guests that do not use its messages. With the bus lock held, but for
 * open and close.
 */
typedef struct HbVfioIntx HbVfioIntx;

/* About to be switched on; and what is counted: a call of VFIO, or of the host. */
typedef struct HbVfioIntxOps {
	/* Switch off all messages of the drive; returns whether any were on. */
	gboolean (*stop_messages)(gpointer opaque);
	void (*count_call)(gpointer opaque);
	void (*count_connection)(gpointer opaque);
} HbVfioIntxOps;

/*
 * Shows the pin in the guest's @config, which outlives this, if the host has one and @host can
 * deliver it. NULL only if there are no descriptors left.
 */
HbVfioIntx *hb_vfio_intx_open(int device_fd, const char *name, HbVfioConfig *config, HbHost *host,
			      const HbVfioIntxOps *ops, gpointer opaque, GError **error);
void hb_vfio_intx_close(HbVfioIntx *intx);

/* @port is whose slot the drive sits in. Until this the pin is never used. */
void hb_vfio_intx_attach(HbVfioIntx *intx, HbHostBridge *bridge, const HbPort *port);

/* The guest has written Command, or switched its messages on or off. */
void hb_vfio_intx_follow(HbVfioIntx *intx, gboolean has_messages);

/* VFIO has switched the drive's messages off, or has tried to switch them on in vain. The pin is
 * off. */
void hb_vfio_intx_messages_ended(HbVfioIntx *intx);

/* Off, until the guest writes again. */
void hb_vfio_intx_reset(HbVfioIntx *intx);

/* The guest has no interrupt of it any more when this returns. Asks nothing of the drive. */
void hb_vfio_intx_sever(HbVfioIntx *intx);

#endif
