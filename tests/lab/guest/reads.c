/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * How fast a disk reads:
 *
 *	reads DISK random|sequential BYTES DEPTH SECONDS
 *
 * keeps DEPTH direct reads of BYTES each in flight for that long, and says "COUNT NANOSECONDS"
 * of what it has read. The same program runs in the guest and, for comparison, on the lab host.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_DEPTH 64
#define ALIGNMENT  4096

struct reads {
	int fd;
	bool random;
	size_t bytes;
	uint64_t places; /* on the disk, of that many bytes each */
	uint64_t next;
	aio_context_t context;
	struct iocb blocks[MOST_DEPTH];
};

static void die(const char *what)
{
	fprintf(stderr, "reads: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void open_disk(struct reads *reads, const char *name)
{
	uint64_t bytes = 0;
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", name);
	reads->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (reads->fd < 0)
		die(path);
	if (ioctl(reads->fd, BLKGETSIZE64, &bytes) < 0 || bytes < reads->bytes)
		die("BLKGETSIZE64");
	reads->places = bytes / reads->bytes;
}

static void prepare(struct reads *reads, long depth)
{
	if (syscall(SYS_io_setup, depth, &reads->context) < 0)
		die("io_setup");
	for (long n = 0; n < depth; n++) {
		void *buffer = NULL;

		if (posix_memalign(&buffer, ALIGNMENT, reads->bytes))
			die("posix_memalign");
		reads->blocks[n] = (struct iocb){
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = (uint32_t)reads->fd,
			.aio_buf = (uintptr_t)buffer,
			.aio_nbytes = reads->bytes,
			.aio_data = (uint64_t)n,
		};
	}
}

static void submit(struct reads *reads, struct iocb **blocks, long count)
{
	for (long n = 0; n < count; n++) {
		uint64_t place = reads->random ? (uint64_t)random() : reads->next++;

		blocks[n]->aio_offset = (int64_t)(place % reads->places * reads->bytes);
	}
	for (long done = 0; done < count;) {
		long taken = syscall(SYS_io_submit, reads->context, count - done, blocks + done);

		if (taken < 0)
			die("io_submit");
		done += taken;
	}
}

/* Waits for at least one, and lists those that are done. */
static long reap(struct reads *reads, struct iocb **blocks)
{
	struct io_event events[MOST_DEPTH];
	long count = syscall(SYS_io_getevents, reads->context, 1, MOST_DEPTH, events, NULL);

	if (count < 0)
		die("io_getevents");
	for (long n = 0; n < count; n++) {
		if (events[n].res != (int64_t)reads->bytes) {
			errno = events[n].res < 0 ? (int)-events[n].res : EIO;
			die("read");
		}
		blocks[n] = &reads->blocks[events[n].data];
	}
	return count;
}

static void run(struct reads *reads, long depth, long seconds)
{
	struct iocb *blocks[MOST_DEPTH];
	long long started = now_ns(), now = started;
	unsigned long count = 0;
	long ready = depth;

	for (long n = 0; n < depth; n++)
		blocks[n] = &reads->blocks[n];
	while (now - started < seconds * 1000000000LL) {
		submit(reads, blocks, ready);
		ready = reap(reads, blocks);
		count += (unsigned long)ready;
		now = now_ns();
	}
	printf("%lu %lld\n", count, now - started);
}

int main(int argc, char **argv)
{
	struct reads reads = { 0 };

	if (argc != 6)
		return 2;
	reads.random = !strcmp(argv[2], "random");
	reads.bytes = strtoul(argv[3], NULL, 0);
	long depth = strtol(argv[4], NULL, 0);
	if (depth < 1 || depth > MOST_DEPTH || reads.bytes % ALIGNMENT || !reads.bytes)
		return 2;
	open_disk(&reads, argv[1]);
	prepare(&reads, depth);
	run(&reads, depth, strtol(argv[5], NULL, 0));
	return 0;
}
