/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * No interrupt is lost and none is doubled, against the real KVM: a vCPU masks and unmasks the
 * vectors of its device, changes a message, and counts what it gets; meanwhile a thread for each
 * vector signals it, and again as soon as the last one was counted.
 *
 *	source   | signal      | signal            | signal
 *	vCPU     mask  unmask  mask     unmask     mask ...
 *	count          1          2                     3
 *
 * Signals of one vector may merge, as in hardware, so each waits for the one before it, and a
 * little longer, now and then much longer: then every signal is one count, and a count too many is
 * not made up for by a merger. The storm alternates with calm, in which the vectors get their
 * routes, so that what is forwarded, what is routed and the change between both are all in it.
 *
 * The guest is 32-bit code in one 64 KiB of memory. Skipped where /dev/kvm cannot be used.
 */

#include "hw/host-bridge.h"
#include "hw/irq-remap.h"
#include "hw/msix.h"
#include "tests/unit/suite.h"

#include <hotbay/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_VECTORS     2
#define STORM_MS      6000
#define TURN_MS	      250 /* of storm, and of calm: longer than routes take to be made */
#define LOST_MS	      20000
#define LATE_US	      300  /* in which a second count for one signal would come */
#define VERY_LATE_US  5000 /* on a busy machine; waited for each LATE_TURNS signals */
#define LATE_TURNS    16
#define MEMORY_SIZE   0x10000
#define GDT	      0x0500
#define IDT	      0x1000
#define CODE	      0x2000
#define HANDLERS      0x2800
#define HANDLER_SIZE  32
#define SHARED	      0x3000
#define STACK	      0x8000
#define TABLE	      0xd0000000
#define DONE_PORT     0x10
#define CODE_SELECTOR 8
#define DATA_SELECTOR 16

#define APIC_BASE	 0xfee00000
#define APIC_EOI	 0xb0
#define APIC_SPIV	 0xf0
#define APIC_SPIV_ENABLE 0x100

/* Vector 0 has one of two messages, vector 1 always the same. */
#define INTERRUPT_0 0x40
#define INTERRUPT_1 0x50

enum { CALM, STORM, END };

/* At SHARED in the guest's memory. */
typedef struct Shared {
	guint32 phase;
	guint32 counts[N_VECTORS]; /* interrupts of each vector that the guest has had */
	guint32 turns;		   /* of its storm */
} Shared;

/*
 *	start:	cmp dword [phase], STORM;  jb start;  ja done
 *		mov dword [table + 0x0c], 1
 *		xor ecx, 1;  mov [table + 0x08], ecx
 *		mov dword [table + 0x0c], 0
 *		mov dword [table + 0x1c], 1
 *		mov dword [table + 0x1c], 0
 *		inc dword [turns];  jmp start
 *	done:	out DONE_PORT, al;  jmp done
 */
static const guint8 guest_code[] = {
	0x83, 0x3d,	 0x00, 0x30, 0x00, 0x00, STORM,			  /* 00 */
	0x72, 0xf7,							  /* 07 */
	0x77, 0x39,							  /* 09 */
	0xc7, 0x05,	 0x0c, 0x00, 0x00, 0xd0, 0x01,	0x00, 0x00, 0x00, /* 0b */
	0x83, 0xf1,	 0x01,						  /* 15 */
	0x89, 0x0d,	 0x08, 0x00, 0x00, 0xd0,			  /* 18 */
	0xc7, 0x05,	 0x0c, 0x00, 0x00, 0xd0, 0x00,	0x00, 0x00, 0x00, /* 1e */
	0xc7, 0x05,	 0x1c, 0x00, 0x00, 0xd0, 0x01,	0x00, 0x00, 0x00, /* 28 */
	0xc7, 0x05,	 0x1c, 0x00, 0x00, 0xd0, 0x00,	0x00, 0x00, 0x00, /* 32 */
	0xff, 0x05,	 0x0c, 0x30, 0x00, 0x00,			  /* 3c */
	0xeb, 0xbc,							  /* 42 */
	0xe6, DONE_PORT,						  /* 44 */
	0xeb, 0xfc,							  /* 46 */
};

/* inc dword [counts + 4 * vector];  mov dword [APIC_BASE + APIC_EOI], 0;  iret */
static const guint8 handler_code[] = {
	0xff, 0x05, 0x04, 0x30, 0x00, 0x00, 0xc7, 0x05, 0xb0,
	0x00, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x00, 0xcf,
};

_Static_assert(G_STRUCT_OFFSET(Shared, counts) == 4 && G_STRUCT_OFFSET(Shared, turns) == 12,
	       "the guest's code has these offsets in it");
_Static_assert(sizeof(handler_code) <= HANDLER_SIZE, "one handler behind the other");

static int kvm_fd, vm_fd, vcpu_fd;
static struct kvm_run *run;
static gsize run_size;
static guint8 *memory;
static volatile Shared *shared;
static GMainContext *context;
static HbKvm *kvm;
static HbHostBridge *bridge;
static HbIrqRemap *remap;
static HbIrqSource *source;
static HbConfigSpace config_space;
static HbMsix *msix;
static gint loop_stops;
static gint sources_stop;
static gint n_signals[N_VECTORS];
static gint n_pending; /* interrupts that were found behind a mask when it was lifted */
static gint lost;      /* a vector's signal was not counted in LOST_MS */
static gint doubled;   /* a vector was counted more often than it was signalled */

/* ---- the device ---- */

static void vector_changed(gpointer opaque, guint vector, const HbMsiMessage *message)
{
	if (message && hb_irq_source_is_pending(source, vector))
		n_pending++;
	hb_irq_source_set(source, vector, message);
}

static void changed(gpointer opaque, gboolean enabled)
{
	hb_irq_source_commit(source);
}

static gboolean is_pending(gpointer opaque, guint vector)
{
	return hb_irq_source_is_pending(source, vector);
}

static const HbMsixOps msix_ops = {
	.vector_changed = vector_changed,
	.changed = changed,
	.is_pending = is_pending,
};

static void write_entry(guint vector, guint32 data)
{
	guint64 entry = (guint64)vector * PCI_MSIX_ENTRY_SIZE;

	hb_msix_table_write(msix, entry + PCI_MSIX_ENTRY_LOWER_ADDR, 4, APIC_BASE);
	hb_msix_table_write(msix, entry + PCI_MSIX_ENTRY_DATA, 4, data);
	hb_msix_table_write(msix, entry + PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0);
}

/* ---- the guest ---- */

static void write_descriptor(guint at, guint32 low, guint32 high)
{
	memcpy(memory + at, &low, sizeof(low));
	memcpy(memory + at + 4, &high, sizeof(high));
}

static void add_handler(guint interrupt, guint vector, guint index)
{
	guint32 at = HANDLERS + index * HANDLER_SIZE;

	memcpy(memory + at, handler_code, sizeof(handler_code));
	memory[at + 2] = (guint8)(memory[at + 2] + 4 * vector);
	write_descriptor(IDT + 8 * interrupt, CODE_SELECTOR << 16 | at, 0x8e00); /* 32-bit gate */
}

static void write_memory(void)
{
	write_descriptor(GDT + CODE_SELECTOR, 0x0000ffff, 0x00cf9b00);
	write_descriptor(GDT + DATA_SELECTOR, 0x0000ffff, 0x00cf9300);
	memcpy(memory + CODE, guest_code, sizeof(guest_code));
	add_handler(INTERRUPT_0, 0, 0);
	add_handler(INTERRUPT_0 + 1, 0, 1);
	add_handler(INTERRUPT_1, 1, 2);
}

static void set_segments(struct kvm_sregs *sregs)
{
	const struct kvm_segment flat = { .limit = 0xffffffff,
					  .selector = DATA_SELECTOR,
					  .type = 3,
					  .present = 1,
					  .db = 1,
					  .s = 1,
					  .g = 1 };

	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = sregs->cs = flat;
	sregs->cs.selector = CODE_SELECTOR;
	sregs->cs.type = 11;
	sregs->gdt = (struct kvm_dtable){ .base = GDT, .limit = 0x17 };
	sregs->idt = (struct kvm_dtable){ .base = IDT, .limit = 0x7ff };
	sregs->cr0 |= 1; /* protected mode */
}

static void start_vcpu(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE, .rsp = STACK, .rflags = 0x202, .rcx = INTERRUPT_0 };
	struct kvm_lapic_state apic;
	guint32 spiv;

	ck_assert_int_eq(ioctl(vcpu_fd, KVM_GET_SREGS, &sregs), 0);
	set_segments(&sregs);
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_SREGS, &sregs), 0);
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_REGS, &regs), 0);
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_GET_LAPIC, &apic), 0);
	memcpy(&spiv, apic.regs + APIC_SPIV, sizeof(spiv));
	spiv |= APIC_SPIV_ENABLE;
	memcpy(apic.regs + APIC_SPIV, &spiv, sizeof(spiv));
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_LAPIC, &apic), 0);
}

static void create_vm(void)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_SIZE };

	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0UL);
	ck_assert_int_ge(vm_fd, 0);
	ck_assert_int_eq(ioctl(vm_fd, KVM_CREATE_IRQCHIP), 0);
	vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0UL);
	ck_assert_int_ge(vcpu_fd, 0);
	run_size = (gsize)ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0UL);
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(run != MAP_FAILED && memory != MAP_FAILED);
	shared = (volatile Shared *)(memory + SHARED);
	write_memory();
	region.userspace_addr = (guintptr)memory;
	ck_assert_int_eq(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region), 0);
	start_vcpu();
}

static void setup(void)
{
	const HbKvmConfig kvm_config = { .first_memory_slot = 1 };
	const HbHostBridgeConfig windows = { .ecam = { 0xb0000000, 0x1000000 } };

	create_vm();
	context = g_main_context_new();
	kvm = hb_kvm_create(vm_fd, &kvm_config, context, NULL);
	ck_assert_ptr_nonnull(kvm);
	bridge = hb_host_bridge_create(hb_kvm_get_host(kvm), &windows, NULL);
	remap = hb_irq_remap_create(hb_kvm_get_host(kvm), N_VECTORS);
	source = hb_irq_source_open(remap, "storm", N_VECTORS, NULL);
	hb_irq_source_attach(source, bridge);
	hb_config_space_init(&config_space);
	msix = hb_msix_create(&config_space, 0x40, N_VECTORS, &msix_ops, NULL);
	hb_config_space_set_u16(&config_space, 0x40 + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE);
	hb_msix_control_written(msix);
	write_entry(0, INTERRUPT_0);
	write_entry(1, INTERRUPT_1);
}

static void teardown(void)
{
	hb_irq_source_close(source);
	hb_msix_destroy(msix);
	hb_irq_remap_destroy(remap);
	hb_host_bridge_destroy(bridge);
	hb_kvm_destroy(kvm);
	g_main_context_unref(context);
	munmap(run, run_size);
	munmap(memory, MEMORY_SIZE);
	close(vcpu_fd);
	close(vm_fd);
	close(kvm_fd);
}

/* ---- the threads ---- */

static gpointer run_vcpu(gpointer data)
{
	for (;;) {
		if (ioctl(vcpu_fd, KVM_RUN, 0UL) < 0 && errno != EINTR)
			return GINT_TO_POINTER(errno);
		if (run->exit_reason == KVM_EXIT_IO)
			return NULL;
		if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write)
			return GINT_TO_POINTER((gint)run->exit_reason + 1000);
		guint32 value;

		memcpy(&value, run->mmio.data, sizeof(value));
		hb_host_bridge_lock(bridge);
		hb_msix_table_write(msix, run->mmio.phys_addr - TABLE, 4, value);
		hb_host_bridge_unlock(bridge);
	}
}

static gpointer run_loop(gpointer data)
{
	while (!g_atomic_int_get(&loop_stops))
		g_main_context_iteration(context, TRUE);
	return NULL;
}

static gboolean is_counted(guint vector)
{
	gint64 end = g_get_monotonic_time() + 1000 * (gint64)LOST_MS;

	while (shared->counts[vector] < (guint)n_signals[vector]) {
		if (g_get_monotonic_time() > end)
			return FALSE;
		g_usleep(20);
	}
	return TRUE;
}

static gboolean is_over(void)
{
	return g_atomic_int_get(&sources_stop) || g_atomic_int_get(&lost) ||
	       g_atomic_int_get(&doubled);
}

static gpointer run_source(gpointer data)
{
	guint vector = GPOINTER_TO_UINT(data);

	while (!is_over()) {
		n_signals[vector]++;
		eventfd_write(hb_irq_source_get_eventfd(source, vector), 1);
		if (!is_counted(vector))
			g_atomic_int_inc(&lost);
		g_usleep(n_signals[vector] % LATE_TURNS ? LATE_US : VERY_LATE_US);
		if (shared->counts[vector] > (guint)n_signals[vector])
			g_atomic_int_inc(&doubled);
	}
	return NULL;
}

/* Ends in a calm, in which the guest counts what is on its way. */
static void run_storm(void)
{
	for (guint turn = 0; turn < STORM_MS / TURN_MS; turn++) {
		shared->phase = turn % 2 ? CALM : STORM;
		g_usleep(1000 * TURN_MS);
	}
	shared->phase = CALM;
}

static void assert_all_were_counted(void)
{
	HbIrqRemapCounts counts;

	hb_irq_remap_get_counts(remap, &counts);
	printf("# %d and %d signals, counted %u and %u times; %u turns of masks, %d found pending; "
	       "%u commits, %u connections\n",
	       n_signals[0], n_signals[1], shared->counts[0], shared->counts[1], shared->turns,
	       n_pending, counts.commits, counts.connections);
	fflush(stdout);
	for (guint i = 0; i < N_VECTORS; i++) {
		ck_assert_uint_eq(shared->counts[i], (guint)n_signals[i]);
		ck_assert_int_ge(n_signals[i], 100);
	}
	/* It was a storm, and both ways of delivery were in it. */
	ck_assert_uint_ge(shared->turns, 100);
	ck_assert_int_ge(n_pending, 1);
	ck_assert_uint_ge(counts.connections, 2 * N_VECTORS);
}

START_TEST(no_interrupt_is_lost_or_doubled_while_masks_change)
{
	GThread *loop = g_thread_new("loop", run_loop, NULL);
	GThread *vcpu = g_thread_new("vcpu", run_vcpu, NULL);
	GThread *sources[N_VECTORS];

	for (guint i = 0; i < N_VECTORS; i++)
		sources[i] = g_thread_new("source", run_source, GUINT_TO_POINTER(i));
	run_storm();
	g_atomic_int_set(&sources_stop, 1);
	for (guint i = 0; i < N_VECTORS; i++)
		g_thread_join(sources[i]);
	g_usleep(1000 * TURN_MS); /* for one that is too many */
	shared->phase = END;
	gpointer trouble = g_thread_join(vcpu);
	g_atomic_int_set(&loop_stops, 1);
	g_main_context_wakeup(context);
	g_thread_join(loop);

	ck_assert_ptr_null(trouble);
	ck_assert_int_eq(lost, 0);
	ck_assert_int_eq(doubled, 0);
	assert_all_were_counted();
}
END_TEST

/* Why there is no usable KVM here; NULL if there is one. */
static char *find_obstacle(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int test_vm = fd < 0 ? -1 : ioctl(fd, KVM_CREATE_VM, 0UL);
	char *obstacle = test_vm < 0 ? g_strdup_printf("/dev/kvm: %s", g_strerror(errno)) : NULL;

	if (test_vm >= 0)
		close(test_vm);
	if (fd >= 0)
		close(fd);
	return obstacle;
}

Suite *test_suite(void)
{
	g_autofree char *obstacle = find_obstacle();

	if (obstacle)
		return test_skip(obstacle);

	Suite *suite = suite_create("irq-storm");
	TCase *tcase = tcase_create("storm");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, no_interrupt_is_lost_or_doubled_while_masks_change);
	suite_add_tcase(suite, tcase);
	return suite;
}
