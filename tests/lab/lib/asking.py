# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Requests and their endings, as requests-in-turn, endings and guest-power tell them."""

import os
import time

from host import wait_until, vfio_files

ENDINGS = ("DEVICE_DELETED", "DEVICE_UNPLUG_GUEST_ERROR")


def put_in(vm, bay, bus, drive_id):
    """device_add of a bay's drive to any slot."""
    vm.qmp.execute("device_add", driver="vfio-pci", host=bay.give_to("vfio-pci"), id=drive_id, bus=bus)


def slot_event(vm, name, seconds=30, since=0, **data):
    return vm.qmp.event(f"HOTBAY_SLOT_{name}", seconds, since, **data)


def blink(vm, bus, since, seconds=30):
    """Waits until the guest lets a slot's power indicator blink."""
    return slot_event(vm, "INDICATORS", seconds, since, **{"bus": bus, "power-indicator": "blink"})


def slot_info(vm, bus):
    return next(slot for slot in vm.qmp.execute("x-hotbay-query-slots") if slot["id"] == bus)


def endings(vm, drive_id, since):
    """How a drive's removals have ended since: the events, in order."""
    return [event for event in vm.qmp.events[since:]
            if event["event"] in ENDINGS and event["data"].get("device") == drive_id]


def one_ending(vm, drive_id, since, seconds=30):
    """Waits for the ending of a removal, gives a second one time to come, and asserts that none did."""
    wait_until(lambda: endings(vm, drive_id, since), seconds, f"an ending for {drive_id}")
    time.sleep(0.3)
    found = endings(vm, drive_id, since)
    assert len(found) == 1, found
    return found[0]


def severed(vm, drive_id, since):
    """Why a drive left its guest."""
    return slot_event(vm, "SEVERED", 5, since, device=drive_id)["data"]["reason"]


def empty(vm):
    """Removes what is left in the slots."""
    for slot in vm.qmp.execute("x-hotbay-query-slots"):
        for drive in slot.get("occupants", []):
            vm.qmp.execute("x-hotbay-pull", id=drive["id"])
    wait_until(lambda: not vfio_files(vm.pid), 20, "no drive is open")


def send_bytes_to(bay, plan):
    """Puts the guest's kernel and initrd on a drive, while the lab host's own driver has it; returns their sizes."""
    sizes = []
    with open(bay.disk(), "r+b", buffering=0) as disk:
        for at, path in ((0, plan["kernel"]), (512 << 20, plan["initrd"])):
            with open(path, "rb") as file:
                data = file.read()
            disk.seek(at)
            disk.write(data)
            sizes.append(len(data))
        os.fsync(disk.fileno())
    return sizes


def fetch_bytes(guest, disk, sizes):
    """Takes them from the drive into the guest's memory."""
    for name, at, size in (("kernel", 0, sizes[0]), ("initrd", 512, sizes[1])):
        blocks = (size >> 20) + 1
        guest.run(f"dd if=/dev/{disk} bs=1M skip={at} count={blocks} 2>/dev/null | head -c {size} >/tmp/{name}", 60)
