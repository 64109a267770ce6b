/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The command line. One table names every flag, what follows it, its line of -help, and the
 * function that reads it; parsing and -help both walk that table. A flag of QEMU's that would ask
 * for something this hypervisor does not have is refused, unless it asks for its absence.
 */

#include "vmm/options.h"

#include "vmm/json-properties.h"
#include "vmm/lpc.h"
#include "vmm/machine-options.h"

#include <hotbay/hotbay.h>

#include <string.h>

#define MIB		   (1ULL << 20)
#define DEFAULT_MEMORY	   (128 * MIB)
#define PCI_HOTPLUG_GLOBAL "acpi-pci-hotplug-with-bridge-support"

typedef struct Flag Flag;

typedef gboolean (*FlagReader)(HbOptions *options, const Flag *flag, const char *value,
			       GError **error);

struct Flag {
	const char *name;
	const char *argument; /* NULL: none follows */
	const char *help;     /* NULL: not listed, an alias */
	FlagReader read;
	gsize target; /* of the readers that only store something: the member's offset */
};

/* -- Readers of simple flags. -- */

static gboolean read_string(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	char **target = G_STRUCT_MEMBER_P(options, flag->target);

	g_free(*target);
	*target = g_strdup(value);
	return TRUE;
}

static gboolean read_path(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	if (value[0] != '\0')
		return read_string(options, flag, value, error);
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "the name of a file must follow");
	return FALSE;
}

static gboolean read_switch(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	gboolean *target = G_STRUCT_MEMBER_P(options, flag->target);

	*target = TRUE;
	return TRUE;
}

static gboolean read_nothing(HbOptions *options, const Flag *flag, const char *value,
			     GError **error)
{
	return TRUE;
}

static gboolean read_none(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	if (g_str_equal(value, "none"))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "'%s' is not supported, there is no such device: say none", value);
	return FALSE;
}

static gboolean read_help(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	options->action = HB_OPTIONS_HELP;
	return TRUE;
}

static gboolean read_version(HbOptions *options, const Flag *flag, const char *value,
			     GError **error)
{
	options->action = HB_OPTIONS_VERSION;
	return TRUE;
}

static gboolean read_daemonize(HbOptions *options, const Flag *flag, const char *value,
			       GError **error)
{
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "not supported: start it in the background, as with 'setsid -f' or a systemd "
		    "unit, and use -pidfile");
	return FALSE;
}

/* -- Readers of machine properties, see vmm/machine-options.c. -- */

static gboolean read_machine(HbOptions *options, const Flag *flag, const char *value,
			     GError **error)
{
	return hb_machine_options_read_machine(options, value, error);
}

static gboolean read_accel(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	return hb_machine_options_read_accel(options, value, error);
}

static gboolean read_smp(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	return hb_machine_options_read_smp(options, value, error);
}

static gboolean read_memory(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	return hb_machine_options_read_memory(options, value, error);
}

static gboolean read_cpu(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	if (g_str_equal(value, "host"))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "model '%s' is not supported: use host, without properties", value);
	return FALSE;
}

static gboolean read_overcommit(HbOptions *options, const Flag *flag, const char *value,
				GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, NULL, error);

	return properties &&
	       hb_properties_take_bool(properties, "mem-lock", &options->mem_lock, error) &&
	       hb_properties_finish(properties, "-overcommit", error);
}

/* Both of QEMU's forms: DRIVER.PROPERTY=VALUE and driver=DRIVER,property=PROPERTY,value=VALUE. */
static gboolean read_global(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, NULL, error);

	if (properties == NULL)
		return FALSE;
	const char *name = "ICH9-LPC." PCI_HOTPLUG_GLOBAL;
	const char *driver = hb_properties_take(properties, "driver");
	const char *property = hb_properties_take(properties, "property");
	if (g_strcmp0(driver, "ICH9-LPC") == 0 && g_strcmp0(property, PCI_HOTPLUG_GLOBAL) == 0)
		name = "value";
	if (!hb_properties_take(properties, name) ||
	    !hb_properties_finish(properties, "-global", NULL)) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'%s' is not supported: only ICH9-LPC." PCI_HOTPLUG_GLOBAL "=on|off is",
			    value);
		return FALSE;
	}
	return hb_properties_take_bool(properties, name, &options->acpi_hotplug, error);
}

static gboolean read_name(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, "guest", error);
	gboolean debug_threads = TRUE;

	if (properties == NULL ||
	    !hb_properties_take_bool(properties, "debug-threads", &debug_threads, error))
		return FALSE;
	g_free(options->name);
	options->name = g_strdup(hb_properties_take(properties, "guest"));
	return hb_properties_finish(properties, "-name", error);
}

static gboolean read_uuid(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	if (g_uuid_string_is_valid(value))
		return read_string(options, flag, value, error);
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "'%s' is no UUID: write it as 8-4-4-4-12 hexadecimal digits", value);
	return FALSE;
}

/* -- Readers of devices and streams. -- */

static gboolean set_serial(HbOptions *options, const char *value, GError **error)
{
	g_clear_pointer(&options->serial, hb_chardev_options_free);
	if (g_str_equal(value, "none"))
		return TRUE;
	options->serial = hb_chardev_options_parse(value, error);
	return options->serial != NULL;
}

static gboolean read_serial(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	if (options->has_serial) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'%s' would be a second serial port, but there is one: give -serial "
			    "once",
			    value);
		return FALSE;
	}
	options->has_serial = TRUE;
	return set_serial(options, value, error);
}

static gboolean read_qmp(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	g_autoptr(HbChardevOptions) chardev = hb_chardev_options_parse(value, error);

	if (chardev == NULL)
		return FALSE;
	if (chardev->kind != HB_CHARDEV_UNIX || !chardev->server || chardev->wait) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "'%s' is not supported: use unix:PATH,server=on,wait=off", value);
		return FALSE;
	}
	g_ptr_array_add(options->qmp, g_steal_pointer(&chardev));
	return TRUE;
}

static gboolean read_device(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	if (value[0] != '{')
		return hb_device_options_parse(options->devices, value, error);
	g_autoptr(HbProperties) properties = hb_json_properties_parse(value, error);

	return properties && hb_device_options_add(options->devices, properties, error);
}

static gboolean read_object(HbOptions *options, const Flag *flag, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties =
		value[0] == '{' ? hb_json_properties_parse(value, error)
				: hb_properties_parse(value, "qom-type", error);

	if (properties == NULL)
		return FALSE;
	if (g_strcmp0(hb_properties_take(properties, "qom-type"), "iommufd") == 0)
		return hb_iommu_options_add(&options->iommu_options, properties, error);
	return hb_memory_options_add(&options->memory_options, properties, error);
}

#define MEMBER(name) offsetof(HbOptions, name)

static const Flag flags[] = {
	{ "machine", "q35[,accel=kvm][,PROPERTY=...]",
	  "the machine; q35 is the only one; more properties: memory-backend=ID, see "
	  "-object; x-hotbay-max-vectors=N, how many "
	  "interrupt vectors the drives of all VMs of the host may have when this one adds a drive "
	  "(default 4096); passthrough-hotplug=on|off, whether drives come and go while the guest "
	  "runs (default on where there is a hot-plug slot); off makes all slots hotplug=off; "
	  "x-hotbay-iommu=auto|type1|iommufd, by what drives reach guest memory (default auto: "
	  "iommufd where it is there); x-hotbay-peer-to-peer=on|off, whether drives reach each "
	  "other's memory by DMA (default off); "
	  "x-hotbay-kernel-cache=on|off|FOLDER, where unpacked kernels are kept (default on: "
	  "/var/cache/hotbay for root, ~/.cache/hotbay for others); off has the guest unpack a "
	  "bzImage itself",
	  read_machine },
	{ "M", "q35", NULL, read_machine },
	{ "accel", "kvm", "the accelerator; kvm is the only one", read_accel },
	{ "enable-kvm", NULL, NULL, read_nothing },
	{ "cpu", "host", "the processor; the host's is the only one", read_cpu },
	{ "smp", "N|cpus=N[,sockets=,cores=,threads=]", "vCPUs, 1 to 128 (default 1)", read_smp },
	{ "m", "SIZE|size=SIZE", "guest memory, in MiB or with K, M, G, T (default 128M)",
	  read_memory },
	{ "object", "memory-backend-memfd,id=ID,size=SIZE[,hugetlb=on][,hugetlbsize=SIZE]",
	  "where guest memory comes from, with -machine memory-backend=ID: a memfd, of huge pages "
	  "with hugetlb=on; others: memory-backend-file,mem-path=PATH, memory-backend-ram; more "
	  "properties: share=on|off prealloc=on|off dump=on|off; JSON works too",
	  read_object },
	{ "object", "iommufd,id=ID[,fd=N]",
	  "drives reach guest memory by iommufd, in place of VFIO type1: by /dev/iommu, or by that "
	  "file descriptor of it; JSON works too",
	  read_object },
	{ "mem-path", "PATH",
	  "guest memory from that file, or from one in that folder, such as a "
	  "mounted hugetlbfs",
	  read_path, MEMBER(memory_options.path) },
	{ "mem-prealloc", NULL, "fetch all guest memory before the guest starts", read_switch,
	  MEMBER(memory_options.prealloc) },
	{ "overcommit", "mem-lock=on|off", "lock guest memory; always done where a drive can be",
	  read_overcommit },
	{ "name", "NAME|guest=NAME", "the guest's name", read_name },
	{ "uuid", "UUID", "the machine's UUID", read_uuid, MEMBER(uuid) },
	{ "kernel", "FILE", "the Linux kernel to boot, a bzImage or a vmlinux (needed)", read_path,
	  MEMBER(kernel) },
	{ "initrd", "FILE", "its initial RAM disk", read_path, MEMBER(initrd) },
	{ "append", "TEXT", "its command line", read_string, MEMBER(append) },
	{ "device", "pcie-root-port,id=ID[,addr=D.F][,chassis=N,slot=N][,PROPERTY=...]",
	  "a hot-plug slot; more properties: bus=pcie.0 multifunction=on|off hotplug=on|off "
	  "mem-reserve=SIZE pref64-reserve=SIZE bus-reserve=N attention-button=on|off "
	  "power-controller=on|off indicators=on|off no-command-completed=on|off surprise=on|off "
	  "slot-power-limit=WATTS x-speed=2_5|5|8|16|32|64 x-width=1|2|4|8|12|16|32 "
	  "guest-eject=on|off x-removal-timeout-ms=N x-host-removal-timeout-ms=N "
	  "x-acknowledge-timeout-ms=N; host-slot=NAME binds it to a slot of the host, whose drives "
	  "are announced (auto-add=off), given to vfio-pci (auto-add=passthrough) or added "
	  "(auto-add=on), and whose attention indicator shows the guest's (host-leds=on)",
	  read_device },
	{ "device", "x3130-upstream,id=ID,bus=PORT",
	  "a PCIe switch in that port, which then has no hot-plug", read_device },
	{ "device",
	  "xio3130-downstream,id=ID,bus=SWITCH[,addr=D.F][,chassis=N,slot=N][,PROPERTY=...]",
	  "a hot-plug slot of that switch; properties as for pcie-root-port", read_device },
	{ "device", "vfio-pci,host=DDDD:BB:DD.F,bus=PORT[,id=ID][,iommufd=ID]",
	  "a host NVMe drive, bound to vfio-pci, in that slot; iommufd names an -object; JSON "
	  "works too",
	  read_device },
	{ "global", "ICH9-LPC." PCI_HOTPLUG_GLOBAL "=on|off",
	  "all slots do hot-plug by ACPI, or natively (off, the default)", read_global },
	{ "serial", "stdio|null|none|pty|file:PATH|unix:PATH[,server=on,wait=off]",
	  "the serial port, ttyS0", read_serial },
	{ "qmp", "unix:PATH,server=on[,wait=off]", "a QMP socket; may be repeated", read_qmp },
	{ "nographic", NULL, "-serial stdio, unless -serial says otherwise", read_switch,
	  MEMBER(nographic) },
	{ "display", "none", "there is no display", read_none },
	{ "vga", "none", NULL, read_none },
	{ "net", "none", NULL, read_none },
	{ "nic", "none", NULL, read_none },
	{ "monitor", "none", NULL, read_none },
	{ "parallel", "none", NULL, read_none },
	{ "nodefaults", NULL, "there are no default devices", read_nothing },
	{ "no-user-config", NULL, "there are no configuration files", read_nothing },
	{ "no-reboot", NULL, "quit when the guest reboots", read_switch, MEMBER(no_reboot) },
	{ "no-shutdown", NULL, "stay when the guest powers off", read_switch, MEMBER(no_shutdown) },
	{ "S", NULL, "wait for QMP's cont before the guest starts", read_switch, MEMBER(paused) },
	{ "pidfile", "FILE", "write the process id there", read_path, MEMBER(pidfile) },
	{ "daemonize", NULL, NULL, read_daemonize },
	{ "version", NULL, "print the version", read_version },
	{ "help", NULL, "print this", read_help },
	{ "h", NULL, NULL, read_help },
};

/* (nullable): the flag that @word names with one or two dashes. */
static const Flag *find_flag(const char *word)
{
	if (word[0] != '-' || word[1] == '\0')
		return NULL;
	word += word[1] == '-' ? 2 : 1;
	for (guint i = 0; i < G_N_ELEMENTS(flags); i++) {
		if (g_str_equal(word, flags[i].name))
			return &flags[i];
	}
	return NULL;
}

static gboolean read_flag(HbOptions *options, const char *const **cursor, GError **error)
{
	const char *word = *(*cursor)++;
	const Flag *flag = find_flag(word);
	const char *value = NULL;

	if (flag == NULL) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "%s: unknown flag: -help lists all that there are", word);
		return FALSE;
	}
	if (flag->argument) {
		value = **cursor;
		if (value == NULL) {
			g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
				    "-%s: an argument must follow: %s", flag->name, flag->argument);
			return FALSE;
		}
		(*cursor)++;
	}
	if (flag->read(options, flag, value, error))
		return TRUE;
	g_prefix_error(error, "-%s: ", flag->name);
	return FALSE;
}

static void free_chardev(gpointer data)
{
	hb_chardev_options_free(data);
}

static HbOptions *options_new(void)
{
	HbOptions *options = g_new0(HbOptions, 1);

	options->cpus = 1;
	options->topology = (HbTopology){ 1, 1, 1 };
	options->memory = DEFAULT_MEMORY;
	options->max_vectors = HB_VFIO_DEFAULT_MAX_VECTORS;
	options->qmp = g_ptr_array_new_with_free_func(free_chardev);
	options->devices = hb_device_options_create();
	hb_device_options_reserve(options->devices, HB_PCI_DEVICE(HB_LPC_DEVFN), "the LPC bridge");
	hb_memory_options_init(&options->memory_options);
	hb_iommu_options_init(&options->iommu_options);
	return options;
}

static gboolean check_kernel(const HbOptions *options, GError **error)
{
	if (options->kernel)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    options->initrd ? "-initrd: there is no kernel to give it to: add -kernel FILE"
		    : options->append
			    ? "-append: there is no kernel to give it to: add -kernel FILE"
			    : "-kernel: missing, and there is no firmware to boot from: "
			      "add -kernel FILE");
	return FALSE;
}

static gboolean check_acpi_slots(const HbOptions *options, GError **error)
{
	if (!options->acpi_hotplug || hb_device_options_check_acpi(options->devices, error))
		return TRUE;
	g_prefix_error(error, "-global: " PCI_HOTPLUG_GLOBAL "=on: ");
	return FALSE;
}

static gboolean disable_hotplug(HbDeviceOptions *devices, GError **error)
{
	if (hb_device_options_disable_hotplug(devices, error))
		return TRUE;
	g_prefix_error(error, "-machine: passthrough-hotplug=off: ");
	return FALSE;
}

static gboolean settle_hotplug(HbOptions *options, GError **error)
{
	if (options->passthrough_hotplug == HB_PASSTHROUGH_HOTPLUG_OFF)
		return disable_hotplug(options->devices, error);
	if (options->passthrough_hotplug != HB_PASSTHROUGH_HOTPLUG_ON ||
	    hb_device_options_have_hotplug(options->devices))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "-machine: passthrough-hotplug=on needs a slot that can do it, and there is "
		    "none: add -device pcie-root-port,id=..., without hotplug=off and without a "
		    "switch in it");
	return FALSE;
}

static gboolean complete(HbOptions *options, GError **error)
{
	if (options->nographic && !options->has_serial && !set_serial(options, "stdio", error))
		return FALSE;
	if (!hb_device_options_check(options->devices, error)) {
		g_prefix_error(error, "-device: ");
		return FALSE;
	}
	return hb_memory_options_settle(&options->memory_options, &options->memory,
					options->has_memory, error) &&
	       settle_hotplug(options, error) &&
	       hb_iommu_options_settle(&options->iommu_options, options->devices,
				       hb_options_can_have_drives(options), error) &&
	       check_acpi_slots(options, error) && check_kernel(options, error);
}

HbOptions *hb_options_parse(int argc, const char *const *argv, GError **error)
{
	g_autoptr(HbOptions) options = options_new();
	g_autofree const char **words = g_new0(const char *, argc + 1);
	const char *const *cursor = words;

	for (int i = 1; i < argc; i++)
		words[i - 1] = argv[i];
	while (*cursor) {
		if (!read_flag(options, &cursor, error))
			return NULL;
		if (options->action != HB_OPTIONS_RUN)
			return g_steal_pointer(&options);
	}
	return complete(options, error) ? g_steal_pointer(&options) : NULL;
}

gboolean hb_options_can_have_drives(const HbOptions *options)
{
	return hb_device_options_get_n_drives(options->devices) > 0 ||
	       hb_device_options_have_hotplug(options->devices);
}

void hb_options_free(HbOptions *options)
{
	if (options == NULL)
		return;
	g_free(options->name);
	g_free(options->uuid);
	g_free(options->kernel);
	g_free(options->kernel_cache);
	g_free(options->initrd);
	g_free(options->append);
	g_free(options->pidfile);
	hb_chardev_options_free(options->serial);
	g_ptr_array_unref(options->qmp);
	hb_device_options_destroy(options->devices);
	hb_memory_options_finish(&options->memory_options);
	hb_iommu_options_finish(&options->iommu_options);
	g_free(options);
}

/* Appends @text in lines of at most 80 columns, each indented. */
static void append_wrapped(GString *help, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	gsize column = 0;

	for (guint i = 0; words[i]; i++) {
		if (column == 0 || column + 1 + strlen(words[i]) > 80) {
			g_string_append(help, column ? "\n        " : "        ");
			column = 8;
		} else {
			g_string_append_c(help, ' ');
			column++;
		}
		g_string_append(help, words[i]);
		column += strlen(words[i]);
	}
	g_string_append_c(help, '\n');
}

char *hb_options_help(void)
{
	GString *help = g_string_new("usage: hotbay -kernel FILE [FLAG...]\n\n");

	for (guint i = 0; i < G_N_ELEMENTS(flags); i++) {
		if (flags[i].help == NULL)
			continue;
		g_string_append_printf(help, "-%s%s%s\n", flags[i].name,
				       flags[i].argument ? " " : "",
				       flags[i].argument ? flags[i].argument : "");
		append_wrapped(help, flags[i].help);
	}
	return g_string_free(help, FALSE);
}
