/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The virtual machine: what state it is in, who hears of that, and what the operator can ask of its
 * parts (vmm/machine-parts.c).
 *
 *   PRELAUNCH --cont--> RUNNING <--stop, cont--> PAUSED
 *   any --guest powers off--> quit, or SHUTDOWN with -no-shutdown
 *   any --vCPU cannot go on--> INTERNAL_ERROR
 *   any --reset--> as it was; from SHUTDOWN and INTERNAL_ERROR to PAUSED
 *
 * State changes happen on the loop only. A vCPU that asks for one (reset, power-off, a fault)
 * pauses all vCPUs, itself too, and posts the request there. Quitting ends the guest first, then
 * gives the drives back to the host, and only then ends the loop.
 */

#include "vmm/machine.h"

#include "vmm/json-properties.h"
#include "vmm/machine-parts.h"

#include <stdlib.h>

#define NO_UUID		      "00000000-0000-0000-0000-000000000000"
#define EVACUATION_TIMEOUT_MS 30000

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
	HbMachineParts parts;

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
	if (machine->parts.bays)
		hb_machine_bays_follow(machine->parts.bays, event);
}

/* The library's one stream of events. */
static void on_host_event(const HbEvent *told, gpointer opaque)
{
	HbMachine *machine = opaque;

	if (told->port)
		hb_drives_hear(machine->parts.drives, told);
	else if (machine->parts.bays)
		hb_machine_bays_hear(machine->parts.bays, told);
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

	hb_cpus_pause(machine->parts.cpus);
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
	hb_drives_evacuate(machine->parts.drives, on_evacuated);
}

void hb_machine_quit(HbMachine *machine, HbCause cause)
{
	if (machine->quitting)
		return;
	machine->quitting = TRUE;
	hb_cpus_pause(machine->parts.cpus);
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

static void reset(HbMachine *machine, HbCause cause)
{
	g_autoptr(GError) error = NULL;

	if (machine->quitting)
		return;
	if (machine->parts.options->no_reboot) {
		hb_machine_quit(machine, cause);
		return;
	}
	hb_cpus_pause(machine->parts.cpus);
	if (!hb_machine_parts_reset(&machine->parts, &error)) {
		g_prefix_error(&error, "reset: ");
		fail_internally(machine, error->message);
		return;
	}
	if (machine->state == HB_RUN_STATE_RUNNING)
		hb_cpus_resume(machine->parts.cpus);
	else if (machine->state != HB_RUN_STATE_PRELAUNCH)
		machine->state = HB_RUN_STATE_PAUSED;
	send(machine, HB_MACHINE_EVENT_RESET, cause);
}

static void shut_down(HbMachine *machine, const char *message)
{
	if (!machine->parts.options->no_shutdown) {
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

	hb_cpus_request_pause(machine->parts.cpus);
	post(machine, shut_down, NULL);
}

static void on_reset(gpointer opaque)
{
	HbMachine *machine = opaque;

	hb_cpus_request_pause(machine->parts.cpus);
	post(machine, reset_by_guest, NULL);
}

static void on_pio(gpointer opaque, guint16 port, gpointer data, guint size, gboolean is_write)
{
	hb_chipset_pio(((HbMachine *)opaque)->parts.chipset, port, data, size, is_write);
}

static void on_mmio(gpointer opaque, guint64 gpa, gpointer data, guint size, gboolean is_write)
{
	hb_chipset_mmio(((HbMachine *)opaque)->parts.chipset, gpa, data, size, is_write);
}

static gboolean on_revoke(gpointer opaque, guint *n_faults)
{
	return hb_host_bridge_revoke(((HbMachine *)opaque)->parts.bridge, n_faults);
}

static void on_vcpu_ended(gpointer opaque, HbVcpuEnd end, const char *message)
{
	HbMachine *machine = opaque;

	hb_cpus_request_pause(machine->parts.cpus);
	post(machine, end == HB_VCPU_END_ERROR ? fail_internally : reset_by_guest, message);
}

static const HbMachinePartsOps parts_ops = {
	.chipset = { .power_off = on_power_off, .reset = on_reset },
	.vcpu = { .pio = on_pio, .mmio = on_mmio, .revoke = on_revoke, .ended = on_vcpu_ended },
	.drives_event = on_drives_event,
	.host_event = on_host_event,
};

/* -- Making it. -- */

HbMachine *hb_machine_create(const HbOptions *options, GError **error)
{
	HbMachine *machine = g_new0(HbMachine, 1);

	machine->loop = g_main_loop_new(NULL, FALSE);
	machine->listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
	if (hb_machine_parts_init(&machine->parts, options, &parts_ops, machine, error))
		return machine;
	hb_machine_destroy(machine);
	return NULL;
}

/* Whether no worker of a drive uses the machine any more. */
static gboolean finish_evacuation(HbMachine *machine)
{
	if (machine->parts.drives == NULL)
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
	hb_machine_parts_finish(&machine->parts);
	g_array_unref(machine->listeners);
	g_main_loop_unref(machine->loop);
	g_free(machine);
}

int hb_machine_run(HbMachine *machine)
{
	hb_ports_set_running(machine->parts.ports);
	if (!machine->parts.options->paused && !machine->quitting)
		hb_machine_cont(machine, NULL);
	if (machine->evacuation == NOT_EVACUATING || machine->evacuation == EVACUATING)
		g_main_loop_run(machine->loop);
	return machine->status;
}

/* -- What the operator asks for. -- */

const char *hb_machine_get_name(HbMachine *machine)
{
	return machine->parts.options->name;
}

const char *hb_machine_get_uuid(HbMachine *machine)
{
	return machine->parts.options->uuid ? machine->parts.options->uuid : NO_UUID;
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
	hb_cpus_resume(machine->parts.cpus);
	send(machine, HB_MACHINE_EVENT_RESUME, 0);
	return TRUE;
}

void hb_machine_powerdown(HbMachine *machine)
{
	hb_chipset_press_power_button(machine->parts.chipset);
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
	    hb_iommu_options_check_drive(&machine->parts.options->iommu_options, options, &error))
		hb_drives_add(machine->parts.drives, g_steal_pointer(&options), done, data);
	else
		done(error, data);
}

gboolean hb_machine_device_del(HbMachine *machine, const char *id, const HbRemoval *removal,
			       GError **error)
{
	return hb_drives_remove(machine->parts.drives, id, removal, error);
}

gboolean hb_machine_device_pull(HbMachine *machine, const char *id, GError **error)
{
	return hb_drives_pull(machine->parts.drives, id, error);
}

void hb_machine_foreach_device(HbMachine *machine, HbMachineDeviceFunc func, gpointer data)
{
	hb_machine_bays_foreach(machine->parts.bays, func, data);
}

void hb_machine_get_counters(HbMachine *machine, HbVfioCounters *counters)
{
	hb_vfio_get_counters(machine->parts.vfio, counters);
}

HbHostBridge *hb_machine_get_bridge(HbMachine *machine)
{
	return machine->parts.bridge;
}

guint hb_machine_get_n_cpus(HbMachine *machine)
{
	return hb_cpus_get_n(machine->parts.cpus);
}

int hb_machine_get_cpu_thread_id(HbMachine *machine, guint cpu)
{
	return hb_cpus_get_thread_id(machine->parts.cpus, cpu);
}
