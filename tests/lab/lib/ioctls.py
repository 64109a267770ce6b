# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The ioctls of a process, seen by the lab host's kernel: which, and how long each took."""

import os
import re
from collections import Counter, namedtuple
from contextlib import contextmanager

from host import read, write
from stalled import TRACING, mount_tracing

Ioctl = namedtuple("Ioctl", "name started seconds")

RUN = 0xAE80  # KVM_RUN, which goes on for ever
MAP_DMA = "VFIO_IOMMU_MAP_DMA"
# By iommufd memory is mapped by one call, and pinned by the other.
IOAS_MAP = "IOMMU_IOAS_MAP"
ATTACH_PT = "VFIO_DEVICE_ATTACH_IOMMUFD_PT"
SET_ROUTING = "KVM_SET_GSI_ROUTING"
SET_IRQS = "VFIO_DEVICE_SET_IRQS"

# linux/kvm.h, linux/vfio.h and linux/iommufd.h: what a hot-add is made of.
# 0x3b70 is VFIO_IOMMU_GET_INFO too, and some have three names.
NAMES = {
    0xAE03: "KVM_CHECK_EXTENSION",
    0x4008AE6A: SET_ROUTING,
    0x4020AE46: "KVM_SET_USER_MEMORY_REGION",
    0x4020AE76: "KVM_IRQFD",
    0x4040AE79: "KVM_IOEVENTFD",
    0x4020AEA5: "KVM_SIGNAL_MSI",
    0x4010AE67: "KVM_REGISTER_COALESCED_MMIO",
    0x4008AE61: "KVM_IRQ_LINE",
    0xC008AE67: "KVM_IRQ_LINE_STATUS",
    0x4010AE42: "KVM_GET_DIRTY_LOG",
    0x4018AEE1: "KVM_SET_DEVICE_ATTR",
    0xC00CAEE0: "KVM_CREATE_DEVICE",
    0x3B64: "VFIO_GET_API_VERSION",
    0x3B65: "VFIO_CHECK_EXTENSION",
    0x3B66: "VFIO_SET_IOMMU",
    0x3B67: "VFIO_GROUP_GET_STATUS",
    0x3B68: "VFIO_GROUP_SET_CONTAINER",
    0x3B69: "VFIO_GROUP_UNSET_CONTAINER",
    0x3B6A: "VFIO_GROUP_GET_DEVICE_FD",
    0x3B6B: "VFIO_DEVICE_GET_INFO",
    0x3B6C: "VFIO_DEVICE_GET_REGION_INFO",
    0x3B6D: "VFIO_DEVICE_GET_IRQ_INFO",
    0x3B6E: SET_IRQS,
    0x3B6F: "VFIO_DEVICE_RESET",
    0x3B70: "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO",
    0x3B71: MAP_DMA,
    0x3B72: "VFIO_IOMMU_UNMAP_DMA",
    0x3B76: "VFIO_DEVICE_BIND_IOMMUFD",
    0x3B77: ATTACH_PT,
    0x3B85: IOAS_MAP,
}
ENTRY = re.compile(r"-(\d+)\s+\[\d+\] \S+\s+([\d.]+): sys_ioctl\(fd: \w+, cmd: (\w+)")
EXIT = re.compile(r"-(\d+)\s+\[\d+\] \S+\s+([\d.]+): sys_ioctl -> ")


def parse(text):
    """What a trace says, in the order in which the calls began; one that has not returned has no seconds."""
    calls, open_calls = [], {}
    for line in text.splitlines():
        if match := ENTRY.search(line):
            code = int(match[3], 16)
            open_calls[match[1]] = len(calls)
            calls.append(Ioctl(NAMES.get(code, f"{code:#x}"), float(match[2]), None))
        elif (match := EXIT.search(line)) and match[1] in open_calls:
            place = open_calls.pop(match[1])
            calls[place] = calls[place]._replace(seconds=float(match[2]) - calls[place].started)
    return calls


def count(calls):
    return Counter(call.name for call in calls)


@contextmanager
def traced(pid):
    """Yields a list that has, at the end, the ioctls of a process and of the threads it starts, KVM_RUN left out."""
    calls = []
    mount_tracing()
    instance = f"{TRACING}/instances/ioctls-{pid}"
    os.makedirs(instance)
    try:
        write(f"{instance}/trace_clock", "mono")
        write(f"{instance}/buffer_size_kb", "8192")
        write(f"{instance}/options/event-fork", "1")
        write(f"{instance}/set_event_pid", " ".join(os.listdir(f"/proc/{pid}/task")))
        write(f"{instance}/events/syscalls/sys_enter_ioctl/filter", f"cmd != {RUN:#x}")
        for way in ("enter", "exit"):
            write(f"{instance}/events/syscalls/sys_{way}_ioctl/enable", "1")
        yield calls
        for way in ("enter", "exit"):
            write(f"{instance}/events/syscalls/sys_{way}_ioctl/enable", "0")
        lost = [line for cpu in os.listdir(f"{instance}/per_cpu")
                for line in read(f"{instance}/per_cpu/{cpu}/stats").splitlines() if re.match(r"overrun: [1-9]", line)]
        assert not lost, f"the trace is not whole: {lost}"
        calls += parse(read(f"{instance}/trace"))
    finally:
        os.rmdir(instance)
