# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Slots of the host bound to slots of a guest: what is pushed in there is in the guest, what is pulled is out of it,
and what the host's administrator takes back is not fought."""

import time

import host
from hypervisor import command_line, start_refused

# Seconds: longer than Linux needs, whose 5 s of blinking come first.
HOST_TIMEOUT = 9


def ports(*policies):
    """A port for each bay of the host, with what is given for it."""
    words = []
    for n, policy in enumerate(policies):
        words += ["-device", f"pcie-root-port,id=bay{n},bus=pcie.0,chassis=1,slot={n + 1},addr=4.{n},"
                             f"multifunction=on,x-host-removal-timeout-ms={HOST_TIMEOUT * 1000},"
                             f"host-slot={n + 1}{policy}"]
    return words


def empty(bay, pid=None):
    bay.pull(pid)
    bay.wait_empty()


def host_disk_time(bay):
    """From the push of a drive to its disk, with the host's own driver."""
    at = bay.push()
    bay.disk()
    return time.monotonic() - at


def scenario(lab):
    first, second, announced, taken = lab.bays[:4]

    with lab.step("what the host itself needs for a drive that is pushed in"):
        times = []
        for _ in range(2):
            empty(second)
            times.append(host_disk_time(second))
        own = lab.measured("push to the host's own disk", sum(times) / len(times))
        for bay in (second, announced, taken):
            empty(bay)

    vm = lab.boot(bays=0, extra=ports(",auto-add=on,host-leds=on", ",auto-add=on", "", ",auto-add=passthrough"))
    guest = vm.guest

    def slot(name):
        return next(slot for slot in vm.qmp.execute("x-hotbay-query-slots") if slot["id"] == name)

    with lab.step("a drive that was in its bay at the start is in the guest"):
        assert set(guest.disks()) == {first.name} and vm.slots()["bay0"] == "bay0-drive"
        assert (slot("bay0")["host-slot"], slot("bay0")["auto-add"]) == ("1", "on")
        assert slot("bay0")["host-drive"] == first.drive()

    with lab.step("a drive that is pushed in is in the guest"):
        since, told = guest.mark(), vm.qmp.mark()
        at = second.push()
        disk = guest.disk_added(since)
        vm.qmp.event("HOTBAY_HOST_DRIVE_ADDED", 5, told, bus="bay1", host=second.drive())
        vm.qmp.event("HOTBAY_HOST_DRIVE_TAKEN", 5, told, bus="bay1")
        assert vm.slots()["bay1"] == "bay1-drive" and guest.disk(second.name)
        place = guest.place(second.name)
    with lab.check("it is there within 1.5 times what the host itself needs, and half a second"):
        lab.within("push to the guest's disk", disk.time - at, 1.5 * own + 0.5)

    with lab.step("pulled, it is gone there, and another one takes the same place"):
        since, told = guest.mark(), vm.qmp.mark()
        second.pull(vm.pid)
        guest.disk_removed(since)
        assert vm.qmp.event("HOTBAY_SLOT_SEVERED", 5, told, device="bay1-drive")["data"]["reason"] == "pull"
        second.wait_empty()
        vm.qmp.event("HOTBAY_HOST_DRIVE_REMOVED", 5, told, bus="bay1")
        since = guest.mark()
        second.push(serial="other")
        guest.disk_added(since)
        assert guest.place("other") == place and set(guest.disks()) == {first.name, "other"}

    with lab.step("a slot switched off on the host is an orderly removal, and the next drive comes in"):
        told = vm.qmp.mark()
        second.power_off()
        assert vm.qmp.event("HOTBAY_SLOT_SEVERED", 5, told, device="bay1-drive")["data"]["reason"] == "request"
        since = guest.mark()
        second.push()
        guest.disk_added(since)

    with lab.step("the button of the host's slot is an orderly removal, too"):
        told = vm.qmp.mark()
        second.press_button()
        assert vm.qmp.event("HOTBAY_SLOT_SEVERED", 5, told, device="bay1-drive")["data"]["reason"] == "request"
        vm.qmp.event("DEVICE_DELETED", 5, told, device="bay1-drive")
        since = guest.mark()
        second.push()
        guest.disk_added(since)

    with lab.step("an unbind is an orderly removal, and is not fought"):
        told, since = vm.qmp.mark(), guest.mark()
        host.write(f"{host.SYSFS}/drivers/vfio-pci/unbind", second.drive())
        vm.qmp.event("DEVICE_DELETED", 5, told, device="bay1-drive")
        time.sleep(1)
        assert second.driver() is None and vm.slots()["bay1"] is None
        second.give_to("nvme")
        time.sleep(0.5)
        assert second.driver() == "nvme" and set(guest.disks()) == {first.name}
        empty(second)
        since = guest.mark()
        second.push()
        guest.disk_added(since)

    with lab.step("a guest that does not answer holds the host up no longer than it may"):
        vm.qmp.execute("stop")
        told, at = vm.qmp.mark(), time.monotonic()
        lab.within("switched off without the guest", second.power_off() - at, HOST_TIMEOUT + 3)
        assert vm.qmp.event("HOTBAY_SLOT_SEVERED", 5, told, device="bay1-drive")["data"]["reason"] == "escalated"
        vm.qmp.execute("cont")

    with lab.step("without auto-add a drive is announced, and stays the host's"):
        told = vm.qmp.mark()
        announced.push()
        vm.qmp.event("HOTBAY_HOST_DRIVE_ADDED", 5, told, bus="bay2", host=announced.drive())
        announced.disk()
        assert announced.driver() == "nvme" and vm.slots()["bay2"] is None

    with lab.step("a drive for passthrough is made ready, and comes by command"):
        told, since = vm.qmp.mark(), guest.mark()
        taken.push()
        vm.qmp.event("HOTBAY_HOST_DRIVE_TAKEN", 5, told, bus="bay3")
        assert taken.driver() == "vfio-pci" and vm.slots()["bay3"] is None
        vm.qmp.execute("device_add", driver="vfio-pci", host=taken.drive(), id="mine", bus="bay3")
        guest.disk_added(since)

    with lab.check("the guest's attention indicator is the bay's"):
        for value in ("1", "2", "0"):
            guest.run(f"echo {value} > /sys/bus/pci/slots/1/attention")
            host.wait_until(lambda value=value: host.read(f"{host.SYSFS}/slots/1/attention") == value, 5,
                            f"the bay shows {value}")

    with lab.check("a bay of a VM is no other's, and one that does not exist is named"):
        for words, said in ((ports(""), str(vm.pid)),
                            (["-device", "pcie-root-port,id=p,chassis=1,slot=1,host-slot=77"], "host slot 77"),
                            (["-device", "pcie-root-port,id=p,chassis=1,slot=1,host-slot=5",
                              "-device", "pcie-root-port,id=q,chassis=1,slot=2,host-slot=5"], "host-slot=5")):
            folder, _ = lab.new_machine()
            status, text = start_refused(lab, command_line(lab.plan, lab.kind, folder, bays=0, extra=words))
            assert status and said in text, text

    with lab.step("killed, it leaves the drives and the bays to the next"):
        vm.process.kill()
        vm.wait_exit()
    vm = lab.boot(bays=0, extra=ports(",auto-add=on", ",auto-add=on"))
    with lab.step("which has the drive again"):
        assert set(vm.guest.disks()) == {first.name}
