/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A PCI Express switch: a bridge in a port's slot, and bridges below it on a bus that has no wires.
 *
 *   bus 0    root port                  hw/port.c
 *              | link
 *   bus 1    upstream port              here: type 1 header, Express, PM
 *              | the bus inside
 *   bus 2    +-+-----------+
 *            downstream    downstream   hw/port.c, with this switch as parent
 *              | slot        | slot
 *   bus 3, 4 drive         drive
 *
 * To the port above it is the function in its slot, so what goes down there comes here by the ops
 * of that function, and goes on to the downstream ports: resets, severing, the search for dead
 * mappings, changes of what is forwarded. Configuration accesses come by the type 1 registers of
 * both ports, as the guest has them.
 *
 * The upstream port has no interrupt: it has nothing to tell. A reset of the bus above is a hot
 * reset of the whole (PCIe r6.0 §6.6.1): its own registers and those of the downstream ports are as
 * at first, so nothing is reached below until the guest has numbered the buses again.
 *
 * Threads: the functions of HbPciFunctionOps and HbSecondaryBusOps come with the bus lock held, on
 * any thread. The public functions are for the loop.
 */

#include "hw/switch.h"

#include "hw/bridge.h"
#include "hw/bus.h"
#include "hw/capability.h"
#include "hw/express.h"
#include "hw/host-bridge.h"
#include "hw/port.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>
#include <string.h>

_Static_assert(HB_UPSTREAM_PORT_PM + PCI_PM_SIZEOF <= HB_UPSTREAM_PORT_EXPRESS,
	       "PM overlaps Express");

struct HbSwitch {
	HbPciFunction
		function; /* first: the port above sees the switch as this; its @port is set */
	char *id;
	guint depth; /* how many switches there are from bus 0 to this one */

	/* All below is guarded by the bus lock. */
	HbConfigSpace space;
	guint8 initial[HB_CONFIG_SIZE]; /* values of @space after a reset */
	HbBus *inside;			/* the downstream ports */
	guint64 laid_out[HB_N_WINDOW_KINDS];
};

static HbSwitch *to_switch(HbPciFunction *function)
{
	return (HbSwitch *)function;
}

/* The upstream port as a PCI function. */

static guint32 config_read(HbPciFunction *function, guint offset, guint size)
{
	return hb_config_space_read(&to_switch(function)->space, offset, size);
}

static void path_changed(HbPciFunction *function)
{
	hb_bus_path_changed(to_switch(function)->inside);
}

static void config_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	HbSwitch *self = to_switch(function);
	guint effects = hb_bridge_write(&self->space, HB_UPSTREAM_PORT_PM, offset, size, value);

	if (effects & HB_BRIDGE_PATH_CHANGED)
		path_changed(function);
	if (effects & HB_BRIDGE_BUS_RESET)
		hb_bus_bus_reset(self->inside);
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
}

static void reset(HbPciFunction *function)
{
	HbSwitch *self = to_switch(function);

	memcpy(self->space.value, self->initial, sizeof(self->initial));
	hb_bus_reset(self->inside);
}

static void bus_reset(HbPciFunction *function)
{
	HbSwitch *self = to_switch(function);

	memcpy(self->space.value, self->initial, sizeof(self->initial));
	hb_bus_bus_reset(self->inside);
}

static void sever(HbPciFunction *function)
{
	hb_bus_sever(to_switch(function)->inside);
}

static gboolean revoke_below(HbPciFunction *function)
{
	return hb_bus_revoke(to_switch(function)->inside);
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	HbSwitch *self = to_switch(function);

	hb_bus_destroy(self->inside);
	g_free(self->id);
	g_free(self);
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
	.revoke = revoke_below,
	.path_changed = path_changed,
	.release = release,
};

/* The upstream port as a bridge. */

static gboolean decodes(HbPciFunction *function, guint8 bus)
{
	return hb_bridge_decodes(&to_switch(function)->space, bus);
}

static HbPciFunction *find(HbPciFunction *function, guint8 bus, guint8 devfn)
{
	const HbSwitch *self = to_switch(function);

	if (!hb_bridge_is_awake(&self->space, HB_UPSTREAM_PORT_PM))
		return NULL;
	if (bus == hb_bridge_get_secondary_bus(&self->space))
		return hb_bus_get(self->inside, devfn);
	return hb_bus_find_behind(self->inside, bus, devfn);
}

/* What the downstream ports ask for is found at lay-out. */
static void get_reserve(HbPciFunction *function, HbReserve *reserve)
{
	*reserve = (HbReserve){ 0 };
	memcpy(reserve->window, to_switch(function)->laid_out, sizeof(reserve->window));
}

static void laid_out(HbPciFunction *function, const guint64 window[HB_N_WINDOW_KINDS])
{
	memcpy(to_switch(function)->laid_out, window, sizeof(to_switch(function)->laid_out));
}

static const HbSecondaryBusOps secondary_bus_ops = {
	.decodes = decodes,
	.find = find,
	.get_reserve = get_reserve,
	.laid_out = laid_out,
};

gboolean hb_switch_forwards(const HbSwitch *self, guint64 base, guint64 size)
{
	return hb_bridge_is_awake(&self->space, HB_UPSTREAM_PORT_PM) &&
	       hb_bridge_forwards(&self->space, base, size) &&
	       hb_port_forwards(self->function.port, base, size);
}

/* The upstream port is device 0 behind its port. */
guint hb_switch_get_pin_link(const HbSwitch *self, guint pin)
{
	return hb_port_get_pin_link(self->function.port, pin);
}

gboolean hb_switch_passes_dma(const HbSwitch *self)
{
	return hb_bridge_passes_dma(&self->space, HB_UPSTREAM_PORT_PM) &&
	       hb_port_passes_dma(self->function.port);
}

/* Creation. */

gboolean hb_switch_add(HbSwitch *self, guint8 devfn, HbPciFunction *port, GError **error)
{
	HbHostBridge *bridge = hb_port_get_bridge(self->function.port);

	hb_host_bridge_lock(bridge);
	gboolean added = hb_bus_add(self->inside, devfn, port);
	if (added)
		port->ops->attach(port, bridge);
	hb_host_bridge_unlock(bridge);
	if (!added)
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "%02x.%x of switch %s is taken: give the port another address there",
			    HB_PCI_DEVICE(devfn), HB_PCI_FUNCTION(devfn), self->id);
	return added;
}

static void init_space(HbSwitch *self)
{
	HbConfigSpace *space = &self->space;

	hb_config_space_init(space);
	hb_bridge_init(space, HB_UPSTREAM_PORT_VENDOR_ID, HB_UPSTREAM_PORT_DEVICE_ID, FALSE);
	hb_capability_add(space, PCI_CAP_ID_EXP, HB_UPSTREAM_PORT_EXPRESS);
	hb_express_init(space, HB_UPSTREAM_PORT_EXPRESS, PCI_EXP_TYPE_UPSTREAM, 0,
			HB_EXPRESS_DEFAULT_LINK, 0);
	hb_bridge_add_pm(space, HB_UPSTREAM_PORT_PM);
	memcpy(self->initial, space->value, sizeof(self->initial));
}

static guint depth_below(HbPort *port)
{
	const HbSwitch *above = hb_port_get_parent(port);

	return above ? above->depth + 1 : 1;
}

static gboolean check(HbPort *port, const char *id, GError **error)
{
	const char *port_id = hb_port_get_id(port);

	if (!id || !*id)
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "the switch in slot %s has no id: give it one", port_id);
	else if (hb_port_is_hotplug(port))
		g_set_error(
			error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			"switch %s: slot %s is hot-plug capable, and a switch stays: create the "
			"port with hotplug=off",
			id, port_id);
	else if (depth_below(port) > HB_SWITCH_MAX_DEPTH)
		g_set_error(
			error, HB_ERROR, HB_ERROR_LIMIT,
			"switch %s in slot %s: there are %d switches above it, and more are not "
			"supported: put it into a port closer to bus 0",
			id, port_id, HB_SWITCH_MAX_DEPTH);
	else
		return TRUE;
	return FALSE;
}

HbSwitch *hb_switch_create(HbPort *port, const char *id, GError **error)
{
	if (!check(port, id, error))
		return NULL;

	HbSwitch *self = g_new0(HbSwitch, 1);

	self->function.ops = &function_ops;
	self->function.secondary = &secondary_bus_ops;
	self->id = g_strdup(id);
	self->depth = depth_below(port);
	self->inside = hb_bus_create();
	init_space(self);
	if (hb_port_plug(port, &self->function, 0, error))
		return self;
	g_prefix_error(error, "switch %s: ", id);
	release(&self->function, NULL, NULL);
	return NULL;
}

HbPort *hb_switch_get_port(HbSwitch *self)
{
	return self->function.port;
}

HbPciFunction *hb_switch_get_function(HbSwitch *self)
{
	return &self->function;
}
