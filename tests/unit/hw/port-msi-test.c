/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A port's MSI: its registers bit by bit, and which of the slot's events are sent when. */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#define MSI_ADDRESS_LO (HB_PORT_MSI + PCI_MSI_ADDRESS_LO)
#define MSI_ADDRESS_HI (HB_PORT_MSI + PCI_MSI_ADDRESS_HI)
#define MSI_DATA       (HB_PORT_MSI + PCI_MSI_DATA_64)
#define HPIE	       PCI_EXP_SLTCTL_HPIE

/* Registers. */

static const struct {
	guint offset; /* of a doubleword */
	guint32 initial;
	guint32 writable;
} registers[] = {
	/* 64-bit address, per-vector masking, one vector; after it in the chain is PM */
	{ HB_PORT_MSI, 0x01800000 | HB_PORT_PM << 8 | PCI_CAP_ID_MSI, 0x00710000 },
	{ MSI_ADDRESS_LO, 0, 0xfffffffc },
	{ MSI_ADDRESS_HI, 0, 0xffffffff },
	{ MSI_DATA, 0, 0x0000ffff },
	{ MSI_MASK, 0, 0x00000001 },
	{ MSI_PENDING, 0, 0 },
};

START_TEST(test_each_register_keeps_exactly_its_writable_bits_at_each_width)
{
	guint offset = registers[_i].offset;
	guint32 writable = registers[_i].writable, fixed = registers[_i].initial;

	scene_create_default();
	ck_assert_uint_eq(scene_read_port(offset, 4), fixed);
	for (guint size = 1; size <= 4; size *= 2) {
		for (guint at = 0; at < 4; at += size) {
			guint32 mask = (guint32)((1ull << 8 * size) - 1) << (8 * at);

			scene_write_port(offset + at, size, 0xffffffff >> (32 - 8 * size));
			ck_assert_uint_eq(scene_read_port(offset, 4), fixed | (writable & mask));
			scene_write_port(offset + at, size, 0);
			ck_assert_uint_eq(scene_read_port(offset, 4), fixed);
		}
	}
}
END_TEST

START_TEST(test_each_bit_of_the_message_is_the_guests)
{
	g_autofree char *expected = g_strdup_printf("attach A\nmsi %x%08x %x\n", 1u << _i,
						    4u << _i % 30, 1u << _i % 16);
	scene_create_default();
	scene_boot();
	scene_write_port(MSI_ADDRESS_HI, 4, 1u << _i);
	scene_write_port(MSI_ADDRESS_LO, 4, 4u << _i % 30);
	scene_write_port(MSI_DATA, 2, 1u << _i % 16);

	scene_plug(&scene_drive_a);

	scene_assert_transcript(expected);
}
END_TEST

/* Events. */

/* MSI enabled, vector unmasked, HPIE and the event's own enable: sent if all of them. */
START_TEST(test_an_event_is_sent_if_everything_lets_it)
{
	gboolean enabled = !!(_i & 1), unmasked = !!(_i & 2), listening = !!(_i & 4);
	gboolean wanted = !!(_i & 8);
	gboolean asserted = listening && wanted;

	scene_create_default();
	scene_boot();
	scene_write_port(MSI_CONTROL, 2, enabled ? PCI_MSI_FLAGS_ENABLE : 0);
	scene_write_port(MSI_MASK, 4, !unmasked);
	scene_write_port(SLOT_CONTROL, 2,
			 OFF | (listening ? HPIE : 0) | (wanted ? PCI_EXP_SLTCTL_DLLSCE : 0));

	scene_plug(&scene_drive_a);

	scene_assert_transcript(asserted && enabled && unmasked ? "attach A\nmsi fee00000 41\n"
								: "attach A\n");
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), asserted && enabled && !unmasked);
}
END_TEST

/* Each event with its enable, and with all enables but its own. */
static const struct {
	guint16 enable;
	guint16 event;
} events[] = {
	{ PCI_EXP_SLTCTL_ABPE, ABP },
	{ PCI_EXP_SLTCTL_PDCE, PDC },
	{ PCI_EXP_SLTCTL_CCIE, CC },
	{ PCI_EXP_SLTCTL_DLLSCE, DLLSC },
};

/* A switched-off slot that was pressed, with every event standing. */
static void raise_all(void)
{
	scene_boot();
	scene_write_port(SLOT_CONTROL, 2, OFF | PCI_EXP_SLTCTL_PCC | HPIE | PCI_EXP_SLTCTL_ABPE);
	scene_plug(&scene_drive_a);				     /* PDC, ABP */
	scene_write_port(SLOT_CONTROL, 2, OFF | HPIE);		     /* DLLSC */
	scene_write_port(SLOT_CONTROL, 2, OFF | PCI_EXP_SLTCTL_PCC); /* CC */
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), ABP | PDC | CC | DLLSC | PDS);
}

/* Every subset of the events standing, and every subset of the enables: the interrupt comes when
 * HPIE is set over an enabled event, and only then. */
static void check_enables(guint index)
{
	HbPortConfig config = scene_get_config();
	guint16 standing = 0, enables = 0;

	for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
		standing |= (guint16)index & 1u << i ? events[i].event : 0;
		enables |= (guint16)index & 16u << i ? events[i].enable : 0;
	}
	config.no_command_completed = FALSE;
	config.power_controller = TRUE;
	scene_create(&config);
	raise_all();
	scene_write_port(SLOT_CONTROL, 2, OFF | enables);
	scene_write_port(SLOT_STATUS, 2, (guint16)~standing);
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2) & (ABP | PDC | CC | DLLSC), standing);
	scene_forget_transcript();

	/* A command completes, too: with Command Completed enabled that is an edge by itself. */
	scene_write_port(SLOT_CONTROL, 1, (OFF | enables | HPIE) & 0xff);

	gboolean expected = (standing & ABP && enables & PCI_EXP_SLTCTL_ABPE) ||
			    (standing & PDC && enables & PCI_EXP_SLTCTL_PDCE) ||
			    (standing & DLLSC && enables & PCI_EXP_SLTCTL_DLLSCE) ||
			    enables & PCI_EXP_SLTCTL_CCIE;
	scene_assert_transcript(expected ? "msi fee00000 41\n" : "");
}

START_TEST(test_every_event_has_its_own_enable)
{
	for (guint i = 0; i < 16; i++) {
		if (i) {
			scene_tear_down();
			scene_set_up();
		}
		check_enables((guint)_i * 16 + i);
	}
}
END_TEST

START_TEST(test_an_event_is_sent_again_after_it_was_cleared_and_not_before)
{
	scene_create_default();
	scene_boot();
	scene_plug(&scene_drive_a);
	scene_assert_transcript("attach A\nmsi fee00000 41\n");
	hb_port_pull(scene_port, NULL); /* DLLSC stands already */
	scene_assert_transcript("sever A\n");

	scene_write_port(SLOT_STATUS, 2, PDC); /* not the one that is enabled */
	scene_set_indicator(OFF);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	scene_forget_transcript();
	scene_write_port(SLOT_STATUS, 2, DLLSC);
	hb_port_pull(scene_port, NULL);

	scene_assert_transcript("sever B\nmsi fee00000 41\n");
}
END_TEST

START_TEST(test_two_events_behind_a_mask_are_one_message)
{
	scene_create_default();
	scene_boot();
	scene_write_port(MSI_MASK, 1, 1);
	scene_plug(&scene_drive_a);
	scene_clear_events();
	hb_port_pull(scene_port, NULL);
	scene_forget_transcript();

	scene_write_port(MSI_MASK, 1, 0);
	scene_assert_transcript("msi fee00000 41\n");
	scene_write_port(MSI_MASK, 1, 1);
	scene_write_port(MSI_MASK, 1, 0);

	scene_assert_transcript("");
}
END_TEST

START_TEST(test_a_write_elsewhere_does_not_send_what_is_pending)
{
	scene_create_default();
	scene_boot();
	scene_write_port(MSI_MASK, 4, 1);
	scene_plug(&scene_drive_a);
	scene_forget_transcript();

	scene_write_port(MSI_MASK + 1, 1, 0);
	scene_write_port(MSI_PENDING, 4, 0);
	scene_write_port(MSI_DATA, 2, 0x42);
	scene_assert_transcript("");
	ck_assert_uint_eq(scene_read_port(MSI_PENDING, 4), 1);
	scene_write_port(MSI_MASK, 1, 0);

	scene_assert_transcript("msi fee00000 42\n");
}
END_TEST

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
	Suite *suite = suite_create("port-msi");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_loop_test(cases, test_each_register_keeps_exactly_its_writable_bits_at_each_width,
			    0, G_N_ELEMENTS(registers));
	tcase_add_loop_test(cases, test_each_bit_of_the_message_is_the_guests, 0, 32);
	tcase_add_loop_test(cases, test_an_event_is_sent_if_everything_lets_it, 0, 16);
	tcase_add_loop_test(cases, test_every_event_has_its_own_enable, 0, 16);
	tcase_add_test(cases, test_an_event_is_sent_again_after_it_was_cleared_and_not_before);
	tcase_add_test(cases, test_two_events_behind_a_mask_are_one_message);
	tcase_add_test(cases, test_a_write_elsewhere_does_not_send_what_is_pending);
	tcase_add_test(cases, test_interrupt_comes_once_until_the_events_are_cleared);
	tcase_add_test(cases, test_masked_interrupt_is_pending_and_comes_at_the_unmasking);
	tcase_add_test(cases, test_pending_interrupt_goes_with_its_cause);
	tcase_add_test(cases, test_nothing_is_signalled_while_msi_is_off);
	tcase_add_test(cases, test_enabling_interrupts_over_an_event_signals);
	suite_add_tcase(suite, cases);
	return suite;
}
