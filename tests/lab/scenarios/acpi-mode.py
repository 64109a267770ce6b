# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The same slots in ACPI mode: every way in and out, without the native slot's 5 s, and a pull as sudden."""
# lab: matrix acpi

from host import vfio_files, wait_released, wait_until
from pulling import PULL_SECONDS

ROUNDS = 3
REMOVAL_SECONDS = 1.5
READ_SECONDS = 0.3


def scenario(lab):
    cold = lab.bays[3]
    with lab.step("a guest boots with a drive in its last slot"):
        vm = lab.start(slots="acpi", extra=cold_plug(cold)).ready()
        assert set(vm.guest.disks()) == {"bay3"}
    with lab.check("its slots are ACPI's and none is PCI Express's own"):
        assert vm.guest.run("ls -d /sys/bus/pci_express/drivers/pciehp/*:*", check=False).status
        # QEMU numbers them by where they are
        assert lab.kind != "hotbay" or vm.guest.run("ls /sys/bus/pci/slots").split() == ["1", "2", "3", "4"]
    orderly(lab, vm)
    pull_idle(lab, vm)
    pull_reading(lab, vm)
    by_hand(lab, vm)
    with lab.check("the cold-plugged drive can be removed in order"):
        vm.remove("drive3")
    with lab.check("the guest still runs, without complaint"):
        assert vm.guest.run("dmesg | grep -c -E 'BUG:|WARNING:|Oops|soft lockup|ACPI Error'", check=False).text == "0"


def cold_plug(bay):
    return ["-device", f"vfio-pci,host={bay.give_to('vfio-pci')},id=drive{bay.number},bus={bay.name}"]


def orderly(lab, vm):
    guest, bay = vm.guest, lab.bays[1]
    with lab.step("a hot-added drive becomes the guest's disk and holds data"):
        asked, disk = vm.add(bay)
        lab.measured("first hot-add", disk.time - asked)
        guest.fill(guest.disk("bay1"), seed=7)
    for again in range(ROUNDS):
        with lab.step(f"removed in order and added again, it has its data (round {again + 1})"):
            since = guest.mark()
            asked, deleted = vm.remove("drive1")
            lab.measured("orderly removal to disk gone", guest.disk_removed(since).time - asked)
            took = lab.measured("orderly removal to DEVICE_DELETED", deleted["arrived"] - asked)
            assert set(guest.disks()) == {"bay3"} and vm.slots()["bay1"] is None
            asked, disk = vm.add(bay)
            lab.measured("later hot-add", disk.time - asked)
            guest.verify(guest.disk("bay1"), seed=7)
            assert lab.kind != "hotbay" or took <= REMOVAL_SECONDS, f"the removal took {took:.2f} s"
    with lab.check("a removal asked right after an add comes true"):
        vm.remove("drive1")
        vm.qmp.execute("device_add", driver="vfio-pci", host=lab.bays[2].give_to("vfio-pci"), id="drive2", bus="bay2")
        vm.remove("drive2")
        assert set(guest.disks()) == {"bay3"}


def pull_idle(lab, vm):
    guest, bay = vm.guest, lab.bays[0]
    with lab.step("another drive is added"):
        vm.add(bay)
    with lab.step("pulled while idle, it is gone from guest, hypervisor and host"):
        files, since, events = vfio_files(vm.pid), guest.mark(), vm.qmp.mark()
        guest.synchronise()
        pulled = bay.pull(vm.pid)
        vm.qmp.event("DEVICE_DELETED", 30, events, device="drive0")
        gone = lab.measured("pull while idle to disk gone", guest.disk_removed(since).time - pulled)
        lab.measured("pull while idle to host's slot free", bay.wait_empty() - pulled)
        assert len(vfio_files(vm.pid)) < len(files)
        assert lab.kind != "hotbay" or gone <= PULL_SECONDS, f"the disk was gone after {gone:.2f} s"
    with lab.step("a new drive in that slot works"):
        bay.push()
        vm.add(bay)


def pull_reading(lab, vm):
    guest, bay = vm.guest, lab.bays[0]
    with lab.step("pulled while the guest reads: the read fails and the host has its slot back"):
        bystander = guest.probe("read", guest.disk("bay3"))
        reader = guest.probe("read", guest.disk("bay0"))
        guest.synchronise()
        since, events, files = guest.mark(), vm.qmp.mark(), vfio_files(vm.pid)
        pulled = bay.pull(vm.pid)
        lab.measured("pull while reading to last file closed", wait_released(files, 100) - pulled)
        result = reader.result(100)
        failed = lab.measured("pull while reading to failed read", result.time - pulled)
        lab.measured("pull while reading to disk gone", guest.disk_removed(since, 100).time - pulled)
        vm.qmp.event("DEVICE_DELETED", 100, events, device="drive0")
        assert result.failed
    with lab.check("that took no longer than a pull may, and the other drive's I/O went on"):
        assert lab.kind != "hotbay" or failed <= READ_SECONDS, f"the read failed after {failed:.2f} s"
        result = bystander.stop()
        assert not result.failed
    with lab.step("a new drive in that slot works again"):
        bay.wait_empty(100)
        bay.push()
        vm.add(bay)


def by_hand(lab, vm):
    guest = vm.guest
    with lab.check("the guest switches the slot off and on: it has its drive again, or has given it back"):
        since, power = guest.mark(), power_switch(guest, "bay0")
        guest.run(f"echo 0 >{power}")
        guest.disk_removed(since)
        assert set(guest.disks()) == {"bay3"}
        guest.run(f"echo 1 >{power}")
        wait_until(lambda: set(guest.disks()) == {"bay0", "bay3"} or vm.slots()["bay0"] is None, 20, "one or the other")
    if lab.kind != "hotbay":
        return
    with lab.check("it has its drive again"):
        guest.run(f"dd if=/dev/{guest.disk('bay0')} of=/dev/null bs=4k count=64 2>/dev/null")
        assert slot(vm, "bay0")["state"] == "on"
    with lab.check("switched off, the drive stays the machine's, and leaves without a question when asked for"):
        guest.run(f"echo 0 >{power}")
        assert slot(vm, "bay0")["state"] == "off" and vm.slots()["bay0"] == "drive0"
        asked, deleted = vm.remove("drive0")
        lab.within("removal of a drive that is off", deleted["arrived"] - asked, REMOVAL_SECONDS)
        wait_until(lambda: slot(vm, "bay0")["state"] == "empty", 10, "the guest has let go")
    with lab.check("the slot takes a drive afterwards"):
        vm.add(lab.bays[0])


def power_switch(guest, serial):
    """Of the slot that the guest has this drive in."""
    place = guest.place(serial)[0].split(".")[0]
    return guest.run(f"grep -lx {place} /sys/bus/pci/slots/*/address").replace("address", "power").strip()


def slot(vm, name):
    return next(slot for slot in vm.qmp.execute("x-hotbay-query-slots") if slot["id"] == name)
