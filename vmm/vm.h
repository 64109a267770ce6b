/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <glib.h>
#include <linux/kvm.h>

/** HbVm: a KVM virtual machine with its in-kernel interrupt controllers and timer; no vCPUs yet. */
typedef struct HbVm HbVm;

/**
 * hb_vm_create:
 * @max_cpus: how many vCPUs it is going to have
 *
 * Returns: (nullable): NULL with %HB_ERROR_UNSUPPORTED or %HB_ERROR_HOST naming /dev/kvm or what it
 *   lacks
 */
HbVm *hb_vm_create(guint max_cpus, GError **error);

/** hb_vm_destroy: after everything that uses its descriptors. Takes NULL. */
void hb_vm_destroy(HbVm *vm);

int hb_vm_get_fd(const HbVm *vm);
int hb_vm_get_kvm_fd(const HbVm *vm);

/** hb_vm_add_memory: memory slot @slot, before any vCPU runs. @size may be 0: nothing is done. */
gboolean hb_vm_add_memory(HbVm *vm, guint slot, guint64 gpa, guint64 size, gpointer hva,
			  GError **error);

/** hb_vm_set_irq: the level of an interrupt line. Any thread. */
void hb_vm_set_irq(const HbVm *vm, guint gsi, gboolean level);

/** hb_vm_get_cpuid: Returns: (transfer full): what KVM can give a guest here; g_free(). */
struct kvm_cpuid2 *hb_vm_get_cpuid(const HbVm *vm, GError **error);

/** hb_vm_get_capability: Returns: the capability's value, 0 if it is absent. */
int hb_vm_get_capability(const HbVm *vm, int capability);

/** hb_vm_reset: interrupt controllers and timer, as they were made. No vCPU runs. */
void hb_vm_reset(HbVm *vm);

#endif
