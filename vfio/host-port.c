/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive that reads all-ones has left, or is there and dead, or is being reset by the host's
 * kernel. The Slot Status of the port above it tells the first from the others: Presence Detect
 * State does not need the drive (PCIe r6.0 §7.5.3.11).
 *
 * The port is the parent of the drive in sysfs, whose file "config" gives more than its first 64
 * bytes only to a process with CAP_SYS_ADMIN; without it presence is unknown.
 */

#include "vfio/host-port.h"

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <unistd.h>

#define CHAIN_LONGEST 48

struct HbVfioHostPort {
	int fd;		 /* of its configuration space */
	guint express;	 /* its PCI Express capability */
	gboolean usable; /* it has a slot that tells presence */
};

static gboolean read_u16(const HbVfioHostPort *port, guint offset, guint16 *value)
{
	guint8 bytes[2];

	if (pread(port->fd, bytes, sizeof(bytes), offset) != (ssize_t)sizeof(bytes))
		return FALSE;
	*value = (guint16)(bytes[0] | bytes[1] << 8);
	return TRUE;
}

/* 0: it has none, or it may not be read. */
static guint find_express(const HbVfioHostPort *port)
{
	guint16 header;
	guint offset = PCI_CAPABILITY_LIST;

	if (!read_u16(port, offset, &header))
		return 0;
	offset = header & 0xfc;
	for (guint i = 0; i < CHAIN_LONGEST && offset; i++) {
		if (!read_u16(port, offset, &header))
			return 0;
		if ((header & 0xff) == PCI_CAP_ID_EXP)
			return offset;
		offset = header >> 8 & 0xfc;
	}
	return 0;
}

/* Without a hot-plug capable slot Presence Detect State is hardwired (PCIe r6.0 §7.5.3.11). */
static gboolean tells_presence(const HbVfioHostPort *port)
{
	guint16 flags, capabilities;

	return port->express && read_u16(port, port->express + PCI_EXP_FLAGS, &flags) &&
	       flags & PCI_EXP_FLAGS_SLOT &&
	       read_u16(port, port->express + PCI_EXP_SLTCAP, &capabilities) &&
	       capabilities & PCI_EXP_SLTCAP_HPC;
}

HbVfioHostPort *hb_vfio_host_port_open(const char *root, const char *address)
{
	HbVfioHostPort *port = g_new0(HbVfioHostPort, 1);
	g_autofree char *link = g_build_filename(root, "bus/pci/devices", address, NULL);
	char *drive = realpath(link, NULL);
	g_autofree char *config = drive ? g_build_filename(drive, "../config", NULL) : NULL;

	free(drive);
	port->fd = config ? open(config, O_RDONLY | O_CLOEXEC) : -1;
	if (port->fd >= 0) {
		port->express = find_express(port);
		port->usable = tells_presence(port);
	}
	return port;
}

void hb_vfio_host_port_close(HbVfioHostPort *port)
{
	if (!port)
		return;
	if (port->fd >= 0)
		close(port->fd);
	g_free(port);
}

HbVfioPresence hb_vfio_host_port_look(const HbVfioHostPort *port)
{
	guint16 status;

	/* All-ones is a port that has gone itself, with what is below it. */
	if (!port || !port->usable || !read_u16(port, port->express + PCI_EXP_SLTSTA, &status))
		return HB_VFIO_PRESENCE_UNKNOWN;
	if (status == 0xffff)
		return HB_VFIO_PRESENCE_EMPTY;
	return status & PCI_EXP_SLTSTA_PDS ? HB_VFIO_PRESENCE_OCCUPIED : HB_VFIO_PRESENCE_EMPTY;
}
