/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The slot's registers in the Express capability (PCIe r6.0 §7.5.3.9 to §7.5.3.11), and what a
 * guest says by them. A slot that is not hot-plug capable has no writable bit and no event.
 *
 *   Slot Control   15..13  12      11  10   9:8  7:6  5     4     3     2..1  0
 *                  -       DLLSCE  -   PCC  PIC  AIC  HPIE  CCIE  PDCE  -     ABPE
 *   Slot Status    15..9   8       7   6    5    4    3     2..1  0
 *                  -       DLLSC   -   PDS  -    CC   PDC   -     ABP
 *
 * There is no MRL sensor, no electromechanical interlock and no power fault.
 */

#include "hw/slot-registers.h"

#include <linux/pci_regs.h>

#define POWER_LIMIT_SHIFT 7 /* of whole watts: Slot Power Limit Scale is 0 */
#define NUMBER_SHIFT	  19
#define ATTENTION_SHIFT	  6
#define POWER_SHIFT	  8

#define EVENTS (PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_CC | PCI_EXP_SLTSTA_DLLSC)

/* Reading the registers. */

gboolean hb_slot_registers_is_listening(const HbSlotRegisters *registers)
{
	return !!(registers->control & PCI_EXP_SLTCTL_HPIE);
}

/*
 * A driver that leaves disables all; one that only sleeps, or works on the slot, keeps its events
 * (Linux 6.1 drivers/pci/hotplug/pciehp_hpc.c, pcie_disable_notification() and
 * pcie_disable_interrupt()).
 */
gboolean hb_slot_registers_is_deserted(const HbSlotRegisters *registers)
{
	return !(registers->control & (PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE |
				       PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_DLLSCE));
}

static gboolean is_powered(const HbSlotRegisters *registers)
{
	return !registers->properties.power_controller ||
	       !(registers->control & PCI_EXP_SLTCTL_PCC);
}

HbIndicator hb_slot_registers_get_attention_indicator(const HbSlotRegisters *registers)
{
	return (registers->control & PCI_EXP_SLTCTL_AIC) >> ATTENTION_SHIFT;
}

HbIndicator hb_slot_registers_get_power_indicator(const HbSlotRegisters *registers)
{
	return (registers->control & PCI_EXP_SLTCTL_PIC) >> POWER_SHIFT;
}

gboolean hb_slot_registers_is_blinking(const HbSlotRegisters *registers)
{
	return hb_slot_registers_get_power_indicator(registers) == HB_INDICATOR_BLINK;
}

gboolean hb_slot_registers_is_switched_off(const HbSlotRegisters *registers)
{
	if (registers->properties.power_controller)
		return !is_powered(registers);
	return hb_slot_registers_get_power_indicator(registers) == HB_INDICATOR_OFF;
}

gboolean hb_slot_registers_is_in_use(const HbSlotRegisters *registers)
{
	if (!hb_slot_registers_is_listening(registers))
		return FALSE;
	if (registers->properties.indicators)
		return hb_slot_registers_get_power_indicator(registers) != HB_INDICATOR_OFF;
	return is_powered(registers);
}

gboolean hb_slot_registers_is_acknowledged(const HbSlotRegisters *registers)
{
	if (!hb_slot_registers_is_listening(registers))
		return TRUE;
	if (registers->properties.indicators)
		return hb_slot_registers_get_power_indicator(registers) == HB_INDICATOR_OFF;
	if (registers->properties.power_controller)
		return !is_powered(registers);
	return !(registers->status & (PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC));
}

gboolean hb_slot_registers_is_settled(const HbSlotRegisters *registers)
{
	if (!hb_slot_registers_is_listening(registers))
		return TRUE;
	if (registers->properties.indicators)
		return hb_slot_registers_get_power_indicator(registers) == HB_INDICATOR_OFF;
	return !registers->properties.power_controller;
}

gboolean hb_slot_registers_can_press(const HbSlotRegisters *registers)
{
	return registers->properties.attention_button &&
	       hb_slot_registers_is_listening(registers) &&
	       registers->control & PCI_EXP_SLTCTL_ABPE &&
	       !hb_slot_registers_is_blinking(registers);
}

/* PCIe r6.0 §6.7.3.4: the enables of Slot Control and the events of Slot Status. */
gboolean hb_slot_registers_is_asserted(const HbSlotRegisters *registers)
{
	guint16 enabled = 0;

	if (registers->control & PCI_EXP_SLTCTL_ABPE)
		enabled |= PCI_EXP_SLTSTA_ABP;
	if (registers->control & PCI_EXP_SLTCTL_PDCE)
		enabled |= PCI_EXP_SLTSTA_PDC;
	if (registers->control & PCI_EXP_SLTCTL_CCIE)
		enabled |= PCI_EXP_SLTSTA_CC;
	if (registers->control & PCI_EXP_SLTCTL_DLLSCE)
		enabled |= PCI_EXP_SLTSTA_DLLSC;
	return hb_slot_registers_is_listening(registers) && registers->status & enabled;
}

/* Changing the registers. */

void hb_slot_registers_raise(HbSlotRegisters *registers, guint16 events)
{
	if (registers->properties.hotplug)
		registers->status |= events;
}

/* The link follows presence and power; there is nothing to train. */
gboolean hb_slot_registers_update_link(HbSlotRegisters *registers)
{
	gboolean active = hb_slot_registers_is_occupied(registers) && is_powered(registers);

	if (active == registers->link_active)
		return FALSE;
	registers->link_active = active;
	hb_slot_registers_raise(registers, PCI_EXP_SLTSTA_DLLSC);
	return TRUE;
}

void hb_slot_registers_set_presence(HbSlotRegisters *registers, gboolean present)
{
	registers->status &= (guint16)~PCI_EXP_SLTSTA_PDS;
	registers->status |= present ? PCI_EXP_SLTSTA_PDS : 0;
	hb_slot_registers_raise(registers, PCI_EXP_SLTSTA_PDC);
}

void hb_slot_registers_set_power_indicator(HbSlotRegisters *registers, HbIndicator indicator)
{
	if (!registers->properties.indicators)
		return;
	registers->control &= (guint16)~PCI_EXP_SLTCTL_PIC;
	registers->control |= (guint16)(indicator << POWER_SHIFT);
}

static void set_power(HbSlotRegisters *registers, gboolean on)
{
	registers->control &= (guint16)~PCI_EXP_SLTCTL_PCC;
	if (registers->properties.power_controller && !on)
		registers->control |= PCI_EXP_SLTCTL_PCC;
}

void hb_slot_registers_reset_power(HbSlotRegisters *registers)
{
	gboolean occupied = hb_slot_registers_is_occupied(registers);

	set_power(registers, occupied);
	hb_slot_registers_set_power_indicator(registers,
					      occupied ? HB_INDICATOR_ON : HB_INDICATOR_OFF);
}

void hb_slot_registers_reset(HbSlotRegisters *registers, gboolean occupied)
{
	registers->status = occupied ? PCI_EXP_SLTSTA_PDS : 0;
	registers->control =
		registers->properties.indicators ? HB_INDICATOR_OFF << ATTENTION_SHIFT : 0;
	hb_slot_registers_reset_power(registers);
	registers->link_active = occupied;
}

static guint16 get_writable(const HbSlotProperties *properties)
{
	guint16 mask = PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE;

	if (!properties->hotplug)
		return 0;
	if (properties->attention_button)
		mask |= PCI_EXP_SLTCTL_ABPE;
	if (properties->power_controller)
		mask |= PCI_EXP_SLTCTL_PCC;
	if (properties->indicators)
		mask |= PCI_EXP_SLTCTL_AIC | PCI_EXP_SLTCTL_PIC;
	if (!properties->no_command_completed)
		mask |= PCI_EXP_SLTCTL_CCIE;
	return mask;
}

/* One command. A reserved indicator value (00b) changes nothing (PCIe r6.0 §7.5.3.10). */
void hb_slot_registers_write_control(HbSlotRegisters *registers, guint16 value, guint16 mask)
{
	mask &= get_writable(&registers->properties);
	if (!(value & mask & PCI_EXP_SLTCTL_AIC))
		mask &= (guint16)~PCI_EXP_SLTCTL_AIC;
	if (!(value & mask & PCI_EXP_SLTCTL_PIC))
		mask &= (guint16)~PCI_EXP_SLTCTL_PIC;
	registers->control = (guint16)((registers->control & ~mask) | (value & mask));
	if (!registers->properties.no_command_completed)
		hb_slot_registers_raise(registers, PCI_EXP_SLTSTA_CC);
	hb_slot_registers_update_link(registers);
}

void hb_slot_registers_write_status(HbSlotRegisters *registers, guint16 value)
{
	registers->status &= (guint16) ~(value & EVENTS);
}

guint32 hb_slot_registers_get_capabilities(const HbSlotRegisters *registers)
{
	const HbSlotProperties *has = &registers->properties;
	guint32 capabilities = (guint32)has->power_limit << POWER_LIMIT_SHIFT |
			       (guint32)has->number << NUMBER_SHIFT;

	if (has->hotplug)
		capabilities |= PCI_EXP_SLTCAP_HPC;
	if (has->surprise)
		capabilities |= PCI_EXP_SLTCAP_HPS;
	if (has->attention_button)
		capabilities |= PCI_EXP_SLTCAP_ABP;
	if (has->power_controller)
		capabilities |= PCI_EXP_SLTCAP_PCP;
	if (has->indicators)
		capabilities |= PCI_EXP_SLTCAP_AIP | PCI_EXP_SLTCAP_PIP;
	if (has->no_command_completed)
		capabilities |= PCI_EXP_SLTCAP_NCCS;
	return capabilities;
}

gboolean hb_slot_registers_is_occupied(const HbSlotRegisters *registers)
{
	return !!(registers->status & PCI_EXP_SLTSTA_PDS);
}
