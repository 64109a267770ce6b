# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""One drive writes into another's controller memory buffer, where the machine was started for it and not elsewhere."""
# lab: --cmb 16

import re

ON = ["-machine", "x-hotbay-peer-to-peer=on"]


def write_to_peer(vm, writer, target):
    """The status of the command, and the serial number that it left in the target's memory."""
    addresses = []
    for bay in (writer, target):
        addresses.append(vm.guest.place(bay.name)[0])
    for address in addresses:
        vm.guest.run(f"echo {address} > /sys/bus/pci/drivers/nvme/unbind")
    said = vm.guest.run(f"peer {' '.join(addresses)}")
    found = re.search(r"status (\w+) serial (.*)", said)
    assert found, said
    for address in addresses:
        vm.guest.run(f"echo {address} > /sys/bus/pci/drivers/nvme/bind")
    return int(found[1], 16), found[2].strip()


def scenario(lab):
    writer, target = lab.bays[0], lab.bays[-1]
    vm = lab.boot()
    with lab.step("without the option the buffer is out of reach"):
        vm.add(writer)
        vm.add(target)
        status, serial = write_to_peer(vm, writer, target)
        assert writer.name not in serial, (status, serial)
    vm.qmp.execute("quit")
    vm.wait_exit()

    vm = lab.boot(extra=ON)
    with lab.step("two drives are added, one with a buffer"):
        vm.add(writer)
        vm.add(target)

    with lab.step("one writes into the other's buffer"):
        assert write_to_peer(vm, writer, target) == (0, writer.name)

    with lab.step("again, with the buffer's drive taken out and added"):
        vm.remove(f"drive{target.number}")
        vm.add(target)
        assert write_to_peer(vm, writer, target) == (0, writer.name)

    with lab.step("a pull of the one with the buffer is as quick as any"):
        vm.remove(f"drive{target.number}")
        vm.add(target)  # as its disk, which it was not while the queues were ours
        since = vm.guest.mark()
        pulled = target.pull(vm.pid)
        target.wait_empty()
        lab.within("pull to disk gone", vm.guest.disk_removed(since).time - pulled, 5)
        vm.qmp.event("DEVICE_DELETED", 10, device=f"drive{target.number}")
        assert "cannot" not in vm.log() and "UNMAP" not in vm.log(), vm.log()
        target.push()
    vm.qmp.execute("quit")
    vm.wait_exit()
