/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive that was pushed in is told of by the kernel before it looks for a driver. Whoever names
 * vfio-pci in driver_override by then has it: no other driver ever sees the drive, nobody on the
 * host can have used it, and there is nothing to inspect. Who is too late finds another driver
 * there, and has to switch it like a drive that has always been there.
 *
 * Binding by name is tried until somebody drives it: before the kernel looks for a driver itself,
 * it refuses; while a driver is starting it waits for the end of that (drivers/base/dd.c,
 * device_driver_attach(), Linux 6.1). So a drive that vfio-pci drives after that can be opened.
 */

#include "vfio/bay-take.h"

#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <string.h>

#define LOOK_AGAIN_US 2000
#define VFIO	      "vfio-pci"
#define PCI_DEVICE    "sys/bus/pci/devices/%s"

static char *get_driver(const HbBindHost *host, const char *address)
{
	return hb_host_files_link_name(host->root, PCI_DEVICE "/driver", address);
}

static gboolean set_override(const HbBindHost *host, const char *address, const char *text,
			     GError **error)
{
	g_autofree char *path =
		hb_host_files_path(host->root, PCI_DEVICE "/driver_override", address);

	return host->ops->write(host->opaque, path, text, error);
}

/* Who drives it when the kernel has looked for a driver; NULL: nobody. */
static char *wait_for_driver(const HbBindHost *host, const char *address, guint patience_ms)
{
	g_autofree char *path = hb_host_files_path(host->root, "sys/bus/pci/drivers/" VFIO "/bind");
	gint64 deadline = g_get_monotonic_time() + patience_ms * (gint64)1000;

	for (;;) {
		host->ops->write(host->opaque, path, address, NULL);
		char *driver = get_driver(host, address);
		if (driver || g_get_monotonic_time() > deadline ||
		    !hb_host_files_exist(host->root, PCI_DEVICE, address))
			return driver;
		g_usleep(LOOK_AGAIN_US);
	}
}

static gboolean switch_drive(const HbBindHost *host, const char *address, GError **error)
{
	const char *const addresses[] = { address, NULL };
	const HbBindRequest request = { .addresses = addresses, .flags = HB_BIND_WAIT };

	return hb_bind_switch(host, &request, TRUE, error);
}

void hb_bay_claim(const HbBindHost *host, const char *address)
{
	g_autofree char *driver = get_driver(host, address);

	if (!driver)
		set_override(host, address, VFIO, NULL);
}

/* A claim that came to nothing is taken back. */
static void disclaim(const HbBindHost *host, const char *address)
{
	g_autofree char *override =
		hb_host_files_read(host->root, PCI_DEVICE "/driver_override", address);

	if (g_strcmp0(override, VFIO) == 0)
		set_override(host, address, "\n", NULL);
}

gboolean hb_bay_take(const HbBindHost *host, const char *address, guint patience_ms, GError **error)
{
	g_autofree char *driver = get_driver(host, address);

	if (!driver) {
		if (!set_override(host, address, VFIO, error))
			return FALSE;
		driver = wait_for_driver(host, address, patience_ms);
	} else if (strcmp(driver, VFIO) == 0) {
		/* whose probe may not be over */
		g_free(driver);
		driver = wait_for_driver(host, address, patience_ms);
	}
	if (g_strcmp0(driver, VFIO) == 0 || switch_drive(host, address, error))
		return TRUE;
	disclaim(host, address);
	return FALSE;
}
