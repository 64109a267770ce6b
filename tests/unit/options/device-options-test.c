/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* Devices: root ports and drives, one by one and together. */

#include "tests/unit/suite.h"

#include <hotbay/hotbay.h>
#include <string.h>

#define PORT "pcie-root-port,id="

static HbDeviceOptions *devices;

static void set_up(void)
{
	devices = hb_device_options_create();
}

static void tear_down(void)
{
	hb_device_options_destroy(devices);
}

/* @texts: with ';' between devices */
static gboolean read_all(const char *texts, GError **error)
{
	g_auto(GStrv) list = g_strsplit(texts, ";", -1);

	for (guint i = 0; list[i]; i++) {
		if (!hb_device_options_parse(devices, list[i], error))
			return FALSE;
	}
	return hb_device_options_check(devices, error);
}

static const HbPortOptions *port(guint index)
{
	return hb_device_options_get_port(devices, index);
}

static void assert_read(const char *texts)
{
	g_autoptr(GError) error = NULL;
	gboolean good = read_all(texts, &error);

	ck_assert_msg(good, "%s: %s", texts, error ? error->message : "");
}

START_TEST(test_a_port_takes_its_properties)
{
	assert_read(PORT
		    "bay0,bus=pcie.0,chassis=3,slot=0x21,addr=1d.0,multifunction=on,hotplug=off,"
		    "attention-button=off,power-controller=on,indicators=off,"
		    "no-command-completed=off,surprise=off,x-removal-timeout-ms=500,"
		    "x-host-removal-timeout-ms=600,x-acknowledge-timeout-ms=0,guest-eject=off,"
		    "mem-reserve=4M,pref64-reserve=1G,slot-power-limit=70,x-speed=16,x-width=12");
	const HbPortConfig *config = &port(0)->config;

	ck_assert_str_eq(config->id, "bay0");
	ck_assert_uint_eq(config->devfn, HB_PCI_DEVFN(0x1d, 0));
	ck_assert_uint_eq(config->chassis, 3);
	ck_assert_uint_eq(config->slot, 0x21);
	ck_assert(config->multifunction);
	ck_assert(!config->hotplug);
	ck_assert(!config->attention_button);
	ck_assert(config->power_controller);
	ck_assert(!config->indicators);
	ck_assert(!config->no_command_completed);
	ck_assert(!config->surprise);
	ck_assert_uint_eq(config->slot_power_limit, 70);
	ck_assert_uint_eq(config->link.speed, HB_LINK_SPEED_16_GT);
	ck_assert_uint_eq(config->link.width, 12);
	ck_assert_uint_eq(config->removal_timeout_ms, 500);
	ck_assert_uint_eq(config->host_removal_timeout_ms, 600);
	ck_assert_uint_eq(config->acknowledge_timeout_ms, 0);
	ck_assert(!config->guest_eject);
	ck_assert_uint_eq(config->mem32_size, 4 << 20);
	ck_assert_uint_eq(config->mem64_size, 1 << 30);
}
END_TEST

static const struct {
	const char *addr;
	guint8 devfn;
} addresses[] = {
	{ "4.0", HB_PCI_DEVFN(4, 0) },	 { "4", HB_PCI_DEVFN(4, 0) },
	{ "0x4", HB_PCI_DEVFN(4, 0) },	 { "0x4.0x0", HB_PCI_DEVFN(4, 0) },
	{ "10", HB_PCI_DEVFN(0x10, 0) }, { "1e.0", HB_PCI_DEVFN(0x1e, 0) },
};

START_TEST(test_address)
{
	g_autofree char *text = g_strconcat(PORT "p,addr=", addresses[_i].addr, NULL);

	assert_read(text);
	ck_assert_uint_eq(port(0)->config.devfn, addresses[_i].devfn);
}
END_TEST

START_TEST(test_ports_come_in_order_of_their_place)
{
	assert_read(PORT "b,addr=4.1,slot=2;" PORT "a,addr=4.0,multifunction=on,slot=1");
	ck_assert_str_eq(port(0)->config.id, "a");
	ck_assert_str_eq(port(1)->config.id, "b");
}
END_TEST

START_TEST(test_a_port_without_an_address_gets_the_lowest_free_device)
{
	assert_read(PORT "b,slot=2;" PORT "a,addr=1.0,slot=1");
	ck_assert_str_eq(port(1)->config.id, "b");
	ck_assert_uint_eq(port(1)->config.devfn, HB_PCI_DEVFN(2, 0));
}
END_TEST

START_TEST(test_a_drive_may_come_before_its_port)
{
	assert_read("vfio-pci,host=01:00.0,id=d0,bus=p,iommufd=i0;" PORT "p");
	const HbDriveOptions *drive = hb_device_options_get_drive(devices, 0);

	ck_assert_str_eq(drive->id, "d0");
	ck_assert_str_eq(drive->bus, "p");
	ck_assert_str_eq(drive->iommufd, "i0");
	ck_assert_uint_eq(drive->host.bus, 1);
}
END_TEST

START_TEST(test_a_drive_without_an_id_is_named_by_its_address)
{
	assert_read(PORT "p;vfio-pci,host=01:00.0,bus=p,addr=0x0");
	const HbDriveOptions *drive = hb_device_options_get_drive(devices, 0);

	ck_assert_str_eq(drive->id, "vfio-pci@0000:01:00.0");
}
END_TEST

static const struct {
	const char *name;
	guint8 speed;
} speeds[] = { { "2_5", 1 }, { "5", 2 }, { "8", 3 }, { "16", 4 }, { "32", 5 }, { "64", 6 } };

START_TEST(test_speed)
{
	g_autofree char *text = g_strdup_printf(PORT "p,x-speed=%s", speeds[_i].name);

	assert_read(text);

	ck_assert_uint_eq(port(0)->config.link.speed, speeds[_i].speed);
}
END_TEST

static const guint8 widths[] = { 1, 2, 4, 8, 12, 16, 32 };

START_TEST(test_width)
{
	g_autofree char *text = g_strdup_printf(PORT "p,x-width=%u", widths[_i]);

	assert_read(text);

	ck_assert_uint_eq(port(0)->config.link.width, widths[_i]);
}
END_TEST

START_TEST(test_a_port_without_properties_has_the_librarys)
{
	HbPortConfig defaults;

	hb_port_config_init(&defaults);
	assert_read(PORT "p");
	const HbPortConfig *config = &port(0)->config;

	ck_assert_int_eq(config->hotplug, defaults.hotplug);
	ck_assert_int_eq(config->attention_button, defaults.attention_button);
	ck_assert_int_eq(config->power_controller, defaults.power_controller);
	ck_assert_int_eq(config->indicators, defaults.indicators);
	ck_assert_int_eq(config->no_command_completed, defaults.no_command_completed);
	ck_assert_int_eq(config->surprise, defaults.surprise);
	ck_assert_uint_eq(config->slot_power_limit, defaults.slot_power_limit);
	ck_assert_mem_eq(&config->link, &defaults.link, sizeof(defaults.link));
}
END_TEST

START_TEST(test_a_port_takes_a_slot_of_the_host)
{
	assert_read(PORT "a,slot=1,host-slot=1-2,auto-add=on,host-leds=on;" PORT
			 "b,slot=2,host-slot=0000:00:04.0,auto-add=passthrough;" PORT
			 "c,slot=3,host-slot=7;" PORT "d,slot=4");

	ck_assert_str_eq(port(0)->host_slot, "1-2");
	ck_assert_int_eq(port(0)->auto_add, HB_AUTO_ADD_ON);
	ck_assert(port(0)->host_leds);
	ck_assert_str_eq(port(1)->host_slot, "0000:00:04.0");
	ck_assert_int_eq(port(1)->auto_add, HB_AUTO_ADD_PASSTHROUGH);
	ck_assert_int_eq(port(2)->auto_add, HB_AUTO_ADD_OFF);
	ck_assert(!port(2)->host_leds);
	ck_assert_ptr_null(port(3)->host_slot);
}
END_TEST

static const struct {
	const char *texts;
	const char *part;
} refused[] = {
	{ "intel-iommu,intremap=on", "'intel-iommu' is not supported: a guest's IOMMU" },
	{ "amd-iommu", "'amd-iommu' is not supported: a guest's IOMMU" },
	{ "virtio-iommu-pci", "'virtio-iommu-pci' is not supported: a guest's IOMMU" },
	{ "pc-dimm,id=d,memdev=m", "'pc-dimm' is not supported: memory hot-plug" },
	{ "nvdimm,id=d,memdev=m", "'nvdimm' is not supported: memory hot-plug" },
	{ "virtio-mem-pci,memdev=m", "'virtio-mem-pci' is not supported: memory hot-plug" },
	{ "host-x86_64-cpu,core-id=1", "'host-x86_64-cpu' is not supported: CPU hot-plug" },
	{ "qemu64-x86_64-cpu", "'qemu64-x86_64-cpu' is not supported: CPU hot-plug" },
	{ "nvme,id=x", "'nvme' is not a valid device model name" },
	{ "id=x", "'driver' is missing" },
	{ "pcie-root-port", "pcie-root-port: Parameter 'id' is missing" },
	{ PORT "4x", "expects an identifier" },
	{ PORT "a b", "expects an identifier" },
	{ PORT "p,addr=20", "'addr' expects" },
	{ PORT "p,addr=4.8", "'addr' expects" },
	{ PORT "p,addr=4.0.0", "'addr' expects" },
	{ PORT "p,addr=", "'addr' expects" },
	{ PORT "p,addr=0", "taken by the host bridge" },
	{ PORT "p,bus=pcie.1", "Bus 'pcie.1' not found" },
	{ PORT "p,chassis=256", "'chassis' expects" },
	{ PORT "p,slot=8192", "'slot' expects" },
	{ PORT "p,mem-reserve=100K", "multiple of 1M" },
	{ PORT "p,hotplug=1", "expects 'on' or 'off'" },
	{ PORT "p,indicators=2", "'indicators' expects 'on' or 'off'" },
	{ PORT "p,x-attention-button=on", "'x-attention-button' of pcie-root-port" },
	{ PORT "p,x-speed=3", "'x-speed' expects one of 2_5, 5, 8, 16, 32, 64, not '3'" },
	{ PORT "p,x-speed=", "'x-speed' expects one of" },
	{ PORT "p,x-width=5", "'x-width' expects one of 1, 2, 4, 8, 12, 16, 32, not '5'" },
	{ PORT "p,slot-power-limit=240", "'slot-power-limit' expects a number from 0 to 239" },
	{ PORT "p,auto-add=on", "p: 'auto-add' needs a slot of the host" },
	{ PORT "p,host-leds=on", "p: 'host-leds' needs a slot of the host" },
	{ PORT "p,host-slot=", "'host-slot' is empty" },
	{ PORT "p,host-slot=1,auto-add=maybe", "'auto-add' expects one of off, passthrough, on" },
	{ PORT "p,host-slot=1,auto-add=on,hotplug=off", "hotplug=on" },
	{ PORT "p,host-slot=1,host-leds=on,indicators=off", "indicators=on" },
	{ PORT "p,slot=1,host-slot=1;" PORT "q,slot=2,host-slot=1",
	  "pcie-root-port q: host-slot=1 is bound to p" },
	{ PORT "p,host-slot=1;x3130-upstream,id=u,bus=p", "holds the switch 'u'" },
	{ PORT "p,colour=red", "'colour' of pcie-root-port" },
	{ PORT "p,addr=4.0,slot=1;" PORT "q,addr=4,slot=2", "q: addr=4.0 is taken by p" },
	{ PORT "p,addr=4.1", "multifunction=on" },
	{ PORT "p,addr=4.0,slot=1;" PORT "q,addr=4.1,slot=2", "multifunction=on" },
	{ PORT "p,slot=1;" PORT "p,slot=2", "Duplicate device ID 'p'" },
	{ PORT "p,slot=1;" PORT "q,slot=1", "chassis=0,slot=1 is taken by p" },
	{ "vfio-pci,id=d,bus=p", "'host' is missing" },
	{ "vfio-pci,host=01:00.0,id=d", "'bus' is missing" },
	{ "vfio-pci,host=zz,bus=p", "vfio-pci: " },
	{ PORT "p;vfio-pci,host=01:00.0,bus=q", "Bus 'q' not found" },
	{ PORT "p;vfio-pci,host=01:00.0,bus=p,addr=1", "a slot has one place" },
	{ PORT "p;vfio-pci,host=01:00.0,bus=p,rombar=0", "'rombar' of vfio-pci" },
	{ PORT "p;vfio-pci,host=01:00.0,bus=p,id=p", "Duplicate device ID 'p'" },
	{ PORT "p;vfio-pci,host=01:00.0,bus=p,id=a;vfio-pci,host=02:00.0,bus=p,id=b",
	  "occupied by 'a'" },
};

START_TEST(test_refused_with_the_reason)
{
	g_autoptr(GError) error = NULL;

	ck_assert(!read_all(refused[_i].texts, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, refused[_i].part) != NULL, "%s: %s", refused[_i].texts,
		      error->message);
}
END_TEST

START_TEST(test_a_full_root_bus_is_refused)
{
	g_autoptr(GString) texts = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < 32; i++)
		g_string_append_printf(texts, "%s" PORT "p%u,slot=%u", i ? ";" : "", i, i);
	ck_assert(!read_all(texts->str, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "has no free device"));
}
END_TEST

static void append_slots(GString *texts, guint n)
{
	for (guint i = 0; i < n; i++)
		g_string_append_printf(texts,
				       "%s" PORT "p%u,slot=%u,addr=%x.%u,multifunction=on;"
				       "vfio-pci,host=%02x:00.0,bus=p%u,id=d%u",
				       i ? ";" : "", i, i, 4 + i / 8, i % 8, i, i, i);
}

START_TEST(test_32_drives_are_accepted)
{
	g_autoptr(GString) texts = g_string_new(NULL);

	append_slots(texts, 32);
	assert_read(texts->str);
	ck_assert_uint_eq(hb_device_options_get_n_drives(devices), 32);
}
END_TEST

START_TEST(test_a_33rd_drive_is_refused)
{
	g_autoptr(GString) texts = g_string_new(NULL);
	g_autoptr(GError) error = NULL;

	append_slots(texts, 33);
	ck_assert(!read_all(texts->str, &error));
	ck_assert_ptr_nonnull(strstr(error->message, "may have 32"));
}
END_TEST

static HbDriveOptions *read_drive(const char *text, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(text, NULL, error);

	ck_assert_ptr_nonnull(properties);
	return hb_drive_options_read(properties, error);
}

START_TEST(test_device_add_takes_a_drive)
{
	g_autoptr(HbDriveOptions) drive =
		read_drive("driver=vfio-pci,host=0000:01:00.0,id=d0,bus=bay0", NULL);

	ck_assert_ptr_nonnull(drive);
	ck_assert_str_eq(drive->id, "d0");
	ck_assert_str_eq(drive->bus, "bay0");
}
END_TEST

static const struct {
	const char *text;
	const char *part;
} refused_additions[] = {
	{ "", "'driver' is missing" },
	{ "driver=pcie-root-port", "Bus 'pcie.0' does not support hotplugging" },
	{ "driver=pc-dimm", "'pc-dimm' is not supported: memory hot-plug" },
	{ "driver=host-x86_64-cpu", "'host-x86_64-cpu' is not supported: CPU hot-plug" },
	{ "driver=virtio-iommu-pci", "'virtio-iommu-pci' is not supported" },
	{ "driver=e1000", "'e1000' is not a valid device model name" },
	{ "driver=vfio-pci", "'host' is missing" },
	{ "driver=vfio-pci,host=01:00.0,bus=b,x=1", "'x' of vfio-pci" },
};

START_TEST(test_device_add_refuses_with_the_reason)
{
	g_autoptr(GError) error = NULL;

	ck_assert_ptr_null(read_drive(refused_additions[_i].text, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error->message, refused_additions[_i].part) != NULL, "%s",
		      error->message);
}
END_TEST

/* What an embedder does whose flags or monitor speak JSON. */
START_TEST(test_a_device_may_come_name_by_name)
{
	g_autoptr(HbProperties) properties = hb_properties_create();

	ck_assert(hb_properties_add(properties, "id", "bay0", NULL));
	ck_assert(hb_properties_add(properties, "multifunction", "true", NULL));
	ck_assert(hb_properties_add(properties, "slot", "3", NULL));
	ck_assert(hb_properties_add(properties, "driver", "pcie-root-port", NULL));
	ck_assert(hb_device_options_add(devices, properties, NULL));

	ck_assert_str_eq(port(0)->config.id, "bay0");
	ck_assert(port(0)->config.multifunction);
	ck_assert_uint_eq(port(0)->config.slot, 3);
}
END_TEST

START_TEST(test_a_device_that_was_refused_is_not_there)
{
	ck_assert(!hb_device_options_parse(devices, PORT "p,colour=red", NULL));
	ck_assert(!hb_device_options_parse(devices, "vfio-pci,bus=p", NULL));

	ck_assert_uint_eq(hb_device_options_get_n_ports(devices), 0);
	ck_assert_uint_eq(hb_device_options_get_n_drives(devices), 0);
}
END_TEST

START_TEST(test_no_port_gets_what_the_embedder_has)
{
	hb_device_options_reserve(devices, 1, "the display");
	hb_device_options_reserve(devices, 3, "the network card");
	assert_read(PORT "a,slot=1;" PORT "b,slot=2");

	ck_assert_uint_eq(port(0)->config.devfn, HB_PCI_DEVFN(2, 0));
	ck_assert_uint_eq(port(1)->config.devfn, HB_PCI_DEVFN(4, 0));
}
END_TEST

START_TEST(test_who_has_an_address_is_named)
{
	g_autoptr(GError) error = NULL;

	hb_device_options_reserve(devices, 3, "the network card");
	ck_assert(!read_all(PORT "p,addr=3.7", &error));
	ck_assert_ptr_nonnull(strstr(error->message, "addr=3.7 is taken by the network card"));
}
END_TEST

START_TEST(test_hotplug_can_be_disabled)
{
	assert_read(PORT "a,slot=1;" PORT "b,slot=2");
	ck_assert(hb_device_options_have_hotplug(devices));

	ck_assert(hb_device_options_disable_hotplug(devices, NULL));

	ck_assert(!hb_device_options_have_hotplug(devices));
	ck_assert(!port(0)->config.hotplug);
	ck_assert(!port(1)->config.hotplug);
}
END_TEST

START_TEST(test_hotplug_cannot_be_disabled_where_drives_are_added)
{
	g_autoptr(GError) error = NULL;

	assert_read(PORT "a,slot=1;" PORT "b,slot=2,host-slot=1,auto-add=on");

	ck_assert(!hb_device_options_disable_hotplug(devices, &error));
	ck_assert(g_error_matches(error, HB_ERROR, HB_ERROR_INVALID));
	ck_assert_ptr_nonnull(strstr(error->message, "pcie-root-port b: auto-add=on"));
	ck_assert(port(0)->config.hotplug);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("device-options");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, test_a_port_takes_its_properties);
	tcase_add_loop_test(tests, test_address, 0, G_N_ELEMENTS(addresses));
	tcase_add_test(tests, test_ports_come_in_order_of_their_place);
	tcase_add_test(tests, test_a_port_without_an_address_gets_the_lowest_free_device);
	tcase_add_test(tests, test_a_drive_may_come_before_its_port);
	tcase_add_test(tests, test_a_drive_without_an_id_is_named_by_its_address);
	tcase_add_loop_test(tests, test_speed, 0, G_N_ELEMENTS(speeds));
	tcase_add_loop_test(tests, test_width, 0, G_N_ELEMENTS(widths));
	tcase_add_test(tests, test_a_port_without_properties_has_the_librarys);
	tcase_add_loop_test(tests, test_refused_with_the_reason, 0, G_N_ELEMENTS(refused));
	tcase_add_test(tests, test_a_full_root_bus_is_refused);
	tcase_add_test(tests, test_32_drives_are_accepted);
	tcase_add_test(tests, test_a_port_takes_a_slot_of_the_host);
	tcase_add_test(tests, test_a_33rd_drive_is_refused);
	tcase_add_test(tests, test_device_add_takes_a_drive);
	tcase_add_loop_test(tests, test_device_add_refuses_with_the_reason, 0,
			    G_N_ELEMENTS(refused_additions));
	tcase_add_test(tests, test_a_device_may_come_name_by_name);
	tcase_add_test(tests, test_a_device_that_was_refused_is_not_there);
	tcase_add_test(tests, test_no_port_gets_what_the_embedder_has);
	tcase_add_test(tests, test_who_has_an_address_is_named);
	tcase_add_test(tests, test_hotplug_can_be_disabled);
	tcase_add_test(tests, test_hotplug_cannot_be_disabled_where_drives_are_added);
	suite_add_tcase(suite, tests);
	return suite;
}
