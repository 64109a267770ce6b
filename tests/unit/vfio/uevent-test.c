/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What the kernel tells, on its way to the loop, and what becomes of it when the kernel has to
 * leave something out. libudev is here: its monitor says what a test has written down.
 */

#include "tests/unit/suite.h"
#include "vfio/uevent.h"

#include <hotbay/error.h>

#include <errno.h>
#include <libudev.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct udev {
	int unused;
};

struct udev_device {
	const char *action; /* NULL: events were dropped here */
	const char *path;
};

struct udev_monitor {
	int fd;
	GAsyncQueue *queue; /* of struct udev_device, borrowed */
	gboolean is_deaf;   /* nothing can be received */
	int size;	    /* asked for, of the buffer, before receiving began */
	gboolean is_receiving;
};

static struct udev library;
static struct udev_monitor monitor;
static HbUevents *uevents;
static GString *first; /* what the thread was told; to be read when the loop was told of it */
static GString *then;  /* and the loop */

/* ---- libudev ---- */

struct udev *udev_new(void)
{
	return &library;
}

struct udev *udev_unref(struct udev *self)
{
	return NULL;
}

struct udev_monitor *udev_monitor_new_from_netlink(struct udev *self, const char *name)
{
	ck_assert_str_eq(name, "kernel");
	return &monitor;
}

struct udev_monitor *udev_monitor_unref(struct udev_monitor *self)
{
	return NULL;
}

int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *self,
						    const char *subsystem, const char *devtype)
{
	ck_assert_str_eq(subsystem, "pci");
	return 0;
}

/* As for who is not root. */
int udev_monitor_set_receive_buffer_size(struct udev_monitor *self, int size)
{
	ck_assert(!self->is_receiving);
	self->size = size;
	return -EPERM;
}

int udev_monitor_enable_receiving(struct udev_monitor *self)
{
	self->is_receiving = TRUE;
	return self->is_deaf ? -EACCES : 0;
}

int udev_monitor_get_fd(struct udev_monitor *self)
{
	return self->fd;
}

struct udev_device *udev_monitor_receive_device(struct udev_monitor *self)
{
	struct udev_device *device = g_async_queue_try_pop(self->queue);
	eventfd_t count;

	if (device && device->action)
		return device;
	if (!device)
		eventfd_read(self->fd, &count);
	errno = device ? ENOBUFS : EAGAIN;
	return NULL;
}

const char *udev_device_get_action(struct udev_device *self)
{
	return self->action;
}

const char *udev_device_get_devpath(struct udev_device *self)
{
	return self->path;
}

struct udev_device *udev_device_unref(struct udev_device *self)
{
	return NULL;
}

/* ---- a test ---- */

static void on_first(const HbUevent *event, gpointer data)
{
	g_string_append_printf(first, "%s %s; ", event->action, event->path);
}

static void on_then(const HbUevent *event, gpointer data)
{
	g_string_append_printf(then, "%s %s; ", event->action, event->path);
}

static void setup(void)
{
	monitor = (struct udev_monitor){ .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
					 .queue = g_async_queue_new() };
	first = g_string_new(NULL);
	then = g_string_new(NULL);
	uevents = hb_uevents_open(NULL, on_first, on_then, NULL, NULL);
	ck_assert_ptr_nonnull(uevents);
}

static void teardown(void)
{
	hb_uevents_close(uevents);
	g_async_queue_unref(monitor.queue);
	close(monitor.fd);
	g_string_free(first, TRUE);
	g_string_free(then, TRUE);
}

/* All at once, as after a while in which nobody listened. */
static void tell(struct udev_device *devices, guint n)
{
	g_async_queue_lock(monitor.queue);
	for (guint i = 0; i < n; i++)
		g_async_queue_push_unlocked(monitor.queue, &devices[i]);
	g_async_queue_unlock(monitor.queue);
	eventfd_write(monitor.fd, 1);
}

static void wait_for(const char *word)
{
	while (!strstr(then->str, word))
		g_main_context_iteration(NULL, TRUE);
}

START_TEST(the_thread_and_the_loop_are_told_in_order)
{
	struct udev_device devices[] = { { "add", "/a" }, { "bind", "/a" }, { "add", "/last" } };

	tell(devices, G_N_ELEMENTS(devices));
	wait_for("last");
	ck_assert_str_eq(first->str, "add /a; bind /a; add /last; ");
	ck_assert_str_eq(then->str, first->str);
}
END_TEST

START_TEST(a_loss_is_told_to_the_loop_after_what_the_kernel_had_kept)
{
	struct udev_device devices[] = { { NULL, NULL }, { "add", "/a" }, { "remove", "/a" } };
	struct udev_device later[] = { { "add", "/last" } };

	tell(devices, G_N_ELEMENTS(devices));
	wait_for("lost");
	tell(later, 1);
	wait_for("last");
	ck_assert_str_eq(then->str, "add /a; remove /a; lost ; add /last; ");
	ck_assert_str_eq(first->str, "add /a; remove /a; add /last; ");
}
END_TEST

START_TEST(several_losses_in_a_row_are_one)
{
	struct udev_device devices[] = { { NULL, NULL }, { "add", "/a" }, { NULL, NULL } };

	tell(devices, G_N_ELEMENTS(devices));
	wait_for("lost");
	ck_assert_str_eq(then->str, "add /a; lost ; ");
}
END_TEST

START_TEST(each_loss_is_told)
{
	struct udev_device device = { NULL, NULL };

	tell(&device, 1);
	wait_for("lost");
	tell(&device, 1);
	wait_for("lost ; lost");
	ck_assert_str_eq(then->str, "lost ; lost ; ");
}
END_TEST

START_TEST(there_is_room_for_thousands_of_events_where_the_kernel_allows_it)
{
	ck_assert_int_ge(monitor.size, 1 << 20);
}
END_TEST

START_TEST(a_host_that_tells_nothing_is_an_error)
{
	g_autoptr(GError) error = NULL;

	monitor.is_deaf = TRUE;
	monitor.is_receiving = FALSE;
	ck_assert_ptr_null(hb_uevents_open(NULL, on_first, on_then, NULL, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("uevent");
	TCase *tcase = tcase_create("uevent");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_thread_and_the_loop_are_told_in_order);
	tcase_add_test(tcase, a_loss_is_told_to_the_loop_after_what_the_kernel_had_kept);
	tcase_add_test(tcase, several_losses_in_a_row_are_one);
	tcase_add_test(tcase, each_loss_is_told);
	tcase_add_test(tcase, there_is_room_for_thousands_of_events_where_the_kernel_allows_it);
	tcase_add_test(tcase, a_host_that_tells_nothing_is_an_error);
	suite_add_tcase(suite, tcase);
	return suite;
}
