/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The DSDT's device for the host bridge, \_SB.PCI0: its windows, its interrupt links and who
 * controls its PCI Express features.
 *
 * Slots are described only if they are not native. For native ones the root port's Slot
 * Capabilities say it all, and one more word would be too many: from _SUN Linux makes a slot in
 * sysfs (drivers/acpi/pci_slot.c), and if that has the name first, pciehp's own becomes "1-1"
 * instead of "1": with _SUN at the root port in every kernel, with _SUN below it in 7.2, where
 * pciehp's slot stands for all devices behind the port.
 *
 * With an ACPI hot-plug controller, acpi/pci-hotplug.c describes them. Without either there is a
 * device for the root port (_ADR on bus 0), and in it one for what sits in the slot (_ADR 0 on the
 * secondary bus) with the slot's number, so that at least the name is known. Never _EJ0 or _RMV
 * then: with either, acpiphp would offer to eject what cannot be ejected.
 */

#include "acpi/aml.h"
#include "acpi/board.h"
#include "acpi/pci-hotplug.h"
#include "acpi/resource.h"
#include "acpi/tables.h"
#include "acpi/windows.h"

#define PIN_COUNT    4
#define DEVICE_COUNT 32
#define ANY_FUNCTION 0xffff

typedef void (*AppendWindow)(GByteArray *descriptors, const HbAddressWindow *window);

static void append_windows(GByteArray *descriptors, AppendWindow append,
			   const HbAddressWindow *window, const HbAddressWindow *holes,
			   guint n_holes)
{
	g_autoptr(GArray) windows = hb_windows_subtract(window, holes, n_holes);

	for (guint i = 0; i < windows->len; i++)
		append(descriptors, &g_array_index(windows, HbAddressWindow, i));
}

static void append_crs(GByteArray *aml, const HbAcpiMachine *machine)
{
	const HbHostBridgeConfig *bridge = &machine->bridge;
	const HbAddressWindow board_ports[] = {
		{ HB_BOARD_CONFIG_PORT, HB_BOARD_CONFIG_PORTS },
		{ machine->pm_base, HB_BOARD_PM_PORTS },
		{ machine->gpe0_base, machine->gpe0_length },
		{ machine->hotplug_base, hb_pci_hotplug_get_length(machine) },
		{ machine->reset_port, machine->reset_port != 0 },
		{ machine->serial_port, machine->serial_port != 0 ? HB_BOARD_UART_PORTS : 0 },
	};
	const HbAddressWindow board_memory[] = {
		bridge->ecam,
		{ machine->ioapic_address, HB_BOARD_IOAPIC_SIZE },
		{ machine->lapic_address, HB_BOARD_MSI_SIZE },
	};
	g_autoptr(GByteArray) descriptors = g_byte_array_new();

	hb_resource_append_bus_window(descriptors, bridge->ecam.size / HB_BOARD_BUS_SIZE);
	hb_resource_append_io(descriptors, HB_BOARD_CONFIG_PORT, HB_BOARD_CONFIG_PORTS);
	append_windows(descriptors, hb_resource_append_io_window, &bridge->io, board_ports,
		       G_N_ELEMENTS(board_ports));
	append_windows(descriptors, hb_resource_append_mem32_window, &bridge->mem32, board_memory,
		       G_N_ELEMENTS(board_memory));
	append_windows(descriptors, hb_resource_append_mem64_window, &bridge->mem64, board_memory,
		       G_N_ELEMENTS(board_memory));

	hb_aml_append_name(aml, "_CRS");
	hb_aml_append_template(aml, descriptors);
}

/* ACPI r6.5 §6.2.13: address, pin, no link device, GSI */
static void append_route(GByteArray *aml, guint device, guint pin, guint gsi)
{
	gsize route = hb_aml_begin_package(aml, 4);

	hb_aml_append_integer(aml, (guint64)device << 16 | ANY_FUNCTION);
	hb_aml_append_integer(aml, pin);
	hb_aml_append_integer(aml, 0);
	hb_aml_append_integer(aml, gsi);
	hb_aml_end(aml, route);
}

static void append_prt(GByteArray *aml, const HbAcpiMachine *machine)
{
	if (machine->pci_gsi[0] == 0)
		return;

	hb_aml_append_name(aml, "_PRT");
	gsize routes = hb_aml_begin_package(aml, DEVICE_COUNT * PIN_COUNT);

	for (guint device = 0; device < DEVICE_COUNT; device++) {
		for (guint pin = 0; pin < PIN_COUNT; pin++)
			append_route(aml, device, pin,
				     machine->pci_gsi[(device + pin) % PIN_COUNT]);
	}
	hb_aml_end(aml, routes);
}

static void append_slot(GByteArray *aml, const HbAcpiSlot *slot)
{
	g_autofree char *name = g_strdup_printf("RP%02X", slot->devfn);
	gsize port = hb_aml_begin_device(aml, name);

	hb_aml_append_adr(aml, slot->devfn);

	gsize occupant = hb_aml_begin_device(aml, "SLOT");

	hb_aml_append_adr(aml, 0);
	hb_aml_append_name(aml, "_SUN");
	hb_aml_append_integer(aml, slot->number);
	hb_aml_end(aml, occupant);
	hb_aml_end(aml, port);
}

static void append_slots(GByteArray *aml, const HbAcpiMachine *machine)
{
	if (machine->hotplug_base) {
		hb_pci_hotplug_append(aml, machine);
		return;
	}
	for (guint i = 0; i < machine->n_slots; i++)
		append_slot(aml, &machine->slots[i]);
}

void hb_pci_root_append(GByteArray *aml, const HbAcpiMachine *machine)
{
	gsize root = hb_aml_begin_device(aml, "PCI0");

	hb_aml_append_name(aml, "_HID");
	hb_aml_append_eisa_id(aml, "PNP0A08");
	hb_aml_append_name(aml, "_CID");
	hb_aml_append_eisa_id(aml, "PNP0A03");
	hb_aml_append_name(aml, "_UID");
	hb_aml_append_integer(aml, 0);
	hb_aml_append_name(aml, "_SEG");
	hb_aml_append_integer(aml, 0);
	hb_aml_append_name(aml, "_BBN");
	hb_aml_append_integer(aml, 0);
	append_crs(aml, machine);
	append_prt(aml, machine);
	hb_osc_append(aml, machine);
	if (!machine->native_hotplug)
		append_slots(aml, machine);
	hb_aml_end(aml, root);
}
