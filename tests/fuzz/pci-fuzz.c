/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a guest can send to the host bridge, its ports, a switch and a drive, with the operator's
 * requests and the host's pulls in between. Each 8 bytes of input are one operation. After each of
 * them the slots must make sense, and at the end every drive must be given back exactly once.
 */

#include "tests/unit/hw/fake-host.h"
#include "tests/unit/hw/model-drive.h"

#include <hotbay/switch.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* bay0 and bay1 on bus 0, bay2 and bay3 below a switch in the slot of a third root port. */
#define N_PORTS	 4
#define N_BELOW	 2
#define LAST_BUS 7

typedef enum Operation {
	OP_CONFIG_WRITE,
	OP_CONFIG_READ,
	OP_SLOT_WRITE, /* Slot Control and Status, which random offsets seldom hit */
	OP_MMIO_WRITE,
	OP_MMIO_READ,
	OP_PIO_WRITE,
	OP_PIO_READ,
	OP_INTERRUPT,
	OP_PLUG,
	OP_REQUEST_REMOVAL,
	OP_PULL,
	OP_RESET,
	OP_REVOKE,
	OP_ITERATE,
	N_OPERATIONS,
} Operation;

typedef struct Rig {
	FakeHost *fake;
	HbIrqRemap *remap;
	HbHostBridge *bridge;
	HbPort *ports[N_PORTS];
	gint alive;
} Rig;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NO_HOTPLUG 0x10

static HbPort *create_port(Rig *rig, guint number, HbSwitch *parent, guint8 devfn,
			   guint8 properties)
{
	g_autofree char *id = g_strdup_printf("bay%u", number);
	HbPortConfig port;

	hb_port_config_init(&port);
	port.id = id;
	port.parent = parent;
	port.devfn = devfn;
	port.slot = (guint16)(number + 1);
	port.hotplug = properties != NO_HOTPLUG;
	port.attention_button = properties & 1;
	port.power_controller = (properties & 2) != 0;
	port.indicators = (properties & 4) != 0;
	port.no_command_completed = (properties & 8) != 0;
	HbPort *created = hb_port_create(rig->bridge, &port, NULL);
	g_assert(created);
	return created;
}

static void rig_init(Rig *rig, guint8 properties)
{
	const HbHostBridgeConfig config = {
		.ecam = { 0xb0000000, 0x10000000 },
		.mem32 = { 0xc0000000, 0x30000000 },
		.mem64 = { 0x800000000, 0x100000000 },
	};

	memset(rig, 0, sizeof(*rig));
	rig->fake = fake_host_create();
	rig->remap = hb_irq_remap_create(rig->fake->host, 64);
	rig->bridge = hb_host_bridge_create(rig->fake->host, &config, NULL);
	for (guint i = 0; i < N_PORTS - N_BELOW; i++)
		rig->ports[i] = create_port(rig, i, NULL, HB_PCI_DEVFN(4 + i, 0), properties);
	HbPort *root = create_port(rig, N_PORTS, NULL, HB_PCI_DEVFN(6, 0), NO_HOTPLUG);
	HbSwitch *self = hb_switch_create(root, "up0", NULL);
	g_assert(self);
	for (guint i = N_PORTS - N_BELOW; i < N_PORTS; i++)
		rig->ports[i] = create_port(rig, i, self, HB_PCI_DEVFN(i, 0), properties);
	if (!hb_host_bridge_lay_out(rig->bridge, NULL))
		g_assert_not_reached();
}

static void iterate(Rig *rig)
{
	while (g_main_context_iteration(rig->fake->context, FALSE))
		continue;
	g_string_truncate(rig->fake->calls, 0);
	g_string_truncate(rig->fake->log, 0);
}

static void plug(Rig *rig, HbPort *port)
{
	HbPciFunction *drive = model_drive_create(rig->remap, &rig->alive);

	if (!hb_port_plug(port, drive, 0, NULL))
		drive->ops->release(drive, NULL, NULL);
}

/* By the operator or the host, of the occupant or the one in line, in some time. */
static void request_removal(HbPort *port, const uint8_t op[8])
{
	const HbRemoval removal = { .timeout_ms = op[4] % 4, .then_pull = op[5] & 1 };
	HbSlotInfo info;

	hb_port_get_info(port, &info);
	HbPciFunction *function = op[5] & 2 ? info.newcomer : info.occupant;
	if (op[5] & 4)
		hb_port_give_back(port, function, 0);
	else if (op[5] & 8)
		hb_port_request_removal(port, NULL);
	else
		hb_port_request_removal_of(port, function, &removal, 0, NULL);
}

static void run(Rig *rig, const uint8_t op[8])
{
	guint32 value;
	guint64 data = 0;
	HbPort *port = rig->ports[op[1] % N_PORTS];
	guint8 bus = op[1] % (LAST_BUS + 1);
	guint8 devfn = HB_PCI_DEVFN(bus ? op[1] / 8 % 4 : 4 + op[1] / 8 % 3, 0);
	guint size = 1u << op[2] % 3;
	guint offset = ((guint)op[3] | (guint)(op[2] & 0x80) << 1) & ~(size - 1);

	memcpy(&value, op + 4, sizeof(value));
	memcpy(&data, op + 4, sizeof(value));
	switch (op[0] % N_OPERATIONS) {
	case OP_CONFIG_WRITE:
		hb_host_bridge_config_write(rig->bridge, bus, devfn, offset, size, value);
		break;
	case OP_CONFIG_READ:
		hb_host_bridge_config_read(rig->bridge, bus, devfn, offset, size);
		break;
	case OP_SLOT_WRITE:
		for (offset = 0x40; offset < 0x100; offset += 4)
			if (hb_host_bridge_config_read(rig->bridge, bus, devfn, offset, 1) == 0x10)
				hb_host_bridge_config_write(rig->bridge, bus, devfn, offset + 0x18,
							    4, value);
		break;
	case OP_MMIO_WRITE:
	case OP_MMIO_READ:
		hb_host_bridge_mmio(rig->bridge, 0xb0000000 + (data & 0x4fffffff), &data,
				    1 + op[3] % 8, op[0] % N_OPERATIONS == OP_MMIO_WRITE);
		break;
	case OP_PIO_WRITE:
	case OP_PIO_READ:
		hb_host_bridge_pio(rig->bridge, (guint16)(0xcf8 + op[3] % 8), &value, size,
				   op[0] % N_OPERATIONS == OP_PIO_WRITE);
		break;
	case OP_PLUG:
		plug(rig, port);
		break;
	case OP_REQUEST_REMOVAL:
		request_removal(port, op);
		break;
	case OP_PULL:
		hb_port_pull(port, NULL);
		break;
	case OP_RESET:
		hb_host_bridge_reset(rig->bridge);
		break;
	case OP_REVOKE: {
		guint n_faults = 0;
		hb_host_bridge_revoke(rig->bridge, &n_faults);
		break;
	}
	case OP_INTERRUPT: {
		HbSlotInfo info;
		hb_port_get_info(port, &info);
		if (info.occupant)
			model_drive_interrupt(info.occupant, op[3]);
		break;
	}
	default:
		iterate(rig);
	}
}

static void check(Rig *rig)
{
	for (guint i = 0; i < N_PORTS; i++) {
		HbSlotInfo info;

		hb_port_get_info(rig->ports[i], &info);
		g_assert(!info.link_active || info.presence);
		g_assert(info.presence == (info.occupant != NULL));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Rig rig;

	if (size < 1 || size > 4096)
		return 0;
	rig_init(&rig, data[0] & 0xf);
	for (size_t i = 1; i + 8 <= size; i += 8) {
		run(&rig, data + i);
		check(&rig);
	}
	iterate(&rig);
	hb_host_bridge_destroy(rig.bridge);
	g_assert(rig.alive == 0);
	g_assert(hb_irq_remap_get_used(rig.remap) == 0);
	hb_irq_remap_destroy(rig.remap);
	fake_host_destroy(rig.fake);
	return 0;
}
