/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The pages of the MSI-X table and of the PBA are trapped. Where a drive has its table behind its
 * doorbells in the same page, each doorbell would be trapped too, and so each command of the guest
 * be two exits. So the guest is shown the table in another BAR, and the page is mapped as it is:
 *
 *	            the drive's BAR 0                      the guest's
 *	0x0000   | registers            |          BAR 0 | registers            |
 *	0x1000   | doorbells ..  table  |                | doorbells ..         | mapped
 *	                                           BAR 2 | table, PBA           | trapped
 *
 * Doorbells begin at 0x1000 of BAR 0 (NVMe r2.0 §3.1.3); how many there are the drive does not say,
 * so whatever lies in front of the table in a page from there on counts as doorbells.
 *
 * The drive's own table is then within the guest's reach. A guest that writes there anyway spoils
 * its own interrupts: what the host lets through is what its interrupt remapping has for this
 * drive, as for the messages that the drive could be made to write by DMA. That, and whether the
 * page may be mapped at all, is for the kernel to decide (VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, which
 * it says of the table's BAR). A page with the PBA alone may always be.
 */

#include "vfio/msix-place.h"

#include "vfio/interrupts.h"

#include <linux/pci_regs.h>

#define PAGE	  4096ull
#define DOORBELLS PAGE
#define UNUSED	  HB_BAR_COUNT

static gboolean is_in_page(const HbVfioTrap *trap, guint64 page)
{
	return trap->bar == 0 && trap->offset < page + PAGE && trap->offset + trap->size > page;
}

/* Does something else come first in @page than table and PBA? */
static gboolean has_doorbells(guint64 page, const HbVfioTrap *table, const HbVfioTrap *pba)
{
	guint64 first = page + PAGE;

	if (is_in_page(table, page))
		first = MIN(first, MAX(table->offset, page));
	if (is_in_page(pba, page))
		first = MIN(first, MAX(pba->offset, page));
	return page >= DOORBELLS && first > page && first < page + PAGE;
}

/* Only the first page of each can begin with something else. */
static gboolean is_among_doorbells(const HbVfioTrap *table, const HbVfioTrap *pba)
{
	return has_doorbells(table->offset & ~(PAGE - 1), table, pba) ||
	       has_doorbells(pba->offset & ~(PAGE - 1), table, pba);
}

static guint find_unused(const HbVfioBarInfo bars[HB_BAR_COUNT])
{
	for (guint i = 0; i < HB_BAR_COUNT; i += 1 + !!(bars[i].size && bars[i].is_64bit))
		if (bars[i].size == 0)
			return i;
	return UNUSED;
}

static gboolean may_be_mapped(const HbVfioTrap *table, const HbVfioBarInfo bars[HB_BAR_COUNT])
{
	return table->bar != 0 || bars[0].is_msix_mappable;
}

gboolean hb_vfio_msix_place(HbVfioConfig *config, const HbVfioBarInfo bars[HB_BAR_COUNT])
{
	HbVfioTrap table, pba;
	guint bar = find_unused(bars);

	if (!hb_vfio_interrupts_locate(config, &table, &pba) || !is_among_doorbells(&table, &pba) ||
	    !may_be_mapped(&table, bars) || bar == UNUSED)
		return FALSE;
	config->msix_bar = bar;
	config->msix_bar_size = PAGE;
	while (config->msix_bar_size < table.size + pba.size)
		config->msix_bar_size *= 2;
	hb_config_space_set_u32(&config->space, config->msix + PCI_MSIX_TABLE, bar);
	hb_config_space_set_u32(&config->space, config->msix + PCI_MSIX_PBA,
				(guint32)table.size | bar);
	return TRUE;
}

void hb_vfio_msix_place_describe(const HbVfioConfig *config, HbBars *bars)
{
	const HbBarDescription description = { .size = config->msix_bar_size };

	if (config->msix_bar_size)
		hb_bars_add(bars, config->msix_bar, &description);
}
