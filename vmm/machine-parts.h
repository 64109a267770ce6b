/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef VMM_MACHINE_PARTS_H
#define VMM_MACHINE_PARTS_H

#include "vmm/bays.h"
#include "vmm/boot.h"
#include "vmm/chipset.h"
#include "vmm/cpus.h"
#include "vmm/drives.h"
#include "vmm/memory.h"
#include "vmm/ports.h"
#include "vmm/vm.h"

/**
 * HbMachinePartsOps:
 * @chipset, @vcpu: on threads of vCPUs
 * @drives_event: of the drives and the bays; on the loop
 * @host_event: the library's one stream of events; on the loop
 *
 * What the parts ask of their machine, and tell it.
 */
typedef struct HbMachinePartsOps {
	HbChipsetOps chipset;
	HbVcpuOps vcpu;
	HbDrivesEvent drives_event;
	HbEventListener host_event;
} HbMachinePartsOps;

/** HbMachineParts: what a machine is made of; each is NULL until it is there. */
typedef struct HbMachineParts {
	const HbOptions *options;
	const HbMachinePartsOps *ops;
	gpointer opaque; /* of @ops */
	HbVm *vm;
	HbMemory *memory;
	HbKvm *kvm;
	HbHostBridge *bridge;
	HbHostBridgeConfig bridge_config;
	HbChipset *chipset;
	HbVfio *vfio;
	HbPorts *ports;
	HbDrives *drives;
	HbMachineBays *bays;
	HbBoot *boot;
	GByteArray *tables;
	struct kvm_cpuid2 *cpuid;
	HbCpus *cpus;
} HbMachineParts;

/**
 * hb_machine_parts_init:
 * @parts: all zero
 * @options, @ops, @opaque: must outlive @parts
 *
 * Makes all of them, loads the kernel, opens and plugs the cold-plugged drives. What comes of a
 * failure is for hb_machine_parts_finish() too. Loop thread; blocks.
 *
 * Returns: FALSE with an error that starts with the flag to blame
 */
gboolean hb_machine_parts_init(HbMachineParts *parts, const HbOptions *options,
			       const HbMachinePartsOps *ops, gpointer opaque, GError **error);

/** hb_machine_parts_finish: once no drive is in, or on its way. */
void hb_machine_parts_finish(HbMachineParts *parts);

/** hb_machine_parts_reset: all vCPUs are paused, and at the kernel's entry when it returns. */
gboolean hb_machine_parts_reset(HbMachineParts *parts, GError **error);

#endif
