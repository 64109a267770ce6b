# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""In ACPI mode nothing is lost that is asked for while the guest boots, and a reset starts anew."""

import time

from host import wait_until


def scenario(lab):
    with lab.step("drives that are added while the guest boots are not lost"):
        vm = lab.start(slots="acpi", bays=32)
        add(vm, lab.bays[0], "bay0")
        time.sleep(2)
        add(vm, lab.bays[2], "bay31")
        vm.ready()
        wait_until(lambda: set(vm.guest.disks()) == {"bay0", "bay2"}, 20, "both drives are the guest's disks")

    with lab.check("the last of 32 slots is where it is, and gives its drive back"):
        assert len(vm.guest.run("ls /sys/bus/pci/slots").split()) == 32
        assert vm.guest.place("bay2")[1] == "0000:00:07.7"
        vm.remove("drive2")

    with lab.step("a reset of the machine keeps the other drive, and its slot works as before"):
        since = vm.guest.mark()
        vm.qmp.execute("system_reset")
        vm.guest.event("ready", 120, since)
        vm.guest.synchronise()
        assert set(vm.guest.disks()) == {"bay0"}
        vm.remove("drive0")
        assert not vm.guest.disks()
        vm.add(lab.bays[0])

    with lab.check("a removal that is asked for while the guest boots comes true"):
        vm.qmp.execute("system_reset")
        time.sleep(1)
        since = vm.qmp.mark()
        vm.ask_removal("drive0")
        vm.qmp.event("DEVICE_DELETED", 60, since, device="drive0")


def add(vm, bay, slot):
    vm.qmp.execute("device_add", driver="vfio-pci", host=bay.give_to("vfio-pci"), id=f"drive{bay.number}", bus=slot)
