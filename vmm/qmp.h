/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_QMP_H
#define VMM_QMP_H

#include <glib.h>
#include <json-glib/json-glib.h>

/**
 * HbQmp:
 *
 * A server of QEMU's Machine Protocol: JSON commands in, replies and events out, over unix sockets.
 * It knows nothing of machines: what commands do is its creator's business. Everything here is for
 * the thread that iterates its main context, never blocks, and never fails because of a client.
 */
typedef struct HbQmp HbQmp;

/** HbQmpCall: one command in flight: ends with hb_qmp_call_return() or hb_qmp_call_error(). */
typedef struct HbQmpCall HbQmpCall;

/* The error classes of the protocol. */
#define HB_QMP_GENERIC_ERROR	 "GenericError"
#define HB_QMP_COMMAND_NOT_FOUND "CommandNotFound"
#define HB_QMP_DEVICE_NOT_FOUND	 "DeviceNotFound"

/** HB_QMP_MAX_CLIENTS: connections at a time; one more is closed at once. */
#define HB_QMP_MAX_CLIENTS 64

/** HB_QMP_MAX_OUTPUT: bytes that may wait for a client that does not read; then it is dropped. */
#define HB_QMP_MAX_OUTPUT (8 * 1024 * 1024)

/**
 * HbQmpCommand:
 * @name: "device_del"
 * @run: carries it out. @arguments are checked against the two members below, never NULL, and valid
 *   until @call has ended.
 * @strings: (nullable): the arguments it takes, ending with NULL: all strings, all needed
 * @any: takes whatever members there are; @run checks them
 */
typedef struct HbQmpCommand {
	const char *name;
	void (*run)(HbQmpCall *call, JsonObject *arguments, gpointer opaque);
	const char *const *strings;
	gboolean any;
} HbQmpCommand;

/**
 * hb_qmp_create:
 * @context: (nullable): where sockets are watched; NULL is the default context
 * @commands: (array length=n): what there is beside qmp_capabilities, query-version and
 *   query-commands; must outlive the server
 * @opaque: for @commands
 */
HbQmp *hb_qmp_create(GMainContext *context, const HbQmpCommand *commands, guint n, gpointer opaque);

/**
 * hb_qmp_destroy:
 *
 * Closes all connections and removes the sockets' files. Not from inside a command. Calls in flight
 * stay valid and must still be ended. Takes NULL.
 */
void hb_qmp_destroy(HbQmp *qmp);

/**
 * hb_qmp_listen:
 * @path: a file that does not exist, or a socket that nobody listens on any more
 *
 * Any number of sockets, any number of clients each.
 *
 * Returns: FALSE with %HB_ERROR_BUSY if another process listens there,
 *   %HB_ERROR_INVALID if @path cannot be a socket, %HB_ERROR_HOST for what the kernel refused
 */
gboolean hb_qmp_listen(HbQmp *qmp, const char *path, GError **error);

/** hb_qmp_add_client: serves a connected stream socket, which it owns from here on. */
void hb_qmp_add_client(HbQmp *qmp, int fd);

/** hb_qmp_get_n_clients: Returns: how many are connected. */
guint hb_qmp_get_n_clients(HbQmp *qmp);

/**
 * hb_qmp_emit:
 * @event: "DEVICE_DELETED"
 * @data: (transfer full) (nullable): its members
 *
 * Tells every client that has negotiated its capabilities.
 */
void hb_qmp_emit(HbQmp *qmp, const char *event, JsonObject *data);

/** hb_qmp_emit_at: likewise of what happened at @monotonic_us, as g_get_monotonic_time(). */
void hb_qmp_emit_at(HbQmp *qmp, const char *event, JsonObject *data, gint64 monotonic_us);

/**
 * hb_qmp_call_return:
 * @value: (transfer full) (nullable): NULL for the empty object
 *
 * Replies and frees @call, from inside the command or any time later. Until then the same client's
 * next commands wait; other clients' do not. Nothing is sent if the client has gone.
 */
void hb_qmp_call_return(HbQmpCall *call, JsonNode *value);

/** hb_qmp_call_error: likewise: the command failed. @error_class is one of those above. */
void hb_qmp_call_error(HbQmpCall *call, const char *error_class, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

#endif
