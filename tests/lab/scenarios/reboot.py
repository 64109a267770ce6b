# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A guest reboots by its own hand and by QMP, and keeps a cold-plugged drive; with -no-reboot it ends."""
# lab: matrix


def scenario(lab):
    bay = lab.bays[1]
    drive = ["-device", f"vfio-pci,host={bay.give_to('vfio-pci')},id=drive1,bus=bay1"]
    with lab.step("the guest boots with its drive"):
        vm = lab.start(extra=drive).ready()
        assert list(vm.guest.disks()) == ["bay1"]

    for name, reboot in (("its own hand", lambda: vm.guest.send_bytes(b"0 reboot -f\n")),
                         ("QMP", lambda: vm.qmp.execute("system_reset"))):
        with lab.step(f"it comes back after a reboot by {name}, with its drive"):
            since = vm.guest.mark()
            reboot()
            vm.guest.event("ready", 60, since)
            assert list(vm.guest.disks()) == ["bay1"]

    with lab.step("hot-add works after a reboot"):
        vm.add(lab.bays[0])

    with lab.step("with -no-reboot, a reboot ends the hypervisor"):
        vm.stop()
        vm = lab.start(extra=["-no-reboot"]).ready()
        vm.guest.send_bytes(b"0 reboot -f\n")
        assert vm.wait_exit() == 0
