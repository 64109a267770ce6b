/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* By what drives reach guest memory, by the flags; what flags refuse is in docs/flags.md, too. */

#include "tests/unit/suite.h"
#include "vmm/options.h"

#include <string.h>

#define MACHINE                                                                                    \
	"hotbay", "-kernel", "k", "-device", "pcie-root-port,id=bay0", "-device",                  \
		"vfio-pci,host=01:00.0,bus=bay0,id=drive0,iommufd=i0"

static HbOptions *parse(const char *const *words, GError **error)
{
	return hb_options_parse((int)g_strv_length((char **)words), words, error);
}

static void assert_refused(const char *const *words, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(HbOptions) options = parse(words, &error);

	ck_assert_ptr_null(options);
	ck_assert_msg(strstr(error->message, message), "%s", error->message);
}

START_TEST(test_without_a_flag_it_is_found_out)
{
	const char *const words[] = { "hotbay", "-kernel", "k", NULL };
	g_autoptr(HbOptions) options = parse(words, NULL);

	ck_assert_int_eq(options->iommu_options.iommu, HB_VFIO_IOMMU_AUTO);
	ck_assert_int_eq(options->iommu_options.fd, -1);
}
END_TEST

START_TEST(test_the_machine_can_say_it)
{
	const char *const words[] = {
		"hotbay",   "-kernel",	 "k", "-machine", "x-hotbay-iommu=type1",
		"-machine", "accel=kvm", NULL
	};
	g_autoptr(HbOptions) options = parse(words, NULL);

	ck_assert_int_eq(options->iommu_options.iommu, HB_VFIO_IOMMU_TYPE1);
}
END_TEST

START_TEST(test_an_object_that_a_drive_names_makes_it_iommufd)
{
	const char *const words[] = { MACHINE, "-object", "iommufd,id=i0", NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(HbOptions) options = parse(words, &error);

	ck_assert_msg(options != NULL, "%s", error ? error->message : "");
	ck_assert_int_eq(options->iommu_options.iommu, HB_VFIO_IOMMU_IOMMUFD);
	ck_assert_int_eq(options->iommu_options.fd, -1);
}
END_TEST

START_TEST(test_an_object_can_be_a_descriptor)
{
	const char *const words[] = { MACHINE, "-object",
				      "{\"qom-type\":\"iommufd\",\"id\":\"i0\",\"fd\":\"22\"}",
				      NULL };
	g_autoptr(HbOptions) options = parse(words, NULL);

	ck_assert_int_eq(options->iommu_options.fd, 22);
}
END_TEST

START_TEST(test_a_drive_cannot_name_an_object_that_is_not_there)
{
	const char *const none[] = { MACHINE, NULL };
	const char *const other[] = { MACHINE, "-object", "iommufd,id=i1", NULL };

	assert_refused(none, "-device: vfio-pci drive0: iommufd=i0: there is no such object");
	assert_refused(other, "start the machine with -object iommufd,id=i0");
}
END_TEST

START_TEST(test_two_objects_are_refused)
{
	const char *const words[] = { MACHINE,	 "-object",	  "iommufd,id=i0",
				      "-object", "iommufd,id=i1", NULL };

	assert_refused(words, "-object: iommufd: i1 would be a second one");
}
END_TEST

START_TEST(test_an_object_does_not_go_with_type1)
{
	const char *const words[] = {
		MACHINE, "-object", "iommufd,id=i0", "-machine", "x-hotbay-iommu=type1", NULL
	};

	assert_refused(words, "-object: i0: iommufd does not go with x-hotbay-iommu=type1");
}
END_TEST

START_TEST(test_what_only_drives_use_is_refused_where_none_can_come)
{
	const char *const object[] = { "hotbay", "-kernel", "k", "-object", "iommufd,id=i0", NULL };
	const char *const peers[] = {
		"hotbay", "-kernel", "k", "-machine", "x-hotbay-peer-to-peer=on", NULL
	};
	const char *const off[] = { "hotbay",
				    "-kernel",
				    "k",
				    "-device",
				    "pcie-root-port,id=bay0",
				    "-machine",
				    "x-hotbay-peer-to-peer=on,passthrough-hotplug=off",
				    NULL };

	assert_refused(object, "-object: i0: nothing uses it");
	assert_refused(peers, "-machine: x-hotbay-peer-to-peer=on: nothing uses it");
	assert_refused(off, "-machine: x-hotbay-peer-to-peer=on: nothing uses it");
}
END_TEST

START_TEST(test_a_slot_is_enough_for_what_drives_use)
{
	const char *const words[] = { "hotbay",
				      "-kernel",
				      "k",
				      "-device",
				      "pcie-root-port,id=bay0",
				      "-machine",
				      "x-hotbay-peer-to-peer=on",
				      NULL };
	g_autoptr(GError) error = NULL;
	g_autoptr(HbOptions) options = parse(words, &error);

	ck_assert_msg(options != NULL, "%s", error ? error->message : "");
	ck_assert(options->iommu_options.peer_to_peer);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("vmm/iommu-options");
	TCase *tests = tcase_create("flags");

	tcase_add_test(tests, test_without_a_flag_it_is_found_out);
	tcase_add_test(tests, test_the_machine_can_say_it);
	tcase_add_test(tests, test_an_object_that_a_drive_names_makes_it_iommufd);
	tcase_add_test(tests, test_an_object_can_be_a_descriptor);
	tcase_add_test(tests, test_a_drive_cannot_name_an_object_that_is_not_there);
	tcase_add_test(tests, test_two_objects_are_refused);
	tcase_add_test(tests, test_an_object_does_not_go_with_type1);
	tcase_add_test(tests, test_what_only_drives_use_is_refused_where_none_can_come);
	tcase_add_test(tests, test_a_slot_is_enough_for_what_drives_use);
	suite_add_tcase(suite, tests);
	return suite;
}
