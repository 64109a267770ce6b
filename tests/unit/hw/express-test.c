/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The link between a port and the drive in it, as both ends of it tell their guest. */

#include "hw/express.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>
#include <string.h>

#define EXPRESS	    0x70
#define LINK_STATUS (EXPRESS + PCI_EXP_LNKSTA)

static guint8 registers[256];

static guint32 config_read(HbPciFunction *function, guint offset, guint size)
{
	guint32 value = 0;

	for (guint i = 0; i < size; i++)
		value |= (guint32)registers[(offset + i) % sizeof(registers)] << (8 * i);
	return value;
}

static const HbPciFunctionOps ops = { .config_read = config_read };
static HbPciFunction function = { .ops = &ops };
static const HbLink fastest = { .speed = HB_LINK_SPEED_16_GT, .width = 8 };

/* A drive with two capabilities, of which the second is Express. */
static void set_up(void)
{
	memset(registers, 0, sizeof(registers));
	registers[PCI_CAPABILITY_LIST] = 0x40;
	registers[0x40] = PCI_CAP_ID_PM;
	registers[0x41] = EXPRESS;
	registers[EXPRESS] = PCI_CAP_ID_EXP;
}

static void assert_link(guint speed, guint width)
{
	HbLink link = hb_express_get_link(&function, fastest);

	ck_assert_uint_eq(link.speed, speed);
	ck_assert_uint_eq(link.width, width);
}

START_TEST(test_the_link_is_the_slower_and_narrower_of_both_ends)
{
	static const guint8 widths[] = { 1, 2, 4, 8, 12, 16, 32 };
	guint speed = (guint)_i / G_N_ELEMENTS(widths) + 1;
	guint width = widths[(guint)_i % G_N_ELEMENTS(widths)];

	registers[LINK_STATUS] = (guint8)(speed | width << 4);
	registers[LINK_STATUS + 1] = (guint8)(width >> 4 | 0x30); /* and clock, and active */

	assert_link(MIN(speed, HB_LINK_SPEED_16_GT), MIN(width, 8));
}
END_TEST

static const guint16 nonsense[] = { 0x0000, 0x0040, 0x0003, 0x0047, 0x0053, 0x0213, 0xffff };

START_TEST(test_what_can_be_no_link_is_the_ports)
{
	registers[LINK_STATUS] = (guint8)nonsense[_i];
	registers[LINK_STATUS + 1] = (guint8)(nonsense[_i] >> 8);

	assert_link(fastest.speed, fastest.width);
}
END_TEST

START_TEST(test_a_function_without_express_runs_at_the_ports_link)
{
	registers[0x41] = 0;
	registers[LINK_STATUS] = 0x11;

	assert_link(fastest.speed, fastest.width);
}
END_TEST

START_TEST(test_a_chain_that_never_ends_is_given_up)
{
	registers[0x41] = 0x40;

	assert_link(fastest.speed, fastest.width);
}
END_TEST

START_TEST(test_a_capability_that_does_not_fit_is_not_read)
{
	registers[0x41] = 0xf0;
	registers[0xf0] = PCI_CAP_ID_EXP;
	registers[(0xf0 + PCI_EXP_LNKSTA) % 256] = 0x11;

	assert_link(fastest.speed, fastest.width);
}
END_TEST

START_TEST(test_a_function_that_is_gone_runs_at_the_ports_link)
{
	memset(registers, 0xff, sizeof(registers));

	assert_link(fastest.speed, fastest.width);
}
END_TEST

/* Speed 1 to 6, every width: what the port says of itself fits together. */
START_TEST(test_a_ports_link_registers_agree)
{
	static const guint8 widths[] = { 1, 2, 4, 8, 12, 16, 32 };
	HbLink link = { (guint8)(_i / 7 + 1), widths[_i % 7] };
	HbConfigSpace config;

	hb_config_space_init(&config);
	hb_express_init(&config, EXPRESS, PCI_EXP_TYPE_ROOT_PORT, 9, link, 0);
	hb_express_set_slot(&config, EXPRESS, &link, 0, 0);
	guint32 capabilities = hb_config_space_get_u32(&config, EXPRESS + PCI_EXP_LNKCAP);
	guint32 speeds = hb_config_space_get_u32(&config, EXPRESS + PCI_EXP_LNKCAP2);
	guint16 status = hb_config_space_get_u16(&config, LINK_STATUS);

	ck_assert_uint_eq(capabilities, 9u << 24 | PCI_EXP_LNKCAP_DLLLARC |
						(guint32)link.width << 4 | link.speed);
	ck_assert_uint_eq(g_bit_storage(speeds) - 1, link.speed); /* bit 1 is speed 1 */
	ck_assert_uint_eq(speeds + 2, 1u << (link.speed + 1));	  /* and all below, not bit 0 */
	ck_assert_uint_eq(hb_config_space_get_u16(&config, EXPRESS + PCI_EXP_LNKCTL2), link.speed);
	ck_assert_uint_eq(status, PCI_EXP_LNKSTA_DLLLA | link.width << 4 | link.speed);
}
END_TEST

START_TEST(test_only_links_that_exist_are_links)
{
	static const char widths[] = { 1, 2, 4, 8, 12, 16, 32 };

	for (guint i = 0; i < 256; i++) {
		ck_assert_int_eq(hb_express_is_speed(i), i >= 1 && i <= 6);
		ck_assert_int_eq(hb_express_is_width(i),
				 i && memchr(widths, (int)i, sizeof(widths)) != NULL);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("express");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, set_up, NULL);
	tcase_add_loop_test(cases, test_the_link_is_the_slower_and_narrower_of_both_ends, 0, 6 * 7);
	tcase_add_loop_test(cases, test_what_can_be_no_link_is_the_ports, 0,
			    G_N_ELEMENTS(nonsense));
	tcase_add_test(cases, test_a_function_without_express_runs_at_the_ports_link);
	tcase_add_test(cases, test_a_chain_that_never_ends_is_given_up);
	tcase_add_test(cases, test_a_capability_that_does_not_fit_is_not_read);
	tcase_add_test(cases, test_a_function_that_is_gone_runs_at_the_ports_link);
	tcase_add_loop_test(cases, test_a_ports_link_registers_agree, 0, 6 * 7);
	tcase_add_test(cases, test_only_links_that_exist_are_links);
	suite_add_tcase(suite, cases);
	return suite;
}
