/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What query-pci makes of configuration spaces; they are drawn by hand here. */

#include "vmm/query-pci.h"

#include "tests/unit/suite.h"

#include <linux/pci_regs.h>
#include <string.h>

/* One function: its first 64 bytes, and where it sits. */
typedef struct Function {
	guint8 bus;
	guint8 devfn;
	guint8 config[64];
	HbQueryPciKnown known;
} Function;

typedef struct World {
	Function functions[8];
	guint n;
} World;

static void set(Function *function, guint offset, guint size, guint64 value)
{
	for (guint i = 0; i < size; i++)
		function->config[offset + i] = (guint8)(value >> (8 * i));
}

static Function *add(World *world, guint8 bus, guint8 devfn, guint16 class_code)
{
	Function *function = &world->functions[world->n++];

	function->bus = bus;
	function->devfn = devfn;
	set(function, PCI_VENDOR_ID, 2, 0x1b36);
	set(function, PCI_DEVICE_ID, 2, 0x0010);
	set(function, PCI_CLASS_DEVICE, 2, class_code);
	return function;
}

static Function *add_bridge(World *world, guint8 bus, guint8 devfn, guint8 secondary)
{
	Function *function = add(world, bus, devfn, 0x0604);

	set(function, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE | 0x80);
	set(function, PCI_PRIMARY_BUS, 1, bus);
	set(function, PCI_SECONDARY_BUS, 1, secondary);
	set(function, PCI_SUBORDINATE_BUS, 1, secondary);
	return function;
}

static Function *find(World *world, guint8 bus, guint8 devfn)
{
	for (guint i = 0; i < world->n; i++)
		if (world->functions[i].bus == bus && world->functions[i].devfn == devfn)
			return &world->functions[i];
	return NULL;
}

static guint32 read_config(guint8 bus, guint8 devfn, guint offset, guint size, gpointer opaque)
{
	const Function *function = find(opaque, bus, devfn);
	guint32 value = 0;

	if (!function)
		return G_MAXUINT32 >> (32 - 8 * size);
	ck_assert_uint_eq(offset % size, 0);
	for (guint i = 0; i < size; i++)
		value |= (guint32)function->config[offset + i] << (8 * i);
	return value;
}

static void describe(guint8 bus, guint8 devfn, HbQueryPciKnown *known, gpointer opaque)
{
	const Function *function = find(opaque, bus, devfn);

	ck_assert_ptr_nonnull(function);
	*known = function->known;
}

static const HbQueryPciSource source = { .read = read_config, .describe = describe };

static void assert_lists(World *world, const char *expected)
{
	g_autoptr(JsonNode) list = hb_query_pci_list(&source, world);
	g_autofree char *text = json_to_string(list, FALSE);

	ck_assert_str_eq(text, expected);
}

/* The first device on bus 0, or with @below the first one behind that. */
static JsonObject *first_device(JsonNode *list, gboolean below)
{
	JsonObject *bus = json_array_get_object_element(json_node_get_array(list), 0);
	JsonObject *device =
		json_array_get_object_element(json_object_get_array_member(bus, "devices"), 0);

	if (below) {
		JsonObject *bridge = json_object_get_object_member(device, "pci_bridge");

		device = json_array_get_object_element(
			json_object_get_array_member(bridge, "devices"), 0);
	}
	return device;
}

static void assert_member(JsonObject *object, const char *member, const char *expected)
{
	JsonNode *node = json_object_get_member(object, member);
	g_autofree char *text = node ? json_to_string(node, FALSE) : g_strdup("absent");

	ck_assert_str_eq(text, expected);
}

START_TEST(empty_bus_has_no_devices)
{
	World world = { 0 };

	assert_lists(&world, "[{\"bus\":0,\"devices\":[]}]");
}
END_TEST

START_TEST(endpoint_is_described_as_qemu_does)
{
	World world = { 0 };
	Function *host = add(&world, 0, HB_PCI_DEVFN(3, 1), 0x0600);

	add(&world, 0, HB_PCI_DEVFN(3, 0), 0x0108);
	world.functions[1].known.id = "nvme0";
	set(host, PCI_SUBSYSTEM_VENDOR_ID, 2, 0x1af4);
	set(host, PCI_SUBSYSTEM_ID, 2, 0x1100);
	set(host, PCI_INTERRUPT_PIN, 1, 2);
	set(host, PCI_INTERRUPT_LINE, 1, 11);
	assert_lists(&world, "[{\"bus\":0,\"devices\":["
			     "{\"bus\":0,\"slot\":3,\"function\":0,"
			     "\"class_info\":{\"desc\":\"NVM storage\",\"class\":264},"
			     "\"id\":{\"device\":16,\"vendor\":6966,\"subsystem\":0,"
			     "\"subsystem-vendor\":0},"
			     "\"irq_pin\":0,\"qdev_id\":\"nvme0\",\"regions\":[]},"
			     "{\"bus\":0,\"slot\":3,\"function\":1,"
			     "\"class_info\":{\"desc\":\"Host bridge\",\"class\":1536},"
			     "\"id\":{\"device\":16,\"vendor\":6966,\"subsystem\":4352,"
			     "\"subsystem-vendor\":6900},"
			     "\"irq\":11,\"irq_pin\":2,\"qdev_id\":\"\",\"regions\":[]}]}]");
}
END_TEST

START_TEST(bridge_has_its_bus_windows_and_devices)
{
	World world = { 0 };
	Function *bridge = add_bridge(&world, 0, HB_PCI_DEVFN(4, 0), 1);

	add(&world, 1, 0, 0x0108);
	set(bridge, PCI_IO_BASE, 1, 0x10);
	set(bridge, PCI_IO_LIMIT, 1, 0x20);
	set(bridge, PCI_MEMORY_BASE, 2, 0xfe20);
	set(bridge, PCI_MEMORY_LIMIT, 2, 0xfe30);
	set(bridge, PCI_PREF_MEMORY_BASE, 2, 0x0001);
	set(bridge, PCI_PREF_MEMORY_LIMIT, 2, 0x0011);
	set(bridge, PCI_PREF_BASE_UPPER32, 4, 0x40);
	set(bridge, PCI_PREF_LIMIT_UPPER32, 4, 0x41);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);

	assert_member(json_object_get_object_member(first_device(list, FALSE), "pci_bridge"), "bus",
		      "{\"number\":0,\"secondary\":1,\"subordinate\":1,"
		      "\"io_range\":{\"base\":4096,\"limit\":12287},"
		      "\"memory_range\":{\"base\":4263510016,\"limit\":4265607167},"
		      "\"prefetchable_range\":{\"base\":274877906944,\"limit\":279174971391}}");
	assert_member(first_device(list, TRUE), "bus", "1");
	assert_member(first_device(list, FALSE), "id", "{\"device\":16,\"vendor\":6966}");
}
END_TEST

START_TEST(wide_io_window_has_its_upper_half)
{
	World world = { 0 };
	Function *bridge = add_bridge(&world, 0, 0, 0);

	set(bridge, PCI_IO_BASE, 1, 0x11);
	set(bridge, PCI_IO_LIMIT, 1, 0x21);
	set(bridge, PCI_IO_BASE_UPPER16, 2, 2);
	set(bridge, PCI_IO_LIMIT_UPPER16, 2, 3);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);
	JsonObject *info = json_object_get_object_member(first_device(list, FALSE), "pci_bridge");

	assert_member(json_object_get_object_member(info, "bus"), "io_range",
		      "{\"base\":135168,\"limit\":208895}");
}
END_TEST

START_TEST(narrow_prefetchable_window_has_no_upper_half)
{
	World world = { 0 };
	Function *bridge = add_bridge(&world, 0, 0, 0);

	set(bridge, PCI_PREF_MEMORY_BASE, 2, 0xfe20);
	set(bridge, PCI_PREF_MEMORY_LIMIT, 2, 0xfe20);
	set(bridge, PCI_PREF_BASE_UPPER32, 4, 0xffff);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);
	JsonObject *info = json_object_get_object_member(first_device(list, FALSE), "pci_bridge");

	assert_member(json_object_get_object_member(info, "bus"), "prefetchable_range",
		      "{\"base\":4263510016,\"limit\":4264558591}");
}
END_TEST

START_TEST(regions_have_address_size_and_kind)
{
	static const guint64 sizes[HB_QUERY_PCI_BARS] = { 0x4000, 0, 0x1000, 0x20, 0x100000000, 0 };
	World world = { 0 };
	Function *drive = add(&world, 0, 0, 0x0108);

	drive->known.bar_sizes = sizes;
	set(drive, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	set(drive, PCI_BASE_ADDRESS_0, 8, 0x4000000004);
	set(drive, PCI_BASE_ADDRESS_2, 4, 0xfe200000);
	set(drive, PCI_BASE_ADDRESS_3, 4, 0xc001);
	set(drive, PCI_BASE_ADDRESS_4, 8, 0x800000000c);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);

	assert_member(first_device(list, FALSE), "regions",
		      "[{\"bar\":0,\"type\":\"memory\",\"address\":274877906944,\"size\":16384,"
		      "\"prefetch\":false,\"mem_type_64\":true},"
		      "{\"bar\":2,\"type\":\"memory\",\"address\":4263510016,\"size\":4096,"
		      "\"prefetch\":false,\"mem_type_64\":false},"
		      "{\"bar\":3,\"type\":\"io\",\"address\":49152,\"size\":32},"
		      "{\"bar\":4,\"type\":\"memory\",\"address\":549755813888,\"size\":4294967296,"
		      "\"prefetch\":true,\"mem_type_64\":true}]");
}
END_TEST

START_TEST(region_without_decode_has_no_address)
{
	static const guint64 sizes[HB_QUERY_PCI_BARS] = { 0x4000, 0x20 };
	World world = { 0 };
	Function *drive = add(&world, 0, 0, 0x0108);

	drive->known.bar_sizes = sizes;
	set(drive, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	set(drive, PCI_BASE_ADDRESS_0, 4, 0xfe200000);
	set(drive, PCI_BASE_ADDRESS_1, 4, 0xc001);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);

	assert_member(first_device(list, FALSE), "regions",
		      "[{\"bar\":0,\"type\":\"memory\",\"address\":-1,\"size\":16384,"
		      "\"prefetch\":false,\"mem_type_64\":false},"
		      "{\"bar\":1,\"type\":\"io\",\"address\":-1,\"size\":32}]");
}
END_TEST

START_TEST(function_that_reads_all_ones_is_not_listed)
{
	World world = { 0 };

	add_bridge(&world, 0, 0, 1);
	memset(add(&world, 1, 0, 0)->config, 0xff, 64);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);
	JsonObject *info = json_object_get_object_member(first_device(list, FALSE), "pci_bridge");

	assert_member(info, "devices", "[]");
}
END_TEST

START_TEST(functions_without_function_0_are_not_listed)
{
	World world = { 0 };

	add(&world, 0, HB_PCI_DEVFN(2, 3), 0x0108);
	add(&world, 0, HB_PCI_DEVFN(3, 0), 0x0108);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);

	assert_member(first_device(list, FALSE), "slot", "3");
}
END_TEST

START_TEST(bridge_to_its_own_bus_is_not_followed)
{
	World world = { 0 };

	add_bridge(&world, 0, 0, 0);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);
	JsonObject *info = json_object_get_object_member(first_device(list, FALSE), "pci_bridge");

	assert_member(info, "devices", "absent");
}
END_TEST

START_TEST(bridge_back_up_is_not_followed)
{
	World world = { 0 };

	add_bridge(&world, 0, 0, 2);
	add_bridge(&world, 2, 0, 1);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);
	JsonObject *info = json_object_get_object_member(first_device(list, TRUE), "pci_bridge");

	assert_member(info, "devices", "absent");
}
END_TEST

/* The ids of what is below, as a text: "rp(up(dp(drive)))". */
static void draw(JsonObject *device, GString *tree)
{
	g_string_append(tree, json_object_get_string_member(device, "qdev_id"));
	if (!json_object_has_member(device, "pci_bridge"))
		return;

	JsonObject *info = json_object_get_object_member(device, "pci_bridge");
	JsonArray *devices = json_object_has_member(info, "devices")
				     ? json_object_get_array_member(info, "devices")
				     : NULL;

	g_string_append_c(tree, '(');
	for (guint i = 0; devices && i < json_array_get_length(devices); i++) {
		g_string_append(tree, i ? "," : "");
		draw(json_array_get_object_element(devices, i), tree);
	}
	g_string_append_c(tree, ')');
}

static void assert_tree(World *world, const char *expected)
{
	g_autoptr(JsonNode) list = hb_query_pci_list(&source, world);
	g_autoptr(GString) tree = g_string_new(NULL);

	draw(first_device(list, FALSE), tree);
	ck_assert_str_eq(tree->str, expected);
}

START_TEST(switch_is_listed_with_its_ports_and_drives)
{
	World world = { 0 };

	add_bridge(&world, 0, 0, 1)->known.id = "rp";
	add_bridge(&world, 1, 0, 2)->known.id = "up";
	add_bridge(&world, 2, 0, 3)->known.id = "dp0";
	add_bridge(&world, 2, HB_PCI_DEVFN(1, 0), 4)->known.id = "dp1";
	add(&world, 4, 0, 0x0108)->known.id = "drive";

	assert_tree(&world, "rp(up(dp0(),dp1(drive)))");
}
END_TEST

START_TEST(bus_that_two_bridges_claim_is_listed_once)
{
	World world = { 0 };

	add_bridge(&world, 0, 0, 1)->known.id = "rp";
	add_bridge(&world, 1, 0, 2)->known.id = "a";
	add_bridge(&world, 1, HB_PCI_DEVFN(1, 0), 2)->known.id = "b";
	add(&world, 2, 0, 0x0108)->known.id = "drive";

	assert_tree(&world, "rp(a(drive),b())");
}
END_TEST

static const struct {
	guint16 code;
	const char *expected;
} classes[] = {
	{ 0x0108, "{\"desc\":\"NVM storage\",\"class\":264}" },
	{ 0x0604, "{\"desc\":\"PCI-to-PCI bridge\",\"class\":1540}" },
	{ 0x0180, "{\"desc\":\"Storage\",\"class\":384}" },
	{ 0x1101, "{\"desc\":\"Signal processing\",\"class\":4353}" },
	{ 0x1200, "{\"class\":4608}" },
	{ 0xff00, "{\"class\":65280}" },
};

START_TEST(class_is_named_as_far_as_known)
{
	World world = { 0 };

	add(&world, 0, 0, classes[_i].code);

	g_autoptr(JsonNode) list = hb_query_pci_list(&source, &world);

	assert_member(first_device(list, FALSE), "class_info", classes[_i].expected);
}
END_TEST

/* A function whose BARs can be sized. */
typedef struct Drive {
	HbPciFunction function;
	guint32 bars[HB_QUERY_PCI_BARS];
	guint32 fixed[HB_QUERY_PCI_BARS];    /* the type bits */
	guint32 writable[HB_QUERY_PCI_BARS]; /* the address bits */
} Drive;

static guint32 drive_read(HbPciFunction *function, guint offset, guint size)
{
	const Drive *drive = (const Drive *)function;

	ck_assert_uint_eq(size, 4);
	return drive->bars[(offset - PCI_BASE_ADDRESS_0) / 4];
}

static void drive_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	Drive *drive = (Drive *)function;
	guint bar = (offset - PCI_BASE_ADDRESS_0) / 4;

	ck_assert_uint_eq(size, 4);
	ck_assert_uint_lt(bar, HB_QUERY_PCI_BARS);
	drive->bars[bar] = (value & drive->writable[bar]) | drive->fixed[bar];
}

static const HbPciFunctionOps drive_ops = { .config_read = drive_read,
					    .config_write = drive_write };

START_TEST(measuring_finds_sizes_and_restores)
{
	Drive drive = {
		.function = { .ops = &drive_ops },
		.fixed = { 4, 0, 0, 1, 0xc, 0 },
		.writable = { 0xffffc000, 0xffffffff, 0xfffff000, 0xffe0, 0, 0xfffffffc },
		.bars = { 0x10004, 0x40, 0, 1, 0xc, 0 },
	};
	guint64 sizes[HB_QUERY_PCI_BARS];

	hb_query_pci_measure(&drive.function, sizes);
	ck_assert_uint_eq(sizes[0], 0x4000);
	ck_assert_uint_eq(sizes[1], 0);
	ck_assert_uint_eq(sizes[2], 0x1000);
	ck_assert_uint_eq(sizes[3], 0x20);
	ck_assert_uint_eq(sizes[4], 0x400000000);
	ck_assert_uint_eq(sizes[5], 0);
	ck_assert_uint_eq(drive.bars[0], 0x10004);
	ck_assert_uint_eq(drive.bars[1], 0x40);
	ck_assert_uint_eq(drive.bars[5], 0);
}
END_TEST

START_TEST(measuring_a_function_without_bars_finds_none)
{
	Drive drive = { .function = { .ops = &drive_ops } };
	guint64 sizes[HB_QUERY_PCI_BARS];

	hb_query_pci_measure(&drive.function, sizes);
	for (guint i = 0; i < HB_QUERY_PCI_BARS; i++)
		ck_assert_uint_eq(sizes[i], 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("query-pci");
	TCase *list = tcase_create("list");
	TCase *measure = tcase_create("measure");

	tcase_add_test(list, empty_bus_has_no_devices);
	tcase_add_test(list, endpoint_is_described_as_qemu_does);
	tcase_add_test(list, bridge_has_its_bus_windows_and_devices);
	tcase_add_test(list, wide_io_window_has_its_upper_half);
	tcase_add_test(list, narrow_prefetchable_window_has_no_upper_half);
	tcase_add_test(list, regions_have_address_size_and_kind);
	tcase_add_test(list, region_without_decode_has_no_address);
	tcase_add_test(list, function_that_reads_all_ones_is_not_listed);
	tcase_add_test(list, functions_without_function_0_are_not_listed);
	tcase_add_test(list, bridge_to_its_own_bus_is_not_followed);
	tcase_add_test(list, bridge_back_up_is_not_followed);
	tcase_add_test(list, switch_is_listed_with_its_ports_and_drives);
	tcase_add_test(list, bus_that_two_bridges_claim_is_listed_once);
	tcase_add_loop_test(list, class_is_named_as_far_as_known, 0, G_N_ELEMENTS(classes));
	suite_add_tcase(suite, list);

	tcase_add_test(measure, measuring_finds_sizes_and_restores);
	tcase_add_test(measure, measuring_a_function_without_bars_finds_none);
	suite_add_tcase(suite, measure);
	return suite;
}
