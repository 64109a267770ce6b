/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * query-pci: the guest's PCI functions as QEMU's QMP describes them (QEMU qapi/pci.json), read from
 * the registers that the guest reads: what the guest does not see is not in the list.
 *
 * Bus numbers are the guest's to program, so they are not trusted: a bridge is followed only down,
 * to a higher number than its own bus's, which ends every loop that a guest can make; and to a bus
 * that no other bridge was followed to, so that what is listed is never more than what there is.
 */

#include "vmm/query-pci.h"

#include <linux/pci_regs.h>

#define NO_FUNCTION 0xffff
#define UNMAPPED    (-1) /* QEMU's PCI_BAR_UNMAPPED, as the JSON number that clients see */

/* One query. */
typedef struct Query {
	const HbQueryPciSource *source;
	gpointer opaque;
	gboolean listed[256]; /* by bus number */
} Query;

typedef struct Look {
	Query *query;
	guint8 bus;
	guint8 devfn;
} Look;

static JsonArray *list_devices(Query *query, guint8 bus);

static guint32 get(const Look *look, guint offset, guint size)
{
	return look->query->source->read(look->bus, look->devfn, offset, size, look->query->opaque);
}

static const struct {
	guint16 code;
	const char *name;
} class_names[] = {
	{ 0x0100, "SCSI storage" }, { 0x0101, "IDE storage" }, { 0x0104, "RAID storage" },
	{ 0x0106, "SATA storage" }, { 0x0107, "SAS storage" }, { 0x0108, "NVM storage" },
	{ 0x0200, "Ethernet" },	    { 0x0300, "VGA display" }, { 0x0403, "Audio device" },
	{ 0x0600, "Host bridge" },  { 0x0601, "ISA bridge" },  { 0x0604, "PCI-to-PCI bridge" },
	{ 0x0700, "Serial port" },  { 0x0805, "SD host" },     { 0x0c03, "USB host" },
	{ 0x0c05, "SMBus host" },
};

static const char *const base_class_names[] = {
	"Unclassified",	   "Storage",	 "Network",	      "Display",       "Multimedia",
	"Memory",	   "Bridge",	 "Communication",     "System device", "Input",
	"Docking station", "Processor",	 "Serial bus",	      "Wireless",      "Intelligent I/O",
	"Satellite",	   "Encryption", "Signal processing",
};

/* NULL: nothing is known about it. */
static const char *name_class(guint16 code)
{
	for (guint i = 0; i < G_N_ELEMENTS(class_names); i++)
		if (class_names[i].code == code)
			return class_names[i].name;
	return code >> 8 < G_N_ELEMENTS(base_class_names) ? base_class_names[code >> 8] : NULL;
}

static JsonObject *describe_class(const Look *look)
{
	guint16 code = (guint16)get(look, PCI_CLASS_DEVICE, 2);
	const char *name = name_class(code);
	JsonObject *info = json_object_new();

	if (name)
		json_object_set_string_member(info, "desc", name);
	json_object_set_int_member(info, "class", code);
	return info;
}

static JsonObject *describe_id(const Look *look, gboolean is_bridge)
{
	JsonObject *id = json_object_new();

	json_object_set_int_member(id, "device", get(look, PCI_DEVICE_ID, 2));
	json_object_set_int_member(id, "vendor", get(look, PCI_VENDOR_ID, 2));
	if (!is_bridge) {
		json_object_set_int_member(id, "subsystem", get(look, PCI_SUBSYSTEM_ID, 2));
		json_object_set_int_member(id, "subsystem-vendor",
					   get(look, PCI_SUBSYSTEM_VENDOR_ID, 2));
	}
	return id;
}

static JsonObject *describe_region(const Look *look, guint bar, guint64 size)
{
	guint32 low = get(look, PCI_BASE_ADDRESS_0 + 4 * bar, 4);
	gboolean is_io = low & PCI_BASE_ADDRESS_SPACE_IO;
	gboolean is_64bit =
		!is_io && (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
	guint64 address =
		low & (is_io ? PCI_BASE_ADDRESS_IO_MASK : PCI_BASE_ADDRESS_MEM_MASK) & G_MAXUINT32;
	guint16 decode = is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	gboolean is_mapped = get(look, PCI_COMMAND, 2) & decode;
	JsonObject *region = json_object_new();

	if (is_64bit)
		address |= (guint64)get(look, PCI_BASE_ADDRESS_0 + 4 * bar + 4, 4) << 32;
	json_object_set_int_member(region, "bar", bar);
	json_object_set_string_member(region, "type", is_io ? "io" : "memory");
	json_object_set_int_member(region, "address", is_mapped ? (gint64)address : UNMAPPED);
	json_object_set_int_member(region, "size", (gint64)size);
	if (!is_io) {
		json_object_set_boolean_member(region, "prefetch",
					       low & PCI_BASE_ADDRESS_MEM_PREFETCH);
		json_object_set_boolean_member(region, "mem_type_64", is_64bit);
	}
	return region;
}

static JsonArray *list_regions(const Look *look, const HbQueryPciKnown *known)
{
	JsonArray *regions = json_array_new();

	for (guint bar = 0; known->bar_sizes && bar < HB_QUERY_PCI_BARS; bar++)
		if (known->bar_sizes[bar])
			json_array_add_object_element(
				regions, describe_region(look, bar, known->bar_sizes[bar]));
	return regions;
}

static JsonObject *make_range(guint64 base, guint64 limit)
{
	JsonObject *range = json_object_new();

	json_object_set_int_member(range, "base", (gint64)base);
	json_object_set_int_member(range, "limit", (gint64)limit);
	return range;
}

/* The windows of a type 1 header: PCIe r6.0 §7.5.1.3. */
static JsonObject *describe_io_range(const Look *look)
{
	guint8 base = (guint8)get(look, PCI_IO_BASE, 1);
	guint8 limit = (guint8)get(look, PCI_IO_LIMIT, 1);
	gboolean is_32bit = (base & PCI_IO_RANGE_TYPE_MASK) == PCI_IO_RANGE_TYPE_32;
	guint64 base_upper = is_32bit ? get(look, PCI_IO_BASE_UPPER16, 2) : 0;
	guint64 limit_upper = is_32bit ? get(look, PCI_IO_LIMIT_UPPER16, 2) : 0;

	return make_range(base_upper << 16 | (guint64)(base & 0xf0) << 8,
			  limit_upper << 16 | (guint64)(limit & 0xf0) << 8 | 0xfff);
}

static JsonObject *describe_memory_range(const Look *look)
{
	return make_range((guint64)(get(look, PCI_MEMORY_BASE, 2) & 0xfff0) << 16,
			  (guint64)(get(look, PCI_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff);
}

static JsonObject *describe_prefetchable_range(const Look *look)
{
	guint16 base = (guint16)get(look, PCI_PREF_MEMORY_BASE, 2);
	guint16 limit = (guint16)get(look, PCI_PREF_MEMORY_LIMIT, 2);
	gboolean is_64bit = (base & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64;
	guint64 base_upper = is_64bit ? get(look, PCI_PREF_BASE_UPPER32, 4) : 0;
	guint64 limit_upper = is_64bit ? get(look, PCI_PREF_LIMIT_UPPER32, 4) : 0;

	return make_range(base_upper << 32 | (guint64)(base & 0xfff0) << 16,
			  limit_upper << 32 | (guint64)(limit & 0xfff0) << 16 | 0xfffff);
}

static JsonObject *describe_bridge(const Look *look)
{
	guint8 secondary = (guint8)get(look, PCI_SECONDARY_BUS, 1);
	JsonObject *bus = json_object_new();
	JsonObject *bridge = json_object_new();

	json_object_set_int_member(bus, "number", get(look, PCI_PRIMARY_BUS, 1));
	json_object_set_int_member(bus, "secondary", secondary);
	json_object_set_int_member(bus, "subordinate", get(look, PCI_SUBORDINATE_BUS, 1));
	json_object_set_object_member(bus, "io_range", describe_io_range(look));
	json_object_set_object_member(bus, "memory_range", describe_memory_range(look));
	json_object_set_object_member(bus, "prefetchable_range", describe_prefetchable_range(look));
	json_object_set_object_member(bridge, "bus", bus);
	if (secondary > look->bus && !look->query->listed[secondary])
		json_object_set_array_member(bridge, "devices",
					     list_devices(look->query, secondary));
	return bridge;
}

static JsonObject *describe_function(const Look *look)
{
	gboolean is_bridge = (get(look, PCI_HEADER_TYPE, 1) & 0x7f) == PCI_HEADER_TYPE_BRIDGE;
	guint8 pin = (guint8)get(look, PCI_INTERRUPT_PIN, 1);
	HbQueryPciKnown known = { 0 };
	JsonObject *device = json_object_new();

	look->query->source->describe(look->bus, look->devfn, &known, look->query->opaque);
	json_object_set_int_member(device, "bus", look->bus);
	json_object_set_int_member(device, "slot", HB_PCI_DEVICE(look->devfn));
	json_object_set_int_member(device, "function", HB_PCI_FUNCTION(look->devfn));
	json_object_set_object_member(device, "class_info", describe_class(look));
	json_object_set_object_member(device, "id", describe_id(look, is_bridge));
	if (pin)
		json_object_set_int_member(device, "irq", get(look, PCI_INTERRUPT_LINE, 1));
	json_object_set_int_member(device, "irq_pin", pin);
	json_object_set_string_member(device, "qdev_id", known.id ? known.id : "");
	if (is_bridge)
		json_object_set_object_member(device, "pci_bridge", describe_bridge(look));
	json_object_set_array_member(device, "regions", list_regions(look, &known));
	return device;
}

static JsonArray *list_devices(Query *query, guint8 bus)
{
	JsonArray *devices = json_array_new();

	query->listed[bus] = TRUE;

	for (guint devfn = 0; devfn < 256; devfn++) {
		const Look look = { query, bus, (guint8)devfn };

		if ((get(&look, PCI_VENDOR_ID, 4) & 0xffff) != NO_FUNCTION)
			json_array_add_object_element(devices, describe_function(&look));
		else if (HB_PCI_FUNCTION(devfn) == 0)
			devfn |=
				7; /* without function 0 there is no other (PCIe r6.0 §7.5.1.1.9) */
	}
	return devices;
}

JsonNode *hb_query_pci_list(const HbQueryPciSource *source, gpointer opaque)
{
	Query query = { .source = source, .opaque = opaque };
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);
	JsonArray *buses = json_array_new();
	JsonObject *root = json_object_new();

	json_object_set_int_member(root, "bus", 0);
	json_object_set_array_member(root, "devices", list_devices(&query, 0));
	json_array_add_object_element(buses, root);
	json_node_take_array(node, buses);
	return node;
}

/* All-ones written and read back. */
static guint32 probe(HbPciFunction *function, guint bar)
{
	guint offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	guint32 before = function->ops->config_read(function, offset, 4);
	guint32 mask;

	function->ops->config_write(function, offset, 4, G_MAXUINT32);
	mask = function->ops->config_read(function, offset, 4);
	function->ops->config_write(function, offset, 4, before);
	return mask;
}

void hb_query_pci_measure(HbPciFunction *function, guint64 sizes[HB_QUERY_PCI_BARS])
{
	for (guint bar = 0; bar < HB_QUERY_PCI_BARS; bar++) {
		guint32 low = probe(function, bar);
		gboolean is_io = low & PCI_BASE_ADDRESS_SPACE_IO;
		gboolean is_64bit = !is_io && (low & PCI_BASE_ADDRESS_MEM_TYPE_64) &&
				    bar + 1 < HB_QUERY_PCI_BARS;
		guint64 mask = low & (is_io ? 0xfffffffc : 0xfffffff0);

		if (is_64bit)
			mask |= (guint64)probe(function, bar + 1) << 32;
		/* The lowest address bit that can be set; an I/O BAR may lack the upper 16. */
		sizes[bar] = mask & (~mask + 1);
		if (is_64bit)
			sizes[++bar] = 0;
	}
}
