/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One command in flight. It may outlive its client, which can hang up any moment, and its server:
 * whoever carries the command out ends it without asking.
 */

#include "vmm/qmp-call.h"

struct HbQmpCall {
	HbQmpClient *client; /* NULL: it has gone */
	HbQmpRequest *request;
};

HbQmpCall *hb_qmp_call_create(HbQmpClient *client, HbQmpRequest *request)
{
	HbQmpCall *call = g_new0(HbQmpCall, 1);

	call->client = client;
	call->request = request;
	return call;
}

void hb_qmp_call_orphan(HbQmpCall *call)
{
	call->client = NULL;
}

HbQmpClient *hb_qmp_call_get_client(HbQmpCall *call)
{
	return call->client;
}

static void end(HbQmpCall *call, const char *reply)
{
	if (call->client)
		hb_qmp_client_finish_call(call->client, reply);
	hb_qmp_request_free(call->request);
	g_free(call);
}

void hb_qmp_call_return(HbQmpCall *call, JsonNode *value)
{
	g_autofree char *reply = hb_qmp_message_return(value, call->request->id);

	end(call, reply);
}

void hb_qmp_call_error(HbQmpCall *call, const char *error_class, const char *format, ...)
{
	g_autofree char *description = NULL;
	g_autofree char *reply = NULL;
	va_list arguments;

	va_start(arguments, format);
	description = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	reply = hb_qmp_message_error(error_class, description, call->request->id);
	end(call, reply);
}
