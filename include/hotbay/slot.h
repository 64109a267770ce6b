/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_SLOT_H
#define HOTBAY_SLOT_H

/** slot.h: a port with one slot: what goes in, how it comes out, and what happens meanwhile. */

#include <hotbay/acpi-hotplug.h>
#include <hotbay/pci.h>

G_BEGIN_DECLS

/**
 * HbLinkSpeed:
 * @HB_LINK_SPEED_2_5_GT: PCIe 1
 * @HB_LINK_SPEED_5_GT: PCIe 2
 * @HB_LINK_SPEED_8_GT: PCIe 3
 * @HB_LINK_SPEED_16_GT: PCIe 4
 * @HB_LINK_SPEED_32_GT: PCIe 5
 * @HB_LINK_SPEED_64_GT: PCIe 6
 *
 * A link speed as registers write it, PCIe r6.0 §7.5.3.6.
 */
typedef enum HbLinkSpeed {
	HB_LINK_SPEED_2_5_GT = 1,
	HB_LINK_SPEED_5_GT,
	HB_LINK_SPEED_8_GT,
	HB_LINK_SPEED_16_GT,
	HB_LINK_SPEED_32_GT,
	HB_LINK_SPEED_64_GT,
} HbLinkSpeed;

/**
 * HbLink:
 * @speed: a #HbLinkSpeed
 * @width: lanes: 1, 2, 4, 8, 12, 16 or 32
 *
 * What a link can do, or does.
 */
typedef struct HbLink {
	guint8 speed;
	guint8 width;
} HbLink;

/** HB_SLOT_POWER_LIMIT_MAX: the most that is told in whole watts, PCIe r6.0 §7.5.3.9. */
#define HB_SLOT_POWER_LIMIT_MAX 239

/**
 * HbPortConfig:
 * @id: the operator's name for the port, unique in the VM; copied
 * @parent: (nullable): the switch, on the same bridge, whose downstream port it is; NULL: a root
 * port
 * @devfn: where on bus 0, or on the bus inside the switch
 * @multifunction: whether other functions of the same device may follow; set on function 0
 * @chassis: chassis number, with @slot unique in the VM
 * @slot: Physical Slot Number, 13 bits (PCIe r6.0 §7.5.3.9)
 * @hotplug: whether the slot is hot-plug capable
 * @attention_button: needed for an orderly removal; Linux waits 5 s after each press
 * @power_controller: the guest can switch the slot's power; Linux sleeps 1 s after switching it off
 * @indicators: attention and power indicators; through them the guest says that a removal is
 * complete
 * @no_command_completed: no Command Completed event after each write of Slot Control, and no wait
 * for it
 * @surprise: Hot-Plug Surprise: a drive may leave without notice
 * @slot_power_limit: watts that the slot offers, 0 to %HB_SLOT_POWER_LIMIT_MAX; told, not enforced
 * @link: the fastest and widest link that the port offers; while a drive is in the slot the guest
 * reads the drive's own, as far as the port goes with it
 * @removal_timeout_ms: how long a removal may take from its request on, if the request says nothing
 *   else; 0: for ever
 * @host_removal_timeout_ms: how long a removal may take that the host asks for, which waits for it:
 *   then the function is pulled; 0: for ever
 * @acknowledge_timeout_ms: how long the guest may take to finish with an occupant that has left,
 *   before the next one enters all the same; 0: for ever
 * @guest_eject: whether an occupant that the guest switches off without having been asked stays
 *   off; if not, it is announced to the guest again
 * @acpi: (nullable): the controller of a slot in ACPI mode; NULL: native PCIe hot-plug. Outside of
 *   Slot Capabilities nothing of the native slot is left then: @attention_button to @surprise
 *   do not count, and the guest is asked and answers by methods. Not for ports of a switch; without
 *   @hotplug it does not count.
 * @acpi_index: which of the controller's slots this is; as in #HbAcpiSlot
 * @mem32_size: bytes of non-prefetchable window; a multiple of 1 MiB
 * @mem64_size: bytes of prefetchable 64-bit window; a multiple of 1 MiB. Both windows are larger if
 * a function that is there at lay-out needs more.
 * @reserved_buses: bus numbers behind the port beyond those in use
 *
 * A port, its slot, and what the two can do. From hb_port_config_init(), so that what is not set is
 * as it should be.
 */
typedef struct HbPortConfig {
	const char *id;
	HbSwitch *parent;
	guint8 devfn;
	gboolean multifunction;
	guint8 chassis;
	guint16 slot;
	gboolean hotplug;
	gboolean attention_button;
	gboolean power_controller;
	gboolean indicators;
	gboolean no_command_completed;
	gboolean surprise;
	guint slot_power_limit;
	HbLink link;
	guint removal_timeout_ms;
	guint host_removal_timeout_ms;
	guint acknowledge_timeout_ms;
	gboolean guest_eject;
	HbAcpiHotplug *acpi;
	guint acpi_index;
	guint64 mem32_size;
	guint64 mem64_size;
	guint8 reserved_buses;
} HbPortConfig;

/**
 * hb_port_config_init:
 * @config: (out): the caller sets its @id, @devfn, @chassis and @slot
 *
 * Fills in the defaults.
 */
void hb_port_config_init(HbPortConfig *config);

/**
 * hb_port_create:
 * @config: copied
 *
 * Makes a Downstream Port (PCIe r6.0 §1.3.1) with one slot: a root port on bus 0, or a port of a
 * switch. The bridge owns it. Ports are created before the guest starts. Loop thread.
 *
 * Returns: (transfer none) (nullable): NULL with %HB_ERROR_INVALID or %HB_ERROR_BUSY
 */
HbPort *hb_port_create(HbHostBridge *bridge, const HbPortConfig *config, GError **error);

/** hb_port_get_id: Returns: (transfer none): its id. Any thread. */
const char *hb_port_get_id(HbPort *port);

/** hb_port_get_bridge: Returns: (transfer none): the bridge it was created on. Any thread. */
HbHostBridge *hb_port_get_bridge(HbPort *port);

/** hb_port_get_function: Returns: (transfer none): the port as hb_host_bridge_find() finds it. Any
 * thread. */
HbPciFunction *hb_port_get_function(HbPort *port);

/**
 * HbSlotReason:
 * @HB_SLOT_REASON_NONE: there is nothing to say
 * @HB_SLOT_REASON_REQUEST: an orderly removal, as asked by hb_port_request_removal()
 * @HB_SLOT_REASON_PULL: hb_port_pull(): the drive left without notice
 * @HB_SLOT_REASON_RESET: the VM, or the bus of the port, was reset while a removal was under way:
 *   done at once
 * @HB_SLOT_REASON_CANCELLED: the guest took its consent back
 * @HB_SLOT_REASON_TIMED_OUT: the guest did not answer in time
 * @HB_SLOT_REASON_ERROR: hb_port_fail(): the drive is there, and does not work any more
 * @HB_SLOT_REASON_ESCALATED: a removal that was insisted on was refused, or out of time
 * @HB_SLOT_REASON_COMMAND: pulled because the operator said so; it is still there
 * @HB_SLOT_REASON_SHUTDOWN: the guest has ended
 * @HB_SLOT_REASON_OCCUPIED: of a refused plug: the last occupant stays
 * @HB_SLOT_REASON_UNACKNOWLEDGED: of %HB_EVENT_PLUGGED: the guest never said that it is done with
 *   the last occupant
 * @HB_SLOT_REASON_REFUSED: the guest said that it cannot let go; in ACPI mode
 *
 * Why a request was refused, or a function severed or let in.
 */
typedef enum HbSlotReason {
	HB_SLOT_REASON_NONE,
	HB_SLOT_REASON_REQUEST,
	HB_SLOT_REASON_PULL,
	HB_SLOT_REASON_RESET,
	HB_SLOT_REASON_CANCELLED,
	HB_SLOT_REASON_TIMED_OUT,
	HB_SLOT_REASON_ERROR,
	HB_SLOT_REASON_ESCALATED,
	HB_SLOT_REASON_COMMAND,
	HB_SLOT_REASON_SHUTDOWN,
	HB_SLOT_REASON_OCCUPIED,
	HB_SLOT_REASON_UNACKNOWLEDGED,
	HB_SLOT_REASON_REFUSED,
} HbSlotReason;

/**
 * hb_slot_reason_to_str:
 * @reason: of an event
 *
 * Returns: its name without prefix, "PULL" say; static. Any thread.
 */
const char *hb_slot_reason_to_str(HbSlotReason reason);

/**
 * HbIndicator:
 * @HB_INDICATOR_RESERVED: nothing that means anything
 * @HB_INDICATOR_ON: lit
 * @HB_INDICATOR_BLINK: blinking
 * @HB_INDICATOR_OFF: dark
 *
 * The values of an Indicator Control field, PCIe r6.0 §7.5.3.10.
 */
typedef enum HbIndicator {
	HB_INDICATOR_RESERVED,
	HB_INDICATOR_ON,
	HB_INDICATOR_BLINK,
	HB_INDICATOR_OFF,
} HbIndicator;

/**
 * hb_indicator_to_str:
 * @indicator: what it shows
 *
 * Returns: "reserved", "on", "blink" or "off"; static. Any thread.
 */
const char *hb_indicator_to_str(HbIndicator indicator);

/**
 * hb_port_plug:
 * @function: (transfer full): stays the caller's if this fails
 * @request: the request's number in the events that answer it, see #HbEvent; 0: none
 *
 * Puts a function into the slot. While the removal of the last occupant is under way, or the guest
 * has yet to finish with one that left, @function waits in line (%HB_EVENT_PLUG_WAITING) and enters
 * when that is over. %HB_EVENT_PLUGGED says when the guest was told; %HB_EVENT_PLUG_REFUSED that
 * the last occupant stays. A function plugged before the guest runs, or before it enables hot-plug
 * interrupts, is simply there. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_BUSY if the slot is occupied and no removal is under way, or has
 * one in line, %HB_ERROR_UNSUPPORTED if the VM runs and the slot is not hot-plug capable, or
 * %HB_ERROR_LIMIT if the VM runs and the function's BARs do not fit the port's windows
 */
gboolean hb_port_plug(HbPort *port, HbPciFunction *function, guint64 request, GError **error);

/**
 * hb_port_request_removal:
 *
 * Asks the guest to let the occupant go, by pressing the Attention Button (PCIe r6.0 §6.7.1.5) as
 * soon as the slot can take a press; in ACPI mode by an Eject Request (ACPI r6.5 §5.6.6). If the
 * guest has switched the slot off by itself, or the function still waits in line, there is nobody
 * to ask and it goes at once. Ends with %HB_EVENT_SEVERED then %HB_EVENT_RELEASED, or
 * %HB_EVENT_REMOVAL_REFUSED. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_NOT_FOUND if the slot is empty, %HB_ERROR_BUSY if a removal
 *   is in flight, %HB_ERROR_UNSUPPORTED if the guest has to be asked and the slot has no hot-plug,
 *   no attention button, or neither indicators nor a power controller to answer with, or if the
 * slot holds a switch
 */
gboolean hb_port_request_removal(HbPort *port, GError **error);

/**
 * HbRemoval:
 * @timeout_ms: how long it may take from the request on; 0: for ever
 * @then_pull: whether it ends with a pull (%HB_SLOT_REASON_ESCALATED) where it would be refused:
 *   at the guest's refusal, or when the time is up
 *
 * How far a removal goes.
 */
typedef struct HbRemoval {
	guint timeout_ms;
	gboolean then_pull;
} HbRemoval;

/**
 * hb_port_request_removal_of:
 * @function: the occupant, or the one in line
 * @removal: (nullable): NULL: the port's time, no pull
 * @request: the request's number, see #HbEvent; 0: none
 *
 * Does what hb_port_request_removal() does, for one of the two that a slot can hold. Loop thread.
 *
 * Returns: FALSE with its errors; %HB_ERROR_NOT_FOUND also if @function is neither
 */
gboolean hb_port_request_removal_of(HbPort *port, HbPciFunction *function, const HbRemoval *removal,
				    guint64 request, GError **error);

/**
 * hb_port_give_back:
 * @function: the occupant, or the one in line
 * @request: the request's number, see #HbEvent; 0: none
 *
 * The host wants @function back and waits for it: an orderly removal that is pulled when the guest
 * refuses or @host_removal_timeout_ms of #HbPortConfig is up. One that is under way is held to that
 * time, if it has more. Where the guest cannot be asked it is pulled at once. With a time of 0 it
 * is no more than a request. To be called as often as the host asks. Loop thread.
 *
 * Returns: whether this call began something; if not, no event has @request
 */
gboolean hb_port_give_back(HbPort *port, HbPciFunction *function, guint64 request);

/**
 * hb_port_pull:
 * @function: (nullable): which function left: the occupant, or the one in line. One that is
 *   neither has left already, and nothing happens: so a late witness never takes its successor
 *   away. NULL is whatever occupies the slot.
 *
 * The occupant is gone, or must go now: a surprise removal. When this returns the guest cannot
 * reach it any more and was told (link down, presence lost). Everything slow follows in a worker.
 * Does nothing if the slot is empty or holds a switch. Any thread, without the bus lock: never from
 * a function's ops.
 */
void hb_port_pull(HbPort *port, HbPciFunction *function);

/**
 * hb_port_pull_because:
 * @function: (nullable): as for hb_port_pull()
 * @reason: what says more than %HB_SLOT_REASON_PULL
 * @request: the request's number, see #HbEvent; 0: none
 *
 * Does what hb_port_pull() does, and gives another reason. Any thread, likewise.
 *
 * Returns: whether there was something to pull; if not, no event has @request
 */
gboolean hb_port_pull_because(HbPort *port, HbPciFunction *function, HbSlotReason reason,
			      guint64 request);

/**
 * HbPortFailure:
 * @HB_PORT_FAILURE_INTERNAL: the function reported an error that it cannot recover from
 * @HB_PORT_FAILURE_SILENT: it does not answer, though its link is up
 *
 * What is wrong with an occupant.
 */
typedef enum HbPortFailure {
	HB_PORT_FAILURE_INTERNAL,
	HB_PORT_FAILURE_SILENT,
} HbPortFailure;

/**
 * hb_port_failure_to_str:
 * @failure: of a function
 *
 * Returns: its name without prefix, "SILENT" say; static. Any thread.
 */
const char *hb_port_failure_to_str(HbPortFailure failure);

/**
 * hb_port_fail:
 * @function: (nullable): as for hb_port_pull()
 * @failure: what is wrong with it
 *
 * The occupant is there but broken, and goes: %HB_EVENT_ERROR_CONTAINED, and what hb_port_pull()
 * does, for %HB_SLOT_REASON_ERROR. Before the slot's own events the port records the error as one
 * that it has seen itself, non-fatal, by Advanced Error Reporting (PCIe r6.0 §6.2): an
 * Uncorrectable Internal Error, or a Completion Timeout. So the guest's log says why the drive
 * went. Ports of a switch do not report errors. Any thread, without the bus lock: never from a
 * function's ops.
 */
void hb_port_fail(HbPort *port, HbPciFunction *function, HbPortFailure failure);

/**
 * hb_port_set_running:
 *
 * Tells the port that the guest has started: from now on only hot-plug capable slots take a
 * function. Loop thread.
 */
void hb_port_set_running(HbPort *port);

/**
 * HbSlotInfo:
 * @state: the state machine's, for people; static
 * @occupant: (nullable): who is in it; for identification only
 * @secondary_bus: the bus behind the port, as the guest has numbered it
 * @presence: the guest sees somebody there
 * @link_active: and the link up
 * @removal_pending: a removal is under way
 * @removal_waiting: and the guest has yet to be asked
 * @removal_then_pull: the occupant is pulled where that removal would be refused
 * @removal_left_ms: until its time is up; 0: never
 * @newcomer: (nullable): who stands in line; for identification only
 * @attention_indicator: what it shows
 * @power_indicator: what it shows
 * @slot_control: the register, as the guest reads it
 * @slot_status: likewise
 *
 * A consistent look at one slot.
 */
typedef struct HbSlotInfo {
	const char *state;
	HbPciFunction *occupant;
	guint8 secondary_bus;
	gboolean presence;
	gboolean link_active;
	gboolean removal_pending;
	gboolean removal_waiting;
	gboolean removal_then_pull;
	guint removal_left_ms;
	HbPciFunction *newcomer;
	HbIndicator attention_indicator;
	HbIndicator power_indicator;
	guint16 slot_control;
	guint16 slot_status;
} HbSlotInfo;

/**
 * hb_port_get_info:
 * @info: (out): all of it as it is at one moment
 *
 * Looks at a slot. Any thread.
 */
void hb_port_get_info(HbPort *port, HbSlotInfo *info);

G_END_DECLS

#endif
