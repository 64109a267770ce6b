/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_VMM_QMP_SERVER_H
#define TESTS_UNIT_VMM_QMP_SERVER_H

/* A QMP server with a few commands, and a folder for its sockets. */

#include "tests/unit/vmm/qmp-peer.h"

#include <glib/gstdio.h>

static GPtrArray *held; /* HbQmpCall, of "hold", in order */
static GString *ran;	/* names of what ran, each with a space */
static char *folder;

static inline void run_echo(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	g_string_append(opaque, "echo ");
	json_node_set_object(node, arguments);
	hb_qmp_call_return(call, node);
}

static inline void run_hold(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	g_string_append(opaque, "hold ");
	g_ptr_array_add(held, call);
}

static inline void run_fail(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_qmp_call_error(call, HB_QMP_DEVICE_NOT_FOUND, "Device '%s' not found",
			  json_object_get_string_member(arguments, "id"));
}

static inline void run_tell(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_qmp_emit(qmp, "TOLD", NULL);
	hb_qmp_call_return(call, NULL);
}

static const char *const fail_strings[] = { "id", NULL };

static const HbQmpCommand commands[] = {
	{ .name = "echo", .run = run_echo, .any = TRUE },
	{ .name = "hold", .run = run_hold },
	{ .name = "fail", .run = run_fail, .strings = fail_strings },
	{ .name = "tell", .run = run_tell },
};

static inline void set_up(void)
{
	context = g_main_context_new();
	ran = g_string_new(NULL);
	held = g_ptr_array_new();
	qmp = hb_qmp_create(context, commands, G_N_ELEMENTS(commands), ran);
	folder = g_dir_make_tmp("qmp-XXXXXX", NULL);
	ck_assert_ptr_nonnull(folder);
}

static inline void tear_down(void)
{
	hb_qmp_destroy(qmp);
	g_ptr_array_unref(held);
	g_string_free(ran, TRUE);
	g_main_context_unref(context);
	ck_assert_int_eq(g_rmdir(folder), 0);
	g_free(folder);
}

#endif
