/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_HOST_H
#define HOTBAY_HOST_H

/** host.h: what the embedding hypervisor supplies. */

#include <glib.h>

G_BEGIN_DECLS

/**
 * HbMsiMessage:
 * @address: the message address, 64 bits (PCIe r6.0 §7.7.1)
 * @data: the message data; the upper 16 bits are zero for MSI
 *
 * One interrupt as the guest programmed it: a memory write of @data to @address.
 */
typedef struct HbMsiMessage {
	guint64 address;
	guint32 data;
} HbMsiMessage;

/**
 * HbRam:
 * @gpa: guest physical address in bytes, aligned to 4 KiB
 * @size: bytes, a multiple of 4 KiB
 * @hva: where the embedder has mapped it; stays mapped while the host object lives
 *
 * One range of guest memory that a passed-through drive may reach by DMA.
 */
typedef struct HbRam {
	guint64 gpa;
	guint64 size;
	gpointer hva;
} HbRam;

/**
 * HbHost:
 *
 * The hypervisor that a VM runs under, as the library knows it: #HbHostOps, the guest's memory, and
 * the loop.
 */
typedef struct HbHost HbHost;

/**
 * HbHostOps:
 * @map: make @size bytes at @hva appear at guest physical @gpa; stores a handle for @unmap in
 *   @slot. All three are multiples of 4 KiB, and no RAM that was declared is in the range;
 *   but a guest may lay two BARs over each other, and of these the second is to be refused. The
 *   memory is a drive's registers: the library's, mapped until after @unmap, and it can vanish
 * under an access (see hb_host_bridge_revoke()). Refused: the guest's accesses are trapped, which
 * works and is slow; said once in the log.
 * @unmap: undo one @map. When it returns no vCPU reaches the memory any more. Cannot fail.
 * @signal_msi: deliver one message now. Any thread, with the bus lock or without it; must not block
 *   on guest progress. Refused: that interrupt is lost, and the log says so.
 * @route_add: reserve an interrupt route; stores its handle in @route. Refused, as by a hypervisor
 *   that has none: the library watches that interrupt itself and sends it from the loop by
 *   @signal_msi, which works and is slower; said once a drive in the log. An implementation that
 *   always refuses may leave the other route functions NULL.
 * @route_set: say which message @route delivers. Takes effect with @routes_commit. Cannot fail.
 * @route_remove: give @route back; it is not connected any more. Takes effect with @routes_commit.
 *   Cannot fail.
 * @routes_commit: make all changes since the last commit effective, in one step. May take as long
 *   as every vCPU needs to leave the old table, as in KVM. Refused: the routes that were new to it
 *   are removed again, and their interrupts sent from the loop.
 * @route_connect: from now on deliver the route's message whenever @eventfd is signalled, and at
 *   once if it is signalled already. @eventfd stays the library's, and open until after
 *   @route_disconnect. Refused: as for @route_add.
 * @route_disconnect: stop that. When it returns no message of it is under way and @eventfd is not
 *   consumed any more: a signal that comes then must be there to be found. Cannot fail.
 * @pin_connect: (nullable): from now on @eventfd, when it is signalled, asserts a line of the root
 *   bus's interrupt pins, a level: @link 0 to 3, which pin P (INTA is 0) of device D on the root
 *   bus has as (D + P) % 4, as in pci_gsi of #HbAcpiMachine. When the guest has ended its interrupt
 *   (EOI) the line is deasserted, and @resample signalled; the device signals again if it still
 *   asserts its pin. Several devices share a line. Both stay the library's, and open until after
 *   @pin_disconnect. Refused, or NULL: guests that do not use MSI-X have no interrupts of the
 *   drive; with NULL, the guest sees no pin. KVM: an irqfd with KVM_IRQFD_FLAG_RESAMPLE.
 * @pin_disconnect: stop that. When it returns @eventfd asserts nothing any more and @resample is
 *   not signalled. What it has asserted is deasserted then; on a line that other devices share, not
 *   later than with the guest's next EOI of it, if the hypervisor keeps one level for all of them,
 *   as KVM does for the irqfds of a line. NULL only together with @pin_connect. Cannot fail.
 * @log: (nullable): one line for the operator, no newline, valid during the call; NULL: the library
 *   writes it to stderr. @level is %G_LOG_LEVEL_MESSAGE, _WARNING or _CRITICAL. Any thread, with or
 *   without the bus lock; should not block.
 *
 * What a hypervisor supplies: guest memory slots, delivery of interrupts, and a log. It need not
 * supply workers or timers. The library starts a thread of its own for each slow thing (closing a
 * drive, resetting it), and has its timers and descriptors on the host's main context.
 *
 * All calls but @signal_msi and @log come under the library's bus lock, so one at a time; a guest
 * access on another vCPU may be waiting for that lock. So an implementation must not call back into
 * the library, must not wait for a vCPU to leave the library, and should be as quick as a system
 * call. Any may be called from a vCPU thread (inside hb_host_bridge_mmio(), hb_host_bridge_pio()
 * and hb_host_bridge_revoke()), from the loop, or from a worker of the library.
 *
 * Functions that return gboolean set @error when they return FALSE; the library frees it.
 */
typedef struct HbHostOps {
	gboolean (*map)(HbHost *host, guint64 gpa, guint64 size, gpointer hva, guint *slot,
			GError **error);
	void (*unmap)(HbHost *host, guint slot);
	gboolean (*signal_msi)(HbHost *host, const HbMsiMessage *message, GError **error);
	gboolean (*route_add)(HbHost *host, guint *route, GError **error);
	void (*route_set)(HbHost *host, guint route, const HbMsiMessage *message);
	void (*route_remove)(HbHost *host, guint route);
	gboolean (*routes_commit)(HbHost *host, GError **error);
	gboolean (*route_connect)(HbHost *host, guint route, int eventfd, GError **error);
	void (*route_disconnect)(HbHost *host, guint route, int eventfd);
	gboolean (*pin_connect)(HbHost *host, guint link, int eventfd, int resample,
				GError **error);
	void (*pin_disconnect)(HbHost *host, guint link, int eventfd, int resample);
	void (*log)(HbHost *host, GLogLevelFlags level, const char *line);
} HbHostOps;

/**
 * hb_host_create:
 * @ops: the embedder's functions; must outlive the host
 * @opaque: for the embedder, see hb_host_get_opaque()
 * @context: (nullable): the main context on which the library watches file descriptors, runs timers
 *   and reports events; NULL is the default context. The embedder iterates it in one thread,
 *   "the loop" in these headers. The host takes a reference. For loops that are not GLib's, see
 *   hb_loop_create().
 *
 * Makes a host, for a hypervisor without KVM, or with a table of interrupt routes that stays in its
 * own hands: all others have hb_kvm_create(). Any thread.
 *
 * Returns: (transfer full): free with hb_host_destroy()
 */
HbHost *hb_host_create(const HbHostOps *ops, gpointer opaque, GMainContext *context);

/** hb_host_destroy: frees it, after everything that was created with it. Takes NULL. Loop thread.
 */
void hb_host_destroy(HbHost *host);

/** hb_host_get_opaque: Returns: (transfer none): what hb_host_create() was given. Any thread. */
gpointer hb_host_get_opaque(HbHost *host);

/** hb_host_get_context: Returns: (transfer none): the main context of the loop. Any thread. */
GMainContext *hb_host_get_context(HbHost *host);

/**
 * hb_host_add_ram:
 * @ram: copied
 *
 * Declares guest memory. Drives opened afterwards reach it by DMA; so declare all of it first. The
 * embedder maps it into the guest by itself. Loop thread.
 *
 * Returns: FALSE with %HB_ERROR_INVALID if it is misaligned or overlaps memory declared before.
 */
gboolean hb_host_add_ram(HbHost *host, const HbRam *ram, GError **error);

/**
 * hb_host_get_ram:
 * @n: (out): how many
 *
 * Returns: (transfer none): the declared ranges in ascending order of address.
 */
const HbRam *hb_host_get_ram(HbHost *host, guint *n);

G_END_DECLS

#endif
