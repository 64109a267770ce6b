/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_VCPU_STATE_H
#define VMM_VCPU_STATE_H

#include "vmm/vm.h"

/** HbVcpuState: everything that a vCPU's processor remembers. */
typedef struct HbVcpuState HbVcpuState;

/**
 * hb_vcpu_state_set_memory_types:
 * @fd: of a new vCPU
 *
 * Sets the memory type range registers as firmware would: all memory write-back, but the hole below
 * 4 GiB uncached.
 */
gboolean hb_vcpu_state_set_memory_types(int fd, guint address_bits, GError **error);

/**
 * hb_vcpu_state_save:
 * @fd: of the vCPU, which does not run
 *
 * Returns: (nullable): NULL with %HB_ERROR_HOST and the ioctl's name
 */
HbVcpuState *hb_vcpu_state_save(const HbVm *vm, int fd, GError **error);

/** hb_vcpu_state_restore: into the vCPU that it came from, which does not run. */
gboolean hb_vcpu_state_restore(const HbVcpuState *state, int fd, GError **error);

void hb_vcpu_state_free(HbVcpuState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbVcpuState, hb_vcpu_state_free)

#endif
