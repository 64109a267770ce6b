/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* PCI addresses as text: what is read, what is refused, what is written. */

#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/pci.h>

static const struct {
	const char *text;
	HbPciAddress address;
} valid[] = {
	{ "0000:01:00.0", { 0, 1, HB_PCI_DEVFN(0, 0) } },
	{ "01:00.0", { 0, 1, HB_PCI_DEVFN(0, 0) } },
	{ "ffff:ff:1f.7", { 0xffff, 0xff, HB_PCI_DEVFN(0x1f, 7) } },
	{ "0001:AB:0c.3", { 1, 0xab, HB_PCI_DEVFN(0xc, 3) } },
	{ "1:2:3.4", { 1, 2, HB_PCI_DEVFN(3, 4) } },
};

START_TEST(an_address_is_read)
{
	HbPciAddress address;

	ck_assert(hb_pci_address_parse(valid[_i].text, &address, NULL));

	ck_assert_uint_eq(address.domain, valid[_i].address.domain);
	ck_assert_uint_eq(address.bus, valid[_i].address.bus);
	ck_assert_uint_eq(address.devfn, valid[_i].address.devfn);
}
END_TEST

static const char *const invalid[] = {
	"",
	":",
	"01",
	"01:00",
	"0000:01:00",
	"01:00.8",
	"01:20.0",
	"101:00.0.0",
	"100:00.0",
	"10000:01:00.0",
	"0000:01:00.0 ",
	" 0000:01:00.0",
	"0000:01:00.00",
	"0000:01:00,0",
	"0x00:01:00.0",
	"+1:00.0",
	"g1:00.0",
	"0000::00.0",
	"0000:01:.0",
	"0000:01:00.",
};

START_TEST(a_malformed_address_is_refused_by_name)
{
	HbPciAddress address = { 1, 2, 3 };
	g_autoptr(GError) error = NULL;

	ck_assert(!hb_pci_address_parse(invalid[_i], &address, &error));

	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	ck_assert_ptr_nonnull(g_strstr_len(error->message, -1, invalid[_i]));
	ck_assert_uint_eq(address.bus, 2);
}
END_TEST

START_TEST(an_address_is_written_in_full)
{
	HbPciAddress address = { 0xa, 0xb, HB_PCI_DEVFN(0xc, 1) };
	char buffer[HB_PCI_ADDRESS_STRLEN];

	ck_assert_str_eq(hb_pci_address_format(&address, buffer), "000a:0b:0c.1");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("pci-address");
	TCase *tcase = tcase_create("pci-address");

	tcase_add_loop_test(tcase, an_address_is_read, 0, G_N_ELEMENTS(valid));
	tcase_add_loop_test(tcase, a_malformed_address_is_refused_by_name, 0,
			    G_N_ELEMENTS(invalid));
	tcase_add_test(tcase, an_address_is_written_in_full);
	suite_add_tcase(suite, tcase);
	return suite;
}
