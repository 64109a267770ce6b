/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Host vectors as VFIO gives them: all, some, or none. The kernel is a function here, in the place
 * of ioctl(): it notes how many vectors each call asks for, and answers like vfio_msi_enable()
 * (drivers/vfio/pci/vfio_pci_intrs.c, Linux 6.1): 0, a negative error, or, having given none, the
 * number that it could give.
 */

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

enum { MSIX = 0x40, TABLE = 0x2000, PBA = 0x3000, N_VECTORS = 16 };

static GString *calls;
static guint available; /* vectors that the host has */
static int failure;	/* if not 0, what it answers to every request for some */
static HbVfioConfig config;
static FakeHost *host;
static HbIrqRemap *remap;
static HbVfioInterrupts *interrupts;

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	const struct vfio_irq_set *set = va_arg(arguments, const struct vfio_irq_set *);
	va_end(arguments);
	ck_assert_int_eq(fd, config.device_fd);
	ck_assert_uint_eq(request, VFIO_DEVICE_SET_IRQS);
	ck_assert_uint_eq(set->index, VFIO_PCI_MSIX_IRQ_INDEX);
	g_string_append_printf(calls, "%u ", set->count);
	if (set->count == 0)
		return 0;
	ck_assert_uint_eq(set->argsz, sizeof(*set) + set->count * sizeof(gint32));
	if (failure || available == 0) {
		errno = failure ? failure : ENOSPC;
		return -1;
	}
	return set->count <= available ? 0 : (int)available;
}

static void setup(void)
{
	guint8 image[HB_CONFIG_SIZE] = { [PCI_CAPABILITY_LIST] = MSIX,
					 [MSIX] = PCI_CAP_ID_MSIX,
					 [MSIX + PCI_MSIX_FLAGS] = N_VECTORS - 1,
					 [MSIX + PCI_MSIX_TABLE + 1] = TABLE >> 8,
					 [MSIX + PCI_MSIX_PBA + 1] = PBA >> 8 };
	int fd = memfd_create("drive", MFD_CLOEXEC);

	calls = g_string_new(NULL);
	available = N_VECTORS;
	ck_assert_int_eq(write(fd, image, sizeof(image)), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, 0, NULL));
	host = fake_host_create();
	remap = hb_irq_remap_create(host->host, 64);
	interrupts = hb_vfio_interrupts_open(fd, "drive", &config, host->host, remap, NULL);
	ck_assert_ptr_nonnull(interrupts);
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

	assert_calls("0 5 4 "); /* given up, asked for more, had back */
}
END_TEST

START_TEST(a_refusal_brings_back_what_was_on_if_anything_can)
{
	enable(2);
	assert_calls("2 ");
	failure = ENOSPC;

	program(2, 2);

	assert_calls("0 3 2 ");
	ck_assert_ptr_nonnull(strstr(host->log->str, "refuses 3 interrupt vectors"));
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
	assert_calls("2 0 3 ");
	ck_assert(hb_vfio_interrupts_read(interrupts, 0, PBA, 8, &(guint64){ 0 }));
	g_autofree char *done = fake_host_take_calls(host);

	ck_assert_ptr_nonnull(strstr(done, "connect"));
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

Suite *test_suite(void)
{
	Suite *suite = suite_create("interrupts");
	TCase *tcase = tcase_create("host vectors");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_programmed_vectors_are_asked_for_in_one_call);
	tcase_add_test(tcase, what_the_host_has_left_is_taken_and_said);
	tcase_add_test(tcase, a_host_with_less_is_not_asked_for_more_again);
	tcase_add_test(tcase, a_guest_that_starts_anew_is_tried_anew);
	tcase_add_test(tcase, a_host_without_any_is_left_alone);
	tcase_add_test(tcase, a_set_that_cannot_grow_is_what_it_was);
	tcase_add_test(tcase, a_refusal_brings_back_what_was_on_if_anything_can);
	tcase_add_test(tcase, a_refusal_of_the_first_is_said_once);
	tcase_add_test(tcase, vectors_that_survive_a_regrowth_are_signalled_once);
	tcase_add_test(tcase, the_end_switches_them_off);
	suite_add_tcase(suite, tcase);
	return suite;
}
