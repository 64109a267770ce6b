/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Lets one drive write into another's controller memory buffer, without the host in between:
 *
 *	peer WRITER TARGET
 *
 * are the PCI addresses of two NVMe drives that no driver has. WRITER gets an admin queue in this
 * process's memory and one command, Identify Controller, whose data goes to the last page of
 * TARGET's BAR 2. Says the command's status (NVMe r2.0 §4.2.3) and what serial number is in
 * TARGET's memory then.
 */

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

enum { CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, DOORBELL = 0x1000 };
enum { ENTRIES = 2, PCI_COMMAND = 4, MEMORY_AND_MASTER = 6 };

static volatile uint8_t *registers;

static uint32_t get(unsigned at)
{
	return *(volatile uint32_t *)(registers + at);
}

static void set(unsigned at, uint64_t value)
{
	*(volatile uint32_t *)(registers + at) = (uint32_t)value;
}

static void set_64(unsigned at, uint64_t value)
{
	set(at, value);
	set(at + 4, value >> 32);
}

static int open_file(const char *function, const char *name, int how)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", function, name);
	int fd = open(path, how | O_SYNC);
	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

static void enable(const char *function)
{
	int fd = open_file(function, "config", O_RDWR);
	uint16_t command;

	if (pread(fd, &command, 2, PCI_COMMAND) != 2)
		err(2, "%s", function);
	command |= MEMORY_AND_MASTER;
	if (pwrite(fd, &command, 2, PCI_COMMAND) != 2)
		err(2, "%s", function);
	close(fd);
}

static volatile uint8_t *map(const char *function, const char *resource, size_t size, uint64_t at)
{
	int fd = open_file(function, resource, O_RDWR);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);

	if (memory == MAP_FAILED)
		err(2, "%s of %s", resource, function);
	close(fd);
	return memory;
}

/* BAR 2: the third line of "resource". */
static void find_memory(const char *function, uint64_t *base, uint64_t *size)
{
	char text[1024] = "", *line = text;
	int fd = open_file(function, "resource", O_RDONLY);
	uint64_t last;

	if (read(fd, text, sizeof(text) - 1) < 0)
		err(2, "%s", function);
	close(fd);
	for (int i = 0; i < 2 && line; i++)
		line = strchr(line, '\n') + 1;
	if (sscanf(line, "%" SCNx64 " %" SCNx64, base, &last) != 2 || !*base)
		errx(2, "%s has no BAR 2", function);
	*size = last - *base + 1;
}

static uint64_t physical(const void *memory)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)memory / PAGE * 8)) != 8 || !entry)
		err(2, "pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static void wait_ready(uint32_t ready)
{
	for (int i = 0; i < 5000 && (get(CSTS) & 1) != ready; i++)
		usleep(1000);
	if ((get(CSTS) & 1) != ready)
		errx(2, "CSTS is %x", get(CSTS));
}

/* Returns the status, without the phase. */
static unsigned identify(uint8_t *queues, uint64_t target)
{
	uint32_t *command = (uint32_t *)queues;
	volatile uint16_t *status = (volatile uint16_t *)(queues + PAGE + 14);

	set(CC, 0);
	wait_ready(0);
	set(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	set_64(ASQ, physical(queues));
	set_64(ACQ, physical(queues + PAGE));
	set(CC, 4 << 20 | 6 << 16 | 1);
	wait_ready(1);
	command[0] = 1 << 16 | 6; /* Identify */
	memcpy(&command[6], &target, sizeof(target));
	command[10] = 1; /* Controller */
	__sync_synchronize();
	set(DOORBELL, 1);
	for (int i = 0; i < 5000 && !(*status & 1); i++)
		usleep(1000);
	if (!(*status & 1))
		errx(2, "no completion; CSTS is %x", get(CSTS));
	set(CC, 0);
	return *status >> 1;
}

int main(int argc, char **argv)
{
	uint64_t base, size;

	if (argc != 3)
		errx(2, "peer WRITER TARGET");
	uint8_t *queues = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (queues == MAP_FAILED)
		err(2, "memory");
	memset(queues, 0, 2 * PAGE);
	enable(argv[2]);
	find_memory(argv[2], &base, &size);
	volatile uint8_t *memory = map(argv[2], "resource2", PAGE, size - PAGE);
	for (int i = 0; i < 64; i++)
		memory[i] = '-';
	enable(argv[1]);
	registers = map(argv[1], "resource0", 2 * PAGE, 0);
	usleep(300000); /* the host's IOMMU follows the BARs */

	unsigned status = identify(queues, base + size - PAGE);
	char serial[21] = "";
	for (int i = 0; i < 20; i++)
		serial[i] = (char)memory[4 + i];
	printf("status %x serial %s\n", status, serial);
	return 0;
}
