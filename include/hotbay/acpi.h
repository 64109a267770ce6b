/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_ACPI_H
#define HOTBAY_ACPI_H

#include <hotbay/acpi-hotplug.h>
#include <hotbay/pci.h>

G_BEGIN_DECLS

/** HB_ACPI_SLEEP_TYPE_S5: SLP_TYP in PM1a control that, with SLP_EN, switches the machine off. */
#define HB_ACPI_SLEEP_TYPE_S5 5

/**
 * HbAcpiSlot:
 * @devfn: the root port on bus 0
 * @number: its Physical Slot Number, unique in the VM
 * @index: which slot of the ACPI hot-plug controller it is: the @acpi_index of its #HbPortConfig
 */
typedef struct HbAcpiSlot {
	guint8 devfn;
	guint16 number;
	guint index;
} HbAcpiSlot;

/**
 * HbAcpiMachine:
 * @apic_ids: (array length=n_cpus): local APIC ids in processor order, each below 255
 * @lapic_address: of every local APIC, usually 0xfee00000
 * @ioapic_address, @ioapic_id: the one IOAPIC with 24 pins from GSI 0
 * @bridge: the same description that the host bridge was created with
 * @slots: (array length=n_slots): the hot-plug root ports; described only without @native_hotplug,
 *   since a native slot describes itself
 * @pci_gsi: GSIs of the root bus's INTA..INTD links, level-triggered; device D pin P (INTA is 0)
 *   uses pci_gsi[(D + P) % 4]; all zero: no interrupt pins are routed (no _PRT), so functions on
 *   the root bus should have none
 * @pm_base: I/O port of the PM1a event block (4 bytes); PM1a control is at +4 (2 bytes),
 *   PM timer at +8 (4 bytes, all 32 bits count). SCI_EN reads as set from the start.
 * @gpe0_base: I/O port of GPE0 (@gpe0_length bytes, status half then enable half: even, at most 30;
 *   0 for none)
 * @sci: the GSI of the System Control Interrupt, an ISA interrupt, level-triggered, active high
 * @reset_port, @reset_value: the FADT's reset register, an I/O port; port 0 for none
 * @serial_port: (0 for none): the first 16550 UART
 * @serial_gsi: its interrupt, an ISA interrupt, edge-triggered
 * @native_hotplug: _OSC grants native PCIe hot-plug, PME, AER and capability control as one set;
 *   else all but hot-plug
 * @hotplug_base: I/O port of the ACPI hot-plug controller, a multiple of 4; 0 for none, as with
 *   @native_hotplug. Its ports are those of the slot with the largest @index. Its GPE is
 *   %HB_ACPI_HOTPLUG_GPE.
 *
 * The machine, described to the guest's operating system. No live objects.
 */
typedef struct HbAcpiMachine {
	const guint8 *apic_ids;
	guint n_cpus;
	guint32 lapic_address;
	guint32 ioapic_address;
	guint8 ioapic_id;
	HbHostBridgeConfig bridge;
	const HbAcpiSlot *slots;
	guint n_slots;
	guint8 pci_gsi[4];
	guint16 pm_base;
	guint16 gpe0_base;
	guint8 gpe0_length;
	guint8 sci;
	guint16 reset_port;
	guint8 reset_value;
	guint16 serial_port;
	guint8 serial_gsi;
	gboolean native_hotplug;
	guint16 hotplug_base;
} HbAcpiMachine;

/**
 * hb_acpi_build:
 * @machine: what to describe
 * @gpa: where the blob will lie in guest memory, below 4 GiB, aligned to 64 bytes; the RSDP is its
 * first byte
 * @size: the bytes available there
 *
 * Builds RSDP, XSDT, FADT, FACS, DSDT, MADT and MCFG of ACPI 6.5. Any thread.
 *
 * Returns: (transfer full) (nullable): the blob, or NULL with %HB_ERROR_INVALID or, if @size is
 *   too small, %HB_ERROR_LIMIT
 */
GByteArray *hb_acpi_build(const HbAcpiMachine *machine, guint64 gpa, gsize size, GError **error);

G_END_DECLS

#endif
