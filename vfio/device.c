/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A host NVMe drive as a guest's PCI function.
 *
 *     open, in this order                    and closed in exact reverse
 *     1 sysfs: may it be passed through?
 *     2 its group into the IOMMU, its fd     fd closed, group given back
 *     3 its configuration space, once
 *     4 its interrupts                       host vectors off, eventfds closed
 *     5 its BARs                             out of reach of other drives, unmapped
 *     6 its host port and its notifiers      disarmed, eventfds closed
 *     7 its reset                            one in flight waited for
 *
 * The kernel resets the function when VFIO opens it and again when VFIO closes it, provided that
 * it can be reset at all, which is what VFIO_DEVICE_FLAGS_RESET says
 * (drivers/vfio/pci/vfio_pci_core.c, Linux 6.1): a drive that cannot is refused, so none carries
 * anything from one owner to the next.
 *
 * A drive that failed is closed a little later: the host's kernel answers a fatal error with a
 * reset of the host's slot, after it has told us, and its close restores the registers that such a
 * reset loses (drivers/pci/pcie/err.c, pcie_do_recovery(), Linux 6.1). Nothing says whether the
 * error was a fatal one. The guest does not wait for that.
 *
 * Life: open in a worker; attach, guest accesses and sever with the bus lock held; close in a
 * worker (vfio/release.c). A function-level reset by the guest has a worker too (vfio/reset.c).
 */

#include "vfio/config.h"
#include "vfio/interrupts.h"
#include "vfio/msix-place.h"
#include "vfio/notifiers.h"
#include "vfio/regions.h"
#include "vfio/release.h"
#include "vfio/reset.h"
#include "vfio/sysfs.h"
#include "vfio/vfio.h"

#include "hw/bar.h"
#include "hw/host-bridge.h"
#include "hw/host.h"

#include <hotbay/error.h>
#include <hotbay/slot.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LOOK_MS		   1000
#define NVME_VERSION	   8
#define HOST_RESET_MS	   1500 /* its kernel resets within a second, drivers/pci/pci.c */
#define HOST_RESET_LOOK_MS 20

struct HbVfioDevice {
	HbPciFunction function;
	HbVfio *vfio;
	char *id;
	char address[HB_PCI_ADDRESS_STRLEN];

	HbIommuAttachment *attachment;
	int fd; /* -1: not open */

	/* The rest is guarded by the bus lock once attached. */
	HbVfioConfig config;
	HbVfioInterrupts *interrupts;
	HbVfioRegions *regions;
	HbBars *bars;
	HbVfioHostPort *host_port;
	HbVfioNotifiers *notifiers;
	HbVfioReset *reset;
	gboolean severed;
	gboolean failed; /* the host may be about to reset it; loop thread */
};

/* ---- open and close ---- */

static gboolean check_info(HbVfioDevice *device, guint64 *config_offset, GError **error)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info config = { .argsz = sizeof(config),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };

	if (ioctl(device->fd, VFIO_DEVICE_GET_INFO, &info) < 0 ||
	    ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &config) < 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "asking VFIO about it: %s",
			    g_strerror(errno));
		return FALSE;
	}
	if (!(info.flags & VFIO_DEVICE_FLAGS_RESET)) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			"the host cannot reset it (see its reset_method in sysfs), so it "
			"could carry data from one owner to the next; use another drive or slot");
		return FALSE;
	}
	*config_offset = config.offset;
	return TRUE;
}

static guint64 bar_read(gpointer opaque, guint index, guint64 offset, guint size)
{
	HbVfioDevice *device = opaque;
	guint64 value;

	if (hb_vfio_interrupts_read(device->interrupts, index, offset, size, &value))
		return value;
	return hb_vfio_regions_read(device->regions, index, offset, size);
}

static void bar_write(gpointer opaque, guint index, guint64 offset, guint size, guint64 value)
{
	HbVfioDevice *device = opaque;

	if (!hb_vfio_interrupts_write(device->interrupts, index, offset, size, value))
		hb_vfio_regions_write(device->regions, index, offset, size, value);
}

static void bar_mapped(gpointer opaque, guint64 gpa, guint64 size, gpointer hva, gboolean here)
{
	const HbVfioDevice *device = opaque;

	hb_vfio_set_window(device->vfio, gpa, size, hva, here);
}

static const HbBarOps bar_ops = { .read = bar_read, .write = bar_write, .mapped = bar_mapped };

static gboolean open_bars(HbVfioDevice *device, GError **error)
{
	HbVfioTrap traps[2];

	hb_vfio_interrupts_locate(&device->config, &traps[0], &traps[1]);
	device->regions = hb_vfio_regions_open(device->fd, &device->config, traps,
					       G_N_ELEMENTS(traps), error);
	if (!device->regions)
		return FALSE;
	device->bars = hb_bars_create(&device->config.space, &bar_ops, device);
	hb_vfio_regions_describe(device->regions, device->bars);
	hb_vfio_msix_place_describe(&device->config, device->bars);
	return TRUE;
}

/*
 * A drive that the host has reset without restoring its BARs, or that is dead, answers in
 * configuration space and not in memory. Its Version register tells (NVMe r2.0 §3.1.3.2), of which
 * no value is all-ones.
 */
static gboolean check_answers(HbVfioDevice *device, GError **error)
{
	hb_vfio_config_enable_memory(&device->config);
	if ((guint32)hb_vfio_regions_read(device->regions, 0, NVME_VERSION, 4) != G_MAXUINT32)
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_HOST,
		"the drive does not answer: its registers read all-ones; switch its slot off and "
		"on again (/sys/bus/pci/slots/*/power), or remove it and rescan "
		"(/sys/bus/pci/devices/%s/remove, /sys/bus/pci/rescan)",
		device->address);
	return FALSE;
}

static gboolean open_interrupts(HbVfioDevice *device, GError **error)
{
	HbVfioBarInfo bars[HB_BAR_COUNT];

	hb_vfio_regions_look(device->fd, &device->config, bars);
	hb_vfio_msix_place(&device->config, bars);
	device->interrupts = hb_vfio_interrupts_open(device->fd, device->address, &device->config,
						     hb_vfio_get_host(device->vfio),
						     hb_vfio_get_irq_remap(device->vfio), error);
	if (!device->interrupts)
		return FALSE;
	hb_vfio_interrupts_expect(device->interrupts, hb_vfio_get_expected_vectors(device->vfio));
	return TRUE;
}

static gboolean open_notifiers(HbVfioDevice *device, GError **error)
{
	device->host_port = hb_vfio_host_port_open(HB_SYSFS_ROOT, device->address);
	device->notifiers = hb_vfio_notifiers_open(device->fd, &device->config, device->host_port,
						   hb_vfio_get_notifier_calls(device->vfio), error);
	return device->notifiers != NULL;
}

static void open_reset(HbVfioDevice *device)
{
	const HbVfioResetParts parts = {
		.host = hb_vfio_get_host(device->vfio),
		.address = device->address,
		.id = device->id,
		.config = &device->config,
		.interrupts = device->interrupts,
		.bars = device->bars,
		.notifiers = device->notifiers,
	};

	device->reset = hb_vfio_reset_create(&parts);
}

/* Say which drive it is about, in an error that does not. */
static gboolean name_drive(const HbVfioDevice *device, gboolean good, GError **error)
{
	if (!good)
		g_prefix_error(error, "%s: ", device->address);
	return good;
}

static gboolean open_device(HbVfioDevice *device, GError **error)
{
	guint64 config_offset;

	return name_drive(device, check_info(device, &config_offset, error), error) &&
	       name_drive(device,
			  hb_vfio_config_init(&device->config, device->fd, config_offset, error),
			  error) &&
	       open_interrupts(device, error) &&
	       name_drive(device,
			  open_bars(device, error) && check_answers(device, error) &&
				  open_notifiers(device, error),
			  error);
}

/* Until the host's kernel has reset the drive, which the loss of Memory Space Enable shows. */
static void wait_for_host_reset(const HbVfioDevice *device)
{
	guint16 command;

	for (guint waited = 0; waited < HOST_RESET_MS; waited += HOST_RESET_LOOK_MS) {
		if (hb_vfio_config_peek_u16(&device->config, PCI_COMMAND, &command) &&
		    !(command & PCI_COMMAND_MEMORY))
			return;
		g_usleep(HOST_RESET_LOOK_MS * 1000);
	}
}

static gpointer run_leave(gpointer data)
{
	const HbVfioDevice *device = data;

	hb_vfio_leave(device->vfio, device->attachment);
	return NULL;
}

/* The kernel resets the drive, 0.1 s of waiting, while the last drive's memory is unpinned. */
static void close_descriptor(HbVfioDevice *device)
{
	GThread *leaving = NULL;

	if (device->attachment)
		leaving = g_thread_try_new("hotbay-leave", run_leave, device, NULL);
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
	if (leaving)
		g_thread_join(leaving);
}

/* Before the regions, whose memory other drives may reach. */
static void close_bars(HbVfioDevice *device)
{
	if (!device->bars)
		return;
	hb_bars_destroy(device->bars);
	hb_vfio_unmap_windows(device->vfio);
}

/*
 * DMA ends first: the kernel's own reset at the close does not happen while whoever wants the drive
 * back holds its lock.
 */
static void close_device(HbVfioDevice *device)
{
	hb_vfio_reset_destroy(device->reset);
	if (device->notifiers)
		hb_vfio_config_stop_dma(&device->config);
	hb_vfio_notifiers_close(device->notifiers);
	hb_vfio_host_port_close(device->host_port);
	close_bars(device);
	hb_vfio_regions_close(device->regions);
	hb_vfio_interrupts_close(device->interrupts);
	close_descriptor(device);
	if (device->attachment)
		hb_vfio_detach(device->vfio, device->attachment, device->address);
	g_free(device->id);
	g_free(device);
}

/* ---- what the host tells ---- */

static void say(const HbVfioDevice *device, GLogLevelFlags level, const char *what)
{
	hb_host_log(hb_vfio_get_host(device->vfio), level, "%s (%s): %s", device->address,
		    device->id, what);
}

static void on_news(HbVfioNews news, gpointer data)
{
	HbVfioDevice *device = data;
	HbPciFunction *function = &device->function;

	switch (news) {
	case HB_VFIO_NEWS_PULLED:
		say(device, G_LOG_LEVEL_MESSAGE, "pulled from the host");
		hb_port_pull(function->port, function);
		break;
	case HB_VFIO_NEWS_FAILED:
		say(device, G_LOG_LEVEL_WARNING,
		    "the host saw an error of the drive that it cannot correct (its kernel log "
		    "says which); the drive is taken from its guest");
		device->failed = TRUE;
		hb_port_fail(function->port, function, HB_PORT_FAILURE_INTERNAL);
		break;
	case HB_VFIO_NEWS_SILENT:
		say(device, G_LOG_LEVEL_WARNING,
		    "the drive is in its slot and does not answer any more; it is taken from its "
		    "guest");
		hb_port_fail(function->port, function, HB_PORT_FAILURE_SILENT);
		break;
	case HB_VFIO_NEWS_ASKED:
		if (hb_port_give_back(function->port, function, 0))
			say(device, G_LOG_LEVEL_MESSAGE,
			    "the host wants it back; its guest is asked to let it go");
		break;
	}
}

/* ---- the function, as the guest sees it ---- */

/* It does not answer then, and who reads it would wait for the reset. */
static gboolean is_away(const HbVfioDevice *device)
{
	return device->severed || hb_vfio_reset_is_in_flight(device->reset);
}

static guint32 config_read(HbPciFunction *function, guint offset, guint size)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	if (is_away(device))
		return G_MAXUINT32 >> (32 - 8 * size);
	return hb_vfio_config_read(&device->config, offset, size);
}

/* The BARs of a function that is not in D0 do not answer (PCIe r6.0 §5.3.1). */
static void write_power_state(HbVfioDevice *device, guint offset, guint size, guint32 value)
{
	guint shift = 8 * (device->config.pm + PCI_PM_CTRL - offset);
	gboolean awake = ((value >> shift) & PCI_PM_CTRL_STATE_MASK) == 0;

	if (!awake)
		hb_bars_set_reachable(device->bars, FALSE);
	hb_vfio_config_write(&device->config, offset, size, value);
	if (awake)
		hb_bars_set_reachable(device->bars, TRUE);
}

static gboolean wants_function_reset(const HbVfioDevice *device, guint offset, guint size,
				     guint32 value)
{
	guint high_byte = device->config.express + PCI_EXP_DEVCTL + 1;

	return device->config.express && hb_config_space_overlaps(offset, size, high_byte, 1) &&
	       (value >> (8 * (high_byte - offset)) & PCI_EXP_DEVCTL_BCR_FLR >> 8);
}

static void config_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	HbVfioDevice *device = (HbVfioDevice *)function;
	const HbVfioConfig *config = &device->config;

	if (is_away(device))
		return;
	if (wants_function_reset(device, offset, size, value)) {
		hb_vfio_reset_start(device->reset);
		return;
	}
	if (config->pm && hb_config_space_overlaps(offset, size, config->pm + PCI_PM_CTRL, 1)) {
		write_power_state(device, offset, size, value);
		return;
	}
	hb_vfio_config_write(&device->config, offset, size, value);
	if (hb_config_space_overlaps(offset, size, PCI_COMMAND, 2) ||
	    hb_config_space_overlaps(offset, size, PCI_BASE_ADDRESS_0, 4 * HB_BAR_COUNT))
		hb_bars_update(device->bars);
	if (hb_config_space_overlaps(offset, size, PCI_COMMAND, 2))
		hb_vfio_interrupts_command_written(device->interrupts);
	if (hb_config_space_overlaps(offset, size, config->msix + PCI_MSIX_FLAGS, 2))
		hb_vfio_interrupts_control_written(device->interrupts);
}

/* Also while it waits in line: who waits can be pulled too. */
static void plugged(HbPciFunction *function)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	hb_vfio_notifiers_watch(device->notifiers, hb_vfio_get_host(device->vfio), LOOK_MS, on_news,
				device);
}

static void attach(HbPciFunction *function, HbHostBridge *bridge)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	hb_vfio_reset_attach(device->reset, bridge);
	hb_vfio_config_enable_memory(&device->config);
	device->config.cut_off = !hb_host_bridge_passes_dma(function);
	hb_vfio_interrupts_attach(device->interrupts, bridge, function->port);
	hb_bars_attach(device->bars, bridge, function->port);
}

/* All vCPUs stand still, and the next thing is that the BARs are placed anew: so it waits. */
static void reset(HbPciFunction *function)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	if (!device->severed && !hb_vfio_notifiers_is_gone(&device->config))
		hb_vfio_reset_run(device->reset);
}

static void bus_reset(HbPciFunction *function)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	if (!is_away(device))
		hb_vfio_reset_start(device->reset);
}

static void sever(HbPciFunction *function)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	if (device->severed)
		return;
	device->severed = TRUE;
	hb_vfio_reset_sever(device->reset);
	hb_bars_sever(device->bars);
	hb_vfio_interrupts_sever(device->interrupts);
}

static gboolean revoke_bars(HbPciFunction *function)
{
	HbVfioDevice *device = (HbVfioDevice *)function;
	guint16 command;

	/* A drive in reset has no BARs mapped. */
	if (is_away(device))
		return FALSE;
	if (hb_vfio_config_peek_u16(&device->config, PCI_COMMAND, &command) && command != 0xffff &&
	    command & PCI_COMMAND_MEMORY)
		return FALSE;
	hb_bars_set_reachable(device->bars, FALSE);
	return TRUE;
}

/* A drive in reset is no bus master. */
static void path_changed(HbPciFunction *function)
{
	HbVfioDevice *device = (HbVfioDevice *)function;
	gboolean cut_off = !hb_host_bridge_passes_dma(function);

	hb_bars_update(device->bars);
	if (cut_off != device->config.cut_off && !is_away(device))
		hb_vfio_config_set_path(&device->config, !cut_off);
	device->config.cut_off = cut_off;
}

/* In a worker. */
static void close_released(gpointer data)
{
	HbVfioDevice *device = data;

	if (device->failed)
		wait_for_host_reset(device);
	close_device(device);
}

static void release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	HbVfioDevice *device = (HbVfioDevice *)function;

	hb_vfio_notifiers_unwatch(device->notifiers);
	if (done)
		hb_vfio_release(hb_vfio_get_host(device->vfio), device->address, close_released,
				device, done, data);
	else
		close_device(device);
}

static const HbPciFunctionOps function_ops = {
	.config_read = config_read,
	.config_write = config_write,
	.plugged = plugged,
	.attach = attach,
	.reset = reset,
	.bus_reset = bus_reset,
	.sever = sever,
	.revoke = revoke_bars,
	.path_changed = path_changed,
	.release = release,
};

HbVfioDevice *hb_vfio_device_open(HbVfio *vfio, const HbPciAddress *host_address, const char *id,
				  GError **error)
{
	HbVfioDevice *device = g_new0(HbVfioDevice, 1);
	guint group;

	device->function.ops = &function_ops;
	device->vfio = vfio;
	device->id = g_strdup(id);
	device->fd = -1;
	hb_pci_address_format(host_address, device->address);
	if (hb_sysfs_check_drive(HB_SYSFS_ROOT, host_address, &group, error)) {
		device->attachment =
			hb_vfio_attach(vfio, group, device->address, &device->fd, error);
		if (device->attachment && open_device(device, error)) {
			open_reset(device);
			return device;
		}
	}
	close_device(device);
	return NULL;
}

HbPciFunction *hb_vfio_device_get_function(HbVfioDevice *device)
{
	return &device->function;
}

void hb_vfio_device_close(HbVfioDevice *device)
{
	if (device)
		close_device(device);
}
