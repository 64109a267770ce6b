/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What the embedder asks of a slot, and what it can see of it. Each request is checked against who
 * is there and then becomes inputs of the slot's state machine; nothing is carried out here.
 *
 *   plug                    PLUG, or COLD_PLUG before the guest runs
 *   request removal         REQUEST_REMOVAL, and INSIST if it is then to be pulled;
 *                           of the one in line DISMISS_NEWCOMER
 *   give back to the host   the same within the port's time; of a removal under way INSIST
 *   pull                    PULL, of the one in line PULL_NEWCOMER
 *   fail                    the same, after the error registers have the cause
 *
 * A removal has one time, from its request to its end, however often the guest has to be asked.
 *
 * A request may have a number, which the events that answer it have too. It is kept with the
 * function that it is about, which is under one number at most:
 *
 *     asked with a number            the function's; another that it is still under ends, OVERTAKEN
 *     asked without, or by nobody    the function's number stays
 *     PLUGGED, REMOVAL_REFUSED,      the end of its number
 *       RELEASED
 *
 * So each number ends once, by whatever comes first.
 */

#include "hw/port-private.h"

#include "hw/bridge.h"
#include "hw/host-bridge.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>

static gboolean check_plug(HbPort *port, GError **error)
{
	const char *id = port->config.id;

	if (port->newcomer)
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "slot %s has a drive waiting to enter: wait until it is released, or "
			    "use another slot",
			    id);
	else if (port->occupant && !(port->running && hb_slot_is_removal_pending(&port->slot)))
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "slot %s is occupied: remove its drive first, or use another slot", id);
	else if (port->running && !port->config.hotplug)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slot %s is not hot-plug capable: plug before the guest starts, or "
			    "create the port with hotplug=on",
			    id);
	else
		return TRUE;
	return FALSE;
}

/*
 * Said before the guest meets a drive that it has no addresses for. What counts is the window that
 * the port has by its registers or had at lay-out, whichever is larger: a guest may be at work on
 * it.
 */
static gboolean check_fit(HbPort *port, HbPciFunction *function, GError **error)
{
	guint64 window[HB_N_WINDOW_KINDS];

	for (HbWindowKind kind = 0; kind < HB_N_WINDOW_KINDS; kind++)
		window[kind] =
			MAX(port->laid_out[kind], hb_bridge_get_window(&port->space, kind).size);
	if (!port->running || hb_bar_size_check_fit(function, window, error))
		return TRUE;
	g_prefix_error(error, "slot %s: ", port->config.id);
	return FALSE;
}

static gboolean ends_request(HbEventType type)
{
	return type == HB_EVENT_PLUGGED || type == HB_EVENT_REMOVAL_REFUSED ||
	       type == HB_EVENT_RELEASED || type == HB_EVENT_OVERTAKEN;
}

/* The guest moves its indicators for reasons of its own. */
void hb_port_answer_request(HbEvent *event)
{
	HbPciFunction *function = event->function;

	if (!function || !function->request || event->type == HB_EVENT_INDICATORS)
		return;
	event->request = function->request;
	event->ends_request = ends_request(event->type);
	if (event->ends_request)
		function->request = 0;
}

/* @function is now under @request; @reason is why one that it was under is overtaken. */
static void put_under(HbPort *port, HbPciFunction *function, guint64 request, HbSlotReason reason)
{
	if (!request || request == function->request)
		return;
	if (function->request)
		hb_port_report(port, HB_EVENT_OVERTAKEN, reason, function);
	function->request = request;
}

gboolean hb_port_plug(HbPort *port, HbPciFunction *function, guint64 request, GError **error)
{
	hb_host_bridge_lock(port->bridge);
	gboolean fits = check_plug(port, error) && check_fit(port, function, error);
	if (fits) {
		function->port = port;
		function->request = request;
		port->newcomer = function;
		if (function->ops->plugged)
			function->ops->plugged(function);
		hb_port_step(port, port->running ? HB_SLOT_INPUT_PLUG : HB_SLOT_INPUT_COLD_PLUG, 0,
			     0);
	}
	hb_host_bridge_unlock(port->bridge);
	return fits;
}

static gboolean check_request(HbPort *port, HbPciFunction *function, GError **error)
{
	const char *id = port->config.id;

	if (function && function == port->newcomer)
		return TRUE;
	if (!function || function != port->occupant)
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "slot %s is empty: there is nothing to remove", id);
	else if (hb_port_holds_switch(port))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slot %s holds a switch, and those stay: remove what is in its slots",
			    id);
	else if (hb_slot_is_removal_pending(&port->slot))
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "slot %s: a removal is in flight: wait for its end, or pull", id);
	else if (port->slot.state == HB_SLOT_STATE_ON && !port->config.hotplug)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slot %s is not hot-plug capable: what is in it stays until the guest "
			    "ends; create the port with hotplug=on",
			    id);
	else if (port->slot.state == HB_SLOT_STATE_ON && !port->config.acpi &&
		 !hb_slot_can_be_asked(&port->slot))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slot %s has no way to ask the guest: create the port with hotplug, an "
			    "attention button, and indicators or a power controller; or switch the "
			    "slot off in the guest first",
			    id);
	else
		return TRUE;
	return FALSE;
}

static void request_removal(HbPort *port, HbPciFunction *function, const HbRemoval *removal,
			    guint64 request)
{
	put_under(port, function, request, HB_SLOT_REASON_REQUEST);
	if (function == port->newcomer) {
		hb_port_step(port, HB_SLOT_INPUT_DISMISS_NEWCOMER, 0, 0);
		return;
	}
	port->removal = *removal;
	hb_port_step(port, HB_SLOT_INPUT_REQUEST_REMOVAL, 0, 0);
	if (removal->then_pull && hb_slot_is_removal_pending(&port->slot))
		hb_port_step(port, HB_SLOT_INPUT_INSIST, 0, 0);
}

static gboolean try_removal(HbPort *port, HbPciFunction *function, const HbRemoval *removal,
			    guint64 request, GError **error)
{
	const HbRemoval usual = { .timeout_ms = port->config.removal_timeout_ms };
	gboolean accepted = check_request(port, function, error);

	if (accepted)
		request_removal(port, function, removal ? removal : &usual, request);
	return accepted;
}

gboolean hb_port_request_removal_of(HbPort *port, HbPciFunction *function, const HbRemoval *removal,
				    guint64 request, GError **error)
{
	hb_host_bridge_lock(port->bridge);
	gboolean accepted = try_removal(port, function, removal, request, error);
	hb_host_bridge_unlock(port->bridge);
	return accepted;
}

gboolean hb_port_request_removal(HbPort *port, GError **error)
{
	hb_host_bridge_lock(port->bridge);
	HbPciFunction *function = port->occupant ? port->occupant : port->newcomer;
	gboolean accepted = try_removal(port, function, NULL, 0, error);
	hb_host_bridge_unlock(port->bridge);
	return accepted;
}

/* Whom a pull takes: the occupant, or the one in line; NULL: nobody. A switch stays. */
static HbPciFunction *find_pulled(const HbPort *port, HbPciFunction *function)
{
	if (hb_port_holds_switch(port))
		return NULL;
	if (port->occupant && (!function || function == port->occupant))
		return port->occupant;
	return function && function == port->newcomer ? function : NULL;
}

/* With the bus lock held. */
static void pull(HbPort *port, HbPciFunction *function, HbSlotReason reason, guint64 request)
{
	put_under(port, function, request, reason);
	port->pull_reason = reason;
	hb_port_step(port,
		     function == port->occupant ? HB_SLOT_INPUT_PULL : HB_SLOT_INPUT_PULL_NEWCOMER,
		     0, 0);
}

gboolean hb_port_pull_because(HbPort *port, HbPciFunction *function, HbSlotReason reason,
			      guint64 request)
{
	hb_host_bridge_lock(port->bridge);
	HbPciFunction *pulled = find_pulled(port, function);
	if (pulled)
		pull(port, pulled, reason, request);
	hb_host_bridge_unlock(port->bridge);
	return pulled != NULL;
}

void hb_port_pull(HbPort *port, HbPciFunction *function)
{
	hb_port_pull_because(port, function, HB_SLOT_REASON_PULL, 0);
}

static void record_error(HbPort *port, HbPortFailure failure)
{
	static const guint32 errors[] = {
		[HB_PORT_FAILURE_INTERNAL] = PCI_ERR_UNC_INTN,
		[HB_PORT_FAILURE_SILENT] = PCI_ERR_UNC_COMP_TIME,
	};

	/* a root port is on bus 0, so its devfn is all of its ID */
	hb_aer_report(&port->aer, port->config.devfn, errors[failure]);
	hb_port_look_at_errors(port);
}

void hb_port_fail(HbPort *port, HbPciFunction *function, HbPortFailure failure)
{
	hb_host_bridge_lock(port->bridge);
	HbPciFunction *failed = find_pulled(port, function);
	if (failed) {
		hb_port_report_error(port, failed, failure);
		if (hb_port_has_aer(port) && failed == port->occupant &&
		    port->slot.registers.link_active)
			record_error(port, failure);
		pull(port, failed, HB_SLOT_REASON_ERROR, 0);
	}
	hb_host_bridge_unlock(port->bridge);
}

/* The removal under way gets no more time than @removal. */
static gboolean hasten(HbPort *port, const HbRemoval *removal, guint64 request)
{
	gint64 end = g_get_monotonic_time() + (gint64)removal->timeout_ms * 1000;
	gboolean slower = !port->removal_ends_us || port->removal_ends_us > end;

	if (port->removal.then_pull && !slower)
		return FALSE;
	put_under(port, port->occupant, request, HB_SLOT_REASON_REQUEST);
	port->removal.then_pull = TRUE;
	hb_port_step(port, HB_SLOT_INPUT_INSIST, 0, 0);
	if (slower) {
		port->removal.timeout_ms = removal->timeout_ms;
		hb_port_start_removal_timer(port);
	}
	return TRUE;
}

gboolean hb_port_give_back(HbPort *port, HbPciFunction *function, guint64 request)
{
	const guint time = port->config.host_removal_timeout_ms;
	const HbRemoval removal = { .timeout_ms = time, .then_pull = time != 0 };
	gboolean began = TRUE;

	hb_host_bridge_lock(port->bridge);
	if (check_request(port, function, NULL))
		request_removal(port, function, &removal, request);
	else if (!removal.then_pull || !function || function != port->occupant)
		began = FALSE;
	else if (hb_slot_is_removal_pending(&port->slot))
		began = hasten(port, &removal, request);
	else
		pull(port, function, HB_SLOT_REASON_ESCALATED, request);
	hb_host_bridge_unlock(port->bridge);
	return began;
}

void hb_port_set_running(HbPort *port)
{
	hb_host_bridge_lock(port->bridge);
	port->running = TRUE;
	hb_host_bridge_unlock(port->bridge);
}

/* Until the removal's time is up, rounded up so that 0 means for ever and nothing else. */
static guint get_removal_left(const HbPort *port)
{
	gint64 left = port->removal_ends_us - g_get_monotonic_time();

	if (!hb_slot_is_removal_pending(&port->slot) || !port->removal_ends_us)
		return 0;
	return left > 0 ? (guint)(left / 1000) + 1 : 1;
}

void hb_port_get_info(HbPort *port, HbSlotInfo *info)
{
	const HbSlotRegisters *registers = &port->slot.registers;

	hb_host_bridge_lock(port->bridge);
	hb_port_notice_use(port);
	*info = (HbSlotInfo){
		.state = hb_slot_state_to_str(port->slot.state),
		.occupant = port->occupant,
		.secondary_bus = hb_bridge_get_secondary_bus(&port->space),
		.presence = hb_slot_registers_is_occupied(registers),
		.link_active = registers->link_active,
		.removal_pending = hb_slot_is_removal_pending(&port->slot),
		.removal_waiting = port->slot.state == HB_SLOT_STATE_REMOVAL_WAITING,
		.removal_then_pull = port->slot.insists,
		.removal_left_ms = get_removal_left(port),
		.newcomer = port->newcomer,
		.attention_indicator = hb_slot_registers_get_attention_indicator(registers),
		.power_indicator = hb_slot_registers_get_power_indicator(registers),
		.slot_control = registers->control,
		.slot_status = registers->status,
	};
	hb_host_bridge_unlock(port->bridge);
}
