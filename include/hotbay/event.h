/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_EVENT_H
#define HOTBAY_EVENT_H

/** event.h: what happens in slots and bays, and the requests that it answers. */

#include <hotbay/bay.h>
#include <hotbay/slot.h>

G_BEGIN_DECLS

/**
 * HbEventType:
 * @HB_EVENT_PLUG_WAITING: the function stands in line; %HB_EVENT_PLUGGED, %HB_EVENT_PLUG_REFUSED or
 *   %HB_EVENT_SEVERED ends that
 * @HB_EVENT_PLUGGED: the function is in the slot and the guest was told
 * @HB_EVENT_PLUG_REFUSED: it stood in line behind a removal that was refused, and will be released
 * @HB_EVENT_REMOVAL_WAITING: a removal was asked for, and the guest cannot be asked yet, or has to
 *   be asked again: it does not listen, or an indicator blinks
 * @HB_EVENT_REMOVAL_REQUESTED: the guest was asked to let the occupant go. Of this one and
 *   %HB_EVENT_REMOVAL_WAITING together the first %HB_EVENT_REMOVAL_BURST of a removal are told:
 *   how often it has to ask again is the guest's doing. hb_port_get_info() knows always.
 * @HB_EVENT_REMOVAL_REFUSED: it did not: the guest cancelled, or did not answer in time; see the
 *   reason. The occupant stays, and may be asked for again.
 * @HB_EVENT_SEVERED: the function is out of the guest: after a completed removal, or pulled, or it
 *   has left the line
 * @HB_EVENT_RELEASED: the function holds nothing of the host any more: its last file descriptor is
 *   closed
 * @HB_EVENT_OVERTAKEN: the request's place was taken by another one for the same function, and what
 *   that one ends in is how both end
 * @HB_EVENT_INDICATORS: the guest changed an indicator or the slot's power. Told at most
 *   %HB_EVENT_INDICATORS_BURST times in a row and then ten times a second, for each slot; what is
 *   left out is between two that are told, and the last one always is. Never has a number.
 * @HB_EVENT_ERROR_CONTAINED: the function does not work any more, and is being taken from its guest
 *   for that: %HB_EVENT_SEVERED of the same function follows. Nothing else in the VM is touched.
 * @HB_EVENT_HOST_DRIVE_ADDED: an NVMe drive has come into the bay
 * @HB_EVENT_HOST_DRIVE_TAKEN: it is vfio-pci's now: hb_vfio_device_open() may follow
 * @HB_EVENT_HOST_DRIVE_REFUSED: it cannot be taken, and is as it was; or what has come is no NVMe
 *   drive; the error says why
 * @HB_EVENT_HOST_DRIVE_REMOVED: it has left the host: pulled, or switched off
 *
 * What happens in a slot, and from %HB_EVENT_HOST_DRIVE_ADDED on in a bay.
 */
typedef enum HbEventType {
	HB_EVENT_PLUG_WAITING,
	HB_EVENT_PLUGGED,
	HB_EVENT_PLUG_REFUSED,
	HB_EVENT_REMOVAL_WAITING,
	HB_EVENT_REMOVAL_REQUESTED,
	HB_EVENT_REMOVAL_REFUSED,
	HB_EVENT_SEVERED,
	HB_EVENT_RELEASED,
	HB_EVENT_OVERTAKEN,
	HB_EVENT_INDICATORS,
	HB_EVENT_ERROR_CONTAINED,
	HB_EVENT_HOST_DRIVE_ADDED,
	HB_EVENT_HOST_DRIVE_TAKEN,
	HB_EVENT_HOST_DRIVE_REFUSED,
	HB_EVENT_HOST_DRIVE_REMOVED,
} HbEventType;

/** HB_EVENT_N_TYPES: how many there are. */
#define HB_EVENT_N_TYPES (HB_EVENT_HOST_DRIVE_REMOVED + 1)

/** HB_EVENT_INDICATORS_BURST: how many %HB_EVENT_INDICATORS of a slot in a row are told as they
 * come.
 */
#define HB_EVENT_INDICATORS_BURST 16

/** HB_EVENT_REMOVAL_BURST: how many %HB_EVENT_REMOVAL_WAITING and %HB_EVENT_REMOVAL_REQUESTED of
 * one removal are told, both together.
 */
#define HB_EVENT_REMOVAL_BURST 16

/**
 * hb_event_type_to_str:
 * @type: of an event
 *
 * Returns: its name without prefix, "REMOVAL_REFUSED" say; static. Any thread.
 */
const char *hb_event_type_to_str(HbEventType type);

/**
 * HbEvent:
 * @type: what has happened
 * @time_us: when it happened, as g_get_monotonic_time()
 * @request: the number of the request that it answers; 0: nobody's, or one without a number
 * @ends_request: whether it is the last event with that number
 * @port: (nullable): of a slot's events: where
 * @function: (nullable): of a slot's events: the occupant or newcomer it is about; for
 *   identification only. With %HB_EVENT_RELEASED it is freed already, and another one, opened
 *   since, may have its address: meant is the one that was severed, of several the first.
 * @reason: why it was refused, severed, let in or overtaken; of %HB_EVENT_RELEASED: why it left
 * @failure: of %HB_EVENT_ERROR_CONTAINED: what told of it
 * @attention_indicator, @power_indicator: of a slot's events but %HB_EVENT_RELEASED: what they
 * showed then
 * @powered: likewise: whether the slot had power
 * @bay: (nullable): of the host's drives: where
 * @address: (nullable): of the host's drives: which, "0000:01:00.0". Its serial number is known to
 *   nobody before a driver has it.
 * @error: (nullable): of %HB_EVENT_HOST_DRIVE_REFUSED: why
 *
 * Something that happened in a slot or in a bay.
 *
 * Whoever asks may give the request a number other than 0: hb_port_plug(),
 * hb_port_request_removal_of(), hb_port_give_back() and hb_port_pull_because() take one. The
 * library does not look at it. If the call succeeds, exactly one event has that number and
 * @ends_request, and no other comes after it:
 *
 * - of a plug %HB_EVENT_PLUGGED, or, when it is released again before it was in, %HB_EVENT_RELEASED
 * - of a removal %HB_EVENT_REMOVAL_REFUSED or %HB_EVENT_RELEASED
 * - of a pull %HB_EVENT_RELEASED
 * - of each %HB_EVENT_OVERTAKEN, where a request with another number takes over
 *
 * What comes between is the request's progress, and has its number as well. What nobody asked for,
 * or what was asked for without a number, overtakes nothing: a drive that is pulled out of the host
 * in the middle of a removal leaves as the end of that removal, with %HB_SLOT_REASON_PULL.
 */
typedef struct HbEvent {
	HbEventType type;
	gint64 time_us;
	guint64 request;
	gboolean ends_request;
	HbPort *port;
	HbPciFunction *function;
	HbSlotReason reason;
	HbPortFailure failure;
	HbIndicator attention_indicator;
	HbIndicator power_indicator;
	gboolean powered;
	HbBay *bay;
	const char *address;
	const GError *error;
} HbEvent;

/**
 * HbEventListener:
 * @event: valid during the call
 *
 * Called on the loop, after the fact, in the order in which things happened, whatever the slot or
 * bay, without any lock held: it may call anything, but destroy neither the bridge nor the bays. It
 * may iterate the loop, and is not called again before it has returned: do not wait there for an
 * event. Only %HB_EVENT_INDICATORS may come late.
 */
typedef void (*HbEventListener)(const HbEvent *event, gpointer data);

/**
 * hb_host_set_listener:
 * @listener: (nullable): NULL: nobody is told any more
 *
 * One listener is told of everything that happens in the slots of @host's bridges and in its bays.
 * When the bridge is destroyed, or the bays are, nothing is told of them any more, not even the end
 * of what is under way. The loop runs while a bridge is destroyed, and what happens elsewhere is
 * told meanwhile: destroy the bays first, and set NULL before, or your listener finds half a
 * bridge. Loop thread.
 */
void hb_host_set_listener(HbHost *host, HbEventListener listener, gpointer data);

G_END_DECLS

#endif
