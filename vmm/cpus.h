/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_CPUS_H
#define VMM_CPUS_H

#include "vmm/boot.h"
#include "vmm/options.h"
#include "vmm/vcpu.h"

/** HbCpus: all vCPUs of the machine. */
typedef struct HbCpus HbCpus;

/**
 * hb_cpus_create:
 * @supported: from hb_vm_get_cpuid(); not kept
 *
 * Returns: (nullable): all paused; NULL with an error
 */
HbCpus *hb_cpus_create(const HbVm *vm, const struct kvm_cpuid2 *supported, guint n,
		       const HbTopology *topology, const HbVcpuOps *ops, gpointer opaque,
		       GError **error);

/** hb_cpus_destroy: takes NULL. */
void hb_cpus_destroy(HbCpus *cpus);

guint hb_cpus_get_n(const HbCpus *cpus);
int hb_cpus_get_thread_id(HbCpus *cpus, guint cpu);

/** hb_cpus_request_pause: any thread, a vCPU's too; returns at once. */
void hb_cpus_request_pause(HbCpus *cpus);

/** hb_cpus_pause: when it returns, no vCPU runs. Loop thread. */
void hb_cpus_pause(HbCpus *cpus);

void hb_cpus_resume(HbCpus *cpus);

/** hb_cpus_reset: all are paused: back to how KVM created them. */
gboolean hb_cpus_reset(HbCpus *cpus, GError **error);

/** hb_cpus_set_entry: all are paused and fresh: the first will begin at the kernel's entry. */
gboolean hb_cpus_set_entry(HbCpus *cpus, const HbBoot *boot, GError **error);

#endif
