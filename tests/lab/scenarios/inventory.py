# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""hotbayctl shows the host's drives and bays, and switches drives to passthrough: all of them or none."""

import glob
import os
import subprocess
from contextlib import contextmanager

from host import read, swap_on, wait_until
from hotbayctl import FAILED, NOT_FOUND, Ctl, persistent_rule, states


@contextmanager
def mounted(lab, disk):
    """The disk has a file system, and the host uses it."""
    tree, folder = os.path.dirname(os.path.dirname(lab.plan["kernel"])), "/run/lab/mounted"
    os.makedirs(folder, exist_ok=True)
    for words in (["modprobe", "-d", tree, "ext4"], ["mkfs.ext4", "-q", "-F", disk], ["mount", disk, folder]):
        subprocess.run(words, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
        subprocess.run(["wipefs", "-q", "-a", disk], check=True)


@contextmanager
def claimed(disk):
    """This process has the disk open."""
    file = os.open(disk, os.O_RDONLY | os.O_EXCL)
    try:
        yield
    finally:
        os.close(file)


@contextmanager
def read_only(path):
    """What is written to this file of sysfs fails."""
    path = os.path.realpath(path)
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def scenario(lab):
    ctl = Ctl(lab)
    idle, used, other = lab.bays[0], lab.bays[1], lab.bays[2]
    shared, companion = lab.host.shared_functions()

    with lab.step("every drive is listed with its bay, serial number and group"):
        drives = ctl.drives()
        assert set(drives) == {bay.drive() for bay in lab.bays} | {shared}, sorted(drives)
        for bay in lab.bays:
            drive = drives[bay.drive()]
            assert (drive["serial"], drive["bay"]) == (bay.name, str(bay.number + 1)), drive
            assert bay.drive() == bay.usual_address, drive
            assert (drive["driver"], drive["iommu-group"]) == ("nvme", int(bay.group())), drive
            assert drive["hot-plug"] == drive["surprise"] == "yes", drive
            assert drive["can-pass-through"] and drive["size"] == 1 << 30, drive
            assert "QEMU NVM Express Controller" in drive["device-name"], drive

    with lab.step("a drive that shares its group is listed with the reason"):
        assert [obstacle["kind"] for obstacle in drives[shared]["obstacles"]] == ["group"]
        assert drives[shared]["foreign-members"] == [companion]

    with lab.step("every bay is listed, and one that a drive is pulled from as empty"):
        assert set(ctl.bays()) == {str(bay.number + 1) for bay in lab.bays} | {"99"}
        assert all(bay["presence"] == bay["link"] == "yes" for bay in ctl.bays().values()), ctl.bays()
        idle.pull()
        idle.wait_empty()
        empty = ctl.bays()[str(idle.number + 1)]
        assert (empty["presence"], empty["occupants"]) == ("no", []), empty
        assert idle.name not in [drive["serial"] for drive in ctl.drives().values()]
        idle.push()
        assert ctl.bays()[str(idle.number + 1)]["occupants"] == [idle.drive()]
        wait_until(lambda: all(drive["size"] for drive in ctl.drives().values()), 10, "every drive has its size")

    with lab.step("without root the same drives and bays are there"):
        seen = {drive["address"]: drive for drive in ctl.as_nobody("drives", "--json")}
        assert {address: drive["serial"] for address, drive in seen.items()} == {
            address: drive["serial"] for address, drive in ctl.drives().items()}
        bays = {bay["name"]: bay for bay in ctl.as_nobody("bays", "--json")}
        assert {name: bay["presence"] for name, bay in bays.items()} == {
            name: bay["presence"] for name, bay in ctl.bays().items()}

    before, at_rest = states(), ctl.drives()
    disk = f"/dev/{drives[used.drive()]['namespaces'][0]}"
    with lab.check("a drive in use as swap is refused, by its address and by its bay"), swap_on(disk):
        for word in (used.drive(), str(used.number + 1)):
            ctl.refused("passthrough", "on", word, saying=[used.drive(), "is swap", "swapoff"])
        ctl.refused("passthrough", "on", used.drive(), "--force", saying=["is swap"])
    with lab.check("a mounted drive is refused"), mounted(lab, disk):
        ctl.refused("passthrough", "on", used.drive(), saying=[used.drive(), "is mounted on", "unmount it"])
        ctl.refused("passthrough", "on", used.drive(), "--force", saying=["is mounted"])
    with lab.check("one drive that is in use keeps the others from being switched"), swap_on(disk):
        ctl.refused("passthrough", "on", idle.drive(), other.drive(), used.drive(), saying=[used.drive()])
    with lab.check("a drive that a process holds is refused"), claimed(disk):
        ctl.refused("passthrough", "on", used.drive(), saying=["is open in", "process"])
    with lab.check("a drive that shares its group is refused"):
        ctl.refused("passthrough", "on", shared, saying=[companion, "group"])
    with lab.check("a function that is no drive is refused"):
        ctl.refused("passthrough", "on", companion, saying=["no NVMe drive"], status=NOT_FOUND)
    with lab.step("after all these nothing has changed"):
        assert states() == before

    with lab.step("several drives go to passthrough in one command, and come back"):
        pair = [idle.drive(), other.drive()]
        ctl.run("passthrough", "on", *pair)
        assert [idle.driver(), other.driver()] == ["vfio-pci"] * 2
        listed = ctl.drives()
        assert all(listed[address]["passed-through"] for address in pair)
        ctl.run("passthrough", "off", *pair)
        assert states() == before

    def undone(direction, path):
        at_first = states()
        with read_only(path):
            text = ctl.run("passthrough", direction, *pair, status=FAILED)
        assert path in text and "Read-only" in text and "undoing" not in text, text
        assert states() == at_first

    with lab.check("when the second drive's first step fails, the first drive is given back"):
        undone("on", f"/sys/bus/pci/devices/{other.drive()}/driver_override")
    with lab.check("when a drive is unbound and cannot be bound, the host's driver has it again"):
        undone("on", "/sys/bus/pci/drivers/vfio-pci/bind")
    with lab.check("when a drive cannot be given back, it stays passed through, and so do the others"):
        ctl.run("passthrough", "on", *pair)
        undone("off", "/sys/bus/pci/drivers_probe")
        ctl.run("passthrough", "off", *pair)
    with lab.step("after all these everything is as it was, the drives' names too"):
        assert states() == before
        wait_until(lambda: ctl.drives() == at_rest, 10, "the drives are listed as before")

    with lab.step("what is to persist is a rule for the drive, which goes with the passthrough"):
        path, match = persistent_rule(idle)
        ctl.run("passthrough", "on", idle.drive(), "--persist")
        assert match in read(path)
        ctl.run("passthrough", "off", idle.drive())
        assert not glob.glob("/etc/udev/rules.d/70-hotbay-*")
        assert states() == before
