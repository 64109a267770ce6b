/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What the host's port says of its slot, read from a port's configuration space in a sysfs tree
 * that was made for the test. */

#include "tests/unit/suite.h"
#include "vfio/host-port.h"

#include <ftw.h>
#include <glib.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRIVE	"0000:01:00.0"
#define EXPRESS 0x54
#define SIZE	256

static char *root;
static char *config_path;
static guint8 config[SIZE];

static void put16(guint offset, guint16 value)
{
	config[offset] = (guint8)value;
	config[offset + 1] = (guint8)(value >> 8);
}

static void write_config(gsize size)
{
	ck_assert(g_file_set_contents(config_path, (char *)config, (gssize)size, NULL));
}

/* A port with a hot-plug slot, its drive below it. */
static void setup(void)
{
	root = g_dir_make_tmp("hotbay-sysfs-XXXXXX", NULL);
	g_autofree char *port = g_build_filename(root, "devices/pci0000:00/0000:00:04.0", NULL);
	g_autofree char *drive = g_build_filename(port, DRIVE, NULL);
	g_autofree char *links = g_build_filename(root, "bus/pci/devices", NULL);
	g_autofree char *link = g_build_filename(links, DRIVE, NULL);

	ck_assert_int_eq(g_mkdir_with_parents(drive, 0755), 0);
	ck_assert_int_eq(g_mkdir_with_parents(links, 0755), 0);
	ck_assert_int_eq(symlink("../../../devices/pci0000:00/0000:00:04.0/" DRIVE, link), 0);
	config_path = g_build_filename(port, "config", NULL);
	memset(config, 0, sizeof(config));
	config[PCI_CAPABILITY_LIST] = 0x40;
	put16(0x40, PCI_CAP_ID_PM | EXPRESS << 8);
	put16(EXPRESS, PCI_CAP_ID_EXP);
	put16(EXPRESS + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT);
	put16(EXPRESS + PCI_EXP_SLTCAP, PCI_EXP_SLTCAP_HPC);
	put16(EXPRESS + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_PDS);
	write_config(SIZE);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	return remove(path);
}

static void teardown(void)
{
	nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	g_clear_pointer(&config_path, g_free);
	g_clear_pointer(&root, g_free);
}

static HbVfioPresence open_and_look(const char *drive)
{
	HbVfioHostPort *port = hb_vfio_host_port_open(root, drive);
	HbVfioPresence presence = hb_vfio_host_port_look(port);

	hb_vfio_host_port_close(port);
	return presence;
}

START_TEST(an_occupied_slot_says_so)
{
	ck_assert_int_eq(open_and_look(DRIVE), HB_VFIO_PRESENCE_OCCUPIED);
}
END_TEST

/* The same open port: it outlives its drive, and the drive's folder. */
START_TEST(a_drive_that_is_pulled_leaves_an_empty_slot)
{
	g_autofree char *link = g_build_filename(root, "bus/pci/devices", DRIVE, NULL);
	HbVfioHostPort *port = hb_vfio_host_port_open(root, DRIVE);
	FILE *file = fopen(config_path, "r+");

	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(fseek(file, EXPRESS + PCI_EXP_SLTSTA, SEEK_SET), 0);
	ck_assert_int_eq((int)fwrite("\0\0", 1, 2, file), 2);
	ck_assert_int_eq(fclose(file), 0);

	ck_assert_int_eq(hb_vfio_host_port_look(port), HB_VFIO_PRESENCE_EMPTY);
	hb_vfio_host_port_close(port);
}
END_TEST

START_TEST(a_port_that_has_gone_itself_is_empty)
{
	put16(EXPRESS + PCI_EXP_SLTSTA, 0xffff);
	write_config(SIZE);

	ck_assert_int_eq(open_and_look(DRIVE), HB_VFIO_PRESENCE_EMPTY);
}
END_TEST

START_TEST(a_slot_that_is_not_hot_plug_capable_tells_nothing)
{
	put16(EXPRESS + PCI_EXP_SLTCAP, 0);
	write_config(SIZE);

	ck_assert_int_eq(open_and_look(DRIVE), HB_VFIO_PRESENCE_UNKNOWN);
}
END_TEST

START_TEST(a_port_without_a_slot_tells_nothing)
{
	put16(EXPRESS + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ROOT_PORT << 4);
	write_config(SIZE);

	ck_assert_int_eq(open_and_look(DRIVE), HB_VFIO_PRESENCE_UNKNOWN);
}
END_TEST

START_TEST(a_process_that_may_read_64_bytes_learns_nothing)
{
	write_config(64);

	ck_assert_int_eq(open_and_look(DRIVE), HB_VFIO_PRESENCE_UNKNOWN);
}
END_TEST

START_TEST(a_chain_that_never_ends_tells_nothing)
{
	put16(0x40, PCI_CAP_ID_PM | 0x40 << 8);
	write_config(SIZE);

	ck_assert_int_eq(open_and_look(DRIVE), HB_VFIO_PRESENCE_UNKNOWN);
}
END_TEST

START_TEST(a_drive_that_is_not_there_has_no_port)
{
	ck_assert_int_eq(open_and_look("0000:99:00.0"), HB_VFIO_PRESENCE_UNKNOWN);
	ck_assert_int_eq(hb_vfio_host_port_look(NULL), HB_VFIO_PRESENCE_UNKNOWN);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host-port");
	TCase *tcase = tcase_create("presence");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_occupied_slot_says_so);
	tcase_add_test(tcase, a_drive_that_is_pulled_leaves_an_empty_slot);
	tcase_add_test(tcase, a_port_that_has_gone_itself_is_empty);
	tcase_add_test(tcase, a_slot_that_is_not_hot_plug_capable_tells_nothing);
	tcase_add_test(tcase, a_port_without_a_slot_tells_nothing);
	tcase_add_test(tcase, a_process_that_may_read_64_bytes_learns_nothing);
	tcase_add_test(tcase, a_chain_that_never_ends_tells_nothing);
	tcase_add_test(tcase, a_drive_that_is_not_there_has_no_port);
	suite_add_tcase(suite, tcase);
	return suite;
}
