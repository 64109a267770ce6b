/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * ACPI hot-plug, between the operating system and the I/O ports of the controller
 * (include/hotbay/acpi-hotplug.h). In ASL, for slot 0 with number 1, below the root port 00:04.0:
 *
 *	Device (\_SB.HBHP)
 *	{
 *		Name (_HID, EisaId ("PNP0C02"))
 *		Name (_UID, "hotbay")
 *		Name (_CRS, ...)                                 its ports
 *		OperationRegion (HPIO, SystemIO, ...)
 *		Field (HPIO, DWordAcc, NoLock, WriteAsZeros) { HEVT, 32, HSTG, 32, S000, 32, ... }
 *		Method (_INI) { HSTG = LOADED }
 *		Method (REDY) { HSTG = READY }                   called by _OSC
 *		Method (HNOT, 2)                                 slot, news
 *		{
 *			If (Arg0 == Zero)
 *			{
 *				If (Arg1 == EJECT) { Notify (\_SB.PCI0.RP20.SLOT, 0x03) }
 *				Else { Notify (\_SB.PCI0.RP20, Zero) }
 *			}
 *			...
 *		}
 *		Method (NEWS)                                    called by the event
 *		{
 *			Local0 = HEVT
 *			While (Local0)
 *			{
 *				HNOT (Local0 >> 0x08, Local0 & 0xFF)
 *				Local0 = HEVT
 *			}
 *		}
 *	}
 *	Method (\_GPE._L01) { \_SB.HBHP.NEWS () }
 *
 * and in the device for what sits in the slot, \_SB.PCI0.RP20.SLOT:
 *
 *	Method (_STA) { Return (\_SB.HBHP.S000) }
 *	Method (_EJ0, 1) { \_SB.HBHP.S000 = EJ0 }
 *	Method (_OST, 3) { \_SB.HBHP.S000 = Arg0 << 16 | (Arg1 & 255) << 8 | OST }
 *
 * The controller is a device of its own, beside the host bridge: in there its names are in nobody's
 * way, and the bridge may have an _INI. Its ports are not among those that the bridge passes on.
 *
 * A look at a slot is a Bus Check of its root port (ACPI r6.5 §5.6.6). A Device Check of the slot
 * would find who came, but in Linux not who went: acpiphp looks further only if it finds a new
 * device (drivers/pci/hotplug/acpiphp_glue.c, 6.1, hotplug_event()).
 *
 * The event is level-triggered, so the operating system clears it after the method, and what comes
 * in between asserts it again. Each register belongs to one slot and each access is one port's
 * access, so there is nothing for a mutex to keep together.
 *
 * _INI runs once in every operating system that starts (ACPI r6.5 §6.5.1), also after a kexec, and
 * before any device is known. _OSC is called when all are known and PCI is about to be enumerated,
 * in Linux under the lock that hot-plug takes first. So from _OSC on, no notification is lost.
 *
 * The slots' devices have no _PS0 or _PS3. With either, Linux would take the drive for one whose
 * power the platform manages, and put it to sleep.
 */

#include "acpi/pci-hotplug.h"

#include "acpi/aml.h"
#include "acpi/resource.h"
#include "acpi/tables.h"

#define NOTIFY_BUS_CHECK     0 /* ACPI r6.5 §5.6.6 */
#define NOTIFY_EJECT_REQUEST 3

#define MAX_IO_LENGTH 128 /* of one descriptor: a byte, and a multiple of 4 */

#define CONTROLLER "HBHP"
#define REGION	   "HPIO"
#define EVENT	   "HEVT"
#define STAGE	   "HSTG"
#define NOTICE	   "HNOT"
#define NEWS	   "NEWS"
#define READY	   "REDY"

guint hb_pci_hotplug_get_length(const HbAcpiSsdt *ssdt)
{
	guint n_slots = 0;

	if (ssdt->hotplug_base == 0)
		return 0;
	for (guint i = 0; i < ssdt->n_slots; i++)
		n_slots = MAX(n_slots, ssdt->slots[i].index + 1);
	return HB_ACPI_HOTPLUG_LENGTH(n_slots);
}

static void append_resources(GByteArray *aml, const HbAcpiSsdt *ssdt)
{
	guint length = hb_pci_hotplug_get_length(ssdt);
	g_autoptr(GByteArray) descriptors = g_byte_array_new();

	for (guint done = 0; done < length; done += MAX_IO_LENGTH)
		hb_resource_append_io(descriptors, ssdt->hotplug_base + done,
				      MIN(length - done, MAX_IO_LENGTH));
	hb_aml_append_name(aml, "_HID");
	hb_aml_append_eisa_id(aml, "PNP0C02");
	hb_aml_append_name(aml, "_UID");
	hb_aml_append_string(aml, "hotbay");
	hb_aml_append_name(aml, "_CRS");
	hb_aml_append_template(aml, descriptors);
}

static void append_registers(GByteArray *aml, const HbAcpiSsdt *ssdt)
{
	guint length = hb_pci_hotplug_get_length(ssdt);

	hb_aml_append_io_region(aml, REGION, ssdt->hotplug_base, length);
	gsize field = hb_aml_begin_dword_field(aml, REGION);

	hb_aml_append_field_unit(aml, EVENT, 32);
	hb_aml_append_field_unit(aml, STAGE, 32);
	for (guint i = 0; HB_ACPI_HOTPLUG_LENGTH(i) < length; i++) {
		g_autofree char *name = g_strdup_printf("S%03X", i);

		hb_aml_append_field_unit(aml, name, 32);
	}
	hb_aml_end(aml, field);
}

static void append_stage_method(GByteArray *aml, const char *name, HbAcpiHotplugStage stage)
{
	gsize method = hb_aml_begin_method(aml, name, 0, FALSE);

	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_integer(aml, stage);
	hb_aml_append_path(aml, STAGE);
	hb_aml_end(aml, method);
}

static void append_sta(GByteArray *aml, const char *own)
{
	gsize method = hb_aml_begin_method(aml, "_STA", 0, FALSE);

	hb_aml_append_op(aml, HB_AML_RETURN);
	hb_aml_append_path(aml, own);
	hb_aml_end(aml, method);
}

static void append_ej0(GByteArray *aml, const char *own)
{
	gsize method = hb_aml_begin_method(aml, "_EJ0", 1, FALSE);

	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_integer(aml, HB_ACPI_HOTPLUG_EJ0);
	hb_aml_append_path(aml, own);
	hb_aml_end(aml, method);
}

/* (argument & mask) << shift, to be an operand */
static void append_shifted(GByteArray *aml, guint argument, guint mask, guint shift)
{
	hb_aml_append_op(aml, HB_AML_SHIFT_LEFT);
	hb_aml_append_op(aml, HB_AML_AND);
	hb_aml_append_arg(aml, argument);
	hb_aml_append_integer(aml, mask);
	hb_aml_append_path(aml, ""); /* no target */
	hb_aml_append_integer(aml, shift);
	hb_aml_append_path(aml, "");
}

/* The device's name for its register comes last, as the target of the outer Or. */
static void append_ost(GByteArray *aml, const char *own)
{
	gsize method = hb_aml_begin_method(aml, "_OST", 3, FALSE);

	hb_aml_append_op(aml, HB_AML_OR);
	hb_aml_append_op(aml, HB_AML_OR);
	append_shifted(aml, 0, 0xffff, 16);
	append_shifted(aml, 1, 0xff, 8);
	hb_aml_append_path(aml, "");
	hb_aml_append_integer(aml, HB_ACPI_HOTPLUG_OST);
	hb_aml_append_path(aml, own);
	hb_aml_end(aml, method);
}

void hb_pci_hotplug_append_methods(GByteArray *aml, const HbAcpiSlot *slot)
{
	g_autofree char *own = g_strdup_printf("\\_SB." CONTROLLER ".S%03X", slot->index);

	append_sta(aml, own);
	append_ej0(aml, own);
	append_ost(aml, own);
}

static void append_if_arg(GByteArray *aml, guint argument, guint value)
{
	hb_aml_append_op(aml, HB_AML_LEQUAL);
	hb_aml_append_arg(aml, argument);
	hb_aml_append_integer(aml, value);
}

static void append_notify(GByteArray *aml, const char *path, guint value)
{
	hb_aml_append_op(aml, HB_AML_NOTIFY);
	hb_aml_append_path(aml, path);
	hb_aml_append_integer(aml, value);
}

static void append_slot_notice(GByteArray *aml, const char *bridge, const HbAcpiSlot *slot)
{
	g_autofree char *port = g_strdup_printf("%s." HB_SSDT_PORT, bridge, slot->devfn);
	g_autofree char *occupant = g_strconcat(port, "." HB_SSDT_OCCUPANT, NULL);
	gsize match = hb_aml_begin_if(aml);

	append_if_arg(aml, 0, slot->index);
	gsize eject = hb_aml_begin_if(aml);

	append_if_arg(aml, 1, HB_ACPI_HOTPLUG_EJECT);
	append_notify(aml, occupant, NOTIFY_EJECT_REQUEST);
	hb_aml_end(aml, eject);
	gsize check = hb_aml_begin_else(aml);

	append_notify(aml, port, NOTIFY_BUS_CHECK);
	hb_aml_end(aml, check);
	hb_aml_end(aml, match);
}

static void append_notice(GByteArray *aml, const HbAcpiSsdt *ssdt)
{
	gsize method = hb_aml_begin_method(aml, NOTICE, 2, FALSE);

	for (guint i = 0; i < ssdt->n_slots; i++)
		append_slot_notice(aml, ssdt->bridge, &ssdt->slots[i]);
	hb_aml_end(aml, method);
}

/* Local0 = the next event */
static void append_next_event(GByteArray *aml)
{
	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_path(aml, EVENT);
	hb_aml_append_local(aml, 0);
}

static void append_news(GByteArray *aml)
{
	gsize method = hb_aml_begin_method(aml, NEWS, 0, FALSE);

	append_next_event(aml);
	gsize loop = hb_aml_begin_while(aml);

	hb_aml_append_local(aml, 0);
	hb_aml_append_path(aml, NOTICE); /* a call: its arguments follow */
	hb_aml_append_op(aml, HB_AML_SHIFT_RIGHT);
	hb_aml_append_local(aml, 0);
	hb_aml_append_integer(aml, 8);
	hb_aml_append_path(aml, "");
	hb_aml_append_op(aml, HB_AML_AND);
	hb_aml_append_local(aml, 0);
	hb_aml_append_integer(aml, 0xff);
	hb_aml_append_path(aml, "");
	append_next_event(aml);
	hb_aml_end(aml, loop);
	hb_aml_end(aml, method);
}

void hb_pci_hotplug_append(GByteArray *aml, const HbAcpiSsdt *ssdt)
{
	gsize scope = hb_aml_begin_scope(aml, "\\_SB");
	gsize device = hb_aml_begin_device(aml, CONTROLLER);

	append_resources(aml, ssdt);
	append_registers(aml, ssdt);
	append_stage_method(aml, "_INI", HB_ACPI_HOTPLUG_LOADED);
	append_stage_method(aml, READY, HB_ACPI_HOTPLUG_READY);
	append_notice(aml, ssdt);
	append_news(aml);
	hb_aml_end(aml, device);
	hb_aml_end(aml, scope);
}

void hb_pci_hotplug_append_gpe(GByteArray *aml, guint gpe)
{
	g_autofree char *name = g_strdup_printf("_L%02X", gpe);
	gsize scope = hb_aml_begin_scope(aml, "\\_GPE");
	gsize method = hb_aml_begin_method(aml, name, 0, FALSE);

	hb_aml_append_path(aml, HB_ACPI_NEWS_METHOD); /* a call */
	hb_aml_end(aml, method);
	hb_aml_end(aml, scope);
}
