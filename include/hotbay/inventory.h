/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_INVENTORY_H
#define HOTBAY_INVENTORY_H

/** inventory.h: the host's NVMe drives and its slots, to look at. */

#include <glib.h>

G_BEGIN_DECLS

/**
 * HbInventory:
 *
 * The host's NVMe drives and its PCI Express slots as they were at one moment. It holds nothing of
 * the host open and changes nothing; to see what has changed, take another. Any one thread.
 *
 * Without root the kernel shows only the first 64 bytes of a configuration space: what stands
 * behind them (slot capabilities, link state, the power indicator) is then asked of the kernel's
 * own slot driver, and is unknown where that does not say. Files that other users' processes have
 * open cannot be seen either.
 *
 * PCI addresses are strings here, as the kernel writes them ("0000:01:00.0"), because a host may
 * have domains beyond the 16 bits of #HbPciAddress.
 */
typedef struct HbInventory HbInventory;

/**
 * HbAnswer:
 * @HB_ANSWER_UNKNOWN: not to be known, without more privileges say
 * @HB_ANSWER_NO: no
 * @HB_ANSWER_YES: yes
 *
 * What the host says to a question.
 */
typedef enum HbAnswer {
	HB_ANSWER_UNKNOWN,
	HB_ANSWER_NO,
	HB_ANSWER_YES,
} HbAnswer;

/**
 * HbHostIndicator:
 * @HB_HOST_INDICATOR_UNKNOWN: not to be known, without more privileges say
 * @HB_HOST_INDICATOR_ABSENT: the slot has none
 * @HB_HOST_INDICATOR_OFF: it is dark
 * @HB_HOST_INDICATOR_ON: it is lit
 * @HB_HOST_INDICATOR_BLINK: it blinks
 *
 * What an indicator of a host slot shows (PCIe r6.0 §7.5.3.10, Slot Control).
 */
typedef enum HbHostIndicator {
	HB_HOST_INDICATOR_UNKNOWN,
	HB_HOST_INDICATOR_ABSENT,
	HB_HOST_INDICATOR_OFF,
	HB_HOST_INDICATOR_ON,
	HB_HOST_INDICATOR_BLINK,
} HbHostIndicator;

/**
 * HbObstacleKind:
 * @HB_OBSTACLE_VM: a VM has the drive
 * @HB_OBSTACLE_DATA: the host keeps data on it: a mount, swap, md, LVM, dm-crypt, ZFS, another
 * holder
 * @HB_OBSTACLE_OPEN: a process has one of its block devices open
 * @HB_OBSTACLE_FUNCTIONS: its SR-IOV virtual functions are switched on
 * @HB_OBSTACLE_DOMAIN: it is behind a controller that hides it from the IOMMU (Intel VMD)
 * @HB_OBSTACLE_IOMMU: it is in no IOMMU group
 * @HB_OBSTACLE_GROUP: its IOMMU group has foreign members
 * @HB_OBSTACLE_RESET: the host cannot reset it
 *
 * What can be in the way of a passthrough.
 */
typedef enum HbObstacleKind {
	HB_OBSTACLE_VM,
	HB_OBSTACLE_DATA,
	HB_OBSTACLE_OPEN,
	HB_OBSTACLE_FUNCTIONS,
	HB_OBSTACLE_DOMAIN,
	HB_OBSTACLE_IOMMU,
	HB_OBSTACLE_GROUP,
	HB_OBSTACLE_RESET,
} HbObstacleKind;

/**
 * HbObstacle:
 * @kind: what it is, for programs
 * @text: the same for people, and after a colon the remedy
 *
 * A reason why a drive cannot be passed through now.
 */
typedef struct HbObstacle {
	HbObstacleKind kind;
	char *text;
} HbObstacle;

/**
 * HbHostSlot:
 * @name: (nullable): the kernel's name for it, a folder of /sys/bus/pci/slots; NULL if no driver of
 *   the kernel runs the slot
 * @number: Physical Slot Number; 0 if it has none
 * @port: (nullable): address of the port whose slot it is
 * @bus: (nullable): what is behind the port, as "0000:01"
 * @hotplug: Hot-Plug Capable
 * @surprise: Hot-Plug Surprise: a drive may leave without notice
 * @presence: something is in it
 * @link: its link is up
 * @power: it has power; a slot without power controller always has
 * @attention: attention indicator
 * @power_indicator: power indicator
 * @occupants: addresses of the functions in it; NULL-terminated
 *
 * A slot of the host, occupied or empty. Owned by the inventory.
 */
typedef struct HbHostSlot {
	char *name;
	guint number;
	char *port;
	char *bus;
	HbAnswer hotplug;
	HbAnswer surprise;
	HbAnswer presence;
	HbAnswer link;
	HbAnswer power;
	HbHostIndicator attention;
	HbHostIndicator power_indicator;
	char **occupants;
} HbHostSlot;

/**
 * HbHostDrive:
 * @address: "0000:01:00.0"
 * @vendor_id: from its identity registers (PCIe r6.0 §7.5.1.1), as are the next three
 * @device_id: the model of the controller
 * @subsystem_vendor_id: who made the drive of it
 * @subsystem_id: the model of the drive
 * @vendor_name: from the host's pci.ids; "Vendor 1b36" if it is not in there
 * @device_name: likewise
 * @controller: (nullable): "nvme0"; this and the next four are known to the host's nvme driver
 * only, so not for a drive that is passed through
 * @model: (nullable):
 * @serial: (nullable):
 * @firmware: (nullable): firmware revision
 * @size: bytes of all namespaces; 0 if unknown
 * @namespaces: block devices, such as "nvme0n1"; NULL-terminated
 * @driver: (nullable): who drives it
 * @group: IOMMU group; -1 if there is none
 * @foreign: members of the group that others drive; NULL-terminated
 * @link_speed: (nullable): "16.0 GT/s PCIe"
 * @link_width: lanes; 0 if unknown
 * @numa_node: -1 if the host says none
 * @slot: (nullable): the nearest host slot above it
 * @obstacles: why it cannot be passed through; none if it can
 * @n_obstacles: how many
 *
 * An NVMe drive of the host. Owned by the inventory.
 */
typedef struct HbHostDrive {
	char *address;
	guint16 vendor_id;
	guint16 device_id;
	guint16 subsystem_vendor_id;
	guint16 subsystem_id;
	char *vendor_name;
	char *device_name;
	char *controller;
	char *model;
	char *serial;
	char *firmware;
	guint64 size;
	char **namespaces;
	char *driver;
	gint group;
	char **foreign;
	char *link_speed;
	guint link_width;
	gint numa_node;
	const HbHostSlot *slot;
	HbObstacle *obstacles;
	guint n_obstacles;
} HbHostDrive;

/**
 * hb_inventory_take:
 * @root: (nullable): a folder that holds a captured host's sys, proc and run; NULL for this host
 *
 * Looks at the host. Takes some milliseconds; longer with thousands of processes, whose open files
 * are looked at. A drive that comes or goes meanwhile is in it or not.
 *
 * Returns: NULL with %HB_ERROR_HOST if there is no PCI bus to look at; free with
 * hb_inventory_free()
 */
HbInventory *hb_inventory_take(const char *root, GError **error);

/** hb_inventory_free: frees it, with all that was got from it. Takes NULL. */
void hb_inventory_free(HbInventory *inventory);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbInventory, hb_inventory_free)

/** hb_inventory_get_n_drives: Returns: how many drives the host has. */
guint hb_inventory_get_n_drives(const HbInventory *inventory);

/**
 * hb_inventory_get_drive:
 * @index: from 0; below hb_inventory_get_n_drives()
 *
 * Returns: (transfer none): one of the drives, which are in rising order of address
 */
const HbHostDrive *hb_inventory_get_drive(const HbInventory *inventory, guint index);

/**
 * hb_inventory_find_drive:
 * @address: "0000:01:00.0"
 *
 * Returns: (transfer none) (nullable): the drive there
 */
const HbHostDrive *hb_inventory_find_drive(const HbInventory *inventory, const char *address);

/** hb_inventory_get_n_slots: Returns: how many slots the host has. */
guint hb_inventory_get_n_slots(const HbInventory *inventory);

/**
 * hb_inventory_get_slot:
 * @index: from 0; below hb_inventory_get_n_slots()
 *
 * Returns: (transfer none): one of the slots, which are in rising order of number, then port
 */
const HbHostSlot *hb_inventory_get_slot(const HbInventory *inventory, guint index);

/**
 * hb_answer_to_str:
 * @answer: of the host's
 *
 * Returns: "unknown", "no" or "yes"; static
 */
const char *hb_answer_to_str(HbAnswer answer);

/**
 * hb_host_indicator_to_str:
 * @indicator: what it shows
 *
 * Returns: "unknown", "absent", "off", "on" or "blink"; static
 */
const char *hb_host_indicator_to_str(HbHostIndicator indicator);

/**
 * hb_obstacle_kind_to_str:
 * @kind: of an obstacle
 *
 * Returns: "vm", "data", "open", "functions", "domain", "iommu", "group" or "reset"; static
 */
const char *hb_obstacle_kind_to_str(HbObstacleKind kind);

G_END_DECLS

#endif
