/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The verdict, read from a memory file that plays the drive's configuration space. */

#include "tests/unit/hw/fake-host.h"
#include "tests/unit/suite.h"
#include "vfio/notifiers.h"

#include <linux/pci_regs.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static HbVfioConfig config;

static void setup(void)
{
	guint8 image[HB_CONFIG_SIZE] = { [PCI_STATUS] = PCI_STATUS_CAP_LIST };
	int fd = memfd_create("drive", MFD_CLOEXEC);

	ck_assert_int_eq(write(fd, image, sizeof(image)), (int)sizeof(image));
	ck_assert(hb_vfio_config_init(&config, fd, 0, NULL));
}

static void teardown(void)
{
	close(config.device_fd);
}

START_TEST(a_drive_that_answers_is_there)
{
	ck_assert(!hb_vfio_notifiers_is_gone(&config));
}
END_TEST

START_TEST(a_drive_whose_status_reads_all_ones_is_gone)
{
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));
	ck_assert(hb_vfio_notifiers_is_gone(&config));
}
END_TEST

START_TEST(a_drive_that_cannot_be_read_is_gone)
{
	ck_assert_int_eq(ftruncate(config.device_fd, 0), 0);
	ck_assert(hb_vfio_notifiers_is_gone(&config));
}
END_TEST

START_TEST(cached_ids_prove_nothing)
{
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_VENDOR_ID, 0x144d));
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));
	ck_assert(hb_vfio_notifiers_is_gone(&config));
}
END_TEST

/* -- Of what a witness says, what the registers say, and what the host's slot says. -- */

#define NO_NEWS -1

static const struct {
	HbVfioNews witness;
	gboolean is_gone;
	HbVfioPresence presence;
	int news;
} verdicts[] = {
	{ HB_VFIO_NEWS_ASKED, FALSE, HB_VFIO_PRESENCE_OCCUPIED, HB_VFIO_NEWS_ASKED },
	{ HB_VFIO_NEWS_ASKED, TRUE, HB_VFIO_PRESENCE_UNKNOWN, HB_VFIO_NEWS_PULLED },
	{ HB_VFIO_NEWS_ASKED, TRUE, HB_VFIO_PRESENCE_EMPTY, HB_VFIO_NEWS_PULLED },
	{ HB_VFIO_NEWS_ASKED, TRUE, HB_VFIO_PRESENCE_OCCUPIED, HB_VFIO_NEWS_PULLED },
	{ HB_VFIO_NEWS_FAILED, FALSE, HB_VFIO_PRESENCE_OCCUPIED, HB_VFIO_NEWS_FAILED },
	{ HB_VFIO_NEWS_FAILED, TRUE, HB_VFIO_PRESENCE_UNKNOWN, HB_VFIO_NEWS_PULLED },
	{ HB_VFIO_NEWS_FAILED, TRUE, HB_VFIO_PRESENCE_EMPTY, HB_VFIO_NEWS_PULLED },
	{ HB_VFIO_NEWS_FAILED, TRUE, HB_VFIO_PRESENCE_OCCUPIED, HB_VFIO_NEWS_FAILED },
	{ HB_VFIO_NEWS_SILENT, FALSE, HB_VFIO_PRESENCE_OCCUPIED, NO_NEWS },
	{ HB_VFIO_NEWS_SILENT, TRUE, HB_VFIO_PRESENCE_UNKNOWN, NO_NEWS },
	{ HB_VFIO_NEWS_SILENT, TRUE, HB_VFIO_PRESENCE_EMPTY, HB_VFIO_NEWS_PULLED },
	{ HB_VFIO_NEWS_SILENT, TRUE, HB_VFIO_PRESENCE_OCCUPIED, HB_VFIO_NEWS_SILENT },
};

START_TEST(the_verdict)
{
	HbVfioNews news;
	gboolean any = hb_vfio_notifiers_judge(verdicts[_i].witness, verdicts[_i].is_gone,
					       verdicts[_i].presence, &news);

	ck_assert_int_eq(any ? (int)news : NO_NEWS, verdicts[_i].news);
}
END_TEST

/* -- The regular look. The host's port is a file too. -- */

#define LOOK_MS	    300
#define TIME_FOR(n) (((n)*LOOK_MS + LOOK_MS / 2) * G_TIME_SPAN_MILLISECOND)

static guint n_calls; /* of VFIO_DEVICE_SET_IRQS */
static FakeHost *host;
static char *root;
static HbVfioHostPort *port;
static HbVfioNotifiers *notifiers;
static int last_news;

static void note(HbVfioNews news, gpointer data)
{
	ck_assert_int_eq(last_news, NO_NEWS);
	last_news = (int)news;
}

/* A folder that is port and drive at once, since ".." of a drive is its port. */
static void make_port(guint16 slot_status)
{
	guint8 image[256] = { [PCI_CAPABILITY_LIST] = 0x40, [0x40] = PCI_CAP_ID_EXP };
	g_autofree char *drive = NULL, *path = NULL;

	image[0x40 + PCI_EXP_FLAGS + 1] = PCI_EXP_FLAGS_SLOT >> 8;
	image[0x40 + PCI_EXP_SLTCAP] = PCI_EXP_SLTCAP_HPC;
	image[0x40 + PCI_EXP_SLTSTA] = (guint8)slot_status;
	root = g_dir_make_tmp("hotbay-sysfs-XXXXXX", NULL);
	drive = g_build_filename(root, "bus/pci/devices/drive", NULL);
	path = g_build_filename(root, "bus/pci/devices/config", NULL);
	ck_assert_int_eq(g_mkdir_with_parents(drive, 0755), 0);
	ck_assert(g_file_set_contents(path, (char *)image, sizeof(image), NULL));
	port = hb_vfio_host_port_open(root, "drive");
	ck_assert_int_eq(unlink(path), 0);
}

static void watch(guint16 slot_status)
{
	host = fake_host_create();
	last_news = NO_NEWS;
	make_port(slot_status);
	notifiers = hb_vfio_notifiers_open(config.device_fd, &config, port, &n_calls, NULL);
	ck_assert_ptr_nonnull(notifiers);
	hb_vfio_notifiers_watch(notifiers, host->host, LOOK_MS, note, NULL);
}

static void run_for(gint64 microseconds)
{
	gint64 end = g_get_monotonic_time() + microseconds;

	while (g_get_monotonic_time() < end) {
		g_main_context_iteration(host->context, FALSE);
		g_usleep(5000);
	}
}

static void finish_watching(void)
{
	const char *const folders[] = { "bus/pci/devices/drive", "bus/pci/devices", "bus/pci",
					"bus", "" };

	hb_vfio_notifiers_close(notifiers);
	hb_vfio_host_port_close(port);
	for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *folder = g_build_filename(root, folders[i], NULL);
		ck_assert_int_eq(rmdir(folder), 0);
	}
	g_free(root);
	fake_host_destroy(host);
}

START_TEST(a_drive_that_dies_in_its_slot_is_silent_at_the_second_look)
{
	watch(PCI_EXP_SLTSTA_PDS);
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));

	run_for(TIME_FOR(1));
	ck_assert_int_eq(last_news, NO_NEWS);
	run_for(TIME_FOR(2)); /* told once */

	ck_assert_int_eq(last_news, HB_VFIO_NEWS_SILENT);
	finish_watching();
}
END_TEST

START_TEST(a_drive_that_leaves_untold_is_pulled_at_the_second_look)
{
	watch(0);
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));

	run_for(TIME_FOR(1)); /* the host's kernel has its chance to say so */
	ck_assert_int_eq(last_news, NO_NEWS);
	run_for(TIME_FOR(2));

	ck_assert_int_eq(last_news, HB_VFIO_NEWS_PULLED);
	finish_watching();
}
END_TEST

START_TEST(a_drive_in_reset_is_not_looked_at)
{
	watch(PCI_EXP_SLTSTA_PDS);
	hb_vfio_notifiers_set_resetting(notifiers, TRUE);
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));

	run_for(TIME_FOR(2));

	ck_assert_int_eq(last_news, NO_NEWS);
	finish_watching();
}
END_TEST

START_TEST(a_drive_that_answers_in_between_is_no_news)
{
	watch(PCI_EXP_SLTSTA_PDS);
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));
	run_for(TIME_FOR(1));
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0));
	run_for(LOOK_MS * G_TIME_SPAN_MILLISECOND);
	ck_assert(hb_vfio_config_poke_u16(&config, PCI_STATUS, 0xffff));
	run_for(LOOK_MS * G_TIME_SPAN_MILLISECOND);

	ck_assert_int_eq(last_news, NO_NEWS);
	finish_watching();
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("notifiers");
	TCase *tcase = tcase_create("verdict");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_drive_that_answers_is_there);
	tcase_add_test(tcase, a_drive_whose_status_reads_all_ones_is_gone);
	tcase_add_test(tcase, a_drive_that_cannot_be_read_is_gone);
	tcase_add_test(tcase, cached_ids_prove_nothing);
	tcase_add_loop_test(tcase, the_verdict, 0, G_N_ELEMENTS(verdicts));
	tcase_set_timeout(tcase, 20);
	tcase_add_test(tcase, a_drive_that_dies_in_its_slot_is_silent_at_the_second_look);
	tcase_add_test(tcase, a_drive_that_leaves_untold_is_pulled_at_the_second_look);
	tcase_add_test(tcase, a_drive_in_reset_is_not_looked_at);
	tcase_add_test(tcase, a_drive_that_answers_in_between_is_no_news);
	suite_add_tcase(suite, tcase);
	return suite;
}
