/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* A root port on a real host bridge, with a guest and two drives that exist only on paper. */

#include "tests/unit/hw/scene.h"

#include "tests/unit/suite.h"

FakeHost *scene_host;
HbHostBridge *scene_bridge;
HbPort *scene_port;
Drive scene_drive_a, scene_drive_b;

void scene_tell(const char *what, const char *who)
{
	g_string_append_printf(scene_host->calls, "%s %s\n", what, who);
}

/* No BARs: whoever sizes them is not worth telling. */
static gboolean is_bar(guint offset)
{
	return offset >= PCI_BASE_ADDRESS_0 && offset <= PCI_BASE_ADDRESS_5;
}

static guint32 drive_read(HbPciFunction *function, guint offset, guint size)
{
	return is_bar(offset) ? 0 : 0x5a;
}

static void drive_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	if (!is_bar(offset))
		scene_tell("write", ((Drive *)function)->name);
}

static void drive_attach(HbPciFunction *function, HbHostBridge *to)
{
	ck_assert_ptr_eq(to, scene_bridge);
	scene_tell("attach", ((Drive *)function)->name);
}

static void drive_reset(HbPciFunction *function)
{
	scene_tell("reset", ((Drive *)function)->name);
}

static void drive_bus_reset(HbPciFunction *function)
{
	scene_tell("bus-reset", ((Drive *)function)->name);
}

static void drive_sever(HbPciFunction *function)
{
	scene_tell("sever", ((Drive *)function)->name);
}

static gboolean drive_revoke(HbPciFunction *function)
{
	scene_tell("revoke", ((Drive *)function)->name);
	return TRUE;
}

/* The last of a drive's release, on the loop. */
gboolean scene_finish_release(gpointer data)
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
	g_main_context_invoke(scene_host->context, scene_finish_release, drive);
	return NULL;
}

static void drive_release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	Drive *drive = (Drive *)function;

	scene_tell(done ? "release" : "release-now", drive->name);
	drive->done = done;
	drive->data = data;
	if (done && drive->in_worker)
		g_thread_unref(g_thread_new("release", end_release, drive));
}

const HbPciFunctionOps scene_drive_ops = {
	.config_read = drive_read,
	.config_write = drive_write,
	.attach = drive_attach,
	.reset = drive_reset,
	.bus_reset = drive_bus_reset,
	.sever = drive_sever,
	.revoke = drive_revoke,
	.release = drive_release,
};

/* "PLUGGED A", and " #7" with a request's number, " #7." with its end. */
static void listen(const HbEvent *event, gpointer data)
{
	HbSlotReason reason = event->reason;

	ck_assert_ptr_eq(event->port, scene_port);
	ck_assert_int_gt(event->time_us, 0);
	ck_assert_int_le(event->time_us, g_get_monotonic_time());
	ck_assert(event->request || !event->ends_request);
	if (event->type == HB_EVENT_INDICATORS)
		return;
	g_string_append_printf(scene_host->calls, "%s", hb_event_type_to_str(event->type));
	if (reason != HB_SLOT_REASON_NONE)
		g_string_append_printf(scene_host->calls, "(%s)", hb_slot_reason_to_str(reason));
	if (event->type == HB_EVENT_ERROR_CONTAINED)
		g_string_append_printf(scene_host->calls, "(%s)",
				       hb_port_failure_to_str(event->failure));
	g_string_append_printf(scene_host->calls, " %s",
			       event->function ? ((Drive *)event->function)->name : "-");
	if (event->request)
		g_string_append_printf(scene_host->calls, " #%" G_GUINT64_FORMAT "%s",
				       event->request, event->ends_request ? "." : "");
	g_string_append_c(scene_host->calls, '\n');
}

void scene_run_loop(void)
{
	while (g_main_context_iteration(scene_host->context, FALSE))
		;
}

void scene_assert_transcript(const char *expected)
{
	g_autofree char *calls = fake_host_take_calls(scene_host);

	ck_assert_str_eq(calls, expected);
}

void scene_forget_transcript(void)
{
	g_free(fake_host_take_calls(scene_host));
}

guint32 scene_read_port(guint offset, guint size)
{
	return hb_host_bridge_config_read(scene_bridge, 0, DEVFN, offset, size);
}

void scene_write_port(guint offset, guint size, guint32 value)
{
	hb_host_bridge_config_write(scene_bridge, 0, DEVFN, offset, size, value);
}

void scene_create(const HbPortConfig *config)
{
	g_autoptr(GError) error = NULL;

	scene_port = hb_port_create(scene_bridge, config, &error);
	ck_assert_msg(scene_port != NULL, "%s", error ? error->message : "");
	hb_host_set_listener(scene_host->host, listen, NULL);
}

HbPortConfig scene_get_config(void)
{
	HbPortConfig config;

	hb_port_config_init(&config);
	config.id = "bay0";
	config.devfn = DEVFN;
	config.chassis = 1;
	config.slot = 5;
	return config;
}

void scene_create_default(void)
{
	HbPortConfig config = scene_get_config();

	scene_create(&config);
}

/* The guest enables MSI, numbers the buses, and listens as Linux does. */
void scene_boot(void)
{
	hb_port_set_running(scene_port);
	scene_write_port(PCI_PRIMARY_BUS, 4, 0x00010100);
	scene_write_port(HB_PORT_MSI + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
	scene_write_port(HB_PORT_MSI + PCI_MSI_DATA_64, 2, 0x41);
	scene_write_port(MSI_CONTROL, 2, PCI_MSI_FLAGS_ENABLE);
	scene_write_port(SLOT_STATUS, 2, 0xffff);
	scene_write_port(
		SLOT_CONTROL, 2,
		(scene_read_port(SLOT_CONTROL, 2) & (PCI_EXP_SLTCTL_PIC | PCI_EXP_SLTCTL_PCC)) |
			PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_ABPE);
	scene_run_loop();
	scene_forget_transcript();
}

void scene_set_indicator(guint16 value)
{
	scene_write_port(SLOT_CONTROL, 2,
			 (scene_read_port(SLOT_CONTROL, 2) & ~PCI_EXP_SLTCTL_PIC) | value);
}

void scene_clear_events(void)
{
	scene_write_port(SLOT_STATUS, 2, 0xffff);
}

void scene_plug(Drive *drive)
{
	g_autoptr(GError) error = NULL;

	hb_port_plug(scene_port, &drive->function, 0, &error);
	ck_assert_msg(!error, "%s", error ? error->message : "");
}

/* A drive in use by a running guest; nothing in the transcript. */
void scene_boot_with_drive(void)
{
	scene_plug(&scene_drive_a);
	scene_boot();
}

void scene_request_removal(void)
{
	g_autoptr(GError) error = NULL;

	hb_port_request_removal(scene_port, &error);
	ck_assert_msg(!error, "%s", error ? error->message : "");
}

void scene_set_up(void)
{
	HbHostBridgeConfig config = {
		.ecam = { 0xe0000000, 256 * MIB },
		.mem32 = { 0xc0000000, 256 * MIB },
		.mem64 = { 0x100000000, 1024 * MIB },
	};

	scene_host = fake_host_create();
	scene_bridge = hb_host_bridge_create(scene_host->host, &config, NULL);
	ck_assert_ptr_nonnull(scene_bridge);
	scene_drive_a = (Drive){ .function.ops = &scene_drive_ops, .name = "A" };
	scene_drive_b = (Drive){ .function.ops = &scene_drive_ops, .name = "B" };
}

void scene_tear_down(void)
{
	Drive *drives[] = { &scene_drive_a, &scene_drive_b };

	scene_run_loop();
	for (guint i = 0; i < G_N_ELEMENTS(drives); i++) {
		if (drives[i]->done && !drives[i]->in_worker)
			scene_finish_release(drives[i]);
	}
	hb_host_bridge_destroy(scene_bridge);
	ck_assert_str_eq(scene_host->log->str, "");
	fake_host_destroy(scene_host);
}
