/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What devices and their places are called. */

#include "options/names.h"

#include <hotbay/error.h>
#include <hotbay/options.h>
#include <hotbay/pci.h>

#include <string.h>

/* QEMU's rule for ids: a letter, then letters, digits and "-._". And "bus=" must mean one bus. */
gboolean hb_names_check_id(const char *id, GError **error)
{
	if (g_str_equal(id, HB_ROOT_BUS)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Parameter 'id' is '" HB_ROOT_BUS "', which is bus 0: use another");
		return FALSE;
	}
	if (g_ascii_isalpha(id[0]) &&
	    strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == strlen(id))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "Parameter 'id' expects an identifier, not '%s': use letters, digits, '-', '.' "
		    "and '_', with a letter first",
		    id);
	return FALSE;
}

/* "4", "4.0", "0x4.0x0": device and function, both hexadecimal as everywhere in PCI. */
gboolean hb_names_parse_devfn(const char *text, guint8 *devfn, GError **error)
{
	guint64 numbers[2] = { 0, 0 };
	g_auto(GStrv) words = g_strsplit(text, ".", 3);
	guint n = g_strv_length(words);
	gboolean good = n == 1 || n == 2;

	for (guint i = 0; good && i < n; i++) {
		const char *digits = words[i] + (g_str_has_prefix(words[i], "0x") ? 2 : 0);

		good = g_ascii_string_to_unsigned(digits, 16, 0, i ? 7 : 0x1f, &numbers[i], NULL);
	}
	if (!good) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Parameter 'addr' expects DEVICE or DEVICE.FUNCTION in hexadecimal, up "
			    "to 1f.7, not '%s'",
			    text);
		return FALSE;
	}
	*devfn = HB_PCI_DEVFN(numbers[0], numbers[1]);
	return TRUE;
}
