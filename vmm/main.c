/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * hotbay, the hypervisor: command line in, machine and monitor made, the loop run, all undone.
 */

#include "vmm/commands.h"
#include "vmm/machine.h"
#include "vmm/options.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int report(const GError *error)
{
	g_printerr("hotbay: %s\n", error->message);
	return EXIT_FAILURE;
}

static gboolean write_pidfile(const char *path, GError **error)
{
	g_autofree char *text = g_strdup_printf("%d\n", getpid());

	if (path == NULL || g_file_set_contents(path, text, -1, error))
		return TRUE;
	g_prefix_error(error, "-pidfile: ");
	return FALSE;
}

static gboolean listen_all(HbCommands *commands, const GPtrArray *sockets, GError **error)
{
	for (guint i = 0; i < sockets->len; i++) {
		const HbChardevOptions *options = g_ptr_array_index(sockets, i);

		if (!hb_qmp_listen(hb_commands_get_qmp(commands), options->path, error)) {
			g_prefix_error(error, "-qmp: ");
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean on_signal(gpointer data)
{
	hb_machine_quit(data, HB_CAUSE_HOST_SIGNAL);
	return G_SOURCE_CONTINUE;
}

static int run(const HbOptions *options)
{
	g_autoptr(GError) error = NULL;
	HbMachine *machine = hb_machine_create(options, &error);
	int status = EXIT_FAILURE;

	if (machine == NULL)
		return report(error);
	HbCommands *commands = hb_commands_create(machine);
	g_unix_signal_add(SIGINT, on_signal, machine);
	g_unix_signal_add(SIGTERM, on_signal, machine);
	g_unix_signal_add(SIGHUP, on_signal, machine);
	if (listen_all(commands, options->qmp, &error) && write_pidfile(options->pidfile, &error)) {
		status = hb_machine_run(machine);
		if (options->pidfile)
			g_unlink(options->pidfile);
	} else {
		report(error);
	}
	hb_commands_destroy(commands);
	hb_machine_destroy(machine);
	return status;
}

/*
 * Each interrupt vector of a drive is an open file. The usual soft limit, 1024, is for programs
 * that select(); we do not, so take what the administrator allows. If that is too little, the drive
 * that does not fit is refused and says so.
 */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HbOptions) options = hb_options_parse(argc, (const char *const *)argv, &error);

	if (options == NULL)
		return report(error);
	if (options->action == HB_OPTIONS_HELP) {
		g_autofree char *help = hb_options_help();

		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (options->action == HB_OPTIONS_VERSION) {
		printf("hotbay %s\n", hb_version());
		return EXIT_SUCCESS;
	}
	/* A client that has gone is an error of write(), not the end of the machine. */
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	return run(options);
}
