/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_QUERY_PCI_H
#define VMM_QUERY_PCI_H

#include <hotbay/pci.h>
#include <json-glib/json-glib.h>

#define HB_QUERY_PCI_BARS 6

/** HbQueryPciKnown: what the configuration space of a function does not say. All zero: nothing. */
typedef struct HbQueryPciKnown {
	const char *id;		  /* the operator's name for it; NULL: none */
	const guint64 *bar_sizes; /* HB_QUERY_PCI_BARS of them, in bytes; NULL: not known */
} HbQueryPciKnown;

/** HbQueryPciSource: where query-pci looks. */
typedef struct HbQueryPciSource {
	/* What the guest would read: @size 1, 2 or 4; all-ones where nothing is. */
	guint32 (*read)(guint8 bus, guint8 devfn, guint offset, guint size, gpointer opaque);
	/* Called for functions that are there; @known is all zero. */
	void (*describe)(guint8 bus, guint8 devfn, HbQueryPciKnown *known, gpointer opaque);
} HbQueryPciSource;

/**
 * hb_query_pci_list:
 *
 * Looks at the functions as the guest sees them, from bus 0 down, without a write. Any thread that
 * @source can take.
 *
 * Returns: (transfer full): QEMU's list of PciInfo
 */
JsonNode *hb_query_pci_list(const HbQueryPciSource *source, gpointer opaque);

/**
 * hb_query_pci_measure:
 * @function: not plugged yet: it is written to
 * @sizes: (out): bytes of each BAR; 0 where there is none, and for the upper half of a 64-bit one
 *
 * Sizes BARs as firmware does (PCI r3.0 §6.2.5.1). Once it is plugged they belong to the guest.
 */
void hb_query_pci_measure(HbPciFunction *function, guint64 sizes[HB_QUERY_PCI_BARS]);

#endif
