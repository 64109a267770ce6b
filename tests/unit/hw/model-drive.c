/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The whole of hw/ that a drive uses, put together as vfio/device does it, on anonymous memory. */

#include "tests/unit/hw/model-drive.h"

#include "hw/bar.h"
#include "hw/msix.h"

#include <linux/pci_regs.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#define BAR_SIZE   0x4000
#define MAPPED	   0x2000 /* the rest is trapped */
#define TABLE	   0x2000
#define PBA	   0x3000
#define N_VECTORS  4
#define CAPABILITY 0x40

typedef struct ModelDrive {
	HbPciFunction function;
	HbConfigSpace config;
	HbBars *bars;
	HbMsix *msix;
	HbIrqSource *source;
	gpointer memory;
	gboolean batches_routes;
	gint *alive;
} ModelDrive;

static guint32 config_read(HbPciFunction *function, guint offset, guint size)
{
	return hb_config_space_read(&((ModelDrive *)function)->config, offset, size);
}

static void config_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	ModelDrive *drive = (ModelDrive *)function;

	hb_config_space_write(&drive->config, offset, size, value);
	hb_bars_update(drive->bars);
	if (hb_config_space_overlaps(offset, size, CAPABILITY + PCI_MSIX_FLAGS, 2))
		hb_msix_control_written(drive->msix);
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
	ModelDrive *drive = (ModelDrive *)function;

	if (drive->batches_routes)
		hb_irq_source_attach(drive->source, bridge);
	hb_bars_attach(drive->bars, bridge, function->port);
}

static void reset(HbPciFunction *function)
{
	ModelDrive *drive = (ModelDrive *)function;

	hb_config_space_set_u16(&drive->config, PCI_COMMAND, 0);
	hb_bars_update(drive->bars);
	hb_msix_reset(drive->msix);
	hb_irq_source_reset(drive->source);
}

static void sever(HbPciFunction *function)
{
	ModelDrive *drive = (ModelDrive *)function;

	hb_bars_sever(drive->bars);
	hb_irq_source_sever(drive->source);
}

static gboolean revoke_bars(HbPciFunction *function)
{
	hb_bars_set_reachable(((ModelDrive *)function)->bars, FALSE);
	return TRUE;
}

static void path_changed(HbPciFunction *function)
{
	hb_bars_update(((ModelDrive *)function)->bars);
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	ModelDrive *drive = (ModelDrive *)function;

	hb_msix_destroy(drive->msix);
	hb_irq_source_close(drive->source);
	hb_bars_destroy(drive->bars);
	munmap(drive->memory, BAR_SIZE);
	g_atomic_int_add(drive->alive, -1);
	g_free(drive);
	if (done)
		done(data);
}

static const HbPciFunctionOps function_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.attach = attach,
	.reset = reset,
	.bus_reset = reset,
	.sever = sever,
	.revoke = revoke_bars,
	.path_changed = path_changed,
	.release = release,
};

static guint64 bar_read(gpointer opaque, guint index, guint64 offset, guint size)
{
	ModelDrive *drive = opaque;

	if (offset >= TABLE && offset + size <= TABLE + 16 * N_VECTORS)
		return hb_msix_table_read(drive->msix, offset - TABLE, size);
	if (offset >= PBA && offset + size <= PBA + 8)
		return hb_msix_pba_read(drive->msix, offset - PBA, size);
	return 0;
}

static void bar_write(gpointer opaque, guint index, guint64 offset, guint size, guint64 value)
{
	ModelDrive *drive = opaque;

	if (offset >= TABLE && offset + size <= TABLE + 16 * N_VECTORS)
		hb_msix_table_write(drive->msix, offset - TABLE, size, value);
}

static const HbBarOps bar_ops = { .read = bar_read, .write = bar_write };

static void vector_changed(gpointer opaque, guint vector, const HbMsiMessage *message)
{
	hb_irq_source_set(((ModelDrive *)opaque)->source, vector, message);
}

static void changed(gpointer opaque, gboolean enabled)
{
	hb_irq_source_commit(((ModelDrive *)opaque)->source);
}

static gboolean is_pending(gpointer opaque, guint vector)
{
	return hb_irq_source_is_pending(((ModelDrive *)opaque)->source, vector);
}

static const HbMsixOps msix_ops = {
	.vector_changed = vector_changed,
	.changed = changed,
	.is_pending = is_pending,
};

static void describe(ModelDrive *drive)
{
	HbBarMapping mapping = { .offset = 0, .size = MAPPED, .hva = drive->memory };
	HbBarDescription description = {
		.size = BAR_SIZE, .is_64bit = TRUE, .mappings = &mapping, .n_mappings = 1
	};

	hb_config_space_init(&drive->config);
	hb_config_space_set_u32(&drive->config, PCI_VENDOR_ID, 0x00101b36);
	hb_config_space_set_u32(&drive->config, PCI_CLASS_REVISION, 0x01080201);
	hb_config_space_set_writable(&drive->config, PCI_COMMAND, 2, 0x0406);
	hb_config_space_set_u8(&drive->config, PCI_CAPABILITY_LIST, CAPABILITY);
	hb_config_space_set_u8(&drive->config, CAPABILITY, PCI_CAP_ID_MSIX);
	hb_config_space_set_u32(&drive->config, CAPABILITY + PCI_MSIX_TABLE, TABLE);
	hb_config_space_set_u32(&drive->config, CAPABILITY + PCI_MSIX_PBA, PBA);
	hb_bars_add(drive->bars, 0, &description);
}

HbPciFunction *model_drive_create(HbIrqRemap *remap, gint *alive)
{
	ModelDrive *drive = g_new0(ModelDrive, 1);

	drive->function.ops = &function_ops;
	drive->memory =
		mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	g_assert(drive->memory != MAP_FAILED);
	drive->bars = hb_bars_create(&drive->config, &bar_ops, drive);
	describe(drive);
	drive->source = hb_irq_source_open(remap, "model", N_VECTORS, NULL);
	g_assert(drive->source);
	drive->msix = hb_msix_create(&drive->config, CAPABILITY, N_VECTORS, &msix_ops, drive);
	drive->alive = alive;
	g_atomic_int_inc(alive);
	return &drive->function;
}

void model_drive_batch_routes(HbPciFunction *function)
{
	((ModelDrive *)function)->batches_routes = TRUE;
}

void model_drive_interrupt(HbPciFunction *function, guint vector)
{
	eventfd_write(
		hb_irq_source_get_eventfd(((ModelDrive *)function)->source, vector % N_VECTORS), 1);
}
