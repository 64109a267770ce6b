/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The functions of one bus, by device and function number.
 *
 *   bus 0 ---+--- 00.0 host bridge                          up to 256 functions; those that are
 *            +--- 04.0 root port ===[ slot ]                bridges say by their bus numbers what
 *            +--- 04.1 root port ===[ switch ]--- its bus   is behind them
 *
 * Of bridges whose bus numbers overlap, which a guest can program, the one with the lowest device
 * and function answers.
 */

#include "hw/bus.h"

#define N_DEVFNS 256

struct HbBus {
	HbPciFunction *functions[N_DEVFNS]; /* owned; NULL: nothing here */
};

HbBus *hb_bus_create(void)
{
	return g_new0(HbBus, 1);
}

void hb_bus_destroy(HbBus *bus)
{
	if (!bus)
		return;
	for (guint i = N_DEVFNS; i-- > 0;) {
		HbPciFunction *function = bus->functions[i];

		if (function)
			function->ops->release(function, NULL, NULL);
	}
	g_free(bus);
}

gboolean hb_bus_add(HbBus *bus, guint8 devfn, HbPciFunction *function)
{
	if (bus->functions[devfn])
		return FALSE;
	bus->functions[devfn] = function;
	return TRUE;
}

HbPciFunction *hb_bus_get(const HbBus *bus, guint8 devfn)
{
	return bus->functions[devfn];
}

HbPciFunction *hb_bus_find_behind(const HbBus *bus, guint8 number, guint8 devfn)
{
	for (guint i = 0; i < N_DEVFNS; i++) {
		HbPciFunction *function = bus->functions[i];

		if (function && function->secondary &&
		    function->secondary->decodes(function, number))
			return function->secondary->find(function, number, devfn);
	}
	return NULL;
}

void hb_bus_reset(HbBus *bus)
{
	for (guint i = 0; i < N_DEVFNS; i++)
		if (bus->functions[i])
			bus->functions[i]->ops->reset(bus->functions[i]);
}

void hb_bus_bus_reset(HbBus *bus)
{
	for (guint i = 0; i < N_DEVFNS; i++)
		if (bus->functions[i])
			bus->functions[i]->ops->bus_reset(bus->functions[i]);
}

void hb_bus_path_changed(HbBus *bus)
{
	for (guint i = 0; i < N_DEVFNS; i++)
		if (bus->functions[i] && bus->functions[i]->ops->path_changed)
			bus->functions[i]->ops->path_changed(bus->functions[i]);
}

void hb_bus_sever(HbBus *bus)
{
	for (guint i = 0; i < N_DEVFNS; i++)
		if (bus->functions[i])
			bus->functions[i]->ops->sever(bus->functions[i]);
}

gboolean hb_bus_revoke(HbBus *bus)
{
	gboolean revoked = FALSE;

	for (guint i = 0; i < N_DEVFNS; i++)
		if (bus->functions[i] && bus->functions[i]->ops->revoke)
			revoked |= bus->functions[i]->ops->revoke(bus->functions[i]);
	return revoked;
}
