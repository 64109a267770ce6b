/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The chain of capabilities. */

#include "hw/capability.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>

static HbConfigSpace config;

static void set_up(void)
{
	hb_config_space_init(&config);
}

START_TEST(test_guest_meets_capabilities_in_the_order_of_adding)
{
	hb_capability_add(&config, PCI_CAP_ID_EXP, 0x60);
	hb_capability_add(&config, PCI_CAP_ID_MSI, 0x48);
	hb_capability_add(&config, PCI_CAP_ID_PM, 0x40);

	ck_assert(hb_config_space_get_u16(&config, PCI_STATUS) & PCI_STATUS_CAP_LIST);
	ck_assert_uint_eq(hb_config_space_get_u8(&config, PCI_CAPABILITY_LIST), 0x60);
	ck_assert_uint_eq(hb_config_space_get_u8(&config, 0x61), 0x48);
	ck_assert_uint_eq(hb_config_space_get_u8(&config, 0x49), 0x40);
	ck_assert_uint_eq(hb_config_space_get_u8(&config, 0x41), 0);
}
END_TEST

START_TEST(test_status_says_that_there_is_a_chain)
{
	ck_assert_uint_eq(hb_config_space_get_u16(&config, PCI_STATUS), 0);

	hb_capability_add(&config, PCI_CAP_ID_EXP, 0x60);

	ck_assert_uint_eq(hb_config_space_get_u16(&config, PCI_STATUS), PCI_STATUS_CAP_LIST);
	ck_assert_uint_eq(hb_config_space_get_u8(&config, 0x60), PCI_CAP_ID_EXP);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("capability");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, set_up, NULL);
	tcase_add_test(cases, test_guest_meets_capabilities_in_the_order_of_adding);
	tcase_add_test(cases, test_status_says_that_there_is_a_chain);
	suite_add_tcase(suite, cases);
	return suite;
}
