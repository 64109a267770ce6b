/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What a client may send, and how it may leave. */

#include "vmm/qmp.h"

#include "tests/unit/suite.h"
#include "tests/unit/vmm/qmp-server.h"

#include <string.h>
#include <sys/socket.h>

static const struct {
	const char *request;
	const char *description;
} bad_requests[] = {
	{ "{\"execute\":\"echo\",\"argument\":{}}", "QMP input member 'argument' is unexpected" },
	{ "{\"exec-oob\":\"echo\"}", "QMP input member 'exec-oob' is unexpected" },
	{ "{\"arguments\":{}}", "QMP input lacks member 'execute'" },
	{ "{}", "QMP input lacks member 'execute'" },
	{ "{\"execute\":1}", "QMP input member 'execute' must be a string" },
	{ "{\"execute\":[\"echo\"]}", "QMP input member 'execute' must be a string" },
	{ "{\"execute\":\"echo\",\"arguments\":[]}",
	  "QMP input member 'arguments' must be an object" },
	{ "{\"execute\":\"echo\",\"arguments\":null}",
	  "QMP input member 'arguments' must be an object" },
	{ "[]", "QMP input must be a JSON object" },
	{ "\"echo\"", "QMP input must be a JSON object" },
	{ "42 ", "QMP input must be a JSON object" },
	{ "null\n", "QMP input must be a JSON object" },
};

START_TEST(malformed_request_is_named_and_the_next_served)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, bad_requests[_i].request);
	say(peer, "{\"execute\":\"echo\",\"id\":1}");
	assert_hears_error(peer, "GenericError", bad_requests[_i].description);
	assert_hears(peer, "{\"return\":{},\"id\":1}");
}
END_TEST

START_TEST(malformed_request_keeps_its_id)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"exec\":\"echo\",\"id\":5}");
	assert_hears(peer, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QMP input member "
			   "'exec' is unexpected\"},\"id\":5}");
}
END_TEST

static const struct {
	const char *bytes;
	gsize length;
} garbage[] = {
#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
	BYTES("garbage\n"),
	BYTES("\xff"),
	BYTES("\xff\xff\xff\n"),
	BYTES("\0\0\0"),
	BYTES("{\"execute\":\0\n"),
	BYTES("{\"execute\":\"ec\n"),
	BYTES("{\"execute\":\xff"),
	BYTES("{\"execute\" \"echo\"}"),
	BYTES("{\"execute\":\"echo\",}"),
	BYTES("{\"execute\":\"\xc3\x28\"}"),
	BYTES("{\"execute\":\"\\ud800\"}"),
	BYTES("{\"execute\":\"quit\\u0000\"}"),
	BYTES("{\"execute\":echo}"),
	BYTES("]\n"),
	BYTES("GET / HTTP/1.1\n"),
#undef BYTES
};

START_TEST(garbage_is_one_error_and_the_next_request_served)
{
	g_autoptr(Peer) peer = add_ready_peer();

	send_bytes(peer, garbage[_i].bytes, garbage[_i].length);
	say(peer, "{\"execute\":\"echo\",\"id\":1}");
	assert_hears_prefix(peer, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"JSON parse "
				  "error, ");
	assert_hears(peer, "{\"return\":{},\"id\":1}");
}
END_TEST

START_TEST(every_reply_to_random_bytes_is_utf8)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autoptr(GRand) random = g_rand_new_with_seed(2);
	char bytes[20000];

	for (gsize i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)g_rand_int_range(random, 0, 256);
	send_bytes(peer, bytes, sizeof(bytes));
	say(peer, "\n{\"execute\":\"echo\",\"id\":\"last\"}");
	for (;;) {
		g_autofree char *line = hear(peer);

		ck_assert(g_utf8_validate(line, -1, NULL));
		if (strcmp(line, "{\"return\":{},\"id\":\"last\"}") == 0)
			break;
		ck_assert_msg(g_str_has_prefix(line, "{\"error\":"), "%s", line);
	}
}
END_TEST

START_TEST(request_may_come_byte_by_byte)
{
	g_autoptr(Peer) peer = add_ready_peer();
	const char *request = "{ \"execute\" :\r\n\"echo\", 'id': 'x' }";

	for (const char *at = request; *at; at++) {
		assert_silence(peer);
		send_bytes(peer, at, 1);
	}
	assert_hears(peer, "{\"return\":{},\"id\":\"x\"}");
}
END_TEST

START_TEST(oversized_request_is_one_error_and_the_next_served)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *filler = g_strnfill(3 * 1024 * 1024, 'x');

	say(peer, "{\"execute\":\"");
	say(peer, filler);
	say(peer, "\"}\n{\"execute\":\"echo\",\"id\":1}");
	assert_hears_error(peer, "GenericError", "JSON parse error, larger than 1048576 bytes");
	assert_hears(peer, "{\"return\":{},\"id\":1}");
}
END_TEST

START_TEST(deeply_nested_request_is_one_error_and_the_next_served)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *brackets = g_strnfill(100000, '[');

	say(peer, "{\"execute\":\"echo\",\"id\":");
	say(peer, brackets);
	say(peer, "\n{\"execute\":\"echo\",\"id\":1}");
	assert_hears_error(peer, "GenericError", "JSON parse error, nested deeper than 256 levels");
	assert_hears(peer, "{\"return\":{},\"id\":1}");
}
END_TEST

START_TEST(client_that_vanishes_is_forgotten)
{
	g_autoptr(Peer) peer = add_ready_peer();

	hang_up(peer);
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(client_that_vanishes_in_half_a_request_is_forgotten)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"echo\"");
	hang_up(peer);
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
	ck_assert_str_eq(ran->str, "");
}
END_TEST

START_TEST(client_that_vanishes_unread_is_forgotten)
{
	g_autoptr(Peer) peer = add_peer();

	hang_up(peer);
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(call_outlives_its_client)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\"}");
	hang_up(peer);
	settle();
	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(requests_of_a_client_that_vanished_are_carried_out)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\"}{\"execute\":\"echo\"}{\"execute\":\"hold\"}");
	hang_up(peer);
	settle();
	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
	settle();
	ck_assert_str_eq(ran->str, "hold echo hold ");
	hb_qmp_call_return(g_ptr_array_index(held, 1), NULL);
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(hang_up_during_a_call_does_not_spin)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\"}");
	hang_up(peer);
	settle();
	ck_assert(!g_main_context_iteration(context, FALSE));
	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
}
END_TEST

START_TEST(client_that_only_stops_sending_hears_its_replies)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\",\"id\":1}{\"execute\":\"echo\",\"id\":2}");
	ck_assert_int_eq(shutdown(peer->fd, SHUT_WR), 0);
	settle();
	hb_qmp_call_return(g_ptr_array_index(held, 0), NULL);
	assert_hears(peer, "{\"return\":{},\"id\":1}");
	assert_hears(peer, "{\"return\":{},\"id\":2}");
	ck_assert(is_hung_up(peer));
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(reply_larger_than_the_socket_arrives_whole)
{
	g_autoptr(Peer) peer = add_ready_peer();
	g_autofree char *filler = g_strnfill(900 * 1024, 'x');
	g_autofree char *expected = g_strdup_printf("{\"return\":{\"a\":\"%s\"}}", filler);

	say(peer, "{\"execute\":\"echo\",\"arguments\":{\"a\":\"");
	say(peer, filler);
	say(peer, "\"}}");
	assert_hears(peer, expected);
}
END_TEST

START_TEST(client_that_never_reads_is_dropped)
{
	g_autoptr(Peer) deaf = add_ready_peer();
	g_autoptr(Peer) other = add_ready_peer();

	for (guint i = 0; i < 12; i++) {
		JsonObject *data = json_object_new();
		g_autofree char *filler = g_strnfill(1024 * 1024, 'x');

		json_object_set_string_member(data, "filler", filler);
		hb_qmp_emit(qmp, "FLOOD", data);
		assert_hears_prefix(other, "{\"timestamp\":");
	}
	settle();
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 1);
	say(other, "{\"execute\":\"echo\"}");
	assert_hears(other, "{\"return\":{}}");
	ck_assert(is_hung_up(deaf));
}
END_TEST

START_TEST(client_that_never_reads_its_replies_is_dropped)
{
	g_autoptr(Peer) deaf = add_ready_peer();
	g_autofree char *filler = g_strnfill(500 * 1024, 'x');
	g_autofree char *request =
		g_strdup_printf("{\"execute\":\"echo\",\"arguments\":{\"a\":\"%s\"}}", filler);

	for (guint i = 0; i < 18 && hb_qmp_get_n_clients(qmp); i++)
		say(deaf, request);
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), 0);
}
END_TEST

START_TEST(call_outlives_the_server)
{
	g_autoptr(Peer) peer = add_ready_peer();

	say(peer, "{\"execute\":\"hold\"}");
	hb_qmp_destroy(g_steal_pointer(&qmp));
	hb_qmp_call_error(g_ptr_array_index(held, 0), HB_QMP_GENERIC_ERROR, "too late");
	ck_assert(!receive(peer));
}
END_TEST

START_TEST(many_clients_are_served)
{
	g_autoptr(GPtrArray) peers = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);

	for (guint i = 0; i < HB_QMP_MAX_CLIENTS; i++)
		g_ptr_array_add(peers, add_ready_peer());
	for (guint i = 0; i < peers->len; i++)
		say(g_ptr_array_index(peers, i), "{\"execute\":\"echo\"}");
	hb_qmp_emit(qmp, "TOLD", NULL);
	for (guint i = 0; i < peers->len; i++) {
		assert_hears(g_ptr_array_index(peers, i), "{\"return\":{}}");
		assert_hears_prefix(g_ptr_array_index(peers, i), "{\"timestamp\":");
	}
}
END_TEST

START_TEST(client_beyond_the_limit_is_turned_away)
{
	g_autoptr(GPtrArray) peers = g_ptr_array_new_with_free_func((GDestroyNotify)peer_free);

	for (guint i = 0; i < HB_QMP_MAX_CLIENTS; i++)
		g_ptr_array_add(peers, add_peer());

	g_autoptr(Peer) extra = add_peer();

	ck_assert(is_hung_up(extra));
	ck_assert_uint_eq(hb_qmp_get_n_clients(qmp), HB_QMP_MAX_CLIENTS);
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

static void add_bad_input_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "bad-input");

	tcase_add_loop_test(tcase, malformed_request_is_named_and_the_next_served, 0,
			    G_N_ELEMENTS(bad_requests));
	tcase_add_test(tcase, malformed_request_keeps_its_id);
	tcase_add_loop_test(tcase, garbage_is_one_error_and_the_next_request_served, 0,
			    G_N_ELEMENTS(garbage));
	tcase_add_test(tcase, every_reply_to_random_bytes_is_utf8);
	tcase_add_test(tcase, request_may_come_byte_by_byte);
	tcase_add_test(tcase, oversized_request_is_one_error_and_the_next_served);
	tcase_add_test(tcase, deeply_nested_request_is_one_error_and_the_next_served);
}

static void add_connection_tests(Suite *suite)
{
	TCase *tcase = add_case(suite, "connection");

	tcase_add_test(tcase, client_that_vanishes_is_forgotten);
	tcase_add_test(tcase, client_that_vanishes_in_half_a_request_is_forgotten);
	tcase_add_test(tcase, client_that_vanishes_unread_is_forgotten);
	tcase_add_test(tcase, call_outlives_its_client);
	tcase_add_test(tcase, requests_of_a_client_that_vanished_are_carried_out);
	tcase_add_test(tcase, hang_up_during_a_call_does_not_spin);
	tcase_add_test(tcase, client_that_only_stops_sending_hears_its_replies);
	tcase_add_test(tcase, reply_larger_than_the_socket_arrives_whole);
	tcase_add_test(tcase, client_that_never_reads_is_dropped);
	tcase_add_test(tcase, client_that_never_reads_its_replies_is_dropped);
	tcase_add_test(tcase, call_outlives_the_server);
	tcase_add_test(tcase, many_clients_are_served);
	tcase_add_test(tcase, client_beyond_the_limit_is_turned_away);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("qmp-client");

	add_bad_input_tests(suite);
	add_connection_tests(suite);
	return suite;
}
