/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_CHIPSET_H
#define VMM_CHIPSET_H

#include "vmm/chardev.h"
#include "vmm/vm.h"

#include <hotbay/acpi-hotplug.h>
#include <hotbay/pci.h>

/** HbChipsetOps: what the guest asks of the machine; on the vCPU's thread that asked. */
typedef struct HbChipsetOps {
	void (*power_off)(gpointer opaque);
	void (*reset)(gpointer opaque);
} HbChipsetOps;

/**
 * HbChipset: what answers the guest's I/O ports and unbacked memory: the serial port, power
 * management, the reset register, ACPI hot-plug, and the PCI host bridge behind them.
 */
typedef struct HbChipset HbChipset;

/**
 * hb_chipset_create:
 * @vm, @bridge: must outlive the result; the LPC bridge's function is added to @bridge
 * @serial: (nullable): NULL: no serial port
 *
 * Returns: (nullable): NULL with an error
 */
HbChipset *hb_chipset_create(const HbVm *vm, HbHostBridge *bridge, const HbChardevOptions *serial,
			     const HbChipsetOps *ops, gpointer opaque, GError **error);

/**
 * hb_chipset_add_hotplug:
 * @n_slots: of the machine, 1 to %HB_ACPI_HOTPLUG_MAX_SLOTS
 *
 * For slots in ACPI mode: the controller, its ports and its event. Once, before the vCPUs.
 *
 * Returns: (transfer none) (nullable): NULL with %HB_ERROR_LIMIT
 */
HbAcpiHotplug *hb_chipset_add_hotplug(HbChipset *chipset, guint n_slots, GError **error);

/** hb_chipset_destroy: after the vCPUs. Takes NULL. */
void hb_chipset_destroy(HbChipset *chipset);

/** hb_chipset_reset: all but the host bridge. No vCPU runs. */
void hb_chipset_reset(HbChipset *chipset);

void hb_chipset_press_power_button(HbChipset *chipset);

/** hb_chipset_pio, hb_chipset_mmio: guest accesses; reads of what is not there are all-ones. */
void hb_chipset_pio(HbChipset *chipset, guint16 port, gpointer data, guint size, gboolean is_write);
void hb_chipset_mmio(HbChipset *chipset, guint64 gpa, gpointer data, guint size, gboolean is_write);

#endif
