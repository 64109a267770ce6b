/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HW_IRQ_FORWARD_H
#define HW_IRQ_FORWARD_H

#include <hotbay/host.h>

/*
 * Delivers one vector by hand: whenever its eventfd is signalled, the loop sends the message by the
 * host's signal_msi. For what the host cannot route, and for what it does not route yet.
 */
typedef struct HbIrqForward HbIrqForward;

/* Whose vectors they are. What the host refuses of all of them is logged once: a guest has a new
 * forwarder with every unmask, and may write any message. */
typedef struct HbIrqForwardOwner {
	HbHost *host;
	const char *name;
	gboolean failure_logged; /* the loop's */
} HbIrqForwardOwner;

/* @eventfd: non-blocking; stays the caller's, who keeps it open until the stop, as @owner. Any
 * thread. */
HbIrqForward *hb_irq_forward_start(HbIrqForwardOwner *owner, int eventfd,
				   const HbMsiMessage *message);

/* Any thread; not from signal_msi. */
void hb_irq_forward_set_message(HbIrqForward *forward, const HbMsiMessage *message);

/* When this returns the eventfd is not consumed and nothing is sent any more. Takes NULL. Any
 * thread; not from signal_msi. */
void hb_irq_forward_stop(HbIrqForward *forward);

#endif
