/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Slot Capabilities, Slot Control, Slot Status and Link Status as the guest reads and writes them
 * through the port: every bit, at every width and alignment, for every set of the slot's
 * properties. What a register should be is said here a second time, from the specification (PCIe
 * r6.0 §7.5.3.8 to §7.5.3.11), and not taken from the code under test.
 */

#include "tests/unit/hw/scene.h"
#include "tests/unit/suite.h"

#define N_SETS                                                                                     \
	64 /* hotplug, button, power controller, indicators, no command completed, surprise */
#define EVENTS (ABP | PDC | CC | DLLSC)

#define AIC PCI_EXP_SLTCTL_AIC
#define PIC PCI_EXP_SLTCTL_PIC
#define PCC PCI_EXP_SLTCTL_PCC

/* An access that touches the doubleword of Slot Control and Slot Status. */
static const struct {
	guint at; /* from Slot Control */
	guint size;
} accesses[] = { { 0, 1 }, { 1, 1 }, { 2, 1 }, { 3, 1 }, { 0, 2 }, { 2, 2 }, { 0, 4 } };

typedef struct Registers {
	guint16 control;
	guint16 status;
	gboolean link_active;
} Registers;

static guint current_set;
static HbPortConfig has;

static void create(guint set)
{
	current_set = set;
	has = scene_get_config();
	has.hotplug = !!(set & 1);
	has.attention_button = !!(set & 2);
	has.power_controller = !!(set & 4);
	has.indicators = !!(set & 8);
	has.no_command_completed = !!(set & 16);
	has.surprise = !!(set & 32);
	scene_create(&has);
	/* What is not hot-plug capable has nothing else either. */
	if (!has.hotplug)
		has.attention_button = has.power_controller = has.indicators =
			has.no_command_completed = has.surprise = FALSE;
}

/* A walk over all sets, each with a scene of its own. Eight sets a test: one process each would
 * take long under a sanitizer, and all in one would not say which failed. */
#define N_WALKS 8

static void walk(guint index, void (*check)(void))
{
	for (guint set = index; set < N_SETS; set += N_WALKS) {
		if (set != index) {
			scene_tear_down();
			scene_set_up();
		}
		create(set);
		check();
	}
}

static Registers read_registers(void)
{
	return (Registers){
		.control = (guint16)scene_read_port(SLOT_CONTROL, 2),
		.status = (guint16)scene_read_port(SLOT_STATUS, 2),
		.link_active = !!(scene_read_port(LINK_STATUS, 2) & PCI_EXP_LNKSTA_DLLLA),
	};
}

static guint16 get_writable(void)
{
	if (!has.hotplug)
		return 0;
	return PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE |
	       (has.attention_button ? PCI_EXP_SLTCTL_ABPE : 0) |
	       (has.no_command_completed ? 0 : PCI_EXP_SLTCTL_CCIE) |
	       (has.indicators ? AIC | PIC : 0) | (has.power_controller ? PCC : 0);
}

/* What firmware leaves. */
static guint16 get_initial_control(gboolean occupied)
{
	guint16 control = 0;

	if (has.indicators)
		control |= PCI_EXP_SLTCTL_ATTN_IND_OFF | (occupied ? ON : OFF);
	if (has.power_controller && !occupied)
		control |= PCC;
	return control;
}

/* A guest that gives up all its enables at once leaves the slot, and an occupant in it as firmware
 * would, to the next. */
static gboolean is_deserted(guint16 before, guint16 after)
{
	const guint16 enables = PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_DLLSCE;

	return before & PCI_EXP_SLTCTL_HPIE && !(after & (PCI_EXP_SLTCTL_HPIE | enables));
}

/* A guest's write of @value to the bytes of @mask: both registers as one doubleword. */
static Registers expect_write(Registers before, guint32 value, guint32 mask)
{
	Registers after = before;
	guint16 keep = (guint16) ~(mask & get_writable());

	after.status = (guint16)(before.status & ~((value & mask) >> 16 & EVENTS));
	if (!(mask & 0xffff) || !has.hotplug)
		return after;
	if (!(value & mask & AIC)) /* 00b is reserved, or not written */
		keep |= AIC;
	if (!(value & mask & PIC))
		keep |= PIC;
	after.control = (guint16)((before.control & keep) | (value & (guint16)~keep));
	gboolean powered = before.status & PDS && !(after.control & PCC);
	if (before.status & PDS && is_deserted(before.control, after.control)) {
		after.control &= (guint16) ~(PIC | PCC);
		after.control |= has.indicators ? ON : 0;
	}
	after.link_active = before.status & PDS && !(after.control & PCC);
	if (after.link_active != powered || powered != before.link_active)
		after.status |= DLLSC;
	if (!has.no_command_completed)
		after.status |= CC;
	return after;
}

static void assert_registers(Registers expected, guint32 value, guint at, guint size)
{
	Registers found = read_registers();
	guint16 link = (guint16)scene_read_port(LINK_STATUS, 2);

	ck_assert_msg(found.control == expected.control && found.status == expected.status &&
			      found.link_active == expected.link_active,
		      "set %u, write of %x to +%u, %u bytes: control %04x status %04x link %d, "
		      "not %04x %04x %d",
		      current_set, value, at, size, found.control, found.status, found.link_active,
		      expected.control, expected.status, expected.link_active);
	/* A link that is down has neither speed nor width. */
	ck_assert_uint_eq(link, expected.link_active ? PCI_EXP_LNKSTA_DLLLA | 16 << 4 | 5 : 0);
}

/* Writes and compares with the model. An access is written as the part of a doubleword that it
 * covers. */
static void write_and_assert(guint access, guint32 doubleword)
{
	guint at = accesses[access].at, size = accesses[access].size;
	guint32 mask = (guint32)((1ull << 8 * size) - 1) << (8 * at);
	Registers expected = expect_write(read_registers(), doubleword, mask);

	scene_write_port(SLOT_CONTROL + at, size, (doubleword & mask) >> (8 * at));
	assert_registers(expected, doubleword, at, size);
}

/* Capabilities. */

static void check_capabilities_are_the_properties(void)
{
	guint32 expected = 5u << 19 | 25u << 7;

	expected |= has.attention_button ? PCI_EXP_SLTCAP_ABP : 0;
	expected |= has.power_controller ? PCI_EXP_SLTCAP_PCP : 0;
	expected |= has.indicators ? PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP : 0;
	expected |= has.surprise ? PCI_EXP_SLTCAP_HPS : 0;
	expected |= has.hotplug ? PCI_EXP_SLTCAP_HPC : 0;
	expected |= has.no_command_completed ? PCI_EXP_SLTCAP_NCCS : 0;

	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4), expected);
}

START_TEST(test_capabilities_are_the_properties)
{
	walk((guint)_i, check_capabilities_are_the_properties);
}
END_TEST

START_TEST(test_power_limit_and_number_fill_their_fields)
{
	HbPortConfig config = scene_get_config();

	config.slot = 0x1fff;
	config.slot_power_limit = HB_SLOT_POWER_LIMIT_MAX;
	scene_create(&config);

	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4) & PCI_EXP_SLTCAP_SPLV, 0xefu << 7);
	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4) & PCI_EXP_SLTCAP_SPLS, 0);
	ck_assert_uint_eq(scene_read_port(SLOT_CAP, 4) & PCI_EXP_SLTCAP_PSN, 0x1fffu << 19);
}
END_TEST

static void check_capabilities_and_link_status_are_read_only(void)
{
	static const guint read_only[] = { SLOT_CAP, HB_PORT_EXPRESS + PCI_EXP_LNKCAP,
					   HB_PORT_EXPRESS + PCI_EXP_LNKCAP2,
					   HB_PORT_EXPRESS + PCI_EXP_SLTCAP2,
					   HB_PORT_EXPRESS + PCI_EXP_SLTCTL2 };
	for (guint i = 0; i < G_N_ELEMENTS(read_only); i++) {
		guint32 before = scene_read_port(read_only[i], 4);

		for (guint a = 0; a < G_N_ELEMENTS(accesses); a++) {
			scene_write_port(read_only[i] + accesses[a].at, accesses[a].size, ~before);
			ck_assert_uint_eq(scene_read_port(read_only[i], 4), before);
		}
	}
	scene_write_port(LINK_STATUS, 2, 0xffff);
	scene_write_port(LINK_STATUS + 1, 1, 0xff);
	ck_assert_uint_eq(scene_read_port(LINK_STATUS, 2), 0);
}

START_TEST(test_capabilities_and_link_status_are_read_only)
{
	walk((guint)_i, check_capabilities_and_link_status_are_read_only);
}
END_TEST

/* What firmware leaves. */

static void check_an_empty_slot_begins_switched_off(void)
{
	assert_registers((Registers){ get_initial_control(FALSE), 0, FALSE }, 0, 0, 0);
}

START_TEST(test_an_empty_slot_begins_switched_off)
{
	walk((guint)_i, check_an_empty_slot_begins_switched_off);
}
END_TEST

static void check_an_occupied_slot_begins_switched_on(void)
{
	scene_plug(&scene_drive_a);

	assert_registers((Registers){ get_initial_control(TRUE), PDS, TRUE }, 0, 0, 0);
}

START_TEST(test_an_occupied_slot_begins_switched_on)
{
	walk((guint)_i, check_an_occupied_slot_begins_switched_on);
}
END_TEST

static void check_a_reset_brings_that_back(void)
{
	scene_plug(&scene_drive_a);
	hb_port_set_running(scene_port);
	scene_write_port(SLOT_CONTROL, 2, 0xffff);

	hb_host_bridge_reset(scene_bridge);

	assert_registers((Registers){ get_initial_control(TRUE), PDS, TRUE }, 0, 0, 0);
}

START_TEST(test_a_reset_brings_that_back)
{
	walk((guint)_i, check_a_reset_brings_that_back);
}
END_TEST

/* Reads. */

static void check_a_register_reads_the_same_at_every_width(void)
{
	scene_plug(&scene_drive_a);
	scene_write_port(SLOT_CONTROL, 2, 0x1529);
	for (guint offset = 0; offset < HB_PORT_AER + 0x40; offset += 4) {
		guint32 whole = scene_read_port(offset, 4);

		for (guint i = 0; i < 4; i++)
			ck_assert_uint_eq(scene_read_port(offset + i, 1), whole >> (8 * i) & 0xff);
		for (guint i = 0; i < 4; i += 2)
			ck_assert_uint_eq(scene_read_port(offset + i, 2),
					  whole >> (8 * i) & 0xffff);
	}
}

START_TEST(test_a_register_reads_the_same_at_every_width)
{
	walk((guint)_i, check_a_register_reads_the_same_at_every_width);
}
END_TEST

/* Writes: each bit by itself, from all clear and from all set, at each width and alignment, in an
 * empty and in an occupied slot. */

static void walk_writes_of(guint access)
{
	static const guint32 first[] = { 0, 0xffffffff };

	for (guint f = 0; f < G_N_ELEMENTS(first); f++) {
		for (guint bit = 0; bit < 32; bit++) {
			scene_write_port(SLOT_CONTROL, 2, first[f] & 0xffff);
			write_and_assert(access, 1u << bit);
			write_and_assert(access, first[f] ^ 1u << bit);
		}
		write_and_assert(access, first[f]);
	}
}

static void walk_writes(void)
{
	/* Without hot-plug all sets are the same one. */
	if (!has.hotplug && current_set != 0)
		return;
	for (guint access = 0; access < G_N_ELEMENTS(accesses); access++)
		walk_writes_of(access);
}

static void check_writes_to_an_empty_slot(void)
{
	walk_writes();
}

START_TEST(test_writes_to_an_empty_slot)
{
	walk((guint)_i, check_writes_to_an_empty_slot);
}
END_TEST

static void check_writes_to_an_occupied_slot(void)
{
	scene_plug(&scene_drive_a);
	walk_writes();
}

START_TEST(test_writes_to_an_occupied_slot)
{
	walk((guint)_i, check_writes_to_an_occupied_slot);
}
END_TEST

/* All events that this slot can have at once. */
static guint16 raise_all(void)
{
	guint16 events = PDC | DLLSC;

	hb_port_set_running(scene_port);
	scene_write_port(SLOT_STATUS, 2, 0xffff);
	scene_write_port(SLOT_CONTROL, 2, 0x1020 | PCI_EXP_SLTCTL_ABPE | OFF);
	scene_write_port(SLOT_STATUS, 2, 0xffff);
	scene_plug(&scene_drive_a);
	if (has.attention_button && (has.indicators || has.power_controller)) {
		scene_write_port(SLOT_CONTROL, 2, 0x1020 | PCI_EXP_SLTCTL_ABPE | ON);
		scene_request_removal();
		events |= ABP;
	}
	scene_write_port(SLOT_CONTROL, 2, scene_read_port(SLOT_CONTROL, 2));
	return events | (has.no_command_completed ? 0 : CC);
}

/* Each of the sixteen subsets of the events, at each width that reaches them. */
static void clear_subset(guint16 subset)
{
	guint16 events = raise_all();

	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2) & events, events);
	for (guint access = 0; access < G_N_ELEMENTS(accesses); access++)
		if (accesses[access].at >= 2)
			write_and_assert(access, (guint32)subset << 16);
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2) & EVENTS, events & ~subset);

	/* And with a command in the same write, which completes after the clearing. */
	write_and_assert(G_N_ELEMENTS(accesses) - 1,
			 scene_read_port(SLOT_CONTROL, 2) | (guint32)EVENTS << 16);
	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2) & EVENTS,
			  has.no_command_completed ? 0 : CC);
}

START_TEST(test_status_clears_exactly_what_is_written)
{
	for (guint i = 0; i < 16; i++) {
		if (i) {
			scene_tear_down();
			scene_set_up();
		}
		create((guint)_i * 2 + 1); /* the sets with hot-plug */
		clear_subset((guint16)((i & 1 ? ABP : 0) | (i & 2 ? PDC : 0) | (i & 4 ? CC : 0) |
				       (i & 8 ? DLLSC : 0)));
	}
}
END_TEST

/* Races of the guest's clearing with an event. */

START_TEST(test_an_event_between_the_read_and_the_clear_survives)
{
	create(((guint)_i << 1) | 1);
	scene_boot();
	scene_plug(&scene_drive_a);
	guint32 seen = scene_read_port(SLOT_STATUS, 2);
	scene_write_port(SLOT_STATUS, 2, seen);
	hb_port_pull(scene_port, NULL);

	scene_write_port(SLOT_STATUS, 2, ABP | CC); /* what the guest thinks it has seen */

	ck_assert_uint_eq(scene_read_port(SLOT_STATUS, 2) & (PDC | PDS), PDC);
}
END_TEST

static gint stop;

/* A guest that clears what it reads, as an interrupt handler does, and remembers all of it. */
static gpointer clear_for_ever(gpointer data)
{
	gint *seen = data;

	while (!g_atomic_int_get(&stop)) {
		guint32 status = scene_read_port(SLOT_STATUS, 2);

		if (!(status & EVENTS))
			continue;
		scene_write_port(SLOT_STATUS, 2, status);
		g_atomic_int_or((guint *)seen, status & EVENTS);
	}
	return NULL;
}

/* Waits until the guest has seen these, and takes them. */
static void await_events(gint *seen, guint events, guint round)
{
	gint64 deadline = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;

	while ((g_atomic_int_get(seen) & events) != events) {
		ck_assert_msg(g_get_monotonic_time() < deadline, "round %u: an event is lost: %x",
			      round, g_atomic_int_get(seen));
		g_thread_yield();
	}
	g_atomic_int_and((guint *)seen, ~events);
}

START_TEST(test_no_event_is_lost_to_a_guest_that_clears_all_the_time)
{
	gint seen = 0;

	create(1 | 2 | 16 | 32); /* with neither indicators nor power: no handshake in the way */
	hb_port_set_running(scene_port);
	GThread *guest = g_thread_new("guest", clear_for_ever, &seen);
	for (guint round = 0; round < 300; round++) {
		scene_plug(&scene_drive_a);
		await_events(&seen, PDC | DLLSC, round);
		hb_port_pull(scene_port, NULL);
		await_events(&seen, PDC | DLLSC, round);
		scene_run_loop();
		scene_finish_release(&scene_drive_a);
		scene_run_loop();
	}
	g_atomic_int_set(&stop, 1);
	g_thread_join(guest);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("slot-registers");
	TCase *cases = tcase_create("cases");

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, scene_set_up, scene_tear_down);
	tcase_add_loop_test(cases, test_capabilities_are_the_properties, 0, N_WALKS);
	tcase_add_test(cases, test_power_limit_and_number_fill_their_fields);
	tcase_add_loop_test(cases, test_capabilities_and_link_status_are_read_only, 0, N_WALKS);
	tcase_add_loop_test(cases, test_an_empty_slot_begins_switched_off, 0, N_WALKS);
	tcase_add_loop_test(cases, test_an_occupied_slot_begins_switched_on, 0, N_WALKS);
	tcase_add_loop_test(cases, test_a_reset_brings_that_back, 0, N_WALKS);
	tcase_add_loop_test(cases, test_a_register_reads_the_same_at_every_width, 0, N_WALKS);
	tcase_add_loop_test(cases, test_writes_to_an_empty_slot, 0, N_WALKS);
	tcase_add_loop_test(cases, test_writes_to_an_occupied_slot, 0, N_WALKS);
	tcase_add_loop_test(cases, test_status_clears_exactly_what_is_written, 0, N_SETS / 2);
	tcase_add_loop_test(cases, test_an_event_between_the_read_and_the_clear_survives, 0,
			    N_SETS / 2);
	tcase_add_test(cases, test_no_event_is_lost_to_a_guest_that_clears_all_the_time);
	suite_add_tcase(suite, cases);
	return suite;
}
