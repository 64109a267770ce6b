/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_VMM_QMP_PEER_H
#define TESTS_UNIT_VMM_QMP_PEER_H

/*
 * Clients that talk to a QMP server over real sockets. One thread: the test writes, iterates the
 * server's main context, and reads.
 */

#include "vmm/qmp.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_US (10 * G_USEC_PER_SEC)

/* Whom the peers talk to; the test sets these. */
static GMainContext *context;
static HbQmp *qmp;

/* One connection, seen from the client. */
typedef struct Peer {
	int fd;
	GString *input;
} Peer;

static inline void settle(void)
{
	while (g_main_context_iteration(context, FALSE))
		;
}

static inline Peer *peer_new(int fd)
{
	Peer *peer = g_new0(Peer, 1);

	peer->fd = fd;
	peer->input = g_string_new(NULL);
	return peer;
}

static inline void peer_free(Peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	g_string_free(peer->input, TRUE);
	g_free(peer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

static inline void hang_up(Peer *peer)
{
	close(peer->fd);
	peer->fd = -1;
}

static inline void send_bytes(Peer *peer, const char *data, gsize length)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;

	while (length) {
		ssize_t sent = send(peer->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);

		ck_assert_msg(sent > 0 || errno == EAGAIN, "send: %s", g_strerror(errno));
		ck_assert(g_get_monotonic_time() < deadline);
		if (sent > 0) {
			data += sent;
			length -= (gsize)sent;
		}
		settle();
	}
	settle();
}

static inline void say(Peer *peer, const char *text)
{
	send_bytes(peer, text, strlen(text));
}

/* Reads what is there; FALSE at the end of the stream. */
static inline gboolean receive(Peer *peer)
{
	char chunk[65536];
	ssize_t got = recv(peer->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (got > 0)
		g_string_append_len(peer->input, chunk, got);
	return got > 0 || (got < 0 && errno == EAGAIN);
}

/* The next line, without its end, which must be CR LF. */
static inline char *hear(Peer *peer)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;
	char *end;
	char *line;

	while (!(end = strstr(peer->input->str, "\r\n"))) {
		ck_assert_msg(g_get_monotonic_time() < deadline, "nothing heard");
		ck_assert_msg(receive(peer), "the server hung up");
		settle();
	}
	line = g_strndup(peer->input->str, (gsize)(end - peer->input->str));
	g_string_erase(peer->input, 0, end - peer->input->str + 2);
	return line;
}

static inline void assert_hears(Peer *peer, const char *expected)
{
	g_autofree char *line = hear(peer);

	ck_assert_str_eq(line, expected);
}

static inline void assert_hears_error(Peer *peer, const char *error_class, const char *description)
{
	g_autofree char *expected = g_strdup_printf(
		"{\"error\":{\"class\":\"%s\",\"desc\":\"%s\"}}", error_class, description);

	assert_hears(peer, expected);
}

static inline void assert_hears_prefix(Peer *peer, const char *prefix)
{
	g_autofree char *line = hear(peer);

	ck_assert_msg(g_str_has_prefix(line, prefix), "%s", line);
}

static inline void assert_silence(Peer *peer)
{
	settle();
	ck_assert(receive(peer));
	ck_assert_str_eq(peer->input->str, "");
}

static inline gboolean is_hung_up(Peer *peer)
{
	settle();
	for (guint i = 0; i < 1000; i++) {
		if (!receive(peer))
			return TRUE;
		settle();
	}
	return FALSE;
}

static inline Peer *add_peer(void)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	hb_qmp_add_client(qmp, fds[0]);
	return peer_new(fds[1]);
}

/* A client after greeting and negotiation. */
static inline Peer *add_ready_peer(void)
{
	Peer *peer = add_peer();

	assert_hears_prefix(peer, "{\"QMP\":");
	say(peer, "{\"execute\":\"qmp_capabilities\"}");
	assert_hears(peer, "{\"return\":{}}");
	return peer;
}

/* -1: nobody listens there. */
static inline int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

#endif
