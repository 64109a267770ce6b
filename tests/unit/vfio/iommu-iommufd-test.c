/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The address space of a VM in iommufd. /dev and /sys are a tree in a folder of the test's, and the
 * kernel is a function in the place of ioctl(), which notes each call with its numbers in
 * hexadecimal, and can refuse one.
 */

#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/iommu.h"

#include <hotbay/error.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIRST  "0000:01:00.0"
#define SECOND "0000:02:00.0"
#define ABSENT "0000:03:00.0"

enum { IOAS = 7, MIB = 1 << 20 };

static GString *calls;
static unsigned long refused; /* this request, with @refusal */
static int refusal;
static char *root;
static FakeHost *host;
static HbIommu *iommu;

int __wrap_ioctl(int fd, unsigned long request, ...);

static void note_map(const struct iommu_ioas_map *map)
{
	ck_assert_uint_eq(map->size, sizeof(*map));
	ck_assert_uint_eq(map->ioas_id, IOAS);
	ck_assert_uint_eq(map->flags, IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
					      IOMMU_IOAS_MAP_WRITEABLE);
	g_string_append_printf(calls, "map %llx %llx from %llx, ", (unsigned long long)map->iova,
			       (unsigned long long)map->length, (unsigned long long)map->user_va);
}

static void assert_is_control(int fd)
{
	g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", fd);
	g_autofree char *path = g_file_read_link(link, NULL);

	ck_assert_msg(path && g_str_has_suffix(path, "/dev/iommu"), "%s", path);
}

static void note(unsigned long request, gpointer argument)
{
	const struct vfio_device_attach_iommufd_pt *attach = argument;
	const struct iommu_ioas_unmap *unmap = argument;
	const struct vfio_device_bind_iommufd *bind = argument;
	const struct iommu_destroy *destroy = argument;
	struct iommu_ioas_alloc *alloc = argument;

	if (request == IOMMU_IOAS_ALLOC) {
		ck_assert_uint_eq(alloc->size, sizeof(*alloc));
		alloc->out_ioas_id = IOAS;
		g_string_append(calls, "alloc, ");
	} else if (request == IOMMU_IOAS_MAP) {
		note_map(argument);
	} else if (request == IOMMU_IOAS_UNMAP) {
		ck_assert_uint_eq(unmap->size, sizeof(*unmap));
		ck_assert_uint_eq(unmap->ioas_id, IOAS);
		ck_assert(unmap->iova == 0 && unmap->length == G_MAXUINT64);
		g_string_append(calls, "unmap, ");
	} else if (request == VFIO_DEVICE_BIND_IOMMUFD) {
		ck_assert_uint_eq(bind->argsz, sizeof(*bind));
		assert_is_control(bind->iommufd);
		g_string_append(calls, "bind, ");
	} else if (request == VFIO_DEVICE_ATTACH_IOMMUFD_PT) {
		ck_assert_uint_eq(attach->argsz, sizeof(*attach));
		ck_assert_uint_eq(attach->pt_id, IOAS);
		g_string_append(calls, "attach, ");
	} else {
		ck_assert_uint_eq(request, IOMMU_DESTROY);
		ck_assert_uint_eq(destroy->size, sizeof(*destroy));
		ck_assert_uint_eq(destroy->id, IOAS);
		g_string_append(calls, "destroy, ");
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	gpointer argument = va_arg(arguments, gpointer);
	va_end(arguments);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	note(request, argument);
	if (request != refused)
		return 0;
	errno = refusal;
	return -1;
}

static char *path_of(const char *name)
{
	return g_build_filename(root, name, NULL);
}

static void make_file(const char *name)
{
	g_autofree char *path = path_of(name);
	g_autofree char *folder = g_path_get_dirname(path);

	ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
	ck_assert(g_file_set_contents(path, "", 0, NULL));
}

static void make_drive(const char *address, const char *device)
{
	g_autofree char *node = g_strdup_printf("dev/vfio/devices/%s", device);
	g_autofree char *shown =
		g_strdup_printf("sys/bus/pci/devices/%s/vfio-dev/%s/dev", address, device);
	make_file(node);
	make_file(shown);
}

static void declare_ram(guint64 gpa, guint64 size, guint64 hva)
{
	HbRam ram = { .gpa = gpa, .size = size, .hva = (gpointer)(guintptr)hva };

	ck_assert(hb_host_add_ram(host->host, &ram, NULL));
}

static void setup(void)
{
	calls = g_string_new(NULL);
	refused = 0;
	root = g_dir_make_tmp("iommufd-XXXXXX", NULL);
	make_file("dev/iommu");
	make_drive(FIRST, "vfio0");
	make_drive(SECOND, "vfio1");
	host = fake_host_create();
	declare_ram(0, 2 * MIB, 0x10000000);
	declare_ram(0x100000000, MIB, 0x20000000);
	iommu = hb_iommu_iommufd_create(host->host, root, -1, NULL);
	ck_assert_ptr_nonnull(iommu);
}

static void remove_tree(const char *path)
{
	g_autoptr(GDir) names = g_dir_open(path, 0, NULL);
	const char *name;

	while (names && (name = g_dir_read_name(names))) {
		g_autofree char *inner = g_build_filename(path, name, NULL);
		remove_tree(inner);
	}
	g_remove(path);
}

static void teardown(void)
{
	if (iommu)
		iommu->ops->destroy(iommu);
	fake_host_destroy(host);
	remove_tree(root);
	g_free(root);
	g_string_free(calls, TRUE);
}

static void assert_calls(const char *expected)
{
	ck_assert_str_eq(calls->str, expected);
	g_string_truncate(calls, 0);
}

static HbIommuAttachment *attach(const char *address, int *fd)
{
	HbIommuAttachment *attachment = iommu->ops->attach(iommu, 1, address, NULL);

	ck_assert_ptr_nonnull(attachment);
	*fd = iommu->ops->open(iommu, attachment, address, NULL);
	ck_assert_int_ge(*fd, 0);
	return attachment;
}

static void give_back(HbIommuAttachment *attachment, int fd)
{
	iommu->ops->leave(iommu, attachment);
	close(fd);
	iommu->ops->detach(iommu, attachment);
}

/* As HbVfio does it. */
static void try_attach(const char *address, GError **error)
{
	HbIommuAttachment *attachment = iommu->ops->attach(iommu, 1, address, error);

	if (!attachment)
		return;
	ck_assert_int_eq(iommu->ops->open(iommu, attachment, address, error), -1);
	iommu->ops->detach(iommu, attachment);
}

/* An attach, or the open after it, that must fail: with that code, and a message that has all these
 * words in it. */
static void assert_refused(const char *address, HbError code, const char *first, const char *second)
{
	g_autoptr(GError) error = NULL;
	int next = dup(0);

	close(next);
	try_attach(address, &error);
	ck_assert(g_error_matches(error, HB_ERROR, (int)code));
	ck_assert_msg(strstr(error->message, first) && strstr(error->message, second), "%s",
		      error->message);
	int after = dup(0);
	ck_assert_msg(after == next, "something was left open");
	close(after);
}

#define MAPS "map 0 200000 from 10000000, map 100000000 100000 from 20000000, "

START_TEST(the_first_drive_maps_guest_memory_and_the_next_does_not)
{
	int first_fd, second_fd;

	assert_calls("alloc, ");
	HbIommuAttachment *first = attach(FIRST, &first_fd);
	assert_calls(MAPS "bind, attach, ");
	HbIommuAttachment *second = attach(SECOND, &second_fd);
	assert_calls("bind, attach, ");
	give_back(second, second_fd);
	assert_calls("");
	give_back(first, first_fd);
	assert_calls("unmap, ");
}
END_TEST

/* HbVfio's mutex is held for an attach: what takes long is not in it. */
START_TEST(a_drive_is_reset_when_it_is_opened_and_not_when_it_is_attached)
{
	g_string_truncate(calls, 0);
	HbIommuAttachment *first = iommu->ops->attach(iommu, 1, FIRST, NULL);
	assert_calls(MAPS);
	HbIommuAttachment *second = iommu->ops->attach(iommu, 2, SECOND, NULL);
	assert_calls("");
	int fd = iommu->ops->open(iommu, second, SECOND, NULL);
	assert_calls("bind, attach, ");
	iommu->ops->detach(iommu, first);
	assert_calls("");
	give_back(second, fd);
	assert_calls("unmap, ");
}
END_TEST

START_TEST(memory_is_unmapped_once_when_two_leave_before_either_is_detached)
{
	int first_fd, second_fd;
	HbIommuAttachment *first = attach(FIRST, &first_fd);
	HbIommuAttachment *second = attach(SECOND, &second_fd);

	g_string_truncate(calls, 0);
	iommu->ops->leave(iommu, first);
	iommu->ops->leave(iommu, second);
	assert_calls("unmap, ");
	close(first_fd);
	close(second_fd);
	iommu->ops->detach(iommu, second);
	iommu->ops->detach(iommu, first);
	assert_calls("");
}
END_TEST

START_TEST(a_drive_that_comes_while_the_last_one_closes_maps_memory_again)
{
	int first_fd, second_fd;
	HbIommuAttachment *first = attach(FIRST, &first_fd);

	iommu->ops->leave(iommu, first);
	g_string_truncate(calls, 0);
	HbIommuAttachment *second = attach(SECOND, &second_fd);
	assert_calls(MAPS "bind, attach, ");
	close(first_fd);
	iommu->ops->detach(iommu, first);
	assert_calls("");
	give_back(second, second_fd);
	assert_calls("unmap, ");
}
END_TEST

START_TEST(a_detach_without_a_leave_unmaps_too)
{
	int fd;
	HbIommuAttachment *attachment = attach(FIRST, &fd);

	g_string_truncate(calls, 0);
	close(fd);
	iommu->ops->detach(iommu, attachment);
	assert_calls("unmap, ");
}
END_TEST

START_TEST(memory_that_could_not_be_unmapped_is_not_mapped_twice)
{
	int fd;
	HbIommuAttachment *attachment = attach(FIRST, &fd);

	refused = IOMMU_IOAS_UNMAP;
	refusal = EBUSY;
	give_back(attachment, fd);
	g_string_truncate(calls, 0);
	HbIommuAttachment *again = attach(FIRST, &fd);
	assert_calls("bind, attach, ");
	refused = 0;
	give_back(again, fd);
}
END_TEST

START_TEST(a_drive_of_another_vm_is_busy)
{
	refused = VFIO_DEVICE_BIND_IOMMUFD;
	refusal = EINVAL;
	assert_refused(FIRST, HB_ERROR_BUSY, FIRST, "another VM has the drive");
	refusal = EBUSY;
	assert_refused(FIRST, HB_ERROR_BUSY, FIRST, "remove it there first");
}
END_TEST

START_TEST(a_drive_that_may_not_be_bound_is_refused_with_both_causes)
{
	refused = VFIO_DEVICE_BIND_IOMMUFD;
	refusal = EPERM;
	assert_refused(FIRST, HB_ERROR_HOST, "another VM has a function of its IOMMU group",
		       "does not remap interrupts");
	assert_refused(FIRST, HB_ERROR_HOST, FIRST, "allow_unsafe_interrupts");
}
END_TEST

START_TEST(a_refused_attach_leaves_nothing_mapped)
{
	refused = VFIO_DEVICE_ATTACH_IOMMUFD_PT;
	refusal = EINVAL;
	g_string_truncate(calls, 0);
	assert_refused(FIRST, HB_ERROR_HOST, FIRST, "reserved_regions");
	assert_calls(MAPS "bind, attach, unmap, ");
}
END_TEST

/* Memory is pinned with the first function, so there is where the limit shows. */
START_TEST(memory_that_cannot_be_pinned_leaves_nothing_mapped_and_names_the_limit)
{
	refused = VFIO_DEVICE_ATTACH_IOMMUFD_PT;
	refusal = ENOMEM;
	g_string_truncate(calls, 0);
	assert_refused(FIRST, HB_ERROR_HOST, FIRST, "ulimit -l");
	assert_calls(MAPS "bind, attach, unmap, ");
}
END_TEST

START_TEST(memory_that_cannot_be_mapped_leaves_nothing_mapped_and_names_the_limit)
{
	refused = IOMMU_IOAS_MAP;
	refusal = ENOMEM;
	g_string_truncate(calls, 0);
	assert_refused(FIRST, HB_ERROR_HOST, "IOMMU_IOAS_MAP of 2 MiB", "ulimit -l");
	assert_calls("map 0 200000 from 10000000, unmap, ");
}
END_TEST

START_TEST(a_drive_without_a_character_device_is_refused_with_the_remedy)
{
	assert_refused(ABSENT, HB_ERROR_UNSUPPORTED, ABSENT, "CONFIG_VFIO_DEVICE_CDEV");
	ck_assert(!hb_iommu_iommufd_is_usable(root, ABSENT));
	ck_assert(hb_iommu_iommufd_is_usable(root, FIRST));
}
END_TEST

START_TEST(a_host_without_iommufd_is_refused_with_the_remedy)
{
	g_autofree char *control = path_of("dev/iommu");
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(unlink(control), 0);
	ck_assert_ptr_null(hb_iommu_iommufd_create(host->host, root, -1, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(error->message, "CONFIG_IOMMUFD"));
	ck_assert(!hb_iommu_iommufd_is_usable(root, FIRST));
}
END_TEST

START_TEST(a_descriptor_that_was_given_is_used_and_closed)
{
	int fd = memfd_create("iommufd", MFD_CLOEXEC);
	g_autofree char *control = path_of("dev/iommu");

	ck_assert_int_eq(unlink(control), 0);
	HbIommu *given = hb_iommu_iommufd_create(host->host, root, fd, NULL);
	ck_assert_ptr_nonnull(given);
	assert_calls("alloc, alloc, ");
	given->ops->destroy(given);
	assert_calls("destroy, ");
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
}
END_TEST

START_TEST(a_descriptor_that_is_no_iommufd_is_refused_and_closed)
{
	int fd = memfd_create("other", MFD_CLOEXEC);
	g_autoptr(GError) error = NULL;

	refused = IOMMU_IOAS_ALLOC;
	refusal = ENOTTY;
	ck_assert_ptr_null(hb_iommu_iommufd_create(host->host, root, fd, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_ptr_nonnull(strstr(error->message, "is no iommufd"));
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("vfio/iommu-iommufd");
	TCase *tests = tcase_create("iommufd");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, the_first_drive_maps_guest_memory_and_the_next_does_not);
	tcase_add_test(tests, a_drive_is_reset_when_it_is_opened_and_not_when_it_is_attached);
	tcase_add_test(tests, memory_is_unmapped_once_when_two_leave_before_either_is_detached);
	tcase_add_test(tests, a_drive_that_comes_while_the_last_one_closes_maps_memory_again);
	tcase_add_test(tests, a_detach_without_a_leave_unmaps_too);
	tcase_add_test(tests, memory_that_could_not_be_unmapped_is_not_mapped_twice);
	tcase_add_test(tests, a_drive_of_another_vm_is_busy);
	tcase_add_test(tests, a_drive_that_may_not_be_bound_is_refused_with_both_causes);
	tcase_add_test(tests, a_refused_attach_leaves_nothing_mapped);
	tcase_add_test(tests,
		       memory_that_cannot_be_pinned_leaves_nothing_mapped_and_names_the_limit);
	tcase_add_test(tests,
		       memory_that_cannot_be_mapped_leaves_nothing_mapped_and_names_the_limit);
	tcase_add_test(tests, a_drive_without_a_character_device_is_refused_with_the_remedy);
	tcase_add_test(tests, a_host_without_iommufd_is_refused_with_the_remedy);
	tcase_add_test(tests, a_descriptor_that_was_given_is_used_and_closed);
	tcase_add_test(tests, a_descriptor_that_is_no_iommufd_is_refused_and_closed);
	suite_add_tcase(suite, tests);
	return suite;
}
