# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Thirty-two drives: the most that a machine takes, all added while it runs."""
# lab: --drives 32 --memory 8192
# lab: only by name

from host import vfio_files


def scenario(lab):
    with lab.step("a guest boots with 32 slots"):
        vm = lab.start(bays=32).ready()

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

    with lab.step("one is pulled, and only that one goes"):
        since = vm.guest.mark()
        pulled = lab.bays[20].pull(vm.pid)
        lab.measured("pull to disk gone, of 32", vm.guest.disk_removed(since).time - pulled)
        lab.bays[20].wait_empty()
        assert set(vm.guest.disks()) == {bay.name for bay in lab.bays} - {"bay20"}

    with lab.step("quit gives all back"):
        vm.qmp.execute("quit")
        assert vm.wait_exit() == 0
        assert not vfio_files(vm.pid)
