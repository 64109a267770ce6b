/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_HOST_PORT_H
#define VFIO_HOST_PORT_H

#include <glib.h>

/*
 * The host's port above a drive, which says whether there is a drive at all, when the drive itself
 * says nothing. Any thread.
 */
typedef struct HbVfioHostPort HbVfioHostPort;

typedef enum HbVfioPresence {
	HB_VFIO_PRESENCE_UNKNOWN, /* no such port, no slot, or nothing that may be read of it */
	HB_VFIO_PRESENCE_EMPTY,
	HB_VFIO_PRESENCE_OCCUPIED,
} HbVfioPresence;

/*
 * @root: where sysfs is; @address: the drive's. Never fails: a port that cannot be read is one of
 * which nothing is known. It stays open while drives come and go.
 */
HbVfioHostPort *hb_vfio_host_port_open(const char *root, const char *address);
void hb_vfio_host_port_close(HbVfioHostPort *port); /* takes NULL */

/* Reads the port each time; NULL is unknown. */
HbVfioPresence hb_vfio_host_port_look(const HbVfioHostPort *port);

#endif
