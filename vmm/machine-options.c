/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The flags that say how large the machine is and of what kind: -machine, -accel, -smp and -m. What
 * QEMU's could have and this one has not is refused by name, unless its absence is asked for.
 */

#include "vmm/machine-options.h"

#include <hotbay/hotbay.h>

#define MIB	   (1ULL << 20)
#define MAX_MEMORY (1ULL << 46)

static gboolean check_accelerator(const char *name, GError **error)
{
	if (g_str_equal(name, "kvm"))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "accelerator '%s' is not supported: use kvm", name);
	return FALSE;
}

/* What a Q35 of QEMU's can have and this one has not: saying so is harmless. */
static gboolean take_absent(HbProperties *properties, GError **error)
{
	static const char *const absent[] = { "usb",  "smm",  "vmport", "graphics",
					      "hpet", "sata", "smbus" };

	for (guint i = 0; i < G_N_ELEMENTS(absent); i++) {
		gboolean wanted = FALSE;

		if (!hb_properties_take_bool(properties, absent[i], &wanted, error))
			return FALSE;
		if (wanted) {
			g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
				    "'%s=on' is not supported, there is no such device: leave it "
				    "out",
				    absent[i]);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean take_max_vectors(HbOptions *options, HbProperties *properties, GError **error)
{
	guint64 n = options->max_vectors;

	if (!hb_properties_take_uint(properties, "x-hotbay-max-vectors", 1, HB_VFIO_MAX_VECTORS, &n,
				     error))
		return FALSE;
	options->max_vectors = (guint)n;
	return TRUE;
}

static gboolean take_memory_backend(HbOptions *options, HbProperties *properties, GError **error)
{
	const char *id;

	if (!hb_properties_take(properties, "memory-backend"))
		return TRUE;
	if (!hb_properties_take_required(properties, "memory-backend", &id, error))
		return FALSE;
	g_free(options->memory_options.chosen);
	options->memory_options.chosen = g_strdup(id);
	return TRUE;
}

static gboolean take_iommu(HbOptions *options, HbProperties *properties, GError **error)
{
	const char *name = hb_properties_take(properties, "x-hotbay-iommu");

	return hb_properties_take_bool(properties, "x-hotbay-peer-to-peer",
				       &options->iommu_options.peer_to_peer, error) &&
	       (name == NULL || hb_iommu_options_choose(&options->iommu_options, name, error));
}

static gboolean take_passthrough_hotplug(HbOptions *options, HbProperties *properties,
					 GError **error)
{
	gboolean on = FALSE;

	if (!hb_properties_take(properties, "passthrough-hotplug"))
		return TRUE;
	if (!hb_properties_take_bool(properties, "passthrough-hotplug", &on, error))
		return FALSE;
	options->passthrough_hotplug = on ? HB_PASSTHROUGH_HOTPLUG_ON : HB_PASSTHROUGH_HOTPLUG_OFF;
	return TRUE;
}

static gboolean take_kernel_cache(HbOptions *options, HbProperties *properties, GError **error)
{
	const char *value = hb_properties_take(properties, "x-hotbay-kernel-cache");

	if (value == NULL)
		return TRUE;
	g_clear_pointer(&options->kernel_cache, g_free);
	options->no_kernel_cache = g_str_equal(value, "off");
	if (options->no_kernel_cache || g_str_equal(value, "on"))
		return TRUE;
	if (!g_path_is_absolute(value)) {
		g_set_error(
			error, HB_ERROR, HB_ERROR_INVALID,
			"x-hotbay-kernel-cache=%s: say on, off, or the absolute path of a folder",
			value);
		return FALSE;
	}
	options->kernel_cache = g_strdup(value);
	return TRUE;
}

gboolean hb_machine_options_read_machine(HbOptions *options, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, "type", error);

	if (properties == NULL)
		return FALSE;
	const char *type = hb_properties_take(properties, "type");
	const char *accelerator = hb_properties_take(properties, "accel");
	if (type && !g_str_equal(type, "q35")) {
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "machine type '%s' is not supported: use q35", type);
		return FALSE;
	}
	return (accelerator == NULL || check_accelerator(accelerator, error)) &&
	       take_absent(properties, error) && take_max_vectors(options, properties, error) &&
	       take_passthrough_hotplug(options, properties, error) &&
	       take_memory_backend(options, properties, error) &&
	       take_iommu(options, properties, error) &&
	       take_kernel_cache(options, properties, error) &&
	       hb_properties_finish(properties, "-machine", error);
}

gboolean hb_machine_options_read_accel(HbOptions *options, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, "accel", error);
	const char *accelerator;

	return properties &&
	       hb_properties_take_required(properties, "accel", &accelerator, error) &&
	       check_accelerator(accelerator, error) &&
	       hb_properties_finish(properties, "-accel", error);
}

static gboolean take_topology(HbProperties *properties, guint64 *cpus, guint64 *sockets,
			      guint64 *cores, guint64 *threads, GError **error)
{
	guint64 one = 1, max = 0;
	guint64 limit = G_MAXUINT16; /* so that products do not wrap */

	if (!hb_properties_take_uint(properties, "cpus", 0, limit, cpus, error) ||
	    !hb_properties_take_uint(properties, "sockets", 1, limit, sockets, error) ||
	    !hb_properties_take_uint(properties, "dies", 1, 1, &one, error) ||
	    !hb_properties_take_uint(properties, "clusters", 1, 1, &one, error) ||
	    !hb_properties_take_uint(properties, "cores", 1, limit, cores, error) ||
	    !hb_properties_take_uint(properties, "threads", 1, limit, threads, error) ||
	    !hb_properties_take_uint(properties, "maxcpus", 1, limit, &max, error) ||
	    !hb_properties_finish(properties, "-smp", error))
		return FALSE;
	if (*cpus == 0)
		*cpus = max;
	if (max == 0 || max == *cpus)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    max < *cpus ? "maxcpus=%" G_GUINT64_FORMAT " is less than the vCPUs there are: "
				  "leave it out"
				: "maxcpus=%" G_GUINT64_FORMAT " asks for CPU hot-plug, which does "
				  "not go with hot-plug passthrough: leave it out, and give all "
				  "vCPUs with cpus=",
		    max);
	return FALSE;
}

/* What was not given follows from the rest, cores first, as with QEMU's q35. */
static void complete_topology(guint64 *cpus, guint64 *sockets, guint64 *cores, guint64 *threads)
{
	guint64 given = MAX(*sockets, 1) * MAX(*cores, 1) * MAX(*threads, 1);

	if (*cpus == 0)
		*cpus = given;
	if (*cores == 0)
		*cores = MAX(*cpus / (MAX(*sockets, 1) * MAX(*threads, 1)), 1);
	if (*threads == 0)
		*threads = MAX(*cpus / (MAX(*sockets, 1) * *cores), 1);
	if (*sockets == 0)
		*sockets = MAX(*cpus / (*cores * *threads), 1);
}

static gboolean set_cpus_error(guint64 cpus, GError **error)
{
	g_set_error(error, HB_ERROR, HB_ERROR_LIMIT,
		    "%" G_GUINT64_FORMAT " vCPUs cannot be: a machine with hot-plug passthrough "
		    "has 1 to %d",
		    cpus, HB_OPTIONS_MAX_CPUS);
	return FALSE;
}

gboolean hb_machine_options_read_smp(HbOptions *options, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, "cpus", error);
	guint64 cpus = 0, sockets = 0, cores = 0, threads = 0;

	if (properties == NULL ||
	    !take_topology(properties, &cpus, &sockets, &cores, &threads, error))
		return FALSE;
	if (cpus == 0 && hb_properties_take(properties, "cpus"))
		return set_cpus_error(cpus, error);
	complete_topology(&cpus, &sockets, &cores, &threads);
	if (cpus > HB_OPTIONS_MAX_CPUS)
		return set_cpus_error(cpus, error);
	if (sockets * cores * threads != cpus) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
			    "Invalid CPU topology: sockets (%" G_GUINT64_FORMAT
			    ") * cores (%" G_GUINT64_FORMAT ") * threads (%" G_GUINT64_FORMAT
			    ") must be cpus (%" G_GUINT64_FORMAT "): leave out what follows from "
			    "the rest",
			    sockets, cores, threads, cpus);
		return FALSE;
	}
	options->cpus = (guint)cpus;
	options->topology = (HbTopology){ (guint)sockets, (guint)cores, (guint)threads };
	return TRUE;
}

/* QEMU's sizes for memory hot-plug; what asks for none is harmless. */
static gboolean take_memory_hotplug(HbProperties *properties, guint64 size, GError **error)
{
	guint64 max = size, slots = 0;

	if (!hb_properties_take_size(properties, "maxmem", 'M', &max, error) ||
	    !hb_properties_take_uint(properties, "slots", 0, G_MAXUINT8, &slots, error))
		return FALSE;
	if (max == size && slots == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
		    "'maxmem' and 'slots' ask for memory hot-plug, which does not go with hot-plug "
		    "passthrough: leave them out, and give all memory with size=");
	return FALSE;
}

gboolean hb_machine_options_read_memory(HbOptions *options, const char *value, GError **error)
{
	g_autoptr(HbProperties) properties = hb_properties_parse(value, "size", error);

	if (properties == NULL ||
	    !hb_properties_take_size(properties, "size", 'M', &options->memory, error) ||
	    !take_memory_hotplug(properties, options->memory, error) ||
	    !hb_properties_finish(properties, "-m", error))
		return FALSE;
	options->has_memory = TRUE;
	if (options->memory && options->memory <= MAX_MEMORY && options->memory % MIB == 0)
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_INVALID,
		    "'%s' cannot be: give a multiple of 1M up to 64T", value);
	return FALSE;
}
