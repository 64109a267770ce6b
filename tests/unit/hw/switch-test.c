/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A switch below a root port, as its guest and its operator see it:
 *
 *   00:04.0 rp0 --- 01:00.0 up0 --- 02:00.0 bay0 --- 03:00.0 first
 *                               '-- 02:01.0 bay1 --- 04:00.0 second
 */

#include "hw/port.h"
#include "hw/switch.h"
#include "tests/unit/hw/fake-function.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/hw/model-drive.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/event.h>

#include <linux/pci_regs.h>
#include <string.h>

#define MIB  (G_GUINT64_CONSTANT(1) << 20)
#define ROOT HB_PCI_DEVFN(4, 0)
#define BAY0 HB_PCI_DEVFN(0, 0)
#define BAY1 HB_PCI_DEVFN(1, 0)

#define NOBODY 0xffff

static FakeHost *host;
static HbHostBridge *bridge;
static HbPort *root, *bay0, *bay1;
static HbSwitch *up0;
static FakeFunction *first, *second;
static GString *events;

static void listen(const HbEvent *event, gpointer data)
{
	g_string_append_printf(events, "%s %s\n", hb_port_get_id(event->port),
			       hb_event_type_to_str(event->type));
}

static HbPort *create_port(const char *id, HbSwitch *parent, guint8 devfn, gboolean hotplug,
			   GError **error)
{
	HbPortConfig config;

	hb_port_config_init(&config);
	config.id = id;
	config.parent = parent;
	config.devfn = devfn;
	config.hotplug = hotplug;
	config.mem32_size = config.mem64_size = 2 * MIB;
	return hb_port_create(bridge, &config, error);
}

static void setup(void)
{
	const HbHostBridgeConfig config = {
		.ecam = { 0xe0000000, 16 * MIB },
		.mem32 = { 0xc0000000, 256 * MIB },
		.mem64 = { 0x800000000, 1024 * MIB },
	};

	host = fake_host_create();
	hb_host_set_listener(host->host, listen, NULL);
	events = g_string_new(NULL);
	bridge = hb_host_bridge_create(host->host, &config, NULL);
	root = create_port("rp0", NULL, ROOT, FALSE, NULL);
	up0 = hb_switch_create(root, "up0", NULL);
	ck_assert_ptr_nonnull(up0);
	bay0 = create_port("bay0", up0, BAY0, TRUE, NULL);
	bay1 = create_port("bay1", up0, BAY1, TRUE, NULL);
	first = fake_function_create(0x10);
	second = fake_function_create(0x20);
	ck_assert(hb_port_plug(bay0, &first->function, 0, NULL));
	ck_assert(hb_port_plug(bay1, &second->function, 0, NULL));
	ck_assert(hb_host_bridge_lay_out(bridge, NULL));
}

static void run_loop(void)
{
	while (g_main_context_iteration(host->context, FALSE))
		continue;
}

static void teardown(void)
{
	hb_host_bridge_destroy(bridge);
	fake_function_destroy(first);
	fake_function_destroy(second);
	g_string_free(events, TRUE);
	fake_host_destroy(host);
}

static guint32 get(guint8 bus, guint8 devfn, guint offset, guint size)
{
	return hb_host_bridge_config_read(bridge, bus, devfn, offset, size);
}

static void set(guint8 bus, guint8 devfn, guint offset, guint size, guint32 value)
{
	hb_host_bridge_config_write(bridge, bus, devfn, offset, size, value);
}

static guint16 get_device_id(guint8 bus, guint8 devfn)
{
	return (guint16)get(bus, devfn, PCI_DEVICE_ID, 2);
}

static void pulse_bus_reset(guint8 bus, guint8 devfn)
{
	set(bus, devfn, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
	set(bus, devfn, PCI_BRIDGE_CONTROL, 2, 0);
}

/* What is where. */

START_TEST(the_tree_is_numbered_depth_first)
{
	ck_assert_uint_eq(get(0, ROOT, PCI_PRIMARY_BUS, 4), 0x00040100);
	ck_assert_uint_eq(get(1, 0, PCI_PRIMARY_BUS, 4), 0x00040201);
	ck_assert_uint_eq(get(2, BAY0, PCI_PRIMARY_BUS, 4), 0x00030302);
	ck_assert_uint_eq(get(2, BAY1, PCI_PRIMARY_BUS, 4), 0x00040402);
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 1, 0), hb_switch_get_function(up0));
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 2, BAY1), hb_port_get_function(bay1));
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 3, 0), &first->function);
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 4, 0), &second->function);
}
END_TEST

/* Each bridge turns the pins by the device number below it, PCIe r6.0 §2.2.8.1. */
START_TEST(pins_are_joined_to_the_root_buss_lines_on_the_way)
{
	guint behind_root = HB_PCI_DEVICE(ROOT) % 4;

	ck_assert_uint_eq(hb_host_bridge_get_pin_link(root, 0), behind_root);
	ck_assert_uint_eq(hb_host_bridge_get_pin_link(root, 3), (behind_root + 3) % 4);
	ck_assert_uint_eq(hb_host_bridge_get_pin_link(bay0, 0),
			  (behind_root + HB_PCI_DEVICE(BAY0)) % 4);
	ck_assert_uint_eq(hb_host_bridge_get_pin_link(bay1, 0),
			  (behind_root + HB_PCI_DEVICE(BAY1)) % 4);
}
END_TEST

START_TEST(behind_a_link_and_between_ports_there_is_nobody_else)
{
	ck_assert_uint_eq(get_device_id(1, HB_PCI_DEVFN(0, 1)), NOBODY);
	ck_assert_uint_eq(get_device_id(1, HB_PCI_DEVFN(1, 0)), NOBODY);
	ck_assert_uint_eq(get_device_id(2, HB_PCI_DEVFN(2, 0)), NOBODY);
	ck_assert_uint_eq(get_device_id(3, HB_PCI_DEVFN(1, 0)), NOBODY);
	ck_assert_uint_eq(get_device_id(5, 0), NOBODY);
}
END_TEST

START_TEST(ports_say_which_they_are)
{
	ck_assert_uint_eq(get(1, 0, PCI_VENDOR_ID, 4), 0x8232104c);
	ck_assert_uint_eq(get(2, BAY0, PCI_VENDOR_ID, 4), 0x8233104c);
	ck_assert_uint_eq(get(1, 0, HB_UPSTREAM_PORT_EXPRESS + PCI_EXP_FLAGS, 2),
			  PCI_EXP_TYPE_UPSTREAM << 4 | 2);
	ck_assert_uint_eq(get(2, BAY0, HB_PORT_EXPRESS + PCI_EXP_FLAGS, 2),
			  PCI_EXP_FLAGS_SLOT | PCI_EXP_TYPE_DOWNSTREAM << 4 | 2);
}
END_TEST

START_TEST(the_upstream_link_is_up_and_has_no_slot)
{
	ck_assert_uint_eq(get(1, 0, HB_UPSTREAM_PORT_EXPRESS + PCI_EXP_LNKSTA, 2), 0x0105);
	ck_assert_uint_eq(get(1, 0, HB_UPSTREAM_PORT_EXPRESS + PCI_EXP_SLTCAP, 4), 0);
	ck_assert_uint_eq(get(1, 0, HB_UPSTREAM_PORT_EXPRESS + PCI_EXP_DEVCAP2, 4), 0);
}
END_TEST

START_TEST(a_downstream_port_has_no_root_registers)
{
	guint root_control = HB_PORT_EXPRESS + PCI_EXP_RTCTL;

	set(2, BAY0, root_control, 2, 0xffff);
	set(0, ROOT, root_control, 2, 0xffff);

	ck_assert_uint_eq(get(2, BAY0, root_control, 2), 0);
	ck_assert_uint_ne(get(0, ROOT, root_control, 2), 0);
}
END_TEST

START_TEST(ports_with_slots_forward_ari)
{
	guint control = HB_PORT_EXPRESS + PCI_EXP_DEVCTL2;

	set(2, BAY0, control, 2, 0xffff);

	ck_assert_uint_eq(get(2, BAY0, HB_PORT_EXPRESS + PCI_EXP_DEVCAP2, 4), PCI_EXP_DEVCAP2_ARI);
	ck_assert_uint_eq(get(2, BAY0, control, 2), PCI_EXP_DEVCTL2_ARI);
}
END_TEST

/* Bus numbers. */

START_TEST(nothing_is_reached_that_the_root_port_does_not_cover)
{
	set(0, ROOT, PCI_SUBORDINATE_BUS, 1, 3);

	ck_assert_uint_eq(get_device_id(3, 0), 0x10);
	ck_assert_uint_eq(get_device_id(4, 0), NOBODY);
}
END_TEST

START_TEST(nothing_is_reached_that_the_upstream_port_does_not_cover)
{
	set(1, 0, PCI_SUBORDINATE_BUS, 1, 3);

	ck_assert_uint_eq(get_device_id(3, 0), 0x10);
	ck_assert_uint_eq(get_device_id(4, 0), NOBODY);
}
END_TEST

START_TEST(a_switch_without_bus_numbers_hides_its_ports)
{
	set(1, 0, PCI_PRIMARY_BUS, 4, 0);

	ck_assert_uint_eq(get_device_id(1, 0), HB_UPSTREAM_PORT_DEVICE_ID);
	ck_assert_uint_eq(get_device_id(2, BAY0), NOBODY);
	ck_assert_uint_eq(get_device_id(3, 0), NOBODY);
}
END_TEST

START_TEST(a_guest_may_number_the_buses_anew)
{
	set(0, ROOT, PCI_PRIMARY_BUS, 4, 0x00201000);
	set(0x10, 0, PCI_PRIMARY_BUS, 4, 0x00201110);
	set(0x11, BAY1, PCI_PRIMARY_BUS, 4, 0x00202011);

	ck_assert_uint_eq(get_device_id(0x20, 0), 0x20);
	ck_assert_uint_eq(get_device_id(4, 0), NOBODY);
}
END_TEST

START_TEST(a_sleeping_upstream_port_hides_what_is_below)
{
	set(1, 0, HB_UPSTREAM_PORT_PM + PCI_PM_CTRL, 2, 3);
	ck_assert_uint_eq(get_device_id(2, BAY0), NOBODY);
	ck_assert_uint_eq(get_device_id(3, 0), NOBODY);
	ck_assert_uint_eq(get_device_id(1, 0), HB_UPSTREAM_PORT_DEVICE_ID);
	set(1, 0, HB_UPSTREAM_PORT_PM + PCI_PM_CTRL, 2, 0);

	ck_assert_uint_eq(get_device_id(3, 0), 0x10);
}
END_TEST

/* Resets. */

START_TEST(a_reset_of_the_machine_reaches_all)
{
	hb_host_bridge_reset(bridge);

	ck_assert_uint_eq(first->n_resets, 1);
	ck_assert_uint_eq(second->n_resets, 1);
	ck_assert_uint_eq(get_device_id(1, 0), NOBODY);
	ck_assert(hb_host_bridge_lay_out_again(bridge, NULL));
	ck_assert_uint_eq(get_device_id(4, 0), 0x20);
}
END_TEST

START_TEST(a_reset_of_the_bus_above_resets_the_switch_and_all_below)
{
	pulse_bus_reset(0, ROOT);

	ck_assert_uint_eq(first->n_resets, 1);
	ck_assert_uint_eq(second->n_resets, 1);
	ck_assert_uint_eq(get(1, 0, PCI_PRIMARY_BUS, 4), 0);
	set(1, 0, PCI_PRIMARY_BUS, 4, 0x00040201);
	ck_assert_uint_eq(get(2, BAY0, PCI_PRIMARY_BUS, 4), 0);
}
END_TEST

START_TEST(a_reset_of_the_bus_inside_resets_the_ports_and_all_below)
{
	pulse_bus_reset(1, 0);

	ck_assert_uint_eq(first->n_resets, 1);
	ck_assert_uint_eq(second->n_resets, 1);
	ck_assert_uint_eq(get(1, 0, PCI_PRIMARY_BUS, 4), 0x00040201);
	ck_assert_uint_eq(get(2, BAY0, PCI_PRIMARY_BUS, 4), 0);
}
END_TEST

START_TEST(a_reset_below_one_port_leaves_the_others_alone)
{
	pulse_bus_reset(2, BAY1);

	ck_assert_uint_eq(first->n_resets, 0);
	ck_assert_uint_eq(second->n_resets, 1);
	ck_assert_uint_eq(get_device_id(3, 0), 0x10);
}
END_TEST

/* The slots below. */

START_TEST(a_drive_below_can_be_pulled)
{
	hb_port_set_running(bay0);
	hb_port_pull(bay0, NULL);
	run_loop();

	ck_assert_uint_eq(first->n_severs, 1);
	ck_assert_uint_eq(first->n_releases, 1);
	ck_assert_uint_eq(second->n_severs, 0);
	ck_assert_uint_eq(get_device_id(3, 0), NOBODY);
	ck_assert_uint_eq(get_device_id(4, 0), 0x20);
}
END_TEST

START_TEST(a_drive_can_be_added_below)
{
	hb_port_set_running(bay0);
	hb_port_pull(bay0, NULL);
	run_loop();
	g_string_truncate(events, 0);
	ck_assert(hb_port_plug(bay0, &first->function, 0, NULL));
	run_loop();

	ck_assert_str_eq(events->str, "bay0 INDICATORS\nbay0 PLUGGED\n");
	ck_assert_uint_eq(get_device_id(3, 0), 0x10);
}
END_TEST

START_TEST(a_search_for_dead_mappings_goes_below)
{
	guint n_faults = 0;

	ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 1);
	ck_assert_uint_eq(first->n_revokes, 1);
	second->revokes = TRUE;

	ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 0);
}
END_TEST

START_TEST(the_end_of_the_bridge_is_the_end_of_all)
{
	hb_host_bridge_destroy(g_steal_pointer(&bridge));

	ck_assert_uint_eq(first->n_severs, 1);
	ck_assert_uint_eq(first->n_releases, 1);
	ck_assert_uint_eq(second->n_releases, 1);
}
END_TEST

/* What is not done. */

static void assert_refused(gboolean done, GError *error, HbError code, const char *words)
{
	ck_assert(!done);
	ck_assert(g_error_matches(error, HB_ERROR, (gint)code));
	ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
	g_error_free(error);
}

START_TEST(the_switch_is_not_removed)
{
	GError *error = NULL;
	gboolean done = hb_port_request_removal(root, &error);

	assert_refused(done, error, HB_ERROR_UNSUPPORTED, "slot rp0 holds a switch");
}
END_TEST

START_TEST(the_switch_is_not_pulled)
{
	hb_port_pull(root, NULL);
	hb_port_pull(root, hb_switch_get_function(up0));

	ck_assert_uint_eq(first->n_severs, 0);
	ck_assert_uint_eq(get_device_id(3, 0), 0x10);
}
END_TEST

START_TEST(nobody_hears_of_a_switch_in_a_slot)
{
	run_loop();

	ck_assert_ptr_null(strstr(events->str, "rp0"));
	ck_assert_ptr_nonnull(strstr(events->str, "bay0 PLUGGED"));
}
END_TEST

START_TEST(a_slot_holds_one_switch)
{
	GError *error = NULL;
	HbSwitch *other = hb_switch_create(root, "up1", &error);

	assert_refused(other != NULL, error, HB_ERROR_BUSY, "switch up1: slot rp0 is occupied");
}
END_TEST

START_TEST(a_switch_in_a_hotplug_slot_is_refused)
{
	GError *error = NULL;
	HbPort *port = create_port("hot", NULL, HB_PCI_DEVFN(5, 0), TRUE, NULL);
	HbSwitch *other = hb_switch_create(port, "up1", &error);

	assert_refused(other != NULL, error, HB_ERROR_UNSUPPORTED, "hotplug=off");
}
END_TEST

START_TEST(a_switch_without_a_name_is_refused)
{
	GError *error = NULL;
	HbPort *port = create_port("rp1", NULL, HB_PCI_DEVFN(5, 0), FALSE, NULL);
	HbSwitch *other = hb_switch_create(port, "", &error);

	assert_refused(other != NULL, error, HB_ERROR_INVALID, "slot rp1");
}
END_TEST

START_TEST(a_switch_does_not_come_while_the_guest_runs)
{
	GError *error = NULL;
	HbPort *port = create_port("rp1", NULL, HB_PCI_DEVFN(5, 0), FALSE, NULL);

	hb_port_set_running(port);
	HbSwitch *other = hb_switch_create(port, "up1", &error);

	assert_refused(other != NULL, error, HB_ERROR_UNSUPPORTED, "switch up1");
}
END_TEST

START_TEST(two_ports_do_not_share_a_place_in_the_switch)
{
	GError *error = NULL;
	HbPort *port = create_port("other", up0, BAY1, TRUE, &error);

	assert_refused(port != NULL, error, HB_ERROR_BUSY, "01.0 of switch up0");
}
END_TEST

START_TEST(switches_go_three_deep)
{
	GError *error = NULL;
	HbPort *port = create_port("dp0", up0, HB_PCI_DEVFN(2, 0), FALSE, NULL);

	for (guint depth = 2; depth <= HB_SWITCH_MAX_DEPTH; depth++) {
		HbSwitch *deeper = hb_switch_create(port, "deeper", NULL);

		ck_assert_ptr_nonnull(deeper);
		port = create_port("deep", deeper, 0, FALSE, NULL);
	}
	ck_assert(hb_host_bridge_lay_out(bridge, NULL));
	ck_assert_uint_eq(get(0, ROOT, PCI_PRIMARY_BUS, 4), 0x00090100);
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 8, 0), hb_port_get_function(port));
	HbSwitch *deepest = hb_switch_create(port, "deepest", &error);

	assert_refused(deepest != NULL, error, HB_ERROR_LIMIT, "switch deepest in slot deep");
}
END_TEST

/* Memory: a drive with memory, whose mappings show in the host's calls. */

static HbIrqRemap *remap;
static gint alive;

static void setup_memory(void)
{
	setup();
	remap = hb_irq_remap_create(host->host, 64);
	hb_port_pull(bay0, NULL);
	run_loop();
	ck_assert(hb_port_plug(bay0, model_drive_create(remap, &alive), 0, NULL));
	hb_host_bridge_reset(bridge);
	ck_assert(hb_host_bridge_lay_out_again(bridge, NULL));
	set(3, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void teardown_memory(void)
{
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	hb_irq_remap_destroy(remap);
	fake_function_destroy(first);
	fake_function_destroy(second);
	g_string_free(events, TRUE);
	fake_host_destroy(host);
	ck_assert_int_eq(alive, 0);
}

static void assert_calls(const char *expected)
{
	g_autofree char *calls = fake_host_take_calls(host);

	ck_assert_str_eq(calls, expected);
}

#define MAPPED	 "map c0000000 2000\n"
#define UNMAPPED "unmap c0000000\n"

static const struct {
	guint8 bus;
	guint8 devfn;
	guint offset;
	guint32 value; /* 16 bits */
} path[] = {
	{ 0, ROOT, PCI_COMMAND, PCI_COMMAND_MASTER },
	{ 1, 0, PCI_COMMAND, PCI_COMMAND_MASTER },
	{ 2, BAY0, PCI_COMMAND, PCI_COMMAND_MASTER },
	{ 0, ROOT, PCI_MEMORY_BASE, 0xc010 },
	{ 1, 0, PCI_MEMORY_BASE, 0xc010 },
	{ 2, BAY0, PCI_MEMORY_LIMIT, 0xb000 },
	{ 0, ROOT, HB_PORT_PM + PCI_PM_CTRL, 3 },
	{ 1, 0, HB_UPSTREAM_PORT_PM + PCI_PM_CTRL, 3 },
	{ 2, BAY0, HB_PORT_PM + PCI_PM_CTRL, 3 },
};

START_TEST(memory_is_mapped_while_every_bridge_forwards_it)
{
	guint8 bus = path[_i].bus, devfn = path[_i].devfn;
	guint32 before = get(bus, devfn, path[_i].offset, 2);

	assert_calls(MAPPED);
	set(bus, devfn, path[_i].offset, 2, path[_i].value);
	assert_calls(UNMAPPED);
	set(bus, devfn, path[_i].offset, 2, before);

	assert_calls(MAPPED);
}
END_TEST

static const struct {
	guint8 bus;
	guint8 devfn;
} bridges[] = { { 0, ROOT }, { 1, 0 }, { 2, BAY0 } };

START_TEST(dma_passes_while_every_bridge_is_a_bus_master)
{
	guint8 bus = bridges[_i].bus, devfn = bridges[_i].devfn;
	const HbPciFunction *drive = hb_host_bridge_find(bridge, 3, 0);

	ck_assert(hb_host_bridge_passes_dma(drive));
	set(bus, devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);

	ck_assert(!hb_host_bridge_passes_dma(drive));
}
END_TEST

START_TEST(memory_comes_when_the_path_does)
{
	assert_calls(MAPPED);
	set(3, 0, PCI_COMMAND, 2, 0);
	set(1, 0, PCI_COMMAND, 2, 0);
	assert_calls(UNMAPPED);
	set(3, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_calls("");
	set(1, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);

	assert_calls(MAPPED);
}
END_TEST

START_TEST(a_neighbours_window_changes_nothing)
{
	assert_calls(MAPPED);
	set(2, BAY1, PCI_COMMAND, 2, 0);
	set(2, BAY1, PCI_MEMORY_BASE, 4, 0);

	assert_calls("");
}
END_TEST

START_TEST(a_reset_of_the_bus_above_unmaps)
{
	assert_calls(MAPPED);
	pulse_bus_reset(0, ROOT);

	assert_calls(UNMAPPED);
}
END_TEST

static TCase *create_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_guest_tests(TCase *tcase)
{
	tcase_add_test(tcase, the_tree_is_numbered_depth_first);
	tcase_add_test(tcase, pins_are_joined_to_the_root_buss_lines_on_the_way);
	tcase_add_test(tcase, behind_a_link_and_between_ports_there_is_nobody_else);
	tcase_add_test(tcase, ports_say_which_they_are);
	tcase_add_test(tcase, the_upstream_link_is_up_and_has_no_slot);
	tcase_add_test(tcase, a_downstream_port_has_no_root_registers);
	tcase_add_test(tcase, ports_with_slots_forward_ari);
	tcase_add_test(tcase, nothing_is_reached_that_the_root_port_does_not_cover);
	tcase_add_test(tcase, nothing_is_reached_that_the_upstream_port_does_not_cover);
	tcase_add_test(tcase, a_switch_without_bus_numbers_hides_its_ports);
	tcase_add_test(tcase, a_guest_may_number_the_buses_anew);
	tcase_add_test(tcase, a_sleeping_upstream_port_hides_what_is_below);
	tcase_add_test(tcase, a_reset_of_the_machine_reaches_all);
	tcase_add_test(tcase, a_reset_of_the_bus_above_resets_the_switch_and_all_below);
	tcase_add_test(tcase, a_reset_of_the_bus_inside_resets_the_ports_and_all_below);
	tcase_add_test(tcase, a_reset_below_one_port_leaves_the_others_alone);
}

static void add_operator_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_drive_below_can_be_pulled);
	tcase_add_test(tcase, a_drive_can_be_added_below);
	tcase_add_test(tcase, a_search_for_dead_mappings_goes_below);
	tcase_add_test(tcase, the_end_of_the_bridge_is_the_end_of_all);
	tcase_add_test(tcase, the_switch_is_not_removed);
	tcase_add_test(tcase, the_switch_is_not_pulled);
	tcase_add_test(tcase, nobody_hears_of_a_switch_in_a_slot);
	tcase_add_test(tcase, a_slot_holds_one_switch);
	tcase_add_test(tcase, a_switch_in_a_hotplug_slot_is_refused);
	tcase_add_test(tcase, a_switch_without_a_name_is_refused);
	tcase_add_test(tcase, a_switch_does_not_come_while_the_guest_runs);
	tcase_add_test(tcase, two_ports_do_not_share_a_place_in_the_switch);
	tcase_add_test(tcase, switches_go_three_deep);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("switch");
	TCase *memory = tcase_create("memory");

	add_guest_tests(create_case(suite, "guest"));
	add_operator_tests(create_case(suite, "operator"));
	tcase_add_checked_fixture(memory, setup_memory, teardown_memory);
	tcase_add_loop_test(memory, memory_is_mapped_while_every_bridge_forwards_it, 0,
			    G_N_ELEMENTS(path));
	tcase_add_loop_test(memory, dma_passes_while_every_bridge_is_a_bus_master, 0,
			    G_N_ELEMENTS(bridges));
	tcase_add_test(memory, memory_comes_when_the_path_does);
	tcase_add_test(memory, a_neighbours_window_changes_nothing);
	tcase_add_test(memory, a_reset_of_the_bus_above_unmaps);
	suite_add_tcase(suite, memory);
	return suite;
}
