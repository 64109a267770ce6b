/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_ACPI_HOTPLUG_H
#define HOTBAY_ACPI_HOTPLUG_H

/** acpi-hotplug.h: the ACPI hot-plug controller, for slots that are not native ones. */

#include <hotbay/pci.h>

G_BEGIN_DECLS

/**
 * HB_ACPI_HOTPLUG_GPE: the general-purpose event that says that a slot has news, in the tables of
 * hb_acpi_build(): \_GPE._L01.
 */
#define HB_ACPI_HOTPLUG_GPE 1

/** HB_ACPI_HOTPLUG_MAX_SLOTS: how many slots one controller has at most. */
#define HB_ACPI_HOTPLUG_MAX_SLOTS 256

/**
 * HbAcpiHotplugRegister:
 * @HB_ACPI_HOTPLUG_EVENT: read: one piece of news, which the controller forgets with that: the
 *   slot's index in bits 15:8, a #HbAcpiHotplugNews in bits 7:0; all zero if there is none. While
 *   there is any, the GPE is asserted.
 * @HB_ACPI_HOTPLUG_STAGE: write: how far the operating system is, a #HbAcpiHotplugStage
 * @HB_ACPI_HOTPLUG_SLOTS: one register for each slot, 4 bytes apart. Read: _STA of what sits in it.
 *   Write: a #HbAcpiHotplugCommand in bits 7:0; with %HB_ACPI_HOTPLUG_OST, the second argument of
 *   _OST in bits 15:8 and the first in bits 31:16.
 *
 * The controller's I/O ports, as offsets. Aligned accesses of 4 bytes only: others read all-ones
 * and write nothing. Reserved registers read zero. Between hw/acpi-hotplug.c and the methods of
 * acpi/pci-hotplug.c, and of no use to anybody else.
 */
typedef enum HbAcpiHotplugRegister {
	HB_ACPI_HOTPLUG_EVENT = 0,
	HB_ACPI_HOTPLUG_STAGE = 4,
	HB_ACPI_HOTPLUG_SLOTS = 8,
} HbAcpiHotplugRegister;

/**
 * HB_ACPI_HOTPLUG_LENGTH:
 * @n_slots: of the controller
 *
 * How many I/O ports it has.
 */
#define HB_ACPI_HOTPLUG_LENGTH(n_slots) (HB_ACPI_HOTPLUG_SLOTS + 4 * (n_slots))

/**
 * HbAcpiHotplugStage:
 * @HB_ACPI_HOTPLUG_LOADED: it has loaded the tables, and whichever came before it is gone
 * @HB_ACPI_HOTPLUG_READY: it is about to enumerate PCI: from here on there can be news
 *
 * How far the guest's operating system is.
 */
typedef enum HbAcpiHotplugStage {
	HB_ACPI_HOTPLUG_LOADED = 0,
	HB_ACPI_HOTPLUG_READY = 1,
} HbAcpiHotplugStage;

/**
 * HbAcpiHotplugNews:
 * @HB_ACPI_HOTPLUG_NONE: there is none
 * @HB_ACPI_HOTPLUG_CHECK: look at the slot: somebody came or went
 * @HB_ACPI_HOTPLUG_EJECT: let go of what is, or was, in the slot, and say so by _EJ0
 *
 * What the guest's operating system is to do about a slot.
 */
typedef enum HbAcpiHotplugNews {
	HB_ACPI_HOTPLUG_NONE = 0,
	HB_ACPI_HOTPLUG_CHECK = 1,
	HB_ACPI_HOTPLUG_EJECT = 2,
} HbAcpiHotplugNews;

/**
 * HbAcpiHotplugCommand:
 * @HB_ACPI_HOTPLUG_EJ0: _EJ0 was called: the guest has let go
 * @HB_ACPI_HOTPLUG_OST: _OST was called, with these arguments
 *
 * What the guest's operating system has done about a slot.
 */
typedef enum HbAcpiHotplugCommand {
	HB_ACPI_HOTPLUG_EJ0 = 1,
	HB_ACPI_HOTPLUG_OST = 2,
} HbAcpiHotplugCommand;

/**
 * HbAcpiHotplug:
 *
 * The ACPI hot-plug controller: the other mode of slots, for ports created with it in their
 * #HbPortConfig. The embedder gives it I/O ports and a GPE; hb_acpi_build() or
 * hb_acpi_build_ssdt() describes it.
 */
typedef struct HbAcpiHotplug HbAcpiHotplug;

/**
 * HbAcpiHotplugSetGpe:
 * @level: whether the GPE's source is asserted. Its status bit must read one for as long, even if
 *   the guest clears it (ACPI r6.5 §5.6.4, level-triggered).
 *
 * Called when it changes, with the bus lock held, on any thread; must not block, nor call back
 * into the library.
 */
typedef void (*HbAcpiHotplugSetGpe)(gpointer data, gboolean level);

/**
 * hb_acpi_hotplug_create:
 * @n_slots: 1 to %HB_ACPI_HOTPLUG_MAX_SLOTS
 * @set_gpe: called with @data
 *
 * Makes the controller of a bridge's slots. Loop thread, before the ports.
 *
 * Returns: (transfer full): free with hb_acpi_hotplug_destroy()
 */
HbAcpiHotplug *hb_acpi_hotplug_create(HbHostBridge *bridge, guint n_slots,
				      HbAcpiHotplugSetGpe set_gpe, gpointer data);

/**
 * hb_acpi_hotplug_destroy:
 * @hotplug: (nullable): no guest that has it runs any more
 *
 * Frees a controller, whose #HbAcpiHotplugSetGpe is not called from here on. May come before the
 * ports go. Loop thread, without the bus lock.
 */
void hb_acpi_hotplug_destroy(HbAcpiHotplug *hotplug);

/**
 * hb_acpi_hotplug_read:
 * @offset: from the first of its ports
 * @size: 1, 2 or 4 bytes
 *
 * The guest reads its ports. Any thread, without the bus lock.
 *
 * Returns: the value, in the low @size bytes
 */
guint32 hb_acpi_hotplug_read(HbAcpiHotplug *hotplug, guint offset, guint size);

/**
 * hb_acpi_hotplug_write:
 * @offset: from the first of its ports
 * @size: 1, 2 or 4 bytes
 * @value: in the low @size bytes
 *
 * The guest writes to its ports. Any thread, without the bus lock.
 */
void hb_acpi_hotplug_write(HbAcpiHotplug *hotplug, guint offset, guint size, guint32 value);

G_END_DECLS

#endif
