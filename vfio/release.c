/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The release of a drive: its close, in a worker. The host's kernel may take seconds to close a
 * device that does not answer, and cannot be made to hurry: all that we can do is say so.
 */

#include "vfio/release.h"

#include "hw/host.h"

#define LATE_MS 2000

typedef struct Release {
	HbHost *host;
	char *address;
	void (*close)(gpointer drive);
	gpointer drive;
	GSource *late;
	HbPciFunctionReleased done;
	gpointer data;
} Release;

static void finish_release(gpointer data)
{
	g_autofree Release *release = data;

	g_source_destroy(release->late);
	g_source_unref(release->late);
	g_free(release->address);
	release->done(release->data);
}

static gboolean on_late(gpointer data)
{
	const Release *release = data;

	hb_host_log(
		release->host, G_LOG_LEVEL_WARNING,
		"%s: its guest has let go of it, but the host's kernel has not finished closing it "
		"after %d s; the host's kernel log may say why",
		release->address, LATE_MS / 1000);
	return G_SOURCE_REMOVE;
}

static gpointer run_release(gpointer data)
{
	Release *release = data;

	release->close(release->drive);
	hb_host_post(release->host, finish_release, release);
	return NULL;
}

void hb_vfio_release(HbHost *host, const char *address, void (*close)(gpointer drive),
		     gpointer drive, HbPciFunctionReleased done, gpointer data)
{
	Release *release = g_new0(Release, 1);

	release->host = host;
	release->address = g_strdup(address);
	release->close = close;
	release->drive = drive;
	release->late = g_timeout_source_new(LATE_MS);
	g_source_set_callback(release->late, on_late, release, NULL);
	g_source_attach(release->late, hb_host_get_context(host));
	release->done = done;
	release->data = data;
	g_thread_unref(g_thread_new("hotbay-release", run_release, release));
}
