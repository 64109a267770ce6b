/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a vCPU says about itself: the host's processor as far as KVM can virtualise it, with KVM's
 * own leaves, and with the topology of -smp in every leaf that tells one (Intel SDM volume 2A,
 * CPUID; AMD64 manual volume 3, appendix E.4). Leaves that the host has not are not made up.
 */

#include "vmm/cpuid.h"

#include <string.h>

#define LEAF_VENDOR	   0x00000000
#define LEAF_FEATURES	   0x00000001
#define LEAF_CACHES	   0x00000004
#define LEAF_EXTENDED	   0x00000007
#define LEAF_TOPOLOGY	   0x0000000b
#define LEAF_TOPOLOGY_2	   0x0000001f
#define LEAF_AMD_FEATURES  0x80000001
#define LEAF_ADDRESSES	   0x80000008
#define LEAF_AMD_CACHES	   0x8000001d
#define LEAF_AMD_TOPOLOGY  0x8000001e
#define LEAF_AMD_TOPOLOGY2 0x80000026

#define FEATURE_HYPERVISOR   (1U << 31) /* leaf 1, ECX */
#define FEATURE_TSC_DEADLINE (1U << 24)
#define FEATURE_HTT	     (1U << 28) /* leaf 1, EDX */
#define FEATURE_LA57	     (1U << 16) /* leaf 7, ECX */
#define FEATURE_CMP_LEGACY   (1U << 1)	/* leaf 0x80000001, ECX */

#define TOPOLOGY_THREAD	   (1U << 8) /* level types of leaves 0xb and 0x1f, ECX */
#define TOPOLOGY_CORE	   (2U << 8)
#define MAX_TOPOLOGY_LEVEL 2
#define DEFAULT_BITS	   36
#define N_EXTRA		   (2 * (MAX_TOPOLOGY_LEVEL + 1))

/* The vCPU that the leaves are written for. */
typedef struct Place {
	guint apic_id;
	guint thread_bits; /* of the APIC id */
	guint core_bits;
	guint threads; /* of a core */
	guint cores;   /* of a socket */
	gboolean intel;
} Place;

/* Bits that numbers below @n need. */
static guint width(guint n)
{
	return n > 1 ? (guint)g_bit_storage(n - 1) : 0;
}

guint hb_cpuid_get_apic_id(const HbTopology *topology, guint cpu)
{
	guint thread = cpu % topology->threads;
	guint core = cpu / topology->threads % topology->cores;
	guint socket = cpu / (topology->threads * topology->cores);
	guint thread_bits = width(topology->threads);

	return (((socket << width(topology->cores)) | core) << thread_bits) | thread;
}

static void write_features(struct kvm_cpuid_entry2 *entry, const Place *place, gboolean deadline)
{
	guint logical = 1U << (place->thread_bits + place->core_bits);

	entry->ebx = (entry->ebx & 0x0000ffff) | (logical << 16) | (place->apic_id << 24);
	entry->ecx |= FEATURE_HYPERVISOR;
	if (deadline)
		entry->ecx |= FEATURE_TSC_DEADLINE;
	if (logical > 1)
		entry->edx |= FEATURE_HTT;
	else
		entry->edx &= ~FEATURE_HTT;
}

/* Intel's 4 and AMD's 0x8000001d: caches up to level 2 belong to a core, above to a socket. */
static void write_cache(struct kvm_cpuid_entry2 *entry, const Place *place)
{
	guint level = (entry->eax >> 5) & 7;
	guint sharing = level > 2 ? 1U << (place->thread_bits + place->core_bits)
				  : 1U << place->thread_bits;

	if ((entry->eax & 0x1f) == 0)
		return; /* the list's end */
	entry->eax = (entry->eax & 0x00003fff) | ((sharing - 1) << 14);
	if (entry->function == LEAF_CACHES)
		entry->eax |= ((1U << place->core_bits) - 1) << 26;
}

static void write_addresses(struct kvm_cpuid_entry2 *entry, const Place *place)
{
	guint bits = place->thread_bits + place->core_bits;

	/* NC and ApicIdSize, which Intel has not. */
	if (!place->intel)
		entry->ecx = (entry->ecx & 0xffff0000) | (bits << 12) |
			     (place->threads * place->cores - 1);
}

static void write_amd_topology(struct kvm_cpuid_entry2 *entry, const Place *place)
{
	guint core = (place->apic_id >> place->thread_bits) & ((1U << place->core_bits) - 1);

	entry->eax = place->apic_id;
	entry->ebx = ((place->threads - 1) << 8) | core;
	entry->ecx = 0; /* one node a processor, node 0 */
}

static void write_entry(struct kvm_cpuid_entry2 *entry, const Place *place, gboolean deadline)
{
	switch (entry->function) {
	case LEAF_FEATURES:
		write_features(entry, place, deadline);
		break;
	case LEAF_CACHES:
	case LEAF_AMD_CACHES:
		write_cache(entry, place);
		break;
	case LEAF_AMD_FEATURES:
		if (!place->intel && place->threads * place->cores > 1)
			entry->ecx |= FEATURE_CMP_LEGACY;
		break;
	case LEAF_ADDRESSES:
		write_addresses(entry, place);
		break;
	case LEAF_AMD_TOPOLOGY:
		write_amd_topology(entry, place);
		break;
	}
}

/* Leaves 0xb and 0x1f: threads of a core, cores of a socket, and the end. */
static void append_topology(struct kvm_cpuid2 *cpuid, guint32 leaf, const Place *place)
{
	const struct kvm_cpuid_entry2 levels[] = {
		{ .eax = place->thread_bits, .ebx = place->threads, .ecx = TOPOLOGY_THREAD },
		{ .eax = place->thread_bits + place->core_bits,
		  .ebx = place->threads * place->cores,
		  .ecx = TOPOLOGY_CORE },
		{ .eax = 0 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(levels); i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent++];

		*entry = levels[i];
		entry->function = leaf;
		entry->index = i;
		entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		entry->ecx |= i;
		entry->edx = place->apic_id;
	}
}

static gboolean is_intel(const struct kvm_cpuid2 *cpuid)
{
	static const char name[] = "GenuineIntel"; /* in EBX, EDX, ECX */

	for (guint i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == LEAF_VENDOR)
			return memcmp(&entry->ebx, name, 4) == 0 &&
			       memcmp(&entry->edx, name + 4, 4) == 0 &&
			       memcmp(&entry->ecx, name + 8, 4) == 0;
	}
	return FALSE;
}

static gboolean is_topology(guint32 leaf)
{
	return leaf == LEAF_TOPOLOGY || leaf == LEAF_TOPOLOGY_2 || leaf == LEAF_AMD_TOPOLOGY2;
}

struct kvm_cpuid2 *hb_cpuid_create(const struct kvm_cpuid2 *supported, const HbTopology *topology,
				   guint cpu, gboolean tsc_deadline)
{
	Place place = {
		.apic_id = hb_cpuid_get_apic_id(topology, cpu),
		.thread_bits = width(topology->threads),
		.core_bits = width(topology->cores),
		.threads = topology->threads,
		.cores = topology->cores,
		.intel = is_intel(supported),
	};
	struct kvm_cpuid2 *cpuid = g_malloc0(
		sizeof(*cpuid) + (supported->nent + N_EXTRA) * sizeof(struct kvm_cpuid_entry2));
	gboolean has[2] = { FALSE, FALSE };

	for (guint i = 0; i < supported->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &supported->entries[i];

		has[0] |= entry->function == LEAF_TOPOLOGY;
		has[1] |= entry->function == LEAF_TOPOLOGY_2;
		if (is_topology(entry->function))
			continue;
		cpuid->entries[cpuid->nent] = *entry;
		write_entry(&cpuid->entries[cpuid->nent++], &place, tsc_deadline);
	}
	if (has[0])
		append_topology(cpuid, LEAF_TOPOLOGY, &place);
	if (has[1])
		append_topology(cpuid, LEAF_TOPOLOGY_2, &place);
	return cpuid;
}

guint hb_cpuid_get_address_bits(const struct kvm_cpuid2 *cpuid)
{
	for (guint i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == LEAF_ADDRESSES)
			return cpuid->entries[i].eax & 0xff;
	}
	return DEFAULT_BITS;
}

gboolean hb_cpuid_has_five_levels(const struct kvm_cpuid2 *cpuid)
{
	for (guint i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == LEAF_EXTENDED && entry->index == 0)
			return (entry->ecx & FEATURE_LA57) != 0;
	}
	return FALSE;
}
