/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_PM_H
#define VMM_PM_H

#include <glib.h>

/* The register blocks' lengths, in I/O ports. */
#define HB_PM_PORTS	 12 /* PM1a event 4, PM1a control 2, 2 unused, timer 4 */
#define HB_PM_GPE0_PORTS 16

/**
 * HbPmOps:
 * @set_sci: the System Control Interrupt's line; called when it changes, with the lock held
 * @power_off: the guest has entered S5. Without the lock.
 * @get_time: microseconds that never go back
 */
typedef struct HbPmOps {
	void (*set_sci)(gpointer opaque, gboolean level);
	void (*power_off)(gpointer opaque);
	gint64 (*get_time)(gpointer opaque);
} HbPmOps;

/** HbPm: ACPI's fixed hardware (ACPI 6.5 §4.8). Any thread may call anything here. */
typedef struct HbPm HbPm;

HbPm *hb_pm_create(const HbPmOps *ops, gpointer opaque);
void hb_pm_destroy(HbPm *pm);
void hb_pm_reset(HbPm *pm);

/** hb_pm_press_power_button: raises the SCI if the guest has enabled the button's event. */
void hb_pm_press_power_button(HbPm *pm);

/**
 * hb_pm_set_gpe:
 * @gpe: of GPE0, below 4 * %HB_PM_GPE0_PORTS
 * @level: whether its source is asserted. While it is, the status bit reads one, whatever the guest
 *   writes (ACPI 6.5 §5.6.4, level-triggered events).
 */
void hb_pm_set_gpe(HbPm *pm, guint gpe, gboolean level);

/** hb_pm_read, hb_pm_write: @size 1, 2 or 4 bytes at @offset of the PM block. */
guint32 hb_pm_read(HbPm *pm, guint offset, guint size);
void hb_pm_write(HbPm *pm, guint offset, guint size, guint32 value);

/** hb_pm_read_gpe0, hb_pm_write_gpe0: likewise of the GPE0 block. */
guint32 hb_pm_read_gpe0(HbPm *pm, guint offset, guint size);
void hb_pm_write_gpe0(HbPm *pm, guint offset, guint size, guint32 value);

/** HB_PM_RESET_PORT: Q35's Reset Control Register. */
#define HB_PM_RESET_PORT 0xcf9

/** HB_PM_RESET_VALUE: what the FADT tells the guest to write there. */
#define HB_PM_RESET_VALUE 0x0f

/** hb_pm_is_reset: Returns: whether this write to the Reset Control Register resets the machine. */
gboolean hb_pm_is_reset(guint8 value);

#endif
