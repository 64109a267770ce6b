/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* CPUID: the topology in every leaf that tells one, and the rest as KVM gave it. */

#include "tests/unit/suite.h"
#include "vmm/cpuid.h"

#include <string.h>

#define CACHE(leaf, number, level)                                                                 \
	{                                                                                          \
		.function = (leaf), .index = (number), .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,   \
		.eax = 1 | (level) << 5 | 0xffffc000                                               \
	}

/* A host with every leaf that is looked at; @name is its vendor. */
static struct kvm_cpuid2 *host(const char *name)
{
	struct kvm_cpuid_entry2 entries[] = {
		{ .function = 0, .eax = 0x1f },
		{ .function = 1, .ebx = 0x77990811, .ecx = 1, .edx = 1U << 28 },
		CACHE(4, 0, 1),
		CACHE(4, 1, 3),
		{ .function = 4, .index = 2, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 7, .ebx = 0x1234 },
		{ .function = 0xb, .index = 0, .ebx = 9, .ecx = 0x100, .edx = 99 },
		{ .function = 0xb, .index = 1, .ebx = 9, .ecx = 0x201, .edx = 99 },
		{ .function = 0x1f, .index = 0, .ebx = 9, .ecx = 0x100, .edx = 99 },
		{ .function = 0x40000000, .eax = 0x40000001 },
		{ .function = 0x40000001, .eax = 0x1007efb },
		{ .function = 0x80000001 },
		{ .function = 0x80000008, .eax = 0x3028, .ecx = 0x7063 },
		CACHE(0x8000001d, 0, 3),
		{ .function = 0x8000001e, .eax = 99, .ebx = 0x163, .ecx = 0x101 },
		{ .function = 0x80000026, .eax = 99 },
	};
	struct kvm_cpuid2 *cpuid = g_malloc0(sizeof(*cpuid) + sizeof(entries));

	memcpy(&entries[0].ebx, name, 4);
	memcpy(&entries[0].edx, name + 4, 4);
	memcpy(&entries[0].ecx, name + 8, 4);
	memcpy(cpuid->entries, entries, sizeof(entries));
	cpuid->nent = G_N_ELEMENTS(entries);
	return cpuid;
}

static struct kvm_cpuid2 *make(const char *name, guint sockets, guint cores, guint threads,
			       guint cpu)
{
	g_autofree struct kvm_cpuid2 *supported = host(name);
	HbTopology topology = { sockets, cores, threads };

	return hb_cpuid_create(supported, &topology, cpu, TRUE);
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid2 *cpuid, guint32 leaf,
					   guint32 index)
{
	for (guint i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	}
	return NULL;
}

#define AMD   "AuthenticAMD"
#define INTEL "GenuineIntel"

static const struct {
	HbTopology topology;
	guint cpu, apic_id;
} ids[] = {
	{ { 1, 1, 1 }, 0, 0 }, { { 1, 128, 1 }, 127, 127 }, { { 2, 2, 2 }, 7, 7 },
	{ { 2, 3, 1 }, 3, 4 }, { { 2, 3, 1 }, 5, 6 },	    { { 1, 3, 2 }, 4, 4 },
	{ { 2, 3, 2 }, 6, 8 }, { { 128, 1, 1 }, 127, 127 }, { { 2, 2, 3 }, 3, 4 },
};

START_TEST(test_apic_id_has_a_field_for_each_level)
{
	ck_assert_uint_eq(hb_cpuid_get_apic_id(&ids[_i].topology, ids[_i].cpu), ids[_i].apic_id);
}
END_TEST

START_TEST(test_features_name_the_vcpu_and_the_hypervisor)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(AMD, 1, 4, 1, 3);
	const struct kvm_cpuid_entry2 *entry = find(cpuid, 1, 0);

	ck_assert_uint_eq(entry->ebx, 0x03040811);
	ck_assert_uint_eq(entry->ecx, 1 | 1U << 24 | 1U << 31);
	ck_assert_uint_eq(entry->edx & 1U << 28, 1U << 28);
}
END_TEST

START_TEST(test_one_vcpu_has_no_siblings)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(AMD, 1, 1, 1, 0);

	ck_assert_uint_eq(find(cpuid, 1, 0)->edx & 1U << 28, 0);
	ck_assert_uint_eq(find(cpuid, 1, 0)->ebx >> 16, 0x0001);
	ck_assert_uint_eq(find(cpuid, 0x80000001, 0)->ecx, 0);
	ck_assert_uint_eq(find(cpuid, 0x80000008, 0)->ecx & 0xffff, 0);
}
END_TEST

START_TEST(test_the_deadline_timer_is_offered_only_if_there)
{
	g_autofree struct kvm_cpuid2 *supported = host(AMD);
	HbTopology topology = { 1, 1, 1 };
	g_autofree struct kvm_cpuid2 *cpuid = hb_cpuid_create(supported, &topology, 0, FALSE);

	ck_assert_uint_eq(find(cpuid, 1, 0)->ecx & 1U << 24, 0);
}
END_TEST

START_TEST(test_caches_are_shared_by_core_or_socket)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(INTEL, 2, 4, 2, 0);

	ck_assert_uint_eq((find(cpuid, 4, 0)->eax >> 14) & 0xfff, 1);
	ck_assert_uint_eq((find(cpuid, 4, 1)->eax >> 14) & 0xfff, 7);
	ck_assert_uint_eq(find(cpuid, 4, 0)->eax >> 26, 3);
	ck_assert_uint_eq(find(cpuid, 4, 2)->eax, 0);
	ck_assert_uint_eq((find(cpuid, 0x8000001d, 0)->eax >> 14) & 0xfff, 7);
}
END_TEST

START_TEST(test_extended_topology_counts_threads_and_cores)
{
	static const guint32 leaves[] = { 0xb, 0x1f };

	for (guint i = 0; i < G_N_ELEMENTS(leaves); i++) {
		g_autofree struct kvm_cpuid2 *cpuid = make(INTEL, 2, 3, 2, 7);
		const struct kvm_cpuid_entry2 *threads = find(cpuid, leaves[i], 0);
		const struct kvm_cpuid_entry2 *cores = find(cpuid, leaves[i], 1);
		const struct kvm_cpuid_entry2 *end = find(cpuid, leaves[i], 2);

		ck_assert_uint_eq(threads->eax, 1);
		ck_assert_uint_eq(threads->ebx, 2);
		ck_assert_uint_eq(threads->ecx, 0x100);
		ck_assert_uint_eq(threads->edx, 9);
		ck_assert_uint_eq(cores->eax, 3);
		ck_assert_uint_eq(cores->ebx, 6);
		ck_assert_uint_eq(cores->ecx, 0x201);
		ck_assert_uint_eq(end->ebx, 0);
		ck_assert_uint_eq(end->ecx, 2);
	}
}
END_TEST

START_TEST(test_amd_leaves_tell_cores_and_threads)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(AMD, 1, 4, 2, 5);

	ck_assert_uint_eq(find(cpuid, 0x80000001, 0)->ecx, 2);
	ck_assert_uint_eq(find(cpuid, 0x80000008, 0)->ecx & 0xffff, 3 << 12 | 7);
	ck_assert_uint_eq(find(cpuid, 0x8000001e, 0)->eax, 5);
	ck_assert_uint_eq(find(cpuid, 0x8000001e, 0)->ebx, 1 << 8 | 2);
	ck_assert_uint_eq(find(cpuid, 0x8000001e, 0)->ecx, 0);
}
END_TEST

START_TEST(test_amd_leaves_are_left_alone_on_intel)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(INTEL, 1, 4, 1, 0);

	ck_assert_uint_eq(find(cpuid, 0x80000001, 0)->ecx, 0);
	ck_assert_uint_eq(find(cpuid, 0x80000008, 0)->ecx, 0x7063);
}
END_TEST

START_TEST(test_other_leaves_are_as_kvm_gave_them)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(AMD, 1, 4, 2, 5);

	ck_assert_uint_eq(find(cpuid, 7, 0)->ebx, 0x1234);
	ck_assert_uint_eq(find(cpuid, 0x40000001, 0)->eax, 0x1007efb);
	ck_assert_uint_eq(find(cpuid, 0x80000008, 0)->eax, 0x3028);
}
END_TEST

START_TEST(test_the_hosts_own_topology_is_gone)
{
	g_autofree struct kvm_cpuid2 *cpuid = make(AMD, 1, 1, 1, 0);

	ck_assert_ptr_null(find(cpuid, 0x80000026, 0));
	for (guint i = 0; i < cpuid->nent; i++)
		ck_assert_uint_ne(cpuid->entries[i].edx, 99);
}
END_TEST

START_TEST(test_address_bits_come_from_their_leaf)
{
	g_autofree struct kvm_cpuid2 *cpuid = host(AMD);

	ck_assert_uint_eq(hb_cpuid_get_address_bits(cpuid), 40);
	cpuid->nent = 1;
	ck_assert_uint_eq(hb_cpuid_get_address_bits(cpuid), 36);
}
END_TEST

START_TEST(test_five_levels_are_a_feature_of_leaf_7)
{
	g_autofree struct kvm_cpuid2 *cpuid = host(AMD);

	ck_assert(!hb_cpuid_has_five_levels(cpuid));
	for (guint i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == 7)
			cpuid->entries[i].ecx = 1U << 16;
	}
	ck_assert(hb_cpuid_has_five_levels(cpuid));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("cpuid");
	TCase *tests = tcase_create("all");

	tcase_add_loop_test(tests, test_apic_id_has_a_field_for_each_level, 0, G_N_ELEMENTS(ids));
	tcase_add_test(tests, test_features_name_the_vcpu_and_the_hypervisor);
	tcase_add_test(tests, test_one_vcpu_has_no_siblings);
	tcase_add_test(tests, test_the_deadline_timer_is_offered_only_if_there);
	tcase_add_test(tests, test_caches_are_shared_by_core_or_socket);
	tcase_add_test(tests, test_extended_topology_counts_threads_and_cores);
	tcase_add_test(tests, test_amd_leaves_tell_cores_and_threads);
	tcase_add_test(tests, test_amd_leaves_are_left_alone_on_intel);
	tcase_add_test(tests, test_other_leaves_are_as_kvm_gave_them);
	tcase_add_test(tests, test_the_hosts_own_topology_is_gone);
	tcase_add_test(tests, test_address_bits_come_from_their_leaf);
	tcase_add_test(tests, test_five_levels_are_a_feature_of_leaf_7);
	suite_add_tcase(suite, tests);
	return suite;
}
