/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The GSI routing table of a KVM VM and its two owners:
 *
 *	GSI 0 ..           the embedder's routes, of any kind; by default the interrupt controllers'
 *	                   pins, as KVM_CREATE_IRQCHIP routes them
 *	GSI first_gsi ..   the library's, one MSI message each, for irqfds
 *
 * KVM knows only the whole table, which KVM_SET_GSI_ROUTING replaces. Each replacement waits for an
 * SRCU grace period, that is, until no vCPU and no irqfd is in the middle of using the old table:
 * up to milliseconds on a busy machine. So the library's changes are only noted here, and a commit
 * makes them effective in one step.
 *
 * Neither owner is in the way of the other. A table is made of what one of them sets now and what
 * the other has set, not of what it has merely noted: so a message of a guest's that KVM would
 * refuse is no reason to refuse the embedder's routes. And there is always room for a route that
 * was reserved: either owner is told at once that KVM's table would not hold all.
 *
 * Threads: the embedder's routes are set by any, the rest as HbHostOps says.
 */

#include "hw/kvm-routes.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#define N_IOAPIC_PINS 24
#define N_PIC_PINS    16

typedef struct kvm_irq_routing_entry Entry;

typedef struct Route {
	gboolean used;
	gboolean has_message;
	HbMsiMessage message;
} Route;

struct HbKvmRoutes {
	int vm_fd; /* the embedder's */
	guint first_gsi;
	guint most; /* routes in KVM's table, and its GSIs are below this too */

	GMutex lock;	   /* the last one to be taken, and held while KVM takes a table */
	GArray *noted;	   /* of Route: GSI first_gsi + i, as the library wants it */
	guint n_used;	   /* of noted */
	GArray *messages;  /* of Entry: the library's in KVM's table */
	GArray *embedders; /* of Entry: the embedder's in KVM's table */
};

HbKvmRoutes *hb_kvm_routes_create(int vm_fd, guint first_gsi, guint most)
{
	HbKvmRoutes *routes = g_new0(HbKvmRoutes, 1);

	routes->vm_fd = vm_fd;
	routes->first_gsi = first_gsi;
	routes->most = most;
	g_mutex_init(&routes->lock);
	routes->noted = g_array_new(FALSE, FALSE, sizeof(Route));
	routes->messages = g_array_new(FALSE, FALSE, sizeof(Entry));
	routes->embedders = g_array_new(FALSE, FALSE, sizeof(Entry));
	return routes;
}

void hb_kvm_routes_destroy(HbKvmRoutes *routes)
{
	g_array_unref(routes->noted);
	g_array_unref(routes->messages);
	g_array_unref(routes->embedders);
	g_mutex_clear(&routes->lock);
	g_free(routes);
}

/* KVM's table becomes these two together, or stays as it is. */
static gboolean set_table(HbKvmRoutes *routes, const GArray *embedders, const GArray *messages,
			  GError **error)
{
	g_autofree struct kvm_irq_routing *table = g_malloc0(
		sizeof(*table) + (embedders->len + messages->len) * sizeof(table->entries[0]));

	for (guint i = 0; i < embedders->len; i++)
		table->entries[table->nr++] = g_array_index(embedders, Entry, i);
	for (guint i = 0; i < messages->len; i++)
		table->entries[table->nr++] = g_array_index(messages, Entry, i);
	if (ioctl(routes->vm_fd, KVM_SET_GSI_ROUTING, table) == 0)
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_HOST,
		"KVM_SET_GSI_ROUTING: %s: route only to interrupt controllers that the VM has in "
		"the kernel (KVM_CREATE_IRQCHIP makes them; with KVM_CAP_SPLIT_IRQCHIP there are "
		"no pins: no_pins), and each GSI to one message or one pin of each",
		g_strerror(errno));
	return FALSE;
}

static void replace(GArray **entries, GArray *set)
{
	g_array_unref(*entries);
	*entries = set;
}

/* -- The embedder's. -- */

static void append_pin(GArray *entries, guint gsi, guint chip, guint pin)
{
	const Entry entry = {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};

	g_array_append_val(entries, entry);
}

/* What KVM itself sets up with KVM_CREATE_IRQCHIP. */
static void append_usual_pins(GArray *entries)
{
	for (guint gsi = 0; gsi < N_IOAPIC_PINS; gsi++) {
		append_pin(entries, gsi, KVM_IRQCHIP_IOAPIC, gsi);
		if (gsi < N_PIC_PINS)
			append_pin(entries, gsi,
				   gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				   gsi % 8);
	}
}

static gboolean check_gsis(const HbKvmRoutes *routes, const GArray *entries, GError **error)
{
	for (guint i = 0; i < entries->len; i++) {
		guint gsi = g_array_index(entries, Entry, i).gsi;

		if (gsi < routes->first_gsi)
			continue;
		g_set_error(
			error, HB_ERROR, HB_ERROR_INVALID,
			"GSI %u of routes[%u] is the library's, which has those from %u on: take "
			"a lower one, or give the library a higher first_gsi",
			gsi, i, routes->first_gsi);
		return FALSE;
	}
	return TRUE;
}

/* There must be room for what the library has in the table, and for what it may have next. */
static gboolean check_room(const HbKvmRoutes *routes, guint n, GError **error)
{
	guint taken = MAX(routes->n_used, routes->messages->len);

	if (taken <= routes->most && n <= routes->most - taken)
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_LIMIT,
		"KVM's routing table holds %u routes, and drives have %u: %u more do not fit; use "
		"fewer, or remove a drive",
		routes->most, taken, n);
	return FALSE;
}

/* Takes @embedders. */
static gboolean set_embedders(HbKvmRoutes *routes, GArray *embedders, GError **error)
{
	g_autoptr(GArray) given = embedders;
	gboolean set;

	if (!check_gsis(routes, embedders, error))
		return FALSE;
	g_mutex_lock(&routes->lock);
	set = check_room(routes, embedders->len, error) &&
	      set_table(routes, embedders, routes->messages, error);
	if (set)
		replace(&routes->embedders, g_steal_pointer(&given));
	g_mutex_unlock(&routes->lock);
	return set;
}

gboolean hb_kvm_routes_set_usual_pins(HbKvmRoutes *routes, GError **error)
{
	GArray *pins = g_array_new(FALSE, FALSE, sizeof(Entry));

	append_usual_pins(pins);
	return set_embedders(routes, pins, error);
}

gboolean hb_kvm_routes_set_embedders(HbKvmRoutes *routes, const Entry *entries, guint n,
				     GError **error)
{
	GArray *embedders;

	if (n && !entries) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "there are said to be %u routes, but their array is NULL: give it, or "
			    "0 for none",
			    n);
		return FALSE;
	}
	embedders = g_array_sized_new(FALSE, FALSE, sizeof(Entry), n);
	if (n)
		g_array_append_vals(embedders, entries, n);
	return set_embedders(routes, embedders, error);
}

/* -- The library's. -- */

/* The first one that is free, or the one behind them all. */
static guint find_free(const HbKvmRoutes *routes)
{
	guint index;

	for (index = 0; index < routes->noted->len; index++)
		if (!g_array_index(routes->noted, Route, index).used)
			break;
	return index;
}

static gboolean reserve(HbKvmRoutes *routes, guint *gsi, GError **error)
{
	const Route added = { .used = TRUE };
	guint index = find_free(routes);

	if (index >= routes->most - routes->first_gsi ||
	    routes->n_used + routes->embedders->len >= routes->most) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_LIMIT,
			"KVM's routing table is full with %u messages from GSI %u on and %u other "
			"routes: remove a drive, or let the guest use fewer queues for each",
			routes->n_used, routes->first_gsi, routes->embedders->len);
		return FALSE;
	}
	if (index == routes->noted->len)
		g_array_append_val(routes->noted, added);
	g_array_index(routes->noted, Route, index) = added;
	routes->n_used++;
	*gsi = routes->first_gsi + index;
	return TRUE;
}

gboolean hb_kvm_routes_add(HbKvmRoutes *routes, guint *gsi, GError **error)
{
	g_mutex_lock(&routes->lock);
	gboolean reserved = reserve(routes, gsi, error);
	g_mutex_unlock(&routes->lock);
	return reserved;
}

static Route *get_route(HbKvmRoutes *routes, guint gsi)
{
	return &g_array_index(routes->noted, Route, gsi - routes->first_gsi);
}

void hb_kvm_routes_set(HbKvmRoutes *routes, guint gsi, const HbMsiMessage *message)
{
	g_mutex_lock(&routes->lock);
	get_route(routes, gsi)->has_message = TRUE;
	get_route(routes, gsi)->message = *message;
	g_mutex_unlock(&routes->lock);
}

void hb_kvm_routes_remove(HbKvmRoutes *routes, guint gsi)
{
	g_mutex_lock(&routes->lock);
	*get_route(routes, gsi) = (Route){ 0 };
	routes->n_used--;
	g_mutex_unlock(&routes->lock);
}

static void append_message(GArray *entries, guint gsi, const HbMsiMessage *message)
{
	const Entry entry = {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = (guint32)message->address,
			   .address_hi = (guint32)(message->address >> 32),
			   .data = message->data },
	};

	g_array_append_val(entries, entry);
}

static GArray *list_messages(const HbKvmRoutes *routes)
{
	GArray *messages = g_array_new(FALSE, FALSE, sizeof(Entry));

	for (guint i = 0; i < routes->noted->len; i++) {
		const Route *route = &g_array_index(routes->noted, Route, i);

		if (route->has_message)
			append_message(messages, routes->first_gsi + i, &route->message);
	}
	return messages;
}

gboolean hb_kvm_routes_commit(HbKvmRoutes *routes, GError **error)
{
	g_mutex_lock(&routes->lock);
	g_autoptr(GArray) messages = list_messages(routes);
	gboolean set = set_table(routes, routes->embedders, messages, error);

	if (set)
		replace(&routes->messages, g_steal_pointer(&messages));
	g_mutex_unlock(&routes->lock);
	return set;
}
