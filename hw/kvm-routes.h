/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_KVM_ROUTES_H
#define HW_KVM_ROUTES_H

#include <hotbay/kvm.h>

/* The GSI routing table of a KVM VM, made of the library's routes and the embedder's. */
typedef struct HbKvmRoutes HbKvmRoutes;

/*
 * The library's routes are those from @first_gsi on; @most is KVM_CAP_IRQ_ROUTING. Leaves KVM's
 * table alone until there is something to set.
 */
HbKvmRoutes *hb_kvm_routes_create(int vm_fd, guint first_gsi, guint most);

/* KVM's table stays as it is. */
void hb_kvm_routes_destroy(HbKvmRoutes *routes);

/* All of the embedder's are those that KVM_CREATE_IRQCHIP sets up. Any thread. */
gboolean hb_kvm_routes_set_usual_pins(HbKvmRoutes *routes, GError **error);

/* All of the embedder's, as hb_kvm_set_routes() says. Any thread. */
gboolean hb_kvm_routes_set_embedders(HbKvmRoutes *routes,
				     const struct kvm_irq_routing_entry *entries, guint n,
				     GError **error);

/* The library's, as HbHostOps says: one call at a time; a route is its GSI. */
gboolean hb_kvm_routes_add(HbKvmRoutes *routes, guint *gsi, GError **error);
void hb_kvm_routes_set(HbKvmRoutes *routes, guint gsi, const HbMsiMessage *message);
void hb_kvm_routes_remove(HbKvmRoutes *routes, guint gsi);
gboolean hb_kvm_routes_commit(HbKvmRoutes *routes, GError **error);

#endif
