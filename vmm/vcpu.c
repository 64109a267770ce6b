/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One vCPU and its thread:
 *
 *            resume                    exit handled
 *   PAUSED ----------> in KVM_RUN <---------------------> handling an exit
 *      ^                   |                                    |
 *      +-------------------+------------------------------------+
 *                     pause requested
 *
 * A pause request must reach a thread that is in the guest, and one that is about to enter it: the
 * signal does the first, immediate_exit in the shared kvm_run the second. The thread clears
 * immediate_exit before it looks at the request for the last time, so none is lost.
 *
 * A drive that is pulled out of the host takes its memory along. A guest access to it ends KVM_RUN
 * with a bare EFAULT; when the mapping is withdrawn the same access, run again, is an MMIO exit.
 */

#include "vmm/vcpu.h"

#include "vmm/cpuid.h"
#include "vmm/vcpu-state.h"

#include <errno.h>
#include <hotbay/error.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct HbVcpu {
	const HbVcpuOps *ops;
	gpointer opaque;
	guint index;
	int fd;
	struct kvm_run *run;
	gsize run_size;
	HbVcpuState *initial;
	guint address_bits;
	guint n_faults; /* in a row, as @ops counts them; only the thread itself */
	GThread *thread;

	gint pause_requested; /* atomic */
	gint quit;	      /* atomic */

	GMutex lock;
	GCond changed;
	gboolean paused;       /* guarded by @lock */
	int thread_id;	       /* guarded by @lock; 0 until it has started */
	pthread_t thread_self; /* set with thread_id */
};

static gboolean fail(GError **error, const HbVcpu *vcpu, const char *request)
{
	int code = errno;

	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "vCPU %u: %s: %s: the host's KVM refused it",
		    vcpu->index, request, g_strerror(code));
	return FALSE;
}

/* -- The thread. -- */

static void end(HbVcpu *vcpu, HbVcpuEnd why, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void end(HbVcpu *vcpu, HbVcpuEnd why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *reason = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *message = g_strdup_printf("vCPU %u: %s", vcpu->index, reason);
	hb_vcpu_request_pause(vcpu);
	vcpu->ops->ended(vcpu->opaque, why, message);
}

static guint64 get_rip(HbVcpu *vcpu)
{
	struct kvm_regs regs = { 0 };

	return ioctl(vcpu->fd, KVM_GET_REGS, &regs) ? 0 : regs.rip;
}

static void handle_pio(HbVcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	guint8 *data = (guint8 *)run + run->io.data_offset;

	for (guint i = 0; i < run->io.count; i++)
		vcpu->ops->pio(vcpu->opaque, run->io.port, data + i * run->io.size, run->io.size,
			       run->io.direction == KVM_EXIT_IO_OUT);
}

static void handle_exit(HbVcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_pio(vcpu);
		break;
	case KVM_EXIT_MMIO:
		vcpu->ops->mmio(vcpu->opaque, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
				run->mmio.is_write);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SHUTDOWN:
		end(vcpu, HB_VCPU_END_TRIPLE_FAULT, "the guest has triple-faulted");
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		end(vcpu, HB_VCPU_END_TRIPLE_FAULT, "the guest has asked for a reset");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		end(vcpu, HB_VCPU_END_ERROR,
		    "the processor refuses to enter the guest: reason %#llx",
		    run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		end(vcpu, HB_VCPU_END_ERROR,
		    "KVM internal error %u at instruction %#" G_GINT64_MODIFIER "x",
		    run->internal.suberror, get_rip(vcpu));
		break;
	default:
		end(vcpu, HB_VCPU_END_ERROR,
		    "unexpected KVM exit %u at instruction %#" G_GINT64_MODIFIER "x",
		    run->exit_reason, get_rip(vcpu));
		break;
	}
}

static void handle_fault(HbVcpu *vcpu)
{
	if (vcpu->ops->revoke(vcpu->opaque, &vcpu->n_faults))
		return;
	end(vcpu, HB_VCPU_END_ERROR,
	    "the host cannot reach memory that the guest uses, at instruction %#" G_GINT64_MODIFIER
	    "x: no drive has gone, so look for memory errors in the host's log",
	    get_rip(vcpu));
}

static void run_guest(HbVcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
		vcpu->n_faults = 0;
		handle_exit(vcpu);
		return;
	}
	switch (errno) {
	case EINTR:
	case EAGAIN:
		break;
	case EFAULT:
		handle_fault(vcpu);
		break;
	default:
		end(vcpu, HB_VCPU_END_ERROR, "KVM_RUN: %s", g_strerror(errno));
		break;
	}
}

static void stay_paused(HbVcpu *vcpu)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vcpu->lock);

	vcpu->paused = TRUE;
	g_cond_broadcast(&vcpu->changed);
	while (g_atomic_int_get(&vcpu->pause_requested) && !g_atomic_int_get(&vcpu->quit))
		g_cond_wait(&vcpu->changed, &vcpu->lock);
	vcpu->paused = FALSE;
	vcpu->run->immediate_exit = 0;
}

static void on_kick(int number)
{
}

static gpointer vcpu_thread(gpointer data)
{
	HbVcpu *vcpu = data;

	g_mutex_lock(&vcpu->lock);
	vcpu->thread_id = gettid();
	vcpu->thread_self = pthread_self();
	g_mutex_unlock(&vcpu->lock);
	while (!g_atomic_int_get(&vcpu->quit)) {
		if (g_atomic_int_get(&vcpu->pause_requested))
			stay_paused(vcpu);
		else
			run_guest(vcpu);
	}
	return NULL;
}

/* -- Everybody else. -- */

static gboolean open_vcpu(HbVcpu *vcpu, const HbVm *vm, guint apic_id, struct kvm_cpuid2 *cpuid,
			  GError **error)
{
	int size = ioctl(hb_vm_get_kvm_fd(vm), KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->fd = ioctl(hb_vm_get_fd(vm), KVM_CREATE_VCPU, (unsigned long)apic_id);
	if (size <= 0 || vcpu->fd < 0)
		return fail(error, vcpu, "KVM_CREATE_VCPU");
	vcpu->run_size = (gsize)size;
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return fail(error, vcpu, "mmap");
	}
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		return fail(error, vcpu, "KVM_SET_CPUID2");
	vcpu->address_bits = hb_cpuid_get_address_bits(cpuid);
	if (!hb_vcpu_state_set_memory_types(vcpu->fd, vcpu->address_bits, error))
		return FALSE;
	vcpu->initial = hb_vcpu_state_save(vm, vcpu->fd, error);
	return vcpu->initial != NULL;
}

HbVcpu *hb_vcpu_create(const HbVm *vm, guint index, guint apic_id, struct kvm_cpuid2 *cpuid,
		       const HbVcpuOps *ops, gpointer opaque, GError **error)
{
	HbVcpu *vcpu = g_new0(HbVcpu, 1);
	struct sigaction kick = { .sa_handler = on_kick };
	char name[16];

	vcpu->ops = ops;
	vcpu->opaque = opaque;
	vcpu->index = index;
	vcpu->fd = -1;
	vcpu->pause_requested = TRUE;
	g_mutex_init(&vcpu->lock);
	g_cond_init(&vcpu->changed);
	if (!open_vcpu(vcpu, vm, apic_id, cpuid, error)) {
		hb_vcpu_destroy(vcpu);
		return NULL;
	}
	sigaction(SIGUSR1, &kick, NULL);
	g_snprintf(name, sizeof(name), "CPU %u/KVM", index);
	vcpu->thread = g_thread_new(name, vcpu_thread, vcpu);
	hb_vcpu_wait_paused(vcpu);
	return vcpu;
}

void hb_vcpu_destroy(HbVcpu *vcpu)
{
	if (vcpu == NULL)
		return;
	if (vcpu->thread) {
		g_atomic_int_set(&vcpu->quit, TRUE);
		hb_vcpu_request_pause(vcpu);
		g_mutex_lock(&vcpu->lock);
		g_cond_broadcast(&vcpu->changed);
		g_mutex_unlock(&vcpu->lock);
		g_thread_join(vcpu->thread);
	}
	hb_vcpu_state_free(vcpu->initial);
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	g_cond_clear(&vcpu->changed);
	g_mutex_clear(&vcpu->lock);
	g_free(vcpu);
}

int hb_vcpu_get_thread_id(HbVcpu *vcpu)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vcpu->lock);

	return vcpu->thread_id;
}

void hb_vcpu_request_pause(HbVcpu *vcpu)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vcpu->lock);

	g_atomic_int_set(&vcpu->pause_requested, TRUE);
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (vcpu->thread_id && !vcpu->paused)
		pthread_kill(vcpu->thread_self, SIGUSR1);
}

void hb_vcpu_wait_paused(HbVcpu *vcpu)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vcpu->lock);

	while (!vcpu->paused)
		g_cond_wait(&vcpu->changed, &vcpu->lock);
}

void hb_vcpu_resume(HbVcpu *vcpu)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&vcpu->lock);

	g_atomic_int_set(&vcpu->pause_requested, FALSE);
	g_cond_broadcast(&vcpu->changed);
}

/* An access that user space has answered is completed by the next KVM_RUN: before new registers. */
static void complete_access(HbVcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	ioctl(vcpu->fd, KVM_RUN, 0);
}

gboolean hb_vcpu_reset(HbVcpu *vcpu, GError **error)
{
	complete_access(vcpu);
	/* KVM does not list MTRRs among what is to be saved. */
	if (hb_vcpu_state_restore(vcpu->initial, vcpu->fd, error) &&
	    hb_vcpu_state_set_memory_types(vcpu->fd, vcpu->address_bits, error))
		return TRUE;
	g_prefix_error(error, "vCPU %u: ", vcpu->index);
	return FALSE;
}

gboolean hb_vcpu_get_sregs(HbVcpu *vcpu, struct kvm_sregs *sregs, GError **error)
{
	return ioctl(vcpu->fd, KVM_GET_SREGS, sregs) == 0 || fail(error, vcpu, "KVM_GET_SREGS");
}

gboolean hb_vcpu_set_registers(HbVcpu *vcpu, const struct kvm_regs *regs,
			       const struct kvm_sregs *sregs, GError **error)
{
	if (ioctl(vcpu->fd, KVM_SET_SREGS, sregs))
		return fail(error, vcpu, "KVM_SET_SREGS");
	return ioctl(vcpu->fd, KVM_SET_REGS, regs) == 0 || fail(error, vcpu, "KVM_SET_REGS");
}
