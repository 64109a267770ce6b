/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_PORT_PRIVATE_H
#define HW_PORT_PRIVATE_H

#include "hw/aer.h"
#include "hw/bus.h"
#include "hw/config-space.h"
#include "hw/host-bridge.h"
#include "hw/msi.h"
#include "hw/port.h"
#include "hw/slot-reports.h"
#include "hw/slot.h"

/* What hw/port.c, which carries the slot's actions out, and hw/port-requests.c share. */

struct HbPort {
	HbPciFunction function; /* first: the bridge sees the port as this */
	HbHostBridge *bridge;
	HbPortConfig config; /* its id is owned */
	HbSlotReports *reports;

	/* All below is guarded by the bus lock. */
	HbConfigSpace space;
	guint8 initial[HB_CONFIG_SIZE]; /* values of @space after a reset */
	HbMsi msi;
	HbAer aer;		 /* of a root port */
	gboolean error_asserted; /* the error interrupt's condition held at the last look */
	HbSlot slot;
	HbPciFunction *occupant; /* (nullable): owned */
	HbPciFunction *newcomer; /* (nullable): owned; in line */
	HbLink link;		 /* with the occupant, while it is active */
	GSource *timer;		 /* (nullable): of the slot's state */
	HbRemoval removal;	 /* the one under way */
	gint64 removal_ends_us;	 /* and when its time is up; 0: never */
	HbSlotReason pull_reason;
	gboolean running;
	guint64 laid_out[HB_N_WINDOW_KINDS]; /* bytes of window that it had been given */
};

/* A switch in the slot is there to stay, and nobody's event. */
static inline gboolean hb_port_holds_switch(const HbPort *port)
{
	return port->occupant && port->occupant->secondary;
}

/* Gives the slot an input and carries out what it decides. With the bus lock held. */
void hb_port_step(HbPort *port, HbSlotInput input, guint16 value, guint16 mask);

/* Tells of @function, which is (or was) in the slot or in line, and answers the request that it is
 * under. With the bus lock held. */
void hb_port_report(HbPort *port, HbEventType type, HbSlotReason reason, HbPciFunction *function);
void hb_port_report_error(HbPort *port, HbPciFunction *function, HbPortFailure failure);

/* Of hw/port-requests.c: gives @event the number of the request that it answers, and ends that if
 * it is the last one. With the bus lock held. */
void hb_port_answer_request(HbEvent *event);

/* Errors are reported by root ports. */
static inline gboolean hb_port_has_aer(const HbPort *port)
{
	return !port->config.parent;
}

/* After the error registers changed: sends the interrupt that they ask for. With the lock held. */
void hb_port_look_at_errors(HbPort *port);

/* In ACPI mode: looks whether the guest has taken an occupant that it had let go into use.
 * Likewise. */
void hb_port_notice_use(HbPort *port);

/* From now on, for the time of the removal under way. Likewise. */
void hb_port_start_removal_timer(HbPort *port);

#endif
