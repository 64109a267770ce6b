/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What /proc/interrupts says of a passed-through drive. A line there is
 *
 *      45:    123      0   IR-PCI-MSI 524288-edge      vfio-msix[0](0000:01:00.0)
 *
 * number, a count for each CPU, chip, and last the name that vfio-pci gave it
 * (drivers/vfio/pci/vfio_pci_intrs.c, Linux 6.1).
 */

#include "ctl/interrupts.h"

#include <string.h>

/* The counts between the colon and the first word that is no number. */
static guint64 add_counts(const char *line, const char *end)
{
	const char *at = strchr(line, ':');
	guint64 sum = 0;

	if (!at || at >= end)
		return 0;
	for (at++; at < end;) {
		char *after = NULL;
		guint64 count = g_ascii_strtoull(at, &after, 10);

		if (after == at || (*after != ' ' && *after != '\n'))
			break;
		sum += count;
		at = after;
	}
	return sum;
}

guint64 hb_interrupts_count(const char *text, const char *address)
{
	g_autofree char *name = g_strdup_printf("(%s)", address);
	guint64 sum = 0;

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');
		const char *found = g_strstr_len(line, end - line, name);

		if (found && g_strstr_len(line, end - line, "vfio-msi"))
			sum += add_counts(line, end);
		line = *end ? end + 1 : end;
	}
	return sum;
}
