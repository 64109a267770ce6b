/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive's resets. The "drive" is a memory file, and the kernel a function in the place of
 * ioctl(), which can be made to take as long as a test wants.
 */

#include "hw/host-bridge.h"
#include "tests/unit/suite.h"
#include "vfio/reset.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/mman.h>
#include <unistd.h>

static HbHost *host;
static HbHostBridge *bridge;
static HbVfioConfig config;
static HbVfioReset *reset;
static guint n_warnings;

static GMutex gate;	       /* held by a test: the kernel does not get on with its reset */
static gint n_begun, n_resets; /* atomic */
static gint refuses;	       /* atomic */
static gint silence;	       /* atomic: what the notifiers were told last */

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	ck_assert_uint_eq(request, VFIO_DEVICE_RESET);
	g_atomic_int_inc(&n_begun);
	g_mutex_lock(&gate);
	g_mutex_unlock(&gate);
	g_usleep(20000);
	g_atomic_int_inc(&n_resets);
	errno = ENOTTY;
	return g_atomic_int_get(&refuses) ? -1 : 0;
}

/* ---- the drive's other parts ---- */

void hb_vfio_interrupts_reset(HbVfioInterrupts *interrupts)
{
}

void hb_bars_set_reachable(HbBars *bars, gboolean reachable)
{
}

void hb_vfio_notifiers_set_resetting(HbVfioNotifiers *notifiers, gboolean resetting)
{
	g_atomic_int_set(&silence, resetting);
}

static void on_log(HbHost *unused, GLogLevelFlags level, const char *line)
{
	n_warnings++;
}

static const HbHostOps host_ops = { .log = on_log };

static void set_up(void)
{
	const HbHostBridgeConfig bridge_config = {
		.ecam = { 0xb0000000, 0x1000000 },
		.mem32 = { 0xc0000000, 0x10000000 },
		.mem64 = { 0x100000000, 0x100000000 },
	};

	host = hb_host_create(&host_ops, NULL, NULL);
	bridge = hb_host_bridge_create(host, &bridge_config, NULL);
	config = (HbVfioConfig){ .device_fd = memfd_create("drive", MFD_CLOEXEC) };
	ck_assert_int_eq(ftruncate(config.device_fd, HB_CONFIG_SIZE), 0);
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_COMMAND, PCI_COMMAND_MASTER));
	n_begun = n_resets = refuses = silence = 0;
	n_warnings = 0;
	reset = hb_vfio_reset_create(&(HbVfioResetParts){
		.host = host, .address = "0000:01:00.0", .id = "d0", .config = &config });
	hb_vfio_reset_attach(reset, bridge);
}

static void tear_down(void)
{
	hb_vfio_reset_destroy(reset);
	hb_host_bridge_destroy(bridge);
	hb_host_destroy(host);
	close(config.device_fd);
}

static void start(void)
{
	hb_host_bridge_lock(bridge);
	hb_vfio_reset_start(reset);
	hb_host_bridge_unlock(bridge);
}

static gboolean is_in_flight(void)
{
	hb_host_bridge_lock(bridge);
	gboolean in_flight = hb_vfio_reset_is_in_flight(reset);
	hb_host_bridge_unlock(bridge);
	return in_flight;
}

static guint16 get_command(void)
{
	guint16 command;

	ck_assert(hb_vfio_config_peek_u16(&config, PCI_COMMAND, &command));
	return command;
}

START_TEST(a_functions_reset_is_in_flight_until_the_kernel_is_done)
{
	g_mutex_lock(&gate);
	start();
	ck_assert(is_in_flight());
	ck_assert(g_atomic_int_get(&silence));
	ck_assert_uint_eq(get_command() & PCI_COMMAND_MASTER, 0);
	g_mutex_unlock(&gate);

	while (is_in_flight())
		g_usleep(1000);

	ck_assert_int_eq(g_atomic_int_get(&n_resets), 1);
	ck_assert(!g_atomic_int_get(&silence));
	ck_assert_uint_eq(get_command(), PCI_COMMAND_MEMORY);
}
END_TEST

START_TEST(the_close_waits_for_a_reset_in_flight)
{
	g_mutex_lock(&gate);
	start();
	while (g_atomic_int_get(&n_begun) == 0)
		g_usleep(1000);
	g_mutex_unlock(&gate);

	hb_vfio_reset_destroy(g_steal_pointer(&reset));

	ck_assert_int_eq(g_atomic_int_get(&n_resets), 1);
	ck_assert(!g_atomic_int_get(&silence));
}
END_TEST

START_TEST(a_machines_reset_ends_one_in_flight_that_has_not_begun)
{
	hb_host_bridge_lock(bridge);
	hb_vfio_reset_start(reset);
	hb_vfio_reset_run(reset);
	ck_assert(!hb_vfio_reset_is_in_flight(reset));
	hb_host_bridge_unlock(bridge);

	g_usleep(100000); /* the worker's chance to do what it must not */

	ck_assert_int_eq(g_atomic_int_get(&n_resets), 1);
}
END_TEST

START_TEST(a_severed_drive_is_not_reset_any_more)
{
	hb_host_bridge_lock(bridge);
	hb_vfio_reset_start(reset);
	hb_vfio_reset_sever(reset);
	hb_host_bridge_unlock(bridge);

	while (is_in_flight())
		g_usleep(1000);

	ck_assert_int_eq(g_atomic_int_get(&n_resets), 0);
}
END_TEST

START_TEST(a_drive_that_cannot_be_reset_is_told_of_once_and_has_its_dma_off)
{
	refuses = TRUE;

	hb_vfio_reset_run(reset);
	hb_vfio_reset_run(reset);

	ck_assert_uint_eq(n_warnings, 1);
	ck_assert_uint_eq(get_command() & PCI_COMMAND_MASTER, 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("reset");
	TCase *tcase = tcase_create("reset");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_functions_reset_is_in_flight_until_the_kernel_is_done);
	tcase_add_test(tcase, the_close_waits_for_a_reset_in_flight);
	tcase_add_test(tcase, a_machines_reset_ends_one_in_flight_that_has_not_begun);
	tcase_add_test(tcase, a_severed_drive_is_not_reset_any_more);
	tcase_add_test(tcase, a_drive_that_cannot_be_reset_is_told_of_once_and_has_its_dma_off);
	suite_add_tcase(suite, tcase);
	return suite;
}
