/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Walks the slot's state machine everywhere it can get, with every set of properties, and checks
 * after each step what must hold whatever happened. The walk keeps a ledger beside the slot: who is
 * there, what was asked, which timer runs. It visits each pair of slot and ledger once and takes
 * every symbol of the alphabet from it, so every order of symbols of any length is covered.
 */

#include "hw/slot.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>
#include <string.h>

#define HPIE   PCI_EXP_SLTCTL_HPIE
#define ABPE   PCI_EXP_SLTCTL_ABPE
#define PDCE   PCI_EXP_SLTCTL_PDCE
#define CCIE   PCI_EXP_SLTCTL_CCIE
#define DLLSCE PCI_EXP_SLTCTL_DLLSCE
#define PCC    PCI_EXP_SLTCTL_PCC
#define PIC    PCI_EXP_SLTCTL_PIC
#define AIC    PCI_EXP_SLTCTL_AIC

#define ABP    PCI_EXP_SLTSTA_ABP
#define PDC    PCI_EXP_SLTSTA_PDC
#define CC     PCI_EXP_SLTSTA_CC
#define DLLSC  PCI_EXP_SLTSTA_DLLSC
#define PDS    PCI_EXP_SLTSTA_PDS
#define EVENTS (ABP | PDC | CC | DLLSC)

/* Check's own assertions write to a pipe even when they hold, millions of times here. */
#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			give_up(step, #condition);                                                 \
	} while (0)

typedef struct Symbol {
	HbSlotInput input;
	guint16 value;
	guint16 mask;
} Symbol;

/* What guests and operators do. Control writes are masked, as by byte enables and read-modify-write
 * together; the walk is not about which bytes of a register a guest touches. */
static const Symbol alphabet[] = {
	{ HB_SLOT_INPUT_COLD_PLUG, 0, 0 },
	{ HB_SLOT_INPUT_PLUG, 0, 0 },
	{ HB_SLOT_INPUT_REQUEST_REMOVAL, 0, 0 },
	{ HB_SLOT_INPUT_PULL, 0, 0 },
	{ HB_SLOT_INPUT_PULL_NEWCOMER, 0, 0 },
	{ HB_SLOT_INPUT_RESET, 0, 0 },
	{ HB_SLOT_INPUT_TIMEOUT, 0, 0 },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HPIE, HPIE },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, 0, HPIE },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, ABPE | CCIE | DLLSCE, ABPE | PDCE | CCIE | DLLSCE },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, PDCE, ABPE | PDCE | CCIE | DLLSCE },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, ABPE, ABPE | PDCE | CCIE | DLLSCE },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, PCI_EXP_SLTCTL_PWR_IND_ON, PIC },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, PCI_EXP_SLTCTL_PWR_IND_BLINK, PIC },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, PCI_EXP_SLTCTL_PWR_IND_OFF, PIC },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, 0, PCC },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, PCC, PCC },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, 0xffff, 0xffff },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, 0, 0xffff },
	{ HB_SLOT_INPUT_STATUS_WRITTEN, 0xffff, 0xffff },
	{ HB_SLOT_INPUT_STATUS_WRITTEN, ABP | CC, 0xffff },
	{ HB_SLOT_INPUT_STATUS_WRITTEN, DLLSC, 0xffff },
	{ HB_SLOT_INPUT_INSIST, 0, 0 },
	{ HB_SLOT_INPUT_DISMISS_NEWCOMER, 0, 0 },
};

/* What an attentive bystander knows. */
typedef struct Ledger {
	gboolean occupied;
	gboolean in_line;
	gboolean asked;
	gboolean insisted;
	gboolean removal_timer;
	gboolean settle_timer;
	gboolean haunt_timer;
} Ledger;

typedef struct Step {
	const char *properties;
	HbSlotInput input;
	guint16 value;
	guint16 mask;
	HbSlot before;
	HbSlot after;
	HbSlotResult result;
} Step;

typedef struct Node {
	HbSlot slot;
	Ledger ledger;
} Node;

static void give_up(const Step *step, const char *condition)
{
	ck_abort_msg("%s: %s %#x/%#x in %s of %s: control %#x status %#x actions %#x", condition,
		     hb_slot_input_to_str(step->input), step->value, step->mask,
		     hb_slot_state_to_str(step->before.state), step->properties,
		     step->after.registers.control, step->after.registers.status,
		     step->result.actions);
}

static guint get_indicator(const HbSlot *slot)
{
	return (slot->registers.control & PIC) >> 8;
}

static gboolean is_blinking(const HbSlot *slot)
{
	return get_indicator(slot) == HB_INDICATOR_BLINK;
}

/* The guest took the blink back. */
static gboolean relit(const Step *step)
{
	return is_blinking(&step->before) && get_indicator(&step->after) == HB_INDICATOR_ON;
}

/* A request needs a way to be made and a way to be granted. */
static gboolean can_be_answered(const HbSlotProperties *has)
{
	return has->hotplug && has->attention_button && (has->power_controller || has->indicators);
}

/* PCIe r6.0 §6.7.3.4, said once more. */
static gboolean wants_interrupt(const HbSlot *slot)
{
	guint16 control = slot->registers.control;
	guint16 status = slot->registers.status;

	return !!(control & HPIE) &&
	       ((control & ABPE && status & ABP) || (control & PDCE && status & PDC) ||
		(control & CCIE && status & CC) || (control & DLLSCE && status & DLLSC));
}

static guint16 get_writable(const HbSlotProperties *has)
{
	if (!has->hotplug)
		return 0;
	return HPIE | PDCE | DLLSCE | (has->attention_button ? ABPE : 0) |
	       (has->power_controller ? PCC : 0) | (has->indicators ? AIC | PIC : 0) |
	       (has->no_command_completed ? 0 : CCIE);
}

/* Between what the guest wrote and what the slot answers. */
static HbSlot get_middle(const Step *step)
{
	HbSlot middle = step->before;
	HbSlotRegisters *registers = &middle.registers;
	guint16 mask = step->mask & get_writable(&registers->properties);
	guint16 control = (guint16)((registers->control & ~mask) | (step->value & mask));

	if (step->input == HB_SLOT_INPUT_STATUS_WRITTEN)
		registers->status &= (guint16) ~(step->value & EVENTS);
	if (step->input != HB_SLOT_INPUT_CONTROL_WRITTEN || !registers->properties.hotplug)
		return middle;
	if (registers->status & PDS && (registers->control ^ control) & PCC)
		registers->status |= DLLSC;
	if (!registers->properties.no_command_completed)
		registers->status |= CC;
	registers->control = control;
	return middle;
}

static void check_interrupt(const Step *step)
{
	gboolean notified = !!(step->result.actions & HB_SLOT_ACTION_NOTIFY);
	HbSlot middle = get_middle(step);

	ASSERT(notified == ((wants_interrupt(&middle) && !wants_interrupt(&step->before)) ||
			    (wants_interrupt(&step->after) && !wants_interrupt(&middle))));
}

static void check_link(const Step *step)
{
	const HbSlotRegisters *after = &step->after.registers;
	gboolean powered = !(after->control & PCC);

	ASSERT(after->link_active == (after->status & PDS && powered));
	if (step->input != HB_SLOT_INPUT_RESET && step->input != HB_SLOT_INPUT_COLD_PLUG &&
	    after->properties.hotplug && after->link_active != step->before.registers.link_active)
		ASSERT(after->status & DLLSC);
	/* One that nobody listens to and that is recalled has its power back at once. */
	if (step->result.actions & HB_SLOT_ACTION_RESET)
		ASSERT(step->before.registers.link_active && after->status & PDS &&
		       (!after->link_active || step->before.recall || after->properties.locked));
}

static void check_control(const Step *step)
{
	const HbSlotRegisters *after = &step->after.registers;
	guint16 changed = after->control ^ step->before.registers.control;
	gboolean reported = !!(step->result.actions & HB_SLOT_ACTION_REPORT_INDICATORS);

	ASSERT(!(after->control & ~(get_writable(&after->properties) | PCC)));
	ASSERT(after->properties.power_controller || !(after->control & PCC));
	ASSERT(!after->properties.indicators || (after->control & AIC && after->control & PIC));
	ASSERT(reported == !!(changed & (AIC | PIC | PCC)));
	if (step->input == HB_SLOT_INPUT_CONTROL_WRITTEN && after->control & HPIE)
		ASSERT(!(changed & ~step->mask));
	else if (step->input == HB_SLOT_INPUT_STATUS_WRITTEN)
		ASSERT(!changed);
}

static void check_status(const Step *step)
{
	const HbSlotRegisters *before = &step->before.registers;
	const HbSlotRegisters *after = &step->after.registers;
	gboolean admitted = step->result.actions & HB_SLOT_ACTION_ADMIT;
	gboolean command = step->input == HB_SLOT_INPUT_CONTROL_WRITTEN;

	ASSERT(!(after->status & ~(EVENTS | PDS)));
	ASSERT(after->properties.hotplug || !(after->status & EVENTS));
	if (step->input == HB_SLOT_INPUT_STATUS_WRITTEN && !admitted)
		ASSERT(after->status == (before->status & ~(step->value & EVENTS)));
	if (after->properties.no_command_completed)
		ASSERT(!(after->status & CC));
	else if (command && after->properties.hotplug)
		ASSERT(after->status & CC);
	else
		ASSERT(!(after->status & ~before->status & CC));
}

/* A haunted slot repeats itself only to a guest that has just completed an add. */
static void check_reminder(const Step *step)
{
	const HbSlotRegisters *after = &step->after.registers;
	guint16 repeated = PDC | DLLSC;

	if (step->before.state != HB_SLOT_STATE_HAUNTED ||
	    step->after.state != HB_SLOT_STATE_HAUNTED)
		return;
	if (step->input == HB_SLOT_INPUT_CONTROL_WRITTEN && relit(step))
		ASSERT((after->status & repeated) == repeated);
	else
		ASSERT(!(after->status & ~step->before.registers.status & repeated));
}

static void check_press(const Step *step)
{
	guint16 control = step->after.registers.control;

	if (!(step->after.registers.status & ~step->before.registers.status & ABP))
		return;
	ASSERT(step->after.registers.properties.attention_button);
	ASSERT(control & HPIE && control & ABPE);
	ASSERT(!is_blinking(&step->after));
}

/* Who comes and goes, each once. */
static void check_moves(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;
	gboolean left = !!(actions & (HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_SEVER_NEWCOMER));

	if (step->input == HB_SLOT_INPUT_PLUG || step->input == HB_SLOT_INPUT_COLD_PLUG)
		ledger->in_line = TRUE;
	if (actions & HB_SLOT_ACTION_SEVER) {
		ASSERT(ledger->occupied);
		ledger->occupied = FALSE;
	}
	if (actions & HB_SLOT_ACTION_SEVER_NEWCOMER) {
		ASSERT(ledger->in_line);
		ledger->in_line = FALSE;
	}
	ASSERT(left == !!(actions & HB_SLOT_ACTION_RELEASE));
	ASSERT(left ==
	       !!(actions & (HB_SLOT_ACTION_REPORT_SEVERED | HB_SLOT_ACTION_REPORT_PLUG_REFUSED)));
	ASSERT(!left || step->result.reason != HB_SLOT_REASON_NONE);
	ASSERT(!(actions & HB_SLOT_ACTION_SEVER_NEWCOMER) || !(actions & HB_SLOT_ACTION_ADMIT));
	if (actions & HB_SLOT_ACTION_ADMIT) {
		ASSERT(ledger->in_line && !ledger->occupied);
		ledger->in_line = FALSE;
		ledger->occupied = TRUE;
	}
	ASSERT(!(actions & HB_SLOT_ACTION_ADMIT) == !(actions & HB_SLOT_ACTION_REPORT_PLUGGED));
	ASSERT(ledger->occupied == !!(step->after.registers.status & PDS));
	ASSERT(ledger->in_line == step->after.newcomer);
	if (step->input == HB_SLOT_INPUT_PULL)
		ASSERT(!ledger->occupied || actions & HB_SLOT_ACTION_ADMIT);
}

/* Nobody comes in while the guest has its last occupant to bury. */
static void check_admission(const Step *step)
{
	const HbSlotRegisters *after = &step->after.registers;
	const HbSlotProperties *has = &after->properties;

	if (!(step->result.actions & HB_SLOT_ACTION_ADMIT))
		return;
	if (!(after->control & HPIE))
		return;
	if (step->input == HB_SLOT_INPUT_TIMEOUT && has->indicators &&
	    !hb_slot_is_removal_pending(&step->before)) {
		ASSERT(step->result.reason == HB_SLOT_REASON_UNACKNOWLEDGED);
		ASSERT(step->after.recall);
		return;
	}
	ASSERT(!is_blinking(&step->after));
	if (step->before.state != HB_SLOT_STATE_HAUNTED || step->input == HB_SLOT_INPUT_TIMEOUT)
		return;
	if (has->indicators)
		ASSERT(get_indicator(&step->after) == HB_INDICATOR_OFF);
	else
		ASSERT(!has->power_controller && step->input == HB_SLOT_INPUT_STATUS_WRITTEN &&
		       !(step->before.registers.status & ~step->value & (PDC | DLLSC)));
}

/* Who stands in line has one ending too: in, out, or refused with the removal it waits for. */
static void check_line(const Step *step)
{
	guint actions = step->result.actions;
	gboolean came = step->after.newcomer && !step->before.newcomer;
	gboolean went = step->before.newcomer && !step->after.newcomer;
	gboolean refused = !!(actions & HB_SLOT_ACTION_REPORT_PLUG_REFUSED);

	ASSERT(came == !!(actions & HB_SLOT_ACTION_REPORT_PLUG_WAITING));
	ASSERT(!came || step->input == HB_SLOT_INPUT_PLUG);
	if (went)
		ASSERT(!!(actions & HB_SLOT_ACTION_ADMIT) !=
		       !!(actions & HB_SLOT_ACTION_SEVER_NEWCOMER));
	ASSERT(refused == (step->before.newcomer && actions & HB_SLOT_ACTION_REPORT_REFUSED));
}

/* One ending for each request. */
static void check_request(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;
	gboolean refused = actions & HB_SLOT_ACTION_REPORT_REFUSED;
	gboolean severed = actions & HB_SLOT_ACTION_SEVER;

	if (step->input == HB_SLOT_INPUT_REQUEST_REMOVAL &&
	    !(actions & HB_SLOT_ACTION_SEVER_NEWCOMER)) {
		ASSERT(!ledger->asked);
		ledger->asked = TRUE;
	}
	if (step->input == HB_SLOT_INPUT_REQUEST_REMOVAL && step->before.state == HB_SLOT_STATE_ON)
		ASSERT(can_be_answered(&step->before.registers.properties));
	ASSERT(!(refused && severed));
	if (refused && step->input != HB_SLOT_INPUT_TIMEOUT)
		ASSERT(step->result.reason == HB_SLOT_REASON_CANCELLED && relit(step) &&
		       !step->before.unmet);
	if (step->input == HB_SLOT_INPUT_INSIST)
		ledger->insisted = TRUE;
	ASSERT(!refused || !ledger->insisted);
	ASSERT(ledger->insisted || !severed || step->result.reason != HB_SLOT_REASON_ESCALATED);
	ASSERT(!refused || ledger->asked);
	ASSERT(!(actions & HB_SLOT_ACTION_REPORT_REQUESTED) || ledger->asked);
	if (refused || severed)
		ledger->asked = ledger->insisted = FALSE;
	ASSERT(ledger->insisted == step->after.insists);
	if (step->after.state == HB_SLOT_STATE_REMOVAL_WAITING &&
	    step->before.state != HB_SLOT_STATE_REMOVAL_WAITING)
		ASSERT(actions & HB_SLOT_ACTION_REPORT_REMOVAL_WAITING);
	ASSERT(ledger->asked == hb_slot_is_removal_pending(&step->after));
}

static void check_timers(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;
	HbSlotState state = step->after.state;
	gboolean tells = step->after.registers.properties.indicators;
	gboolean settling = state == HB_SLOT_STATE_SETTLING;

	if (step->input == HB_SLOT_INPUT_TIMEOUT || actions & HB_SLOT_ACTION_STOP_TIMER)
		ledger->removal_timer = ledger->settle_timer = ledger->haunt_timer = FALSE;
	if (actions & HB_SLOT_ACTION_START_REMOVAL_TIMER)
		ledger->removal_timer = TRUE;
	if (actions & HB_SLOT_ACTION_START_SETTLE_TIMER)
		ledger->settle_timer = TRUE;
	if (actions & HB_SLOT_ACTION_START_HAUNT_TIMER)
		ledger->haunt_timer = TRUE;
	ASSERT(ledger->removal_timer == ledger->asked);
	ASSERT(ledger->settle_timer ==
	       (!tells && (settling || (state == HB_SLOT_STATE_OFF && step->after.recall))));
	ASSERT(ledger->haunt_timer == (state == HB_SLOT_STATE_HAUNTED || (tells && settling)));
	/* A removal has one time: nothing but its own beginning starts the clock. */
	if (actions & HB_SLOT_ACTION_START_REMOVAL_TIMER)
		ASSERT(step->input == HB_SLOT_INPUT_REQUEST_REMOVAL);
}

/* The guest's own hand: nobody leaves by it, and who is locked in is announced again. */
static void check_own_hand(const Step *step)
{
	const HbSlot *after = &step->after;

	if (step->input != HB_SLOT_INPUT_CONTROL_WRITTEN ||
	    hb_slot_is_removal_pending(&step->before) || !(step->before.registers.status & PDS))
		return;
	ASSERT(!(step->result.actions & HB_SLOT_ACTION_SEVER));
	ASSERT(after->state == HB_SLOT_STATE_ON || after->state == HB_SLOT_STATE_OFF);
	if (step->before.state == HB_SLOT_STATE_ON && after->state == HB_SLOT_STATE_OFF &&
	    after->registers.properties.locked)
		ASSERT(after->recall || after->registers.status & PDC);
	if (step->before.recall && !after->recall && after->state == HB_SLOT_STATE_OFF)
		ASSERT(after->registers.status & PDC);
}

static void check_state(const Step *step)
{
	const HbSlot *after = &step->after;
	gboolean vacant = after->state == HB_SLOT_STATE_EMPTY ||
			  after->state == HB_SLOT_STATE_HAUNTED ||
			  after->state == HB_SLOT_STATE_SETTLING;

	ASSERT(vacant == !(after->registers.status & PDS));
	if (after->newcomer)
		ASSERT(after->state == HB_SLOT_STATE_HAUNTED ||
		       after->state == HB_SLOT_STATE_SETTLING || hb_slot_is_removal_pending(after));
	if (vacant)
		ASSERT(!after->recall && !after->unmet && !after->insists);
	if (after->state == HB_SLOT_STATE_HAUNTED && after->registers.properties.indicators)
		ASSERT(get_indicator(after) != HB_INDICATOR_OFF);
}

/* From anywhere a guest that switches off and acknowledges everything leaves a slot that is free.
 */
static void check_way_out(const Step *step)
{
	HbSlot slot = step->after;
	HbSlotState state = slot.state;

	if (state != HB_SLOT_STATE_HAUNTED && state != HB_SLOT_STATE_SETTLING)
		return;
	hb_slot_step(&slot, HB_SLOT_INPUT_CONTROL_WRITTEN, PCC, PCC);
	hb_slot_step(&slot, HB_SLOT_INPUT_CONTROL_WRITTEN, PCI_EXP_SLTCTL_PWR_IND_OFF, PIC);
	hb_slot_step(&slot, HB_SLOT_INPUT_STATUS_WRITTEN, 0xffff, 0xffff);
	hb_slot_step(&slot, HB_SLOT_INPUT_TIMEOUT, 0, 0);
	if (!step->after.newcomer)
		ASSERT(slot.state == HB_SLOT_STATE_EMPTY);
	ASSERT(slot.state != HB_SLOT_STATE_HAUNTED && slot.state != HB_SLOT_STATE_SETTLING);
}

/* What firmware leaves: an occupied slot on, an empty one off. */
static void check_firmware_power(const Step *step)
{
	const HbSlotRegisters *after = &step->after.registers;
	gboolean occupied = !!(after->status & PDS);
	guint indicator = occupied ? HB_INDICATOR_ON : HB_INDICATOR_OFF;

	ASSERT(get_indicator(&step->after) == (after->properties.indicators ? indicator : 0));
	ASSERT(!!(after->control & PCC) == (after->properties.power_controller && !occupied));
}

static void check_reset(const Step *step)
{
	const HbSlotRegisters *after = &step->after.registers;
	gboolean was_asked = hb_slot_is_removal_pending(&step->before);

	/* A slot that is left while nobody listens is as firmware leaves it, too. */
	if (step->result.actions & HB_SLOT_ACTION_SEVER && !(after->control & HPIE) &&
	    !(step->result.actions & HB_SLOT_ACTION_ADMIT))
		check_firmware_power(step);
	if (step->input != HB_SLOT_INPUT_RESET && step->input != HB_SLOT_INPUT_COLD_PLUG)
		return;
	check_firmware_power(step);
	ASSERT(!(after->control & ~(PIC | PCC | PCI_EXP_SLTCTL_ATTN_IND_OFF)));
	ASSERT(!(after->status & ~PDS));
	ASSERT(step->after.state == (after->status & PDS ? HB_SLOT_STATE_ON : HB_SLOT_STATE_EMPTY));
	ASSERT(!(step->result.actions & HB_SLOT_ACTION_SEVER) == !was_asked);
	ASSERT(!was_asked || step->result.reason == HB_SLOT_REASON_RESET);
}

/* A slot that its guest gave up keeps nothing of what that guest was about. */
static void check_desertion(const Step *step)
{
	const HbSlotRegisters *before = &step->before.registers;
	const HbSlotRegisters *after = &step->after.registers;

	if (step->input != HB_SLOT_INPUT_CONTROL_WRITTEN || !(before->control & HPIE) ||
	    after->control & (HPIE | ABPE | PDCE | DLLSCE) || !(before->status & PDS))
		return;
	check_firmware_power(step);
	ASSERT(step->after.state == (hb_slot_is_removal_pending(&step->before)
					     ? HB_SLOT_STATE_REMOVAL_WAITING
					     : HB_SLOT_STATE_ON));
	ASSERT(!(after->status & ABP) || !hb_slot_is_removal_pending(&step->after) ||
	       step->before.state == HB_SLOT_STATE_REMOVAL_WAITING);
}

static void check_impossible(const Step *step)
{
	const HbSlotProperties *has = &step->before.registers.properties;

	if (step->input == HB_SLOT_INPUT_REQUEST_REMOVAL && step->before.state == HB_SLOT_STATE_ON)
		ASSERT(!can_be_answered(has));
	ASSERT(step->result.actions == HB_SLOT_ACTION_IMPOSSIBLE);
	ASSERT(!memcmp(&step->before, &step->after, sizeof(step->after)));
}

static void check(const Step *step, Ledger *ledger)
{
	if (step->result.actions & HB_SLOT_ACTION_IMPOSSIBLE) {
		check_impossible(step);
		return;
	}
	check_interrupt(step);
	check_link(step);
	check_control(step);
	check_status(step);
	check_press(step);
	check_reminder(step);
	check_moves(step, ledger);
	check_admission(step);
	check_line(step);
	check_request(step, ledger);
	check_own_hand(step);
	check_desertion(step);
	check_timers(step, ledger);
	check_state(step);
	check_reset(step);
	check_way_out(step);
}

static void take(Node *node, const Symbol *symbol, const char *properties)
{
	Step step = {
		.properties = properties,
		.input = symbol->input,
		.value = symbol->value,
		.mask = symbol->mask,
		.before = node->slot,
		.after = node->slot,
	};

	step.result = hb_slot_step(&step.after, symbol->input, symbol->value, symbol->mask);
	check(&step, &node->ledger);
	node->slot = step.after;
}

/* Everything that differs between two nodes of one walk. */
static guint64 *make_key(const Node *node)
{
	guint64 *key = g_new(guint64, 1);
	guint64 bits = node->slot.state;

	bits = bits << 1 | !!node->slot.registers.link_active;
	bits = bits << 1 | !!node->slot.newcomer;
	bits = bits << 1 | !!node->slot.asserted;
	bits = bits << 1 | !!node->ledger.occupied;
	bits = bits << 1 | !!node->ledger.in_line;
	bits = bits << 1 | !!node->ledger.asked;
	bits = bits << 1 | !!node->ledger.removal_timer;
	bits = bits << 1 | !!node->ledger.settle_timer;
	bits = bits << 1 | !!node->ledger.haunt_timer;
	bits = bits << 1 | !!node->slot.insists;
	bits = bits << 1 | !!node->slot.unmet;
	bits = bits << 1 | !!node->slot.recall;
	*key = bits << 32 | (guint64)node->slot.registers.control << 16 |
	       node->slot.registers.status;
	return key;
}

/* The bits of @set as properties; 64 sets. */
static HbSlotProperties get_properties(guint set, char name[static 8])
{
	HbSlotProperties properties = {
		.number = 1,
		.hotplug = !(set & 16),
		.attention_button = set & 1,
		.power_controller = set & 2,
		.indicators = set & 4,
		.no_command_completed = set & 8,
		.surprise = TRUE,
		.locked = !!(set & 32),
	};

	g_snprintf(name, 8, "%s%s%s%s%s%s", set & 32 ? "L" : "-", set & 16 ? "-" : "H",
		   set & 1 ? "B" : "-", set & 2 ? "P" : "-", set & 4 ? "I" : "-",
		   set & 8 ? "N" : "-");
	return properties;
}

static void visit(GHashTable *visited, GQueue *open, const Node *node)
{
	if (g_hash_table_add(visited, make_key(node)))
		g_queue_push_tail(open, g_memdup2(node, sizeof(*node)));
}

static guint walk_everywhere(const HbSlotProperties *properties, const char *name, guint *states)
{
	g_autoptr(GHashTable) visited =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	GQueue open = G_QUEUE_INIT;
	Node start;
	Node *node;

	memset(&start, 0, sizeof(start));
	hb_slot_init(&start.slot, properties);
	visit(visited, &open, &start);
	while ((node = g_queue_pop_head(&open))) {
		*states |= 1u << node->slot.state;
		for (guint i = 0; i < G_N_ELEMENTS(alphabet); i++) {
			Node next = *node;

			take(&next, &alphabet[i], name);
			visit(visited, &open, &next);
		}
		g_free(node);
	}
	return g_hash_table_size(visited);
}

START_TEST(test_every_order_of_events_keeps_the_invariants)
{
	guint set = (guint)_i;
	guint states = 0;
	char name[8];
	HbSlotProperties properties = get_properties(set, name);

	guint n = walk_everywhere(&properties, name, &states);

	/* The walk was a walk. Without hot-plug a slot is empty or on. */
	if (set & 16)
		ck_assert_uint_eq(states, 1u << HB_SLOT_STATE_EMPTY | 1u << HB_SLOT_STATE_ON);
	else
		ck_assert_uint_ge(n, 64);
	if ((set & 23) == 7)
		ck_assert_uint_eq(states, (1u << HB_SLOT_N_STATES) - 1);
}
END_TEST

/* The same without a memory: plain orders, as a proof that the ledger forgets nothing. */
static const guint short_alphabet[] = { 1, 2, 3, 5, 6, 7, 9, 12, 13, 14, 19 };

static void walk_plainly(const Node *node, guint depth, const char *name)
{
	for (guint i = 0; depth && i < G_N_ELEMENTS(short_alphabet); i++) {
		Node next = *node;

		take(&next, &alphabet[short_alphabet[i]], name);
		walk_plainly(&next, depth - 1, name);
	}
}

START_TEST(test_all_orders_of_six_events_keep_the_invariants)
{
	char name[8];
	HbSlotProperties properties = get_properties((guint)_i, name);
	Node start;

	memset(&start, 0, sizeof(start));
	hb_slot_init(&start.slot, &properties);
	/* The guest listens and is told everything: most orders would stay deaf otherwise. */
	take(&start, &alphabet[9], name);
	take(&start, &alphabet[7], name);
	walk_plainly(&start, 6, name);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot-walk");
	TCase *everywhere = tcase_create("everywhere");
	TCase *plainly = tcase_create("plainly");

	tcase_set_timeout(everywhere, 60);
	tcase_set_timeout(plainly, 60);
	tcase_add_loop_test(everywhere, test_every_order_of_events_keeps_the_invariants, 0, 64);
	/* All with indicators and no Command Completed, with and without button and power. */
	tcase_add_loop_test(plainly, test_all_orders_of_six_events_keep_the_invariants, 12, 16);
	suite_add_tcase(suite, everywhere);
	suite_add_tcase(suite, plainly);
	return suite;
}
