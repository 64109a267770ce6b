/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef TESTS_UNIT_HW_SLOT_SCENE_H
#define TESTS_UNIT_HW_SLOT_SCENE_H

#include "hw/slot.h"

#include <linux/pci_regs.h>

/*
 * One slot's state machine, its guest and its operator. @slot_scene is the slot, @slot_scene_last
 * what its last step said. One a process; Check runs each test in its own.
 */

#define ON    PCI_EXP_SLTCTL_PWR_IND_ON
#define BLINK PCI_EXP_SLTCTL_PWR_IND_BLINK
#define OFF   PCI_EXP_SLTCTL_PWR_IND_OFF

#define ABP   PCI_EXP_SLTSTA_ABP
#define PDC   PCI_EXP_SLTSTA_PDC
#define CC    PCI_EXP_SLTSTA_CC
#define PDS   PCI_EXP_SLTSTA_PDS
#define DLLSC PCI_EXP_SLTSTA_DLLSC

/* What comes together when a function leaves, and when one enters. */
#define LEAVES (HB_SLOT_ACTION_SEVER | HB_SLOT_ACTION_RELEASE | HB_SLOT_ACTION_REPORT_SEVERED)
#define ENTERS (HB_SLOT_ACTION_ADMIT | HB_SLOT_ACTION_REPORT_PLUGGED)

extern HbSlot slot_scene;
extern HbSlotResult slot_scene_last;

/* The default slot's properties, and slots that differ from it. */
HbSlotProperties slot_scene_get_defaults(void);
void slot_scene_create(const HbSlotProperties *properties);
void slot_scene_create_default(void);
void slot_scene_create_locked(void);
void slot_scene_create_with_power_controller(void);
void slot_scene_create_without_indicators(gboolean power_controller);

/* An input that is no register write. */
void slot_scene_give(HbSlotInput input);

/* The guest's writes. */
void slot_scene_write_control(guint16 value, guint16 mask);
void slot_scene_clear_events(void);
void slot_scene_set_indicator(guint16 value);
void slot_scene_set_power(gboolean on);

/* As Linux does: it starts to listen, gives the slot up, takes up a newly plugged function. */
void slot_scene_listen_as_linux(void);
void slot_scene_desert_as_linux(void);
void slot_scene_add_as_linux(void);
void slot_scene_plug_into_running_guest(void);

/* The button was pressed, seen, and the indicator blinks. */
void slot_scene_request_until_blink(void);

void slot_scene_assert_state(HbSlotState state);
void slot_scene_assert_actions(guint actions);

#endif
