/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A hypervisor made of notes, for tests of what the library asks of one. */

#include "tests/unit/hw/fake-host.h"

#include <hotbay/error.h>

#define X G_GINT64_MODIFIER "x"

typedef struct FakeMemory {
	guint64 gpa;
	guint64 size; /* 0: unmapped */
} FakeMemory;

static FakeHost *get_fake(HbHost *host)
{
	return hb_host_get_opaque(host);
}

static gboolean refuse(GError **error, const char *what)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s refused by the fake", what);
	return FALSE;
}

static gboolean map(HbHost *host, guint64 gpa, guint64 size, gpointer hva, guint *slot,
		    GError **error)
{
	FakeHost *fake = get_fake(host);
	FakeMemory added = { gpa, size };

	for (guint i = 0; i < fake->memory->len; i++) {
		const FakeMemory *other = &g_array_index(fake->memory, FakeMemory, i);

		if (other->size && gpa < other->gpa + other->size && other->gpa < gpa + size)
			return refuse(error, "overlapping map");
	}
	if (fake->no_map)
		return refuse(error, "map");
	*slot = fake->memory->len;
	g_array_append_val(fake->memory, added);
	g_string_append_printf(fake->calls, "map %" X " %" X "\n", gpa, size);
	return TRUE;
}

static void unmap(HbHost *host, guint slot)
{
	FakeHost *fake = get_fake(host);
	FakeMemory *memory = &g_array_index(fake->memory, FakeMemory, slot);

	g_string_append_printf(fake->calls, "unmap %" X "\n", memory->gpa);
	memory->size = 0;
}

static gboolean signal_msi(HbHost *host, const HbMsiMessage *message, GError **error)
{
	if (get_fake(host)->no_msi)
		return refuse(error, "signal_msi");
	g_string_append_printf(get_fake(host)->calls, "msi %" X " %x\n", message->address,
			       message->data);
	return TRUE;
}

static gboolean route_add(HbHost *host, guint *route, GError **error)
{
	FakeHost *fake = get_fake(host);

	if (fake->n_routes == fake->max_routes)
		return refuse(error, "route_add");
	*route = fake->n_routes++;
	g_string_append_printf(fake->calls, "add %x\n", *route);
	return TRUE;
}

static void route_set(HbHost *host, guint route, const HbMsiMessage *message)
{
	g_string_append_printf(get_fake(host)->calls, "set %x %" X " %x\n", route, message->address,
			       message->data);
}

static void route_remove(HbHost *host, guint route)
{
	g_string_append_printf(get_fake(host)->calls, "remove %x\n", route);
}

static gboolean routes_commit(HbHost *host, GError **error)
{
	FakeHost *fake = get_fake(host);

	if (fake->no_commit)
		return refuse(error, "routes_commit");
	g_string_append(fake->calls, "commit\n");
	return TRUE;
}

static gboolean route_connect(HbHost *host, guint route, int eventfd, GError **error)
{
	FakeHost *fake = get_fake(host);

	if (fake->no_connect)
		return refuse(error, "route_connect");
	g_string_append_printf(fake->calls, "connect %x\n", route);
	return TRUE;
}

static void route_disconnect(HbHost *host, guint route, int eventfd)
{
	g_string_append_printf(get_fake(host)->calls, "disconnect %x\n", route);
}

static gboolean pin_connect(HbHost *host, guint link, int eventfd, int resample, GError **error)
{
	FakeHost *fake = get_fake(host);

	if (fake->no_connect)
		return refuse(error, "pin_connect");
	g_string_append_printf(fake->calls, "pin %x\n", link);
	return TRUE;
}

static void pin_disconnect(HbHost *host, guint link, int eventfd, int resample)
{
	g_string_append_printf(get_fake(host)->calls, "unpin %x\n", link);
}

static void append_log(HbHost *host, GLogLevelFlags level, const char *line)
{
	g_string_append_printf(get_fake(host)->log, "%s\n", line);
}

static const HbHostOps fake_ops = {
	.map = map,
	.unmap = unmap,
	.signal_msi = signal_msi,
	.route_add = route_add,
	.route_set = route_set,
	.route_remove = route_remove,
	.routes_commit = routes_commit,
	.route_connect = route_connect,
	.route_disconnect = route_disconnect,
	.pin_connect = pin_connect,
	.pin_disconnect = pin_disconnect,
	.log = append_log,
};

FakeHost *fake_host_create(void)
{
	FakeHost *fake = g_new0(FakeHost, 1);

	fake->context = g_main_context_new();
	fake->host = hb_host_create(&fake_ops, fake, fake->context);
	fake->calls = g_string_new(NULL);
	fake->log = g_string_new(NULL);
	fake->memory = g_array_new(FALSE, FALSE, sizeof(FakeMemory));
	fake->max_routes = G_MAXUINT;
	return fake;
}

void fake_host_destroy(FakeHost *fake)
{
	hb_host_destroy(fake->host);
	g_main_context_unref(fake->context);
	g_string_free(fake->calls, TRUE);
	g_string_free(fake->log, TRUE);
	g_array_unref(fake->memory);
	g_free(fake);
}

char *fake_host_take_calls(FakeHost *fake)
{
	char *calls = g_strdup(fake->calls->str);

	g_string_truncate(fake->calls, 0);
	return calls;
}
