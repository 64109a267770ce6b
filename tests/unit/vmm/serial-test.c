/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The UART, register by register, as a guest's driver uses it. */

#include "tests/unit/suite.h"
#include "vmm/serial.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static HbSerial *serial;
static GString *sent;
static gboolean line;
static guint n_edges;
static guint n_drained;

static void on_irq(gpointer opaque, gboolean level)
{
	line = level;
	n_edges++;
}

static void on_output(gpointer opaque, const guint8 *data, gsize length)
{
	g_string_append_len(sent, (const char *)data, (gssize)length);
}

static void on_drained(gpointer opaque)
{
	n_drained++;
}

static const HbSerialOps ops = { on_irq, on_output, on_drained };

static void set_up(void)
{
	sent = g_string_new(NULL);
	line = FALSE;
	n_edges = n_drained = 0;
	serial = hb_serial_create(&ops, NULL);
}

static void tear_down(void)
{
	hb_serial_destroy(serial);
	g_string_free(sent, TRUE);
}

static void out(guint reg, guint8 value)
{
	hb_serial_write(serial, reg, value);
}

static guint8 in(guint reg)
{
	return hb_serial_read(serial, reg);
}

static void type(const char *text)
{
	hb_serial_receive(serial, (const guint8 *)text, strlen(text));
}

START_TEST(test_bytes_written_are_sent_in_order)
{
	out(DATA, 'h');
	out(DATA, 'i');
	ck_assert_str_eq(sent->str, "hi");
}
END_TEST

START_TEST(test_the_transmitter_is_always_empty)
{
	ck_assert_uint_eq(in(LSR), 0x60);
	out(DATA, 'x');
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(test_the_divisor_latch_hides_data_and_interrupt_enable)
{
	out(LCR, 0x83);
	out(DATA, 0x01);
	out(IER, 0x02);
	ck_assert_uint_eq(in(DATA), 0x01);
	ck_assert_uint_eq(in(IER), 0x02);
	out(LCR, 0x03);
	ck_assert_uint_eq(in(IER), 0);
	ck_assert_uint_eq(sent->len, 0);
}
END_TEST

START_TEST(test_the_scratch_register_keeps_its_value)
{
	out(SCR, 0xa5);
	ck_assert_uint_eq(in(SCR), 0xa5);
}
END_TEST

START_TEST(test_reserved_bits_read_zero)
{
	out(IER, 0xff);
	out(MCR, 0xff);
	ck_assert_uint_eq(in(IER), 0x0f);
	ck_assert_uint_eq(in(MCR), 0x1f);
}
END_TEST

START_TEST(test_fifos_show_in_interrupt_identification)
{
	ck_assert_uint_eq(in(IIR), 0x01);
	out(FCR, 0x01);
	ck_assert_uint_eq(in(IIR), 0xc1);
}
END_TEST

START_TEST(test_a_received_byte_is_read_once)
{
	type("a");
	ck_assert_uint_eq(in(LSR)&1, 1);
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert_uint_eq(in(LSR)&1, 0);
	ck_assert_uint_eq(in(DATA), 0);
}
END_TEST

START_TEST(test_reception_interrupts_only_when_enabled)
{
	type("a");
	ck_assert(!line);
	out(IER, 0x01);
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0x04);
	in(DATA);
	ck_assert(!line);
}
END_TEST

START_TEST(test_below_the_trigger_level_it_is_a_time_out)
{
	out(FCR, 0x41); /* level 4 */
	out(IER, 0x01);
	type("abc");
	ck_assert_uint_eq(in(IIR), 0xcc);
	type("d");
	ck_assert_uint_eq(in(IIR), 0xc4);
}
END_TEST

START_TEST(test_without_fifos_there_is_room_for_one)
{
	ck_assert_uint_eq(hb_serial_can_receive(serial), 1);
	type("a");
	ck_assert_uint_eq(hb_serial_can_receive(serial), 0);
}
END_TEST

START_TEST(test_with_fifos_there_is_room_for_sixteen)
{
	out(FCR, 0x01);
	type("0123456789");
	ck_assert_uint_eq(hb_serial_can_receive(serial), 6);
}
END_TEST

START_TEST(test_an_overrun_is_reported_once_and_drops_the_newest)
{
	out(IER, 0x04);
	type("ab");
	ck_assert_uint_eq(in(IIR), 0x06);
	ck_assert_uint_eq(in(LSR), 0x63);
	ck_assert(!line);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 'a');
}
END_TEST

START_TEST(test_reading_makes_room_known)
{
	type("a");
	ck_assert_uint_eq(n_drained, 0);
	in(DATA);
	ck_assert_uint_eq(n_drained, 1);
}
END_TEST

START_TEST(test_clearing_the_fifo_makes_room_known)
{
	out(FCR, 0x01);
	type("abc");
	out(FCR, 0x03);
	ck_assert_uint_eq(n_drained, 1);
	ck_assert_uint_eq(in(LSR)&1, 0);
}
END_TEST

START_TEST(test_enabling_the_transmit_interrupt_raises_it)
{
	out(IER, 0x02);
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0x02);
	ck_assert(!line);
	ck_assert_uint_eq(in(IIR), 0x01);
}
END_TEST

START_TEST(test_sending_raises_the_transmit_interrupt_again)
{
	out(IER, 0x02);
	in(IIR);
	out(DATA, 'x');
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0x02);
}
END_TEST

START_TEST(test_reception_goes_before_transmission)
{
	out(IER, 0x03);
	type("a");
	ck_assert_uint_eq(in(IIR), 0x04);
	in(DATA);
	ck_assert_uint_eq(in(IIR), 0x02);
}
END_TEST

START_TEST(test_the_line_changes_only_on_edges)
{
	out(IER, 0x01);
	out(FCR, 0x01);
	type("a");
	type("b");
	ck_assert_uint_eq(n_edges, 1);
	in(DATA);
	ck_assert_uint_eq(n_edges, 1);
	in(DATA);
	ck_assert_uint_eq(n_edges, 2);
}
END_TEST

START_TEST(test_loopback_returns_what_is_sent)
{
	out(MCR, 0x10);
	out(DATA, 'x');
	ck_assert_uint_eq(sent->len, 0);
	ck_assert_uint_eq(in(DATA), 'x');
}
END_TEST

START_TEST(test_loopback_returns_modem_controls_as_status)
{
	out(MCR, 0x1a); /* RTS, OUT2: what Linux probes with */
	ck_assert_uint_eq(in(MSR)&0xf0, 0x90);
}
END_TEST

START_TEST(test_loopback_cuts_the_line_off)
{
	out(MCR, 0x10);
	ck_assert_uint_eq(hb_serial_can_receive(serial), 0);
}
END_TEST

START_TEST(test_somebody_is_connected)
{
	ck_assert_uint_eq(in(MSR), 0xb0);
}
END_TEST

START_TEST(test_reset_forgets_everything_and_lowers_the_line)
{
	out(FCR, 0x01);
	out(IER, 0x03);
	type("a");
	hb_serial_reset(serial);
	ck_assert(!line);
	ck_assert_uint_eq(in(IER), 0);
	ck_assert_uint_eq(in(IIR), 0x01);
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("serial");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_bytes_written_are_sent_in_order);
	tcase_add_test(tests, test_the_transmitter_is_always_empty);
	tcase_add_test(tests, test_the_divisor_latch_hides_data_and_interrupt_enable);
	tcase_add_test(tests, test_the_scratch_register_keeps_its_value);
	tcase_add_test(tests, test_reserved_bits_read_zero);
	tcase_add_test(tests, test_fifos_show_in_interrupt_identification);
	tcase_add_test(tests, test_a_received_byte_is_read_once);
	tcase_add_test(tests, test_reception_interrupts_only_when_enabled);
	tcase_add_test(tests, test_below_the_trigger_level_it_is_a_time_out);
	tcase_add_test(tests, test_without_fifos_there_is_room_for_one);
	tcase_add_test(tests, test_with_fifos_there_is_room_for_sixteen);
	tcase_add_test(tests, test_an_overrun_is_reported_once_and_drops_the_newest);
	tcase_add_test(tests, test_reading_makes_room_known);
	tcase_add_test(tests, test_clearing_the_fifo_makes_room_known);
	tcase_add_test(tests, test_enabling_the_transmit_interrupt_raises_it);
	tcase_add_test(tests, test_sending_raises_the_transmit_interrupt_again);
	tcase_add_test(tests, test_reception_goes_before_transmission);
	tcase_add_test(tests, test_the_line_changes_only_on_edges);
	tcase_add_test(tests, test_loopback_returns_what_is_sent);
	tcase_add_test(tests, test_loopback_returns_modem_controls_as_status);
	tcase_add_test(tests, test_loopback_cuts_the_line_off);
	tcase_add_test(tests, test_somebody_is_connected);
	tcase_add_test(tests, test_reset_forgets_everything_and_lowers_the_line);
	suite_add_tcase(suite, tests);
	return suite;
}
