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
	    .slot_reason = HB_SLOT_REASON_TIMED_OUT },
	  "\"event\":\"DEVICE_UNPLUG_GUEST_ERROR\",\"data\":{\"device\":\"nvme0\","
	  "\"path\":\"/machine/peripheral/nvme0\",\"reason\":\"timed-out\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .device = "nvme0",
	    .host = "0000:01:00.0",
	    .slot_event = HB_SLOT_PLUGGED },
	  "\"event\":\"HOTBAY_SLOT_PLUGGED\",\"data\":{\"bus\":\"bay0\",\"device\":\"nvme0\","
	  "\"host\":\"0000:01:00.0\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .device = "nvme0",
	    .slot_event = HB_SLOT_SEVERED,
	    .slot_reason = HB_SLOT_REASON_PULL },
	  "\"event\":\"HOTBAY_SLOT_SEVERED\",\"data\":{\"bus\":\"bay0\",\"device\":\"nvme0\","
	  "\"reason\":\"pull\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT, .bus = "bay0", .slot_event = HB_SLOT_REMOVAL_REQUESTED },
	  "\"event\":\"HOTBAY_SLOT_REMOVAL_REQUESTED\",\"data\":{\"bus\":\"bay0\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT,
	    .bus = "bay0",
	    .slot_event = HB_SLOT_REMOVAL_REFUSED,
	    .slot_reason = HB_SLOT_REASON_CANCELLED },
	  "\"event\":\"HOTBAY_SLOT_REMOVAL_REFUSED\",\"data\":{\"bus\":\"bay0\","
	  "\"reason\":\"cancelled\"}}" },
	{ { .type = HB_MACHINE_EVENT_SLOT, .bus = "bay0", .slot_event = HB_SLOT_RELEASED },
	  "\"event\":\"HOTBAY_SLOT_RELEASED\",\"data\":{\"bus\":\"bay0\"}}" },
};

START_TEST(event_is_told_in_qemus_words)
{
	assert_tells(&events[_i].event, events[_i].expected);
}
END_TEST

START_TEST(indicator_event_says_what_they_show)
{
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_SLOT,
				       .bus = "bay1",
				       .port = machine.ports[1],
				       .slot_event = HB_SLOT_INDICATORS };
	HbSlotInfo info;
	g_autofree char *expected = NULL;

	hb_port_get_info(machine.ports[1], &info);
	expected =
		g_strdup_printf("\"event\":\"HOTBAY_SLOT_INDICATORS\",\"data\":{\"bus\":\"bay1\","
				"\"attention-indicator\":\"%s\",\"power-indicator\":\"%s\"}}",
				hb_indicator_to_str(info.attention_indicator),
				hb_indicator_to_str(info.power_indicator));
	assert_tells(&event, expected);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("events");
	TCase *tell = tcase_create("tell");

	tcase_add_checked_fixture(tell, set_up, tear_down);
	tcase_add_loop_test(tell, event_is_told_in_qemus_words, 0, G_N_ELEMENTS(events));
	tcase_add_test(tell, indicator_event_says_what_they_show);
	suite_add_tcase(suite, tell);
	return suite;
}
