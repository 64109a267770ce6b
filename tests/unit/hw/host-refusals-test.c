/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Whatever one call to the host is refused, a drive comes, works and goes: the story of two drives
 * is told once for each call that may be refused, with just that one refused. Nothing may be left
 * in the host, which the strict host sees to, nor in memory, which AddressSanitizer sees to.
 *
 * Allocations are not made to fail: GLib ends the process when there is no memory.
 */

#include "hw/host-bridge.h"
#include "hw/port.h"
#include "tests/unit/hw/model-drive.h"
#include "tests/unit/hw/strict-host.h"
#include "tests/unit/suite.h"

#include <hotbay/event.h>

#include <linux/pci_regs.h>
#include <string.h>

#define PORT_DEVFN   HB_PCI_DEVFN(4, 0)
#define N_VECTORS    4
#define TABLE	     0x2000 /* in the model drive's BAR 0 */
#define MSIX_CONTROL 0x42   /* in its configuration space */
#define APIC	     0xfee00000u
#define FIRST_DATA   0x50u
#define PORT_DATA    0x41u

static StrictHost *strict;
static HbIrqRemap *remap;
static HbHostBridge *bridge;
static HbPort *port;
static gint alive;
static guint n_released;
static guint8 bus;  /* of the drive */
static guint32 bar; /* its address, once it is placed */

/* -- The host. -- */

static void on_event(const HbEvent *event, gpointer data)
{
	if (event->type == HB_EVENT_RELEASED)
		n_released++;
}

static void set_up(guint refused)
{
	const HbHostBridgeConfig windows = {
		.ecam = { 0xb0000000, 0x1000000 },
		.mem32 = { 0xc0000000, 0x10000000 },
		.mem64 = { 0x100000000, 0x100000000 },
	};
	HbPortConfig config;

	hb_port_config_init(&config);
	config.id = "bay0";
	config.devfn = PORT_DEVFN;
	config.chassis = 1;
	config.slot = 1;
	n_released = 0;
	strict = strict_host_create(refused);
	remap = hb_irq_remap_create(strict_host_get_host(strict), N_VECTORS);
	bridge = hb_host_bridge_create(strict_host_get_host(strict), &windows, NULL);
	port = hb_port_create(bridge, &config, NULL);
	ck_assert_ptr_nonnull(port);
	hb_host_set_listener(strict_host_get_host(strict), on_event, NULL);
	ck_assert(hb_host_bridge_lay_out(bridge, NULL));
	hb_port_set_running(port);
}

static void tear_down(void)
{
	hb_host_bridge_destroy(bridge);
	ck_assert_int_eq(g_atomic_int_get(&alive), 0);
	ck_assert_uint_eq(hb_irq_remap_get_used(remap), 0);
	hb_irq_remap_destroy(remap);
	strict_host_destroy(strict);
}

static void run_loop(void)
{
	while (g_main_context_iteration(strict_host_get_context(strict), FALSE))
		continue;
}

/* Longer than vectors are forwarded until they have their routes. */
static void let_routes_be_made(void)
{
	gint64 end = g_get_monotonic_time() + 110 * 1000;

	while (g_get_monotonic_time() < end) {
		run_loop();
		g_usleep(5000);
	}
	run_loop();
}

/* -- The guest. -- */

static guint32 read_port(guint offset, guint size)
{
	return hb_host_bridge_config_read(bridge, 0, PORT_DEVFN, offset, size);
}

static void write_port(guint offset, guint size, guint32 value)
{
	hb_host_bridge_config_write(bridge, 0, PORT_DEVFN, offset, size, value);
}

static void write_drive(guint offset, guint size, guint32 value)
{
	hb_host_bridge_config_write(bridge, bus, 0, offset, size, value);
}

static void set_indicator(guint16 value)
{
	write_port(HB_PORT_EXPRESS + PCI_EXP_SLTCTL, 2,
		   (read_port(HB_PORT_EXPRESS + PCI_EXP_SLTCTL, 2) & ~PCI_EXP_SLTCTL_PIC) | value);
}

static void boot(void)
{
	bus = (guint8)read_port(PCI_SECONDARY_BUS, 1);
	bar = read_port(PCI_MEMORY_BASE, 2) << 16;
	write_port(HB_PORT_MSI + PCI_MSI_ADDRESS_LO, 4, APIC);
	write_port(HB_PORT_MSI + PCI_MSI_DATA_64, 2, PORT_DATA);
	write_port(HB_PORT_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
	write_port(HB_PORT_EXPRESS + PCI_EXP_SLTCTL, 2,
		   PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_HPIE |
			   PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_ATTN_IND_OFF);
	run_loop();
}

static void write_table(guint vector, guint offset, guint32 value)
{
	ck_assert(hb_host_bridge_mmio(bridge, bar + TABLE + vector * PCI_MSIX_ENTRY_SIZE + offset,
				      &value, sizeof(value), TRUE));
}

static void program_vector(guint vector, guint32 data)
{
	write_table(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, PCI_MSIX_ENTRY_CTRL_MASKBIT);
	write_table(vector, PCI_MSIX_ENTRY_LOWER_ADDR, APIC);
	write_table(vector, PCI_MSIX_ENTRY_DATA, data);
	write_table(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
}

/* As a driver does: BAR, vectors, MSI-X. */
static void load_driver(void)
{
	set_indicator(PCI_EXP_SLTCTL_PWR_IND_ON);
	write_drive(PCI_BASE_ADDRESS_0, 4, bar);
	write_drive(PCI_BASE_ADDRESS_1, 4, 0);
	write_drive(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	for (guint i = 0; i < N_VECTORS; i++)
		program_vector(i, FIRST_DATA + i);
	write_drive(MSIX_CONTROL, 2, PCI_MSIX_FLAGS_ENABLE);
}

/* Another message, a mask, and another address for the BAR. */
static void change_everything(void)
{
	program_vector(1, FIRST_DATA + 9);
	write_table(2, PCI_MSIX_ENTRY_VECTOR_CTRL, PCI_MSIX_ENTRY_CTRL_MASKBIT);
	write_table(2, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
	bar += 0x10000;
	write_drive(PCI_BASE_ADDRESS_0, 4, bar);
}

/* -- What is expected of the library, whatever was refused. -- */

static gboolean was_refused(const char *name)
{
	const char *refused = strict_host_get_refused(strict);

	return refused && strcmp(refused, name) == 0;
}

/* A vector's interrupt comes by its route or by the loop; only a message itself can be lost. */
static void assert_interrupt(guint vector, guint32 data)
{
	const HbMsiMessage message = { APIC, data };
	HbSlotInfo info;

	hb_port_get_info(port, &info);
	hb_host_bridge_lock(bridge);
	model_drive_interrupt(info.occupant, vector);
	hb_host_bridge_unlock(bridge);
	run_loop();
	ck_assert_msg(strict_host_delivers(strict, &message) || was_refused("signal_msi"),
		      "vector %u is lost without %s", vector,
		      strict_host_get_refused(strict) ? strict_host_get_refused(strict)
						      : "a refusal");
}

static void assert_memory(void)
{
	guint32 value;

	if (strict_host_get_n_mapped(strict) == 1)
		return;
	ck_assert(was_refused("map"));
	ck_assert(hb_host_bridge_mmio(bridge, bar, &value, sizeof(value), FALSE));
}

static void plug(void)
{
	HbPciFunction *drive = model_drive_create(remap, &alive);

	model_drive_batch_routes(drive);
	ck_assert(hb_port_plug(port, drive, 0, NULL));
	run_loop();
	load_driver();
	assert_memory();
	for (guint i = 0; i < N_VECTORS; i++)
		assert_interrupt(i, FIRST_DATA + i);
	let_routes_be_made();
	for (guint i = 0; i < N_VECTORS; i++)
		assert_interrupt(i, FIRST_DATA + i);
}

static void tell_story(void)
{
	boot();
	plug();
	change_everything();
	assert_interrupt(1, FIRST_DATA + 9);
	assert_interrupt(2, FIRST_DATA + 2);
	let_routes_be_made();
	assert_interrupt(1, FIRST_DATA + 9);
	ck_assert(hb_port_request_removal(port, NULL));
	set_indicator(PCI_EXP_SLTCTL_PWR_IND_BLINK);
	set_indicator(PCI_EXP_SLTCTL_PWR_IND_OFF);
	run_loop();
	ck_assert_uint_eq(n_released, 1);
	ck_assert_uint_eq(strict_host_get_n_mapped(strict), 0);
	plug();
	hb_port_pull(port, NULL);
	ck_assert_uint_eq(strict_host_get_n_mapped(strict), 0);
	run_loop();
	ck_assert_uint_eq(n_released, 2);
}

/* The call that was refused; NULL: the story has fewer. */
static const char *tell_story_refusing(guint refused)
{
	const char *name;

	set_up(refused);
	tell_story();
	name = strict_host_get_refused(strict);
	tear_down();
	return name;
}

START_TEST(nothing_is_lost_or_left_whichever_call_is_refused)
{
	static const char *const may_refuse[] = { "map", "signal_msi", "route_add", "routes_commit",
						  "route_connect" };
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	const char *refused;

	for (guint n = 1; (refused = tell_story_refusing(n)); n++)
		g_hash_table_add(seen, (gpointer)refused);

	for (guint i = 0; i < G_N_ELEMENTS(may_refuse); i++)
		ck_assert_msg(g_hash_table_contains(seen, may_refuse[i]), "%s never came",
			      may_refuse[i]);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host-refusals");
	TCase *tcase = tcase_create("in turn");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, nothing_is_lost_or_left_whichever_call_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
