/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Lay-out: what the guest finds configured before it has touched anything. */

#include "tests/unit/hw/fake-function.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/switch.h>

#include <linux/pci_regs.h>
#include <string.h>

#define KIB 0x400
#define MIB G_GUINT64_CONSTANT(0x100000)
#define GIB G_GUINT64_CONSTANT(0x40000000)

#define MEM32 G_GUINT64_CONSTANT(0xc0000000)
#define MEM64 G_GUINT64_CONSTANT(0x800000000)

#define BAR_32	      0x0
#define BAR_64	      0x4
#define BAR_64_PREF   0xc
#define N_PORTS	      2
#define PORT_DEVFN(n) HB_PCI_DEVFN(4 + (n), 0)

static const HbHostBridgeConfig config = {
	.ecam = { 0xe0000000, 16 * MIB },
	.mem32 = { MEM32, 64 * MIB },
	.mem64 = { MEM64, 4 * GIB },
};

static FakeHost *host;
static HbHostBridge *bridge;
static FakeFunction *ports[N_PORTS];
static FakeFunction *drive;  /* behind port 1 */
static FakeFunction *device; /* on bus 0 */

static void setup(void)
{
	host = fake_host_create();
	bridge = hb_host_bridge_create(host->host, &config, NULL);
	for (guint i = 0; i < N_PORTS; i++) {
		ports[i] = fake_function_create_bridge((guint16)i);
		hb_host_bridge_add(bridge, PORT_DEVFN(i), &ports[i]->function, NULL);
	}
	drive = fake_function_create(0x10);
	ports[1]->behind = drive;
	device = fake_function_create(0x20);
	hb_host_bridge_add(bridge, HB_PCI_DEVFN(3, 0), &device->function, NULL);
}

static void teardown(void)
{
	hb_host_bridge_destroy(bridge);
	for (guint i = 0; i < N_PORTS; i++)
		fake_function_destroy(ports[i]);
	fake_function_destroy(drive);
	fake_function_destroy(device);
	fake_host_destroy(host);
}

static void lay_out(void)
{
	g_autoptr(GError) error = NULL;

	ck_assert_msg(hb_host_bridge_lay_out(bridge, &error), "%s", error ? error->message : "");
}

static guint16 get_u16(const FakeFunction *fake, guint offset)
{
	return hb_config_space_get_u16(&fake->config, offset);
}

static guint64 get_u32(const FakeFunction *fake, guint offset)
{
	return hb_config_space_get_u32(&fake->config, offset);
}

/* A port's windows as their first and last byte; first > last if closed. */

static guint64 mem32_first(const FakeFunction *port)
{
	return (guint64)(get_u16(port, PCI_MEMORY_BASE) & 0xfff0) << 16;
}

static guint64 mem32_last(const FakeFunction *port)
{
	return (guint64)(get_u16(port, PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
}

static guint64 mem64_first(const FakeFunction *port)
{
	return (guint64)(get_u16(port, PCI_PREF_MEMORY_BASE) & 0xfff0) << 16 |
	       get_u32(port, PCI_PREF_BASE_UPPER32) << 32;
}

static guint64 mem64_last(const FakeFunction *port)
{
	return (guint64)(get_u16(port, PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff |
	       get_u32(port, PCI_PREF_LIMIT_UPPER32) << 32;
}

/* Buses. */

START_TEST(each_port_gets_a_bus_of_its_own)
{
	lay_out();

	ck_assert_uint_eq(get_u32(ports[0], PCI_PRIMARY_BUS), 0x00010100);
	ck_assert_uint_eq(get_u32(ports[1], PCI_PRIMARY_BUS), 0x00020200);
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 2, 0), &drive->function);
}
END_TEST

START_TEST(ports_forward_and_endpoints_do_not_decode)
{
	hb_config_space_set_u16(&drive->config, PCI_COMMAND, PCI_COMMAND_MEMORY);
	lay_out();

	ck_assert_uint_eq(get_u16(ports[0], PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ck_assert_uint_eq(get_u16(drive, PCI_COMMAND), 0);
	ck_assert_uint_eq(get_u16(device, PCI_COMMAND), 0);
}
END_TEST

START_TEST(more_ports_than_buses_is_an_error_that_names_the_first_without)
{
	HbHostBridgeConfig small = config;
	g_autoptr(GError) error = NULL;

	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	small.ecam.size = 2 * MIB;
	bridge = hb_host_bridge_create(host->host, &small, NULL);
	for (guint i = 0; i < N_PORTS; i++)
		hb_host_bridge_add(bridge, PORT_DEVFN(i), &ports[i]->function, NULL);

	ck_assert(!hb_host_bridge_lay_out(bridge, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "00:05.0"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "ecam"));
}
END_TEST

/* Windows. */

START_TEST(windows_have_the_sizes_that_ports_ask_for)
{
	ports[0]->mem32_size = 2 * MIB;
	ports[0]->mem64_size = 256 * MIB;
	ports[1]->mem32_size = 2 * MIB;
	ports[1]->mem64_size = 256 * MIB;
	lay_out();

	ck_assert_uint_eq(mem32_first(ports[0]), MEM32);
	ck_assert_uint_eq(mem32_last(ports[0]), MEM32 + 2 * MIB - 1);
	ck_assert_uint_eq(mem32_first(ports[1]), MEM32 + 2 * MIB);
	ck_assert_uint_eq(mem32_last(ports[1]), MEM32 + 4 * MIB - 1);
	ck_assert_uint_eq(mem64_first(ports[0]), MEM64);
	ck_assert_uint_eq(mem64_last(ports[0]), MEM64 + 256 * MIB - 1);
	ck_assert_uint_eq(mem64_first(ports[1]), MEM64 + 256 * MIB);
	ck_assert_uint_eq(mem64_last(ports[1]), MEM64 + 512 * MIB - 1);
}
END_TEST

START_TEST(a_port_that_asks_for_nothing_has_closed_windows)
{
	lay_out();

	ck_assert_uint_gt(mem32_first(ports[0]), mem32_last(ports[0]));
	ck_assert_uint_gt(mem64_first(ports[0]), mem64_last(ports[0]));
}
END_TEST

START_TEST(a_window_is_aligned_for_the_largest_bar_it_holds)
{
	ports[0]->mem32_size = 1 * MIB;
	ports[1]->mem32_size = 24 * MIB;
	lay_out();

	ck_assert_uint_eq(mem32_first(ports[1]), MEM32 + 16 * MIB);
	ck_assert_uint_eq(mem32_last(ports[1]), MEM32 + 40 * MIB - 1);
}
END_TEST

START_TEST(a_gap_left_by_alignment_is_used)
{
	ports[0]->mem32_size = 16 * MIB;
	ports[1]->mem32_size = 1 * MIB;
	fake_function_add_bar(device, 0, 4 * KIB, BAR_32);
	lay_out();

	ck_assert_uint_eq(fake_function_get_bar(device, 0), MEM32);
	ck_assert_uint_eq(mem32_first(ports[0]), MEM32 + 16 * MIB);
	ck_assert_uint_eq(mem32_first(ports[1]), MEM32 + 1 * MIB);
}
END_TEST

START_TEST(a_window_that_does_not_fit_is_an_error_with_its_remedy)
{
	g_autoptr(GError) error = NULL;

	ports[0]->mem32_size = 32 * MIB;
	ports[1]->mem32_size = 64 * MIB;

	ck_assert(!hb_host_bridge_lay_out(bridge, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "00:05.0"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "mem32"));
}
END_TEST

/* BARs. */

START_TEST(a_drives_bars_are_in_its_ports_windows)
{
	ports[0]->mem32_size = ports[1]->mem32_size = 2 * MIB;
	ports[0]->mem64_size = ports[1]->mem64_size = 2 * MIB;
	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(drive, 2, 4 * KIB, BAR_32);
	fake_function_add_bar(drive, 4, 64 * KIB, BAR_64_PREF);
	lay_out();

	ck_assert_uint_eq(fake_function_get_bar(drive, 0), mem32_first(ports[1]));
	ck_assert_uint_eq(fake_function_get_bar(drive, 2), mem32_first(ports[1]) + 16 * KIB);
	ck_assert_uint_eq(fake_function_get_bar(drive, 4), mem64_first(ports[1]));
	ck_assert_uint_eq(mem32_first(ports[1]), MEM32 + 2 * MIB);
}
END_TEST

START_TEST(a_window_grows_to_what_a_cold_plugged_drive_needs)
{
	ports[1]->mem64_size = 2 * MIB;
	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(drive, 2, 1 * GIB, BAR_64_PREF);
	fake_function_add_bar(drive, 4, 2 * GIB, BAR_64_PREF);
	lay_out();

	ck_assert_uint_eq(mem32_last(ports[1]) - mem32_first(ports[1]), MIB - 1);
	ck_assert_uint_eq(mem64_last(ports[1]) - mem64_first(ports[1]), 3 * GIB - 1);
	ck_assert_uint_eq(fake_function_get_bar(drive, 4), MEM64);
	ck_assert_uint_eq(fake_function_get_bar(drive, 2), MEM64 + 2 * GIB);
}
END_TEST

START_TEST(a_bar_too_large_for_the_machine_is_an_error_that_names_it)
{
	g_autoptr(GError) error = NULL;

	fake_function_add_bar(drive, 2, 8 * GIB, BAR_64_PREF);

	ck_assert(!hb_host_bridge_lay_out(bridge, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "BAR 2 of 02:00.0"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "0x200000000"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "mem64"));
}
END_TEST

START_TEST(bars_on_bus_0_are_placed)
{
	fake_function_add_bar(device, 0, 8 * KIB, BAR_64);
	fake_function_add_bar(device, 3, 4 * KIB, BAR_32);
	lay_out();

	ck_assert_uint_eq(fake_function_get_bar(device, 0), MEM64);
	ck_assert_uint_eq(fake_function_get_bar(device, 3), MEM32);
}
END_TEST

START_TEST(a_bar_on_bus_0_that_does_not_fit_is_an_error_that_names_it)
{
	g_autoptr(GError) error = NULL;

	fake_function_add_bar(device, 3, 128 * MIB, BAR_32);

	ck_assert(!hb_host_bridge_lay_out(bridge, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "00:03.0"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "BAR 3"));
}
END_TEST

START_TEST(io_bars_are_left_alone)
{
	hb_config_space_set_u32(&device->config, PCI_BASE_ADDRESS_0, 0xc001);
	hb_config_space_set_writable(&device->config, PCI_BASE_ADDRESS_0, 4, 0xffffffe0);
	lay_out();

	ck_assert_uint_eq(get_u32(device, PCI_BASE_ADDRESS_0), 0xc001);
}
END_TEST

START_TEST(functions_of_a_single_function_device_are_not_probed)
{
	FakeFunction *hidden = fake_function_create(0x30);

	hb_host_bridge_add(bridge, HB_PCI_DEVFN(3, 1), &hidden->function, NULL);
	lay_out();
	ck_assert_ptr_null(g_strstr_len(hidden->accesses->str, -1, "write"));
	hb_config_space_set_u8(&device->config, PCI_HEADER_TYPE, 0x80);
	lay_out();

	ck_assert_ptr_nonnull(g_strstr_len(hidden->accesses->str, -1, "write"));
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(hidden);
}
END_TEST

START_TEST(laying_out_again_changes_nothing)
{
	ports[0]->mem32_size = ports[1]->mem32_size = 2 * MIB;
	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(device, 0, 16 * KIB, BAR_32);
	lay_out();
	HbConfigSpace port_then = ports[1]->config, drive_then = drive->config;
	guint64 device_bar_then = fake_function_get_bar(device, 0);
	lay_out();

	ck_assert_mem_eq(&ports[1]->config, &port_then, sizeof(port_then));
	ck_assert_mem_eq(&drive->config, &drive_then, sizeof(drive_then));
	ck_assert_uint_eq(fake_function_get_bar(device, 0), device_bar_then);
}
END_TEST

START_TEST(a_real_root_port_and_its_drive_are_laid_out)
{
	HbPortConfig port_config;
	FakeFunction *occupant = fake_function_create(0x40);

	fake_function_add_bar(occupant, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(occupant, 2, 16 * MIB, BAR_64_PREF);
	hb_port_config_init(&port_config);
	port_config.id = "bay9";
	port_config.devfn = HB_PCI_DEVFN(9, 0);
	port_config.slot = 9;
	port_config.mem32_size = port_config.mem64_size = 2 * MIB;

	HbPort *port = hb_port_create(bridge, &port_config, NULL);

	ck_assert(hb_port_plug(port, &occupant->function, 0, NULL));
	lay_out();

	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 3, 0), &occupant->function);
	ck_assert_uint_eq(fake_function_get_bar(occupant, 0), MEM32);
	ck_assert_uint_eq(fake_function_get_bar(occupant, 2), MEM64);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, port_config.devfn, 0x20, 4),
			  0xc010c000);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, port_config.devfn, 0x24, 4),
			  0x00f10001);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, port_config.devfn, 0x28, 4), 8);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, port_config.devfn, 0x2c, 4), 8);
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(occupant);
}
END_TEST

/* Trees: real ports and switches. */

static HbPort *create_port(const char *id, HbSwitch *parent, guint8 number, guint64 mem64)
{
	g_autoptr(GError) error = NULL;
	HbPortConfig wanted;

	hb_port_config_init(&wanted);
	wanted.id = id;
	wanted.parent = parent;
	wanted.devfn = HB_PCI_DEVFN(number, 0);
	wanted.hotplug = FALSE;
	wanted.mem32_size = 2 * MIB;
	wanted.mem64_size = mem64;
	HbPort *port = hb_port_create(bridge, &wanted, &error);
	ck_assert_msg(port != NULL, "%s", error ? error->message : "");
	return port;
}

static guint64 read_base(guint8 bus, guint8 number, guint low, guint high)
{
	guint8 devfn = HB_PCI_DEVFN(number, 0);
	guint64 base = (guint64)(hb_host_bridge_config_read(bridge, bus, devfn, low, 2) & 0xfff0)
		       << 16;

	return high ? base | (guint64)hb_host_bridge_config_read(bridge, bus, devfn, high, 4) << 32
		    : base;
}

/* First byte of a window, and the first byte of its last MiB. */
static void assert_mem64(guint8 bus, guint8 number, guint64 base, guint64 size)
{
	ck_assert_uint_eq(read_base(bus, number, PCI_PREF_MEMORY_BASE, PCI_PREF_BASE_UPPER32),
			  base);
	ck_assert_uint_eq(read_base(bus, number, PCI_PREF_MEMORY_LIMIT, PCI_PREF_LIMIT_UPPER32),
			  base + size - MIB);
}

static void assert_mem32(guint8 bus, guint8 number, guint64 base, guint64 size)
{
	ck_assert_uint_eq(read_base(bus, number, PCI_MEMORY_BASE, 0), base);
	ck_assert_uint_eq(read_base(bus, number, PCI_MEMORY_LIMIT, 0), base + size - MIB);
}

START_TEST(a_switchs_window_holds_those_of_its_ports)
{
	HbSwitch *self = hb_switch_create(create_port("rp", NULL, 9, 1 * MIB), "up", NULL);

	create_port("small", self, 0, 64 * MIB);
	create_port("large", self, 1, 512 * MIB);
	lay_out();

	/* ports[0] and ports[1] have buses 1 and 2 */
	assert_mem64(0, 9, MEM64, 576 * MIB);
	assert_mem64(3, 0, MEM64, 576 * MIB);
	assert_mem64(4, 1, MEM64, 512 * MIB);
	assert_mem64(4, 0, MEM64 + 512 * MIB, 64 * MIB);
	assert_mem32(0, 9, MEM32, 4 * MIB);
	assert_mem32(3, 0, MEM32, 4 * MIB);
	assert_mem32(4, 0, MEM32, 2 * MIB);
	assert_mem32(4, 1, MEM32 + 2 * MIB, 2 * MIB);
}
END_TEST

START_TEST(a_large_drive_deep_down_makes_all_windows_large)
{
	FakeFunction *occupant = fake_function_create(0x40);
	HbSwitch *upper = hb_switch_create(create_port("rp", NULL, 9, 1 * MIB), "up", NULL);
	HbSwitch *lower = hb_switch_create(create_port("middle", upper, 3, 0), "lower", NULL);
	HbPort *port = create_port("deep", lower, 7, 64 * MIB);

	fake_function_add_bar(occupant, 2, 2 * GIB, BAR_64_PREF);
	ck_assert(hb_port_plug(port, &occupant->function, 0, NULL));
	lay_out();

	assert_mem64(0, 9, MEM64, 2 * GIB);
	assert_mem64(4, 3, MEM64, 2 * GIB);
	assert_mem64(6, 7, MEM64, 2 * GIB);
	ck_assert_uint_eq(fake_function_get_bar(occupant, 2), MEM64);
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(occupant);
}
END_TEST

START_TEST(a_window_too_large_below_a_switch_names_the_bar)
{
	g_autoptr(GError) error = NULL;
	FakeFunction *occupant = fake_function_create(0x40);
	HbSwitch *self = hb_switch_create(create_port("rp", NULL, 9, 0), "up", NULL);

	fake_function_add_bar(occupant, 2, 8 * GIB, BAR_64_PREF);
	ck_assert(hb_port_plug(create_port("dp", self, 0, 0), &occupant->function, 0, NULL));

	ck_assert(!hb_host_bridge_lay_out(bridge, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "BAR 2 of 05:00.0"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "mem64"));
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(occupant);
}
END_TEST

START_TEST(reserved_buses_are_left_free)
{
	ports[0]->reserved_buses = 3;
	lay_out();

	ck_assert_uint_eq(get_u32(ports[0], PCI_PRIMARY_BUS), 0x00040100);
	ck_assert_uint_eq(get_u32(ports[1], PCI_PRIMARY_BUS), 0x00050500);
}
END_TEST

START_TEST(more_reserved_buses_than_there_are_is_an_error)
{
	g_autoptr(GError) error = NULL;

	ports[0]->reserved_buses = 15;

	ck_assert(!hb_host_bridge_lay_out(bridge, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "00:04.0"));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "bus-reserve"));
}
END_TEST

/* Again, after a reset. */

START_TEST(windows_stay_when_the_drive_they_were_made_for_has_left)
{
	FakeFunction *occupant = fake_function_create(0x40);
	HbPort *port = create_port("bay9", NULL, 9, 2 * MIB);

	fake_function_add_bar(occupant, 2, 1 * GIB, BAR_64_PREF);
	ck_assert(hb_port_plug(port, &occupant->function, 0, NULL));
	create_port("bay10", NULL, 10, 2 * MIB);
	lay_out();
	hb_port_pull(port, NULL);
	hb_host_bridge_reset(bridge);
	ck_assert(hb_host_bridge_lay_out_again(bridge, NULL));

	assert_mem64(0, 9, MEM64, 1 * GIB);
	assert_mem64(0, 10, MEM64 + 1 * GIB, 2 * MIB);
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(occupant);
}
END_TEST

START_TEST(a_drive_that_does_not_fit_again_is_left_out_and_said)
{
	HbPort *port = create_port("bay9", NULL, 9, 2 * MIB);
	FakeFunction *occupant = fake_function_create(0x40);

	fake_function_add_bar(drive, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(occupant, 0, 16 * KIB, BAR_64);
	fake_function_add_bar(occupant, 2, 8 * GIB, BAR_64_PREF);
	lay_out();
	ck_assert(hb_port_plug(port, &occupant->function, 0, NULL));
	hb_host_bridge_reset(bridge);
	ports[1]->mem32_size = 1 * MIB; /* what a real port remembers */
	g_string_truncate(host->log, 0);
	ck_assert(hb_host_bridge_lay_out_again(bridge, NULL));

	ck_assert_uint_eq(fake_function_get_bar(occupant, 2), 0);
	ck_assert_uint_ne(fake_function_get_bar(occupant, 0), 0);
	ck_assert_uint_ne(fake_function_get_bar(drive, 0), 0);
	assert_mem64(0, 9, MEM64, 2 * MIB);
	ck_assert_ptr_nonnull(strstr(host->log->str, "BAR 2 of 03:00.0 takes 0x200000000"));
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(occupant);
}
END_TEST

/* Hot-add. */

START_TEST(a_drive_too_large_for_a_running_port_is_refused)
{
	g_autoptr(GError) error = NULL;
	HbPortConfig wanted;

	hb_port_config_init(&wanted);
	wanted.id = "bay9";
	wanted.devfn = HB_PCI_DEVFN(9, 0);
	wanted.mem64_size = 64 * MIB;
	HbPort *port = hb_port_create(bridge, &wanted, NULL);

	lay_out();
	hb_port_set_running(port);
	fake_function_add_bar(drive, 2, 128 * MIB, BAR_64_PREF);
	ck_assert(!hb_port_plug(port, &drive->function, 0, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "slot bay9: BAR 2"));

	/* The guest makes room by itself. */
	hb_host_bridge_config_write(bridge, 0, wanted.devfn, PCI_PREF_MEMORY_BASE, 4, 0x17f01000);
	ck_assert(hb_port_plug(port, &drive->function, 0, NULL));
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
}
END_TEST

static TCase *create_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_window_tests(TCase *tcase)
{
	tcase_add_test(tcase, each_port_gets_a_bus_of_its_own);
	tcase_add_test(tcase, ports_forward_and_endpoints_do_not_decode);
	tcase_add_test(tcase, more_ports_than_buses_is_an_error_that_names_the_first_without);
	tcase_add_test(tcase, windows_have_the_sizes_that_ports_ask_for);
	tcase_add_test(tcase, a_port_that_asks_for_nothing_has_closed_windows);
	tcase_add_test(tcase, a_window_is_aligned_for_the_largest_bar_it_holds);
	tcase_add_test(tcase, a_gap_left_by_alignment_is_used);
	tcase_add_test(tcase, a_window_that_does_not_fit_is_an_error_with_its_remedy);
}

static void add_bar_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_drives_bars_are_in_its_ports_windows);
	tcase_add_test(tcase, a_window_grows_to_what_a_cold_plugged_drive_needs);
	tcase_add_test(tcase, a_bar_too_large_for_the_machine_is_an_error_that_names_it);
	tcase_add_test(tcase, bars_on_bus_0_are_placed);
	tcase_add_test(tcase, a_bar_on_bus_0_that_does_not_fit_is_an_error_that_names_it);
	tcase_add_test(tcase, io_bars_are_left_alone);
	tcase_add_test(tcase, functions_of_a_single_function_device_are_not_probed);
	tcase_add_test(tcase, laying_out_again_changes_nothing);
	tcase_add_test(tcase, a_real_root_port_and_its_drive_are_laid_out);
}

static void add_tree_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_switchs_window_holds_those_of_its_ports);
	tcase_add_test(tcase, a_large_drive_deep_down_makes_all_windows_large);
	tcase_add_test(tcase, a_window_too_large_below_a_switch_names_the_bar);
	tcase_add_test(tcase, reserved_buses_are_left_free);
	tcase_add_test(tcase, more_reserved_buses_than_there_are_is_an_error);
	tcase_add_test(tcase, windows_stay_when_the_drive_they_were_made_for_has_left);
	tcase_add_test(tcase, a_drive_that_does_not_fit_again_is_left_out_and_said);
	tcase_add_test(tcase, a_drive_too_large_for_a_running_port_is_refused);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("layout");

	add_window_tests(create_case(suite, "windows"));
	add_bar_tests(create_case(suite, "bars"));
	add_tree_tests(create_case(suite, "trees"));
	return suite;
}
