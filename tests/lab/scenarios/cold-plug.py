# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Drives given on the command line are there when the guest starts, and go back to the host when it ends."""
# lab: matrix


def scenario(lab):
    cold = lab.bays[:2]
    words = []
    for bay in cold:
        words += ["-device", f"vfio-pci,host={bay.give_to('vfio-pci')},id=drive{bay.number},bus={bay.name}"]

    with lab.step("a guest boots with two drives in its slots"):
        vm = lab.start(extra=words).ready()
        assert set(vm.guest.disks()) == {"bay0", "bay1"}

    with lab.step("they hold data"):
        vm.guest.fill(vm.guest.disk("bay1"), seed=3)
        vm.guest.verify(vm.guest.disk("bay1"), seed=3)

    with lab.check("query-pci has them in their slots"):
        assert vm.slots()["bay0"] == "drive0"
        assert vm.slots()["bay1"] == "drive1"
        assert vm.slots()["bay2"] is None

    with lab.check("the guest uses MSI-X for them"):
        assert "nvme0q0" in vm.guest.run("grep -i msi /proc/interrupts")

    with lab.step("a cold-plugged drive can be removed in order"):
        vm.remove("drive0")
        assert set(vm.guest.disks()) == {"bay1"}
        cold[0].give_to("nvme")

    with lab.step("quit gives the other one back"):
        vm.qmp.execute("quit")
        assert vm.wait_exit() == 0
        cold[1].give_to("nvme")
