# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""An orderly removal asks the guest, is over when the last file is closed, and leaves the drive to the host."""
# lab: matrix

from host import files_of_a_drive, vfio_files


def scenario(lab):
    vm = lab.boot()
    guest = vm.guest
    bay, other = lab.bays[0], lab.bays[1]
    with lab.step("two drives are added"):
        vm.add(bay)
        vm.add(other)
        both = vfio_files(vm.pid)

    with lab.step("a removal goes through the guest and ends with DEVICE_DELETED"):
        since, events = guest.mark(), vm.qmp.mark()
        asked = vm.ask_removal("drive0")
        lab.measured("disk gone", guest.disk_removed(since).time - asked)
        deleted = vm.qmp.event("DEVICE_DELETED", since=events, device="drive0")
        lab.measured("DEVICE_DELETED", deleted["arrived"] - asked)
        assert len(vfio_files(vm.pid)) <= len(both) - files_of_a_drive(both), vfio_files(vm.pid)

    with lab.step("the host can use the drive at once"):
        bay.give_to("nvme")

    with lab.step("guest and hypervisor agree that the slot is empty"):
        assert set(guest.disks()) == {"bay1"}
        assert vm.slots()["bay0"] is None and vm.slots()["bay1"] == "drive1"

    with lab.step("a drive in use is removed with its I/O ended, and nothing else is disturbed"):
        vm.add(bay)
        reader = guest.probe("read", guest.disk("bay0"))
        bystander = guest.probe("read", guest.disk("bay1"))
        vm.remove("drive0")
        assert reader.result().failed
        result = bystander.stop()
        assert not result.failed
        lab.within("longest read of the other drive", result.longest, 2)

    with lab.step("the host's administrator powers the slot off: an orderly removal"):
        vm.add(bay)
        since, events = guest.mark(), vm.qmp.mark()
        bay.power_off()
        guest.disk_removed(since)
        vm.qmp.event("DEVICE_DELETED", since=events, device="drive0")
        bay.wait_empty()
        assert set(guest.disks()) == {"bay1"}
