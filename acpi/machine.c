/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a machine, and its slots alone, must be like for tables to be true. What passes here can be
 * encoded without overflow, so the tables' own code checks nothing.
 *
 * No state, so any thread.
 */

#include "acpi/machine.h"

#include "acpi/board.h"
#include "acpi/pci-hotplug.h"
#include "acpi/tables.h"

#include <hotbay/error.h>

#include <string.h>

#define GIB_4		(G_GUINT64_CONSTANT(1) << 32)
#define MAX_BUSES	256
#define MAX_GPE0_LENGTH 30 /* FADT: a width in bits, in eight bits; the length is even */
#define PORT_COUNT	0x10000
#define MAX_SLOT_NUMBER 0x1fff /* PCIe r6.0 §7.5.3.9: 13 bits */
#define MAX_PATH_LENGTH 255
#define MAX_APIC_ID	254 /* 255 is the broadcast */
#define FIRST_FREE_IRQ	3   /* the timer is 0, the keyboard 1, the cascade 2 */

G_GNUC_PRINTF(2, 3) static gboolean refuse(GError **error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (error)
		*error = g_error_new_valist(HB_ERROR, HB_ERROR_INVALID, format, arguments);
	va_end(arguments);
	return FALSE;
}

static gboolean validate_processors(const HbAcpiMachine *machine, GError **error)
{
	gboolean seen[MAX_APIC_ID + 1] = { FALSE };

	if (machine->n_cpus == 0 || machine->n_cpus > MAX_APIC_ID + 1)
		return refuse(error, "ACPI: n_cpus is %u; give 1 to %d processors", machine->n_cpus,
			      MAX_APIC_ID + 1);
	for (guint i = 0; i < machine->n_cpus; i++) {
		guint8 id = machine->apic_ids[i];

		if (id > MAX_APIC_ID)
			return refuse(error, "ACPI: apic_ids[%u] is %u; keep ids below 255", i, id);
		if (seen[id])
			return refuse(error,
				      "ACPI: apic_ids[%u] is %u, as is another; each "
				      "processor needs its own",
				      i, id);
		seen[id] = TRUE;
	}
	return TRUE;
}

static gboolean validate_window(const HbAddressWindow *window, const char *name, guint64 limit,
				GError **error)
{
	if (window->size == 0 || (window->base < limit && window->size <= limit - window->base))
		return TRUE;
	return refuse(error,
		      "ACPI: window %s [0x%" G_GINT64_MODIFIER "x, +0x%" G_GINT64_MODIFIER
		      "x) does not end at or below 0x%" G_GINT64_MODIFIER "x; move or shrink it",
		      name, window->base, window->size, limit);
}

static gboolean validate_bridge(const HbHostBridgeConfig *bridge, GError **error)
{
	guint64 size = bridge->ecam.size;

	if (size < HB_BOARD_BUS_SIZE || size > (guint64)MAX_BUSES * HB_BOARD_BUS_SIZE ||
	    (size & (size - 1)) != 0 || bridge->ecam.base % size != 0)
		return refuse(error,
			      "ACPI: ECAM of 0x%" G_GINT64_MODIFIER
			      "x bytes at 0x%" G_GINT64_MODIFIER
			      "x; give 1 to 256 MiB, a power of two, aligned to itself",
			      size, bridge->ecam.base);
	return validate_window(&bridge->ecam, "ecam", G_MAXUINT64, error) &&
	       validate_window(&bridge->io, "io", PORT_COUNT, error) &&
	       validate_window(&bridge->mem32, "mem32", GIB_4, error) &&
	       validate_window(&bridge->mem64, "mem64", G_MAXUINT64, error);
}

static gboolean validate_slots(const HbAcpiSsdt *ssdt, GError **error)
{
	gboolean seen[256] = { FALSE };
	g_autoptr(GHashTable) numbers = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < ssdt->n_slots; i++) {
		const HbAcpiSlot *slot = &ssdt->slots[i];

		if (slot->number > MAX_SLOT_NUMBER)
			return refuse(error, "ACPI: slot number %u of slots[%u]; keep it below %d",
				      slot->number, i, MAX_SLOT_NUMBER + 1);
		if (!g_hash_table_add(numbers, GUINT_TO_POINTER((guint)slot->number)))
			return refuse(error,
				      "ACPI: slot number %u of slots[%u] is taken; give "
				      "each slot its own",
				      slot->number, i);
		if (seen[slot->devfn])
			return refuse(error,
				      "ACPI: 00:%02x.%x of slots[%u] is taken; give each "
				      "slot a root port of its own",
				      HB_PCI_DEVICE(slot->devfn), HB_PCI_FUNCTION(slot->devfn), i);
		seen[slot->devfn] = TRUE;
	}
	return TRUE;
}

static gboolean validate_indexes(const HbAcpiSsdt *ssdt, GError **error)
{
	gboolean seen[HB_ACPI_HOTPLUG_MAX_SLOTS] = { FALSE };

	for (guint i = 0; i < ssdt->n_slots; i++) {
		guint index = ssdt->slots[i].index;

		if (index >= HB_ACPI_HOTPLUG_MAX_SLOTS)
			return refuse(error, "ACPI: index %u of slots[%u]; keep it below %d", index,
				      i, HB_ACPI_HOTPLUG_MAX_SLOTS);
		if (seen[index])
			return refuse(error,
				      "ACPI: index %u of slots[%u] is taken; give each slot its "
				      "own",
				      index, i);
		seen[index] = TRUE;
	}
	return TRUE;
}

static gboolean validate_hotplug(const HbAcpiSsdt *ssdt, GError **error)
{
	if (ssdt->hotplug_base == 0)
		return TRUE;
	if (ssdt->native_hotplug)
		return refuse(error, "ACPI: hotplug_base with native_hotplug; a machine's slots "
				     "are of one mode, so leave one out");
	if (!validate_indexes(ssdt, error))
		return FALSE;
	guint length = hb_pci_hotplug_get_length(ssdt);
	if (ssdt->hotplug_base % 4 != 0 || ssdt->hotplug_base > PORT_COUNT - length)
		return refuse(error,
			      "ACPI: hotplug_base 0x%x; give it %u I/O ports of its own, from a "
			      "multiple of 4",
			      ssdt->hotplug_base, length);
	return TRUE;
}

/* \ and names of up to four characters, with dots between them: ACPI r6.5 §20.2.2 */
static gboolean is_path(const char *path)
{
	return path &&
	       g_regex_match_simple("^\\\\[A-Z_][A-Z0-9_]{0,3}(\\.[A-Z_][A-Z0-9_]{0,3})*\\z", path,
				    0, 0) &&
	       strlen(path) <= MAX_PATH_LENGTH;
}

static gboolean validate_place(const HbAcpiSsdt *ssdt, GError **error)
{
	if (!is_path(ssdt->bridge))
		return refuse(error,
			      "ACPI: bridge is '%s'; give the whole path of the host bridge's "
			      "device, such as \\_SB.PCI0",
			      ssdt->bridge ? ssdt->bridge : "(null)");
	if (ssdt->native_hotplug && !ssdt->osc)
		return refuse(error, "ACPI: native slots without osc; there is nothing to say of "
				     "them, so do without the table");
	return TRUE;
}

gboolean hb_ssdt_validate(const HbAcpiSsdt *ssdt, GError **error)
{
	return validate_place(ssdt, error) && validate_slots(ssdt, error) &&
	       validate_hotplug(ssdt, error);
}

static gboolean validate_ports(const HbAcpiMachine *machine, GError **error)
{
	if (machine->pm_base == 0 || machine->pm_base > PORT_COUNT - HB_BOARD_PM_PORTS)
		return refuse(error, "ACPI: pm_base 0x%x; give it %d I/O ports of its own",
			      machine->pm_base, HB_BOARD_PM_PORTS);
	if (machine->gpe0_length % 2 != 0 || machine->gpe0_length > MAX_GPE0_LENGTH)
		return refuse(error, "ACPI: gpe0_length is %u; give an even number up to %d",
			      machine->gpe0_length, MAX_GPE0_LENGTH);
	if (machine->gpe0_length != 0 &&
	    (machine->gpe0_base == 0 || machine->gpe0_base > PORT_COUNT - machine->gpe0_length))
		return refuse(error, "ACPI: gpe0_base 0x%x; give it %u I/O ports of its own",
			      machine->gpe0_base, machine->gpe0_length);
	if (machine->serial_port > PORT_COUNT - HB_BOARD_UART_PORTS)
		return refuse(error, "ACPI: serial_port 0x%x; give it %d I/O ports of its own",
			      machine->serial_port, HB_BOARD_UART_PORTS);
	return TRUE;
}

static gboolean validate_event(const HbAcpiMachine *machine, GError **error)
{
	if (machine->hotplug_base == 0 || machine->gpe0_length != 0)
		return TRUE;
	return refuse(error, "ACPI: hotplug_base without GPE0; give gpe0_base and gpe0_length, "
			     "since the controller needs an event");
}

static gboolean validate_interrupts(const HbAcpiMachine *machine, GError **error)
{
	guint n_links = 0;

	if (machine->sci < FIRST_FREE_IRQ || machine->sci >= HB_BOARD_ISA_IRQS)
		return refuse(error, "ACPI: sci is %u; give an ISA interrupt, 3 to 15, usually 9",
			      machine->sci);
	if (machine->serial_port != 0 &&
	    (machine->serial_gsi < FIRST_FREE_IRQ || machine->serial_gsi >= HB_BOARD_ISA_IRQS ||
	     machine->serial_gsi == machine->sci))
		return refuse(error,
			      "ACPI: serial_gsi is %u; give an ISA interrupt, 3 to 15, "
			      "usually 4, other than the SCI",
			      machine->serial_gsi);
	for (guint i = 0; i < G_N_ELEMENTS(machine->pci_gsi); i++) {
		if (machine->pci_gsi[i] >= HB_BOARD_GSIS)
			return refuse(error, "ACPI: pci_gsi[%u] is %u; the IOAPIC has %d pins", i,
				      machine->pci_gsi[i], HB_BOARD_GSIS);
		n_links += machine->pci_gsi[i] != 0;
	}
	if (n_links != 0 && n_links != G_N_ELEMENTS(machine->pci_gsi))
		return refuse(error, "ACPI: pci_gsi has %u of 4 links; give all or none", n_links);
	return TRUE;
}

HbAcpiSsdt hb_machine_get_ssdt(const HbAcpiMachine *machine)
{
	return (HbAcpiSsdt){
		.bridge = "\\_SB." HB_PCI_ROOT_NAME,
		.slots = machine->slots,
		.n_slots = machine->n_slots,
		.native_hotplug = machine->native_hotplug,
		.hotplug_base = machine->hotplug_base,
		.osc = TRUE,
		.has_gpe = TRUE,
		.gpe = HB_ACPI_HOTPLUG_GPE,
	};
}

gboolean hb_machine_validate(const HbAcpiMachine *machine, GError **error)
{
	const HbAcpiSsdt ssdt = hb_machine_get_ssdt(machine);

	return validate_processors(machine, error) && validate_bridge(&machine->bridge, error) &&
	       hb_ssdt_validate(&ssdt, error) && validate_ports(machine, error) &&
	       validate_event(machine, error) && validate_interrupts(machine, error);
}
