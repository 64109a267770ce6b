/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A drive's reset while a guest has it: the registers that live here get their initial values, and
 * the host's kernel resets the drive.
 *
 *         start                          the worker has reset it
 *   IDLE --------> IN FLIGHT, no answer --------------------------> IDLE
 *     |                 |                                            ^
 *     +------ run ------+--------------------------------------------+
 *
 * A guest's function-level reset takes 0.1 s, and 60 s of a drive that is dead: so the kernel's
 * part is done in a worker. A machine's reset may overtake one that is in flight: the worker then
 * leaves the drive, which the new guest has at work, alone.
 *
 * @mutex is held by the worker for as long as it is at the drive, and by whoever destroys the
 * reset before the drive is closed: that waits for the worker, nobody else does. A worker that
 * starts later finds that it has ended, and lets go of the last reference. Lock order: @mutex, then
 * the bus lock.
 */

#include "vfio/reset.h"

#include "hw/host-bridge.h"
#include "hw/host.h"

#include <errno.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>

struct HbVfioReset {
	gatomicrefcount references; /* the owner's, and one for a worker */
	GMutex mutex;
	gboolean ended; /* guarded by @mutex; TRUE: @parts are no more */

	HbVfioResetParts parts;
	HbHostBridge *bridge; /* once attached */

	/* Guarded by the bus lock. */
	gboolean in_flight;
	gboolean severed;
	gboolean failed; /* and that was said */
};

static void unref_reset(HbVfioReset *reset)
{
	if (!g_atomic_ref_count_dec(&reset->references))
		return;
	g_mutex_clear(&reset->mutex);
	g_free(reset);
}

HbVfioReset *hb_vfio_reset_create(const HbVfioResetParts *parts)
{
	HbVfioReset *reset = g_new0(HbVfioReset, 1);

	g_atomic_ref_count_init(&reset->references);
	g_mutex_init(&reset->mutex);
	reset->parts = *parts;
	return reset;
}

void hb_vfio_reset_destroy(HbVfioReset *reset)
{
	if (!reset)
		return;
	g_mutex_lock(&reset->mutex);
	reset->ended = TRUE;
	g_mutex_unlock(&reset->mutex);
	unref_reset(reset);
}

void hb_vfio_reset_attach(HbVfioReset *reset, HbHostBridge *bridge)
{
	reset->bridge = bridge;
}

gboolean hb_vfio_reset_is_in_flight(const HbVfioReset *reset)
{
	return reset->in_flight;
}

static void warn(const HbVfioReset *reset, const char *what, const char *why, const char *so)
{
	hb_host_log(reset->parts.host, G_LOG_LEVEL_WARNING, "%s (%s): %s: %s%s",
		    reset->parts.address, reset->parts.id, what, why, so);
}

/* What a reset leaves of the registers that live here. */
static void reset_emulated(const HbVfioResetParts *parts)
{
	HbConfigSpace *space = &parts->config->space;

	hb_vfio_interrupts_reset(parts->interrupts);
	hb_vfio_config_reset_latches(parts->config);
	for (guint i = 0; i < HB_CONFIG_SIZE; i++)
		space->value[i] &= (guint8)~space->writable[i];
	hb_bars_set_reachable(parts->bars, TRUE);
}

/* DMA ends first: the reset restores Command, and the kernel may refuse to reset. */
static void reset_drive(HbVfioReset *reset)
{
	const HbVfioConfig *config = reset->parts.config;

	hb_vfio_config_stop_dma(config);
	if (ioctl(config->device_fd, VFIO_DEVICE_RESET) == 0) {
		reset->failed = FALSE;
	} else if (!reset->failed) {
		reset->failed = TRUE;
		warn(reset, "the host could not reset it", g_strerror(errno),
		     "; it stays as it was, with its DMA off");
	}
	hb_vfio_config_enable_memory(config);
}

static void set_in_flight(HbVfioReset *reset, gboolean in_flight)
{
	reset->in_flight = in_flight;
	hb_vfio_notifiers_set_resetting(reset->parts.notifiers, in_flight);
}

static gboolean is_wanted(HbVfioReset *reset)
{
	hb_host_bridge_lock(reset->bridge);
	gboolean wanted = reset->in_flight && !reset->severed;
	hb_host_bridge_unlock(reset->bridge);
	return wanted;
}

static gpointer run_worker(gpointer data)
{
	HbVfioReset *reset = data;

	g_mutex_lock(&reset->mutex);
	if (!reset->ended) {
		if (is_wanted(reset))
			reset_drive(reset);
		hb_host_bridge_lock(reset->bridge);
		set_in_flight(reset, FALSE);
		hb_host_bridge_unlock(reset->bridge);
	}
	g_mutex_unlock(&reset->mutex);
	unref_reset(reset);
	return NULL;
}

/* PCIe r6.0 §6.6.2: the guest waits 100 ms and then reads until it is answered. */
void hb_vfio_reset_start(HbVfioReset *reset)
{
	g_autoptr(GError) error = NULL;

	reset_emulated(&reset->parts);
	hb_vfio_config_stop_dma(reset->parts.config);
	set_in_flight(reset, TRUE);
	g_atomic_ref_count_inc(&reset->references);
	GThread *thread = g_thread_try_new("hotbay-reset", run_worker, reset, &error);
	if (thread) {
		g_thread_unref(thread);
		return;
	}
	set_in_flight(reset, FALSE);
	warn(reset, "no reset, for want of a thread", error->message, "");
	unref_reset(reset);
}

void hb_vfio_reset_run(HbVfioReset *reset)
{
	set_in_flight(reset, FALSE);
	reset_emulated(&reset->parts);
	reset_drive(reset);
}

void hb_vfio_reset_sever(HbVfioReset *reset)
{
	reset->severed = TRUE;
}
