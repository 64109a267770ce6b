/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The least hypervisor with a hot-plug slot in it, to read beside docs/embedding.md: its ten steps
 * are numbered below. It boots Linux on one vCPU, and takes a drive of the host in and out:
 *
 *	cc tiny-vmm.c -o tiny-vmm $(pkg-config --cflags --libs hotbay)
 *	hotbayctl passthrough on 0000:01:00.0
 *	./tiny-vmm KERNEL INITRD [COMMAND-LINE]
 *
 * The guest's console is its standard output. On its standard input it is told:
 *
 *	add 0000:01:00.0	open that drive and plug it into the slot
 *	remove			ask the guest to let it go
 *	pull			take it away without asking
 *	quit			likewise at the end of input
 *
 * Two threads: main() is "the loop" of the library's headers, run_vcpu() the guest's processor.
 *
 * The library's part is short: create_slot(), write_tables(), a call for each kind of exit, and
 * add_drive(). The room goes to what any hypervisor has that boots Linux: a VM and its processor,
 * the boot protocol, a console, what ACPI cannot be without. What is not here: reset, a second vCPU
 * or slot, input, RAM above 4 GiB. The directory vmm/ has them.
 */

#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <hotbay/hotbay.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB 0x100000ULL
#define GIB 0x40000000ULL

/* The guest's memory. */
#define RAM_SIZE     (512 * MIB)
#define GDT	     0x500
#define ZERO_PAGE    0x7000
#define COMMAND_LINE 0x20000
#define LOW_RAM_END  0x9fc00
#define TABLES	     0xe0000 /* to 1 MiB: ACPI's */
#define KERNEL	     MIB
#define IOAPIC	     0xfec00000
#define LAPIC	     0xfee00000
#define KVM_TSS	     0xfeffd000UL /* three pages that KVM needs on Intel */

/* Its I/O ports. */
#define UART_DATA   0x3f8
#define UART_STATUS 0x3fd
#define PM_BASE	    0x600 /* as HbAcpiMachine wants them: events, control, timer */
#define PM_ENABLE   (PM_BASE + 2)
#define PM_CONTROL  (PM_BASE + 4)
#define PM_TIMER    (PM_BASE + 8)
#define PM_SCI	    9

#define CONSOLE "earlycon=uart8250,io,0x3f8 keep_bootcon "

static const HbHostBridgeConfig windows = {
	.ecam = { 0xb0000000, 8 * MIB }, /* 8 buses */
	.mem32 = { 0xc0000000, 512 * MIB },
	.mem64 = { 4 * GIB, 32 * GIB },
};

typedef struct Vmm {
	guint8 *ram;
	int kvm_fd, vm_fd, vcpu_fd;
	struct kvm_run *run;
	pthread_t vcpu;
	guint16 pm_enable; /* the vCPU thread's */

	HbKvm *kvm;
	HbHostBridge *bridge;
	HbPort *port;
	HbVfio *vfio;
	gint ended;    /* atomic */
	int status;    /* the process's; the vCPU thread's for as long as there is one */
	GError *error; /* of the call that need() is asking about */
} Vmm;

/* Before the guest starts: whatever fails is the end. */
static void need(Vmm *vmm, gboolean done, const char *what)
{
	if (done)
		return;
	g_printerr("tiny-vmm: %s: %s\n", what,
		   vmm->error ? vmm->error->message : g_strerror(errno));
	exit(EXIT_FAILURE);
}

/* -- A machine without PCI: nothing of this is about the library. -- */

static void create_vm(Vmm *vmm)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct kvm_userspace_memory_region region = { .slot = 0, .memory_size = RAM_SIZE };

	vmm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	need(vmm, vmm->kvm_fd >= 0, "/dev/kvm");
	vmm->vm_fd = ioctl(vmm->kvm_fd, KVM_CREATE_VM, 0);
	need(vmm, vmm->vm_fd >= 0, "KVM_CREATE_VM");
	need(vmm, ioctl(vmm->vm_fd, KVM_SET_TSS_ADDR, KVM_TSS) == 0, "KVM_SET_TSS_ADDR");
	need(vmm, ioctl(vmm->vm_fd, KVM_CREATE_IRQCHIP, 0) == 0, "KVM_CREATE_IRQCHIP");
	need(vmm, ioctl(vmm->vm_fd, KVM_CREATE_PIT2, &pit) == 0, "KVM_CREATE_PIT2");

	vmm->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(vmm, vmm->ram != MAP_FAILED, "memory for the guest");
	region.userspace_addr = (guintptr)vmm->ram;
	need(vmm, ioctl(vmm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) == 0, "guest memory");
}

/* The host's processor, as KVM has it, but with APIC id 0 rather than of where we run just now. */
static void set_cpuid(Vmm *vmm)
{
	const guint32 n = 256;
	g_autofree struct kvm_cpuid2 *cpuid =
		g_malloc0(sizeof(*cpuid) + n * sizeof(cpuid->entries[0]));

	cpuid->nent = n;
	need(vmm, ioctl(vmm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0, "supported CPUID");
	for (guint32 i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == 0x1) {
			entry->ebx &= 0x00ffffff;
			entry->ecx |= 1U << 31 | 1U << 24; /* a hypervisor; TSC deadline timer */
		} else if (entry->function == 0xb || entry->function == 0x1f) {
			entry->edx = 0;
		} else if (entry->function == 0x8000001e) {
			entry->eax = 0;
		}
	}
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_CPUID2, cpuid) == 0, "KVM_SET_CPUID2");
}

/* The 32-bit entry of Documentation/arch/x86/boot.rst: flat segments, no paging. */
static void set_registers(Vmm *vmm)
{
	static const guint64 gdt[] = { 0, 0, 0x00cf9b000000ffffULL, 0x00cf93000000ffffULL };
	struct kvm_segment code = { .limit = G_MAXUINT32, .selector = 0x10, .type = 11 };
	struct kvm_regs regs = { .rip = KERNEL, .rsi = ZERO_PAGE, .rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(vmm->ram + GDT, gdt, sizeof(gdt));
	code.present = code.db = code.s = code.g = 1;
	need(vmm, ioctl(vmm->vcpu_fd, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
	sregs.gdt.base = GDT;
	sregs.gdt.limit = sizeof(gdt) - 1;
	sregs.cs = sregs.ds = code;
	sregs.ds.selector = 0x18;
	sregs.ds.type = 3;
	sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.ds;
	sregs.cr0 |= 1; /* PE */
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_REGS, &regs) == 0, "KVM_SET_REGS");
}

static void create_vcpu(Vmm *vmm)
{
	int size = ioctl(vmm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	vmm->vcpu_fd = ioctl(vmm->vm_fd, KVM_CREATE_VCPU, 0);
	need(vmm, size > 0 && vmm->vcpu_fd >= 0, "KVM_CREATE_VCPU");
	vmm->run = mmap(NULL, (gsize)size, PROT_READ | PROT_WRITE, MAP_SHARED, vmm->vcpu_fd, 0);
	need(vmm, vmm->run != MAP_FAILED, "the vCPU's shared page");
	set_cpuid(vmm);
	set_registers(vmm);
}

static void write_memory_map(struct boot_params *params)
{
	const struct boot_e820_entry map[] = {
		{ .addr = 0, .size = LOW_RAM_END, .type = 1 },
		{ .addr = TABLES, .size = MIB - TABLES, .type = 2 },
		{ .addr = MIB, .size = RAM_SIZE - MIB, .type = 1 },
		{ .addr = windows.ecam.base, .size = windows.ecam.size, .type = 2 },
	};

	memcpy(params->e820_table, map, sizeof(map));
	params->e820_entries = G_N_ELEMENTS(map);
}

/* A file's bytes, of which there are at most @max. */
static char *read_file(Vmm *vmm, const char *path, gsize max, gsize *size)
{
	char *bytes = NULL;

	need(vmm, g_file_get_contents(path, &bytes, size, &vmm->error), "cannot boot");
	errno = EFBIG;
	need(vmm, *size < max, path);
	return bytes;
}

/* Kernel to 1 MiB, where it makes itself room upwards; initrd to the end of RAM. */
static void load_linux(Vmm *vmm, const char *kernel, const char *initrd, const char *command_line)
{
	struct boot_params *params = (struct boot_params *)(vmm->ram + ZERO_PAGE);
	struct setup_header *header = &params->hdr;
	gsize kernel_size, initrd_size;
	g_autofree char *image = read_file(vmm, kernel, RAM_SIZE, &kernel_size);
	g_autofree char *files = read_file(vmm, initrd, RAM_SIZE, &initrd_size);

	errno = ENOEXEC;
	need(vmm, kernel_size > sizeof(*params), kernel);
	memcpy(header, image + offsetof(struct boot_params, hdr), sizeof(*header));
	gsize setup = (header->setup_sects + 1U) * 512;
	need(vmm, header->header == 0x53726448 && setup < kernel_size, kernel);
	guint64 end = MAX(KERNEL, header->pref_address) + MAX(header->init_size, kernel_size);
	guint64 files_at = (RAM_SIZE - initrd_size) & ~0xfffULL;

	errno = EFBIG;
	need(vmm, header->pref_address < RAM_SIZE && end <= files_at, "kernel and initrd");
	need(vmm, strlen(command_line) < header->cmdline_size, "the command line");
	memcpy(vmm->ram + KERNEL, image + setup, kernel_size - setup);
	memcpy(vmm->ram + files_at, files, initrd_size);
	memcpy(vmm->ram + COMMAND_LINE, command_line, strlen(command_line) + 1);
	header->type_of_loader = 0xff;
	header->cmd_line_ptr = COMMAND_LINE;
	header->ramdisk_image = (guint32)files_at;
	header->ramdisk_size = (guint32)initrd_size;
	params->acpi_rsdp_addr = TABLES;
	write_memory_map(params);
}

/* -- Slots. -- */

/* On the loop, after the fact. */
static void on_event(const HbEvent *event, gpointer data)
{
	if (event->type == HB_EVENT_INDICATORS)
		g_printerr("slot: power indicator %s\n",
			   hb_indicator_to_str(event->power_indicator));
	else
		g_printerr("slot: %s, reason %s\n", hb_event_type_to_str(event->type),
			   hb_slot_reason_to_str(event->reason));
}

static void create_slot(Vmm *vmm)
{
	const HbKvmConfig numbers = { .first_memory_slot = 1 };
	const HbRam ram = { .gpa = 0, .size = RAM_SIZE, .hva = vmm->ram };
	HbPortConfig config;

	/* 1. A loop: GLib's default main context, iterated by main(). */
	/* 2. A host. Memory slot 0 is RAM; of GSIs we have none beyond the IOAPIC's pins. */
	vmm->kvm = hb_kvm_create(vmm->vm_fd, &numbers, NULL, &vmm->error);
	need(vmm, vmm->kvm != NULL, "KVM");
	HbHost *host = hb_kvm_get_host(vmm->kvm);
	hb_host_set_listener(host, on_event, vmm);
	/* 3. Memory, for the drives' DMA. */
	need(vmm, hb_host_add_ram(host, &ram, &vmm->error), "RAM");
	/* 4. A bridge. */
	vmm->bridge = hb_host_bridge_create(host, &windows, &vmm->error);
	need(vmm, vmm->bridge != NULL, "bridge");
	/* 5. A slot. */
	hb_port_config_init(&config);
	config.id = "slot1";
	config.devfn = HB_PCI_DEVFN(4, 0);
	config.chassis = 1;
	config.slot = 1;
	vmm->port = hb_port_create(vmm->bridge, &config, &vmm->error);
	need(vmm, vmm->port != NULL, "slot");
	/* 6. The drives' half. */
	vmm->vfio = hb_vfio_create(host, 0);
	hb_vfio_expect_vectors(vmm->vfio, 2); /* a queue of the one vCPU, and admin */
	/* 7. Addresses. */
	need(vmm, hb_host_bridge_lay_out(vmm->bridge, &vmm->error), "PCI addresses");
}

/* 8. Tables. */
static void write_tables(Vmm *vmm)
{
	static const guint8 apic_id = 0;
	const HbAcpiMachine machine = {
		.apic_ids = &apic_id,
		.n_cpus = 1,
		.lapic_address = LAPIC,
		.ioapic_address = IOAPIC,
		.bridge = windows,
		.pm_base = PM_BASE,
		.sci = PM_SCI,
		.native_hotplug = TRUE,
	};
	g_autoptr(GByteArray) tables = hb_acpi_build(&machine, TABLES, MIB - TABLES, &vmm->error);

	need(vmm, tables != NULL, "ACPI tables");
	memcpy(vmm->ram + TABLES, tables->data, tables->len);
}

/* -- 9. Accesses, on the vCPU's thread. What nobody takes reads all-ones. -- */

/* A UART that is always ready to send, and what ACPI cannot be without. */
static guint32 read_port(Vmm *vmm, guint16 port)
{
	switch (port) {
	case UART_STATUS:
		return 0x60; /* nothing left to send */
	case PM_BASE:
		return 0; /* no event, ever */
	case PM_ENABLE:
		return vmm->pm_enable;
	case PM_CONTROL:
		return 1; /* SCI_EN */
	case PM_TIMER:
		return (guint32)(guint64)((double)g_get_monotonic_time() * 3.579545);
	default:
		return G_MAXUINT32;
	}
}

/* FALSE: the guest has switched itself off. */
static gboolean write_port(Vmm *vmm, guint16 port, guint32 value)
{
	if (port == UART_DATA)
		putchar((char)value);
	else if (port == PM_ENABLE)
		vmm->pm_enable = (guint16)value;
	return port != PM_CONTROL || (value >> 10) != (8 | HB_ACPI_SLEEP_TYPE_S5);
}

static gboolean handle_pio(Vmm *vmm)
{
	const struct kvm_run *run = vmm->run;
	guint8 *data = (guint8 *)run + run->io.data_offset;
	gboolean is_write = run->io.direction == KVM_EXIT_IO_OUT;
	gboolean going_on = TRUE;

	for (guint i = 0; i < run->io.count; i++, data += run->io.size) {
		guint32 value = 0;

		if (hb_host_bridge_pio(vmm->bridge, run->io.port, data, run->io.size, is_write))
			continue;
		if (is_write) {
			memcpy(&value, data, run->io.size);
			going_on &= write_port(vmm, run->io.port, value);
		} else {
			value = read_port(vmm, run->io.port);
			memcpy(data, &value, run->io.size);
		}
	}
	return going_on;
}

/* FALSE: the guest has ended, or cannot go on. */
static gboolean handle_exit(Vmm *vmm)
{
	struct kvm_run *run = vmm->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return handle_pio(vmm);
	case KVM_EXIT_MMIO:
		if (!hb_host_bridge_mmio(vmm->bridge, run->mmio.phys_addr, run->mmio.data,
					 run->mmio.len, run->mmio.is_write))
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return TRUE;
	case KVM_EXIT_SHUTDOWN: /* a triple fault, which is how Linux restarts here */
		g_printerr("guest: has restarted\n");
		return FALSE;
	default: /* KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_FAIL_ENTRY and what nobody asked for */
		g_printerr("tiny-vmm: KVM cannot go on with the guest: exit %u\n",
			   run->exit_reason);
		vmm->status = EXIT_FAILURE;
		return FALSE;
	}
}

/* Any thread. */
static void end(Vmm *vmm)
{
	g_atomic_int_set(&vmm->ended, TRUE);
	g_main_context_wakeup(NULL);
}

/* KVM_RUN fails with EFAULT where a drive may have gone under the guest's access. */
static void *run_vcpu(void *data)
{
	Vmm *vmm = data;
	guint n_faults = 0;
	gboolean going_on = TRUE;

	while (going_on && !g_atomic_int_get(&vmm->ended)) {
		int failure = ioctl(vmm->vcpu_fd, KVM_RUN, 0) ? errno : 0;

		if (failure == 0) {
			n_faults = 0;
			going_on = handle_exit(vmm);
		} else if (failure == EFAULT && hb_host_bridge_revoke(vmm->bridge, &n_faults)) {
			continue;
		} else if (failure != EINTR && failure != EAGAIN) {
			g_printerr("tiny-vmm: KVM_RUN: %s\n", g_strerror(failure));
			vmm->status = EXIT_FAILURE;
			going_on = FALSE;
		}
	}
	end(vmm);
	return NULL;
}

static void on_kick(int number)
{
}

static void start_vcpu(Vmm *vmm)
{
	const struct sigaction kick = { .sa_handler = on_kick };

	sigaction(SIGUSR1, &kick, NULL);
	hb_port_set_running(vmm->port);
	errno = pthread_create(&vmm->vcpu, NULL, run_vcpu, vmm);
	need(vmm, errno == 0, "the vCPU's thread");
}

/* The signal ends KVM_RUN, and immediate_exit the one that is about to begin. */
static void stop_vcpu(Vmm *vmm)
{
	__atomic_store_n(&vmm->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vmm->vcpu, SIGUSR1);
	pthread_join(vmm->vcpu, NULL);
}

/* -- 10. A drive. -- */

/*
 * Opening takes seconds: a first drive has all of memory pinned, and any drive is reset. The loop
 * can wait for it here, where no other slot does; a machine with two has a thread for that.
 */
static void add_drive(Vmm *vmm, const char *where)
{
	g_autoptr(GError) error = NULL;
	HbPciAddress address;
	HbVfioDevice *device = NULL;

	if (hb_pci_address_parse(where, &address, &error))
		device = hb_vfio_device_open(vmm->vfio, &address, "drive", &error);
	if (device && hb_port_plug(vmm->port, hb_vfio_device_get_function(device), 0, &error))
		return; /* it is the slot's now */
	hb_vfio_device_close(device);
	g_printerr("add: %s\n", error->message);
}

static void obey(Vmm *vmm, const char *command)
{
	g_autoptr(GError) error = NULL;

	if (g_str_has_prefix(command, "add "))
		add_drive(vmm, command + strlen("add "));
	else if (strcmp(command, "pull") == 0)
		hb_port_pull(vmm->port, NULL);
	else if (strcmp(command, "quit") == 0)
		end(vmm);
	else if (strcmp(command, "remove") != 0)
		g_printerr("commands: add ADDRESS, remove, pull, quit\n");
	else if (!hb_port_request_removal(vmm->port, &error))
		g_printerr("remove: %s\n", error->message);
}

/* -- The loop, and the order of things. -- */

static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data)
{
	g_autofree char *line = NULL;
	gboolean is_line =
		g_io_channel_read_line(input, &line, NULL, NULL, NULL) == G_IO_STATUS_NORMAL;

	obey(data, is_line ? g_strchomp(line) : "quit");
	return is_line;
}

/* The bridge gives a drive back to the host before it is gone. All else goes with the process. */
static void finish(Vmm *vmm)
{
	hb_host_set_listener(hb_kvm_get_host(vmm->kvm), NULL, NULL);
	hb_host_bridge_destroy(vmm->bridge);
	hb_vfio_destroy(vmm->vfio);
	hb_kvm_destroy(vmm->kvm);
}

int main(int argc, char **argv)
{
	Vmm vmm = { .status = EXIT_SUCCESS };

	if (argc < 3 || argc > 4) {
		g_printerr("usage: %s KERNEL INITRD [COMMAND-LINE]\n", argv[0]);
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* the guest's console, line by line */
	g_autofree char *command_line = g_strconcat(CONSOLE, argv[3], NULL);
	create_vm(&vmm);
	create_slot(&vmm);
	write_tables(&vmm);
	load_linux(&vmm, argv[1], argv[2], command_line);
	create_vcpu(&vmm);
	start_vcpu(&vmm);
	g_io_add_watch(g_io_channel_unix_new(STDIN_FILENO), G_IO_IN | G_IO_HUP, on_input, &vmm);
	while (!g_atomic_int_get(&vmm.ended))
		g_main_context_iteration(NULL, TRUE);
	stop_vcpu(&vmm);
	finish(&vmm);
	return vmm.status;
}
