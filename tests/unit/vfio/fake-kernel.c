/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Links and files of a captured host, moved as the kernel would. */

#include "tests/unit/vfio/fake-kernel.h"

#include "tests/unit/vfio/host-tree.h"
#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static gboolean fail_at(const char *path, GError **error)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "writing %s: made to fail", path);
	return FALSE;
}

static char *device_path(const char *address, const char *leaf)
{
	return g_strdup_printf("sys/bus/pci/devices/%s/%s", address, leaf);
}

static gboolean has_driver(const FakeKernel *kernel, const char *driver)
{
	return hb_host_files_exist(kernel->root, "sys/bus/pci/drivers/%s", driver);
}

/* The driver that matches: the override if there is one, else the host's own. */
static char *match(const FakeKernel *kernel, const char *address)
{
	g_autofree char *override =
		hb_host_files_read(kernel->root, "sys/bus/pci/devices/%s/driver_override", address);

	if (override && override[0] && strcmp(override, "(null)") != 0)
		return g_steal_pointer(&override);
	return kernel->no_nvme ? NULL : g_strdup("nvme");
}

/* As the kernel does it: out of all the folders below sys and down again to the driver. */
static void bind_to(const FakeKernel *kernel, const char *address, const char *driver)
{
	g_autofree char *link = device_path(address, "driver");
	g_autofree char *device = device_path(address, "");
	g_autofree char *place = g_build_filename(kernel->root, device, NULL);
	g_autofree char *sysfs = g_build_filename(kernel->root, "sys/", NULL);
	char folder[PATH_MAX];
	g_autoptr(GString) target = g_string_new(NULL);

	ck_assert_ptr_nonnull(realpath(place, folder));
	for (const char *at = folder + strlen(sysfs); at; at = strchr(at + 1, '/'))
		g_string_append(target, "../");
	g_string_append_printf(target, "bus/pci/drivers/%s", driver);
	host_tree_link(kernel->root, link, target->str);
}

static gboolean probe(FakeKernel *kernel, const char *address)
{
	g_autofree char *driver = match(kernel, address);

	if (driver && has_driver(kernel, driver))
		bind_to(kernel, address, driver);
	return TRUE; /* nobody wanting it is no error of this file */
}

static gboolean bind_by_name(FakeKernel *kernel, const char *address, const char *path,
			     GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *driver = g_path_get_basename(folder);
	g_autofree char *wanted = match(kernel, address);

	if (g_strcmp0(driver, wanted) != 0 || !has_driver(kernel, driver))
		return fail_at(path, error);
	bind_to(kernel, address, driver);
	return TRUE;
}

/* As the kernel does it: the link to the driver goes first. */
static gboolean unbind(FakeKernel *kernel, const char *address, const char *path, GError **error)
{
	g_autofree char *link = device_path(address, "driver");
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *driver = g_path_get_basename(folder);
	g_autofree char *now = hb_host_files_link_name(kernel->root, "%s", link);

	if (g_strcmp0(driver, now) != 0)
		return fail_at(path, error);
	host_tree_remove(kernel->root, link);
	if (kernel->on_unbind)
		kernel->on_unbind(address);
	return TRUE;
}

static gboolean act(FakeKernel *kernel, const char *path, const char *text, GError **error)
{
	if (g_str_has_suffix(path, "/driver_override")) {
		g_autofree char *now = strcmp(text, "\n") == 0 ? g_strdup("(null)\n")
							       : g_strdup_printf("%s\n", text);
		g_string_append_c(kernel->said, 'o');
		host_tree_write("", path, now);
		return TRUE;
	}
	if (g_str_has_suffix(path, "/unbind")) {
		g_string_append_c(kernel->said, 'u');
		return unbind(kernel, text, path, error);
	}
	if (g_str_has_suffix(path, "/drivers_probe")) {
		g_string_append_c(kernel->said, 'p');
		return probe(kernel, text);
	}
	g_string_append_c(kernel->said, 'b');
	return bind_by_name(kernel, text, path, error);
}

static gboolean write_file(gpointer opaque, const char *path, const char *text, GError **error)
{
	FakeKernel *kernel = opaque;

	kernel->steps++;
	if (kernel->failing && (kernel->failing_after ? kernel->steps >= kernel->failing
						      : kernel->steps == kernel->failing))
		return fail_at(path, error);
	return act(kernel, path, text, error);
}

static int claim(gpointer opaque, const char *path, GError **error)
{
	const FakeKernel *kernel = opaque;

	if (!kernel->held || !g_str_has_suffix(path, kernel->held))
		return open(path, O_RDONLY | O_CLOEXEC);
	g_set_error(error, HB_ERROR, HB_ERROR_BUSY, "%s: someone holds it", path);
	return -1;
}

static gboolean load(gpointer opaque, const char *module, GError **error)
{
	FakeKernel *kernel = opaque;
	g_autofree char *folder = g_strdup_printf("sys/bus/pci/drivers/%s/bind", module);

	kernel->loaded++;
	if (kernel->unloadable)
		return fail_at(module, error);
	host_tree_write(kernel->root, folder, "");
	return TRUE;
}

const HbBindOps fake_kernel_ops = { .write = write_file, .claim = claim, .load = load };
