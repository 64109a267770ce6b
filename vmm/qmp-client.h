/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_QMP_CLIENT_H
#define VMM_QMP_CLIENT_H

#include "vmm/qmp.h"

/* One connection of a QMP server. Only in the thread that iterates its main context. */
typedef struct HbQmpClient HbQmpClient;

/* Both are called while the main context is iterated, never from inside a function of this file. */
typedef struct HbQmpClientOps {
	/* Carry out @command, and end @call now or later. The client must not be destroyed here. */
	void (*execute)(HbQmpCall *call, const char *command, JsonObject *arguments,
			gpointer opaque);
	/* The connection is at its end: destroy the client. */
	void (*closed)(HbQmpClient *client, gpointer opaque);
} HbQmpClientOps;

/* Serves the stream socket @fd, which it owns; the greeting is the first thing it sends. */
HbQmpClient *hb_qmp_client_create(int fd, GMainContext *context, const HbQmpClientOps *ops,
				  gpointer opaque);

/* A call in flight outlives it. */
void hb_qmp_client_destroy(HbQmpClient *client);

/* Send an event, if capabilities are negotiated. */
void hb_qmp_client_send_event(HbQmpClient *client, const char *text);

/* Leave the negotiation; FALSE if that was done before. */
gboolean hb_qmp_client_negotiate(HbQmpClient *client);

/* The call in flight has ended with @reply; the next request may run. */
void hb_qmp_client_finish_call(HbQmpClient *client, const char *reply);

#endif
