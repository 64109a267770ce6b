/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What a build without <linux/iommufd.h> says, in a build of either kind. */

#include "tests/unit/suite.h"
#include "vfio/iommu.h"

#include <hotbay/error.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

START_TEST(iommufd_is_refused_with_the_reason_and_its_descriptor_closed)
{
	int fd = memfd_create("iommufd", MFD_CLOEXEC);
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_iommu_iommufd_create(NULL, HB_IOMMU_ROOT, fd, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(error->message, "built without iommufd"));
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
}
END_TEST

START_TEST(no_drive_can_use_it)
{
	ck_assert(!hb_iommu_iommufd_is_usable(HB_IOMMU_ROOT, "0000:01:00.0"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("vfio/iommu-no-iommufd");
	TCase *tests = tcase_create("built without");

	tcase_add_test(tests, iommufd_is_refused_with_the_reason_and_its_descriptor_closed);
	tcase_add_test(tests, no_drive_can_use_it);
	suite_add_tcase(suite, tests);
	return suite;
}
