/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * PCI addresses as people and sysfs write them: domain:bus:device.function, all hexadecimal, the
 * domain optional. Each field may be shorter than its full width but not longer, and nothing may
 * stand before, between or after: a mistyped address must not name another drive.
 */

#include <hotbay/error.h>
#include <hotbay/pci.h>

#include <stdio.h>

/* Reads one to @max_digits hexadecimal digits and moves @text past them. */
static gboolean parse_field(const char **text, guint max_digits, guint max, guint *value)
{
	guint n = 0;

	*value = 0;
	while (n < max_digits && g_ascii_isxdigit(**text)) {
		*value = *value << 4 | (guint)g_ascii_xdigit_value(**text);
		(*text)++;
		n++;
	}
	return n > 0 && *value <= max;
}

static gboolean parse_char(const char **text, char expected)
{
	return *(*text)++ == expected;
}

static gboolean parse_bus_device_function(const char *text, HbPciAddress *address)
{
	guint bus, device, function;

	if (!parse_field(&text, 2, 0xff, &bus) || !parse_char(&text, ':') ||
	    !parse_field(&text, 2, 0x1f, &device) || !parse_char(&text, '.') ||
	    !parse_field(&text, 1, 7, &function) || *text)
		return FALSE;
	address->bus = (guint8)bus;
	address->devfn = HB_PCI_DEVFN(device, function);
	return TRUE;
}

gboolean hb_pci_address_parse(const char *text, HbPciAddress *address, GError **error)
{
	const char *rest = text;
	HbPciAddress parsed = { 0 };
	guint domain;

	if (parse_bus_device_function(text, &parsed)) {
		*address = parsed;
		return TRUE;
	}
	if (parse_field(&rest, 4, 0xffff, &domain) && parse_char(&rest, ':') &&
	    parse_bus_device_function(rest, &parsed)) {
		parsed.domain = (guint16)domain;
		*address = parsed;
		return TRUE;
	}
	g_set_error(
		error, HB_ERROR, HB_ERROR_INVALID,
		"'%s' is no PCI address: write it like 0000:01:00.0 or 01:00.0, as lspci -D does",
		text);
	return FALSE;
}

const char *hb_pci_address_format(const HbPciAddress *address, char buffer[HB_PCI_ADDRESS_STRLEN])
{
	snprintf(buffer, HB_PCI_ADDRESS_STRLEN, "%04x:%02x:%02x.%x", address->domain, address->bus,
		 HB_PCI_DEVICE(address->devfn), HB_PCI_FUNCTION(address->devfn));
	return buffer;
}
