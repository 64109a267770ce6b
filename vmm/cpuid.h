/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include "vmm/options.h"

#include <linux/kvm.h>

/**
 * hb_cpuid_get_apic_id:
 * @cpu: its number, from 0
 *
 * Returns: the APIC id: socket, core and thread number in fields of their own, as wide as they must
 *   be; so ids have gaps where a number is no power of two. Pure.
 */
guint hb_cpuid_get_apic_id(const HbTopology *topology, guint cpu);

/**
 * hb_cpuid_create:
 * @supported: from KVM_GET_SUPPORTED_CPUID
 * @tsc_deadline: whether KVM has the local APIC timer's deadline mode
 *
 * What vCPU @cpu reports: all that KVM supports here, with the host's place in its topology
 * replaced by the vCPU's own. Pure.
 *
 * Returns: (transfer full): g_free()
 */
struct kvm_cpuid2 *hb_cpuid_create(const struct kvm_cpuid2 *supported, const HbTopology *topology,
				   guint cpu, gboolean tsc_deadline);

/** hb_cpuid_get_address_bits: Returns: the width of guest physical addresses. Pure. */
guint hb_cpuid_get_address_bits(const struct kvm_cpuid2 *cpuid);

/** hb_cpuid_has_five_levels: Returns: whether page tables may have five levels (LA57). Pure. */
gboolean hb_cpuid_has_five_levels(const struct kvm_cpuid2 *cpuid);

#endif
