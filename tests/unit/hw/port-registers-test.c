/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A root port's registers as its guest sees them, but for those of the slot
 * (slot-registers-test.c), of interrupts (port-msi-test.c) and of errors (aer-test.c).
 */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

/* What the guest reads. */

START_TEST(test_port_is_a_bridge_with_its_capabilities_in_order)
{
	scene_create_default();

	ck_assert_uint_eq(scene_read_port(PCI_VENDOR_ID, 4), 0x000c1b36);
	ck_assert_uint_eq(scene_read_port(PCI_CLASS_DEVICE, 2), 0x0604);
	ck_assert_uint_eq(scene_read_port(PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_BRIDGE);
	ck_assert_uint_eq(scene_read_port(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST,
			  PCI_STATUS_CAP_LIST);
	ck_assert_uint_eq(scene_read_port(PCI_CAPABILITY_LIST, 1), HB_PORT_EXPRESS);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS, 2), PCI_CAP_ID_EXP | HB_PORT_MSI << 8);
	ck_assert_uint_eq(scene_read_port(HB_PORT_MSI, 2), PCI_CAP_ID_MSI | HB_PORT_PM << 8);
	ck_assert_uint_eq(scene_read_port(HB_PORT_PM, 2), PCI_CAP_ID_PM);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_FLAGS, 2), 0x0142);
	ck_assert_uint_eq(scene_read_port(PCI_INTERRUPT_PIN, 1), 0);
	ck_assert_uint_eq(scene_read_port(HB_PORT_AER, 4), PCI_EXT_CAP_ID_ERR | 2 << 16);
}
END_TEST

START_TEST(test_slot_capabilities_say_what_was_configured)
{
	scene_create_default();

	guint32 capabilities = scene_read_port(SLOT_CAP, 4);

	ck_assert_uint_eq(capabilities & 0x7f, PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_AIP |
						       PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPS |
						       PCI_EXP_SLTCAP_HPC);
	ck_assert_uint_eq(capabilities & PCI_EXP_SLTCAP_NCCS, PCI_EXP_SLTCAP_NCCS);
	ck_assert_uint_eq(capabilities >> 19, 5);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_LNKCAP, 4) &
				  PCI_EXP_LNKCAP_DLLLARC,
			  PCI_EXP_LNKCAP_DLLLARC);
}
END_TEST

START_TEST(test_link_status_has_width_and_speed_only_while_active)
{
	scene_create_default();
	ck_assert_uint_eq(scene_read_port(LINK_STATUS, 2), 0);

	scene_plug(&scene_drive_a);

	ck_assert_uint_eq(scene_read_port(LINK_STATUS, 2), PCI_EXP_LNKSTA_DLLLA | 16 << 4 | 5);
	hb_port_pull(scene_port, NULL);
	ck_assert_uint_eq(scene_read_port(LINK_STATUS, 2), 0);
}
END_TEST

START_TEST(test_read_only_registers_stay)
{
	scene_create_default();
	guint32 slot_capabilities = scene_read_port(SLOT_CAP, 4);

	for (guint offset = 0; offset < 0x200; offset += 4)
		if (offset != (SLOT_CONTROL & ~3u))
			scene_write_port(offset, 4, 0xffffffff);

	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4), slot_capabilities);
	ck_assert_uint_eq(scene_read_port(LINK_STATUS, 2), 0);
	ck_assert_uint_eq(scene_read_port(PCI_VENDOR_ID, 4), 0x000c1b36);
	ck_assert_uint_eq(scene_read_port(PCI_IO_BASE, 2), 0);
	ck_assert_uint_eq(scene_read_port(HB_PORT_AER, 4), PCI_EXT_CAP_ID_ERR | 2 << 16);
}
END_TEST

START_TEST(test_express_registers_are_those_of_a_port)
{
	scene_create_default();

	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_DEVCAP, 4),
			  PCI_EXP_DEVCAP_RBER);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_DEVCTL, 2), 0x2810);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_LNKCAP, 4), 0x05100105);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_LNKCAP2, 4), 0x3e);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_LNKCTL2, 2), 5);
	ck_assert_uint_eq(scene_read_port(HB_PORT_PM + PCI_PM_PMC, 2), 3);
	ck_assert_uint_eq(scene_read_port(PM_CONTROL, 2), PCI_PM_CTRL_NO_SOFT_RESET);
}
END_TEST

START_TEST(test_link_and_root_control_keep_their_bits)
{
	scene_create_default();

	scene_write_port(HB_PORT_EXPRESS + PCI_EXP_DEVCTL, 2, 0xffff);
	scene_write_port(HB_PORT_EXPRESS + PCI_EXP_LNKCTL, 2, 0xffff);
	scene_write_port(HB_PORT_EXPRESS + PCI_EXP_RTCTL, 2, 0xffff);

	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_DEVCTL, 2), 0x78ff);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_LNKCTL, 2), 0x00c3);
	ck_assert_uint_eq(scene_read_port(HB_PORT_EXPRESS + PCI_EXP_RTCTL, 2), 0x000f);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("port-registers");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_test(cases, test_port_is_a_bridge_with_its_capabilities_in_order);
	tcase_add_test(cases, test_slot_capabilities_say_what_was_configured);
	tcase_add_test(cases, test_link_status_has_width_and_speed_only_while_active);
	tcase_add_test(cases, test_read_only_registers_stay);
	tcase_add_test(cases, test_express_registers_are_those_of_a_port);
	tcase_add_test(cases, test_link_and_root_control_keep_their_bits);
	suite_add_tcase(suite, cases);
	return suite;
}
