/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* QMP's commands: what they ask of the machine, and what they answer. */

#include "tests/unit/suite.h"
#include "tests/unit/vmm/fake-machine.h"

/* One command with arguments, and all that must be heard. */
static void assert_replies(const char *command, const char *arguments, const char *expected)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *request =
		g_strdup_printf("{\"execute\":\"%s\",\"arguments\":%s}", command, arguments);

	say(peer, request);
	assert_hears(peer, expected);
	assert_silence(peer);
}

START_TEST(status_of_a_running_machine)
{
	assert_replies("query-status", "{}",
		       "{\"return\":{\"status\":\"running\",\"singlestep\":false,"
		       "\"running\":true}}");
}
END_TEST

START_TEST(status_of_a_paused_machine)
{
	machine.state = HB_RUN_STATE_PAUSED;
	assert_replies("query-status", "{}",
		       "{\"return\":{\"status\":\"paused\",\"singlestep\":false,"
		       "\"running\":false}}");
}
END_TEST

START_TEST(name_is_told_if_there_is_one)
{
	assert_replies("query-name", "{}", "{\"return\":{}}");
	machine.name = "vm1";
	assert_replies("query-name", "{}", "{\"return\":{\"name\":\"vm1\"}}");
}
END_TEST

START_TEST(uuid_is_told)
{
	assert_replies("query-uuid", "{}",
		       "{\"return\":{\"UUID\":\"00000000-0000-0000-0000-000000000000\"}}");
}
END_TEST

START_TEST(counters_are_told)
{
	assert_replies("x-hotbay-query-counters", "{}",
		       "{\"return\":{\"route-commits\":2,\"route-connections\":5,"
		       "\"vector-calls\":1,\"notifier-calls\":2}}");
}
END_TEST

START_TEST(cpus_are_told_with_their_threads)
{
	assert_replies("query-cpus-fast", "{}",
		       "{\"return\":["
		       "{\"thread-id\":100,\"cpu-index\":0,"
		       "\"qom-path\":\"/machine/unattached/device[0]\",\"target\":\"x86_64\"},"
		       "{\"thread-id\":101,\"cpu-index\":1,"
		       "\"qom-path\":\"/machine/unattached/device[1]\",\"target\":\"x86_64\"}]}");
}
END_TEST

static JsonArray *query(const char *command, JsonNode **root)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *request = g_strdup_printf("{\"execute\":\"%s\"}", command);
	g_autofree char *line = NULL;

	say(peer, request);
	line = hear(peer);
	*root = json_from_string(line, NULL);
	return json_object_get_array_member(json_node_get_object(*root), "return");
}

static JsonObject *find_device(JsonArray *devices, gint64 slot, gint64 function)
{
	for (guint i = 0; i < json_array_get_length(devices); i++) {
		JsonObject *device = json_array_get_object_element(devices, i);

		if (json_object_get_int_member(device, "slot") == slot &&
		    json_object_get_int_member(device, "function") == function)
			return device;
	}
	ck_abort_msg("no such device");
	return NULL;
}

START_TEST(pci_shows_ports_and_drive_by_their_ids)
{
	g_autoptr(JsonNode) root = NULL;
	JsonArray *buses = query("query-pci", &root);
	JsonArray *devices =
		json_object_get_array_member(json_array_get_object_element(buses, 0), "devices");
	JsonObject *host = find_device(devices, 0, 0);
	JsonObject *bay0 = find_device(devices, 4, 0);
	JsonObject *bay1 = find_device(devices, 4, 1);
	JsonObject *drive;

	ck_assert_str_eq(json_object_get_string_member(host, "qdev_id"), "");
	ck_assert_str_eq(json_object_get_string_member(bay0, "qdev_id"), "bay0");
	ck_assert_str_eq(json_object_get_string_member(bay1, "qdev_id"), "bay1");
	devices = json_object_get_array_member(json_object_get_object_member(bay1, "pci_bridge"),
					       "devices");
	ck_assert_uint_eq(json_array_get_length(devices), 0);
	devices = json_object_get_array_member(json_object_get_object_member(bay0, "pci_bridge"),
					       "devices");
	ck_assert_uint_eq(json_array_get_length(devices), 1);
	drive = json_array_get_object_element(devices, 0);
	ck_assert_str_eq(json_object_get_string_member(drive, "qdev_id"), "nvme0");
	ck_assert_int_eq(json_object_get_int_member(
				 json_array_get_object_element(
					 json_object_get_array_member(drive, "regions"), 0),
				 "size"),
			 0x4000);
}
END_TEST

START_TEST(slots_are_told_with_their_occupants)
{
	g_autoptr(JsonNode) root = NULL;
	JsonArray *slots = query("x-hotbay-query-slots", &root);
	JsonObject *bay0 = json_array_get_object_element(slots, 0);
	JsonObject *bay1 = json_array_get_object_element(slots, 1);
	g_autofree char *occupants0 =
		json_to_string(json_object_get_member(bay0, "occupants"), FALSE);
	g_autofree char *occupants1 =
		json_to_string(json_object_get_member(bay1, "occupants"), FALSE);

	ck_assert_uint_eq(json_array_get_length(slots), 2);
	ck_assert_str_eq(json_object_get_string_member(bay0, "id"), "bay0");
	ck_assert_str_eq(json_object_get_string_member(bay0, "addr"), "04.0");
	ck_assert_int_eq(json_object_get_int_member(bay0, "slot"), 1);
	ck_assert(json_object_get_boolean_member(bay0, "presence"));
	ck_assert(json_object_get_boolean_member(bay0, "link-active"));
	ck_assert(json_object_get_boolean_member(bay0, "hotplug"));
	ck_assert_str_eq(occupants0, "[{\"id\":\"nvme0\",\"host\":\"0000:01:00.0\","
				     "\"state\":\"plugged\"}]");
	ck_assert_str_eq(json_object_get_string_member(bay0, "host-slot"), "1-2");
	ck_assert_str_eq(json_object_get_string_member(bay0, "auto-add"), "on");
	ck_assert_str_eq(json_object_get_string_member(bay0, "host-drive"), "0000:01:00.0");
	ck_assert(!json_object_has_member(bay1, "host-slot"));
	ck_assert_str_eq(json_object_get_string_member(bay1, "addr"), "04.1");
	ck_assert_uint_eq(json_array_get_length(json_object_get_array_member(bay0, "queue")), 0);
	ck_assert(!json_object_has_member(bay0, "removal"));
	ck_assert(!json_object_get_boolean_member(bay1, "presence"));
	ck_assert(!json_object_get_boolean_member(bay1, "hotplug"));
	ck_assert_str_eq(occupants1, "[{\"host\":\"0000:02:00.0\",\"state\":\"adding\"}]");
}
END_TEST

START_TEST(slot_tells_its_removal_its_queue_and_its_past)
{
	const HbRemoval removal = { .timeout_ms = 60000, .then_pull = TRUE };
	const HbEvent past[] = {
		{ .type = HB_EVENT_PLUGGED, .time_us = 5 },
		{ .type = HB_EVENT_REMOVAL_REFUSED,
		  .reason = HB_SLOT_REASON_TIMED_OUT,
		  .time_us = 6 },
		{ .type = HB_EVENT_INDICATORS,
		  .time_us = 7,
		  .attention_indicator = HB_INDICATOR_OFF,
		  .power_indicator = HB_INDICATOR_BLINK,
		  .powered = TRUE },
		{ .type = HB_EVENT_ERROR_CONTAINED,
		  .reason = HB_SLOT_REASON_ERROR,
		  .failure = HB_PORT_FAILURE_SILENT,
		  .time_us = 8 },
	};

	for (guint i = 0; i < G_N_ELEMENTS(past); i++)
		hb_slot_history_add(machine.history, &past[i], i ? NULL : "nvme0");
	ck_assert(hb_port_request_removal_of(machine.ports[0], &machine.drive, &removal, 0, NULL));
	g_autoptr(JsonNode) root = NULL;
	JsonObject *slot = json_array_get_object_element(query("x-hotbay-query-slots", &root), 0);
	JsonObject *told = json_object_get_object_member(slot, "removal");
	g_autofree char *queue = json_to_string(json_object_get_member(slot, "queue"), FALSE);
	g_autofree char *history = json_to_string(json_object_get_member(slot, "history"), FALSE);

	ck_assert_str_eq(json_object_get_string_member(slot, "state"), "removal-waiting");
	ck_assert(!json_object_get_boolean_member(told, "asked"));
	ck_assert(json_object_get_boolean_member(told, "then-pull"));
	ck_assert_int_gt(json_object_get_int_member(told, "left-ms"), 50000);
	ck_assert_str_eq(queue, "[{\"request\":\"removal\",\"device\":\"nvme0\"}]");
	ck_assert_str_eq(
		history,
		"[{\"monotonic\":5,\"event\":\"plugged\",\"device\":\"nvme0\"},"
		"{\"monotonic\":6,\"event\":\"removal-refused\",\"reason\":\"timed-out\"},"
		"{\"monotonic\":7,\"event\":\"indicators\",\"attention-indicator\":\"off\","
		"\"power-indicator\":\"blink\",\"power\":\"on\"},"
		"{\"monotonic\":8,\"event\":\"error-contained\",\"reason\":\"error\","
		"\"failure\":\"silent\"}]");
}
END_TEST

START_TEST(device_add_hands_all_properties_on)
{
	assert_replies("device_add",
		       "{\"driver\":\"vfio-pci\",\"host\":\"0000:01:00.0\",\"addr\":0}",
		       "{\"return\":{}}");
	ck_assert_str_eq(machine.asked->str, "add {\"driver\":\"vfio-pci\","
					     "\"host\":\"0000:01:00.0\",\"addr\":0} ");
}
END_TEST

START_TEST(device_add_answers_when_it_has_ended)
{
	g_autoptr(Peer) peer = add_ready_peer();

	machine.slow = TRUE;
	say(peer, "{\"execute\":\"device_add\",\"arguments\":{}}{\"execute\":\"stop\",\"id\":2}");
	assert_silence(peer);
	ck_assert_str_eq(machine.asked->str, "add {} ");
	machine.done(NULL, machine.done_data);
	assert_hears(peer, "{\"return\":{}}");
	assert_hears(peer, "{\"return\":{},\"id\":2}");
}
END_TEST

START_TEST(device_add_survives_its_client)
{
	g_autoptr(Peer) peer = add_ready_peer();

	machine.slow = TRUE;
	say(peer, "{\"execute\":\"device_add\",\"arguments\":{}}");
	hang_up(peer);
	settle();
	machine.done(NULL, machine.done_data);
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(device_add_tells_the_refusal)
{
	machine.refusal = g_error_new_literal(HB_ERROR, HB_ERROR_NOT_FOUND, "Bus 'x' not found");
	assert_replies("device_add", "{\"driver\":\"vfio-pci\",\"bus\":\"x\"}",
		       "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Bus 'x' not found\"}}");
}
END_TEST

START_TEST(refusal_is_no_format)
{
	machine.refusal = g_error_new_literal(HB_ERROR, HB_ERROR_INVALID, "100%s of %n");
	assert_replies("device_add", "{}",
		       "{\"error\":{\"class\":\"GenericError\",\"desc\":\"100%s of %n\"}}");
}
END_TEST

START_TEST(device_del_takes_an_id)
{
	assert_replies("device_del", "{\"id\":\"nvme0\"}", "{\"return\":{}}");
	ck_assert_str_eq(machine.asked->str, "del nvme0 ");
}
END_TEST

START_TEST(device_del_takes_a_path)
{
	assert_replies("device_del", "{\"id\":\"/machine/peripheral/nvme0\"}", "{\"return\":{}}");
	ck_assert_str_eq(machine.asked->str, "del nvme0 ");
}
END_TEST

START_TEST(device_del_of_an_unknown_id_has_its_class)
{
	machine.refusal = g_error_new_literal(HB_ERROR, HB_ERROR_NOT_FOUND, "Device 'x' not found");
	assert_replies("device_del", "{\"id\":\"x\"}",
		       "{\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"Device 'x' not "
		       "found\"}}");
}
END_TEST

START_TEST(device_del_twice_is_refused)
{
	machine.refusal = g_error_new_literal(HB_ERROR, HB_ERROR_BUSY, "under way");
	assert_replies("device_del", "{\"id\":\"x\"}",
		       "{\"error\":{\"class\":\"GenericError\",\"desc\":\"under way\"}}");
}
END_TEST

START_TEST(device_del_without_an_id_is_refused)
{
	assert_replies("device_del", "{}",
		       "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Parameter 'id' is "
		       "missing\"}}");
	ck_assert_str_eq(machine.asked->str, "");
}
END_TEST

static const struct {
	const char *arguments;
	const char *asked;
} removals[] = {
	{ "{\"id\":\"nvme0\",\"timeout-ms\":5000}", "del nvme0 in 5000 " },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":0}", "del nvme0 in 0 " },
	{ "{\"id\":\"/machine/peripheral/nvme0\",\"timeout-ms\":5000,\"then-pull\":true}",
	  "del nvme0 in 5000 then pull " },
};

START_TEST(remove_takes_a_time_and_an_escalation)
{
	assert_replies("x-hotbay-remove", removals[_i].arguments, "{\"return\":{}}");
	ck_assert_str_eq(machine.asked->str, removals[_i].asked);
}
END_TEST

static const struct {
	const char *arguments;
	const char *desc;
} wrong_removals[] = {
	{ "{}", "Parameter 'id' is missing" },
	{ "{\"id\":\"nvme0\"}", "Parameter 'timeout-ms' is missing" },
	{ "{\"id\":1,\"timeout-ms\":1}", "Invalid parameter type for 'id', expected: string" },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":\"1\"}",
	  "Invalid parameter type for 'timeout-ms', expected: integer" },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":1,\"then-pull\":1}",
	  "Invalid parameter type for 'then-pull', expected: boolean" },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":-1}", "Parameter 'timeout-ms' expects 0 to 86400000" },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":86400001}",
	  "Parameter 'timeout-ms' expects 0 to 86400000" },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":0,\"then-pull\":true}",
	  "Parameter 'timeout-ms' expects 1 (with 'then-pull') to 86400000" },
	{ "{\"id\":\"nvme0\",\"timeout-ms\":1,\"now\":true}",
	  "x-hotbay-remove takes 'id', 'timeout-ms' and 'then-pull' only" },
};

START_TEST(remove_refuses_what_does_not_fit)
{
	g_autofree char *expected =
		g_strdup_printf("{\"error\":{\"class\":\"GenericError\",\"desc\":\"%s\"}}",
				wrong_removals[_i].desc);

	assert_replies("x-hotbay-remove", wrong_removals[_i].arguments, expected);
	ck_assert_str_eq(machine.asked->str, "");
}
END_TEST

START_TEST(pull_takes_an_id)
{
	assert_replies("x-hotbay-pull", "{\"id\":\"nvme0\"}", "{\"return\":{}}");
	ck_assert_str_eq(machine.asked->str, "pull nvme0 ");
}
END_TEST

START_TEST(pull_of_an_unknown_id_has_its_class)
{
	machine.refusal = g_error_new_literal(HB_ERROR, HB_ERROR_NOT_FOUND, "Device 'x' not found");
	assert_replies("x-hotbay-pull", "{\"id\":\"x\"}",
		       "{\"error\":{\"class\":\"DeviceNotFound\",\"desc\":\"Device 'x' not "
		       "found\"}}");
}
END_TEST

static const struct {
	const char *command;
	const char *asked;
} plain[] = {
	{ "stop", "stop " },
	{ "cont", "cont " },
	{ "system_powerdown", "powerdown " },
	{ "system_reset", "reset " },
};

START_TEST(plain_command_reaches_the_machine)
{
	assert_replies(plain[_i].command, "{}", "{\"return\":{}}");
	ck_assert_str_eq(machine.asked->str, plain[_i].asked);
}
END_TEST

START_TEST(plain_command_takes_no_argument)
{
	assert_replies(plain[_i].command, "{\"now\":true}",
		       "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Parameter 'now' is "
		       "unexpected\"}}");
	ck_assert_str_eq(machine.asked->str, "");
}
END_TEST

START_TEST(cont_tells_the_refusal)
{
	machine.refusal = g_error_new_literal(HB_ERROR, HB_ERROR_INVALID,
					      "Resetting the Virtual Machine is required");
	assert_replies("cont", "{}",
		       "{\"error\":{\"class\":\"GenericError\",\"desc\":\"Resetting the Virtual "
		       "Machine is required\"}}");
}
END_TEST

START_TEST(quit_replies_before_it_shuts_down)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"quit\"}");
	assert_hears(peer, "{\"return\":{}}");
	assert_hears_prefix(peer, "{\"timestamp\":");
	ck_assert_str_eq(machine.asked->str, "quit ");
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_query_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "query");

	tcase_add_test(tcase, status_of_a_running_machine);
	tcase_add_test(tcase, status_of_a_paused_machine);
	tcase_add_test(tcase, name_is_told_if_there_is_one);
	tcase_add_test(tcase, uuid_is_told);
	tcase_add_test(tcase, counters_are_told);
	tcase_add_test(tcase, cpus_are_told_with_their_threads);
	tcase_add_test(tcase, pci_shows_ports_and_drive_by_their_ids);
	tcase_add_test(tcase, slots_are_told_with_their_occupants);
	tcase_add_test(tcase, slot_tells_its_removal_its_queue_and_its_past);
}

static void add_device_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "device");

	tcase_add_test(tcase, device_add_hands_all_properties_on);
	tcase_add_test(tcase, device_add_answers_when_it_has_ended);
	tcase_add_test(tcase, device_add_survives_its_client);
	tcase_add_test(tcase, device_add_tells_the_refusal);
	tcase_add_test(tcase, refusal_is_no_format);
	tcase_add_test(tcase, device_del_takes_an_id);
	tcase_add_test(tcase, device_del_takes_a_path);
	tcase_add_test(tcase, device_del_of_an_unknown_id_has_its_class);
	tcase_add_test(tcase, device_del_twice_is_refused);
	tcase_add_test(tcase, device_del_without_an_id_is_refused);
	tcase_add_loop_test(tcase, remove_takes_a_time_and_an_escalation, 0,
			    G_N_ELEMENTS(removals));
	tcase_add_loop_test(tcase, remove_refuses_what_does_not_fit, 0,
			    G_N_ELEMENTS(wrong_removals));
	tcase_add_test(tcase, pull_takes_an_id);
	tcase_add_test(tcase, pull_of_an_unknown_id_has_its_class);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("commands");
	TCase *run = add_case(suite, "run");

	add_query_tests(suite);
	add_device_tests(suite);
	tcase_add_loop_test(run, plain_command_reaches_the_machine, 0, G_N_ELEMENTS(plain));
	tcase_add_loop_test(run, plain_command_takes_no_argument, 0, G_N_ELEMENTS(plain));
	tcase_add_test(run, cont_tells_the_refusal);
	tcase_add_test(run, quit_replies_before_it_shuts_down);
	return suite;
}
