/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One drive more than a VM may have, by device_add. The host has a drive at every address, and an
 * IOMMU that only counts who is let in.
 */

#include "tests/unit/suite.h"
#include "vfio/sysfs.h"
#include "vfio/vfio.h"
#include "vmm/drives.h"

#include <string.h>

#define FD   77
#define NEXT "0000:77:00.0" /* the drive that there is no room for */

struct HbIommuAttachment {
	guint group;
};

static HbHost *host;
static HbHostBridge *bridge;
static HbVfio *vfio;
static HbMemory *memory;
static HbPorts *ports;
static HbDrives *drives;
static HbDeviceOptions *devices;
static HbIommuAttachment attachments[HB_VFIO_MAX_DRIVES];
static guint n_asked;	/* of the IOMMU */
static gboolean refuse; /* the IOMMU lets nobody in */
static guint n_events;
static GError *outcome; /* of the addition; NULL: success */
static gboolean ended;

/* ---- the host ---- */

gboolean hb_sysfs_check_drive(const char *root, const HbPciAddress *address, guint *group,
			      GError **error)
{
	*group = 77;
	return TRUE;
}

static HbIommuAttachment *attach(HbIommu *iommu, guint group, const char *address, GError **error)
{
	n_asked++;
	if (refuse) {
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "%s: refused", address);
		return NULL;
	}
	return &attachments[group];
}

static int open_function(HbIommu *iommu, const HbIommuAttachment *attachment, const char *address,
			 GError **error)
{
	return FD;
}

static void leave(HbIommu *iommu, HbIommuAttachment *attachment)
{
}

static void detach(HbIommu *iommu, HbIommuAttachment *attachment)
{
}

static void destroy(HbIommu *iommu)
{
}

HbIommu *hb_iommu_type1_create(HbHost *unused)
{
	static const HbIommuOps ops = { .attach = attach,
					.open = open_function,
					.leave = leave,
					.detach = detach,
					.destroy = destroy };
	static HbIommu iommu = { .ops = &ops };

	return &iommu;
}

/* ---- the machine ---- */

static const HbHostOps host_ops = { 0 };

static void on_event(const HbMachineEvent *event, gpointer opaque)
{
	n_events++;
}

static char *make_address(guint number)
{
	return g_strdup_printf("0000:%02x:00.0", number + 1);
}

static void fill(void)
{
	int fd;

	for (guint i = 0; i < HB_VFIO_MAX_DRIVES; i++) {
		g_autofree char *address = make_address(i);

		ck_assert_ptr_nonnull(hb_vfio_attach(vfio, i, address, &fd, NULL));
	}
	n_asked = 0;
	refuse = TRUE;
}

static void empty(guint number)
{
	g_autofree char *address = make_address(number);

	hb_vfio_detach(vfio, &attachments[number], address);
}

static void set_up(void)
{
	const HbHostBridgeConfig config = {
		.ecam = { 0xb0000000, 0x1000000 },
		.mem32 = { 0xc0000000, 0x10000000 },
		.mem64 = { 0x100000000, 0x100000000 },
	};

	host = hb_host_create(&host_ops, NULL, NULL);
	bridge = hb_host_bridge_create(host, &config, NULL);
	vfio = hb_vfio_create(host, 0);
	ck_assert(
		hb_vfio_use_iommu(vfio, HB_VFIO_IOMMU_TYPE1, -1, NULL)); /* never the host's own */
	memory = hb_memory_create(1 << 20, &(HbMemoryBackend){ 0 }, NULL);
	ports = hb_ports_create(bridge);
	drives = hb_drives_create(ports, vfio, memory, on_event, NULL);
	devices = hb_device_options_create();
	ck_assert(hb_device_options_parse(devices, "pcie-root-port,id=bay0,slot=1", NULL));
	ck_assert(hb_device_options_check(devices, NULL));
	ck_assert(hb_ports_add(ports, devices, NULL));
	hb_ports_set_running(ports);
	fill();
}

static void tear_down(void)
{
	hb_drives_destroy(drives);
	hb_ports_destroy(ports);
	hb_host_bridge_destroy(bridge);
	hb_vfio_destroy(vfio);
	hb_memory_destroy(memory);
	hb_host_destroy(host);
	hb_device_options_destroy(devices);
	g_clear_error(&outcome);
}

static void on_done(const GError *error, gpointer data)
{
	ended = TRUE;
	outcome = error ? g_error_copy(error) : NULL;
}

/* What device_add calls. */
static void add_next(void)
{
	HbDriveOptions *options = g_new0(HbDriveOptions, 1);

	options->id = g_strdup("next");
	options->bus = g_strdup("bay0");
	ck_assert(hb_pci_address_parse(NEXT, &options->host, NULL));
	hb_drives_add(drives, options, on_done, NULL);
	while (!ended)
		g_main_context_iteration(NULL, TRUE);
}

static void count(const HbMachineDevice *device, gpointer data)
{
	if (device->host)
		(*(guint *)data)++;
}

START_TEST(one_drive_too_many_is_refused_by_name_and_nothing_has_changed)
{
	guint n_drives = 0;

	add_next();
	ck_assert(g_error_matches(outcome, HB_ERROR, HB_ERROR_LIMIT));
	ck_assert_str_eq(outcome->message, NEXT ": this VM has 32 passed-through drives, which is "
						"the limit: remove one first");
	ck_assert_msg(n_asked == 0, "the IOMMU was asked to let it in");
	ck_assert_uint_eq(n_events, 0);
	hb_drives_foreach(drives, count, &n_drives);
	ck_assert_uint_eq(n_drives, 0);
	for (guint i = 0; i < HB_VFIO_MAX_DRIVES; i++)
		empty(i);
}
END_TEST

START_TEST(when_one_has_left_there_is_room_for_another)
{
	empty(5);
	add_next();
	ck_assert_str_eq(outcome->message, NEXT ": refused");
	ck_assert_uint_eq(n_asked, 1);
	for (guint i = 0; i < HB_VFIO_MAX_DRIVES; i++)
		if (i != 5)
			empty(i);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("drive-limit");
	TCase *tests = tcase_create("full");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_drive_too_many_is_refused_by_name_and_nothing_has_changed);
	tcase_add_test(tests, when_one_has_left_there_is_room_for_another);
	suite_add_tcase(suite, tests);
	return suite;
}
