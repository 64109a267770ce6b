/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A host for KVM: the only place in the library that speaks to KVM.
 *
 *   guest memory   one KVM memory slot for each mapping
 *   routes         GSI  0..23  the interrupt controllers' own pins, as KVM routes them by default
 *                  GSI 24..    one MSI message each, for irqfds
 *
 * KVM knows routes only as one table, replaced as a whole by KVM_SET_GSI_ROUTING. Each replacement
 * waits for an SRCU grace period, that is, until no vCPU and no irqfd is in the middle of using the
 * old table: up to milliseconds on a busy machine. So changes are only noted here, and a commit
 * makes the table of all that was noted and sets it once. Connecting and disconnecting a route
 * (KVM_IRQFD) leaves the table alone.
 *
 * KVM takes over an irqfd's eventfd as it finds it: a signal that waits is delivered at once, and
 * when the irqfd is taken away again, KVM_IRQFD returns only after the last delivery has ended
 * (Linux 6.1 virt/kvm/eventfd.c, kvm_irqfd_assign() and kvm_irqfd_deassign()).
 *
 * Threads: the ops as HbHostOps says, so all but signal_msi one at a time.
 */

#include "hw/host.h"

#include <hotbay/error.h>
#include <hotbay/kvm.h>

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#define N_IOAPIC_PINS  24
#define N_PIC_PINS     16
#define N_FIXED_ROUTES (N_IOAPIC_PINS + N_PIC_PINS)
#define FIRST_MSI_GSI  N_IOAPIC_PINS

typedef struct Route {
	gboolean used;
	gboolean has_message;
	HbMsiMessage message;
} Route;

struct HbKvm {
	HbHost *host; /* owned; its opaque is this */
	int vm_fd;    /* the embedder's */
	guint first_memory_slot;
	guint max_memory_slots; /* ours may be this many */
	guint max_routes;	/* likewise */

	/* Guarded by the bus lock. */
	GArray *slots;	/* of gboolean: whether memory slot first_memory_slot + i is used */
	GArray *routes; /* of Route: GSI FIRST_MSI_GSI + i */
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
	HbKvm *kvm = get_kvm(host);
	Route added = { .used = TRUE };
	guint index;

	for (index = 0; index < kvm->routes->len; index++)
		if (!g_array_index(kvm->routes, Route, index).used)
			break;
	if (index == kvm->max_routes) {
		g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
			    "KVM's routing table is full with %u messages: remove a drive, or let "
			    "the guest use fewer queues for each",
			    kvm->max_routes);
		return FALSE;
	}
	if (index == kvm->routes->len)
		g_array_append_val(kvm->routes, added);
	g_array_index(kvm->routes, Route, index) = added;
	*route = FIRST_MSI_GSI + index;
	return TRUE;
}

static void route_set(HbHost *host, guint route, const HbMsiMessage *message)
{
	Route *entry = &g_array_index(get_kvm(host)->routes, Route, route - FIRST_MSI_GSI);

	entry->has_message = TRUE;
	entry->message = *message;
}

static void route_remove(HbHost *host, guint route)
{
	Route *entry = &g_array_index(get_kvm(host)->routes, Route, route - FIRST_MSI_GSI);

	*entry = (Route){ 0 };
}

static void append_pin(struct kvm_irq_routing *table, guint gsi, guint chip, guint pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

/* What KVM itself sets up with KVM_CREATE_IRQCHIP. */
static void append_pins(struct kvm_irq_routing *table)
{
	for (guint gsi = 0; gsi < N_IOAPIC_PINS; gsi++) {
		append_pin(table, gsi, KVM_IRQCHIP_IOAPIC, gsi);
		if (gsi < N_PIC_PINS)
			append_pin(table, gsi,
				   gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				   gsi % 8);
	}
}

static void append_message(struct kvm_irq_routing *table, guint gsi, const HbMsiMessage *message)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = (guint32)message->address,
			   .address_hi = (guint32)(message->address >> 32),
			   .data = message->data },
	};
}

static gboolean routes_commit(HbHost *host, GError **error)
{
	HbKvm *kvm = get_kvm(host);
	g_autofree struct kvm_irq_routing *table = g_malloc0(
		sizeof(*table) + (N_FIXED_ROUTES + kvm->routes->len) * sizeof(table->entries[0]));

	append_pins(table);
	for (guint i = 0; i < kvm->routes->len; i++) {
		const Route *route = &g_array_index(kvm->routes, Route, i);

		if (route->has_message)
			append_message(table, FIRST_MSI_GSI + i, &route->message);
	}
	if (ioctl(kvm->vm_fd, KVM_SET_GSI_ROUTING, table) == 0)
		return TRUE;
	set_host_error(error, "KVM_SET_GSI_ROUTING",
		       "the VM needs its interrupt controllers in the kernel (KVM_CREATE_IRQCHIP)");
	return FALSE;
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

/* How many of KVM's @capability things are left after the first @taken. */
static guint get_room(int vm_fd, int capability, guint taken)
{
	int most = check_extension(vm_fd, capability);

	return most > 0 && (guint)most > taken ? (guint)most - taken : 0;
}

HbKvm *hb_kvm_create(int vm_fd, guint first_memory_slot, GMainContext *context, GError **error)
{
	g_autoptr(GError) refused = NULL;

	if (!check_capabilities(vm_fd, error))
		return NULL;

	HbKvm *kvm = g_new0(HbKvm, 1);

	kvm->vm_fd = vm_fd;
	kvm->first_memory_slot = first_memory_slot;
	kvm->max_memory_slots = get_room(vm_fd, KVM_CAP_NR_MEMSLOTS, first_memory_slot);
	kvm->max_routes = get_room(vm_fd, KVM_CAP_IRQ_ROUTING, N_FIXED_ROUTES);
	kvm->slots = g_array_new(FALSE, FALSE, sizeof(gboolean));
	kvm->routes = g_array_new(FALSE, FALSE, sizeof(Route));
	kvm->host = hb_host_create(&kvm_ops, kvm, context);

	/* Setting the table that KVM has anyway tells whether it will take ours later. */
	if (!routes_commit(kvm->host, &refused)) {
		g_set_error_literal(error, HB_ERROR, HB_ERROR_UNSUPPORTED, refused->message);
		g_clear_pointer(&kvm, hb_kvm_destroy);
	}
	return kvm;
}

void hb_kvm_destroy(HbKvm *kvm)
{
	if (!kvm)
		return;
	hb_host_destroy(kvm->host);
	g_array_unref(kvm->slots);
	g_array_unref(kvm->routes);
	g_free(kvm);
}

HbHost *hb_kvm_get_host(HbKvm *kvm)
{
	return kvm->host;
}
