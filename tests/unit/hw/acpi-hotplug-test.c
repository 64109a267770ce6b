/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A port in ACPI mode with its controller, as the guest's methods and its operator see them: what
 * is done to the drives, to the GPE and to the listener, in one transcript.
 */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <string.h>

#define N_SLOTS	    3
#define INDEX	    1 /* of the scene's port */
#define SLOT_OFFSET (HB_ACPI_HOTPLUG_SLOTS + 4 * INDEX)
#define WORKING	    0x0f
#define CHECK	    (INDEX << 8 | HB_ACPI_HOTPLUG_CHECK)
#define EJECT	    (INDEX << 8 | HB_ACPI_HOTPLUG_EJECT)

static HbAcpiHotplug *hotplug;
static gboolean gpe;
static guint16 command; /* drive A's Command register */

static void on_gpe(gpointer data, gboolean level)
{
	ck_assert_int_ne(level, gpe);
	ck_assert_ptr_eq(data, &gpe);
	gpe = level;
	scene_tell("gpe", level ? "1" : "0");
}

/* A drive with a Command register, since by that a guest takes it into use. */
static HbPciFunctionOps drive_ops;

static guint32 read_command(HbPciFunction *function, guint offset, guint size)
{
	if (offset == PCI_INTERRUPT_LINE)
		return 0x5a;
	return offset == PCI_COMMAND ? command : 0;
}

static void write_command(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	if (offset != PCI_COMMAND)
		return;
	command = (guint16)value;
	scene_tell("command", value ? "set" : "clear");
}

static HbPortConfig get_config(void)
{
	HbPortConfig config = scene_get_config();

	config.acpi = hotplug;
	config.acpi_index = INDEX;
	return config;
}

static void set_up(void)
{
	HbPortConfig config;

	scene_set_up();
	drive_ops = scene_drive_ops;
	drive_ops.config_read = read_command;
	drive_ops.config_write = write_command;
	scene_drive_a.function.ops = &drive_ops;
	gpe = FALSE;
	command = 0;
	hotplug = hb_acpi_hotplug_create(scene_bridge, N_SLOTS, on_gpe, &gpe);
	config = get_config();
	scene_create(&config);
}

static void tear_down(void)
{
	hb_acpi_hotplug_destroy(hotplug);
	scene_tear_down();
}

static guint32 read_register(guint offset)
{
	return hb_acpi_hotplug_read(hotplug, offset, 4);
}

static void write_register(guint offset, guint32 value)
{
	hb_acpi_hotplug_write(hotplug, offset, 4, value);
}

static void eject(void)
{
	write_register(SLOT_OFFSET, HB_ACPI_HOTPLUG_EJ0);
}

static void answer(guint source, guint status)
{
	write_register(SLOT_OFFSET, HB_ACPI_HOTPLUG_OST | status << 8 | source << 16);
}

/* The guest numbers the buses and starts to use ACPI; nothing in the transcript. */
static void boot(void)
{
	hb_port_set_running(scene_port);
	scene_write_port(PCI_PRIMARY_BUS, 4, 0x00010100);
	write_register(HB_ACPI_HOTPLUG_STAGE, HB_ACPI_HOTPLUG_LOADED);
	write_register(HB_ACPI_HOTPLUG_STAGE, HB_ACPI_HOTPLUG_READY);
	scene_run_loop();
	scene_forget_transcript();
}

static void boot_with_drive(void)
{
	scene_plug(&scene_drive_a);
	boot();
}

static guint32 read_drive(void)
{
	return hb_host_bridge_config_read(scene_bridge, 1, 0, PCI_INTERRUPT_LINE, 1);
}

static void assert_state(const char *state)
{
	HbSlotInfo info;

	hb_port_get_info(scene_port, &info);
	ck_assert_str_eq(info.state, state);
}

/* Stories. */

START_TEST(test_the_port_is_no_native_hot_plug_slot)
{
	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4) & (PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_HPS),
			  0);
	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4) >> 19, 5);
	boot_with_drive();
	scene_write_port(SLOT_CONTROL, 4, 0xffffffff);
	ck_assert_uint_eq(scene_read_port(SLOT_CONTROL, 2), 0);
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2), PDS);
	assert_state("ON");
}
END_TEST

START_TEST(test_a_plug_raises_the_gpe_until_the_event_is_taken)
{
	boot();
	ck_assert_uint_eq(read_register(SLOT_OFFSET), 0);
	scene_plug(&scene_drive_a);
	scene_run_loop();
	scene_assert_transcript("attach A\ngpe 1\nPLUGGED A\n");
	ck_assert_uint_eq(read_register(SLOT_OFFSET), WORKING);
	ck_assert_uint_eq(read_drive(), 0x5a);

	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), CHECK);
	scene_assert_transcript("gpe 0\n");
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), 0);
}
END_TEST

START_TEST(test_orderly_removal_reports_each_step)
{
	boot_with_drive();
	scene_request_removal();
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), EJECT);
	eject();
	scene_run_loop();
	scene_assert_transcript("gpe 1\ngpe 0\nsever A\nREMOVAL_REQUESTED A\n"
				"SEVERED(REQUEST) A\nrelease A\n");
	ck_assert_uint_eq(read_register(SLOT_OFFSET), 0);
	ck_assert_uint_eq(read_drive(), 0xff);
}
END_TEST

START_TEST(test_pull_severs_then_tells_then_releases)
{
	boot_with_drive();
	hb_port_pull(scene_port, &scene_drive_a.function);
	scene_assert_transcript("sever A\ngpe 1\n");
	ck_assert_uint_eq(read_drive(), 0xff);
	ck_assert_uint_eq(read_register(SLOT_OFFSET), 0);
	scene_run_loop();
	scene_assert_transcript("SEVERED(PULL) A\nrelease A\n");
}
END_TEST

START_TEST(test_newcomer_waits_unseen_until_the_guest_has_let_go)
{
	boot_with_drive();
	hb_port_pull(scene_port, NULL);
	scene_plug(&scene_drive_b);
	scene_run_loop();
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), EJECT);
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), CHECK);
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), 0);
	scene_forget_transcript();
	ck_assert_uint_eq(read_register(SLOT_OFFSET), 0);
	ck_assert_uint_eq(read_drive(), 0xff);

	eject();
	scene_run_loop();
	scene_assert_transcript("attach B\ngpe 1\nPLUGGED B\n");
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), CHECK);
	ck_assert_uint_eq(read_register(SLOT_OFFSET), WORKING);
}
END_TEST

START_TEST(test_refusal_is_told_at_once)
{
	boot_with_drive();
	scene_request_removal();
	read_register(HB_ACPI_HOTPLUG_EVENT);
	answer(3, 0x84); /* in progress */
	answer(1, 0x80); /* of something else */
	scene_run_loop();
	scene_forget_transcript();
	answer(3, 0x82); /* busy */
	scene_run_loop();
	scene_assert_transcript("REMOVAL_REFUSED(REFUSED) A\n");
	assert_state("ON");
}
END_TEST

START_TEST(test_silence_is_told_after_the_timeout)
{
	HbPortConfig config = get_config();

	config.id = "impatient";
	config.devfn = HB_PCI_DEVFN(2, 0);
	config.acpi_index = 2;
	config.removal_timeout_ms = 1;
	scene_create(&config);
	boot_with_drive();
	scene_request_removal();
	for (guint i = 0; i < 1000 && gpe; i++) {
		g_usleep(1000);
		scene_run_loop();
	}
	scene_assert_transcript("gpe 1\ngpe 0\nREMOVAL_REFUSED(TIMED_OUT) A\n");
}
END_TEST

START_TEST(test_guest_switches_its_drive_off_and_on)
{
	boot_with_drive();
	command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	eject();
	scene_run_loop();
	scene_assert_transcript("command clear\n");
	assert_state("OFF");
	ck_assert_uint_eq(read_register(SLOT_OFFSET), WORKING);
	ck_assert_uint_eq(read_drive(), 0x5a);

	command = PCI_COMMAND_MEMORY;
	assert_state("ON");
	scene_request_removal();
	scene_run_loop();
	scene_assert_transcript("gpe 1\n");
	assert_state("REMOVAL_WAITING");
}
END_TEST

START_TEST(test_a_drive_that_is_off_leaves_without_a_question)
{
	boot_with_drive();
	eject();
	scene_forget_transcript();
	scene_request_removal();
	scene_run_loop();
	scene_assert_transcript("sever A\ngpe 1\nSEVERED(REQUEST) A\nrelease A\n");
}
END_TEST

START_TEST(test_a_drive_that_is_off_and_dead_is_not_in_use)
{
	boot_with_drive();
	eject();
	command = 0xffff;
	assert_state("OFF");
}
END_TEST

START_TEST(test_news_from_before_the_guest_was_up_is_kept)
{
	hb_port_set_running(scene_port);
	scene_plug(&scene_drive_a);
	write_register(HB_ACPI_HOTPLUG_STAGE, HB_ACPI_HOTPLUG_LOADED);
	ck_assert(!gpe);
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), 0);
	write_register(HB_ACPI_HOTPLUG_STAGE, HB_ACPI_HOTPLUG_READY);
	ck_assert(gpe);
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), CHECK);
}
END_TEST

START_TEST(test_reset_forgets_news_and_ghosts)
{
	boot_with_drive();
	hb_port_pull(scene_port, NULL);
	ck_assert(gpe);
	hb_host_bridge_reset(scene_bridge);
	ck_assert(!gpe);
	assert_state("EMPTY");
	ck_assert_uint_eq(read_register(HB_ACPI_HOTPLUG_EVENT), 0);
}
END_TEST

START_TEST(test_a_port_without_hotplug_is_none_of_the_controllers)
{
	HbPortConfig config = get_config();

	config.id = "fixed";
	config.devfn = HB_PCI_DEVFN(2, 0);
	config.hotplug = FALSE; /* and so the taken index does not matter */
	scene_create(&config);
	ck_assert_ptr_nonnull(scene_port);
}
END_TEST

START_TEST(test_indexes_are_checked)
{
	HbPortConfig config = get_config();
	g_autoptr(GError) taken = NULL;
	g_autoptr(GError) beyond = NULL;

	config.id = "other";
	config.devfn = HB_PCI_DEVFN(2, 0);
	ck_assert_ptr_null(hb_port_create(scene_bridge, &config, &taken));
	ck_assert(g_error_matches(taken, HB_ERROR, HB_ERROR_BUSY));
	ck_assert_str_eq(taken->message, "port other: slot 1 of the ACPI hot-plug controller "
					 "is taken: give each port its own");
	config.acpi_index = N_SLOTS;
	ck_assert_ptr_null(hb_port_create(scene_bridge, &config, &beyond));
	ck_assert(g_error_matches(beyond, HB_ERROR, HB_ERROR_INVALID));
}
END_TEST

/* A guest may write anything anywhere. */
START_TEST(test_garbage_changes_nothing)
{
	boot_with_drive();
	for (guint offset = 0; offset < 2 * HB_ACPI_HOTPLUG_LENGTH(N_SLOTS); offset++) {
		for (guint size = 1; size <= 4; size *= 2) {
			gboolean real = size == 4 && offset % 4 == 0;

			if (!real) {
				ck_assert_uint_eq(hb_acpi_hotplug_read(hotplug, offset, size),
						  G_MAXUINT32);
				hb_acpi_hotplug_write(hotplug, offset, size, HB_ACPI_HOTPLUG_EJ0);
			} else if (offset != SLOT_OFFSET && offset != HB_ACPI_HOTPLUG_STAGE) {
				ck_assert_uint_eq(read_register(offset), 0);
				write_register(offset, HB_ACPI_HOTPLUG_EJ0);
			}
		}
	}
	for (guint value = 0; value <= 0xff; value++) {
		if (value != HB_ACPI_HOTPLUG_EJ0)
			write_register(SLOT_OFFSET, 0x00030000 | 0x8200 | value);
	}
	write_register(G_MAXUINT32 & ~3u, 1);
	ck_assert_uint_eq(read_register(G_MAXUINT32 & ~3u), 0);
	scene_run_loop();
	scene_assert_transcript("");
	assert_state("ON");
}
END_TEST

START_TEST(test_ejecting_an_empty_slot_changes_nothing)
{
	boot();
	eject();
	answer(3, 0x80);
	scene_run_loop();
	scene_assert_transcript("");
	assert_state("EMPTY");
}
END_TEST

START_TEST(test_a_destroyed_controller_calls_nobody)
{
	boot_with_drive();
	hb_acpi_hotplug_destroy(g_steal_pointer(&hotplug));
	hb_port_pull(scene_port, NULL);
	scene_assert_transcript("sever A\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("acpi-hotplug");
	TCase *tests = tcase_create("controller");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_the_port_is_no_native_hot_plug_slot);
	tcase_add_test(tests, test_a_plug_raises_the_gpe_until_the_event_is_taken);
	tcase_add_test(tests, test_orderly_removal_reports_each_step);
	tcase_add_test(tests, test_pull_severs_then_tells_then_releases);
	tcase_add_test(tests, test_newcomer_waits_unseen_until_the_guest_has_let_go);
	tcase_add_test(tests, test_refusal_is_told_at_once);
	tcase_add_test(tests, test_silence_is_told_after_the_timeout);
	tcase_add_test(tests, test_guest_switches_its_drive_off_and_on);
	tcase_add_test(tests, test_a_drive_that_is_off_leaves_without_a_question);
	tcase_add_test(tests, test_a_drive_that_is_off_and_dead_is_not_in_use);
	tcase_add_test(tests, test_news_from_before_the_guest_was_up_is_kept);
	tcase_add_test(tests, test_reset_forgets_news_and_ghosts);
	tcase_add_test(tests, test_a_port_without_hotplug_is_none_of_the_controllers);
	tcase_add_test(tests, test_indexes_are_checked);
	tcase_add_test(tests, test_garbage_changes_nothing);
	tcase_add_test(tests, test_ejecting_an_empty_slot_changes_nothing);
	tcase_add_test(tests, test_a_destroyed_controller_calls_nobody);
	suite_add_tcase(suite, tests);
	return suite;
}
