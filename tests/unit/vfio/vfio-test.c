/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Several drives on their way at a time, by an IOMMU of the test's own. */

#include "tests/unit/suite.h"
#include "vfio/vfio.h"

#include <hotbay/error.h>

#define FD	   77
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

/* ---- the IOMMU ---- */

static HbIommuAttachment *attach(HbIommu *iommu, guint group, const char *address, int *device_fd,
				 GError **error)
{
	*device_fd = -1;
	return &attachments[group];
}

/* Returns when both drives are being opened, or when that takes too long. */
static int open_function(const HbIommuAttachment *attachment, const char *address, GError **error)
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

static void destroy(HbIommu *iommu)
{
}

HbIommu *hb_iommu_type1_create(HbHost *unused)
{
	static const HbIommuOps ops = { .attach = attach,
					.open = open_function,
					.leave = leave,
					.detach = detach,
					.destroy = destroy };
	static HbIommu iommu = { .ops = &ops };

	return &iommu;
}

/* ---- the tests ---- */

static const HbHostOps host_ops = { 0 };

static void set_up(void)
{
	host = hb_host_create(&host_ops, NULL, NULL);
	vfio = hb_vfio_create(host, 0);
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

Suite *test_suite(void)
{
	Suite *suite = suite_create("vfio");
	TCase *tests = tcase_create("drives");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, drives_that_come_together_are_opened_together);
	tcase_add_test(tests, a_drive_that_cannot_be_opened_has_left_the_iommu);
	tcase_set_timeout(tests, 4 * TOGETHER_S);
	suite_add_tcase(suite, tests);
	return suite;
}
