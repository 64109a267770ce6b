/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* _OSC as an operating system calls it, executed by ACPICA's interpreter. */

#include "tests/unit/acpi/machines.h"
#include "tests/unit/acpi/tools.h"
#include "tests/unit/suite.h"

#include <string.h>

#define HOST_BRIDGE "5b 4d db 33 f7 1f 1c 40 96 57 74 41 c0 3d d7 66"
#define CXL_BRIDGE  "0b 52 f2 68 69 c3 8d 4b 88 6a e4 4a 24 7e c9 4a"

#define QUERY	 0x01u
#define MASKED	 0x10u
#define REVISION 0x08u
#define UUID	 0x04u

/* The control field, PCI Firmware r3.3 §4.5.1 */
#define HOTPLUG 0x01u
#define SHPC	0x02u
#define PME	0x04u
#define AER	0x08u
#define EXPRESS 0x10u
#define LTR	0x20u
#define DPC	0x80u
#define GRANTED (HOTPLUG | PME | AER | EXPRESS)

typedef struct Osc {
	guint32 status;
	guint32 support;
	guint32 control;
	guint64 committed; /* what the platform believes the system to control */
} Osc;

static char *folder;

static void set_up(void)
{
	folder = tools_make_folder();
}

static void tear_down(void)
{
	tools_remove_folder(folder);
}

static char *format_dword(guint32 value)
{
	return g_strdup_printf("%02x %02x %02x %02x", value & 0xff, value >> 8 & 0xff,
			       value >> 16 & 0xff, value >> 24);
}

static void parse_buffer(const char *text, guint8 bytes[12])
{
	const char *at = strstr(text, "[Buffer] Length 0C");

	ck_assert_msg(at != NULL, "no buffer of 12 bytes in: %.2000s", text);
	at = strstr(at, "0000:");
	ck_assert_msg(at != NULL, "no bytes in: %.2000s", text);
	at += strlen("0000:");
	for (guint i = 0; i < 12; i++, at += 3) {
		ck_assert(g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2]));
		bytes[i] = g_ascii_xdigit_value(at[1]) << 4 | g_ascii_xdigit_value(at[2]);
	}
}

/* Runs acpiexec's @commands, which call _OSC once at the end, then reads what was committed. */
static Osc run(MachineKind kind, const char *commands)
{
	g_autoptr(GByteArray) blob = machines_build(kind);
	g_autofree char *dsdt = tools_write_table(folder, blob, "DSDT");
	g_autofree char *ssdt = tools_write_table(folder, blob, "SSDT");
	g_autofree char *batch = g_strconcat(commands, ";evaluate \\_SB.PCI0.HBCT", NULL);
	const char *const argv[] = { "acpiexec", "-b", batch, dsdt, ssdt, NULL };
	g_autofree char *text = tools_run(folder, argv);
	const char *committed = strstr(text, "[Integer] = ");
	guint8 bytes[12];

	ck_assert_msg(!strstr(text, "ACPI Error") && !strstr(text, "ACPI Warning"), "%.2000s",
		      text);
	ck_assert_msg(committed != NULL, "no HBCT in: %.2000s", text);
	parse_buffer(text, bytes);
	return (Osc){
		.status = machines_get_u32(bytes),
		.support = machines_get_u32(bytes + 4),
		.control = machines_get_u32(bytes + 8),
		.committed = g_ascii_strtoull(committed + strlen("[Integer] = "), NULL, 16),
	};
}

static Osc evaluate(MachineKind kind, const char *uuid, guint revision, guint32 flags,
		    guint32 control)
{
	g_autofree char *first = format_dword(flags);
	g_autofree char *third = format_dword(control);
	g_autofree char *command =
		g_strdup_printf("evaluate \\_SB.PCI0._OSC (%s) %x 3 (%s 1f 01 00 00 %s)", uuid,
				revision, first, third);

	return run(kind, command);
}

/* Linux first asks, with the query flag, what it may have (drivers/acpi/pci_root.c, 6.1). */
START_TEST(linux_query_is_answered_and_not_committed)
{
	const guint32 request = HOTPLUG | SHPC | PME | AER | EXPRESS | LTR | DPC;
	const Osc osc = evaluate(MACHINE_LARGE, HOST_BRIDGE, 1, QUERY, request);

	ck_assert_uint_eq(osc.status, QUERY | MASKED);
	ck_assert_uint_eq(osc.support, 0x11f);
	ck_assert_uint_eq(osc.control, GRANTED);
	ck_assert_uint_eq(osc.committed, 0);
}
END_TEST

/* Then it takes what it was offered: nothing is masked, or it would take nothing at all. */
START_TEST(linux_request_is_granted_and_committed)
{
	const Osc osc = evaluate(MACHINE_LARGE, HOST_BRIDGE, 1, 0, GRANTED);

	ck_assert_uint_eq(osc.status, 0);
	ck_assert_uint_eq(osc.control, GRANTED);
	ck_assert_uint_eq(osc.committed, GRANTED);
}
END_TEST

/* Windows wants hot-plug, PME and the capability structure, all of them. */
START_TEST(windows_request_is_granted_as_a_set)
{
	const Osc osc = evaluate(MACHINE_SMALL, HOST_BRIDGE, 1, 0, HOTPLUG | PME | EXPRESS);

	ck_assert_uint_eq(osc.status, 0);
	ck_assert_uint_eq(osc.control, HOTPLUG | PME | EXPRESS);
	ck_assert_uint_eq(osc.committed, HOTPLUG | PME | EXPRESS);
}
END_TEST

START_TEST(nothing_is_granted_that_was_not_asked_for)
{
	const Osc osc = evaluate(MACHINE_SMALL, HOST_BRIDGE, 1, 0, PME);

	ck_assert_uint_eq(osc.status, 0);
	ck_assert_uint_eq(osc.control, PME);
	ck_assert_uint_eq(osc.committed, PME);
}
END_TEST

START_TEST(request_for_nothing_gets_nothing)
{
	const Osc osc = evaluate(MACHINE_SMALL, HOST_BRIDGE, 1, 0, 0);

	ck_assert_uint_eq(osc.status, 0);
	ck_assert_uint_eq(osc.control, 0);
	ck_assert_uint_eq(osc.committed, 0);
}
END_TEST

START_TEST(hotplug_is_masked_where_slots_are_not_native)
{
	const Osc osc = evaluate(MACHINE_NO_HOTPLUG, HOST_BRIDGE, 1, 0, GRANTED);

	ck_assert_uint_eq(osc.status, MASKED);
	ck_assert_uint_eq(osc.control, PME | AER | EXPRESS);
	ck_assert_uint_eq(osc.committed, PME | AER | EXPRESS);
}
END_TEST

START_TEST(shpc_ltr_and_dpc_are_never_granted)
{
	const Osc osc = evaluate(MACHINE_SMALL, HOST_BRIDGE, 1, 0, SHPC | LTR | DPC);

	ck_assert_uint_eq(osc.status, MASKED);
	ck_assert_uint_eq(osc.control, 0);
	ck_assert_uint_eq(osc.committed, 0);
}
END_TEST

START_TEST(another_uuid_is_unrecognised)
{
	const Osc osc = evaluate(MACHINE_SMALL, CXL_BRIDGE, 1, 0, GRANTED);

	ck_assert_uint_eq(osc.status, UUID);
	ck_assert_uint_eq(osc.committed, 0);
}
END_TEST

START_TEST(another_revision_is_unrecognised_and_granted_nothing)
{
	const Osc osc = evaluate(MACHINE_SMALL, HOST_BRIDGE, 2, 0, GRANTED);

	ck_assert_uint_eq(osc.status, REVISION);
	ck_assert_uint_eq(osc.control, 0);
	ck_assert_uint_eq(osc.committed, 0);
}
END_TEST

/* After a kexec, say. A query in between must not take back what was granted. */
START_TEST(query_after_a_grant_leaves_the_grant)
{
	const Osc osc = run(MACHINE_SMALL, "evaluate \\_SB.PCI0._OSC (" HOST_BRIDGE
					   ") 1 3 (00 00 00 00 1f 01 00 00 1d 00 00 00);"
					   "evaluate \\_SB.PCI0._OSC (" HOST_BRIDGE
					   ") 1 3 (01 00 00 00 1f 01 00 00 04 00 00 00)");

	ck_assert_uint_eq(osc.committed, GRANTED);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("osc");
	TCase *tcase = tcase_create("negotiation");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, linux_query_is_answered_and_not_committed);
	tcase_add_test(tcase, linux_request_is_granted_and_committed);
	tcase_add_test(tcase, windows_request_is_granted_as_a_set);
	tcase_add_test(tcase, nothing_is_granted_that_was_not_asked_for);
	tcase_add_test(tcase, request_for_nothing_gets_nothing);
	tcase_add_test(tcase, hotplug_is_masked_where_slots_are_not_native);
	tcase_add_test(tcase, shpc_ltr_and_dpc_are_never_granted);
	tcase_add_test(tcase, another_uuid_is_unrecognised);
	tcase_add_test(tcase, another_revision_is_unrecognised_and_granted_nothing);
	tcase_add_test(tcase, query_after_a_grant_leaves_the_grant);
	suite_add_tcase(suite, tcase);
	return suite;
}
