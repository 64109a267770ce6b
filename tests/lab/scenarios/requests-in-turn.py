# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Requests that come while a slot is not ready wait their turn: in boot, blink, after a pull, across kernels."""
# lab: matrix native

import threading

from asking import (blink, empty, fetch_bytes, one_ending, put_in, send_bytes_to, severed, slot_event, slot_info)
from host import wait_until
from hypervisor import APPEND
from lines import connect
from qmp import Qmp, QmpError


def scenario(lab):
    bay, other, third = lab.bays[0], lab.bays[1], lab.bays[2]
    with lab.step("requests reach a machine whose guest has only begun to boot"):
        vm = lab.start()
        guest = vm.guest
        since = vm.qmp.mark()
        put_in(vm, bay, "bay0", "early")
        vm.ask_removal("early")
        slot_event(vm, "REMOVAL_WAITING", 5, since, device="early")
        assert slot_info(vm, "bay0")["queue"] == [{"request": "removal", "device": "early"}]
        put_in(vm, other, "bay0", "next")
        slot_event(vm, "PLUG_WAITING", 5, since, device="next")
        guest.arrival("up")
        put_in(vm, third, "bay2", "scanned")
        vm.ready()

    with lab.check("once it listens, each comes true in its turn"):
        assert one_ending(vm, "early", since)["event"] == "DEVICE_DELETED"
        assert severed(vm, "early", since) == "request"
        wait_until(lambda: set(guest.disks()) == {"bay1", "bay2"}, 30, "the two that were to stay are there")
        assert slot_info(vm, "bay0")["queue"] == []

    with lab.check("a removal asked while another client's addition is under way"):
        empty(vm)
        since = vm.qmp.mark()
        during_addition(vm, bay)
        assert one_ending(vm, "brief", since)["event"] == "DEVICE_DELETED"
        wait_until(lambda: guest.disks() == {}, 30, "the guest has no drive")

    with lab.check("a removal asked in the blink of an addition"):
        since = vm.qmp.mark()
        put_in(vm, bay, "bay0", "drive0")
        blink(vm, "bay0", since)
        vm.ask_removal("drive0")
        assert one_ending(vm, "drive0", since)["event"] == "DEVICE_DELETED"
        assert guest.disks() == {}

    with lab.check("a drive added in the blink of a removal takes the place of the one that leaves"):
        replace_in_blink(lab, vm, bay, other)
        wait_until(lambda: list(guest.disks()) == ["bay1"], 30, "the next drive is there")

    with lab.check("a drive added right after a pull"):
        since = vm.qmp.mark()
        pulled = other.pull(vm.pid)
        put_in(vm, third, "bay0", "heir")
        wait_until(lambda: list(guest.disks()) == ["bay2"], 30, "the next drive is there")
        lab.measured("pull to the next drive's plug",
                     slot_event(vm, "PLUGGED", 5, since, device="heir")["arrived"] - pulled)
        other.wait_empty()
        other.push()

    with lab.check("a reset ends a removal, and who waited for the place is in it"):
        across_reset(vm, bay)
        wait_until(lambda: list(guest.disks()) == ["bay0"], 30, "the next drive is there")

    with lab.check("a removal that one kernel was asked for is answered by the next"):
        empty(vm)
        across_kexec(lab, vm, bay, other)

    with lab.check("at the end every slot takes a drive"):
        empty(vm)
        for each in (bay, other, third):
            vm.add(each, f"last{each.number}")
        assert set(guest.disks()) == {"bay0", "bay1", "bay2"}


def during_addition(vm, bay):
    """device_del of "brief" by a second client, until it is accepted, while the first one adds it."""
    second = Qmp(connect(f"{vm.folder}/qmp"), f"{vm.folder}/second.log")
    second.negotiate()
    host = bay.give_to("vfio-pci")
    ended = threading.Event()

    def add():
        try:
            vm.qmp.execute("device_add", driver="vfio-pci", host=host, id="brief", bus="bay0")
        except QmpError as error:
            assert "removed while" in str(error), error
        ended.set()
    adding = threading.Thread(target=add)
    adding.start()
    wait_until(lambda: accepted(second, "brief"), 10, "the removal is accepted")
    adding.join(20)
    assert ended.is_set()
    second.close()


def accepted(qmp, drive_id):
    try:
        qmp.execute("device_del", id=drive_id)
    except QmpError:
        return False
    return True


def replace_in_blink(lab, vm, bay, other):
    vm.add(bay, "drive0")
    since = vm.qmp.mark()
    asked = vm.ask_removal("drive0")
    blink(vm, "bay0", since)
    put_in(vm, other, "bay0", "drive1")
    slot_event(vm, "PLUG_WAITING", 5, since, device="drive1")
    assert slot_info(vm, "bay0")["queue"] == [{"request": "plug", "device": "drive1"}]
    assert one_ending(vm, "drive0", since)["event"] == "DEVICE_DELETED"
    plugged = slot_event(vm, "PLUGGED", 5, since, device="drive1")
    lab.measured("removal to the next drive's plug", plugged["arrived"] - asked)


def across_reset(vm, bay):
    since, guest_since = vm.qmp.mark(), vm.guest.mark()
    vm.ask_removal("heir")
    blink(vm, "bay0", since)
    put_in(vm, bay, "bay0", "after")
    vm.qmp.execute("system_reset")
    vm.guest.event("ready", 60, guest_since)
    assert one_ending(vm, "heir", since)["event"] == "DEVICE_DELETED"
    assert severed(vm, "heir", since) == "reset"


def across_kexec(lab, vm, bay, other):
    guest = vm.guest
    other.give_to("nvme")
    sizes = send_bytes_to(other, lab.plan)
    vm.add(other, "source")
    fetch_bytes(guest, guest.disk("bay1"), sizes)
    vm.add(bay, "drive0")
    since, guest_since = vm.qmp.mark(), guest.mark()
    vm.ask_removal("drive0")
    blink(vm, "bay0", since)
    guest.send_bytes(f"0 probe kexec /tmp/kernel /tmp/initrd '{APPEND}'\n".encode())
    slot_event(vm, "REMOVAL_WAITING", 20, since, device="drive0")
    guest.event("ready", 90, guest_since)
    assert one_ending(vm, "drive0", since, 40)["event"] == "DEVICE_DELETED"
    wait_until(lambda: list(guest.disks()) == ["bay1"], 30, "the other drive is there")
