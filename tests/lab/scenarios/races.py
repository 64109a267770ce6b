# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Requests that meet in the middle of one another: each ends in a known state, and no drive is lost."""
# lab: matrix native

import time

from host import wait_until, vfio_files
from qmp import QmpError


def scenario(lab):
    vm = lab.boot()
    guest = vm.guest
    bay, other = lab.bays[0], lab.bays[1]

    with lab.check("removal asked right after an add comes true"):
        vm.qmp.execute("device_add", driver="vfio-pci", host=bay.give_to("vfio-pci"), id="drive0", bus="bay0")
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        vm.qmp.event("DEVICE_DELETED", 30, since, device="drive0")
        assert guest.disks() == {}

    with lab.check("a drive added to a slot whose drive is blinking out arrives there, or is refused"):
        vm.add(bay)
        since = guest.mark()
        vm.ask_removal("drive0")
        time.sleep(1)
        try:
            vm.qmp.execute("device_add", driver="vfio-pci", host=other.give_to("vfio-pci"), id="drive1", bus="bay0")
            guest.disk_added(since, 30)
            assert list(guest.disks()) == ["bay1"]
        except QmpError:
            wait_until(lambda: guest.disks() == {}, 20, "the first drive is gone")

    with lab.check("the slot is as it was after a removal"):
        empty_slots(vm)
        vm.add(bay)

    with lab.check("a pull during the blink frees the host at once"):
        vm.ask_removal("drive0")
        time.sleep(1)
        pulled = bay.pull(vm.pid)
        lab.within("pull in the blink to host's slot free", bay.wait_empty(30) - pulled, 1)
        wait_until(lambda: guest.disks() == {}, 20, "the drive is gone from the guest")

    with lab.check("a pull right after an add frees the host at once"):
        bay.push()
        vm.qmp.execute("device_add", driver="vfio-pci", host=bay.give_to("vfio-pci"), id="drive0", bus="bay0")
        pulled = bay.pull(vm.pid)
        lab.within("pull after an add to host's slot free", bay.wait_empty(30) - pulled, 1.5)
        wait_until(lambda: guest.disks() == {}, 20, "the drive is gone from the guest")

    with lab.check("a guest that powers its slot off and on has its drive again, or has given it back"):
        empty_slots(vm)
        bay.push()
        vm.add(bay)
        slot = "/sys/bus/pci/slots/1/power"
        guest.run(f"echo 0 >{slot}; sleep 1; echo 1 >{slot}", check=False)
        wait_until(lambda: set(guest.disks()) == {"bay0"} or bay.name not in held(vm), 20, "one or the other")
        assert (set(guest.disks()) == {"bay0"}) == (vm.slots()["bay0"] == "drive0")

    with lab.check("at the end every slot takes a drive"):
        empty_slots(vm)
        for each in (bay, other):
            vm.add(each)
        assert set(guest.disks()) == {"bay0", "bay1"}


def held(vm):
    """The slots that hold a drive, as query-pci says."""
    return [port for port, drive in vm.slots().items() if drive]


def empty_slots(vm):
    """Removes what is left in the slots."""
    for drive in [drive for drive in vm.slots().values() if drive]:
        vm.remove(drive)
    wait_until(lambda: not vfio_files(vm.pid), 20, "no drive is open")
