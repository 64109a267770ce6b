/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The KVM host against the real KVM: a VM with one vCPU and one page of guest code.
 *
 * Memory is looked at by the guest: a few bytes of real-mode code that read a byte and write it to
 * a port. Interrupts are looked at in the vCPU's local APIC: a delivered message sets its vector's
 * bit in the Interrupt Request Register, whether or not the guest runs. Skipped where /dev/kvm
 * cannot be used.
 */

#include "hw/host.h"
#include "hw/irq-remap.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/kvm.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE		  0x1000
#define CODE_GPA	  0x1000
#define DEVICE_GPA	  0x8000
#define CODE_SLOT	  0
#define FIRST_MEMORY_SLOT 8
#define PORT		  0x10
#define N_FIXED_GSIS	  24

/* Local APIC registers, Intel SDM volume 3A §10.4.1. */
#define APIC_SPIV	 0xf0
#define APIC_SPIV_ENABLE 0x100
#define APIC_IRR	 0x200
#define APIC_BASE	 0xfee00000

#define VECTOR_A 0x41
#define VECTOR_B 0x72

/* mov al, [DEVICE_GPA]; out PORT, al; jmp to the start */
static const guint8 guest_code[] = { 0xa0, 0x00, 0x80, 0xe6, PORT, 0xeb, 0xf9 };

static const HbMsiMessage message_a = { APIC_BASE, VECTOR_A };
static const HbMsiMessage message_b = { APIC_BASE, VECTOR_B };

static int kvm_fd, vm_fd, vcpu_fd;
static struct kvm_run *run;
static gsize run_size;
static guint8 *code, *device;
static HbKvm *kvm;
static HbHost *host;

static const HbKvmConfig config = { .first_memory_slot = FIRST_MEMORY_SLOT,
				    .pci_gsi = { 16, 17, 18, 19 } };

static void set_memory(guint slot, guint64 gpa, guint64 size, gpointer hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (guintptr)hva,
	};

	ck_assert_int_eq(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region), 0);
}

static guint8 *allocate_page(void)
{
	guint8 *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	return page;
}

static void start_at_code(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE_GPA, .rflags = 2 };

	ck_assert_int_eq(ioctl(vcpu_fd, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_SREGS, &sregs), 0);
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_REGS, &regs), 0);
}

static guint32 read_apic(guint offset)
{
	struct kvm_lapic_state state;
	guint32 value;

	ck_assert_int_eq(ioctl(vcpu_fd, KVM_GET_LAPIC, &state), 0);
	memcpy(&value, state.regs + offset, sizeof(value));
	return value;
}

/* A local APIC takes no messages until it is enabled. */
static void enable_apic(void)
{
	struct kvm_lapic_state state;
	guint32 spiv;

	ck_assert_int_eq(ioctl(vcpu_fd, KVM_GET_LAPIC, &state), 0);
	memcpy(&spiv, state.regs + APIC_SPIV, sizeof(spiv));
	spiv |= APIC_SPIV_ENABLE;
	memcpy(state.regs + APIC_SPIV, &spiv, sizeof(spiv));
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_LAPIC, &state), 0);
}

static void setup(void)
{
	kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0UL);
	ck_assert_int_ge(vm_fd, 0);
	ck_assert_int_eq(ioctl(vm_fd, KVM_CREATE_IRQCHIP), 0);
	vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0UL);
	ck_assert_int_ge(vcpu_fd, 0);
	run_size = (gsize)ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0UL);
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
	ck_assert_ptr_ne(run, MAP_FAILED);
	code = allocate_page();
	device = allocate_page();
	memcpy(code, guest_code, sizeof(guest_code));
	set_memory(CODE_SLOT, CODE_GPA, PAGE, code);
	start_at_code();
	enable_apic();
	kvm = hb_kvm_create(vm_fd, &config, NULL, NULL);
	ck_assert_ptr_nonnull(kvm);
	host = hb_kvm_get_host(kvm);
}

static void teardown(void)
{
	hb_kvm_destroy(kvm);
	munmap(run, run_size);
	munmap(code, PAGE);
	munmap(device, PAGE);
	close(vcpu_fd);
	close(vm_fd);
	close(kvm_fd);
}

static const HbHostOps *ops(void)
{
	return hb_host_get_ops(host);
}

static void run_guest(void)
{
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_RUN, 0UL), 0);
}

/* One round of the guest's loop: the byte it saw. */
static guint8 run_to_port(void)
{
	run_guest();
	ck_assert_uint_eq(run->exit_reason, KVM_EXIT_IO);
	ck_assert_uint_eq(run->io.port, PORT);
	return *((guint8 *)run + run->io.data_offset);
}

static gboolean is_requested(guint vector)
{
	return read_apic(APIC_IRR + vector / 32 * 0x10) >> vector % 32 & 1;
}

/* irqfds are delivered from a kernel worker: soon, but not at once. */
static gboolean becomes_requested(guint vector)
{
	for (guint i = 0; i < 500 && !is_requested(vector); i++)
		g_usleep(2000);
	return is_requested(vector);
}

/* The vCPU's APIC as before any interrupt. */
static void clear_requests(void)
{
	struct kvm_lapic_state state;

	ck_assert_int_eq(ioctl(vcpu_fd, KVM_GET_LAPIC, &state), 0);
	memset(state.regs + APIC_IRR, 0, 0x80);
	ck_assert_int_eq(ioctl(vcpu_fd, KVM_SET_LAPIC, &state), 0);
}

static void interrupt(HbIrqSource *source, guint vector)
{
	guint64 one = 1;

	ck_assert_int_eq(write(hb_irq_source_get_eventfd(source, vector), &one, sizeof(one)),
			 sizeof(one));
}

static void set_and_commit(HbIrqSource *source, guint vector, const HbMsiMessage *message)
{
	hb_irq_source_set(source, vector, message);
	hb_irq_source_commit(source);
}

/* Creation. */

START_TEST(a_descriptor_that_is_no_vm_is_refused_with_the_capability)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kvm_create(STDIN_FILENO, &config, NULL, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "KVM_CAP_"));
}
END_TEST

START_TEST(a_vm_without_interrupt_controllers_is_refused)
{
	int bare_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0UL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kvm_create(bare_fd, &config, NULL, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "KVM_CREATE_IRQCHIP"));
	close(bare_fd);
}
END_TEST

/* Its local APICs are in the kernel, its other interrupt controllers are not: no pin to route to.
 */
START_TEST(a_vm_with_a_split_irqchip_is_served_without_the_usual_pins)
{
	const HbKvmConfig without_pins = { .no_pins = TRUE };
	g_autoptr(GError) error = NULL;
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { N_FIXED_GSIS } };
	int split_fd = ioctl(kvm_fd, KVM_CREATE_VM, 0UL);

	ck_assert_int_eq(ioctl(split_fd, KVM_ENABLE_CAP, &split), 0);
	ck_assert_ptr_null(hb_kvm_create(split_fd, &config, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "no_pins"));
	HbKvm *served = hb_kvm_create(split_fd, &without_pins, NULL, NULL);

	ck_assert_ptr_nonnull(served);
	hb_kvm_destroy(served);
	close(split_fd);
}
END_TEST

/* Memory. */

START_TEST(mapped_memory_is_what_the_guest_reads)
{
	guint slot;

	device[0] = 0x5a;
	ck_assert(ops()->map(host, DEVICE_GPA, PAGE, device, &slot, NULL));

	ck_assert_uint_eq(run_to_port(), 0x5a);
	device[0] = 0xa5;
	ck_assert_uint_eq(run_to_port(), 0xa5);
}
END_TEST

START_TEST(unmapped_memory_traps)
{
	guint slot;

	ck_assert(ops()->map(host, DEVICE_GPA, PAGE, device, &slot, NULL));
	run_to_port();
	ops()->unmap(host, slot);
	run_guest();

	ck_assert_uint_eq(run->exit_reason, KVM_EXIT_MMIO);
	ck_assert_uint_eq(run->mmio.phys_addr, DEVICE_GPA);
	ck_assert(!run->mmio.is_write);
	run->mmio.data[0] = 0xff;
	ck_assert_uint_eq(run_to_port(), 0xff);
}
END_TEST

START_TEST(memory_slots_begin_at_the_embedders_number_and_are_used_again)
{
	guint first, second, third;

	ck_assert(ops()->map(host, 0x10000, PAGE, device, &first, NULL));
	ck_assert(ops()->map(host, 0x20000, PAGE, device, &second, NULL));
	ops()->unmap(host, first);
	ck_assert(ops()->map(host, 0x30000, PAGE, device, &third, NULL));

	ck_assert_uint_eq(first, FIRST_MEMORY_SLOT);
	ck_assert_uint_eq(second, FIRST_MEMORY_SLOT + 1);
	ck_assert_uint_eq(third, FIRST_MEMORY_SLOT);
}
END_TEST

START_TEST(overlapping_memory_is_refused_and_takes_no_slot)
{
	guint slot;
	g_autoptr(GError) error = NULL;

	ck_assert(!ops()->map(host, CODE_GPA, PAGE, device, &slot, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "KVM_SET_USER_MEMORY_REGION"));
	ck_assert(ops()->map(host, DEVICE_GPA, PAGE, device, &slot, NULL));
	ck_assert_uint_eq(slot, FIRST_MEMORY_SLOT);
}
END_TEST

START_TEST(memory_slots_are_limited_by_kvm)
{
	int most = ioctl(vm_fd, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_NR_MEMSLOTS);
	const HbKvmConfig narrow_config = { .first_memory_slot = (guint)most - 1 };
	HbKvm *narrow = hb_kvm_create(vm_fd, &narrow_config, NULL, NULL);
	HbHost *narrow_host = hb_kvm_get_host(narrow);
	guint slot;
	g_autoptr(GError) error = NULL;

	ck_assert(ops()->map(narrow_host, 0x10000, PAGE, device, &slot, NULL));
	ck_assert(!ops()->map(narrow_host, 0x20000, PAGE, device, &slot, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	hb_kvm_destroy(narrow);
}
END_TEST

/* Interrupts. */

START_TEST(a_message_by_hand_reaches_the_vcpu)
{
	ck_assert(!is_requested(VECTOR_A));
	ck_assert(ops()->signal_msi(host, &message_a, NULL));

	ck_assert(becomes_requested(VECTOR_A));
	ck_assert(!is_requested(VECTOR_B));
}
END_TEST

START_TEST(routes_begin_after_the_interrupt_controllers_pins)
{
	guint first, second;

	ck_assert(ops()->route_add(host, &first, NULL));
	ck_assert(ops()->route_add(host, &second, NULL));
	ops()->route_remove(host, first);
	ck_assert(ops()->route_add(host, &first, NULL));

	ck_assert_uint_eq(first, N_FIXED_GSIS);
	ck_assert_uint_eq(second, N_FIXED_GSIS + 1);
}
END_TEST

START_TEST(routes_are_limited_by_kvm_and_a_full_table_is_accepted)
{
	int most = ioctl(vm_fd, KVM_CHECK_EXTENSION, (unsigned long)KVM_CAP_IRQ_ROUTING);
	guint route, n = 0;
	g_autoptr(GError) error = NULL;

	while (ops()->route_add(host, &route, &error)) {
		ops()->route_set(host, route, &message_a);
		n++;
	}

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_uint_eq(n, (guint)most - 24 - 16);
	ck_assert(ops()->routes_commit(host, NULL));
}
END_TEST

START_TEST(pins_of_the_interrupt_controllers_stay_routed)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };
	struct kvm_irq_level level = { .irq = 4, .level = 1 };
	guint route;

	ck_assert(ops()->route_add(host, &route, NULL));
	ops()->route_set(host, route, &message_a);
	ck_assert(ops()->routes_commit(host, NULL));
	ck_assert_int_eq(ioctl(vm_fd, KVM_IRQ_LINE, &level), 0);

	ck_assert_int_eq(ioctl(vm_fd, KVM_GET_IRQCHIP, &chip), 0);
	ck_assert_uint_eq(chip.chip.pic.irr & 1 << 4, 1 << 4);
	chip.chip_id = KVM_IRQCHIP_IOAPIC;
	ck_assert_int_eq(ioctl(vm_fd, KVM_GET_IRQCHIP, &chip), 0);
	ck_assert_uint_eq(chip.chip.ioapic.irr & 1 << 4, 1 << 4);
}
END_TEST

static gboolean is_asserted(guint pin)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	ck_assert_int_eq(ioctl(vm_fd, KVM_GET_IRQCHIP, &chip), 0);
	return chip.chip.ioapic.irr >> pin & 1;
}

START_TEST(a_devices_pin_asserts_its_line_until_it_is_disconnected)
{
	int trigger = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int resample = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	ck_assert(ops()->pin_connect(host, 1, trigger, resample, NULL));
	ck_assert(!is_asserted(17));
	ck_assert_int_eq(eventfd_write(trigger, 1), 0);
	for (guint i = 0; i < 500 && !is_asserted(17); i++)
		g_usleep(2000);
	ck_assert(is_asserted(17));
	ops()->pin_disconnect(host, 1, trigger, resample);

	ck_assert(!is_asserted(17));
	close(trigger);
	close(resample);
}
END_TEST

START_TEST(a_vm_without_lines_for_pins_says_so)
{
	const HbKvmConfig without = { .first_memory_slot = FIRST_MEMORY_SLOT };
	HbKvm *other = hb_kvm_create(vm_fd, &without, NULL, NULL);

	ck_assert(!hb_host_get_ops(hb_kvm_get_host(other))->pin_connect);
	hb_kvm_destroy(other);
}
END_TEST

/* The remapping table on KVM. */

static HbIrqRemap *remap;
static HbIrqSource *source;

static void setup_source(void)
{
	setup();
	remap = hb_irq_remap_create(host, 16);
	source = hb_irq_source_open(remap, "bay0", 2, NULL);
}

static void teardown_source(void)
{
	hb_irq_source_close(source);
	hb_irq_remap_destroy(remap);
	teardown();
}

START_TEST(an_interrupt_reaches_the_vcpu_by_its_route)
{
	set_and_commit(source, 0, &message_a);
	set_and_commit(source, 1, &message_b);
	interrupt(source, 1);

	ck_assert(becomes_requested(VECTOR_B));
	ck_assert(!is_requested(VECTOR_A));
}
END_TEST

START_TEST(a_changed_message_is_the_one_delivered)
{
	set_and_commit(source, 0, &message_a);
	set_and_commit(source, 0, &message_b);
	interrupt(source, 0);

	ck_assert(becomes_requested(VECTOR_B));
	ck_assert(!is_requested(VECTOR_A));
}
END_TEST

START_TEST(a_masked_interrupt_waits_and_comes_with_the_unmask)
{
	set_and_commit(source, 0, &message_a);
	set_and_commit(source, 0, NULL);
	interrupt(source, 0);
	g_usleep(20000);
	ck_assert(!is_requested(VECTOR_A));
	ck_assert(hb_irq_source_is_pending(source, 0));
	set_and_commit(source, 0, &message_a);

	ck_assert(becomes_requested(VECTOR_A));
}
END_TEST

START_TEST(a_delivered_interrupt_is_not_delivered_again_by_masking)
{
	interrupt(source, 0);
	set_and_commit(source, 0, &message_a);
	ck_assert(becomes_requested(VECTOR_A));
	clear_requests();
	set_and_commit(source, 0, NULL);
	ck_assert(!hb_irq_source_is_pending(source, 0));
	set_and_commit(source, 0, &message_a);
	g_usleep(20000);

	ck_assert(!is_requested(VECTOR_A));
}
END_TEST

START_TEST(a_severed_interrupt_is_not_delivered)
{
	set_and_commit(source, 0, &message_a);
	hb_irq_source_sever(source);
	interrupt(source, 0);
	g_usleep(20000);

	ck_assert(!is_requested(VECTOR_A));
}
END_TEST

START_TEST(severing_one_source_leaves_the_other_alone)
{
	HbIrqSource *other = hb_irq_source_open(remap, "bay1", 1, NULL);

	set_and_commit(source, 0, &message_a);
	set_and_commit(other, 0, &message_b);
	hb_irq_source_sever(source);
	interrupt(source, 0);
	interrupt(other, 0);

	ck_assert(becomes_requested(VECTOR_B));
	ck_assert(!is_requested(VECTOR_A));
	hb_irq_source_close(other);
}
END_TEST

/* The embedder's own route and irqfd. */
static int connect_own(guint gsi, const HbMsiMessage *message)
{
	const struct kvm_irq_routing_entry own = {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = (guint32)message->address, .data = message->data },
	};
	struct kvm_irqfd irqfd = { .fd = (guint32)eventfd(0, EFD_CLOEXEC), .gsi = gsi };

	ck_assert(hb_kvm_set_routes(kvm, &own, 1, NULL));
	ck_assert_int_eq(ioctl(vm_fd, KVM_IRQFD, &irqfd), 0);
	return (int)irqfd.fd;
}

static void assert_own_works(int eventfd)
{
	const guint64 one = 1;

	clear_requests();
	ck_assert_int_eq(write(eventfd, &one, sizeof(one)), sizeof(one));
	ck_assert(becomes_requested(VECTOR_B));
	ck_assert(!is_requested(VECTOR_A));
}

START_TEST(the_embedders_route_works_while_the_librarys_come_and_go)
{
	int own = connect_own(5, &message_b);

	assert_own_works(own);
	set_and_commit(source, 0, &message_a);
	assert_own_works(own);
	interrupt(source, 0);
	ck_assert(becomes_requested(VECTOR_A));
	hb_irq_source_sever(source);
	assert_own_works(own);
	close(own);
}
END_TEST

START_TEST(the_librarys_route_works_while_the_embedders_change)
{
	set_and_commit(source, 0, &message_a);
	ck_assert(hb_kvm_set_routes(kvm, NULL, 0, NULL));
	interrupt(source, 0);

	ck_assert(becomes_requested(VECTOR_A));
}
END_TEST

static void add_memory_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_descriptor_that_is_no_vm_is_refused_with_the_capability);
	tcase_add_test(tcase, a_vm_without_interrupt_controllers_is_refused);
	tcase_add_test(tcase, a_vm_with_a_split_irqchip_is_served_without_the_usual_pins);
	tcase_add_test(tcase, mapped_memory_is_what_the_guest_reads);
	tcase_add_test(tcase, unmapped_memory_traps);
	tcase_add_test(tcase, memory_slots_begin_at_the_embedders_number_and_are_used_again);
	tcase_add_test(tcase, overlapping_memory_is_refused_and_takes_no_slot);
	tcase_add_test(tcase, memory_slots_are_limited_by_kvm);
	tcase_add_test(tcase, a_message_by_hand_reaches_the_vcpu);
	tcase_add_test(tcase, routes_begin_after_the_interrupt_controllers_pins);
	tcase_add_test(tcase, routes_are_limited_by_kvm_and_a_full_table_is_accepted);
	tcase_add_test(tcase, pins_of_the_interrupt_controllers_stay_routed);
	tcase_add_test(tcase, a_devices_pin_asserts_its_line_until_it_is_disconnected);
	tcase_add_test(tcase, a_vm_without_lines_for_pins_says_so);
}

static void add_source_tests(TCase *tcase)
{
	tcase_add_test(tcase, an_interrupt_reaches_the_vcpu_by_its_route);
	tcase_add_test(tcase, a_changed_message_is_the_one_delivered);
	tcase_add_test(tcase, a_masked_interrupt_waits_and_comes_with_the_unmask);
	tcase_add_test(tcase, a_delivered_interrupt_is_not_delivered_again_by_masking);
	tcase_add_test(tcase, a_severed_interrupt_is_not_delivered);
	tcase_add_test(tcase, severing_one_source_leaves_the_other_alone);
	tcase_add_test(tcase, the_embedders_route_works_while_the_librarys_come_and_go);
	tcase_add_test(tcase, the_librarys_route_works_while_the_embedders_change);
}

/* Why there is no usable KVM here; NULL if there is one. */
static char *find_obstacle(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return g_strdup_printf("/dev/kvm: %s", g_strerror(errno));

	int test_vm = ioctl(fd, KVM_CREATE_VM, 0UL);
	char *obstacle = test_vm < 0
				 ? g_strdup_printf("/dev/kvm: KVM_CREATE_VM: %s", g_strerror(errno))
				 : NULL;

	if (test_vm >= 0)
		close(test_vm);
	close(fd);
	return obstacle;
}

Suite *test_suite(void)
{
	g_autofree char *obstacle = find_obstacle();

	if (obstacle)
		return test_skip(obstacle);

	Suite *suite = suite_create("kvm");
	TCase *plain = tcase_create("memory and routes");
	TCase *sources = tcase_create("sources");

	tcase_add_checked_fixture(plain, setup, teardown);
	tcase_add_checked_fixture(sources, setup_source, teardown_source);
	add_memory_tests(plain);
	add_source_tests(sources);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, sources);
	return suite;
}
