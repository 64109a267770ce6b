/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The GSI routing table of two owners. KVM is a function here, in the place of ioctl(): it keeps
 * the table that it was given last, and refuses what KVM refuses (Linux 6.1 virt/kvm/irqchip.c,
 * kvm_set_irq_routing() and setup_routing_entry()).
 */

#include "hw/host.h"
#include "tests/unit/suite.h"

#include <hotbay/error.h>
#include <hotbay/kvm.h>

#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>

#define VM_FD	     1000
#define MAX_ROUTES   64
#define N_USUAL	     40 /* 24 pins of the IOAPIC, 8 of each PIC */
#define FIRST_GSI    32
#define N_OWN	     3
#define N_ROUNDS     2000
#define APIC_ADDRESS 0xfee00000u

typedef struct Table {
	guint n;
	struct kvm_irq_routing_entry entries[MAX_ROUTES];
} Table;

static Table table;    /* KVM's */
static guint n_tables; /* that it was given */
static gboolean refuses;
static void (*on_table)(void); /* (nullable) with the table just taken */
static HbKvm *kvm;

/* -- KVM. -- */

static gboolean can_share_gsi(const struct kvm_irq_routing_entry *a,
			      const struct kvm_irq_routing_entry *b)
{
	return a->gsi != b->gsi ||
	       (a->type == KVM_IRQ_ROUTING_IRQCHIP && b->type == KVM_IRQ_ROUTING_IRQCHIP &&
		a->u.irqchip.irqchip != b->u.irqchip.irqchip);
}

static gboolean is_sound(const struct kvm_irq_routing *routing)
{
	if (refuses || routing->nr > MAX_ROUTES)
		return FALSE;
	for (guint i = 0; i < routing->nr; i++) {
		if (routing->entries[i].gsi >= MAX_ROUTES)
			return FALSE;
		for (guint j = 0; j < i; j++)
			if (!can_share_gsi(&routing->entries[i], &routing->entries[j]))
				return FALSE;
	}
	return TRUE;
}

static int set_routing(const struct kvm_irq_routing *routing)
{
	if (!is_sound(routing)) {
		errno = EINVAL;
		return -1;
	}
	table.n = routing->nr;
	memcpy(table.entries, routing->entries, routing->nr * sizeof(table.entries[0]));
	n_tables++;
	if (on_table)
		on_table();
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	const void *argument = va_arg(arguments, const void *);
	va_end(arguments);
	ck_assert_int_eq(fd, VM_FD);
	if (request == KVM_CHECK_EXTENSION)
		return MAX_ROUTES;
	ck_assert_uint_eq(request, KVM_SET_GSI_ROUTING);
	return set_routing(argument);
}

/* -- The embedder and the library. -- */

/* Own routes: messages to GSIs 0 to N_OWN - 1, whose data says which list they are of. */
static void fill_own(struct kvm_irq_routing_entry own[N_OWN], guint list)
{
	memset(own, 0, N_OWN * sizeof(own[0]));
	for (guint i = 0; i < N_OWN; i++) {
		own[i].gsi = i;
		own[i].type = KVM_IRQ_ROUTING_MSI;
		own[i].u.msi.address_lo = APIC_ADDRESS;
		own[i].u.msi.data = list;
	}
}

static void create(const HbKvmConfig *config)
{
	g_autoptr(GError) error = NULL;

	kvm = hb_kvm_create(VM_FD, config, NULL, &error);
	ck_assert_msg(kvm != NULL, "%s", error ? error->message : "no error is set");
}

static void setup(void)
{
	const HbKvmConfig config = { .first_gsi = FIRST_GSI };

	create(&config);
}

static void teardown(void)
{
	hb_kvm_destroy(kvm);
}

static HbHost *host(void)
{
	return hb_kvm_get_host(kvm);
}

static const HbHostOps *ops(void)
{
	return hb_host_get_ops(host());
}

static guint add_route(void)
{
	guint route;

	ck_assert(ops()->route_add(host(), &route, NULL));
	return route;
}

static void set_route(guint route, guint32 data)
{
	const HbMsiMessage message = { APIC_ADDRESS, data };

	ops()->route_set(host(), route, &message);
}

static guint add_and_commit(guint32 data)
{
	guint route = add_route();

	set_route(route, data);
	ck_assert(ops()->routes_commit(host(), NULL));
	return route;
}

static void set_own(guint list)
{
	struct kvm_irq_routing_entry own[N_OWN];

	fill_own(own, list);
	ck_assert(hb_kvm_set_routes(kvm, own, N_OWN, NULL));
}

/* The data of a GSI's message in KVM's table; 0: it has none. */
static guint32 get_data(guint gsi)
{
	for (guint i = 0; i < table.n; i++)
		if (table.entries[i].gsi == gsi && table.entries[i].type == KVM_IRQ_ROUTING_MSI)
			return table.entries[i].u.msi.data;
	return 0;
}

static void assert_own(guint list)
{
	for (guint i = 0; i < N_OWN; i++)
		ck_assert_uint_eq(get_data(i), list);
}

static guint count_pins(void)
{
	guint n = 0;

	for (guint i = 0; i < table.n; i++)
		n += table.entries[i].type == KVM_IRQ_ROUTING_IRQCHIP;
	return n;
}

static void assert_refused(const struct kvm_irq_routing_entry *entries, guint n, HbError code,
			   const char *word)
{
	const Table before = table;
	g_autoptr(GError) error = NULL;

	ck_assert(!hb_kvm_set_routes(kvm, entries, n, &error));

	ck_assert_msg(g_error_matches(error, HB_ERROR, code), "%s", error->message);
	ck_assert_msg(strstr(error->message, word) != NULL, "no '%s' in: %s", word, error->message);
	ck_assert_mem_eq(&table, &before, sizeof(table));
	ck_assert(ops()->routes_commit(host(), NULL));
	ck_assert_mem_eq(&table, &before, sizeof(table));
}

/* -- Creation. -- */

START_TEST(without_routes_of_its_own_an_embedder_has_the_usual_pins)
{
	ck_assert_uint_eq(table.n, N_USUAL);
	ck_assert_uint_eq(count_pins(), N_USUAL);
}
END_TEST

START_TEST(the_library_has_gsis_from_the_embedders_number_on)
{
	guint first = add_route();

	ck_assert_uint_eq(first, FIRST_GSI);
	ck_assert_uint_eq(add_route(), FIRST_GSI + 1);
}
END_TEST

START_TEST(without_a_number_they_come_behind_the_pins)
{
	const HbKvmConfig config = { 0 };

	hb_kvm_destroy(kvm);
	create(&config);

	ck_assert_uint_eq(add_route(), 24);
}
END_TEST

START_TEST(routes_of_the_start_are_all_that_is_set)
{
	struct kvm_irq_routing_entry own[N_OWN];
	const HbKvmConfig config = { .routes = own, .n_routes = N_OWN };

	fill_own(own, 7);
	hb_kvm_destroy(kvm);
	n_tables = 0;
	create(&config);

	ck_assert_uint_eq(n_tables, 1);
	ck_assert_uint_eq(table.n, N_OWN);
	assert_own(7);
}
END_TEST

START_TEST(no_routes_at_the_start_have_to_be_asked_for)
{
	const struct kvm_irq_routing_entry none = { 0 };
	const HbKvmConfig empty = { .routes = &none };
	const HbKvmConfig without = { .no_pins = TRUE };

	hb_kvm_destroy(kvm);
	create(&empty);
	ck_assert_uint_eq(table.n, N_USUAL);
	hb_kvm_destroy(kvm);
	create(&without);
	ck_assert_uint_eq(table.n, 0);
}
END_TEST

static void assert_not_created(const HbKvmConfig *config, HbError code, const char *word)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kvm_create(VM_FD, config, NULL, &error));

	ck_assert_msg(g_error_matches(error, HB_ERROR, code), "%s", error->message);
	ck_assert_msg(strstr(error->message, word) != NULL, "no '%s' in: %s", word, error->message);
}

START_TEST(a_number_that_kvm_does_not_have_is_refused)
{
	const HbKvmConfig beyond = { .first_gsi = MAX_ROUTES };
	const HbKvmConfig last = { .first_gsi = MAX_ROUTES - 1 };
	guint route;

	assert_not_created(&beyond, HB_ERROR_INVALID, "first_gsi is 64");
	hb_kvm_destroy(kvm);
	create(&last);
	ck_assert_uint_eq(add_route(), MAX_ROUTES - 1);
	ck_assert(!ops()->route_add(host(), &route, NULL));
}
END_TEST

START_TEST(a_number_among_the_usual_pins_is_refused)
{
	const HbKvmConfig config = { .first_gsi = 23 };

	assert_not_created(&config, HB_ERROR_INVALID, "GSI 23");
}
END_TEST

START_TEST(routes_of_the_start_that_kvm_refuses_are_unsupported)
{
	const HbKvmConfig config = { 0 };

	refuses = TRUE;
	assert_not_created(&config, HB_ERROR_UNSUPPORTED, "KVM_SET_GSI_ROUTING");
	refuses = FALSE;
}
END_TEST

/* -- Two owners. -- */

START_TEST(the_embedders_routes_replace_its_own_and_leave_the_librarys)
{
	guint route = add_and_commit(0x41);

	set_own(1);
	set_own(2);

	ck_assert_uint_eq(table.n, N_OWN + 1);
	assert_own(2);
	ck_assert_uint_eq(get_data(route), 0x41);
}
END_TEST

START_TEST(the_librarys_routes_leave_the_embedders)
{
	set_own(1);
	guint route = add_and_commit(0x41);

	assert_own(1);
	ck_assert_uint_eq(get_data(route), 0x41);
	ops()->route_remove(host(), route);
	ck_assert(ops()->routes_commit(host(), NULL));
	ck_assert_uint_eq(table.n, N_OWN);
	assert_own(1);
}
END_TEST

START_TEST(the_embedders_array_is_copied)
{
	struct kvm_irq_routing_entry own[N_OWN];

	fill_own(own, 1);
	ck_assert(hb_kvm_set_routes(kvm, own, N_OWN, NULL));
	fill_own(own, 2);
	add_and_commit(0x41);

	assert_own(1);
}
END_TEST

START_TEST(no_routes_are_a_list_too_wherever_it_is)
{
	const struct kvm_irq_routing_entry none = { 0 };

	ck_assert(hb_kvm_set_routes(kvm, &none, 0, NULL));
	ck_assert_uint_eq(table.n, 0);
	set_own(1);
	ck_assert(hb_kvm_set_routes(kvm, NULL, 0, NULL));

	ck_assert_uint_eq(table.n, 0);
}
END_TEST

START_TEST(routes_that_are_nowhere_are_refused)
{
	set_own(1);
	assert_refused(NULL, 3, HB_ERROR_INVALID, "3 routes");
}
END_TEST

START_TEST(what_the_library_has_not_committed_waits_for_its_commit)
{
	guint old = add_and_commit(0x41);
	guint new = add_route();

	set_route(old, 0x51);
	set_route(new, 0x52);
	set_own(1);
	ck_assert_uint_eq(get_data(old), 0x41);
	ck_assert_uint_eq(get_data(new), 0);
	ck_assert(ops()->routes_commit(host(), NULL));

	ck_assert_uint_eq(get_data(old), 0x51);
	ck_assert_uint_eq(get_data(new), 0x52);
}
END_TEST

/* -- Refusals. -- */

START_TEST(a_gsi_of_the_librarys_is_refused_by_name)
{
	struct kvm_irq_routing_entry own[N_OWN];

	fill_own(own, 1);
	set_own(2);
	own[1].gsi = FIRST_GSI;
	assert_refused(own, N_OWN, HB_ERROR_INVALID, "GSI 32 of routes[1]");
	own[1].gsi = G_MAXUINT32;
	assert_refused(own, N_OWN, HB_ERROR_INVALID, "GSI 4294967295 of routes[1]");
}
END_TEST

START_TEST(what_kvm_refuses_changes_nothing)
{
	struct kvm_irq_routing_entry own[N_OWN];

	fill_own(own, 1);
	set_own(2);
	own[1].gsi = own[0].gsi;
	assert_refused(own, N_OWN, HB_ERROR_HOST, "KVM_SET_GSI_ROUTING: Invalid argument");
}
END_TEST

/* Two PICs that share their GSIs with an IOAPIC, and so on: more routes than GSIs. */
static void fill_pins(struct kvm_irq_routing_entry *pins, guint n)
{
	memset(pins, 0, n * sizeof(pins[0]));
	for (guint i = 0; i < n; i++) {
		pins[i].gsi = i % FIRST_GSI;
		pins[i].type = KVM_IRQ_ROUTING_IRQCHIP;
		pins[i].u.irqchip.irqchip = i / FIRST_GSI;
	}
}

START_TEST(more_routes_than_kvm_has_are_refused)
{
	struct kvm_irq_routing_entry pins[MAX_ROUTES + 1];

	fill_pins(pins, MAX_ROUTES + 1);
	assert_refused(pins, MAX_ROUTES + 1, HB_ERROR_LIMIT, "64");
	ck_assert(hb_kvm_set_routes(kvm, pins, MAX_ROUTES, NULL));
}
END_TEST

/* Reserved is enough: the library must be able to set it later. */
START_TEST(the_librarys_routes_count_before_they_are_set)
{
	struct kvm_irq_routing_entry pins[MAX_ROUTES];

	fill_pins(pins, MAX_ROUTES);
	add_route();
	assert_refused(pins, MAX_ROUTES, HB_ERROR_LIMIT, "64");
	ck_assert(hb_kvm_set_routes(kvm, pins, MAX_ROUTES - 1, NULL));
}
END_TEST

/* Likewise until their end is committed: until then KVM's table has them. */
START_TEST(the_librarys_routes_count_until_their_end_is_committed)
{
	struct kvm_irq_routing_entry pins[MAX_ROUTES];
	g_autoptr(GError) error = NULL;

	fill_pins(pins, MAX_ROUTES);
	ops()->route_remove(host(), add_and_commit(0x41));
	ck_assert(!hb_kvm_set_routes(kvm, pins, MAX_ROUTES, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert(ops()->routes_commit(host(), NULL));

	ck_assert(hb_kvm_set_routes(kvm, pins, MAX_ROUTES, NULL));
}
END_TEST

START_TEST(a_table_full_of_the_embedders_has_no_room_for_the_library)
{
	struct kvm_irq_routing_entry pins[MAX_ROUTES];
	g_autoptr(GError) error = NULL;
	guint route;

	fill_pins(pins, MAX_ROUTES);
	ck_assert(hb_kvm_set_routes(kvm, pins, MAX_ROUTES, NULL));
	ck_assert(!ops()->route_add(host(), &route, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_LIMIT));
	set_own(1);

	ck_assert(ops()->route_add(host(), &route, NULL));
}
END_TEST

/* -- Threads. -- */

static gint stop;
static gint n_turns; /* atomic: the embedders' */

/* Each table is whole: one list of the embedder's, and the library's routes with one message. */
static void check_table(void)
{
	guint32 list = get_data(0);

	for (guint i = 1; i < N_OWN; i++)
		if (get_data(i) != list)
			ck_abort_msg("lists %u and %u are mixed", list, get_data(i));
	if (get_data(FIRST_GSI) != get_data(FIRST_GSI + 1))
		ck_abort_msg("a half of what was noted is set");
}

/* Returns: how many tables it has set; one at least */
static gpointer run_embedder(gpointer data)
{
	guint n = 0;

	do {
		set_own(GPOINTER_TO_UINT(data));
		g_atomic_int_inc(&n_turns);
		n++;
	} while (!g_atomic_int_get(&stop));
	return GUINT_TO_POINTER(n);
}

/* Until an embedder has had a turn since @before. */
static void give_a_turn(gint before)
{
	while (g_atomic_int_get(&n_turns) == before)
		g_thread_yield();
}

/* The bus lock lets one thread at a time into the host's ops: here that is this one. */
START_TEST(embedders_threads_and_the_library_take_turns)
{
	guint first = add_route(), second = add_route(), n_own = 0;

	n_tables = 0;
	on_table = check_table;
	GThread *threads[] = { g_thread_new("first", run_embedder, GUINT_TO_POINTER(1)),
			       g_thread_new("second", run_embedder, GUINT_TO_POINTER(2)) };

	for (guint32 round = 1; round <= N_ROUNDS; round++) {
		gint before = g_atomic_int_get(&n_turns);

		set_route(first, round);
		set_route(second, round);
		ck_assert(ops()->routes_commit(host(), NULL));
		give_a_turn(before);
	}
	g_atomic_int_set(&stop, TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		n_own += GPOINTER_TO_UINT(g_thread_join(threads[i]));
	on_table = NULL;

	ck_assert_uint_eq(get_data(first), N_ROUNDS);
	ck_assert_uint_ge(n_own, N_ROUNDS);
	ck_assert_uint_eq(n_tables, N_ROUNDS + n_own);
}
END_TEST

/* Pins. */

static void assert_pins_refused(const HbKvmConfig *with_pins, const char *word)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(hb_kvm_create(VM_FD, with_pins, NULL, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	ck_assert_msg(strstr(error->message, word) != NULL, "no '%s' in: %s", word, error->message);
}

START_TEST(lines_of_pins_are_all_of_them_or_none)
{
	assert_pins_refused(&(HbKvmConfig){ .pci_gsi = { 16, 17, 0, 19 } }, "pci_gsi[2] is 0");
	assert_pins_refused(&(HbKvmConfig){ .pci_gsi = { 0, 17, 18, 19 } }, "pci_gsi[0] is 0");
}
END_TEST

START_TEST(a_line_of_pins_among_the_librarys_gsis_is_refused)
{
	assert_pins_refused(&(HbKvmConfig){ .pci_gsi = { 16, 17, 18, 24 } }, "pci_gsi[3] is 24");
	assert_pins_refused(
		&(HbKvmConfig){ .first_gsi = FIRST_GSI, .pci_gsi = { 16, FIRST_GSI, 18, 19 } },
		"pci_gsi[1] is 32");
}
END_TEST

START_TEST(lines_of_pins_of_the_embedders_are_offered_to_drives)
{
	hb_kvm_destroy(kvm);
	create(&(HbKvmConfig){ .first_gsi = FIRST_GSI, .pci_gsi = { 23, 23, 31, 31 } });

	ck_assert(ops()->pin_connect);
}
END_TEST

static void add_creation_tests(TCase *tcase)
{
	tcase_add_test(tcase, lines_of_pins_are_all_of_them_or_none);
	tcase_add_test(tcase, a_line_of_pins_among_the_librarys_gsis_is_refused);
	tcase_add_test(tcase, lines_of_pins_of_the_embedders_are_offered_to_drives);
	tcase_add_test(tcase, without_routes_of_its_own_an_embedder_has_the_usual_pins);
	tcase_add_test(tcase, the_library_has_gsis_from_the_embedders_number_on);
	tcase_add_test(tcase, without_a_number_they_come_behind_the_pins);
	tcase_add_test(tcase, routes_of_the_start_are_all_that_is_set);
	tcase_add_test(tcase, no_routes_at_the_start_have_to_be_asked_for);
	tcase_add_test(tcase, a_number_that_kvm_does_not_have_is_refused);
	tcase_add_test(tcase, a_number_among_the_usual_pins_is_refused);
	tcase_add_test(tcase, routes_of_the_start_that_kvm_refuses_are_unsupported);
}

static void add_sharing_tests(TCase *tcase)
{
	tcase_add_test(tcase, the_embedders_routes_replace_its_own_and_leave_the_librarys);
	tcase_add_test(tcase, the_librarys_routes_leave_the_embedders);
	tcase_add_test(tcase, the_embedders_array_is_copied);
	tcase_add_test(tcase, no_routes_are_a_list_too_wherever_it_is);
	tcase_add_test(tcase, routes_that_are_nowhere_are_refused);
	tcase_add_test(tcase, what_the_library_has_not_committed_waits_for_its_commit);
	tcase_add_test(tcase, a_gsi_of_the_librarys_is_refused_by_name);
	tcase_add_test(tcase, what_kvm_refuses_changes_nothing);
	tcase_add_test(tcase, more_routes_than_kvm_has_are_refused);
	tcase_add_test(tcase, the_librarys_routes_count_before_they_are_set);
	tcase_add_test(tcase, the_librarys_routes_count_until_their_end_is_committed);
	tcase_add_test(tcase, a_table_full_of_the_embedders_has_no_room_for_the_library);
	tcase_add_test(tcase, embedders_threads_and_the_library_take_turns);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("kvm-routes");
	TCase *creation = tcase_create("creation");
	TCase *sharing = tcase_create("sharing");

	tcase_add_checked_fixture(creation, setup, teardown);
	tcase_add_checked_fixture(sharing, setup, teardown);
	tcase_set_timeout(sharing, 60);
	add_creation_tests(creation);
	add_sharing_tests(sharing);
	suite_add_tcase(suite, creation);
	suite_add_tcase(suite, sharing);
	return suite;
}
