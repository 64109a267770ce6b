/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The host's slots, from two sources:
 *
 *     a port's Express capability    the whole truth, if root reads it: Slot Capabilities, Control
 *                                    and Status, Link Status (PCIe r6.0 §7.5.3.7 to §7.5.3.11)
 *     /sys/bus/pci/slots/NAME        for everybody: address, adapter, power, attention
 *
 * Both meet in the bus behind the port: the kernel's slot has it in its address, "0000:01:00", the
 * port in its Secondary Bus Number, which is in the first 64 bytes and so open to all.
 */

#include "vfio/host-slot.h"

#include "vfio/host-files.h"

#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CAPABILITIES 48 /* that fit into 256 bytes: a longer chain is a circle */

/* A downstream port that a slot can be behind. */
typedef struct Port {
	const char *address;
	char *bus; /* "0000:01" */
	guint8 config[HB_HOST_CONFIG_SIZE];
	guint express; /* offset of the capability; 0 if it has none or it cannot be read */
} Port;

static void free_port(gpointer data)
{
	Port *port = data;

	g_free(port->bus);
	g_free(port);
}

static guint read_u16(const guint8 *config, guint offset)
{
	return config[offset] | (guint)config[offset + 1] << 8;
}

static guint32 read_u32(const guint8 *config, guint offset)
{
	return read_u16(config, offset) | (guint32)read_u16(config, offset + 2) << 16;
}

static guint find_express(const guint8 *config, guint size)
{
	guint offset = config[PCI_CAPABILITY_LIST] & ~3u;

	if (!(read_u16(config, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	for (guint i = 0; i < MAX_CAPABILITIES && offset >= PCI_STD_HEADER_SIZEOF; i++) {
		if (offset + PCI_EXP_SLTSTA + 2 > size)
			return 0;
		if (config[offset] == PCI_CAP_ID_EXP)
			return offset;
		offset = config[offset + 1] & ~3u;
	}
	return 0;
}

static Port *read_port(const char *address, HbHostConfigReader read, gpointer data)
{
	Port *port = g_new0(Port, 1);
	guint size = read(address, port->config, data);

	/* "0000:01" is the domain of the port, then the bus, which is 0 as long as it has none. */
	port->address = address;
	if (size >= PCI_STD_HEADER_SIZEOF && port->config[PCI_SECONDARY_BUS]) {
		const char *colon = strchr(address, ':');

		port->bus = g_strdup_printf("%.*s:%02x", (int)(colon ? colon - address : 0),
					    address, port->config[PCI_SECONDARY_BUS]);
		port->express = find_express(port->config, size);
	}
	return port;
}

static guint express_u16(const Port *port, guint offset)
{
	return read_u16(port->config, port->express + offset);
}

static gboolean is_slot(const Port *port)
{
	return port->express && express_u16(port, PCI_EXP_FLAGS) & PCI_EXP_FLAGS_SLOT;
}

static HbAnswer answer(gboolean yes)
{
	return yes ? HB_ANSWER_YES : HB_ANSWER_NO;
}

/* ---- from the port's registers ---- */

static HbHostIndicator decode_indicator(gboolean present, guint field)
{
	static const HbHostIndicator meanings[] = { HB_HOST_INDICATOR_UNKNOWN, HB_HOST_INDICATOR_ON,
						    HB_HOST_INDICATOR_BLINK,
						    HB_HOST_INDICATOR_OFF };

	return present ? meanings[field & 3] : HB_HOST_INDICATOR_ABSENT;
}

static HbAnswer decode_link(const Port *port)
{
	guint status = express_u16(port, PCI_EXP_LNKSTA);

	if (!(read_u32(port->config, port->express + PCI_EXP_LNKCAP) & PCI_EXP_LNKCAP_DLLLARC))
		return HB_ANSWER_UNKNOWN;
	return answer(status & PCI_EXP_LNKSTA_DLLLA);
}

static void read_registers(HbHostSlot *slot, const Port *port)
{
	guint32 capabilities = read_u32(port->config, port->express + PCI_EXP_SLTCAP);
	guint control = express_u16(port, PCI_EXP_SLTCTL);

	slot->number = capabilities >> 19;
	slot->hotplug = answer(capabilities & PCI_EXP_SLTCAP_HPC);
	slot->surprise = answer(capabilities & PCI_EXP_SLTCAP_HPS);
	slot->presence = answer(express_u16(port, PCI_EXP_SLTSTA) & PCI_EXP_SLTSTA_PDS);
	slot->link = decode_link(port);
	slot->power =
		answer(!(capabilities & PCI_EXP_SLTCAP_PCP) || !(control & PCI_EXP_SLTCTL_PCC));
	slot->attention = decode_indicator(capabilities & PCI_EXP_SLTCAP_AIP, control >> 6);
	slot->power_indicator = decode_indicator(capabilities & PCI_EXP_SLTCAP_PIP, control >> 8);
}

/* ---- from the kernel's slot driver ---- */

static HbAnswer read_answer(const char *root, const char *name, const char *leaf)
{
	gint64 value = hb_host_files_read_number(root, -1, "sys/bus/pci/slots/%s/%s", name, leaf);

	return value < 0 ? HB_ANSWER_UNKNOWN : answer(value > 0);
}

/* The hot-plug service of a port is a device of its own, which pciehp drives if it runs the slot.
 */
static gboolean has_pciehp(const char *root, const char *port)
{
	static const char *const services[] = { "004", "204" }; /* of a root port, of a switch */

	for (guint i = 0; port && i < G_N_ELEMENTS(services); i++) {
		g_autofree char *driver = hb_host_files_link_name(
			root, "sys/bus/pci_express/devices/%s:pcie%s/driver", port, services[i]);

		if (g_strcmp0(driver, "pciehp") == 0)
			return TRUE;
	}
	return FALSE;
}

/* drivers/pci/hotplug/pciehp_hpc.c, Linux 6.1, pciehp_get_attention_status() */
static HbHostIndicator read_attention(const char *root, const char *name)
{
	static const HbHostIndicator meanings[] = { HB_HOST_INDICATOR_OFF, HB_HOST_INDICATOR_ON,
						    HB_HOST_INDICATOR_BLINK };
	gint64 value = hb_host_files_read_number(root, -1, "sys/bus/pci/slots/%s/attention", name);

	return value >= 0 && value < (gint64)G_N_ELEMENTS(meanings) ? meanings[value]
								    : HB_HOST_INDICATOR_UNKNOWN;
}

static void read_kernel_slot(HbHostSlot *slot, const char *root)
{
	slot->number = (guint)strtoul(slot->name, NULL, 10);
	slot->presence = read_answer(root, slot->name, "adapter");
	slot->power = read_answer(root, slot->name, "power");
	slot->attention = read_attention(root, slot->name);
	if (has_pciehp(root, slot->port))
		slot->hotplug = HB_ANSWER_YES;
}

/* ---- the list ---- */

static void free_slot(gpointer data)
{
	HbHostSlot *slot = data;

	g_free(slot->name);
	g_free(slot->port);
	g_free(slot->bus);
	g_strfreev(slot->occupants);
	g_free(slot);
}

/* Functions on the bus: "0000:01" is the beginning of "0000:01:00.0". With a device number after
 * it, as acpiphp has it for slots of conventional buses, only those of that device. */
static char **list_occupants(const char *root, const char *start)
{
	g_autoptr(GPtrArray) names = hb_host_files_list(root, "sys/bus/pci/devices");
	GPtrArray *occupants = g_ptr_array_new();
	gsize length = strlen(start);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (strncmp(name, start, length) == 0 && strchr(":.", name[length]))
			g_ptr_array_add(occupants, g_strdup(name));
	}
	g_ptr_array_add(occupants, NULL);
	return (char **)g_ptr_array_free(occupants, FALSE);
}

static const Port *find_port(const GPtrArray *ports, const char *bus)
{
	for (guint i = 0; i < ports->len; i++) {
		const Port *port = g_ptr_array_index(ports, i);

		if (g_strcmp0(port->bus, bus) == 0)
			return port;
	}
	return NULL;
}

/*
 * The address of a slot is that of its device. A port has one device, number 0, whose functions may
 * look like devices of other numbers (ARI, PCIe r6.0 §6.13): all that is on the bus is in its slot.
 * A conventional bus, whose slots acpiphp runs, has a device for each slot.
 */
static HbHostSlot *create_kernel_slot(const char *root, const char *name, const GPtrArray *ports)
{
	g_autofree char *place = hb_host_files_read(root, "sys/bus/pci/slots/%s/address", name);
	const char *end = place ? strrchr(place, ':') : NULL;

	if (!end)
		return NULL;
	HbHostSlot *slot = g_new0(HbHostSlot, 1);
	slot->name = g_strdup(name);
	slot->bus = g_strndup(place, (gsize)(end - place));
	const Port *port = strcmp(end, ":00") == 0 ? find_port(ports, slot->bus) : NULL;
	slot->port = port ? g_strdup(port->address) : NULL;
	slot->occupants = list_occupants(root, port ? slot->bus : place);
	read_kernel_slot(slot, root);
	if (port && is_slot(port))
		read_registers(slot, port);
	return slot;
}

/* A port that says it has a slot, which no driver of the kernel runs. */
static HbHostSlot *create_port_slot(const char *root, const Port *port)
{
	HbHostSlot *slot = g_new0(HbHostSlot, 1);

	slot->port = g_strdup(port->address);
	slot->bus = g_strdup(port->bus);
	slot->occupants = list_occupants(root, port->bus);
	read_registers(slot, port);
	return slot;
}

static gint compare_slots(gconstpointer a, gconstpointer b)
{
	const HbHostSlot *one = *(const HbHostSlot *const *)a;
	const HbHostSlot *other = *(const HbHostSlot *const *)b;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	return g_strcmp0(one->port, other->port);
}

static GPtrArray *list_ports(const char *root, const GPtrArray *names, HbHostConfigReader read,
			     gpointer data)
{
	GPtrArray *ports = g_ptr_array_new_with_free_func(free_port);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		gint64 class =
			hb_host_files_read_number(root, 0, "sys/bus/pci/devices/%s/class", name);

		if (class >> 8 == 0x0604) /* PCI-to-PCI bridge */
			g_ptr_array_add(ports, read_port(name, read, data));
	}
	return ports;
}

static gboolean has_slot(const GPtrArray *slots, const char *port)
{
	for (guint i = 0; i < slots->len; i++) {
		const HbHostSlot *slot = g_ptr_array_index(slots, i);

		if (g_strcmp0(slot->port, port) == 0)
			return TRUE;
	}
	return FALSE;
}

GPtrArray *hb_host_slots_list(const char *root, HbHostConfigReader read, gpointer data)
{
	GPtrArray *slots = g_ptr_array_new_with_free_func(free_slot);
	g_autoptr(GPtrArray) devices = hb_host_files_list(root, "sys/bus/pci/devices");
	g_autoptr(GPtrArray) ports = list_ports(root, devices, read, data);
	g_autoptr(GPtrArray) names = hb_host_files_list(root, "sys/bus/pci/slots");

	for (guint i = 0; i < names->len; i++) {
		HbHostSlot *slot = create_kernel_slot(root, g_ptr_array_index(names, i), ports);

		if (slot)
			g_ptr_array_add(slots, slot);
	}
	for (guint i = 0; i < ports->len; i++) {
		const Port *port = g_ptr_array_index(ports, i);

		if (is_slot(port) && !has_slot(slots, port->address))
			g_ptr_array_add(slots, create_port_slot(root, port));
	}
	g_ptr_array_sort(slots, compare_slots);
	return slots;
}

static HbHostSlot *find_by_port(GPtrArray *slots, const char *port)
{
	for (guint i = 0; i < slots->len; i++) {
		HbHostSlot *slot = g_ptr_array_index(slots, i);

		if (g_strcmp0(slot->port, port) == 0)
			return slot;
	}
	return NULL;
}

/* The device's link leads to .../pci0000:00/0000:00:04.0/0000:01:00.0: the ports above it. */
HbHostSlot *hb_host_slots_find(GPtrArray *slots, const char *root, const char *address)
{
	g_autofree char *path = hb_host_files_path(root, "sys/bus/pci/devices/%s", address);
	g_autofree char *target = g_file_read_link(path, NULL);
	g_auto(GStrv) parts = target ? g_strsplit(target, "/", -1) : NULL;

	for (guint i = parts ? g_strv_length(parts) : 0; i > 1; i--) {
		HbHostSlot *slot = find_by_port(slots, parts[i - 2]);

		if (slot)
			return slot;
	}
	return NULL;
}
