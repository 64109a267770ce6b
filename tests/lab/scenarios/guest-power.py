# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A guest switches a slot off and on by its own hand: the drive stays its own, and a locked slot brings it back."""
# lab: matrix native

from asking import put_in, slot_event, slot_info
from host import wait_until, vfio_files

LOCKED = ["-device", "pcie-root-port,id=locked,chassis=9,slot=90,addr=8.0,guest-eject=off"]


def scenario(lab):
    vm = lab.boot(extra=LOCKED)
    guest = vm.guest
    bay, other = lab.bays[0], lab.bays[1]
    power, locked = "/sys/bus/pci/slots/1/power", "/sys/bus/pci/slots/90/power"
    with lab.step("a drive is added and written"):
        vm.add(bay)
        files = vfio_files(vm.pid)

    for turn in ("once", "twice"):
        with lab.step(f"switched off {turn}, it is gone from the guest and not from its slot"):
            since, guest_since = vm.qmp.mark(), guest.mark()
            guest.run(f"echo 0 >{power}")
            guest.disk_removed(guest_since)
            slot_event(vm, "INDICATORS", 10, since, **{"bus": "bay0", "power-indicator": "off"})
            slot = slot_info(vm, "bay0")
            assert slot["state"] == "off" and slot["presence"] and slot["occupants"][0]["state"] == "plugged", slot
            assert vfio_files(vm.pid) == files
            assert not [event for event in vm.qmp.events[since:] if "INDICATORS" not in event["event"]]

        with lab.step(f"switched on {turn}, it is there and works"):
            guest_since = guest.mark()
            guest.run(f"echo 1 >{power}")
            guest.disk_added(guest_since)
            guest.run(f"dd if=/dev/{guest.disk('bay0')} of=/dev/null bs=4k count=64 2>/dev/null")
            assert slot_info(vm, "bay0")["state"] == "on"

    with lab.check("a drive that is switched off is removed without asking"):
        guest.run(f"echo 0 >{power}")
        wait_until(lambda: slot_info(vm, "bay0")["state"] == "off", 10, "the slot is off")
        asked, deleted = vm.remove("drive0")
        lab.within("removal to DEVICE_DELETED", deleted["arrived"] - asked, 1.5)

    with lab.check("the slot takes the next drive"):
        vm.add(bay)

    with lab.check("a locked slot brings its drive back"):
        guest_since = guest.mark()
        put_in(vm, other, "locked", "kept")
        guest.disk_added(guest_since)
        guest_since = guest.mark()
        guest.run(f"echo 0 >{locked}", check=False)
        gone = guest.disk_removed(guest_since)
        back = guest.disk_added(guest_since)
        lab.within("locked slot's drive back after", back.time - gone.time, 3)
        wait_until(lambda: set(guest.disks()) == {"bay0", "bay1"}, 10, "both are there")

    with lab.check("and lets it go when the operator asks"):
        vm.remove("kept")
        wait_until(lambda: set(guest.disks()) == {"bay0"}, 10, "it is gone")

    with lab.check("the slot's history tells it all, with times that only grow"):
        history = slot_info(vm, "locked")["history"]
        told = [entry["event"] for entry in history if entry["event"] != "indicators"]
        assert told == ["plugged", "removal-requested", "severed", "released"], told
        times = [entry["monotonic"] for entry in history]
        assert times == sorted(times)
