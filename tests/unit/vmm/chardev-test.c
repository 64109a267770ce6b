/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Byte streams: what follows -serial, and that a slow or absent reader never stops the guest. */

#include "tests/unit/suite.h"
#include "vmm/chardev.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <hotbay/error.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char *folder;
static char *path;
static HbChardev *chardev;
static GString *received;
static gsize room;

static gsize on_can_receive(gpointer opaque)
{
	return room;
}

static void on_receive(gpointer opaque, const guint8 *data, gsize length)
{
	ck_assert_uint_le(length, room);
	g_string_append_len(received, (const char *)data, (gssize)length);
}

static const HbChardevOps ops = { on_can_receive, on_receive };

static void set_up(void)
{
	folder = g_dir_make_tmp("hotbay-chardev-XXXXXX", NULL);
	path = g_build_filename(folder, "stream", NULL);
	received = g_string_new(NULL);
	room = 16;
}

static void tear_down(void)
{
	g_clear_pointer(&chardev, hb_chardev_close);
	g_unlink(path);
	g_rmdir(folder);
	g_free(folder);
	g_free(path);
	g_string_free(received, TRUE);
}

static void open_stream(const char *format)
{
	g_autofree char *text = g_strdup_printf(format, path);
	g_autoptr(HbChardevOptions) options = hb_chardev_options_parse(text, NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_nonnull(options);
	chardev = hb_chardev_open(options, "serial0", &ops, NULL, &error);
	ck_assert_msg(chardev != NULL, "%s", error ? error->message : "");
}

static void spin(void)
{
	for (guint i = 0; i < 20; i++)
		g_main_context_iteration(NULL, FALSE);
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	spin();
	return fd;
}

static void put(const char *text)
{
	hb_chardev_write(chardev, (const guint8 *)text, strlen(text));
}

static void assert_reads(int fd, const char *text)
{
	char buffer[64];
	gssize length = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	ck_assert_int_eq(length, (gssize)strlen(text));
	ck_assert_mem_eq(buffer, text, strlen(text));
}

START_TEST(test_a_unix_server_waits_for_a_client_unless_told_not_to)
{
	g_autoptr(HbChardevOptions) waits = hb_chardev_options_parse("unix:/a,server=on", NULL);
	g_autoptr(HbChardevOptions) not =
		hb_chardev_options_parse("unix:/a,server=on,wait=off", NULL);
	g_autoptr(HbChardevOptions) client = hb_chardev_options_parse("unix:/a", NULL);

	ck_assert(waits->wait);
	ck_assert(!not ->wait);
	ck_assert(!client->server);
	ck_assert(!client->wait);
}
END_TEST

START_TEST(test_a_socket_path_that_is_too_long_is_refused)
{
	g_autofree char *long_name = g_strnfill(200, 'x');
	g_autofree char *text = g_strconcat("unix:/", long_name, NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_chardev_options_parse(text, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "too long"));
}
END_TEST

START_TEST(test_a_file_takes_all_output_and_starts_empty)
{
	g_autofree char *contents = NULL;

	ck_assert(g_file_set_contents(path, "old", -1, NULL));
	open_stream("file:%s");
	put("hel");
	put("lo");
	ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
	ck_assert_str_eq(contents, "hello");
}
END_TEST

START_TEST(test_a_file_that_cannot_be_made_is_named)
{
	g_autoptr(HbChardevOptions) options = hb_chardev_options_parse("file:/nonexistent/x", NULL);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_chardev_open(options, "serial0", &ops, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/x"));
}
END_TEST

START_TEST(test_null_swallows_output)
{
	open_stream("null");
	put("x");
	spin();
	ck_assert_uint_eq(received->len, 0);
}
END_TEST

START_TEST(test_a_client_talks_both_ways)
{
	open_stream("unix:%s,server=on,wait=off");
	int fd = dial();

	put("out");
	assert_reads(fd, "out");
	ck_assert_int_eq(send(fd, "in", 2, 0), 2);
	spin();
	ck_assert_str_eq(received->str, "in");
	close(fd);
}
END_TEST

START_TEST(test_output_without_a_client_is_dropped)
{
	open_stream("unix:%s,server=on,wait=off");
	put("lost");
	int fd = dial();
	put("kept");
	assert_reads(fd, "kept");
	close(fd);
}
END_TEST

START_TEST(test_one_client_may_follow_another)
{
	open_stream("unix:%s,server=on,wait=off");
	close(dial());
	spin();
	int fd = dial();
	put("again");
	assert_reads(fd, "again");
	close(fd);
}
END_TEST

START_TEST(test_input_waits_while_there_is_no_room)
{
	open_stream("unix:%s,server=on,wait=off");
	int fd = dial();

	room = 0;
	ck_assert_int_eq(send(fd, "abc", 3, 0), 3);
	spin();
	ck_assert_uint_eq(received->len, 0);
	room = 2;
	hb_chardev_resume(chardev);
	spin();
	ck_assert_str_eq(received->str, "abc");
	close(fd);
}
END_TEST

START_TEST(test_a_client_that_does_not_read_never_blocks_the_writer)
{
	g_autofree char *block = g_strnfill(4096, 'x');

	open_stream("unix:%s,server=on,wait=off");
	int fd = dial();
	for (guint i = 0; i < 1000; i++)
		put(block);
	/* What was queued comes in order once it reads. */
	char buffer[4096];
	ck_assert_int_gt(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT), 0);
	spin();
	ck_assert_int_gt(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT), 0);
	close(fd);
}
END_TEST

START_TEST(test_a_stale_socket_is_replaced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	ck_assert_int_eq(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
	close(stale);
	open_stream("unix:%s,server=on,wait=off");
	close(dial());
}
END_TEST

START_TEST(test_a_socket_in_use_is_refused_and_left_alone)
{
	g_autoptr(GError) error = NULL;

	open_stream("unix:%s,server=on,wait=off");
	g_autofree char *text = g_strdup_printf("unix:%s,server=on,wait=off", path);
	g_autoptr(HbChardevOptions) options = hb_chardev_options_parse(text, NULL);
	ck_assert_ptr_null(hb_chardev_open(options, "serial0", &ops, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, path));
	close(dial());
}
END_TEST

START_TEST(test_a_file_that_is_no_socket_is_refused_and_left_alone)
{
	g_autofree char *text = g_strdup_printf("unix:%s,server=on,wait=off", path);
	g_autoptr(HbChardevOptions) options = hb_chardev_options_parse(text, NULL);
	g_autofree char *contents = NULL;

	ck_assert(g_file_set_contents(path, "precious", -1, NULL));
	ck_assert_ptr_null(hb_chardev_open(options, "serial0", &ops, NULL, NULL));
	ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
	ck_assert_str_eq(contents, "precious");
}
END_TEST

START_TEST(test_closing_removes_the_socket)
{
	open_stream("unix:%s,server=on,wait=off");
	g_clear_pointer(&chardev, hb_chardev_close);
	ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("chardev");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_unix_server_waits_for_a_client_unless_told_not_to);
	tcase_add_test(tests, test_a_socket_path_that_is_too_long_is_refused);
	tcase_add_test(tests, test_a_file_takes_all_output_and_starts_empty);
	tcase_add_test(tests, test_a_file_that_cannot_be_made_is_named);
	tcase_add_test(tests, test_null_swallows_output);
	tcase_add_test(tests, test_a_client_talks_both_ways);
	tcase_add_test(tests, test_output_without_a_client_is_dropped);
	tcase_add_test(tests, test_one_client_may_follow_another);
	tcase_add_test(tests, test_input_waits_while_there_is_no_room);
	tcase_add_test(tests, test_a_client_that_does_not_read_never_blocks_the_writer);
	tcase_add_test(tests, test_a_stale_socket_is_replaced);
	tcase_add_test(tests, test_a_socket_in_use_is_refused_and_left_alone);
	tcase_add_test(tests, test_a_file_that_is_no_socket_is_refused_and_left_alone);
	tcase_add_test(tests, test_closing_removes_the_socket);
	suite_add_tcase(suite, tests);
	return suite;
}
