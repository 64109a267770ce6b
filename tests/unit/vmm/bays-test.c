/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What is done about drives that come into the host's slots, and when: a bay that reports what a
 * test says, and drives that only write down what is added.
 */

#include "tests/unit/suite.h"
#include "vmm/bays.h"

#include <hotbay/bay.h>

#define OLD   "0000:01:00.0"
#define NEW   "0000:02:00.0"
#define NEWER "0000:03:00.0"

static struct {
	gboolean take;
	HbHostIndicator attention;
} bay;

static HbDeviceOptions *devices;
static HbMachineBays *bays;
static gboolean id_is_taken; /* by the predecessor, on its way out */
static HbMachineDone done;   /* of the addition that is under way; NULL: none is */
static gpointer done_data;
static GString *added; /* "ID in BUS: HOST; " each */
static GString *told;  /* a word an event, with its message */

/* ---- the host ---- */

HbBays *hb_bays_create(HbHost *host, GError **error)
{
	return (HbBays *)&bay;
}

void hb_bays_destroy(HbBays *self)
{
}

HbBay *hb_bays_claim(HbBays *self, const char *slot, GError **error)
{
	return (HbBay *)&bay;
}

const char *hb_bay_get_slot(const HbBay *self)
{
	return "1";
}

const char *hb_bay_get_drive(const HbBay *self)
{
	return NULL;
}

void hb_bay_watch(HbBay *self, gboolean take)
{
	bay.take = take;
}

gboolean hb_bay_take_now(HbBay *self, GError **error)
{
	return FALSE;
}

gboolean hb_bay_has_attention(const HbBay *self)
{
	return TRUE;
}

void hb_bay_set_attention(HbBay *self, HbHostIndicator indicator)
{
	bay.attention = indicator;
}

/* ---- the machine's drives ---- */

void hb_drives_add(HbDrives *drives, HbDriveOptions *options, HbMachineDone on_end, gpointer data)
{
	char host[HB_PCI_ADDRESS_STRLEN];

	ck_assert_msg(!done, "one addition at a time");
	g_string_append_printf(added, "%s in %s: %s; ", options->id, options->bus,
			       hb_pci_address_format(&options->host, host));
	done = on_end;
	done_data = data;
	hb_drive_options_free(options);
}

gboolean hb_drives_is_moving(const HbDrives *drives, const char *id)
{
	ck_assert_str_eq(id, "bay0-drive");
	return id_is_taken || done;
}

gboolean hb_drives_is_occupied(const HbDrives *drives, const char *port)
{
	return FALSE;
}

gboolean hb_drives_cold_plug(HbDrives *drives, const HbDriveOptions *options, GError **error)
{
	return FALSE;
}

void hb_drives_foreach(HbDrives *drives, HbMachineDeviceFunc func, gpointer data)
{
}

/* ---- a test ---- */

static void on_event(const HbMachineEvent *event, gpointer opaque)
{
	static const char *const words[] = {
		[HB_EVENT_HOST_DRIVE_ADDED] = "added",
		[HB_EVENT_HOST_DRIVE_TAKEN] = "taken",
		[HB_EVENT_HOST_DRIVE_REFUSED] = "refused",
		[HB_EVENT_HOST_DRIVE_REMOVED] = "removed",
	};

	ck_assert_int_eq(event->type, HB_MACHINE_EVENT_BAY);
	ck_assert_str_eq(event->bus, "bay0");
	ck_assert_str_eq(event->host_slot, "1");
	g_string_append_printf(told, "%s %s", words[event->told->type], event->host);
	if (event->told->error)
		g_string_append_printf(told, " (%s)", event->told->error->message);
	g_string_append(told, "; ");
}

/* @properties: of the port's bay */
static void create(const char *properties)
{
	g_autofree char *text =
		g_strdup_printf("pcie-root-port,id=bay0,slot=1,host-slot=1,%s", properties);

	added = g_string_new(NULL);
	told = g_string_new(NULL);
	devices = hb_device_options_create();
	ck_assert(hb_device_options_parse(devices, text, NULL));
	bays = hb_machine_bays_create(NULL, devices, NULL, on_event, NULL, NULL);
	ck_assert_ptr_nonnull(bays);
}

static void setup(void)
{
	create("auto-add=on");
}

static void teardown(void)
{
	hb_machine_bays_destroy(bays);
	hb_device_options_destroy(devices);
	g_string_free(told, TRUE);
	g_string_free(added, TRUE);
}

static void report(HbEventType type, const char *address)
{
	const HbEvent said = { .type = type, .bay = (HbBay *)&bay, .address = address };

	hb_machine_bays_hear(bays, &said);
}

static void push(const char *address)
{
	report(HB_EVENT_HOST_DRIVE_ADDED, address);
	report(HB_EVENT_HOST_DRIVE_TAKEN, address);
}

/* The last file of the drive before is closed. */
static void free_id(void)
{
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_DEVICE_DELETED,
				       .device = "bay0-drive" };

	id_is_taken = FALSE;
	hb_machine_bays_follow(bays, &event);
}

static void end_addition(const char *problem)
{
	HbMachineDone on_end = done;
	g_autoptr(GError) error =
		problem ? g_error_new_literal(HB_ERROR, HB_ERROR_GONE, problem) : NULL;

	ck_assert(on_end != NULL);
	done = NULL;
	on_end(error, done_data);
}

START_TEST(a_drive_is_added_when_it_is_taken)
{
	report(HB_EVENT_HOST_DRIVE_ADDED, NEW);
	ck_assert(bay.take);
	ck_assert_str_eq(added->str, "");
	report(HB_EVENT_HOST_DRIVE_TAKEN, NEW);
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " NEW "; ");
	ck_assert_str_eq(told->str, "added " NEW "; taken " NEW "; ");
}
END_TEST

START_TEST(a_drive_waits_until_the_id_of_the_one_before_is_free)
{
	id_is_taken = TRUE;
	push(NEW);
	ck_assert_str_eq(added->str, "");
	free_id();
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " NEW "; ");
}
END_TEST

START_TEST(another_drives_end_does_not_free_the_id)
{
	const HbMachineEvent other = { .type = HB_MACHINE_EVENT_DEVICE_DELETED, .device = "d1" };

	id_is_taken = TRUE;
	push(NEW);
	hb_machine_bays_follow(bays, &other);
	ck_assert_str_eq(added->str, "");
	free_id();
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " NEW "; ");
}
END_TEST

START_TEST(a_drive_that_waited_is_added_once)
{
	id_is_taken = TRUE;
	push(NEW);
	free_id();
	end_addition(NULL);
	free_id();
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " NEW "; ");
}
END_TEST

START_TEST(a_drive_that_left_while_it_waited_is_not_added)
{
	id_is_taken = TRUE;
	push(NEW);
	report(HB_EVENT_HOST_DRIVE_REMOVED, NEW);
	free_id();
	ck_assert_str_eq(added->str, "");
}
END_TEST

START_TEST(of_drives_that_come_while_the_id_is_taken_the_last_is_added)
{
	id_is_taken = TRUE;
	push(NEW);
	report(HB_EVENT_HOST_DRIVE_REMOVED, NEW);
	push(NEWER);
	free_id();
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " NEWER "; ");
}
END_TEST

START_TEST(a_drive_waits_for_the_end_of_an_addition_that_came_to_nothing)
{
	push(OLD);
	report(HB_EVENT_HOST_DRIVE_REMOVED, OLD);
	push(NEW);
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " OLD "; ");
	g_string_truncate(told, 0);
	end_addition("it has left");
	ck_assert_str_eq(told->str, "refused " OLD " (it has left); ");
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " OLD "; bay0-drive in bay0: " NEW "; ");
}
END_TEST

START_TEST(an_addition_that_fails_is_not_tried_again)
{
	push(NEW);
	end_addition("no");
	free_id();
	ck_assert_str_eq(added->str, "bay0-drive in bay0: " NEW "; ");
	ck_assert_str_eq(told->str, "added " NEW "; taken " NEW "; refused " NEW " (no); ");
}
END_TEST

START_TEST(a_drive_for_passthrough_is_not_added)
{
	teardown();
	create("auto-add=passthrough");
	push(NEW);
	ck_assert(bay.take);
	ck_assert_str_eq(told->str, "added " NEW "; taken " NEW "; ");
	ck_assert_str_eq(added->str, "");
}
END_TEST

START_TEST(without_auto_add_a_drive_is_not_taken)
{
	teardown();
	create("auto-add=off");
	report(HB_EVENT_HOST_DRIVE_ADDED, NEW);
	ck_assert(!bay.take);
	ck_assert_str_eq(told->str, "added " NEW "; ");
	ck_assert_str_eq(added->str, "");
}
END_TEST

static void show(HbEventType type, HbIndicator attention, HbIndicator power)
{
	const HbEvent said = { .type = type,
			       .attention_indicator = attention,
			       .power_indicator = power };
	const HbMachineEvent event = { .type = HB_MACHINE_EVENT_SLOT,
				       .bus = "bay0",
				       .told = &said };

	hb_machine_bays_follow(bays, &event);
}

START_TEST(the_host_shows_what_the_guest_shows)
{
	teardown();
	create("host-leds=on");
	bay.attention = HB_HOST_INDICATOR_BLINK;
	show(HB_EVENT_PLUGGED, HB_INDICATOR_OFF, HB_INDICATOR_ON);
	ck_assert_int_eq(bay.attention, HB_HOST_INDICATOR_OFF);
	show(HB_EVENT_INDICATORS, HB_INDICATOR_OFF, HB_INDICATOR_BLINK);
	ck_assert_int_eq(bay.attention, HB_HOST_INDICATOR_BLINK);
	show(HB_EVENT_INDICATORS, HB_INDICATOR_ON, HB_INDICATOR_BLINK);
	ck_assert_int_eq(bay.attention, HB_HOST_INDICATOR_ON);
}
END_TEST

START_TEST(a_release_says_nothing_of_indicators)
{
	teardown();
	create("host-leds=on");
	show(HB_EVENT_SEVERED, HB_INDICATOR_ON, HB_INDICATOR_OFF);
	show(HB_EVENT_RELEASED, 0, 0);
	ck_assert_int_eq(bay.attention, HB_HOST_INDICATOR_ON);
}
END_TEST

START_TEST(without_host_leds_the_host_shows_nothing)
{
	bay.attention = HB_HOST_INDICATOR_BLINK;
	show(HB_EVENT_INDICATORS, HB_INDICATOR_ON, HB_INDICATOR_ON);
	ck_assert_int_eq(bay.attention, HB_HOST_INDICATOR_BLINK);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bays");
	TCase *tcase = tcase_create("one bay");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_drive_is_added_when_it_is_taken);
	tcase_add_test(tcase, a_drive_waits_until_the_id_of_the_one_before_is_free);
	tcase_add_test(tcase, another_drives_end_does_not_free_the_id);
	tcase_add_test(tcase, a_drive_that_waited_is_added_once);
	tcase_add_test(tcase, a_drive_that_left_while_it_waited_is_not_added);
	tcase_add_test(tcase, of_drives_that_come_while_the_id_is_taken_the_last_is_added);
	tcase_add_test(tcase, a_drive_waits_for_the_end_of_an_addition_that_came_to_nothing);
	tcase_add_test(tcase, an_addition_that_fails_is_not_tried_again);
	tcase_add_test(tcase, a_drive_for_passthrough_is_not_added);
	tcase_add_test(tcase, without_auto_add_a_drive_is_not_taken);
	tcase_add_test(tcase, the_host_shows_what_the_guest_shows);
	tcase_add_test(tcase, a_release_says_nothing_of_indicators);
	tcase_add_test(tcase, without_host_leds_the_host_shows_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
