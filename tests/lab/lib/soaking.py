# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What a soak does: each operation begins, and has an ending to wait for, so that two can overlap."""

import time
from collections import namedtuple

from host import wait_until
from lines import LinesEnded

# A bay and the slot of the same name: the drive is pulled out of the host; in the host and not in the guest; in the
# guest's slot, switched off by the guest; in use by the guest.
STATES = ("out", "host", "off", "on")
SECONDS = 40  # in which every operation ends
# In which a read fails whose drive is pulled, with up to four drives busy; and while another slot's drive is started,
# by kind of slots: with ACPI's, Linux has one worker for the news of all slots, and nvme starts a drive in it.
PULL_SECONDS = 3
PULL_BESIDE_START_SECONDS = {"native": PULL_SECONDS, "acpi": SECONDS}

Operation = namedtuple("Operation", "states begin")


class Place:
    def __init__(self, vm, bay):
        self.vm = vm
        self.bay = bay
        self.name = bay.name
        self.number = bay.number
        self.id = f"drive{bay.number}"
        self.state = "host"
        self.longest = 0.0
        self.pull_seconds = PULL_SECONDS
        self._probe = None

    def occupied(self):
        """Whether the hypervisor has a drive here."""
        return self.state in ("on", "off")

    def start(self, name):
        """Begins an operation, and returns what waits for its ending."""
        assert self.state in OPERATIONS[name].states, f"{name} of {self.name}, which is {self.state}"
        return OPERATIONS[name].begin(self)

    def learn(self, slots):
        """The state as the hypervisor has it, after something nobody asked for."""
        self._probe = None
        if slots[self.name]:
            self._appears()
        elif not self.bay.drive():
            self.state = "out"
        else:
            self.state = "host"

    def check_host(self):
        drive = self.bay.drive()
        assert bool(drive) == (self.state != "out"), f"{self.name} is {self.state} and the host has {drive}"
        if self.occupied():
            assert self.bay.driver() == "vfio-pci", f"{self.name} is {self.state} and bound to {self.bay.driver()}"

    def check_guest(self):
        if self.state == "on":
            _, port = self.vm.guest.place(self.name)
            assert port == self.bay.port, f"the guest has {self.name} behind {port}, not {self.bay.port}"

    def add(self):
        self.vm.qmp.execute("device_add", driver="vfio-pci", host=self.bay.give_to("vfio-pci"), id=self.id,
                            bus=self.name)
        return self._appears

    def remove(self):
        since = self.vm.qmp.mark()
        self.vm.ask_removal(self.id)

        def finish():
            self.vm.qmp.event("DEVICE_DELETED", SECONDS, since, device=self.id)
            self._disappears("host")
        return finish

    def pull(self):
        since = self.vm.qmp.mark()
        pulled = self.bay.pull(self.vm.pid)

        def finish():
            self.bay.wait_empty(SECONDS)
            if self.occupied():
                self.vm.qmp.event("DEVICE_DELETED", SECONDS, since, device=self.id)
            failed = self._disappears("out")
            if failed:
                self.longest = max(self.longest, failed.time - pulled)
                assert failed.time - pulled <= self.pull_seconds, f"the read failed after {failed.time - pulled:.2f} s"
        return finish

    def push(self):
        self.bay.push()

        def finish():
            self.state = "host"
        return finish

    def power_off(self):
        """By the guest's own hand: the drive stays in the slot."""
        self.vm.guest.run(f"echo 0 >/sys/bus/pci/slots/{self.number + 1}/power")

        def finish():
            self._disappears("off")
        return finish

    def power_on(self):
        self.vm.guest.run(f"echo 1 >/sys/bus/pci/slots/{self.number + 1}/power")
        return self._appears

    def was_reset(self):
        """The guest has started again: its programs are gone, its slots are powered."""
        self._probe = None
        if self.occupied():
            self._appears()

    def _appears(self):
        self._wait(lambda: self.name in self.vm.guest.disks(), "is in the guest")
        self._probe = self.vm.guest.probe("read", self.vm.guest.disk(self.name))
        self.state = "on"

    def _disappears(self, state):
        """Returns how the guest's reading ended, None if it was not reading."""
        probe, self._probe = self._probe, None
        result = probe.result(SECONDS) if probe else None
        self._wait(lambda: self.name not in self.vm.guest.disks(), "has left the guest")
        self.state = state
        assert not result or result.failed, f"the read of {self.name} did not fail"
        return result

    def _wait(self, true, what):
        def look():
            if true():
                return True
            time.sleep(0.1)
            return False
        wait_until(look, SECONDS, f"{self.name} {what}")


OPERATIONS = {
    "add": Operation(("host",), Place.add),
    "remove": Operation(("on", "off"), Place.remove),
    "pull": Operation(("host", "on", "off"), Place.pull),
    "push": Operation(("out",), Place.push),
    "power-off": Operation(("on",), Place.power_off),
    "power-on": Operation(("off",), Place.power_on),
}


def reset(vm, places, way):
    since = vm.guest.mark()
    try:
        if way == "reboot":
            vm.guest.send_bytes(b"0 reboot -f\n")
        else:
            vm.qmp.execute("system_reset")
        vm.guest.event("ready", 120, since)
    except LinesEnded as error:
        raise AssertionError("the hypervisor ended") from error
    vm.guest.synchronise()
    for place in places:
        place.was_reset()
