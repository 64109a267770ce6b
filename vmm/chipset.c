/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The small devices of the machine, wired to their ports and interrupt lines. Guest accesses come
 * on any vCPU's thread; each device has a lock of its own, and none is held across a call to
 * another.
 */

#include "vmm/chipset.h"

#include "vmm/layout.h"
#include "vmm/lpc.h"
#include "vmm/pio.h"
#include "vmm/pm.h"
#include "vmm/serial.h"

#include <hotbay/error.h>

#include <string.h>

_Static_assert(HB_LAYOUT_HOTPLUG + HB_ACPI_HOTPLUG_LENGTH(HB_ACPI_HOTPLUG_MAX_SLOTS) <=
		       HB_LAYOUT_PCI,
	       "ACPI hot-plug overlaps configuration access");

#define KEYBOARD_RESET 0xfe /* keyboard controller: pulse the reset line */

struct HbChipset {
	const HbVm *vm;
	HbHostBridge *bridge;
	const HbChipsetOps *ops;
	gpointer opaque;
	HbPio *pio;
	HbPm *pm;
	HbAcpiHotplug *hotplug; /* NULL: the slots are native */
	HbSerial *serial;	/* NULL: none */
	HbChardev *chardev;	/* its other end */
	gint reset_control;	/* atomic: the last value of the reset register */
};

/* -- The serial port. -- */

static void set_serial_irq(gpointer opaque, gboolean level)
{
	HbChipset *chipset = opaque;

	hb_vm_set_irq(chipset->vm, HB_LAYOUT_SERIAL_GSI, level);
}

static void serial_output(gpointer opaque, const guint8 *data, gsize length)
{
	HbChipset *chipset = opaque;

	hb_chardev_write(chipset->chardev, data, length);
}

static void serial_drained(gpointer opaque)
{
	HbChipset *chipset = opaque;

	hb_chardev_resume(chipset->chardev);
}

static const HbSerialOps serial_ops = {
	.set_irq = set_serial_irq,
	.output = serial_output,
	.drained = serial_drained,
};

static gsize serial_can_receive(gpointer opaque)
{
	HbChipset *chipset = opaque;

	return hb_serial_can_receive(chipset->serial);
}

static void serial_receive(gpointer opaque, const guint8 *data, gsize length)
{
	HbChipset *chipset = opaque;

	hb_serial_receive(chipset->serial, data, length);
}

static const HbChardevOps chardev_ops = {
	.can_receive = serial_can_receive,
	.receive = serial_receive,
};

/* The UART's registers are bytes: a wider access is one of each. */
static guint32 read_serial(gpointer opaque, guint offset, guint size)
{
	HbChipset *chipset = opaque;
	guint32 value = 0;

	for (guint i = 0; i < size; i++)
		value |= (guint32)hb_serial_read(chipset->serial, offset + i) << (8 * i);
	return value;
}

static void write_serial(gpointer opaque, guint offset, guint size, guint32 value)
{
	HbChipset *chipset = opaque;

	for (guint i = 0; i < size; i++)
		hb_serial_write(chipset->serial, offset + i, (guint8)(value >> (8 * i)));
}

static const HbPioOps serial_ports = { read_serial, write_serial };

static gboolean add_serial(HbChipset *chipset, const HbChardevOptions *options, GError **error)
{
	chipset->serial = hb_serial_create(&serial_ops, chipset);
	chipset->chardev = hb_chardev_open(options, "serial0", &chardev_ops, chipset, error);
	if (chipset->chardev == NULL) {
		g_prefix_error(error, "-serial: ");
		return FALSE;
	}
	hb_pio_add(chipset->pio, HB_LAYOUT_SERIAL, HB_SERIAL_PORTS, &serial_ports, chipset);
	return TRUE;
}

/* -- Power management. -- */

static void set_sci(gpointer opaque, gboolean level)
{
	HbChipset *chipset = opaque;

	hb_vm_set_irq(chipset->vm, HB_LAYOUT_SCI, level);
}

static void power_off(gpointer opaque)
{
	HbChipset *chipset = opaque;

	chipset->ops->power_off(chipset->opaque);
}

static gint64 get_time(gpointer opaque)
{
	return g_get_monotonic_time();
}

static const HbPmOps pm_ops = { .set_sci = set_sci, .power_off = power_off, .get_time = get_time };

static guint32 read_pm(gpointer opaque, guint offset, guint size)
{
	return hb_pm_read(((HbChipset *)opaque)->pm, offset, size);
}

static void write_pm(gpointer opaque, guint offset, guint size, guint32 value)
{
	hb_pm_write(((HbChipset *)opaque)->pm, offset, size, value);
}

static guint32 read_gpe0(gpointer opaque, guint offset, guint size)
{
	return hb_pm_read_gpe0(((HbChipset *)opaque)->pm, offset, size);
}

static void write_gpe0(gpointer opaque, guint offset, guint size, guint32 value)
{
	hb_pm_write_gpe0(((HbChipset *)opaque)->pm, offset, size, value);
}

static const HbPioOps pm_ports = { read_pm, write_pm };
static const HbPioOps gpe0_ports = { read_gpe0, write_gpe0 };

/* -- ACPI hot-plug. -- */

/* With the bus lock held: so it comes before the lock of power management. */
static void set_gpe(gpointer data, gboolean level)
{
	hb_pm_set_gpe(((HbChipset *)data)->pm, HB_ACPI_HOTPLUG_GPE, level);
}

static guint32 read_hotplug(gpointer opaque, guint offset, guint size)
{
	return hb_acpi_hotplug_read(((HbChipset *)opaque)->hotplug, offset, size);
}

static void write_hotplug(gpointer opaque, guint offset, guint size, guint32 value)
{
	hb_acpi_hotplug_write(((HbChipset *)opaque)->hotplug, offset, size, value);
}

static const HbPioOps hotplug_ports = { read_hotplug, write_hotplug };

HbAcpiHotplug *hb_chipset_add_hotplug(HbChipset *chipset, guint n_slots, GError **error)
{
	if (n_slots > HB_ACPI_HOTPLUG_MAX_SLOTS) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "%u slots in ACPI mode, but there can be %d: leave some out, or make "
			    "them native",
			    n_slots, HB_ACPI_HOTPLUG_MAX_SLOTS);
		return NULL;
	}
	chipset->hotplug = hb_acpi_hotplug_create(chipset->bridge, n_slots, set_gpe, chipset);
	hb_pio_add(chipset->pio, HB_LAYOUT_HOTPLUG, HB_ACPI_HOTPLUG_LENGTH(n_slots), &hotplug_ports,
		   chipset);
	return chipset->hotplug;
}

/* -- The ways to reset. -- */

static guint32 read_reset(gpointer opaque, guint offset, guint size)
{
	return (guint32)g_atomic_int_get(&((HbChipset *)opaque)->reset_control);
}

static void write_reset(gpointer opaque, guint offset, guint size, guint32 value)
{
	HbChipset *chipset = opaque;

	g_atomic_int_set(&chipset->reset_control, (gint)(value & 0xff));
	if (hb_pm_is_reset((guint8)value))
		chipset->ops->reset(chipset->opaque);
}

/* There is no keyboard controller, but old guests reset by it. */
static guint32 read_keyboard(gpointer opaque, guint offset, guint size)
{
	return G_MAXUINT32;
}

static void write_keyboard(gpointer opaque, guint offset, guint size, guint32 value)
{
	HbChipset *chipset = opaque;

	if (value == KEYBOARD_RESET)
		chipset->ops->reset(chipset->opaque);
}

static const HbPioOps reset_ports = { read_reset, write_reset };
static const HbPioOps keyboard_ports = { read_keyboard, write_keyboard };

/* -- The whole. -- */

static gboolean add_lpc(HbChipset *chipset, GError **error)
{
	HbPciFunction *lpc = hb_lpc_create();

	if (hb_host_bridge_add(chipset->bridge, HB_LPC_DEVFN, lpc, error))
		return TRUE;
	lpc->ops->release(lpc, NULL, NULL);
	return FALSE;
}

HbChipset *hb_chipset_create(const HbVm *vm, HbHostBridge *bridge, const HbChardevOptions *serial,
			     const HbChipsetOps *ops, gpointer opaque, GError **error)
{
	HbChipset *chipset = g_new0(HbChipset, 1);

	chipset->vm = vm;
	chipset->bridge = bridge;
	chipset->ops = ops;
	chipset->opaque = opaque;
	chipset->pio = hb_pio_create();
	chipset->pm = hb_pm_create(&pm_ops, chipset);
	if ((serial && !add_serial(chipset, serial, error)) || !add_lpc(chipset, error)) {
		hb_chipset_destroy(chipset);
		return NULL;
	}
	hb_pio_add(chipset->pio, HB_LAYOUT_PM, HB_PM_PORTS, &pm_ports, chipset);
	hb_pio_add(chipset->pio, HB_LAYOUT_GPE0, HB_PM_GPE0_PORTS, &gpe0_ports, chipset);
	hb_pio_add(chipset->pio, HB_PM_RESET_PORT, 1, &reset_ports, chipset);
	hb_pio_add(chipset->pio, HB_LAYOUT_KEYBOARD, 1, &keyboard_ports, chipset);
	return chipset;
}

void hb_chipset_destroy(HbChipset *chipset)
{
	if (chipset == NULL)
		return;
	hb_chardev_close(chipset->chardev);
	hb_serial_destroy(chipset->serial);
	hb_acpi_hotplug_destroy(chipset->hotplug);
	hb_pm_destroy(chipset->pm);
	hb_pio_destroy(chipset->pio);
	g_free(chipset);
}

void hb_chipset_reset(HbChipset *chipset)
{
	g_atomic_int_set(&chipset->reset_control, 0);
	hb_pm_reset(chipset->pm);
	if (chipset->serial) {
		hb_serial_reset(chipset->serial);
		hb_chardev_resume(chipset->chardev);
	}
}

void hb_chipset_press_power_button(HbChipset *chipset)
{
	hb_pm_press_power_button(chipset->pm);
}

void hb_chipset_pio(HbChipset *chipset, guint16 port, gpointer data, guint size, gboolean is_write)
{
	if (hb_pio_access(chipset->pio, port, data, size, is_write) ||
	    hb_host_bridge_pio(chipset->bridge, port, data, size, is_write) || is_write)
		return;
	memset(data, 0xff, size);
}

void hb_chipset_mmio(HbChipset *chipset, guint64 gpa, gpointer data, guint size, gboolean is_write)
{
	if (hb_host_bridge_mmio(chipset->bridge, gpa, data, size, is_write) || is_write)
		return;
	memset(data, 0xff, size);
}
