/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Host vectors are asked for in one VFIO call, as many as the guest has programmed, when it lifts
 * the function mask of an enabled MSI-X. Linux programs all of them before that, and starts the
 * drive after it; a drive may look at its MSI-X when it is started (QEMU's emulated one never
 * signals an admin queue that was created while MSI-X was off), so the first unmasked vector would
 * be too late.
 *
 * Kernels that say VFIO_IRQ_INFO_NORESIZE can only grow a set by giving it up first, which happens
 * if a guest programs further vectors later. In between an interrupt of the drive could be lost, so
 * after a regrowth every vector that was there is signalled once: a driver takes a spurious
 * interrupt, not a missing one.
 */

#include "vfio/interrupts.h"

#include "hw/host.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#define MSIX_ENTRY_SIZE 16

struct HbVfioInterrupts {
	int device_fd;
	char *name;
	const HbVfioConfig *config; /* the drive's */
	HbHost *host;
	HbMsix *msix;
	HbIrqSource *source;
	HbVfioTrap table;
	HbVfioTrap pba;
	guint n_active; /* host vectors that are on */
	guint n_wanted; /* one past the last unmasked vector */
	guint limit;	/* more than so many the host did not give */
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
 * 0: done; negative: the negative error number. Positive: the host can give only so many, and gave
 * none (vfio_msi_enable() in drivers/vfio/pci/vfio_pci_intrs.c, Linux 6.1).
 */
static int set_irqs(HbVfioInterrupts *interrupts, guint count)
{
	gsize size = sizeof(struct vfio_irq_set) + count * sizeof(gint32);
	g_autofree struct vfio_irq_set *set = g_malloc0(size);

	set->argsz = (guint32)size;
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->count = count;
	for (guint i = 0; i < count; i++) {
		gint32 fd = hb_irq_source_get_eventfd(interrupts->source, i);
		memcpy(set->data + i * sizeof(fd), &fd, sizeof(fd));
	}
	int result = ioctl(interrupts->device_fd, VFIO_DEVICE_SET_IRQS, set);
	return result < 0 ? -errno : result;
}

static void deactivate(HbVfioInterrupts *interrupts)
{
	/* What it would not stop, it stops at the latest when the drive is closed. */
	if (interrupts->n_active)
		set_irqs(interrupts, 0);
	interrupts->n_active = 0;
}

static void warn_refusal(HbVfioInterrupts *interrupts, guint count, int result)
{
	if (interrupts->refusal_logged)
		return;
	interrupts->refusal_logged = TRUE;
	if (result > 0)
		hb_host_log(
			interrupts->host, G_LOG_LEVEL_WARNING,
			"%s: its guest wants %u interrupt vectors and the host has %d left: the "
			"others stay silent; give the VM fewer vCPUs or the host fewer drives",
			interrupts->name, count, result);
	else
		hb_host_log(
			interrupts->host, G_LOG_LEVEL_WARNING,
			"%s: the host refuses %u interrupt vectors: %s; the drive will not work "
			"in its guest",
			interrupts->name, count, g_strerror(-result));
}

/* As many of @count as the host gives; if none, those that were on before. */
static void activate(HbVfioInterrupts *interrupts, guint count)
{
	guint before = interrupts->n_active;

	deactivate(interrupts);
	int result = set_irqs(interrupts, count);
	if (result) {
		warn_refusal(interrupts, count, result);
		count = result > 0 ? (guint)result : before;
		interrupts->limit = count;
		if (count == 0 || set_irqs(interrupts, count))
			return;
	}
	interrupts->n_active = count;
	for (guint i = 0; i < MIN(before, count); i++)
		eventfd_write(hb_irq_source_get_eventfd(interrupts->source, i), 1);
}

static gboolean is_function_masked(const HbVfioInterrupts *interrupts)
{
	return hb_config_space_get_u16(&interrupts->config->space,
				       interrupts->config->msix + PCI_MSIX_FLAGS) &
	       PCI_MSIX_FLAGS_MASKALL;
}

/* Make the host's side what the guest's is: off, or on with enough vectors. */
static void follow(HbVfioInterrupts *interrupts)
{
	guint programmed = hb_msix_get_n_programmed(interrupts->msix);
	guint wanted = MIN(interrupts->n_wanted, interrupts->limit);
	guint count = MIN(MAX(wanted, MAX(programmed, 1)), interrupts->limit);

	if (!hb_msix_is_enabled(interrupts->msix)) {
		interrupts->n_wanted = 0;
		interrupts->limit = hb_msix_get_n_vectors(interrupts->msix); /* try all anew */
		deactivate(interrupts);
	} else if (count && !is_function_masked(interrupts) &&
		   (interrupts->n_active == 0 || wanted > interrupts->n_active)) {
		activate(interrupts, count);
	}
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
	interrupts->msix = hb_msix_create(&config->space, config->msix, n, &msix_ops, interrupts);
	return interrupts;
}

void hb_vfio_interrupts_close(HbVfioInterrupts *interrupts)
{
	if (!interrupts)
		return;
	deactivate(interrupts);
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
	hb_irq_source_reset(interrupts->source);
}

void hb_vfio_interrupts_sever(HbVfioInterrupts *interrupts)
{
	interrupts->severed = TRUE;
	hb_irq_source_sever(interrupts->source);
}
