/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_RESET_H
#define VFIO_RESET_H

#include "hw/bar.h"
#include "vfio/config.h"
#include "vfio/interrupts.h"
#include "vfio/notifiers.h"

#include <hotbay/host.h>

/*
 * The resets of an open drive, by its guest and with its machine.
 */
typedef struct HbVfioReset HbVfioReset;

/* What a reset is of. All of it outlives hb_vfio_reset_destroy(). */
typedef struct HbVfioResetParts {
	HbHost *host;
	const char *address; /* on the host; for messages, as @id is */
	const char *id;
	HbVfioConfig *config;
	HbVfioInterrupts *interrupts;
	HbBars *bars;
	HbVfioNotifiers *notifiers;
} HbVfioResetParts;

HbVfioReset *hb_vfio_reset_create(const HbVfioResetParts *parts);

/* Waits for a reset in flight: none touches the drive any more. Not with the bus lock held. Takes
 * NULL. */
void hb_vfio_reset_destroy(HbVfioReset *reset);

/* The guest is about to use the drive; @bridge has the bus lock. All below are with that held. */
void hb_vfio_reset_attach(HbVfioReset *reset, HbHostBridge *bridge);

/* The drive is in reset: it does not answer, is no bus master, and who reads it waits. */
gboolean hb_vfio_reset_is_in_flight(const HbVfioReset *reset);

/* A function-level reset: the registers have their initial values at once, the drive is reset in a
 * worker. None may be in flight. */
void hb_vfio_reset_start(HbVfioReset *reset);

/* The reset of the whole machine: blocks until the drive is reset. All vCPUs stand still. */
void hb_vfio_reset_run(HbVfioReset *reset);

/* The guest has no drive any more: what has not begun does not. */
void hb_vfio_reset_sever(HbVfioReset *reset);

#endif
