/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a machine is made of, in the order in which the parts need each other:
 *
 *   look for memory -> vm -> memory -> host -> bridge -> chipset
 *   -> vfio, ports, bays -> kernel and tables -> vCPUs -> drives -> lay-out
 *   -> kernel's load, which may take seconds once nothing else can be refused
 *
 * All of it is for the loop thread, while no vCPU runs.
 */

#include "vmm/machine-parts.h"

#include "vmm/cpuid.h"
#include "vmm/host-memory.h"
#include "vmm/kernel-cache.h"
#include "vmm/layout.h"
#include "vmm/memory-file.h"
#include "vmm/tables.h"

#define VECTORS_PATH "/run/hotbay/vectors"

/* A drive reaches all of guest memory at any time: where one can come, memory is there to stay. */
static gboolean needs_lock(const HbOptions *options)
{
	return options->mem_lock || hb_options_can_have_drives(options);
}

/* Neither locked nor looked for: the operator set it aside, and it is pinned at most. */
static gboolean check_huge_pages(const HbOptions *options, GError **error)
{
	return !hb_options_can_have_drives(options) ||
	       hb_host_memory_check_limit("/", options->memory, HB_HOST_MEMORY_PINNED, error);
}

/* Before anything is there that would have to be undone. */
static gboolean check_memory(const HbOptions *options, GError **error)
{
	const HbMemoryBackend *backend = options->memory_options.backend;
	gboolean drives = hb_options_can_have_drives(options);
	HbMemoryPlace place;

	hb_memory_file_look(backend, options->memory, &place);
	if (place.hugetlb)
		return check_huge_pages(options, error);
	if (drives && place.on_disk && backend->share) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "-object: %s: a drive cannot reach memory that is shared by a file on "
			    "disk: give a file on tmpfs or hugetlbfs as mem-path, or share=off",
			    backend->id);
		return FALSE;
	}
	if (needs_lock(options) &&
	    !hb_host_memory_check_limit(
		    "/", options->memory,
		    drives ? HB_HOST_MEMORY_LOCKED_AND_PINNED : HB_HOST_MEMORY_LOCKED, error))
		return FALSE;
	return !(needs_lock(options) || backend->prealloc) ||
	       hb_host_memory_check_room("/", place.needed, error);
}

static gboolean add_memory(HbMachineParts *parts, GError **error)
{
	HbKvmConfig config = { .pci_gsi = { HB_LAYOUT_PCI_GSIS } };
	const HbRam *ranges;
	guint n;

	parts->memory = hb_memory_create(parts->options->memory,
					 parts->options->memory_options.backend, error);
	if (parts->memory == NULL)
		return FALSE;
	ranges = hb_memory_get_ranges(parts->memory, &n);
	for (guint i = 0; i < n; i++) {
		if (!hb_vm_add_memory(parts->vm, i, ranges[i].gpa, ranges[i].size, ranges[i].hva,
				      error))
			return FALSE;
	}
	config.first_memory_slot = n;
	parts->kvm = hb_kvm_create(hb_vm_get_fd(parts->vm), &config, NULL, error);
	if (parts->kvm == NULL)
		return FALSE;
	for (guint i = 0; i < n; i++) {
		if (!hb_host_add_ram(hb_kvm_get_host(parts->kvm), &ranges[i], error))
			return FALSE;
	}
	return !needs_lock(parts->options) || hb_memory_lock(parts->memory, error);
}

static gboolean use_iommu(HbMachineParts *parts, GError **error)
{
	const HbOptions *options = parts->options;
	const HbIommuOptions *iommu = &options->iommu_options;

	if (!hb_vfio_use_iommu(parts->vfio, iommu->iommu, iommu->fd, error)) {
		g_prefix_error(error, "%s: ", iommu->id ? "-object iommufd" : "-machine");
		return FALSE;
	}
	if (!iommu->peer_to_peer || hb_vfio_connect_drives(parts->vfio, error))
		return TRUE;
	g_prefix_error(error, "-machine: x-hotbay-peer-to-peer=on: ");
	return FALSE;
}

static gboolean add_vfio(HbMachineParts *parts, GError **error)
{
	const HbOptions *options = parts->options;

	parts->vfio = hb_vfio_create(hb_kvm_get_host(parts->kvm), options->max_vectors);
	hb_vfio_expect_vectors(parts->vfio, options->cpus + 1); /* a queue each, and admin */
	if (!hb_options_can_have_drives(options))
		return TRUE;
	return use_iommu(parts, error) && hb_vfio_share_vectors(parts->vfio, VECTORS_PATH, error);
}

/* In the mode that the operator chose. */
static gboolean add_ports(HbMachineParts *parts, GError **error)
{
	const HbDeviceOptions *devices = parts->options->devices;
	guint n_ports = hb_device_options_get_n_ports(devices);

	if (parts->options->passthrough_hotplug == HB_PASSTHROUGH_HOTPLUG_OFF)
		hb_ports_disable_hotplug(parts->ports);
	if (parts->options->acpi_hotplug && n_ports) {
		HbAcpiHotplug *hotplug = hb_chipset_add_hotplug(parts->chipset, n_ports, error);

		if (hotplug == NULL)
			return FALSE;
		hb_ports_set_hotplug(parts->ports, hotplug);
	}
	return hb_ports_add(parts->ports, devices, error);
}

static gboolean add_bays(HbMachineParts *parts, GError **error)
{
	parts->bays = hb_machine_bays_create(hb_kvm_get_host(parts->kvm), parts->options->devices,
					     parts->drives, parts->ops->drives_event, parts->opaque,
					     error);
	return parts->bays != NULL;
}

static gboolean add_pci(HbMachineParts *parts, GError **error)
{
	HbHost *host = hb_kvm_get_host(parts->kvm);
	const HbDeviceOptions *devices = parts->options->devices;

	if (!hb_layout_bridge(parts->options->memory, hb_cpuid_get_address_bits(parts->cpuid),
			      hb_device_options_count_buses(devices), &parts->bridge_config, error))
		return FALSE;
	parts->bridge = hb_host_bridge_create(host, &parts->bridge_config, error);
	if (parts->bridge == NULL)
		return FALSE;
	parts->chipset = hb_chipset_create(parts->vm, parts->bridge, parts->options->serial,
					   &parts->ops->chipset, parts->opaque, error);
	if (parts->chipset == NULL)
		return FALSE;
	if (!add_vfio(parts, error))
		return FALSE;
	parts->ports = hb_ports_create(parts->bridge);
	parts->drives = hb_drives_create(parts->ports, parts->vfio, parts->memory,
					 parts->ops->drives_event, parts->opaque);
	hb_host_set_listener(host, parts->ops->host_event, parts->opaque);
	if (add_ports(parts, error) && add_bays(parts, error))
		return TRUE;
	g_prefix_error(error, "-device ");
	return FALSE;
}

static gboolean add_drives(HbMachineParts *parts, GError **error)
{
	const HbDeviceOptions *devices = parts->options->devices;

	if (needs_lock(parts->options) || parts->options->memory_options.backend->prealloc)
		hb_memory_populate(parts->memory);
	if (parts->options->memory_options.backend->prealloc &&
	    !hb_memory_wait_populated(parts->memory, error))
		return FALSE;
	for (guint i = 0; i < hb_device_options_get_n_drives(devices); i++) {
		if (!hb_drives_cold_plug(parts->drives, hb_device_options_get_drive(devices, i),
					 error)) {
			g_prefix_error(error, "-device vfio-pci: ");
			return FALSE;
		}
	}
	hb_machine_bays_cold_plug(parts->bays);
	if (hb_host_bridge_lay_out(parts->bridge, error))
		return TRUE;
	g_prefix_error(error, "-device: ");
	return FALSE;
}

/* (nullable): where unpacked kernels are kept; g_free(). */
static char *get_kernel_cache(const HbOptions *options)
{
	if (options->no_kernel_cache)
		return NULL;
	return options->kernel_cache ? g_strdup(options->kernel_cache)
				     : hb_kernel_cache_get_default();
}

static gboolean add_kernel(HbMachineParts *parts, GError **error)
{
	const HbOptions *options = parts->options;
	g_autofree char *cache = get_kernel_cache(options);

	parts->boot = hb_boot_create(parts->memory, options->kernel, cache, options->initrd,
				     options->append, error);
	if (parts->boot == NULL)
		return FALSE;
	parts->tables = hb_tables_build(options, &parts->bridge_config, error);
	return parts->tables != NULL;
}

static gboolean add_cpus(HbMachineParts *parts, GError **error)
{
	const HbOptions *options = parts->options;

	parts->cpus = hb_cpus_create(parts->vm, parts->cpuid, options->cpus, &options->topology,
				     &parts->ops->vcpu, parts->opaque, error);
	return parts->cpus != NULL;
}

/* The first vCPU at the kernel's entry, and in memory all that it finds there. */
static gboolean load(HbMachineParts *parts, GError **error)
{
	return hb_boot_load(parts->boot, parts->tables, error) &&
	       hb_cpus_set_entry(parts->cpus, parts->boot, error);
}

gboolean hb_machine_parts_init(HbMachineParts *parts, const HbOptions *options,
			       const HbMachinePartsOps *ops, gpointer opaque, GError **error)
{
	parts->options = options;
	parts->ops = ops;
	parts->opaque = opaque;
	if (!check_memory(options, error))
		return FALSE;
	parts->vm = hb_vm_create(options->cpus, error);
	if (parts->vm == NULL)
		return FALSE;
	parts->cpuid = hb_vm_get_cpuid(parts->vm, error);
	return parts->cpuid && add_memory(parts, error) && add_pci(parts, error) &&
	       add_kernel(parts, error) && add_cpus(parts, error) && add_drives(parts, error) &&
	       load(parts, error);
}

void hb_machine_parts_finish(HbMachineParts *parts)
{
	hb_cpus_destroy(parts->cpus);
	hb_boot_destroy(parts->boot);
	g_clear_pointer(&parts->tables, g_byte_array_unref);
	g_free(parts->cpuid);
	g_clear_pointer(&parts->bays, hb_machine_bays_destroy);
	if (parts->kvm)
		hb_host_set_listener(hb_kvm_get_host(parts->kvm), NULL, NULL);
	hb_drives_destroy(parts->drives);
	hb_ports_destroy(parts->ports);
	hb_chipset_destroy(parts->chipset);
	if (parts->bridge)
		hb_host_bridge_destroy(parts->bridge);
	if (parts->vfio)
		hb_vfio_destroy(parts->vfio);
	if (parts->kvm)
		hb_kvm_destroy(parts->kvm);
	hb_memory_destroy(parts->memory);
	hb_vm_destroy(parts->vm);
}

gboolean hb_machine_parts_reset(HbMachineParts *parts, GError **error)
{
	hb_host_bridge_reset(parts->bridge);
	hb_chipset_reset(parts->chipset);
	hb_vm_reset(parts->vm);
	return hb_host_bridge_lay_out_again(parts->bridge, error) &&
	       hb_cpus_reset(parts->cpus, error) && load(parts, error);
}
