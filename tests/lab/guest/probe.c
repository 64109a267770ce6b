/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Times a guest's I/O from inside the guest, and says the outcome in one line on the serial
 *console.
 *
 *	probe read DISK			4 KiB O_DIRECT reads at random places, until one fails or
 *					SIGTERM comes
 *	probe write DISK		the same with writes
 *	probe fill DISK SEED BLOCKS	writes BLOCKS blocks that SEED determines
 *	probe verify DISK SEED BLOCKS	fails unless these blocks are there
 *	probe config ADDRESS		writes ones, zeroes and noise to every register of a PCI
 *					function's config space, and after each register what was
 *					there back
 *	probe kexec KERNEL INITRD WORDS	starts another kernel, with WORDS as its command line
 *	probe tick			sleeps a millisecond at a time until SIGTERM: its longest
 *					turn is a stall of the guest
 *
 * read, write and tick end with
 *
 *	! NANOSECONDS probe MODE DISK stopped|failed ERRNO count N longest MICROSECONDS
 *
 * where the time is CLOCK_MONOTONIC at the end of the last turn, and the longest turn includes the
 *failed one.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096

#ifndef RB_KEXEC
#define RB_KEXEC 0x45584543 /* linux/reboot.h, which cannot be had beside sys/reboot.h */
#endif

struct run {
	long long ended_ns;
	long long longest_ns;
	unsigned long count;
	int error;
};

static volatile sig_atomic_t stop;
static uint8_t block[BLOCK] __attribute__((aligned(BLOCK)));

static void on_term(int number)
{
	(void)number;
	stop = 1;
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void die(const char *what)
{
	dprintf(STDOUT_FILENO, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_disk(const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", name);
	int fd = open(path, flags | O_DIRECT);
	if (fd < 0)
		die(path);
	return fd;
}

static uint64_t block_count(int fd)
{
	uint64_t bytes = 0;

	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || bytes < BLOCK)
		die("BLKGETSIZE64");
	return bytes / BLOCK;
}

/* One turn: false, with errno set, when it failed. */
static bool turn(const char *mode, int fd, uint64_t blocks)
{
	struct timespec millisecond = { .tv_nsec = 1000000 };
	off_t where = blocks ? (off_t)(random() % blocks) * BLOCK : 0;
	ssize_t moved = BLOCK;

	if (!strcmp(mode, "read"))
		moved = pread(fd, block, BLOCK, where);
	else if (!strcmp(mode, "write"))
		moved = pwrite(fd, block, BLOCK, where);
	else
		nanosleep(&millisecond, NULL);
	if (moved >= 0 && moved < BLOCK)
		errno = EIO;
	return moved == BLOCK;
}

static void run_until_stopped(const char *mode, const char *disk)
{
	struct sigaction action = { .sa_handler = on_term };
	int fd = disk ? open_disk(disk, O_RDWR) : -1;
	uint64_t blocks = disk ? block_count(fd) : 0;
	struct run run = { .ended_ns = now_ns() };

	sigaction(SIGTERM, &action, NULL);
	while (!stop && !run.error) {
		if (!turn(mode, fd, blocks) && errno != EINTR)
			run.error = errno;
		long long now = now_ns();
		if (now - run.ended_ns > run.longest_ns)
			run.longest_ns = now - run.ended_ns;
		run.ended_ns = now;
		run.count++;
	}
	dprintf(STDOUT_FILENO, "! %lld probe %s %s %s %d count %lu longest %lld\n", run.ended_ns,
		mode, disk ? disk : "-", run.error ? "failed" : "stopped", run.error, run.count,
		run.longest_ns / 1000);
}

static void make_pattern(unsigned int seed, unsigned int index)
{
	srandom(seed * 65537 + index);
	for (size_t at = 0; at < BLOCK; at++)
		block[at] = (uint8_t)random();
}

static void fill(const char *disk, unsigned int seed, unsigned int blocks)
{
	int fd = open_disk(disk, O_RDWR | O_SYNC);

	for (unsigned int index = 0; index < blocks; index++) {
		make_pattern(seed, index);
		if (pwrite(fd, block, BLOCK, (off_t)index * BLOCK) != BLOCK)
			die(disk);
	}
}

static void verify(const char *disk, unsigned int seed, unsigned int blocks)
{
	static uint8_t found[BLOCK] __attribute__((aligned(BLOCK)));
	int fd = open_disk(disk, O_RDONLY);

	for (unsigned int index = 0; index < blocks; index++) {
		make_pattern(seed, index);
		if (pread(fd, found, BLOCK, (off_t)index * BLOCK) != BLOCK)
			die(disk);
		if (memcmp(found, block, BLOCK)) {
			dprintf(STDOUT_FILENO, "probe: block %u of %s is not what was written\n",
				index, disk);
			exit(1);
		}
	}
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	return fd;
}

/* Hands over to another kernel as a reboot would, but for the hardware's reset. */
static void run_kexec(const char *kernel, const char *initrd, const char *words)
{
	if (syscall(SYS_kexec_file_load, open_file(kernel), open_file(initrd), strlen(words) + 1,
		    words, 0UL) < 0)
		die("kexec_file_load");
	reboot(RB_KEXEC);
	die("reboot");
}

static void write_config(const char *address)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	int fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	for (off_t at = 0; at < 4096; at += 4) {
		uint32_t values[] = { 0xffffffff, 0, (uint32_t)random() << 1, 0 };
		uint32_t *before = &values[3];

		if (pread(fd, before, 4, at) != 4)
			die(path);
		for (size_t n = 0; n < sizeof(values) / sizeof(values[0]); n++)
			if (pwrite(fd, &values[n], 4, at) != 4)
				die(path);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "tick") && argc == 2)
		run_until_stopped(mode, NULL);
	else if ((!strcmp(mode, "read") || !strcmp(mode, "write")) && argc == 3)
		run_until_stopped(mode, argv[2]);
	else if (!strcmp(mode, "fill") && argc == 5)
		fill(argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	else if (!strcmp(mode, "verify") && argc == 5)
		verify(argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	else if (!strcmp(mode, "kexec") && argc == 5)
		run_kexec(argv[2], argv[3], argv[4]);
	else if (!strcmp(mode, "config") && argc == 3)
		write_config(argv[2]);
	else
		return 2;
	return 0;
}
