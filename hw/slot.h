/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_SLOT_H
#define HW_SLOT_H

#include "hw/slot-registers.h"

/*
 * A hot-plug slot as a pure state machine: hb_slot_step(state, event) changes the state and says
 * what is to be done. It holds the guest-visible slot registers as plain values and knows no fd,
 * clock, memory or lock. hw/slot.c draws every case; hw/port.c carries the actions out.
 */

typedef enum HbSlotState {
	HB_SLOT_STATE_EMPTY,		 /* nothing in it, and the guest has nothing to finish */
	HB_SLOT_STATE_OFF,		 /* occupied, but not in use by the guest */
	HB_SLOT_STATE_ON,		 /* occupied and in use */
	HB_SLOT_STATE_REMOVAL_WAITING,	 /* removal asked for; no press possible yet */
	HB_SLOT_STATE_REMOVAL_REQUESTED, /* button pressed; the guest's turn */
	HB_SLOT_STATE_HAUNTED,		 /* pulled while in use; not acknowledged by the guest */
	HB_SLOT_STATE_SETTLING,		 /* let go by the guest, which is not done with it yet */
} HbSlotState;

#define HB_SLOT_N_STATES (HB_SLOT_STATE_SETTLING + 1)

const char *hb_slot_state_to_str(HbSlotState state);

/* The state machine's events, so called because an event is what the embedder is told. */
typedef enum HbSlotInput {
	HB_SLOT_INPUT_COLD_PLUG,       /* a function comes, before the guest runs */
	HB_SLOT_INPUT_PLUG,	       /* a function comes; it stands in line until admitted */
	HB_SLOT_INPUT_REQUEST_REMOVAL, /* the operator wants it back */
	HB_SLOT_INPUT_PULL,	       /* the occupant is gone */
	HB_SLOT_INPUT_PULL_NEWCOMER,   /* the one in line is gone */
	HB_SLOT_INPUT_CONTROL_WRITTEN, /* Slot Control: value, mask of the bytes written; in ACPI
					* mode a command: see hw/acpi-slot.h */
	HB_SLOT_INPUT_STATUS_WRITTEN,  /* Slot Status: value; ones clear; in ACPI mode events */
	HB_SLOT_INPUT_RESET,	       /* a conventional reset of the port */
	HB_SLOT_INPUT_TIMEOUT,	       /* the timer that was started has run out */
	HB_SLOT_INPUT_INSIST, /* the removal under way will not be refused, but become a pull */
	HB_SLOT_INPUT_DISMISS_NEWCOMER, /* the operator wants the one in line back */
} HbSlotInput;

#define HB_SLOT_N_INPUTS (HB_SLOT_INPUT_DISMISS_NEWCOMER + 1)

const char *hb_slot_input_to_str(HbSlotInput input);

/* What is to be done, lowest bit first. Several at once are one step: the guest sees no half. */
typedef enum HbSlotActions {
	HB_SLOT_ACTION_IMPOSSIBLE = 1 << 0, /* nothing changed: the caller should not have asked */
	HB_SLOT_ACTION_STOP_TIMER = 1 << 1,
	HB_SLOT_ACTION_START_REMOVAL_TIMER = 1 << 2, /* as long as the operator allows */
	HB_SLOT_ACTION_START_SETTLE_TIMER = 1 << 3,  /* HB_SLOT_SETTLE_MS */
	HB_SLOT_ACTION_SEVER = 1 << 4,		     /* cut the occupant off from the guest */
	HB_SLOT_ACTION_SEVER_NEWCOMER = 1 << 5,	     /* the one in line leaves it */
	HB_SLOT_ACTION_ADMIT = 1 << 6,		     /* the one in line is the occupant now */
	HB_SLOT_ACTION_RESET = 1 << 7,		     /* the occupant lost its power */
	HB_SLOT_ACTION_NOTIFY = 1 << 8,		     /* one edge of the port's interrupt */
	HB_SLOT_ACTION_RELEASE = 1 << 9,	     /* give the severed function back */
	HB_SLOT_ACTION_REPORT_INDICATORS = 1 << 10,
	HB_SLOT_ACTION_REPORT_PLUGGED = 1 << 11,
	HB_SLOT_ACTION_REPORT_REQUESTED = 1 << 12,
	HB_SLOT_ACTION_REPORT_REFUSED = 1 << 13,    /* with the reason */
	HB_SLOT_ACTION_REPORT_SEVERED = 1 << 14,    /* with the reason */
	HB_SLOT_ACTION_START_HAUNT_TIMER = 1 << 15, /* as long as the guest may take to bury one */
	HB_SLOT_ACTION_REPORT_PLUG_WAITING = 1 << 16,
	HB_SLOT_ACTION_REPORT_REMOVAL_WAITING = 1 << 17,
	HB_SLOT_ACTION_REPORT_PLUG_REFUSED = 1 << 18,
} HbSlotActions;

/*
 * How long a slot with a power controller and no indicators rests after the guest let its occupant
 * go: twice what Linux sleeps after switching power off, deaf to presence and link (Linux 6.1
 * drivers/pci/hotplug/pciehp_ctrl.c, remove_board()).
 */
#define HB_SLOT_SETTLE_MS 2000

typedef struct HbSlot {
	HbSlotState state;
	HbSlotRegisters registers;
	gboolean newcomer; /* one stands in line */
	gboolean insists;  /* the removal under way is not refused, but becomes a pull */
	gboolean unmet;	   /* it came while nobody listened: the guest may have to add it yet */
	gboolean recall;   /* announced again when the guest has switched it off */
	gboolean asserted; /* the interrupt condition held after the last step */

	/* Of a slot in ACPI mode, see hw/acpi-slot.h; else zero. */
	guint8 events;	  /* that the guest has not taken yet */
	gboolean started; /* an operating system can be told of events */
} HbSlot;

typedef struct HbSlotResult {
	guint actions; /* of HbSlotActions */
	HbSlotReason reason;
} HbSlotResult;

void hb_slot_init(HbSlot *slot, const HbSlotProperties *properties);

/* @value and @mask: of the two that are register writes; else ignored. */
HbSlotResult hb_slot_step(HbSlot *slot, HbSlotInput input, guint16 value, guint16 mask);

gboolean hb_slot_is_removal_pending(const HbSlot *slot);

/* Would a request for removal have an end other than a timeout? */
gboolean hb_slot_can_be_asked(const HbSlot *slot);

#endif
