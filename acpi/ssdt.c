/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What there is to say about slots, as a table that stands beside any DSDT:
 *
 *	\_SB.HBHP                   ACPI hot-plug's controller, if any, see acpi/pci-hotplug.c
 *	\_SB.PCI0._OSC              below the host bridge, whichever path that has, see acpi/osc.c
 *	\_SB.PCI0.RP20.SLOT ...     slots that are not native
 *	\_GPE._L01                  the controller's event
 *
 * A method comes before those that call it: a disassembler must know how many arguments it takes.
 *
 * Slots are described only if they are not native. For native ones the root port's Slot
 * Capabilities say it all, and one more word would be too many: from _SUN Linux makes a slot in
 * sysfs (drivers/acpi/pci_slot.c), and if that has the name first, pciehp's own becomes "1-1"
 * instead of "1": with _SUN at the root port in every kernel, with _SUN below it in 7.2, where
 * pciehp's slot stands for all devices behind the port.
 *
 * Others have a device for the root port (_ADR on bus 0), and in it one for what sits in the slot
 * (_ADR 0 on the secondary bus) with the slot's number and, if there is a controller, its methods.
 * Without one the name is all: never _EJ0 or _RMV then, since with either, acpiphp would offer to
 * eject what cannot be ejected.
 */

#include "acpi/aml.h"
#include "acpi/machine.h"
#include "acpi/pci-hotplug.h"
#include "acpi/table.h"
#include "acpi/tables.h"

static void append_slot(GByteArray *aml, const HbAcpiSlot *slot, gboolean has_methods)
{
	g_autofree char *name = g_strdup_printf(HB_SSDT_PORT, slot->devfn);
	gsize port = hb_aml_begin_device(aml, name);

	hb_aml_append_adr(aml, slot->devfn);

	gsize occupant = hb_aml_begin_device(aml, HB_SSDT_OCCUPANT);

	hb_aml_append_adr(aml, 0);
	hb_aml_append_name(aml, "_SUN");
	hb_aml_append_integer(aml, slot->number);
	if (has_methods)
		hb_pci_hotplug_append_methods(aml, slot);
	hb_aml_end(aml, occupant);
	hb_aml_end(aml, port);
}

void hb_ssdt_append(GByteArray *blob, const HbAcpiSsdt *ssdt)
{
	/* Integers are as wide as the DSDT's revision says: this one does not count. */
	gsize table = hb_table_begin(blob, "SSDT", 2);

	if (ssdt->hotplug_base)
		hb_pci_hotplug_append(blob, ssdt);

	gsize bridge = hb_aml_begin_scope(blob, ssdt->bridge);

	if (ssdt->osc)
		hb_osc_append(blob, ssdt);
	for (guint i = 0; i < ssdt->n_slots && !ssdt->native_hotplug; i++)
		append_slot(blob, &ssdt->slots[i], ssdt->hotplug_base != 0);
	hb_aml_end(blob, bridge);
	if (ssdt->hotplug_base && ssdt->has_gpe)
		hb_pci_hotplug_append_gpe(blob, ssdt->gpe);
	hb_table_end(blob, table);
}

GByteArray *hb_acpi_build_ssdt(const HbAcpiSsdt *ssdt, GError **error)
{
	if (!hb_ssdt_validate(ssdt, error))
		return NULL;

	GByteArray *table = g_byte_array_new();

	hb_ssdt_append(table, ssdt);
	return table;
}
