/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The DSDT's device for the host bridge, \_SB.PCI0: its windows and its interrupt links. Its slots,
 * and who controls its PCI Express features, are in the SSDT: acpi/ssdt.c.
 */

#include "acpi/aml.h"
#include "acpi/board.h"
#include "acpi/machine.h"
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
	const HbAcpiSsdt ssdt = hb_machine_get_ssdt(machine);
	const HbAddressWindow board_ports[] = {
		{ HB_BOARD_CONFIG_PORT, HB_BOARD_CONFIG_PORTS },
		{ machine->pm_base, HB_BOARD_PM_PORTS },
		{ machine->gpe0_base, machine->gpe0_length },
		{ machine->hotplug_base, hb_pci_hotplug_get_length(&ssdt) },
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

void hb_pci_root_append(GByteArray *aml, const HbAcpiMachine *machine)
{
	gsize root = hb_aml_begin_device(aml, HB_PCI_ROOT_NAME);

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
	hb_aml_end(aml, root);
}
