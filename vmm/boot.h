/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include "vmm/kernel.h"
#include "vmm/memory.h"

#include <linux/kvm.h>

/**
 * HbBoot: what the guest starts with: kernel, initrd and command line, all checked to fit. The
 * files stay open, so that each reset loads the same ones.
 */
typedef struct HbBoot HbBoot;

/**
 * hb_boot_create:
 * @memory: must outlive the result
 * @kernel_cache: (nullable): see hb_kernel_open()
 * @initrd: (nullable): a file
 * @command_line: (nullable)
 *
 * Returns: (nullable): NULL with an error that starts with the flag to blame
 */
HbBoot *hb_boot_create(const HbMemory *memory, const char *kernel, const char *kernel_cache,
		       const char *initrd, const char *command_line, GError **error);

/** hb_boot_destroy: takes NULL. */
void hb_boot_destroy(HbBoot *boot);

/**
 * hb_boot_load:
 * @tables: the ACPI blob made for %HB_LAYOUT_TABLES
 *
 * Writes everything into guest memory; a kernel that may be anywhere, to another place each time.
 * No vCPU runs.
 *
 * Returns: FALSE with %HB_ERROR_HOST if a file cannot be read any more
 */
gboolean hb_boot_load(HbBoot *boot, const GByteArray *tables, GError **error);

/**
 * hb_boot_set_registers:
 * @five_levels: whether the vCPU's page tables may have them
 * @sregs: (inout): as KVM made them
 * @regs: (out)
 *
 * The first vCPU's registers at the kernel's 64-bit entry, as it was loaded last.
 */
void hb_boot_set_registers(const HbBoot *boot, gboolean five_levels, struct kvm_sregs *sregs,
			   struct kvm_regs *regs);

/**
 * hb_boot_fill_e820:
 * @ranges: (array length=n): the guest's RAM
 *
 * The memory map in @params: RAM, and what must not be used in it and beside it. Pure.
 */
void hb_boot_fill_e820(const HbRam *ranges, guint n, struct boot_params *params);

/**
 * hb_boot_place_kernel:
 * @low_end: end of RAM below 4 GiB
 * @address: (out): where it is loaded
 *
 * At the address it prefers, so that it need not move itself; it needs init_size bytes there. Pure.
 *
 * Returns: FALSE with %HB_ERROR_INVALID naming -m if RAM is too small
 */
gboolean hb_boot_place_kernel(const struct setup_header *header, guint64 load_size, guint64 low_end,
			      guint64 *address, GError **error);

/** hb_boot_place_initrd: as high as the kernel accepts, below @low_end; likewise. Pure. */
gboolean hb_boot_place_initrd(const struct setup_header *header, guint64 size, guint64 kernel_end,
			      guint64 low_end, guint64 *address, GError **error);

#endif
