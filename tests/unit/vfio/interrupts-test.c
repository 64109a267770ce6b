/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Host vectors as VFIO gives them: all, some, or none. The kernel is a function here, in the place
 * of ioctl(): it notes how many vectors each call asks for, and answers like vfio_msi_enable()
 * (drivers/vfio/pci/vfio_pci_intrs.c, Linux 6.1): 0, a negative error, or, having given none, the
 * number that it could give.
 */

#include "hw/host-bridge.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/interrupts.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MSIX = 0x40, TABLE = 0x2000, PBA = 0x3000, N_VECTORS = 64 };

static GString *calls;
static guint available;	      /* vectors that the host has */
static guint unsaid;	      /* more than so many it refuses, and does not say how many it has */
static int failure;	      /* if not 0, what it answers to every request for some */
static gint32 fds[N_VECTORS]; /* of the last request for some */
static guint32 info_flags;    /* of MSI-X */
static guint n_on;	      /* vectors that are on, in a kernel that can add to them */
static HbVfioConfig config;
static FakeHost *host;
static HbIrqRemap *remap;
static HbVfioInterrupts *interrupts;

static int set_irqs(const struct vfio_irq_set *set)
{
	ck_assert_uint_eq(set->index, VFIO_PCI_MSIX_IRQ_INDEX);
	if (set->start)
		g_string_append_printf(calls, "%u+", set->start);
	g_string_append_printf(calls, "%u ", set->count);
	if (set->count == 0) {
		n_on = 0;
		return 0;
	}
	ck_assert_uint_eq(set->argsz, sizeof(*set) + set->count * sizeof(gint32));
	ck_assert_uint_eq(set->start, n_on); /* nothing is on, or what is added is new */
	memcpy(fds, set->data, set->count * sizeof(gint32));
	if (failure || available == 0 || set->count > unsaid ||
	    (n_on && n_on + set->count > available)) {
		errno = failure ? failure : ENOSPC;
		return -1;
	}
	if (set->count > available)
		return (int)available;
	n_on += set->count;
	return 0;
}

static int get_irq_info(struct vfio_irq_info *info)
{
	ck_assert_uint_eq(info->index, VFIO_PCI_MSIX_IRQ_INDEX); /* the drive has no pin */
	info->flags = info_flags;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	gpointer argument = va_arg(arguments, gpointer);
	va_end(arguments);
	ck_assert_int_eq(fd, config.device_fd);
	if (request == VFIO_DEVICE_GET_IRQ_INFO)
		return get_irq_info(argument);
	ck_assert_uint_eq(request, VFIO_DEVICE_SET_IRQS);
	return set_irqs(argument);
}

static void set_up(guint32 flags)
{
	guint8 image[HB_CONFIG_SIZE] = { [PCI_CAPABILITY_LIST] = MSIX,
					 [MSIX] = PCI_CAP_ID_MSIX,
					 [MSIX + PCI_MSIX_FLAGS] = N_VECTORS - 1,
					 [MSIX + PCI_MSIX_TABLE + 1] = TABLE >> 8,
					 [MSIX + PCI_MSIX_PBA + 1] = PBA >> 8 };
	int fd = memfd_create("drive", MFD_CLOEXEC);

	info_flags = flags;
	calls = g_string_new(NULL);
	available = N_VECTORS;
	unsaid = N_VECTORS;
	n_on = 0;
	ck_assert_int_eq(write(fd, image, sizeof(image)), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, 0, NULL));
	host = fake_host_create();
	remap = hb_irq_remap_create(host->host, 64);
	interrupts = hb_vfio_interrupts_open(fd, "drive", &config, host->host, remap, NULL);
	ck_assert_ptr_nonnull(interrupts);
}

/* A kernel before Linux 6.5, which gives a set and takes it back. */
static void setup(void)
{
	set_up(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE);
}

static void setup_dynamic(void)
{
	set_up(VFIO_IRQ_INFO_EVENTFD);
}

static void teardown(void)
{
	hb_vfio_interrupts_close(interrupts);
	hb_irq_remap_destroy(remap);
	fake_host_destroy(host);
	close(config.device_fd);
	g_string_free(calls, TRUE);
}

static void assert_calls(const char *expected)
{
	ck_assert_str_eq(calls->str, expected);
	g_string_truncate(calls, 0);
}

static void write_control(guint16 flags)
{
	hb_vfio_config_write(&config, MSIX + PCI_MSIX_FLAGS, 2, flags);
	hb_vfio_interrupts_control_written(interrupts);
}

/* Message and unmasking of vectors @first to @last, as a driver does it. */
static void program(guint first, guint last)
{
	for (guint i = first; i <= last; i++) {
		guint64 entry = TABLE + 16 * (guint64)i;

		ck_assert(hb_vfio_interrupts_write(interrupts, 0, entry, 8, 0xfee00000));
		ck_assert(hb_vfio_interrupts_write(interrupts, 0, entry + 8, 8, 0x40 + i));
	}
}

/* As Linux does it: enabled under the function mask, programmed, then unmasked. */
static void enable(guint n)
{
	write_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	program(0, n - 1);
	write_control(PCI_MSIX_FLAGS_ENABLE);
}

START_TEST(all_programmed_vectors_are_asked_for_in_one_call)
{
	enable(5);
	assert_calls("5 ");
	ck_assert_str_eq(host->log->str, "");
}
END_TEST

START_TEST(what_the_host_has_left_is_taken_and_said)
{
	available = 3;

	enable(5);

	assert_calls("5 3 ");
	ck_assert_ptr_nonnull(
		strstr(host->log->str, "wants 5 interrupt vectors and the host has 3"));
}
END_TEST

START_TEST(a_host_with_less_is_not_asked_for_more_again)
{
	available = 3;
	enable(5);
	assert_calls("5 3 ");

	program(5, 9);

	assert_calls("");
}
END_TEST

START_TEST(a_guest_that_starts_anew_is_tried_anew)
{
	available = 3;
	enable(5);
	write_control(0);
	assert_calls("5 3 0 ");
	available = N_VECTORS;

	enable(5);

	assert_calls("5 ");
}
END_TEST

START_TEST(a_host_without_any_is_left_alone)
{
	available = 0;

	enable(5);
	assert_calls("5 ");
	write_control(0);

	assert_calls(""); /* nothing was on, so nothing is switched off */
}
END_TEST

START_TEST(a_set_that_cannot_grow_is_what_it_was)
{
	available = 4;
	enable(4);
	assert_calls("4 ");

	program(4, 7);

	assert_calls("0 8 4 "); /* given up, asked for more, had back */
}
END_TEST

START_TEST(a_refusal_brings_back_what_was_on_if_anything_can)
{
	enable(2);
	assert_calls("2 ");
	failure = ENOSPC;

	program(2, 2);

	assert_calls("0 4 3 2 ");
	ck_assert_ptr_nonnull(strstr(host->log->str, "refuses 3 interrupt vectors"));
	program(3, 3);
	assert_calls(""); /* what refuses all is left alone */
}
END_TEST

START_TEST(a_surplus_that_the_host_refuses_does_not_cost_what_is_needed)
{
	unsaid = 4;
	hb_vfio_interrupts_expect(interrupts, 9);
	enable(3);
	assert_calls("9 3 ");
	program(3, 3);
	assert_calls("0 6 4 ");
	ck_assert_str_eq(host->log->str, "");
	program(4, 4);

	assert_calls("0 8 5 4 ");
	ck_assert_ptr_nonnull(
		strstr(host->log->str, "wants 5 interrupt vectors and the host has 4"));
}
END_TEST

START_TEST(a_refusal_of_the_first_is_said_once)
{
	failure = EBUSY;
	enable(2);
	assert_calls("2 ");
	ck_assert_ptr_nonnull(strstr(host->log->str, "refuses 2 interrupt vectors"));
	g_string_truncate(host->log, 0);

	write_control(0);
	enable(2);

	assert_calls("2 ");
	ck_assert_str_eq(host->log->str, "");
}
END_TEST

START_TEST(vectors_that_survive_a_regrowth_are_signalled_once)
{
	enable(2);
	program(2, 2);
	assert_calls("2 0 4 ");

	for (guint i = 0; i < 2; i++) {
		eventfd_t signals = 0;

		ck_assert_int_eq(eventfd_read(fds[i], &signals), 0);
		ck_assert_uint_eq(signals, 1);
	}
	for (guint i = 2; i < 4; i++)
		ck_assert_int_eq(eventfd_read(fds[i], &(eventfd_t){ 0 }), -1);
}
END_TEST

START_TEST(the_end_switches_them_off)
{
	enable(5);
	assert_calls("5 ");

	hb_vfio_interrupts_close(interrupts);
	assert_calls("0 ");
	interrupts = NULL;
}
END_TEST

START_TEST(vectors_that_come_one_by_one_are_few_calls)
{
	enable(1);
	for (guint i = 1; i < N_VECTORS; i++)
		program(i, i);

	assert_calls("1 0 2 0 4 0 8 0 16 0 32 0 64 ");
}
END_TEST

START_TEST(what_is_expected_is_asked_for_with_the_first)
{
	hb_vfio_interrupts_expect(interrupts, 9);
	enable(1);
	program(1, 8);

	assert_calls("9 ");
}
END_TEST

START_TEST(no_more_is_expected_than_the_drive_has)
{
	hb_vfio_interrupts_expect(interrupts, N_VECTORS + 1);
	enable(1);

	assert_calls("64 ");
}
END_TEST

START_TEST(a_host_that_has_less_than_expected_and_enough_is_not_complained_of)
{
	available = 3;
	hb_vfio_interrupts_expect(interrupts, 9);
	enable(2);

	assert_calls("9 3 ");
	ck_assert_str_eq(host->log->str, "");
}
END_TEST

/* A kernel that can add vectors to those that are on. */

START_TEST(new_vectors_are_added_to_those_that_are_on)
{
	enable(2);
	program(2, 2);
	program(3, 4);

	assert_calls("2 2+2 4+4 ");
}
END_TEST

START_TEST(what_is_added_is_what_the_host_has)
{
	available = 5;
	enable(4);
	program(4, 6);

	assert_calls("4 4+4 4+2 4+1 ");
	ck_assert_ptr_nonnull(
		strstr(host->log->str, "wants 6 interrupt vectors and the host has 5"));
}
END_TEST

START_TEST(a_refused_addition_leaves_what_is_on)
{
	available = 2;
	enable(2);
	program(2, 2);
	assert_calls("2 2+2 2+1 ");
	hb_vfio_interrupts_close(interrupts);

	assert_calls("0 ");
	interrupts = NULL;
}
END_TEST

/* In use by a guest. */

static HbHostBridge *bridge;

static void setup_attached(void)
{
	const HbHostBridgeConfig windows = { .ecam = { 0xb0000000, 0x1000000 } };

	setup();
	bridge = hb_host_bridge_create(host->host, &windows, NULL);
	ck_assert_ptr_nonnull(bridge);
	hb_vfio_interrupts_attach(interrupts, bridge, NULL);
}

static void teardown_attached(void)
{
	hb_vfio_interrupts_sever(interrupts);
	hb_host_bridge_destroy(bridge);
	teardown();
}

/* Until @string has something in it, or for a time that is long enough for all that is put off. */
static void run_loop_until_any(const GString *string)
{
	gint64 end = g_get_monotonic_time() + 3 * G_USEC_PER_SEC;

	while (g_get_monotonic_time() < end && string->len == 0) {
		g_main_context_iteration(host->context, FALSE);
		g_usleep(1000);
	}
}

/* Linux's nvme: one vector, for the admin queue; then MSI-X anew with all, each unmasked when its
 * queue is there. */
static void start_drive_as_linux_does(guint n)
{
	enable(1);
	write_control(0);
	write_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	for (guint i = 0; i < n; i++)
		hb_vfio_interrupts_write(interrupts, 0, TABLE + 16 * (guint64)i, 8, 0xfee00000);
	write_control(PCI_MSIX_FLAGS_ENABLE);
	for (guint i = 0; i < n; i++)
		program(i, i);
}

static void assert_start_costs_two(guint n)
{
	HbIrqRemapCounts counts;

	hb_vfio_interrupts_expect(interrupts, n);
	start_drive_as_linux_does(n);
	run_loop_until_any(host->calls);
	hb_irq_remap_get_counts(remap, &counts);

	ck_assert_uint_eq(counts.vector_calls, 1);
	ck_assert_uint_eq(counts.commits, 1);
	ck_assert_uint_eq(counts.connections, n);
}

START_TEST(a_drives_start_costs_one_call_and_one_commit_with_few_vectors)
{
	assert_start_costs_two(4);
}
END_TEST

START_TEST(a_drives_start_costs_one_call_and_one_commit_with_many_vectors)
{
	assert_start_costs_two(N_VECTORS);
}
END_TEST

/* Other guests: MSI-X on with nothing masked, then entry by entry. */
START_TEST(a_guest_that_programs_entry_by_entry_costs_no_more)
{
	HbIrqRemapCounts counts;

	hb_vfio_interrupts_expect(interrupts, N_VECTORS);
	write_control(PCI_MSIX_FLAGS_ENABLE);
	for (guint i = 0; i < N_VECTORS; i++)
		program(i, i);
	run_loop_until_any(host->calls);
	hb_irq_remap_get_counts(remap, &counts);

	ck_assert_uint_eq(counts.vector_calls, 1);
	ck_assert_uint_eq(counts.commits, 1);
}
END_TEST

START_TEST(a_guest_that_switches_msix_off_and_on_asks_nothing_of_the_host)
{
	enable(4);
	assert_calls("4 ");
	for (guint i = 0; i < 100; i++) {
		write_control(0);
		write_control(PCI_MSIX_FLAGS_ENABLE);
	}

	assert_calls("");
}
END_TEST

START_TEST(a_guest_that_switches_msix_off_and_on_does_not_ask_a_short_host_again)
{
	available = 3;
	enable(5);
	assert_calls("5 3 ");
	for (guint i = 0; i < 100; i++) {
		write_control(0);
		write_control(PCI_MSIX_FLAGS_ENABLE);
	}
	assert_calls("");
	write_control(0);
	run_loop_until_any(calls);
	assert_calls("0 ");
	enable(5);

	assert_calls("5 3 "); /* a new start, a new try */
}
END_TEST

START_TEST(a_guest_that_switches_msix_off_and_on_does_not_ask_a_host_without_any_again)
{
	available = 0;
	enable(5);
	assert_calls("5 ");
	for (guint i = 0; i < 100; i++) {
		write_control(0);
		write_control(PCI_MSIX_FLAGS_ENABLE);
	}

	assert_calls("");
}
END_TEST

START_TEST(vectors_of_a_guest_that_has_switched_msix_off_are_given_back)
{
	enable(4);
	assert_calls("4 ");
	write_control(0);
	assert_calls("");
	run_loop_until_any(calls);

	assert_calls("0 ");
}
END_TEST

START_TEST(a_reset_gives_vectors_back_at_once)
{
	enable(4);
	assert_calls("4 ");
	hb_vfio_interrupts_reset(interrupts);
	assert_calls("0 ");
	enable(4);

	assert_calls("4 ");
}
END_TEST

static void add_attached_tests(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup_attached, teardown_attached);
	tcase_add_test(tcase, a_drives_start_costs_one_call_and_one_commit_with_few_vectors);
	tcase_add_test(tcase, a_drives_start_costs_one_call_and_one_commit_with_many_vectors);
	tcase_add_test(tcase, a_guest_that_programs_entry_by_entry_costs_no_more);
	tcase_add_test(tcase, a_guest_that_switches_msix_off_and_on_asks_nothing_of_the_host);
	tcase_add_test(tcase,
		       a_guest_that_switches_msix_off_and_on_does_not_ask_a_short_host_again);
	tcase_add_test(tcase,
		       a_guest_that_switches_msix_off_and_on_does_not_ask_a_host_without_any_again);
	tcase_add_test(tcase, vectors_of_a_guest_that_has_switched_msix_off_are_given_back);
	tcase_add_test(tcase, a_reset_gives_vectors_back_at_once);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("interrupts");
	TCase *tcase = tcase_create("host vectors");
	TCase *dynamic = tcase_create("dynamic");
	TCase *attached = tcase_create("attached");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_programmed_vectors_are_asked_for_in_one_call);
	tcase_add_test(tcase, what_the_host_has_left_is_taken_and_said);
	tcase_add_test(tcase, a_host_with_less_is_not_asked_for_more_again);
	tcase_add_test(tcase, a_guest_that_starts_anew_is_tried_anew);
	tcase_add_test(tcase, a_host_without_any_is_left_alone);
	tcase_add_test(tcase, a_set_that_cannot_grow_is_what_it_was);
	tcase_add_test(tcase, a_refusal_brings_back_what_was_on_if_anything_can);
	tcase_add_test(tcase, a_surplus_that_the_host_refuses_does_not_cost_what_is_needed);
	tcase_add_test(tcase, a_refusal_of_the_first_is_said_once);
	tcase_add_test(tcase, vectors_that_survive_a_regrowth_are_signalled_once);
	tcase_add_test(tcase, the_end_switches_them_off);
	tcase_add_test(tcase, vectors_that_come_one_by_one_are_few_calls);
	tcase_add_test(tcase, what_is_expected_is_asked_for_with_the_first);
	tcase_add_test(tcase, no_more_is_expected_than_the_drive_has);
	tcase_add_test(tcase, a_host_that_has_less_than_expected_and_enough_is_not_complained_of);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(dynamic, setup_dynamic, teardown);
	tcase_add_test(dynamic, new_vectors_are_added_to_those_that_are_on);
	tcase_add_test(dynamic, what_is_added_is_what_the_host_has);
	tcase_add_test(dynamic, a_refused_addition_leaves_what_is_on);
	suite_add_tcase(suite, dynamic);
	add_attached_tests(attached);
	suite_add_tcase(suite, attached);
	return suite;
}
