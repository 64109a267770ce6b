/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#include <hotbay/pci.h>

/* Guest physical memory: Q35's, without what is not there. */
#define HB_LAYOUT_TABLES      0x000e0000U /* ACPI's, where a guest may look for RSDP */
#define HB_LAYOUT_TABLES_SIZE 0x00020000U
#define HB_LAYOUT_LOW_LIMIT   0x80000000U /* RAM lies below it, the rest from 4 GiB on */
#define HB_LAYOUT_ECAM	      0xb0000000U
#define HB_LAYOUT_ECAM_LIMIT  0x10000000U /* the room for it, 256 buses */
#define HB_LAYOUT_MEM32	      0xc0000000U
#define HB_LAYOUT_MEM32_SIZE  0x3e000000U
#define HB_LAYOUT_IOAPIC      0xfec00000U
#define HB_LAYOUT_LAPIC	      0xfee00000U
#define HB_LAYOUT_IDENTITY    0xfeffc000U /* pages that Intel's KVM needs for itself: */
#define HB_LAYOUT_TSS	      0xfeffd000U /* this one and the two behind it */
#define HB_LAYOUT_HIGH	      0x100000000ULL

/* I/O ports. */
#define HB_LAYOUT_SERIAL   0x3f8
#define HB_LAYOUT_PM	   0x600
#define HB_LAYOUT_GPE0	   0x620
#define HB_LAYOUT_HOTPLUG  0x700 /* ACPI's, up to HB_ACPI_HOTPLUG_LENGTH() of its slots */
#define HB_LAYOUT_KEYBOARD 0x64
#define HB_LAYOUT_PCI	   0xcf8
#define HB_LAYOUT_IO	   0x1000
#define HB_LAYOUT_IO_SIZE  0xf000

/* Interrupts. */
#define HB_LAYOUT_SERIAL_GSI 4
#define HB_LAYOUT_SCI	     9

/* INTA to INTD of the root bus: pins of the IOAPIC that the PICs do not have. */
#define HB_LAYOUT_PCI_GSIS 16, 17, 18, 19

/**
 * hb_layout_ram:
 * @memory: bytes of guest memory
 * @low: (out): of it below 4 GiB, from address 0
 * @high: (out): of it from 4 GiB on
 */
void hb_layout_ram(guint64 memory, guint64 *low, guint64 *high);

/**
 * hb_layout_bridge:
 * @memory: bytes of guest memory
 * @address_bits: of the guest's physical addresses
 * @n_buses: PCI buses behind bus 0
 * @config: (out)
 *
 * The 64-bit window follows RAM and is as large as fits, up to 8 TiB. Pure.
 *
 * Returns: FALSE with %HB_ERROR_LIMIT if @memory does not fit the address bits
 */
gboolean hb_layout_bridge(guint64 memory, guint address_bits, guint n_buses,
			  HbHostBridgeConfig *config, GError **error);

#endif
