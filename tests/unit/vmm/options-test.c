/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/* The command line: what is understood, and what is refused by name. */

#include "tests/unit/suite.h"
#include "vmm/options.h"

#include <string.h>

#define PORT                                                                                       \
	"-device pcie-root-port,id=bay0,bus=pcie.0,chassis=1,slot=1,addr=4.0,"                     \
	"multifunction=on"
#define MIB	  (1ULL << 20)
#define MAX_WORDS 64

static HbOptions *try(const char *line, GError **error)
{
	g_autofree char *all = g_strconcat("hotbay ", line, NULL);
	g_auto(GStrv) words = g_strsplit(all, " ", -1);

	return hb_options_parse((int)g_strv_length(words), (const char *const *)words, error);
}

/* With a kernel, so that only @line decides. */
static HbOptions *parse(const char *line)
{
	g_autofree char *all = g_strconcat("-kernel k ", line, NULL);
	g_autoptr(GError) error = NULL;
	HbOptions *options = try(all, &error);

	ck_assert_msg(options != NULL, "%s: %s", line, error ? error->message : "");
	return options;
}

START_TEST(test_a_line_as_given_to_qemu_is_understood)
{
	g_autoptr(HbOptions) options = parse(
		"-machine q35,accel=kvm -accel kvm -cpu host -smp 2 -m 1024 -initrd i -append "
		"console=ttyS0 -nodefaults -display none -no-user-config -no-reboot "
		"-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
		"-serial unix:/s,server=on,wait=off -qmp unix:/q,server=on,wait=off "
		"-name guest=vm0,debug-threads=on -pidfile /p -S " PORT
		" -device vfio-pci,host=0000:01:00.0,id=d0,bus=bay0");
	const HbChardevOptions *qmp = g_ptr_array_index(options->qmp, 0);

	ck_assert_int_eq(options->action, HB_OPTIONS_RUN);
	ck_assert_uint_eq(options->cpus, 2);
	ck_assert_uint_eq(options->memory, 1024 * MIB);
	ck_assert_str_eq(options->kernel, "k");
	ck_assert_str_eq(options->initrd, "i");
	ck_assert_str_eq(options->append, "console=ttyS0");
	ck_assert_str_eq(options->name, "vm0");
	ck_assert_str_eq(options->pidfile, "/p");
	ck_assert_str_eq(options->serial->path, "/s");
	ck_assert(!options->serial->wait);
	ck_assert_str_eq(qmp->path, "/q");
	ck_assert(options->no_reboot);
	ck_assert(options->paused);
	ck_assert_uint_eq(hb_device_options_get_n_ports(options->devices), 1);
	ck_assert_uint_eq(hb_device_options_get_n_drives(options->devices), 1);
}
END_TEST

START_TEST(test_two_dashes_are_one)
{
	g_autoptr(HbOptions) options = parse("--smp 4 --no-reboot");

	ck_assert_uint_eq(options->cpus, 4);
	ck_assert(options->no_reboot);
}
END_TEST

START_TEST(test_defaults_are_those_of_qemu)
{
	g_autoptr(HbOptions) options = parse("-nodefaults");

	ck_assert_uint_eq(options->cpus, 1);
	ck_assert_uint_eq(options->memory, 128 * MIB);
	ck_assert_ptr_null(options->serial);
	ck_assert(!options->mem_lock);
	ck_assert(!options->paused);
}
END_TEST

START_TEST(test_nographic_is_a_serial_port_on_stdio)
{
	g_autoptr(HbOptions) options = parse("-nographic");

	ck_assert_int_eq(options->serial->kind, HB_CHARDEV_STDIO);
}
END_TEST

START_TEST(test_an_explicit_serial_port_wins_over_nographic)
{
	g_autoptr(HbOptions) none = parse("-serial none -nographic");
	g_autoptr(HbOptions) file = parse("-nographic -serial file:/x");

	ck_assert_ptr_null(none->serial);
	ck_assert_int_eq(file->serial->kind, HB_CHARDEV_FILE);
}
END_TEST

START_TEST(test_several_qmp_sockets)
{
	g_autoptr(HbOptions) options =
		parse("-qmp unix:/a,server=on,wait=off -qmp unix:/b,server,wait=off");

	ck_assert_uint_eq(options->qmp->len, 2);
}
END_TEST

static const struct {
	const char *smp;
	guint cpus, sockets, cores, threads;
} topologies[] = {
	{ "4", 4, 1, 4, 1 },
	{ "cpus=4", 4, 1, 4, 1 },
	{ "128", 128, 1, 128, 1 },
	{ "4,sockets=2", 4, 2, 2, 1 },
	{ "8,sockets=2,cores=2,threads=2", 8, 2, 2, 2 },
	{ "8,threads=2", 8, 1, 4, 2 },
	{ "8,cores=2", 8, 1, 2, 4 },
	{ "cores=3,threads=2", 6, 1, 3, 2 },
	{ "sockets=2", 2, 2, 1, 1 },
	{ "maxcpus=4", 4, 1, 4, 1 },
	{ "cores=2,maxcpus=4", 4, 1, 2, 2 },
	{ "2,maxcpus=2,dies=1,clusters=1", 2, 1, 2, 1 },
};

START_TEST(test_topology)
{
	g_autofree char *line = g_strconcat("-smp ", topologies[_i].smp, NULL);
	g_autoptr(HbOptions) options = parse(line);

	ck_assert_uint_eq(options->cpus, topologies[_i].cpus);
	ck_assert_uint_eq(options->topology.sockets, topologies[_i].sockets);
	ck_assert_uint_eq(options->topology.cores, topologies[_i].cores);
	ck_assert_uint_eq(options->topology.threads, topologies[_i].threads);
}
END_TEST

static const struct {
	const char *m;
	guint64 size;
} memories[] = {
	{ "512", 512 * MIB },	 { "size=512", 512 * MIB },
	{ "2G", 2048 * MIB },	 { "1G,maxmem=1G,slots=0", 1024 * MIB },
	{ "1.5G", 1536 * MIB },	 { "size=1048576K", 1024 * MIB },
	{ "1T", 1048576 * MIB },
};

START_TEST(test_memory)
{
	g_autofree char *line = g_strconcat("-m ", memories[_i].m, NULL);
	g_autoptr(HbOptions) options = parse(line);

	ck_assert_uint_eq(options->memory, memories[_i].size);
}
END_TEST

/* The line, and what the message must say: the flag, and what is wrong or what to do. */
static const struct {
	const char *line;
	const char *parts[2];
} refused[] = {
	{ "", { "-kernel:", "add -kernel" } },
	{ "-initrd i", { "-initrd:", "add -kernel" } },
	{ "-append x", { "-append:", "add -kernel" } },
	{ "-kernel", { "-kernel:", "must follow" } },
	{ "-kernel ", { "-kernel:", "must follow" } },
	{ "-bogus", { "-bogus:", "-help" } },
	{ "bogus", { "bogus:", "-help" } },
	{ "-", { "-:", "-help" } },
	{ "---smp 1", { "---smp:", "-help" } },
	{ "-M pc", { "-M:", "use q35" } },
	{ "-machine q35,accel=tcg", { "-machine:", "use kvm" } },
	{ "-machine q35,smm=on", { "-machine:", "leave it out" } },
	{ "-machine q35,foo=1", { "-machine:", "'foo'" } },
	{ "-machine x-hotbay-max-vectors=0", { "-machine:", "1 to 1048576" } },
	{ "-machine x-hotbay-max-vectors=1048577", { "-machine:", "1 to 1048576" } },
	{ "-machine x-hotbay-max-vectors=all", { "-machine:", "'x-hotbay-max-vectors'" } },
	{ "-machine x-hotbay-kernel-cache=cache", { "-machine:", "absolute path" } },
	{ "-machine x-hotbay-kernel-cache=", { "-machine:", "absolute path" } },
	{ "-machine passthrough-hotplug=maybe", { "-machine:", "'passthrough-hotplug'" } },
	{ "-machine passthrough-hotplug=on", { "-machine:", "add -device pcie-root-port" } },
	{ "-machine passthrough-hotplug=on " PORT ",hotplug=off",
	  { "-machine:", "passthrough-hotplug=on needs a slot" } },
	{ "-machine passthrough-hotplug=on " PORT " -device x3130-upstream,id=up0,bus=bay0",
	  { "-machine:", "passthrough-hotplug=on needs a slot" } },
	{ "-machine passthrough-hotplug=off " PORT ",host-slot=1,auto-add=on",
	  { "-machine: passthrough-hotplug=off: pcie-root-port bay0:", "auto-add=on" } },
	{ "-accel tcg", { "-accel:", "use kvm" } },
	{ "-cpu qemu64", { "-cpu:", "use host" } },
	{ "-cpu host,+x", { "-cpu:", "without properties" } },
	{ "-smp 0", { "-smp:", "0 vCPUs cannot be" } },
	{ "-smp 129",
	  { "-smp:", "129 vCPUs cannot be: a machine with hot-plug passthrough has 1 to 128" } },
	{ "-smp 129,maxcpus=129", { "-smp:", "1 to 128" } },
	{ "-smp cpus=99999", { "-smp:", "to 65535" } },
	{ "-smp 4,sockets=3", { "-smp:", "Invalid CPU topology" } },
	{ "-smp cores=64,threads=64", { "-smp:", "4096 vCPUs" } },
	{ "-smp cores=65535,threads=65535,sockets=65535", { "-smp:", "1 to 128" } },
	{ "-smp 2,maxcpus=4", { "-smp:", "CPU hot-plug" } },
	{ "-smp 2,maxcpus=240", { "-smp:", "CPU hot-plug" } },
	{ "-smp 2,maxcpus=1", { "-smp:", "maxcpus=1 is less" } },
	{ "-smp sockets=3,cores=1,threads=1,maxcpus=4", { "-smp:", "Invalid CPU topology" } },
	{ "-smp 2,books=1", { "-smp:", "'books'" } },
	{ "-m 0", { "-m:", "multiple of 1M" } },
	{ "-m 100K", { "-m:", "multiple of 1M" } },
	{ "-m lots", { "-m:", "expects a size" } },
	{ "-m 1000T", { "-m:", "64T" } },
	{ "-m 1G,slots=2,maxmem=2G", { "-m:", "memory hot-plug" } },
	{ "-m 1G,maxmem=2G", { "-m:", "memory hot-plug" } },
	{ "-m 1G,slots=2", { "-m:", "give all memory with size=" } },
	{ "-object rng-random,id=r", { "-object:", "'rng-random' is not supported" } },
	{ "-object memory-backend-memfd,size=1G", { "-object:", "'id'" } },
	{ "-object memory-backend-memfd,id=m", { "-object:", "'size' must be given" } },
	{ "-object memory-backend-memfd,id=m,size=1G,hugetlbsize=2M",
	  { "-object:", "hugetlb=on" } },
	{ "-object memory-backend-memfd,id=m,size=1G,hugetlb=on,hugetlbsize=3M",
	  { "-object:", "power of two" } },
	{ "-object memory-backend-memfd,id=m,size=1G,seal=off", { "-object:", "leave it out" } },
	{ "-object memory-backend-ram,id=m,size=1G,merge=on", { "-object:", "leave it out" } },
	{ "-object memory-backend-ram,id=m,size=1G,hugetlb=on", { "-object:", "'hugetlb'" } },
	{ "-object memory-backend-file,id=m,size=1G", { "-object:", "'mem-path'" } },
	{ "-object memory-backend-ram,id=m,size=1G", { "-object:", "add memory-backend=m" } },
	{ "-machine memory-backend=m", { "-machine:", "no such object" } },
	{ "-machine memory-backend=m -object memory-backend-ram,id=m,size=1G -m 2G",
	  { "-object:", "the same size" } },
	{ "-machine memory-backend=m -object memory-backend-ram,id=m,size=1G "
	  "-object memory-backend-ram,id=n,size=1G",
	  { "-object:", "one piece" } },
	{ "-machine memory-backend=m -object memory-backend-ram,id=m,size=1G -mem-path /x",
	  { "-mem-path:", "leave one of them out" } },
	{ "-serial mon:stdio", { "-serial:", "-qmp" } },
	{ "-serial tcp::4", { "-serial:", "use stdio" } },
	{ "-serial file:", { "-serial:", "path" } },
	{ "-serial unix:/a,foo=1", { "-serial:", "'foo'" } },
	{ "-serial null -serial null", { "-serial:", "once" } },
	{ "-qmp unix:/q,server=on", { "-qmp:", "wait=off" } },
	{ "-qmp unix:/q", { "-qmp:", "server=on" } },
	{ "-qmp stdio", { "-qmp:", "unix:PATH" } },
	{ "-display gtk", { "-display:", "none" } },
	{ "-uuid 1234", { "-uuid:", "8-4-4-4-12" } },
	{ "-daemonize", { "-daemonize:", "-pidfile" } },
	{ "-overcommit cpu-pm=on", { "-overcommit:", "'cpu-pm'" } },
	{ "-kernel k -device pcie-root-port,id=p,addr=1f.3",
	  { "-device:", "addr=1f.3 is taken by the LPC bridge" } },
	{ "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=1",
	  { "-global:", "'on' or 'off'" } },
	{ "-global driver=ICH9-LPC,property=acpi-pci-hotplug-with-bridge-support",
	  { "-global:", "=on|off is" } },
	{ "-kernel k -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=on "
	  "-device pcie-root-port,id=a,chassis=1 -device pcie-root-port,id=b,chassis=2",
	  { "-global: ", "support=on: pcie-root-port b: with ACPI hot-plug slots" } },
	{ "-global foo.bar=1", { "-global:", "'foo.bar=1'" } },
	{ "-name a,process=b", { "-name:", "'process'" } },
};

START_TEST(test_refused_by_name_with_the_remedy)
{
	g_auto(GStrv) words = g_strsplit(refused[_i].line, " ", -1);
	g_autofree char *line = g_strconcat("hotbay ", refused[_i].line, NULL);
	g_auto(GStrv) all = g_strsplit(line, " ", -1);
	g_autoptr(GError) error = NULL;
	int argc = (int)g_strv_length(words) + 1;

	/* "-kernel " at the end stands for the flag without its argument. */
	while (argc > 1 && all[argc - 1][0] == '\0')
		argc--;
	ck_assert_ptr_null(hb_options_parse(argc, (const char *const *)all, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(g_str_has_prefix(error->message, refused[_i].parts[0]) &&
			      strstr(error->message, refused[_i].parts[1]),
		      "%s: %s", refused[_i].line, error->message);
}
END_TEST

START_TEST(test_both_forms_of_global_are_understood)
{
	g_autoptr(HbOptions) options =
		parse("-global driver=ICH9-LPC,property=acpi-pci-hotplug-with-bridge-support,"
		      "value=off");

	ck_assert(!options->acpi_hotplug);
}
END_TEST

START_TEST(test_slots_are_native_unless_the_last_global_says_otherwise)
{
	g_autoptr(HbOptions) none = parse("-nodefaults");
	g_autoptr(HbOptions) on = parse("-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off "
					"-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=on");
	g_autoptr(HbOptions) long_on =
		parse("-global driver=ICH9-LPC,property=acpi-pci-hotplug-with-bridge-support,"
		      "value=true");
	g_autoptr(HbOptions) off =
		parse("-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=on "
		      "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off");

	ck_assert(!none->acpi_hotplug);
	ck_assert(on->acpi_hotplug);
	ck_assert(long_on->acpi_hotplug);
	ck_assert(!off->acpi_hotplug);
}
END_TEST

START_TEST(test_the_interrupt_budget_is_4096_unless_given)
{
	g_autoptr(HbOptions) none = parse("-machine q35");
	g_autoptr(HbOptions) given = parse("-machine q35,x-hotbay-max-vectors=1048576");

	ck_assert_uint_eq(none->max_vectors, 4096);
	ck_assert_uint_eq(given->max_vectors, 1048576);
}
END_TEST

START_TEST(test_unpacked_kernels_are_kept_unless_it_is_off)
{
	g_autoptr(HbOptions) none = parse("-machine q35");
	g_autoptr(HbOptions) off = parse("-machine q35,x-hotbay-kernel-cache=off");
	g_autoptr(HbOptions) folder = parse("-machine q35,x-hotbay-kernel-cache=/c");
	g_autoptr(HbOptions) both =
		parse("-machine x-hotbay-kernel-cache=/c -machine x-hotbay-kernel-cache=on");

	ck_assert(!none->no_kernel_cache);
	ck_assert_ptr_null(none->kernel_cache);
	ck_assert(off->no_kernel_cache);
	ck_assert(!folder->no_kernel_cache);
	ck_assert_str_eq(folder->kernel_cache, "/c");
	ck_assert(!both->no_kernel_cache);
	ck_assert_ptr_null(both->kernel_cache);
}
END_TEST

START_TEST(test_a_drive_can_come_where_one_is_or_a_slot_takes_one)
{
	g_autoptr(HbOptions) nothing = parse("-nodefaults");
	g_autoptr(HbOptions) slot = parse(PORT);
	g_autoptr(HbOptions) fixed = parse(PORT ",hotplug=off");
	g_autoptr(HbOptions) drive =
		parse(PORT ",hotplug=off -device vfio-pci,host=0000:01:00.0,bus=bay0");
	g_autoptr(HbOptions) full = parse(PORT " -device x3130-upstream,id=up0,bus=bay0");

	ck_assert(!hb_options_can_have_drives(nothing));
	ck_assert(hb_options_can_have_drives(slot));
	ck_assert(!hb_options_can_have_drives(fixed));
	ck_assert(hb_options_can_have_drives(drive));
	ck_assert(!hb_options_can_have_drives(full));
}
END_TEST

static gboolean has_hotplug(const char *line)
{
	g_autoptr(HbOptions) options = parse(line);

	return hb_device_options_have_hotplug(options->devices);
}

START_TEST(test_slots_do_hotplug_unless_the_machine_says_otherwise)
{
	ck_assert(has_hotplug(PORT));
	ck_assert(has_hotplug("-machine passthrough-hotplug=on " PORT));
	ck_assert(has_hotplug("-M passthrough-hotplug=off -M passthrough-hotplug=on " PORT));
	ck_assert(!has_hotplug("-machine passthrough-hotplug=off " PORT));
	ck_assert(!has_hotplug(PORT " -machine passthrough-hotplug=off"));
	ck_assert(
		!has_hotplug(PORT ",host-slot=1,auto-add=passthrough -M passthrough-hotplug=off"));
}
END_TEST

START_TEST(test_without_hotplug_only_drives_of_the_command_line_can_come)
{
	g_autoptr(HbOptions) slot = parse("-machine passthrough-hotplug=off " PORT);
	g_autoptr(HbOptions) drive = parse("-machine passthrough-hotplug=off " PORT
					   " -device vfio-pci,host=0000:01:00.0,bus=bay0");

	ck_assert(!hb_options_can_have_drives(slot));
	ck_assert(hb_options_can_have_drives(drive));
}
END_TEST

START_TEST(test_help_and_version_win_over_everything_behind_them)
{
	g_autoptr(HbOptions) help = try("-help -bogus", NULL);
	g_autoptr(HbOptions) h = try("-h", NULL);
	g_autoptr(HbOptions) version = try("--version -bogus", NULL);

	ck_assert_int_eq(help->action, HB_OPTIONS_HELP);
	ck_assert_int_eq(h->action, HB_OPTIONS_HELP);
	ck_assert_int_eq(version->action, HB_OPTIONS_VERSION);
}
END_TEST

START_TEST(test_help_names_the_flags_in_80_columns)
{
	static const char *const names[] = { "-kernel FILE", "-device vfio-pci,",
					     "-qmp unix:", "-no-reboot\n" };
	g_autofree char *help = hb_options_help();
	g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		ck_assert_msg(strstr(help, names[i]) != NULL, "%s", names[i]);
	for (guint i = 0; lines[i]; i++)
		ck_assert_msg(strlen(lines[i]) <= 80 || lines[i][0] == '-', "%s", lines[i]);
}
END_TEST

START_TEST(test_a_device_may_be_given_in_json)
{
	const char *device = "{\"driver\": \"pcie-root-port\", \"id\": \"bay0\", "
			     "\"multifunction\": true, \"addr\": \"0x4\"}";
	const char *const argv[] = { "hotbay", "-kernel", "k", "-device", device };
	g_autoptr(HbOptions) options = hb_options_parse(G_N_ELEMENTS(argv), argv, NULL);
	const HbPortOptions *port;

	ck_assert_ptr_nonnull(options);
	port = hb_device_options_get_port(options->devices, 0);
	ck_assert_str_eq(port->config.id, "bay0");
	ck_assert_uint_eq(port->config.devfn, HB_PCI_DEVFN(4, 0));
	ck_assert(port->config.multifunction);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, test_a_line_as_given_to_qemu_is_understood);
	tcase_add_test(tests, test_two_dashes_are_one);
	tcase_add_test(tests, test_defaults_are_those_of_qemu);
	tcase_add_test(tests, test_nographic_is_a_serial_port_on_stdio);
	tcase_add_test(tests, test_an_explicit_serial_port_wins_over_nographic);
	tcase_add_test(tests, test_several_qmp_sockets);
	tcase_add_loop_test(tests, test_topology, 0, G_N_ELEMENTS(topologies));
	tcase_add_loop_test(tests, test_memory, 0, G_N_ELEMENTS(memories));
	tcase_add_loop_test(tests, test_refused_by_name_with_the_remedy, 0, G_N_ELEMENTS(refused));
	tcase_add_test(tests, test_both_forms_of_global_are_understood);
	tcase_add_test(tests, test_slots_are_native_unless_the_last_global_says_otherwise);
	tcase_add_test(tests, test_the_interrupt_budget_is_4096_unless_given);
	tcase_add_test(tests, test_unpacked_kernels_are_kept_unless_it_is_off);
	tcase_add_test(tests, test_a_drive_can_come_where_one_is_or_a_slot_takes_one);
	tcase_add_test(tests, test_slots_do_hotplug_unless_the_machine_says_otherwise);
	tcase_add_test(tests, test_without_hotplug_only_drives_of_the_command_line_can_come);
	tcase_add_test(tests, test_help_and_version_win_over_everything_behind_them);
	tcase_add_test(tests, test_help_names_the_flags_in_80_columns);
	tcase_add_test(tests, test_a_device_may_be_given_in_json);
	suite_add_tcase(suite, tests);
	return suite;
}
