/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_BAY_H
#define VFIO_BAY_H

#include "vfio/bind.h"
#include "vfio/uevent.h"

#include <hotbay/bay.h>

/** hb_bays_create_on: bays of a host that may be a captured one. Nothing is heard of it but what
 * hb_bays_hear() is told. */
HbBays *hb_bays_create_on(const HbBindHost *host, HbHost *embedder, guint patience_ms,
			  GError **error);

/** hb_bays_claim_arrival: @data is the HbBays; any thread, before hb_bays_hear() has the event. */
void hb_bays_claim_arrival(const HbUevent *event, gpointer data);

/** hb_bays_hear: @data is the HbBays. On %HB_UEVENT_LOST each bay is looked at again. */
void hb_bays_hear(const HbUevent *event, gpointer data);

#endif
