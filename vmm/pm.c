/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * ACPI's fixed hardware: the PM1a event and control blocks, the PM timer and GPE0, ACPI 6.5 §4.8.
 * The machine is always in ACPI mode (the FADT has no SMI command port), so SCI_EN reads one. The
 * only sleep state is S5, so any SLP_TYP with SLP_EN means it. The one fixed event is the power
 * button: the timer's own event stays off, as the guests that matter leave it. General-purpose
 * events have a level each: a source that is asserted sets its status again as soon as it is
 * cleared.
 *
 * All registers lie in one byte image per block: a byte of a status register is write-1-to-clear,
 * the others are plain; what a byte is, two small tables say.
 */

#include "vmm/pm.h"

#include <string.h>

enum {
	PM1_STATUS = 0,
	PM1_ENABLE = 2,
	PM1_CONTROL = 4,
	PM_TIMER = 8,
};

#define PM1_POWER_BUTTON 0x0100 /* PWRBTN_STS and PWRBTN_EN, §4.8.3.1 */
#define PM1_SCI_ENABLE	 0x0001 /* SCI_EN, §4.8.3.2 */
#define PM1_SLEEP_ENABLE 0x2000 /* SLP_EN: reads zero */
#define PM_TIMER_HZ	 3579545
#define RESET_CPU	 0x04 /* bit 2 of the Reset Control Register, ICH9 data sheet §13.7.5 */

/* Status bits that exist, enable bits that can be set, control bits that are kept. */
static const guint8 pm_writable[HB_PM_PORTS] = { [PM1_ENABLE] = 0x21,
						 [PM1_ENABLE + 1] = 0x07,
						 [PM1_CONTROL] = 0x02,
						 [PM1_CONTROL + 1] = 0x1c };
static const guint8 pm_write_1_clear[HB_PM_PORTS] = { [PM1_STATUS] = 0xff,
						      [PM1_STATUS + 1] = 0xff };

#define GPE0_ENABLE (HB_PM_GPE0_PORTS / 2)

struct HbPm {
	const HbPmOps *ops;
	gpointer opaque;
	GMutex lock; /* guards all below */
	guint8 pm[HB_PM_PORTS];
	guint8 gpe0[HB_PM_GPE0_PORTS];
	guint8 sources[GPE0_ENABLE]; /* that are asserted; not the guest's, so a reset keeps them */
	gboolean level;
};

static void update_sci(HbPm *pm)
{
	guint8 pending = 0;

	for (guint i = 0; i < 2; i++)
		pending |= pm->pm[PM1_STATUS + i] & pm->pm[PM1_ENABLE + i];
	for (guint i = 0; i < GPE0_ENABLE; i++) {
		pm->gpe0[i] |= pm->sources[i];
		pending |= pm->gpe0[i] & pm->gpe0[GPE0_ENABLE + i];
	}
	gboolean level = pending != 0;
	if (level == pm->level)
		return;
	pm->level = level;
	pm->ops->set_sci(pm->opaque, level);
}

static void set_defaults(HbPm *pm)
{
	memset(pm->pm, 0, sizeof(pm->pm));
	memset(pm->gpe0, 0, sizeof(pm->gpe0));
	pm->pm[PM1_CONTROL] = PM1_SCI_ENABLE;
}

HbPm *hb_pm_create(const HbPmOps *ops, gpointer opaque)
{
	HbPm *pm = g_new0(HbPm, 1);

	pm->ops = ops;
	pm->opaque = opaque;
	g_mutex_init(&pm->lock);
	set_defaults(pm);
	return pm;
}

void hb_pm_destroy(HbPm *pm)
{
	if (pm == NULL)
		return;
	g_mutex_clear(&pm->lock);
	g_free(pm);
}

void hb_pm_reset(HbPm *pm)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pm->lock);

	set_defaults(pm);
	update_sci(pm);
}

void hb_pm_press_power_button(HbPm *pm)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pm->lock);

	pm->pm[PM1_STATUS + 1] |= PM1_POWER_BUTTON >> 8;
	update_sci(pm);
}

void hb_pm_set_gpe(HbPm *pm, guint gpe, gboolean level)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pm->lock);
	guint8 bit = (guint8)(1u << gpe % 8);

	g_return_if_fail(gpe / 8 < GPE0_ENABLE);
	if (level)
		pm->sources[gpe / 8] |= bit;
	else
		pm->sources[gpe / 8] &= (guint8)~bit;
	update_sci(pm);
}

static guint32 read_timer(HbPm *pm)
{
	guint64 time = (guint64)pm->ops->get_time(pm->opaque);
	guint64 seconds = time / G_USEC_PER_SEC, rest = time % G_USEC_PER_SEC;

	/* 32 bits of it, as TMR_VAL_EXT in the FADT says. */
	return (guint32)(seconds * PM_TIMER_HZ + rest * PM_TIMER_HZ / G_USEC_PER_SEC);
}

static guint32 get_bytes(const guint8 *bytes, guint size)
{
	guint32 value = 0;

	for (guint i = 0; i < size; i++)
		value |= (guint32)bytes[i] << (8 * i);
	return value;
}

guint32 hb_pm_read(HbPm *pm, guint offset, guint size)
{
	if (offset + size > HB_PM_PORTS)
		return G_MAXUINT32;
	if (offset >= PM_TIMER) {
		/* A partial access reads its part of the moving value. */
		return read_timer(pm) >> (8 * (offset - PM_TIMER));
	}
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pm->lock);
	return get_bytes(&pm->pm[offset], size);
}

static void write_byte(guint8 *byte, guint8 value, guint8 writable, guint8 write_1_clear)
{
	*byte = (guint8)((*byte & ~writable) | (value & writable));
	*byte &= (guint8) ~(value & write_1_clear);
}

void hb_pm_write(HbPm *pm, guint offset, guint size, guint32 value)
{
	gboolean sleeps = FALSE;

	if (offset + size > PM_TIMER)
		return; /* the timer is read-only */
	g_mutex_lock(&pm->lock);
	for (guint i = 0; i < size; i++, offset++, value >>= 8) {
		write_byte(&pm->pm[offset], (guint8)value, pm_writable[offset],
			   pm_write_1_clear[offset]);
		if (offset == PM1_CONTROL + 1 && (value & (PM1_SLEEP_ENABLE >> 8)))
			sleeps = TRUE;
	}
	update_sci(pm);
	g_mutex_unlock(&pm->lock);
	if (sleeps)
		pm->ops->power_off(pm->opaque);
}

guint32 hb_pm_read_gpe0(HbPm *pm, guint offset, guint size)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pm->lock);

	return offset + size > HB_PM_GPE0_PORTS ? G_MAXUINT32 : get_bytes(&pm->gpe0[offset], size);
}

void hb_pm_write_gpe0(HbPm *pm, guint offset, guint size, guint32 value)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&pm->lock);

	if (offset + size > HB_PM_GPE0_PORTS)
		return;
	for (guint i = 0; i < size; i++, offset++, value >>= 8)
		write_byte(&pm->gpe0[offset], (guint8)value, offset >= GPE0_ENABLE ? 0xff : 0,
			   offset >= GPE0_ENABLE ? 0 : 0xff);
	update_sci(pm);
}

gboolean hb_pm_is_reset(guint8 value)
{
	return (value & RESET_CPU) != 0;
}
