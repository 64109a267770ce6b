# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""By what the host's IOMMU is told of guest memory: iommufd as hotbay finds it, by name, by descriptor; or type1."""
# lab: --host-kernel iommufd
# lab: only by name

import os
import re
import time

from host import vfio_files, wait_until
from hypervisor import command_line, start_refused
from qmp import QmpError

OBJECT = ["-object", "iommufd,id=iommufd0"]


SECONDS = 400


def uses(vm):
    """The backend, by the files that are open."""
    links = {os.readlink(f"/proc/{vm.pid}/fd/{name}") for name in os.listdir(f"/proc/{vm.pid}/fd")}
    assert not {"/dev/iommu", "/dev/vfio/vfio"} <= links, links
    return "iommufd" if "/dev/iommu" in links else "type1" if "/dev/vfio/vfio" in links else None


def pinned(vm):
    """MiB that iommufd has pinned of the process."""
    with open(f"/proc/{vm.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmPin:\s+(\d+) kB", file.read())[1]) // 1024


def scenario(lab):
    bay, other = lab.bays[0], lab.bays[1]
    vm = lab.boot()
    with lab.step("where the host has iommufd, the first drive is had by it"):
        assert uses(vm) is None
        vm.add(bay)
        assert uses(vm) == "iommufd", vfio_files(vm.pid)
        assert pinned(vm) >= vm.memory, pinned(vm)

    with lab.step("a second drive shares the address space: nothing more is pinned"):
        before = pinned(vm)
        vm.add(other)
        assert pinned(vm) == before, (before, pinned(vm))
        assert sum("/dev/vfio/devices/" in link for link in vfio_files(vm.pid).values()) == 2

    with lab.step("memory stays mapped for the one that stays, and is unpinned with the last"):
        vm.remove("drive1")
        assert pinned(vm) >= vm.memory, pinned(vm)
        reading = vm.guest.probe("read", vm.guest.disk("bay0"))
        time.sleep(1)  # one that is stopped before it has begun says nothing
        result = reading.stop()
        assert not result.failed and result.count > 0, result
        vm.remove("drive0")
        assert pinned(vm) == 0, pinned(vm)

    with lab.step("a drive cannot name an iommufd that is not there"):
        said = refusal_of(vm, bay, iommufd="none")
        assert "iommufd=none: there is no such object" in said, said
    end(vm)
    named(lab)
    given(lab)
    type1(lab)
    with lab.step("drives that are to reach each other's memory are refused at the start"):
        words = command_line(lab.plan, lab.kind, lab.folder, extra=[*OBJECT, "-machine", "x-hotbay-peer-to-peer=on"])
        status, said = start_refused(lab, words)
        assert status and "iommufd cannot map a drive's memory" in said, said


def add(vm, bay, **more):
    vm.qmp.execute("device_add", driver="vfio-pci", host=bay.drive(), id=f"drive{bay.number}", bus=bay.name, **more)


def refusal_of(vm, bay, **more):
    try:
        add(vm, bay, **more)
    except QmpError as error:
        return str(error)
    raise AssertionError("it was added")


def end(vm):
    vm.qmp.execute("quit")
    vm.wait_exit()


def named(lab):
    bay, other = lab.bays[0], lab.bays[1]
    vm = lab.boot(extra=OBJECT)
    with lab.step("an object is used by drives that name it and by those that do not"):
        assert uses(vm) == "iommufd"
        bay.give_to("vfio-pci")
        add(vm, bay, iommufd="iommufd0")
        vm.add(other)
        wait_until(lambda: set(vm.guest.disks()) == {bay.name, other.name}, 30, "the guest has both disks")
    second = lab.boot(extra=OBJECT)
    with lab.step("a drive of one VM is refused to another"):
        said = refusal_of(second, bay)
        assert "another VM has the drive" in said, said
    end(second)
    end(vm)


def given(lab):
    """The descriptor is opened by who starts the hypervisor."""
    program = f"{lab.folder}/with-iommufd"
    with open(program, "w", encoding="ascii") as file:
        file.write(f'#!/bin/bash\nexec 9<>"${{CONTROL:-/dev/iommu}}"\nexec {lab.plan["hotbay"]} "$@"\n')
    os.chmod(program, 0o755)
    plan, lab.plan = lab.plan, {**lab.plan, "hotbay": program}
    vm = lab.boot(extra=["-object", "iommufd,id=iommufd0,fd=9"])
    with lab.step("a descriptor that was given is the VM's"):
        vm.add(lab.bays[0])
        assert uses(vm) == "iommufd"
        assert pinned(vm) >= vm.memory, pinned(vm)
    end(vm)
    with lab.step("one that is no iommufd is refused at the start"):
        words = command_line(lab.plan, lab.kind, lab.folder, extra=["-object", "iommufd,id=iommufd0,fd=9"])
        status, said = start_refused(lab, words, wrapper=["/usr/bin/env", "CONTROL=/dev/null"])
        assert status and "is no iommufd" in said, said
    lab.plan = plan


def type1(lab):
    vm = lab.boot(extra=["-machine", "x-hotbay-iommu=type1"])
    with lab.step("a machine that wants type1 gets it"):
        vm.add(lab.bays[0])
        assert uses(vm) == "type1"
    end(vm)
