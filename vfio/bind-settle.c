/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Linux's nvme starts a drive in work of its own, after its probe. Unbound in the middle of that,
 * it gives up a little later and releases the drive from whatever driver has it by then
 * (drivers/nvme/host/pci.c, nvme_remove_dead_ctrl(), Linux 6.1). So a drive that is being started
 * is waited for: its controller is there, and is "live" or "dead".
 */

#include "vfio/bind-settle.h"

#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <string.h>

#define LOOK_AGAIN_US 2000
#define PCI_DEVICE    "sys/bus/pci/devices/%s"

gboolean hb_bind_is_settled(const char *root, const char *address)
{
	static const char *const starting[] = { "new", "resetting", "connecting", NULL };
	g_autofree char *driver = hb_host_files_link_name(root, PCI_DEVICE "/driver", address);
	g_autoptr(GPtrArray) controllers = hb_host_files_list(root, PCI_DEVICE "/nvme", address);

	if (g_strcmp0(driver, "nvme") != 0)
		return TRUE;
	if (controllers->len == 0)
		return FALSE;
	g_autofree char *state =
		hb_host_files_read(root, PCI_DEVICE "/nvme/%s/state", address,
				   (const char *)g_ptr_array_index(controllers, 0));
	return !state || !g_strv_contains(starting, state);
}

gboolean hb_bind_settle(const char *root, const char *address, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + HB_BIND_SETTLE_SECONDS * G_USEC_PER_SEC;

	while (!hb_bind_is_settled(root, address)) {
		if (g_get_monotonic_time() > deadline) {
			g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
				    "%s: the host's nvme driver is still starting it after %d s: "
				    "wait for its block device, or see the kernel's log",
				    address, HB_BIND_SETTLE_SECONDS);
			return FALSE;
		}
		g_usleep(LOOK_AGAIN_US);
	}
	return TRUE;
}
