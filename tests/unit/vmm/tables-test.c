/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The machine as its options describe it. A port's slot in the tables and its slot in the ACPI
 * hot-plug controller have to be one: the guest would eject another drive otherwise.
 */

#include "tests/unit/suite.h"
#include "vmm/layout.h"
#include "vmm/ports.h"
#include "vmm/tables.h"

#include <string.h>

#define ACPI "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=on "
/* Out of order, and not all with hot-plug. */
#define PORTS                                                                                      \
	"-device pcie-root-port,id=c,addr=6.0,slot=3 "                                             \
	"-device pcie-root-port,id=a,addr=4.0,slot=1 "                                             \
	"-device pcie-root-port,id=b,addr=5.0,slot=2,hotplug=off"

static HbHost *host;
static HbHostBridge *bridge;
static HbHostBridgeConfig config;

static void on_log(HbHost *unused, GLogLevelFlags level, const char *line)
{
}

static const HbHostOps host_ops = { .log = on_log };

static void set_up(void)
{
	host = hb_host_create(&host_ops, NULL, NULL);
	ck_assert(hb_layout_bridge(1 << 30, 40, 3, &config, NULL));
	bridge = hb_host_bridge_create(host, &config, NULL);
}

static void tear_down(void)
{
	hb_host_bridge_destroy(bridge);
	hb_host_destroy(host);
}

static HbOptions *parse(const char *line)
{
	g_autofree char *all = g_strconcat("hotbay -kernel k ", line, NULL);
	g_auto(GStrv) words = g_strsplit(all, " ", -1);
	g_autoptr(GError) error = NULL;
	HbOptions *options =
		hb_options_parse((int)g_strv_length(words), (const char *const *)words, &error);

	ck_assert_msg(options != NULL, "%s", error ? error->message : "");
	return options;
}

static GByteArray *build(const HbOptions *options)
{
	g_autoptr(GError) error = NULL;
	GByteArray *blob = hb_tables_build(options, &config, &error);

	ck_assert_msg(blob != NULL, "%s", error ? error->message : "");
	return blob;
}

/* (nullable): the bytes of @text from @from on */
static const guint8 *find(const GByteArray *blob, const guint8 *from, const char *text)
{
	gsize done = from ? (gsize)(from - blob->data) : 0;

	return memmem(blob->data + done, blob->len - done, text, strlen(text));
}

/* The first register that is named in the port's device, which begins with its _ADR, a Name. */
static void assert_port_has_register(const GByteArray *blob, const char *port, const char *name)
{
	g_autofree char *head = g_strconcat(port, "\b_ADR", NULL);
	const guint8 *device = find(blob, NULL, head);

	ck_assert_msg(device != NULL, "no %s", port);
	const guint8 *method = find(blob, device, "_STA");
	const guint8 *named = find(blob, device, name);
	ck_assert_msg(method && named && named > method && named < method + 24, "%s: no %s", port,
		      name);
}

START_TEST(test_native_slots_are_not_in_the_tables)
{
	g_autoptr(HbOptions) options = parse(PORTS);
	g_autoptr(GByteArray) blob = build(options);

	ck_assert_ptr_null(find(blob, NULL, "RP20"));
	ck_assert_ptr_null(find(blob, NULL, "HPIO"));
	ck_assert_ptr_null(find(blob, NULL, "_GPE"));
}
END_TEST

START_TEST(test_acpi_slots_have_the_registers_of_their_place)
{
	g_autoptr(HbOptions) options = parse(ACPI PORTS);
	g_autoptr(GByteArray) blob = build(options);

	assert_port_has_register(blob, "RP20", "S000");
	assert_port_has_register(blob, "RP30", "S002");
	ck_assert_ptr_null(find(blob, NULL, "RP28"));
}
END_TEST

/* As libvirt gives them: a chassis each, and all slots 0. */
START_TEST(test_native_slots_need_no_number_of_their_own)
{
	g_autoptr(HbOptions) options = parse("-device pcie-root-port,id=a,chassis=1 "
					     "-device pcie-root-port,id=b,chassis=2");
	g_autoptr(GByteArray) blob = build(options);

	ck_assert_ptr_nonnull(blob);
}
END_TEST

START_TEST(test_acpi_mode_without_slots_has_no_controller)
{
	g_autoptr(HbOptions) options = parse(ACPI "-nodefaults");
	g_autoptr(GByteArray) blob = build(options);

	ck_assert_ptr_null(find(blob, NULL, "HPIO"));
}
END_TEST

static void set_gpe(gpointer data, gboolean level)
{
}

static guint32 read_config(HbPciFunction *function, guint offset, guint size)
{
	return 0;
}

static void write_config(HbPciFunction *function, guint offset, guint size, guint32 value)
{
}

static void attach(HbPciFunction *function, HbHostBridge *to)
{
}

static void do_nothing(HbPciFunction *function)
{
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	if (done)
		done(data);
}

static const HbPciFunctionOps function_ops = {
	.config_read = read_config,
	.config_write = write_config,
	.attach = attach,
	.reset = do_nothing,
	.sever = do_nothing,
	.release = release,
};

static HbPort *port_c;

static void look_for_c(const HbMachineDevice *device, gpointer data)
{
	if (g_strcmp0(device->id, "c") == 0)
		port_c = device->port;
}

START_TEST(test_ports_are_slots_of_the_controller_by_their_place)
{
	g_autoptr(HbOptions) options = parse(ACPI PORTS);
	HbAcpiHotplug *hotplug = hb_acpi_hotplug_create(bridge, 3, set_gpe, NULL);
	HbPorts *ports = hb_ports_create(bridge);
	static HbPciFunction drive = { .ops = &function_ops }; /* until the bridge goes */

	hb_ports_set_hotplug(ports, hotplug);
	ck_assert(hb_ports_add(ports, options->devices, NULL));
	hb_ports_foreach(ports, look_for_c, NULL);
	ck_assert(hb_port_plug(port_c, &drive, 0, NULL));

	ck_assert_uint_eq(hb_acpi_hotplug_read(hotplug, HB_ACPI_HOTPLUG_SLOTS, 4), 0);
	ck_assert_uint_eq(hb_acpi_hotplug_read(hotplug, HB_ACPI_HOTPLUG_SLOTS + 4, 4), 0);
	ck_assert_uint_eq(hb_acpi_hotplug_read(hotplug, HB_ACPI_HOTPLUG_SLOTS + 8, 4), 0x0f);
	hb_ports_destroy(ports);
	hb_acpi_hotplug_destroy(hotplug);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("tables");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_native_slots_are_not_in_the_tables);
	tcase_add_test(tests, test_acpi_slots_have_the_registers_of_their_place);
	tcase_add_test(tests, test_native_slots_need_no_number_of_their_own);
	tcase_add_test(tests, test_acpi_mode_without_slots_has_no_controller);
	tcase_add_test(tests, test_ports_are_slots_of_the_controller_by_their_place);
	suite_add_tcase(suite, tests);
	return suite;
}
