/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The verdict: pulled, or asked for?
 *
 * VFIO signals one and the same request eventfd when the drive was pulled, when its slot is
 * switched off, and when somebody unbinds it; and again every 10 s until it has it back
 * (drivers/vfio/vfio_main.c, Linux 6.1). Only the hardware tells which. The Status register is read
 * from the drive each time, and cannot be all-ones on a drive that answers (PCIe r6.0 §7.5.1.1.4
 * has reserved zeroes in it), while vendor and device id are cached in VFIO and prove nothing.
 *
 *     witness        registers   host's slot       news
 *     request        all-ones                      pulled
 *     request        answer                        asked; from then on looked at every 100 ms,
 *                                                  since who asked may pull next
 *     error          all-ones    occupied          failed
 *     error          all-ones    empty, unknown    pulled
 *     error          answer                        failed
 *     look, twice    all-ones    empty             pulled
 *     look, twice    all-ones    occupied          silent
 *     look           all-ones    unknown           none: an eventfd will tell
 *     look           answer                        none
 *
 * The look, once a second, is for what no eventfd tells: a drive that dies with its link up. It
 * costs one read of a register. Twice, because the host's kernel may be resetting the drive, which
 * it does for at most a second without telling; and because it may not have noticed a pull yet. A
 * drive that is closed before the kernel wants it back is reset in the close, and a reset of a
 * drive that has gone takes a minute (drivers/pci/pci.c, pci_dev_wait(), Linux 6.1).
 */

#include "vfio/notifiers.h"

#include <hotbay/error.h>

#include <errno.h>
#include <glib-unix.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 100
#define LOOKS	      2

typedef enum Witness { WITNESS_REQUEST, WITNESS_ERROR, N_WITNESSES } Witness;

static const guint irq_index[N_WITNESSES] = {
	[WITNESS_REQUEST] = VFIO_PCI_REQ_IRQ_INDEX,
	[WITNESS_ERROR] = VFIO_PCI_ERR_IRQ_INDEX,
};

struct HbVfioNotifiers {
	int device_fd;
	const HbVfioConfig *config;
	const HbVfioHostPort *port; /* (nullable) */
	guint *n_calls;		    /* atomic */
	int eventfds[N_WITNESSES];  /* -1: this device has none */
	GSource *sources[N_WITNESSES];
	GSource *look;	     /* once a second */
	GSource *look_again; /* after a request, more often */
	guint n_silent;	     /* looks in a row that met a silent drive */
	gint resetting;	     /* atomic */
	GMainContext *context;
	HbVfioNotify notify;
	gpointer data;
};

static gboolean set_eventfd(HbVfioNotifiers *notifiers, guint index, gint32 fd)
{
	guint64 buffer[4] = { 0 }; /* aligned room for the structure and one descriptor */
	struct vfio_irq_set *set = (struct vfio_irq_set *)buffer;

	G_STATIC_ASSERT(sizeof(*set) + sizeof(fd) <= sizeof(buffer));
	set->argsz = sizeof(*set) + sizeof(fd);
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = index;
	set->count = 1;
	memcpy(set->data, &fd, sizeof(fd));
	g_atomic_int_inc((gint *)notifiers->n_calls);
	return ioctl(notifiers->device_fd, VFIO_DEVICE_SET_IRQS, set) >= 0;
}

static gboolean open_witness(HbVfioNotifiers *notifiers, Witness witness, GError **error)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = irq_index[witness] };

	if (ioctl(notifiers->device_fd, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0 || info.count == 0)
		return TRUE; /* an error notifier needs AER; the request notifier says what matters
			      */
	notifiers->eventfds[witness] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (notifiers->eventfds[witness] >= 0 &&
	    set_eventfd(notifiers, info.index, notifiers->eventfds[witness]))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "arming VFIO's notifier %u: %s", info.index,
		    g_strerror(errno));
	return FALSE;
}

HbVfioNotifiers *hb_vfio_notifiers_open(int device_fd, const HbVfioConfig *config,
					const HbVfioHostPort *port, guint *n_calls, GError **error)
{
	HbVfioNotifiers *notifiers = g_new0(HbVfioNotifiers, 1);

	notifiers->device_fd = device_fd;
	notifiers->config = config;
	notifiers->port = port;
	notifiers->n_calls = n_calls;
	for (guint i = 0; i < N_WITNESSES; i++)
		notifiers->eventfds[i] = -1;
	for (guint i = 0; i < N_WITNESSES; i++) {
		if (open_witness(notifiers, i, error))
			continue;
		hb_vfio_notifiers_close(notifiers);
		return NULL;
	}
	return notifiers;
}

void hb_vfio_notifiers_close(HbVfioNotifiers *notifiers)
{
	if (!notifiers)
		return;
	hb_vfio_notifiers_unwatch(notifiers);
	for (guint i = 0; i < N_WITNESSES; i++) {
		if (notifiers->eventfds[i] < 0)
			continue;
		set_eventfd(notifiers, irq_index[i], -1);
		close(notifiers->eventfds[i]);
	}
	g_free(notifiers);
}

gboolean hb_vfio_notifiers_is_gone(const HbVfioConfig *config)
{
	guint16 status;

	return !hb_vfio_config_peek_u16(config, PCI_STATUS, &status) || status == 0xffff;
}

gboolean hb_vfio_notifiers_judge(HbVfioNews if_there, gboolean is_gone, HbVfioPresence presence,
				 HbVfioNews *news)
{
	gboolean occupied = presence == HB_VFIO_PRESENCE_OCCUPIED;

	*news = if_there;
	if (!is_gone)
		return if_there != HB_VFIO_NEWS_SILENT;
	if (if_there == HB_VFIO_NEWS_SILENT && presence == HB_VFIO_PRESENCE_UNKNOWN)
		return FALSE;
	if (if_there == HB_VFIO_NEWS_ASKED || !occupied)
		*news = HB_VFIO_NEWS_PULLED;
	return TRUE;
}

static gboolean judge(const HbVfioNotifiers *notifiers, HbVfioNews if_there, HbVfioNews *news)
{
	gboolean is_gone = hb_vfio_notifiers_is_gone(notifiers->config);

	return hb_vfio_notifiers_judge(if_there, is_gone,
				       is_gone ? hb_vfio_host_port_look(notifiers->port)
					       : HB_VFIO_PRESENCE_OCCUPIED,
				       news);
}

static void drop(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static GSource *start_looking(HbVfioNotifiers *notifiers, guint milliseconds, GSourceFunc function)
{
	GSource *source = g_timeout_source_new(milliseconds);

	g_source_set_callback(source, function, notifiers, NULL);
	g_source_attach(source, notifiers->context);
	return source;
}

static gboolean look(gpointer data)
{
	HbVfioNotifiers *notifiers = data;
	HbVfioNews news;

	if (g_atomic_int_get(&notifiers->resetting) ||
	    !judge(notifiers, HB_VFIO_NEWS_SILENT, &news)) {
		notifiers->n_silent = 0;
		return G_SOURCE_CONTINUE;
	}
	if (++notifiers->n_silent < LOOKS)
		return G_SOURCE_CONTINUE;
	drop(&notifiers->look);
	notifiers->notify(news, notifiers->data);
	return G_SOURCE_REMOVE;
}

static gboolean look_again(gpointer data)
{
	HbVfioNotifiers *notifiers = data;

	if (!hb_vfio_notifiers_is_gone(notifiers->config))
		return G_SOURCE_CONTINUE;
	drop(&notifiers->look_again);
	notifiers->notify(HB_VFIO_NEWS_PULLED, notifiers->data);
	return G_SOURCE_REMOVE;
}

static void tell(HbVfioNotifiers *notifiers, HbVfioNews if_there)
{
	HbVfioNews news;

	if (!judge(notifiers, if_there, &news))
		return;
	if (news == HB_VFIO_NEWS_ASKED && !notifiers->look_again)
		notifiers->look_again = start_looking(notifiers, LOOK_AGAIN_MS, look_again);
	notifiers->notify(news, notifiers->data);
}

static gboolean on_request(gint fd, GIOCondition condition, gpointer data)
{
	eventfd_t count;

	if (eventfd_read(fd, &count) == 0)
		tell(data, HB_VFIO_NEWS_ASKED);
	return G_SOURCE_CONTINUE;
}

static gboolean on_error(gint fd, GIOCondition condition, gpointer data)
{
	eventfd_t count;

	if (eventfd_read(fd, &count) == 0)
		tell(data, HB_VFIO_NEWS_FAILED);
	return G_SOURCE_CONTINUE;
}

void hb_vfio_notifiers_watch(HbVfioNotifiers *notifiers, HbHost *host, guint look_ms,
			     HbVfioNotify notify, gpointer data)
{
	static const GUnixFDSourceFunc on_witness[N_WITNESSES] = {
		[WITNESS_REQUEST] = on_request,
		[WITNESS_ERROR] = on_error,
	};

	notifiers->context = hb_host_get_context(host);
	notifiers->notify = notify;
	notifiers->data = data;
	for (guint i = 0; i < N_WITNESSES; i++) {
		if (notifiers->eventfds[i] < 0)
			continue;
		GSource *source = g_unix_fd_source_new(notifiers->eventfds[i], G_IO_IN);
		g_source_set_priority(source, G_PRIORITY_HIGH);
		g_source_set_callback(source, G_SOURCE_FUNC(on_witness[i]), notifiers, NULL);
		g_source_attach(source, notifiers->context);
		notifiers->sources[i] = source;
	}
	notifiers->look = start_looking(notifiers, look_ms, look);
}

void hb_vfio_notifiers_set_resetting(HbVfioNotifiers *notifiers, gboolean resetting)
{
	g_atomic_int_set(&notifiers->resetting, resetting);
}

void hb_vfio_notifiers_unwatch(HbVfioNotifiers *notifiers)
{
	for (guint i = 0; i < N_WITNESSES; i++)
		drop(&notifiers->sources[i]);
	drop(&notifiers->look);
	drop(&notifiers->look_again);
}
