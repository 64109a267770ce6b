/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A host for KVM: with hw/kvm-routes.c, which has the table of interrupt routes, the only place in
 * the library that speaks to KVM. Each mapping of memory is one KVM memory slot. Connecting and
 * disconnecting a route (KVM_IRQFD) leaves the table of routes alone.
 *
 * KVM takes over an irqfd's eventfd as it finds it: a signal that waits is delivered at once, and
 * when the irqfd is taken away again, KVM_IRQFD returns only after the last delivery has ended
 * (Linux 6.1 virt/kvm/eventfd.c, kvm_irqfd_assign() and kvm_irqfd_deassign()).
 *
 * Threads: the ops as HbHostOps says, so all but signal_msi one at a time.
 */

#include "hw/host.h"
#include "hw/kvm-routes.h"

#include <hotbay/error.h>
#include <hotbay/kvm.h>

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#define DEFAULT_FIRST_GSI 24 /* behind the pins of the IOAPIC */

struct HbKvm {
	HbHost *host;  /* owned; its opaque is this */
	HbHostOps ops; /* its own: without pins, if there are none */
	int vm_fd;     /* the embedder's */
	guint first_memory_slot;
	guint max_memory_slots; /* ours may be this many */
	guint8 pci_gsi[4];
	HbKvmRoutes *routes; /* owned */

	/* Guarded by the bus lock. */
	GArray *slots; /* of gboolean: whether memory slot first_memory_slot + i is used */
};

typedef struct Capability {
	int number;
	const char *name;
} Capability;

#define CAPABILITY(name)                                                                           \
	{                                                                                          \
		(name), #name                                                                      \
	}

static const Capability needed[] = {
	CAPABILITY(KVM_CAP_USER_MEMORY), CAPABILITY(KVM_CAP_IRQCHIP),
	CAPABILITY(KVM_CAP_IRQ_ROUTING), CAPABILITY(KVM_CAP_IRQFD),
	CAPABILITY(KVM_CAP_SIGNAL_MSI),	 CAPABILITY(KVM_CAP_NR_MEMSLOTS),
};

static HbKvm *get_kvm(HbHost *host)
{
	return hb_host_get_opaque(host);
}

static void set_host_error(GError **error, const char *request, const char *remedy)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: %s: %s", request, g_strerror(errno),
		    remedy);
}

/* The first free memory slot of ours; FALSE if there is none. */
static gboolean take_slot(HbKvm *kvm, guint *index, GError **error)
{
	gboolean free_slot = FALSE;

	for (*index = 0; *index < kvm->slots->len; (*index)++)
		if (!g_array_index(kvm->slots, gboolean, *index))
			break;
	if (*index == kvm->max_memory_slots) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "KVM's memory slots are used up, %u from number %u on: remove a drive, "
			    "or give the library a lower first slot",
			    kvm->max_memory_slots, kvm->first_memory_slot);
		return FALSE;
	}
	if (*index == kvm->slots->len)
		g_array_append_val(kvm->slots, free_slot);
	g_array_index(kvm->slots, gboolean, *index) = TRUE;
	return TRUE;
}

static gboolean set_memory(HbKvm *kvm, guint slot, guint64 gpa, guint64 size, gpointer hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (guintptr)hva,
	};

	return ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

static gboolean map(HbHost *host, guint64 gpa, guint64 size, gpointer hva, guint *slot,
		    GError **error)
{
	HbKvm *kvm = get_kvm(host);
	guint index;

	if (!take_slot(kvm, &index, error))
		return FALSE;
	*slot = kvm->first_memory_slot + index;
	if (set_memory(kvm, *slot, gpa, size, hva))
		return TRUE;
	g_array_index(kvm->slots, gboolean, index) = FALSE;
	set_host_error(error, "KVM_SET_USER_MEMORY_REGION",
		       errno == EEXIST ? "the guest has laid it over other memory"
				       : "the range and its mapping must be whole pages of 4 KiB");
	return FALSE;
}

static void unmap(HbHost *host, guint slot)
{
	HbKvm *kvm = get_kvm(host);

	/* A size of 0 deletes the slot; KVM refuses that only for a slot that does not exist. */
	if (!set_memory(kvm, slot, 0, 0, NULL))
		hb_host_log(host, G_LOG_LEVEL_CRITICAL,
			    "KVM_SET_USER_MEMORY_REGION: deleting memory slot %u: %s", slot,
			    g_strerror(errno));
	g_array_index(kvm->slots, gboolean, slot - kvm->first_memory_slot) = FALSE;
}

static gboolean signal_msi(HbHost *host, const HbMsiMessage *message, GError **error)
{
	struct kvm_msi msi = {
		.address_lo = (guint32)message->address,
		.address_hi = (guint32)(message->address >> 32),
		.data = message->data,
	};

	/* 0 is no error: the guest's local APIC does not accept it just now. */
	if (ioctl(get_kvm(host)->vm_fd, KVM_SIGNAL_MSI, &msi) >= 0)
		return TRUE;
	set_host_error(error, "KVM_SIGNAL_MSI", "the guest programmed a message to nowhere");
	return FALSE;
}

static gboolean route_add(HbHost *host, guint *route, GError **error)
{
	return hb_kvm_routes_add(get_kvm(host)->routes, route, error);
}

static void route_set(HbHost *host, guint route, const HbMsiMessage *message)
{
	hb_kvm_routes_set(get_kvm(host)->routes, route, message);
}

static void route_remove(HbHost *host, guint route)
{
	hb_kvm_routes_remove(get_kvm(host)->routes, route);
}

static gboolean routes_commit(HbHost *host, GError **error)
{
	return hb_kvm_routes_commit(get_kvm(host)->routes, error);
}

static gboolean set_irqfd(HbKvm *kvm, guint gsi, int eventfd, guint flags)
{
	struct kvm_irqfd irqfd = { .fd = (guint)eventfd, .gsi = gsi, .flags = flags };

	return ioctl(kvm->vm_fd, KVM_IRQFD, &irqfd) == 0;
}

static gboolean route_connect(HbHost *host, guint route, int eventfd, GError **error)
{
	if (set_irqfd(get_kvm(host), route, eventfd, 0))
		return TRUE;
	set_host_error(error, "KVM_IRQFD", "an eventfd can have one irqfd in all VMs together");
	return FALSE;
}

static void route_disconnect(HbHost *host, guint route, int eventfd)
{
	if (!set_irqfd(get_kvm(host), route, eventfd, KVM_IRQFD_FLAG_DEASSIGN))
		hb_host_log(host, G_LOG_LEVEL_CRITICAL, "KVM_IRQFD: disconnecting GSI %u: %s",
			    route, g_strerror(errno));
}

static gboolean pin_connect(HbHost *host, guint link, int eventfd, int resample, GError **error)
{
	HbKvm *kvm = get_kvm(host);
	struct kvm_irqfd irqfd = { .fd = (guint)eventfd,
				   .gsi = kvm->pci_gsi[link],
				   .flags = KVM_IRQFD_FLAG_RESAMPLE,
				   .resamplefd = (guint)resample };

	if (ioctl(kvm->vm_fd, KVM_IRQFD, &irqfd) == 0)
		return TRUE;
	set_host_error(
		error, "KVM_IRQFD with a resample eventfd",
		"KVM_CAP_IRQFD_RESAMPLE and an interrupt controller in the kernel are needed");
	return FALSE;
}

static void pin_disconnect(HbHost *host, guint link, int eventfd, int resample)
{
	HbKvm *kvm = get_kvm(host);

	if (!set_irqfd(kvm, kvm->pci_gsi[link], eventfd, KVM_IRQFD_FLAG_DEASSIGN))
		hb_host_log(host, G_LOG_LEVEL_CRITICAL, "KVM_IRQFD: disconnecting GSI %u: %s",
			    kvm->pci_gsi[link], g_strerror(errno));
}

static const HbHostOps kvm_ops = {
	.map = map,
	.unmap = unmap,
	.signal_msi = signal_msi,
	.route_add = route_add,
	.route_set = route_set,
	.route_remove = route_remove,
	.routes_commit = routes_commit,
	.route_connect = route_connect,
	.route_disconnect = route_disconnect,
	.pin_connect = pin_connect,
	.pin_disconnect = pin_disconnect,
};

static int check_extension(int vm_fd, int capability)
{
	return ioctl(vm_fd, KVM_CHECK_EXTENSION, (unsigned long)capability);
}

static gboolean check_capabilities(int vm_fd, GError **error)
{
	for (guint i = 0; i < G_N_ELEMENTS(needed); i++) {
		int level = check_extension(vm_fd, needed[i].number);

		if (level > 0)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "KVM lacks %s (%s): pass the descriptor of a VM, and use a host kernel "
			    "that has it",
			    needed[i].name, level < 0 ? g_strerror(errno) : "not offered");
		return FALSE;
	}
	return TRUE;
}

static guint get_limit(int vm_fd, int capability)
{
	return (guint)MAX(check_extension(vm_fd, capability), 0);
}

static guint get_first_gsi(const HbKvmConfig *config)
{
	return config->first_gsi ? config->first_gsi : DEFAULT_FIRST_GSI;
}

/* Sets the embedder's first routes, and so finds out whether KVM will take the library's later. */
static gboolean create_routes(HbKvm *kvm, const HbKvmConfig *config, GError **error)
{
	guint first = get_first_gsi(config);
	guint most = get_limit(kvm->vm_fd, KVM_CAP_IRQ_ROUTING);
	g_autoptr(GError) refused = NULL;

	if (first >= most) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "first_gsi is %u, and KVM's GSIs end with %u: give the library some",
			    first, most - 1);
		return FALSE;
	}
	kvm->routes = hb_kvm_routes_create(kvm->vm_fd, first, most);
	if (config->n_routes || config->no_pins
		    ? hb_kvm_routes_set_embedders(kvm->routes, config->routes, config->n_routes,
						  &refused)
		    : hb_kvm_routes_set_usual_pins(kvm->routes, &refused))
		return TRUE;
	if (g_error_matches(refused, HB_ERROR, HB_ERROR_HOST))
		refused->code = HB_ERROR_UNSUPPORTED;
	g_propagate_error(error, g_steal_pointer(&refused));
	return FALSE;
}

static gboolean has_pins(const HbKvmConfig *config)
{
	for (guint i = 0; i < G_N_ELEMENTS(config->pci_gsi); i++)
		if (config->pci_gsi[i])
			return TRUE;
	return FALSE;
}

static gboolean check_pins(const HbKvmConfig *config, GError **error)
{
	guint first = get_first_gsi(config);

	for (guint i = 0; has_pins(config) && i < G_N_ELEMENTS(config->pci_gsi); i++) {
		if (config->pci_gsi[i] && config->pci_gsi[i] < first)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "pci_gsi[%u] is %u, and the library's own GSIs begin with %u: give all "
			    "four lines a pin between 1 and %u, or none",
			    i, config->pci_gsi[i], first, first - 1);
		return FALSE;
	}
	return TRUE;
}

HbKvm *hb_kvm_create(int vm_fd, const HbKvmConfig *config, GMainContext *context, GError **error)
{
	if (!check_pins(config, error) || !check_capabilities(vm_fd, error))
		return NULL;

	HbKvm *kvm = g_new0(HbKvm, 1);
	guint max_memory_slots = get_limit(vm_fd, KVM_CAP_NR_MEMSLOTS);

	kvm->vm_fd = vm_fd;
	kvm->first_memory_slot = config->first_memory_slot;
	kvm->max_memory_slots = max_memory_slots - MIN(max_memory_slots, config->first_memory_slot);
	kvm->slots = g_array_new(FALSE, FALSE, sizeof(gboolean));
	memcpy(kvm->pci_gsi, config->pci_gsi, sizeof(kvm->pci_gsi));
	kvm->ops = kvm_ops;
	if (!has_pins(config))
		kvm->ops.pin_connect = NULL;
	kvm->host = hb_host_create(&kvm->ops, kvm, context);
	if (!create_routes(kvm, config, error))
		g_clear_pointer(&kvm, hb_kvm_destroy);
	return kvm;
}

void hb_kvm_destroy(HbKvm *kvm)
{
	if (!kvm)
		return;
	hb_host_destroy(kvm->host);
	g_clear_pointer(&kvm->routes, hb_kvm_routes_destroy);
	g_array_unref(kvm->slots);
	g_free(kvm);
}

HbHost *hb_kvm_get_host(HbKvm *kvm)
{
	return kvm->host;
}

gboolean hb_kvm_set_routes(HbKvm *kvm, const struct kvm_irq_routing_entry *entries, guint n,
			   GError **error)
{
	return hb_kvm_routes_set_embedders(kvm->routes, entries, n, error);
}
