# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What each of a slot's properties costs a guest: the figures of docs/slots.md."""
# lab: --drives 8
# lab: only by name

import time
from statistics import median

from qmp import QmpError

ROUNDS = 2

# Name in the table, and what is given to pcie-root-port. QEMU's ports have its own set.
SETS = [
    ("default", ""),
    ("no button", "attention-button=off"),
    ("no button, no indicators", "attention-button=off,indicators=off"),
    ("power controller", "power-controller=on"),
    ("no surprise", "surprise=off"),
    ("command completed", "no-command-completed=off"),
    ("as QEMU's", "power-controller=on,no-command-completed=off"),
]


def scenario(lab):
    sets = SETS if lab.kind == "hotbay" else [("QEMU", "")]
    spare = lab.bays[7]
    with lab.step("a guest boots with a port of each set"):
        vm = lab.start(bays=0, extra=ports(sets)).ready()
    with lab.step("a drive that stays, so that guest memory is mapped"):
        vm.add(spare)

    for bay, (name, _) in zip(lab.bays, sets):
        with lab.step(name):
            measure(lab, vm, bay, name)


def ports(sets):
    words = []
    for n, (_, properties) in enumerate(sets):
        words += ["-device", f"pcie-root-port,id=bay{n},chassis=1,slot={n + 1},addr=4.{n},multifunction=on"
                             + (f",{properties}" if properties else "")]
    return words + ["-device", "pcie-root-port,id=bay7,chassis=1,slot=8,addr=5.0"]


def measure(lab, vm, bay, name):
    """Adds it, removes it in order, adds it again and pulls it, a few times over."""
    times = {}

    def note(what, seconds):
        times.setdefault(what, []).append(seconds)

    for _ in range(ROUNDS):
        add(vm, bay, note)
        if "no button" in name:
            refused(vm, bay)
        else:
            since = vm.guest.mark()
            asked, deleted = vm.remove(f"drive{bay.number}")
            note("removal to disk gone", vm.guest.disk_removed(since).time - asked)
            note("removal to DEVICE_DELETED", deleted["arrived"] - asked)
            add(vm, bay, note)
        time.sleep(1)  # the guest has read what it reads of a new disk
        since, events = vm.guest.mark(), vm.qmp.mark()
        pulled = bay.pull(vm.pid)
        note("pull to disk gone", vm.guest.disk_removed(since).time - pulled)
        vm.qmp.event("DEVICE_DELETED", 30, events, device=f"drive{bay.number}")
        bay.push()
    for what, values in times.items():
        lab.measured(f"{name}: {what}", median(values))


def add(vm, bay, note):
    host = bay.give_to("vfio-pci")
    vm.guest.synchronise()
    since = vm.guest.mark()
    asked = time.monotonic()
    command = vm.qmp.send("device_add", driver="vfio-pci", host=host, id=f"drive{bay.number}", bus=bay.name)
    reply = vm.qmp.answer(command)
    disk = vm.guest.disk_added(since)
    note("hot-add", disk.time - asked)
    note("of that after the reply", disk.time - reply["arrived"])


def refused(vm, bay):
    try:
        vm.qmp.execute("device_del", id=f"drive{bay.number}")
    except QmpError as error:
        assert "no way to ask" in str(error), error
        return
    raise AssertionError("an orderly removal was accepted that nothing can ask for")
