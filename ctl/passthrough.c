/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl passthrough: drives to VFIO and back, all that are named or none. */

#include "ctl/command.h"
#include "ctl/targets.h"

#include <hotbay/bind.h>

#include <string.h>

static void on_progress(const char *address, const char *step, gpointer data)
{
	const HbInvocation *invocation = data;

	if (invocation->progress)
		fprintf(invocation->err, "%s: %s\n", address, step);
}

/* NULL-terminated; NULL with an error. */
static char **find_drives(const HbInvocation *invocation, GError **error)
{
	g_autoptr(HbInventory) inventory = hb_inventory_take(NULL, error);
	g_autoptr(GStrvBuilder) addresses = g_strv_builder_new();

	if (!inventory)
		return NULL;
	for (guint i = 2; invocation->words[i]; i++) {
		g_autofree char *address =
			hb_targets_find_drive(inventory, invocation->words[i], error);

		if (!address)
			return NULL;
		g_strv_builder_add(addresses, address);
	}
	return g_strv_builder_end(addresses);
}

static HbExit run_switch(HbInvocation *invocation, gboolean on, HbBindFlags flags)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) addresses = find_drives(invocation, &error);
	g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
	HbBindRequest request = {
		.addresses = (const char *const *)addresses,
		.flags = flags,
		.program = program,
		.progress = on_progress,
		.data = invocation,
	};

	if (!addresses)
		return hb_command_fail(invocation, error);
	if (on ? !hb_bind_to_vfio(&request, &error) : !hb_bind_to_kernel(&request, &error))
		return hb_command_fail(invocation, error);
	for (guint i = 0; addresses[i]; i++)
		fprintf(invocation->out, "%s: passthrough is %s%s\n", addresses[i],
			on ? "on" : "off",
			on && flags & HB_BIND_PERSIST ? ", after a boot too" : "");
	return HB_EXIT_DONE;
}

static HbExit complain(const HbInvocation *invocation, const char *text)
{
	fprintf(invocation->err, "hotbayctl: passthrough: %s\n", text);
	return HB_EXIT_USAGE;
}

HbExit hb_command_passthrough(HbInvocation *invocation)
{
	gboolean persist = FALSE, force = FALSE, lose_data = FALSE, from_vm = FALSE;
	const GOptionEntry entries[] = {
		{ "persist", 0, 0, G_OPTION_ARG_NONE, &persist, NULL, NULL },
		{ "force", 0, 0, G_OPTION_ARG_NONE, &force, NULL, NULL },
		{ "lose-data", 0, 0, G_OPTION_ARG_NONE, &lose_data, NULL, NULL },
		{ "from-vm", 0, 0, G_OPTION_ARG_NONE, &from_vm, NULL, NULL },
		{ NULL },
	};

	if (!hb_command_parse(invocation, entries, 2, G_MAXUINT))
		return HB_EXIT_USAGE;
	if (invocation->root)
		return complain(invocation, "a captured host (--root) can only be looked at");
	gboolean on = strcmp(invocation->words[1], "on") == 0;
	if (!on && strcmp(invocation->words[1], "off") != 0)
		return complain(invocation, "on or off?");
	if (!on && (persist || force || lose_data))
		return complain(invocation, "these options are for on; off lasts by itself");
	if (on && from_vm)
		return complain(invocation, "--from-vm is for off");
	if (lose_data && !force)
		return complain(invocation, "--lose-data is for --force");
	return run_switch(invocation, on,
			  (persist ? HB_BIND_PERSIST : 0) | (force ? HB_BIND_FORCE : 0) |
				  (lose_data ? HB_BIND_LOSE_DATA : 0) |
				  (from_vm ? HB_BIND_FROM_VM : 0));
}
