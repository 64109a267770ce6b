# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A drive with a large controller memory buffer: refused where its window is too small, at home where it is not."""
# lab: matrix
# lab: --cmb 256

from qmp import QmpError

CMB = 256 << 20


def cmb_of(guest, serial):
    """The guest's address of the buffer, BAR 2; it must be as large as the drive's."""
    function = guest.place(serial)[0]
    lines = guest.run(f"cat /sys/bus/pci/devices/{function}/resource").splitlines()
    first, last = (int(word, 16) for word in lines[2].split()[:2])
    assert last - first + 1 == CMB, lines[2]
    return first


def scenario(lab):
    bay = lab.bays[-1]
    ports = ["-device", "pcie-root-port,id=large,chassis=2,slot=90,addr=8.0,pref64-reserve=512M"]
    with lab.step("a guest boots with a port of the default windows and a large one"):
        vm = lab.start(extra=ports).ready()

    with lab.step("a hot-add into the small one is refused with the remedy, and the guest sees nothing of it"):
        since = vm.guest.mark()
        try:
            vm.add(bay)
        except QmpError as error:
            text = str(error)
        else:
            raise AssertionError("it was accepted")
        assert "BAR 2" in text and "0x10000000" in text and "pref64-reserve=256M" in text, text
        assert not [event for event in vm.guest.events_since(since) if "pci" in event.words]
        assert vm.slots()[bay.name] is None

    with lab.step("a hot-add into the large one works, buffer and all"):
        since = vm.guest.mark()
        vm.qmp.execute("device_add", driver="vfio-pci", host=bay.drive(), id="cmb", bus="large")
        vm.guest.disk_added(since)
        assert cmb_of(vm.guest, bay.name) >= 1 << 32
        vm.guest.fill(vm.guest.disk(bay.name), seed=5)
        vm.guest.verify(vm.guest.disk(bay.name), seed=5)

    with lab.step("it is still there after a reboot"):
        since = vm.guest.mark()
        vm.qmp.execute("system_reset")
        vm.guest.event("ready", 60, since)
        vm.guest.synchronise()
        assert cmb_of(vm.guest, bay.name) >= 1 << 32
        vm.guest.verify(vm.guest.disk(bay.name), seed=5)

    with lab.step("it leaves in order"):
        vm.remove("cmb")

    with lab.step("cold-plugged, the port's windows are made for it"):
        vm.qmp.execute("quit")
        vm.wait_exit()
        words = ["-device", f"vfio-pci,host={bay.give_to('vfio-pci')},id=cmb,bus={bay.name}"]
        vm = lab.start(extra=words).ready()
        assert cmb_of(vm.guest, bay.name) >= 1 << 32
        vm.guest.verify(vm.guest.disk(bay.name), seed=5)
