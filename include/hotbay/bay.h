/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_BAY_H
#define HOTBAY_BAY_H

/** bay.h: slots of the host that are one VM's, and the drives that come and go in them. */

#include <hotbay/host.h>
#include <hotbay/inventory.h>

G_BEGIN_DECLS

/**
 * HbBays:
 *
 * The slots of the host that belong to one VM: watched for drives that come and go. Everything in
 * this header is for the loop thread.
 */
typedef struct HbBays HbBays;

/** HbBay: one slot of the host. */
typedef struct HbBay HbBay;

/**
 * hb_bays_create:
 * @host: whose loop and log are used; must outlive the result
 *
 * Begins to listen to the host's kernel, and loads vfio-pci. As root.
 *
 * Returns: (nullable): NULL with %HB_ERROR_HOST
 */
HbBays *hb_bays_create(HbHost *host, GError **error);

/**
 * hb_bays_destroy: frees the bays too, and their slots for other VMs. Waits for a switch that is
 * under way. Drives stay with the driver that they have. Takes NULL.
 */
void hb_bays_destroy(HbBays *bays);

/**
 * hb_bays_claim:
 * @slot: a name in /sys/bus/pci/slots, or the address of the slot's port
 *
 * Makes a slot of the host this VM's, which no other VM can have until hb_bays_destroy() or the end
 * of the process, however it comes.
 *
 * Returns: (transfer none) (nullable): NULL with an error that names the slot:
 *   %HB_ERROR_NOT_FOUND there is none, and which there are; %HB_ERROR_INVALID several have that
 *   number; %HB_ERROR_BUSY it is a VM's already; %HB_ERROR_UNSUPPORTED it is no PCI Express slot,
 *   or no driver of the host runs it; %HB_ERROR_HOST
 */
HbBay *hb_bays_claim(HbBays *bays, const char *slot, GError **error);

/** hb_bay_get_slot: Returns: (transfer none): its name in /sys/bus/pci/slots. */
const char *hb_bay_get_slot(const HbBay *bay);

/** hb_bay_get_port: Returns: (transfer none): the address of its port, "0000:00:04.0". */
const char *hb_bay_get_port(const HbBay *bay);

/** hb_bay_get_drive: Returns: (transfer none) (nullable): the address of the drive in it. */
const char *hb_bay_get_drive(const HbBay *bay);

/**
 * hb_bay_watch:
 * @take: whether drives that come are given to vfio-pci
 *
 * From here on the host's listener (hb_host_set_listener()) is told of drives that come and go,
 * %HB_EVENT_HOST_DRIVE_ADDED and the others. A drive is taken when it comes, and only then: one
 * that the host's administrator takes back is left alone until it, or another, comes anew.
 */
void hb_bay_watch(HbBay *bay, gboolean take);

/**
 * hb_bay_take_now:
 *
 * Gives the drive that is there to vfio-pci, and waits for it; for a machine that is yet to start.
 *
 * Returns: FALSE with the errors of hb_bind_to_vfio(), or %HB_ERROR_NOT_FOUND if it is empty
 */
gboolean hb_bay_take_now(HbBay *bay, GError **error);

/** hb_bay_has_attention: Returns: whether its attention indicator can be set: not if it has none.
 */
gboolean hb_bay_has_attention(const HbBay *bay);

/**
 * hb_bay_set_attention:
 * @indicator: off, on or blink
 *
 * Sets the attention indicator soon, in a worker: of several calls in a row the last one counts.
 */
void hb_bay_set_attention(HbBay *bay, HbHostIndicator indicator);

G_END_DECLS

#endif
