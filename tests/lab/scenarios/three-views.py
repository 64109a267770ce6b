# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""After every operation guest, hypervisor and host tell the same story of which drive is in which slot."""

import json
import re

from host import wait_until
from hotbayctl import Ctl
from hypervisor import bound_ports
from lspci import initrd_with_lspci

NVME_CLASS = "0108"
# Seconds in which the guest's and the host's kernel are done with what the events told of.
SETTLES = 15


class Views:
    """The slots that are not empty, in the words of each who can be asked."""

    def __init__(self, lab, vm):
        self._lab, self._vm, self._ctl = lab, vm, Ctl(lab)
        self._bound = lab.bays[2:4]

    def guest_lspci(self):
        """Slot to the drive's PCI address in the guest. -PP writes a function behind its port: 00:04.0/01:00.0"""
        bays = {bay.port[5:]: bay.name for bay in self._lab.bays}
        lines = self._vm.guest.run("lspci -PP -n").splitlines()
        found = [re.match(rf"(\S+)/(\S+) {NVME_CLASS}:", line) for line in lines]
        return {bays[match[1]]: match[2] for match in found if match}

    def guest_sysfs(self):
        """Slot to the address and the serial number of the drive behind that port which the guest has a disk of."""
        bays = {bay.port: bay.name for bay in self._lab.bays}
        lines = self._vm.guest.run("for c in /sys/class/nvme/nvme[0-9]*; do ls -d $c/nvme*n* >/dev/null 2>&1 && "
                                   "echo $(cat $c/serial) $(readlink -f $c/device); done; true").splitlines()
        paths = {serial: path.split("/") for serial, path in (line.split() for line in lines if " " in line)}
        return {bays[path[-2]]: (path[-1][5:], serial) for serial, path in paths.items()}

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

    def hotbayctl(self):
        """What hotbayctl has to say: of the VM's slots, of those that are bound to the host's and the drives there, of
        the drives that a VM has, and of those in the bays that are bound."""
        slots = json.loads(self._ctl.run("--vm", f"{self._vm.folder}/qmp", "slots", "--json"))
        drives = self._ctl.drives()
        in_bays = {drive["bay"]: address for address, drive in drives.items()}
        return {
            "ctl_slots": occupied(slots),
            "ctl_host_slots": {slot["id"]: slot.get("host-drive") for slot in slots if "host-slot" in slot},
            "host_drives": {address for address, drive in drives.items()
                            if any(obstacle["kind"] == "vm" for obstacle in drive["obstacles"])},
            "host_bays": {bay.name: in_bays.get(str(bay.number + 1)) for bay in self._bound},
        }

    def told(self):
        return {"guest_sysfs": self.guest_sysfs(), "query_pci": self.query_pci(), "query_slots": self.query_slots(),
                **self.hotbayctl()}

    def disagreements(self, story):
        """What is told differently from the story: slot to the drive's id and the host's bay it is of."""
        addresses, told = self.guest_lspci(), self.told()
        in_slots = {bay: (drive, host.drive(), True, True) for bay, (drive, host) in story.items()}
        in_bays = {bay.name: bay.drive() for bay in self._bound}
        expected = {
            "guest_lspci": {bay: addresses.get(bay) for bay in story},
            "guest_sysfs": {bay: (addresses.get(bay), host.serial) for bay, (_, host) in story.items()},
            "query_pci": {bay: (drive, addresses.get(bay)) for bay, (drive, _) in story.items()},
            "query_slots": in_slots,
            "ctl_slots": in_slots,
            "ctl_host_slots": in_bays,
            "host_drives": {host.drive() for _, host in story.values()},
            "host_bays": in_bays,
        }
        told["guest_lspci"] = addresses
        return {name: (told[name], expected[name]) for name in expected if told[name] != expected[name]}


def occupied(slots):
    return {slot["id"]: (drive["id"], drive["host"], slot["presence"], slot["link-active"])
            for slot in slots for drive in slot.get("occupants", [])}


def scenario(lab):
    lab.plan = dict(lab.plan, initrd=initrd_with_lspci(lab.plan))
    first, second, mirrored, lent = lab.bays[:4]
    ctl = Ctl(lab)
    for bay in (mirrored, lent):
        bay.pull()
        bay.wait_empty()
    with lab.step("a guest boots with a drive"):
        cold = ["-device", f"vfio-pci,host={first.give_to('vfio-pci')},id=cold,bus=bay0"]
        vm = lab.start(bays=2, extra=bound_ports({2: "on", 3: "passthrough"}) + cold).ready()
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

    in_bay = {"bay2": ("bay2-drive", mirrored)}
    rest = {"bay0": ("new", first), "bay1": ("hot", second)}

    def comes(act, *arguments, **options):
        since = vm.guest.mark()
        act(*arguments, **options)
        vm.guest.disk_added(since)

    def leaves(act, *arguments, drive="bay2-drive"):
        since, events = vm.guest.mark(), vm.qmp.mark()
        act(*arguments)
        vm.guest.disk_removed(since)
        vm.qmp.event("DEVICE_DELETED", since=events, device=drive)

    with lab.step("a drive is pushed into a bay that is the guest's"):
        comes(mirrored.push)
    all_agree("push", **rest, **in_bay)

    with lab.step("it is pulled out of there"):
        leaves(mirrored.pull, vm.pid)
        mirrored.wait_empty()
    all_agree("pull from the bay", **rest)

    with lab.step("another drive is pushed in"):
        comes(mirrored.push, serial="other")
    all_agree("another drive in the same bay", **rest, **in_bay)

    with lab.step("the host switches the bay off"):
        leaves(mirrored.power_off)
        mirrored.wait_empty()
    all_agree("switched off by the host", **rest)

    with lab.step("a drive is pushed in again"):
        comes(mirrored.push)
    all_agree("push after that", **rest, **in_bay)

    with lab.step("the host takes its passthrough back"):
        ctl.refused("passthrough", "off", mirrored.drive(), saying=[mirrored.drive(), str(vm.pid)])
        leaves(ctl.run, "passthrough", "off", mirrored.drive(), "--from-vm")
        assert mirrored.driver() == "nvme"
    all_agree("passthrough off", **rest)

    with lab.step("a drive is pushed into a bay that is for passthrough"):
        told = vm.qmp.mark()
        lent.push()
        vm.qmp.event("HOTBAY_HOST_DRIVE_TAKEN", 5, told, bus="bay3")
    all_agree("push for passthrough", **rest)

    with lab.step("and added to the guest"):
        since = vm.guest.mark()
        vm.qmp.execute("device_add", driver="vfio-pci", host=lent.drive(), id="lent", bus="bay3")
        vm.guest.disk_added(since)
    rest["bay3"] = ("lent", lent)
    all_agree("add from the bay", **rest)

    with lab.step("the guest switches its slot off, and on again"):
        since = vm.guest.mark()
        vm.guest.run("echo 0 > /sys/bus/pci/slots/2/power")
        vm.guest.disk_removed(since)
        comes(vm.guest.run, "echo 1 > /sys/bus/pci/slots/2/power")
    all_agree("guest's power switch", **rest)

    with lab.step("the machine is reset"):
        since = vm.guest.mark()
        vm.qmp.execute("system_reset")
        vm.guest.event("ready", 60, since)
    all_agree("machine reset", **rest)
