/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The server: listening sockets, the clients that came by them, the table of commands.
 *
 *   listeners --accept--> clients --execute--> commands
 *                            ^------- emit ------- events
 *
 * What the protocol has to say about itself is answered here: qmp_capabilities, query-version,
 * query-commands. No capability is offered: out-of-band execution is for monitors whose commands
 * block, and none does here.
 */

#include "vmm/qmp.h"

#include "vmm/qmp-call.h"
#include "vmm/qmp-client.h"
#include "vmm/qmp-message.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* How long to leave the door shut when the process has no descriptor for another client. */
#define ACCEPT_PAUSE_US G_USEC_PER_SEC

typedef struct Listener {
	HbQmp *qmp;
	int fd;
	char *path;
	/* Of the file, so that nobody else's is removed in the end. */
	dev_t device;
	ino_t inode;
	GSource *source;
	gpointer tag; /* of @fd in @source */
} Listener;

struct HbQmp {
	GMainContext *context; /* NULL: the default one */
	const HbQmpCommand *commands;
	guint n_commands;
	gpointer opaque;
	GPtrArray *listeners; /* Listener */
	GPtrArray *clients;   /* HbQmpClient */
};

static void run_capabilities(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	JsonNode *enable = json_object_get_member(arguments, "enable");

	if (json_object_get_size(arguments) > (enable ? 1 : 0)) {
		hb_qmp_call_error(call, HB_QMP_GENERIC_ERROR,
				  "qmp_capabilities takes no parameter but 'enable'");
	} else if (enable && !JSON_NODE_HOLDS_ARRAY(enable)) {
		hb_qmp_call_error(call, HB_QMP_GENERIC_ERROR,
				  "Invalid parameter type for 'enable', expected: array");
	} else if (enable && json_array_get_length(json_node_get_array(enable)) > 0) {
		hb_qmp_call_error(
			call, HB_QMP_GENERIC_ERROR,
			"No capability is offered, so none can be enabled: leave 'enable' "
			"empty");
	} else if (!hb_qmp_client_negotiate(hb_qmp_call_get_client(call))) {
		hb_qmp_call_error(call, HB_QMP_COMMAND_NOT_FOUND,
				  "Capabilities negotiation is already complete, command ignored");
	} else {
		hb_qmp_call_return(call, NULL);
	}
}

static void run_query_version(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_qmp_call_return(call, hb_qmp_message_version());
}

static void run_query_commands(HbQmpCall *call, JsonObject *arguments, gpointer opaque);

static const HbQmpCommand builtins[] = {
	{ .name = "qmp_capabilities", .run = run_capabilities, .any = TRUE },
	{ .name = "query-version", .run = run_query_version },
	{ .name = "query-commands", .run = run_query_commands },
};

static void list_commands(JsonArray *list, const HbQmpCommand *commands, guint n)
{
	for (guint i = 0; i < n; i++) {
		JsonObject *entry = json_object_new();

		json_object_set_string_member(entry, "name", commands[i].name);
		json_array_add_object_element(list, entry);
	}
}

static void run_query_commands(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	HbQmp *qmp = opaque;
	JsonArray *list = json_array_new();
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);

	list_commands(list, builtins, G_N_ELEMENTS(builtins));
	list_commands(list, qmp->commands, qmp->n_commands);
	json_node_take_array(node, list);
	hb_qmp_call_return(call, node);
}

static const HbQmpCommand *find_command(const HbQmpCommand *commands, guint n, const char *name)
{
	for (guint i = 0; i < n; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* NULL if they are what @command takes. */
static char *judge_arguments(const HbQmpCommand *command, JsonObject *arguments)
{
	static const char *const none[] = { NULL };
	const char *const *strings = command->strings ? command->strings : none;
	g_autoptr(GList) members = json_object_get_members(arguments);

	if (command->any)
		return NULL;
	for (GList *at = members; at; at = at->next)
		if (!g_strv_contains(strings, at->data))
			return g_strdup_printf("Parameter '%s' is unexpected",
					       (const char *)at->data);
	for (guint i = 0; strings[i]; i++) {
		JsonNode *node = json_object_get_member(arguments, strings[i]);

		if (!node)
			return g_strdup_printf("Parameter '%s' is missing", strings[i]);
		if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
			return g_strdup_printf("Invalid parameter type for '%s', expected: string",
					       strings[i]);
	}
	return NULL;
}

static void on_execute(HbQmpCall *call, const char *name, JsonObject *arguments, gpointer opaque)
{
	HbQmp *qmp = opaque;
	const HbQmpCommand *builtin = find_command(builtins, G_N_ELEMENTS(builtins), name);
	const HbQmpCommand *command =
		builtin ? builtin : find_command(qmp->commands, qmp->n_commands, name);
	g_autofree char *blemish = NULL;

	if (!command) {
		hb_qmp_call_error(call, HB_QMP_COMMAND_NOT_FOUND,
				  "The command %s has not been found", name);
		return;
	}
	blemish = judge_arguments(command, arguments);
	if (blemish)
		hb_qmp_call_error(call, HB_QMP_GENERIC_ERROR, "%s", blemish);
	else
		command->run(call, arguments, builtin ? qmp : qmp->opaque);
}

static void on_closed(HbQmpClient *client, gpointer opaque)
{
	HbQmp *qmp = opaque;

	g_ptr_array_remove(qmp->clients, client);
}

static const HbQmpClientOps client_ops = { .execute = on_execute, .closed = on_closed };

void hb_qmp_add_client(HbQmp *qmp, int fd)
{
	if (qmp->clients->len == HB_QMP_MAX_CLIENTS) {
		g_message("QMP: turned a client away, %d are connected; close one",
			  HB_QMP_MAX_CLIENTS);
		close(fd);
		return;
	}
	g_ptr_array_add(qmp->clients, hb_qmp_client_create(fd, qmp->context, &client_ops, qmp));
}

guint hb_qmp_get_n_clients(HbQmp *qmp)
{
	return qmp->clients->len;
}

void hb_qmp_emit(HbQmp *qmp, const char *event, JsonObject *data)
{
	hb_qmp_emit_at(qmp, event, data, g_get_monotonic_time());
}

void hb_qmp_emit_at(HbQmp *qmp, const char *event, JsonObject *data, gint64 monotonic_us)
{
	gint64 age = g_get_monotonic_time() - monotonic_us;
	g_autofree char *text =
		hb_qmp_message_event(event, data, g_get_real_time() - age, monotonic_us);

	for (guint i = 0; i < qmp->clients->len; i++)
		hb_qmp_client_send_event(g_ptr_array_index(qmp->clients, i), text);
}

static gboolean on_listener_ready(gpointer data)
{
	Listener *listener = data;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	g_source_set_ready_time(listener->source, -1);
	g_source_modify_unix_fd(listener->source, listener->tag, G_IO_IN);
	if (fd >= 0) {
		hb_qmp_add_client(listener->qmp, fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		g_message("QMP: accept on %s: %s; trying again in a second", listener->path,
			  g_strerror(errno));
		g_source_modify_unix_fd(listener->source, listener->tag, 0);
		g_source_set_ready_time(listener->source, g_get_monotonic_time() + ACCEPT_PAUSE_US);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	return callback(data);
}

static const GSourceFuncs source_funcs = { .dispatch = dispatch };

static void listener_destroy(gpointer data)
{
	Listener *listener = data;
	GStatBuf found;

	g_source_destroy(listener->source);
	g_source_unref(listener->source);
	close(listener->fd);
	if (g_lstat(listener->path, &found) == 0 && found.st_dev == listener->device &&
	    found.st_ino == listener->inode)
		g_unlink(listener->path);
	g_free(listener->path);
	g_free(listener);
}

static gboolean fail_listen(const char *path, const char *call, GError **error)
{
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "QMP socket '%s': %s: %s; choose another path",
		    path, call, g_strerror(errno));
	return FALSE;
}

/* Is anybody at home? A socket's file stays behind when its process dies. */
static gboolean remove_stale(const char *path, const struct sockaddr_un *address, GError **error)
{
	GStatBuf found;
	gboolean answered;
	int fd;

	if (g_lstat(path, &found) < 0)
		return TRUE;
	if (!S_ISSOCK(found.st_mode)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "QMP socket '%s': a file that is no socket is there; remove it or "
			    "choose another path",
			    path);
		return FALSE;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_listen(path, "socket", error);
	answered = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		   errno == EAGAIN;
	close(fd);
	if (answered) {
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "QMP socket '%s': another process listens there; stop it or choose "
			    "another path",
			    path);
		return FALSE;
	}
	if (g_unlink(path) < 0 && errno != ENOENT)
		return fail_listen(path, "unlink", error);
	return TRUE;
}

static int open_listener(const char *path, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (*path == '\0' || strlen(path) >= sizeof(address.sun_path)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "QMP socket '%s': the path must have 1 to %zu bytes", path,
			    sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	if (!remove_stale(path, &address, error))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		fail_listen(path, "socket", error);
		return -1;
	}
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		fail_listen(path, "bind", error);
		close(fd);
		return -1;
	}
	if (listen(fd, SOMAXCONN) < 0) {
		fail_listen(path, "listen", error);
		close(fd);
		g_unlink(path);
		return -1;
	}
	return fd;
}

gboolean hb_qmp_listen(HbQmp *qmp, const char *path, GError **error)
{
	int fd = open_listener(path, error);
	GStatBuf bound = { 0 };
	Listener *listener;

	if (fd < 0)
		return FALSE;
	listener = g_new0(Listener, 1);
	listener->qmp = qmp;
	listener->fd = fd;
	listener->path = g_strdup(path);
	if (g_lstat(path, &bound) == 0) {
		listener->device = bound.st_dev;
		listener->inode = bound.st_ino;
	}
	listener->source = g_source_new((GSourceFuncs *)&source_funcs, sizeof(GSource));
	g_source_set_static_name(listener->source, "QMP listener");
	g_source_set_callback(listener->source, on_listener_ready, listener, NULL);
	listener->tag = g_source_add_unix_fd(listener->source, fd, G_IO_IN);
	g_source_attach(listener->source, qmp->context);
	g_ptr_array_add(qmp->listeners, listener);
	return TRUE;
}

HbQmp *hb_qmp_create(GMainContext *context, const HbQmpCommand *commands, guint n, gpointer opaque)
{
	HbQmp *qmp = g_new0(HbQmp, 1);

	qmp->context = context ? g_main_context_ref(context) : NULL;
	qmp->commands = commands;
	qmp->n_commands = n;
	qmp->opaque = opaque;
	qmp->listeners = g_ptr_array_new_with_free_func(listener_destroy);
	qmp->clients = g_ptr_array_new_with_free_func((GDestroyNotify)hb_qmp_client_destroy);
	return qmp;
}

void hb_qmp_destroy(HbQmp *qmp)
{
	if (!qmp)
		return;
	g_ptr_array_unref(qmp->listeners);
	g_ptr_array_unref(qmp->clients);
	g_clear_pointer(&qmp->context, g_main_context_unref);
	g_free(qmp);
}
