/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include "vmm/chardev.h"
#include "vmm/iommu-options.h"
#include "vmm/memory-options.h"

#include <hotbay/hotbay.h>

/* The most vCPUs of a VM with hot-plug passthrough. */
#define HB_OPTIONS_MAX_CPUS 128

/** HbOptionsAction: what the command line asks the process to do. */
typedef enum HbOptionsAction {
	HB_OPTIONS_RUN,
	HB_OPTIONS_HELP,
	HB_OPTIONS_VERSION,
} HbOptionsAction;

/** HbPassthroughHotplug: whether drives come and go while the guest runs. */
typedef enum HbPassthroughHotplug {
	HB_PASSTHROUGH_HOTPLUG_AUTO, /* where there is a slot for it */
	HB_PASSTHROUGH_HOTPLUG_ON,   /* there must be one */
	HB_PASSTHROUGH_HOTPLUG_OFF,  /* whatever the slots could */
} HbPassthroughHotplug;

/** HbTopology: @sockets of @cores of @threads; their product is the number of vCPUs. */
typedef struct HbTopology {
	guint sockets;
	guint cores;
	guint threads;
} HbTopology;

/** HbOptions: the command line, checked; owns everything in it. */
typedef struct HbOptions {
	HbOptionsAction action;
	char *name; /* NULL: none given */
	char *uuid; /* NULL: none given */
	guint cpus;
	HbTopology topology;
	guint64 memory; /* bytes */
	HbMemoryOptions memory_options;
	HbIommuOptions iommu_options;
	gboolean mem_lock;
	HbPassthroughHotplug passthrough_hotplug;
	guint max_vectors;     /* interrupt vectors of the host's drives together */
	gboolean acpi_hotplug; /* the slots' mode; FALSE: native PCIe hot-plug */
	char *kernel;
	char *kernel_cache; /* a folder; NULL: the usual one */
	gboolean no_kernel_cache;
	char *initrd;
	char *append;
	HbChardevOptions *serial; /* NULL: there is no UART */
	GPtrArray *qmp;		  /* of HbChardevOptions, each a unix socket's server */
	char *pidfile;
	gboolean has_serial; /* -serial was given */
	gboolean has_memory; /* -m was given */
	gboolean nographic;
	gboolean no_reboot;
	gboolean no_shutdown;
	gboolean paused; /* -S */
	HbDeviceOptions *devices;
} HbOptions;

/**
 * hb_options_parse:
 * @argv: (array length=argc): the whole command line; argv[0] is skipped
 *
 * Reads nothing but its arguments.
 *
 * Returns: (transfer full) (nullable): NULL with a message that starts with the flag to blame
 */
HbOptions *hb_options_parse(int argc, const char *const *argv, GError **error);

/**
 * hb_options_can_have_drives:
 *
 * Returns: whether a passed-through drive can ever be in the machine: one is there at the start, or
 *   a slot takes one while the guest runs
 */
gboolean hb_options_can_have_drives(const HbOptions *options);

void hb_options_free(HbOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HbOptions, hb_options_free)

/** hb_options_help: Returns: (transfer full): the text of -help. */
char *hb_options_help(void);

#endif
