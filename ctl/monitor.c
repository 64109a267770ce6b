/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The client's side of QMP: a line a message. docs/qmp.md has the protocol.
 *
 * A VM that is stuck must not take its operator with it: every wait has an end, and a line that
 * does not end is not read for ever.
 */

#include "ctl/monitor.h"

#include "ctl/json.h"

#include <hotbay/error.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_US (120 * G_USEC_PER_SEC) /* device_add may reset and map for seconds */
#define MAX_LINE    (16 * 1024 * 1024)

struct HbMonitor {
	char *path;
	int fd;
	GByteArray *input; /* what has come and is no whole line yet */
	GQueue events;	   /* of JsonObject */
	gint64 last_id;
};

/* ---- lines ---- */

static gboolean fail(const HbMonitor *monitor, GError **error, const char *reason)
{
	g_set_error(error, HB_ERROR, HB_ERROR_GONE, "%s: %s", monitor->path, reason);
	return FALSE;
}

static gboolean send_line(HbMonitor *monitor, const char *line, GError **error)
{
	gsize length = strlen(line);

	while (length) {
		ssize_t sent = send(monitor->fd, line, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return fail(monitor, error, g_strerror(errno));
		if (sent > 0) {
			line += sent;
			length -= (gsize)sent;
		}
	}
	return TRUE;
}

/* FALSE without error: the time is up. */
static gboolean wait_input(HbMonitor *monitor, gint64 deadline, GError **error)
{
	struct pollfd pollfd = { .fd = monitor->fd, .events = POLLIN };
	int timeout = -1;

	if (deadline >= 0)
		timeout = (int)CLAMP((deadline - g_get_monotonic_time() + 999) / 1000, 0, G_MAXINT);
	int ready = poll(&pollfd, 1, timeout);
	if (ready < 0 && errno != EINTR)
		return fail(monitor, error, g_strerror(errno));
	return ready > 0;
}

static gboolean receive(HbMonitor *monitor, GError **error)
{
	guint8 chunk[16384];
	ssize_t got = recv(monitor->fd, chunk, sizeof(chunk), 0);

	if (got < 0 && errno == EINTR)
		return TRUE;
	if (got <= 0)
		return fail(monitor, error, "the VM has ended");
	if (monitor->input->len > MAX_LINE)
		return fail(monitor, error, "what it says is no QMP: a line without end");
	g_byte_array_append(monitor->input, chunk, (guint)got);
	return TRUE;
}

static char *take_line(HbMonitor *monitor)
{
	const guint8 *end = monitor->input->len
				    ? memchr(monitor->input->data, '\n', monitor->input->len)
				    : NULL;

	if (!end)
		return NULL;
	guint length = (guint)(end - monitor->input->data);
	char *line = g_strndup((const char *)monitor->input->data, length);
	g_byte_array_remove_range(monitor->input, 0, length + 1);
	return line;
}

static char *read_line(HbMonitor *monitor, gint64 deadline, GError **error)
{
	GError *problem = NULL;

	for (;;) {
		char *line = take_line(monitor);

		if (line)
			return line;
		if (wait_input(monitor, deadline, &problem) && receive(monitor, &problem))
			continue;
		if (problem) {
			g_propagate_error(error, problem);
			return NULL;
		}
		if (deadline >= 0 && g_get_monotonic_time() >= deadline)
			return NULL;
	}
}

static JsonObject *read_message(HbMonitor *monitor, gint64 deadline, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new();
	g_autofree char *line = read_line(monitor, deadline, error);
	JsonNode *root;

	if (!line)
		return NULL;
	if (!json_parser_load_from_data(parser, line, -1, NULL) ||
	    !(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root)) {
		fail(monitor, error, "what it says is no QMP");
		return NULL;
	}
	return json_node_dup_object(root);
}

/* ---- the conversation ---- */

static int open_socket(const char *path, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: the path of a socket has %zu characters at most", path,
			    sizeof(address.sun_path) - 1);
		return -1;
	}
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	g_set_error(error, HB_ERROR, HB_ERROR_GONE,
		    "%s: no VM answers there: %s; it is started with -qmp "
		    "unix:%s,server=on,wait=off",
		    path, g_strerror(errno), path);
	if (fd >= 0)
		close(fd);
	return -1;
}

static gboolean greet(HbMonitor *monitor, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	g_autoptr(JsonObject) greeting = read_message(monitor, deadline, error);

	if (!greeting)
		return error && *error ? FALSE : fail(monitor, error, "the VM does not answer");
	if (!json_object_has_member(greeting, "QMP"))
		return fail(monitor, error, "what it says is no QMP");
	g_autoptr(JsonNode) answer = hb_monitor_execute(monitor, "qmp_capabilities", NULL, error);
	return answer != NULL;
}

HbMonitor *hb_monitor_connect(const char *path, GError **error)
{
	g_autoptr(HbMonitor) monitor = g_new0(HbMonitor, 1);
	g_autoptr(GError) problem = NULL;

	monitor->path = g_strdup(path);
	monitor->input = g_byte_array_new();
	g_queue_init(&monitor->events);
	monitor->fd = open_socket(path, error);
	if (monitor->fd < 0)
		return NULL;
	if (greet(monitor, &problem))
		return g_steal_pointer(&monitor);
	g_propagate_error(error, g_steal_pointer(&problem));
	return NULL;
}

static void unref_event(gpointer event)
{
	json_object_unref(event);
}

void hb_monitor_close(HbMonitor *monitor)
{
	if (!monitor)
		return;
	if (monitor->fd >= 0)
		close(monitor->fd);
	g_queue_clear_full(&monitor->events, unref_event);
	g_byte_array_unref(monitor->input);
	g_free(monitor->path);
	g_free(monitor);
}

static char *format_request(HbMonitor *monitor, const char *command, JsonObject *arguments)
{
	g_autoptr(JsonObject) request = json_object_new();
	g_autofree char *text = NULL;

	json_object_set_string_member(request, "execute", command);
	json_object_set_int_member(request, "id", ++monitor->last_id);
	if (arguments)
		json_object_set_object_member(request, "arguments", arguments);
	text = hb_json_format_object(request);
	return g_strconcat(text, "\n", NULL);
}

static void set_error(GError **error, JsonObject *reply)
{
	JsonObject *problem = hb_json_get_object(reply, "error");
	const char *kind = hb_json_get_string(problem, "class");
	const char *text = hb_json_get_string(problem, "desc");
	HbError code = HB_ERROR_BUSY;

	if (g_strcmp0(kind, "DeviceNotFound") == 0)
		code = HB_ERROR_NOT_FOUND;
	else if (g_strcmp0(kind, "CommandNotFound") == 0)
		code = HB_ERROR_UNSUPPORTED;
	g_set_error(error, HB_ERROR, (int)code, "%s",
		    text ? text : "the VM refuses, without words");
}

/* The reply to the last request; events go to the queue. */
static JsonObject *read_reply(HbMonitor *monitor, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	GError *problem = NULL;

	for (;;) {
		JsonObject *message = read_message(monitor, deadline, &problem);

		if (!message) {
			if (problem)
				g_propagate_error(error, problem);
			else
				fail(monitor, error, "the VM does not answer");
			return NULL;
		}
		if (json_object_has_member(message, "event"))
			g_queue_push_tail(&monitor->events, message);
		else if (hb_json_get_int(message, "id") == monitor->last_id)
			return message;
		else
			json_object_unref(message);
	}
}

JsonNode *hb_monitor_execute(HbMonitor *monitor, const char *command, JsonObject *arguments,
			     GError **error)
{
	g_autofree char *request = format_request(monitor, command, arguments);

	if (!send_line(monitor, request, error))
		return NULL;
	g_autoptr(JsonObject) reply = read_reply(monitor, error);
	if (!reply)
		return NULL;
	if (!json_object_has_member(reply, "return")) {
		set_error(error, reply);
		return NULL;
	}
	return json_object_dup_member(reply, "return");
}

gboolean hb_monitor_has_command(HbMonitor *monitor, const char *command)
{
	g_autoptr(JsonNode) answer = hb_monitor_execute(monitor, "query-commands", NULL, NULL);
	JsonArray *names =
		answer && JSON_NODE_HOLDS_ARRAY(answer) ? json_node_get_array(answer) : NULL;

	for (guint i = 0; names && i < json_array_get_length(names); i++) {
		JsonNode *entry = json_array_get_element(names, i);

		if (JSON_NODE_HOLDS_OBJECT(entry) &&
		    g_strcmp0(hb_json_get_string(json_node_get_object(entry), "name"), command) ==
			    0)
			return TRUE;
	}
	return FALSE;
}

JsonObject *hb_monitor_wait_event(HbMonitor *monitor, gint64 deadline, GError **error)
{
	JsonObject *message = g_queue_pop_head(&monitor->events);

	while (!message) {
		message = read_message(monitor, deadline, error);
		if (!message)
			return NULL;
		if (json_object_has_member(message, "event"))
			break;
		g_clear_pointer(&message, json_object_unref);
	}
	return message;
}
