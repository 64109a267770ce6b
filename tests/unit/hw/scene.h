/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

#ifndef TESTS_UNIT_HW_SCENE_H
#define TESTS_UNIT_HW_SCENE_H

#include "hw/host-bridge.h"
#include "hw/port.h"
#include "tests/unit/hw/fake-host.h"

#include <hotbay/event.h>

#include <linux/pci_regs.h>

/*
 * A root port on a real host bridge, as its guest and its operator see it. Whatever is done to the
 * host, to the drives and to the listener goes into one transcript, so that order can be read.
 * One scene a process; Check runs each test in its own.
 */

#define MIB   (G_GUINT64_CONSTANT(1) << 20)
#define DEVFN HB_PCI_DEVFN(1, 0) /* of the port */

#define LINK_STATUS  (HB_PORT_EXPRESS + PCI_EXP_LNKSTA)
#define SLOT_CAP     (HB_PORT_EXPRESS + PCI_EXP_SLTCAP)
#define SLOT_CONTROL (HB_PORT_EXPRESS + PCI_EXP_SLTCTL)
#define SLOT_STATUS  (HB_PORT_EXPRESS + PCI_EXP_SLTSTA)
#define MSI_CONTROL  (HB_PORT_MSI + PCI_MSI_FLAGS)
#define MSI_MASK     (HB_PORT_MSI + PCI_MSI_MASK_64)
#define MSI_PENDING  (HB_PORT_MSI + PCI_MSI_PENDING_64)
#define PM_CONTROL   (HB_PORT_PM + PCI_PM_CTRL)

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

extern const HbPciFunctionOps scene_drive_ops;
extern FakeHost *scene_host;
extern HbHostBridge *scene_bridge;
extern HbPort *scene_port;
extern Drive scene_drive_a, scene_drive_b;

/* A host and a bridge; and their end, with all drives released. */
void scene_set_up(void);
void scene_tear_down(void);

/* The port: "bay0", slot 5, at DEVFN. */
HbPortConfig scene_get_config(void);
void scene_create(const HbPortConfig *config);
void scene_create_default(void);

/* The transcript. Asserting takes what was asserted. */
void scene_tell(const char *what, const char *who);
void scene_assert_transcript(const char *expected);
void scene_forget_transcript(void);

/* Until nothing is left to do. */
void scene_run_loop(void);

/* The operator. */
void scene_plug(Drive *drive);
void scene_request_removal(void);

/* The last of a drive's release, on the loop; a GSourceFunc. */
gboolean scene_finish_release(gpointer drive);

/* The guest. Booted, it has MSI enabled, the port's secondary bus is 1, and it listens as Linux
 * does; the transcript is empty. */
void scene_boot(void);
void scene_boot_with_drive(void);
guint32 scene_read_port(guint offset, guint size);
void scene_write_port(guint offset, guint size, guint32 value);
void scene_set_indicator(guint16 value);
void scene_clear_events(void);

#endif
