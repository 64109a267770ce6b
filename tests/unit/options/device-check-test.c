/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Devices: switches, what sits in them, and the tree that all flags make. */

#include "tests/unit/suite.h"

#include <hotbay/hotbay.h>
#include <string.h>

#define PORT   "pcie-root-port,id="
#define UP     "x3130-upstream,id="
#define DOWN   "xio3130-downstream,id="
#define SWITCH PORT "rp0,slot=100;" UP "up0,bus=rp0;"

static HbDeviceOptions *devices;

static void set_up(void)
{
	devices = hb_device_options_create();
}

static void tear_down(void)
{
	hb_device_options_destroy(devices);
}

/* @texts: with ';' between devices */
static gboolean read_all(const char *texts, GError **error)
{
	g_auto(GStrv) list = g_strsplit(texts, ";", -1);

	for (guint i = 0; list[i]; i++) {
		if (!hb_device_options_parse(devices, list[i], error))
			return FALSE;
	}
	return hb_device_options_check(devices, error);
}

static void assert_read(const char *texts)
{
	g_autoptr(GError) error = NULL;
	gboolean good = read_all(texts, &error);

	ck_assert_msg(good, "%s: %s", texts, error ? error->message : "");
}

static const HbPortOptions *find_port(const char *id)
{
	for (guint i = 0; i < hb_device_options_get_n_ports(devices); i++) {
		const HbPortOptions *port = hb_device_options_get_port(devices, i);

		if (g_str_equal(port->config.id, id))
			return port;
	}
	ck_abort_msg("no port %s", id);
}

START_TEST(test_a_switch_has_ports_with_drives)
{
	assert_read(SWITCH DOWN "dp0,bus=up0,chassis=2,slot=7,addr=3.0,power-controller=on;"
				"vfio-pci,host=01:00.0,id=d0,bus=dp0");
	const HbSwitchOptions *options = hb_device_options_get_switch(devices, 0);
	const HbPortOptions *port = find_port("dp0");

	ck_assert_str_eq(options->id, "up0");
	ck_assert_str_eq(options->bus, "rp0");
	ck_assert_uint_eq(options->depth, 1);
	ck_assert_str_eq(hb_port_options_get_driver(port), "xio3130-downstream");
	ck_assert_str_eq(port->bus, "up0");
	ck_assert_uint_eq(port->depth, 1);
	ck_assert_uint_eq(port->config.devfn, HB_PCI_DEVFN(3, 0));
	ck_assert_uint_eq(port->config.slot, 7);
	ck_assert(port->config.power_controller);
	ck_assert(port->config.hotplug);
}
END_TEST

START_TEST(test_the_port_of_a_switch_has_no_hotplug)
{
	assert_read(PORT "bay0,slot=1;" PORT "rp0,slot=2;" UP "up0,bus=rp0");

	ck_assert(find_port("bay0")->config.hotplug);
	ck_assert(!find_port("rp0")->config.hotplug);
}
END_TEST

START_TEST(test_the_order_of_flags_does_not_matter)
{
	assert_read(DOWN "dp0,bus=up0,slot=1;" UP "up0,bus=rp0,addr=0;" PORT "rp0,slot=2");

	ck_assert_str_eq(hb_device_options_get_port(devices, 0)->config.id, "rp0");
	ck_assert_str_eq(hb_device_options_get_port(devices, 1)->config.id, "dp0");
}
END_TEST

START_TEST(test_each_bus_has_its_own_places)
{
	assert_read(SWITCH DOWN "a,bus=up0,slot=1;" DOWN "b,bus=up0,slot=2;" DOWN
				"c,bus=up0,slot=3,addr=1.0");

	ck_assert_uint_eq(find_port("rp0")->config.devfn, HB_PCI_DEVFN(1, 0));
	ck_assert_uint_eq(find_port("a")->config.devfn, HB_PCI_DEVFN(0, 0));
	ck_assert_uint_eq(find_port("b")->config.devfn, HB_PCI_DEVFN(2, 0));
}
END_TEST

START_TEST(test_a_switch_holds_32_drives)
{
	g_autoptr(GString) texts = g_string_new(PORT "rp0,slot=100;" UP "up0,bus=rp0");

	for (guint i = 0; i < 32; i++)
		g_string_append_printf(texts,
				       ";" DOWN
				       "p%u,bus=up0,slot=%u;vfio-pci,host=%02x:00.0,bus=p%u,id=d%u",
				       i, i, i, i, i);
	assert_read(texts->str);

	ck_assert_uint_eq(find_port("p31")->config.devfn, HB_PCI_DEVFN(31, 0));
	ck_assert_uint_eq(hb_device_options_count_buses(devices), 34);
}
END_TEST

START_TEST(test_switches_below_switches_have_their_depth)
{
	assert_read(SWITCH DOWN "a,bus=up0,slot=1;" UP "up1,bus=a;" DOWN "b,bus=up1,slot=2;" UP
				"up2,bus=b;" DOWN "c,bus=up2,slot=3");

	ck_assert_uint_eq(find_port("rp0")->depth, 0);
	ck_assert_uint_eq(find_port("a")->depth, 1);
	ck_assert_uint_eq(find_port("c")->depth, 3);
}
END_TEST

START_TEST(test_buses_are_counted_with_those_reserved)
{
	assert_read(SWITCH DOWN "a,bus=up0,slot=1;" DOWN "b,bus=up0,slot=2,bus-reserve=5");

	ck_assert_uint_eq(find_port("b")->config.reserved_buses, 5);
	ck_assert_uint_eq(hb_device_options_count_buses(devices), 1 + 1 + 2 + 5);
}
END_TEST

START_TEST(test_windows_that_are_not_there_may_be_denied)
{
	assert_read(PORT "p,io-reserve=0,pref32-reserve=0");
}
END_TEST

static const struct {
	const char *texts;
	const char *part;
} refused[] = {
	{ PORT "p,io-reserve=4K", "'io-reserve' is not supported: NVMe drives" },
	{ PORT "p,pref32-reserve=2M", "'pref32-reserve' is not supported" },
	{ PORT "p,bus-reserve=256", "'bus-reserve' expects" },
	{ UP "up0", "x3130-upstream: Parameter 'bus' is missing" },
	{ UP "up0,bus=rp9", "x3130-upstream up0: Bus 'rp9' not found" },
	{ PORT "p;" UP "up0,bus=p,addr=1.0", "a slot has one place" },
	{ PORT "p;" UP "up0,bus=p,multifunction=on", "multifunction=on is not supported" },
	{ PORT "p;" UP "up0,bus=p,chassis=1", "'chassis' of x3130-upstream" },
	{ PORT "p;" UP "p,bus=p", "x3130-upstream p: Duplicate device ID 'p'" },
	{ PORT "pcie.0", "pcie-root-port: Parameter 'id' is 'pcie.0', which is bus 0" },
	{ PORT "p;" UP "pcie.0,bus=p", "x3130-upstream: Parameter 'id' is 'pcie.0'" },
	{ "vfio-pci,host=01:00.0,bus=p,id=pcie.0", "vfio-pci: Parameter 'id' is 'pcie.0'" },
	{ DOWN "d", "xio3130-downstream: Parameter 'bus' is missing" },
	{ DOWN "d,bus=up9", "xio3130-downstream d: Bus 'up9' not found" },
	{ DOWN "d,bus=pcie.0", "xio3130-downstream d: Bus 'pcie.0' not found" },
	{ SWITCH DOWN "d,bus=rp0", "xio3130-downstream d: Bus 'rp0' not found" },
	{ SWITCH DOWN "a,bus=up0,addr=1,slot=1;" DOWN "b,bus=up0,addr=1,slot=2",
	  "xio3130-downstream b: addr=1.0 is taken by a" },
	{ SWITCH DOWN "a,bus=up0,addr=1.1", "multifunction=on" },
	{ SWITCH DOWN "a,bus=up0,slot=100", "chassis=0,slot=100 is taken by" },
	{ SWITCH UP "up1,bus=rp0", "x3130-upstream up1: Bus 'rp0' is occupied by 'up0'" },
	{ SWITCH "vfio-pci,host=01:00.0,bus=rp0",
	  "vfio-pci@0000:01:00.0: Bus 'rp0' is occupied by 'up0'" },
	{ SWITCH "vfio-pci,host=01:00.0,bus=up0", "name one of its xio3130-downstream ports" },
	{ SWITCH UP "up1,bus=up0", "Bus 'up0' is inside a switch" },
	{ UP "up0,bus=d;" DOWN "d,bus=up0", "x3130-upstream up0: Bus 'd' is below it" },
	{ SWITCH DOWN "a,bus=up0,slot=1;" UP "up1,bus=a;" DOWN "b,bus=up1,slot=2;" UP
		      "up2,bus=b;" DOWN "c,bus=up2,slot=3;" UP "up3,bus=c",
	  "x3130-upstream up3: there are too many switches" },
};

START_TEST(test_refused_with_the_reason)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!read_all(refused[_i].texts, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, refused[_i].part) != NULL, "%s: %s", refused[_i].texts,
		      error->message);
}
END_TEST

static const struct {
	const char *texts;
	HbError code;
	const char *part;
} refused_with_acpi[] = {
	{ SWITCH DOWN "a,bus=up0", HB_ERROR_UNSUPPORTED, "x3130-upstream up0: ACPI hot-plug is" },
	{ PORT "a,host-slot=1,host-leds=on", HB_ERROR_INVALID, "pcie-root-port a: host-leds=on" },
	{ PORT "a,chassis=1,slot=7;" PORT "b,chassis=2,slot=7", HB_ERROR_INVALID,
	  "pcie-root-port b: with ACPI hot-plug slots have no chassis, and a is slot 7 too" },
};

START_TEST(test_what_only_native_slots_can_do_is_refused_with_acpi)
{
	g_autoptr(GError) error = NULL;

	assert_read(refused_with_acpi[_i].texts);
	ck_assert(!hb_device_options_check_acpi(devices, &error));
	ck_assert(g_error_matches(error, HB_ERROR, (gint)refused_with_acpi[_i].code));
	ck_assert_msg(strstr(error->message, refused_with_acpi[_i].part) != NULL, "%s",
		      error->message);
}
END_TEST

START_TEST(test_acpi_slots_have_a_number_each)
{
	g_autoptr(GError) error = NULL;

	assert_read(PORT "a,chassis=1,slot=7;" PORT "b,chassis=2,slot=7,hotplug=off;" PORT
			 "c,slot=8,host-slot=1,auto-add=on");
	ck_assert_msg(hb_device_options_check_acpi(devices, &error), "%s",
		      error ? error->message : "");
}
END_TEST

START_TEST(test_device_add_takes_no_switch)
{
	static const char *const drivers[] = { "x3130-upstream", "xio3130-downstream" };
	g_autoptr(GError) error = NULL;
	g_autoptr(HbProperties) properties = hb_properties_parse(drivers[_i], "driver", NULL);

	ck_assert_ptr_null(hb_drive_options_read(properties, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "Switches do not support hotplugging"));
	ck_assert_ptr_nonnull(strstr(error->message, drivers[_i]));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("device-check");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_switch_has_ports_with_drives);
	tcase_add_test(tests, test_the_port_of_a_switch_has_no_hotplug);
	tcase_add_test(tests, test_the_order_of_flags_does_not_matter);
	tcase_add_test(tests, test_each_bus_has_its_own_places);
	tcase_add_test(tests, test_a_switch_holds_32_drives);
	tcase_add_test(tests, test_switches_below_switches_have_their_depth);
	tcase_add_test(tests, test_buses_are_counted_with_those_reserved);
	tcase_add_test(tests, test_windows_that_are_not_there_may_be_denied);
	tcase_add_loop_test(tests, test_refused_with_the_reason, 0, G_N_ELEMENTS(refused));
	tcase_add_loop_test(tests, test_what_only_native_slots_can_do_is_refused_with_acpi, 0,
			    G_N_ELEMENTS(refused_with_acpi));
	tcase_add_test(tests, test_acpi_slots_have_a_number_each);
	tcase_add_loop_test(tests, test_device_add_takes_no_switch, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}
