/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "vmm/vm.h"

/** HbVcpuEnd: why a vCPU cannot go on. */
typedef enum HbVcpuEnd {
	HB_VCPU_END_TRIPLE_FAULT, /* or the guest asked KVM for a reset */
	HB_VCPU_END_ERROR,
} HbVcpuEnd;

/**
 * HbVcpuOps:
 * @pio: a guest access of @size bytes, 1, 2 or 4, to an I/O port
 * @mmio: a guest access of 1 to 8 bytes to memory that is no RAM
 * @revoke: KVM_RUN ended with EFAULT; see hb_host_bridge_revoke()
 * @ended: the vCPU has paused itself; @message says why, for the operator
 *
 * What a vCPU asks of its machine. All on the vCPU's own thread.
 */
typedef struct HbVcpuOps {
	void (*pio)(gpointer opaque, guint16 port, gpointer data, guint size, gboolean is_write);
	void (*mmio)(gpointer opaque, guint64 gpa, gpointer data, guint size, gboolean is_write);
	gboolean (*revoke)(gpointer opaque, guint *n_faults);
	void (*ended)(gpointer opaque, HbVcpuEnd end, const char *message);
} HbVcpuOps;

/** HbVcpu: one virtual processor with its thread, which starts paused. */
typedef struct HbVcpu HbVcpu;

/**
 * hb_vcpu_create:
 * @index: its number; vCPU 0 is the one that boots
 * @apic_id: KVM's id of it
 * @cpuid: not kept
 *
 * Returns: (nullable): NULL with %HB_ERROR_HOST
 */
HbVcpu *hb_vcpu_create(const HbVm *vm, guint index, guint apic_id, struct kvm_cpuid2 *cpuid,
		       const HbVcpuOps *ops, gpointer opaque, GError **error);

/** hb_vcpu_destroy: ends the thread. Takes NULL. */
void hb_vcpu_destroy(HbVcpu *vcpu);

/** hb_vcpu_get_thread_id: Returns: the kernel's id of its thread. Any thread. */
int hb_vcpu_get_thread_id(HbVcpu *vcpu);

/** hb_vcpu_request_pause: asks it to leave the guest; returns at once. Any thread, its own too. */
void hb_vcpu_request_pause(HbVcpu *vcpu);

/** hb_vcpu_wait_paused: after a request: returns when it has. Not on a vCPU's thread. */
void hb_vcpu_wait_paused(HbVcpu *vcpu);

/** hb_vcpu_resume: lets it run. */
void hb_vcpu_resume(HbVcpu *vcpu);

/** hb_vcpu_reset: while it is paused: back to the state in which KVM created it. */
gboolean hb_vcpu_reset(HbVcpu *vcpu, GError **error);

/** hb_vcpu_get_sregs: while it is paused. */
gboolean hb_vcpu_get_sregs(HbVcpu *vcpu, struct kvm_sregs *sregs, GError **error);

/** hb_vcpu_set_registers: while it is paused: where it begins. */
gboolean hb_vcpu_set_registers(HbVcpu *vcpu, const struct kvm_regs *regs,
			       const struct kvm_sregs *sregs, GError **error);

#endif
