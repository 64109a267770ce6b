/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A vCPU's registers, as KVM made them when it created the vCPU: reset is to write them back. So no
 * table of power-on values is needed here, and the kernel's own idea of them holds.
 */

#include "vmm/vcpu-state.h"

#include <errno.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_MSRS 1024

/* Model-specific registers that are no state to be put back. */
#define MSR_TSC 0x10 /* goes on counting, together with the other vCPUs' */

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
	g_autofree struct kvm_msrs *rest =
		g_malloc0(sizeof(*rest) + msrs->nmsrs * sizeof(msrs->entries[0]));
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
	state->msrs =
		g_malloc0(sizeof(*state->msrs) + list->nmsrs * sizeof(state->msrs->entries[0]));
	for (guint i = 0; i < list->nmsrs; i++) {
		if (list->indices[i] != MSR_TSC)
			state->msrs->entries[state->msrs->nmsrs++].index = list->indices[i];
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
