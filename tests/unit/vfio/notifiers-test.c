/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The verdict, read from a memory file that plays the drive's configuration space. */

#include "tests/unit/suite.h"
#include "vfio/notifiers.h"

#include <linux/pci_regs.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static HbVfioConfig config;

static void setup(void)
{
	guint8 image[HB_CONFIG_SIZE] = { [PCI_STATUS] = PCI_STATUS_CAP_LIST };
	int fd = memfd_create("drive", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, image, sizeof(image)), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, 0, NULL));
}

static void teardown(void)
{
	close(config.device_fd);
}

START_TEST(a_drive_that_answers_is_there)
{
	ck_assert(!hb_vfio_notifiers_is_gone(&config));
}
END_TEST

START_TEST(a_drive_whose_status_reads_all_ones_is_gone)
{
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));
	ck_assert(hb_vfio_notifiers_is_gone(&config));
}
END_TEST

START_TEST(a_drive_that_cannot_be_read_is_gone)
{
	ck_assert_int_eq(ftruncate(config.device_fd, 0), 0);
	ck_assert(hb_vfio_notifiers_is_gone(&config));
}
END_TEST

START_TEST(cached_ids_prove_nothing)
{
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_VENDOR_ID, 0x144d));
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));
	ck_assert(hb_vfio_notifiers_is_gone(&config));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("notifiers");
	TCase *tcase = tcase_create("verdict");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_drive_that_answers_is_there);
	tcase_add_test(tcase, a_drive_whose_status_reads_all_ones_is_gone);
	tcase_add_test(tcase, a_drive_that_cannot_be_read_is_gone);
	tcase_add_test(tcase, cached_ids_prove_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
