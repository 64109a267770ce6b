/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Advanced Error Reporting of a root port, register by register. */

#include "hw/aer.h"
#include "hw/express.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>

enum { EXPRESS = 0x60, AER = 0x100, REQUESTER = 0x21 };

#define UNCORRECTABLE 0x00555010u
#define CORRECTABLE   0x000031c0u
#define INTERNAL      PCI_ERR_UNC_INTN
#define TIMEOUT	      PCI_ERR_UNC_COMP_TIME

static HbConfigSpace config;
static HbAer aer;

static guint32 read_aer(guint reg)
{
	return hb_config_space_read(&config, AER + reg, 4);
}

static void write_aer(guint reg, guint32 value)
{
	hb_config_space_write(&config, AER + reg, 4, value);
}

/* As a guest does that wants to hear of uncorrectable errors. */
static void set_up(void)
{
	hb_config_space_init(&config);
	hb_express_init(&config, EXPRESS, PCI_EXP_TYPE_ROOT_PORT, 1, (HbLink){ 3, 4 }, 0);
	hb_aer_init(&aer, &config, AER, EXPRESS);
	hb_config_space_set_writable(&config, PCI_COMMAND, 2, 0xffff);
	hb_config_space_write(&config, EXPRESS + PCI_EXP_DEVCTL, 2, 0x000f);
	write_aer(PCI_ERR_ROOT_COMMAND, 7);
}

/* What firmware leaves, and what a guest may change. */
static const struct {
	guint reg;
	guint32 initial;
	guint32 writable;
} registers[] = {
	{ PCI_ERR_UNCOR_STATUS, 0, 0 },
	{ PCI_ERR_UNCOR_MASK, 0, UNCORRECTABLE },
	{ PCI_ERR_UNCOR_SEVER, 0x00040010, UNCORRECTABLE },
	{ PCI_ERR_COR_STATUS, 0, 0 },
	{ PCI_ERR_COR_MASK, 0x00002000, CORRECTABLE },
	{ PCI_ERR_CAP, 0, 0 },
	{ PCI_ERR_HEADER_LOG + 0, 0, 0 },
	{ PCI_ERR_HEADER_LOG + 4, 0, 0 },
	{ PCI_ERR_HEADER_LOG + 8, 0, 0 },
	{ PCI_ERR_HEADER_LOG + 12, 0, 0 },
	{ PCI_ERR_ROOT_COMMAND, 0, 7 },
	{ PCI_ERR_ROOT_STATUS, 0, 0 },
	{ PCI_ERR_ROOT_ERR_SRC, 0, 0 },
};

START_TEST(test_register_begins_as_firmware_leaves_it)
{
	hb_config_space_init(&config);
	hb_aer_init(&aer, &config, AER, EXPRESS);

	ck_assert_uint_eq(read_aer(registers[_i].reg), registers[_i].initial);
}
END_TEST

START_TEST(test_register_keeps_exactly_its_writable_bits_at_each_width)
{
	guint reg = registers[_i].reg;
	guint32 fixed = read_aer(reg) & ~registers[_i].writable;

	for (guint size = 1; size <= 4; size *= 2) {
		for (guint at = 0; at < 4; at += size) {
			guint32 mask = (guint32)((1ull << 8 * size) - 1) << (8 * at);
			guint32 ones = registers[_i].writable & mask;

			write_aer(reg, 0);
			hb_config_space_write(&config, AER + reg + at, size, 0xffffffff);
			ck_assert_uint_eq(read_aer(reg), fixed | ones);
			hb_config_space_write(&config, AER + reg + at, size, 0);
			ck_assert_uint_eq(read_aer(reg), fixed);
		}
	}
}
END_TEST

START_TEST(test_an_error_is_recorded_reported_and_asserted)
{
	hb_aer_report(&aer, REQUESTER, INTERNAL);

	ck_assert_uint_eq(read_aer(PCI_ERR_UNCOR_STATUS), INTERNAL);
	ck_assert_uint_eq(read_aer(PCI_ERR_CAP), 22);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_STATUS),
			  PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_ERR_SRC), REQUESTER << 16);
	ck_assert_uint_eq(hb_config_space_get_u16(&config, EXPRESS + PCI_EXP_DEVSTA),
			  PCI_EXP_DEVSTA_NFED);
	ck_assert(hb_aer_is_asserted(&aer));
}
END_TEST

START_TEST(test_an_error_that_the_guest_calls_fatal_is_fatal)
{
	write_aer(PCI_ERR_UNCOR_SEVER, TIMEOUT);

	hb_aer_report(&aer, REQUESTER, TIMEOUT);

	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_STATUS), PCI_ERR_ROOT_UNCOR_RCV |
								 PCI_ERR_ROOT_FIRST_FATAL |
								 PCI_ERR_ROOT_FATAL_RCV);
	ck_assert_uint_eq(hb_config_space_get_u16(&config, EXPRESS + PCI_EXP_DEVSTA),
			  PCI_EXP_DEVSTA_FED);
}
END_TEST

START_TEST(test_a_second_error_is_counted_and_does_not_replace_the_first)
{
	hb_aer_report(&aer, REQUESTER, INTERNAL);

	hb_aer_report(&aer, REQUESTER + 1, TIMEOUT);

	ck_assert_uint_eq(read_aer(PCI_ERR_UNCOR_STATUS), INTERNAL | TIMEOUT);
	ck_assert_uint_eq(read_aer(PCI_ERR_CAP), 22);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_ERR_SRC), REQUESTER << 16);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_STATUS), PCI_ERR_ROOT_UNCOR_RCV |
								 PCI_ERR_ROOT_MULTI_UNCOR_RCV |
								 PCI_ERR_ROOT_NONFATAL_RCV);
}
END_TEST

START_TEST(test_an_error_after_the_first_was_cleared_is_the_first)
{
	hb_aer_report(&aer, REQUESTER, INTERNAL);
	write_aer(PCI_ERR_UNCOR_STATUS, INTERNAL);
	write_aer(PCI_ERR_ROOT_STATUS, 0x7f);

	hb_aer_report(&aer, REQUESTER + 1, TIMEOUT);

	ck_assert_uint_eq(read_aer(PCI_ERR_CAP), 14);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_ERR_SRC), (REQUESTER + 1) << 16);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_STATUS),
			  PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
}
END_TEST

START_TEST(test_a_masked_error_is_recorded_and_not_reported)
{
	write_aer(PCI_ERR_UNCOR_MASK, INTERNAL);

	hb_aer_report(&aer, REQUESTER, INTERNAL);

	ck_assert_uint_eq(read_aer(PCI_ERR_UNCOR_STATUS), INTERNAL);
	ck_assert_uint_eq(read_aer(PCI_ERR_CAP), 0);
	ck_assert_uint_eq(read_aer(PCI_ERR_ROOT_STATUS), 0);
	ck_assert_uint_eq(hb_config_space_get_u16(&config, EXPRESS + PCI_EXP_DEVSTA),
			  PCI_EXP_DEVSTA_NFED);
}
END_TEST

/* Device Control, Command, and whether a message is sent then. */
static const struct {
	guint16 device_control;
	guint16 command;
	gboolean fatal;
	gboolean sent;
} enables[] = {
	{ 0, 0, FALSE, FALSE },
	{ PCI_EXP_DEVCTL_NFERE, 0, FALSE, TRUE },
	{ PCI_EXP_DEVCTL_FERE, 0, FALSE, FALSE },
	{ PCI_EXP_DEVCTL_CERE, 0, FALSE, FALSE },
	{ 0, PCI_COMMAND_SERR, FALSE, TRUE },
	{ 0, 0, TRUE, FALSE },
	{ PCI_EXP_DEVCTL_NFERE, 0, TRUE, FALSE },
	{ PCI_EXP_DEVCTL_FERE, 0, TRUE, TRUE },
	{ 0, PCI_COMMAND_SERR, TRUE, TRUE },
};

START_TEST(test_a_message_is_sent_if_device_control_or_serr_enables_it)
{
	hb_config_space_write(&config, EXPRESS + PCI_EXP_DEVCTL, 2, enables[_i].device_control);
	hb_config_space_write(&config, PCI_COMMAND, 2, enables[_i].command);
	write_aer(PCI_ERR_UNCOR_SEVER, enables[_i].fatal ? INTERNAL : 0);

	hb_aer_report(&aer, REQUESTER, INTERNAL);

	ck_assert_int_eq(read_aer(PCI_ERR_ROOT_STATUS) != 0, enables[_i].sent);
	ck_assert_int_eq(hb_aer_is_asserted(&aer), enables[_i].sent);
	ck_assert_uint_eq(read_aer(PCI_ERR_UNCOR_STATUS), INTERNAL);
	ck_assert_uint_eq(hb_config_space_get_u16(&config, PCI_STATUS),
			  enables[_i].command ? PCI_STATUS_SIG_SYSTEM_ERROR : 0);
}
END_TEST

/* Every Root Error Command against every combination of messages received. */
START_TEST(test_the_interrupt_condition_is_an_enabled_message)
{
	guint32 command = (guint32)_i;

	for (guint32 received = 0; received < 8; received++) {
		guint32 status = (received & 1 ? PCI_ERR_ROOT_COR_RCV : 0) |
				 (received & 2 ? PCI_ERR_ROOT_NONFATAL_RCV : 0) |
				 (received & 4 ? PCI_ERR_ROOT_FATAL_RCV : 0);

		write_aer(PCI_ERR_ROOT_COMMAND, command);
		hb_config_space_set_u32(&config, AER + PCI_ERR_ROOT_STATUS, status);
		ck_assert_int_eq(hb_aer_is_asserted(&aer), !!(command & received));
	}
}
END_TEST

START_TEST(test_status_bits_clear_one_by_one)
{
	static const guint statuses[] = { PCI_ERR_UNCOR_STATUS, PCI_ERR_COR_STATUS,
					  PCI_ERR_ROOT_STATUS };
	static const guint32 bits[] = { UNCORRECTABLE, CORRECTABLE, 0x7f };
	guint reg = statuses[_i];
	guint32 all = bits[_i];

	for (guint bit = 0; bit < 32; bit++) {
		hb_config_space_set_u32(&config, AER + reg, all);
		hb_config_space_write(&config, AER + reg + bit / 8, 1, 1u << (bit % 8));
		ck_assert_uint_eq(read_aer(reg), all & ~(1u << bit));
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("aer");
	TCase *cases = tcase_create("cases");
	int n_registers = (int)G_N_ELEMENTS(registers);

	tcase_add_checked_fixture(cases, set_up, NULL);
	tcase_add_loop_test(cases, test_register_begins_as_firmware_leaves_it, 0, n_registers);
	tcase_add_loop_test(cases, test_register_keeps_exactly_its_writable_bits_at_each_width, 0,
			    n_registers);
	tcase_add_test(cases, test_an_error_is_recorded_reported_and_asserted);
	tcase_add_test(cases, test_an_error_that_the_guest_calls_fatal_is_fatal);
	tcase_add_test(cases, test_a_second_error_is_counted_and_does_not_replace_the_first);
	tcase_add_test(cases, test_an_error_after_the_first_was_cleared_is_the_first);
	tcase_add_test(cases, test_a_masked_error_is_recorded_and_not_reported);
	tcase_add_loop_test(cases, test_a_message_is_sent_if_device_control_or_serr_enables_it, 0,
			    G_N_ELEMENTS(enables));
	tcase_add_loop_test(cases, test_the_interrupt_condition_is_an_enabled_message, 0, 8);
	tcase_add_loop_test(cases, test_status_bits_clear_one_by_one, 0, 3);
	suite_add_tcase(suite, cases);
	return suite;
}
