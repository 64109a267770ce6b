/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Host vectors are asked for in one VFIO call when the guest lifts the function mask of an enabled
 * MSI-X: as many as it has programmed, or as guests of this VM are expected to use, if that is
 * more. Linux programs all of them before that, and starts the drive after it; a drive may look at
 * its MSI-X when it is started (QEMU's emulated one never signals an admin queue that was created
 * while MSI-X was off), so the first unmasked vector would be too late.
 *
 * A driver starts a drive with one vector, switches MSI-X off, and on again with all of them. So
 * what is on stays on when the guest switches MSI-X off, and goes off when that has lasted OFF_MS;
 * meanwhile it is signalled in vain, as behind a mask.
 *
 * A guest that uses more later has its set grown to twice the size, so that n vectors that come
 * one by one are few calls. Since Linux 6.5 a set of MSI-X can grow by what is new. Kernels that
 * say VFIO_IRQ_INFO_NORESIZE can only give it up first, and in between an interrupt of the drive
 * could be lost: so every vector that was there is signalled once then. A driver takes a spurious
 * interrupt, not a missing one.
 */

#include "vfio/interrupts.h"

#include "hw/host.h"
#include "hw/later.h"
#include "vfio/intx.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#define MSIX_ENTRY_SIZE 16
#define OFF_MS		1000

struct HbVfioInterrupts {
	int device_fd;
	char *name;
	const HbVfioConfig *config; /* the drive's */
	HbHost *host;
	HbMsix *msix;
	HbIrqSource *source;
	HbVfioTrap table;
	HbVfioTrap pba;
	HbVfioIntx *intx; /* for guests that do not use MSI-X */
	HbLater *off;	  /* (nullable): once attached, until severed */
	gboolean dynamic; /* the kernel can add vectors to those that are on */
	guint n_expected; /* that a guest will use in the end */
	guint n_active;	  /* host vectors that are on */
	guint n_wanted;	  /* one past the last unmasked vector */
	guint limit;	  /* more than so many the host did not give */
	int refusal;	  /* what set_irqs() last said, if that was not 0 */
	gboolean refusal_logged;
	gboolean severed;
};

gboolean hb_vfio_interrupts_locate(const HbVfioConfig *config, HbVfioTrap *table, HbVfioTrap *pba)
{
	if (!config->msix)
		return FALSE;
	guint n = (hb_config_space_get_u16(&config->space, config->msix + PCI_MSIX_FLAGS) &
		   PCI_MSIX_FLAGS_QSIZE) +
		  1;
	guint32 where_table =
		hb_config_space_get_u32(&config->space, config->msix + PCI_MSIX_TABLE);
	guint32 where_pba = hb_config_space_get_u32(&config->space, config->msix + PCI_MSIX_PBA);

	table->bar = where_table & PCI_MSIX_TABLE_BIR;
	table->offset = where_table & PCI_MSIX_TABLE_OFFSET;
	table->size = (guint64)n * MSIX_ENTRY_SIZE;
	pba->bar = where_pba & PCI_MSIX_PBA_BIR;
	pba->offset = where_pba & PCI_MSIX_PBA_OFFSET;
	pba->size = (n + 63) / 64 * 8;
	return TRUE;
}

/*
 * Vectors @start to @start + @count - 1 on; with a @count of 0, all off. 0: done; negative: the
 * negative error number. Positive, of the first ones only: the host can give only so many, and gave
 * none (vfio_msi_enable() in drivers/vfio/pci/vfio_pci_intrs.c, Linux 6.1).
 *
 * Whatever leaves the drive without messages leaves its pin open in the host.
 */
static int set_irqs(HbVfioInterrupts *interrupts, guint start, guint count)
{
	gsize size = sizeof(struct vfio_irq_set) + count * sizeof(gint32);
	g_autofree struct vfio_irq_set *set = g_malloc0(size);

	set->argsz = (guint32)size;
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->start = start;
	set->count = count;
	for (guint i = 0; i < count; i++) {
		gint32 fd = hb_irq_source_get_eventfd(interrupts->source, start + i);
		memcpy(set->data + i * sizeof(fd), &fd, sizeof(fd));
	}
	hb_irq_source_count_vector_call(interrupts->source);
	int result = ioctl(interrupts->device_fd, VFIO_DEVICE_SET_IRQS, set);
	if (result < 0)
		result = -errno;
	if (count == 0 || (result && start == 0))
		hb_vfio_intx_messages_ended(interrupts->intx);
	return result;
}

static gboolean is_dynamic(int device_fd)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };

	return ioctl(device_fd, VFIO_DEVICE_GET_IRQ_INFO, &info) == 0 &&
	       !(info.flags & VFIO_IRQ_INFO_NORESIZE);
}

/* As many as the guest needs now. */
static guint get_needed(const HbVfioInterrupts *interrupts)
{
	return MAX(interrupts->n_wanted, hb_msix_get_n_programmed(interrupts->msix));
}

static void deactivate(HbVfioInterrupts *interrupts)
{
	/* What it would not stop, it stops at the latest when the drive is closed. */
	if (interrupts->n_active)
		set_irqs(interrupts, 0, 0);
	interrupts->n_active = 0;
}

/* Off, and whatever the host refused may be asked for again. */
static void give_back(HbVfioInterrupts *interrupts)
{
	deactivate(interrupts);
	interrupts->limit = hb_msix_get_n_vectors(interrupts->msix);
}

/* The first @count on, where none are; as set_irqs(). */
static int ask(HbVfioInterrupts *interrupts, guint count)
{
	int result = set_irqs(interrupts, 0, count);

	if (result)
		interrupts->refusal = result;
	else
		interrupts->n_active = count;
	return result;
}

/*
 * None are on. As many of @count as the host says it can give. If it does not say: what the guest
 * needs, without the surplus; and if that is too much, as many as were on @before.
 */
static void ask_for_some(HbVfioInterrupts *interrupts, guint count, guint before)
{
	guint needed = MAX(get_needed(interrupts), 1);
	int result = ask(interrupts, count);

	if (result < 0 && needed < count)
		result = ask(interrupts, needed);
	if (result == 0)
		return;
	interrupts->limit = result > 0 ? (guint)result : before;
	if (interrupts->limit && ask(interrupts, interrupts->limit))
		interrupts->limit = 0;
}

/* Where those that are on must be given up for more. */
static void activate(HbVfioInterrupts *interrupts, guint count)
{
	guint before = interrupts->n_active;

	deactivate(interrupts);
	ask_for_some(interrupts, count, before);
	for (guint i = 0; i < MIN(before, interrupts->n_active); i++)
		eventfd_write(hb_irq_source_get_eventfd(interrupts->source, i), 1);
}

/* As many more as the host gives, up to @count; it does not say how many it has. */
static void extend(HbVfioInterrupts *interrupts, guint count)
{
	guint before = interrupts->n_active;
	guint more = count - before;
	int result = set_irqs(interrupts, before, more);

	while (result && more > 1) {
		more /= 2;
		result = set_irqs(interrupts, before, more);
	}
	if (!result)
		interrupts->n_active = before + more;
	if (interrupts->n_active < count)
		interrupts->limit = interrupts->n_active;
}

static gboolean is_function_masked(const HbVfioInterrupts *interrupts)
{
	return hb_config_space_get_u16(&interrupts->config->space,
				       interrupts->config->msix + PCI_MSIX_FLAGS) &
	       PCI_MSIX_FLAGS_MASKALL;
}

/* More, if that saves asking again; and not more than there are. */
static guint choose_count(const HbVfioInterrupts *interrupts)
{
	guint needed = get_needed(interrupts);
	guint active = interrupts->n_active;

	if (active == 0)
		needed = MAX(needed, MAX(interrupts->n_expected, 1));
	else if (needed > active)
		needed = MAX(needed, 2 * active);
	return MIN(needed, interrupts->limit);
}

static void warn_if_refused(HbVfioInterrupts *interrupts)
{
	guint needed = MAX(get_needed(interrupts), 1);

	if (needed <= interrupts->n_active || interrupts->refusal_logged)
		return;
	interrupts->refusal_logged = TRUE;
	if (interrupts->n_active)
		hb_host_log(
			interrupts->host, G_LOG_LEVEL_WARNING,
			"%s: its guest wants %u interrupt vectors and the host has %u left: the "
			"others stay silent; give the VM fewer vCPUs or the host fewer drives",
			interrupts->name, needed, interrupts->n_active);
	else
		hb_host_log(
			interrupts->host, G_LOG_LEVEL_WARNING,
			"%s: the host refuses %u interrupt vectors: %s; the drive will not work "
			"in its guest",
			interrupts->name, needed, g_strerror(-interrupts->refusal));
}

static void follow_enabled(HbVfioInterrupts *interrupts)
{
	guint count = choose_count(interrupts);

	if (interrupts->off)
		hb_later_forget(interrupts->off);
	if (count > interrupts->n_active && interrupts->n_active && interrupts->dynamic)
		extend(interrupts, count);
	else if (count > interrupts->n_active)
		activate(interrupts, count);
	warn_if_refused(interrupts);
}

static void follow_disabled(HbVfioInterrupts *interrupts)
{
	interrupts->n_wanted = 0;
	if (!interrupts->off)
		give_back(interrupts);
	else if (!hb_later_is_asked(interrupts->off))
		hb_later_ask(interrupts->off);
}

/* Make the host's side what the guest's is: off, or on with enough vectors. */
static void follow(HbVfioInterrupts *interrupts)
{
	hb_vfio_intx_follow(interrupts->intx, hb_msix_is_enabled(interrupts->msix));
	if (!hb_msix_is_enabled(interrupts->msix))
		follow_disabled(interrupts);
	else if (!is_function_masked(interrupts))
		follow_enabled(interrupts);
}

static void switch_off(gpointer data)
{
	give_back(data);
}

static void vector_changed(gpointer opaque, guint vector, const HbMsiMessage *message)
{
	HbVfioInterrupts *interrupts = opaque;

	if (interrupts->severed)
		return;
	hb_irq_source_set(interrupts->source, vector, message);
	if (message)
		interrupts->n_wanted = MAX(interrupts->n_wanted, vector + 1);
}

static void changed(gpointer opaque, gboolean enabled)
{
	HbVfioInterrupts *interrupts = opaque;

	if (interrupts->severed)
		return;
	follow(interrupts);
	hb_irq_source_commit(interrupts->source);
}

static gboolean is_pending(gpointer opaque, guint vector)
{
	HbVfioInterrupts *interrupts = opaque;

	return !interrupts->severed && hb_irq_source_is_pending(interrupts->source, vector);
}

static const HbMsixOps msix_ops = {
	.vector_changed = vector_changed,
	.changed = changed,
	.is_pending = is_pending,
};

static gboolean stop_messages(gpointer opaque)
{
	HbVfioInterrupts *interrupts = opaque;
	gboolean any = interrupts->n_active > 0;

	deactivate(interrupts);
	return any;
}

static void count_call(gpointer opaque)
{
	hb_irq_source_count_vector_call(((HbVfioInterrupts *)opaque)->source);
}

static void count_connection(gpointer opaque)
{
	hb_irq_source_count_connection(((HbVfioInterrupts *)opaque)->source);
}

static const HbVfioIntxOps intx_ops = {
	.stop_messages = stop_messages,
	.count_call = count_call,
	.count_connection = count_connection,
};

HbVfioInterrupts *hb_vfio_interrupts_open(int device_fd, const char *name, HbVfioConfig *config,
					  HbHost *host, HbIrqRemap *remap, GError **error)
{
	HbVfioTrap table, pba;

	if (!hb_vfio_interrupts_locate(config, &table, &pba)) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "%s: the drive has no MSI-X, which passthrough needs", name);
		return NULL;
	}
	guint n = (guint)(table.size / MSIX_ENTRY_SIZE);
	HbIrqSource *source = hb_irq_source_open(remap, name, n, error);
	if (!source)
		return NULL;

	HbVfioInterrupts *interrupts = g_new0(HbVfioInterrupts, 1);
	interrupts->device_fd = device_fd;
	interrupts->name = g_strdup(name);
	interrupts->config = config;
	interrupts->host = host;
	interrupts->table = table;
	interrupts->pba = pba;
	interrupts->source = source;
	interrupts->limit = n;
	interrupts->dynamic = is_dynamic(device_fd);
	interrupts->msix = hb_msix_create(&config->space, config->msix, n, &msix_ops, interrupts);
	interrupts->intx =
		hb_vfio_intx_open(device_fd, name, config, host, &intx_ops, interrupts, error);
	if (!interrupts->intx)
		g_clear_pointer(&interrupts, hb_vfio_interrupts_close);
	return interrupts;
}

void hb_vfio_interrupts_expect(HbVfioInterrupts *interrupts, guint n_vectors)
{
	interrupts->n_expected = n_vectors;
}

void hb_vfio_interrupts_attach(HbVfioInterrupts *interrupts, HbHostBridge *bridge,
			       const HbPort *port)
{
	const HbLaterTimes times = { .quiet_ms = OFF_MS, .most_ms = OFF_MS };

	hb_irq_source_attach(interrupts->source, bridge);
	if (!interrupts->off && !interrupts->severed)
		interrupts->off = hb_later_create(bridge, times, switch_off, interrupts);
	if (port && !interrupts->severed)
		hb_vfio_intx_attach(interrupts->intx, bridge, port);
}

void hb_vfio_interrupts_close(HbVfioInterrupts *interrupts)
{
	if (!interrupts)
		return;
	hb_later_destroy(interrupts->off);
	deactivate(interrupts);
	hb_vfio_intx_close(interrupts->intx);
	hb_msix_destroy(interrupts->msix);
	hb_irq_source_close(interrupts->source);
	g_free(interrupts->name);
	g_free(interrupts);
}

void hb_vfio_interrupts_control_written(HbVfioInterrupts *interrupts)
{
	hb_msix_control_written(interrupts->msix);
	if (!interrupts->severed)
		follow(interrupts);
}

void hb_vfio_interrupts_command_written(HbVfioInterrupts *interrupts)
{
	if (!interrupts->severed)
		hb_vfio_intx_follow(interrupts->intx, hb_msix_is_enabled(interrupts->msix));
}

static gboolean is_inside(const HbVfioTrap *trap, guint bar, guint64 offset, guint size)
{
	return bar == trap->bar && offset >= trap->offset &&
	       offset + size <= trap->offset + trap->size;
}

gboolean hb_vfio_interrupts_read(HbVfioInterrupts *interrupts, guint bar, guint64 offset,
				 guint size, guint64 *value)
{
	if (is_inside(&interrupts->table, bar, offset, size))
		*value = hb_msix_table_read(interrupts->msix, offset - interrupts->table.offset,
					    size);
	else if (is_inside(&interrupts->pba, bar, offset, size))
		*value = hb_msix_pba_read(interrupts->msix, offset - interrupts->pba.offset, size);
	else
		return FALSE;
	return TRUE;
}

gboolean hb_vfio_interrupts_write(HbVfioInterrupts *interrupts, guint bar, guint64 offset,
				  guint size, guint64 value)
{
	if (is_inside(&interrupts->table, bar, offset, size))
		hb_msix_table_write(interrupts->msix, offset - interrupts->table.offset, size,
				    value);
	else if (!is_inside(&interrupts->pba, bar, offset, size)) /* the PBA is read-only */
		return FALSE;
	return TRUE;
}

void hb_vfio_interrupts_reset(HbVfioInterrupts *interrupts)
{
	if (interrupts->severed)
		return;
	hb_msix_reset(interrupts->msix);
	hb_vfio_intx_reset(interrupts->intx);
	if (interrupts->off)
		hb_later_forget(interrupts->off);
	give_back(interrupts);
	hb_irq_source_reset(interrupts->source);
}

void hb_vfio_interrupts_sever(HbVfioInterrupts *interrupts)
{
	interrupts->severed = TRUE;
	g_clear_pointer(&interrupts->off, hb_later_destroy);
	hb_vfio_intx_sever(interrupts->intx);
	hb_irq_source_sever(interrupts->source);
}
