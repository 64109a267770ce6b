/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A root port's registers and interrupts, as its guest sees them. */

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

/* For each property set, the bits of Slot Control that exist. */
static const struct {
	gboolean button, power, indicators, no_command_completed;
	guint16 writable;
} controls[] = {
	{ FALSE, FALSE, FALSE, TRUE, 0x1028 },	{ TRUE, FALSE, FALSE, TRUE, 0x1029 },
	{ FALSE, TRUE, FALSE, TRUE, 0x1428 },	{ FALSE, FALSE, TRUE, TRUE, 0x13e8 },
	{ FALSE, FALSE, FALSE, FALSE, 0x1038 }, { TRUE, TRUE, TRUE, FALSE, 0x17f9 },
};

static void create_for_control(guint i)
{
	HbPortConfig config = scene_get_config();

	config.attention_button = controls[i].button;
	config.power_controller = controls[i].power;
	config.indicators = controls[i].indicators;
	config.no_command_completed = controls[i].no_command_completed;
	scene_create(&config);
}

START_TEST(test_slot_control_keeps_exactly_the_bits_that_exist)
{
	guint set = (guint)_i / 3;
	guint size = 1u << (_i % 3);

	create_for_control(set);
	for (guint bit = 0; bit < 16; bit++) {
		guint16 expected = (guint16)(1u << bit) & controls[set].writable;

		scene_write_port(SLOT_CONTROL, 2, controls[set].writable); /* indicators: 11b */
		scene_write_port(SLOT_CONTROL, 2, 0);
		/* An indicator field is never zero: it stays at 11b unless written otherwise. */
		guint16 others = controls[set].writable & 0x03c0;
		if (expected & 0x00c0)
			others &= (guint16)~0x00c0;
		if (expected & 0x0300)
			others &= (guint16)~0x0300;
		if (size == 1)
			scene_write_port(SLOT_CONTROL + bit / 8, 1, 1u << (bit % 8));
		else
			scene_write_port(SLOT_CONTROL, size, 1u << bit);
		ck_assert_uint_eq(scene_read_port(SLOT_CONTROL, 2), expected | others);
	}
}
END_TEST

START_TEST(test_slot_status_clears_exactly_the_ones_written)
{
	static const guint16 bits[] = { ABP, PDC, CC, DLLSC };
	HbPortConfig config = scene_get_config();
	guint16 bit = bits[_i / 3];
	guint size = 1u << (_i % 3);
	guint16 all = ABP | PDC | CC | DLLSC | PDS;

	config.no_command_completed = FALSE;
	config.power_controller = TRUE;
	scene_create(&config);
	scene_boot();
	scene_plug(&scene_drive_a);		   /* PDC, ABP */
	scene_write_port(SLOT_CONTROL, 2, 0x1021); /* power on: DLLSC, CC */
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), all);

	if (size == 1)
		scene_write_port(SLOT_STATUS + (bit > 0xff), 1, bit > 0xff ? bit >> 8 : bit);
	else if (size == 2)
		scene_write_port(SLOT_STATUS, 2, bit);
	else
		scene_write_port(SLOT_CONTROL, 4, 0x1021 | (guint32)bit << 16);

	/* The doubleword is a command too, and that completes. */
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), (all & ~bit) | (size == 4 ? CC : 0));
}
END_TEST

START_TEST(test_slot_status_zeros_and_state_bits_clear_nothing)
{
	scene_create_default();
	scene_boot();
	scene_plug(&scene_drive_a);

	scene_write_port(SLOT_STATUS, 2, 0);
	scene_write_port(SLOT_STATUS, 2, (guint16) ~(PDC | DLLSC));

	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDS | PDC | DLLSC);
}
END_TEST

START_TEST(test_event_between_read_and_clear_survives)
{
	scene_create_default();
	scene_boot();
	scene_plug(&scene_drive_a);
	guint32 seen = scene_read_port(SLOT_STATUS, 2);
	scene_set_indicator(BLINK);
	scene_set_indicator(ON);
	scene_request_removal();

	scene_write_port(SLOT_STATUS, 2, seen);

	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDS | ABP);
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

/* Interrupts. */

START_TEST(test_interrupt_comes_once_until_the_events_are_cleared)
{
	scene_create_default();
	scene_boot_with_drive();

	scene_request_removal();
	scene_assert_transcript("msi fee00000 41\n");
	hb_port_pull(scene_port, NULL);
	scene_assert_transcript("sever A\n");
	scene_clear_events();
	scene_set_indicator(OFF);
	scene_plug(&scene_drive_b);

	scene_assert_transcript("attach B\nmsi fee00000 41\n");
}
END_TEST

START_TEST(test_masked_interrupt_is_pending_and_comes_at_the_unmasking)
{
	scene_create_default();
	scene_boot();
	scene_write_port(MSI_MASK, 4, 1);
	scene_plug(&scene_drive_a);
	scene_assert_transcript("attach A\n");
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 1);

	scene_write_port(MSI_MASK, 4, 0);

	scene_assert_transcript("msi fee00000 41\n");
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 0);
}
END_TEST

START_TEST(test_pending_interrupt_goes_with_its_cause)
{
	scene_create_default();
	scene_boot();
	scene_write_port(MSI_MASK, 4, 1);
	scene_plug(&scene_drive_a);
	scene_clear_events();
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 0);
	scene_forget_transcript();

	scene_write_port(MSI_MASK, 4, 0);

	scene_assert_transcript("");
}
END_TEST

START_TEST(test_nothing_is_signalled_while_msi_is_off)
{
	scene_create_default();
	scene_boot();
	scene_write_port(MSI_CONTROL, 2, 0);

	scene_plug(&scene_drive_a);

	scene_assert_transcript("attach A\n");
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 0);
}
END_TEST

START_TEST(test_enabling_interrupts_over_an_event_signals)
{
	scene_create_default();
	scene_boot();
	scene_write_port(SLOT_CONTROL, 1, PCI_EXP_SLTCTL_ABPE);
	scene_plug(&scene_drive_a);
	scene_forget_transcript();

	scene_write_port(SLOT_CONTROL, 1, PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_HPIE);

	scene_assert_transcript("msi fee00000 41\n");
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
	tcase_add_loop_test(cases, test_slot_control_keeps_exactly_the_bits_that_exist, 0,
			    3 * (int)G_N_ELEMENTS(controls));
	tcase_add_loop_test(cases, test_slot_status_clears_exactly_the_ones_written, 0, 12);
	tcase_add_test(cases, test_slot_status_zeros_and_state_bits_clear_nothing);
	tcase_add_test(cases, test_event_between_read_and_clear_survives);
	tcase_add_test(cases, test_read_only_registers_stay);
	tcase_add_test(cases, test_express_registers_are_those_of_a_port);
	tcase_add_test(cases, test_link_and_root_control_keep_their_bits);
	tcase_add_test(cases, test_interrupt_comes_once_until_the_events_are_cleared);
	tcase_add_test(cases, test_masked_interrupt_is_pending_and_comes_at_the_unmasking);
	tcase_add_test(cases, test_pending_interrupt_goes_with_its_cause);
	tcase_add_test(cases, test_nothing_is_signalled_while_msi_is_off);
	tcase_add_test(cases, test_enabling_interrupts_over_an_event_signals);
	suite_add_tcase(suite, cases);
	return suite;
}
