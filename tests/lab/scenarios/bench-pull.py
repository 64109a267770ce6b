# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: a drive is pulled, while idle and while it is read; asserts nothing of the figures."""
# lab: only by name

from bench import HostProbe, is_host, wait_gone
from measure import pull_idle, pull_reading


def lab_host(lab):
    bay = lab.bays[0]
    with lab.step("a drive is pulled from the lab host while idle"):
        disk = bay.disk()
        tick = HostProbe(lab, "tick")
        pulled = bay.pull()
        lab.measured("pull while idle to disk gone", wait_gone(disk) - pulled)
        lab.measured("pull while idle to host's slot free", bay.wait_empty() - pulled)
        lab.measured("longest stall of the guest in a pull while idle", tick.stop().longest)

    bay = lab.bays[2]
    with lab.step("and one while it is read"):
        disk = bay.disk()
        tick, reader = HostProbe(lab, "tick"), HostProbe(lab, "read", disk)
        bystander = HostProbe(lab, "read", lab.bays[1].disk())
        pulled = bay.pull(reader.process.pid)
        gone = wait_gone(disk)
        lab.measured("pull while reading to failed read", reader.result().time - pulled)
        lab.measured("pull while reading to disk gone", gone - pulled)
        lab.measured("pull while reading to host's slot free", bay.wait_empty() - pulled)
        lab.measured("longest read of the other drive in it", bystander.stop().longest)
        lab.measured("longest stall of the guest in a pull while reading", tick.stop().longest)


def scenario(lab):
    if is_host(lab):
        lab_host(lab)
        return
    vm = lab.boot()
    with lab.step("two drives are added"):
        vm.add(lab.bays[0])
        vm.add(lab.bays[1])
    with lab.step("pull while idle"):
        pull_idle(lab, vm)
    with lab.step("pull while reading"):
        pull_reading(lab, vm)
