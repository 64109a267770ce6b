/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A PCI Express root port with one slot: the bridge, its capabilities, and whoever carries out what
 * the slot's state machine decides.
 *
 *   guest writes Slot Control --.                          .--> sever, reset, attach the function
 *   plug, removal, pull, reset --+--> hb_slot_step() --> perform() --> registers, one MSI
 *   timer ----------------------'                          '--> reports: listener, release
 *
 * perform() goes in the order that a pull needs: the function is cut off from the guest, then the
 * guest is told, and only then is anything slow begun, on the loop. So when hb_port_pull()
 * returns the guest can neither reach the drive nor be ignorant of its loss.
 *
 * Two functions at most are held: the occupant, and a newcomer in line that the guest cannot see.
 * The slot's state machine says which of them there are; here they have faces.
 *
 * Threads: the functions of HbPciFunctionOps and HbSecondaryBusOps come with the bus lock held, on
 * any thread. The public functions take it.
 */

#include "hw/port.h"

#include "hw/bridge.h"
#include "hw/capability.h"
#include "hw/express.h"
#include "hw/host-bridge.h"
#include "hw/host.h"
#include "hw/msi.h"
#include "hw/slot-reports.h"
#include "hw/slot.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>
#include <string.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)

#define DEFAULT_REMOVAL_TIMEOUT_MS 60000
#define DEFAULT_MEM32_SIZE	   (2 * MIB)
#define DEFAULT_MEM64_SIZE	   (64 * MIB)
#define SLOT_NUMBER_LAST	   0x1fff /* 13 bits, PCIe r6.0 §7.5.3.9 */

#define SLOT_CONTROL (HB_PORT_EXPRESS + PCI_EXP_SLTCTL)
#define SLOT_STATUS  (HB_PORT_EXPRESS + PCI_EXP_SLTSTA)
#define PM_CONTROL   (HB_PORT_PM + PCI_PM_CTRL)

_Static_assert(HB_PORT_PM + PCI_PM_SIZEOF <= HB_PORT_MSI, "PM overlaps MSI");
_Static_assert(HB_PORT_MSI + HB_MSI_SIZE <= HB_PORT_EXPRESS, "MSI overlaps Express");
_Static_assert(SLOT_STATUS == SLOT_CONTROL + 2, "Slot Control and Status are one doubleword");

struct HbPort {
	HbPciFunction function; /* first: the bridge sees the port as this */
	HbHostBridge *bridge;
	HbPortConfig config; /* its id is owned */
	HbSlotReports *reports;

	/* All below is guarded by the bus lock. */
	HbConfigSpace space;
	guint8 initial[HB_CONFIG_SIZE]; /* values of @space after a reset */
	HbMsi msi;
	HbSlot slot;
	HbPciFunction *occupant; /* (nullable): owned */
	HbPciFunction *newcomer; /* (nullable): owned; in line */
	GSource *timer;		 /* (nullable): the removal's, or the settling slot's */
	gboolean running;
};

static HbPort *to_port(HbPciFunction *function)
{
	return (HbPort *)function;
}

static HbHost *get_host(HbPort *port)
{
	return hb_host_bridge_get_host(port->bridge);
}

/* Carrying out the slot's actions. */

static void step(HbPort *port, HbSlotInput input, guint16 value, guint16 mask);

static gboolean on_timer(gpointer data)
{
	HbPort *port = data;

	hb_host_bridge_lock(port->bridge);
	if (port->timer == g_main_current_source()) {
		g_clear_pointer(&port->timer, g_source_unref);
		step(port, HB_SLOT_INPUT_TIMEOUT, 0, 0);
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

static void start_timer(HbPort *port, guint milliseconds)
{
	stop_timer(port);
	port->timer = g_timeout_source_new(milliseconds);
	g_source_set_callback(port->timer, on_timer, port, NULL);
	g_source_attach(port->timer, hb_host_get_context(get_host(port)));
}

static void perform_timers(HbPort *port, guint actions)
{
	if (actions & HB_SLOT_ACTION_STOP_TIMER)
		stop_timer(port);
	if (actions & HB_SLOT_ACTION_START_REMOVAL_TIMER && port->config.removal_timeout_ms)
		start_timer(port, port->config.removal_timeout_ms);
	if (actions & HB_SLOT_ACTION_START_SETTLE_TIMER)
		start_timer(port, HB_SLOT_SETTLE_MS);
}

/* Returns: (transfer full) (nullable): who left. */
static HbPciFunction *perform_moves(HbPort *port, guint actions)
{
	HbPciFunction *leaving = NULL;

	if (actions & HB_SLOT_ACTION_SEVER)
		leaving = g_steal_pointer(&port->occupant);
	if (actions & HB_SLOT_ACTION_SEVER_NEWCOMER)
		leaving = g_steal_pointer(&port->newcomer);
	if (leaving)
		leaving->ops->sever(leaving);
	if (actions & HB_SLOT_ACTION_ADMIT) {
		port->occupant = g_steal_pointer(&port->newcomer);
		port->occupant->ops->attach(port->occupant, port->bridge);
	}
	if (actions & HB_SLOT_ACTION_RESET && port->occupant)
		port->occupant->ops->bus_reset(port->occupant);
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

	hb_express_set_slot(&port->space, HB_PORT_EXPRESS, registers->link_active,
			    registers->control, registers->status);
}

/* An interrupt that is masked is pending only while its condition holds (PCIe r6.0 §6.1.4.5). */
static void perform_interrupt(HbPort *port, guint actions)
{
	HbMsiMessage message;

	if (!port->slot.asserted)
		hb_msi_withdraw(&port->msi, 0);
	if (actions & HB_SLOT_ACTION_NOTIFY && hb_msi_notify(&port->msi, 0, &message))
		signal_message(port, &message);
}

static void perform_reports(HbPort *port, const HbSlotResult *result, HbPciFunction *leaving)
{
	static const struct {
		guint action;
		HbSlotEvent event;
	} events[] = {
		{ HB_SLOT_ACTION_REPORT_INDICATORS, HB_SLOT_INDICATORS },
		{ HB_SLOT_ACTION_REPORT_PLUGGED, HB_SLOT_PLUGGED },
		{ HB_SLOT_ACTION_REPORT_REQUESTED, HB_SLOT_REMOVAL_REQUESTED },
		{ HB_SLOT_ACTION_REPORT_REFUSED, HB_SLOT_REMOVAL_REFUSED },
		{ HB_SLOT_ACTION_REPORT_SEVERED, HB_SLOT_SEVERED },
	};

	for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
		HbSlotEvent event = events[i].event;
		gboolean has_reason = event == HB_SLOT_REMOVAL_REFUSED || event == HB_SLOT_SEVERED;

		if (result->actions & events[i].action)
			hb_slot_reports_add(port->reports, event,
					    has_reason ? result->reason : HB_SLOT_REASON_NONE,
					    leaving ? leaving : port->occupant);
	}
	if (result->actions & HB_SLOT_ACTION_RELEASE)
		hb_slot_reports_add_release(port->reports, leaving);
}

static void step(HbPort *port, HbSlotInput input, guint16 value, guint16 mask)
{
	HbSlotState state = port->slot.state;
	HbSlotResult result = hb_slot_step(&port->slot, input, value, mask);

	if (result.actions & HB_SLOT_ACTION_IMPOSSIBLE) {
		hb_host_log(get_host(port), G_LOG_LEVEL_WARNING,
			    "%s: %s is impossible in state %s and was ignored: please report this",
			    port->config.id, hb_slot_input_to_str(input),
			    hb_slot_state_to_str(state));
		return;
	}
	perform_timers(port, result.actions);
	HbPciFunction *leaving = perform_moves(port, result.actions);
	show_registers(port);
	perform_interrupt(port, result.actions);
	perform_reports(port, &result, leaving);
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
		step(port, HB_SLOT_INPUT_STATUS_WRITTEN, (guint16)(value >> 16),
		     (guint16)(mask >> 16));
	if (mask & 0xffff)
		step(port, HB_SLOT_INPUT_CONTROL_WRITTEN, (guint16)value, (guint16)mask);
}

/* PCIe r6.0 §7.5.2.2: a write of a power state that is not supported is discarded. */
static void write_space(HbPort *port, guint offset, guint size, guint32 value)
{
	guint16 pm = hb_config_space_get_u16(&port->space, PM_CONTROL);
	gboolean was_in_reset = hb_bridge_is_bus_in_reset(&port->space);
	HbMsiMessage message;

	hb_config_space_write(&port->space, offset, size, value);

	guint state = hb_config_space_get_u16(&port->space, PM_CONTROL) & PCI_PM_CTRL_STATE_MASK;
	if (state == 1 || state == 2)
		hb_config_space_set_u16(&port->space, PM_CONTROL, pm);
	if (!was_in_reset && hb_bridge_is_bus_in_reset(&port->space) && port->occupant)
		port->occupant->ops->bus_reset(port->occupant);
	if (hb_msi_unmasked(&port->msi, 0, &message))
		signal_message(port, &message);
}

static void config_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	HbPort *port = to_port(function);

	if (hb_config_space_overlaps(offset, size, SLOT_CONTROL, 4))
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
	step(port, HB_SLOT_INPUT_RESET, 0, 0);
	if (occupant && port->occupant == occupant)
		occupant->ops->reset(occupant);
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
	hb_slot_reports_set_listener(port->reports, NULL, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
		if (held[i]) {
			held[i]->ops->sever(held[i]);
			hb_slot_reports_add_release(port->reports, held[i]);
		}
	}
	port->occupant = NULL;
	port->newcomer = NULL;
}

static void destroy(HbPort *port)
{
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
	.sever = sever,
	.revoke = revoke_occupant,
	.release = release,
};

/* The port as a bridge. */

static gboolean decodes(HbPciFunction *function, guint8 bus)
{
	return hb_bridge_decodes(&to_port(function)->space, bus);
}

/* Behind a link there is device 0 and nothing else (PCIe r6.0 §7.3.1); in D3hot, nothing at all. */
static HbPciFunction *find(HbPciFunction *function, guint8 bus, guint8 devfn)
{
	HbPort *port = to_port(function);
	guint16 pm = hb_config_space_get_u16(&port->space, PM_CONTROL);

	if (bus != hb_bridge_get_secondary_bus(&port->space) || devfn ||
	    !port->slot.registers.link_active || pm & PCI_PM_CTRL_STATE_MASK)
		return NULL;
	return port->occupant;
}

static void get_window_sizes(HbPciFunction *function, guint64 *mem32, guint64 *mem64)
{
	*mem32 = to_port(function)->config.mem32_size;
	*mem64 = to_port(function)->config.mem64_size;
}

static const HbSecondaryBusOps secondary_bus_ops = {
	.decodes = decodes,
	.find = find,
	.get_window_sizes = get_window_sizes,
};

/* Creation. */

void hb_port_config_init(HbPortConfig *config)
{
	*config = (HbPortConfig){
		.hotplug = TRUE,
		.attention_button = TRUE,
		.power_controller = FALSE,
		.indicators = TRUE,
		.no_command_completed = TRUE,
		.surprise = TRUE,
		.removal_timeout_ms = DEFAULT_REMOVAL_TIMEOUT_MS,
		.mem32_size = DEFAULT_MEM32_SIZE,
		.mem64_size = DEFAULT_MEM64_SIZE,
	};
}

static gboolean check_config(const HbPortConfig *config, GError **error)
{
	if (!config->id || !*config->id)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "root port at 00:%02x.%x has no id: give it one",
			    HB_PCI_DEVICE(config->devfn), HB_PCI_FUNCTION(config->devfn));
	else if (config->slot > SLOT_NUMBER_LAST)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "root port %s: slot number %u is too large: use 0 to %u", config->id,
			    config->slot, SLOT_NUMBER_LAST);
	else if (config->mem32_size % MIB || config->mem64_size % MIB)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "root port %s: a window is no multiple of 1 MiB: round it up",
			    config->id);
	else
		return TRUE;
	return FALSE;
}

static void init_slot(HbPort *port)
{
	const HbPortConfig *config = &port->config;
	HbSlotProperties properties = {
		.number = config->slot,
		.hotplug = config->hotplug,
		.attention_button = config->attention_button,
		.power_controller = config->power_controller,
		.indicators = config->indicators,
		.no_command_completed = config->no_command_completed,
		.surprise = config->surprise,
	};

	hb_slot_init(&port->slot, &properties);
}

static void init_space(HbPort *port)
{
	HbConfigSpace *space = &port->space;

	hb_config_space_init(space);
	hb_bridge_init(space, HB_ROOT_PORT_VENDOR_ID, HB_ROOT_PORT_DEVICE_ID,
		       port->config.multifunction);
	hb_capability_add(space, PCI_CAP_ID_EXP, HB_PORT_EXPRESS);
	hb_express_init(space, HB_PORT_EXPRESS, (guint8)port->config.slot,
			hb_slot_registers_get_capabilities(&port->slot.registers));
	hb_capability_add(space, PCI_CAP_ID_MSI, HB_PORT_MSI);
	hb_msi_init(&port->msi, space, HB_PORT_MSI, 1);
	hb_capability_add(space, PCI_CAP_ID_PM, HB_PORT_PM);
	hb_config_space_set_u16(space, HB_PORT_PM + PCI_PM_PMC, 3); /* version */
	hb_config_space_set_u16(space, PM_CONTROL, PCI_PM_CTRL_NO_SOFT_RESET);
	hb_config_space_set_writable(space, PM_CONTROL, 2, PCI_PM_CTRL_STATE_MASK);
	show_registers(port);
	memcpy(port->initial, space->value, sizeof(port->initial));
}

HbPort *hb_port_create(HbHostBridge *bridge, const HbPortConfig *config, GError **error)
{
	if (!check_config(config, error))
		return NULL;

	g_autoptr(HbPort) port = g_new0(HbPort, 1);

	port->function.ops = &function_ops;
	port->bridge = bridge;
	port->config = *config;
	port->config.id = g_strdup(config->id);
	port->reports = hb_slot_reports_create(port, hb_host_get_context(get_host(port)));
	init_slot(port);
	init_space(port);
	if (!hb_host_bridge_add_bridge(bridge, config->devfn, &port->function, &secondary_bus_ops,
				       error)) {
		g_prefix_error(error, "root port %s: ", config->id);
		return NULL;
	}
	return g_steal_pointer(&port);
}

const char *hb_port_get_id(HbPort *port)
{
	return port->config.id;
}

HbHostBridge *hb_port_get_bridge(HbPort *port)
{
	return port->bridge;
}

void hb_port_set_listener(HbPort *port, HbSlotListener listener, gpointer data)
{
	hb_slot_reports_set_listener(port->reports, listener, data);
}

/* What the embedder asks for. */

static gboolean check_plug(HbPort *port, GError **error)
{
	if (port->occupant || port->newcomer)
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "slot %s %s: wait until it is released, or use another slot",
			    port->config.id,
			    port->occupant ? "is occupied" : "has a drive waiting to enter");
	else if (port->running && !port->config.hotplug)
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slot %s is not hot-plug capable: plug before the guest starts, or "
			    "create the port with hotplug=on",
			    port->config.id);
	else
		return TRUE;
	return FALSE;
}

gboolean hb_port_plug(HbPort *port, HbPciFunction *function, GError **error)
{
	hb_host_bridge_lock(port->bridge);
	gboolean fits = check_plug(port, error);
	if (fits) {
		function->port = port;
		port->newcomer = function;
		if (function->ops->plugged)
			function->ops->plugged(function);
		step(port, port->running ? HB_SLOT_INPUT_PLUG : HB_SLOT_INPUT_COLD_PLUG, 0, 0);
	}
	hb_host_bridge_unlock(port->bridge);
	return fits;
}

static gboolean check_request(HbPort *port, GError **error)
{
	const char *id = port->config.id;

	if (!port->occupant && !port->newcomer)
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "slot %s is empty: there is nothing to remove", id);
	else if (hb_slot_is_removal_pending(&port->slot))
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "slot %s: a removal is in flight: wait for its end", id);
	else if (port->slot.state == HB_SLOT_STATE_ON && !hb_slot_can_be_asked(&port->slot))
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "slot %s has no way to ask the guest: create the port with hotplug, an "
			    "attention button, and indicators or a power controller; or switch the "
			    "slot off in the guest first",
			    id);
	else
		return TRUE;
	return FALSE;
}

gboolean hb_port_request_removal(HbPort *port, GError **error)
{
	hb_host_bridge_lock(port->bridge);
	gboolean accepted = check_request(port, error);
	if (accepted)
		step(port, HB_SLOT_INPUT_REQUEST_REMOVAL, 0, 0);
	hb_host_bridge_unlock(port->bridge);
	return accepted;
}

void hb_port_pull(HbPort *port, HbPciFunction *function)
{
	hb_host_bridge_lock(port->bridge);
	if (port->occupant && (!function || function == port->occupant))
		step(port, HB_SLOT_INPUT_PULL, 0, 0);
	else if (function && function == port->newcomer)
		step(port, HB_SLOT_INPUT_PULL_NEWCOMER, 0, 0);
	hb_host_bridge_unlock(port->bridge);
}

void hb_port_set_running(HbPort *port)
{
	hb_host_bridge_lock(port->bridge);
	port->running = TRUE;
	hb_host_bridge_unlock(port->bridge);
}

void hb_port_get_info(HbPort *port, HbSlotInfo *info)
{
	const HbSlotRegisters *registers = &port->slot.registers;

	hb_host_bridge_lock(port->bridge);
	*info = (HbSlotInfo){
		.state = hb_slot_state_to_str(port->slot.state),
		.occupant = port->occupant,
		.secondary_bus = hb_bridge_get_secondary_bus(&port->space),
		.presence = hb_slot_registers_is_occupied(registers),
		.link_active = registers->link_active,
		.removal_pending = hb_slot_is_removal_pending(&port->slot),
		.attention_indicator = hb_slot_registers_get_attention_indicator(registers),
		.power_indicator = hb_slot_registers_get_power_indicator(registers),
		.slot_control = registers->control,
		.slot_status = registers->status,
	};
	hb_host_bridge_unlock(port->bridge);
}
