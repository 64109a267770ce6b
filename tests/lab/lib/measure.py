# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What is measured of a hypervisor, from the process's start to a pull under load. Every time is from the moment the
lab asked or pulled to the moment the guest, the monitor or /proc showed the outcome."""

import shutil
import statistics
import subprocess

from host import vfio_files, wait_released
from hypervisor import program


def version(lab):
    """What the hypervisor says of itself."""
    done = subprocess.run([*program(lab.plan, lab.kind), "-version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def read_files(lab):
    """Whoever starts first would read the program and the guest's kernel for the other, from the lab's slow disk."""
    version(lab)
    for name in ("kernel", "initrd"):
        with open(lab.plan[name], "rb") as file:
            file.read()


KERNEL_CACHE = "/var/cache/hotbay"  # on the lab host, where nothing outlasts its end
STARTS = 3  # of which the median counts, behind the first: that also translates the emulated host's own code


def forget_kernels():
    """What hotbay keeps of kernels that it has unpacked; its next start is the first one of its kernel."""
    shutil.rmtree(KERNEL_CACHE, ignore_errors=True)


def start_time(lab):
    """Seconds from a process's start to its guest's userspace, and the machine."""
    read_files(lab)
    vm = lab.start()
    return vm.guest.arrival("up", 120) - vm.started, vm


def later_starts(lab):
    """The times of several starts, and the last machine."""
    times = []
    while True:
        seconds, vm = start_time(lab)
        times.append(seconds)
        if len(times) == STARTS:
            return times, vm
        vm.stop()


def measure_boot(lab):
    """First and later starts, and what the hypervisor needs beside the guest's memory; the last machine."""
    with lab.step("first start of this kernel"):
        forget_kernels()
        seconds, vm = start_time(lab)
        lab.measured("first start of this kernel to userspace", seconds)
        vm.stop()
    with lab.step("boot"):
        times, vm = later_starts(lab)
        lab.noted(f"starts ({lab.kind})", " ".join(f"{seconds:.2f}" for seconds in times))
        lab.measured("process start to userspace", statistics.median(times))
        vm.ready()
        lab.measured("clock error", vm.guest.synchronise())
        lab.measured("memory beyond the guest's", vm.memory_beyond_guest() / 2**20, "MiB")
    return vm


def measure_all(lab):
    vm = measure_boot(lab)
    with lab.step("hot-add"):
        hot_adds(lab, vm)
    with lab.step("orderly removal"):
        orderly_removal(lab, vm)
    with lab.step("later hot-add"):
        asked, disk = vm.add(lab.bays[0])
        lab.measured("later hot-add", disk.time - asked)
    with lab.step("pull while idle"):
        pull_idle(lab, vm)
    with lab.step("pull while reading"):
        pull_reading(lab, vm)


def hot_adds(lab, vm):
    tick = vm.guest.probe("tick")
    asked, disk = vm.add(lab.bays[0])
    lab.measured("first hot-add", disk.time - asked)
    lab.measured("longest stall of the guest in it", tick.stop().longest)
    asked, disk = vm.add(lab.bays[1])
    lab.measured("second drive", disk.time - asked)


def orderly_removal(lab, vm):
    since = vm.guest.mark()
    asked, deleted = vm.remove("drive0")
    lab.measured("orderly removal to disk gone", vm.guest.disk_removed(since).time - asked)
    lab.measured("orderly removal to DEVICE_DELETED", deleted["arrived"] - asked)


def pull(lab, vm, bay, name):
    """Pulls a drive and measures how the host gets rid of it; returns when, and the place in the guest's events."""
    files, since, events = vfio_files(vm.pid), vm.guest.mark(), vm.qmp.mark()
    vm.guest.synchronise()
    pulled = bay.pull(vm.pid)
    released = wait_released(files, 100)
    empty = bay.wait_empty(100)
    deleted = vm.qmp.event("DEVICE_DELETED", 100, events, device=f"drive{bay.number}")
    asked = lab.host.kernel_said(pulled - 0.005, "Relaying device request to user", "Card not present|Link Down")
    lab.measured(f"{name}, request to last file closed", max(released - asked, 0))
    lab.measured(f"{name} to last file closed", released - pulled)
    lab.measured(f"{name} to host's slot free", empty - pulled)
    lab.measured(f"{name} to DEVICE_DELETED", deleted["arrived"] - pulled)
    return pulled, since


def pull_idle(lab, vm):
    tick = vm.guest.probe("tick")
    pulled, since = pull(lab, vm, lab.bays[0], "pull while idle")
    lab.measured("pull while idle to disk gone", vm.guest.disk_removed(since).time - pulled)
    lab.measured("longest stall of the guest in a pull while idle", tick.stop().longest)


def pull_reading(lab, vm):
    vm.add(lab.bays[2])
    reader = vm.guest.probe("read", vm.guest.disk("bay2"))
    bystander = vm.guest.probe("read", vm.guest.disk("bay1"))
    tick = vm.guest.probe("tick")
    pulled, since = pull(lab, vm, lab.bays[2], "pull while reading")
    lab.measured("pull while reading to failed read", reader.result(100).time - pulled)
    lab.measured("pull while reading to disk gone", vm.guest.disk_removed(since, 100).time - pulled)
    lab.measured("longest read of the other drive in it", bystander.stop().longest)
    lab.measured("longest stall of the guest in a pull while reading", tick.stop().longest)
