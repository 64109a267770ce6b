/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Walks the state machine of the slot in ACPI mode everywhere it can get, and checks after each
 * step what must hold whatever happened, as slot-walk-test.c does for the native one. The walk
 * visits each pair of slot and ledger once and takes every symbol of the alphabet from it, so every
 * order of symbols of any length is covered.
 */

#include "hw/acpi-slot.h"
#include "tests/unit/suite.h"

#include <linux/pci_regs.h>
#include <string.h>

#define CHECK  HB_ACPI_SLOT_CHECK
#define EJECT  HB_ACPI_SLOT_EJECT
#define LEAVES (HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_SEVER_NEWCOMER)

/* Check's own assertions write to a pipe even when they hold. */
#define ASSERT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			give_up(step, #condition);                                                 \
	} while (0)

typedef struct Symbol {
	HbSlotInput input;
	guint16 value;
} Symbol;

/* What guests and operators do. */
static const Symbol alphabet[] = {
	{ HB_SLOT_INPUT_COLD_PLUG, 0 },
	{ HB_SLOT_INPUT_PLUG, 0 },
	{ HB_SLOT_INPUT_REQUEST_REMOVAL, 0 },
	{ HB_SLOT_INPUT_PULL, 0 },
	{ HB_SLOT_INPUT_PULL_NEWCOMER, 0 },
	{ HB_SLOT_INPUT_DISMISS_NEWCOMER, 0 },
	{ HB_SLOT_INPUT_INSIST, 0 },
	{ HB_SLOT_INPUT_RESET, 0 },
	{ HB_SLOT_INPUT_TIMEOUT, 0 },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_STOP },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_START },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_EJ0 },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_DENY },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_USE },
	{ HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_N_COMMANDS }, /* nonsense */
	{ HB_SLOT_INPUT_STATUS_WRITTEN, EJECT },
	{ HB_SLOT_INPUT_STATUS_WRITTEN, CHECK },
	{ HB_SLOT_INPUT_STATUS_WRITTEN, 0xffff },
};

static const Symbol start_symbol = { HB_SLOT_INPUT_CONTROL_WRITTEN, HB_ACPI_SLOT_START };

/* What an attentive bystander knows. */
typedef struct Ledger {
	gboolean occupied;
	gboolean in_line;
	gboolean asked;
	gboolean told; /* the operator was, that the guest has been asked */
	gboolean insisted;
	gboolean removal_timer;
	gboolean haunt_timer;
	gboolean unburied; /* somebody left whom the guest may still believe to be there */
	gboolean started;
} Ledger;

typedef struct Step {
	Symbol symbol;
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
	ck_abort_msg("%s: %s %u in %s: now %s, events %u, actions %#x", condition,
		     hb_slot_input_to_str(step->symbol.input), step->symbol.value,
		     hb_slot_state_to_str(step->before.state),
		     hb_slot_state_to_str(step->after.state), step->after.events,
		     step->result.actions);
}

static gboolean is_said(const Step *step, HbAcpiSlotCommand command)
{
	return step->symbol.input == HB_SLOT_INPUT_CONTROL_WRITTEN && step->symbol.value == command;
}

static gboolean is_input(const Step *step, HbSlotInput input)
{
	return step->symbol.input == input;
}

/* Who comes and goes, each once. */
static void check_moves(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;
	gboolean left = !!(actions & LEAVES);

	if (is_input(step, HB_SLOT_INPUT_PLUG) || is_input(step, HB_SLOT_INPUT_COLD_PLUG))
		ledger->in_line = TRUE;
	if (actions & HB_SLOT_ACTION_SEVER) {
		ASSERT(ledger->occupied);
		ledger->occupied = FALSE;
	}
	if (actions & HB_SLOT_ACTION_SEVER_NEWCOMER) {
		ASSERT(ledger->in_line);
		ledger->in_line = FALSE;
	}
	ASSERT((actions & LEAVES) != LEAVES);
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
	ASSERT(ledger->in_line == step->after.newcomer);
	if (is_input(step, HB_SLOT_INPUT_PULL))
		ASSERT(!ledger->occupied || actions & HB_SLOT_ACTION_ADMIT);
	ASSERT(!!(actions & HB_SLOT_ACTION_REPORT_PLUG_WAITING) ==
	       (is_input(step, HB_SLOT_INPUT_PLUG) && !(actions & HB_SLOT_ACTION_ADMIT)));
}

/* What the guest can see: present and link are one, and nothing else is in the registers. */
static void check_registers(const Step *step, const Ledger *ledger)
{
	const HbSlotRegisters *after = &step->after.registers;

	ASSERT(after->status == (ledger->occupied ? PCI_EXP_SLTSTA_PDS : 0));
	ASSERT(after->link_active == ledger->occupied);
	ASSERT(after->control == 0);
	if (step->result.actions & HB_SLOT_ACTION_RESET)
		ASSERT(is_said(step, HB_ACPI_SLOT_EJ0) && step->before.state == HB_SLOT_STATE_ON &&
		       step->after.state == HB_SLOT_STATE_OFF);
}

/* Who was let go and was not to be is announced once more. */
static void check_recall(const Step *step)
{
	gboolean locked = step->after.registers.properties.locked;
	gboolean due = step->before.recall || locked || step->before.events & CHECK;

	if (step->result.actions & HB_SLOT_ACTION_RESET)
		ASSERT(!!(step->after.events & CHECK) == due);
	if (step->after.recall && !step->before.recall)
		ASSERT(step->result.reason == HB_SLOT_REASON_UNACKNOWLEDGED &&
		       step->result.actions & HB_SLOT_ACTION_ADMIT);
	if (step->after.recall)
		ASSERT(step->after.registers.link_active);
}

/* One edge for the first event; taking is what makes it go. */
static void check_events(const Step *step)
{
	gboolean notified = !!(step->result.actions & HB_SLOT_ACTION_NOTIFY);

	ASSERT(step->after.asserted == (step->after.started && step->after.events));
	ASSERT(notified == (step->after.asserted && !step->before.asserted));
	ASSERT(!(step->after.events & ~(CHECK | EJECT)));
	if (is_input(step, HB_SLOT_INPUT_STATUS_WRITTEN))
		ASSERT(step->after.events == (step->before.events & ~step->symbol.value));
	if (is_input(step, HB_SLOT_INPUT_RESET))
		ASSERT(!step->after.events);
	if (step->result.actions & HB_SLOT_ACTION_ADMIT && !is_input(step, HB_SLOT_INPUT_RESET) &&
	    !is_input(step, HB_SLOT_INPUT_COLD_PLUG))
		ASSERT(step->after.events == CHECK);
	/* An occupant is not to be let go unless that was asked for. */
	if (step->after.events & EJECT)
		ASSERT(hb_slot_is_removal_pending(&step->after) ||
		       step->after.state == HB_SLOT_STATE_HAUNTED);
	if (step->after.state == HB_SLOT_STATE_REMOVAL_WAITING)
		ASSERT(step->after.events & EJECT);
	if (step->after.state == HB_SLOT_STATE_EMPTY)
		ASSERT(!step->after.events);
}

/* Nobody comes in while the guest has its last occupant to bury. */
static void check_ghosts(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;
	gboolean anew = is_input(step, HB_SLOT_INPUT_RESET) || is_said(step, HB_ACPI_SLOT_STOP);

	if (is_said(step, HB_ACPI_SLOT_EJ0) || anew || is_input(step, HB_SLOT_INPUT_TIMEOUT))
		ledger->unburied = FALSE;
	if (anew)
		ledger->started = FALSE;
	else if (is_said(step, HB_ACPI_SLOT_START))
		ledger->started = TRUE;
	if (actions & HB_SLOT_ACTION_SEVER && ledger->started && !is_said(step, HB_ACPI_SLOT_EJ0))
		ledger->unburied = TRUE;
	if (ledger->unburied && step->before.state != HB_SLOT_STATE_HAUNTED)
		ASSERT(step->after.events == (EJECT | CHECK));
	ASSERT(!(actions & HB_SLOT_ACTION_ADMIT) || !ledger->unburied);
	ASSERT(ledger->unburied == (step->after.state == HB_SLOT_STATE_HAUNTED));
	ASSERT(!step->after.newcomer || ledger->unburied ||
	       hb_slot_is_removal_pending(&step->after));
	if (is_input(step, HB_SLOT_INPUT_TIMEOUT) && actions & HB_SLOT_ACTION_ADMIT &&
	    !(actions & LEAVES))
		ASSERT(step->result.reason == HB_SLOT_REASON_UNACKNOWLEDGED);
	ASSERT(step->after.started == ledger->started);
}

/* One ending for each request. */
static void check_request(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;
	gboolean refused = !!(actions & HB_SLOT_ACTION_REPORT_REFUSED);
	gboolean severed = !!(actions & HB_SLOT_ACTION_SEVER);

	if (is_input(step, HB_SLOT_INPUT_REQUEST_REMOVAL) &&
	    !(actions & HB_SLOT_ACTION_SEVER_NEWCOMER)) {
		ASSERT(!ledger->asked);
		ledger->asked = TRUE;
	}
	ASSERT(!(refused && severed));
	ASSERT(!refused || ledger->asked);
	if (refused)
		ASSERT(step->result.reason == (is_input(step, HB_SLOT_INPUT_TIMEOUT)
						       ? HB_SLOT_REASON_TIMED_OUT
						       : HB_SLOT_REASON_REFUSED));
	if (refused && !is_input(step, HB_SLOT_INPUT_TIMEOUT))
		ASSERT(is_said(step, HB_ACPI_SLOT_DENY) &&
		       step->before.state == HB_SLOT_STATE_REMOVAL_REQUESTED);
	if (actions & HB_SLOT_ACTION_REPORT_REQUESTED) {
		ASSERT(ledger->asked && !ledger->told);
		ledger->told = TRUE;
	}
	if (is_input(step, HB_SLOT_INPUT_INSIST))
		ledger->insisted = TRUE;
	ASSERT(!(refused && ledger->insisted));
	if (severed && step->result.reason == HB_SLOT_REASON_ESCALATED)
		ASSERT(ledger->insisted);
	if (refused || severed)
		ledger->asked = ledger->told = ledger->insisted = FALSE;
	ASSERT(!!step->after.insists == ledger->insisted);
	if (actions & HB_SLOT_ACTION_REPORT_REMOVAL_WAITING)
		ASSERT(is_input(step, HB_SLOT_INPUT_REQUEST_REMOVAL) && !step->after.started);
	ASSERT(ledger->asked == hb_slot_is_removal_pending(&step->after));
}

static void check_timers(const Step *step, Ledger *ledger)
{
	guint actions = step->result.actions;

	if (is_input(step, HB_SLOT_INPUT_TIMEOUT) || actions & HB_SLOT_ACTION_STOP_TIMER)
		ledger->removal_timer = ledger->haunt_timer = FALSE;
	if (actions & HB_SLOT_ACTION_START_REMOVAL_TIMER)
		ledger->removal_timer = TRUE;
	if (actions & HB_SLOT_ACTION_START_HAUNT_TIMER)
		ledger->haunt_timer = TRUE;
	ASSERT(!(actions & HB_SLOT_ACTION_START_SETTLE_TIMER));
	ASSERT(ledger->removal_timer == ledger->asked);
	ASSERT(ledger->haunt_timer == (step->after.state == HB_SLOT_STATE_HAUNTED));
}

static void check_state(const Step *step, const Ledger *ledger)
{
	HbSlotState state = step->after.state;

	ASSERT(state != HB_SLOT_STATE_SETTLING);
	ASSERT(ledger->occupied ==
	       (state != HB_SLOT_STATE_EMPTY && state != HB_SLOT_STATE_HAUNTED));
	if (is_input(step, HB_SLOT_INPUT_RESET))
		ASSERT(state == (ledger->occupied ? HB_SLOT_STATE_ON : HB_SLOT_STATE_EMPTY));
}

static void check_impossible(const Step *step)
{
	HbSlotState state = step->before.state;

	ASSERT(step->result.actions == HB_SLOT_ACTION_IMPOSSIBLE);
	ASSERT(!memcmp(&step->before, &step->after, sizeof(step->after)));
	ASSERT(!is_input(step, HB_SLOT_INPUT_CONTROL_WRITTEN));
	ASSERT(!is_input(step, HB_SLOT_INPUT_STATUS_WRITTEN));
	ASSERT(!is_input(step, HB_SLOT_INPUT_RESET));
	ASSERT(!is_input(step, HB_SLOT_INPUT_PULL));
	ASSERT(!is_input(step, HB_SLOT_INPUT_TIMEOUT));
	if (is_input(step, HB_SLOT_INPUT_PLUG))
		ASSERT(step->before.newcomer || state == HB_SLOT_STATE_ON ||
		       state == HB_SLOT_STATE_OFF);
	if (is_input(step, HB_SLOT_INPUT_DISMISS_NEWCOMER) ||
	    is_input(step, HB_SLOT_INPUT_PULL_NEWCOMER))
		ASSERT(!step->before.newcomer);
	if (is_input(step, HB_SLOT_INPUT_INSIST))
		ASSERT(!hb_slot_is_removal_pending(&step->before));
	if (is_input(step, HB_SLOT_INPUT_REQUEST_REMOVAL))
		ASSERT(state != HB_SLOT_STATE_ON && state != HB_SLOT_STATE_OFF);
}

static void take(Node *node, const Symbol *symbol)
{
	Step made = { .symbol = *symbol, .before = node->slot, .after = node->slot };
	const Step *step = &made;

	made.result = hb_acpi_slot_step(&made.after, symbol->input, symbol->value, 0);
	if (made.result.actions & HB_SLOT_ACTION_IMPOSSIBLE) {
		check_impossible(step);
		return;
	}
	check_moves(step, &node->ledger);
	check_registers(step, &node->ledger);
	check_recall(step);
	check_events(step);
	check_ghosts(step, &node->ledger);
	check_request(step, &node->ledger);
	check_timers(step, &node->ledger);
	check_state(step, &node->ledger);
	node->slot = made.after;
}

/* Everything that differs between two nodes. */
static guint64 *make_key(const Node *node)
{
	const HbSlot *slot = &node->slot;
	const Ledger *ledger = &node->ledger;
	const gboolean bits[] = {
		slot->registers.link_active,
		slot->newcomer,
		slot->asserted,
		slot->started,
		ledger->occupied,
		ledger->in_line,
		ledger->asked,
		ledger->told,
		ledger->insisted,
		ledger->removal_timer,
		ledger->haunt_timer,
		slot->insists,
		slot->recall,
		ledger->unburied,
		ledger->started,
	};
	guint64 *key = g_new(guint64, 1);

	*key = slot->state;
	for (guint i = 0; i < G_N_ELEMENTS(bits); i++)
		*key = *key << 1 | !!bits[i];
	*key = *key << 40 | (guint64)slot->events << 32 | (guint32)slot->registers.control << 16 |
	       slot->registers.status;
	return key;
}

static void visit(GHashTable *visited, GQueue *open, const Node *node)
{
	if (g_hash_table_add(visited, make_key(node)))
		g_queue_push_tail(open, g_memdup2(node, sizeof(*node)));
}

START_TEST(test_every_order_of_events_keeps_the_invariants)
{
	g_autoptr(GHashTable) visited =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	GQueue open = G_QUEUE_INIT;
	guint states = 0;
	const HbSlotProperties properties = { .number = 1, .locked = _i & 1 };
	Node start;
	Node *node;

	memset(&start, 0, sizeof(start));
	hb_acpi_slot_init(&start.slot, &properties);
	visit(visited, &open, &start);
	while ((node = g_queue_pop_head(&open))) {
		states |= 1u << node->slot.state;
		for (guint i = 0; i < G_N_ELEMENTS(alphabet); i++) {
			Node next = *node;

			take(&next, &alphabet[i]);
			visit(visited, &open, &next);
		}
		g_free(node);
	}
	/* The walk was a walk: every state but the one that this mode does not have. */
	ck_assert_uint_eq(states, ((1u << HB_SLOT_N_STATES) - 1) & ~(1u << HB_SLOT_STATE_SETTLING));
	ck_assert_uint_ge(g_hash_table_size(visited), 24);
}
END_TEST

/* The same without a memory: plain orders, as a proof that the ledger forgets nothing. Without the
 * symbols of the alphabet that do little: cold plug, nonsense, and taking all at once. */
static void walk_plainly(const Node *node, guint depth)
{
	for (guint i = 0; depth && i < G_N_ELEMENTS(alphabet); i++) {
		Node next = *node;

		if (alphabet[i].input == HB_SLOT_INPUT_COLD_PLUG ||
		    alphabet[i].value >= HB_ACPI_SLOT_N_COMMANDS)
			continue;
		take(&next, &alphabet[i]);
		walk_plainly(&next, depth - 1);
	}
}

START_TEST(test_all_orders_of_six_events_keep_the_invariants)
{
	const HbSlotProperties properties = { .number = 1, .locked = _i & 1 };
	Node start;

	memset(&start, 0, sizeof(start));
	hb_acpi_slot_init(&start.slot, &properties);
	if (_i & 2)
		take(&start, &start_symbol);
	walk_plainly(&start, 6);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("acpi-slot-walk");
	TCase *tests = tcase_create("walk");

	tcase_set_timeout(tests, 120);
	/* Open, and locked. */
	tcase_add_loop_test(tests, test_every_order_of_events_keeps_the_invariants, 0, 2);
	/* The same, before a system has started and after. */
	tcase_add_loop_test(tests, test_all_orders_of_six_events_keep_the_invariants, 0, 4);
	suite_add_tcase(suite, tests);
	return suite;
}
