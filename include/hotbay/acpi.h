/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_ACPI_H
#define HOTBAY_ACPI_H

/** acpi.h: ACPI tables of a machine, or of its slots only. */

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
 *
 * A hot-plug slot, as tables describe it.
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
 * @ioapic_address: of the one IOAPIC, with 24 pins from GSI 0
 * @ioapic_id: its id
 * @bridge: the same description that the host bridge was created with
 * @slots: (array length=n_slots): the hot-plug root ports; described only without @native_hotplug,
 *   since a native slot describes itself
 * @pci_gsi: GSIs of the root bus's INTA..INTD links, level-triggered; device D pin P (INTA is 0)
 *   uses pci_gsi[(D + P) % 4]; all zero: no interrupt pins are routed (no _PRT), so functions on
 *   the root bus should have none
 * @pm_base: I/O port of the PM1a event block (4 bytes); PM1a control is at +4 (2 bytes),
 *   PM timer at +8 (4 bytes, all 32 bits count). SCI_EN reads as set from the start.
 * @gpe0_base: I/O port of GPE0; 0 for none
 * @gpe0_length: its bytes, status half then enable half: even, at most 30
 * @sci: the GSI of the System Control Interrupt, an ISA interrupt, level-triggered, active high
 * @reset_port: the FADT's reset register, an I/O port; 0 for none
 * @reset_value: what resets the machine, written there
 * @serial_port: the first 16550 UART; 0 for none
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
 * Builds RSDP, XSDT, FADT, FACS, DSDT, SSDT, MADT and MCFG of ACPI 6.5. Any thread.
 *
 * Returns: (transfer full) (nullable): the blob, or NULL with %HB_ERROR_INVALID or, if @size is
 *   too small, %HB_ERROR_LIMIT
 */
GByteArray *hb_acpi_build(const HbAcpiMachine *machine, guint64 gpa, gsize size, GError **error);

/**
 * HB_ACPI_NEWS_METHOD: a method of the SSDT that takes all news of slots from the controller and
 * notifies the operating system. For event methods of an embedder's own: that of a GED, or one of a
 * GPE that has other sources too.
 */
#define HB_ACPI_NEWS_METHOD "\\_SB.HBHP.NEWS"

/**
 * HB_ACPI_READY_METHOD: a method of the SSDT that tells the controller that the operating system is
 * about to enumerate PCI: no slot has news before. For an _OSC of an embedder's own, which calls it
 * whenever the UUID is that of PCI host bridges, whatever is granted.
 */
#define HB_ACPI_READY_METHOD "\\_SB.HBHP.REDY"

/**
 * HbAcpiSsdt:
 * @bridge: the path of the host bridge's device in the embedder's tables, such as "\_SB.PCI0": a
 *   device for bus 0 of the library's bridge. It has no devices for the root ports in @slots yet,
 *   nor ones that are called RP and two hexadecimal digits.
 * @slots: (array length=n_slots): as in #HbAcpiMachine, and so are the next two
 * @native_hotplug: whether _OSC grants native hot-plug
 * @hotplug_base: of the ACPI hot-plug controller; 0 for none
 * @osc: with _OSC, which grants what hb_acpi_grant_control() says. That device must not have one
 *   yet: the operating system would keep that and drop this, and say little or nothing of it.
 *   Without, the embedder's own grants at most that, and, with @hotplug_base, calls
 *   %HB_ACPI_READY_METHOD
 * @has_gpe: with @hotplug_base: the SSDT has the method of the controller's general-purpose event,
 *   @gpe; without, the embedder's own method for whichever event it is calls %HB_ACPI_NEWS_METHOD
 * @gpe: its number
 *
 * What there is to say about slots, for a machine that has tables already. To the bridge's device
 * the SSDT adds _OSC and HBCT, and for slots that are not native a device for each root port, with
 * _ADR, and in it one for what sits there, with _ADR and _SUN; ACPI hot-plug has its methods there
 * too. Of ACPI hot-plug's controller it makes the device \_SB.HBHP, which has its I/O ports, so
 * these are not in the _CRS of another device, and no bridge's window has them.
 *
 * An operating system loads the DSDT, and then the other tables in the order of the XSDT. This one
 * must come after the table that has @bridge: what is said of a device that is not there yet is
 * skipped, by Linux (ACPICA) without an error.
 */
typedef struct HbAcpiSsdt {
	const char *bridge;
	const HbAcpiSlot *slots;
	guint n_slots;
	gboolean native_hotplug;
	guint16 hotplug_base;
	gboolean osc;
	gboolean has_gpe;
	guint8 gpe;
} HbAcpiSsdt;

/**
 * hb_acpi_build_ssdt:
 * @ssdt: what to describe
 *
 * Builds one complete table, which may lie at any address, and which the embedder adds to its XSDT,
 * behind the table that has the bridge. hb_acpi_build() has the same one among its tables. Any
 * thread.
 *
 * Returns: (transfer full) (nullable): the table, or NULL with %HB_ERROR_INVALID, also if there is
 *   nothing to say: native slots without @osc
 */
GByteArray *hb_acpi_build_ssdt(const HbAcpiSsdt *ssdt, GError **error);

/**
 * HbAcpiOscControl:
 * @HB_ACPI_OSC_HOTPLUG: native PCI Express hot-plug
 * @HB_ACPI_OSC_PME: native power management events
 * @HB_ACPI_OSC_AER: advanced error reporting
 * @HB_ACPI_OSC_EXPRESS: the PCI Express capability structure
 *
 * Bits of the control field of a PCI host bridge's _OSC (PCI Firmware r3.3 §4.5.1), those that
 * the library has an opinion of.
 */
typedef enum HbAcpiOscControl {
	HB_ACPI_OSC_HOTPLUG = 1 << 0,
	HB_ACPI_OSC_PME = 1 << 2,
	HB_ACPI_OSC_AER = 1 << 3,
	HB_ACPI_OSC_EXPRESS = 1 << 4,
} HbAcpiOscControl;

/**
 * hb_acpi_grant_control:
 * @requested: the control field as the operating system gave it
 * @native_hotplug: the slots are native; else they belong to ACPI or to nobody
 *
 * Says what an _OSC of the embedder's own may grant, for the bridge that the library's slots are
 * on. Of native slots, Windows wants hot-plug, PME and the capability structure, or takes none.
 * Never granted are SHPC, which there is none of, LTR, since passed-through drives see no link, and
 * downstream port containment: a drive that leaves is told by its slot, and an operating system
 * would first try to recover the link. Any thread.
 *
 * Returns: the bits of @requested to grant
 */
guint32 hb_acpi_grant_control(guint32 requested, gboolean native_hotplug);

G_END_DECLS

#endif
