/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The guest's first and only process: it answers the lab on the serial line and tells it what
 *happens.
 *
 *	lab says		agent says
 *	N clock			#N clock NANOSECONDS			CLOCK_MONOTONIC, at once
 *	N any shell command	its output, then #N done STATUS		one at a time
 *				! NANOSECONDS up			userspace is reached
 *				! NANOSECONDS ready			drivers are loaded
 *				! NANOSECONDS add|remove SUBSYSTEM NAME	block and pci uevents
 *				! NANOSECONDS power-button		then it powers off
 *
 * Every byte on this line is an exit of the virtual machine, so it says little; each line is one
 *write(), so that lines of the agent, of commands and of probes never mix.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

struct command {
	char number[16];
	pid_t pid; /* 0: none is running */
};

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void event(const char *words)
{
	dprintf(STDOUT_FILENO, "! %lld %s\n", now_ns(), words);
}

static void mount_all(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

static void open_serial(void)
{
	struct termios attributes;
	int tty = open("/dev/ttyS0", O_RDWR | O_NOCTTY);

	tcgetattr(tty, &attributes);
	cfmakeraw(&attributes);
	tcsetattr(tty, TCSANOW, &attributes);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(tty, fd);
	if (tty > STDERR_FILENO)
		close(tty);
}

static void load_modules(void)
{
	char name[128], path[160];
	FILE *order = fopen("/modules/order", "r");

	while (order && fscanf(order, "%127s", name) == 1) {
		snprintf(path, sizeof(path), "/modules/%s", name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			dprintf(STDOUT_FILENO, "agent: %s: %s\n", path, strerror(errno));
		close(fd);
	}
	if (order)
		fclose(order);
}

static int open_uevents(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int size = 1 << 20;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	bind(fd, (struct sockaddr *)&address, sizeof(address));
	return fd;
}

/* -1, which poll() passes over, when there is none. */
static int open_power_button(void)
{
	char path[32], name[64];

	for (int number = 0; number < 8; number++) {
		snprintf(path, sizeof(path), "/dev/input/event%d", number);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, EVIOCGNAME(sizeof(name)), name) > 0 &&
		    !strcmp(name, "Power Button"))
			return fd;
		close(fd);
	}
	return -1;
}

static const char *uevent_value(const char *message, size_t length, const char *key)
{
	size_t key_length = strlen(key);

	for (const char *line = message; line < message + length; line += strlen(line) + 1)
		if (!strncmp(line, key, key_length))
			return line + key_length;
	return "";
}

static void tell_uevent(int fd)
{
	char message[8192], words[300];
	ssize_t length = recv(fd, message, sizeof(message) - 1, 0);

	if (length <= 0)
		return;
	message[length] = '\0';
	const char *action = uevent_value(message, length, "ACTION=");
	const char *subsystem = uevent_value(message, length, "SUBSYSTEM=");
	const char *path = uevent_value(message, length, "DEVPATH=");
	const char *slash = strrchr(path, '/');

	if (strcmp(action, "add") && strcmp(action, "remove"))
		return;
	if (strcmp(subsystem, "block") && strcmp(subsystem, "pci"))
		return;
	snprintf(words, sizeof(words), "%s %s %s", action, subsystem, slash ? slash + 1 : path);
	event(words);
}

static void power_off_on_button(int fd)
{
	struct input_event input;

	if (read(fd, &input, sizeof(input)) != sizeof(input))
		return;
	if (input.type == EV_KEY && input.code == KEY_POWER && input.value == 1) {
		event("power-button");
		reboot(RB_POWER_OFF);
	}
}

static void start_command(struct command *command, const char *line)
{
	sigset_t none;

	command->pid = fork();
	if (command->pid != 0)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(STDIN_FILENO);
	open("/dev/null", O_RDONLY);
	setenv("PATH", "/bin", 1);
	execl("/bin/sh", "sh", "-c", line, NULL);
	_exit(127);
}

static void answer(struct command *command, const char *line)
{
	int length = 0;

	if (sscanf(line, "%15s %n", command->number, &length) != 1)
		return;
	if (!strcmp(line + length, "clock"))
		dprintf(STDOUT_FILENO, "#%s clock %lld\n", command->number, now_ns());
	else
		start_command(command, line + length);
}

static void read_serial(struct command *command)
{
	static char line[4096];
	static size_t used;
	char byte;

	while (read(STDIN_FILENO, &byte, 1) == 1) {
		if (byte != '\n' && used < sizeof(line) - 1) {
			line[used++] = byte;
			continue;
		}
		line[used] = '\0';
		used = 0;
		answer(command, line);
		return;
	}
}

static void reap(int fd, struct command *command)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command->pid)
			continue;
		command->pid = 0;
		dprintf(STDOUT_FILENO, "#%s done %d\n", command->number,
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
}

int main(void)
{
	struct command command = { 0 };
	sigset_t signals;

	mount_all();
	open_serial();
	event("up");
	int uevents = open_uevents();
	load_modules();

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	struct pollfd watched[] = {
		{ .fd = uevents, .events = POLLIN },
		{ .fd = signalfd(-1, &signals, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = open_power_button(), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	event("ready");
	for (;;) {
		poll(watched, sizeof(watched) / sizeof(watched[0]), -1);
		if (watched[0].revents)
			tell_uevent(watched[0].fd);
		if (watched[1].revents)
			reap(watched[1].fd, &command);
		if (watched[2].revents)
			power_off_on_button(watched[2].fd);
		if (watched[3].revents)
			read_serial(&command);
	}
}
