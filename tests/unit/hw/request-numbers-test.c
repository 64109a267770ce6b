/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Requests with a number, and the events that answer them: of each number exactly one is the last.
 */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#define LONG_MS 5000

static HbPciFunction *const drive_a = &scene_drive_a.function;
static HbPciFunction *const drive_b = &scene_drive_b.function;

static void boot(void)
{
	scene_create_default();
	scene_boot_with_drive();
}

static void plug(HbPciFunction *drive, guint64 request)
{
	ck_assert(hb_port_plug(scene_port, drive, request, NULL));
}

static void request_removal(HbPciFunction *drive, guint timeout_ms, guint64 request)
{
	const HbRemoval removal = { .timeout_ms = timeout_ms };

	ck_assert(hb_port_request_removal_of(scene_port, drive, &removal, request, NULL));
	scene_clear_events();
}

static void assert_told(const char *expected)
{
	scene_forget_transcript();
	scene_run_loop();
	scene_assert_transcript(expected);
}

static void assert_released(Drive *drive, const char *expected)
{
	scene_finish_release(drive);
	scene_run_loop();
	scene_assert_transcript(expected);
}

START_TEST(test_plug_ends_when_the_drive_is_in_the_slot)
{
	scene_create_default();
	scene_boot();

	plug(drive_a, 7);

	assert_told("PLUGGED A #7.\n");
}
END_TEST

START_TEST(test_plug_before_the_guest_runs_ends_likewise)
{
	scene_create_default();

	plug(drive_a, 7);

	assert_told("PLUGGED A #7.\n");
}
END_TEST

START_TEST(test_removal_ends_when_the_drive_is_released)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	scene_set_indicator(BLINK);
	scene_set_indicator(OFF);

	assert_told("SEVERED(REQUEST) A #2\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(REQUEST) A #2.\n");
}
END_TEST

START_TEST(test_removal_that_is_refused_ends_there)
{
	boot();
	request_removal(drive_a, 20, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	g_usleep(60000);

	assert_told("REMOVAL_REFUSED(TIMED_OUT) A #2.\n");
	hb_port_pull(scene_port, drive_a);
	assert_told("SEVERED(PULL) A\nrelease A\n"); /* nobody's any more */
}
END_TEST

START_TEST(test_drive_that_is_pulled_from_the_host_ends_its_removal)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	hb_port_pull(scene_port, drive_a);

	assert_told("SEVERED(PULL) A #2\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(PULL) A #2.\n");
}
END_TEST

START_TEST(test_pull_with_a_number_overtakes_the_removal)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	ck_assert(hb_port_pull_because(scene_port, drive_a, HB_SLOT_REASON_COMMAND, 3));

	assert_told("OVERTAKEN(COMMAND) A #2.\nSEVERED(COMMAND) A #3\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(COMMAND) A #3.\n");
}
END_TEST

START_TEST(test_plug_in_line_is_refused_with_its_number)
{
	boot();
	request_removal(drive_a, 20, 2);
	plug(drive_b, 5);
	assert_told("REMOVAL_REQUESTED A #2\nPLUG_WAITING B #5\n");

	g_usleep(60000);

	assert_told("sever B\nREMOVAL_REFUSED(TIMED_OUT) A #2.\nPLUG_REFUSED(OCCUPIED) B #5\n"
		    "release B\n");
	assert_released(&scene_drive_b, "RELEASED(OCCUPIED) B #5.\n");
}
END_TEST

START_TEST(test_plug_in_line_that_gets_in_keeps_its_number)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	plug(drive_b, 5);
	assert_told("REMOVAL_REQUESTED A #2\nPLUG_WAITING B #5\n");

	scene_set_indicator(BLINK);
	scene_set_indicator(OFF);

	assert_told("SEVERED(REQUEST) A #2\nPLUGGED B #5.\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(REQUEST) A #2.\n");
}
END_TEST

START_TEST(test_drive_that_leaves_the_line_ends_its_plug)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	plug(drive_b, 5);
	assert_told("REMOVAL_REQUESTED A #2\nPLUG_WAITING B #5\n");

	hb_port_pull(scene_port, drive_b);

	assert_told("SEVERED(PULL) B #5\nrelease B\n");
	assert_released(&scene_drive_b, "RELEASED(PULL) B #5.\n");
}
END_TEST

START_TEST(test_removal_of_the_one_in_line_overtakes_its_plug)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	plug(drive_b, 5);
	assert_told("REMOVAL_REQUESTED A #2\nPLUG_WAITING B #5\n");

	request_removal(drive_b, LONG_MS, 6);

	assert_told("OVERTAKEN(REQUEST) B #5.\nSEVERED(REQUEST) B #6\nrelease B\n");
	assert_released(&scene_drive_b, "RELEASED(REQUEST) B #6.\n");
}
END_TEST

START_TEST(test_host_that_hastens_a_removal_leaves_it_its_number)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	ck_assert(hb_port_give_back(scene_port, drive_a, 0));
	scene_set_indicator(BLINK);
	scene_set_indicator(OFF);

	assert_told("SEVERED(REQUEST) A #2\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(REQUEST) A #2.\n");
}
END_TEST

START_TEST(test_give_back_with_a_number_overtakes_the_removal_once)
{
	boot();
	request_removal(drive_a, 2 * LONG_MS * 10, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	ck_assert(hb_port_give_back(scene_port, drive_a, 9));
	ck_assert(!hb_port_give_back(scene_port, drive_a, 10));
	scene_set_indicator(BLINK);
	scene_set_indicator(ON);

	assert_told("OVERTAKEN(REQUEST) A #2.\nSEVERED(ESCALATED) A #9\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(ESCALATED) A #9.\n");
}
END_TEST

START_TEST(test_request_that_is_refused_at_once_has_no_event)
{
	boot();

	ck_assert(!hb_port_plug(scene_port, drive_b, 1, NULL));
	ck_assert(!hb_port_request_removal_of(scene_port, drive_b, NULL, 2, NULL));
	ck_assert(!hb_port_give_back(scene_port, drive_b, 3));
	ck_assert(!hb_port_pull_because(scene_port, drive_b, HB_SLOT_REASON_COMMAND, 4));

	assert_told("");
}
END_TEST

START_TEST(test_drive_that_fails_is_contained_and_then_severed)
{
	boot();

	hb_port_fail(scene_port, drive_a, HB_PORT_FAILURE_SILENT);
	hb_port_fail(scene_port, drive_a, HB_PORT_FAILURE_INTERNAL); /* it has left already */

	assert_told("ERROR_CONTAINED(ERROR)(SILENT) A\nSEVERED(ERROR) A\nrelease A\n");
}
END_TEST

START_TEST(test_failure_in_a_removal_has_its_number_and_ends_it)
{
	boot();
	request_removal(drive_a, LONG_MS, 2);
	assert_told("REMOVAL_REQUESTED A #2\n");

	hb_port_fail(scene_port, drive_a, HB_PORT_FAILURE_INTERNAL);

	assert_told("ERROR_CONTAINED(ERROR)(INTERNAL) A #2\nSEVERED(ERROR) A #2\nrelease A\n");
	assert_released(&scene_drive_a, "RELEASED(ERROR) A #2.\n");
}
END_TEST

/* -- Anything, in any order. -- */

#define N_DRIVES 4
#define N_STEPS	 400

/* ACPI r6.5 §6.3.5, _OST: why the guest refuses, and what */
#define EJECT_REQUEST 0x03
#define BUSY	      0x82

static HbAcpiHotplug *hotplug; /* (nullable): the slot's controller in ACPI mode */
static HbPciFunctionOps drive_ops;
static gboolean running; /* before that the guest has no say */
static Drive drives[N_DRIVES];
static guint32 random_state;
static guint64 last_request;
static GHashTable *open_requests; /* their numbers: asked, and not ended */
static gint64 last_us;

static guint throw(guint n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 16) % n;
}

/* A number for two requests in three. */
static guint64 next_request(void)
{
	return throw(3) ? ++last_request : 0;
}

static void note(gboolean accepted, guint64 request)
{
	if (accepted && request)
		ck_assert(g_hash_table_add(open_requests, g_memdup2(&request, sizeof(request))));
}

static void check_event(const HbEvent *event, gpointer data)
{
	if (event->type != HB_EVENT_INDICATORS) {
		ck_assert_int_ge(event->time_us, last_us);
		last_us = event->time_us;
	}
	if (!event->request)
		return;
	ck_assert_msg(g_hash_table_contains(open_requests, &event->request),
		      "%s has number %" G_GUINT64_FORMAT ", which is over or was refused",
		      hb_event_type_to_str(event->type), event->request);
	if (event->ends_request)
		g_hash_table_remove(open_requests, &event->request);
}

static void plug_any(HbSlotInfo *info)
{
	Drive *drive = &drives[throw(N_DRIVES)];
	guint64 request = next_request();

	if (drive->done || drive->function.port)
		return;
	gboolean accepted = hb_port_plug(scene_port, &drive->function, request, NULL);
	note(accepted, request);
}

static void remove_any(HbSlotInfo *info)
{
	const HbRemoval removal = { .timeout_ms = throw(3), .then_pull = throw(2) };
	guint64 request = next_request();

	note(hb_port_request_removal_of(scene_port, throw(3) ? info->occupant : info->newcomer,
					&removal, request, NULL),
	     request);
}

static void pull_any(HbSlotInfo *info)
{
	HbPciFunction *function = throw(3) ? info->occupant : info->newcomer;
	guint64 request = next_request();

	note(hb_port_pull_because(scene_port, function, HB_SLOT_REASON_COMMAND, request), request);
}

static void give_back_any(HbSlotInfo *info)
{
	HbPciFunction *function = throw(3) ? info->occupant : info->newcomer;
	guint64 request = next_request();

	note(hb_port_give_back(scene_port, function, request), request);
}

static void fail_any(HbSlotInfo *info)
{
	hb_port_fail(scene_port, throw(3) ? info->occupant : info->newcomer, throw(2));
}

static void move_indicator(void)
{
	static const guint16 values[] = { ON, BLINK, OFF };

	scene_set_indicator(values[throw(G_N_ELEMENTS(values))]);
}

static void call_method(void)
{
	static const struct {
		guint offset;
		guint32 value;
	} calls[] = {
		{ HB_ACPI_HOTPLUG_STAGE, HB_ACPI_HOTPLUG_LOADED },
		{ HB_ACPI_HOTPLUG_STAGE, HB_ACPI_HOTPLUG_READY },
		{ HB_ACPI_HOTPLUG_SLOTS, HB_ACPI_HOTPLUG_EJ0 },
		{ HB_ACPI_HOTPLUG_SLOTS, HB_ACPI_HOTPLUG_OST | BUSY << 8 | EJECT_REQUEST << 16 },
	};
	guint i = throw(G_N_ELEMENTS(calls));

	hb_acpi_hotplug_write(hotplug, calls[i].offset, 4, calls[i].value);
}

static void answer_any(HbSlotInfo *info)
{
	if (!hotplug)
		move_indicator();
	else if (running)
		call_method();
}

static void take_events(HbSlotInfo *info)
{
	if (hotplug)
		hb_acpi_hotplug_read(hotplug, HB_ACPI_HOTPLUG_EVENT, 4);
	else
		scene_clear_events();
}

static void reset(HbSlotInfo *info)
{
	if (throw(4) == 0) {
		hb_host_bridge_reset(scene_bridge);
	} else {
		scene_boot();
		running = TRUE;
	}
}

static void run_loop(HbSlotInfo *info)
{
	if (throw(8) == 0)
		g_usleep(1500);
	scene_run_loop();
}

static void end_releases(HbSlotInfo *info)
{
	for (guint i = 0; i < N_DRIVES; i++) {
		if (!drives[i].done)
			continue;
		drives[i].function.port = NULL; /* here: it can be had again */
		scene_finish_release(&drives[i]);
	}
}

static void (*const steps[])(HbSlotInfo *info) = {
	plug_any, plug_any,    remove_any, remove_any, pull_any,     give_back_any, fail_any,
	reset,	  take_events, run_loop,   run_loop,   end_releases, answer_any,    answer_any,
};

/* Out with all of them, whatever the guest does. */
static void empty_slot(void)
{
	HbSlotInfo info;

	for (guint i = 0; i < 2 * N_DRIVES; i++) {
		hb_port_get_info(scene_port, &info);
		hb_port_pull(scene_port, info.newcomer);
		hb_port_pull(scene_port, info.occupant);
		hb_host_bridge_reset(scene_bridge);
		scene_run_loop();
		end_releases(&info);
		scene_run_loop();
	}
	hb_port_get_info(scene_port, &info);
	ck_assert(!info.occupant && !info.newcomer);
}

/* Whether the guest has taken what it let go into use again. */
static guint32 read_any(HbPciFunction *function, guint offset, guint size)
{
	return offset == PCI_COMMAND && throw(2) ? PCI_COMMAND_MEMORY : 0;
}

static void do_anything(guint32 seed, const HbPortConfig *config)
{
	static const char *const names[N_DRIVES] = { "0", "1", "2", "3" };
	HbSlotInfo info;

	drive_ops = scene_drive_ops;
	drive_ops.config_read = read_any;
	random_state = seed;
	open_requests = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	for (guint i = 0; i < N_DRIVES; i++)
		drives[i] = (Drive){ .function.ops = &drive_ops, .name = names[i] };
	scene_create(config);
	hb_host_set_listener(scene_host->host, check_event, NULL);
	for (guint i = 0; i < N_STEPS; i++) {
		hb_port_get_info(scene_port, &info);
		steps[throw(G_N_ELEMENTS(steps))](&info);
	}
	empty_slot();

	ck_assert_uint_gt(last_request, N_STEPS / 8);
	ck_assert_uint_eq(g_hash_table_size(open_requests), 0);
	scene_forget_transcript();
	g_hash_table_unref(open_requests);
}

START_TEST(test_each_number_ends_once_whatever_happens)
{
	HbPortConfig config = scene_get_config();

	do_anything((guint32)_i, &config);
}
END_TEST

static void ignore_gpe(gpointer data, gboolean level)
{
}

START_TEST(test_each_number_ends_once_in_acpi_mode_too)
{
	HbPortConfig config = scene_get_config();

	hotplug = hb_acpi_hotplug_create(scene_bridge, 1, ignore_gpe, NULL);
	config.acpi = hotplug;
	do_anything((guint32)_i, &config);
	hb_acpi_hotplug_destroy(hotplug);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("request-numbers");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_test(cases, test_plug_ends_when_the_drive_is_in_the_slot);
	tcase_add_test(cases, test_plug_before_the_guest_runs_ends_likewise);
	tcase_add_test(cases, test_removal_ends_when_the_drive_is_released);
	tcase_add_test(cases, test_removal_that_is_refused_ends_there);
	tcase_add_test(cases, test_drive_that_is_pulled_from_the_host_ends_its_removal);
	tcase_add_test(cases, test_pull_with_a_number_overtakes_the_removal);
	tcase_add_test(cases, test_plug_in_line_is_refused_with_its_number);
	tcase_add_test(cases, test_plug_in_line_that_gets_in_keeps_its_number);
	tcase_add_test(cases, test_drive_that_leaves_the_line_ends_its_plug);
	tcase_add_test(cases, test_removal_of_the_one_in_line_overtakes_its_plug);
	tcase_add_test(cases, test_host_that_hastens_a_removal_leaves_it_its_number);
	tcase_add_test(cases, test_give_back_with_a_number_overtakes_the_removal_once);
	tcase_add_test(cases, test_request_that_is_refused_at_once_has_no_event);
	tcase_add_test(cases, test_drive_that_fails_is_contained_and_then_severed);
	tcase_add_test(cases, test_failure_in_a_removal_has_its_number_and_ends_it);
	tcase_add_loop_test(cases, test_each_number_ends_once_whatever_happens, 0, 40);
	tcase_add_loop_test(cases, test_each_number_ends_once_in_acpi_mode_too, 0, 40);
	suite_add_tcase(suite, cases);
	return suite;
}
