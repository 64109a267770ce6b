/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The host bridge: who answers a configuration or memory access, whatever its size and place. */

#include "hw/host-bridge.h"
#include "tests/unit/hw/fake-function.h"
#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>

#include <linux/pci_regs.h>

#define ECAM   G_GUINT64_CONSTANT(0xe0000000)
#define MEM32  G_GUINT64_CONSTANT(0xc0000000)
#define MEM64  G_GUINT64_CONSTANT(0x800000000)
#define DEVFN  HB_PCI_DEVFN(4, 1)
#define DEVICE 0xcafe

static const HbHostBridgeConfig config = {
	.ecam = { ECAM, 0x10000000 },
	.mem32 = { MEM32, 0x20000000 },
	.mem64 = { MEM64, 0x100000000 },
};

static FakeHost *host;
static HbHostBridge *bridge;
static FakeFunction *function;

static void setup(void)
{
	host = fake_host_create();
	bridge = hb_host_bridge_create(host->host, &config, NULL);
	function = fake_function_create(DEVICE);
	hb_host_bridge_add(bridge, DEVFN, &function->function, NULL);
}

static void teardown(void)
{
	hb_host_bridge_destroy(bridge);
	fake_function_destroy(function);
	fake_host_destroy(host);
}

static guint64 ecam_address(guint8 bus, guint8 devfn, guint offset)
{
	return ECAM + ((guint64)bus << 20) + ((guint64)devfn << 12) + offset;
}

static guint64 read_memory(guint64 gpa, guint size)
{
	guint64 value = 0;

	ck_assert(hb_host_bridge_mmio(bridge, gpa, &value, size, FALSE));
	return value;
}

static void write_memory(guint64 gpa, guint size, guint64 value)
{
	ck_assert(hb_host_bridge_mmio(bridge, gpa, &value, size, TRUE));
}

static guint32 read_port(guint16 port, guint size)
{
	guint32 value = 0;

	ck_assert(hb_host_bridge_pio(bridge, port, &value, size, FALSE));
	return value;
}

static void write_port(guint16 port, guint size, guint32 value)
{
	ck_assert(hb_host_bridge_pio(bridge, port, &value, size, TRUE));
}

/* Identity. */

START_TEST(the_host_bridge_is_q35)
{
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0, PCI_VENDOR_ID, 4), 0x29c08086);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0, PCI_CLASS_REVISION, 4),
			  0x06000000);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0, PCI_HEADER_TYPE, 1), 0);
}
END_TEST

START_TEST(pciexbar_tells_where_ecam_is_and_keeps_it)
{
	hb_host_bridge_config_write(bridge, 0, 0, 0x60, 4, 0);

	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0, 0x60, 4), ECAM | 1);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0, 0x64, 4), 0);
}
END_TEST

static const struct {
	guint64 size;
	guint32 pciexbar;
} ecam_sizes[] = {
	{ 0x10000000, 1 },
	{ 0x8000000, 3 },
	{ 0x4000000, 5 },
};

START_TEST(pciexbar_tells_the_size_of_ecam)
{
	HbHostBridgeConfig other = { .ecam = { ECAM, ecam_sizes[_i].size } };
	HbHostBridge *small = hb_host_bridge_create(host->host, &other, NULL);

	ck_assert_uint_eq(hb_host_bridge_config_read(small, 0, 0, 0x60, 4),
			  ECAM | ecam_sizes[_i].pciexbar);
	hb_host_bridge_destroy(small);
}
END_TEST

START_TEST(pciexbar_is_off_if_it_cannot_tell_the_size)
{
	HbHostBridgeConfig other = { .ecam = { ECAM, 0x2000000 } };
	HbHostBridge *small = hb_host_bridge_create(host->host, &other, NULL);

	ck_assert_uint_eq(hb_host_bridge_config_read(small, 0, 0, 0x60, 4), 0);
	hb_host_bridge_destroy(small);
}
END_TEST

/* Who sits where. */

START_TEST(an_added_function_is_attached)
{
	ck_assert_ptr_eq(function->attached_to, bridge);
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 0, DEVFN), &function->function);
}
END_TEST

START_TEST(a_taken_address_is_refused)
{
	FakeFunction *other = fake_function_create(1);
	g_autoptr(GError) error = NULL;

	ck_assert(!hb_host_bridge_add(bridge, DEVFN, &other->function, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_BUSY));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, "00:04.1"));
	ck_assert_ptr_null(other->attached_to);
	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 0, DEVFN), &function->function);
	fake_function_destroy(other);
}
END_TEST

START_TEST(an_empty_address_reads_all_ones)
{
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0x28, 0, 4), 0xffffffff);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, 0x28, 0, 2), 0xffff);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 7, DEVFN, 0, 1), 0xff);
	ck_assert_ptr_null(hb_host_bridge_find(bridge, 7, DEVFN));
}
END_TEST

START_TEST(a_function_behind_a_bridge_is_found_by_its_bus)
{
	FakeFunction *port = fake_function_create_bridge(2);
	FakeFunction *drive = fake_function_create(3);

	port->behind = drive;
	ck_assert(hb_host_bridge_add(bridge, 0x10, &port->function, NULL));
	hb_host_bridge_config_write(bridge, 0, 0x10, PCI_SECONDARY_BUS, 2, 0x0505);

	ck_assert_ptr_eq(hb_host_bridge_find(bridge, 5, 0), &drive->function);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 5, 0, PCI_DEVICE_ID, 2), 3);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 5, 1, PCI_DEVICE_ID, 2), 0xffff);
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 4, 0, PCI_DEVICE_ID, 2), 0xffff);
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(port);
	fake_function_destroy(drive);
}
END_TEST

/* ECAM. */

START_TEST(ecam_reads_configuration_space)
{
	ck_assert_uint_eq(read_memory(ecam_address(0, DEVFN, PCI_VENDOR_ID), 4), 0xcafe1b36);
	ck_assert_str_eq(function->accesses->str, "read 0 4\n");
}
END_TEST

START_TEST(ecam_writes_extended_configuration_space)
{
	write_memory(ecam_address(0, DEVFN, 0xffe), 2, 0xbeef);

	ck_assert_str_eq(function->accesses->str, "write ffe 2 beef\n");
}
END_TEST

static const struct {
	guint offset;
	guint size;
	const char *accesses;
} unaligned[] = {
	{ 1, 4, "read 1 1\nread 2 2\nread 4 1\n" },
	{ 3, 2, "read 3 1\nread 4 1\n" },
	{ 0, 8, "read 0 4\nread 4 4\n" },
	{ 2, 8, "read 2 2\nread 4 4\nread 8 2\n" },
	{ 0, 3, "read 0 2\nread 2 1\n" },
	{ 0xffe, 4, "read ffe 2\n" }, /* the rest is the next function's, which is not there */
};

START_TEST(an_unaligned_access_comes_in_aligned_pieces)
{
	read_memory(ecam_address(0, DEVFN, unaligned[_i].offset), unaligned[_i].size);

	ck_assert_str_eq(function->accesses->str, unaligned[_i].accesses);
}
END_TEST

START_TEST(pieces_of_an_access_are_put_together)
{
	ck_assert_uint_eq(read_memory(ecam_address(0, DEVFN, 1), 4), 0x00cafe1b);
	ck_assert_uint_eq(read_memory(ecam_address(0, DEVFN, 0xffe), 4), 0xffff0000);
}
END_TEST

START_TEST(an_access_across_the_end_of_ecam_is_cut_off)
{
	ck_assert_uint_eq(read_memory(ECAM + config.ecam.size - 2, 4), 0xffffffff);
}
END_TEST

/* I/O ports. */

START_TEST(the_address_port_keeps_its_defined_bits)
{
	write_port(0xcf8, 4, 0xffffffff);

	ck_assert_uint_eq(read_port(0xcf8, 4), 0x80fffffc);
}
END_TEST

START_TEST(the_data_port_reaches_the_addressed_register)
{
	write_port(0xcf8, 4, 0x80000000 | DEVFN << 8 | PCI_COMMAND);
	write_port(0xcfc, 2, PCI_COMMAND_MEMORY);

	ck_assert_uint_eq(read_port(0xcfc, 4), PCI_COMMAND_MEMORY);
	ck_assert_str_eq(function->accesses->str, "write 4 2 2\nread 4 4\n");
}
END_TEST

static const struct {
	guint16 port;
	guint size;
	guint32 value;
} data_accesses[] = {
	{ 0xcfc, 1, 0x36 },   { 0xcfd, 1, 0x1b },	{ 0xcfe, 2, 0xcafe }, { 0xcfd, 2, 0xfe1b },
	{ 0xcff, 1, 0xca },   { 0xcfe, 4, 0xffffcafe }, /* beyond the last port nobody answers */
	{ 0xcff, 2, 0xffca },
};

START_TEST(the_data_port_takes_parts_of_a_register)
{
	write_port(0xcf8, 4, 0x80000000 | DEVFN << 8);

	ck_assert_uint_eq(read_port(data_accesses[_i].port, data_accesses[_i].size),
			  data_accesses[_i].value);
}
END_TEST

START_TEST(a_disabled_address_reaches_nothing)
{
	write_port(0xcf8, 4, DEVFN << 8);
	write_port(0xcfc, 4, 0);

	ck_assert_uint_eq(read_port(0xcfc, 4), 0xffffffff);
	ck_assert_str_eq(function->accesses->str, "");
}
END_TEST

static const struct {
	guint16 port;
	guint size;
} foreign_ports[] = {
	{ 0xcf8, 1 }, { 0xcf8, 2 }, { 0xcf9, 1 }, { 0xcfa, 2 },
	{ 0xcf7, 4 }, { 0xd00, 4 }, { 0, 1 },
};

START_TEST(other_ports_are_left_alone)
{
	guint32 data = 0x12345678;

	ck_assert(!hb_host_bridge_pio(bridge, foreign_ports[_i].port, &data, foreign_ports[_i].size,
				      FALSE));
	ck_assert(!hb_host_bridge_pio(bridge, foreign_ports[_i].port, &data, foreign_ports[_i].size,
				      TRUE));
	ck_assert_uint_eq(data, 0x12345678);
	ck_assert_uint_eq(read_port(0xcf8, 4), 0);
}
END_TEST

/* The function's own view, without a bus. */

START_TEST(a_config_access_beyond_the_end_reaches_nothing)
{
	ck_assert_uint_eq(hb_host_bridge_config_read(bridge, 0, DEVFN, HB_CONFIG_SIZE, 4),
			  0xffffffff);
	hb_host_bridge_config_write(bridge, 0, DEVFN, HB_CONFIG_SIZE, 4, 0);

	ck_assert_str_eq(function->accesses->str, "");
}
END_TEST

/* Memory. */

typedef struct Trap {
	GString *accesses;
	gboolean unclaims;
} Trap;

static const HbMmioOps trap_ops;

static guint64 trap_read(gpointer opaque, guint64 offset, guint size)
{
	Trap *trap = opaque;

	g_string_append_printf(trap->accesses, "read %x %x\n", (guint)offset, size);
	if (trap->unclaims)
		hb_host_bridge_unclaim(bridge, MEM32, &trap_ops, trap);
	return G_GUINT64_CONSTANT(0x1122334455667788);
}

static void trap_write(gpointer opaque, guint64 offset, guint size, guint64 value)
{
	Trap *trap = opaque;

	g_string_append_printf(trap->accesses, "write %x %x %" G_GINT64_MODIFIER "x\n",
			       (guint)offset, size, value);
}

static const HbMmioOps trap_ops = {
	.read = trap_read,
	.write = trap_write,
};

static void claim(guint64 base, Trap *trap)
{
	trap->accesses = g_string_new(NULL);
	hb_host_bridge_lock(bridge);
	hb_host_bridge_claim(bridge, base, 0x1000, &trap_ops, trap);
	hb_host_bridge_unlock(bridge);
}

static void unclaim(guint64 base, Trap *trap)
{
	hb_host_bridge_lock(bridge);
	hb_host_bridge_unclaim(bridge, base, &trap_ops, trap);
	hb_host_bridge_unlock(bridge);
}

static void finish(Trap *trap)
{
	g_string_free(trap->accesses, TRUE);
}

START_TEST(a_claimed_range_is_answered_by_its_owner)
{
	Trap trap = { 0 };

	claim(MEM32 + 0x2000, &trap);
	write_memory(MEM32 + 0x2010, 4, 0xabcd);

	ck_assert_uint_eq(read_memory(MEM32 + 0x2ff8, 8), G_GUINT64_CONSTANT(0x1122334455667788));
	ck_assert_str_eq(trap.accesses->str, "write 10 4 abcd\nread ff8 8\n");
	finish(&trap);
}
END_TEST

START_TEST(an_access_across_the_end_of_a_range_stays_inside_it)
{
	Trap trap = { 0 };

	claim(MEM32, &trap);

	ck_assert_uint_eq(read_memory(MEM32 + 0xffc, 8), G_GUINT64_CONSTANT(0xffffffff55667788));
	ck_assert_str_eq(trap.accesses->str, "read ffc 4\n");
	finish(&trap);
}
END_TEST

START_TEST(the_range_claimed_first_wins_until_it_goes)
{
	Trap first = { 0 }, second = { 0 };

	claim(MEM32, &first);
	claim(MEM32, &second);
	read_memory(MEM32, 1);
	unclaim(MEM32, &first);
	read_memory(MEM32, 2);

	ck_assert_str_eq(first.accesses->str, "read 0 1\n");
	ck_assert_str_eq(second.accesses->str, "read 0 2\n");
	finish(&first);
	finish(&second);
}
END_TEST

START_TEST(an_access_may_unclaim_its_own_range)
{
	Trap trap = { .unclaims = TRUE };

	claim(MEM32, &trap);

	ck_assert_uint_eq(read_memory(MEM32, 1), 0x88);
	ck_assert_uint_eq(read_memory(MEM32, 1), 0xff);
	finish(&trap);
}
END_TEST

static const guint64 window_addresses[] = {
	MEM32,
	MEM32 + 0x1ffffff8,
	MEM64,
	MEM64 + 0xfffffff8,
};

START_TEST(an_unclaimed_address_of_a_window_reads_all_ones)
{
	write_memory(window_addresses[_i], 8, 0);

	ck_assert_uint_eq(read_memory(window_addresses[_i], 8), G_MAXUINT64);
}
END_TEST

static const guint64 foreign_addresses[] = {
	0, MEM32 - 8, ECAM + 0x10000000, MEM64 - 8, MEM64 + 0x100000000, G_MAXUINT64 - 7,
};

START_TEST(other_memory_is_left_alone)
{
	guint64 data = 42;

	ck_assert(!hb_host_bridge_mmio(bridge, foreign_addresses[_i], &data, 8, FALSE));
	ck_assert(!hb_host_bridge_mmio(bridge, foreign_addresses[_i], &data, 8, TRUE));
	ck_assert_uint_eq(data, 42);
}
END_TEST

/* Life and death. */

START_TEST(a_reset_reaches_each_function_and_the_address_port)
{
	write_port(0xcf8, 4, 0x80001234);
	hb_host_bridge_reset(bridge);

	ck_assert_uint_eq(function->n_resets, 1);
	ck_assert_uint_eq(read_port(0xcf8, 4), 0);
}
END_TEST

START_TEST(revoke_asks_every_function_and_tells_of_success)
{
	FakeFunction *port = fake_function_create_bridge(2);
	FakeFunction *drive = fake_function_create(3);
	guint n_faults = 0;

	port->behind = drive;
	hb_host_bridge_add(bridge, 0x10, &port->function, NULL);

	ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 1);
	drive->revokes = TRUE;
	ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 0);

	ck_assert_uint_eq(function->n_revokes, 2);
	ck_assert_uint_eq(drive->n_revokes, 2);
	hb_host_bridge_destroy(g_steal_pointer(&bridge));
	fake_function_destroy(port);
	fake_function_destroy(drive);
}
END_TEST

START_TEST(faults_without_a_drive_that_has_gone_are_too_many_at_the_sixteenth_in_a_row)
{
	guint n_faults = 0;

	for (guint i = 1; i < 16; i++)
		ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	ck_assert(!hb_host_bridge_revoke(bridge, &n_faults));

	ck_assert_uint_eq(n_faults, 0);
}
END_TEST

START_TEST(a_drive_that_has_gone_ends_the_row_of_faults)
{
	guint n_faults = 15;

	function->revokes = TRUE;
	ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	function->revokes = FALSE;

	ck_assert(hb_host_bridge_revoke(bridge, &n_faults));
	ck_assert_uint_eq(n_faults, 1);
}
END_TEST

START_TEST(destroying_the_bridge_severs_and_releases_its_functions)
{
	hb_host_bridge_destroy(g_steal_pointer(&bridge));

	ck_assert_uint_eq(function->n_severs, 1);
	ck_assert_uint_eq(function->n_releases, 1);
}
END_TEST

static const HbHostBridgeConfig bad_configs[] = {
	{ .ecam = { 0, 0 } },
	{ .ecam = { ECAM, 0x30000000 } },
	{ .ecam = { ECAM, 0x20000000 } },
	{ .ecam = { ECAM + 0x100000, 0x10000000 } },
	{ .ecam = { ECAM, 0x80000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem32 = { 0xd0000000, 0x20000000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem32 = { 0xf0000000, 0x20000000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem32 = { 0x100000000, 0x10000000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem32 = { 0xc0080000, 0x10000000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem64 = { MEM64, 0x80000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem64 = { 0xfffffffffff00000, 0x200000 } },
	{ .ecam = { ECAM, 0x10000000 }, .mem64 = { 0xd0000000, 0x20000000 } },
	{ .ecam = { ECAM, 0x10000000 },
	  .mem32 = { 0xc0000000, 0x10000000 },
	  .mem64 = { 0xc0000000, 0x10000000 } },
	{ .ecam = { 0x40000000, 0x10000000 } },				       /* in RAM */
	{ .ecam = { ECAM, 0x10000000 }, .mem32 = { 0x7ff00000, 0x10000000 } }, /* RAM's end */
};

START_TEST(a_config_that_cannot_work_is_refused)
{
	HbRam ram = { .gpa = 0, .size = 0x80000000, .hva = (gpointer)0x1000 };
	g_autoptr(GError) error = NULL;

	ck_assert(hb_host_add_ram(host->host, &ram, NULL));

	ck_assert_ptr_null(hb_host_bridge_create(host->host, &bad_configs[_i], &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
}
END_TEST

static void add_identity_tests(TCase *tcase)
{
	tcase_add_test(tcase, the_host_bridge_is_q35);
	tcase_add_test(tcase, pciexbar_tells_where_ecam_is_and_keeps_it);
	tcase_add_loop_test(tcase, pciexbar_tells_the_size_of_ecam, 0, G_N_ELEMENTS(ecam_sizes));
	tcase_add_test(tcase, pciexbar_is_off_if_it_cannot_tell_the_size);
	tcase_add_test(tcase, an_added_function_is_attached);
	tcase_add_test(tcase, a_taken_address_is_refused);
	tcase_add_test(tcase, an_empty_address_reads_all_ones);
	tcase_add_test(tcase, a_function_behind_a_bridge_is_found_by_its_bus);
}

static void add_config_tests(TCase *tcase)
{
	tcase_add_test(tcase, ecam_reads_configuration_space);
	tcase_add_test(tcase, ecam_writes_extended_configuration_space);
	tcase_add_loop_test(tcase, an_unaligned_access_comes_in_aligned_pieces, 0,
			    G_N_ELEMENTS(unaligned));
	tcase_add_test(tcase, pieces_of_an_access_are_put_together);
	tcase_add_test(tcase, an_access_across_the_end_of_ecam_is_cut_off);
	tcase_add_test(tcase, the_address_port_keeps_its_defined_bits);
	tcase_add_test(tcase, the_data_port_reaches_the_addressed_register);
	tcase_add_loop_test(tcase, the_data_port_takes_parts_of_a_register, 0,
			    G_N_ELEMENTS(data_accesses));
	tcase_add_test(tcase, a_disabled_address_reaches_nothing);
	tcase_add_loop_test(tcase, other_ports_are_left_alone, 0, G_N_ELEMENTS(foreign_ports));
	tcase_add_test(tcase, a_config_access_beyond_the_end_reaches_nothing);
}

static void add_memory_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_claimed_range_is_answered_by_its_owner);
	tcase_add_test(tcase, an_access_across_the_end_of_a_range_stays_inside_it);
	tcase_add_test(tcase, the_range_claimed_first_wins_until_it_goes);
	tcase_add_test(tcase, an_access_may_unclaim_its_own_range);
	tcase_add_loop_test(tcase, an_unclaimed_address_of_a_window_reads_all_ones, 0,
			    G_N_ELEMENTS(window_addresses));
	tcase_add_loop_test(tcase, other_memory_is_left_alone, 0, G_N_ELEMENTS(foreign_addresses));
}

static void add_life_tests(TCase *tcase)
{
	tcase_add_test(tcase, a_reset_reaches_each_function_and_the_address_port);
	tcase_add_test(tcase, revoke_asks_every_function_and_tells_of_success);
	tcase_add_test(tcase,
		       faults_without_a_drive_that_has_gone_are_too_many_at_the_sixteenth_in_a_row);
	tcase_add_test(tcase, a_drive_that_has_gone_ends_the_row_of_faults);
	tcase_add_test(tcase, destroying_the_bridge_severs_and_releases_its_functions);
	tcase_add_loop_test(tcase, a_config_that_cannot_work_is_refused, 0,
			    G_N_ELEMENTS(bad_configs));
}

Suite *test_suite(void)
{
	static const struct {
		const char *name;
		void (*add)(TCase *tcase);
	} cases[] = {
		{ "identity", add_identity_tests },
		{ "config", add_config_tests },
		{ "memory", add_memory_tests },
		{ "life", add_life_tests },
	};
	Suite *suite = suite_create("host-bridge");

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		TCase *tcase = tcase_create(cases[i].name);

		tcase_add_checked_fixture(tcase, setup, teardown);
		cases[i].add(tcase);
		suite_add_tcase(suite, tcase);
	}
	return suite;
}
