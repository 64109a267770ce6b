/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The commands of hotbayctl, and what they share: finding the one that is meant, options, and the
 * way from an error to a sentence and an exit status.
 */

#include "ctl/command.h"

#include <hotbay/error.h>
#include <hotbay/version.h>

#include <string.h>

static const HbCommand commands[] = {
	{ "drives", FALSE, "[--json|--addresses]",
	  "this host's NVMe drives, and whether they can be passed through", hb_command_drives },
	{ "bays", FALSE, "[--json]", "this host's slots, empty ones too", hb_command_bays },
	{ "passthrough", FALSE, "on|off DRIVE... [--persist] [--force [--lose-data]]",
	  "give drives to VFIO, or back to the host's own driver", hb_command_passthrough },
	{ "slots", TRUE, "[--json|--ids]", "the VM's slots", hb_command_slots },
	{ "add", TRUE, "DRIVE SLOT [--id ID]", "put a drive into a slot of the VM",
	  hb_command_add },
	{ "remove", TRUE, "ID [--timeout SECONDS] [--then-pull]",
	  "ask the guest to let a drive go, and wait until it is free", hb_command_remove },
	{ "pull", TRUE, "ID", "take a drive from the guest by surprise", hb_command_pull },
	{ "events", TRUE, "[--json]", "what happens in the VM, as it happens", hb_command_events },
	{ "top", TRUE, "[--interval SECONDS] [--count N]",
	  "a live view of all slots: occupant, state, indicators, interrupts", hb_command_top },
};

static void print_help(FILE *stream)
{
	fputs("Usage: hotbayctl COMMAND [OPTION...]\n"
	      "       hotbayctl --vm SOCKET COMMAND [OPTION...]\n\n",
	      stream);
	for (guint vm = 0; vm < 2; vm++) {
		fputs(vm ? "\nOf a running VM, through its QMP socket (--vm, or $HOTBAY_VM):\n"
			 : "Of this host:\n",
		      stream);
		for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
			if (commands[i].needs_vm == (gboolean)vm)
				fprintf(stream, "  %s %s\n        %s\n", commands[i].name,
					commands[i].usage, commands[i].summary);
	}
	fputs("\nDRIVE is a PCI address such as 0000:01:00.0 or 01:00.0, or the number of a bay.\n"
	      "hotbayctl(1) has the rest.\n",
	      stream);
}

static const HbCommand *find_command(const char *name)
{
	for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static HbExit complain(FILE *err, const char *format, ...) G_GNUC_PRINTF(2, 3);

static HbExit complain(FILE *err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	fprintf(err, "hotbayctl: %s\n", text);
	return HB_EXIT_USAGE;
}

HbExit hb_command_fail(const HbInvocation *invocation, const GError *error)
{
	complain(invocation->err, "%s", error->message);
	if (error->domain != HB_ERROR)
		return HB_EXIT_FAILED;
	switch ((HbError)error->code) {
	case HB_ERROR_INVALID:
		return HB_EXIT_USAGE;
	case HB_ERROR_NOT_FOUND:
		return HB_EXIT_NOT_FOUND;
	case HB_ERROR_BUSY:
	case HB_ERROR_UNSUPPORTED:
	case HB_ERROR_LIMIT:
		return HB_EXIT_REFUSED;
	case HB_ERROR_GONE:
		return HB_EXIT_NO_VM;
	case HB_ERROR_HOST:
		break;
	}
	return HB_EXIT_FAILED;
}

gboolean hb_command_parse(HbInvocation *invocation, const GOptionEntry *entries, guint least,
			  guint most)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_help_enabled(context, FALSE);
	if (!g_option_context_parse_strv(context, &invocation->words, &error)) {
		complain(invocation->err, "%s; see hotbayctl --help", error->message);
		return FALSE;
	}
	guint count = g_strv_length(invocation->words) - 1;
	if (count < least) {
		complain(invocation->err, "%s: a word is missing; see hotbayctl --help",
			 invocation->words[0]);
		return FALSE;
	}
	if (count > most) {
		complain(invocation->err, "%s: too many words, from '%s' on; see hotbayctl --help",
			 invocation->words[0], invocation->words[most + 1]);
		return FALSE;
	}
	return TRUE;
}

/* The value of "--NAME VALUE" or "--NAME=VALUE" at *word, which then moves to its last word. */
static gboolean take_option(char ***word, const char *name, const char **value)
{
	gsize length = strlen(name);

	if (strncmp(**word, name, length) != 0)
		return FALSE;
	if ((**word)[length] == '=') {
		*value = **word + length + 1;
		return TRUE;
	}
	if ((**word)[length] != '\0' || !(*word)[1])
		return FALSE;
	*value = *++*word;
	return TRUE;
}

static HbExit run_command(HbInvocation *invocation, char **rest)
{
	const HbCommand *command = find_command(rest[0]);
	HbExit status;

	if (!command)
		return complain(invocation->err, "there is no command '%s'; see hotbayctl --help",
				rest[0]);
	if (command->needs_vm && !invocation->vm)
		return complain(invocation->err,
				"%s: of which VM? Give its QMP socket: hotbayctl --vm SOCKET %s",
				command->name, command->name);
	invocation->words = g_strdupv(rest);
	status = command->run(invocation);
	g_strfreev(invocation->words);
	return status;
}

HbExit hb_command_run(char **words, FILE *out, FILE *err, gboolean progress)
{
	HbInvocation invocation = {
		.vm = g_getenv("HOTBAY_VM"), .out = out, .err = err, .progress = progress
	};

	for (char **word = words + 1; *word; word++) {
		if (strcmp(*word, "--help") == 0 || strcmp(*word, "-h") == 0) {
			print_help(out);
			return HB_EXIT_DONE;
		}
		if (strcmp(*word, "--version") == 0) {
			fprintf(out, "hotbayctl %s\n", hb_version());
			return HB_EXIT_DONE;
		}
		if (take_option(&word, "--vm", &invocation.vm) ||
		    take_option(&word, "--root", &invocation.root))
			continue;
		if ((*word)[0] == '-')
			return complain(err,
					"no option %s, or no value for it; see hotbayctl --help",
					*word);
		return run_command(&invocation, word);
	}
	print_help(err);
	return HB_EXIT_USAGE;
}
