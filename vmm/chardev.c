/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Where the serial port's bytes go to and come from. Writers are vCPU threads and never wait: a
 * write is tried at once, what is left is queued and flushed by the loop when the other side takes
 * it. Reading is done by the loop, and only while the receiver has room, so nothing is lost there.
 *
 * Each kind is the same three descriptors, some of them -1:
 *
 *             listener   input      output
 *   null      -          -          -
 *   stdio     -          0          1
 *   file      -          -          the file
 *   unix      the socket client     client      (server: listens again when the client leaves)
 *   pty       -          master     master
 *
 * The lock guards the descriptors, the queue and the sources; the loop alone changes descriptors.
 */

#include "vmm/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <hotbay/properties.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define MAX_QUEUE (256 * 1024)
#define CHUNK	  4096

struct HbChardev {
	HbChardevKind kind;
	char *path; /* of a unix server: to be removed */
	const HbChardevOps *ops;
	gpointer opaque;

	GMutex lock;
	int listener;
	int input;
	int output;
	int slave; /* of PTY: held open, so that the master never hangs up */
	GByteArray *queue;
	GSource *accept_source;
	GSource *input_source;	/* NULL while the receiver is full */
	GSource *output_source; /* not NULL while the queue is not empty */

	gboolean has_terminal;
	struct termios terminal; /* as it was */
};

/* -- Options. -- */

static gboolean parse_unix(HbChardevOptions *options, const char *text, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(text, "path", error);
	const char *path;

	if (properties == NULL || !hb_properties_take_required(properties, "path", &path, error) ||
	    !hb_properties_take_bool(properties, "server", &options->server, error))
		return FALSE;
	options->wait = options->server;
	if (!hb_properties_take_bool(properties, "wait", &options->wait, error) ||
	    !hb_properties_finish(properties, "unix:", error))
		return FALSE;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "socket path '%s' is too long: use a shorter one", path);
		return FALSE;
	}
	options->path = g_strdup(path);
	return TRUE;
}

static gboolean parse_file(HbChardevOptions *options, const char *path, GError **error)
{
	if (path[0] == '\0') {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "'file:' needs a path behind it");
		return FALSE;
	}
	options->path = g_strdup(path);
	return TRUE;
}

HbChardevOptions *hb_chardev_options_parse(const char *text, GError **error)
{
	g_autoptr(HbChardevOptions) options = g_new0(HbChardevOptions, 1);
	gboolean good = TRUE;

	if (g_str_equal(text, "null")) {
		options->kind = HB_CHARDEV_NULL;
	} else if (g_str_equal(text, "stdio")) {
		options->kind = HB_CHARDEV_STDIO;
	} else if (g_str_equal(text, "pty")) {
		options->kind = HB_CHARDEV_PTY;
	} else if (g_str_has_prefix(text, "file:")) {
		options->kind = HB_CHARDEV_FILE;
		good = parse_file(options, text + strlen("file:"), error);
	} else if (g_str_has_prefix(text, "unix:")) {
		options->kind = HB_CHARDEV_UNIX;
		good = parse_unix(options, text + strlen("unix:"), error);
	} else {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'%s' is not supported: use stdio, null, pty, file:PATH or unix:PATH%s",
			    text,
			    g_str_has_prefix(text, "mon:") ? "; there is no monitor but -qmp" : "");
		good = FALSE;
	}
	return good ? g_steal_pointer(&options) : NULL;
}

void hb_chardev_options_free(HbChardevOptions *options)
{
	if (options == NULL)
		return;
	g_free(options->path);
	g_free(options);
}

/* -- Sources. With the lock held. -- */

static gboolean on_input(gint fd, GIOCondition condition, gpointer data);
static gboolean on_output(gint fd, GIOCondition condition, gpointer data);
static gboolean on_client(gint fd, GIOCondition condition, gpointer data);

static void watch(HbChardev *chardev, GSource **source, int fd, GIOCondition condition,
		  GUnixFDSourceFunc func)
{
	if (*source || fd < 0)
		return;
	*source = g_unix_fd_source_new(fd, condition);
	g_source_set_callback(*source, G_SOURCE_FUNC(func), chardev, NULL);
	g_source_attach(*source, NULL);
}

static void unwatch(GSource **source)
{
	if (*source == NULL)
		return;
	g_source_destroy(*source);
	g_clear_pointer(source, g_source_unref);
}

static void watch_input(HbChardev *chardev)
{
	watch(chardev, &chardev->input_source, chardev->input, G_IO_IN | G_IO_HUP, on_input);
}

/* The other side is gone. */
static void disconnect(HbChardev *chardev)
{
	unwatch(&chardev->input_source);
	unwatch(&chardev->output_source);
	g_byte_array_set_size(chardev->queue, 0);
	if (chardev->kind == HB_CHARDEV_UNIX && chardev->input >= 0)
		close(chardev->input);
	chardev->input = -1;
	if (chardev->kind == HB_CHARDEV_UNIX)
		chardev->output = -1;
	watch(chardev, &chardev->accept_source, chardev->listener, G_IO_IN, on_client);
}

static void connected(HbChardev *chardev, int fd)
{
	chardev->input = chardev->output = fd;
	unwatch(&chardev->accept_source);
	watch_input(chardev);
}

/* -- Output. -- */

/* Bytes taken, 0 if it would block, -1 if the other side is gone. */
static gssize write_now(HbChardev *chardev, const guint8 *data, gsize length)
{
	struct pollfd ready = { .fd = chardev->output, .events = POLLOUT };
	gssize done;

	if (chardev->kind == HB_CHARDEV_UNIX) {
		done = send(chardev->output, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (poll(&ready, 1, 0) == 1) {
		/* What says POLLOUT takes a little without blocking. */
		done = write(chardev->output, data, MIN(length, 512));
	} else {
		return 0;
	}
	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return done;
}

static void flush_queue(HbChardev *chardev)
{
	while (chardev->queue->len) {
		gssize done = write_now(chardev, chardev->queue->data, chardev->queue->len);

		if (done == 0)
			return;
		if (done < 0)
			g_byte_array_set_size(chardev->queue, 0);
		else
			g_byte_array_remove_range(chardev->queue, 0, (guint)done);
	}
}

static gboolean on_output(gint fd, GIOCondition condition, gpointer data)
{
	HbChardev *chardev = data;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&chardev->lock);

	flush_queue(chardev);
	if (chardev->queue->len)
		return G_SOURCE_CONTINUE;
	unwatch(&chardev->output_source);
	return G_SOURCE_REMOVE;
}

void hb_chardev_write(HbChardev *chardev, const guint8 *data, gsize length)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&chardev->lock);

	while (length && chardev->output >= 0 && chardev->queue->len == 0) {
		gssize done = write_now(chardev, data, length);

		if (done < 0)
			return; /* on_input() sees the same end of file, and acts on it */
		if (done == 0)
			break;
		data += done;
		length -= (gsize)done;
	}
	if (length == 0 || chardev->output < 0)
		return;
	g_byte_array_append(chardev->queue, data,
			    (guint)MIN(length, MAX_QUEUE - MIN(chardev->queue->len, MAX_QUEUE)));
	watch(chardev, &chardev->output_source, chardev->output, G_IO_OUT, on_output);
}

/* -- Input. On the loop. -- */

static gboolean on_input(gint fd, GIOCondition condition, gpointer data)
{
	HbChardev *chardev = data;
	guint8 buffer[CHUNK];
	gsize room = chardev->ops->can_receive(chardev->opaque);

	if (room == 0) {
		g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&chardev->lock);

		/* Asked under the lock again: hb_chardev_resume() may have come in between. */
		if (chardev->ops->can_receive(chardev->opaque))
			return G_SOURCE_CONTINUE;
		unwatch(&chardev->input_source);
		return G_SOURCE_REMOVE;
	}
	gssize length = read(fd, buffer, MIN(room, sizeof(buffer)));
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (length <= 0) {
		g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&chardev->lock);

		disconnect(chardev);
		return G_SOURCE_REMOVE;
	}
	chardev->ops->receive(chardev->opaque, buffer, (gsize)length);
	return G_SOURCE_CONTINUE;
}

void hb_chardev_resume(HbChardev *chardev)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&chardev->lock);

	watch_input(chardev);
}

static gboolean on_client(gint fd, GIOCondition condition, gpointer data)
{
	HbChardev *chardev = data;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (client < 0)
		return G_SOURCE_CONTINUE;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&chardev->lock);
	connected(chardev, client);
	return G_SOURCE_REMOVE;
}

/* -- Opening. -- */

static gboolean fail(GError **error, const char *what, const char *path, const char *remedy)
{
	int code = errno;

	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s %s: %s: %s", what, path, g_strerror(code),
		    remedy);
	return FALSE;
}

static void make_raw(HbChardev *chardev, int fd, gboolean keep_signals)
{
	struct termios raw;

	if (tcgetattr(fd, &raw))
		return;
	if (keep_signals) {
		chardev->terminal = raw;
		chardev->has_terminal = TRUE;
	}
	cfmakeraw(&raw);
	if (keep_signals) {
		raw.c_lflag |= ISIG;
		raw.c_oflag |= OPOST;
	}
	tcsetattr(fd, TCSANOW, &raw);
}

static gboolean open_stdio(HbChardev *chardev, const HbChardevOptions *options, GError **error)
{
	make_raw(chardev, STDIN_FILENO, TRUE);
	connected(chardev, STDIN_FILENO);
	chardev->output = STDOUT_FILENO;
	return TRUE;
}

static gboolean open_file(HbChardev *chardev, const HbChardevOptions *options, GError **error)
{
	chardev->output = open(options->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return chardev->output >= 0 ||
	       fail(error, "open", options->path, "is the folder writable?");
}

static gboolean open_pty(HbChardev *chardev, const HbChardevOptions *options, const char *label,
			 GError **error)
{
	char name[64];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name))) {
		fail(error, "open", "/dev/ptmx", "is devpts mounted?");
		if (master >= 0)
			close(master);
		return FALSE;
	}
	chardev->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (chardev->slave >= 0)
		make_raw(chardev, chardev->slave, FALSE);
	connected(chardev, master);
	g_printerr("char device redirected to %s (label %s)\n", name, label);
	return TRUE;
}

/*
 * A socket whose listener has died refuses connections; only such a one is replaced. A plain file
 * refuses them likewise, but is somebody's.
 */
static gboolean is_stale(const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) || !S_ISSOCK(status.st_mode))
		return FALSE;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	gboolean refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
			   errno == ECONNREFUSED;

	close(fd);
	return refused;
}

static gboolean bind_socket(int fd, const struct sockaddr_un *address)
{
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
		return TRUE;
	if (errno != EADDRINUSE)
		return FALSE;
	if (!is_stale(address)) {
		errno = EADDRINUSE;
		return FALSE;
	}
	g_unlink(address->sun_path);
	return bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

static gboolean open_server(HbChardev *chardev, const struct sockaddr_un *address, gboolean wait,
			    GError **error)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (!bind_socket(fd, address) || listen(fd, 1)) {
		fail(error, "listen on", address->sun_path,
		     "name a file that no other process listens on, in a writable folder");
		close(fd);
		return FALSE;
	}
	chardev->listener = fd;
	chardev->path = g_strdup(address->sun_path);
	watch(chardev, &chardev->accept_source, fd, G_IO_IN, on_client);
	if (wait) {
		struct pollfd incoming = { .fd = fd, .events = POLLIN };
		int client;

		g_printerr("hotbay: waiting for a connection to %s\n", address->sun_path);
		while (poll(&incoming, 1, -1) < 0 && errno == EINTR)
			continue;
		client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0)
			connected(chardev, client);
	}
	return TRUE;
}

static gboolean open_unix(HbChardev *chardev, const HbChardevOptions *options, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	g_strlcpy(address.sun_path, options->path, sizeof(address.sun_path));
	if (options->server)
		return open_server(chardev, &address, options->wait, error);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		fail(error, "connect to", options->path,
		     "start what listens there first, or add server=on,wait=off");
		close(fd);
		return FALSE;
	}
	connected(chardev, fd);
	return TRUE;
}

static gboolean open_kind(HbChardev *chardev, const HbChardevOptions *options, const char *label,
			  GError **error)
{
	switch (options->kind) {
	case HB_CHARDEV_NULL:
		return TRUE;
	case HB_CHARDEV_STDIO:
		return open_stdio(chardev, options, error);
	case HB_CHARDEV_FILE:
		return open_file(chardev, options, error);
	case HB_CHARDEV_UNIX:
		return open_unix(chardev, options, error);
	case HB_CHARDEV_PTY:
		return open_pty(chardev, options, label, error);
	}
	g_return_val_if_reached(FALSE);
}

HbChardev *hb_chardev_open(const HbChardevOptions *options, const char *label,
			   const HbChardevOps *ops, gpointer opaque, GError **error)
{
	HbChardev *chardev = g_new0(HbChardev, 1);

	chardev->kind = options->kind;
	chardev->ops = ops;
	chardev->opaque = opaque;
	g_mutex_init(&chardev->lock);
	chardev->listener = chardev->input = chardev->output = chardev->slave = -1;
	chardev->queue = g_byte_array_new();
	if (open_kind(chardev, options, label, error))
		return chardev;
	hb_chardev_close(chardev);
	return NULL;
}

static void close_descriptor(int fd)
{
	if (fd > STDERR_FILENO)
		close(fd);
}

void hb_chardev_close(HbChardev *chardev)
{
	if (chardev == NULL)
		return;
	if (chardev->output >= 0)
		flush_queue(chardev);
	unwatch(&chardev->accept_source);
	unwatch(&chardev->input_source);
	unwatch(&chardev->output_source);
	if (chardev->has_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &chardev->terminal);
	close_descriptor(chardev->slave);
	if (chardev->output != chardev->input)
		close_descriptor(chardev->output);
	close_descriptor(chardev->input);
	close_descriptor(chardev->listener);
	if (chardev->path)
		g_unlink(chardev->path);
	g_free(chardev->path);
	g_byte_array_unref(chardev->queue);
	g_mutex_clear(&chardev->lock);
	g_free(chardev);
}
