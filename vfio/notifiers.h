/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_NOTIFIERS_H
#define VFIO_NOTIFIERS_H

#include "vfio/config.h"
#include "vfio/host-port.h"

#include <hotbay/host.h>

/* What the host tells of a drive that a guest has. */
typedef enum HbVfioNews {
	HB_VFIO_NEWS_PULLED, /* it has left the host */
	HB_VFIO_NEWS_ASKED,  /* it is there, and the host wants it back: unbind, or power-off of its
				slot */
	HB_VFIO_NEWS_FAILED, /* it is there, and reported an error it cannot recover from */
	HB_VFIO_NEWS_SILENT, /* it is there, reported nothing, and does not answer */
} HbVfioNews;

/* On the loop. Comes again whenever the host insists. */
typedef void (*HbVfioNotify)(HbVfioNews news, gpointer data);

typedef struct HbVfioNotifiers HbVfioNotifiers;

/* @config and @port must outlive the notifiers: there the verdict is read. Quiet until watched.
 * @n_calls: as long, atomic; each VFIO_DEVICE_SET_IRQS is counted there. */
HbVfioNotifiers *hb_vfio_notifiers_open(int device_fd, const HbVfioConfig *config,
					const HbVfioHostPort *port, guint *n_calls, GError **error);
void hb_vfio_notifiers_close(HbVfioNotifiers *notifiers);

/* On the loop, so that no callback runs when unwatch returns. @look_ms: between two looks at a
 * drive of which no eventfd tells. */
void hb_vfio_notifiers_watch(HbVfioNotifiers *notifiers, HbHost *host, guint look_ms,
			     HbVfioNotify notify, gpointer data);
void hb_vfio_notifiers_unwatch(HbVfioNotifiers *notifiers);

/* The drive is being reset, or is not any more: meanwhile its silence means nothing, and the kernel
 * lets who reads it wait. Any thread. */
void hb_vfio_notifiers_set_resetting(HbVfioNotifiers *notifiers, gboolean resetting);

/* Does it not answer? Its registers tell: all-ones, or nothing at all. */
gboolean hb_vfio_notifiers_is_gone(const HbVfioConfig *config);

/* The news of a drive that may have gone, when a request or error eventfd (@if_there) came, or at
 * the regular look (SILENT). FALSE: no news. */
gboolean hb_vfio_notifiers_judge(HbVfioNews if_there, gboolean is_gone, HbVfioPresence presence,
				 HbVfioNews *news);

#endif
