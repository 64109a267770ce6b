/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * hotbayctl top: all slots of a VM, live. On a terminal the screen is drawn anew at each interval,
 * and what does not fit its width is cut off; anywhere else one table follows the other. Where a
 * slot is bound to a slot of the host, the table has what there is to tell of that bay as well.
 */

#include "ctl/command.h"
#include "ctl/interrupts.h"
#include "ctl/json.h"
#include "ctl/slot-list.h"
#include "ctl/table.h"

#include <hotbay/error.h>

#include <signal.h>
#include <unistd.h>

/* The other screen, without cursor and without a line's going on in the next one. */
#define ENTER_SCREEN "\033[?1049h\033[?25l\033[?7l"
#define LEAVE_SCREEN "\033[?7h\033[?25h\033[?1049l"
#define HOME	     "\033[H"
#define CLEAR_LINE   "\033[K\n"
#define CLEAR_REST   "\033[J"

/* Short heads: with the bays' columns it is to fit into 100. */
#define COLUMNS	    "SLOT|DRIVE|HOST|STATE|ATTN|POWER|DOING|<INTR/S>"
#define BAY_COLUMNS "|BAY|AUTO-ADD|IN-BAY"

typedef struct Top {
	const HbInvocation *invocation;
	HbMonitor *monitor;
	gboolean screen;
	GHashTable *counts; /* address to guint64 *: interrupts at the last look */
	gint64 looked;	    /* when that was, as g_get_monotonic_time(); 0: never */
	gboolean stopped;   /* by a signal */
} Top;

/* The signals that end it are held back, and looked for where it is convenient. */
static sigset_t get_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	return signals;
}

static gboolean is_stopped(Top *top)
{
	const struct timespec at_once = { 0 };
	sigset_t signals = get_signals();

	top->stopped = top->stopped || sigtimedwait(&signals, NULL, &at_once) > 0;
	return top->stopped;
}

static guint64 exchange_count(Top *top, const char *address, guint64 count)
{
	guint64 *last = g_hash_table_lookup(top->counts, address);
	guint64 before = last ? *last : count;

	if (!last) {
		last = g_new(guint64, 1);
		g_hash_table_insert(top->counts, g_strdup(address), last);
	}
	*last = count;
	/* the drive's vectors were given back and enabled anew */
	return count < before ? count : count - before;
}

static char *tell_rate(Top *top, const char *interrupts, const char *address, double seconds)
{
	guint64 count;

	if (!address || !interrupts)
		return NULL;
	count = exchange_count(top, address, hb_interrupts_count(interrupts, address));
	return seconds > 0 ? g_strdup_printf("%.0f", (double)count / seconds) : NULL;
}

static char *tell_drive(JsonObject *occupant)
{
	const char *id = hb_json_get_string(occupant, "id");

	return g_strdup(id ? id : hb_json_get_string(occupant, "host"));
}

static void add_row(Top *top, HbTable *table, JsonObject *slot, const char *interrupts,
		    double seconds)
{
	JsonObject *occupant = hb_slot_list_get_occupant(slot);
	const char *host = hb_json_get_string(occupant, "host");
	char **cells = g_new0(char *, 12);

	cells[0] = g_strdup(hb_json_get_string(slot, "id"));
	cells[1] = tell_drive(occupant);
	cells[2] = g_strdup(host);
	cells[3] = g_strdup(hb_json_get_string(slot, "state"));
	cells[4] = g_strdup(hb_json_get_string(slot, "attention-indicator"));
	cells[5] = g_strdup(hb_json_get_string(slot, "power-indicator"));
	cells[6] = g_strdup(hb_json_get_boolean(slot, "removal-pending")
				    ? "removal"
				    : hb_json_get_string(occupant, "state"));
	cells[7] = tell_rate(top, interrupts, host, seconds);
	if (hb_slot_list_is_bound(slot)) {
		cells[8] = g_strdup(hb_json_get_string(slot, "host-slot"));
		cells[9] = g_strdup(hb_json_get_string(slot, "auto-add"));
		cells[10] = g_strdup(hb_json_get_string(slot, "host-drive"));
	}
	hb_table_add(table, cells);
}

static char *read_interrupts(void)
{
	char *text = NULL;

	return g_file_get_contents("/proc/interrupts", &text, NULL, NULL) ? text : NULL;
}

static char *make_table(Top *top, JsonArray *slots)
{
	g_autoptr(HbTable) table =
		hb_table_create(hb_slot_list_any_is_bound(slots) ? COLUMNS BAY_COLUMNS : COLUMNS);
	g_autofree char *interrupts = read_interrupts();
	gint64 now = g_get_monotonic_time();
	double seconds = top->looked ? (double)(now - top->looked) / G_USEC_PER_SEC : 0;

	top->looked = now;
	for (guint i = 0; i < json_array_get_length(slots); i++)
		add_row(top, table, hb_slot_list_get(slots, i), interrupts, seconds);
	return hb_table_format(table);
}

/* Line by line over what is there, so that nothing flickers. */
static void draw(const Top *top, const char *text)
{
	FILE *out = top->invocation->out;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%H:%M:%S");

	if (!top->screen) {
		fprintf(out, "%s\n%s\n", time, text);
		fflush(out);
		return;
	}
	fprintf(out, HOME "%s  %s  (Ctrl-C ends)" CLEAR_LINE CLEAR_LINE, top->invocation->vm, time);
	for (guint i = 0; lines[i]; i++)
		fprintf(out, "%s" CLEAR_LINE, lines[i]);
	fputs(CLEAR_REST, out);
	fflush(out);
}

/* Until the interval is over. Events in between are only for the next look. */
static gboolean rest(Top *top, double interval, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)(interval * G_USEC_PER_SEC);

	while (!is_stopped(top) && g_get_monotonic_time() < deadline) {
		gint64 soon = MIN(deadline, g_get_monotonic_time() + G_USEC_PER_SEC / 5);
		GError *problem = NULL;
		JsonObject *event = hb_monitor_wait_event(top->monitor, soon, &problem);

		g_clear_pointer(&event, json_object_unref);
		if (problem) {
			g_propagate_error(error, problem);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean show(Top *top, double interval, gint count, GError **error)
{
	for (gint i = 0; !is_stopped(top) && (count == 0 || i < count); i++) {
		if (i > 0 && !rest(top, interval, error))
			return FALSE;
		if (is_stopped(top))
			break;
		g_autoptr(JsonArray) slots = hb_slot_list_query(top->monitor, error);
		if (!slots)
			return FALSE;
		g_autofree char *text = make_table(top, slots);
		draw(top, text);
	}
	return TRUE;
}

static gboolean run(Top *top, double interval, gint count, GError **error)
{
	sigset_t signals = get_signals();
	sigset_t before;
	gboolean good;

	top->monitor = hb_monitor_connect(top->invocation->vm, error);
	if (!top->monitor)
		return FALSE;
	sigprocmask(SIG_BLOCK, &signals, &before);
	top->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (top->screen)
		fputs(ENTER_SCREEN, top->invocation->out);
	good = show(top, interval, count, error);
	if (top->screen)
		fputs(LEAVE_SCREEN, top->invocation->out);
	g_hash_table_unref(top->counts);
	hb_monitor_close(top->monitor);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return good;
}

HbExit hb_command_top(HbInvocation *invocation)
{
	double interval = 1;
	gint count = 0;
	const GOptionEntry entries[] = {
		{ "interval", 0, 0, G_OPTION_ARG_DOUBLE, &interval, NULL, NULL },
		{ "count", 0, 0, G_OPTION_ARG_INT, &count, NULL, NULL },
		{ NULL },
	};
	Top top = { .invocation = invocation, .screen = isatty(fileno(invocation->out)) };
	g_autoptr(GError) error = NULL;

	if (!hb_command_parse(invocation, entries, 0, 0))
		return HB_EXIT_USAGE;
	if (!(interval >= 0.1 && interval <= 3600) || count < 0) {
		fprintf(invocation->err,
			"hotbayctl: top: --interval is 0.1 to 3600 s, --count not negative\n");
		return HB_EXIT_USAGE;
	}
	return run(&top, interval, count, &error) ? HB_EXIT_DONE
						  : hb_command_fail(invocation, error);
}
