/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* MSI with 64-bit addresses and per-vector masking. */

#include "hw/msi.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>

#define CAPABILITY 0x50

static HbConfigSpace config;
static HbMsi msi;
static HbMsiMessage message;

static void create(guint n_vectors)
{
	hb_config_space_init(&config);
	hb_msi_init(&msi, &config, CAPABILITY, n_vectors);
	message = (HbMsiMessage){ 0 };
}

static void write_register(guint offset, guint size, guint32 value)
{
	hb_config_space_write(&config, CAPABILITY + offset, size, value);
}

static void program(guint16 control)
{
	write_register(PCI_MSI_ADDRESS_LO, 4, 0xfee01003);
	write_register(PCI_MSI_ADDRESS_HI, 4, 0x12);
	write_register(PCI_MSI_DATA_64, 2, 0x4320);
	write_register(PCI_MSI_FLAGS, 2, control);
}

static guint32 get_pending(void)
{
	return hb_config_space_get_u32(&config, CAPABILITY + PCI_MSI_PENDING_64);
}

START_TEST(test_only_enable_and_vector_count_are_writable_in_control)
{
	create(8);

	write_register(PCI_MSI_FLAGS, 2, 0xffff);

	ck_assert_uint_eq(hb_config_space_get_u16(&config, CAPABILITY + PCI_MSI_FLAGS),
			  PCI_MSI_FLAGS_MASKBIT | PCI_MSI_FLAGS_64BIT | 3 << 1 |
				  PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
}
END_TEST

START_TEST(test_disabled_sends_nothing_and_keeps_nothing)
{
	create(1);
	program(0);

	ck_assert(!hb_msi_notify(&msi, 0, &message));

	ck_assert_uint_eq(get_pending(), 0);
}
END_TEST

START_TEST(test_enabled_sends_what_was_programmed)
{
	create(1);
	program(PCI_MSI_FLAGS_ENABLE);

	ck_assert(hb_msi_notify(&msi, 0, &message));

	ck_assert_uint_eq(message.address, G_GUINT64_CONSTANT(0x12fee01000));
	ck_assert_uint_eq(message.data, 0x4320);
}
END_TEST

START_TEST(test_vector_is_in_the_low_bits_that_were_granted)
{
	create(4);
	program(PCI_MSI_FLAGS_ENABLE | 1 << 4);

	ck_assert(hb_msi_notify(&msi, 3, &message));

	ck_assert_uint_eq(message.data, 0x4321);
}
END_TEST

START_TEST(test_grant_beyond_what_is_capable_is_cut)
{
	create(2);
	program(PCI_MSI_FLAGS_ENABLE | 7 << 4);

	ck_assert(hb_msi_notify(&msi, 1, &message));

	ck_assert_uint_eq(message.data, 0x4321);
}
END_TEST

START_TEST(test_masked_is_pending_until_unmasked)
{
	create(2);
	program(PCI_MSI_FLAGS_ENABLE | 1 << 4);
	write_register(PCI_MSI_MASK_64, 4, 2);

	ck_assert(!hb_msi_notify(&msi, 1, &message));
	ck_assert_uint_eq(get_pending(), 2);
	ck_assert(!hb_msi_unmasked(&msi, 1, &message));
	write_register(PCI_MSI_MASK_64, 4, 0);

	ck_assert(!hb_msi_unmasked(&msi, 0, &message));
	ck_assert(hb_msi_unmasked(&msi, 1, &message));
	ck_assert_uint_eq(message.data, 0x4321);
	ck_assert(!hb_msi_unmasked(&msi, 1, &message));
}
END_TEST

START_TEST(test_withdrawn_is_not_sent_at_the_unmasking)
{
	create(1);
	program(PCI_MSI_FLAGS_ENABLE);
	write_register(PCI_MSI_MASK_64, 4, 1);
	hb_msi_notify(&msi, 0, &message);

	hb_msi_withdraw(&msi, 0);
	write_register(PCI_MSI_MASK_64, 4, 0);

	ck_assert(!hb_msi_unmasked(&msi, 0, &message));
}
END_TEST

START_TEST(test_mask_exists_for_each_vector_and_pending_is_read_only)
{
	create(32);

	write_register(PCI_MSI_MASK_64, 4, 0xffffffff);
	write_register(PCI_MSI_PENDING_64, 4, 0xffffffff);

	ck_assert_uint_eq(hb_config_space_get_u32(&config, CAPABILITY + PCI_MSI_MASK_64),
			  0xffffffff);
	ck_assert_uint_eq(get_pending(), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("msi");
	TCase *cases = tcase_create("cases");

	tcase_add_test(cases, test_only_enable_and_vector_count_are_writable_in_control);
	tcase_add_test(cases, test_disabled_sends_nothing_and_keeps_nothing);
	tcase_add_test(cases, test_enabled_sends_what_was_programmed);
	tcase_add_test(cases, test_vector_is_in_the_low_bits_that_were_granted);
	tcase_add_test(cases, test_grant_beyond_what_is_capable_is_cut);
	tcase_add_test(cases, test_masked_is_pending_until_unmasked);
	tcase_add_test(cases, test_withdrawn_is_not_sent_at_the_unmasking);
	tcase_add_test(cases, test_mask_exists_for_each_vector_and_pending_is_read_only);
	suite_add_tcase(suite, cases);
	return suite;
}
