/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_KVM_H
#define HOTBAY_KVM_H

/** kvm.h: a host ready made for KVM. */

#include <hotbay/host.h>

G_BEGIN_DECLS

struct kvm_irq_routing_entry; /* in <linux/kvm.h> */

/**
 * HbKvm:
 *
 * A ready-made #HbHost for a KVM virtual machine whose local APICs are in the kernel
 * (KVM_CREATE_IRQCHIP, or KVM_CAP_SPLIT_IRQCHIP): memory slots, GSI routes, irqfds and
 * KVM_SIGNAL_MSI.
 *
 * KVM_SET_GSI_ROUTING replaces a VM's whole table of routes, so one party must make it of
 * everybody's: this one does. The embedder says which routes are its own, in #HbKvmConfig and by
 * hb_kvm_set_routes(), and does not call KVM_SET_GSI_ROUTING itself while the object lives. All
 * else about GSIs stays the embedder's to do: KVM_IRQ_LINE and KVM_IRQFD on its own ones, for
 * instance. An embedder that must make the table by itself supplies an #HbHost of its own: in
 * #HbHostOps the @route_set functions say what the library wants in it, and @routes_commit when.
 */
typedef struct HbKvm HbKvm;

/**
 * HbKvmConfig:
 * @first_memory_slot: the library uses KVM memory slots from this number on; lower ones are the
 *   embedder's
 * @first_gsi: likewise GSIs; 0 stands for 24, the first one behind the pins of the IOAPIC
 * @routes: (array length=n_routes) (nullable): the embedder's routes at first, as for
 *   hb_kvm_set_routes(); copied. With an @n_routes of 0 they are those that KVM_CREATE_IRQCHIP sets
 *   up, GSIs 0 to 23 to the pins of the IOAPIC and of the two PICs, unless @no_pins
 * @no_pins: with an @n_routes of 0 there are no routes at first. For KVM_CAP_SPLIT_IRQCHIP, where
 *   the kernel has no such pins, and refuses routes to them
 * @pci_gsi: GSIs of the root bus's four interrupt lines, pins of the interrupt controllers in the
 *   kernel, as in #HbAcpiMachine, each below the library's first GSI; all zero: drives have no
 *   interrupt pins. Their routes are the embedder's; the usual ones will do
 *
 * Which numbers of the VM are whose. All zero but for the memory slot is what a VM after
 * KVM_CREATE_IRQCHIP and nothing else needs; with KVM_CAP_SPLIT_IRQCHIP, @no_pins too.
 */
typedef struct HbKvmConfig {
	guint first_memory_slot;
	guint first_gsi;
	const struct kvm_irq_routing_entry *routes;
	guint n_routes;
	gboolean no_pins;
	guint8 pci_gsi[4];
} HbKvmConfig;

/**
 * hb_kvm_create:
 * @vm_fd: the VM's file descriptor, after KVM_CREATE_IRQCHIP or KVM_CAP_SPLIT_IRQCHIP; the caller
 *   keeps it open for longer than the result lives
 * @config: copied
 * @context: (nullable): see hb_host_create()
 *
 * Makes a host of a VM, and sets the VM's routes. Any thread.
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_UNSUPPORTED and the missing capability's
 *   name, also where KVM refuses the routes; with %HB_ERROR_INVALID if only some lines of @pci_gsi
 *   are GSIs of the embedder's; or as hb_kvm_set_routes() would; free with hb_kvm_destroy()
 */
HbKvm *hb_kvm_create(int vm_fd, const HbKvmConfig *config, GMainContext *context, GError **error);

/**
 * hb_kvm_destroy: frees it, after everything that was created with its host. The embedder's routes
 * stay as they are in KVM, and KVM_SET_GSI_ROUTING is the embedder's again. Takes NULL.
 */
void hb_kvm_destroy(HbKvm *kvm);

/** hb_kvm_get_host: Returns: (transfer none): the host that it implements. */
HbHost *hb_kvm_get_host(HbKvm *kvm);

/**
 * hb_kvm_set_routes:
 * @entries: (array length=n) (nullable): all routes of the embedder's, in the place of those
 * before, also of the pins that #HbKvmConfig gave; copied
 * @n: how many they are; 0: none
 *
 * Says which routes the VM has beside the library's, and makes them effective in one step, before
 * it returns. What the library has routed stays as it is, and stays when the library changes its
 * own. Whether the entries make sense is KVM's to say: a GSI may have one pin of each interrupt
 * controller, or one message.
 *
 * Any thread, at any time, also in a call of #HbPciFunctionOps; calls take turns, and the last one
 * counts, whoever's list is newer: threads that change one list hold a lock of their own from
 * making it to the end of the call. Takes as long as every vCPU needs to leave the old table, so
 * milliseconds on a busy machine: not for each interrupt.
 *
 * Returns: FALSE if nothing has changed: with %HB_ERROR_INVALID if an entry's GSI is one of the
 *   library's, or @entries is NULL and @n not 0, %HB_ERROR_LIMIT if they are more than
 *   KVM_CAP_IRQ_ROUTING allows together with the library's, %HB_ERROR_HOST if KVM refuses them
 */
gboolean hb_kvm_set_routes(HbKvm *kvm, const struct kvm_irq_routing_entry *entries, guint n,
			   GError **error);

G_END_DECLS

#endif
