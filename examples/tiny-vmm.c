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
 * On its standard input it is told:
 *
 *	add 0000:01:00.0	open that drive and plug it into the slot
 *	remove			ask the guest to let it go
 *	pull			take it away without asking
 *	press			press the guest's power button
 *	quit			likewise at the end of input
 *
 * Three threads: main() is "the loop" of the library's headers, run_vcpu() the guest's processor,
 * and open_drive() is there for as long as opening a drive takes.
 *
 * What is not here: reset, a second vCPU, input, RAM above 4 GiB. The directory vmm/ has them.
 */

#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <hotbay/hotbay.h>
#include <linux/kvm.h>
#include <poll.h>
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

/* The guest's memory. Page tables map the first GiB, so RAM is at most that. */
#define RAM_SIZE     (512 * MIB)
#define GDT	     0x500
#define ZERO_PAGE    0x7000
#define PML4	     0x9000
#define PDPT	     0xa000
#define DIRECTORY    0xb000
#define COMMAND_LINE 0x20000
#define MAX_COMMAND  2048
#define LOW_RAM_END  0x9fc00
#define TABLES	     0xe0000 /* to 1 MiB: ACPI's */
#define IOAPIC	     0xfec00000
#define LAPIC	     0xfee00000
#define KVM_TSS	     0xfeffd000UL /* three pages that KVM needs on Intel */

/* Its I/O ports. */
#define UART_DATA   0x3f8
#define UART_STATUS 0x3fd
#define PM_BASE	    0x600 /* as HbAcpiMachine wants them: event block, control, timer */
#define PM_CONTROL  (PM_BASE + 4)
#define PM_TIMER    (PM_BASE + 8)
#define PM_SCI	    9
#define PM_BUTTON   0x100 /* in PM1 status and enable */

/* Its interrupts: of the IOAPIC's pins, and one of our own. The library's come after these. */
#define BUTTON_GSI 24
#define FIRST_GSI  25

#define CONSOLE	 "earlycon=uart8250,io,0x3f8 keep_bootcon"
#define MAX_LINE 1024

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
	GMutex pm_lock;	  /* of both, and held while the interrupt follows them */
	guint pm_status;  /* PM1 status */
	guint pm_enable;  /* PM1 enable */
	GString *console; /* the vCPU thread's: a line that is not complete */

	HbLoop *loop;
	HbKvm *kvm;
	HbHostBridge *bridge;
	HbPort *port;
	HbVfio *vfio;
	GThread *opener;      /* the loop's; NULL: no drive is being opened */
	HbPciAddress address; /* of which drive; the opener's while there is one */
	gint quit;	      /* atomic */
	int status;	      /* the process's; the vCPU thread's for as long as there is one */
	GError *error;	      /* of the call that need() is asking about */
} Vmm;

/* Before the guest starts: whatever fails is the end. */
static void need(Vmm *vmm, gboolean done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "tiny-vmm: %s: %s\n", what,
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

		switch (entry->function) {
		case 0x1:
			entry->ebx &= 0x00ffffff;
			entry->ecx |= 1U << 31; /* there is a hypervisor */
			entry->ecx |= 1U << 24; /* TSC deadline timer */
			break;
		case 0xb:
		case 0x1f:
		case 0x80000026:
			entry->edx = 0;
			break;
		case 0x8000001e:
			entry->eax = 0;
			break;
		}
	}
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_CPUID2, cpuid) == 0, "KVM_SET_CPUID2");
}

/* As firmware would have it: all memory is write-back but where page tables say else. */
static void set_memory_type(Vmm *vmm)
{
	g_autofree struct kvm_msrs *msrs = g_malloc0(sizeof(*msrs) + sizeof(msrs->entries[0]));

	msrs->nmsrs = 1;
	msrs->entries[0].index = 0x2ff; /* MTRRdefType */
	msrs->entries[0].data = 0x806;	/* MTRRs on, write-back */
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_MSRS, msrs) == 1, "KVM_SET_MSRS");
}

static void write_page_tables(Vmm *vmm)
{
	guint64 *pml4 = (guint64 *)(vmm->ram + PML4);
	guint64 *pdpt = (guint64 *)(vmm->ram + PDPT);
	guint64 *directory = (guint64 *)(vmm->ram + DIRECTORY);

	pml4[0] = PDPT | 0x3; /* present, writable */
	pdpt[0] = DIRECTORY | 0x3;
	for (guint64 i = 0; i < 512; i++)
		directory[i] = (i * 2 * MIB) | 0x83; /* and 2 MiB large */
}

/* The 64-bit entry of Documentation/arch/x86/boot.rst: long mode, flat segments. */
static void set_registers(Vmm *vmm, guint64 entry)
{
	static const guint64 gdt[] = { 0, 0, 0x00af9b000000ffffULL, 0x00cf93000000ffffULL };
	struct kvm_segment data = { .limit = G_MAXUINT32, .selector = 0x18, .type = 3 };
	struct kvm_regs regs = { .rip = entry, .rsi = ZERO_PAGE, .rsp = PML4 - 16, .rflags = 2 };
	struct kvm_sregs sregs;

	data.present = data.db = data.s = data.g = 1;
	memcpy(vmm->ram + GDT, gdt, sizeof(gdt));
	write_page_tables(vmm);
	need(vmm, ioctl(vmm->vcpu_fd, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.cs = data;
	sregs.cs.selector = 0x10;
	sregs.cs.type = 11;
	sregs.cs.db = 0;
	sregs.cs.l = 1;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = sizeof(gdt) - 1;
	sregs.cr3 = PML4;
	sregs.cr4 = 1U << 5;			 /* PAE */
	sregs.cr0 = (1U << 31) | (1U << 4) | 1U; /* PG, ET, PE */
	sregs.efer = (1U << 10) | (1U << 8);	 /* LMA, LME */
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
	need(vmm, ioctl(vmm->vcpu_fd, KVM_SET_REGS, &regs) == 0, "KVM_SET_REGS");
}

static void create_vcpu(Vmm *vmm, guint64 entry)
{
	int size = ioctl(vmm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	vmm->vcpu_fd = ioctl(vmm->vm_fd, KVM_CREATE_VCPU, 0);
	need(vmm, size > 0 && vmm->vcpu_fd >= 0, "KVM_CREATE_VCPU");
	vmm->run = mmap(NULL, (gsize)size, PROT_READ | PROT_WRITE, MAP_SHARED, vmm->vcpu_fd, 0);
	need(vmm, vmm->run != MAP_FAILED, "the vCPU's shared page");
	set_cpuid(vmm);
	set_memory_type(vmm);
	set_registers(vmm, entry);
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

static void load_initrd(Vmm *vmm, struct setup_header *header, const char *path, guint64 kernel_end)
{
	g_autofree char *file = NULL;
	gsize size;

	need(vmm, g_file_get_contents(path, &file, &size, &vmm->error), "the initrd");
	errno = EFBIG;
	need(vmm, size < RAM_SIZE, path);
	header->ramdisk_image = (guint32)((RAM_SIZE - size) & ~0xfffULL);
	need(vmm, header->ramdisk_image >= kernel_end, path);
	header->ramdisk_size = (guint32)size;
	memcpy(vmm->ram + header->ramdisk_image, file, size);
}

/* Returns where the kernel is entered. */
static guint64 load_linux(Vmm *vmm, const char *kernel, const char *initrd,
			  const char *command_line)
{
	struct boot_params *params = (struct boot_params *)(vmm->ram + ZERO_PAGE);
	struct setup_header *header = &params->hdr;
	g_autofree char *file = NULL;
	gsize size;

	need(vmm, g_file_get_contents(kernel, &file, &size, &vmm->error), "the kernel");
	errno = ENOEXEC;
	need(vmm, size > sizeof(*params), kernel);
	memcpy(header, file + offsetof(struct boot_params, hdr), sizeof(*header));
	gsize setup = (header->setup_sects + 1U) * 512;
	guint64 end = header->pref_address + MAX(header->init_size, size);
	need(vmm,
	     header->header == 0x53726448 && header->xloadflags & XLF_KERNEL_64 && setup < size,
	     kernel);
	errno = EFBIG;
	need(vmm, strlen(command_line) < MAX_COMMAND, "the command line");
	need(vmm, header->pref_address >= MIB && header->pref_address < RAM_SIZE && end < RAM_SIZE,
	     kernel);
	memcpy(vmm->ram + header->pref_address, file + setup, size - setup);
	load_initrd(vmm, header, initrd, end);
	g_strlcpy((char *)vmm->ram + COMMAND_LINE, command_line, MAX_COMMAND);
	header->cmd_line_ptr = COMMAND_LINE;
	header->type_of_loader = 0xff;
	params->acpi_rsdp_addr = TABLES;
	write_memory_map(params);
	return header->pref_address + 0x200;
}

/* -- Slots. -- */

/* On the loop, after the fact. */
static void on_event(const HbEvent *event, gpointer data)
{
	if (event->type == HB_EVENT_INDICATORS)
		printf("slot: power indicator %s\n", hb_indicator_to_str(event->power_indicator));
	else
		printf("slot: %s, reason %s\n", hb_event_type_to_str(event->type),
		       hb_slot_reason_to_str(event->reason));
}

/*
 * KVM has one table of routes for everybody: ours go into it by the library. The button has one of
 * its own, to the pin that the IOAPIC has for ACPI. Memory slot 0 is RAM.
 */
static void create_host(Vmm *vmm)
{
	struct kvm_irq_routing_entry routes[FIRST_GSI] = { 0 };
	const HbKvmConfig numbers = {
		.first_memory_slot = 1,
		.first_gsi = FIRST_GSI,
		.routes = routes,
		.n_routes = G_N_ELEMENTS(routes),
	};

	for (guint gsi = 0; gsi < G_N_ELEMENTS(routes); gsi++) {
		routes[gsi].gsi = gsi;
		routes[gsi].type = KVM_IRQ_ROUTING_IRQCHIP;
		routes[gsi].u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		routes[gsi].u.irqchip.pin = gsi == BUTTON_GSI ? PM_SCI : gsi;
	}
	vmm->kvm = hb_kvm_create(vmm->vm_fd, &numbers, hb_loop_get_context(vmm->loop), &vmm->error);
	need(vmm, vmm->kvm != NULL, "KVM");
}

static void create_slot(Vmm *vmm)
{
	HbPortConfig config;
	HbRam ram = { .gpa = 0, .size = RAM_SIZE, .hva = vmm->ram };

	/* 1. A loop. Ours is poll(), in main(). */
	vmm->loop = hb_loop_create(&vmm->error);
	need(vmm, vmm->loop != NULL, "loop");
	/* 2. A host. */
	create_host(vmm);
	hb_host_set_listener(hb_kvm_get_host(vmm->kvm), on_event, vmm);
	/* 3. Memory, for the drives' DMA. */
	need(vmm, hb_host_add_ram(hb_kvm_get_host(vmm->kvm), &ram, &vmm->error), "RAM");
	/* 4. A bridge. */
	vmm->bridge = hb_host_bridge_create(hb_kvm_get_host(vmm->kvm), &windows, &vmm->error);
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
	vmm->vfio = hb_vfio_create(hb_kvm_get_host(vmm->kvm), 0);
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

/* Whole lines, so that the guest's do not mix with ours; but no line without end. */
static void print_console(Vmm *vmm, char byte)
{
	if (byte == '\r')
		return;
	g_string_append_c(vmm->console, byte);
	if (byte != '\n' && vmm->console->len < MAX_LINE)
		return;
	fwrite(vmm->console->str, 1, vmm->console->len, stdout);
	g_string_truncate(vmm->console, 0);
}

/*
 * ACPI's interrupt is a level: high for as long as an event is set that the guest has enabled. So
 * it is a line to set, and no irqfd, which is a pulse. Locked.
 */
static void update_sci(Vmm *vmm)
{
	struct kvm_irq_level line = {
		.irq = BUTTON_GSI,
		.level = (vmm->pm_status & vmm->pm_enable) != 0,
	};

	if (ioctl(vmm->vm_fd, KVM_IRQ_LINE, &line))
		fprintf(stderr, "tiny-vmm: KVM_IRQ_LINE: %s\n", g_strerror(errno));
}

static guint32 read_event(Vmm *vmm, const guint *what)
{
	g_mutex_lock(&vmm->pm_lock);
	guint32 value = *what;
	g_mutex_unlock(&vmm->pm_lock);
	return value;
}

static void clear_status(Vmm *vmm, guint32 value)
{
	g_mutex_lock(&vmm->pm_lock);
	vmm->pm_status &= ~value;
	update_sci(vmm);
	g_mutex_unlock(&vmm->pm_lock);
}

static void set_enable(Vmm *vmm, guint32 value)
{
	g_mutex_lock(&vmm->pm_lock);
	vmm->pm_enable = value;
	update_sci(vmm);
	g_mutex_unlock(&vmm->pm_lock);
}

/* A UART that is always ready to send, and what ACPI cannot be without. */
static guint32 read_port(Vmm *vmm, guint16 port)
{
	switch (port) {
	case UART_STATUS:
		return 0x60; /* nothing left to send */
	case PM_BASE:
		return read_event(vmm, &vmm->pm_status);
	case PM_BASE + 2:
		return read_event(vmm, &vmm->pm_enable);
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
		print_console(vmm, (char)value);
	else if (port == PM_BASE) /* write 1 to clear */
		clear_status(vmm, value);
	else if (port == PM_BASE + 2)
		set_enable(vmm, value);
	return port != PM_CONTROL || (value >> 10) != (8 | HB_ACPI_SLEEP_TYPE_S5);
}

static gboolean handle_pio(Vmm *vmm)
{
	const struct kvm_run *run = vmm->run;
	guint8 *data = (guint8 *)run + run->io.data_offset;
	gboolean is_write = run->io.direction == KVM_EXIT_IO_OUT;
	gboolean going_on = TRUE;

	for (guint i = 0; i < run->io.count; i++, data += run->io.size) {
		guint32 value = G_MAXUINT32;

		if (hb_host_bridge_pio(vmm->bridge, run->io.port, data, run->io.size, is_write))
			continue;
		if (is_write) {
			value = 0;
			memcpy(&value, data, run->io.size);
			going_on &= write_port(vmm, run->io.port, value);
		} else {
			value = read_port(vmm, run->io.port);
			memcpy(data, &value, run->io.size);
		}
	}
	return going_on;
}

/*
 * EFAULT: a drive may have gone under the guest's access. If revoke() finds nothing the loop may
 * have been there first, but not many times in a row.
 */
static gboolean handle_failure(Vmm *vmm, guint *n_faults)
{
	if (errno == EINTR || errno == EAGAIN)
		return TRUE;
	if (errno == EFAULT && (hb_host_bridge_revoke(vmm->bridge) || ++*n_faults < 16))
		return TRUE;
	fprintf(stderr, "tiny-vmm: KVM_RUN: %s\n", g_strerror(errno));
	vmm->status = EXIT_FAILURE;
	return FALSE;
}

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
	case KVM_EXIT_INTR:
		return TRUE;
	case KVM_EXIT_SHUTDOWN: /* a triple fault, which is how Linux restarts here */
		printf("guest: has restarted\n");
		return FALSE;
	default: /* KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_FAIL_ENTRY and what nobody asked for */
		fprintf(stderr, "tiny-vmm: KVM cannot go on with the guest: exit %u\n",
			run->exit_reason);
		vmm->status = EXIT_FAILURE;
		return FALSE;
	}
}

/* Any thread: has the loop call @func. */
static void post(Vmm *vmm, GSourceFunc func)
{
	GSource *source = g_idle_source_new();

	g_source_set_callback(source, func, vmm, NULL);
	g_source_attach(source, hb_loop_get_context(vmm->loop));
	g_source_unref(source);
}

static gboolean quit(gpointer data)
{
	Vmm *vmm = data;

	g_atomic_int_set(&vmm->quit, TRUE);
	return G_SOURCE_REMOVE;
}

static void *run_vcpu(void *data)
{
	Vmm *vmm = data;
	guint n_faults = 0;
	gboolean going_on = TRUE;

	while (going_on && !g_atomic_int_get(&vmm->quit)) {
		if (ioctl(vmm->vcpu_fd, KVM_RUN, 0)) {
			going_on = handle_failure(vmm, &n_faults);
		} else {
			n_faults = 0;
			going_on = handle_exit(vmm);
		}
	}
	post(vmm, quit);
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
	quit(vmm);
	__atomic_store_n(&vmm->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vmm->vcpu, SIGUSR1);
	pthread_join(vmm->vcpu, NULL);
}

/* -- 10. A drive. -- */

/* On the loop, when the opener is done. Giving a drive back blocks: a machine with more to do than
 * this one has a thread for that too. */
static gboolean plug_drive(gpointer data)
{
	Vmm *vmm = data;
	g_autoptr(GError) error = NULL;
	HbVfioDevice *device = g_thread_join(g_steal_pointer(&vmm->opener));

	if (device == NULL)
		return G_SOURCE_REMOVE;
	if (!hb_port_plug(vmm->port, hb_vfio_device_get_function(device), 0, &error)) {
		printf("add: %s\n", error->message);
		hb_vfio_device_close(device);
	}
	return G_SOURCE_REMOVE;
}

/* A thread of its own: a first drive has all of memory pinned, and any drive is reset. */
static gpointer open_drive(gpointer data)
{
	Vmm *vmm = data;
	g_autoptr(GError) error = NULL;
	HbVfioDevice *device = hb_vfio_device_open(vmm->vfio, &vmm->address, "drive", &error);

	if (device == NULL)
		printf("add: %s\n", error->message);
	post(vmm, plug_drive);
	return device;
}

static void add_drive(Vmm *vmm, const char *address)
{
	g_autoptr(GError) error = NULL;

	if (vmm->opener)
		printf("add: a drive is being opened: wait for it\n");
	else if (!hb_pci_address_parse(address, &vmm->address, &error))
		printf("add: %s\n", error->message);
	else
		vmm->opener = g_thread_new("open", open_drive, vmm);
}

static void press_button(Vmm *vmm)
{
	g_mutex_lock(&vmm->pm_lock);
	vmm->pm_status |= PM_BUTTON;
	update_sci(vmm);
	g_mutex_unlock(&vmm->pm_lock);
}

static void obey(Vmm *vmm, const char *command)
{
	g_autoptr(GError) error = NULL;

	if (g_str_has_prefix(command, "add "))
		add_drive(vmm, command + strlen("add "));
	else if (strcmp(command, "pull") == 0)
		hb_port_pull(vmm->port, NULL);
	else if (strcmp(command, "press") == 0)
		press_button(vmm);
	else if (strcmp(command, "quit") == 0)
		quit(vmm);
	else if (strcmp(command, "remove") != 0)
		printf("commands: add ADDRESS, remove, pull, press, quit\n");
	else if (!hb_port_request_removal(vmm->port, &error))
		printf("remove: %s\n", error->message);
}

/* -- The loop, and the order of things. -- */

static void read_command(Vmm *vmm)
{
	char line[128];

	if (fgets(line, sizeof(line), stdin))
		obey(vmm, g_strchomp(line));
	else
		quit(vmm);
}

/* Until somebody says quit; but an opener is waited for. */
static void run_loop(Vmm *vmm)
{
	while (!g_atomic_int_get(&vmm->quit) || vmm->opener) {
		struct pollfd watched[] = {
			{ .fd = hb_loop_get_fd(vmm->loop), .events = POLLIN },
			{ .fd = g_atomic_int_get(&vmm->quit) ? -1 : STDIN_FILENO,
			  .events = POLLIN },
		};

		if (poll(watched, G_N_ELEMENTS(watched), -1) < 0)
			continue;
		if (watched[0].revents)
			hb_loop_dispatch(vmm->loop);
		if (watched[1].revents)
			read_command(vmm);
	}
}

/* The bridge gives a drive back to the host before it is gone. All else goes with the process. */
static void finish(Vmm *vmm)
{
	hb_host_bridge_destroy(vmm->bridge);
	hb_vfio_destroy(vmm->vfio);
	hb_kvm_destroy(vmm->kvm);
	hb_loop_destroy(vmm->loop);
}

int main(int argc, char **argv)
{
	Vmm vmm = { .console = g_string_new(NULL), .status = EXIT_SUCCESS };

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: %s KERNEL INITRD [COMMAND-LINE]\n", argv[0]);
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0); /* what poll() sees is then all that there is */
	g_autofree char *command_line = g_strconcat(CONSOLE " ", argv[3], NULL);
	create_vm(&vmm);
	create_slot(&vmm);
	write_tables(&vmm);
	create_vcpu(&vmm, load_linux(&vmm, argv[1], argv[2], command_line));
	start_vcpu(&vmm);
	run_loop(&vmm);
	stop_vcpu(&vmm);
	finish(&vmm);
	return vmm.status;
}
