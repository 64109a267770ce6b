/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A PCI Express root port, or downstream port of a switch, with one slot: the bridge, its
 * capabilities, and whoever carries out what the slot's state machine decides.
 *
 *   guest writes Slot Control --.                          .--> sever, reset, attach the function
 *   plug, removal, pull, reset --+--> hb_slot_step() --> perform() --> registers, one MSI
 *   timer ----------------------'                          '--> reports: events, release
 *
 * perform() goes in the order that a pull needs: the function is cut off from the guest, then the
 * guest is told, and only then is anything slow begun, on the loop. So when hb_port_pull()
 * returns the guest can neither reach the drive nor be ignorant of its loss.
 *
 * A slot in ACPI mode has the same life. Its state machine is hw/acpi-slot.c, it is written to
 * through the ports of hw/acpi-hotplug.c, and its interrupt is that controller's GPE.
 *
 * Two functions at most are held: the occupant, and a newcomer in line that the guest cannot see.
 * The slot's state machine says which of them there are; here they have faces.
 *
 * Threads: the functions of HbPciFunctionOps and HbSecondaryBusOps come with the bus lock held, on
 * any thread. The public functions take it.
 */

#include "hw/port-private.h"

#include "hw/acpi-hotplug.h"
#include "hw/acpi-slot.h"
#include "hw/aer.h"
#include "hw/bridge.h"
#include "hw/bus.h"
#include "hw/capability.h"
#include "hw/express.h"
#include "hw/host-bridge.h"
#include "hw/host.h"
#include "hw/switch.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>
#include <string.h>

#define SLOT_CONTROL (HB_PORT_EXPRESS + PCI_EXP_SLTCTL)
#define SLOT_STATUS  (HB_PORT_EXPRESS + PCI_EXP_SLTSTA)

_Static_assert(HB_PORT_PM + PCI_PM_SIZEOF <= HB_PORT_MSI, "PM overlaps MSI");
_Static_assert(HB_PORT_MSI + HB_MSI_SIZE <= HB_PORT_EXPRESS, "MSI overlaps Express");
_Static_assert(SLOT_STATUS == SLOT_CONTROL + 2, "Slot Control and Status are one doubleword");

static HbPort *to_port(HbPciFunction *function)
{
	return (HbPort *)function;
}

static HbHost *get_host(HbPort *port)
{
	return hb_host_bridge_get_host(port->bridge);
}

/* ACPI mode. */

static gboolean is_acpi(const HbPort *port)
{
	return port->config.acpi != NULL;
}

/*
 * What the guest does to an occupant that it had let go it does without a word to the slot, but not
 * without one of these two bits. A drive that is gone reads all-ones, and is not in use.
 */
static gboolean is_in_use_again(HbPort *port)
{
	if (!is_acpi(port) || port->slot.state != HB_SLOT_STATE_OFF || !port->occupant)
		return FALSE;
	guint32 command = port->occupant->ops->config_read(port->occupant, PCI_COMMAND, 2);

	return command != G_MAXUINT16 && command & (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void hb_port_notice_use(HbPort *port)
{
	if (is_in_use_again(port))
		hb_acpi_slot_step(&port->slot, HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_USE, 0);
}

static HbSlotResult decide(HbPort *port, HbSlotInput input, guint16 value, guint16 mask)
{
	if (!is_acpi(port))
		return hb_slot_step(&port->slot, input, value, mask);
	hb_port_notice_use(port);
	return hb_acpi_slot_step(&port->slot, input, value, mask);
}

/* A native slot's power goes. One in ACPI mode keeps it, so that the guest finds the occupant. */
static void reset_occupant(HbPort *port)
{
	if (is_acpi(port))
		port->occupant->ops->config_write(port->occupant, PCI_COMMAND, 2, 0);
	else
		port->occupant->ops->bus_reset(port->occupant);
}

/* Carrying out the slot's actions. */

static gboolean on_timer(gpointer data)
{
	HbPort *port = data;

	hb_host_bridge_lock(port->bridge);
	if (port->timer == g_main_current_source()) {
		g_clear_pointer(&port->timer, g_source_unref);
		hb_port_step(port, HB_SLOT_INPUT_TIMEOUT, 0, 0);
	}
	hb_host_bridge_unlock(port->bridge);
	return G_SOURCE_REMOVE;
}

static void stop_timer(HbPort *port)
{
	if (port->timer) {
		g_source_destroy(port->timer);
		g_clear_pointer(&port->timer, g_source_unref);
	}
}

/* 0: for ever. */
static void start_timer(HbPort *port, guint milliseconds)
{
	stop_timer(port);
	if (milliseconds == 0)
		return;
	port->timer = g_timeout_source_new(milliseconds);
	g_source_set_callback(port->timer, on_timer, port, NULL);
	g_source_attach(port->timer, hb_host_get_context(get_host(port)));
}

void hb_port_start_removal_timer(HbPort *port)
{
	guint timeout = port->removal.timeout_ms;

	port->removal_ends_us = timeout ? g_get_monotonic_time() + (gint64)timeout * 1000 : 0;
	start_timer(port, timeout);
}

static void perform_timers(HbPort *port, guint actions)
{
	if (actions & HB_SLOT_ACTION_STOP_TIMER)
		stop_timer(port);
	if (actions & HB_SLOT_ACTION_START_REMOVAL_TIMER)
		hb_port_start_removal_timer(port);
	if (actions & HB_SLOT_ACTION_START_SETTLE_TIMER)
		start_timer(port, HB_SLOT_SETTLE_MS);
	if (actions & HB_SLOT_ACTION_START_HAUNT_TIMER)
		start_timer(port, port->config.acknowledge_timeout_ms);
}

/* Who left in one step, severed and to be released. */
typedef struct Leaving {
	HbPciFunction *occupant; /* (nullable) */
	HbPciFunction *newcomer; /* (nullable) */
} Leaving;

static HbPciFunction *sever_one(HbPciFunction **place)
{
	HbPciFunction *function = g_steal_pointer(place);

	function->ops->sever(function);
	return function;
}

static Leaving perform_moves(HbPort *port, guint actions)
{
	Leaving leaving = { NULL, NULL };

	if (actions & HB_SLOT_ACTION_SEVER)
		leaving.occupant = sever_one(&port->occupant);
	if (actions & HB_SLOT_ACTION_SEVER_NEWCOMER)
		leaving.newcomer = sever_one(&port->newcomer);
	if (actions & HB_SLOT_ACTION_ADMIT) {
		port->occupant = g_steal_pointer(&port->newcomer);
		port->occupant->ops->attach(port->occupant, port->bridge);
		port->link = hb_express_get_link(port->occupant, port->config.link);
	}
	if (actions & HB_SLOT_ACTION_RESET && port->occupant)
		reset_occupant(port);
	return leaving;
}

static void signal_message(HbPort *port, const HbMsiMessage *message)
{
	HbHost *host = get_host(port);
	g_autoptr(GError) error = NULL;

	if (!hb_host_get_ops(host)->signal_msi(host, message, &error))
		hb_host_log(host, G_LOG_LEVEL_WARNING,
			    "%s: the guest missed a hot-plug interrupt: %s", port->config.id,
			    error ? error->message : "no reason given");
}

static void show_registers(HbPort *port)
{
	const HbSlotRegisters *registers = &port->slot.registers;

	hb_express_set_slot(&port->space, HB_PORT_EXPRESS,
			    registers->link_active ? &port->link : NULL, registers->control,
			    registers->status);
}

/*
 * The slot and the error registers share one message. A masked one is pending only while one of
 * their conditions holds (PCIe r6.0 §6.1.4.5).
 */
static void notify(HbPort *port, gboolean edge)
{
	HbMsiMessage message;

	if (!port->error_asserted && (is_acpi(port) || !port->slot.asserted))
		hb_msi_withdraw(&port->msi, 0);
	if (edge && hb_msi_notify(&port->msi, 0, &message))
		signal_message(port, &message);
}

void hb_port_look_at_errors(HbPort *port)
{
	gboolean was_asserted = port->error_asserted;

	port->error_asserted = hb_port_has_aer(port) && hb_aer_is_asserted(&port->aer);
	notify(port, port->error_asserted && !was_asserted);
}

/* The slot's own: in ACPI mode not the port's interrupt, but the controller's event. */
static void perform_interrupt(HbPort *port, guint actions)
{
	if (is_acpi(port))
		hb_acpi_hotplug_set_events(port->config.acpi, port->config.acpi_index,
					   port->slot.asserted ? port->slot.events : 0);
	else
		notify(port, !!(actions & HB_SLOT_ACTION_NOTIFY));
}

static HbEvent describe(HbPort *port, HbEventType type, HbSlotReason reason,
			HbPciFunction *function)
{
	const HbSlotRegisters *registers = &port->slot.registers;

	return (HbEvent){
		.type = type,
		.port = port,
		.function = function,
		.reason = reason,
		.attention_indicator = hb_slot_registers_get_attention_indicator(registers),
		.power_indicator = hb_slot_registers_get_power_indicator(registers),
		.powered = !(registers->control & PCI_EXP_SLTCTL_PCC),
	};
}

void hb_port_report(HbPort *port, HbEventType type, HbSlotReason reason, HbPciFunction *function)
{
	HbEvent event = describe(port, type, reason, function);

	hb_port_answer_request(&event);
	hb_slot_reports_add(port->reports, &event);
}

void hb_port_report_error(HbPort *port, HbPciFunction *function, HbPortFailure failure)
{
	HbEvent event = describe(port, HB_EVENT_ERROR_CONTAINED, HB_SLOT_REASON_ERROR, function);

	event.failure = failure;
	hb_port_answer_request(&event);
	hb_slot_reports_add(port->reports, &event);
}

/* What it shows when @function is released is not known yet. */
static void report_release(HbPort *port, HbPciFunction *function, HbSlotReason reason)
{
	HbEvent event = { .type = HB_EVENT_RELEASED, .port = port, .function = function };

	event.reason = reason;
	hb_port_answer_request(&event);
	hb_slot_reports_add_release(port->reports, &event);
}

/* Of several in one step: first what was asked and answered, then who left, then who came. */
static void perform_reports(HbPort *port, const HbSlotResult *result, const Leaving *leaving)
{
	HbPciFunction *before = leaving->occupant ? leaving->occupant : port->occupant;
	HbPciFunction *second = leaving->newcomer ? leaving->newcomer : port->newcomer;
	HbSlotReason reason = result->reason;
	gboolean unacknowledged = reason == HB_SLOT_REASON_UNACKNOWLEDGED;
	gboolean refused = !!(result->actions & HB_SLOT_ACTION_REPORT_PLUG_REFUSED);
	const struct {
		guint action;
		HbEventType type;
		HbSlotReason reason;
		HbPciFunction *function;
	} reports[] = {
		{ HB_SLOT_ACTION_REPORT_INDICATORS, HB_EVENT_INDICATORS, 0, before },
		{ HB_SLOT_ACTION_REPORT_PLUG_WAITING, HB_EVENT_PLUG_WAITING, 0, second },
		{ HB_SLOT_ACTION_REPORT_REMOVAL_WAITING, HB_EVENT_REMOVAL_WAITING, 0, before },
		{ HB_SLOT_ACTION_REPORT_REQUESTED, HB_EVENT_REMOVAL_REQUESTED, 0, before },
		{ HB_SLOT_ACTION_REPORT_REFUSED, HB_EVENT_REMOVAL_REFUSED, reason, before },
		{ HB_SLOT_ACTION_REPORT_PLUG_REFUSED, HB_EVENT_PLUG_REFUSED,
		  HB_SLOT_REASON_OCCUPIED, second },
		{ HB_SLOT_ACTION_REPORT_SEVERED, HB_EVENT_SEVERED, reason,
		  leaving->occupant ? leaving->occupant : leaving->newcomer },
		{ HB_SLOT_ACTION_REPORT_PLUGGED, HB_EVENT_PLUGGED, unacknowledged ? reason : 0,
		  port->occupant },
	};

	for (guint i = 0; i < G_N_ELEMENTS(reports) && !hb_port_holds_switch(port); i++) {
		if (result->actions & reports[i].action)
			hb_port_report(port, reports[i].type, reports[i].reason,
				       reports[i].function);
	}
	if (leaving->occupant)
		report_release(port, leaving->occupant, reason);
	if (leaving->newcomer)
		report_release(port, leaving->newcomer, refused ? HB_SLOT_REASON_OCCUPIED : reason);
}

void hb_port_step(HbPort *port, HbSlotInput input, guint16 value, guint16 mask)
{
	HbSlotState state = port->slot.state;
	HbSlotResult result = decide(port, input, value, mask);

	if (result.actions & HB_SLOT_ACTION_IMPOSSIBLE) {
		hb_host_log(get_host(port), G_LOG_LEVEL_WARNING,
			    "%s: %s is impossible in state %s and was ignored: please report this",
			    port->config.id, hb_slot_input_to_str(input),
			    hb_slot_state_to_str(state));
		return;
	}
	if (result.reason == HB_SLOT_REASON_PULL)
		result.reason = port->pull_reason;
	perform_timers(port, result.actions);
	Leaving leaving = perform_moves(port, result.actions);
	show_registers(port);
	perform_interrupt(port, result.actions);
	perform_reports(port, &result, &leaving);
}

/* The port as a PCI function. */

static guint32 config_read(HbPciFunction *function, guint offset, guint size)
{
	return hb_config_space_read(&to_port(function)->space, offset, size);
}

/*
 * Status first: a doubleword that clears events and gives a command must not clear that command's
 * own Command Completed.
 */
static void write_slot(HbPort *port, guint offset, guint size, guint32 value)
{
	guint shift = 8 * (offset - SLOT_CONTROL);
	guint32 mask = (guint32)((G_GUINT64_CONSTANT(1) << (8 * size)) - 1) << shift;

	value <<= shift;
	if (mask >> 16)
		hb_port_step(port, HB_SLOT_INPUT_STATUS_WRITTEN, (guint16)(value >> 16),
			     (guint16)(mask >> 16));
	if (mask & 0xffff)
		hb_port_step(port, HB_SLOT_INPUT_CONTROL_WRITTEN, (guint16)value, (guint16)mask);
}

static void path_changed(HbPciFunction *function)
{
	HbPciFunction *occupant = to_port(function)->occupant;

	if (occupant && occupant->ops->path_changed)
		occupant->ops->path_changed(occupant);
}

static void write_space(HbPort *port, guint offset, guint size, guint32 value)
{
	guint effects = hb_bridge_write(&port->space, HB_PORT_PM, offset, size, value);
	HbMsiMessage message;

	if (effects & HB_BRIDGE_PATH_CHANGED)
		path_changed(&port->function);
	if (effects & HB_BRIDGE_BUS_RESET && port->occupant)
		port->occupant->ops->bus_reset(port->occupant);
	hb_port_look_at_errors(port);
	if (hb_msi_unmasked(&port->msi, 0, &message))
		signal_message(port, &message);
}

static void config_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	HbPort *port = to_port(function);

	if (!is_acpi(port) && hb_config_space_overlaps(offset, size, SLOT_CONTROL, 4))
		write_slot(port, offset, size, value);
	else
		write_space(port, offset, size, value);
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
	to_port(function)->bridge = bridge;
}

static void reset(HbPciFunction *function)
{
	HbPort *port = to_port(function);
	HbPciFunction *occupant = port->occupant;

	memcpy(port->space.value, port->initial, sizeof(port->initial));
	port->error_asserted = FALSE;
	hb_port_step(port, HB_SLOT_INPUT_RESET, 0, 0);
	if (occupant && port->occupant == occupant)
		occupant->ops->reset(occupant);
	path_changed(function);
}

/* A hot reset that comes down from the switch's upstream port (PCIe r6.0 §6.6.1). */
static void bus_reset(HbPciFunction *function)
{
	HbPort *port = to_port(function);
	HbPciFunction *occupant = port->occupant;

	memcpy(port->space.value, port->initial, sizeof(port->initial));
	port->error_asserted = FALSE;
	hb_port_step(port, HB_SLOT_INPUT_RESET, 0, 0);
	if (occupant && port->occupant == occupant)
		occupant->ops->bus_reset(occupant);
	path_changed(function);
}

static gboolean revoke_occupant(HbPciFunction *function)
{
	HbPciFunction *occupant = to_port(function)->occupant;

	return occupant && occupant->ops->revoke && occupant->ops->revoke(occupant);
}

/* The bridge goes, and with it the port and all that it holds. */
static void sever(HbPciFunction *function)
{
	HbPort *port = to_port(function);
	HbPciFunction *held[] = { port->occupant, port->newcomer };

	stop_timer(port);
	hb_slot_reports_end(port->reports);
	for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
		if (held[i]) {
			held[i]->ops->sever(held[i]);
			report_release(port, held[i], HB_SLOT_REASON_SHUTDOWN);
		}
	}
	port->occupant = NULL;
	port->newcomer = NULL;
}

static void leave_acpi(HbPort *port)
{
	if (!is_acpi(port))
		return;
	hb_host_bridge_lock(port->bridge);
	hb_acpi_hotplug_remove(port->config.acpi, port->config.acpi_index);
	hb_host_bridge_unlock(port->bridge);
}

static void destroy(HbPort *port)
{
	leave_acpi(port);
	hb_slot_reports_destroy(port->reports);
	g_free((char *)port->config.id);
	g_free(port);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbPort, destroy)

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	destroy(to_port(function));
	if (done)
		done(data);
}

static const HbPciFunctionOps function_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.attach = attach,
	.reset = reset,
	.bus_reset = bus_reset,
	.sever = sever,
	.revoke = revoke_occupant,
	.path_changed = path_changed,
	.release = release,
};

/* The port as a bridge. */

static gboolean decodes(HbPciFunction *function, guint8 bus)
{
	return hb_bridge_decodes(&to_port(function)->space, bus);
}

/*
 * Behind a link there is device 0 and nothing else (PCIe r6.0 §7.3.1), and what a switch there
 * knows of; in D3hot, nothing at all.
 */
static HbPciFunction *find(HbPciFunction *function, guint8 bus, guint8 devfn)
{
	HbPort *port = to_port(function);
	HbPciFunction *occupant = port->occupant;

	if (!occupant || !port->slot.registers.link_active ||
	    !hb_bridge_is_awake(&port->space, HB_PORT_PM))
		return NULL;
	if (bus == hb_bridge_get_secondary_bus(&port->space))
		return devfn ? NULL : occupant;
	return occupant->secondary && occupant->secondary->decodes(occupant, bus)
		       ? occupant->secondary->find(occupant, bus, devfn)
		       : NULL;
}

static void get_reserve(HbPciFunction *function, HbReserve *reserve)
{
	const HbPort *port = to_port(function);

	reserve->window[HB_WINDOW_MEM32] =
		MAX(port->config.mem32_size, port->laid_out[HB_WINDOW_MEM32]);
	reserve->window[HB_WINDOW_MEM64] =
		MAX(port->config.mem64_size, port->laid_out[HB_WINDOW_MEM64]);
	reserve->buses = port->config.reserved_buses;
}

static void laid_out(HbPciFunction *function, const guint64 window[HB_N_WINDOW_KINDS])
{
	memcpy(to_port(function)->laid_out, window, sizeof(to_port(function)->laid_out));
}

static const HbSecondaryBusOps secondary_bus_ops = {
	.decodes = decodes,
	.find = find,
	.get_reserve = get_reserve,
	.laid_out = laid_out,
};

gboolean hb_port_forwards(const HbPort *port, guint64 base, guint64 size)
{
	return hb_bridge_is_awake(&port->space, HB_PORT_PM) &&
	       hb_bridge_forwards(&port->space, base, size) &&
	       (!port->config.parent || hb_switch_forwards(port->config.parent, base, size));
}

guint hb_port_get_pin_link(const HbPort *port, guint pin)
{
	guint joined = (pin + HB_PCI_DEVICE(port->config.devfn)) % 4;

	return port->config.parent ? hb_switch_get_pin_link(port->config.parent, joined) : joined;
}

gboolean hb_port_passes_dma(const HbPort *port)
{
	return hb_bridge_passes_dma(&port->space, HB_PORT_PM) &&
	       (!port->config.parent || hb_switch_passes_dma(port->config.parent));
}

/* Creation. */

/* What the guest's methods do, through the controller. */

static gboolean is_present(gpointer slot)
{
	return ((HbPort *)slot)->slot.registers.link_active;
}

static void step_by_method(gpointer slot, HbSlotInput input, guint16 value)
{
	hb_port_step(slot, input, value, 0);
}

static const HbAcpiHotplugSlotOps acpi_ops = {
	.is_present = is_present,
	.step = step_by_method,
};

/* @config's controller becomes the port's if it takes it. */
static gboolean join_acpi(HbPort *port, const HbPortConfig *config, GError **error)
{
	if (!config->acpi || !config->hotplug)
		return TRUE;
	if (config->parent) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slots of switches are native only: leave acpi out");
		return FALSE;
	}
	hb_host_bridge_lock(port->bridge);
	if (hb_acpi_hotplug_add(config->acpi, config->acpi_index, &acpi_ops, port, error))
		port->config.acpi = config->acpi;
	hb_host_bridge_unlock(port->bridge);
	return is_acpi(port);
}

static void init_slot(HbPort *port)
{
	const HbPortConfig *config = &port->config;
	HbSlotProperties properties = {
		.number = config->slot,
		.power_limit = (guint8)config->slot_power_limit,
		.hotplug = config->hotplug,
		.attention_button = config->attention_button,
		.power_controller = config->power_controller,
		.indicators = config->indicators,
		.no_command_completed = config->no_command_completed,
		.surprise = config->surprise,
		.locked = !config->guest_eject,
	};

	if (is_acpi(port))
		hb_acpi_slot_init(&port->slot, &properties);
	else
		hb_slot_init(&port->slot, &properties);
}

static void init_space(HbPort *port)
{
	HbConfigSpace *space = &port->space;

	hb_config_space_init(space);
	if (port->config.parent)
		hb_bridge_init(space, HB_DOWNSTREAM_PORT_VENDOR_ID, HB_DOWNSTREAM_PORT_DEVICE_ID,
			       port->config.multifunction);
	else
		hb_bridge_init(space, HB_ROOT_PORT_VENDOR_ID, HB_ROOT_PORT_DEVICE_ID,
			       port->config.multifunction);
	hb_capability_add(space, PCI_CAP_ID_EXP, HB_PORT_EXPRESS);
	hb_express_init(space, HB_PORT_EXPRESS,
			port->config.parent ? PCI_EXP_TYPE_DOWNSTREAM : PCI_EXP_TYPE_ROOT_PORT,
			(guint8)port->config.slot, port->config.link,
			hb_slot_registers_get_capabilities(&port->slot.registers));
	hb_capability_add(space, PCI_CAP_ID_MSI, HB_PORT_MSI);
	hb_msi_init(&port->msi, space, HB_PORT_MSI, 1);
	hb_bridge_add_pm(space, HB_PORT_PM);
	if (hb_port_has_aer(port)) {
		hb_capability_add_extended(space, PCI_EXT_CAP_ID_ERR, 2, HB_PORT_AER);
		hb_aer_init(&port->aer, space, HB_PORT_AER, HB_PORT_EXPRESS);
	}
	show_registers(port);
	memcpy(port->initial, space->value, sizeof(port->initial));
}

/* On the bus inside its switch, or on bus 0. */
static gboolean add_to_bus(HbPort *port, GError **error)
{
	HbSwitch *parent = port->config.parent;

	if (parent ? hb_switch_add(parent, port->config.devfn, &port->function, error)
		   : hb_host_bridge_add(port->bridge, port->config.devfn, &port->function, error))
		return TRUE;
	g_prefix_error(error, "port %s: ", port->config.id);
	return FALSE;
}

HbPort *hb_port_create(HbHostBridge *bridge, const HbPortConfig *config, GError **error)
{
	if (!hb_port_config_check(config, error))
		return NULL;

	g_autoptr(HbPort) port = g_new0(HbPort, 1);

	port->function.ops = &function_ops;
	port->function.secondary = &secondary_bus_ops;
	port->bridge = bridge;
	port->config = *config;
	port->config.id = g_strdup(config->id);
	port->config.acpi = NULL;
	port->reports = hb_slot_reports_create(hb_host_get_events(get_host(port)),
					       hb_host_get_context(get_host(port)));
	if (!join_acpi(port, config, error)) {
		g_prefix_error(error, "port %s: ", config->id);
		return NULL;
	}
	init_slot(port);
	init_space(port);
	return add_to_bus(port, error) ? g_steal_pointer(&port) : NULL;
}

const char *hb_port_get_id(HbPort *port)
{
	return port->config.id;
}

HbHostBridge *hb_port_get_bridge(HbPort *port)
{
	return port->bridge;
}

HbPciFunction *hb_port_get_function(HbPort *port)
{
	return &port->function;
}

gboolean hb_port_is_hotplug(const HbPort *port)
{
	return port->config.hotplug;
}

HbSwitch *hb_port_get_parent(const HbPort *port)
{
	return port->config.parent;
}
