/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A root port on a real host bridge, as its guest and its operator see it. Whatever is done to the
 * host, to the functions and to the listener goes into one transcript, so that order can be read.
 */

#include "hw/host-bridge.h"
#include "hw/root-port.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/slot.h>

#include <linux/pci_regs.h>
#include <string.h>

#define MIB   (G_GUINT64_CONSTANT(1) << 20)
#define DEVFN HB_PCI_DEVFN(1, 0)

#define LINK_STATUS  (HB_ROOT_PORT_EXPRESS + PCI_EXP_LNKSTA)
#define SLOT_CAP     (HB_ROOT_PORT_EXPRESS + PCI_EXP_SLTCAP)
#define SLOT_CONTROL (HB_ROOT_PORT_EXPRESS + PCI_EXP_SLTCTL)
#define SLOT_STATUS  (HB_ROOT_PORT_EXPRESS + PCI_EXP_SLTSTA)
#define MSI_CONTROL  (HB_ROOT_PORT_MSI + PCI_MSI_FLAGS)
#define MSI_MASK     (HB_ROOT_PORT_MSI + PCI_MSI_MASK_64)
#define MSI_PENDING  (HB_ROOT_PORT_MSI + PCI_MSI_PENDING_64)
#define PM_CONTROL   (HB_ROOT_PORT_PM + PCI_PM_CTRL)

#define ABP   PCI_EXP_SLTSTA_ABP
#define PDC   PCI_EXP_SLTSTA_PDC
#define CC    PCI_EXP_SLTSTA_CC
#define PDS   PCI_EXP_SLTSTA_PDS
#define DLLSC PCI_EXP_SLTSTA_DLLSC

#define ON    PCI_EXP_SLTCTL_PWR_IND_ON
#define BLINK PCI_EXP_SLTCTL_PWR_IND_BLINK
#define OFF   PCI_EXP_SLTCTL_PWR_IND_OFF

/* A function with a name, that tells what is done to it. */
typedef struct Drive {
	HbPciFunction function;
	const char *name;
	HbPciFunctionReleased done; /* while it is being released */
	gpointer data;
	gboolean in_worker; /* a thread ends the release */
} Drive;

static FakeHost *host;
static HbHostBridge *bridge;
static HbRootPort *port;
static Drive drive_a, drive_b;

static void tell(const char *what, const char *who)
{
	g_string_append_printf(host->calls, "%s %s\n", what, who);
}

static guint32 drive_read(HbPciFunction *function, guint offset, guint size)
{
	return 0x5a;
}

static void drive_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	tell("write", ((Drive *)function)->name);
}

static void drive_attach(HbPciFunction *function, HbHostBridge *to)
{
	ck_assert_ptr_eq(to, bridge);
	tell("attach", ((Drive *)function)->name);
}

static void drive_reset(HbPciFunction *function)
{
	tell("reset", ((Drive *)function)->name);
}

static void drive_sever(HbPciFunction *function)
{
	tell("sever", ((Drive *)function)->name);
}

/* The last of a drive's release, on the loop. */
static gboolean finish_release(gpointer data)
{
	Drive *drive = data;
	HbPciFunctionReleased done = drive->done;

	drive->done = NULL;
	done(drive->data);
	return G_SOURCE_REMOVE;
}

static gpointer end_release(gpointer data)
{
	Drive *drive = data;

	g_usleep(20000);
	g_main_context_invoke(host->context, finish_release, drive);
	return NULL;
}

static void drive_release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	Drive *drive = (Drive *)function;

	tell(done ? "release" : "release-now", drive->name);
	drive->done = done;
	drive->data = data;
	if (done && drive->in_worker)
		g_thread_unref(g_thread_new("release", end_release, drive));
}

static const HbPciFunctionOps drive_ops = {
	.config_read = drive_read,
	.config_write = drive_write,
	.attach = drive_attach,
	.reset = drive_reset,
	.sever = drive_sever,
	.release = drive_release,
};

static void listen(HbRootPort *from, HbSlotEvent event, HbSlotReason reason,
		   HbPciFunction *function, gpointer data)
{
	ck_assert_ptr_eq(from, port);
	if (event == HB_SLOT_INDICATORS)
		return;
	g_string_append_printf(host->calls, "%s", hb_slot_event_to_str(event));
	if (reason != HB_SLOT_REASON_NONE)
		g_string_append_printf(host->calls, "(%s)", hb_slot_reason_to_str(reason));
	g_string_append_printf(host->calls, " %s\n", function ? ((Drive *)function)->name : "-");
}

static void run_loop(void)
{
	while (g_main_context_iteration(host->context, FALSE))
		;
}

static void assert_transcript(const char *expected)
{
	g_autofree char *calls = fake_host_take_calls(host);

	ck_assert_str_eq(calls, expected);
}

static void forget_transcript(void)
{
	g_free(fake_host_take_calls(host));
}

static guint32 read_port(guint offset, guint size)
{
	return hb_host_bridge_config_read(bridge, 0, DEVFN, offset, size);
}

static void write_port(guint offset, guint size, guint32 value)
{
	hb_host_bridge_config_write(bridge, 0, DEVFN, offset, size, value);
}

static void create(const HbRootPortConfig *config)
{
	g_autoptr(GError) error = NULL;

	port = hb_root_port_create(bridge, config, &error);
	ck_assert_msg(port != NULL, "%s", error ? error->message : "");
	hb_root_port_set_listener(port, listen, NULL);
}

static HbRootPortConfig get_config(void)
{
	HbRootPortConfig config;

	hb_root_port_config_init(&config);
	config.id = "bay0";
	config.devfn = DEVFN;
	config.chassis = 1;
	config.slot = 5;
	return config;
}

static void create_default(void)
{
	HbRootPortConfig config = get_config();

	create(&config);
}

/* The guest enables MSI, numbers the buses, and listens as Linux does. */
static void boot(void)
{
	hb_root_port_set_running(port);
	write_port(PCI_PRIMARY_BUS, 4, 0x00010100);
	write_port(HB_ROOT_PORT_MSI + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
	write_port(HB_ROOT_PORT_MSI + PCI_MSI_DATA_64, 2, 0x41);
	write_port(MSI_CONTROL, 2, PCI_MSI_FLAGS_ENABLE);
	write_port(SLOT_STATUS, 2, 0xffff);
	write_port(SLOT_CONTROL, 2,
		   (read_port(SLOT_CONTROL, 2) & (PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC)) |
			   PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_ABPE);
	run_loop();
	forget_transcript();
}

static void set_indicator(guint16 value)
{
	write_port(SLOT_CONTROL, 2, (read_port(SLOT_CONTROL, 2) & ~PCI_EXP_SLTCTL_PIC) | value);
}

static void clear_events(void)
{
	write_port(SLOT_STATUS, 2, 0xffff);
}

static void plug(Drive *drive)
{
	g_autoptr(GError) error = NULL;

	hb_root_port_plug(port, &drive->function, &error);
	ck_assert_msg(!error, "%s", error ? error->message : "");
}

/* A drive in use by a running guest; nothing in the transcript. */
static void boot_with_drive(void)
{
	plug(&drive_a);
	boot();
}

static void request_removal(void)
{
	g_autoptr(GError) error = NULL;

	hb_root_port_request_removal(port, &error);
	ck_assert_msg(!error, "%s", error ? error->message : "");
}

static void set_up(void)
{
	HbHostBridgeConfig config = {
		.ecam = { 0xe0000000, 256 * MIB },
		.mem32 = { 0xc0000000, 256 * MIB },
		.mem64 = { 0x100000000, 1024 * MIB },
	};

	host = fake_host_create();
	bridge = hb_host_bridge_create(host->host, &config, NULL);
	ck_assert_ptr_nonnull(bridge);
	drive_a = (Drive){ .function.ops = &drive_ops, .name = "A" };
	drive_b = (Drive){ .function.ops = &drive_ops, .name = "B" };
}

static void tear_down(void)
{
	Drive *drives[] = { &drive_a, &drive_b };

	run_loop();
	for (guint i = 0; i < G_N_ELEMENTS(drives); i++) {
		if (drives[i]->done && !drives[i]->in_worker)
			finish_release(drives[i]);
	}
	hb_host_bridge_destroy(bridge);
	fake_host_destroy(host);
}

/* What the guest reads. */

START_TEST(test_port_is_a_bridge_with_its_capabilities_in_order)
{
	create_default();

	ck_assert_uint_eq(read_port(PCI_VENDOR_ID, 4), 0x000c1b36);
	ck_assert_uint_eq(read_port(PCI_CLASS_DEVICE, 2), 0x0604);
	ck_assert_uint_eq(read_port(PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_BRIDGE);
	ck_assert_uint_eq(read_port(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, PCI_STATUS_CAP_LIST);
	ck_assert_uint_eq(read_port(PCI_CAPABILITY_LIST, 1), HB_ROOT_PORT_EXPRESS);
	ck_assert_uint_eq(read_port(HB_ROOT_PORT_EXPRESS, 2),
			  PCI_CAP_ID_EXP | HB_ROOT_PORT_MSI << 8);
	ck_assert_uint_eq(read_port(HB_ROOT_PORT_MSI, 2), PCI_CAP_ID_MSI | HB_ROOT_PORT_PM << 8);
	ck_assert_uint_eq(read_port(HB_ROOT_PORT_PM, 2), PCI_CAP_ID_PM);
	ck_assert_uint_eq(read_port(HB_ROOT_PORT_EXPRESS + PCI_EXP_FLAGS, 2), 0x0142);
	ck_assert_uint_eq(read_port(PCI_INTERRUPT_PIN, 1), 0);
	ck_assert_uint_eq(read_port(0x100, 4), 0);
}
END_TEST

START_TEST(test_slot_capabilities_say_what_was_configured)
{
	create_default();

	guint32 capabilities = read_port(SLOT_CAP, 4);

	ck_assert_uint_eq(capabilities & 0x7f, PCI_EXP_SLTCAP_ABP | PCI_EXP_SLTCAP_AIP |
						       PCI_EXP_SLTCAP_PIP | PCI_EXP_SLTCAP_HPS |
						       PCI_EXP_SLTCAP_HPC);
	ck_assert_uint_eq(capabilities & PCI_EXP_SLTCAP_NCCS, PCI_EXP_SLTCAP_NCCS);
	ck_assert_uint_eq(capabilities >> 19, 5);
	ck_assert_uint_eq(read_port(HB_ROOT_PORT_EXPRESS + PCI_EXP_LNKCAP, 4) &
				  PCI_EXP_LNKCAP_DLLLARC,
			  PCI_EXP_LNKCAP_DLLLARC);
}
END_TEST

START_TEST(test_link_status_has_width_and_speed_only_while_active)
{
	create_default();
	ck_assert_uint_eq(read_port(LINK_STATUS, 2), 0);

	plug(&drive_a);

	ck_assert_uint_eq(read_port(LINK_STATUS, 2), PCI_EXP_LNKSTA_DLLLA | 4 << 4 | 3);
	hb_root_port_pull(port, NULL);
	ck_assert_uint_eq(read_port(LINK_STATUS, 2), 0);
}
END_TEST

/* For each property set, the bits of Slot Control that exist. */
static const struct {
	gboolean button, power, indicators, no_command_completed;
	guint16 writable;
} controls[] = {
	{ FALSE, FALSE, FALSE, TRUE, 0x1028 },	{ TRUE, FALSE, FALSE, TRUE, 0x1029 },
	{ FALSE, TRUE, FALSE, TRUE, 0x1428 },	{ FALSE, FALSE, TRUE, TRUE, 0x13e8 },
	{ FALSE, FALSE, FALSE, FALSE, 0x1038 }, { TRUE, TRUE, TRUE, FALSE, 0x17f9 },
};

static void create_for_control(guint i)
{
	HbRootPortConfig config = get_config();

	config.attention_button = controls[i].button;
	config.power_controller = controls[i].power;
	config.indicators = controls[i].indicators;
	config.no_command_completed = controls[i].no_command_completed;
	create(&config);
}

START_TEST(test_slot_control_keeps_exactly_the_bits_that_exist)
{
	guint set = (guint)_i / 3;
	guint size = 1u << (_i % 3);

	create_for_control(set);
	for (guint bit = 0; bit < 16; bit++) {
		guint16 expected = (guint16)(1u << bit) & controls[set].writable;

		write_port(SLOT_CONTROL, 2, controls[set].writable); /* indicators: 11b */
		write_port(SLOT_CONTROL, 2, 0);
		/* An indicator field is never zero: it stays at 11b unless written otherwise. */
		guint16 others = controls[set].writable & 0x03c0;
		if (expected & 0x00c0)
			others &= (guint16)~0x00c0;
		if (expected & 0x0300)
			others &= (guint16)~0x0300;
		if (size == 1)
			write_port(SLOT_CONTROL + bit / 8, 1, 1u << (bit % 8));
		else
			write_port(SLOT_CONTROL, size, 1u << bit);
		ck_assert_uint_eq(read_port(SLOT_CONTROL, 2), expected | others);
	}
}
END_TEST

START_TEST(test_slot_status_clears_exactly_the_ones_written)
{
	static const guint16 bits[] = { ABP, PDC, CC, DLLSC };
	HbRootPortConfig config = get_config();
	guint16 bit = bits[_i / 3];
	guint size = 1u << (_i % 3);
	guint16 all = ABP | PDC | CC | DLLSC | PDS;

	config.no_command_completed = FALSE;
	config.power_controller = TRUE;
	create(&config);
	boot();
	plug(&drive_a);			     /* PDC, ABP */
	write_port(SLOT_CONTROL, 2, 0x1021); /* power on: DLLSC, CC */
	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), all);

	if (size == 1)
		write_port(SLOT_STATUS + (bit > 0xff), 1, bit > 0xff ? bit >> 8 : bit);
	else if (size == 2)
		write_port(SLOT_STATUS, 2, bit);
	else
		write_port(SLOT_CONTROL, 4, 0x1021 | (guint32)bit << 16);

	/* The doubleword is a command too, and that completes. */
	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), (all & ~bit) | (size == 4 ? CC : 0));
}
END_TEST

START_TEST(test_slot_status_zeros_and_state_bits_clear_nothing)
{
	create_default();
	boot();
	plug(&drive_a);

	write_port(SLOT_STATUS, 2, 0);
	write_port(SLOT_STATUS, 2, (guint16) ~(PDC | DLLSC));

	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), PDS | PDC | DLLSC);
}
END_TEST

START_TEST(test_event_between_read_and_clear_survives)
{
	create_default();
	boot();
	plug(&drive_a);
	guint32 seen = read_port(SLOT_STATUS, 2);
	set_indicator(BLINK);
	set_indicator(ON);
	request_removal();

	write_port(SLOT_STATUS, 2, seen);

	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), PDS | ABP);
}
END_TEST

START_TEST(test_read_only_registers_stay)
{
	create_default();
	guint32 slot_capabilities = read_port(SLOT_CAP, 4);

	for (guint offset = 0; offset < 0x200; offset += 4)
		if (offset != (SLOT_CONTROL & ~3u))
			write_port(offset, 4, 0xffffffff);

	ck_assert_uint_eq(read_port(SLOT_CAP, 4), slot_capabilities);
	ck_assert_uint_eq(read_port(LINK_STATUS, 2), 0);
	ck_assert_uint_eq(read_port(PCI_VENDOR_ID, 4), 0x000c1b36);
	ck_assert_uint_eq(read_port(PCI_IO_BASE, 2), 0);
	ck_assert_uint_eq(read_port(0x100, 4), 0);
}
END_TEST

/* Interrupts. */

START_TEST(test_interrupt_comes_once_until_the_events_are_cleared)
{
	create_default();
	boot_with_drive();

	request_removal();
	assert_transcript("msi fee00000 41\n");
	hb_root_port_pull(port, NULL);
	assert_transcript("sever A\n");
	clear_events();
	set_indicator(OFF);
	plug(&drive_b);

	assert_transcript("attach B\nmsi fee00000 41\n");
}
END_TEST

START_TEST(test_masked_interrupt_is_pending_and_comes_at_the_unmasking)
{
	create_default();
	boot();
	write_port(MSI_MASK, 4, 1);
	plug(&drive_a);
	assert_transcript("attach A\n");
	ck_assert_uint_eq(read_port(MSI_PENDING, 4), 1);

	write_port(MSI_MASK, 4, 0);

	assert_transcript("msi fee00000 41\n");
	ck_assert_uint_eq(read_port(MSI_PENDING, 4), 0);
}
END_TEST

START_TEST(test_pending_interrupt_goes_with_its_cause)
{
	create_default();
	boot();
	write_port(MSI_MASK, 4, 1);
	plug(&drive_a);
	clear_events();
	ck_assert_uint_eq(read_port(MSI_PENDING, 4), 0);
	forget_transcript();

	write_port(MSI_MASK, 4, 0);

	assert_transcript("");
}
END_TEST

START_TEST(test_nothing_is_signalled_while_msi_is_off)
{
	create_default();
	boot();
	write_port(MSI_CONTROL, 2, 0);

	plug(&drive_a);

	assert_transcript("attach A\n");
	ck_assert_uint_eq(read_port(MSI_PENDING, 4), 0);
}
END_TEST

START_TEST(test_enabling_interrupts_over_an_event_signals)
{
	create_default();
	boot();
	write_port(SLOT_CONTROL, 1, PCI_EXP_SLTCTL_ABPE);
	plug(&drive_a);
	forget_transcript();

	write_port(SLOT_CONTROL, 1, PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_HPIE);

	assert_transcript("msi fee00000 41\n");
}
END_TEST

/* Stories. */

START_TEST(test_pull_severs_then_tells_then_releases)
{
	create_default();
	boot_with_drive();

	hb_root_port_pull(port, &drive_a.function);
	assert_transcript("sever A\nmsi fee00000 41\n");
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 1, 0, 0, 4), 0xffffffff);
	run_loop();

	assert_transcript("SEVERED(PULL) A\nrelease A\n");
	finish_release(&drive_a);
	assert_transcript("RELEASED A\n");
}
END_TEST

START_TEST(test_orderly_removal_reports_each_step)
{
	create_default();
	boot_with_drive();

	request_removal();
	clear_events();
	set_indicator(BLINK);
	set_indicator(OFF);
	run_loop();

	assert_transcript("msi fee00000 41\nsever A\nmsi fee00000 41\n"
			  "REMOVAL_REQUESTED A\nSEVERED(REQUEST) A\nrelease A\n");
}
END_TEST

START_TEST(test_newcomer_waits_unseen_and_enters_in_turn)
{
	create_default();
	boot_with_drive();
	hb_root_port_pull(port, NULL);
	clear_events();
	run_loop();
	forget_transcript();

	plug(&drive_b);
	run_loop();
	assert_transcript("");
	ck_assert_ptr_null(hb_host_bridge_find(bridge, 1, 0));
	set_indicator(OFF);
	run_loop();

	assert_transcript("attach B\nmsi fee00000 41\nPLUGGED B\n");
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 1, 0), &drive_b.function);
}
END_TEST

START_TEST(test_pull_of_the_newcomer_ends_its_wait)
{
	create_default();
	boot_with_drive();
	hb_root_port_pull(port, NULL);
	plug(&drive_b);
	run_loop();
	forget_transcript();

	hb_root_port_pull(port, &drive_b.function);
	run_loop();

	assert_transcript("sever B\nSEVERED(PULL) B\nrelease B\n");
}
END_TEST

START_TEST(test_late_witness_does_not_take_the_successor)
{
	create_default();
	boot_with_drive();
	hb_root_port_pull(port, &drive_a.function);
	clear_events();
	set_indicator(OFF);
	plug(&drive_b);
	run_loop();
	forget_transcript();

	hb_root_port_pull(port, &drive_a.function);
	run_loop();

	assert_transcript("");
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 1, 0), &drive_b.function);
}
END_TEST

static gpointer pull_from_thread(gpointer data)
{
	hb_root_port_pull(port, data);
	return NULL;
}

START_TEST(test_pull_from_another_thread_reports_on_the_loop)
{
	create_default();
	boot_with_drive();

	g_thread_join(g_thread_new("pull", pull_from_thread, &drive_a.function));
	assert_transcript("sever A\nmsi fee00000 41\n");
	run_loop();

	assert_transcript("SEVERED(PULL) A\nrelease A\n");
}
END_TEST

START_TEST(test_guest_that_does_not_answer_is_reported)
{
	HbRootPortConfig config = get_config();

	config.removal_timeout_ms = 5;
	create(&config);
	boot_with_drive();

	request_removal();
	forget_transcript();
	run_loop();
	forget_transcript();
	g_main_context_iteration(host->context, TRUE);
	run_loop();

	assert_transcript("REMOVAL_REFUSED(TIMED_OUT) A\n");
	request_removal();
	assert_transcript("msi fee00000 41\n");
}
END_TEST

START_TEST(test_guest_that_cancels_is_reported)
{
	create_default();
	boot_with_drive();
	request_removal();
	clear_events();
	set_indicator(BLINK);
	run_loop();
	forget_transcript();

	set_indicator(ON);
	run_loop();

	assert_transcript("REMOVAL_REFUSED(CANCELLED) A\n");
}
END_TEST

START_TEST(test_power_off_by_the_guest_resets_and_hides_the_drive)
{
	HbRootPortConfig config = get_config();

	config.power_controller = TRUE;
	create(&config);
	boot_with_drive();

	write_port(SLOT_CONTROL, 2, read_port(SLOT_CONTROL, 2) | PCI_EXP_SLTCTL_PCC);
	assert_transcript("reset A\nmsi fee00000 41\n");
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 1, 0, 0, 4), 0xffffffff);
	write_port(SLOT_CONTROL, 2, read_port(SLOT_CONTROL, 2) & ~PCI_EXP_SLTCTL_PCC);

	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 1, 0, 0, 4), 0x5a);
}
END_TEST

START_TEST(test_secondary_bus_reset_resets_the_drive_once)
{
	create_default();
	boot_with_drive();

	write_port(PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
	write_port(PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CTL_BUS_RESET);
	write_port(PCI_BRIDGE_CONTROL, 2, 0);

	assert_transcript("reset A\n");
	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), PDS);
}
END_TEST

START_TEST(test_reset_of_the_vm_leaves_the_port_as_firmware_would)
{
	create_default();
	boot_with_drive();

	hb_host_bridge_reset(bridge);

	assert_transcript("reset A\n");
	ck_assert_uint_eq(read_port(SLOT_CONTROL, 2), ON | PCI_EXP_SLTCTL_ATTN_IND_OFF);
	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), PDS);
	ck_assert_uint_eq(read_port(PCI_SECONDARY_BUS, 1), 0);
	ck_assert_uint_eq(read_port(MSI_CONTROL, 2) & PCI_MSI_FLAGS_ENABLE, 0);
	ck_assert_uint_eq(read_port(LINK_STATUS, 2) & PCI_EXP_LNKSTA_DLLLA, PCI_EXP_LNKSTA_DLLLA);
}
END_TEST

START_TEST(test_reset_of_the_vm_completes_a_removal)
{
	create_default();
	boot_with_drive();
	request_removal();
	run_loop();
	forget_transcript();

	hb_host_bridge_reset(bridge);
	run_loop();

	assert_transcript("sever A\nSEVERED(RESET) A\nrelease A\n");
}
END_TEST

START_TEST(test_port_that_sleeps_hides_the_drive)
{
	create_default();
	boot_with_drive();

	write_port(PM_CONTROL, 2, 3);
	ck_assert_ptr_null(hb_host_bridge_find(bridge, 1, 0));
	write_port(PM_CONTROL, 2, 1);
	ck_assert_uint_eq(read_port(PM_CONTROL, 2) & PCI_PM_CTRL_STATE_MASK, 3);
	write_port(PM_CONTROL, 2, 0);

	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 1, 0), &drive_a.function);
}
END_TEST

START_TEST(test_only_device_zero_answers_behind_the_link)
{
	create_default();
	boot_with_drive();

	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 1, 0), &drive_a.function);
	ck_assert_ptr_null(hb_host_bridge_find(bridge, 1, 1));
	ck_assert_ptr_null(hb_host_bridge_find(bridge, 1, HB_PCI_DEVFN(1, 0)));
	ck_assert_ptr_null(hb_host_bridge_find(bridge, 2, 0));
}
END_TEST

START_TEST(test_info_is_what_the_registers_say)
{
	HbSlotInfo info;

	create_default();
	boot_with_drive();
	request_removal();

	hb_root_port_get_info(port, &info);

	ck_assert_str_eq(info.state, "REMOVAL_REQUESTED");
	ck_assert_ptr_eq(info.occupant, &drive_a.function);
	ck_assert_uint_eq(info.secondary_bus, 1);
	ck_assert(info.presence && info.link_active && info.removal_pending);
	ck_assert_int_eq(info.power_indicator, HB_INDICATOR_ON);
	ck_assert_int_eq(info.attention_indicator, HB_INDICATOR_OFF);
	ck_assert_uint_eq(info.slot_control, read_port(SLOT_CONTROL, 2));
	ck_assert_uint_eq(info.slot_status, read_port(SLOT_STATUS, 2));
}
END_TEST

/* Refusals. */

START_TEST(test_plug_into_an_occupied_slot_is_busy)
{
	g_autoptr(GError) error = NULL;

	create_default();
	boot_with_drive();

	ck_assert(!hb_root_port_plug(port, &drive_b.function, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	ck_assert_ptr_nonnull(strstr(error->message, "bay0"));
	ck_assert_ptr_null(drive_b.function.port);
}
END_TEST

START_TEST(test_plug_behind_a_waiting_newcomer_is_busy)
{
	g_autoptr(GError) error = NULL;
	Drive third = { .function.ops = &drive_ops, .name = "C" };

	create_default();
	boot_with_drive();
	hb_root_port_pull(port, NULL);
	plug(&drive_b);

	ck_assert(!hb_root_port_plug(port, &third.function, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_slot_without_hotplug_takes_only_a_cold_plug)
{
	HbRootPortConfig config = get_config();
	g_autoptr(GError) error = NULL;

	config.hotplug = FALSE;
	create(&config);
	plug(&drive_a);
	hb_root_port_set_running(port);
	ck_assert(!hb_root_port_request_removal(port, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	g_clear_error(&error);
	hb_root_port_pull(port, NULL);

	ck_assert(!hb_root_port_plug(port, &drive_b.function, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
	ck_assert_uint_eq(read_port(SLOT_STATUS, 2), 0);
}
END_TEST

START_TEST(test_request_for_an_empty_slot_finds_nothing)
{
	g_autoptr(GError) error = NULL;

	create_default();

	ck_assert(!hb_root_port_request_removal(port, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(test_second_request_is_busy)
{
	g_autoptr(GError) error = NULL;

	create_default();
	boot_with_drive();
	request_removal();

	ck_assert(!hb_root_port_request_removal(port, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_request_without_a_button_is_unsupported)
{
	HbRootPortConfig config = get_config();
	g_autoptr(GError) error = NULL;

	config.attention_button = FALSE;
	create(&config);
	boot_with_drive();

	ck_assert(!hb_root_port_request_removal(port, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_UNSUPPORTED));
}
END_TEST

START_TEST(test_port_with_a_wrong_configuration_is_refused)
{
	HbRootPortConfig wrong[3] = { get_config(), get_config(), get_config() };

	wrong[0].id = NULL;
	wrong[1].slot = 0x2000;
	wrong[2].mem32_size = 1;
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		ck_assert_ptr_null(hb_root_port_create(bridge, &wrong[i], &error));
		ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	}
}
END_TEST

START_TEST(test_port_on_a_taken_address_is_busy)
{
	HbRootPortConfig config = get_config();
	g_autoptr(GError) error = NULL;

	create_default();

	ck_assert_ptr_null(hb_root_port_create(bridge, &config, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
}
END_TEST

START_TEST(test_port_asks_for_its_windows)
{
	HbRootPortConfig config = get_config();
	guint64 mem32, mem64;

	config.mem32_size = 3 * MIB;
	config.mem64_size = 512 * MIB;
	create(&config);

	ck_assert(hb_host_bridge_get_window_sizes(bridge, DEVFN, &mem32, &mem64));
	ck_assert_uint_eq(mem32, 3 * MIB);
	ck_assert_uint_eq(mem64, 512 * MIB);
}
END_TEST

/* Ends. Each of these destroys the bridge itself, and leaves tear_down() another. */

static void destroy_bridge(void)
{
	HbHostBridgeConfig config = { .ecam = { 0xe0000000, MIB } };

	hb_host_bridge_destroy(bridge);
	bridge = hb_host_bridge_create(host->host, &config, NULL);
}

START_TEST(test_bridge_takes_occupant_and_newcomer_with_it)
{
	create_default();
	boot_with_drive();
	hb_root_port_pull(port, NULL);
	plug(&drive_b);
	forget_transcript();

	destroy_bridge();

	/* A is in the queue: severed, not released yet. */
	assert_transcript("sever B\nrelease-now A\nrelease-now B\n");
}
END_TEST

START_TEST(test_bridge_waits_for_a_release_in_a_worker)
{
	create_default();
	boot_with_drive();
	drive_a.in_worker = TRUE;
	hb_root_port_pull(port, NULL);
	run_loop();
	forget_transcript();

	destroy_bridge();

	/* The listener hears nothing any more; run_loop() in tear_down() would find a late source.
	 */
	assert_transcript("");
	ck_assert(!g_main_context_pending(host->context));
}
END_TEST

static void plug_again(HbRootPort *from, HbSlotEvent event, HbSlotReason reason,
		       HbPciFunction *function, gpointer data)
{
	tell(hb_slot_event_to_str(event), function ? ((Drive *)function)->name : "-");
	if (event == HB_SLOT_RELEASED)
		plug(&drive_b);
}

START_TEST(test_listener_may_plug_the_next)
{
	create_default();
	hb_root_port_set_running(port);
	plug(&drive_a);
	hb_root_port_pull(port, NULL);
	run_loop();
	forget_transcript();
	hb_root_port_set_listener(port, plug_again, NULL);

	finish_release(&drive_a);

	assert_transcript("RELEASED A\nattach B\nINDICATORS B\nPLUGGED B\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("root-port");
	TCase *cases = tcase_create("cases");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, test_port_is_a_bridge_with_its_capabilities_in_order);
	tcase_add_test(cases, test_slot_capabilities_say_what_was_configured);
	tcase_add_test(cases, test_link_status_has_width_and_speed_only_while_active);
	tcase_add_test(cases, test_slot_status_zeros_and_state_bits_clear_nothing);
	tcase_add_test(cases, test_event_between_read_and_clear_survives);
	tcase_add_test(cases, test_read_only_registers_stay);
	tcase_add_test(cases, test_interrupt_comes_once_until_the_events_are_cleared);
	tcase_add_test(cases, test_masked_interrupt_is_pending_and_comes_at_the_unmasking);
	tcase_add_test(cases, test_pending_interrupt_goes_with_its_cause);
	tcase_add_test(cases, test_nothing_is_signalled_while_msi_is_off);
	tcase_add_test(cases, test_enabling_interrupts_over_an_event_signals);
	tcase_add_test(cases, test_pull_severs_then_tells_then_releases);
	tcase_add_test(cases, test_orderly_removal_reports_each_step);
	tcase_add_test(cases, test_newcomer_waits_unseen_and_enters_in_turn);
	tcase_add_test(cases, test_pull_of_the_newcomer_ends_its_wait);
	tcase_add_test(cases, test_late_witness_does_not_take_the_successor);
	tcase_add_test(cases, test_pull_from_another_thread_reports_on_the_loop);
	tcase_add_test(cases, test_guest_that_does_not_answer_is_reported);
	tcase_add_test(cases, test_guest_that_cancels_is_reported);
	tcase_add_test(cases, test_power_off_by_the_guest_resets_and_hides_the_drive);
	tcase_add_test(cases, test_secondary_bus_reset_resets_the_drive_once);
	tcase_add_test(cases, test_reset_of_the_vm_leaves_the_port_as_firmware_would);
	tcase_add_test(cases, test_reset_of_the_vm_completes_a_removal);
	tcase_add_test(cases, test_port_that_sleeps_hides_the_drive);
	tcase_add_test(cases, test_only_device_zero_answers_behind_the_link);
	tcase_add_test(cases, test_info_is_what_the_registers_say);
	tcase_add_test(cases, test_plug_into_an_occupied_slot_is_busy);
	tcase_add_test(cases, test_plug_behind_a_waiting_newcomer_is_busy);
	tcase_add_test(cases, test_slot_without_hotplug_takes_only_a_cold_plug);
	tcase_add_test(cases, test_request_for_an_empty_slot_finds_nothing);
	tcase_add_test(cases, test_second_request_is_busy);
	tcase_add_test(cases, test_request_without_a_button_is_unsupported);
	tcase_add_test(cases, test_port_with_a_wrong_configuration_is_refused);
	tcase_add_test(cases, test_port_on_a_taken_address_is_busy);
	tcase_add_test(cases, test_port_asks_for_its_windows);
	tcase_add_test(cases, test_bridge_takes_occupant_and_newcomer_with_it);
	tcase_add_test(cases, test_bridge_waits_for_a_release_in_a_worker);
	tcase_add_test(cases, test_listener_may_plug_the_next);
	tcase_add_loop_test(cases, test_slot_control_keeps_exactly_the_bits_that_exist, 0,
			    3 * (int)G_N_ELEMENTS(controls));
	tcase_add_loop_test(cases, test_slot_status_clears_exactly_the_ones_written, 0, 12);
	suite_add_tcase(suite, cases);
	return suite;
}
