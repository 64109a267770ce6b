/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * Every register of a drive passed through, emulated or hidden. The "drive" is a memory file with a
 * configuration space like that of a real drive in it: what is written there reached it.
 */

#include "tests/unit/suite.h"
#include "vfio/config.h"

#include <linux/pci_regs.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BASE 0x10000u /* where VFIO's configuration region begins */

enum { PM = 0x40, MSI = 0x50, EXPRESS = 0x70, VPD = 0xb0, MSIX = 0xc0 };
enum { AER = 0x100, SRIOV = 0x180, DSN = 0x1c0 };

static guint8 image[HB_CONFIG_SIZE];
static HbVfioConfig config;
static int fd;

static void put16(guint offset, guint value)
{
	image[offset] = (guint8)value;
	image[offset + 1] = (guint8)(value >> 8);
}

static void put32(guint offset, guint32 value)
{
	put16(offset, value & 0xffff);
	put16(offset + 2, value >> 16);
}

static void put_capability(guint offset, guint id, guint next)
{
	image[offset] = (guint8)id;
	image[offset + 1] = (guint8)next;
}

static void make_drive(void)
{
	memset(image, 0, sizeof(image));
	put16(PCI_VENDOR_ID, 0x144d);
	put16(PCI_DEVICE_ID, 0xa80a);
	put16(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	put16(PCI_STATUS, PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT);
	put16(PCI_CLASS_DEVICE, 0x0108);
	image[PCI_HEADER_TYPE] = 0x80;
	put32(PCI_BASE_ADDRESS_0, 0xfe000004);
	put32(PCI_ROM_ADDRESS, 0xfd000001);
	image[PCI_INTERRUPT_PIN] = 1;
	image[PCI_CAPABILITY_LIST] = PM;
	put_capability(PM, PCI_CAP_ID_PM, MSI);
	put16(PM + PCI_PM_PMC, 0xf803);
	put_capability(MSI, PCI_CAP_ID_MSI, EXPRESS);
	put16(MSI + 2, 0x0080);
	put_capability(EXPRESS, PCI_CAP_ID_EXP, VPD);
	put16(EXPRESS + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_RC_END << 4);
	put32(EXPRESS + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR);
	put16(EXPRESS + PCI_EXP_DEVCTL, 0x2810);
	put16(EXPRESS + PCI_EXP_DEVSTA, 0x0009);
	put16(EXPRESS + PCI_EXP_LNKSTA, 0x1043);
	put32(EXPRESS + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_LTR | PCI_EXP_DEVCAP2_COMP_TMOUT_DIS);
	put_capability(VPD, PCI_CAP_ID_VPD, MSIX);
	put_capability(MSIX, PCI_CAP_ID_MSIX, 0);
	put16(MSIX + PCI_MSIX_FLAGS, 64 | PCI_MSIX_FLAGS_ENABLE);
	put32(MSIX + PCI_MSIX_TABLE, 0x3000);
	put32(AER, PCI_EXT_CAP_ID_ERR | 2 << 16 | SRIOV << 20);
	put32(AER + PCI_ERR_UNCOR_STATUS, 0x20);
	put32(SRIOV, PCI_EXT_CAP_ID_SRIOV | 1 << 16 | (guint32)DSN << 20);
	put32(SRIOV + 8, 0xdeadbeef);
	put32(DSN, PCI_EXT_CAP_ID_DSN | 1 << 16);
	put32(DSN + 4, 0x12345678);
}

static void open_drive(void)
{
	ck_assert_int_eq(pwrite(fd, image, sizeof(image), BASE), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, BASE, NULL));
}

static void setup(void)
{
	fd = memfd_create("drive", MFD_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	make_drive();
	open_drive();
}

static void teardown(void)
{
	close(fd);
}

static guint16 in_drive(guint offset)
{
	guint16 value = 0;

	ck_assert_int_eq(pread(fd, &value, sizeof(value), BASE + offset), (int)sizeof(value));
	return GUINT16_FROM_LE(value);
}

static void set_in_drive(guint offset, guint16 value)
{
	value = GUINT16_TO_LE(value);
	ck_assert_int_eq(pwrite(fd, &value, sizeof(value), BASE + offset), (int)sizeof(value));
}

START_TEST(identity_is_the_drives)
{
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_VENDOR_ID, 4), 0xa80a144d);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_CLASS_DEVICE, 2), 0x0108);
}
END_TEST

START_TEST(identity_cannot_be_written)
{
	hb_vfio_config_write(&config, PCI_VENDOR_ID, 4, 0xffffffff);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_VENDOR_ID, 4), 0xa80a144d);
	ck_assert_uint_eq(in_drive(PCI_VENDOR_ID), 0x144d);
}
END_TEST

START_TEST(a_multifunction_drive_is_a_single_function)
{
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_HEADER_TYPE, 1), 0);
}
END_TEST

START_TEST(memory_decode_is_the_guests_copy_and_stays_on_in_the_drive)
{
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_COMMAND, 2), 0);
	hb_vfio_config_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_COMMAND, 2),
			  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	hb_vfio_config_write(&config, PCI_COMMAND, 2, 0);
	ck_assert_uint_eq(in_drive(PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
}
END_TEST

START_TEST(bus_master_reaches_the_drive)
{
	hb_vfio_config_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	ck_assert_uint_ne(in_drive(PCI_COMMAND) & PCI_COMMAND_MASTER, 0);
}
END_TEST

START_TEST(a_drive_that_is_cut_off_is_no_bus_master)
{
	hb_vfio_config_set_path(&config, FALSE);
	hb_vfio_config_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	ck_assert_uint_eq(in_drive(PCI_COMMAND) & PCI_COMMAND_MASTER, 0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_COMMAND, 2), PCI_COMMAND_MASTER);
}
END_TEST

START_TEST(the_path_to_bus_0_decides_over_the_guests_bus_master)
{
	hb_vfio_config_set_path(&config, TRUE);
	ck_assert_uint_eq(in_drive(PCI_COMMAND) & PCI_COMMAND_MASTER, 0);
	hb_vfio_config_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	hb_vfio_config_set_path(&config, FALSE);
	ck_assert_uint_eq(in_drive(PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	hb_vfio_config_set_path(&config, TRUE);
	ck_assert_uint_eq(in_drive(PCI_COMMAND),
			  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}
END_TEST

START_TEST(a_byte_write_to_command_leaves_the_upper_byte)
{
	hb_vfio_config_write(&config, PCI_COMMAND, 1, PCI_COMMAND_MASTER);
	ck_assert_uint_eq(in_drive(PCI_COMMAND),
			  PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
}
END_TEST

START_TEST(a_dword_write_to_command_clears_no_status_bit_by_itself)
{
	set_in_drive(PCI_STATUS, PCI_STATUS_CAP_LIST | PCI_STATUS_DETECTED_PARITY);
	hb_vfio_config_write(&config, PCI_COMMAND, 4, PCI_COMMAND_MASTER);
	/* A file keeps what is written: a write-1-to-clear bit must have been written as zero. */
	ck_assert_uint_eq(in_drive(PCI_STATUS) & PCI_STATUS_DETECTED_PARITY, 0);
}
END_TEST

START_TEST(status_is_read_from_the_drive_and_no_pin_is_shown_yet)
{
	set_in_drive(PCI_STATUS,
		     PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT | PCI_STATUS_REC_MASTER_ABORT);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_STATUS, 2),
			  PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT | PCI_STATUS_REC_MASTER_ABORT);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_INTERRUPT_PIN, 1), 0);
}
END_TEST

START_TEST(bars_and_rom_are_not_the_hosts_addresses)
{
	for (guint offset = PCI_BASE_ADDRESS_0; offset <= PCI_BASE_ADDRESS_5; offset += 4)
		ck_assert_uint_eq(hb_vfio_config_read(&config, offset, 4), 0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_ROM_ADDRESS, 4), 0);
}
END_TEST

START_TEST(the_chain_holds_the_shown_capabilities_only)
{
	guint shown[4] = { 0 };
	guint n = 0;

	for (guint at = hb_vfio_config_read(&config, PCI_CAPABILITY_LIST, 1); at && n < 4;
	     at = hb_vfio_config_read(&config, at + 1, 1))
		shown[n++] = hb_vfio_config_read(&config, at, 1);
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(shown[0], PCI_CAP_ID_PM);
	ck_assert_uint_eq(shown[1], PCI_CAP_ID_EXP);
	ck_assert_uint_eq(shown[2], PCI_CAP_ID_MSIX);
	ck_assert_uint_eq(config.pm, PM);
	ck_assert_uint_eq(config.express, EXPRESS);
	ck_assert_uint_eq(config.msix, MSIX);
}
END_TEST

START_TEST(a_hidden_capability_reads_zero)
{
	ck_assert_uint_eq(hb_vfio_config_read(&config, MSI, 4), 0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, SRIOV + 8, 4), 0);
}
END_TEST

START_TEST(the_extended_chain_skips_what_is_hidden)
{
	guint32 first = hb_vfio_config_read(&config, AER, 4);

	ck_assert_uint_eq(PCI_EXT_CAP_ID(first), PCI_EXT_CAP_ID_ERR);
	ck_assert_uint_eq(PCI_EXT_CAP_NEXT(first), DSN);
	ck_assert_uint_eq(PCI_EXT_CAP_NEXT(hb_vfio_config_read(&config, DSN, 4)), 0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, DSN + 4, 4), 0x12345678);
}
END_TEST

START_TEST(a_hidden_first_extended_capability_leaves_a_null_one)
{
	put32(AER, PCI_EXT_CAP_ID_ATS | 1 << 16 | SRIOV << 20);
	open_drive();
	guint32 first = hb_vfio_config_read(&config, AER, 4);
	ck_assert_uint_eq(PCI_EXT_CAP_ID(first), 0);
	ck_assert_uint_eq(PCI_EXT_CAP_NEXT(first), DSN);
}
END_TEST

START_TEST(a_chain_that_loops_ends)
{
	put_capability(MSIX, PCI_CAP_ID_MSIX, PM);
	put32(DSN, PCI_EXT_CAP_ID_DSN | 1 << 16 | AER << 20);
	open_drive();
	ck_assert_uint_eq(config.pm, PM);
}
END_TEST

START_TEST(the_drive_is_an_endpoint_wherever_the_host_has_it)
{
	guint flags = hb_vfio_config_read(&config, EXPRESS + PCI_EXP_FLAGS, 2);

	ck_assert_uint_eq((flags & PCI_EXP_FLAGS_TYPE) >> 4, PCI_EXP_TYPE_ENDPOINT);
}
END_TEST

START_TEST(payload_size_stays_the_hosts)
{
	hb_vfio_config_write(&config, EXPRESS + PCI_EXP_DEVCTL, 2, 0x50e0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, EXPRESS + PCI_EXP_DEVCTL, 2), 0x50e0);
	ck_assert_uint_eq(in_drive(EXPRESS + PCI_EXP_DEVCTL), 0x2810);
}
END_TEST

/* The drive keeps its bits, as VFIO's does: what is cleared is cleared in what the guest reads. */
static const struct {
	guint offset;
	guint size;
	guint32 latched;
} latches[] = {
	{ PCI_STATUS, 2, 0xf900 },
	{ EXPRESS + PCI_EXP_DEVSTA, 2, 0x000f },
	{ AER + PCI_ERR_UNCOR_STATUS, 4, 0xffffffff },
	{ AER + PCI_ERR_COR_STATUS, 4, 0xffffffff },
};

static void set_latched(guint i, guint32 value)
{
	set_in_drive(latches[i].offset, (guint16)value);
	if (latches[i].size == 4)
		set_in_drive(latches[i].offset + 2, (guint16)(value >> 16));
}

static guint32 read_latched(guint i)
{
	return hb_vfio_config_read(&config, latches[i].offset, latches[i].size) &
	       latches[i].latched;
}

START_TEST(an_error_bit_that_is_cleared_stays_clear_and_the_others_stay)
{
	guint32 all = latches[_i].latched & ~1u; /* not all-ones, which is silence */

	for (guint bit = 1; bit < 8 * latches[_i].size; bit++) {
		guint32 one = all & 1u << bit;

		set_latched((guint)_i, all);
		hb_vfio_config_reset_latches(&config);
		hb_vfio_config_write(&config, latches[_i].offset, latches[_i].size, one);
		ck_assert_uint_eq(read_latched((guint)_i), all & ~one);
		ck_assert_uint_eq(read_latched((guint)_i), all & ~one);
	}
}
END_TEST

START_TEST(an_error_bit_is_cleared_by_a_write_of_its_byte_alone)
{
	guint byte = latches[_i].latched & 0x0e ? 0 : 1;
	guint32 bits = latches[_i].latched & 0x0eu << (8 * byte);

	set_latched((guint)_i, bits);
	hb_vfio_config_write(&config, latches[_i].offset + byte, 1, bits >> (8 * byte));

	ck_assert_uint_eq(read_latched((guint)_i), 0);
}
END_TEST

START_TEST(an_error_that_comes_after_the_host_cleared_the_last_one_is_seen)
{
	guint32 bit = latches[_i].latched & -latches[_i].latched;

	set_latched((guint)_i, bit);
	hb_vfio_config_write(&config, latches[_i].offset, latches[_i].size, bit);
	set_latched((guint)_i, 0);
	ck_assert_uint_eq(read_latched((guint)_i), 0);
	set_latched((guint)_i, bit);

	ck_assert_uint_eq(read_latched((guint)_i), bit);
}
END_TEST

START_TEST(clearing_a_bit_that_is_not_set_hides_no_later_error)
{
	guint32 bit = latches[_i].latched & -latches[_i].latched;

	set_latched((guint)_i, 0);
	hb_vfio_config_write(&config, latches[_i].offset, latches[_i].size, 0xffffffff);
	set_latched((guint)_i, bit);

	ck_assert_uint_eq(read_latched((guint)_i), bit);
}
END_TEST

START_TEST(a_silent_drive_reads_all_ones_whatever_the_guest_cleared)
{
	set_in_drive(PCI_STATUS, 0xf900);
	hb_vfio_config_write(&config, PCI_STATUS, 2, 0xf900);
	set_in_drive(PCI_STATUS, 0xffff);

	ck_assert_uint_eq(hb_vfio_config_read(&config, PCI_STATUS, 2) & 0xf900, 0xf900);
}
END_TEST

START_TEST(a_reset_forgets_what_was_cleared)
{
	hb_vfio_config_write(&config, EXPRESS + PCI_EXP_DEVSTA, 2, 0x0008);
	hb_vfio_config_reset_latches(&config);

	ck_assert_uint_eq(hb_vfio_config_read(&config, EXPRESS + PCI_EXP_DEVSTA, 2), 0x0009);
}
END_TEST

START_TEST(link_status_is_the_drives)
{
	set_in_drive(EXPRESS + PCI_EXP_LNKSTA, 0x1082);
	ck_assert_uint_eq(hb_vfio_config_read(&config, EXPRESS + PCI_EXP_LNKSTA, 2), 0x1082);
}
END_TEST

START_TEST(the_power_state_is_the_guests_copy_and_nothing_is_lost_by_it)
{
	hb_vfio_config_write(&config, PM + PCI_PM_CTRL, 2, 3 | PCI_PM_CTRL_PME_ENABLE);
	ck_assert_uint_eq(in_drive(PM + PCI_PM_CTRL), 0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PM + PCI_PM_CTRL, 2),
			  3 | PCI_PM_CTRL_NO_SOFT_RESET);
	ck_assert_uint_eq(hb_vfio_config_read(&config, PM + PCI_PM_PMC, 2) & PCI_PM_CAP_PME_MASK,
			  0);
}
END_TEST

START_TEST(msix_begins_disabled)
{
	ck_assert_uint_eq(hb_vfio_config_read(&config, MSIX + PCI_MSIX_FLAGS, 2), 64);
}
END_TEST

START_TEST(what_the_guest_clears_stays_in_the_drive_for_the_host)
{
	ck_assert_uint_eq(hb_vfio_config_read(&config, AER + PCI_ERR_UNCOR_STATUS, 4), 0x20);
	hb_vfio_config_write(&config, AER + PCI_ERR_UNCOR_STATUS, 4, 0xffffffff);
	ck_assert_uint_eq(in_drive(AER + PCI_ERR_UNCOR_STATUS), 0x20);
}
END_TEST

START_TEST(a_drive_that_has_gone_reads_all_ones_where_it_would_answer)
{
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_uint_eq(hb_vfio_config_read(&config, EXPRESS + PCI_EXP_LNKSTA, 2), 0x3fff);
	hb_vfio_config_write(&config, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	guint16 status;
	ck_assert(!hb_vfio_config_peek_u16(&config, PCI_STATUS, &status));
}
END_TEST

START_TEST(a_space_that_ends_early_is_refused)
{
	g_autoptr(GError) error = NULL;

	ck_assert_int_eq(ftruncate(fd, BASE + 64), 0);
	ck_assert(!hb_vfio_config_init(&config, fd, BASE, &error));
	ck_assert_ptr_nonnull(error);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("registers");
	int n_latches = (int)G_N_ELEMENTS(latches);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, identity_is_the_drives);
	tcase_add_test(tcase, identity_cannot_be_written);
	tcase_add_test(tcase, a_multifunction_drive_is_a_single_function);
	tcase_add_test(tcase, memory_decode_is_the_guests_copy_and_stays_on_in_the_drive);
	tcase_add_test(tcase, bus_master_reaches_the_drive);
	tcase_add_test(tcase, a_drive_that_is_cut_off_is_no_bus_master);
	tcase_add_test(tcase, the_path_to_bus_0_decides_over_the_guests_bus_master);
	tcase_add_test(tcase, a_byte_write_to_command_leaves_the_upper_byte);
	tcase_add_test(tcase, a_dword_write_to_command_clears_no_status_bit_by_itself);
	tcase_add_test(tcase, status_is_read_from_the_drive_and_no_pin_is_shown_yet);
	tcase_add_test(tcase, bars_and_rom_are_not_the_hosts_addresses);
	tcase_add_test(tcase, the_chain_holds_the_shown_capabilities_only);
	tcase_add_test(tcase, a_hidden_capability_reads_zero);
	tcase_add_test(tcase, the_extended_chain_skips_what_is_hidden);
	tcase_add_test(tcase, a_hidden_first_extended_capability_leaves_a_null_one);
	tcase_add_test(tcase, a_chain_that_loops_ends);
	tcase_add_test(tcase, the_drive_is_an_endpoint_wherever_the_host_has_it);
	tcase_add_test(tcase, payload_size_stays_the_hosts);
	tcase_add_loop_test(tcase, an_error_bit_that_is_cleared_stays_clear_and_the_others_stay, 0,
			    n_latches);
	tcase_add_loop_test(tcase, an_error_bit_is_cleared_by_a_write_of_its_byte_alone, 0,
			    n_latches);
	tcase_add_loop_test(tcase, an_error_that_comes_after_the_host_cleared_the_last_one_is_seen,
			    0, n_latches);
	tcase_add_loop_test(tcase, clearing_a_bit_that_is_not_set_hides_no_later_error, 0,
			    n_latches);
	tcase_add_test(tcase, a_silent_drive_reads_all_ones_whatever_the_guest_cleared);
	tcase_add_test(tcase, a_reset_forgets_what_was_cleared);
	tcase_add_test(tcase, link_status_is_the_drives);
	tcase_add_test(tcase, the_power_state_is_the_guests_copy_and_nothing_is_lost_by_it);
	tcase_add_test(tcase, msix_begins_disabled);
	tcase_add_test(tcase, what_the_guest_clears_stays_in_the_drive_for_the_host);
	tcase_add_test(tcase, a_drive_that_has_gone_reads_all_ones_where_it_would_answer);
	tcase_add_test(tcase, a_space_that_ends_early_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
