# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What many-drives and many-below-switch share: all slots filled, and emptied in no order at all."""

import random

from host import vfio_files


def fill(lab, vm):
    with lab.step("32 drives are added one after another"):
        times = []
        for bay in lab.bays:
            asked, disk = vm.add(bay)
            times.append(disk.time - asked)
        lab.measured("32 drives hot-added", sum(times))
        lab.measured("median hot-add of 32", sorted(times)[16])
        assert set(vm.guest.disks()) == {bay.name for bay in lab.bays}

    with lab.step("all of them read"):
        for disk in vm.guest.disks().values():
            vm.guest.run(f"dd if=/dev/{disk} of=/dev/null bs=4k count=16 2>/dev/null")


def empty(lab, vm, bays):
    with lab.step("they leave in any order, several at a time"):
        bays = random.Random(32).sample(bays, len(bays))
        events = vm.qmp.mark()
        asked = [vm.ask_removal(f"drive{bay.number}") for bay in bays]
        for bay in bays:
            deleted = vm.qmp.event("DEVICE_DELETED", 100, events, device=f"drive{bay.number}")
        lab.measured("all removed", deleted["arrived"] - asked[0])
        assert not vm.guest.disks()
        assert not vfio_files(vm.pid)
