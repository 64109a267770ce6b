/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * INTx: a level, where messages are edges (PCIe r6.0 §6.1.2). The loop of assertion and
 * deassertion is closed in the kernel, without an exit to here:
 *
 *	drive asserts --> VFIO masks it --> trigger --> KVM raises the pin
 *	                                                      |
 *	drive asserts still, or has <-- VFIO     <-- resample <-- KVM lowers it: the guest has
 *	been served                     unmasks                   ended its interrupt
 *
 * A function comes out of reset with its pin on and no messages, so every guest that enables bus
 * mastering uses it for the moment until it enables MSI-X. It is switched on only when that moment
 * has lasted HB_VFIO_INTX_ON_MS. Until then the drive's own Interrupt Disable is set, so that no
 * line of the host, which others share, is asserted with nobody there to answer; and when it is
 * cleared, VFIO looks whether the drive has something to say, and signals (vfio_pci_intx_unmask()
 *in drivers/vfio/pci/vfio_pci_intrs.c, Linux 6.1). So nothing is lost: a level waits. For the same
 * reason a guest that sets its own Interrupt Disable while it has the pin costs one register: the
 * drive's. (What it had asserted until then stays asserted in the guest until the next EOI.)
 *
 * The bit that VFIO shows is not the drive's, but its own record. The kernel clears the drive's
 * behind it whenever messages are switched off (pci_intx_for_msi() in drivers/pci/msi/msi.c), and
 * VFIO writes it only when the record changes (vfio_basic_config_write() in
 * drivers/vfio/pci/vfio_pci_config.c). So after each end of messages it is cleared and set again.
 *
 * Messages that the drive sent while its guest had switched them off went nowhere; so if it still
 * had them, the pin is raised once, and the driver looks.
 */

#include "vfio/intx.h"

#include "hw/host-bridge.h"
#include "hw/host.h"
#include "hw/later.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct HbVfioIntx {
	int device_fd;
	char *name;
	HbVfioConfig *config; /* the drive's */
	HbHost *host;
	const HbVfioIntxOps *ops;
	gpointer opaque;
	int trigger;
	int resample;
	gboolean available; /* the guest sees a pin */
	guint link;	    /* of the root bus, once attached */
	HbLater *later;	    /* (nullable): once attached, until severed */
	gboolean is_on;	    /* in the host */
	gboolean connected; /* to the guest */
	gboolean refusal_logged;
};

/* The drive's own bit, as VFIO has it on record; the guest has a copy. */
static void set_disabled(HbVfioIntx *intx, gboolean disabled)
{
	guint16 command;

	if (!hb_vfio_config_peek_u16(intx->config, PCI_COMMAND, &command) || command == G_MAXUINT16)
		return;
	guint16 wanted = disabled ? command | PCI_COMMAND_INTX_DISABLE
				  : command & (guint16)~PCI_COMMAND_INTX_DISABLE;
	if (command != wanted)
		hb_vfio_config_poke_u16(intx->config, PCI_COMMAND, wanted);
}

static gboolean find_pin(const HbVfioIntx *intx)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_INTX_IRQ_INDEX };
	guint16 line_and_pin;

	return hb_host_get_ops(intx->host)->pin_connect &&
	       hb_vfio_config_peek_u16(intx->config, PCI_INTERRUPT_LINE, &line_and_pin) &&
	       line_and_pin >> 8 != 0 &&
	       ioctl(intx->device_fd, VFIO_DEVICE_GET_IRQ_INFO, &info) == 0 && info.count == 1;
}

HbVfioIntx *hb_vfio_intx_open(int device_fd, const char *name, HbVfioConfig *config, HbHost *host,
			      const HbVfioIntxOps *ops, gpointer opaque, GError **error)
{
	HbVfioIntx *intx = g_new0(HbVfioIntx, 1);

	intx->device_fd = device_fd;
	intx->name = g_strdup(name);
	intx->config = config;
	intx->host = host;
	intx->ops = ops;
	intx->opaque = opaque;
	intx->trigger = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	intx->resample = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (intx->trigger < 0 || intx->resample < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "%s: eventfd for its interrupt pin: %s: raise the limit of open files "
			    "(ulimit -n)",
			    name, g_strerror(errno));
		hb_vfio_intx_close(intx);
		return NULL;
	}
	set_disabled(intx, TRUE);
	intx->available = find_pin(intx);
	if (intx->available) /* a function alone in its device has INTA (PCIe r6.0 §7.5.1.1.13) */
		config->space.value[PCI_INTERRUPT_PIN] = 1;
	return intx;
}

static int set_irq(HbVfioIntx *intx, guint32 action, int eventfd)
{
	guint64 buffer[(sizeof(struct vfio_irq_set) + sizeof(gint32)) / 8 + 1] = { 0 };
	struct vfio_irq_set *set = (gpointer)buffer;
	gint32 fd = eventfd;

	set->argsz = sizeof(*set) + (eventfd < 0 ? 0 : sizeof(fd));
	set->index = VFIO_PCI_INTX_IRQ_INDEX;
	set->flags = action | (eventfd < 0 ? VFIO_IRQ_SET_DATA_NONE : VFIO_IRQ_SET_DATA_EVENTFD);
	set->count = eventfd < 0 ? 0 : 1;
	memcpy(set->data, &fd, eventfd < 0 ? 0 : sizeof(fd));
	intx->ops->count_call(intx->opaque);
	return ioctl(intx->device_fd, VFIO_DEVICE_SET_IRQS, set);
}

static void disconnect(HbVfioIntx *intx)
{
	if (intx->connected) {
		intx->ops->count_connection(intx->opaque);
		hb_host_get_ops(intx->host)
			->pin_disconnect(intx->host, intx->link, intx->trigger, intx->resample);
	}
	intx->connected = FALSE;
}

static void switch_off(HbVfioIntx *intx)
{
	if (intx->is_on)
		set_disabled(intx, TRUE);
	disconnect(intx);
	/* What it would not stop, it stops at the latest when the drive is closed. */
	if (intx->is_on)
		set_irq(intx, VFIO_IRQ_SET_ACTION_TRIGGER, -1);
	intx->is_on = FALSE;
}

static void log_refusal(HbVfioIntx *intx, const char *why)
{
	if (intx->refusal_logged)
		return;
	intx->refusal_logged = TRUE;
	hb_host_log(
		intx->host, G_LOG_LEVEL_WARNING,
		"%s: its guest uses its interrupt pin (INTx), which cannot be delivered: %s; let "
		"the guest use MSI-X (for Linux: without pci=nomsi)",
		intx->name, why);
}

static void switch_on(gpointer data)
{
	HbVfioIntx *intx = data;
	gboolean had_messages = intx->ops->stop_messages(intx->opaque);
	g_autoptr(GError) error = NULL;

	if (intx->is_on)
		return;
	intx->is_on = set_irq(intx, VFIO_IRQ_SET_ACTION_TRIGGER, intx->trigger) == 0;
	if (!intx->is_on || set_irq(intx, VFIO_IRQ_SET_ACTION_UNMASK, intx->resample)) {
		log_refusal(intx, g_strerror(errno));
		switch_off(intx);
		return;
	}
	intx->ops->count_connection(intx->opaque);
	intx->connected = hb_host_get_ops(intx->host)
				  ->pin_connect(intx->host, intx->link, intx->trigger,
						intx->resample, &error);
	if (!intx->connected) {
		log_refusal(intx, error->message);
		switch_off(intx);
		return;
	}
	set_disabled(intx, FALSE);
	if (had_messages)
		eventfd_write(intx->trigger, 1);
}

void hb_vfio_intx_attach(HbVfioIntx *intx, HbHostBridge *bridge, const HbPort *port)
{
	const HbLaterTimes times = { .quiet_ms = HB_VFIO_INTX_ON_MS,
				     .most_ms = HB_VFIO_INTX_ON_MS };

	if (!intx->available || intx->later)
		return;
	intx->link = hb_host_bridge_get_pin_link(port, 0);
	intx->later = hb_later_create(bridge, times, switch_on, intx);
}

void hb_vfio_intx_follow(HbVfioIntx *intx, gboolean has_messages)
{
	guint16 command = hb_config_space_get_u16(&intx->config->space, PCI_COMMAND);

	gboolean disabled = (command & PCI_COMMAND_INTX_DISABLE) != 0;

	if (!intx->later)
		return;
	if (has_messages || !(command & PCI_COMMAND_MASTER))
		hb_vfio_intx_reset(intx);
	else if (intx->is_on)
		set_disabled(intx, disabled);
	else if (disabled)
		hb_later_forget(intx->later);
	else if (!hb_later_is_asked(intx->later))
		hb_later_ask(intx->later);
}

void hb_vfio_intx_messages_ended(HbVfioIntx *intx)
{
	set_disabled(intx, FALSE);
	set_disabled(intx, TRUE);
}

void hb_vfio_intx_reset(HbVfioIntx *intx)
{
	if (intx->later)
		hb_later_forget(intx->later);
	switch_off(intx);
}

void hb_vfio_intx_sever(HbVfioIntx *intx)
{
	g_clear_pointer(&intx->later, hb_later_destroy);
	disconnect(intx);
}

void hb_vfio_intx_close(HbVfioIntx *intx)
{
	if (!intx)
		return;
	hb_later_destroy(intx->later);
	switch_off(intx);
	if (intx->trigger >= 0)
		close(intx->trigger);
	if (intx->resample >= 0)
		close(intx->resample);
	g_free(intx->name);
	g_free(intx);
}
