/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The virtual machine: what it is made of, in the order in which the parts need each other, and
 * what state it is in.
 *
 *   create:  look for memory -> vm -> memory -> host -> bridge -> chipset
 *            -> vfio, ports, bays -> kernel and tables -> vCPUs -> drives -> lay-out
 *            -> kernel's load, which may take seconds once nothing else can be refused
 *   run:     PRELAUNCH --cont--> RUNNING <--stop, cont--> PAUSED
 *            any --guest powers off--> quit, or SHUTDOWN with -no-shutdown
 *            any --vCPU cannot go on--> INTERNAL_ERROR
 *            any --reset--> as it was; from SHUTDOWN and INTERNAL_ERROR to PAUSED
 *
 * State changes happen on the loop only. A vCPU that asks for one (reset, power-off, a fault)
 * pauses all vCPUs, itself too, and posts the request there. Quitting ends the guest first, then
 * gives the drives back to the host, and only then ends the loop.
 */

#include "vmm/machine.h"

#include "vmm/bays.h"
#include "vmm/boot.h"
#include "vmm/chipset.h"
#include "vmm/cpuid.h"
#include "vmm/cpus.h"
#include "vmm/drives.h"
#include "vmm/host-memory.h"
#include "vmm/json-properties.h"
#include "vmm/kernel-cache.h"
#include "vmm/layout.h"
#include "vmm/memory-file.h"
#include "vmm/memory.h"
#include "vmm/ports.h"
#include "vmm/tables.h"
#include "vmm/vm.h"

#include <stdlib.h>

#define NO_UUID		      "00000000-0000-0000-0000-000000000000"
#define EVACUATION_TIMEOUT_MS 30000
#define VECTORS_PATH	      "/run/hotbay/vectors"

typedef struct Listener {
	HbMachineListener func;
	gpointer data;
} Listener;

typedef enum Evacuation {
	NOT_EVACUATING,
	EVACUATING,
	EVACUATED,
	ABANDONED, /* it took too long */
} Evacuation;

struct HbMachine {
	const HbOptions *options;
	HbVm *vm;
	HbMemory *memory;
	HbKvm *kvm;
	HbHostBridge *bridge;
	HbHostBridgeConfig bridge_config;
	HbChipset *chipset;
	HbVfio *vfio;
	HbPorts *ports;
	HbDrives *drives;
	HbMachineBays *bays;
	HbBoot *boot;
	GByteArray *tables;
	struct kvm_cpuid2 *cpuid;
	HbCpus *cpus;

	/* The loop's own. */
	GMainLoop *loop;
	HbRunState state;
	gboolean quitting;
	Evacuation evacuation;
	int status;	   /* the process's exit status */
	GArray *listeners; /* of Listener */
};

/* What a vCPU asks of the loop. */
typedef struct Request {
	HbMachine *machine;
	void (*handle)(HbMachine *machine, const char *message);
	char *message; /* NULL: none */
} Request;

/* -- Events. -- */

static void send_event(HbMachine *machine, const HbMachineEvent *event)
{
	for (guint i = 0; i < machine->listeners->len; i++) {
		Listener *listener = &g_array_index(machine->listeners, Listener, i);

		listener->func(machine, event, listener->data);
	}
}

static void send(HbMachine *machine, HbMachineEventType type, HbCause cause)
{
	HbMachineEvent event = { .type = type, .cause = cause };

	send_event(machine, &event);
}

static void on_drives_event(const HbMachineEvent *event, gpointer opaque)
{
	HbMachine *machine = opaque;

	send_event(machine, event);
	if (machine->bays)
		hb_machine_bays_follow(machine->bays, event);
}

/* The library's one stream of events. */
static void on_host_event(const HbEvent *told, gpointer opaque)
{
	HbMachine *machine = opaque;

	if (told->port)
		hb_drives_hear(machine->drives, told);
	else if (machine->bays)
		hb_machine_bays_hear(machine->bays, told);
}

void hb_machine_add_listener(HbMachine *machine, HbMachineListener func, gpointer data)
{
	Listener listener = { func, data };

	g_array_append_val(machine->listeners, listener);
}

void hb_machine_remove_listener(HbMachine *machine, HbMachineListener func, gpointer data)
{
	for (guint i = 0; i < machine->listeners->len; i++) {
		Listener *listener = &g_array_index(machine->listeners, Listener, i);

		if (listener->func != func || listener->data != data)
			continue;
		g_array_remove_index(machine->listeners, i);
		return;
	}
}

/* -- Running, pausing, ending. -- */

static void pause_into(HbMachine *machine, HbRunState state)
{
	gboolean was_running = machine->state == HB_RUN_STATE_RUNNING;

	hb_cpus_pause(machine->cpus);
	machine->state = state;
	if (was_running)
		send(machine, HB_MACHINE_EVENT_STOP, 0);
}

static void on_evacuated(gpointer opaque)
{
	HbMachine *machine = opaque;

	machine->evacuation = EVACUATED;
	g_main_loop_quit(machine->loop);
}

static gboolean on_evacuation_timeout(gpointer data)
{
	HbMachine *machine = data;

	g_printerr("hotbay: quit: a drive was not given back in %d s: the kernel does it when the "
		   "process ends\n",
		   EVACUATION_TIMEOUT_MS / 1000);
	machine->evacuation = ABANDONED;
	machine->status = EXIT_FAILURE;
	g_main_loop_quit(machine->loop);
	return G_SOURCE_REMOVE;
}

static void evacuate(HbMachine *machine)
{
	if (machine->evacuation != NOT_EVACUATING)
		return;
	machine->evacuation = EVACUATING;
	g_timeout_add(EVACUATION_TIMEOUT_MS, on_evacuation_timeout, machine);
	hb_drives_evacuate(machine->drives, on_evacuated);
}

void hb_machine_quit(HbMachine *machine, HbCause cause)
{
	if (machine->quitting)
		return;
	machine->quitting = TRUE;
	hb_cpus_pause(machine->cpus);
	machine->state = HB_RUN_STATE_SHUTDOWN;
	send(machine, HB_MACHINE_EVENT_SHUTDOWN, cause);
	evacuate(machine);
}

static void fail_internally(HbMachine *machine, const char *message)
{
	g_printerr("hotbay: %s\n", message);
	if (!machine->quitting)
		pause_into(machine, HB_RUN_STATE_INTERNAL_ERROR);
}

/* The first vCPU at the kernel's entry, and in memory all that it finds there. */
static gboolean load(HbMachine *machine, GError **error)
{
	return hb_boot_load(machine->boot, machine->tables, error) &&
	       hb_cpus_set_entry(machine->cpus, machine->boot, error);
}

static gboolean reset_parts(HbMachine *machine, GError **error)
{
	hb_host_bridge_reset(machine->bridge);
	hb_chipset_reset(machine->chipset);
	hb_vm_reset(machine->vm);
	return hb_host_bridge_lay_out_again(machine->bridge, error) &&
	       hb_cpus_reset(machine->cpus, error) && load(machine, error);
}

static void reset(HbMachine *machine, HbCause cause)
{
	g_autoptr(GError) error = NULL;

	if (machine->quitting)
		return;
	if (machine->options->no_reboot) {
		hb_machine_quit(machine, cause);
		return;
	}
	hb_cpus_pause(machine->cpus);
	if (!reset_parts(machine, &error)) {
		g_prefix_error(&error, "reset: ");
		fail_internally(machine, error->message);
		return;
	}
	if (machine->state == HB_RUN_STATE_RUNNING)
		hb_cpus_resume(machine->cpus);
	else if (machine->state != HB_RUN_STATE_PRELAUNCH)
		machine->state = HB_RUN_STATE_PAUSED;
	send(machine, HB_MACHINE_EVENT_RESET, cause);
}

static void shut_down(HbMachine *machine, const char *message)
{
	if (!machine->options->no_shutdown) {
		hb_machine_quit(machine, HB_CAUSE_GUEST_SHUTDOWN);
	} else if (!machine->quitting) {
		send(machine, HB_MACHINE_EVENT_SHUTDOWN, HB_CAUSE_GUEST_SHUTDOWN);
		pause_into(machine, HB_RUN_STATE_SHUTDOWN);
	}
}

static void reset_by_guest(HbMachine *machine, const char *message)
{
	if (message)
		g_printerr("hotbay: %s: resetting\n", message);
	reset(machine, HB_CAUSE_GUEST_RESET);
}

static void reset_by_host(HbMachine *machine, const char *message)
{
	reset(machine, HB_CAUSE_HOST_QMP_SYSTEM_RESET);
}

static gboolean on_request(gpointer data)
{
	Request *request = data;

	request->handle(request->machine, request->message);
	return G_SOURCE_REMOVE;
}

static void free_request(gpointer data)
{
	Request *request = data;

	g_free(request->message);
	g_free(request);
}

/* Any thread. */
static void post(HbMachine *machine, void (*handle)(HbMachine *machine, const char *message),
		 const char *message)
{
	Request *request = g_new0(Request, 1);

	request->machine = machine;
	request->handle = handle;
	request->message = g_strdup(message);
	g_idle_add_full(G_PRIORITY_DEFAULT, on_request, request, free_request);
}

/* -- What vCPUs ask for, on their threads. -- */

static void on_power_off(gpointer opaque)
{
	HbMachine *machine = opaque;

	hb_cpus_request_pause(machine->cpus);
	post(machine, shut_down, NULL);
}

static void on_reset(gpointer opaque)
{
	HbMachine *machine = opaque;

	hb_cpus_request_pause(machine->cpus);
	post(machine, reset_by_guest, NULL);
}

static const HbChipsetOps chipset_ops = { .power_off = on_power_off, .reset = on_reset };

static void on_pio(gpointer opaque, guint16 port, gpointer data, guint size, gboolean is_write)
{
	hb_chipset_pio(((HbMachine *)opaque)->chipset, port, data, size, is_write);
}

static void on_mmio(gpointer opaque, guint64 gpa, gpointer data, guint size, gboolean is_write)
{
	hb_chipset_mmio(((HbMachine *)opaque)->chipset, gpa, data, size, is_write);
}

static gboolean on_revoke(gpointer opaque, guint *n_faults)
{
	return hb_host_bridge_revoke(((HbMachine *)opaque)->bridge, n_faults);
}

static void on_vcpu_ended(gpointer opaque, HbVcpuEnd end, const char *message)
{
	HbMachine *machine = opaque;

	hb_cpus_request_pause(machine->cpus);
	post(machine, end == HB_VCPU_END_ERROR ? fail_internally : reset_by_guest, message);
}

static const HbVcpuOps vcpu_ops = {
	.pio = on_pio,
	.mmio = on_mmio,
	.revoke = on_revoke,
	.ended = on_vcpu_ended,
};

/* -- Making it. -- */

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

static gboolean add_memory(HbMachine *machine, GError **error)
{
	HbKvmConfig config = { .pci_gsi = { HB_LAYOUT_PCI_GSIS } };
	const HbRam *ranges;
	guint n;

	machine->memory = hb_memory_create(machine->options->memory,
					   machine->options->memory_options.backend, error);
	if (machine->memory == NULL)
		return FALSE;
	ranges = hb_memory_get_ranges(machine->memory, &n);
	for (guint i = 0; i < n; i++) {
		if (!hb_vm_add_memory(machine->vm, i, ranges[i].gpa, ranges[i].size, ranges[i].hva,
				      error))
			return FALSE;
	}
	config.first_memory_slot = n;
	machine->kvm = hb_kvm_create(hb_vm_get_fd(machine->vm), &config, NULL, error);
	if (machine->kvm == NULL)
		return FALSE;
	for (guint i = 0; i < n; i++) {
		if (!hb_host_add_ram(hb_kvm_get_host(machine->kvm), &ranges[i], error))
			return FALSE;
	}
	return !needs_lock(machine->options) || hb_memory_lock(machine->memory, error);
}

static gboolean use_iommu(HbMachine *machine, GError **error)
{
	const HbOptions *options = machine->options;
	const HbIommuOptions *iommu = &options->iommu_options;

	if (!hb_vfio_use_iommu(machine->vfio, iommu->iommu, iommu->fd, error)) {
		g_prefix_error(error, "%s: ", iommu->id ? "-object iommufd" : "-machine");
		return FALSE;
	}
	if (!iommu->peer_to_peer || hb_vfio_connect_drives(machine->vfio, error))
		return TRUE;
	g_prefix_error(error, "-machine: x-hotbay-peer-to-peer=on: ");
	return FALSE;
}

static gboolean add_vfio(HbMachine *machine, GError **error)
{
	const HbOptions *options = machine->options;

	machine->vfio = hb_vfio_create(hb_kvm_get_host(machine->kvm), options->max_vectors);
	hb_vfio_expect_vectors(machine->vfio, options->cpus + 1); /* a queue each, and admin */
	if (!hb_options_can_have_drives(options))
		return TRUE;
	return use_iommu(machine, error) &&
	       hb_vfio_share_vectors(machine->vfio, VECTORS_PATH, error);
}

/* In the mode that the operator chose. */
static gboolean add_ports(HbMachine *machine, GError **error)
{
	const HbDeviceOptions *devices = machine->options->devices;
	guint n_ports = hb_device_options_get_n_ports(devices);

	if (machine->options->passthrough_hotplug == HB_PASSTHROUGH_HOTPLUG_OFF)
		hb_ports_disable_hotplug(machine->ports);
	if (machine->options->acpi_hotplug && n_ports) {
		HbAcpiHotplug *hotplug = hb_chipset_add_hotplug(machine->chipset, n_ports, error);

		if (hotplug == NULL)
			return FALSE;
		hb_ports_set_hotplug(machine->ports, hotplug);
	}
	return hb_ports_add(machine->ports, devices, error);
}

static gboolean add_bays(HbMachine *machine, GError **error)
{
	machine->bays =
		hb_machine_bays_create(hb_kvm_get_host(machine->kvm), machine->options->devices,
				       machine->drives, on_drives_event, machine, error);
	return machine->bays != NULL;
}

static gboolean add_pci(HbMachine *machine, GError **error)
{
	HbHost *host = hb_kvm_get_host(machine->kvm);
	const HbDeviceOptions *devices = machine->options->devices;

	if (!hb_layout_bridge(machine->options->memory, hb_cpuid_get_address_bits(machine->cpuid),
			      hb_device_options_count_buses(devices), &machine->bridge_config,
			      error))
		return FALSE;
	machine->bridge = hb_host_bridge_create(host, &machine->bridge_config, error);
	if (machine->bridge == NULL)
		return FALSE;
	machine->chipset = hb_chipset_create(machine->vm, machine->bridge, machine->options->serial,
					     &chipset_ops, machine, error);
	if (machine->chipset == NULL)
		return FALSE;
	if (!add_vfio(machine, error))
		return FALSE;
	machine->ports = hb_ports_create(machine->bridge);
	machine->drives = hb_drives_create(machine->ports, machine->vfio, machine->memory,
					   on_drives_event, machine);
	hb_host_set_listener(host, on_host_event, machine);
	if (add_ports(machine, error) && add_bays(machine, error))
		return TRUE;
	g_prefix_error(error, "-device ");
	return FALSE;
}

static gboolean add_drives(HbMachine *machine, GError **error)
{
	const HbDeviceOptions *devices = machine->options->devices;

	if (needs_lock(machine->options) || machine->options->memory_options.backend->prealloc)
		hb_memory_populate(machine->memory);
	if (machine->options->memory_options.backend->prealloc &&
	    !hb_memory_wait_populated(machine->memory, error))
		return FALSE;
	for (guint i = 0; i < hb_device_options_get_n_drives(devices); i++) {
		if (!hb_drives_cold_plug(machine->drives, hb_device_options_get_drive(devices, i),
					 error)) {
			g_prefix_error(error, "-device vfio-pci: ");
			return FALSE;
		}
	}
	hb_machine_bays_cold_plug(machine->bays);
	if (hb_host_bridge_lay_out(machine->bridge, error))
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

static gboolean add_kernel(HbMachine *machine, GError **error)
{
	const HbOptions *options = machine->options;
	g_autofree char *cache = get_kernel_cache(options);

	machine->boot = hb_boot_create(machine->memory, options->kernel, cache, options->initrd,
				       options->append, error);
	if (machine->boot == NULL)
		return FALSE;
	machine->tables = hb_tables_build(options, &machine->bridge_config, error);
	return machine->tables != NULL;
}

static gboolean add_cpus(HbMachine *machine, GError **error)
{
	const HbOptions *options = machine->options;

	machine->cpus = hb_cpus_create(machine->vm, machine->cpuid, options->cpus,
				       &options->topology, &vcpu_ops, machine, error);
	return machine->cpus != NULL;
}

static gboolean build(HbMachine *machine, GError **error)
{
	if (!check_memory(machine->options, error))
		return FALSE;
	machine->vm = hb_vm_create(machine->options->cpus, error);
	if (machine->vm == NULL)
		return FALSE;
	machine->cpuid = hb_vm_get_cpuid(machine->vm, error);
	return machine->cpuid && add_memory(machine, error) && add_pci(machine, error) &&
	       add_kernel(machine, error) && add_cpus(machine, error) &&
	       add_drives(machine, error) && load(machine, error);
}

HbMachine *hb_machine_create(const HbOptions *options, GError **error)
{
	HbMachine *machine = g_new0(HbMachine, 1);

	machine->options = options;
	machine->loop = g_main_loop_new(NULL, FALSE);
	machine->listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
	if (build(machine, error))
		return machine;
	hb_machine_destroy(machine);
	return NULL;
}

/* Whether no worker of a drive uses the machine any more. */
static gboolean finish_evacuation(HbMachine *machine)
{
	if (machine->drives == NULL)
		return TRUE;
	evacuate(machine);
	while (machine->evacuation == EVACUATING)
		g_main_context_iteration(NULL, TRUE);
	return machine->evacuation == EVACUATED;
}

void hb_machine_destroy(HbMachine *machine)
{
	/* What is still in use then goes with the process. */
	if (machine == NULL || !finish_evacuation(machine))
		return;
	hb_cpus_destroy(machine->cpus);
	hb_boot_destroy(machine->boot);
	g_clear_pointer(&machine->tables, g_byte_array_unref);
	g_free(machine->cpuid);
	g_clear_pointer(&machine->bays, hb_machine_bays_destroy);
	if (machine->kvm)
		hb_host_set_listener(hb_kvm_get_host(machine->kvm), NULL, NULL);
	hb_drives_destroy(machine->drives);
	hb_ports_destroy(machine->ports);
	hb_chipset_destroy(machine->chipset);
	if (machine->bridge)
		hb_host_bridge_destroy(machine->bridge);
	if (machine->vfio)
		hb_vfio_destroy(machine->vfio);
	if (machine->kvm)
		hb_kvm_destroy(machine->kvm);
	hb_memory_destroy(machine->memory);
	hb_vm_destroy(machine->vm);
	g_array_unref(machine->listeners);
	g_main_loop_unref(machine->loop);
	g_free(machine);
}

int hb_machine_run(HbMachine *machine)
{
	hb_ports_set_running(machine->ports);
	if (!machine->options->paused && !machine->quitting)
		hb_machine_cont(machine, NULL);
	if (machine->evacuation == NOT_EVACUATING || machine->evacuation == EVACUATING)
		g_main_loop_run(machine->loop);
	return machine->status;
}

/* -- What the operator asks for. -- */

const char *hb_machine_get_name(HbMachine *machine)
{
	return machine->options->name;
}

const char *hb_machine_get_uuid(HbMachine *machine)
{
	return machine->options->uuid ? machine->options->uuid : NO_UUID;
}

HbRunState hb_machine_get_run_state(HbMachine *machine)
{
	return machine->state;
}

void hb_machine_stop(HbMachine *machine)
{
	if (machine->state == HB_RUN_STATE_RUNNING)
		pause_into(machine, HB_RUN_STATE_PAUSED);
}

gboolean hb_machine_cont(HbMachine *machine, GError **error)
{
	if (machine->state == HB_RUN_STATE_RUNNING)
		return TRUE;
	if (machine->state == HB_RUN_STATE_SHUTDOWN ||
	    machine->state == HB_RUN_STATE_INTERNAL_ERROR) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Resetting the Virtual Machine is required");
		return FALSE;
	}
	machine->state = HB_RUN_STATE_RUNNING;
	hb_cpus_resume(machine->cpus);
	send(machine, HB_MACHINE_EVENT_RESUME, 0);
	return TRUE;
}

void hb_machine_powerdown(HbMachine *machine)
{
	hb_chipset_press_power_button(machine->chipset);
	send(machine, HB_MACHINE_EVENT_POWERDOWN, 0);
}

void hb_machine_reset(HbMachine *machine, HbCause cause)
{
	post(machine, cause == HB_CAUSE_GUEST_RESET ? reset_by_guest : reset_by_host, NULL);
}

void hb_machine_device_add(HbMachine *machine, JsonObject *properties, HbMachineDone done,
			   gpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HbProperties) read = hb_json_properties_read(properties, &error);
	g_autoptr(HbDriveOptions) options = read ? hb_drive_options_read(read, &error) : NULL;

	if (options &&
	    hb_iommu_options_check_drive(&machine->options->iommu_options, options, &error))
		hb_drives_add(machine->drives, g_steal_pointer(&options), done, data);
	else
		done(error, data);
}

gboolean hb_machine_device_del(HbMachine *machine, const char *id, const HbRemoval *removal,
			       GError **error)
{
	return hb_drives_remove(machine->drives, id, removal, error);
}

gboolean hb_machine_device_pull(HbMachine *machine, const char *id, GError **error)
{
	return hb_drives_pull(machine->drives, id, error);
}

void hb_machine_foreach_device(HbMachine *machine, HbMachineDeviceFunc func, gpointer data)
{
	hb_machine_bays_foreach(machine->bays, func, data);
}

void hb_machine_get_counters(HbMachine *machine, HbVfioCounters *counters)
{
	hb_vfio_get_counters(machine->vfio, counters);
}

HbHostBridge *hb_machine_get_bridge(HbMachine *machine)
{
	return machine->bridge;
}

guint hb_machine_get_n_cpus(HbMachine *machine)
{
	return hb_cpus_get_n(machine->cpus);
}

int hb_machine_get_cpu_thread_id(HbMachine *machine, guint cpu)
{
	return hb_cpus_get_thread_id(machine->cpus, cpu);
}
