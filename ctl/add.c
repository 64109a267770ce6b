/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl add: a drive of the host into a slot of a VM, and a wait until the guest was told. */

#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/monitor.h"
#include "ctl/targets.h"

#include <hotbay/error.h>

#define TOLD_US (60 * G_USEC_PER_SEC)

static gboolean is_about(JsonObject *event, const char *name, const char *id)
{
	return g_strcmp0(hb_json_get_string(event, "event"), name) == 0 &&
	       g_strcmp0(hb_json_get_string(hb_json_get_object(event, "data"), "device"), id) == 0;
}

/* A slot with a ghost of the last drive in it lets the next one in when the guest has let go. */
static gboolean wait_plugged(HbMonitor *monitor, const char *id, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + TOLD_US;
	GError *problem = NULL;

	for (;;) {
		g_autoptr(JsonObject) event = hb_monitor_wait_event(monitor, deadline, &problem);

		if (problem) {
			g_propagate_error(error, problem);
			return FALSE;
		}
		if (!event) {
			g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
				    "%s: it stands in line for its slot, which the guest has not "
				    "cleared for %d s; `hotbayctl slots` shows it",
				    id, (int)(TOLD_US / G_USEC_PER_SEC));
			return FALSE;
		}
		if (is_about(event, "HOTBAY_SLOT_PLUGGED", id))
			return TRUE;
		if (is_about(event, "DEVICE_DELETED", id)) {
			g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
				    "%s: it was let go again before the guest had it", id);
			return FALSE;
		}
	}
}

static gboolean plug(HbMonitor *monitor, const char *address, const char *slot, const char *id,
		     GError **error)
{
	JsonObject *arguments = json_object_new();

	json_object_set_string_member(arguments, "driver", "vfio-pci");
	json_object_set_string_member(arguments, "host", address);
	json_object_set_string_member(arguments, "bus", slot);
	json_object_set_string_member(arguments, "id", id);
	g_autoptr(JsonNode) answer = hb_monitor_execute(monitor, "device_add", arguments, error);
	return answer && wait_plugged(monitor, id, error);
}

HbExit hb_command_add(HbInvocation *invocation)
{
	g_autofree char *id = NULL;
	const GOptionEntry entries[] = {
		{ "id", 0, 0, G_OPTION_ARG_STRING, &id, NULL, NULL },
		{ NULL },
	};
	g_autoptr(GError) error = NULL;

	if (!hb_command_parse(invocation, entries, 2, 2))
		return HB_EXIT_USAGE;
	const char *slot = invocation->words[2];
	g_autoptr(HbInventory) inventory = hb_inventory_take(invocation->root, &error);
	g_autofree char *address =
		inventory ? hb_targets_find_drive(inventory, invocation->words[1], &error) : NULL;
	if (!id && address)
		id = g_strdelimit(g_strdup_printf("nvme-%s", address), ":.", '-');
	g_autoptr(HbMonitor) monitor = address ? hb_monitor_connect(invocation->vm, &error) : NULL;
	if (!monitor || !plug(monitor, address, slot, id, &error))
		return hb_command_fail(invocation, error);
	fprintf(invocation->out, "%s: %s is in slot %s\n", id, address, slot);
	return HB_EXIT_DONE;
}
