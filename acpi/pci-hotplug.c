/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The methods of ACPI hot-plug, between the operating system and the I/O ports of the controller
 * (include/hotbay/acpi-hotplug.h). In ASL, for slot 0 with number 1, below the root port 00:04.0:
 *
 *	Scope (\_SB.PCI0)
 *	{
 *		OperationRegion (HPIO, SystemIO, ...)
 *		Field (HPIO, DWordAcc, NoLock, WriteAsZeros) { HEVT, 32, HSTG, 32, S000, 32, ... }
 *		Method (_INI) { HSTG = LOADED }                  and in _OSC: HSTG = READY
 *		Device (RP20)
 *		{
 *			Name (_ADR, 0x00040000)
 *			Device (SLOT)
 *			{
 *				Name (_ADR, Zero)
 *				Name (_SUN, One)
 *				Method (_STA) { Return (S000) }
 *				Method (_EJ0, 1) { S000 = EJ0 }
 *				Method (_OST, 3) { S000 = Arg0 << 16 | (Arg1 & 255) << 8 | OST }
 *			}
 *		}
 *		Method (HNOT, 2)                                 slot, news
 *		{
 *			If (Arg0 == Zero)
 *			{
 *				If (Arg1 == EJECT) { Notify (^RP20.SLOT, 0x03) }
 *				Else { Notify (RP20, Zero) }
 *			}
 *			...
 *		}
 *	}
 *	Method (\_GPE._L01)
 *	{
 *		Local0 = \_SB.PCI0.HEVT
 *		While (Local0)
 *		{
 *			\_SB.PCI0.HNOT (Local0 >> 0x08, Local0 & 0xFF)
 *			Local0 = \_SB.PCI0.HEVT
 *		}
 *	}
 *
 * A look at a slot is a Bus Check of its root port (ACPI r6.5 §5.6.6). A Device Check of the slot
 * would find who came, but in Linux not who went: acpiphp looks further only if it finds a new
 * device (drivers/pci/hotplug/acpiphp_glue.c, 6.1, hotplug_event()).
 *
 * The event is level-triggered, so the operating system clears it after the method, and what comes
 * in between asserts it again. Each register belongs to one slot and each access is one port's
 * access, so there is nothing for a mutex to keep together.
 *
 * _INI runs once in every operating system that starts (ACPI r6.5 §6.5.1), also after a kexec,
 *before any device is known. _OSC is called when all are known and PCI is about to be enumerated;
 *in Linux under the lock that hot-plug takes first. So from _OSC on, no notification is lost.
 *
 * The slots' devices have no _PS0 or _PS3. With either, Linux would take the drive for one whose
 * power the platform manages, and put it to sleep.
 */

#include "acpi/pci-hotplug.h"

#include "acpi/aml.h"

#define NOTIFY_BUS_CHECK     0 /* ACPI r6.5 §5.6.6 */
#define NOTIFY_EJECT_REQUEST 3

#define REGION "HPIO"
#define EVENT  "HEVT"
#define STAGE  HB_PCI_HOTPLUG_STAGE
#define NOTICE "HNOT"

guint hb_pci_hotplug_get_length(const HbAcpiMachine *machine)
{
	guint n_slots = 0;

	if (machine->hotplug_base == 0)
		return 0;
	for (guint i = 0; i < machine->n_slots; i++)
		n_slots = MAX(n_slots, machine->slots[i].index + 1);
	return HB_ACPI_HOTPLUG_LENGTH(n_slots);
}

static char *name_register(guint index)
{
	return g_strdup_printf("S%03X", index);
}

static char *name_port(const HbAcpiSlot *slot)
{
	return g_strdup_printf("RP%02X", slot->devfn);
}

static void append_registers(GByteArray *aml, const HbAcpiMachine *machine)
{
	guint length = hb_pci_hotplug_get_length(machine);

	hb_aml_append_io_region(aml, REGION, machine->hotplug_base, length);
	gsize field = hb_aml_begin_dword_field(aml, REGION);

	hb_aml_append_field_unit(aml, EVENT, 32);
	hb_aml_append_field_unit(aml, STAGE, 32);
	for (guint i = 0; HB_ACPI_HOTPLUG_LENGTH(i) < length; i++) {
		g_autofree char *name = name_register(i);

		hb_aml_append_field_unit(aml, name, 32);
	}
	hb_aml_end(aml, field);
}

static void append_ini(GByteArray *aml)
{
	gsize method = hb_aml_begin_method(aml, "_INI", 0, FALSE);

	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_integer(aml, HB_ACPI_HOTPLUG_LOADED);
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

static void append_slot(GByteArray *aml, const HbAcpiSlot *slot)
{
	g_autofree char *name = name_port(slot);
	g_autofree char *own = name_register(slot->index);
	gsize port = hb_aml_begin_device(aml, name);

	hb_aml_append_adr(aml, slot->devfn);

	gsize occupant = hb_aml_begin_device(aml, "SLOT");

	hb_aml_append_adr(aml, 0);
	hb_aml_append_name(aml, "_SUN");
	hb_aml_append_integer(aml, slot->number);
	append_sta(aml, own);
	append_ej0(aml, own);
	append_ost(aml, own);
	hb_aml_end(aml, occupant);
	hb_aml_end(aml, port);
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

static void append_slot_notice(GByteArray *aml, const HbAcpiSlot *slot)
{
	g_autofree char *port = name_port(slot);
	g_autofree char *occupant = g_strconcat("^", port, ".SLOT", NULL);
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

static void append_notice(GByteArray *aml, const HbAcpiMachine *machine)
{
	gsize method = hb_aml_begin_method(aml, NOTICE, 2, FALSE);

	for (guint i = 0; i < machine->n_slots; i++)
		append_slot_notice(aml, &machine->slots[i]);
	hb_aml_end(aml, method);
}

void hb_pci_hotplug_append(GByteArray *aml, const HbAcpiMachine *machine)
{
	append_registers(aml, machine);
	append_ini(aml);
	for (guint i = 0; i < machine->n_slots; i++)
		append_slot(aml, &machine->slots[i]);
	append_notice(aml, machine);
}

/* Local0 = the next event */
static void append_next_event(GByteArray *aml)
{
	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_path(aml, "\\_SB.PCI0." EVENT);
	hb_aml_append_local(aml, 0);
}

void hb_pci_hotplug_append_gpe(GByteArray *aml, const HbAcpiMachine *machine)
{
	g_autofree char *name = g_strdup_printf("_L%02X", HB_ACPI_HOTPLUG_GPE);
	gsize scope = hb_aml_begin_scope(aml, "\\_GPE");
	gsize method = hb_aml_begin_method(aml, name, 0, FALSE);

	append_next_event(aml);
	gsize loop = hb_aml_begin_while(aml);

	hb_aml_append_local(aml, 0);
	hb_aml_append_path(aml, "\\_SB.PCI0." NOTICE); /* a call: its arguments follow */
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
	hb_aml_end(aml, scope);
}
