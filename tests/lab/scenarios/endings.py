# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Every removal ends once: done, refused, cancelled, or overtaken by a pull, an escalation, the host or the end."""
# lab: matrix native

import threading
import time

from asking import blink, one_ending, put_in, severed, slot_event, slot_info
from host import wait_until, vfio_files
from lines import LinesEnded

HASTY = ["-device", "pcie-root-port,id=hasty,chassis=9,slot=90,addr=8.0,x-host-removal-timeout-ms=2000"]
SLOT_CONTROL_HIGH = 0x79  # where the power indicator is, in a port's config space


def scenario(lab):
    vm = lab.boot(extra=HASTY)
    guest = vm.guest
    bay = lab.bays[0]
    with lab.step("a drive is added"):
        vm.add(bay)
        port = guest.place("bay0")[1]

    with lab.check("refused: a guest without a hot-plug driver is never asked"):
        service = guest.run(f"ls /sys/bus/pci_express/drivers/pciehp | grep {port}")
        guest.run(f"echo {service} >/sys/bus/pci_express/drivers/pciehp/unbind")
        event = refusal(vm, "REMOVAL_WAITING")
        assert event["data"]["reason"] == "timed-out"
    with lab.check("done: asked again it is a new request, and the driver that comes then answers it"):
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        guest.run(f"echo {service} >/sys/bus/pci_express/drivers/pciehp/bind")
        assert one_ending(vm, "drive0", since)["event"] == "DEVICE_DELETED"

    with lab.check("refused: a guest that stands still does not answer"):
        vm.add(bay)
        vm.qmp.execute("stop")
        assert refusal(vm, "REMOVAL_REQUESTED")["data"]["reason"] == "timed-out"
        vm.qmp.execute("cont")
        assert set(guest.disks()) == {"bay0"}

    with lab.check("cancelled: the guest takes its indicator back"):
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        blink(vm, "bay0", since)
        guest.run(f"printf '\\021' | dd of=/sys/bus/pci/devices/{port}/config bs=1 seek={SLOT_CONTROL_HIGH} "
                  "conv=notrunc 2>/dev/null")
        event = one_ending(vm, "drive0", since)
        assert event["event"] == "DEVICE_UNPLUG_GUEST_ERROR" and event["data"]["reason"] == "cancelled", event

    with lab.check("the guest that switches it off after all leaves it to the next request, which is done at once"):
        wait_until(lambda: guest.disks() == {}, 20, "the guest has let go")
        asked, deleted = vm.remove("drive0")
        lab.within("removal of a drive that is switched off", deleted["arrived"] - asked, 1.5)

    with lab.check("overtaken: a pull by command"):
        vm.add(bay)
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        blink(vm, "bay0", since)
        asked = time.monotonic()
        vm.qmp.execute("x-hotbay-pull", id="drive0")
        event = one_ending(vm, "drive0", since)
        assert event["event"] == "DEVICE_DELETED" and severed(vm, "drive0", since) == "command"
        lab.within("pull by command to DEVICE_DELETED", event["arrived"] - asked, 3)
        wait_until(lambda: guest.disks() == {}, 20, "the guest has seen it go")

    with lab.check("escalated: orderly, then a pull"):
        vm.add(bay)
        escalate(lab, vm)
        wait_until(lambda: guest.disks() == {}, 20, "the guest has seen it go")

    with lab.check("a removal that is done in time is not escalated"):
        vm.add(bay)
        since = vm.qmp.mark()
        vm.qmp.execute("x-hotbay-remove", id="drive0", timeout_ms=20000, then_pull=True)
        assert one_ending(vm, "drive0", since)["event"] == "DEVICE_DELETED"
        assert severed(vm, "drive0", since) == "request"

    with lab.check("the host that wants its drive back waits no longer than the port allows"):
        host_wants_it(lab, vm, bay)

    with lab.check("overtaken: the end of the machine"):
        wait_until(bay.drive, 10, "the drive is on the host")
        vm.add(bay)  # and waits for the guest: before that there is nobody to ask
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        vm.qmp.execute("quit")
        try:
            one_ending(vm, "drive0", since, 10)
        except LinesEnded:
            pass
        assert severed(vm, "drive0", since) == "shutdown"
        assert vm.wait_exit() == 0


def refusal(vm, first):
    """A removal of two seconds that is not answered."""
    since = vm.qmp.mark()
    asked = time.monotonic()
    vm.qmp.execute("x-hotbay-remove", id="drive0", timeout_ms=2000)
    slot_event(vm, first, 5, since, device="drive0")
    assert slot_info(vm, "bay0")["removal"]["left-ms"] <= 2001
    event = one_ending(vm, "drive0", since, 10)
    assert event["event"] == "DEVICE_UNPLUG_GUEST_ERROR", event
    assert 1.9 <= event["arrived"] - asked <= 4, event["arrived"] - asked
    return event


def escalate(lab, vm):
    since = vm.qmp.mark()
    vm.qmp.execute("stop")
    asked = time.monotonic()
    vm.qmp.execute("x-hotbay-remove", id="drive0", timeout_ms=2000, then_pull=True)
    event = one_ending(vm, "drive0", since, 10)
    vm.qmp.execute("cont")
    assert event["event"] == "DEVICE_DELETED" and severed(vm, "drive0", since) == "escalated"
    lab.within("escalation after 2 s to DEVICE_DELETED", event["arrived"] - asked, 4)


def host_wants_it(lab, vm, bay):
    """The lab host's administrator switches the slot off while the guest stands still."""
    since = vm.qmp.mark()
    put_in(vm, bay, "hasty", "drive0")
    slot_event(vm, "PLUGGED", 10, since, device="drive0")
    wait_until(lambda: set(vm.guest.disks()) == {"bay0"}, 20, "the guest has the drive")
    vm.qmp.execute("stop")
    began = time.monotonic()
    host = threading.Thread(target=bay.power_off)
    host.start()
    event = one_ending(vm, "drive0", since, 15)
    host.join(15)
    assert not host.is_alive()
    vm.qmp.execute("cont")
    assert event["event"] == "DEVICE_DELETED" and severed(vm, "drive0", since) == "escalated"
    lab.within("host's request to DEVICE_DELETED", event["arrived"] - began, 5)
    wait_until(lambda: not vfio_files(vm.pid), 10, "no drive is open")
    bay.push()
