/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * What a guest sees of its drive's configuration space, and what it may do to it, as data.
 *
 * A register is one of three things. *Constant*: the guest reads what the drive had when it was
 * opened (or what the table says instead) and writes nothing. *Emulated*: the guest's writes stay
 * here. *Passed through*: reads come from the drive, and those writes reach it that the table
 * names. *Latched* bits are passed through in one direction: VFIO lets nobody clear them, so a bit
 * that the guest has cleared is hidden from it until the drive is seen without it, which is when
 * the host has cleared it. As long as the drive holds it, a second event cannot be told from the
 * first, by us or by anybody. A capability that the table does not name is hidden: it is cut out of
 * its chain and reads zero.
 *
 * What decides: the guest may use its own drive, but nothing that belongs to the path between drive
 * and memory (payload sizes, link control, address translation), which is the host's, nor what
 * outlives the guest (VPD writes, virtual functions). Memory Space Enable stays on in the drive;
 * the guest's copy only maps and unmaps the BARs, so that no mapping ever faults because its guest
 * switched it off.
 */

#include "vfio/config.h"

#include <hotbay/error.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <unistd.h>

/* One register: which of its bits are what. Bits in none of the masks are constant. */
typedef struct Register {
	guint16 offset; /* from the start of its header or capability */
	guint8 size;
	guint32 from_device;
	guint32 to_device;
	guint32 latched;  /* from the device, and written one to clear */
	guint32 emulated; /* writable, and begin as zero */
	guint32 hidden;	  /* read zero */
	guint32 ones;	  /* read one */
} Register;

typedef struct Capability {
	guint16 id;
	guint16 size;
	const Register *registers;
	guint n_registers;
} Capability;

#define ALL 0xffffffffu

/* Type 0 header, PCIe r6.0 §7.5.1.2 */
static const Register header_registers[] = {
	/* Bus Master Enable goes to the drive unless it is cut off; the guest's copy stays. */
	{ PCI_COMMAND, 2, .to_device = PCI_COMMAND_MASTER,
	  .emulated = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY | PCI_COMMAND_PARITY |
		      PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE,
	  .hidden = PCI_COMMAND_IO },
	{ PCI_STATUS, 2, .from_device = PCI_STATUS_INTERRUPT, .latched = 0xf900 },
	{ PCI_CACHE_LINE_SIZE, 1, .emulated = 0xff },
	{ PCI_LATENCY_TIMER, 1, .hidden = 0xff },
	{ PCI_HEADER_TYPE, 1, .hidden = 0x80 }, /* the guest gets one function of the device */
	{ PCI_BIST, 1, .hidden = 0xff },
	{ PCI_BASE_ADDRESS_0, 4, .hidden = ALL }, /* hw/bar fills in what is offered */
	{ PCI_BASE_ADDRESS_1, 4, .hidden = ALL },
	{ PCI_BASE_ADDRESS_2, 4, .hidden = ALL },
	{ PCI_BASE_ADDRESS_3, 4, .hidden = ALL },
	{ PCI_BASE_ADDRESS_4, 4, .hidden = ALL },
	{ PCI_BASE_ADDRESS_5, 4, .hidden = ALL },
	{ PCI_CARDBUS_CIS, 4, .hidden = ALL },
	{ PCI_ROM_ADDRESS, 4, .hidden = ALL }, /* an option ROM has no use without firmware */
	{ PCI_INTERRUPT_LINE, 1, .emulated = 0xff },
	{ PCI_INTERRUPT_PIN, 1, .hidden = 0xff }, /* vfio/intx shows it, if it works */
};

/*
 * Power Management, PCIe r6.0 §7.5.2: the drive stays in D0 while its guest has it, since every
 * change takes the kernel 10 ms and more. The guest's copy withdraws the BARs; No_Soft_Reset says
 * that nothing is lost. Wake-up events are the host's.
 */
static const Register pm_registers[] = {
	{ PCI_PM_PMC, 2, .hidden = PCI_PM_CAP_PME_MASK },
	{ PCI_PM_CTRL, 2, .emulated = PCI_PM_CTRL_STATE_MASK, .ones = PCI_PM_CTRL_NO_SOFT_RESET,
	  .hidden = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS },
};

/* MSI-X, PCIe r6.0 §7.7.2: hw/msix owns Message Control; table and PBA offsets are the drive's. */
static const Register msix_registers[] = {
	{ PCI_MSIX_FLAGS, 2, .hidden = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
};

/*
 * PCI Express, PCIe r6.0 §7.5.3. A function-level reset is carried out by vfio/device. Payload and
 * request sizes, ASPM and the link are agreed between the host's port and the drive.
 */
static const Register express_registers[] = {
	{ PCI_EXP_DEVCTL, 2,
	  .emulated = 0xffff & ~PCI_EXP_DEVCTL_BCR_FLR & ~PCI_EXP_DEVCTL_AUX_PME },
	{ PCI_EXP_DEVSTA, 2, .from_device = 0x0030, .latched = 0x000f },
	{ PCI_EXP_LNKCTL, 2, .emulated = 0x01cb },
	{ PCI_EXP_LNKSTA, 2, .from_device = 0x3fff },
	{ PCI_EXP_DEVCAP2, 4,
	  .hidden = PCI_EXP_DEVCAP2_ARI | PCI_EXP_DEVCAP2_ATOMIC_ROUTE | PCI_EXP_DEVCAP2_LTR |
		    PCI_EXP_DEVCAP2_OBFF_MASK },
	{ PCI_EXP_DEVCTL2, 2,
	  .emulated = PCI_EXP_DEVCTL2_COMP_TIMEOUT | PCI_EXP_DEVCTL2_COMP_TMOUT_DIS },
	{ PCI_EXP_LNKCTL2, 2, .emulated = 0x000f },
	{ PCI_EXP_LNKSTA2, 2, .from_device = 0x001f },
};

/* Advanced Error Reporting, PCIe r6.0 §7.8.4: the guest may look; the host acts. */
static const Register aer_registers[] = {
	{ PCI_ERR_UNCOR_STATUS, 4, .latched = ALL },
	{ PCI_ERR_COR_STATUS, 4, .latched = ALL },
	{ PCI_ERR_HEADER_LOG + 0, 4, .from_device = ALL },
	{ PCI_ERR_HEADER_LOG + 4, 4, .from_device = ALL },
	{ PCI_ERR_HEADER_LOG + 8, 4, .from_device = ALL },
	{ PCI_ERR_HEADER_LOG + 12, 4, .from_device = ALL },
};

#define REGISTERS(table) .registers = (table), .n_registers = G_N_ELEMENTS(table)

static const Capability capabilities[] = {
	{ PCI_CAP_ID_PM, PCI_PM_SIZEOF, REGISTERS(pm_registers) },
	{ PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF, REGISTERS(msix_registers) },
	{ PCI_CAP_ID_EXP, PCI_EXP_LNKSTA2 + 2, REGISTERS(express_registers) },
};

static const Capability extended_capabilities[] = {
	{ PCI_EXT_CAP_ID_ERR, PCI_ERR_ROOT_COMMAND, REGISTERS(aer_registers) },
	{ PCI_EXT_CAP_ID_DSN, PCI_EXT_CAP_DSN_SIZEOF, NULL, 0 },
};

static void set_bits(guint8 *mask, guint offset, guint size, guint32 bits)
{
	for (guint i = 0; i < size; i++)
		mask[offset + i] = (guint8)(bits >> (8 * i));
}

static void lay_register(HbVfioConfig *config, guint base, const Register *reg)
{
	guint offset = base + reg->offset;

	set_bits(config->from_device, offset, reg->size, reg->from_device | reg->latched);
	set_bits(config->to_device, offset, reg->size, reg->to_device);
	set_bits(config->latched, offset, reg->size, reg->latched);
	hb_config_space_set_writable(&config->space, offset, reg->size, reg->emulated);
	for (guint i = 0; i < reg->size; i++) {
		guint8 *value = &config->space.value[offset + i];

		*value &= (guint8)(~(reg->emulated | reg->hidden) >> (8 * i));
		*value |= (guint8)(reg->ones >> (8 * i));
	}
}

static const Capability *find_rule(const Capability *table, guint n, guint id)
{
	for (guint i = 0; i < n; i++)
		if (table[i].id == id)
			return &table[i];
	return NULL;
}

/* Copy a capability that is shown, cut at the end of the space, and lay its registers over it. */
static void show_capability(HbVfioConfig *config, const guint8 *image, guint offset, guint end,
			    const Capability *rule)
{
	guint size = MIN(rule->size, end - offset);

	memcpy(config->space.value + offset, image + offset, size);
	for (guint i = 0; i < rule->n_registers; i++)
		if (rule->registers[i].offset + rule->registers[i].size <= size)
			lay_register(config, offset, &rule->registers[i]);
}

static void remember_capability(HbVfioConfig *config, guint id, guint offset)
{
	if (id == PCI_CAP_ID_PM)
		config->pm = (guint16)offset;
	else if (id == PCI_CAP_ID_EXP)
		config->express = (guint16)offset;
	else if (id == PCI_CAP_ID_MSIX)
		config->msix = (guint16)offset;
}

/* The guest's chain holds the shown capabilities, at the offsets they have in the drive. */
static void build_chain(HbVfioConfig *config, const guint8 *image)
{
	guint link = PCI_CAPABILITY_LIST;
	guint offset = image[PCI_CAPABILITY_LIST] & ~3u;

	config->space.value[link] = 0;
	for (guint hops = 0; offset >= HB_CONFIG_HEADER_SIZE && hops < 48; hops++) {
		guint id = image[offset];
		guint next = image[offset + PCI_CAP_LIST_NEXT] & ~3u;
		const Capability *rule = find_rule(capabilities, G_N_ELEMENTS(capabilities), id);

		if (rule) {
			show_capability(config, image, offset, PCI_CFG_SPACE_SIZE, rule);
			config->space.value[link] = (guint8)offset;
			link = offset + PCI_CAP_LIST_NEXT;
			config->space.value[link] = 0;
			remember_capability(config, id, offset);
		}
		offset = next;
	}
}

/*
 * The extended chain begins at 0x100 whatever is there; when that capability is hidden a null one
 * (id 0, PCIe r6.0 §7.9.26) carries the link.
 */
static void build_extended_chain(HbVfioConfig *config, const guint8 *image)
{
	HbConfigSpace *space = &config->space;
	guint link = 0;
	guint offset = PCI_CFG_SPACE_SIZE;

	for (guint hops = 0; offset >= PCI_CFG_SPACE_SIZE && hops < 960; hops++) {
		guint32 header = 0;
		memcpy(&header, image + offset, sizeof(header));
		header = GUINT32_FROM_LE(header);
		const Capability *rule =
			find_rule(extended_capabilities, G_N_ELEMENTS(extended_capabilities),
				  PCI_EXT_CAP_ID(header));

		if (header == 0 || header == ALL)
			return;
		if (rule && offset + rule->size <= HB_CONFIG_SIZE) {
			show_capability(config, image, offset, HB_CONFIG_SIZE, rule);
			hb_config_space_set_u32(space, offset, header & 0x000fffff);
		} else if (offset == PCI_CFG_SPACE_SIZE) {
			hb_config_space_set_u32(space, offset, 1u << 16);
		}
		if (rule && link)
			hb_config_space_set_u32(
				space, link, hb_config_space_get_u32(space, link) | offset << 20);
		if (rule || offset == PCI_CFG_SPACE_SIZE)
			link = offset;
		offset = PCI_EXT_CAP_NEXT(header);
	}
}

/* A guest's root port expects an endpoint below it, whatever the host's topology makes of the
 * drive. */
static void be_an_endpoint(HbVfioConfig *config)
{
	if (!config->express)
		return;
	guint offset = config->express + PCI_EXP_FLAGS;
	guint16 flags = hb_config_space_get_u16(&config->space, offset);

	flags = (guint16)((flags & ~PCI_EXP_FLAGS_TYPE) | PCI_EXP_TYPE_ENDPOINT << 4);
	hb_config_space_set_u16(&config->space, offset, flags);
}

gboolean hb_vfio_config_init(HbVfioConfig *config, int device_fd, guint64 offset, GError **error)
{
	guint8 image[HB_CONFIG_SIZE] = { 0 };

	memset(config, 0, sizeof(*config));
	config->device_fd = device_fd;
	config->offset = offset;
	ssize_t n = pread(device_fd, image, sizeof(image), (off_t)offset);
	if (n < PCI_CFG_SPACE_SIZE) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "reading its configuration space through VFIO: %s",
			    n < 0 ? g_strerror(errno) : "it ends early");
		return FALSE;
	}
	hb_config_space_init(&config->space);
	memcpy(config->space.value, image, HB_CONFIG_HEADER_SIZE);
	for (guint i = 0; i < G_N_ELEMENTS(header_registers); i++)
		lay_register(config, 0, &header_registers[i]);
	build_chain(config, image);
	build_extended_chain(config, image);
	be_an_endpoint(config);
	return TRUE;
}

static gboolean any_set(const guint8 *mask, guint offset, guint size)
{
	for (guint i = 0; i < size; i++)
		if (mask[offset + i])
			return TRUE;
	return FALSE;
}

static gboolean peek(const HbVfioConfig *config, guint offset, guint size, guint8 *bytes)
{
	return pread(config->device_fd, bytes, size, (off_t)(config->offset + offset)) ==
	       (ssize_t)size;
}

static void poke(const HbVfioConfig *config, guint offset, guint size, const guint8 *bytes)
{
	/* A write that fails went to a drive that has gone, which its notifier tells: nothing to do
	 * here. */
	ssize_t n = pwrite(config->device_fd, bytes, size, (off_t)(config->offset + offset));

	(void)n;
}

/* What the drive does not hold any more may come again. Nothing is hidden of a drive that does not
 * answer: guests know it by its all-ones. */
static void hide_dismissed(HbVfioConfig *config, guint offset, guint size, guint8 *bytes)
{
	gboolean is_silent = TRUE;

	for (guint i = 0; i < size; i++)
		is_silent = is_silent && bytes[i] == 0xff;
	for (guint i = 0; i < size && !is_silent; i++) {
		config->dismissed[offset + i] &= bytes[i];
		bytes[i] &= (guint8)~config->dismissed[offset + i];
	}
}

static void dismiss(HbVfioConfig *config, guint offset, guint size, guint32 value)
{
	guint8 bytes[4];

	if (!any_set(config->latched, offset, size) || !peek(config, offset, size, bytes))
		return;
	for (guint i = 0; i < size; i++)
		config->dismissed[offset + i] |=
			(guint8)(value >> (8 * i)) & config->latched[offset + i] & bytes[i];
}

void hb_vfio_config_reset_latches(HbVfioConfig *config)
{
	memset(config->dismissed, 0, sizeof(config->dismissed));
}

guint32 hb_vfio_config_read(HbVfioConfig *config, guint offset, guint size)
{
	guint32 value = hb_config_space_read(&config->space, offset, size);
	guint8 bytes[4];

	if (!any_set(config->from_device, offset, size))
		return value;
	if (!peek(config, offset, size, bytes))
		memset(bytes, 0xff, sizeof(bytes));
	else
		hide_dismissed(config, offset, size, bytes);
	for (guint i = 0; i < size; i++) {
		guint32 mask = (guint32)config->from_device[offset + i] << (8 * i);

		value = (value & ~mask) | ((guint32)bytes[i] << (8 * i) & mask);
	}
	return value;
}

void hb_vfio_config_write(HbVfioConfig *config, guint offset, guint size, guint32 value)
{
	guint8 bytes[4];

	hb_config_space_write(&config->space, offset, size, value);
	dismiss(config, offset, size, value);
	if (!any_set(config->to_device, offset, size) || !peek(config, offset, size, bytes))
		return;
	if (config->cut_off && offset == PCI_COMMAND)
		value &= ~(guint32)PCI_COMMAND_MASTER;
	for (guint i = 0; i < size; i++) {
		guint8 guest = (guint8)(value >> (8 * i));
		guint8 set = config->to_device[offset + i];

		/* Bits of a write-1-to-clear byte are written as zero. */
		guint8 kept = config->latched[offset + i] ? 0 : (guint8)(bytes[i] & ~set);
		bytes[i] = (guint8)(kept | (guest & set));
	}
	poke(config, offset, size, bytes);
}

void hb_vfio_config_set_path(HbVfioConfig *config, gboolean passes_dma)
{
	guint16 guest = hb_config_space_get_u16(&config->space, PCI_COMMAND) & PCI_COMMAND_MASTER;
	guint16 wanted = passes_dma ? guest : 0;
	guint16 command;

	config->cut_off = !passes_dma;
	if (hb_vfio_config_peek_u16(config, PCI_COMMAND, &command) && command != G_MAXUINT16 &&
	    (command & PCI_COMMAND_MASTER) != wanted)
		hb_vfio_config_poke_u16(config, PCI_COMMAND, command ^ PCI_COMMAND_MASTER);
}

gboolean hb_vfio_config_peek_u16(const HbVfioConfig *config, guint offset, guint16 *value)
{
	guint8 bytes[2];

	if (!peek(config, offset, sizeof(bytes), bytes))
		return FALSE;
	*value = (guint16)(bytes[0] | bytes[1] << 8);
	return TRUE;
}

gboolean hb_vfio_config_poke_u16(const HbVfioConfig *config, guint offset, guint16 value)
{
	guint8 bytes[2] = { (guint8)value, (guint8)(value >> 8) };

	return pwrite(config->device_fd, bytes, sizeof(bytes), (off_t)(config->offset + offset)) ==
	       (ssize_t)sizeof(bytes);
}

void hb_vfio_config_enable_memory(const HbVfioConfig *config)
{
	guint16 command;

	if (hb_vfio_config_peek_u16(config, PCI_COMMAND, &command))
		hb_vfio_config_poke_u16(config, PCI_COMMAND, command | PCI_COMMAND_MEMORY);
}

void hb_vfio_config_stop_dma(const HbVfioConfig *config)
{
	guint16 command;

	if (hb_vfio_config_peek_u16(config, PCI_COMMAND, &command) && command != G_MAXUINT16)
		hb_vfio_config_poke_u16(config, PCI_COMMAND,
					command & (guint16)~PCI_COMMAND_MASTER);
}
