/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One connection: bytes in, requests one after another, replies in their order.
 *
 *   socket --> chunk --> scanner --> request --> call --> output --> socket
 *
 * At most one call is in flight. While it is, nothing is read: requests sent without waiting stay
 * in the chunk and in the socket, so a client cannot make the process keep more than one of them,
 * and replies need no queue. Everything that a client has sent is carried out, even if it hangs up
 * without waiting: the end of the stream comes after the last request.
 *
 * Output goes out at once as far as the socket takes it. What is left is bounded: a client that
 * does not read is dropped.
 *
 * All waiting is one GSource: readable, writable, or its ready time, by which the other functions
 * of this file ask for another look. Only there is a connection declared closed, so that nobody
 * loses a client in the middle of a loop over all clients.
 */

#include "vmm/qmp-client.h"

#include "vmm/json-scanner.h"
#include "vmm/qmp-call.h"
#include "vmm/qmp-message.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK_SIZE 4096

struct HbQmpClient {
	int fd;
	const HbQmpClientOps *ops;
	gpointer opaque;
	GSource *source;
	gpointer tag; /* of @fd in @source; NULL while the peer has gone and a call is in flight */
	HbJsonScanner *scanner;
	guint8 chunk[CHUNK_SIZE];
	gsize chunk_start; /* what the scanner has not seen: [chunk_start, chunk_end) */
	gsize chunk_end;
	GByteArray *output;
	HbQmpCall *call; /* in flight; ends by itself, see hb_qmp_client_finish_call() */
	gboolean in_dispatch;
	gboolean negotiated;
	gboolean deaf;	 /* the peer takes nothing any more; it may still have sent something */
	gboolean at_end; /* the peer has sent everything */
	gboolean doomed; /* to be closed at the next look */
};

static void look_again(HbQmpClient *client)
{
	if (!client->in_dispatch)
		g_source_set_ready_time(client->source, 0);
}

static void watch(HbQmpClient *client)
{
	GIOCondition condition = 0;

	if (!client->call && !client->at_end)
		condition |= G_IO_IN;
	if (client->output->len)
		condition |= G_IO_OUT;
	if (client->tag)
		g_source_modify_unix_fd(client->source, client->tag, condition);
	else if (!client->call)
		client->tag = g_source_add_unix_fd(client->source, client->fd, condition);
}

static void flush(HbQmpClient *client)
{
	while (client->output->len) {
		ssize_t sent = send(client->fd, client->output->data, client->output->len,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (sent < 0) {
			client->deaf = TRUE;
			g_byte_array_set_size(client->output, 0);
			return;
		}
		g_byte_array_remove_range(client->output, 0, (guint)sent);
	}
}

static void send_text(HbQmpClient *client, const char *text)
{
	gsize length = strlen(text);

	if (client->deaf || client->doomed)
		return;
	if (client->output->len + length > HB_QMP_MAX_OUTPUT) {
		g_message("QMP: dropped a client that has not read %u bytes; let it read",
			  client->output->len);
		g_byte_array_set_size(client->output, 0);
		client->doomed = TRUE;
		look_again(client);
		return;
	}
	g_byte_array_append(client->output, (const guint8 *)text, (guint)length);
	flush(client);
	if (!client->in_dispatch)
		watch(client);
}

void hb_qmp_client_send_event(HbQmpClient *client, const char *text)
{
	if (client->negotiated)
		send_text(client, text);
}

gboolean hb_qmp_client_negotiate(HbQmpClient *client)
{
	if (client->negotiated)
		return FALSE;
	client->negotiated = TRUE;
	return TRUE;
}

void hb_qmp_client_finish_call(HbQmpClient *client, const char *reply)
{
	client->call = NULL;
	send_text(client, reply);
	look_again(client);
}

static void execute(HbQmpClient *client, HbQmpRequest *request)
{
	client->call = hb_qmp_call_create(client, request);
	if (!client->negotiated && strcmp(request->execute, "qmp_capabilities") != 0)
		hb_qmp_call_error(client->call, HB_QMP_COMMAND_NOT_FOUND,
				  "Expecting capabilities negotiation with 'qmp_capabilities'");
	else
		client->ops->execute(client->call, request->execute, request->arguments,
				     client->opaque);
}

static void refuse(HbQmpClient *client, const char *description, JsonNode *id)
{
	g_autofree char *reply = hb_qmp_message_error(HB_QMP_GENERIC_ERROR, description, id);

	send_text(client, reply);
}

static void take_value(HbQmpClient *client)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) id = NULL;
	gsize length;
	const char *text = hb_json_scanner_get_text(client->scanner, &length);
	HbQmpRequest *request = hb_qmp_message_parse(text, length, &id, &error);

	if (request)
		execute(client, request);
	else
		refuse(client, error->message, id);
}

static void take_chunk(HbQmpClient *client)
{
	while (!client->call && !client->doomed && client->chunk_start < client->chunk_end) {
		gsize used;
		HbJsonScan scan =
			hb_json_scanner_feed(client->scanner, client->chunk + client->chunk_start,
					     client->chunk_end - client->chunk_start, &used);

		client->chunk_start += used;
		if (scan == HB_JSON_SCAN_VALUE) {
			take_value(client);
		} else if (scan == HB_JSON_SCAN_ERROR) {
			g_autofree char *description = g_strdup_printf(
				"JSON parse error, %s", hb_json_scanner_get_error(client->scanner));

			refuse(client, description, NULL);
		}
	}
}

static void read_chunk(HbQmpClient *client)
{
	ssize_t got = recv(client->fd, client->chunk, sizeof(client->chunk), MSG_DONTWAIT);

	if (got > 0) {
		client->chunk_start = 0;
		client->chunk_end = (gsize)got;
	} else if (got == 0) {
		client->at_end = TRUE;
	} else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
		client->at_end = TRUE;
		client->deaf = TRUE;
	}
}

static void serve(HbQmpClient *client)
{
	flush(client);
	take_chunk(client);
	if (!client->call && !client->at_end && !client->doomed) {
		read_chunk(client);
		take_chunk(client);
	}
	if (client->at_end && (client->deaf || client->output->len == 0))
		client->doomed = TRUE;
}

static gboolean on_ready(gpointer data)
{
	HbQmpClient *client = data;

	g_source_set_ready_time(client->source, -1);
	/* A hang-up is reported again and again, whether asked for or not: out of the poll with it.
	 */
	if (client->tag && client->call &&
	    g_source_query_unix_fd(client->source, client->tag) & (G_IO_HUP | G_IO_ERR))
		g_source_remove_unix_fd(client->source, g_steal_pointer(&client->tag));

	client->in_dispatch = TRUE;
	if (!client->doomed)
		serve(client);
	client->in_dispatch = FALSE;

	if (client->doomed)
		client->ops->closed(client, client->opaque);
	else
		watch(client);
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static const GSourceFuncs source_funcs = { .dispatch = dispatch };

HbQmpClient *hb_qmp_client_create(int fd, GMainContext *context, const HbQmpClientOps *ops,
				  gpointer opaque)
{
	g_autofree char *greeting = hb_qmp_message_greeting();
	HbQmpClient *client = g_new0(HbQmpClient, 1);

	client->fd = fd;
	client->ops = ops;
	client->opaque = opaque;
	client->scanner = hb_json_scanner_create();
	client->output = g_byte_array_new();
	client->source = g_source_new((GSourceFuncs *)&source_funcs, sizeof(GSource));
	g_source_set_static_name(client->source, "QMP client");
	g_source_set_callback(client->source, on_ready, client, NULL);
	g_source_attach(client->source, context);
	send_text(client, greeting);
	return client;
}

void hb_qmp_client_destroy(HbQmpClient *client)
{
	if (client->call)
		hb_qmp_call_orphan(client->call);
	g_source_destroy(client->source);
	g_source_unref(client->source);
	hb_json_scanner_destroy(client->scanner);
	g_byte_array_unref(client->output);
	close(client->fd);
	g_free(client);
}
