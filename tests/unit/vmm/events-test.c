/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The machine's events, as QMP's clients hear them. */

#include "tests/unit/suite.h"
#include "tests/unit/vmm/fake-machine.h"

/* The event as text, without its timestamp. */
static void assert_tells(const HbMachineEvent *event, const char *expected)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *line = NULL;
	const char *after;

	happen(event);
	line = hear(peer);
	after = strstr(line, "},");
	ck_assert_ptr_nonnull(after);
	ck_assert_str_eq(after + 2, expected);
}

static const GError refusal = { .message = (char *)"it is mounted" };

static const struct {
	HbMachineEvent event;
	const char *expected;
} events[] = {
	{ { .type = HB_MACHINE_EVENT_SHUTDOWN, .cause = HB_CAUSE_HOST_QMP_QUIT },
	  "\"event\":\"SHUTDOWN\",\"data\":{\"guest\":false,\"reason\":\"host-qmp-quit\"}}" },
	{ { .type = HB_MACHINE_EVENT_RESET, .cause = HB_CAUSE_GUEST_RESET },
	  "\"event\":\"RESET\",\"data\":{\"guest\":true,\"reason\":\"guest-reset\"}}" },
	{ { .type = HB_MACHINE_EVENT_POWERDOWN }, "\"event\":\"POWERDOWN\"}" },
	{ { .type = HB_MACHINE_EVENT_STOP }, "\"event\":\"STOP\"}" },
	{ { .type = HB_MACHINE_EVENT_RESUME }, "\"event\":\"RESUME\"}" },
	{ { .type = HB_MACHINE_EVENT_DEVICE_DELETED,
	    .device = "nvme0",
	    .path = "/machine/peripheral/nvme0" },
	  "\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"nvme0\","
	  "\"path\":\"/machine/peripheral/nvme0\"}}" },
	{ { .type = HB_MACHINE_EVENT_DEVICE_DELETED, .path = "/machine/peripheral-anon/device[0]" },
	  "\"event\":\"DEVICE_DELETED\",\"data\":{"
	  "\"path\":\"/machine/peripheral-anon/device[0]\"}}" },
	{ { .type = HB_MACHINE_EVENT_UNPLUG_GUEST_ERROR,
	    .device = "nvme0",
	    .path = "/machine/peripheral/nvme0",
	    .told = &(const HbEvent){ .reason = HB_SLOT_REASON_TIMED_OUT } },
	  "\"event\":\"DEVICE_UNPLUG_GUEST_ERROR\",\"data\":{\"device\":\"nvme0\","
	  "\"path\":\"/machine/peripheral/nvme0\",\"reason\":\"timed-out\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .device = "nvme0",
	    .host = "0000:01:00.0",
	    .told = &(const HbEvent){ .type = HB_EVENT_PLUGGED } },
	  "\"event\":\"HOTBAY_SLOT_PLUGGED\",\"data\":{\"bus\":\"bay0\",\"device\":\"nvme0\","
	  "\"host\":\"0000:01:00.0\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .device = "nvme0",
	    .told = &(const HbEvent){ .type = HB_EVENT_SEVERED, .reason = HB_SLOT_REASON_PULL } },
	  "\"event\":\"HOTBAY_SLOT_SEVERED\",\"data\":{\"bus\":\"bay0\",\"device\":\"nvme0\","
	  "\"reason\":\"pull\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .told = &(const HbEvent){ .type = HB_EVENT_REMOVAL_REQUESTED } },
	  "\"event\":\"HOTBAY_SLOT_REMOVAL_REQUESTED\",\"data\":{\"bus\":\"bay0\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .told = &(const HbEvent){ .type = HB_EVENT_REMOVAL_REFUSED,
				      .reason = HB_SLOT_REASON_CANCELLED } },
	  "\"event\":\"HOTBAY_SLOT_REMOVAL_REFUSED\",\"data\":{\"bus\":\"bay0\","
	  "\"reason\":\"cancelled\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .told = &(const HbEvent){ .type = HB_EVENT_RELEASED, .reason = HB_SLOT_REASON_PULL } },
	  "\"event\":\"HOTBAY_SLOT_RELEASED\",\"data\":{\"bus\":\"bay0\","
	  "\"reason\":\"pull\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .device = "nvme0",
	    .told = &(const HbEvent){ .type = HB_EVENT_ERROR_CONTAINED,
				      .reason = HB_SLOT_REASON_ERROR,
				      .failure = HB_PORT_FAILURE_SILENT } },
	  "\"event\":\"HOTBAY_SLOT_ERROR_CONTAINED\",\"data\":{\"bus\":\"bay0\","
	  "\"device\":\"nvme0\",\"reason\":\"error\",\"failure\":\"silent\"}}" },
	{ { .type = HB_MACHINE_EVENT_BAY,
	    .bus = "bay0",
	    .host_slot = "1",
	    .host = "0000:01:00.0",
	    .told = &(const HbEvent){ .type = HB_EVENT_HOST_DRIVE_ADDED } },
	  "\"event\":\"HOTBAY_HOST_DRIVE_ADDED\",\"data\":{\"bus\":\"bay0\","
	  "\"host-slot\":\"1\",\"host\":\"0000:01:00.0\"}}" },
	{ { .type = HB_MACHINE_EVENT_BAY,
	    .bus = "bay0",
	    .host_slot = "1",
	    .host = "0000:01:00.0",
	    .told = &(const HbEvent){ .type = HB_EVENT_HOST_DRIVE_REFUSED, .error = &refusal } },
	  "\"event\":\"HOTBAY_HOST_DRIVE_REFUSED\",\"data\":{\"bus\":\"bay0\","
	  "\"host-slot\":\"1\",\"host\":\"0000:01:00.0\",\"reason\":\"it is mounted\"}}" },
};

START_TEST(event_is_told_in_qemus_words)
{
	assert_tells(&events[_i].event, events[_i].expected);
}
END_TEST

START_TEST(indicator_event_says_what_they_showed_then)
{
	const HbEvent told = { .type = HB_EVENT_INDICATORS,
			       .attention_indicator = HB_INDICATOR_BLINK,
			       .power_indicator = HB_INDICATOR_OFF,
			       .powered = TRUE };
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_SLOT,
				       .bus = "bay1",
				       .told = &told };

	assert_tells(&event, "\"event\":\"HOTBAY_SLOT_INDICATORS\",\"data\":{\"bus\":\"bay1\","
			     "\"attention-indicator\":\"blink\",\"power-indicator\":\"off\","
			     "\"power\":\"on\"}}");
}
END_TEST

static gint64 get_stamp(JsonObject *message, const char *member)
{
	JsonObject *stamp = json_object_get_object_member(message, "timestamp");

	return json_object_get_int_member(stamp, member);
}

START_TEST(event_has_the_time_when_it_happened)
{
	g_autoptr(Peer) peer = add_ready_peer();
	const gint64 ago = 5 * G_USEC_PER_SEC;
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_DEVICE_DELETED,
				       .time_us = g_get_monotonic_time() - ago };
	g_autofree char *line = NULL;
	g_autoptr(JsonNode) root = NULL;

	happen(&event);
	line = hear(peer);
	root = json_from_string(line, NULL);
	JsonObject *message = json_node_get_object(root);

	ck_assert_int_eq(get_stamp(message, "monotonic"), event.time_us);
	ck_assert_int_le(
		llabs(g_get_real_time() / G_USEC_PER_SEC - 5 - get_stamp(message, "seconds")), 1);
}
END_TEST

START_TEST(event_of_now_has_the_time_of_now)
{
	g_autoptr(Peer) peer = add_ready_peer();
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_STOP };
	gint64 before = g_get_monotonic_time();
	g_autofree char *line = NULL;
	g_autoptr(JsonNode) root = NULL;

	happen(&event);
	line = hear(peer);
	root = json_from_string(line, NULL);
	gint64 stamp = get_stamp(json_node_get_object(root), "monotonic");

	ck_assert_int_ge(stamp, before);
	ck_assert_int_le(stamp, g_get_monotonic_time());
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("events");
	TCase *tell = tcase_create("tell");

	tcase_add_checked_fixture(tell, set_up, tear_down);
	tcase_add_loop_test(tell, event_is_told_in_qemus_words, 0, G_N_ELEMENTS(events));
	tcase_add_test(tell, indicator_event_says_what_they_showed_then);
	tcase_add_test(tell, event_has_the_time_when_it_happened);
	tcase_add_test(tell, event_of_now_has_the_time_of_now);
	suite_add_tcase(suite, tell);
	return suite;
}
