/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * hotbayctl events: what happens in a VM, a line an event, until the VM ends. Each line is complete
 * when it is written, so that it can be piped into anything.
 */

#include "ctl/command.h"
#include "ctl/event-words.h"
#include "ctl/json.h"
#include "ctl/monitor.h"

#include <hotbay/error.h>

static void print_event(FILE *out, JsonObject *event, gboolean json)
{
	g_autofree char *line = json ? hb_json_format_object(event) : hb_event_words_make(event);

	fprintf(out, "%s\n", line);
	fflush(out);
}

HbExit hb_command_events(HbInvocation *invocation)
{
	gboolean json = FALSE, ended = FALSE;
	const GOptionEntry entries[] = {
		{ "json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;

	if (!hb_command_parse(invocation, entries, 0, 0))
		return HB_EXIT_USAGE;
	g_autoptr(HbMonitor) monitor = hb_monitor_connect(invocation->vm, &error);
	while (monitor && !ferror(invocation->out)) {
		g_autoptr(JsonObject) event = hb_monitor_wait_event(monitor, -1, &error);

		if (!event)
			break;
		print_event(invocation->out, event, json);
		ended = g_strcmp0(hb_json_get_string(event, "event"), "SHUTDOWN") == 0;
	}
	/* a VM that says goodbye is no failure */
	if (ended && g_error_matches(error, HB_ERROR, HB_ERROR_GONE))
		return HB_EXIT_DONE;
	return error ? hb_command_fail(invocation, error) : HB_EXIT_DONE;
}
