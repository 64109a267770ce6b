/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Bytes to a QMP server, from one client. The first byte of the input chooses how they come: its
 * low bits how many at a time, its upper bits whether capabilities are negotiated before, whether a
 * call in flight ends between two pieces, and whether the client hangs up without reading.
 *
 * Whatever comes in, what goes out must be lines of JSON in UTF-8.
 */

#include "vmm/qmp.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE_MASK   0x1f
#define NEGOTIATE    0x20
#define END_EARLY    0x40
#define HANG_UP	     0x80
#define CAPABILITIES "{\"execute\":\"qmp_capabilities\"}"

typedef struct Server {
	GMainContext *context;
	HbQmp *qmp;
	GPtrArray *held; /* HbQmpCall */
	GString *heard;
	int fd; /* the client's end */
} Server;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_echo(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(node, arguments);
	hb_qmp_call_return(call, node);
}

static void run_hold(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	Server *server = opaque;

	g_ptr_array_add(server->held, call);
}

static void run_tell(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	Server *server = opaque;
	const char *id = json_object_get_string_member(arguments, "id");

	hb_qmp_emit(server->qmp, "TOLD", NULL);
	hb_qmp_call_error(call, HB_QMP_DEVICE_NOT_FOUND, "Device '%s' not found", id);
}

static const char *const strings[] = { "id", NULL };

static const HbQmpCommand commands[] = {
	{ .name = "echo", .run = run_echo, .any = TRUE },
	{ .name = "hold", .run = run_hold },
	{ .name = "tell", .run = run_tell, .strings = strings },
};

/* Lets the server do what there is to do, and takes what it says. */
static void settle(Server *server)
{
	char chunk[4096];
	ssize_t got;

	while (g_main_context_iteration(server->context, FALSE))
		;
	while ((got = recv(server->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		g_string_append_len(server->heard, chunk, got);
}

static void end_calls(Server *server)
{
	for (guint i = 0; i < server->held->len; i++)
		hb_qmp_call_return(g_ptr_array_index(server->held, i), NULL);
	g_ptr_array_set_size(server->held, 0);
}

static void say(Server *server, const void *data, size_t size, guint8 how)
{
	size_t piece = (size_t)(how & PIECE_MASK) + 1;

	for (size_t at = 0; at < size; at += piece) {
		if (send(server->fd, (const char *)data + at, MIN(piece, size - at),
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		if (how & HANG_UP)
			continue;
		settle(server);
		if (how & END_EARLY)
			end_calls(server);
	}
}

static void check_heard(Server *server)
{
	g_auto(GStrv) lines = g_strsplit(server->heard->str, "\r\n", -1);

	g_assert(strlen(server->heard->str) == server->heard->len);
	g_assert(g_utf8_validate(server->heard->str, -1, NULL));
	for (guint i = 0; lines[i] && *lines[i]; i++) {
		g_autoptr(JsonNode) node = json_from_string(lines[i], NULL);

		g_assert(node && JSON_NODE_HOLDS_OBJECT(node));
		g_assert(lines[i + 1]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Server server = { 0 };
	guint8 how = size ? data[0] : 0;
	int fds[2];

	if (size == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	server.context = g_main_context_new();
	server.held = g_ptr_array_new();
	server.heard = g_string_new(NULL);
	server.fd = fds[1];
	server.qmp = hb_qmp_create(server.context, commands, G_N_ELEMENTS(commands), &server);
	hb_qmp_add_client(server.qmp, fds[0]);

	if (how & NEGOTIATE)
		say(&server, CAPABILITIES, strlen(CAPABILITIES), PIECE_MASK);
	say(&server, data + 1, size - 1, how);
	if (how & HANG_UP)
		shutdown(server.fd, SHUT_RDWR);
	settle(&server);
	while (server.held->len) {
		end_calls(&server);
		settle(&server);
	}
	if (!(how & HANG_UP))
		check_heard(&server);

	hb_qmp_destroy(server.qmp);
	close(server.fd);
	g_string_free(server.heard, TRUE);
	g_ptr_array_unref(server.held);
	g_main_context_unref(server.context);
	return 0;
}
