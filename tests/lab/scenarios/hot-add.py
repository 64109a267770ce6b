# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A drive added to a running guest is its disk, keeps its data, and can be added again."""
# lab: matrix

import time

ROUNDS = 3


def scenario(lab):
    vm = lab.boot()
    guest = vm.guest
    bay = lab.bays[1]

    with lab.step("the added drive becomes the guest's disk"):
        asked, disk = vm.add(bay)
        lab.measured("first hot-add", disk.time - asked)
        assert list(guest.disks()) == [bay.name]

    with lab.step("what is written is read back"):
        guest.fill(guest.disk(bay.name), seed=7)
        guest.verify(guest.disk(bay.name), seed=7)

    for again in range(ROUNDS):
        with lab.step(f"removed and added again, it has its data (round {again + 1})"):
            asked, deleted = vm.remove("drive1")
            lab.measured("orderly removal", deleted["arrived"] - asked)
            asked, disk = vm.add(bay)
            lab.measured("later hot-add", disk.time - asked)
            guest.verify(guest.disk(bay.name), seed=7)

    with lab.step("two drives added at once both arrive"):
        since = guest.mark()
        asked = time.monotonic()
        commands = [vm.qmp.send("device_add", driver="vfio-pci", host=lab.bays[n].give_to("vfio-pci"),
                                id=f"drive{n}", bus=f"bay{n}") for n in (2, 3)]
        for command in commands:
            vm.qmp.answer(command)
        first = guest.disk_added(since)
        both = guest.event(f"add block (?!{first.words.split()[-1]})nvme\\d+n\\d+$", since=since)
        lab.measured("two drives at once", both.time - asked)
        assert set(guest.disks()) == {"bay1", "bay2", "bay3"}

    with lab.step("guest, hypervisor and host agree on what is where"):
        assert {port: drive for port, drive in vm.slots().items() if drive} == {
            "bay1": "drive1", "bay2": "drive2", "bay3": "drive3"}
        drives = [kind for kind, _ in guest.functions().values() if kind == "0x010802"]
        assert len(drives) == 3
        assert [bay.driver() for bay in lab.bays] == ["nvme", "vfio-pci", "vfio-pci", "vfio-pci"]
