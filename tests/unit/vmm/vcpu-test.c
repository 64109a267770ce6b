/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A vCPU running a few bytes of 32-bit code: its exits, pausing, resetting, and memory that is
 * gone. Needs /dev/kvm, and is skipped where there is none. kvm-pvm, KVM without processor support,
 * emulates privileged code, so faults in it take other ways: the tests of them need a KVM that runs
 * it.
 */

#include "tests/unit/suite.h"
#include "vmm/vcpu.h"

#include <hotbay/error.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM_SIZE  0x10000
#define CODE	  0x1000
#define DEVICE	  0x20000 /* no RAM there; one memory slot in the tests of faults */
#define WAIT_USEC (10 * G_USEC_PER_SEC)

static HbVm *vm;
static HbVcpu *vcpu;
static guint8 *ram;
static gpointer device;

/* What the vCPU's thread saw. */
static GMutex lock;
static GCond changed;
static GString *seen;
static guint n_ended;
static HbVcpuEnd last_end;
static guint n_revokes;
static gboolean revoke_works;

static void note(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void note(const char *format, ...)
{
	va_list arguments;

	g_mutex_lock(&lock);
	va_start(arguments, format);
	g_string_append_vprintf(seen, format, arguments);
	va_end(arguments);
	g_cond_broadcast(&changed);
	g_mutex_unlock(&lock);
}

static void on_pio(gpointer opaque, guint16 port, gpointer data, guint size, gboolean is_write)
{
	if (is_write)
		note("out %x %02x;", port, *(guint8 *)data);
	else
		memset(data, 0x42, size);
}

static void on_mmio(gpointer opaque, guint64 gpa, gpointer data, guint size, gboolean is_write)
{
	if (!is_write)
		memset(data, 0xff, size);
	note("%s %x %u;", is_write ? "write" : "read", (guint)gpa, size);
}

static gboolean on_revoke(gpointer opaque, guint *n_faults)
{
	struct kvm_userspace_memory_region none = { .slot = 1, .guest_phys_addr = DEVICE };

	n_revokes++;
	if (!revoke_works)
		return ++*n_faults < 3;
	return ioctl(hb_vm_get_fd(vm), KVM_SET_USER_MEMORY_REGION, &none) == 0;
}

static void on_ended(gpointer opaque, HbVcpuEnd end, const char *message)
{
	g_mutex_lock(&lock);
	n_ended++;
	last_end = end;
	g_cond_broadcast(&changed);
	g_mutex_unlock(&lock);
	note("ended: %s;", message);
}

static const HbVcpuOps ops = { on_pio, on_mmio, on_revoke, on_ended };

static struct kvm_segment flat(guint8 type)
{
	return (struct kvm_segment){
		.limit = G_MAXUINT32,
		.selector = type == 11 ? 8 : 16,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

/* 32-bit protected mode without paging: some hosts emulate 16-bit code, faults and all. */
static void enter(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rip = CODE, .rsp = 0x8000, .rflags = 2 };

	ck_assert(hb_vcpu_get_sregs(vcpu, &sregs, NULL));
	sregs.cs = flat(11);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(3);
	sregs.cr0 |= 1;
	ck_assert(hb_vcpu_set_registers(vcpu, &regs, &sregs, NULL));
}

static void set_up(void)
{
	g_autofree struct kvm_cpuid2 *cpuid = NULL;

	seen = g_string_new(NULL);
	n_ended = n_revokes = 0;
	revoke_works = FALSE;
	vm = hb_vm_create(1, NULL);
	ck_assert_ptr_nonnull(vm);
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(hb_vm_add_memory(vm, 0, 0, RAM_SIZE, ram, NULL));
	cpuid = hb_vm_get_cpuid(vm, NULL);
	vcpu = hb_vcpu_create(vm, 0, 0, cpuid, &ops, NULL, NULL);
	ck_assert_ptr_nonnull(vcpu);
}

static void tear_down(void)
{
	hb_vcpu_destroy(vcpu);
	hb_vm_destroy(vm);
	munmap(ram, RAM_SIZE);
	if (device)
		munmap(device, 0x1000);
	device = NULL;
	g_string_free(seen, TRUE);
}

static void load(const guint8 *code, gsize size)
{
	memcpy(ram + CODE, code, size);
	enter();
}

/* Whether @part was seen in time. */
static gboolean wait_for(const char *part)
{
	gint64 deadline = g_get_monotonic_time() + WAIT_USEC;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);

	while (strstr(seen->str, part) == NULL) {
		if (!g_cond_wait_until(&changed, &lock, deadline))
			return FALSE;
	}
	return TRUE;
}

static guint count(const char *part)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&lock);
	guint n = 0;

	for (const char *at = seen->str; (at = strstr(at, part)) != NULL; at++)
		n++;
	return n;
}

/* mov al, 0x5a; out 0x80, al; in al, 0x81; out 0x82, al; jmp $ */
static const guint8 port_code[] = { 0xb0, 0x5a, 0xe6, 0x80, 0xe4, 0x81, 0xe6, 0x82, 0xeb, 0xfe };

/* again: mov al, 1; out 0x80, al; jmp again */
static const guint8 busy_code[] = { 0xb0, 0x01, 0xe6, 0x80, 0xeb, 0xfa };

/* mov al, [0x20010]; out 0x80, al; jmp $ */
static const guint8 memory_code[] = { 0xa0, 0x10, 0x00, 0x02, 0x00, 0xe6, 0x80, 0xeb, 0xfe };

/* lidt [0x2000], which says a limit of zero; int3: nobody can handle it */
static const guint8 fault_code[] = { 0x0f, 0x01, 0x1d, 0x00, 0x20, 0x00, 0x00, 0xcc };

START_TEST(test_port_accesses_reach_the_machine)
{
	load(port_code, sizeof(port_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("out 80 5a;out 82 42;"));
}
END_TEST

START_TEST(test_memory_that_is_not_there_reaches_the_machine)
{
	load(memory_code, sizeof(memory_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("read 20010 1;out 80 ff;"));
}
END_TEST

START_TEST(test_it_starts_paused)
{
	load(busy_code, sizeof(busy_code));
	hb_vcpu_wait_paused(vcpu);
	ck_assert_uint_eq(count("out"), 0);
}
END_TEST

START_TEST(test_a_busy_guest_pauses_and_goes_on)
{
	load(busy_code, sizeof(busy_code));
	hb_vcpu_resume(vcpu);
	for (guint i = 0; i < 100; i++) {
		ck_assert(wait_for("out 80 01;"));
		hb_vcpu_request_pause(vcpu);
		hb_vcpu_wait_paused(vcpu);
		g_mutex_lock(&lock);
		g_string_truncate(seen, 0);
		g_mutex_unlock(&lock);
		hb_vcpu_resume(vcpu);
	}
	ck_assert(wait_for("out 80 01;"));
}
END_TEST

START_TEST(test_while_paused_nothing_happens)
{
	load(busy_code, sizeof(busy_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("out 80 01;"));
	hb_vcpu_request_pause(vcpu);
	hb_vcpu_wait_paused(vcpu);
	guint before = count("out");
	g_usleep(20000);
	ck_assert_uint_eq(count("out"), before);
}
END_TEST

/* jmp $ never exits by itself */
START_TEST(test_a_guest_that_never_exits_pauses_too)
{
	static const guint8 code[] = { 0xe6, 0x80, 0xeb, 0xfe };

	load(code, sizeof(code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("out 80"));
	hb_vcpu_request_pause(vcpu);
	hb_vcpu_wait_paused(vcpu);
	ck_assert_uint_eq(n_ended, 0);
}
END_TEST

START_TEST(test_a_triple_fault_ends_it_as_one)
{
	load(fault_code, sizeof(fault_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("ended: vCPU 0: the guest has triple-faulted"));
	ck_assert_int_eq(last_end, HB_VCPU_END_TRIPLE_FAULT);
	hb_vcpu_wait_paused(vcpu);
}
END_TEST

START_TEST(test_reset_makes_it_as_new)
{
	struct kvm_sregs before, after;

	ck_assert(hb_vcpu_get_sregs(vcpu, &before, NULL));
	load(memory_code, sizeof(memory_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("out 80"));
	hb_vcpu_request_pause(vcpu);
	hb_vcpu_wait_paused(vcpu);
	ck_assert(hb_vcpu_reset(vcpu, NULL));
	ck_assert(hb_vcpu_get_sregs(vcpu, &after, NULL));
	ck_assert_mem_eq(&before.cs, &after.cs, sizeof(before.cs));
	ck_assert_mem_eq(&before.ds, &after.ds, sizeof(before.ds));
	ck_assert_uint_eq(before.cr0, after.cr0);
}
END_TEST

START_TEST(test_it_runs_again_after_a_triple_fault_and_a_reset)
{
	load(fault_code, sizeof(fault_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("ended"));
	hb_vcpu_wait_paused(vcpu);
	ck_assert(hb_vcpu_reset(vcpu, NULL));
	load(port_code, sizeof(port_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("out 80 5a;"));
}
END_TEST

/* A memory slot whose memory nobody may touch, as a pulled drive's is. */
static void add_dead_memory(void)
{
	device = mmap(NULL, 0x1000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(hb_vm_add_memory(vm, 1, DEVICE, 0x1000, device, NULL));
}

START_TEST(test_a_withdrawn_mapping_turns_a_fault_into_an_exit)
{
	add_dead_memory();
	revoke_works = TRUE;
	load(memory_code, sizeof(memory_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("read 20010 1;out 80 ff;"));
	ck_assert_uint_eq(n_revokes, 1);
	ck_assert_uint_eq(n_ended, 0);
}
END_TEST

START_TEST(test_a_fault_that_nobody_can_mend_ends_it_with_an_error)
{
	add_dead_memory();
	load(memory_code, sizeof(memory_code));
	hb_vcpu_resume(vcpu);
	ck_assert(wait_for("ended: vCPU 0: the host cannot reach memory"));
	ck_assert_int_eq(last_end, HB_VCPU_END_ERROR);
	ck_assert_uint_eq(n_revokes, 3);
	hb_vcpu_wait_paused(vcpu);
}
END_TEST

START_TEST(test_its_thread_is_known)
{
	ck_assert_int_gt(hb_vcpu_get_thread_id(vcpu), 0);
	ck_assert_int_ne(hb_vcpu_get_thread_id(vcpu), getpid());
}
END_TEST

static gboolean runs_privileged_code(void)
{
	return !g_file_test("/sys/module/kvm_pvm", G_FILE_TEST_EXISTS);
}

static void add_fault_tests(Suite *suite)
{
	TCase *tests = tcase_create("faults");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_a_triple_fault_ends_it_as_one);
	tcase_add_test(tests, test_it_runs_again_after_a_triple_fault_and_a_reset);
	tcase_add_test(tests, test_a_withdrawn_mapping_turns_a_fault_into_an_exit);
	tcase_add_test(tests, test_a_fault_that_nobody_can_mend_ends_it_with_an_error);
	suite_add_tcase(suite, tests);
}

Suite *test_suite(void)
{
	g_autoptr(GError) error = NULL;
	HbVm *probe = hb_vm_create(1, &error);

	if (probe == NULL)
		return test_skip(error->message);
	hb_vm_destroy(probe);

	Suite *suite = suite_create("vcpu");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_port_accesses_reach_the_machine);
	tcase_add_test(tests, test_memory_that_is_not_there_reaches_the_machine);
	tcase_add_test(tests, test_it_starts_paused);
	tcase_add_test(tests, test_a_busy_guest_pauses_and_goes_on);
	tcase_add_test(tests, test_while_paused_nothing_happens);
	tcase_add_test(tests, test_a_guest_that_never_exits_pauses_too);
	tcase_add_test(tests, test_reset_makes_it_as_new);
	tcase_add_test(tests, test_its_thread_is_known);
	suite_add_tcase(suite, tests);
	if (runs_privileged_code())
		add_fault_tests(suite);
	return suite;
}
