/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * A hypervisor that is none: no KVM, no VFIO, a loop of its own around poll(), and the installed
 * headers only. It plugs a function that exists on paper, plays the guest's hot-plug driver, and
 * says in TAP whether registers, interrupts and events were as PCIe and the headers promise.
 */

#include <hotbay/hotbay.h>

#include <linux/pci_regs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB	    (1024ULL * 1024)
#define PORT_DEVFN  HB_PCI_DEVFN(4, 0)
#define PATIENCE_MS 5000
#define VENDOR	    0x1b36

#define MSI_ADDRESS 0xfee00000u
#define MSI_DATA    0x31u

/* -- The host: what the library asks of a hypervisor, written down. -- */

static guint n_messages;
static HbMsiMessage last_message;

static gboolean map(HbHost *host, guint64 gpa, guint64 size, gpointer hva, guint *slot,
		    GError **error)
{
	(void)host, (void)gpa, (void)size, (void)hva, (void)slot;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "there is no memory here");
	return FALSE;
}

static void unmap(HbHost *host, guint slot)
{
	(void)host, (void)slot;
}

static gboolean signal_msi(HbHost *host, const HbMsiMessage *message, GError **error)
{
	(void)host, (void)error;
	n_messages++;
	last_message = *message;
	return TRUE;
}

/* A hypervisor without routes refuses them: interrupts of drives then come by signal_msi. */
static gboolean route_add(HbHost *host, guint *route, GError **error)
{
	(void)host, (void)route;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "there are no routes here");
	return FALSE;
}

static const HbHostOps host_ops = {
	.map = map,
	.unmap = unmap,
	.signal_msi = signal_msi,
	.route_add = route_add,
};

/* -- The function on paper. -- */

static guint n_released;

static guint32 paper_read(HbPciFunction *function, guint offset, guint size)
{
	(void)function, (void)size;
	return offset == PCI_VENDOR_ID ? VENDOR : 0;
}

static void paper_write(HbPciFunction *function, guint offset, guint size, guint32 value)
{
	(void)function, (void)offset, (void)size, (void)value;
}

static void paper_attach(HbPciFunction *function, HbHostBridge *bridge)
{
	(void)function, (void)bridge;
}

static void paper_do_nothing(HbPciFunction *function)
{
	(void)function;
}

static void paper_release(HbPciFunction *function, HbPciFunctionReleased done, gpointer data)
{
	n_released++;
	free(function);
	if (done)
		done(data);
}

static const HbPciFunctionOps paper_ops = {
	.config_read = paper_read,
	.config_write = paper_write,
	.attach = paper_attach,
	.reset = paper_do_nothing,
	.bus_reset = paper_do_nothing,
	.sever = paper_do_nothing,
	.release = paper_release,
};

static HbPciFunction *paper; /* the last one */

static HbPciFunction *new_paper(void)
{
	paper = calloc(1, sizeof(*paper));
	paper->ops = &paper_ops;
	return paper;
}

/* -- The guest, at the port's registers. -- */

static HbHostBridge *bridge;
static guint express, msi;

static guint16 read_port(guint offset)
{
	return (guint16)hb_host_bridge_config_read(bridge, 0, PORT_DEVFN, offset, 2);
}

static void write_port(guint offset, guint size, guint32 value)
{
	hb_host_bridge_config_write(bridge, 0, PORT_DEVFN, offset, size, value);
}

static guint find_capability(guint8 id)
{
	guint at = read_port(PCI_CAPABILITY_LIST) & 0xff;

	while (at && (read_port(at) & 0xff) != id)
		at = read_port(at) >> 8;
	return at;
}

static void load_driver(void)
{
	express = find_capability(PCI_CAP_ID_EXP);
	msi = find_capability(PCI_CAP_ID_MSI);
	write_port(msi + PCI_MSI_ADDRESS_LO, 4, MSI_ADDRESS);
	write_port(msi + PCI_MSI_ADDRESS_HI, 4, 0);
	write_port(msi + PCI_MSI_DATA_64, 2, MSI_DATA);
	write_port(msi + PCI_MSI_FLAGS, 2, read_port(msi + PCI_MSI_FLAGS) | PCI_MSI_FLAGS_ENABLE);
	write_port(express + PCI_EXP_SLTCTL, 2,
		   PCI_EXP_SLTCTL_ABPE | PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_HPIE |
			   PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_ATTN_IND_OFF);
}

static guint16 slot_status(void)
{
	return read_port(express + PCI_EXP_SLTSTA);
}

static gboolean is_link_active(void)
{
	return (read_port(express + PCI_EXP_LNKSTA) & PCI_EXP_LNKSTA_DLLLA) != 0;
}

/* As an interrupt handler does: what was set is written back. */
static guint16 take_slot_events(void)
{
	guint16 status = slot_status();

	write_port(express + PCI_EXP_SLTSTA, 2, status);
	return status;
}

static void set_power_indicator(guint16 value)
{
	guint16 control = read_port(express + PCI_EXP_SLTCTL);

	write_port(express + PCI_EXP_SLTCTL, 2, (control & ~PCI_EXP_SLTCTL_PIC) | value);
}

static guint32 read_vendor(void)
{
	guint8 bus = read_port(PCI_SECONDARY_BUS) & 0xff;

	return hb_host_bridge_config_read(bridge, bus, 0, PCI_VENDOR_ID, 2);
}

/* -- The embedder's loop. -- */

static HbLoop *loop;
static GThread *loop_thread;
static guint n_wrong_thread;
static guint seen[HB_EVENT_N_TYPES];
static guint64 last_request; /* what we asked for, by number */
static guint64 last_ended;   /* and what has ended */
static guint n_ended;

static void on_event(const HbEvent *event, gpointer data)
{
	(void)data;
	seen[event->type]++;
	if (event->ends_request) {
		last_ended = event->request;
		n_ended++;
	}
	n_wrong_thread += g_thread_self() != loop_thread;
}

/* Until the event has come, and no longer than PATIENCE_MS between two wake-ups. */
static gboolean wait_for(HbEventType type)
{
	struct pollfd polled = { .fd = hb_loop_get_fd(loop), .events = POLLIN };

	while (!seen[type] && poll(&polled, 1, PATIENCE_MS) == 1)
		hb_loop_dispatch(loop);
	return seen[type] > 0;
}

/* -- The story. -- */

static guint n_checks, n_failed;

static void check(gboolean good, const char *what)
{
	n_checks++;
	n_failed += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", n_checks, what);
}

/* A launch flag, as our operator would give it. Without @parent every port is a root port. */
static HbPort *create_port(const char *flag, GError **error)
{
	g_autoptr(HbDeviceOptions) options = hb_device_options_create();

	if (!hb_device_options_parse(options, flag, error) ||
	    !hb_device_options_check(options, error))
		return NULL;
	if (hb_device_options_get_n_switches(options)) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED, "there are no switches here");
		return NULL;
	}
	HbPortConfig config = hb_device_options_get_port(options, 0)->config;

	return hb_port_create(bridge, &config, error);
}

static HbPort *build(HbHost *host)
{
	HbHostBridgeConfig windows = {
		.ecam = { 0xb0000000, 16 * MIB },
		.mem32 = { 0xc0000000, 256 * MIB },
		.mem64 = { 0x100000000, 1024 * MIB },
	};
	g_autoptr(GError) error = NULL;
	HbPort *port = NULL;

	bridge = hb_host_bridge_create(host, &windows, &error);
	if (bridge)
		port = create_port("pcie-root-port,id=bay0,chassis=1,slot=1,addr=4.0", &error);
	if (port && hb_host_bridge_lay_out(bridge, &error))
		return port;
	printf("Bail out! %s\n", error->message);
	exit(EXIT_FAILURE);
}

static void plug(HbPort *port)
{
	memset(seen, 0, sizeof(seen));
	n_messages = 0;
	check(hb_port_plug(port, new_paper(), ++last_request, NULL), "a function is plugged");
	check(wait_for(HB_EVENT_PLUGGED) && last_ended == last_request,
	      "the loop's descriptor brings the event, which ends the request");
}

static void tell_of_plug(HbPort *port)
{
	check(slot_status() == 0 && read_vendor() == 0xffff, "the slot is empty");
	plug(port);
	check(n_messages == 1 && last_message.address == MSI_ADDRESS &&
		      last_message.data == MSI_DATA,
	      "the guest has one interrupt, its own message");
	check((take_slot_events() & (PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_DLLSC)) ==
			      (PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_DLLSC) &&
		      is_link_active(),
	      "it sees presence, and its link come up");
	check(read_vendor() == VENDOR, "it finds the function behind the port");
	set_power_indicator(PCI_EXP_SLTCTL_PWR_IND_ON);
}

static void tell_of_removal(HbPort *port)
{
	n_messages = 0;
	check(hb_port_request_removal_of(port, paper, NULL, ++last_request, NULL),
	      "a removal is asked for");
	check(n_messages == 1 && (take_slot_events() & PCI_EXP_SLTSTA_ABP),
	      "the guest sees the attention button pressed");
	set_power_indicator(PCI_EXP_SLTCTL_PWR_IND_BLINK);
	check(read_vendor() == VENDOR, "until it lets go, the function is there");
	set_power_indicator(PCI_EXP_SLTCTL_PWR_IND_OFF);
	check(wait_for(HB_EVENT_RELEASED) && seen[HB_EVENT_SEVERED] == 1 && n_released == 1,
	      "then it is severed and released");
	check(last_ended == last_request, "which ends that request");
	check(read_vendor() == 0xffff, "and the slot is empty again");
	take_slot_events();
}

static void tell_of_pull(HbPort *port)
{
	plug(port);
	take_slot_events();
	n_messages = 0;
	hb_port_pull(port, NULL);
	check(read_vendor() == 0xffff, "a pulled function is gone when the call returns");
	check(n_messages == 1 && (slot_status() & PCI_EXP_SLTSTA_DLLSC) &&
		      !(slot_status() & PCI_EXP_SLTSTA_PDS) && !is_link_active(),
	      "the guest has one interrupt, no presence and no link");
	check(wait_for(HB_EVENT_RELEASED) && n_released == 2, "it is released");
}

int main(void)
{
	loop = hb_loop_create(NULL);
	loop_thread = g_thread_self();
	HbHost *host = hb_host_create(&host_ops, NULL, hb_loop_get_context(loop));
	HbPort *port = build(host);

	hb_host_set_listener(host, on_event, NULL);
	hb_port_set_running(port);
	load_driver();
	tell_of_plug(port);
	tell_of_removal(port);
	tell_of_pull(port);
	check(n_wrong_thread == 0, "all events came from the dispatch call");
	check(n_ended == last_request, "each request has ended, once");
	plug(port);
	hb_host_set_listener(host, NULL, NULL);
	hb_host_bridge_destroy(bridge);
	check(n_released == 3, "the bridge takes its last function along");
	hb_host_destroy(host);
	hb_loop_destroy(loop);
	printf("1..%u\n", n_checks);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
