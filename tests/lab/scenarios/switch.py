# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Slots below a PCIe switch: cold plug, hot-add, orderly removal, a pull under reads, a reboot."""
# lab: matrix native

from host import vfio_files, wait_released
from lspci import initrd_with_lspci
from pulling import PULL_SECONDS
from qmp import QmpError
from switches import switch_options


def scenario(lab):
    lab.plan = dict(lab.plan, initrd=initrd_with_lspci(lab.plan))
    bay, other = lab.bays[0], lab.bays[1]
    cold = ["-device", f"vfio-pci,host={other.give_to('vfio-pci')},id=drive1,bus=bay1"]
    with lab.step("a guest boots with a drive below a switch"):
        vm = lab.start(bays=0, extra=switch_options(4) + cold).ready()
        guest = vm.guest
        assert set(guest.disks()) == {"bay1"}
        guest.run(f"dd if=/dev/{guest.disk('bay1')} of=/dev/null bs=4k count=64 2>/dev/null")

    with lab.step("a drive is hot-added below the switch"):
        asked, disk = vm.add(bay)
        lab.measured("hot-add below a switch", disk.time - asked)
        guest.run(f"dd if=/dev/{guest.disk('bay0')} of=/dev/null bs=4k count=64 2>/dev/null")

    with lab.check("guest and query-pci see the same tree"):
        tree = guest.run("lspci -t")
        # root port, upstream port, four downstream ports, drives in the first two
        assert "04.0-[01-06]----00.0-[02-06]--+-00.0-[03]----00.0" in tree, tree
        assert "+-01.0-[04]----00.0" in tree and "+-02.0-[05]--" in tree and "\\-03.0-[06]--" in tree, tree
        assert vm.slots() == {"rp0": "up0", "up0": "bay0", "bay0": "drive0", "bay1": "drive1", "bay2": None,
                              "bay3": None}, vm.slots()

    with lab.check("the switch stays"):
        for name in ("up0", "rp0", "bay0"):
            try:
                vm.qmp.execute("device_del", id=name)
            except QmpError as error:
                assert name in str(error) and "stay" in str(error), error
            else:
                raise AssertionError(f"device_del {name} was accepted")

    with lab.step("an orderly removal below the switch"):
        asked, deleted = vm.remove("drive0")
        lab.measured("DEVICE_DELETED below a switch", deleted["arrived"] - asked)
        assert set(guest.disks()) == {"bay1"}

    with lab.step("a drive is pulled under reads: its I/O fails, and the other one's goes on"):
        vm.add(bay)
        files = vfio_files(vm.pid)
        busy, bystander = guest.probe("read", guest.disk("bay0")), guest.probe("read", guest.disk("bay1"))
        guest.synchronise()
        since, events = guest.mark(), vm.qmp.mark()
        pulled = bay.pull(vm.pid)
        released = wait_released(files, 100)
        bay.wait_empty(100)
        failed = busy.result(100)
        guest.disk_removed(since, 100)
        vm.qmp.event("DEVICE_DELETED", 100, events, device="drive0")
        lab.measured("pull to failed read below a switch", failed.time - pulled)
        assert failed.failed and failed.time - pulled <= PULL_SECONDS and released - pulled <= PULL_SECONDS
        result = bystander.stop()
        assert not result.failed
        lab.within("longest read of the other drive", result.longest, 1)

    with lab.step("after a reboot the drive is there, and hot-add works"):
        since = guest.mark()
        vm.qmp.execute("system_reset")
        guest.event("ready", 60, since)
        guest.synchronise()
        assert set(guest.disks()) == {"bay1"}
        bay.push()
        vm.add(bay)
        assert set(guest.disks()) == {"bay0", "bay1"}
