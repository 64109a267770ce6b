/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_NOTIFIERS_H
#define VFIO_NOTIFIERS_H

#include "vfio/config.h"

#include <hotbay/host.h>

/* What the host tells of a drive that a guest has. */
typedef enum HbVfioNews {
	HB_VFIO_NEWS_PULLED, /* it has left the host */
	HB_VFIO_NEWS_ASKED,  /* it is there, and the host wants it back: unbind, or power-off of its
				slot */
	HB_VFIO_NEWS_FAILED, /* it is there, and reported an error it cannot recover from */
} HbVfioNews;

/* On the loop. Comes again whenever the host insists. */
typedef void (*HbVfioNotify)(HbVfioNews news, gpointer data);

typedef struct HbVfioNotifiers HbVfioNotifiers;

/* @config must outlive the notifiers: it is where the verdict is read. Quiet until watched. */
HbVfioNotifiers *hb_vfio_notifiers_open(int device_fd, const HbVfioConfig *config, GError **error);
void hb_vfio_notifiers_close(HbVfioNotifiers *notifiers);

/* Any thread; and on the loop only, so that no callback runs when it returns. */
void hb_vfio_notifiers_watch(HbVfioNotifiers *notifiers, HbHost *host, HbVfioNotify notify,
			     gpointer data);
void hb_vfio_notifiers_unwatch(HbVfioNotifiers *notifiers);

/* Has the drive left? Its registers tell: all-ones, or no answer. */
gboolean hb_vfio_notifiers_is_gone(const HbVfioConfig *config);

#endif
