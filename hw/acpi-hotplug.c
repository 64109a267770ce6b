/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The ACPI hot-plug controller: a few I/O ports between the methods of the DSDT and the slots.
 *
 *    slot --set_events--> [events of every slot] --any?--> GPE --> \_GPE._L01
 *                              ^                                      |
 *      step(STATUS_WRITTEN) ---'<---------- reads EVENT until zero ---'--> Notify
 *      step(CONTROL_WRITTEN) <--- writes slot's register: _EJ0, _OST;  STAGE: _INI, _OSC
 *      is_present() ------------> slot's register: _STA
 *
 * Each register stands for one slot, so no method selects a slot first and none needs a mutex.
 * Reading EVENT takes the event away, so a guest that reads until zero is done however often it is
 * interrupted, and the GPE falls: it cannot storm. The slots decide what any of it means; here is
 * nothing that a guest could bring out of step.
 *
 * EJECT goes before CHECK: who has been told to let go need not look first, and a guest that looks
 * after it has let go sees what came since.
 *
 * Threads: guest accesses come on any thread and take the bus lock, which guards everything. The
 * embedder and each slot hold a reference, since the one may go before the others.
 */

#include "hw/acpi-hotplug.h"

#include "hw/acpi-slot.h"
#include "hw/host-bridge.h"

#include <hotbay/error.h>

#define STA_WORKING 0x0f /* present, enabled, shown, functioning: ACPI r6.5 §6.3.7 */
#define REGISTER    4	 /* bytes */

_Static_assert(HB_ACPI_HOTPLUG_MAX_SLOTS <= 1 << 8, "EVENT has 8 bits for the slot's index");

typedef struct Slot {
	const HbAcpiHotplugSlotOps *ops; /* (nullable): NULL: there is no such slot */
	gpointer slot;
	guint8 events;
} Slot;

struct HbAcpiHotplug {
	gatomicrefcount references;
	HbHostBridge *bridge;

	/* All below is guarded by the bus lock. */
	HbAcpiHotplugSetGpe set_gpe; /* (nullable): NULL once destroyed */
	gpointer data;
	gboolean level; /* of the GPE */
	guint n_slots;
	Slot slots[HB_ACPI_HOTPLUG_MAX_SLOTS];
};

static void unref(HbAcpiHotplug *hotplug)
{
	if (g_atomic_ref_count_dec(&hotplug->references))
		g_free(hotplug);
}

HbAcpiHotplug *hb_acpi_hotplug_create(HbHostBridge *bridge, guint n_slots,
				      HbAcpiHotplugSetGpe set_gpe, gpointer data)
{
	g_return_val_if_fail(n_slots && n_slots <= HB_ACPI_HOTPLUG_MAX_SLOTS, NULL);

	HbAcpiHotplug *hotplug = g_new0(HbAcpiHotplug, 1);

	g_atomic_ref_count_init(&hotplug->references);
	hotplug->bridge = bridge;
	hotplug->n_slots = n_slots;
	hotplug->set_gpe = set_gpe;
	hotplug->data = data;
	return hotplug;
}

void hb_acpi_hotplug_destroy(HbAcpiHotplug *hotplug)
{
	if (hotplug == NULL)
		return;
	hb_host_bridge_lock(hotplug->bridge);
	hotplug->set_gpe = NULL;
	hb_host_bridge_unlock(hotplug->bridge);
	unref(hotplug);
}

/* The slots' side. */

gboolean hb_acpi_hotplug_add(HbAcpiHotplug *hotplug, guint index, const HbAcpiHotplugSlotOps *ops,
			     gpointer slot, GError **error)
{
	if (index >= hotplug->n_slots) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "the ACPI hot-plug controller has no slot %u: it was created for %u",
			    index, hotplug->n_slots);
		return FALSE;
	}
	if (hotplug->slots[index].ops) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "slot %u of the ACPI hot-plug controller is taken: give each port its "
			    "own",
			    index);
		return FALSE;
	}
	hotplug->slots[index] = (Slot){ .ops = ops, .slot = slot };
	g_atomic_ref_count_inc(&hotplug->references);
	return TRUE;
}

static const Slot *find_news(const HbAcpiHotplug *hotplug)
{
	for (guint i = 0; i < hotplug->n_slots; i++) {
		if (hotplug->slots[i].events)
			return &hotplug->slots[i];
	}
	return NULL;
}

static void update_gpe(HbAcpiHotplug *hotplug)
{
	gboolean level = find_news(hotplug) != NULL;

	if (level == hotplug->level)
		return;
	hotplug->level = level;
	if (hotplug->set_gpe)
		hotplug->set_gpe(hotplug->data, level);
}

void hb_acpi_hotplug_remove(HbAcpiHotplug *hotplug, guint index)
{
	hotplug->slots[index] = (Slot){ 0 };
	update_gpe(hotplug);
	unref(hotplug);
}

void hb_acpi_hotplug_set_events(HbAcpiHotplug *hotplug, guint index, guint8 events)
{
	hotplug->slots[index].events = events;
	update_gpe(hotplug);
}

/* The guest's side. */

static guint32 take_event(HbAcpiHotplug *hotplug)
{
	const Slot *slot = find_news(hotplug);

	if (slot == NULL)
		return HB_ACPI_HOTPLUG_NONE;
	gboolean eject = !!(slot->events & HB_ACPI_SLOT_EJECT);
	guint32 news = eject ? HB_ACPI_HOTPLUG_EJECT : HB_ACPI_HOTPLUG_CHECK;

	slot->ops->step(slot->slot, HB_SLOT_INPUT_STATUS_WRITTEN,
			eject ? HB_ACPI_SLOT_EJECT : HB_ACPI_SLOT_CHECK);
	return (guint32)(slot - hotplug->slots) << 8 | news;
}

/* (nullable): whose register that is */
static const Slot *find_slot(const HbAcpiHotplug *hotplug, guint offset)
{
	guint index = (offset - HB_ACPI_HOTPLUG_SLOTS) / REGISTER;

	if (offset < HB_ACPI_HOTPLUG_SLOTS || index >= hotplug->n_slots)
		return NULL;
	return hotplug->slots[index].ops ? &hotplug->slots[index] : NULL;
}

static gboolean is_register(guint offset, guint size)
{
	return size == REGISTER && offset % REGISTER == 0;
}

guint32 hb_acpi_hotplug_read(HbAcpiHotplug *hotplug, guint offset, guint size)
{
	guint32 value = 0;

	if (!is_register(offset, size))
		return G_MAXUINT32;
	hb_host_bridge_lock(hotplug->bridge);
	const Slot *slot = find_slot(hotplug, offset);
	if (slot)
		value = slot->ops->is_present(slot->slot) ? STA_WORKING : 0;
	else if (offset == HB_ACPI_HOTPLUG_EVENT)
		value = take_event(hotplug);
	hb_host_bridge_unlock(hotplug->bridge);
	return value;
}

static void give_command(const Slot *slot, HbAcpiSlotCommand command)
{
	slot->ops->step(slot->slot, HB_SLOT_INPUT_CONTROL_WRITTEN, command);
}

static void write_slot(const Slot *slot, guint32 value)
{
	guint command = value & 0xff;

	if (command == HB_ACPI_HOTPLUG_EJ0)
		give_command(slot, HB_ACPI_SLOT_EJ0);
	else if (command == HB_ACPI_HOTPLUG_OST &&
		 hb_acpi_slot_is_denial(value >> 16, value >> 8 & 0xff))
		give_command(slot, HB_ACPI_SLOT_DENY);
}

static void give_command_to_all(HbAcpiHotplug *hotplug, HbAcpiSlotCommand command)
{
	for (guint i = 0; i < hotplug->n_slots; i++) {
		if (hotplug->slots[i].ops)
			give_command(&hotplug->slots[i], command);
	}
}

void hb_acpi_hotplug_write(HbAcpiHotplug *hotplug, guint offset, guint size, guint32 value)
{
	if (!is_register(offset, size))
		return;
	hb_host_bridge_lock(hotplug->bridge);
	const Slot *slot = find_slot(hotplug, offset);
	if (slot)
		write_slot(slot, value);
	else if (offset == HB_ACPI_HOTPLUG_STAGE)
		give_command_to_all(hotplug, value == HB_ACPI_HOTPLUG_READY ? HB_ACPI_SLOT_START
									    : HB_ACPI_SLOT_STOP);
	hb_host_bridge_unlock(hotplug->bridge);
}
