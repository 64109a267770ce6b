/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* hotbayctl: the host's drives and bays, and the slots of running VMs, from the command line. */

#include "ctl/command.h"

#include <locale.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	/* A VM that has gone is an answer, not the end of the program. */
	signal(SIGPIPE, SIG_IGN);
	return (int)hb_command_run(argv, stdout, stderr, isatty(STDERR_FILENO));
}
