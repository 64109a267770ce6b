# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""After every operation guest, hypervisor and host tell the same story of which drive is in which slot."""

import json
import re

from host import wait_until
from hotbayctl import Ctl
from lspci import initrd_with_lspci

NVME_CLASS = "0108"
# Seconds in which the guest's and the host's kernel are done with what the events told of.
SETTLES = 15


class Views:
    """The slots that are not empty, in the words of each who can be asked."""

    def __init__(self, lab, vm):
        self._lab, self._vm, self._ctl = lab, vm, Ctl(lab)

    def guest_lspci(self):
        """Slot to the drive's PCI address in the guest. -PP writes a function behind its port: 00:04.0/01:00.0"""
        bays = {bay.port[5:]: bay.name for bay in self._lab.bays}
        lines = self._vm.guest.run("lspci -PP -n").splitlines()
        found = [re.match(rf"(\S+)/(\S+) {NVME_CLASS}:", line) for line in lines]
        return {bays[match[1]]: match[2] for match in found if match}

    def guest_sysfs(self):
        """Slot to the address and the serial number of the drive that the guest's driver has behind that port."""
        bays = {bay.port: bay.name for bay in self._lab.bays}
        places = {serial: self._vm.guest.place(serial) for serial in self._vm.guest.disks()}
        return {bays[port]: (drive[5:], serial) for serial, (drive, port) in places.items()}

    def query_pci(self):
        """Slot to the id and the address of the drive."""
        found = {}
        for bus in self._vm.qmp.execute("query-pci"):
            for port in bus["devices"]:
                for drive in port.get("pci_bridge", {}).get("devices", []):
                    address = f"{drive['bus']:02x}:{drive['slot']:02x}.{drive['function']:x}"
                    found[port["qdev_id"]] = (drive["qdev_id"], address)
        return found

    def query_slots(self):
        """Slot to the drive's id and host address, with presence and link, by QMP."""
        return occupied(self._vm.qmp.execute("x-hotbay-query-slots"))

    def ctl_slots(self):
        return occupied(json.loads(self._ctl.run("--vm", f"{self._vm.folder}/qmp", "slots", "--json")))

    def host_drives(self):
        """The host addresses of the drives that a virtual machine has."""
        return {address for address, drive in self._ctl.drives().items()
                if any(obstacle["kind"] == "vm" for obstacle in drive["obstacles"])}

    def disagreements(self, story):
        """What is told differently from the story: slot to the drive's id and the host's bay it is of."""
        addresses = self.guest_lspci()
        expected = {
            "guest_lspci": {bay: addresses.get(bay) for bay in story},
            "guest_sysfs": {bay: (addresses.get(bay), host.name) for bay, (_, host) in story.items()},
            "query_pci": {bay: (drive, addresses.get(bay)) for bay, (drive, _) in story.items()},
            "query_slots": {bay: (drive, host.drive(), True, True) for bay, (drive, host) in story.items()},
            "ctl_slots": {bay: (drive, host.drive(), True, True) for bay, (drive, host) in story.items()},
            "host_drives": {host.drive() for _, host in story.values()},
        }
        told = {name: getattr(self, name)() for name in expected}
        return {name: (told[name], expected[name]) for name in expected if told[name] != expected[name]}


def occupied(slots):
    return {slot["id"]: (drive["id"], drive["host"], slot["presence"], slot["link-active"])
            for slot in slots for drive in slot.get("occupants", [])}


def scenario(lab):
    lab.plan = dict(lab.plan, initrd=initrd_with_lspci(lab.plan))
    first, second = lab.bays[0], lab.bays[1]
    with lab.step("a guest boots with a drive"):
        vm = lab.start(extra=["-device", f"vfio-pci,host={first.give_to('vfio-pci')},id=cold,bus=bay0"]).ready()
        views = Views(lab, vm)

    def all_agree(what, **story):
        """story: slot to the id and the bay of its drive"""
        with lab.step(f"{what}: all views agree"):
            found = {}

            def agree():
                found.clear()
                found.update(views.disagreements(story))
                return not found
            try:
                wait_until(agree, SETTLES, what)
            except TimeoutError as error:
                lines = [f"{name}: {told}, not {expected}" for name, (told, expected) in found.items()]
                raise AssertionError("; ".join(lines)) from error

    all_agree("cold plug", bay0=("cold", first))

    with lab.step("a drive is added"):
        vm.add(second, "hot")
    all_agree("hot-add", bay0=("cold", first), bay1=("hot", second))

    with lab.step("the first one is removed in order"):
        vm.remove("cold")
    all_agree("orderly removal", bay1=("hot", second))

    with lab.step("and added again"):
        vm.add(first, "again")
    all_agree("re-add", bay0=("again", first), bay1=("hot", second))

    with lab.step("it is pulled out of the host"):
        since, events = vm.guest.mark(), vm.qmp.mark()
        first.pull(vm.pid)
        vm.guest.disk_removed(since)
        vm.qmp.event("DEVICE_DELETED", since=events, device="again")
        first.wait_empty()
        assert first.drive() is None
    all_agree("pull", bay1=("hot", second))

    with lab.step("a new drive comes into the slot"):
        first.push()
        vm.add(first, "new")
    all_agree("new drive", bay0=("new", first), bay1=("hot", second))

    with lab.step("the machine is reset"):
        since = vm.guest.mark()
        vm.qmp.execute("system_reset")
        vm.guest.event("ready", 60, since)
    all_agree("machine reset", bay0=("new", first), bay1=("hot", second))
