/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Slots of the host, and the drives that come and go in them:
 *
 *     EMPTY --add--> TAKING --in a worker--> taken, or refused and left to the host
 *       ^              |                        |
 *       +----remove----+--------remove----------+
 *
 * A bay is known by its port; the drive in it may have another address each time. Only a drive's
 * coming makes it the VM's. Whatever is done to it afterwards, such as an unbind by the host's
 * administrator, is not fought; it has to come anew, and then it counts as another drive. So when
 * the worker is done, its result is for the drive that it was started for, or for nobody.
 *
 * When the kernel had to leave out something of what it tells, all bays are looked at again: what
 * is there and was not known has come, what was known and is gone has left. What the kernel had
 * told by then is heard after that look, and may be about a drive's predecessor at the same
 * address.
 *
 * Loop thread, but for run_take(), run_attention() and hb_bays_claim_arrival(). What the last reads
 * is changed on the loop with the lock.
 */

#include "vfio/bay.h"

#include "hw/event-stream.h"
#include "hw/host.h"
#include "vfio/bay-lock.h"
#include "vfio/bay-slot.h"
#include "vfio/bay-take.h"
#include "vfio/host-files.h"

#include <hotbay/error.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLASS_NVME  0x0108 /* PCI Code and ID r1.15 §1.2 */
#define PATIENCE_MS 3000   /* how long the kernel may take from telling of a drive to its driver */

struct HbBay {
	HbBays *bays;
	char *slot;
	char *port;
	int lock;
	gboolean has_attention;
	gboolean take;	  /* changed with the lock */
	gboolean watched; /* what comes and goes is told */
	char *drive;	  /* address; NULL: empty; changed with the lock */
	guint64 inode;	  /* tells it from who has that address later: see get_inode() */
	guint n_arrivals; /* tells a drive from its successors */
	guint taking;	  /* the arrival that a worker is busy with; 0: none does */
	GThread *worker;
	gint wanted; /* atomic: HbHostIndicator */
	gint shown;  /* likewise, as last written; of the attention worker */
};

struct HbBays {
	HbBindHost host;
	HbHost *embedder;
	guint patience_ms;
	HbInventory *inventory; /* for the slots' names */
	HbUevents *uevents;	/* NULL: a test tells */
	guint64 looked;		/* the kernel's last event when all were looked at; 0: never */
	GMutex lock;
	GPtrArray *list;	/* of HbBay; changed with the lock */
	GThreadPool *attention; /* one thread */
};

/* What a worker was to do, and how it ended. */
typedef struct Take {
	HbBay *bay;
	guint arrival;
	char *address;
	GError *error;
} Take;

static void start_taking(HbBay *bay);

static void tell(HbBay *bay, HbEventType type, const char *address, const GError *error)
{
	const HbEvent event = { .type = type, .bay = bay, .address = address, .error = error };

	if (bay->watched)
		hb_event_stream_add(hb_host_get_events(bay->bays->embedder), bay->bays, &event);
}

/* ---- taking a drive ---- */

static void finish_taking(HbBay *bay)
{
	g_clear_pointer(&bay->worker, g_thread_join);
	bay->taking = 0;
}

static void on_taken(gpointer data)
{
	g_autofree Take *take = data;
	HbBay *bay = take->bay;

	finish_taking(bay);
	if (bay->drive && bay->n_arrivals != take->arrival)
		start_taking(bay);
	else if (bay->drive)
		tell(bay, take->error ? HB_EVENT_HOST_DRIVE_REFUSED : HB_EVENT_HOST_DRIVE_TAKEN,
		     take->address, take->error);
	g_clear_error(&take->error);
	g_free(take->address);
}

static gpointer run_take(gpointer data)
{
	Take *take = data;
	const HbBays *bays = take->bay->bays;

	hb_bay_take(&bays->host, take->address, bays->patience_ms, &take->error);
	hb_host_post(bays->embedder, on_taken, take);
	return NULL;
}

static void start_taking(HbBay *bay)
{
	Take *take;

	if (!bay->take || bay->taking)
		return;
	take = g_new0(Take, 1);
	take->bay = bay;
	take->arrival = bay->taking = bay->n_arrivals;
	take->address = g_strdup(bay->drive);
	bay->worker = g_thread_new("hotbay-bay", run_take, take);
}

gboolean hb_bay_take_now(HbBay *bay, GError **error)
{
	if (bay->drive)
		return hb_bay_take(&bay->bays->host, bay->drive, bay->bays->patience_ms, error);
	g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND, "host slot %s: it is empty", bay->slot);
	return FALSE;
}

/* ---- what the kernel tells ---- */

static gint64 read_class(const HbBays *bays, const char *address)
{
	return hb_host_files_read_number(bays->host.root, 0, "sys/bus/pci/devices/%s/class",
					 address);
}

static void refuse_other(HbBay *bay, const char *address)
{
	g_autoptr(GError) error = NULL;

	g_set_error(&error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "%s: not an NVMe drive (its class is %06x, not 0108xx): take it out of host "
		    "slot %s",
		    address, (guint)read_class(bay->bays, address), bay->slot);
	tell(bay, HB_EVENT_HOST_DRIVE_REFUSED, address, error);
}

static void set_drive(HbBay *bay, char *address)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&bay->bays->lock);

	bay->drive = address;
}

static gboolean is_virtual(const HbBays *bays, const char *address)
{
	return hb_host_files_exist(bays->host.root, "sys/bus/pci/devices/%s/physfn", address);
}

/* The number of the drive's folder in sysfs, which is another one for each that comes to an address
 * (fs/kernfs/dir.c, Linux 6.1); 0 if it is gone. */
static guint64 get_inode(const HbBays *bays, const char *address)
{
	g_autofree char *path =
		hb_host_files_path(bays->host.root, "sys/bus/pci/devices/%s", address);
	struct stat info;

	return stat(path, &info) == 0 ? info.st_ino : 0;
}

/* Of a drive with several functions the first one counts; virtual ones are nobody's push, nor is
 * one that has gone since. */
static void on_add(HbBay *bay, const char *address)
{
	guint64 inode = get_inode(bay->bays, address);

	if (bay->drive || !inode || is_virtual(bay->bays, address))
		return;
	if (read_class(bay->bays, address) >> 8 != CLASS_NVME) {
		refuse_other(bay, address);
		return;
	}
	set_drive(bay, g_strdup(address));
	bay->inode = inode;
	bay->n_arrivals++;
	start_taking(bay);
	tell(bay, HB_EVENT_HOST_DRIVE_ADDED, address, NULL);
}

static gboolean is_still_there(const HbBay *bay)
{
	return get_inode(bay->bays, bay->drive) == bay->inode;
}

static void on_remove(HbBay *bay, const char *address)
{
	g_autofree char *drive = NULL;

	if (g_strcmp0(bay->drive, address) != 0)
		return;
	drive = bay->drive;
	set_drive(bay, NULL);
	tell(bay, HB_EVENT_HOST_DRIVE_REMOVED, drive, NULL);
}

/* The first drive's function below the port, by sysfs; NULL if there is none. */
static char *find_drive(const HbBays *bays, const char *port)
{
	g_autoptr(GPtrArray) names =
		hb_host_files_list(bays->host.root, "sys/bus/pci/devices/%s", port);

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (read_class(bays, name) >> 8 == CLASS_NVME && !is_virtual(bays, name))
			return g_strdup(name);
	}
	return NULL;
}

static void look_again(HbBay *bay)
{
	g_autofree char *found = find_drive(bay->bays, bay->port);

	if (bay->drive && !is_still_there(bay))
		on_remove(bay, bay->drive);
	if (found)
		on_add(bay, found);
}

static void look_at_all(HbBays *bays)
{
	hb_host_log(bays->embedder, G_LOG_LEVEL_WARNING,
		    "the host's kernel told of more devices than could be heard: looking at all "
		    "bays again");
	for (guint i = 0; i < bays->list->len; i++) {
		HbBay *bay = g_ptr_array_index(bays->list, i);

		if (bay->watched)
			look_again(bay);
	}
	bays->looked =
		(guint64)hb_host_files_read_number(bays->host.root, 0, "sys/kernel/uevent_seqnum");
}

/*
 * The removal of a predecessor at the same address, told of before the last look. Of a newer one
 * the folder says nothing: it goes a moment after the event (drivers/base/core.c, device_del(),
 * Linux 6.1).
 */
static gboolean is_outdated(const HbBay *bay, const HbUevent *event)
{
	return event->sequence <= bay->bays->looked && bay->drive && is_still_there(bay);
}

static HbBay *find_bay(const HbBays *bays, const char *port)
{
	for (guint i = 0; i < bays->list->len; i++) {
		HbBay *bay = g_ptr_array_index(bays->list, i);

		if (strcmp(bay->port, port) == 0)
			return bay;
	}
	return NULL;
}

/* The port above the function that the event is about. */
static char *get_port(const HbUevent *event)
{
	g_autofree char *folder = g_path_get_dirname(event->path);

	return g_path_get_basename(folder);
}

/* Whether what comes there is to be vfio-pci's; any thread. */
static gboolean takes(HbBays *bays, const char *port)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&bays->lock);
	const HbBay *bay = find_bay(bays, port);

	return bay && bay->take && !bay->drive;
}

void hb_bays_claim_arrival(const HbUevent *event, gpointer data)
{
	HbBays *bays = data;
	g_autofree char *port = get_port(event);
	g_autofree char *address = g_path_get_basename(event->path);

	if (strcmp(event->action, "add") == 0 && takes(bays, port) && !is_virtual(bays, address) &&
	    read_class(bays, address) >> 8 == CLASS_NVME)
		hb_bay_claim(&bays->host, address);
}

void hb_bays_hear(const HbUevent *event, gpointer data)
{
	g_autofree char *port = get_port(event);
	g_autofree char *address = g_path_get_basename(event->path);
	HbBay *bay = find_bay(data, port);
	gboolean is_watched = bay && bay->watched;

	if (strcmp(event->action, HB_UEVENT_LOST) == 0)
		look_at_all(data);
	else if (is_watched && strcmp(event->action, "add") == 0)
		on_add(bay, address);
	else if (is_watched && strcmp(event->action, "remove") == 0 && !is_outdated(bay, event))
		on_remove(bay, address);
}

/* ---- the attention indicator ---- */

/* The values of drivers/pci/hotplug/pciehp_core.c, set_attention_status(), Linux 6.1. */
static const char *get_attention_text(HbHostIndicator indicator)
{
	return indicator == HB_HOST_INDICATOR_BLINK ? "2"
	       : indicator == HB_HOST_INDICATOR_ON  ? "1"
						    : "0";
}

/* The kernel waits for the slot to take the command, up to a second. */
static void run_attention(gpointer data, gpointer pool_data)
{
	HbBay *bay = data;
	const HbBays *bays = bay->bays;
	gint wanted = g_atomic_int_get(&bay->wanted);
	g_autofree char *path =
		hb_host_files_path(bays->host.root, "sys/bus/pci/slots/%s/attention", bay->slot);
	g_autoptr(GError) error = NULL;

	if (wanted == bay->shown)
		return;
	bay->shown = wanted;
	if (!bays->host.ops->write(bays->host.opaque, path, get_attention_text(wanted), &error))
		hb_host_log(bays->embedder, G_LOG_LEVEL_WARNING, "host slot %s: %s", bay->slot,
			    error->message);
}

gboolean hb_bay_has_attention(const HbBay *bay)
{
	return bay->has_attention;
}

void hb_bay_set_attention(HbBay *bay, HbHostIndicator indicator)
{
	if (g_atomic_int_get(&bay->wanted) == (gint)indicator)
		return;
	g_atomic_int_set(&bay->wanted, indicator);
	g_thread_pool_push(bay->bays->attention, bay, NULL);
}

/* ---- the bays ---- */

static void bay_free(gpointer data)
{
	HbBay *bay = data;

	close(bay->lock);
	g_free(bay->drive);
	g_free(bay->port);
	g_free(bay->slot);
	g_free(bay);
}

static HbBays *bays_new(const HbBindHost *host, HbHost *embedder, guint patience_ms)
{
	HbBays *bays = g_new0(HbBays, 1);

	bays->host = *host;
	bays->embedder = embedder;
	bays->patience_ms = patience_ms;
	g_mutex_init(&bays->lock);
	bays->list = g_ptr_array_new_with_free_func(bay_free);
	bays->attention = g_thread_pool_new(run_attention, NULL, 1, FALSE, NULL);
	return bays;
}

static gboolean look(HbBays *bays, GError **error)
{
	const HbBindHost *host = &bays->host;

	bays->inventory = hb_inventory_take(host->root[0] ? host->root : NULL, error);
	return bays->inventory &&
	       (hb_host_files_exist(host->root, "sys/bus/pci/drivers/vfio-pci") ||
		host->ops->load(host->opaque, "vfio-pci", error));
}

HbBays *hb_bays_create_on(const HbBindHost *host, HbHost *embedder, guint patience_ms,
			  GError **error)
{
	HbBays *bays = bays_new(host, embedder, patience_ms);

	if (look(bays, error))
		return bays;
	hb_bays_destroy(bays);
	return NULL;
}

HbBays *hb_bays_create(HbHost *host, GError **error)
{
	const HbBindHost this_host = { .root = "", .ops = &hb_bind_kernel_ops };
	HbBays *bays = bays_new(&this_host, host, PATIENCE_MS);

	/* first, so that no drive comes between the look and the listening */
	bays->uevents = hb_uevents_open(hb_host_get_context(host), hb_bays_claim_arrival,
					hb_bays_hear, bays, error);
	if (bays->uevents && look(bays, error))
		return bays;
	hb_bays_destroy(bays);
	return NULL;
}

static void end_watching(HbBays *bays)
{
	for (guint i = 0; i < bays->list->len; i++) {
		HbBay *bay = g_ptr_array_index(bays->list, i);

		bay->watched = FALSE;
		bay->take = FALSE;
	}
	hb_event_stream_forget(hb_host_get_events(bays->embedder), bays);
}

/* Whose results nobody waits for any more. */
static void end_taking(HbBays *bays)
{
	for (guint i = 0; i < bays->list->len; i++) {
		const HbBay *bay = g_ptr_array_index(bays->list, i);

		while (bay->taking)
			g_main_context_iteration(hb_host_get_context(bays->embedder), TRUE);
	}
}

void hb_bays_destroy(HbBays *bays)
{
	if (!bays)
		return;
	hb_uevents_close(bays->uevents);
	end_watching(bays);
	end_taking(bays);
	g_thread_pool_free(bays->attention, FALSE, TRUE);
	g_ptr_array_unref(bays->list);
	hb_inventory_free(bays->inventory);
	g_mutex_clear(&bays->lock);
	g_free(bays);
}

HbBay *hb_bays_claim(HbBays *bays, const char *slot, GError **error)
{
	const HbHostSlot *found = hb_bay_slot_find(bays->inventory, slot, error);
	int lock;

	if (!found)
		return NULL;
	if (find_bay(bays, found->port)) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "host slot %s: it is another port's already: use each once", slot);
		return NULL;
	}
	lock = hb_bay_lock(bays->host.root, slot, found->port, error);
	if (lock < 0)
		return NULL;
	HbBay *bay = g_new0(HbBay, 1);
	bay->bays = bays;
	bay->slot = g_strdup(found->name);
	bay->port = g_strdup(found->port);
	bay->lock = lock;
	bay->has_attention = found->attention != HB_HOST_INDICATOR_ABSENT;
	bay->drive = find_drive(bays, bay->port);
	bay->inode = bay->drive ? get_inode(bays, bay->drive) : 0;
	g_mutex_lock(&bays->lock);
	g_ptr_array_add(bays->list, bay);
	g_mutex_unlock(&bays->lock);
	return bay;
}

void hb_bay_watch(HbBay *bay, gboolean take)
{
	g_mutex_lock(&bay->bays->lock);
	bay->take = take;
	g_mutex_unlock(&bay->bays->lock);
	bay->watched = TRUE;
}

const char *hb_bay_get_slot(const HbBay *bay)
{
	return bay->slot;
}

const char *hb_bay_get_port(const HbBay *bay)
{
	return bay->port;
}

const char *hb_bay_get_drive(const HbBay *bay)
{
	return bay->drive;
}
