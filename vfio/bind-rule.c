/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive's rule in /etc/udev/rules.d. It holds for the address and the kind of drive found there,
 * so that it does not catch a network card which takes the address after a rebuild of the machine.
 * It does two things when the drive appears:
 *
 *     driver_override    before the nvme module comes to be loaded (80-drivers.rules), so that in
 *                        the usual case the host's driver never sees the drive
 *     the program        after all rules: loads vfio-pci and binds the drive; or, if the nvme
 * driver was there first, switches it, with all the checks of a switch by hand: a drive that the
 * host has mounted meanwhile is left alone
 */

#include "vfio/bind-rule.h"

#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <errno.h>
#include <glib/gstdio.h>

#define RULES "etc/udev/rules.d"

static char *make_path(const char *root, const char *address)
{
	return hb_host_files_path(root, RULES "/70-hotbay-%s.rules", address);
}

char *hb_bind_rule_read(const char *root, const char *address)
{
	g_autofree char *path = make_path(root, address);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

char *hb_bind_rule_make(const char *root, const char *address, const char *program)
{
	g_autofree char *vendor =
		hb_host_files_read(root, "sys/bus/pci/devices/%s/vendor", address);
	g_autofree char *device =
		hb_host_files_read(root, "sys/bus/pci/devices/%s/device", address);
	g_autofree char *match = g_strdup_printf(
		"ACTION==\"add\", SUBSYSTEM==\"pci\", KERNEL==\"%s\", ATTR{class}==\"0x0108*\", "
		"ATTR{vendor}==\"%s\", ATTR{device}==\"%s\"",
		address, vendor ? vendor : "", device ? device : "");

	return g_strdup_printf("# Made by hotbayctl passthrough on --persist.\n"
			       "# hotbayctl passthrough off %s removes this file.\n"
			       "%s, DRIVER==\"\", ATTR{driver_override}=\"vfio-pci\"\n"
			       "%s, RUN+=\"%s passthrough on %s\"\n",
			       address, match, match, program, address);
}

static gboolean fail(GError **error, const char *address, const char *path, const char *reason)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: cannot change %s: %s", address, path,
		    reason);
	return FALSE;
}

gboolean hb_bind_rule_set(const char *root, const char *address, const char *text, GError **error)
{
	g_autofree char *path = make_path(root, address);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autoptr(GError) problem = NULL;

	if (!text) {
		if (g_unlink(path) == 0 || errno == ENOENT)
			return TRUE;
		return fail(error, address, path, g_strerror(errno));
	}
	if (g_mkdir_with_parents(folder, 0755) < 0)
		return fail(error, address, folder, g_strerror(errno));
	if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
				      &problem))
		return fail(error, address, path, problem->message);
	return TRUE;
}
