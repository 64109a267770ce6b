/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A vCPU's registers, as KVM made them when it created the vCPU: reset is to write them back. So no
 * table of power-on values is needed here, and the kernel's own idea of them holds.
 *
 * The one thing added is what firmware leaves in the MTRRs. Without it Linux gives up on its page
 * attribute table, and KVM on Intel takes all memory for uncached as soon as a drive is assigned
 * whose DMA does not snoop caches (Linux 6.1 arch/x86/kvm/vmx/vmx.c, vmx_get_mt_mask()).
 */

#include "vmm/vcpu-state.h"

#include "vmm/layout.h"

#include <errno.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_MSRS 1024

/* Model-specific registers that are no state to be put back. */
#define MSR_TSC 0x10 /* goes on counting, together with the other vCPUs' */

/* Intel SDM volume 3A §11.11, and AMD64 manual volume 2 §7.7: memory type range registers. */
#define MTRR_BASE_0	  0x200
#define MTRR_MASK_0	  0x201
#define MTRR_DEFAULT_TYPE 0x2ff
#define MTRR_MASK_VALID	  (1U << 11)
#define MTRR_ENABLE	  (1U << 11)
#define MTRR_FIXED_ENABLE (1U << 10)
#define WRITE_BACK	  6
#define UNCACHED	  0
#define EIGHT_WRITE_BACK  G_GUINT64_CONSTANT(0x0606060606060606)

struct HbVcpuState {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	struct kvm_debugregs debugregs;
	struct kvm_xcrs xcrs;
	struct kvm_xsave *xsave; /* its size is up to the host */
	struct kvm_msrs *msrs;
};

static gboolean fail(GError **error, const char *request)
{
	int code = errno;

	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: %s: the host's KVM refused it", request,
		    g_strerror(code));
	return FALSE;
}

static struct kvm_msrs *new_msrs(guint room)
{
	return g_malloc0(sizeof(struct kvm_msrs) + room * sizeof(struct kvm_msr_entry));
}

static void add_msr(struct kvm_msrs *msrs, guint32 index, guint64 value)
{
	msrs->entries[msrs->nmsrs++] = (struct kvm_msr_entry){ .index = index, .data = value };
}

/* The hole is a power of two, from the end of low RAM to 4 GiB, so one range describes it. */
_Static_assert(HB_LAYOUT_LOW_LIMIT == 0x80000000U, "the hole is 2 GiB");

gboolean hb_vcpu_state_set_memory_types(int fd, guint address_bits, GError **error)
{
	static const guint32 fixed[] = { 0x250, 0x258, 0x268, 0x269, 0x26a,
					 0x26b, 0x26c, 0x26d, 0x26e, 0x26f };
	guint64 address_mask = (G_GUINT64_CONSTANT(1) << address_bits) - 1;
	guint64 hole_mask = address_mask & ~(guint64)(HB_LAYOUT_LOW_LIMIT - 1);
	g_autofree struct kvm_msrs *msrs = new_msrs(3 + G_N_ELEMENTS(fixed));

	add_msr(msrs, MTRR_BASE_0, HB_LAYOUT_LOW_LIMIT | UNCACHED);
	add_msr(msrs, MTRR_MASK_0, hole_mask | MTRR_MASK_VALID);
	add_msr(msrs, MTRR_DEFAULT_TYPE, MTRR_ENABLE | MTRR_FIXED_ENABLE | WRITE_BACK);
	/* All of the first MiB but the old VGA window, 0x259, which stays uncached. */
	for (guint i = 0; i < G_N_ELEMENTS(fixed); i++)
		add_msr(msrs, fixed[i], EIGHT_WRITE_BACK);
	if (ioctl(fd, KVM_SET_MSRS, msrs) == (int)msrs->nmsrs)
		return TRUE;
	return fail(error, "KVM_SET_MSRS");
}

/* (nullable) (transfer full): the numbers of the registers that KVM keeps for a guest. */
static struct kvm_msr_list *list_msrs(const HbVm *vm)
{
	struct kvm_msr_list *list = g_malloc0(sizeof(*list) + MAX_MSRS * sizeof(list->indices[0]));

	list->nmsrs = MAX_MSRS;
	if (ioctl(hb_vm_get_kvm_fd(vm), KVM_GET_MSR_INDEX_LIST, list))
		g_clear_pointer(&list, g_free);
	return list;
}

/*
 * KVM_GET_MSRS and KVM_SET_MSRS stop at the first register that this vCPU has not, and return how
 * many they did: leave that one out and go on behind it.
 */
static guint access_msrs(int fd, unsigned long request, struct kvm_msrs *msrs)
{
	g_autofree struct kvm_msrs *rest = new_msrs(msrs->nmsrs);
	guint kept = 0;

	for (guint i = 0; i < msrs->nmsrs; i++) {
		rest->nmsrs = msrs->nmsrs - i;
		memcpy(rest->entries, &msrs->entries[i], rest->nmsrs * sizeof(rest->entries[0]));
		int done = ioctl(fd, request, rest);
		if (done < 0)
			break;
		memmove(&msrs->entries[kept], rest->entries,
			(guint)done * sizeof(msrs->entries[0]));
		kept += (guint)done;
		i += (guint)done;
	}
	return kept;
}

static gboolean save_msrs(HbVcpuState *state, const HbVm *vm, int fd, GError **error)
{
	g_autofree struct kvm_msr_list *list = list_msrs(vm);

	if (list == NULL)
		return fail(error, "KVM_GET_MSR_INDEX_LIST");
	state->msrs = new_msrs(list->nmsrs);
	for (guint i = 0; i < list->nmsrs; i++) {
		if (list->indices[i] != MSR_TSC)
			add_msr(state->msrs, list->indices[i], 0);
	}
	state->msrs->nmsrs = access_msrs(fd, KVM_GET_MSRS, state->msrs);
	return TRUE;
}

static gboolean save_xsave(HbVcpuState *state, const HbVm *vm, int fd, GError **error)
{
	gsize size = (gsize)hb_vm_get_capability(vm, KVM_CAP_XSAVE2);

	state->xsave = g_malloc0(MAX(size, sizeof(struct kvm_xsave)));
	if (ioctl(fd, size > sizeof(struct kvm_xsave) ? KVM_GET_XSAVE2 : KVM_GET_XSAVE,
		  state->xsave))
		return fail(error, "KVM_GET_XSAVE");
	return TRUE;
}

HbVcpuState *hb_vcpu_state_save(const HbVm *vm, int fd, GError **error)
{
	g_autoptr(HbVcpuState) state = g_new0(HbVcpuState, 1);
	const struct {
		unsigned long request;
		gpointer target;
		const char *name;
	} parts[] = {
		{ KVM_GET_REGS, &state->regs, "KVM_GET_REGS" },
		{ KVM_GET_SREGS, &state->sregs, "KVM_GET_SREGS" },
		{ KVM_GET_LAPIC, &state->lapic, "KVM_GET_LAPIC" },
		{ KVM_GET_VCPU_EVENTS, &state->events, "KVM_GET_VCPU_EVENTS" },
		{ KVM_GET_MP_STATE, &state->mp_state, "KVM_GET_MP_STATE" },
		{ KVM_GET_DEBUGREGS, &state->debugregs, "KVM_GET_DEBUGREGS" },
		{ KVM_GET_XCRS, &state->xcrs, "KVM_GET_XCRS" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (ioctl(fd, parts[i].request, parts[i].target)) {
			fail(error, parts[i].name);
			return NULL;
		}
	}
	if (!save_msrs(state, vm, fd, error) || !save_xsave(state, vm, fd, error))
		return NULL;
	return g_steal_pointer(&state);
}

/* The order matters to KVM: control registers before what they allow, the local APIC's state after
 * its base address (in sregs), the run state last. */
gboolean hb_vcpu_state_restore(const HbVcpuState *state, int fd, GError **error)
{
	const struct {
		unsigned long request;
		gconstpointer source;
		const char *name;
	} parts[] = {
		{ KVM_SET_SREGS, &state->sregs, "KVM_SET_SREGS" },
		{ KVM_SET_REGS, &state->regs, "KVM_SET_REGS" },
		{ KVM_SET_XCRS, &state->xcrs, "KVM_SET_XCRS" },
		{ KVM_SET_XSAVE, state->xsave, "KVM_SET_XSAVE" },
		{ KVM_SET_LAPIC, &state->lapic, "KVM_SET_LAPIC" },
		{ KVM_SET_DEBUGREGS, &state->debugregs, "KVM_SET_DEBUGREGS" },
		{ KVM_SET_VCPU_EVENTS, &state->events, "KVM_SET_VCPU_EVENTS" },
		{ KVM_SET_MP_STATE, &state->mp_state, "KVM_SET_MP_STATE" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (ioctl(fd, parts[i].request, parts[i].source))
			return fail(error, parts[i].name);
		if (parts[i].request == KVM_SET_SREGS)
			access_msrs(fd, KVM_SET_MSRS, state->msrs);
	}
	return TRUE;
}

void hb_vcpu_state_free(HbVcpuState *state)
{
	if (state == NULL)
		return;
	g_free(state->xsave);
	g_free(state->msrs);
	g_free(state);
}
