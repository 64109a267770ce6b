/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef CTL_MONITOR_H
#define CTL_MONITOR_H

#include <json-glib/json-glib.h>

/**
 * HbMonitor:
 *
 * A connection to a VM's QMP socket. Calls wait for their answer; events that come meanwhile are
 * kept for hb_monitor_wait_event(), in their order. Any one thread.
 */
typedef struct HbMonitor HbMonitor;

/** hb_monitor_connect: NULL with %HB_ERROR_GONE if nobody answers at @path, or not in QMP. */
HbMonitor *hb_monitor_connect(const char *path, GError **error);
void hb_monitor_close(HbMonitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbMonitor, hb_monitor_close)

/**
 * hb_monitor_execute:
 * @arguments: (transfer full) (nullable):
 *
 * Returns: (transfer full) (nullable): what the command returned; NULL with the VM's own words:
 *   %HB_ERROR_NOT_FOUND no such device, %HB_ERROR_UNSUPPORTED no such command, %HB_ERROR_BUSY it
 *   refuses, %HB_ERROR_GONE it has ended or does not answer
 */
JsonNode *hb_monitor_execute(HbMonitor *monitor, const char *command, JsonObject *arguments,
			     GError **error);

/** hb_monitor_has_command: whether the VM knows it. */
gboolean hb_monitor_has_command(HbMonitor *monitor, const char *command);

/**
 * hb_monitor_wait_event:
 * @deadline: as g_get_monotonic_time(); -1 for ever
 *
 * Returns: (transfer full) (nullable): the next event; NULL without error when the time is up, with
 *   %HB_ERROR_GONE when the VM has ended
 */
JsonObject *hb_monitor_wait_event(HbMonitor *monitor, gint64 deadline, GError **error);

#endif
