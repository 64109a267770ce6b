/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive's interrupt pin: when a guest has it. The kernel is two functions here. One notes what
 * VFIO is asked: +msi and -msi, and for the pin +pin, +unmask and -pin. The other has two Interrupt
 * Disable bits, as the kernel does: VFIO's record, which is what is read and written, and the
 * drive's own, which follows when the record changes (vfio_basic_config_write() in
 * drivers/vfio/pci/vfio_pci_config.c, Linux 6.1), is set when messages come, and cleared when they
 * go (pci_intx_for_msi() in drivers/pci/msi/msi.c).
 */

#include "hw/host-bridge.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/interrupts.h"
#include "vfio/intx.h"

#include <hotbay/slot.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MSIX = 0x40, TABLE = 0x2000, PORT_DEVICE = 6 };

static GString *calls;
static guint n_pins;	   /* that VFIO says the drive has */
static gboolean no_pin;	   /* VFIO refuses to switch it on */
static gboolean no_unmask; /* VFIO refuses an eventfd for it */
static guint max_messages; /* it refuses more, having tried */
static gboolean disabled_on_record;
static gboolean disabled_in_drive;
static HbVfioConfig config;
static FakeHost *host;
static HbHostBridge *bridge;
static HbPort *port;
static HbIrqRemap *remap;
static HbVfioInterrupts *interrupts;

static int set_irqs(const struct vfio_irq_set *set)
{
	gboolean is_pin = set->index == VFIO_PCI_INTX_IRQ_INDEX;
	gboolean is_unmask = set->flags & VFIO_IRQ_SET_ACTION_UNMASK;

	if (is_pin && set->count && no_pin) {
		errno = EBUSY;
		return -1;
	}
	if (is_pin && set->count)
		disabled_in_drive = disabled_on_record;
	else if (!is_pin)
		disabled_in_drive = set->count && set->count <= max_messages;
	if ((is_unmask && no_unmask) || (!is_pin && set->count > max_messages)) {
		errno = EINVAL;
		return -1;
	}
	g_string_append_printf(calls, "%c%s ", set->count ? '+' : '-',
			       is_unmask ? "unmask"
			       : is_pin	 ? "pin"
					 : "msi");
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	gpointer argument = va_arg(arguments, gpointer);
	va_end(arguments);
	if (request == VFIO_DEVICE_GET_IRQ_INFO) {
		struct vfio_irq_info *info = argument;

		info->count = info->index == VFIO_PCI_INTX_IRQ_INDEX ? n_pins : 4;
		info->flags = VFIO_IRQ_INFO_NORESIZE;
		return 0;
	}
	ck_assert_uint_eq(request, VFIO_DEVICE_SET_IRQS);
	return set_irqs(argument);
}

ssize_t __real_pwrite64(int fd, const void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	if (offset == PCI_COMMAND) {
		const guint8 *command = bytes;
		gboolean disabled = (command[1] & PCI_COMMAND_INTX_DISABLE >> 8) != 0;

		ck_assert_uint_eq(size, 2);
		if (disabled != disabled_on_record)
			disabled_in_drive = disabled;
		disabled_on_record = disabled;
	}
	return __real_pwrite64(fd, bytes, size, offset);
}

static void create_port(void)
{
	const HbHostBridgeConfig windows = { .ecam = { 0xb0000000, 0x1000000 },
					     .mem32 = { 0xc0000000, 0x10000000 } };
	HbPortConfig port_config;

	bridge = hb_host_bridge_create(host->host, &windows, NULL);
	hb_port_config_init(&port_config);
	port_config.id = "bay0";
	port_config.devfn = HB_PCI_DEVFN(PORT_DEVICE, 1);
	port_config.chassis = 1;
	port_config.slot = 1;
	port = hb_port_create(bridge, &port_config, NULL);
	ck_assert_ptr_nonnull(port);
}

static void open_drive(guint8 pin)
{
	guint8 image[HB_CONFIG_SIZE] = { [PCI_CAPABILITY_LIST] = MSIX,
					 [PCI_INTERRUPT_PIN] = pin,
					 [MSIX] = PCI_CAP_ID_MSIX,
					 [MSIX + PCI_MSIX_FLAGS] = 3,
					 [MSIX + PCI_MSIX_TABLE + 1] = TABLE >> 8,
					 [MSIX + PCI_MSIX_PBA + 1] = 0x30 };
	int fd = memfd_create("drive", MFD_CLOEXEC);

	disabled_on_record = disabled_in_drive = FALSE;
	ck_assert_int_eq(write(fd, image, sizeof(image)), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, 0, NULL));
	interrupts = hb_vfio_interrupts_open(fd, "drive", &config, host->host, remap, NULL);
	ck_assert_ptr_nonnull(interrupts);
	hb_vfio_interrupts_attach(interrupts, bridge, port);
}

static void close_drive(void)
{
	hb_vfio_interrupts_sever(interrupts);
	hb_vfio_interrupts_close(interrupts);
	close(config.device_fd);
}

static void setup(void)
{
	calls = g_string_new(NULL);
	n_pins = 1;
	no_pin = FALSE;
	no_unmask = FALSE;
	max_messages = 4;
	host = fake_host_create();
	create_port();
	remap = hb_irq_remap_create(host->host, 64);
	open_drive(1);
}

static void teardown(void)
{
	close_drive();
	hb_irq_remap_destroy(remap);
	hb_host_bridge_destroy(bridge);
	fake_host_destroy(host);
	g_string_free(calls, TRUE);
}

/* On a busy machine too all that is due by then is done. */
static void run_loop_for(guint ms)
{
	gint64 end = g_get_monotonic_time() + 1000 * (gint64)ms;

	while (g_get_monotonic_time() < end)
		g_usleep(1000);
	while (g_main_context_iteration(host->context, FALSE))
		continue;
}

/* Longer than a guest must use the pin until it has it. */
static void wait_for_pin(void)
{
	run_loop_for(HB_VFIO_INTX_ON_MS + 50);
}

static void assert_calls(const char *vfio, const char *of_host)
{
	g_autofree char *asked = fake_host_take_calls(host);

	ck_assert_str_eq(calls->str, vfio);
	ck_assert_str_eq(asked, of_host);
	g_string_truncate(calls, 0);
}

static void write_command(guint16 command)
{
	hb_vfio_config_write(&config, PCI_COMMAND, 2, command);
	hb_vfio_interrupts_command_written(interrupts);
}

static void write_msix(guint16 control)
{
	hb_vfio_config_write(&config, MSIX + PCI_MSIX_FLAGS, 2, control);
	hb_vfio_interrupts_control_written(interrupts);
}

static guint8 read_pin(void)
{
	return (guint8)hb_vfio_config_read(&config, PCI_INTERRUPT_PIN, 1);
}

static void unmask_message(guint vector)
{
	ck_assert(hb_vfio_interrupts_write(interrupts, 0, TABLE + 16 * vector + 12, 4, 0));
}

START_TEST(a_drive_may_assert_its_pin_only_while_its_guest_has_it)
{
	ck_assert(disabled_in_drive);
	write_command(PCI_COMMAND_MASTER);
	ck_assert(disabled_in_drive);
	wait_for_pin();
	ck_assert(!disabled_in_drive);
	write_msix(PCI_MSIX_FLAGS_ENABLE);

	ck_assert(disabled_in_drive);
}
END_TEST

/* Commands in flight complete, and nobody on the host listens. */
START_TEST(a_drive_whose_messages_are_given_back_does_not_assert_its_pin)
{
	write_command(PCI_COMMAND_MASTER);
	write_msix(PCI_MSIX_FLAGS_ENABLE);
	write_msix(0);
	write_command(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	for (guint i = 0; i < 40 && !strstr(calls->str, "-msi"); i++)
		run_loop_for(50);

	assert_calls("+msi -msi ", "");
	ck_assert(disabled_in_drive);
}
END_TEST

START_TEST(a_drive_whose_messages_could_not_grow_does_not_assert_its_pin)
{
	write_msix(PCI_MSIX_FLAGS_ENABLE);
	max_messages = 0;
	unmask_message(1);

	ck_assert_ptr_nonnull(strstr(host->log->str, "refuses 2 interrupt vectors"));
	ck_assert(disabled_in_drive);
}
END_TEST

START_TEST(a_drive_whose_pin_was_refused_after_its_messages_does_not_assert_it)
{
	no_pin = TRUE;
	write_command(PCI_COMMAND_MASTER);
	write_msix(PCI_MSIX_FLAGS_ENABLE);
	write_msix(0);
	wait_for_pin();

	assert_calls("+msi -msi ", "");
	ck_assert(disabled_in_drive);
}
END_TEST

START_TEST(a_drive_that_is_closed_with_messages_does_not_assert_its_pin)
{
	write_msix(PCI_MSIX_FLAGS_ENABLE);
	close_drive();

	ck_assert(disabled_in_drive);
	open_drive(1);
}
END_TEST

START_TEST(a_guest_sees_the_pin)
{
	ck_assert_uint_eq(read_pin(), 1);
}
END_TEST

START_TEST(a_drive_without_a_pin_has_none)
{
	close_drive();
	open_drive(0);
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();

	ck_assert_uint_eq(read_pin(), 0);
	assert_calls("", "");
}
END_TEST

START_TEST(a_pin_that_vfio_does_not_offer_is_not_shown)
{
	close_drive();
	n_pins = 0;
	open_drive(1);

	ck_assert_uint_eq(read_pin(), 0);
}
END_TEST

/* Device 6 of the root bus: INTA of what is behind it is line (6 + 0) % 4. */
START_TEST(a_guest_that_stays_without_messages_gets_the_pin)
{
	write_command(PCI_COMMAND_MASTER);
	assert_calls("", "");
	wait_for_pin();

	assert_calls("+pin +unmask ", "pin 2\n");
}
END_TEST

START_TEST(a_guest_that_takes_messages_at_once_never_costs_a_pin)
{
	write_command(PCI_COMMAND_MASTER);
	write_msix(PCI_MSIX_FLAGS_ENABLE);
	wait_for_pin();

	assert_calls("+msi ", "");
}
END_TEST

START_TEST(a_guest_that_has_disabled_the_pin_does_not_get_it)
{
	write_command(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	wait_for_pin();

	assert_calls("", "");
}
END_TEST

START_TEST(a_guest_that_disables_the_pin_in_time_does_not_get_it)
{
	write_command(PCI_COMMAND_MASTER);
	write_command(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	wait_for_pin();

	assert_calls("", "");
}
END_TEST

/* As drivers do that mask by it in each interrupt (Linux's pci_check_and_mask_intx()). */
START_TEST(disabling_is_a_mask_in_the_drive)
{
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	assert_calls("+pin +unmask ", "pin 2\n");
	write_command(PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	ck_assert(disabled_in_drive);
	write_command(PCI_COMMAND_MASTER);
	ck_assert(!disabled_in_drive);

	assert_calls("", "");
}
END_TEST

START_TEST(a_guest_that_is_no_bus_master_any_more_has_no_pin)
{
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	assert_calls("+pin +unmask ", "pin 2\n");
	write_command(0);

	assert_calls("-pin ", "unpin 2\n");
	ck_assert(disabled_in_drive);
}
END_TEST

START_TEST(pins_count_as_connections)
{
	HbIrqRemapCounts counts;

	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	write_command(0);
	hb_irq_remap_get_counts(remap, &counts);

	ck_assert_uint_eq(counts.connections, 2);
	ck_assert_uint_eq(counts.vector_calls, 3);
}
END_TEST

START_TEST(the_pin_goes_before_messages_come)
{
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	assert_calls("+pin +unmask ", "pin 2\n");
	write_msix(PCI_MSIX_FLAGS_ENABLE);

	assert_calls("-pin +msi ", "unpin 2\n");
}
END_TEST

START_TEST(messages_go_before_the_pin_comes)
{
	write_command(PCI_COMMAND_MASTER);
	write_msix(PCI_MSIX_FLAGS_ENABLE);
	assert_calls("+msi ", "");
	write_msix(0);
	wait_for_pin();

	assert_calls("-msi +pin +unmask ", "pin 2\n");
}
END_TEST

START_TEST(a_host_that_refuses_the_pin_is_said_and_left)
{
	host->no_connect = TRUE;
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();

	assert_calls("+pin +unmask -pin ", "");
	ck_assert_ptr_nonnull(strstr(host->log->str, "drive: its guest uses its interrupt pin"));
}
END_TEST

START_TEST(a_kernel_that_refuses_the_resample_is_said_and_left)
{
	no_unmask = TRUE;
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();

	assert_calls("+pin -pin ", "");
	ck_assert_ptr_nonnull(strstr(host->log->str, "cannot be delivered"));
}
END_TEST

START_TEST(a_severed_drive_has_no_pin_and_is_asked_nothing)
{
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	assert_calls("+pin +unmask ", "pin 2\n");
	hb_vfio_interrupts_sever(interrupts);
	assert_calls("", "unpin 2\n");
	write_command(0);
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();

	assert_calls("", "");
}
END_TEST

START_TEST(a_reset_takes_the_pin_away)
{
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	assert_calls("+pin +unmask ", "pin 2\n");
	hb_vfio_interrupts_reset(interrupts);

	assert_calls("-pin ", "unpin 2\n");
}
END_TEST

START_TEST(the_end_gives_the_pin_back)
{
	write_command(PCI_COMMAND_MASTER);
	wait_for_pin();
	assert_calls("+pin +unmask ", "pin 2\n");
	close_drive();
	assert_calls("-pin ", "unpin 2\n");
	open_drive(1);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("intx");
	TCase *tcase = tcase_create("pin");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_drive_may_assert_its_pin_only_while_its_guest_has_it);
	tcase_add_test(tcase, a_drive_whose_messages_are_given_back_does_not_assert_its_pin);
	tcase_add_test(tcase, a_drive_whose_messages_could_not_grow_does_not_assert_its_pin);
	tcase_add_test(tcase, a_drive_whose_pin_was_refused_after_its_messages_does_not_assert_it);
	tcase_add_test(tcase, a_drive_that_is_closed_with_messages_does_not_assert_its_pin);
	tcase_add_test(tcase, a_guest_sees_the_pin);
	tcase_add_test(tcase, a_drive_without_a_pin_has_none);
	tcase_add_test(tcase, a_pin_that_vfio_does_not_offer_is_not_shown);
	tcase_add_test(tcase, a_guest_that_stays_without_messages_gets_the_pin);
	tcase_add_test(tcase, a_guest_that_takes_messages_at_once_never_costs_a_pin);
	tcase_add_test(tcase, a_guest_that_has_disabled_the_pin_does_not_get_it);
	tcase_add_test(tcase, a_guest_that_disables_the_pin_in_time_does_not_get_it);
	tcase_add_test(tcase, disabling_is_a_mask_in_the_drive);
	tcase_add_test(tcase, a_guest_that_is_no_bus_master_any_more_has_no_pin);
	tcase_add_test(tcase, pins_count_as_connections);
	tcase_add_test(tcase, the_pin_goes_before_messages_come);
	tcase_add_test(tcase, messages_go_before_the_pin_comes);
	tcase_add_test(tcase, a_host_that_refuses_the_pin_is_said_and_left);
	tcase_add_test(tcase, a_kernel_that_refuses_the_resample_is_said_and_left);
	tcase_add_test(tcase, a_severed_drive_has_no_pin_and_is_asked_nothing);
	tcase_add_test(tcase, a_reset_takes_the_pin_away);
	tcase_add_test(tcase, the_end_gives_the_pin_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
