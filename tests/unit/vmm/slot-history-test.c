/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* What is kept of a slot's past, and what is not. */

#include "tests/unit/suite.h"
#include "vmm/slot-history.h"

static HbSlotHistory *history;

static void set_up(void)
{
	history = hb_slot_history_create();
}

static void tear_down(void)
{
	hb_slot_history_destroy(history);
}

static void happen(HbEventType type, gint64 time_us, const char *device)
{
	const HbEvent told = { .type = type, .time_us = time_us };

	hb_slot_history_add(history, &told, device);
}

START_TEST(entries_come_in_the_order_in_which_things_happened)
{
	happen(HB_EVENT_PLUGGED, 1, "d0");
	happen(HB_EVENT_SEVERED, 2, "d0");

	ck_assert_uint_eq(hb_slot_history_get_n(history), 2);
	ck_assert_int_eq(hb_slot_history_get(history, 0)->told.type, HB_EVENT_PLUGGED);
	ck_assert_int_eq(hb_slot_history_get(history, 1)->told.type, HB_EVENT_SEVERED);
	ck_assert_str_eq(hb_slot_history_get(history, 1)->device, "d0");
}
END_TEST

START_TEST(the_oldest_are_forgotten)
{
	for (gint64 i = 0; i < HB_SLOT_HISTORY_LENGTH + 5; i++)
		happen(HB_EVENT_PLUGGED, i, NULL);

	ck_assert_uint_eq(hb_slot_history_get_n(history), HB_SLOT_HISTORY_LENGTH);
	for (guint i = 0; i < HB_SLOT_HISTORY_LENGTH; i++)
		ck_assert_int_eq(hb_slot_history_get(history, i)->told.time_us, i + 5);
}
END_TEST

START_TEST(a_guest_cannot_blink_the_rest_away)
{
	happen(HB_EVENT_PLUGGED, 1, "d0");
	for (gint64 i = 2; i < 100; i++)
		happen(HB_EVENT_INDICATORS, i, "d0");
	happen(HB_EVENT_SEVERED, 100, "d0");

	ck_assert_uint_eq(hb_slot_history_get_n(history), 3);
	ck_assert_int_eq(hb_slot_history_get(history, 0)->told.type, HB_EVENT_PLUGGED);
	ck_assert_int_eq(hb_slot_history_get(history, 1)->told.time_us, 99);
}
END_TEST

START_TEST(a_history_keeps_no_functions)
{
	HbPciFunction function = { 0 };
	const HbEvent told = { .type = HB_EVENT_RELEASED, .function = &function };

	hb_slot_history_add(history, &told, NULL);

	ck_assert_ptr_null(hb_slot_history_get(history, 0)->told.function);
	ck_assert_ptr_null(hb_slot_history_get(history, 0)->device);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot-history");
	TCase *keep = tcase_create("keep");

	tcase_add_checked_fixture(keep, set_up, tear_down);
	tcase_add_test(keep, entries_come_in_the_order_in_which_things_happened);
	tcase_add_test(keep, the_oldest_are_forgotten);
	tcase_add_test(keep, a_guest_cannot_blink_the_rest_away);
	tcase_add_test(keep, a_history_keeps_no_functions);
	suite_add_tcase(suite, keep);
	return suite;
}
