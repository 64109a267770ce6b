/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The machine as its guest's operating system is told of it: options and address map put into the
 * library's description.
 */

#include "vmm/tables.h"

#include "vmm/cpuid.h"
#include "vmm/layout.h"
#include "vmm/pm.h"

/* Those that are described: native ones describe themselves. */
static GArray *list_slots(const HbOptions *options)
{
	const HbDeviceOptions *devices = options->devices;
	GArray *slots = g_array_new(FALSE, FALSE, sizeof(HbAcpiSlot));

	for (guint i = 0; i < hb_device_options_get_n_ports(devices); i++) {
		const HbPortOptions *port = hb_device_options_get_port(devices, i);
		HbAcpiSlot slot = { .devfn = port->config.devfn,
				    .number = port->config.slot,
				    .index = i };

		/* Those of switches are not on bus 0, which is all that HbAcpiSlot can say. */
		if (options->acpi_hotplug && port->config.hotplug && !port->is_downstream)
			g_array_append_val(slots, slot);
	}
	return slots;
}

GByteArray *hb_tables_build(const HbOptions *options, const HbHostBridgeConfig *bridge,
			    GError **error)
{
	g_autoptr(GArray) slots = list_slots(options);
	guint8 apic_ids[HB_OPTIONS_MAX_CPUS];

	for (guint i = 0; i < options->cpus; i++)
		apic_ids[i] = (guint8)hb_cpuid_get_apic_id(&options->topology, i);
	HbAcpiMachine machine = {
		.apic_ids = apic_ids,
		.n_cpus = options->cpus,
		.lapic_address = HB_LAYOUT_LAPIC,
		.ioapic_address = HB_LAYOUT_IOAPIC,
		.ioapic_id = 0,
		.bridge = *bridge,
		.slots = (const HbAcpiSlot *)slots->data,
		.n_slots = slots->len,
		.pci_gsi = { HB_LAYOUT_PCI_GSIS },
		.pm_base = HB_LAYOUT_PM,
		.gpe0_base = HB_LAYOUT_GPE0,
		.gpe0_length = HB_PM_GPE0_PORTS,
		.sci = HB_LAYOUT_SCI,
		.reset_port = HB_PM_RESET_PORT,
		.reset_value = HB_PM_RESET_VALUE,
		.serial_port = options->serial ? HB_LAYOUT_SERIAL : 0,
		.serial_gsi = HB_LAYOUT_SERIAL_GSI,
		.native_hotplug = !options->acpi_hotplug,
		.hotplug_base = slots->len ? HB_LAYOUT_HOTPLUG : 0,
	};

	return hb_acpi_build(&machine, HB_LAYOUT_TABLES, HB_LAYOUT_TABLES_SIZE, error);
}
