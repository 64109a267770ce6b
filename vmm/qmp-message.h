/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_QMP_MESSAGE_H
#define VMM_QMP_MESSAGE_H

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * The messages of the protocol, as text in and out. Pure: no socket, no state. Every message built
 * here is one line with its end of line, and NUL-terminated.
 */

/** HbQmpRequest: one command as it was sent. */
typedef struct HbQmpRequest {
	char *execute;
	JsonObject *arguments; /* never NULL */
	JsonNode *id;	       /* NULL if there is none */
} HbQmpRequest;

void hb_qmp_request_free(HbQmpRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbQmpRequest, hb_qmp_request_free)

/**
 * hb_qmp_message_parse:
 * @text: one JSON value
 * @id: (out) (transfer full) (nullable): the request's id, if it fails and has one
 *
 * Returns: (transfer full) (nullable): NULL with %HB_ERROR_INVALID, in QEMU's words
 */
HbQmpRequest *hb_qmp_message_parse(const char *text, gsize length, JsonNode **id, GError **error);

/** hb_qmp_message_version: Returns: (transfer full): what query-version returns. */
JsonNode *hb_qmp_message_version(void);

/** hb_qmp_message_greeting: Returns: (transfer full): what a client gets on connecting. */
char *hb_qmp_message_greeting(void);

/**
 * hb_qmp_message_return:
 * @value: (transfer full) (nullable): NULL for the empty object
 * @id: (nullable): of the request
 */
char *hb_qmp_message_return(JsonNode *value, JsonNode *id);
char *hb_qmp_message_error(const char *error_class, const char *description, JsonNode *id);

/**
 * hb_qmp_message_event:
 * @data: (transfer full) (nullable)
 * @time_us: microseconds since the epoch
 * @monotonic_us: the same moment on the host's CLOCK_MONOTONIC
 */
char *hb_qmp_message_event(const char *event, JsonObject *data, gint64 time_us,
			   gint64 monotonic_us);

#endif
