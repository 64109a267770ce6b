/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Several drives on their way at a time, and drives that reach each other's memory, by an IOMMU of
 * the test's own.
 */

#include "tests/unit/suite.h"
#include "vfio/vfio.h"

#include <hotbay/error.h>

#include <fcntl.h>
#include <unistd.h>

#define FD	   77
#define N_WINDOWS  8
#define TOGETHER_S 10

struct HbIommuAttachment {
	guint group;
};

static HbIommuAttachment attachments[2];
static HbHost *host;
static HbVfio *vfio;
static gboolean refuse;
static guint n_detached;

static GMutex mutex; /* guards what follows */
static GCond changed;
static guint n_opening;
static guint n_mapped; /* windows */

/* ---- the IOMMU ---- */

static HbIommuAttachment *attach(HbIommu *iommu, guint group, const char *address, GError **error)
{
	return &attachments[group];
}

/* Returns when both drives are being opened, or when that takes too long. */
static int open_function(HbIommu *iommu, const HbIommuAttachment *attachment, const char *address,
			 GError **error)
{
	gint64 deadline = g_get_monotonic_time() + TOGETHER_S * G_TIME_SPAN_SECOND;

	if (refuse) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: refused", address);
		return -1;
	}
	g_mutex_lock(&mutex);
	n_opening++;
	g_cond_broadcast(&changed);
	while (n_opening < G_N_ELEMENTS(attachments) &&
	       g_cond_wait_until(&changed, &mutex, deadline))
		;
	int fd = n_opening < G_N_ELEMENTS(attachments) ? -1 : FD;
	g_mutex_unlock(&mutex);
	if (fd < 0)
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: opened alone", address);
	return fd;
}

static void leave(HbIommu *iommu, HbIommuAttachment *attachment)
{
}

static void detach(HbIommu *iommu, HbIommuAttachment *attachment)
{
	n_detached++;
}

static void add_mapped(gint n)
{
	g_mutex_lock(&mutex);
	n_mapped += (guint)n;
	g_cond_broadcast(&changed);
	g_mutex_unlock(&mutex);
}

static gboolean map_window(HbIommu *iommu, guint64 iova, guint64 size, gpointer hva, GError **error)
{
	add_mapped(1);
	return TRUE;
}

static void unmap_window(HbIommu *iommu, guint64 iova, guint64 size)
{
	add_mapped(-1);
}

static void destroy(HbIommu *iommu)
{
}

static HbIommuOps ops = { .attach = attach,
			  .open = open_function,
			  .leave = leave,
			  .detach = detach,
			  .map_window = map_window,
			  .unmap_window = unmap_window,
			  .destroy = destroy };

HbIommu *hb_iommu_type1_create(HbHost *unused)
{
	static HbIommu iommu = { .ops = &ops };

	return &iommu;
}

/* ---- the tests ---- */

static const HbHostOps host_ops = { 0 };

static void set_up(void)
{
	host = hb_host_create(&host_ops, NULL, NULL);
	vfio = hb_vfio_create(host, 0);
	ck_assert(hb_vfio_use_iommu(vfio, HB_VFIO_IOMMU_TYPE1, -1, NULL)); /* the test's own */
}

static void tear_down(void)
{
	hb_vfio_destroy(vfio);
	hb_host_destroy(host);
}

static gpointer attach_second(gpointer data)
{
	int fd = -1;

	return hb_vfio_attach(vfio, 1, "0000:02:00.0", &fd, NULL);
}

START_TEST(drives_that_come_together_are_opened_together)
{
	g_autoptr(GError) error = NULL;
	int fd = -1;

	GThread *thread = g_thread_new("second", attach_second, NULL);
	HbIommuAttachment *first = hb_vfio_attach(vfio, 0, "0000:01:00.0", &fd, &error);
	HbIommuAttachment *second = g_thread_join(thread);
	ck_assert_msg(first == &attachments[0], "%s", error ? error->message : "");
	ck_assert_int_eq(fd, FD);
	ck_assert_ptr_eq(second, &attachments[1]);

	hb_vfio_detach(vfio, first, "0000:01:00.0");
	hb_vfio_detach(vfio, second, "0000:02:00.0");
}
END_TEST

START_TEST(a_drive_that_cannot_be_opened_has_left_the_iommu)
{
	g_autoptr(GError) error = NULL;
	int fd = -1;

	refuse = TRUE;
	ck_assert_ptr_null(hb_vfio_attach(vfio, 0, "0000:01:00.0", &fd, &error));
	ck_assert_str_eq(error->message, "0000:01:00.0: refused");
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_eq(n_detached, 1);
}
END_TEST

static guint get_n_mapped(void)
{
	g_mutex_lock(&mutex);
	guint n = n_mapped;
	g_mutex_unlock(&mutex);
	return n;
}

static void wait_for_mapped(guint n)
{
	gint64 deadline = g_get_monotonic_time() + TOGETHER_S * G_TIME_SPAN_SECOND;

	g_mutex_lock(&mutex);
	while (n_mapped != n && g_cond_wait_until(&changed, &mutex, deadline))
		;
	g_mutex_unlock(&mutex);
	ck_assert_uint_eq(get_n_mapped(), n);
}

static void set_window(guint number, gboolean here)
{
	hb_vfio_set_window(vfio, (number + 1) * 0x10000, 0x1000,
			   GUINT_TO_POINTER(0xa000 + number * 0x1000), here);
}

START_TEST(what_a_drive_shows_is_mapped_soon_and_gone_when_its_close_says_so)
{
	ck_assert(hb_vfio_connect_drives(vfio, NULL));
	for (guint i = 0; i < N_WINDOWS; i++)
		set_window(i, TRUE);
	wait_for_mapped(N_WINDOWS);
	for (guint i = 0; i < N_WINDOWS; i++)
		set_window(i, FALSE);
	hb_vfio_unmap_windows(vfio);
	ck_assert_uint_eq(get_n_mapped(), 0);
}
END_TEST

START_TEST(a_backend_that_cannot_map_windows_refuses_to_connect_drives)
{
	g_autoptr(GError) error = NULL;

	ops.map_window = NULL;
	ops.name = "iommufd";
	ck_assert(!hb_vfio_connect_drives(vfio, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_str_eq(error->message, "iommufd cannot map a drive's memory for other drives: "
					 "use VFIO type1");
	set_window(0, TRUE);
	hb_vfio_unmap_windows(vfio);
	ck_assert_uint_eq(get_n_mapped(), 0);
}
END_TEST

START_TEST(a_descriptor_that_type1_does_not_need_is_closed)
{
	HbVfio *other = hb_vfio_create(host, 0);
	int fd = dup(0);

	ck_assert(hb_vfio_use_iommu(other, HB_VFIO_IOMMU_TYPE1, fd, NULL));
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	hb_vfio_destroy(other);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("vfio");
	TCase *tests = tcase_create("drives");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, drives_that_come_together_are_opened_together);
	tcase_add_test(tests, a_drive_that_cannot_be_opened_has_left_the_iommu);
	tcase_add_test(tests, what_a_drive_shows_is_mapped_soon_and_gone_when_its_close_says_so);
	tcase_add_test(tests, a_backend_that_cannot_map_windows_refuses_to_connect_drives);
	tcase_add_test(tests, a_descriptor_that_type1_does_not_need_is_closed);
	tcase_set_timeout(tests, 4 * TOGETHER_S);
	suite_add_tcase(suite, tests);
	return suite;
}
