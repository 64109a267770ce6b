/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Advanced Error Reporting of a root port, from the detection of an error by the port to the
 * interrupt:
 *
 *   detected --> Uncorrectable Error Status, Device Status
 *                     | not masked
 *                     v
 *                First Error Pointer
 *                     | reporting enabled in Device Control, or SERR# in Command
 *                     v
 *                message --> Root Error Status, Error Source Identification
 *                                 | enabled in Root Error Command
 *                                 v
 *                            interrupt
 *
 * What a guest does with the message decides how it is used here. Linux answers a fatal one with a
 * reset of the slot before anything else (drivers/pci/pcie/err.c, pcie_do_recovery()), with
 * hot-plug waiting, for a drive that does not come back. A non-fatal one it logs, asks the drivers,
 * and leaves the link alone. So firmware's choice here is: every error that this port reports by
 * itself is non-fatal, and none is masked, as Uncorrectable Internal Error is by default (§7.8.4.3,
 * §7.8.4.4). The guest may choose otherwise.
 *
 * Errors of the transaction layer, of links and correctable ones never happen; their bits are there
 * because they have to be. No header is logged: none of what is reported has one.
 */

#include "hw/aer.h"

#include <linux/pci_regs.h>

_Static_assert(PCI_ERR_ROOT_ERR_SRC + 4 == HB_AER_SIZE, "the capability ends with Error Source");

#define FIRST_ERROR_POINTER 0x1f
#define UNCORRECTABLE_SHIFT 16 /* Error Source Identification: ERR_COR below, others above */

/* All that PCIe r6.0 §7.8.4.2 does not call optional, and the internal error. */
#define UNCORRECTABLE                                                                              \
	(PCI_ERR_UNC_DLP | PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_UNX_COMP | \
	 PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_INTN)
#define UNCORRECTABLE_FATAL (PCI_ERR_UNC_DLP | PCI_ERR_UNC_MALF_TLP)
#define CORRECTABLE                                                                                \
	(PCI_ERR_COR_BAD_TLP | PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL |                       \
	 PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT)
#define ROOT_COMMAND                                                                               \
	(PCI_ERR_ROOT_CMD_COR_EN | PCI_ERR_ROOT_CMD_NONFATAL_EN | PCI_ERR_ROOT_CMD_FATAL_EN)
#define ROOT_STATUS 0x7f

typedef struct Register {
	guint offset;
	guint32 value;
	guint32 writable;
	guint32 write_1_clear;
} Register;

static const Register registers[] = {
	{ PCI_ERR_UNCOR_STATUS, 0, 0, UNCORRECTABLE },
	{ PCI_ERR_UNCOR_MASK, 0, UNCORRECTABLE, 0 },
	{ PCI_ERR_UNCOR_SEVER, UNCORRECTABLE_FATAL, UNCORRECTABLE, 0 },
	{ PCI_ERR_COR_STATUS, 0, 0, CORRECTABLE },
	{ PCI_ERR_COR_MASK, PCI_ERR_COR_ADV_NFAT, CORRECTABLE, 0 },
	{ PCI_ERR_ROOT_COMMAND, 0, ROOT_COMMAND, 0 },
	{ PCI_ERR_ROOT_STATUS, HB_AER_VECTOR << 27, 0, ROOT_STATUS },
};

static guint32 get(const HbAer *aer, guint reg)
{
	return hb_config_space_get_u32(aer->config, aer->capability + reg);
}

static void set(const HbAer *aer, guint reg, guint32 value)
{
	hb_config_space_set_u32(aer->config, aer->capability + reg, value);
}

static void set_in_u16(const HbAer *aer, guint offset, guint16 bits)
{
	hb_config_space_set_u16(aer->config, offset,
				hb_config_space_get_u16(aer->config, offset) | bits);
}

void hb_aer_init(HbAer *aer, HbConfigSpace *config, guint capability, guint express)
{
	*aer = (HbAer){ .config = config, .capability = capability, .express = express };
	for (guint i = 0; i < G_N_ELEMENTS(registers); i++) {
		guint offset = capability + registers[i].offset;

		hb_config_space_set_u32(config, offset, registers[i].value);
		hb_config_space_set_writable(config, offset, 4, registers[i].writable);
		hb_config_space_set_write_1_clear(config, offset, 4, registers[i].write_1_clear);
	}
}

/* PCIe r6.0 §7.8.4.10 and §7.8.4.11: the first message is named, later ones are only counted. */
static void receive_message(HbAer *aer, guint16 requester, gboolean fatal)
{
	guint32 status = get(aer, PCI_ERR_ROOT_STATUS);
	guint32 source = get(aer, PCI_ERR_ROOT_ERR_SRC) & ((1u << UNCORRECTABLE_SHIFT) - 1);

	if (status & PCI_ERR_ROOT_UNCOR_RCV) {
		status |= PCI_ERR_ROOT_MULTI_UNCOR_RCV;
	} else {
		status |= PCI_ERR_ROOT_UNCOR_RCV | (fatal ? PCI_ERR_ROOT_FIRST_FATAL : 0);
		set(aer, PCI_ERR_ROOT_ERR_SRC, source | (guint32)requester << UNCORRECTABLE_SHIFT);
	}
	status |= fatal ? PCI_ERR_ROOT_FATAL_RCV : PCI_ERR_ROOT_NONFATAL_RCV;
	set(aer, PCI_ERR_ROOT_STATUS, status);
}

/* PCIe r6.0 §6.2.5: Device Control enables the message, and so does SERR# Enable. */
static void send_message(HbAer *aer, guint16 requester, gboolean fatal)
{
	guint16 command = hb_config_space_get_u16(aer->config, PCI_COMMAND);
	guint16 control = hb_config_space_get_u16(aer->config, aer->express + PCI_EXP_DEVCTL);
	guint16 enable = fatal ? PCI_EXP_DEVCTL_FERE : PCI_EXP_DEVCTL_NFERE;

	if (command & PCI_COMMAND_SERR)
		set_in_u16(aer, PCI_STATUS, PCI_STATUS_SIG_SYSTEM_ERROR);
	if (command & PCI_COMMAND_SERR || control & enable)
		receive_message(aer, requester, fatal);
}

void hb_aer_report(HbAer *aer, guint16 requester, guint32 error)
{
	guint32 status = get(aer, PCI_ERR_UNCOR_STATUS);
	guint32 pointer = get(aer, PCI_ERR_CAP);
	gboolean fatal = !!(get(aer, PCI_ERR_UNCOR_SEVER) & error);

	set_in_u16(aer, aer->express + PCI_EXP_DEVSTA,
		   fatal ? PCI_EXP_DEVSTA_FED : PCI_EXP_DEVSTA_NFED);
	set(aer, PCI_ERR_UNCOR_STATUS, status | error);
	if (get(aer, PCI_ERR_UNCOR_MASK) & error)
		return;
	if (!(status & (1u << (pointer & FIRST_ERROR_POINTER)))) /* it points to nothing now */
		set(aer, PCI_ERR_CAP,
		    (pointer & ~(guint32)FIRST_ERROR_POINTER) | (g_bit_storage(error) - 1));
	send_message(aer, requester, fatal);
}

gboolean hb_aer_is_asserted(const HbAer *aer)
{
	guint32 command = get(aer, PCI_ERR_ROOT_COMMAND);
	guint32 status = get(aer, PCI_ERR_ROOT_STATUS);

	return (command & PCI_ERR_ROOT_CMD_COR_EN && status & PCI_ERR_ROOT_COR_RCV) ||
	       (command & PCI_ERR_ROOT_CMD_NONFATAL_EN && status & PCI_ERR_ROOT_NONFATAL_RCV) ||
	       (command & PCI_ERR_ROOT_CMD_FATAL_EN && status & PCI_ERR_ROOT_FATAL_RCV);
}
