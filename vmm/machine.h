/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <hotbay/hotbay.h>
#include <json-glib/json-glib.h>

#include "vmm/options.h"
#include "vmm/slot-history.h"

/**
 * HbMachine:
 *
 * One virtual machine. Everything in this header is for the loop thread (the default main context)
 * unless it says otherwise, and nothing in it blocks but create, run and destroy.
 */
typedef struct HbMachine HbMachine;

/** HbRunState: QEMU's RunState, the members that can happen here. */
typedef enum HbRunState {
	HB_RUN_STATE_PRELAUNCH, /* -S, before the first cont */
	HB_RUN_STATE_RUNNING,
	HB_RUN_STATE_PAUSED,
	HB_RUN_STATE_SHUTDOWN, /* the guest has powered off, and -no-shutdown keeps the process */
	HB_RUN_STATE_INTERNAL_ERROR, /* a vCPU cannot go on; only a reset or quit helps */
} HbRunState;

/** hb_run_state_to_str: Returns: QEMU's name, "prelaunch" and so on. Any thread. */
const char *hb_run_state_to_str(HbRunState state);

/** HbCause: QEMU's ShutdownCause: who asked for a shutdown or a reset. */
typedef enum HbCause {
	HB_CAUSE_HOST_ERROR,
	HB_CAUSE_HOST_QMP_QUIT,
	HB_CAUSE_HOST_QMP_SYSTEM_RESET,
	HB_CAUSE_HOST_SIGNAL,
	HB_CAUSE_GUEST_SHUTDOWN,
	HB_CAUSE_GUEST_RESET,
} HbCause;

/** hb_cause_to_str: Returns: QEMU's name, "host-qmp-quit" and so on. Any thread. */
const char *hb_cause_to_str(HbCause cause);

/** hb_cause_is_guest: Returns: the "guest" member of QEMU's SHUTDOWN and RESET events. */
gboolean hb_cause_is_guest(HbCause cause);

/**
 * HbMachineEventType:
 * @HB_MACHINE_EVENT_SHUTDOWN: QMP SHUTDOWN; @cause is set
 * @HB_MACHINE_EVENT_RESET: QMP RESET; @cause is set
 * @HB_MACHINE_EVENT_POWERDOWN: QMP POWERDOWN: the power button was pressed
 * @HB_MACHINE_EVENT_STOP, @HB_MACHINE_EVENT_RESUME: QMP STOP and RESUME
 * @HB_MACHINE_EVENT_DEVICE_DELETED: QMP DEVICE_DELETED: @device and @path are set. Its last file
 *   descriptor is closed and the id is free.
 * @HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR: QMP DEVICE_UNPLUG_GUEST_ERROR: the guest refused the
 * removal of @device, or did not answer; the reason of @told says which
 * @HB_MACHINE_EVENT_SLOT: QMP HOTBAY_SLOT_*: @told happened in @bus; @device is the drive it is
 *   about, NULL if there is none. Sent for every event of a slot, before the event above that it
 * may cause.
 * @HB_MACHINE_EVENT_BAY: QMP HOTBAY_HOST_DRIVE_*: @told happened to the drive @host in the host's
 *   slot @host_slot, to which @bus is bound
 */
typedef enum HbMachineEventType {
	HB_MACHINE_EVENT_SHUTDOWN,
	HB_MACHINE_EVENT_RESET,
	HB_MACHINE_EVENT_POWERDOWN,
	HB_MACHINE_EVENT_STOP,
	HB_MACHINE_EVENT_RESUME,
	HB_MACHINE_EVENT_DEVICE_DELETED,
	HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR,
	HB_MACHINE_EVENT_SLOT,
	HB_MACHINE_EVENT_BAY,
} HbMachineEventType;

/** HbMachineEvent: what happened; valid during the listener's call. Unused members are zero. */
typedef struct HbMachineEvent {
	HbMachineEventType type;
	HbCause cause;
	const char *device; /* id of the drive */
	const char *path;   /* "/machine/peripheral/ID" */
	const char *bus;    /* id of the port */
	const char *host;   /* "0000:01:00.0", the drive on the host */
	const char *host_slot;
	const HbEvent *told; /* the library's event that it comes from; NULL: none */
	gint64 time_us;	     /* when it happened, as g_get_monotonic_time(); 0: now */
} HbMachineEvent;

typedef void (*HbMachineListener)(HbMachine *machine, const HbMachineEvent *event, gpointer data);

/**
 * hb_machine_create:
 * @options: must outlive the machine
 *
 * Builds the whole machine, loads the kernel, opens and plugs the cold-plugged drives. No vCPU runs
 * yet.
 *
 * Returns: (nullable): NULL with an error that starts with the flag to blame
 */
HbMachine *hb_machine_create(const HbOptions *options, GError **error);

/** hb_machine_destroy: stops everything and gives every drive back to the host. Takes NULL. */
void hb_machine_destroy(HbMachine *machine);

/**
 * hb_machine_run:
 *
 * Starts the guest (not with -S) and iterates the loop until the machine has quit: all occupants
 * are released then.
 *
 * Returns: the process's exit status
 */
int hb_machine_run(HbMachine *machine);

/** hb_machine_add_listener: called in order of addition; any number. */
void hb_machine_add_listener(HbMachine *machine, HbMachineListener func, gpointer data);

/** hb_machine_remove_listener: undoes one hb_machine_add_listener() with the same arguments. */
void hb_machine_remove_listener(HbMachine *machine, HbMachineListener func, gpointer data);

/** hb_machine_get_name: Returns: (transfer none) (nullable): -name. */
const char *hb_machine_get_name(HbMachine *machine);

/** hb_machine_get_uuid: Returns: (transfer none): -uuid, or all zeroes. */
const char *hb_machine_get_uuid(HbMachine *machine);

HbRunState hb_machine_get_run_state(HbMachine *machine);

/** hb_machine_stop: pauses all vCPUs; when it returns none runs guest code. Idempotent. */
void hb_machine_stop(HbMachine *machine);

/**
 * hb_machine_cont: lets the vCPUs run. Idempotent.
 *
 * Returns: FALSE with %HB_ERROR_INVALID if the state needs a reset first (QEMU's "Resetting the
 *   Virtual Machine is required")
 */
gboolean hb_machine_cont(HbMachine *machine, GError **error);

/** hb_machine_powerdown: presses the power button; the guest decides. POWERDOWN follows. */
void hb_machine_powerdown(HbMachine *machine);

/**
 * hb_machine_reset:
 * @cause: who asked; QMP gives %HB_CAUSE_HOST_QMP_SYSTEM_RESET
 *
 * Resets the machine soon, from the loop. With -no-reboot it quits instead.
 */
void hb_machine_reset(HbMachine *machine, HbCause cause);

/**
 * hb_machine_quit:
 * @cause: who asked; QMP gives %HB_CAUSE_HOST_QMP_QUIT
 *
 * Ends the guest: SHUTDOWN is sent at once, hb_machine_run() returns when all is given back.
 */
void hb_machine_quit(HbMachine *machine, HbCause cause);

/**
 * HbMachineDone:
 * @error: (nullable): NULL if the operation succeeded
 *
 * Called exactly once, on the loop; possibly before the call that takes it returns.
 */
typedef void (*HbMachineDone)(const GError *error, gpointer data);

/**
 * hb_machine_device_add:
 * @properties: "driver", "id", "bus" and so on, as -device takes them in JSON: the "arguments" of
 *   QMP's device_add. Not kept.
 * @done: NULL error: the drive is in the slot (or in line for it)
 *
 * Checks @properties and reserves the id and the bus at once; the drive is opened in a worker.
 */
void hb_machine_device_add(HbMachine *machine, JsonObject *properties, HbMachineDone done,
			   gpointer data);

/**
 * hb_machine_device_del:
 * @removal: (nullable): NULL: the port's time, no pull
 *
 * Asks the guest to let the drive go. TRUE means that the request is under way:
 * %HB_MACHINE_EVENT_DEVICE_DELETED or %HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR ends it. One that is
 * still being added, or waits in line, does not get in.
 *
 * Returns: FALSE with %HB_ERROR_NOT_FOUND (QMP class DeviceNotFound) for an unknown id,
 *   %HB_ERROR_BUSY while one is under way, %HB_ERROR_UNSUPPORTED for a port or a slot without
 *   hot-plug
 */
gboolean hb_machine_device_del(HbMachine *machine, const char *id, const HbRemoval *removal,
			       GError **error);

/**
 * hb_machine_device_pull:
 *
 * Takes the drive from the guest at once, as if it were pulled from the host. Overtakes a removal
 * under way. %HB_MACHINE_EVENT_DEVICE_DELETED ends it.
 *
 * Returns: FALSE with %HB_ERROR_NOT_FOUND for an unknown id, %HB_ERROR_BUSY if it is on its way out
 *   already, %HB_ERROR_UNSUPPORTED for a port
 */
gboolean hb_machine_device_pull(HbMachine *machine, const char *id, GError **error);

/**
 * HbMachineDevice:
 *
 * One device of -device or device_add, valid until the loop runs again.
 */
typedef struct HbMachineDevice {
	const char
		*driver; /* "pcie-root-port", "xio3130-downstream", "x3130-upstream", "vfio-pci" */
	const char *id;
	const char *bus; /* "pcie.0", or the id of the switch or port it sits in */
	guint8 devfn;	 /* on that bus */
	HbPort *port;	 /* the port itself, or the one it sits in */
	/* What hb_host_bridge_find() finds; NULL while a drive is being opened or released. */
	const HbPciFunction *function;

	/* Of a port. */
	guint8 chassis;
	guint16 slot;
	gboolean hotplug;
	const HbSlotHistory *history;
	const char *host_slot;	/* the host's slot that it is bound to; NULL: none */
	const char *auto_add;	/* "off", "passthrough", "on" */
	const char *host_drive; /* address of what is in there; NULL: empty */
	const char *occupant;	/* id of what is in it, or of the drive being added; NULL: empty */

	/* Of a drive. */
	const char *host; /* "0000:01:00.0" */
	/* Of a switch: "fixed". */
	const char *state; /* "adding", "waiting", "plugged", "removing", "releasing" */
	/* Six, by hb_query_pci_measure() before it is plugged; NULL: not known, then query-pci
	 * shows no regions. */
	const guint64 *bar_sizes;
} HbMachineDevice;

typedef void (*HbMachineDeviceFunc)(const HbMachineDevice *device, gpointer data);

/** hb_machine_get_counters: what the drives' interrupts have cost so far. */
void hb_machine_get_counters(HbMachine *machine, HbVfioCounters *counters);

/** hb_machine_foreach_device: root ports in order of devfn, then the ports of switches, switches,
 * and drives in order of addition. */
void hb_machine_foreach_device(HbMachine *machine, HbMachineDeviceFunc func, gpointer data);

/** hb_machine_get_bridge: Returns: (transfer none): for hb_host_bridge_config_read() and the like.
 */
HbHostBridge *hb_machine_get_bridge(HbMachine *machine);

guint hb_machine_get_n_cpus(HbMachine *machine);

/** hb_machine_get_cpu_thread_id: Returns: the kernel's thread id of a vCPU, as query-cpus-fast
 * says. */
int hb_machine_get_cpu_thread_id(HbMachine *machine, guint cpu);

#endif
