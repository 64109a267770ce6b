/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What happens to the machine, as QMP events: QEMU's names and members (QEMU qapi/run-state.json,
 * qapi/qdev.json), HOTBAY_SLOT_* for each step that a slot takes, and HOTBAY_HOST_DRIVE_* for what
 * happens in a slot of the host.
 */

#include "vmm/events.h"

char *hb_events_name(const char *symbol)
{
	return g_strdelimit(g_ascii_strdown(symbol, -1), "_", '-');
}

static void set_string(JsonObject *object, const char *member, const char *value)
{
	if (value)
		json_object_set_string_member(object, member, value);
}

static void set_reason(JsonObject *object, HbSlotReason reason)
{
	g_autofree char *name = hb_events_name(hb_slot_reason_to_str(reason));

	json_object_set_string_member(object, "reason", name);
}

static JsonObject *describe_cause(const HbMachineEvent *event)
{
	JsonObject *data = json_object_new();

	json_object_set_boolean_member(data, "guest", hb_cause_is_guest(event->cause));
	json_object_set_string_member(data, "reason", hb_cause_to_str(event->cause));
	return data;
}

static JsonObject *describe_device(const HbMachineEvent *event)
{
	JsonObject *data = json_object_new();

	set_string(data, "device", event->device);
	set_string(data, "path", event->path);
	return data;
}

static JsonObject *describe_refusal(const HbMachineEvent *event)
{
	JsonObject *data = describe_device(event);

	set_reason(data, event->told->reason);
	return data;
}

void hb_events_set_indicators(JsonObject *object, const HbEvent *told)
{
	json_object_set_string_member(object, "attention-indicator",
				      hb_indicator_to_str(told->attention_indicator));
	json_object_set_string_member(object, "power-indicator",
				      hb_indicator_to_str(told->power_indicator));
	json_object_set_string_member(object, "power", told->powered ? "on" : "off");
}

void hb_events_set_failure(JsonObject *object, const HbEvent *told)
{
	g_autofree char *name = hb_events_name(hb_port_failure_to_str(told->failure));

	json_object_set_string_member(object, "failure", name);
}

static JsonObject *describe_slot(const HbMachineEvent *event)
{
	JsonObject *data = json_object_new();
	const HbEvent *told = event->told;

	set_string(data, "bus", event->bus);
	set_string(data, "device", event->device);
	set_string(data, "host", event->host);
	if (told->reason != HB_SLOT_REASON_NONE)
		set_reason(data, told->reason);
	if (told->type == HB_EVENT_ERROR_CONTAINED)
		hb_events_set_failure(data, told);
	if (told->type == HB_EVENT_INDICATORS)
		hb_events_set_indicators(data, told);
	return data;
}

static JsonObject *describe_bay(const HbMachineEvent *event)
{
	JsonObject *data = json_object_new();

	set_string(data, "bus", event->bus);
	set_string(data, "host-slot", event->host_slot);
	set_string(data, "host", event->host);
	if (event->told->error)
		set_string(data, "reason", event->told->error->message);
	return data;
}

static void emit_told(HbQmp *qmp, const HbMachineEvent *event, gint64 when)
{
	gboolean is_slots = event->type == HB_MACHINE_EVENT_SLOT;
	g_autofree char *name = g_strconcat(is_slots ? "HOTBAY_SLOT_" : "HOTBAY_",
					    hb_event_type_to_str(event->told->type), NULL);

	hb_qmp_emit_at(qmp, name, is_slots ? describe_slot(event) : describe_bay(event), when);
}

void hb_events_emit(HbQmp *qmp, const HbMachineEvent *event)
{
	gint64 when = event->time_us ? event->time_us : g_get_monotonic_time();

	switch (event->type) {
	case HB_MACHINE_EVENT_SHUTDOWN:
		hb_qmp_emit_at(qmp, "SHUTDOWN", describe_cause(event), when);
		break;
	case HB_MACHINE_EVENT_RESET:
		hb_qmp_emit_at(qmp, "RESET", describe_cause(event), when);
		break;
	case HB_MACHINE_EVENT_POWERDOWN:
		hb_qmp_emit_at(qmp, "POWERDOWN", NULL, when);
		break;
	case HB_MACHINE_EVENT_STOP:
		hb_qmp_emit_at(qmp, "STOP", NULL, when);
		break;
	case HB_MACHINE_EVENT_RESUME:
		hb_qmp_emit_at(qmp, "RESUME", NULL, when);
		break;
	case HB_MACHINE_EVENT_DEVICE_DELETED:
		hb_qmp_emit_at(qmp, "DEVICE_DELETED", describe_device(event), when);
		break;
	case HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR:
		hb_qmp_emit_at(qmp, "DEVICE_UNPLUG_GUEST_ERROR", describe_refusal(event), when);
		break;
	case HB_MACHINE_EVENT_SLOT:
	case HB_MACHINE_EVENT_BAY:
		emit_told(qmp, event, when);
		break;
	}
}
