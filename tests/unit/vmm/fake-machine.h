/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_VMM_FAKE_MACHINE_H
#define TESTS_UNIT_VMM_FAKE_MACHINE_H

/*
 * A machine that only writes down what it is asked for, with a monitor. Its PCI bus is real: two
 * root ports, the first with a function in its slot.
 */

#include "vmm/commands.h"

#include "tests/unit/vmm/qmp-peer.h"

#include <linux/pci_regs.h>

struct HbMachine {
	HbMachineListener listener;
	gpointer listener_data;
	HbRunState state;
	GString *asked;	    /* what was asked for, each with a space */
	GError *refusal;    /* what cont, device_add and device_del answer; NULL: success */
	gboolean slow;	    /* device_add ends later */
	HbMachineDone done; /* of a slow device_add */
	gpointer done_data;
	const char *name;
	HbHost *host;
	HbHostBridge *bridge;
	HbPort *ports[2];
	HbPciFunction drive;
	HbSlotHistory *history; /* of the first port */
};

static HbMachine machine;
static HbCommands *monitor;

/* The machine. */

const char *hb_run_state_to_str(HbRunState state)
{
	return state == HB_RUN_STATE_RUNNING ? "running" : "paused";
}

const char *hb_cause_to_str(HbCause cause)
{
	return cause == HB_CAUSE_GUEST_RESET ? "guest-reset" : "host-qmp-quit";
}

gboolean hb_cause_is_guest(HbCause cause)
{
	return cause == HB_CAUSE_GUEST_RESET;
}

void hb_machine_add_listener(HbMachine *self, HbMachineListener listener, gpointer data)
{
	self->listener = listener;
	self->listener_data = data;
}

void hb_machine_remove_listener(HbMachine *self, HbMachineListener listener, gpointer data)
{
	ck_assert(self->listener == listener && self->listener_data == data);
	self->listener = NULL;
}

const char *hb_machine_get_name(HbMachine *self)
{
	return self->name;
}

const char *hb_machine_get_uuid(HbMachine *self)
{
	return "00000000-0000-0000-0000-000000000000";
}

HbRunState hb_machine_get_run_state(HbMachine *self)
{
	return self->state;
}

void hb_machine_stop(HbMachine *self)
{
	g_string_append(self->asked, "stop ");
}

static inline gboolean answer(HbMachine *self, GError **error)
{
	if (self->refusal && error)
		*error = g_error_copy(self->refusal);
	return !self->refusal;
}

gboolean hb_machine_cont(HbMachine *self, GError **error)
{
	g_string_append(self->asked, "cont ");
	return answer(self, error);
}

void hb_machine_powerdown(HbMachine *self)
{
	g_string_append(self->asked, "powerdown ");
}

void hb_machine_reset(HbMachine *self, HbCause cause)
{
	ck_assert_int_eq(cause, HB_CAUSE_HOST_QMP_SYSTEM_RESET);
	g_string_append(self->asked, "reset ");
}

static inline void happen(const HbMachineEvent *event)
{
	machine.listener(&machine, event, machine.listener_data);
}

void hb_machine_quit(HbMachine *self, HbCause cause)
{
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_SHUTDOWN, .cause = cause };

	ck_assert_int_eq(cause, HB_CAUSE_HOST_QMP_QUIT);
	g_string_append(self->asked, "quit ");
	happen(&event);
}

void hb_machine_device_add(HbMachine *self, JsonObject *properties, HbMachineDone done,
			   gpointer data)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_set_object(node, properties);
	text = json_to_string(node, FALSE);
	g_string_append_printf(self->asked, "add %s ", text);
	self->done = done;
	self->done_data = data;
	if (!self->slow)
		done(self->refusal, data);
}

gboolean hb_machine_device_del(HbMachine *self, const char *id, const HbRemoval *removal,
			       GError **error)
{
	g_string_append_printf(self->asked, "del %s ", id);
	if (removal)
		g_string_append_printf(self->asked, "in %u%s ", removal->timeout_ms,
				       removal->then_pull ? " then pull" : "");
	return answer(self, error);
}

gboolean hb_machine_device_pull(HbMachine *self, const char *id, GError **error)
{
	g_string_append_printf(self->asked, "pull %s ", id);
	return answer(self, error);
}

void hb_machine_get_counters(HbMachine *self, HbVfioCounters *counters)
{
	*counters = (HbVfioCounters){
		.route_commits = 2, .route_connections = 5, .vector_calls = 1, .notifier_calls = 2
	};
}

void hb_machine_foreach_device(HbMachine *self, HbMachineDeviceFunc func, gpointer data)
{
	static const guint64 bar_sizes[] = { 0x4000, 0, 0, 0, 0, 0 };
	const HbMachineDevice devices[] = {
		{ .driver = "pcie-root-port",
		  .id = "bay0",
		  .bus = "pcie.0",
		  .devfn = HB_PCI_DEVFN(4, 0),
		  .port = self->ports[0],
		  .function = hb_port_get_function(self->ports[0]),
		  .chassis = 1,
		  .slot = 1,
		  .hotplug = TRUE,
		  .history = self->history,
		  .host_slot = "1-2",
		  .auto_add = "on",
		  .host_drive = "0000:01:00.0",
		  .occupant = "nvme0" },
		{ .driver = "pcie-root-port",
		  .id = "bay1",
		  .bus = "pcie.0",
		  .devfn = HB_PCI_DEVFN(4, 1),
		  .port = self->ports[1],
		  .function = hb_port_get_function(self->ports[1]),
		  .chassis = 2,
		  .slot = 2 },
		{ .driver = "vfio-pci",
		  .id = "nvme0",
		  .bus = "bay0",
		  .port = self->ports[0],
		  .host = "0000:01:00.0",
		  .function = &self->drive,
		  .state = "plugged",
		  .bar_sizes = bar_sizes },
		{ .driver = "vfio-pci",
		  .bus = "bay1",
		  .port = self->ports[1],
		  .host = "0000:02:00.0",
		  .state = "adding" },
	};

	for (guint i = 0; i < G_N_ELEMENTS(devices); i++)
		func(&devices[i], data);
}

HbHostBridge *hb_machine_get_bridge(HbMachine *self)
{
	return self->bridge;
}

guint hb_machine_get_n_cpus(HbMachine *self)
{
	return 2;
}

int hb_machine_get_cpu_thread_id(HbMachine *self, guint cpu)
{
	return 100 + (int)cpu;
}

/* The drive: an NVMe controller with one BAR at 0, which nobody maps. */

static inline guint32 drive_read(HbPciFunction *function, guint offset, guint size)
{
	switch (offset) {
	case PCI_VENDOR_ID:
		return size == 2 ? 0x1b36 : 0x00101b36;
	case PCI_DEVICE_ID:
		return 0x0010;
	case PCI_CLASS_DEVICE:
		return 0x0108;
	default:
		return 0;
	}
}

static inline void drive_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
}

static inline void drive_attach(HbPciFunction *function, HbHostBridge *bridge)
{
}

static inline void drive_reset(HbPciFunction *function)
{
}

static inline void drive_release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	if (done)
		done(data);
}

static const HbPciFunctionOps drive_ops = {
	.config_read = drive_read,
	.config_write = drive_write,
	.attach = drive_attach,
	.reset = drive_reset,
	.sever = drive_reset,
	.release = drive_release,
};

/* What the embedder gives to the library: routes for the ports' interrupts, which go nowhere. */

static inline gboolean host_signal_msi(HbHost *host, const HbMsiMessage *message, GError **error)
{
	return TRUE;
}

static inline gboolean host_route_add(HbHost *host, guint *route, GError **error)
{
	*route = 0;
	return TRUE;
}

static inline void host_route_set(HbHost *host, guint route, const HbMsiMessage *message)
{
}

static inline void host_route_remove(HbHost *host, guint route)
{
}

static inline gboolean host_routes_commit(HbHost *host, GError **error)
{
	return TRUE;
}

static inline gboolean host_route_connect(HbHost *host, guint route, int eventfd, GError **error)
{
	return TRUE;
}

static inline void host_route_disconnect(HbHost *host, guint route, int eventfd)
{
}

static const HbHostOps host_ops = {
	.signal_msi = host_signal_msi,
	.route_add = host_route_add,
	.route_set = host_route_set,
	.route_remove = host_route_remove,
	.routes_commit = host_routes_commit,
	.route_connect = host_route_connect,
	.route_disconnect = host_route_disconnect,
};

static inline HbPort *add_port(const char *id, guint8 number)
{
	HbPortConfig config;
	HbPort *port;

	hb_port_config_init(&config);
	config.id = id;
	config.devfn = HB_PCI_DEVFN(4, number - 1);
	config.multifunction = number == 1;
	config.chassis = number;
	config.slot = number;
	port = hb_port_create(machine.bridge, &config, NULL);
	ck_assert_ptr_nonnull(port);
	return port;
}

static inline void add_bus(void)
{
	static const HbHostBridgeConfig config = {
		.ecam = { 0xe0000000, 0x10000000 },
		.mem32 = { 0xc0000000, 0x20000000 },
		.mem64 = { G_GUINT64_CONSTANT(1) << 38, G_GUINT64_CONSTANT(1) << 36 },
	};

	machine.host = hb_host_create(&host_ops, NULL, NULL);
	machine.bridge = hb_host_bridge_create(machine.host, &config, NULL);
	ck_assert_ptr_nonnull(machine.bridge);
	machine.ports[0] = add_port("bay0", 1);
	machine.ports[1] = add_port("bay1", 2);
	machine.drive.ops = &drive_ops;
	ck_assert(hb_port_plug(machine.ports[0], &machine.drive, 0, NULL));
	ck_assert(hb_host_bridge_lay_out(machine.bridge, NULL));
}

static inline void set_up(void)
{
	context = g_main_context_default();
	machine = (HbMachine){ .state = HB_RUN_STATE_RUNNING, .asked = g_string_new(NULL) };
	machine.history = hb_slot_history_create();
	add_bus();
	monitor = hb_commands_create(&machine);
	qmp = hb_commands_get_qmp(monitor);
}

static inline void tear_down(void)
{
	hb_commands_destroy(monitor);
	ck_assert(!machine.listener);
	hb_host_bridge_destroy(machine.bridge);
	hb_host_destroy(machine.host);
	hb_slot_history_destroy(machine.history);
	g_clear_error(&machine.refusal);
	g_string_free(machine.asked, TRUE);
}

#endif
