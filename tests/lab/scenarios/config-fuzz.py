# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A guest that writes anything to the config space of its drives and ports harms only itself."""


def scenario(lab):
    vm = lab.boot()
    guest = vm.guest
    victim, other = lab.bays[0], lab.bays[2]
    with lab.step("two drives are added, one of them busy"):
        vm.add(victim)
        vm.add(other)
        bystander = guest.probe("read", guest.disk("bay2"))
        drive, port = guest.place("bay0")
        _, others_port = guest.place("bay2")

    with lab.step("the drive's registers take anything"):
        guest.run(f"echo {drive} >/sys/bus/pci/devices/{drive}/driver/unbind")
        fuzz(vm, drive)

    ports = [address for address, (kind, _) in guest.functions().items() if kind == "0x060400"]
    empty = next(address for address in ports if address not in (port, others_port))
    for name, address in (("its port's", port), ("an empty port's", empty)):
        with lab.step(f"{name} registers take anything"):
            fuzz(vm, address)

    with lab.step("the other drive's I/O went on"):
        result = bystander.stop()
        assert not result.failed
        lab.within("longest read of the other drive", result.longest, 10)

    with lab.step("and it can be removed in order"):
        vm.remove("drive2")


def fuzz(vm, address):
    vm.guest.run(f"probe config {address}", seconds=60)
    assert vm.alive()
    assert vm.qmp.execute("query-status")["running"]
