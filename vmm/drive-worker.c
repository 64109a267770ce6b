/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Drives opened and closed in a worker: opening pins guest memory and resets the drive, closing
 * resets it again, and each can take seconds.
 */

#include "vmm/drive-worker.h"

#include <gio/gio.h>

typedef struct Work {
	HbVfio *vfio;
	HbMemory *memory;
	const HbDriveOptions *options;
	HbVfioDevice *device; /* to close */
	HbDriveWorkerOpened opened;
	void (*closed)(gpointer data);
	gpointer data;
} Work;

HbVfioDevice *hb_drive_worker_open_now(HbVfio *vfio, HbMemory *memory,
				       const HbDriveOptions *options, GError **error)
{
	if (!hb_memory_wait_populated(memory, error))
		return NULL;
	return hb_vfio_device_open(vfio, &options->host, options->id, error);
}

static void open_drive(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	const Work *work = data;
	GError *error = NULL;
	HbVfioDevice *device =
		hb_drive_worker_open_now(work->vfio, work->memory, work->options, &error);

	if (device)
		g_task_return_pointer(task, device, NULL);
	else
		g_task_return_error(task, error);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autofree Work *work = data;
	g_autoptr(GError) error = NULL;
	HbVfioDevice *device = g_task_propagate_pointer(G_TASK(result), &error);

	work->opened(device, error, work->data);
}

void hb_drive_worker_open(HbVfio *vfio, HbMemory *memory, const HbDriveOptions *options,
			  HbDriveWorkerOpened opened, gpointer data)
{
	Work *work = g_new0(Work, 1);

	work->vfio = vfio;
	work->memory = memory;
	work->options = options;
	work->opened = opened;
	work->data = data;
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_opened, work);
	g_task_set_task_data(task, work, NULL);
	g_task_run_in_thread(task, open_drive);
}

static void close_drive(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
	const Work *work = data;

	hb_vfio_device_close(work->device);
	g_task_return_boolean(task, TRUE);
}

static void on_closed(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autofree Work *work = data;

	work->closed(work->data);
}

void hb_drive_worker_close(HbVfioDevice *device, void (*closed)(gpointer data), gpointer data)
{
	Work *work = g_new0(Work, 1);

	work->device = device;
	work->closed = closed;
	work->data = data;
	g_autoptr(GTask) task = g_task_new(NULL, NULL, on_closed, work);
	g_task_set_task_data(task, work, NULL);
	g_task_run_in_thread(task, close_drive);
}
