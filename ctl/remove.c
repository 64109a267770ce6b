/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl remove and hotbayctl pull: drives out of a guest, asked for or by surprise. */

#include "ctl/command.h"
#include "ctl/removal.h"
#include "ctl/slot-list.h"

#include <math.h>

/* Longer than the host's kernel should take to close a drive that the guest has no more part in. */
#define PULL_US (60 * G_USEC_PER_SEC)

typedef struct Removal {
	const HbInvocation *invocation;
	HbMonitor *monitor;
	char *id;
} Removal;

static gboolean execute(const Removal *removal, const char *command, JsonObject *arguments,
			GError **error)
{
	json_object_set_string_member(arguments, "id", removal->id);
	g_autoptr(JsonNode) answer =
		hb_monitor_execute(removal->monitor, command, arguments, error);
	return answer != NULL;
}

static HbExit say_done(const Removal *removal, const char *how)
{
	fprintf(removal->invocation->out, "%s: %s\n", removal->id, how);
	return HB_EXIT_DONE;
}

static HbExit fail_late(const Removal *removal, const char *text)
{
	fprintf(removal->invocation->err, "hotbayctl: %s: %s\n", removal->id, text);
	return HB_EXIT_GUEST;
}

static HbExit pull(const Removal *removal)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *reason = NULL;

	if (!execute(removal, "x-hotbay-pull", json_object_new(), &error))
		return hb_command_fail(removal->invocation, error);
	switch (hb_removal_wait(removal->invocation, removal->monitor, removal->id,
				g_get_monotonic_time() + PULL_US, &reason, &error)) {
	case HB_REMOVAL_RELEASED:
		return say_done(removal, "pulled, and back on the host");
	case HB_REMOVAL_FAILED:
		return hb_command_fail(removal->invocation, error);
	default:
		return fail_late(removal,
				 "it is out of the guest, but the host's kernel has not finished "
				 "closing it; its log may say why");
	}
}

static HbExit give_up(const Removal *removal, HbRemovalEnd end, const char *reason)
{
	g_autofree char *text = NULL;

	if (end == HB_REMOVAL_LATE)
		return fail_late(removal, "the time is up and the VM has not said how it ended; "
					  "`hotbayctl slots` shows it");
	text = g_strdup_printf("the guest did not let go of it (%s): ask again, or `hotbayctl "
			       "pull` it",
			       reason ? reason : "it said no");
	return fail_late(removal, text);
}

/* The VM keeps the time, so that a removal ends as it should even if this program is killed. */
static gboolean ask(const Removal *removal, double seconds, gboolean then_pull, GError **error)
{
	JsonObject *arguments = json_object_new();

	if (seconds <= 0)
		return execute(removal, "device_del", arguments, error);
	json_object_set_int_member(arguments, "timeout-ms", (gint64)ceil(seconds * 1000));
	if (then_pull)
		json_object_set_boolean_member(arguments, "then-pull", TRUE);
	return execute(removal, "x-hotbay-remove", arguments, error);
}

/* Whoever asked for a removal wants to know if it became something else. */
static const char *tell_how(const char *reason)
{
	if (g_strcmp0(reason, "escalated") == 0)
		return "pulled, as the guest did not let go, and back on the host";
	if (g_strcmp0(reason, "pull") == 0)
		return "pulled out of the host meanwhile";
	return "removed, and back on the host";
}

static HbExit run_removal(const Removal *removal, double seconds, gboolean then_pull)
{
	gint64 deadline = -1;
	g_autoptr(GError) error = NULL;
	g_autofree char *reason = NULL;
	HbRemovalEnd end;

	if (!ask(removal, seconds, then_pull, &error))
		return hb_command_fail(removal->invocation, error);
	if (seconds > 0)
		deadline = g_get_monotonic_time() + (gint64)(seconds * G_USEC_PER_SEC) + PULL_US;
	end = hb_removal_wait(removal->invocation, removal->monitor, removal->id, deadline, &reason,
			      &error);
	if (end == HB_REMOVAL_RELEASED)
		return say_done(removal, tell_how(reason));
	if (end == HB_REMOVAL_FAILED)
		return hb_command_fail(removal->invocation, error);
	return give_up(removal, end, reason);
}

/* What both commands begin with. */
static gboolean start(Removal *removal, GError **error)
{
	const HbInvocation *invocation = removal->invocation;

	removal->monitor = hb_monitor_connect(invocation->vm, error);
	if (!removal->monitor)
		return FALSE;
	g_autoptr(JsonArray) slots = hb_slot_list_query(removal->monitor, error);
	if (!slots)
		return FALSE;
	removal->id = hb_slot_list_find_device(slots, invocation->words[1], error);
	return removal->id != NULL;
}

static void finish(Removal *removal)
{
	hb_monitor_close(removal->monitor);
	g_free(removal->id);
}

static HbExit complain(const HbInvocation *invocation, const char *text)
{
	fprintf(invocation->err, "hotbayctl: remove: %s\n", text);
	return HB_EXIT_USAGE;
}

HbExit hb_command_remove(HbInvocation *invocation)
{
	double seconds = 0;
	gboolean then_pull = FALSE;
	const GOptionEntry entries[] = {
		{ "timeout", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, NULL, NULL },
		{ "then-pull", 0, 0, G_OPTION_ARG_NONE, &then_pull, NULL, NULL },
		{ NULL },
	};
	Removal removal = { .invocation = invocation };
	g_autoptr(GError) error = NULL;
	HbExit status;

	if (!hb_command_parse(invocation, entries, 1, 1))
		return HB_EXIT_USAGE;
	if (!(seconds >= 0 && seconds <= 1e6))
		return complain(invocation, "--timeout is in seconds, and not more than a million");
	if (then_pull && seconds <= 0)
		return complain(invocation, "--then-pull after how long? Give a --timeout");
	status = start(&removal, &error) ? run_removal(&removal, seconds, then_pull)
					 : hb_command_fail(invocation, error);
	finish(&removal);
	return status;
}

HbExit hb_command_pull(HbInvocation *invocation)
{
	const GOptionEntry entries[] = { { NULL } };
	Removal removal = { .invocation = invocation };
	g_autoptr(GError) error = NULL;
	HbExit status;

	if (!hb_command_parse(invocation, entries, 1, 1))
		return HB_EXIT_USAGE;
	status = start(&removal, &error) ? pull(&removal) : hb_command_fail(invocation, error);
	finish(&removal);
	return status;
}
