/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The Differentiated System Description Table, ACPI r6.5 §5.2.11.1: what cannot be enumerated.
 *
 *	\_S5                 how to switch off
 *	\_SB.C000 ...        the processors
 *	\_SB.PCI0            the host bridge, see acpi/pci-root.c
 *	\_SB.MBRD            what the board keeps for itself
 *	\_SB.COM1            the serial port
 *
 * COM1 stands beside the host bridge, not behind it: the bridge's I/O windows do not hold its
 * ports, and Windows gives a device only what its parent passes on.
 */

#include "acpi/aml.h"
#include "acpi/board.h"
#include "acpi/resource.h"
#include "acpi/table.h"
#include "acpi/tables.h"

#define STA_WORKING 0x0f /* present, enabled, shown, functioning: ACPI r6.5 §6.3.7 */

/* \_S5, ACPI r6.5 §7.4.2.6: the SLP_TYP values for PM1a and PM1b, and two that are reserved */
static void append_s5(GByteArray *aml)
{
	hb_aml_append_name(aml, "\\_S5");
	gsize values = hb_aml_begin_package(aml, 4);

	hb_aml_append_integer(aml, HB_ACPI_SLEEP_TYPE_S5);
	hb_aml_append_integer(aml, HB_ACPI_SLEEP_TYPE_S5);
	hb_aml_append_integer(aml, 0);
	hb_aml_append_integer(aml, 0);
	hb_aml_end(aml, values);
}

/* ACPI r6.5 §8.4: _UID is what connects it with its local APIC in the MADT. */
static void append_processor(GByteArray *aml, guint uid)
{
	g_autofree char *name = g_strdup_printf("C%03X", uid);
	gsize device = hb_aml_begin_device(aml, name);

	hb_aml_append_name(aml, "_HID");
	hb_aml_append_string(aml, "ACPI0007");
	hb_aml_append_name(aml, "_UID");
	hb_aml_append_integer(aml, uid);
	hb_aml_append_name(aml, "_STA");
	hb_aml_append_integer(aml, STA_WORKING);
	hb_aml_end(aml, device);
}

/* 0xCF9, the usual reset register, lies among the ports that the host bridge has already. */
static gboolean is_config_port(guint16 port)
{
	return port >= HB_BOARD_CONFIG_PORT && port < HB_BOARD_CONFIG_PORT + HB_BOARD_CONFIG_PORTS;
}

/*
 * Without ECAM here Linux uses no memory-mapped configuration space at all (arch/x86/pci/
 * mmconfig-shared.c, 6.1); the ports are here so that no BAR or bridge window is put on them.
 */
static void append_board(GByteArray *aml, const HbAcpiMachine *machine)
{
	guint16 reset = machine->reset_port;
	g_autoptr(GByteArray) descriptors = g_byte_array_new();

	hb_resource_append_memory(descriptors, &machine->bridge.ecam);
	hb_resource_append_io(descriptors, machine->pm_base, HB_BOARD_PM_PORTS);
	if (machine->gpe0_length != 0)
		hb_resource_append_io(descriptors, machine->gpe0_base, machine->gpe0_length);
	if (reset != 0 && !is_config_port(reset))
		hb_resource_append_io(descriptors, reset, 1);

	gsize device = hb_aml_begin_device(aml, "MBRD");

	hb_aml_append_name(aml, "_HID");
	hb_aml_append_eisa_id(aml, "PNP0C02");
	hb_aml_append_name(aml, "_UID");
	hb_aml_append_integer(aml, 0);
	hb_aml_append_name(aml, "_CRS");
	hb_aml_append_template(aml, descriptors);
	hb_aml_end(aml, device);
}

static void append_serial(GByteArray *aml, const HbAcpiMachine *machine)
{
	if (machine->serial_port == 0)
		return;

	g_autoptr(GByteArray) descriptors = g_byte_array_new();

	hb_resource_append_io(descriptors, machine->serial_port, HB_BOARD_UART_PORTS);
	hb_resource_append_irq(descriptors, machine->serial_gsi);

	gsize device = hb_aml_begin_device(aml, "COM1");

	hb_aml_append_name(aml, "_HID");
	hb_aml_append_eisa_id(aml, "PNP0501");
	hb_aml_append_name(aml, "_UID");
	hb_aml_append_integer(aml, 1);
	hb_aml_append_name(aml, "_CRS");
	hb_aml_append_template(aml, descriptors);
	hb_aml_end(aml, device);
}

void hb_dsdt_append(GByteArray *blob, const HbAcpiMachine *machine)
{
	/* From revision 2 on integers have 64 bits. */
	gsize table = hb_table_begin(blob, "DSDT", 2);

	append_s5(blob);

	gsize scope = hb_aml_begin_scope(blob, "\\_SB");

	for (guint i = 0; i < machine->n_cpus; i++)
		append_processor(blob, i);
	hb_pci_root_append(blob, machine);
	append_board(blob, machine);
	append_serial(blob, machine);
	hb_aml_end(blob, scope);
	hb_table_end(blob, table);
}
