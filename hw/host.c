/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The embedding hypervisor, as the library sees it: its functions, its main context and the guest
 * memory it declared.
 *
 * Everything but the RAM list and the listener is fixed at creation. The list is written by the
 * loop thread before the first drive is opened and only read afterwards, so it needs no lock.
 */

#include "hw/host.h"

#include <hotbay/error.h>

#include <stdio.h>

#define PAGE_SIZE G_GUINT64_CONSTANT(4096)

struct HbHost {
	const HbHostOps *ops;
	gpointer opaque;
	GMainContext *context; /* one reference */
	GArray *ram;	       /* of HbRam, ascending, disjoint */
	HbEventStream *events;
};

HbHost *hb_host_create(const HbHostOps *ops, gpointer opaque, GMainContext *context)
{
	HbHost *host = g_new0(HbHost, 1);

	host->ops = ops;
	host->opaque = opaque;
	host->context = g_main_context_ref(context ? context : g_main_context_default());
	host->ram = g_array_new(FALSE, FALSE, sizeof(HbRam));
	host->events = hb_event_stream_create(host->context);
	return host;
}

void hb_host_destroy(HbHost *host)
{
	if (!host)
		return;
	hb_event_stream_destroy(host->events);
	g_array_unref(host->ram);
	g_main_context_unref(host->context);
	g_free(host);
}

gpointer hb_host_get_opaque(HbHost *host)
{
	return host->opaque;
}

GMainContext *hb_host_get_context(HbHost *host)
{
	return host->context;
}

HbEventStream *hb_host_get_events(HbHost *host)
{
	return host->events;
}

void hb_host_set_listener(HbHost *host, HbEventListener listener, gpointer data)
{
	hb_event_stream_set_listener(host->events, listener, data);
}

const HbHostOps *hb_host_get_ops(HbHost *host)
{
	return host->ops;
}

static gboolean check_ram(const HbRam *ram, GError **error)
{
	if (ram->size && ram->hva && !(ram->gpa % PAGE_SIZE) && !(ram->size % PAGE_SIZE) &&
	    !((guintptr)ram->hva % PAGE_SIZE) && ram->size - 1 <= G_MAXUINT64 - ram->gpa)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "guest memory at 0x%" G_GINT64_MODIFIER "x, 0x%" G_GINT64_MODIFIER
		    "x bytes, mapped at %p: declare whole, mapped, aligned pages of 4 KiB",
		    ram->gpa, ram->size, ram->hva);
	return FALSE;
}

gboolean hb_host_add_ram(HbHost *host, const HbRam *ram, GError **error)
{
	guint at;

	if (!check_ram(ram, error))
		return FALSE;
	for (at = 0; at < host->ram->len; at++) {
		const HbRam *other = &g_array_index(host->ram, HbRam, at);
		const HbRam *lower = other->gpa < ram->gpa ? other : ram;
		const HbRam *upper = lower == other ? ram : other;

		if (upper->gpa - lower->gpa < lower->size) {
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "guest memory at 0x%" G_GINT64_MODIFIER
				    "x overlaps the range declared at 0x%" G_GINT64_MODIFIER
				    "x: declare each byte of guest memory once",
				    ram->gpa, other->gpa);
			return FALSE;
		}
		if (upper == other)
			break;
	}
	g_array_insert_val(host->ram, at, *ram);
	return TRUE;
}

const HbRam *hb_host_get_ram(HbHost *host, guint *n)
{
	*n = host->ram->len;
	return (const HbRam *)host->ram->data;
}

void hb_host_log(HbHost *host, GLogLevelFlags level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_autofree char *line = g_strdup_vprintf(format, arguments);
	va_end(arguments);

	if (host->ops->log)
		host->ops->log(host, level, line);
	else
		fprintf(stderr, "hotbay: %s\n", line);
}

typedef struct Post {
	GSourceOnceFunc function;
	gpointer data;
} Post;

static gboolean run_post(gpointer data)
{
	const Post *post = data;

	post->function(post->data);
	return G_SOURCE_REMOVE;
}

void hb_host_post(HbHost *host, GSourceOnceFunc function, gpointer data)
{
	/* Not g_main_context_invoke(), which runs the function in the calling thread when it can.
	 */
	g_autoptr(GSource) source = g_idle_source_new();
	Post *post = g_new(Post, 1);

	post->function = function;
	post->data = data;
	g_source_set_priority(source, G_PRIORITY_HIGH);
	g_source_set_callback(source, run_post, post, g_free);
	g_source_attach(source, host->context);
}
