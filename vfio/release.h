/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_RELEASE_H
#define VFIO_RELEASE_H

#include <hotbay/pci.h>

/*
 * Closes a drive in a worker, by @close(@drive); @done(@data) follows on the loop of @host.
 * @address: the drive's on the host, for a message if it takes long. Not kept.
 */
void hb_vfio_release(HbHost *host, const char *address, void (*close)(gpointer drive),
		     gpointer drive, HbPciFunctionReleased done, gpointer data);

#endif
