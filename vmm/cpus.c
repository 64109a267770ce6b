/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The vCPUs together. A pause is asked of all before any is waited for, so it takes as long as the
 * slowest exit. The first vCPU boots; KVM starts the others when it sends them their start-up
 * interrupts.
 */

#include "vmm/cpus.h"

#include "vmm/cpuid.h"

#include <hotbay/error.h>

#define MAX_APIC_ID 254 /* 255 is everybody, and there is no guest-visible interrupt remapping */

struct HbCpus {
	GPtrArray *list; /* of HbVcpu */
	gboolean five_levels;
};

static void free_vcpu(gpointer data)
{
	hb_vcpu_destroy(data);
}

static gboolean add(HbCpus *cpus, const HbVm *vm, const struct kvm_cpuid2 *supported,
		    const HbTopology *topology, const HbVcpuOps *ops, gpointer opaque,
		    GError **error)
{
	guint index = cpus->list->len;
	gboolean deadline = hb_vm_get_capability(vm, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	g_autofree struct kvm_cpuid2 *cpuid = hb_cpuid_create(supported, topology, index, deadline);
	HbVcpu *vcpu = hb_vcpu_create(vm, index, hb_cpuid_get_apic_id(topology, index), cpuid, ops,
				      opaque, error);

	if (vcpu)
		g_ptr_array_add(cpus->list, vcpu);
	return vcpu != NULL;
}

HbCpus *hb_cpus_create(const HbVm *vm, const struct kvm_cpuid2 *supported, guint n,
		       const HbTopology *topology, const HbVcpuOps *ops, gpointer opaque,
		       GError **error)
{
	HbCpus *cpus;

	if (hb_cpuid_get_apic_id(topology, n - 1) > MAX_APIC_ID) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "-smp: this topology needs APIC ids above %d: make cores and threads "
			    "powers of two, or fewer",
			    MAX_APIC_ID);
		return NULL;
	}
	cpus = g_new0(HbCpus, 1);
	cpus->list = g_ptr_array_new_with_free_func(free_vcpu);
	cpus->five_levels = hb_cpuid_has_five_levels(supported);
	while (cpus->list->len < n) {
		if (!add(cpus, vm, supported, topology, ops, opaque, error)) {
			hb_cpus_destroy(cpus);
			return NULL;
		}
	}
	return cpus;
}

void hb_cpus_destroy(HbCpus *cpus)
{
	if (cpus == NULL)
		return;
	g_ptr_array_unref(cpus->list);
	g_free(cpus);
}

guint hb_cpus_get_n(const HbCpus *cpus)
{
	return cpus->list->len;
}

int hb_cpus_get_thread_id(HbCpus *cpus, guint cpu)
{
	return hb_vcpu_get_thread_id(g_ptr_array_index(cpus->list, cpu));
}

void hb_cpus_request_pause(HbCpus *cpus)
{
	for (guint i = 0; i < cpus->list->len; i++)
		hb_vcpu_request_pause(g_ptr_array_index(cpus->list, i));
}

void hb_cpus_pause(HbCpus *cpus)
{
	hb_cpus_request_pause(cpus);
	for (guint i = 0; i < cpus->list->len; i++)
		hb_vcpu_wait_paused(g_ptr_array_index(cpus->list, i));
}

void hb_cpus_resume(HbCpus *cpus)
{
	for (guint i = 0; i < cpus->list->len; i++)
		hb_vcpu_resume(g_ptr_array_index(cpus->list, i));
}

gboolean hb_cpus_reset(HbCpus *cpus, GError **error)
{
	for (guint i = 0; i < cpus->list->len; i++) {
		if (!hb_vcpu_reset(g_ptr_array_index(cpus->list, i), error))
			return FALSE;
	}
	return TRUE;
}

gboolean hb_cpus_set_entry(HbCpus *cpus, const HbBoot *boot, GError **error)
{
	HbVcpu *first = g_ptr_array_index(cpus->list, 0);
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (!hb_vcpu_get_sregs(first, &sregs, error))
		return FALSE;
	hb_boot_set_registers(boot, cpus->five_levels, &sregs, &regs);
	return hb_vcpu_set_registers(first, &regs, &sregs, error);
}
