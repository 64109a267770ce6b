/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The host bridge's _OSC (PCI Firmware r3.3 §4.5.1): the operating system says what it supports and
 * asks for control of PCI Express features; the answer is what it gets. In ASL:
 *
 *	Name (HBCT, Zero)
 *	Method (_OSC, 4, Serialized)
 *	{
 *		CreateDWordField (Arg3, Zero, CDW1)
 *		If (Arg0 == ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766"))
 *		{
 *			CreateDWordField (Arg3, 0x08, CDW3)
 *			\_SB.HBHP.REDY ()                      with an ACPI hot-plug controller only
 *			If (!(Arg1 == One))
 *			{
 *				CDW1 = CDW1 | 0x08             unrecognised revision,
 *				CDW3 = Zero                    so nothing is granted
 *				Return (Arg3)
 *			}
 *			Local0 = CDW3 & GRANTABLE
 *			If (!(Local0 == CDW3))
 *			{
 *				CDW1 = CDW1 | 0x10             capabilities masked
 *			}
 *			CDW3 = Local0
 *			If (!(CDW1 & One))                     not just a query:
 *			{
 *				HBCT = Local0                  the guest controls this now
 *			}
 *			Return (Arg3)
 *		}
 *		CDW1 = CDW1 | 0x04                             unrecognised UUID
 *		Return (Arg3)
 *	}
 *
 * Grantable are power management events, advanced error reporting and the PCI Express capability
 * structure, and native hot-plug where the slots are native. Windows takes them as a set or not at
 * all. Never SHPC (there is none), LTR (passed-through drives see no link), or downstream port
 * containment: a drive that leaves is told by its slot, and Linux 6.1 would first try to recover
 * the link for seconds (drivers/pci/pcie/dpc.c).
 */

#include "acpi/aml.h"
#include "acpi/tables.h"

#define PCI_HOST_BRIDGE_UUID "33db4d5b-1ff7-401c-9657-7441c03dd766"

/* Capabilities DWORD 1, ACPI r6.5 §6.2.11 */
#define QUERY_SUPPORT	      (1u << 0)
#define UNRECOGNISED_UUID     (1u << 2)
#define UNRECOGNISED_REVISION (1u << 3)
#define CAPABILITIES_MASKED   (1u << 4)

static void append_create_dword_field(GByteArray *aml, guint offset, const char *name)
{
	hb_aml_append_op(aml, HB_AML_CREATE_DWORD_FIELD);
	hb_aml_append_arg(aml, 3);
	hb_aml_append_integer(aml, offset);
	hb_aml_append_path(aml, name);
}

static void append_return_arg3(GByteArray *aml)
{
	hb_aml_append_op(aml, HB_AML_RETURN);
	hb_aml_append_arg(aml, 3);
}

/* CDW1 = CDW1 | error */
static void append_error(GByteArray *aml, guint error)
{
	hb_aml_append_op(aml, HB_AML_OR);
	hb_aml_append_path(aml, "CDW1");
	hb_aml_append_integer(aml, error);
	hb_aml_append_path(aml, "CDW1");
}

static void append_revision_check(GByteArray *aml)
{
	gsize block = hb_aml_begin_if(aml);

	hb_aml_append_op(aml, HB_AML_LNOT);
	hb_aml_append_op(aml, HB_AML_LEQUAL);
	hb_aml_append_arg(aml, 1);
	hb_aml_append_integer(aml, 1);

	append_error(aml, UNRECOGNISED_REVISION);
	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_integer(aml, 0);
	hb_aml_append_path(aml, "CDW3");
	append_return_arg3(aml);
	hb_aml_end(aml, block);
}

/* Local0 = CDW3 & grantable, and say so if that is less than was asked for */
static void append_mask(GByteArray *aml, guint grantable)
{
	hb_aml_append_op(aml, HB_AML_AND);
	hb_aml_append_path(aml, "CDW3");
	hb_aml_append_integer(aml, grantable);
	hb_aml_append_local(aml, 0);

	gsize block = hb_aml_begin_if(aml);

	hb_aml_append_op(aml, HB_AML_LNOT);
	hb_aml_append_op(aml, HB_AML_LEQUAL);
	hb_aml_append_local(aml, 0);
	hb_aml_append_path(aml, "CDW3");
	append_error(aml, CAPABILITIES_MASKED);
	hb_aml_end(aml, block);

	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_local(aml, 0);
	hb_aml_append_path(aml, "CDW3");
}

static void append_commit(GByteArray *aml)
{
	gsize block = hb_aml_begin_if(aml);

	hb_aml_append_op(aml, HB_AML_LNOT);
	hb_aml_append_op(aml, HB_AML_AND);
	hb_aml_append_path(aml, "CDW1");
	hb_aml_append_integer(aml, QUERY_SUPPORT);
	hb_aml_append_path(aml, ""); /* no target */

	hb_aml_append_op(aml, HB_AML_STORE);
	hb_aml_append_local(aml, 0);
	hb_aml_append_path(aml, "HBCT");
	hb_aml_end(aml, block);
}

guint32 hb_acpi_grant_control(guint32 requested, gboolean native_hotplug)
{
	guint32 grantable = HB_ACPI_OSC_PME | HB_ACPI_OSC_AER | HB_ACPI_OSC_EXPRESS |
			    (native_hotplug ? HB_ACPI_OSC_HOTPLUG : 0);

	return requested & grantable;
}

void hb_osc_append(GByteArray *aml, const HbAcpiSsdt *ssdt)
{
	guint32 grantable = hb_acpi_grant_control(G_MAXUINT32, ssdt->native_hotplug);

	hb_aml_append_name(aml, "HBCT");
	hb_aml_append_integer(aml, 0);

	/* Serialized, since it creates names: a second caller would find them taken. */
	gsize method = hb_aml_begin_method(aml, "_OSC", 4, TRUE);

	append_create_dword_field(aml, 0, "CDW1");

	gsize recognised = hb_aml_begin_if(aml);

	hb_aml_append_op(aml, HB_AML_LEQUAL);
	hb_aml_append_arg(aml, 0);
	hb_aml_append_uuid(aml, PCI_HOST_BRIDGE_UUID);
	append_create_dword_field(aml, 8, "CDW3");
	if (ssdt->hotplug_base)
		hb_aml_append_path(aml, HB_ACPI_READY_METHOD); /* a call */
	append_revision_check(aml);
	append_mask(aml, grantable);
	append_commit(aml);
	append_return_arg3(aml);
	hb_aml_end(aml, recognised);

	append_error(aml, UNRECOGNISED_UUID);
	append_return_arg3(aml);
	hb_aml_end(aml, method);
}
