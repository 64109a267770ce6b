/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Preflight against small sysfs trees made for each test. */

#include "tests/unit/suite.h"
#include "vfio/sysfs.h"

#include <hotbay/error.h>

#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

static const HbPciAddress drive_address = { .domain = 0, .bus = 1, .devfn = 0 };
#define DRIVE "0000:01:00.0"
#define OTHER "0000:01:00.1"

static char *root;

static void setup(void)
{
	root = g_dir_make_tmp("hotbay-sysfs-XXXXXX", NULL);
	ck_assert_ptr_nonnull(root);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	return remove(path);
}

static void teardown(void)
{
	nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	g_clear_pointer(&root, g_free);
}

static void add_link(const char *device, const char *leaf, const char *target)
{
	g_autofree char *path = g_build_filename(root, "bus/pci/devices", device, leaf, NULL);

	ck_assert_int_eq(symlink(target, path), 0);
}

static void add_device(const char *device, const char *class, const char *driver, const char *group)
{
	g_autofree char *folder = g_build_filename(root, "bus/pci/devices", device, NULL);
	g_autofree char *class_file = g_build_filename(folder, "class", NULL);

	ck_assert_int_eq(g_mkdir_with_parents(folder, 0755), 0);
	ck_assert(g_file_set_contents(class_file, class, -1, NULL));
	if (driver) {
		g_autofree char *target = g_strdup_printf("../../drivers/%s", driver);
		add_link(device, "driver", target);
	}
	if (group) {
		g_autofree char *members =
			g_build_filename(root, "kernel/iommu_groups", group, "devices", NULL);
		g_autofree char *member = g_build_filename(members, device, NULL);
		g_autofree char *target =
			g_strdup_printf("../../../../kernel/iommu_groups/%s", group);

		ck_assert_int_eq(g_mkdir_with_parents(members, 0755), 0);
		ck_assert(g_file_set_contents(member, "", 0, NULL));
		add_link(device, "iommu_group", target);
	}
}

static void assert_refused(HbError code, const char *word)
{
	g_autoptr(GError) error = NULL;
	guint group;

	ck_assert(!hb_sysfs_check_drive(root, &drive_address, &group, &error));
	ck_assert(g_error_matches(error, HB_ERROR, code));
	ck_assert_msg(strstr(error->message, DRIVE) != NULL, "no address in: %s", error->message);
	ck_assert_msg(strstr(error->message, word) != NULL, "no '%s' in: %s", word, error->message);
}

START_TEST(a_drive_bound_to_vfio_in_its_own_group_may_be_passed_through)
{
	g_autoptr(GError) error = NULL;
	guint group = 0;

	add_device(DRIVE, "0x010802\n", "vfio-pci", "17");
	ck_assert(hb_sysfs_check_drive(root, &drive_address, &group, &error));
	ck_assert_uint_eq(group, 17);
}
END_TEST

START_TEST(an_address_without_a_device_is_not_found)
{
	assert_refused(HB_ERROR_NOT_FOUND, "no such PCI device");
}
END_TEST

START_TEST(a_network_card_is_refused_by_its_class)
{
	add_device(DRIVE, "0x020000\n", "vfio-pci", "17");
	assert_refused(HB_ERROR_UNSUPPORTED, "020000");
}
END_TEST

START_TEST(a_drive_of_the_kernel_is_refused_by_its_drivers_name)
{
	add_device(DRIVE, "0x010802\n", "nvme", "17");
	assert_refused(HB_ERROR_UNSUPPORTED, "bound to nvme");
}
END_TEST

START_TEST(a_drive_without_driver_is_refused)
{
	add_device(DRIVE, "0x010802\n", NULL, "17");
	assert_refused(HB_ERROR_UNSUPPORTED, "no driver");
}
END_TEST

START_TEST(a_host_without_iommu_is_named)
{
	add_device(DRIVE, "0x010802\n", "vfio-pci", NULL);
	assert_refused(HB_ERROR_UNSUPPORTED, "intel_iommu=on");
}
END_TEST

START_TEST(a_foreign_device_in_the_group_is_named)
{
	add_device(DRIVE, "0x010802\n", "vfio-pci", "17");
	add_device(OTHER, "0x020000\n", "e1000e", "17");
	assert_refused(HB_ERROR_BUSY, OTHER);
}
END_TEST

START_TEST(bridges_and_vfio_devices_in_the_group_are_no_foreigners)
{
	guint group = 0;

	add_device(DRIVE, "0x010802\n", "vfio-pci", "17");
	add_device(OTHER, "0x010802\n", "vfio-pci", "17");
	add_device("0000:00:04.0", "0x060400\n", "pcieport", "17");
	add_device("0000:00:04.1", "0x060400\n", NULL, "17");
	ck_assert(hb_sysfs_check_drive(root, &drive_address, &group, NULL));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("sysfs");
	TCase *tcase = tcase_create("preflight");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_drive_bound_to_vfio_in_its_own_group_may_be_passed_through);
	tcase_add_test(tcase, an_address_without_a_device_is_not_found);
	tcase_add_test(tcase, a_network_card_is_refused_by_its_class);
	tcase_add_test(tcase, a_drive_of_the_kernel_is_refused_by_its_drivers_name);
	tcase_add_test(tcase, a_drive_without_driver_is_refused);
	tcase_add_test(tcase, a_host_without_iommu_is_named);
	tcase_add_test(tcase, a_foreign_device_in_the_group_is_named);
	tcase_add_test(tcase, bridges_and_vfio_devices_in_the_group_are_no_foreigners);
	suite_add_tcase(suite, tcase);
	return suite;
}
