/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef ACPI_BOARD_H
#define ACPI_BOARD_H

/* What the board's fixed parts take up. */

#define HB_BOARD_CONFIG_PORT  0xcf8 /* PCI r3.0 §3.2.2.3.2 */
#define HB_BOARD_CONFIG_PORTS 8
#define HB_BOARD_PM_PORTS     12 /* PM1a event and control, PM timer */
#define HB_BOARD_UART_PORTS   8
#define HB_BOARD_BUS_SIZE     0x100000 /* of ECAM, for each bus: PCIe r6.0 §7.2.2 */
#define HB_BOARD_IOAPIC_SIZE  0x1000
#define HB_BOARD_MSI_SIZE     0x100000 /* from the local APIC on: interrupt messages */
#define HB_BOARD_ISA_IRQS     16
#define HB_BOARD_GSIS	      24

#endif
