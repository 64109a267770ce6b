/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What threads share: two vCPU threads that read and write everything below the bridge and, now and
 * then, use a drive as its driver would; an operator's, who looks and pulls; and the loop that
 * plugs, asks and releases. The host holds the library to its contract. Meant for ThreadSanitizer;
 * without it, it still shows that nothing is lost: every drive that was plugged is released, once.
 */

#include "tests/unit/hw/model-drive.h"
#include "tests/unit/hw/strict-host.h"
#include "tests/unit/suite.h"

#include <hotbay/event.h>

#include <linux/pci_regs.h>
#include <string.h>

#define N_PORTS	 2
#define N_ROUNDS 300

/* Of a model drive: the MSI-X table in BAR 0, and where it is enabled. */
#define TABLE	     0x2000
#define TABLE_END    0x2040
#define MSIX_CONTROL 0x42

/* Batches are the loop's work, and what GLib's loop does with its own lists ThreadSanitizer cannot
 * see. */
#if defined(__has_feature)
#define IS_WATCHED __has_feature(thread_sanitizer)
#else
#define IS_WATCHED 0
#endif

static StrictHost *strict;
static HbIrqRemap *remap;
static HbHostBridge *bridge;
static HbPort *ports[N_PORTS];
static gint alive;
static gint stop;
static guint n_released;
static gint last_request;
static gint n_accepted; /* requests with a number that were accepted */
static gint n_ended;	/* of these */
static gint64 last_us;

/* Numbers come from two threads, so what is accepted is counted, and what has ended. */
static void on_event(const HbEvent *event, gpointer data)
{
	if (event->type == HB_EVENT_RELEASED)
		n_released++;
	if (event->ends_request)
		n_ended++;
	if (event->type == HB_EVENT_INDICATORS)
		return;
	ck_assert_int_ge(event->time_us, last_us);
	last_us = event->time_us;
}

static guint64 next_request(void)
{
	return (guint64)g_atomic_int_add(&last_request, 1) + 1;
}

static gboolean note(gboolean accepted)
{
	if (accepted)
		g_atomic_int_inc(&n_accepted);
	return accepted;
}

static void setup(void)
{
	const HbHostBridgeConfig config = {
		.ecam = { 0xb0000000, 0x10000000 },
		.mem32 = { 0xc0000000, 0x30000000 },
		.mem64 = { 0x800000000, 0x100000000 },
	};

	strict = strict_host_create(0);
	remap = hb_irq_remap_create(strict_host_get_host(strict), 64);
	hb_host_set_listener(strict_host_get_host(strict), on_event, NULL);
	bridge = hb_host_bridge_create(strict_host_get_host(strict), &config, NULL);
	for (guint i = 0; i < N_PORTS; i++) {
		g_autofree char *id = g_strdup_printf("bay%u", i);
		HbPortConfig port;

		hb_port_config_init(&port);
		port.id = id;
		port.devfn = HB_PCI_DEVFN(4 + i, 0);
		port.chassis = 1;
		port.slot = (guint16)(i + 1);
		ports[i] = hb_port_create(bridge, &port, NULL);
		ck_assert_ptr_nonnull(ports[i]);
		hb_port_set_running(ports[i]);
	}
	ck_assert(hb_host_bridge_lay_out(bridge, NULL));
}

static void teardown(void)
{
	hb_host_bridge_destroy(bridge);
	hb_irq_remap_destroy(remap);
	strict_host_destroy(strict);
}

static void write_memory(guint64 gpa, guint32 value)
{
	hb_host_bridge_mmio(bridge, gpa, &value, sizeof(value), TRUE);
}

/* A driver's start, on a drive that may go meanwhile: BAR 0, its vectors, MSI-X. */
static void load_driver(guint8 bus, guint32 data)
{
	guint8 devfn = HB_PCI_DEVFN(3 + bus, 0);
	guint32 bar = hb_host_bridge_config_read(bridge, 0, devfn, PCI_MEMORY_BASE, 2) << 16;

	hb_host_bridge_config_write(bridge, bus, 0, PCI_BASE_ADDRESS_0, 4, bar);
	hb_host_bridge_config_write(bridge, bus, 0, PCI_BASE_ADDRESS_1, 4, 0);
	hb_host_bridge_config_write(bridge, bus, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	for (guint64 entry = bar + TABLE; entry < bar + TABLE_END; entry += PCI_MSIX_ENTRY_SIZE) {
		write_memory(entry + PCI_MSIX_ENTRY_LOWER_ADDR, 0xfee00000);
		write_memory(entry + PCI_MSIX_ENTRY_DATA, data & 0xff);
		write_memory(entry + PCI_MSIX_ENTRY_VECTOR_CTRL, data >> 8 & 1);
	}
	hb_host_bridge_config_write(bridge, bus, 0, MSIX_CONTROL, 2, PCI_MSIX_FLAGS_ENABLE);
	guint n_faults = 0;

	if ((data & 0xff) == 0)
		hb_host_bridge_revoke(bridge, &n_faults);
}

/* A guest without manners. */
static gpointer run_vcpu(gpointer data)
{
	guint32 random = GPOINTER_TO_UINT(data);

	while (!g_atomic_int_get(&stop)) {
		random = random * 1664525 + 1013904223;
		guint8 bus = (guint8)(random >> 28) % (N_PORTS + 1);
		guint8 devfn = bus ? 0 : HB_PCI_DEVFN(4 + (random >> 8) % N_PORTS, 0);
		guint offset = (random >> 12) % 0x100 & ~3u;
		guint32 value = random;

		if (offset < 0x18 || offset >= 0x34)
			hb_host_bridge_config_write(bridge, bus, devfn, offset, 4, value);
		hb_host_bridge_config_read(bridge, bus, devfn, offset, 4);
		hb_host_bridge_mmio(bridge, 0xc0000000 + (random & 0x3ffff8), &value, 4,
				    random & 1);
		if (random >> 12 & 1 && bus)
			load_driver(bus, random >> 16);
	}
	return NULL;
}

static gpointer run_operator(gpointer data)
{
	while (!g_atomic_int_get(&stop)) {
		HbSlotInfo info;

		hb_port_get_info(ports[1], &info);
		note(hb_port_pull_because(ports[0], NULL, HB_SLOT_REASON_COMMAND, next_request()));
		g_usleep(200);
	}
	return NULL;
}

static void iterate(void)
{
	while (g_main_context_iteration(strict_host_get_context(strict), FALSE))
		continue;
}

static guint churn(void)
{
	guint plugged = 0;

	for (guint round = 0; round < N_ROUNDS; round++) {
		HbPort *port = ports[round % N_PORTS];
		HbPciFunction *drive = model_drive_create(remap, &alive);

		if (!IS_WATCHED)
			model_drive_batch_routes(drive);
		if (note(hb_port_plug(port, drive, next_request(), NULL)))
			plugged++;
		else
			drive->ops->release(drive, NULL, NULL);
		g_usleep(100);
		hb_port_request_removal(port, NULL);
		if (round % 4 == 0)
			note(hb_port_give_back(port, drive, next_request()));
		if (round % 3 == 0)
			hb_port_pull(port, NULL);
		HbSlotInfo info;
		hb_port_get_info(port, &info);
		iterate();
	}
	return plugged;
}

static void empty_slots(void)
{
	for (guint i = 0; i < N_PORTS; i++) {
		HbSlotInfo info;

		for (guint tries = 0; tries < 10; tries++) {
			hb_port_get_info(ports[i], &info);
			if (info.occupant)
				hb_port_pull(ports[i], NULL);
			/* An acknowledgement by reset admits who is in line. */
			hb_host_bridge_reset(bridge);
			iterate();
		}
		hb_port_get_info(ports[i], &info);
		ck_assert_ptr_null(info.occupant);
	}
}

START_TEST(no_drive_is_lost_or_released_twice_between_threads)
{
	GThread *vcpus[] = { g_thread_new("vcpu0", run_vcpu, GUINT_TO_POINTER(1)),
			     g_thread_new("vcpu1", run_vcpu, GUINT_TO_POINTER(77)) };
	GThread *operator_thread = g_thread_new("operator", run_operator, NULL);

	guint plugged = churn();
	g_atomic_int_set(&stop, 1);
	for (guint i = 0; i < G_N_ELEMENTS(vcpus); i++)
		g_thread_join(vcpus[i]);
	g_thread_join(operator_thread);
	empty_slots();

	ck_assert_uint_gt(plugged, 0);
	ck_assert_uint_eq(n_released, plugged);
	ck_assert_int_gt(g_atomic_int_get(&n_accepted), (gint)plugged);
	ck_assert_int_eq(n_ended, g_atomic_int_get(&n_accepted));
	ck_assert_int_eq(g_atomic_int_get(&alive), 0);
	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("threads");
	TCase *tcase = tcase_create("churn");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, no_drive_is_lost_or_released_twice_between_threads);
	suite_add_tcase(suite, tcase);
	return suite;
}
