/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VFIO_INTERRUPTS_H
#define VFIO_INTERRUPTS_H

#include "hw/irq-remap.h"
#include "hw/msix.h"
#include "vfio/config.h"
#include "vfio/regions.h"

/*
 * A drive's interrupts: the guest's MSI-X capability and table on one side, VFIO's eventfds on the
 * other, the remapping table between them.
 */
typedef struct HbVfioInterrupts HbVfioInterrupts;

/*
 * @name: the drive's, for messages and for the remapping table. @config is the drive's, and
 * outlives this. Reserves all its vectors in the budget; asks nothing of the drive before the guest
 * enables them.
 */
HbVfioInterrupts *hb_vfio_interrupts_open(int device_fd, const char *name, HbVfioConfig *config,
					  HbHost *host, HbIrqRemap *remap, GError **error);
/* How many a guest uses in the end, if that is known; so many are asked for at once. At first 0. */
void hb_vfio_interrupts_expect(HbVfioInterrupts *interrupts, guint n_vectors);

/* The guest is about to use them: what is switched on and off again at once does not ask the host
 * each time, and routes are made in batches. @bridge outlives this; @port is whose slot the drive
 * sits in; NULL: on bus 0, and without an interrupt pin. With the bus lock held. */
void hb_vfio_interrupts_attach(HbVfioInterrupts *interrupts, HbHostBridge *bridge,
			       const HbPort *port);

void hb_vfio_interrupts_close(HbVfioInterrupts *interrupts);

/* Where the table and the PBA are; before open. FALSE if the drive has no MSI-X. */
gboolean hb_vfio_interrupts_locate(const HbVfioConfig *config, HbVfioTrap *table, HbVfioTrap *pba);

/* The guest wrote Message Control. With the bus lock held, as all below. */
void hb_vfio_interrupts_control_written(HbVfioInterrupts *interrupts);

/* The guest wrote Command. */
void hb_vfio_interrupts_command_written(HbVfioInterrupts *interrupts);

/* Guest accesses to a BAR: TRUE if they were to the table or the PBA, and are done. */
gboolean hb_vfio_interrupts_read(HbVfioInterrupts *interrupts, guint bar, guint64 offset,
				 guint size, guint64 *value);
gboolean hb_vfio_interrupts_write(HbVfioInterrupts *interrupts, guint bar, guint64 offset,
				  guint size, guint64 value);

void hb_vfio_interrupts_reset(HbVfioInterrupts *interrupts);

/* No interrupt of the drive reaches the guest any more. Asks nothing of the drive. */
void hb_vfio_interrupts_sever(HbVfioInterrupts *interrupts);

#endif
