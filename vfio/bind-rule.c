/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive's rule in /etc/udev/rules.d. It holds for a place and a kind of drive. The place is the
 * way from the root bus through the ports above the drive, by device and function numbers, as they
 * are wired: the bus numbers below the root, and so addresses, are given out anew at each boot, and
 * a device more can shift them all. A rule for an address could catch another drive of the same
 * kind then, in use by the host. The domain and the number of the root bus stand in the rule as
 * they are: firmware gives them out, and on a host of several sockets may do so otherwise after
 * its setup or the hardware has changed. The serial number would be better still, but nobody knows
 * it before a driver has the drive.
 *
 * The rule does two things when the drive appears:
 *
 *     driver_override    before the nvme module comes to be loaded (80-drivers.rules), so that in
 *                        the usual case the host's driver never sees the drive
 *     the program        after all rules: loads vfio-pci and binds the drive; or, if the nvme
 *                        driver was there first, switches it, with all the checks of a switch by
 *                        hand: a drive that the host has mounted meanwhile is left alone
 *
 * Rules of an earlier naming are for an address, 70-hotbay-0000:01:00.0.rules. They are found and
 * removed, and no more made.
 */

#include "vfio/bind-rule.h"

#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define RULES "etc/udev/rules.d"

static char *replace_addresses(const char *path, const char *replacement)
{
	g_autoptr(GRegex) address =
		g_regex_new("([0-9a-f]+):[0-9a-f]{2}:([0-9a-f]{2}\\.[0-7])", 0, 0, NULL);

	return g_regex_replace(address, path, -1, 0, replacement, 0, NULL);
}

/* "/devices/pci0000:00/0000:00:04.0/0000:01:00.0"; NULL if the drive is gone */
static char *read_place(const char *root, const char *address)
{
	g_autofree char *link = hb_host_files_path(root, "sys/bus/pci/devices/%s", address);
	g_autofree char *target = g_file_read_link(link, NULL);
	const char *place = target ? strstr(target, "/devices/") : NULL;

	return g_strdup(place);
}

/* "/devices/pci0000:00/0000:??:04.0/0000:??:00.0", as udev matches DEVPATH */
static char *make_pattern(const char *root, const char *address)
{
	g_autofree char *place = read_place(root, address);

	return place ? replace_addresses(place, "\\1:??:\\2") : NULL;
}

static char *make_rule_path(const char *root, const char *name)
{
	return hb_host_files_path(root, RULES "/70-hotbay-%s.rules", name);
}

/* Named "0000:00-04.0-00.0", from the root bus on, whatever that is below: a host bridge may be of
 * ACPI, a device tree or Hyper-V. NULL if the drive is gone, or is in no such place. */
static char *make_path(const char *root, const char *address)
{
	g_autofree char *place = read_place(root, address);
	g_autoptr(GRegex) regex = g_regex_new("/pci([0-9a-f]+:[0-9a-f]{2}/.*)$", 0, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;

	if (!place || !g_regex_match(regex, place, 0, &match))
		return NULL;
	g_autofree char *way = g_match_info_fetch(match, 1);
	g_autofree char *name = replace_addresses(way, "\\2");
	g_strdelimit(name, "/", '-');
	return make_rule_path(root, name);
}

gboolean hb_bind_rule_check(const char *program, GError **error)
{
	/* udev splits words at blanks and knows quotes of its own */
	if (program && g_path_is_absolute(program) &&
	    strspn(program, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._+-") == strlen(program))
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_INVALID,
		"a passthrough that outlasts a boot needs the absolute path of the program that "
		"udev is to run, without blanks and special characters, and not \"%s\"",
		program ? program : "");
	return FALSE;
}

char *hb_bind_rule_read(const char *root, const char *address)
{
	g_autofree char *path = make_path(root, address);
	g_autofree char *earlier = make_rule_path(root, address);
	char *text = NULL;

	if (path && g_file_get_contents(path, &text, NULL, NULL))
		return text;
	return g_file_get_contents(earlier, &text, NULL, NULL) ? text : NULL;
}

/* One of the drive's numbers, as it is and as udev compares it. */
static void match_number(GString *match, const char *root, const char *address, const char *name)
{
	g_autofree char *value =
		hb_host_files_read(root, "sys/bus/pci/devices/%s/%s", address, name);

	if (value)
		g_string_append_printf(match, ", ATTR{%s}==\"%s\"", name, value);
}

char *hb_bind_rule_make(const char *root, const char *address, const char *program)
{
	static const char *const numbers[] = { "vendor", "device", "subsystem_vendor",
					       "subsystem_device" };
	g_autofree char *pattern = make_pattern(root, address);
	g_autoptr(GString) match =
		g_string_new("ACTION==\"add\", SUBSYSTEM==\"pci\", ATTR{class}==\"0x0108*\"");

	g_string_append_printf(match, ", DEVPATH==\"%s\"", pattern ? pattern : "");
	for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
		match_number(match, root, address, numbers[i]);
	return g_strdup_printf("# Made by hotbayctl passthrough on --persist, for the drive that "
			       "was %s then.\n"
			       "# hotbayctl passthrough off of the drive there removes this file.\n"
			       "%s, DRIVER==\"\", ATTR{driver_override}=\"vfio-pci\"\n"
			       "%s, RUN+=\"%s passthrough on %%k\"\n",
			       address, match->str, match->str, program);
}

static gboolean fail(GError **error, const char *address, const char *path, const char *reason)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: cannot change %s: %s", address, path,
		    reason);
	return FALSE;
}

static gboolean remove_rule(const char *address, const char *path, GError **error)
{
	if (g_unlink(path) == 0 || errno == ENOENT)
		return TRUE;
	return fail(error, address, path, g_strerror(errno));
}

static gboolean write_rule(const char *address, const char *path, const char *text, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autoptr(GError) problem = NULL;

	if (g_mkdir_with_parents(folder, 0755) < 0)
		return fail(error, address, folder, g_strerror(errno));
	if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644,
				      &problem))
		return fail(error, address, path, problem->message);
	return TRUE;
}

gboolean hb_bind_rule_set(const char *root, const char *address, const char *text, GError **error)
{
	g_autofree char *path = make_path(root, address);
	g_autofree char *earlier = make_rule_path(root, address);

	if (text && !path)
		return fail(error, address, RULES, "its place on the host is not known");
	if (text && !write_rule(address, path, text, error))
		return FALSE;
	if (!text && path && !remove_rule(address, path, error))
		return FALSE;
	return remove_rule(address, earlier, error);
}
