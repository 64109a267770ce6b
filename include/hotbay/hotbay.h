/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */
#ifndef HOTBAY_HOTBAY_H
#define HOTBAY_HOTBAY_H

/** hotbay.h: all of the other headers. */

/**
 * libhotbay: PCI Express hot-plug slots for a virtual machine, and the host's NVMe drives in them.
 *
 * An embedding hypervisor creates, in this order: a #HbHost (what it supplies to the library, ready
 * made for KVM by kvm.h), a #HbHostBridge, a #HbPort for each slot, a #HbSwitch where bus 0 has too
 * few, one #HbVfio, and then opens host drives with hb_vfio_device_open() and plugs them with
 * hb_port_plug(). It hands its guest's port and memory accesses to the host bridge.
 * examples/tiny-vmm.c does all that in one file.
 *
 * Each header is about one noun. Of the guest: pci.h, slot.h, switch.h, acpi.h, acpi-hotplug.h. Of
 * the host: vfio.h, inventory.h, bind.h, bay.h. Of the hypervisor: host.h, kvm.h, loop.h. Of its
 * operator: options.h, properties.h. What happens in all of them: event.h. And error.h, version.h.
 *
 * What can fail returns FALSE or NULL, and sets a GError of %HB_ERROR whose message is meant for
 * the operator. Each function says which thread may call it: "the loop" is the thread that iterates
 * the main context of the #HbHost, or calls hb_loop_dispatch(). What says nothing is for the loop.
 *
 * docs/embedding.md goes from nothing to a slot in ten steps, and docs/architecture.md has the
 * whole picture.
 */

#include <hotbay/acpi-hotplug.h>
#include <hotbay/acpi.h>
#include <hotbay/bay.h>
#include <hotbay/bind.h>
#include <hotbay/error.h>
#include <hotbay/event.h>
#include <hotbay/host.h>
#include <hotbay/inventory.h>
#include <hotbay/kvm.h>
#include <hotbay/loop.h>
#include <hotbay/options.h>
#include <hotbay/pci.h>
#include <hotbay/properties.h>
#include <hotbay/slot.h>
#include <hotbay/switch.h>
#include <hotbay/version.h>
#include <hotbay/vfio.h>

#endif
