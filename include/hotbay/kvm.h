/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_KVM_H
#define HOTBAY_KVM_H

#include <hotbay/host.h>

G_BEGIN_DECLS

/**
 * HbKvm:
 *
 * A ready-made #HbHost for a KVM virtual machine with the in-kernel interrupt controllers
 * (KVM_CREATE_IRQCHIP): memory slots, the GSI routing table, irqfds and KVM_SIGNAL_MSI.
 */
typedef struct HbKvm HbKvm;

/**
 * hb_kvm_create:
 * @vm_fd: the VM's file descriptor, after KVM_CREATE_IRQCHIP; the caller keeps it open for longer
 *   than the result lives
 * @first_memory_slot: the library uses KVM memory slots from this number on; lower ones are the
 *   embedder's
 * @context: (nullable): see hb_host_create()
 *
 * The result owns the VM's GSI routing table: KVM_SET_GSI_ROUTING replaces the whole table, so
 * nobody else may call it. The 24 IOAPIC pins and the PIC's 16 keep their usual routes.
 *
 * Returns: (nullable): NULL with %HB_ERROR_UNSUPPORTED and the missing capability's name
 */
HbKvm *hb_kvm_create(int vm_fd, guint first_memory_slot, GMainContext *context, GError **error);
void hb_kvm_destroy(HbKvm *kvm);

/** hb_kvm_get_host: Returns: (transfer none): the host that it implements. */
HbHost *hb_kvm_get_host(HbKvm *kvm);

G_END_DECLS

#endif
