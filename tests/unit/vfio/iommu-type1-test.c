/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The address space of a VM in a container of VFIO's. The kernel is functions in the place of
 * open64(), close() and ioctl(): a container that loses its IOMMU and its mappings with its last
 * group, whoever takes that out.
 */

#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/iommu.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST  "0000:01:00.0"
#define SECOND "0000:02:00.0"

enum { MIB = 1 << 20, CONTAINER = 0, N_GROUPS = 3 };

static struct {
	int fds[N_GROUPS]; /* the container's, then each group's; -1: closed */
	gboolean inside[N_GROUPS];
	gboolean has_iommu;
	guint n_maps;
	int refusal; /* of VFIO_SET_IOMMU; 0: none */
} kernel;

static FakeHost *host;
static HbIommu *iommu;

int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);

static guint find_fd(int fd)
{
	for (guint i = 0; i < N_GROUPS; i++) {
		if (kernel.fds[i] == fd)
			return i;
	}
	return N_GROUPS;
}

/* As when its file is closed, or its drive is pulled and has been closed. */
static void kernel_removes(guint group)
{
	kernel.inside[group] = FALSE;
	if (kernel.inside[1] || kernel.inside[2])
		return;
	kernel.has_iommu = FALSE;
	kernel.n_maps = 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
	guint which = g_str_equal(path, "/dev/vfio/vfio")
			      ? CONTAINER
			      : (guint)(path[strlen("/dev/vfio/")] - '0');

	ck_assert_uint_lt(which, N_GROUPS);
	ck_assert_int_eq(kernel.fds[which], -1);
	kernel.fds[which] = memfd_create("vfio", MFD_CLOEXEC);
	return kernel.fds[which];
}

int __wrap_close(int fd)
{
	guint which = find_fd(fd);

	if (which < N_GROUPS) {
		kernel.fds[which] = -1;
		if (which != CONTAINER)
			kernel_removes(which);
	}
	return __real_close(fd);
}

static int refuse(int number)
{
	errno = number;
	return -1;
}

static int set_iommu(void)
{
	if (kernel.refusal)
		return refuse(kernel.refusal);
	if (kernel.has_iommu || !(kernel.inside[1] || kernel.inside[2]))
		return refuse(EINVAL);
	kernel.has_iommu = TRUE;
	return 0;
}

static int map_or_unmap(unsigned long request)
{
	if (!kernel.has_iommu)
		return refuse(EINVAL);
	if (request == VFIO_IOMMU_MAP_DMA && kernel.n_maps > 0)
		return refuse(EEXIST);
	kernel.n_maps = request == VFIO_IOMMU_MAP_DMA;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	guint which = find_fd(fd);
	va_list arguments;

	va_start(arguments, request);
	gpointer argument = va_arg(arguments, gpointer);
	va_end(arguments);
	ck_assert_uint_lt(which, N_GROUPS);
	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return 1;
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)argument)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		ck_assert_int_eq(*(int *)argument, kernel.fds[CONTAINER]);
		kernel.inside[which] = TRUE;
		return 0;
	case VFIO_SET_IOMMU:
		return set_iommu();
	default:
		ck_assert(request == VFIO_IOMMU_MAP_DMA || request == VFIO_IOMMU_UNMAP_DMA);
		return map_or_unmap(request);
	}
}

static void setup(void)
{
	HbRam ram = { .gpa = 0, .size = MIB, .hva = (gpointer)(guintptr)0x10000000 };

	memset(&kernel, 0, sizeof(kernel));
	for (guint i = 0; i < N_GROUPS; i++)
		kernel.fds[i] = -1;
	host = fake_host_create();
	ck_assert(hb_host_add_ram(host->host, &ram, NULL));
	iommu = hb_iommu_type1_create(host->host);
}

static void teardown(void)
{
	iommu->ops->destroy(iommu);
	fake_host_destroy(host);
}

static HbIommuAttachment *attach(guint group)
{
	g_autoptr(GError) error = NULL;
	HbIommuAttachment *attachment =
		iommu->ops->attach(iommu, group, group == 1 ? FIRST : SECOND, &error);

	ck_assert_msg(attachment, "%s", error ? error->message : "no error");
	ck_assert(kernel.has_iommu);
	ck_assert_uint_eq(kernel.n_maps, 1);
	return attachment;
}

START_TEST(the_first_group_brings_the_iommu_and_the_last_one_takes_it)
{
	HbIommuAttachment *first = attach(1);
	HbIommuAttachment *second = attach(2);

	iommu->ops->leave(iommu, first);
	iommu->ops->detach(iommu, first);
	ck_assert_uint_eq(kernel.n_maps, 1);
	iommu->ops->leave(iommu, second);
	ck_assert_uint_eq(kernel.n_maps, 0);
	iommu->ops->detach(iommu, second);
	ck_assert(!kernel.has_iommu);
}
END_TEST

START_TEST(a_drive_that_comes_while_another_leaves_has_its_memory)
{
	HbIommuAttachment *first = attach(1);

	iommu->ops->leave(iommu, first);
	HbIommuAttachment *second = attach(2);
	iommu->ops->detach(iommu, first);
	ck_assert_uint_eq(kernel.n_maps, 1);
	iommu->ops->detach(iommu, second);
}
END_TEST

/* The kernel is done with a pulled drive at its close, before the detach here. */
START_TEST(a_drive_that_comes_when_the_kernel_has_let_go_of_another_has_its_memory)
{
	HbIommuAttachment *first = attach(1);

	kernel_removes(1);
	HbIommuAttachment *second = attach(2);
	iommu->ops->detach(iommu, first);
	ck_assert(kernel.has_iommu);
	ck_assert_uint_eq(kernel.n_maps, 1);
	iommu->ops->detach(iommu, second);
}
END_TEST

START_TEST(so_it_has_when_the_other_ones_memory_could_not_be_unmapped)
{
	HbIommuAttachment *first = attach(1);

	kernel_removes(1);
	iommu->ops->leave(iommu, first);
	HbIommuAttachment *second = attach(2);
	iommu->ops->detach(iommu, first);
	iommu->ops->detach(iommu, second);
}
END_TEST

static void assert_refused(guint group)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(iommu->ops->attach(iommu, group, SECOND, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_HOST));
	ck_assert_msg(strstr(error->message, "VFIO_SET_IOMMU"), "%s", error->message);
	ck_assert_int_eq(kernel.fds[group], -1);
}

START_TEST(an_iommu_that_is_refused_is_said_and_the_group_closed)
{
	kernel.refusal = EPERM;
	assert_refused(1);
}
END_TEST

START_TEST(so_it_is_where_the_kernel_has_let_go_of_the_others)
{
	HbIommuAttachment *first = attach(1);

	kernel_removes(1);
	kernel.refusal = EPERM;
	assert_refused(2);
	iommu->ops->detach(iommu, first);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("vfio/iommu-type1");
	TCase *tests = tcase_create("type1");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_first_group_brings_the_iommu_and_the_last_one_takes_it);
	tcase_add_test(tests, a_drive_that_comes_while_another_leaves_has_its_memory);
	tcase_add_test(tests,
		       a_drive_that_comes_when_the_kernel_has_let_go_of_another_has_its_memory);
	tcase_add_test(tests, so_it_has_when_the_other_ones_memory_could_not_be_unmapped);
	tcase_add_test(tests, an_iommu_that_is_refused_is_said_and_the_group_closed);
	tcase_add_test(tests, so_it_is_where_the_kernel_has_let_go_of_the_others);
	suite_add_tcase(suite, tests);
	return suite;
}
