/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Windows of drives in the address space of the others, over a backend that notes its calls. */

#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/peers.h"

#include <hotbay/error.h>

#include <string.h>

static GString *calls;
static guint64 refused; /* this address */
static FakeHost *host;
static HbVfioPeers *peers;

static gboolean map_window(HbIommu *iommu, guint64 iova, guint64 size, gpointer hva, GError **error)
{
	g_string_append_printf(calls, "map %x %x from %x, ", (guint)iova, (guint)size,
			       GPOINTER_TO_UINT(hva));
	if (iova != refused)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST, "no such memory");
	return FALSE;
}

static void unmap_window(HbIommu *iommu, guint64 iova, guint64 size)
{
	g_string_append_printf(calls, "unmap %x %x, ", (guint)iova, (guint)size);
}

static const HbIommuOps ops = { .map_window = map_window, .unmap_window = unmap_window };
static HbIommu iommu = { .ops = &ops };

static void setup(void)
{
	calls = g_string_new(NULL);
	refused = G_MAXUINT64;
	host = fake_host_create();
	peers = hb_vfio_peers_create(host->host);
}

static void teardown(void)
{
	hb_vfio_peers_destroy(peers);
	fake_host_destroy(host);
	g_string_free(calls, TRUE);
}

static void set(guint gpa, guint hva, gboolean here)
{
	hb_vfio_peers_set(peers, gpa, 0x1000, GUINT_TO_POINTER(hva), here);
}

/* As the worker does it. */
static void assert_sync(const char *expected)
{
	while (hb_vfio_peers_map_next(peers, &iommu))
		;
	ck_assert_str_eq(calls->str, expected);
	g_string_truncate(calls, 0);
}

START_TEST(nothing_is_mapped_before_a_sync_and_once_in_it)
{
	set(0x10000, 0xa000, TRUE);
	ck_assert_str_eq(calls->str, "");
	assert_sync("map 10000 1000 from a000, ");
	assert_sync("");
	set(0x10000, 0xa000, FALSE);
	assert_sync("unmap 10000 1000, ");
}
END_TEST

START_TEST(what_came_and_went_between_two_syncs_is_not_mapped)
{
	set(0x10000, 0xa000, TRUE);
	set(0x10000, 0xa000, FALSE);
	assert_sync("");
}
END_TEST

START_TEST(what_went_and_came_back_stays)
{
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	set(0x10000, 0xa000, FALSE);
	set(0x10000, 0xa000, TRUE);
	assert_sync("");
	set(0x10000, 0xa000, FALSE);
	assert_sync("unmap 10000 1000, ");
}
END_TEST

START_TEST(two_that_swap_addresses_both_leave_first)
{
	set(0x10000, 0xa000, TRUE);
	set(0x20000, 0xb000, TRUE);
	assert_sync("map 10000 1000 from a000, map 20000 1000 from b000, ");
	set(0x10000, 0xa000, FALSE);
	set(0x20000, 0xb000, FALSE);
	set(0x20000, 0xa000, TRUE);
	set(0x10000, 0xb000, TRUE);
	assert_sync("unmap 20000 1000, unmap 10000 1000, "
		    "map 20000 1000 from a000, map 10000 1000 from b000, ");
	set(0x20000, 0xa000, FALSE);
	set(0x10000, 0xb000, FALSE);
	assert_sync("unmap 10000 1000, unmap 20000 1000, ");
}
END_TEST

/* The address is taken by another drive's BAR after the first one was pulled. */
START_TEST(other_memory_at_the_same_address_is_another_window)
{
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	set(0x10000, 0xa000, FALSE);
	set(0x10000, 0xb000, TRUE);
	assert_sync("unmap 10000 1000, map 10000 1000 from b000, ");
	set(0x10000, 0xb000, FALSE);
	assert_sync("unmap 10000 1000, ");
}
END_TEST

START_TEST(what_the_host_refuses_is_said_once_and_never_unmapped)
{
	refused = 0x10000;
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	assert_sync("");
	ck_assert_ptr_nonnull(strstr(host->log->str, "BAR by DMA: no such memory"));
	set(0x10000, 0xa000, FALSE);
	assert_sync("");
}
END_TEST

START_TEST(a_guest_that_has_it_refused_again_and_again_gets_one_line_of_log)
{
	refused = 0x10000;
	for (guint i = 0; i < 3; i++) {
		set(0x10000, 0xa000, TRUE);
		assert_sync("map 10000 1000 from a000, ");
		set(0x10000, 0xa000, FALSE);
		assert_sync("");
	}
	const char *end = strchr(host->log->str, '\n');
	ck_assert_msg(end && end[1] == '\0', "%s", host->log->str);
}
END_TEST

START_TEST(what_was_refused_and_went_and_came_back_before_a_sync_is_tried_again)
{
	refused = 0x10000;
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	refused = G_MAXUINT64;
	set(0x10000, 0xa000, FALSE);
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	set(0x10000, 0xa000, FALSE);
	assert_sync("unmap 10000 1000, ");
}
END_TEST

/* What a drive waits for that is closed. */
START_TEST(an_unmap_maps_nothing)
{
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	set(0x10000, 0xa000, FALSE);
	set(0x20000, 0xb000, TRUE);
	hb_vfio_peers_unmap(peers, &iommu);
	ck_assert_str_eq(calls->str, "unmap 10000 1000, ");
	set(0x20000, 0xb000, FALSE);
	g_string_truncate(calls, 0);
	assert_sync("");
}
END_TEST

START_TEST(one_step_maps_one_window)
{
	set(0x10000, 0xa000, TRUE);
	set(0x20000, 0xb000, TRUE);
	ck_assert(hb_vfio_peers_map_next(peers, &iommu));
	ck_assert_str_eq(calls->str, "map 10000 1000 from a000, ");
	set(0x10000, 0xa000, FALSE);
	ck_assert(hb_vfio_peers_map_next(peers, &iommu));
	ck_assert_str_eq(calls->str, "map 10000 1000 from a000, unmap 10000 1000, "
				     "map 20000 1000 from b000, ");
	set(0x20000, 0xb000, FALSE);
	g_string_truncate(calls, 0);
	assert_sync("unmap 20000 1000, ");
}
END_TEST

START_TEST(what_was_refused_and_has_moved_is_tried_again)
{
	refused = 0x10000;
	set(0x10000, 0xa000, TRUE);
	assert_sync("map 10000 1000 from a000, ");
	set(0x10000, 0xa000, FALSE);
	set(0x20000, 0xa000, TRUE);
	assert_sync("map 20000 1000 from a000, ");
	set(0x20000, 0xa000, FALSE);
	assert_sync("unmap 20000 1000, ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("vfio/peers");
	TCase *tests = tcase_create("windows");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, nothing_is_mapped_before_a_sync_and_once_in_it);
	tcase_add_test(tests, what_came_and_went_between_two_syncs_is_not_mapped);
	tcase_add_test(tests, what_went_and_came_back_stays);
	tcase_add_test(tests, two_that_swap_addresses_both_leave_first);
	tcase_add_test(tests, other_memory_at_the_same_address_is_another_window);
	tcase_add_test(tests, what_the_host_refuses_is_said_once_and_never_unmapped);
	tcase_add_test(tests, a_guest_that_has_it_refused_again_and_again_gets_one_line_of_log);
	tcase_add_test(tests, what_was_refused_and_has_moved_is_tried_again);
	tcase_add_test(tests, what_was_refused_and_went_and_came_back_before_a_sync_is_tried_again);
	tcase_add_test(tests, an_unmap_maps_nothing);
	tcase_add_test(tests, one_step_maps_one_window);
	suite_add_tcase(suite, tests);
	return suite;
}
