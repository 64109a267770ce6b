/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The host's drives and slots, put together from vfio/host-drive.c and vfio/host-slot.c, with what
 * libpci adds: the names of vendors and devices, and configuration spaces.
 *
 * libpci reports trouble by a hook that must not return and that is told nothing about who asked:
 * a pci.ids with a broken line would otherwise end the program. So each question to libpci is asked
 * through ask(), to which the hook jumps back. The question's own function holds nothing that would
 * have to be freed.
 */

#include <hotbay/error.h>
#include <hotbay/inventory.h>

#include "vfio/host-drive.h"
#include "vfio/host-files.h"
#include "vfio/host-slot.h"

#include <pci/pci.h>
#include <setjmp.h>
#include <string.h>

#define NAME_SIZE 256

struct HbInventory {
	GPtrArray *drives; /* of HbHostDrive */
	GPtrArray *slots;  /* of HbHostSlot */
};

/* ---- libpci ---- */

static _Thread_local jmp_buf *way_back; /* of the question being asked; libpci passes no data on */

static G_GNUC_NORETURN PCI_PRINTF(1, 2) void on_error(char *format, ...)
{
	longjmp(*way_back, 1);
}

static PCI_PRINTF(1, 2) void on_remark(char *format, ...)
{
}

/* One question, and where its answer goes. */
typedef struct Question {
	struct pci_access *access;
	char *sysfs; /* where the host's PCI bus is; NULL for this host */
	char *ids;   /* a pci.ids; NULL for this host's */
	int domain, bus, device, function;
	guint16 vendor_id, device_id;
	char vendor_name[NAME_SIZE], device_name[NAME_SIZE];
	guint8 *buffer;
	guint size;
} Question;

static gboolean ask(void (*put)(Question *), Question *question)
{
	jmp_buf place;

	way_back = &place;
	if (setjmp(place) != 0) {
		way_back = NULL;
		return FALSE;
	}
	put(question);
	way_back = NULL;
	return TRUE;
}

static void put_start(Question *question)
{
	struct pci_access *access = question->access;

	access->method = PCI_ACCESS_SYS_BUS_PCI;
	if (question->sysfs)
		pci_set_param(access, (char *)"sysfs.path", question->sysfs);
	if (question->ids)
		pci_set_name_list_path(access, question->ids, 0);
	pci_init(access);
}

static void put_names(Question *question)
{
	const int flags = PCI_LOOKUP_NO_HWDB;

	pci_lookup_name(question->access, question->vendor_name, NAME_SIZE,
			PCI_LOOKUP_VENDOR | flags, question->vendor_id);
	pci_lookup_name(question->access, question->device_name, NAME_SIZE,
			PCI_LOOKUP_DEVICE | flags, question->vendor_id, question->device_id);
}

/* 64 bytes are for everybody; the rest is for root, and reading it fails for others as a whole. */
static void put_config(Question *question)
{
	struct pci_dev *dev = pci_get_dev(question->access, question->domain, question->bus,
					  question->device, question->function);

	if (pci_read_block(dev, 0, question->buffer, 64)) {
		question->size = 64;
		if (pci_read_block(dev, 64, question->buffer + 64, HB_HOST_CONFIG_SIZE - 64))
			question->size = HB_HOST_CONFIG_SIZE;
	}
	pci_free_dev(dev);
}

/* "0000:01:00.0", of which the domain may have more digits */
static gboolean read_address(const char *address, Question *question)
{
	int *const parts[] = { &question->domain, &question->bus, &question->device,
			       &question->function };
	const char separators[] = { ':', ':', '.', '\0' };

	for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
		char *end = NULL;
		guint64 part = g_ascii_strtoull(address, &end, 16);

		if (end == address || *end != separators[i] || part > G_MAXINT)
			return FALSE;
		*parts[i] = (int)part;
		address = end + 1;
	}
	return TRUE;
}

static guint read_config(const char *address, guint8 *buffer, gpointer data)
{
	Question *question = data;

	question->buffer = buffer;
	question->size = 0;
	if (!read_address(address, question))
		return 0;
	return ask(put_config, question) ? question->size : 0;
}

/* What a reader gets if libpci knows nothing, or stumbles over its own list. */
static void look_up_names(Question *question, HbHostDrive *drive)
{
	question->vendor_id = drive->vendor_id;
	question->device_id = drive->device_id;
	if (ask(put_names, question)) {
		drive->vendor_name = g_strdup(question->vendor_name);
		drive->device_name = g_strdup(question->device_name);
		return;
	}
	drive->vendor_name = g_strdup_printf("Vendor %04x", drive->vendor_id);
	drive->device_name = g_strdup_printf("Device %04x", drive->device_id);
}

static void open_libpci(Question *question, const char *root)
{
	question->access = pci_alloc();
	question->access->error = on_error;
	question->access->warning = on_remark;
	question->access->debug = on_remark;
	if (root[0]) {
		question->sysfs = hb_host_files_path(root, "sys/bus/pci");
		question->ids = hb_host_files_path(root, "usr/share/misc/pci.ids");
	}
}

static void close_libpci(Question *question)
{
	pci_cleanup(question->access);
	g_free(question->ids);
	g_free(question->sysfs);
}

/* ---- the inventory ---- */

static void destroy_drive(gpointer drive)
{
	hb_host_drive_destroy(drive);
}

static void take_drives(HbInventory *inventory, const char *root, Question *question)
{
	g_autoptr(GPtrArray) addresses = hb_host_drives_list(root);
	HbBlockUses *uses = hb_block_uses_load(root);

	for (guint i = 0; i < addresses->len; i++) {
		const char *address = g_ptr_array_index(addresses, i);
		HbHostDrive *drive = hb_host_drive_create(root, address, uses);

		look_up_names(question, drive);
		drive->slot = hb_host_slots_find(inventory->slots, root, address);
		g_ptr_array_add(inventory->drives, drive);
	}
	hb_block_uses_free(uses);
}

HbInventory *hb_inventory_take(const char *root, GError **error)
{
	Question question = { 0 };
	const char *start = root ? root : "";

	if (!hb_host_files_exist(start, "sys/bus/pci/devices")) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "%s/sys/bus/pci/devices: there is no PCI bus to look at; is sysfs "
			    "mounted?",
			    start);
		return NULL;
	}
	open_libpci(&question, start);
	if (!ask(put_start, &question)) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST,
			    "libpci cannot look at %s/sys/bus/pci; run lspci to see why", start);
		close_libpci(&question);
		return NULL;
	}
	HbInventory *inventory = g_new0(HbInventory, 1);
	inventory->drives = g_ptr_array_new_with_free_func(destroy_drive);
	inventory->slots = hb_host_slots_list(start, read_config, &question);
	take_drives(inventory, start, &question);
	close_libpci(&question);
	return inventory;
}

void hb_inventory_free(HbInventory *inventory)
{
	if (!inventory)
		return;
	g_ptr_array_unref(inventory->drives);
	g_ptr_array_unref(inventory->slots);
	g_free(inventory);
}

guint hb_inventory_get_n_drives(const HbInventory *inventory)
{
	return inventory->drives->len;
}

const HbHostDrive *hb_inventory_get_drive(const HbInventory *inventory, guint index)
{
	return g_ptr_array_index(inventory->drives, index);
}

const HbHostDrive *hb_inventory_find_drive(const HbInventory *inventory, const char *address)
{
	for (guint i = 0; i < inventory->drives->len; i++) {
		const HbHostDrive *drive = g_ptr_array_index(inventory->drives, i);

		if (strcmp(drive->address, address) == 0)
			return drive;
	}
	return NULL;
}

guint hb_inventory_get_n_slots(const HbInventory *inventory)
{
	return inventory->slots->len;
}

const HbHostSlot *hb_inventory_get_slot(const HbInventory *inventory, guint index)
{
	return g_ptr_array_index(inventory->slots, index);
}
