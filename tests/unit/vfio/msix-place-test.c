/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Where the guest finds its MSI-X table, and that doorbells are mapped. The kernel is a function
 * here, which describes BARs of a drive that is a file: BAR 0 has 16 KiB of it.
 */

#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/interrupts.h"
#include "vfio/msix-place.h"

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MSIX = 0x40, N_VECTORS = 33, BAR_SIZE = 0x4000, BAR_OFFSET = 0x10000 };

/* What vfio_pci_ioctl_get_region_info() appends (drivers/vfio/pci/vfio_pci_core.c, Linux 6.1). */
typedef struct Info {
	struct vfio_region_info info;
	struct vfio_info_cap_header mappable;
} Info;

static guint64 bar_sizes[HB_BAR_COUNT];
static gboolean is_mappable; /* the BAR with the table in it; of no other the kernel says it */
static guint table_bar;
static HbVfioConfig config;
static int fd;

int __wrap_ioctl(int device_fd, unsigned long request, ...);

int __wrap_ioctl(int device_fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	struct vfio_region_info *info = va_arg(arguments, struct vfio_region_info *);
	va_end(arguments);
	ck_assert_int_eq(device_fd, fd);
	ck_assert_uint_eq(request, VFIO_DEVICE_GET_REGION_INFO);
	info->size = bar_sizes[info->index];
	info->offset = BAR_OFFSET;
	info->flags = VFIO_REGION_INFO_FLAG_MMAP;
	if (info->size == 0 || !is_mappable || info->index != table_bar)
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_CAPS;
	if (info->argsz >= sizeof(Info)) {
		info->cap_offset = G_STRUCT_OFFSET(Info, mappable);
		((Info *)info)->mappable.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE;
	}
	info->argsz = sizeof(Info);
	return 0;
}

static void setup(void)
{
	memset(bar_sizes, 0, sizeof(bar_sizes));
	bar_sizes[0] = BAR_SIZE;
	is_mappable = TRUE;
	fd = memfd_create("drive", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, BAR_OFFSET + BAR_SIZE), 0);
}

static void teardown(void)
{
	close(fd);
}

static void put(guint8 *image, guint offset, guint32 value)
{
	value = GUINT32_TO_LE(value);
	memcpy(image + offset, &value, sizeof(value));
}

/* A drive with a 64-bit BAR 0, and these two in it; returns whether the guest sees them elsewhere.
 */
static gboolean place(guint32 table, guint32 pba)
{
	HbVfioBarInfo bars[HB_BAR_COUNT];
	guint8 image[HB_CONFIG_SIZE] = { [PCI_CAPABILITY_LIST] = MSIX,
					 [MSIX] = PCI_CAP_ID_MSIX,
					 [MSIX + PCI_MSIX_FLAGS] = N_VECTORS - 1 };

	table_bar = table & PCI_MSIX_TABLE_BIR;
	put(image, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_MEM_TYPE_64);
	put(image, MSIX + PCI_MSIX_TABLE, table);
	put(image, MSIX + PCI_MSIX_PBA, pba);
	ck_assert_int_eq(pwrite(fd, image, sizeof(image), 0), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, 0, NULL));
	hb_vfio_regions_look(fd, &config, bars);
	return hb_vfio_msix_place(&config, bars);
}

static void assert_places(guint of_table, guint64 table_offset, guint of_pba, guint64 pba_offset)
{
	HbVfioTrap table, pba;

	ck_assert(hb_vfio_interrupts_locate(&config, &table, &pba));
	ck_assert_uint_eq(table.bar, of_table);
	ck_assert_uint_eq(table.offset, table_offset);
	ck_assert_uint_eq(pba.bar, of_pba);
	ck_assert_uint_eq(pba.offset, pba_offset);
}

START_TEST(a_table_with_a_page_of_its_own_stays)
{
	ck_assert(!place(0x2000, 0x3000));

	assert_places(0, 0x2000, 0, 0x3000);
}
END_TEST

START_TEST(a_table_and_pba_that_share_a_page_with_each_other_stay)
{
	ck_assert(!place(0x2000, 0x2400));
	ck_assert(!place(0x2100, 0x2000)); /* the PBA comes first */
}
END_TEST

START_TEST(a_table_among_the_doorbells_moves_to_an_unused_bar)
{
	ck_assert(place(0x1800, 0x3000));

	assert_places(2, 0, 2, 16 * N_VECTORS);
	ck_assert_uint_eq(config.msix_bar_size, 0x1000);
}
END_TEST

START_TEST(a_pba_among_the_doorbells_moves_too)
{
	ck_assert(place(0x2000, 0x1f00));

	assert_places(2, 0, 2, 16 * N_VECTORS);
}
END_TEST

START_TEST(a_pba_alone_among_the_doorbells_moves_whatever_may_be_done_with_the_table)
{
	bar_sizes[4] = BAR_SIZE;
	is_mappable = FALSE;

	ck_assert(place(0x0000 | 4, 0x1f00));

	assert_places(2, 0, 2, 16 * N_VECTORS);
}
END_TEST

START_TEST(a_table_among_the_registers_stays)
{
	ck_assert(!place(0x0800, 0x2000)); /* no doorbell is there, and a guest seldom looks */
}
END_TEST

START_TEST(a_table_in_another_bar_stays)
{
	bar_sizes[4] = BAR_SIZE;

	ck_assert(!place(0x1800 | 4, 0x1c00 | 4));
}
END_TEST

START_TEST(bars_of_the_drive_are_passed_over)
{
	bar_sizes[2] = 0x100000; /* a controller memory buffer, say */

	ck_assert(place(0x1800, 0x3000));

	assert_places(3, 0, 3, 16 * N_VECTORS);
}
END_TEST

START_TEST(a_drive_that_uses_all_its_bars_keeps_its_table)
{
	for (guint i = 2; i < HB_BAR_COUNT; i++)
		bar_sizes[i] = 0x1000;

	ck_assert(!place(0x1800, 0x3000));

	assert_places(0, 0x1800, 0, 0x3000);
}
END_TEST

START_TEST(a_page_that_may_not_be_mapped_is_no_reason_to_move)
{
	is_mappable = FALSE;

	ck_assert(!place(0x1800, 0x3000));
}
END_TEST

/* What the guest gets: its BARs as they are described to it. */

static guint32 size_bar(guint index)
{
	guint offset = PCI_BASE_ADDRESS_0 + 4 * index;

	hb_config_space_write(&config.space, offset, 4, G_MAXUINT32);
	return ~(hb_config_space_get_u32(&config.space, offset) & ~0xfu) + 1;
}

/* @calls: what the host is asked to map when the guest has placed its BARs. */
static void assert_guest_has(guint32 own_size, const char *calls)
{
	static const HbBarOps ops = { 0 };
	const HbHostBridgeConfig windows = { .ecam = { 0xb0000000, 0x1000000 },
					     .mem32 = { 0xc0000000, 0x1000000 } };
	FakeHost *host = fake_host_create();
	HbHostBridge *bridge = hb_host_bridge_create(host->host, &windows, NULL);
	HbBars *bars = hb_bars_create(&config.space, &ops, NULL);
	HbVfioTrap traps[2];

	hb_vfio_interrupts_locate(&config, &traps[0], &traps[1]);
	HbVfioRegions *regions =
		hb_vfio_regions_open(fd, &config, traps, G_N_ELEMENTS(traps), NULL);
	hb_vfio_regions_describe(regions, bars);
	hb_vfio_msix_place_describe(&config, bars);
	ck_assert_uint_eq(size_bar(0), BAR_SIZE);
	ck_assert_uint_eq(size_bar(2), own_size);
	hb_config_space_write(&config.space, PCI_BASE_ADDRESS_0, 4, 0xc0000000);
	hb_config_space_write(&config.space, PCI_BASE_ADDRESS_1, 4, 0);
	hb_config_space_write(&config.space, PCI_BASE_ADDRESS_2, 4, 0xc0010000);
	hb_config_space_write(&config.space, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	hb_bars_attach(bars, bridge, NULL);
	g_autofree char *asked = fake_host_take_calls(host);

	ck_assert_str_eq(asked, calls);
	hb_bars_sever(bars);
	hb_bars_destroy(bars);
	hb_vfio_regions_close(regions);
	hb_host_bridge_destroy(bridge);
	fake_host_destroy(host);
}

START_TEST(doorbells_beside_a_table_that_moved_are_mapped)
{
	ck_assert(place(0x1800, 0x3000));

	assert_guest_has(0x1000, "map c0000000 4000\n");
}
END_TEST

START_TEST(where_nothing_moved_the_guest_has_no_bar_more)
{
	ck_assert(!place(0x2000, 0x3000));

	assert_guest_has(0, "map c0000000 2000\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("msix-place");
	TCase *tcase = tcase_create("place");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_table_with_a_page_of_its_own_stays);
	tcase_add_test(tcase, a_table_and_pba_that_share_a_page_with_each_other_stay);
	tcase_add_test(tcase, a_table_among_the_doorbells_moves_to_an_unused_bar);
	tcase_add_test(tcase, a_pba_among_the_doorbells_moves_too);
	tcase_add_test(tcase,
		       a_pba_alone_among_the_doorbells_moves_whatever_may_be_done_with_the_table);
	tcase_add_test(tcase, a_table_among_the_registers_stays);
	tcase_add_test(tcase, a_table_in_another_bar_stays);
	tcase_add_test(tcase, bars_of_the_drive_are_passed_over);
	tcase_add_test(tcase, a_drive_that_uses_all_its_bars_keeps_its_table);
	tcase_add_test(tcase, a_page_that_may_not_be_mapped_is_no_reason_to_move);
	tcase_add_test(tcase, doorbells_beside_a_table_that_moved_are_mapped);
	tcase_add_test(tcase, where_nothing_moved_the_guest_has_no_bar_more);
	suite_add_tcase(suite, tcase);
	return suite;
}
