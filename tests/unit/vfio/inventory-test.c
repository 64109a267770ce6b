/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Drives and slots of captured hosts. */

#include "tests/unit/suite.h"
#include "tests/unit/vfio/host-tree.h"

#include <hotbay/error.h>
#include <hotbay/inventory.h>

#include <string.h>

static char *root;
static HbInventory *inventory;

static void look_at(const char *name)
{
	root = host_tree_create(name);
	inventory = hb_inventory_take(root, NULL);
	ck_assert_ptr_nonnull(inventory);
}

static void look_again(void)
{
	hb_inventory_free(inventory);
	inventory = hb_inventory_take(root, NULL);
	ck_assert_ptr_nonnull(inventory);
}

static void look_at_server(void)
{
	look_at("server");
}

static void teardown(void)
{
	hb_inventory_free(inventory);
	inventory = NULL;
	host_tree_destroy(root);
}

static const HbHostDrive *drive_at(const char *address)
{
	const HbHostDrive *drive = hb_inventory_find_drive(inventory, address);

	ck_assert_msg(drive != NULL, "no drive %s", address);
	return drive;
}

static const HbHostSlot *slot_of(guint number)
{
	for (guint i = 0; i < hb_inventory_get_n_slots(inventory); i++)
		if (hb_inventory_get_slot(inventory, i)->number == number)
			return hb_inventory_get_slot(inventory, i);
	ck_abort_msg("no slot %u", number);
}

static gboolean has_obstacle(const HbHostDrive *drive, HbObstacleKind kind, const char *text)
{
	for (guint i = 0; i < drive->n_obstacles; i++)
		if (drive->obstacles[i].kind == kind && strstr(drive->obstacles[i].text, text))
			return TRUE;
	return FALSE;
}

static void assert_obstacle(const char *address, HbObstacleKind kind, const char *text)
{
	ck_assert_msg(has_obstacle(drive_at(address), kind, text), "%s: no obstacle %s: %s",
		      address, hb_obstacle_kind_to_str(kind), text);
}

/* ---- drives ---- */

START_TEST(every_nvme_drive_is_there_and_nothing_else)
{
	static const char *const expected[] = { "0000:01:00.0", "0000:02:00.0", "0000:03:00.0",
						"0000:04:00.0", "0000:06:00.0", "0000:09:00.0",
						"0000:0a:00.0", "0000:0d:00.0" };

	ck_assert_uint_eq(hb_inventory_get_n_drives(inventory), G_N_ELEMENTS(expected));
	for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
		ck_assert_str_eq(hb_inventory_get_drive(inventory, i)->address, expected[i]);
}
END_TEST

START_TEST(an_idle_drive_can_be_passed_through)
{
	const HbHostDrive *drive = drive_at("0000:01:00.0");

	ck_assert_uint_eq(drive->n_obstacles, 0);
	ck_assert_str_eq(drive->driver, "nvme");
	ck_assert_int_ge(drive->group, 0);
	ck_assert_ptr_null(drive->foreign[0]);
}
END_TEST

START_TEST(a_drive_says_who_it_is)
{
	const HbHostDrive *drive = drive_at("0000:01:00.0");

	ck_assert_str_eq(drive->controller, "nvme0");
	ck_assert_str_eq(drive->model, "QEMU NVMe Ctrl");
	ck_assert_str_eq(drive->serial, "bay0");
	ck_assert_str_eq(drive->firmware, "10.0.2");
	ck_assert_uint_eq(drive->size, 1u << 30);
	ck_assert_uint_eq(drive->vendor_id, 0x1b36);
	ck_assert_uint_eq(drive->device_id, 0x0010);
	ck_assert_uint_eq(drive->subsystem_vendor_id, 0x1af4);
	ck_assert_str_eq(drive->link_speed, "2.5 GT/s PCIe");
	ck_assert_uint_eq(drive->link_width, 1);
	ck_assert_int_eq(drive->numa_node, -1);
}
END_TEST

START_TEST(a_path_of_a_multipath_namespace_is_named_for_what_people_use)
{
	const HbHostDrive *drive = drive_at("0000:01:00.0");

	ck_assert_str_eq(drive->namespaces[0], "nvme0n1");
	ck_assert_ptr_null(drive->namespaces[1]);
}
END_TEST

START_TEST(names_come_from_the_hosts_list)
{
	host_tree_write(root, "usr/share/misc/pci.ids",
			"1b36  A Vendor\n\t0010  A Drive\n\nC 01  Mass storage controller\n");
	look_again();
	ck_assert_str_eq(drive_at("0000:01:00.0")->vendor_name, "A Vendor");
	ck_assert_str_eq(drive_at("0000:01:00.0")->device_name, "A Drive");
}
END_TEST

START_TEST(without_a_list_names_are_numbers)
{
	ck_assert_str_eq(drive_at("0000:01:00.0")->vendor_name, "Vendor 1b36");
	ck_assert_str_eq(drive_at("0000:01:00.0")->device_name, "Device 0010");
}
END_TEST

START_TEST(a_broken_list_costs_the_names_and_nothing_else)
{
	host_tree_write(root, "usr/share/misc/pci.ids", "this is no list\n\t\t\tof anything\n");
	look_again();
	ck_assert_uint_eq(hb_inventory_get_n_drives(inventory), 8);
	for (guint i = 0; i < 8; i++)
		ck_assert_str_eq(hb_inventory_get_drive(inventory, i)->vendor_name, "Vendor 1b36");
}
END_TEST

/* ---- what is in the way ---- */

START_TEST(mounts_and_swap_of_partitions_are_told)
{
	assert_obstacle("0000:02:00.0", HB_OBSTACLE_DATA, "nvme1n1p1 is mounted on /run/data");
	assert_obstacle("0000:02:00.0", HB_OBSTACLE_DATA, "nvme1n1p2 is swap");
	ck_assert_uint_eq(drive_at("0000:02:00.0")->n_obstacles, 2);
}
END_TEST

START_TEST(an_md_array_is_told_and_what_is_mounted_from_it)
{
	assert_obstacle("0000:04:00.0", HB_OBSTACLE_DATA, "nvme3n1 is in the md array md0");
	assert_obstacle("0000:04:00.0", HB_OBSTACLE_DATA, "md0 is mounted on /run/md");
}
END_TEST

START_TEST(a_logical_volume_is_told)
{
	assert_obstacle("0000:09:00.0", HB_OBSTACLE_DATA, "nvme5n1 is in the LVM volume vg0-root");
}
END_TEST

START_TEST(an_encrypted_device_is_told)
{
	host_tree_write(root, "sys/devices/virtual/block/dm-0/dm/uuid",
			"CRYPT-LUKS2-0123-secret\n");
	look_again();
	assert_obstacle("0000:09:00.0", HB_OBSTACLE_DATA, "cryptsetup close");
}
END_TEST

START_TEST(a_process_that_has_it_open_is_told)
{
	assert_obstacle("0000:03:00.0", HB_OBSTACLE_OPEN, "nvme2n1 is open in sleep (process 225)");
}
END_TEST

START_TEST(one_of_several_devices_of_a_btrfs_is_told)
{
	host_tree_link(root, "sys/fs/btrfs/0123-4567/devices/nvme0n1", "x");
	host_tree_write(root, "sys/fs/btrfs/0123-4567/devices/nvme9n1", "");
	look_again();
	/* the link of a capture leads nowhere */
	ck_assert_uint_eq(drive_at("0000:01:00.0")->n_obstacles, 0);
	host_tree_remove(root, "sys/fs/btrfs/0123-4567/devices/nvme0n1");
	host_tree_write(root, "sys/fs/btrfs/0123-4567/devices/nvme0n1", "");
	look_again();
	assert_obstacle("0000:01:00.0", HB_OBSTACLE_DATA, "btrfs 0123-4567");
}
END_TEST

START_TEST(a_member_of_an_imported_pool_is_told)
{
	g_autofree char *number = NULL;
	g_autofree char *path = NULL;
	g_autofree char *record = NULL;

	path = g_build_filename(root, "sys/class/block/nvme0n1/dev", NULL);
	ck_assert(g_file_get_contents(path, &number, NULL, NULL));
	record = g_strdup_printf("run/udev/data/b%s", g_strstrip(number));
	host_tree_write(root, record,
			"S:disk/by-id/x\nE:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n");
	look_again();
	ck_assert_uint_eq(drive_at("0000:01:00.0")->n_obstacles, 0);
	host_tree_write(root, "proc/spl/kstat/zfs/tank/state", "ONLINE\n");
	look_again();
	assert_obstacle("0000:01:00.0", HB_OBSTACLE_DATA, "ZFS pool tank");
}
END_TEST

START_TEST(a_shared_group_names_the_foreigner)
{
	const HbHostDrive *drive = drive_at("0000:0d:00.0");

	assert_obstacle("0000:0d:00.0", HB_OBSTACLE_GROUP, "0000:0d:00.1, which virtio-pci drives");
	ck_assert_str_eq(drive->foreign[0], "0000:0d:00.1");
	ck_assert_ptr_null(drive->foreign[1]);
}
END_TEST

START_TEST(a_drive_that_cannot_be_reset_is_told)
{
	host_tree_remove(root, "sys/bus/pci/devices/0000:01:00.0/reset");
	look_again();
	assert_obstacle("0000:01:00.0", HB_OBSTACLE_RESET, "cannot reset");
}
END_TEST

START_TEST(a_drive_in_a_vm_is_told_with_the_vms_process)
{
	g_autofree char *node = g_strdup_printf("/dev/vfio/%d", drive_at("0000:01:00.0")->group);

	host_tree_write(root, "proc/77/comm", "hotbay\n");
	host_tree_link(root, "proc/77/fd/12", node);
	look_again();
	assert_obstacle("0000:01:00.0", HB_OBSTACLE_VM, "hotbay (process 77)");
}
END_TEST

START_TEST(a_drive_behind_vmd_is_there_and_refused)
{
	host_tree_write(root, "sys/bus/pci/devices/10000:e1:00.0/class", "0x010802\n");
	look_again();
	assert_obstacle("10000:e1:00.0", HB_OBSTACLE_DOMAIN, "VMD");
}
END_TEST

START_TEST(functions_that_are_switched_on_are_told_and_are_drives_themselves)
{
	assert_obstacle("0000:06:00.0", HB_OBSTACLE_FUNCTIONS, "SR-IOV functions");
	ck_assert_ptr_nonnull(hb_inventory_find_drive(inventory, "0000:06:00.1"));
	ck_assert_uint_eq(drive_at("0000:06:00.1")->vendor_id, 0x1b36);
	ck_assert_ptr_null(drive_at("0000:06:00.1")->model);
}
END_TEST

START_TEST(a_laptop_without_iommu_can_pass_nothing_through)
{
	ck_assert_uint_gt(hb_inventory_get_n_drives(inventory), 0);
	for (guint i = 0; i < hb_inventory_get_n_drives(inventory); i++) {
		const HbHostDrive *drive = hb_inventory_get_drive(inventory, i);

		ck_assert_int_eq(drive->group, -1);
		assert_obstacle(drive->address, HB_OBSTACLE_IOMMU, "intel_iommu=on");
	}
}
END_TEST

/* ---- slots ---- */

START_TEST(every_slot_is_there_by_number)
{
	static const guint expected[] = { 1, 2, 3, 4, 50, 60, 61, 62, 63, 70, 80, 99 };

	ck_assert_uint_eq(hb_inventory_get_n_slots(inventory), G_N_ELEMENTS(expected));
	for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
		ck_assert_uint_eq(hb_inventory_get_slot(inventory, i)->number, expected[i]);
}
END_TEST

START_TEST(an_occupied_slot_says_what_its_port_says)
{
	const HbHostSlot *slot = slot_of(1);

	ck_assert_str_eq(slot->name, "1");
	ck_assert_str_eq(slot->port, "0000:00:04.0");
	ck_assert_str_eq(slot->bus, "0000:01");
	ck_assert_int_eq(slot->hotplug, HB_ANSWER_YES);
	ck_assert_int_eq(slot->surprise, HB_ANSWER_YES);
	ck_assert_int_eq(slot->presence, HB_ANSWER_YES);
	ck_assert_int_eq(slot->link, HB_ANSWER_YES);
	ck_assert_int_eq(slot->power, HB_ANSWER_YES);
	ck_assert_int_eq(slot->attention, HB_HOST_INDICATOR_OFF);
	ck_assert_int_eq(slot->power_indicator, HB_HOST_INDICATOR_OFF);
	ck_assert_str_eq(slot->occupants[0], "0000:01:00.0");
	ck_assert_ptr_null(slot->occupants[1]);
}
END_TEST

/* Slot Control of the port of slot 1, whose Express capability is at 0x54. */
static void set_slot_control(guint16 value)
{
	g_autofree char *path =
		g_build_filename(root, "sys/bus/pci/devices/0000:00:04.0/config", NULL);
	g_autofree char *config = NULL;
	gsize length;

	ck_assert(g_file_get_contents(path, &config, &length, NULL));
	config[0x54 + 0x18] = (char)(value & 0xff);
	config[0x54 + 0x19] = (char)(value >> 8);
	ck_assert(g_file_set_contents(path, config, (gssize)length, NULL));
}

START_TEST(indicators_and_power_are_what_slot_control_says)
{
	set_slot_control(0x0280); /* attention blinks, power indicator blinks, power on */
	look_again();
	ck_assert_int_eq(slot_of(1)->attention, HB_HOST_INDICATOR_BLINK);
	ck_assert_int_eq(slot_of(1)->power_indicator, HB_HOST_INDICATOR_BLINK);
	ck_assert_int_eq(slot_of(1)->power, HB_ANSWER_YES);
	set_slot_control(0x0540); /* attention on, power indicator on, power off */
	look_again();
	ck_assert_int_eq(slot_of(1)->attention, HB_HOST_INDICATOR_ON);
	ck_assert_int_eq(slot_of(1)->power_indicator, HB_HOST_INDICATOR_ON);
	ck_assert_int_eq(slot_of(1)->power, HB_ANSWER_NO);
}
END_TEST

START_TEST(an_empty_slot_is_there_too)
{
	const HbHostSlot *slot = slot_of(80);

	ck_assert_int_eq(slot->hotplug, HB_ANSWER_YES);
	ck_assert_int_eq(slot->presence, HB_ANSWER_NO);
	ck_assert_int_eq(slot->link, HB_ANSWER_NO);
	ck_assert_int_eq(slot->power, HB_ANSWER_NO);
	ck_assert_int_eq(slot->power_indicator, HB_HOST_INDICATOR_OFF);
	ck_assert_ptr_null(slot->occupants[0]);
}
END_TEST

START_TEST(a_drive_behind_a_switch_is_in_the_switchs_slot)
{
	ck_assert_ptr_eq(drive_at("0000:09:00.0")->slot, slot_of(60));
	ck_assert_ptr_eq(drive_at("0000:0a:00.0")->slot, slot_of(61));
	ck_assert_str_eq(slot_of(60)->port, "0000:08:00.0");
	ck_assert_int_eq(slot_of(62)->presence, HB_ANSWER_NO);
}
END_TEST

START_TEST(a_drive_below_a_port_without_slot_is_in_the_nearest_slot_above)
{
	/* the switch's ports lose their slots: Slot Implemented, and the kernel's own */
	for (guint i = 60; i < 64; i++) {
		g_autofree char *slot = g_strdup_printf("sys/bus/pci/slots/%u", i);
		host_tree_remove(root, slot);
	}
	host_tree_write(root, "sys/bus/pci/devices/0000:08:00.0/config", "");
	look_again();
	ck_assert_ptr_eq(drive_at("0000:09:00.0")->slot, slot_of(50));
}
END_TEST

START_TEST(a_slot_that_no_driver_runs_is_there_without_name)
{
	host_tree_remove(root, "sys/bus/pci/slots/80");
	look_again();
	const HbHostSlot *slot = slot_of(80);
	ck_assert_ptr_null(slot->name);
	ck_assert_str_eq(slot->port, "0000:00:1a.0");
	ck_assert_int_eq(slot->hotplug, HB_ANSWER_YES);
}
END_TEST

START_TEST(a_port_whose_capabilities_run_in_a_circle_ends_nothing)
{
	guint8 config[256] = { 0 };
	g_autofree char *path =
		g_build_filename(root, "sys/bus/pci/devices/0000:00:04.0/config", NULL);

	config[0x06] = 0x10; /* there is a list */
	config[0x34] = 0x40;
	config[0x41] = 0x40;
	ck_assert(g_file_set_contents(path, (const char *)config, sizeof(config), NULL));
	look_again();
	ck_assert_uint_eq(hb_inventory_get_n_drives(inventory), 8);
}
END_TEST

START_TEST(without_root_the_kernels_slot_driver_answers)
{
	const HbHostSlot *slot = slot_of(1);

	ck_assert_str_eq(slot->port, "0000:00:04.0");
	ck_assert_int_eq(slot->hotplug, HB_ANSWER_YES);
	ck_assert_int_eq(slot->surprise, HB_ANSWER_UNKNOWN);
	ck_assert_int_eq(slot->presence, HB_ANSWER_YES);
	ck_assert_int_eq(slot->link, HB_ANSWER_UNKNOWN);
	ck_assert_int_eq(slot->power, HB_ANSWER_YES);
	ck_assert_int_eq(slot->attention, HB_HOST_INDICATOR_OFF);
	ck_assert_int_eq(slot->power_indicator, HB_HOST_INDICATOR_UNKNOWN);
	ck_assert_ptr_eq(drive_at("0000:01:00.0")->slot, slot);
	ck_assert_int_eq(slot_of(80)->presence, HB_ANSWER_NO);
}
END_TEST

START_TEST(functions_with_other_device_numbers_are_in_the_slot_too)
{
	host_tree_write(root, "sys/bus/pci/devices/0000:01:02.3/class", "0x010802\n");
	look_again();
	ck_assert_str_eq(slot_of(1)->occupants[1], "0000:01:02.3");
}
END_TEST

START_TEST(slots_of_a_conventional_bus_have_a_device_each)
{
	host_tree_write(root, "sys/bus/pci/slots/7/address", "0000:00:05\n");
	host_tree_write(root, "sys/bus/pci/slots/7/adapter", "1\n");
	host_tree_write(root, "sys/bus/pci/devices/0000:00:05.0/class", "0x020000\n");
	look_again();
	ck_assert_ptr_null(slot_of(7)->port);
	ck_assert_int_eq(slot_of(7)->presence, HB_ANSWER_YES);
	ck_assert_int_eq(slot_of(7)->hotplug, HB_ANSWER_UNKNOWN);
	ck_assert_str_eq(slot_of(7)->occupants[0], "0000:00:05.0");
	ck_assert_ptr_null(slot_of(7)->occupants[1]);
}
END_TEST

START_TEST(a_network_share_that_is_called_like_a_drive_is_none)
{
	host_tree_write(root, "proc/self/mountinfo",
			"40 1 0:50 / /mnt rw - nfs4 server:/export/nvme0n1 rw\n");
	look_again();
	ck_assert_uint_eq(drive_at("0000:01:00.0")->n_obstacles, 0);
}
END_TEST

START_TEST(a_host_without_pci_is_an_error)
{
	g_autoptr(GError) error = NULL;

	host_tree_remove(root, "sys/bus/pci/devices");
	ck_assert_ptr_null(hb_inventory_take(root, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(strstr(error->message, "sys/bus/pci/devices"));
}
END_TEST

static void look_at_sriov(void)
{
	look_at("sriov");
}

static void look_at_laptop(void)
{
	look_at("laptop");
}

static void look_without_root(void)
{
	look_at("unprivileged");
}

static void add_host(Suite *suite, const char *name, void (*look)(void), const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, look, teardown);
	tcase_set_timeout(tcase, 60); /* many small files, on a busy machine */
	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
	suite_add_tcase(suite, tcase);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("inventory");
	const TTest *const of_server[] = {
		every_nvme_drive_is_there_and_nothing_else,
		an_idle_drive_can_be_passed_through,
		a_drive_says_who_it_is,
		a_path_of_a_multipath_namespace_is_named_for_what_people_use,
		names_come_from_the_hosts_list,
		without_a_list_names_are_numbers,
		a_broken_list_costs_the_names_and_nothing_else,
		mounts_and_swap_of_partitions_are_told,
		an_md_array_is_told_and_what_is_mounted_from_it,
		a_logical_volume_is_told,
		an_encrypted_device_is_told,
		a_process_that_has_it_open_is_told,
		one_of_several_devices_of_a_btrfs_is_told,
		a_member_of_an_imported_pool_is_told,
		a_shared_group_names_the_foreigner,
		a_drive_that_cannot_be_reset_is_told,
		a_drive_in_a_vm_is_told_with_the_vms_process,
		a_drive_behind_vmd_is_there_and_refused,
		every_slot_is_there_by_number,
		an_occupied_slot_says_what_its_port_says,
		indicators_and_power_are_what_slot_control_says,
		an_empty_slot_is_there_too,
		a_drive_behind_a_switch_is_in_the_switchs_slot,
		a_drive_below_a_port_without_slot_is_in_the_nearest_slot_above,
		a_slot_that_no_driver_runs_is_there_without_name,
		a_port_whose_capabilities_run_in_a_circle_ends_nothing,
		functions_with_other_device_numbers_are_in_the_slot_too,
		slots_of_a_conventional_bus_have_a_device_each,
		a_network_share_that_is_called_like_a_drive_is_none,
		a_host_without_pci_is_an_error,
		NULL,
	};
	const TTest *const of_sriov[] = {
		functions_that_are_switched_on_are_told_and_are_drives_themselves, NULL
	};
	const TTest *const of_laptop[] = { a_laptop_without_iommu_can_pass_nothing_through, NULL };
	const TTest *const of_unprivileged[] = { without_root_the_kernels_slot_driver_answers,
						 NULL };

	add_host(suite, "server", look_at_server, of_server);
	add_host(suite, "SR-IOV", look_at_sriov, of_sriov);
	add_host(suite, "laptop", look_at_laptop, of_laptop);
	add_host(suite, "unprivileged", look_without_root, of_unprivileged);
	return suite;
}
