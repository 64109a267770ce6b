# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: hot-adds and a removal, and the ioctls of a hot-add; asserts nothing of the figures."""
# lab: only by name

import time

from bench import HostProbe, host_disks, is_host, push_to_disk, switch_off
from hypervisor import APPEND
from ioctls import SET_IRQS, SET_ROUTING, count, traced

# The guest's nvme driver asks for a queue, and so a vector, for each CPU that the guest could have.
QUEUES = 64


def lab_host(lab):
    with lab.step("drives are pushed into the lab host, and removed"):
        switch_off(lab.bays[:2])
        tick = HostProbe(lab, "tick")
        lab.measured("first hot-add", push_to_disk(lab.bays[0]))
        lab.measured("longest silence in the first hot-add", tick.stop().longest)
        tick = HostProbe(lab, "tick")
        lab.measured("second drive", push_to_disk(lab.bays[1]))
        lab.measured("longest silence in the second drive's", tick.stop().longest)
    with lab.step("a button of the lab host's is pressed"):
        tick, asked = HostProbe(lab, "tick"), time.monotonic()
        lab.measured("orderly removal to disk gone", lab.bays[0].press_button() - asked)
        lab.measured("longest silence in the removal", tick.stop().longest)
    with lab.step("and the drive comes back"):
        tick = HostProbe(lab, "tick")
        lab.measured("later hot-add", push_to_disk(lab.bays[0]))
        lab.measured("longest silence in a later hot-add", tick.stop().longest)
        assert len(host_disks()) >= len(lab.bays)


def timed_add(lab, vm, bay, name, silence):
    tick = vm.guest.probe("tick")
    asked, disk = vm.add(bay)
    lab.measured(name, disk.time - asked)
    lab.measured(f"longest silence in {silence}", tick.stop().longest)


def counted_add(lab, vm, bay, what):
    with traced(vm.pid) as calls:
        vm.add(bay)
    kinds = count(calls)
    for name, times in sorted(kinds.items()):
        lab.measured(f"ioctls of {what}: {name}", times, "")
    lab.measured(f"ioctls of {what}", sum(kinds.values()), "")
    lab.measured(f"route commits and interrupt calls of {what}", kinds[SET_ROUTING] + kinds[SET_IRQS], "")


def hypervisor(lab):
    vm = lab.boot()
    with lab.step("drives are added"):
        timed_add(lab, vm, lab.bays[0], "first hot-add", "the first hot-add")
        timed_add(lab, vm, lab.bays[1], "second drive", "the second drive's")
    with lab.step("one is removed in order"):
        tick, since = vm.guest.probe("tick"), vm.guest.mark()
        asked, deleted = vm.remove("drive0")
        lab.measured("orderly removal to disk gone", vm.guest.disk_removed(since).time - asked)
        lab.measured("orderly removal to DEVICE_DELETED", deleted["arrived"] - asked)
        lab.measured("longest silence in the removal", tick.stop().longest)
    with lab.step("and comes back"):
        timed_add(lab, vm, lab.bays[0], "later hot-add", "a later hot-add")
    with lab.step("the ioctls of a hot-add are counted"):
        counted_add(lab, vm, lab.bays[2], "a hot-add")
    vm.stop()

    vm = lab.boot(extra=["-append", f"{APPEND} possible_cpus={QUEUES}"])
    with lab.step(f"drives of {QUEUES} vectors and more are added"):
        vm.add(lab.bays[0])
        timed_add(lab, vm, lab.bays[1], "second drive, of 64 vectors", "that of 64 vectors")
        counted_add(lab, vm, lab.bays[2], "a hot-add of 64 vectors")
        queues = int(vm.guest.run("grep -c nvme1q /proc/interrupts"))
        assert queues > QUEUES, f"the guest's drive has {queues} vectors"


def scenario(lab):
    if is_host(lab):
        lab_host(lab)
    else:
        hypervisor(lab)
