/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * /dev/kvm and one VM of it. Interrupt controllers (two PICs, an IOAPIC, local APICs) and the PIT
 * live in the kernel; their state is read once, as the kernel made it, and written back at reset.
 */

#include "vmm/vm.h"

#include "vmm/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <hotbay/error.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define N_CHIPS	      3 /* KVM_IRQCHIP_PIC_MASTER, _PIC_SLAVE, _IOAPIC */
#define MAX_CPUID     256
#define IDENTITY_PAGE HB_LAYOUT_IDENTITY

struct HbVm {
	int kvm_fd;
	int vm_fd;
	struct kvm_irqchip chips[N_CHIPS]; /* as they were made */
	struct kvm_pit_state2 pit;
};

static const struct {
	int number;
	const char *name;
} needed[] = {
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_PIT2, "KVM_CAP_PIT2" },
	{ KVM_CAP_PIT_STATE2, "KVM_CAP_PIT_STATE2" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
	{ KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR" },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR" },
	{ KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
};

static gboolean fail(GError **error, const char *request)
{
	int code = errno;

	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: %s: the host's KVM refused it", request,
		    g_strerror(code));
	return FALSE;
}

static gboolean open_kvm(HbVm *vm, GError **error)
{
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm_fd < 0) {
		int code = errno;

		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "/dev/kvm: %s: %s",
			    g_strerror(code),
			    code == EACCES ? "join the group kvm"
					   : "enable virtualisation in the firmware and load "
					     "kvm-intel or kvm-amd");
		return FALSE;
	}
	int version = ioctl(vm->kvm_fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "/dev/kvm: API version %d instead of %d: use a Linux kernel of this century",
		    version, KVM_API_VERSION);
	return FALSE;
}

static gboolean check_capabilities(HbVm *vm, guint max_cpus, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
		if (hb_vm_get_capability(vm, needed[i].number) > 0)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "/dev/kvm: %s is missing: use Linux 5.10 or newer", needed[i].name);
		return FALSE;
	}
	int limit = hb_vm_get_capability(vm, KVM_CAP_MAX_VCPUS);
	if (limit <= 0 || max_cpus <= (guint)limit)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "-smp: the host's KVM gives a guest at most %d vCPUs: ask for fewer", limit);
	return FALSE;
}

static gboolean create_vm(HbVm *vm, GError **error)
{
	do
		vm->vm_fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, 0);
	while (vm->vm_fd < 0 && errno == EINTR);
	return vm->vm_fd >= 0 || fail(error, "KVM_CREATE_VM");
}

static gboolean create_chips(HbVm *vm, GError **error)
{
	guint64 identity = IDENTITY_PAGE;
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (ioctl(vm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity))
		return fail(error, "KVM_SET_IDENTITY_MAP_ADDR");
	if (ioctl(vm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)HB_LAYOUT_TSS))
		return fail(error, "KVM_SET_TSS_ADDR");
	if (ioctl(vm->vm_fd, KVM_CREATE_IRQCHIP, 0))
		return fail(error, "KVM_CREATE_IRQCHIP");
	if (ioctl(vm->vm_fd, KVM_CREATE_PIT2, &pit))
		return fail(error, "KVM_CREATE_PIT2");
	return TRUE;
}

static gboolean save_chips(HbVm *vm, GError **error)
{
	for (guint i = 0; i < N_CHIPS; i++) {
		vm->chips[i].chip_id = i;
		if (ioctl(vm->vm_fd, KVM_GET_IRQCHIP, &vm->chips[i]))
			return fail(error, "KVM_GET_IRQCHIP");
	}
	return ioctl(vm->vm_fd, KVM_GET_PIT2, &vm->pit) == 0 || fail(error, "KVM_GET_PIT2");
}

HbVm *hb_vm_create(guint max_cpus, GError **error)
{
	HbVm *vm = g_new0(HbVm, 1);

	vm->kvm_fd = vm->vm_fd = -1;
	if (open_kvm(vm, error) && check_capabilities(vm, max_cpus, error) &&
	    create_vm(vm, error) && create_chips(vm, error) && save_chips(vm, error))
		return vm;
	hb_vm_destroy(vm);
	return NULL;
}

void hb_vm_destroy(HbVm *vm)
{
	if (vm == NULL)
		return;
	if (vm->vm_fd >= 0)
		close(vm->vm_fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	g_free(vm);
}

int hb_vm_get_fd(const HbVm *vm)
{
	return vm->vm_fd;
}

int hb_vm_get_kvm_fd(const HbVm *vm)
{
	return vm->kvm_fd;
}

int hb_vm_get_capability(const HbVm *vm, int capability)
{
	return MAX(ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, capability), 0);
}

gboolean hb_vm_add_memory(HbVm *vm, guint slot, guint64 gpa, guint64 size, gpointer hva,
			  GError **error)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (guintptr)hva,
	};

	return size == 0 || ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) == 0 ||
	       fail(error, "KVM_SET_USER_MEMORY_REGION");
}

void hb_vm_set_irq(const HbVm *vm, guint gsi, gboolean level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	if (ioctl(vm->vm_fd, KVM_IRQ_LINE, &line))
		g_warning("KVM_IRQ_LINE %u: %s", gsi, g_strerror(errno));
}

struct kvm_cpuid2 *hb_vm_get_cpuid(const HbVm *vm, GError **error)
{
	struct kvm_cpuid2 *cpuid =
		g_malloc0(sizeof(*cpuid) + MAX_CPUID * sizeof(struct kvm_cpuid_entry2));

	cpuid->nent = MAX_CPUID;
	if (ioctl(vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
		return cpuid;
	fail(error, "KVM_GET_SUPPORTED_CPUID");
	g_free(cpuid);
	return NULL;
}

void hb_vm_reset(HbVm *vm)
{
	for (guint i = 0; i < N_CHIPS; i++) {
		if (ioctl(vm->vm_fd, KVM_SET_IRQCHIP, &vm->chips[i]))
			g_warning("KVM_SET_IRQCHIP: %s", g_strerror(errno));
	}
	if (ioctl(vm->vm_fd, KVM_SET_PIT2, &vm->pit))
		g_warning("KVM_SET_PIT2: %s", g_strerror(errno));
}
