# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Thirty-two drives, the most that a machine takes, on root ports: all added while it runs, removed in any order."""
# lab: matrix
# lab: --drives 32 --memory 8192
# lab: only by name

from many import empty, fill


def scenario(lab):
    with lab.step("a guest boots with 32 slots"):
        vm = lab.start(bays=32).ready()

    fill(lab, vm)

    with lab.step("one is pulled, and only that one goes"):
        since = vm.guest.mark()
        pulled = lab.bays[20].pull(vm.pid)
        lab.measured("pull to disk gone, of 32", vm.guest.disk_removed(since).time - pulled)
        lab.bays[20].wait_empty()
        assert set(vm.guest.disks()) == {bay.name for bay in lab.bays} - {"bay20"}

    empty(lab, vm, [bay for bay in lab.bays if bay.number != 20])
