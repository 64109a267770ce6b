/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The QMP server: its protocol, the order of things, its sockets. */

#include "vmm/qmp.h"

#include "tests/unit/suite.h"
#include "tests/unit/vmm/qmp-server.h"

#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

START_TEST(client_is_greeted)
{
	g_autoptr(Peer) peer = add_peer();

	assert_hears(peer, "{\"QMP\":{\"version\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},"
			   "\"package\":\"hotbay " HB_VERSION "\"},\"capabilities\":[]}}");
}
END_TEST

START_TEST(command_before_negotiation_is_refused)
{
	g_autoptr(Peer) peer = add_peer();

	assert_hears_prefix(peer, "{\"QMP\":");
	say(peer, "{\"execute\":\"echo\"}");
	assert_hears_error(peer, "CommandNotFound",
			   "Expecting capabilities negotiation with 'qmp_capabilities'");
	ck_assert_str_eq(ran->str, "");
}
END_TEST

START_TEST(negotiation_with_no_capability_succeeds)
{
	g_autoptr(Peer) peer = add_peer();

	assert_hears_prefix(peer, "{\"QMP\":");
	say(peer, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]}}");
	assert_hears(peer, "{\"return\":{}}");
	say(peer, "{\"execute\":\"echo\"}");
	assert_hears(peer, "{\"return\":{}}");
}
END_TEST

START_TEST(negotiation_of_a_capability_is_refused)
{
	g_autoptr(Peer) peer = add_peer();

	assert_hears_prefix(peer, "{\"QMP\":");
	say(peer, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}");
	assert_hears_error(peer, "GenericError",
			   "No capability is offered, so none can be enabled: leave 'enable' "
			   "empty");
	say(peer, "{\"execute\":\"echo\"}");
	assert_hears_prefix(peer, "{\"error\":{\"class\":\"CommandNotFound\"");
}
END_TEST

START_TEST(negotiation_checks_its_arguments)
{
	g_autoptr(Peer) peer = add_peer();

	assert_hears_prefix(peer, "{\"QMP\":");
	say(peer, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":true}}");
	assert_hears_error(peer, "GenericError",
			   "Invalid parameter type for 'enable', expected: array");
	say(peer, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"disable\":[]}}");
	assert_hears_error(peer, "GenericError",
			   "qmp_capabilities takes no parameter but 'enable'");
}
END_TEST

START_TEST(second_negotiation_is_refused)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"qmp_capabilities\"}");
	assert_hears_error(peer, "CommandNotFound",
			   "Capabilities negotiation is already complete, command ignored");
}
END_TEST

START_TEST(version_is_told)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"query-version\"}");
	assert_hears(peer, "{\"return\":{\"qemu\":{\"micro\":0,\"minor\":2,\"major\":7},"
			   "\"package\":\"hotbay " HB_VERSION "\"}}");
}
END_TEST

START_TEST(commands_are_listed)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"query-commands\"}");
	assert_hears(peer, "{\"return\":[{\"name\":\"qmp_capabilities\"},"
			   "{\"name\":\"query-version\"},{\"name\":\"query-commands\"},"
			   "{\"name\":\"echo\"},{\"name\":\"hold\"},{\"name\":\"fail\"},"
			   "{\"name\":\"tell\"}]}");
}
END_TEST

START_TEST(unknown_command_is_refused)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"migrate\"}");
	assert_hears_error(peer, "CommandNotFound", "The command migrate has not been found");
}
END_TEST

START_TEST(error_of_a_command_has_its_class)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"fail\",\"arguments\":{\"id\":\"nvme0\"}}");
	assert_hears_error(peer, "DeviceNotFound", "Device 'nvme0' not found");
}
END_TEST

static const struct {
	const char *arguments;
	const char *description;
} bad_arguments[] = {
	{ "{}", "Parameter 'id' is missing" },
	{ "{\"id\":1}", "Invalid parameter type for 'id', expected: string" },
	{ "{\"id\":null}", "Invalid parameter type for 'id', expected: string" },
	{ "{\"id\":{}}", "Invalid parameter type for 'id', expected: string" },
	{ "{\"id\":\"a\",\"force\":true}", "Parameter 'force' is unexpected" },
};

START_TEST(bad_argument_is_named)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *request = g_strdup_printf("{\"execute\":\"fail\",\"arguments\":%s}",
						   bad_arguments[_i].arguments);

	say(peer, request);
	assert_hears_error(peer, "GenericError", bad_arguments[_i].description);
}
END_TEST

START_TEST(argument_of_a_command_without_any_is_refused)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\",\"arguments\":{\"long\":1}}");
	assert_hears_error(peer, "GenericError", "Parameter 'long' is unexpected");
	ck_assert_str_eq(ran->str, "");
}
END_TEST

static const char *const ids[] = {
	"1",	      "-7", "\"text \\\" \xc3\xa4 \\n\"", "null", "true", "1.5", "[1,{\"a\":[]}]",
	"{\"b\":{}}",
};

START_TEST(id_of_any_type_is_echoed)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *good = g_strdup_printf("{\"id\":%s,\"execute\":\"echo\"}", ids[_i]);
	g_autofree char *bad = g_strdup_printf("{\"execute\":\"bad\",\"id\":%s}", ids[_i]);
	g_autofree char *returned = g_strdup_printf("{\"return\":{},\"id\":%s}", ids[_i]);
	g_autofree char *failed =
		g_strdup_printf("{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command "
				"bad has not been found\"},\"id\":%s}",
				ids[_i]);

	say(peer, good);
	say(peer, bad);
	assert_hears(peer, returned);
	assert_hears(peer, failed);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autoptr(GString) requests = g_string_new(NULL);

	for (guint i = 0; i < 2000; i++)
		g_string_append_printf(requests, "{\"execute\":\"echo\",\"id\":%u}", i);
	say(peer, requests->str);
	for (guint i = 0; i < 2000; i++) {
		g_autofree char *expected = g_strdup_printf("{\"return\":{},\"id\":%u}", i);

		assert_hears(peer, expected);
	}
}
END_TEST

START_TEST(call_in_flight_holds_the_same_clients_next)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\",\"id\":1}{\"execute\":\"echo\",\"id\":2}");
	assert_silence(peer);
	ck_assert_str_eq(ran->str, "hold ");

	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
	assert_hears(peer, "{\"return\":{},\"id\":1}");
	assert_hears(peer, "{\"return\":{},\"id\":2}");
	ck_assert_str_eq(ran->str, "hold echo ");
}
END_TEST

START_TEST(call_that_ends_does_not_run_the_next_from_inside)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\"}{\"execute\":\"echo\"}");
	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
	ck_assert_str_eq(ran->str, "hold ");
	settle();
	ck_assert_str_eq(ran->str, "hold echo ");
}
END_TEST

START_TEST(call_in_flight_does_not_hold_other_clients)
{
	g_autoptr(Peer) waiting = add_ready_peer();
	g_autoptr(Peer) other = add_ready_peer();

	say(waiting, "{\"execute\":\"hold\",\"id\":1}");
	say(other, "{\"execute\":\"echo\",\"id\":2}");
	assert_hears(other, "{\"return\":{},\"id\":2}");
	assert_silence(waiting);

	hb_qmp_call_error(g_ptr_array_index(held, 0), HB_QMP_GENERIC_ERROR, "%d too late", 1);
	assert_hears(waiting, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"1 too late\"},"
			      "\"id\":1}");
}
END_TEST

START_TEST(event_reaches_negotiated_clients_only)
{
	g_autoptr(Peer) fresh = add_peer();
	g_autoptr(Peer) one = add_ready_peer();
	g_autoptr(Peer) two = add_ready_peer();
	JsonObject *data = json_object_new();

	assert_hears_prefix(fresh, "{\"QMP\":");
	json_object_set_string_member(data, "device", "nvme0");
	hb_qmp_emit(qmp, "DEVICE_DELETED", data);
	assert_hears_prefix(one, "{\"timestamp\":{\"seconds\":");
	assert_hears_prefix(two, "{\"timestamp\":{\"seconds\":");
	assert_silence(fresh);
}
END_TEST

START_TEST(event_has_the_time_and_its_data)
{
	g_autoptr(Peer) peer = add_ready_peer();
	JsonObject *data = json_object_new();
	gint64 before = g_get_real_time();

	json_object_set_boolean_member(data, "guest", TRUE);
	hb_qmp_emit(qmp, "SHUTDOWN", data);

	g_autofree char *line = hear(peer);
	g_autoptr(JsonNode) root = json_from_string(line, NULL);
	JsonObject *event = json_node_get_object(root);
	JsonObject *stamp = json_object_get_object_member(event, "timestamp");
	gint64 time = json_object_get_int_member(stamp, "seconds") * G_USEC_PER_SEC +
		      json_object_get_int_member(stamp, "microseconds");

	ck_assert_int_ge(time, before);
	ck_assert_int_le(time, g_get_real_time());
	ck_assert_str_eq(json_object_get_string_member(event, "event"), "SHUTDOWN");
	ck_assert(json_object_get_boolean_member(json_object_get_object_member(event, "data"),
						 "guest"));
	ck_assert_int_eq(json_object_get_size(event), 3);
}
END_TEST

START_TEST(event_without_data_has_no_member_for_it)
{
	g_autoptr(Peer) peer = add_ready_peer();

	hb_qmp_emit(qmp, "POWERDOWN", NULL);

	g_autofree char *line = hear(peer);

	ck_assert(g_str_has_suffix(line, "},\"event\":\"POWERDOWN\"}"));
}
END_TEST

START_TEST(event_of_a_command_comes_before_its_reply)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"tell\"}");
	assert_hears_prefix(peer, "{\"timestamp\":");
	assert_hears(peer, "{\"return\":{}}");
}
END_TEST

START_TEST(event_reaches_a_client_with_a_call_in_flight)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\"}");
	hb_qmp_emit(qmp, "TOLD", NULL);
	assert_hears_prefix(peer, "{\"timestamp\":");
	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
	assert_hears(peer, "{\"return\":{}}");
}
END_TEST

START_TEST(several_sockets_take_several_clients)
{
	g_autofree char *one = g_build_filename(folder, "one", NULL);
	g_autofree char *two = g_build_filename(folder, "two", NULL);

	ck_assert(hb_qmp_listen(qmp, one, NULL));
	ck_assert(hb_qmp_listen(qmp, two, NULL));

	g_autoptr(Peer) a = peer_new(connect_to(one));
	g_autoptr(Peer) b = peer_new(connect_to(one));
	g_autoptr(Peer) c = peer_new(connect_to(two));

	assert_hears_prefix(a, "{\"QMP\":");
	assert_hears_prefix(b, "{\"QMP\":");
	assert_hears_prefix(c, "{\"QMP\":");
}
END_TEST

START_TEST(client_waits_while_the_process_has_no_descriptor_for_it)
{
	g_autofree char *path = g_build_filename(folder, "qmp", NULL);
	struct rlimit before, none;

	ck_assert(hb_qmp_listen(qmp, path, NULL));

	g_autoptr(Peer) peer = peer_new(connect_to(path));

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)peer->fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_lt(dup(peer->fd), 0);
	/* Returns only if the server does not try again and again. */
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	while (hb_qmp_get_n_clients(qmp) == 0)
		g_main_context_iteration(context, TRUE);
	assert_hears_prefix(peer, "{\"QMP\":");
}
END_TEST

START_TEST(socket_file_goes_with_the_server)
{
	g_autofree char *path = g_build_filename(folder, "qmp", NULL);

	ck_assert(hb_qmp_listen(qmp, path, NULL));
	ck_assert(g_file_test(path, G_FILE_TEST_EXISTS));
	hb_qmp_destroy(g_steal_pointer(&qmp));
	ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(socket_file_of_somebody_else_stays)
{
	g_autofree char *path = g_build_filename(folder, "qmp", NULL);
	g_autofree char *away = g_build_filename(folder, "away", NULL);

	ck_assert(hb_qmp_listen(qmp, path, NULL));
	ck_assert_int_eq(g_rename(path, away), 0);
	ck_assert(g_file_set_contents(path, "", 0, NULL));
	hb_qmp_destroy(g_steal_pointer(&qmp));
	ck_assert_int_eq(g_unlink(path), 0);
	ck_assert_int_eq(g_unlink(away), 0);
}
END_TEST

START_TEST(stale_socket_is_replaced)
{
	g_autofree char *path = g_build_filename(folder, "qmp", NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	ck_assert_int_eq(bind(stale, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(stale);
	ck_assert(g_file_test(path, G_FILE_TEST_EXISTS));

	ck_assert(hb_qmp_listen(qmp, path, NULL));

	g_autoptr(Peer) peer = peer_new(connect_to(path));

	assert_hears_prefix(peer, "{\"QMP\":");
}
END_TEST

START_TEST(socket_with_a_listener_is_refused_and_left_alone)
{
	g_autofree char *path = g_build_filename(folder, "qmp", NULL);
	g_autofree char *expected =
		g_strdup_printf("QMP socket '%s': another process listens there; stop it or "
				"choose another path",
				path);
	HbQmp *second = hb_qmp_create(context, commands, G_N_ELEMENTS(commands), ran);
	g_autoptr(GError) error = NULL;

	ck_assert(hb_qmp_listen(qmp, path, NULL));
	ck_assert(!hb_qmp_listen(second, path, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	ck_assert_str_eq(error->message, expected);
	hb_qmp_destroy(second);

	g_autoptr(Peer) peer = peer_new(connect_to(path));

	assert_hears_prefix(peer, "{\"QMP\":");
}
END_TEST

START_TEST(file_that_is_no_socket_is_refused_and_left_alone)
{
	g_autofree char *path = g_build_filename(folder, "precious", NULL);
	g_autoptr(GError) error = NULL;

	ck_assert(g_file_set_contents(path, "data", 4, NULL));
	ck_assert(!hb_qmp_listen(qmp, path, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	ck_assert_ptr_nonnull(strstr(error->message, path));
	ck_assert_int_eq(g_unlink(path), 0);
}
END_TEST

START_TEST(impossible_path_is_refused)
{
	g_autofree char *tail = g_strnfill(200, 'x');
	g_autofree char *lost = g_build_filename(folder, "no", "such", NULL);
	g_autoptr(GError) empty = NULL;
	g_autoptr(GError) too_long = NULL;
	g_autoptr(GError) nowhere = NULL;

	ck_assert(!hb_qmp_listen(qmp, "", &empty));
	ck_assert(g_error_matches(empty, HB_ERROR, HB_ERROR_INVALID));
	ck_assert(!hb_qmp_listen(qmp, tail, &too_long));
	ck_assert(g_error_matches(too_long, HB_ERROR, HB_ERROR_INVALID));
	ck_assert(!hb_qmp_listen(qmp, lost, &nowhere));
	ck_assert(g_error_matches(nowhere, HB_ERROR, HB_ERROR_HOST));
	ck_assert_ptr_nonnull(strstr(nowhere->message, lost));
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void add_protocol_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "protocol");

	tcase_add_test(tcase, client_is_greeted);
	tcase_add_test(tcase, command_before_negotiation_is_refused);
	tcase_add_test(tcase, negotiation_with_no_capability_succeeds);
	tcase_add_test(tcase, negotiation_of_a_capability_is_refused);
	tcase_add_test(tcase, negotiation_checks_its_arguments);
	tcase_add_test(tcase, second_negotiation_is_refused);
	tcase_add_test(tcase, version_is_told);
	tcase_add_test(tcase, commands_are_listed);
	tcase_add_test(tcase, unknown_command_is_refused);
	tcase_add_test(tcase, error_of_a_command_has_its_class);
	tcase_add_loop_test(tcase, bad_argument_is_named, 0, G_N_ELEMENTS(bad_arguments));
	tcase_add_test(tcase, argument_of_a_command_without_any_is_refused);
	tcase_add_loop_test(tcase, id_of_any_type_is_echoed, 0, G_N_ELEMENTS(ids));
}

static void add_order_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "order");

	tcase_add_test(tcase, pipelined_requests_are_answered_in_order);
	tcase_add_test(tcase, call_in_flight_holds_the_same_clients_next);
	tcase_add_test(tcase, call_that_ends_does_not_run_the_next_from_inside);
	tcase_add_test(tcase, call_in_flight_does_not_hold_other_clients);
	tcase_add_test(tcase, event_reaches_negotiated_clients_only);
	tcase_add_test(tcase, event_has_the_time_and_its_data);
	tcase_add_test(tcase, event_without_data_has_no_member_for_it);
	tcase_add_test(tcase, event_of_a_command_comes_before_its_reply);
	tcase_add_test(tcase, event_reaches_a_client_with_a_call_in_flight);
}

static void add_socket_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "socket");

	tcase_add_test(tcase, several_sockets_take_several_clients);
	tcase_add_test(tcase, client_waits_while_the_process_has_no_descriptor_for_it);
	tcase_add_test(tcase, socket_file_goes_with_the_server);
	tcase_add_test(tcase, socket_file_of_somebody_else_stays);
	tcase_add_test(tcase, stale_socket_is_replaced);
	tcase_add_test(tcase, socket_with_a_listener_is_refused_and_left_alone);
	tcase_add_test(tcase, file_that_is_no_socket_is_refused_and_left_alone);
	tcase_add_test(tcase, impossible_path_is_refused);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("qmp");

	add_protocol_tests(suite);
	add_order_tests(suite);
	add_socket_tests(suite);
	return suite;
}
