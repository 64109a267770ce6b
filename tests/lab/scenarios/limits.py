# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What a machine may have is refused above its limit, by name: memory, interrupts of all machines, hot-plug itself."""

import re

from host import read
from hypervisor import command_line, start_refused
from qmp import QmpError

NO_IPC_LOCK = ("setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock")


def locked_kib(pid):
    return int(re.search(r"VmLck:\s+(\d+) kB", read(f"/proc/{pid}/status"))[1])


def device(host, name, bay):
    return ["-device", f"vfio-pci,host={host},id={name},bus={bay}"]


def scenario(lab):
    def refused(name, *parts, memory=1024, wrapper=()):
        with lab.check(name):
            folder, _ = lab.new_machine()
            status, text = start_refused(lab, command_line(lab.plan, lab.kind, folder, memory=memory), wrapper=wrapper)
            assert status == 1, f"it ended with {status}: {text}"
            assert all(part in text for part in parts), text

    def vfio_refused(vm, *parts, command, **arguments):
        try:
            vm.qmp.execute(command, **arguments)
        except QmpError as error:
            assert all(part in str(error) for part in parts), error
        else:
            raise AssertionError(f"{command} was accepted")

    refused("a guest larger than the host", "-m:", "/proc/meminfo", "MiB", memory=1 << 20)
    refused("a limit on locked memory that is too low", "-m:", "RLIMIT_MEMLOCK", "2097152",
            wrapper=("prlimit", "--memlock=1610612736", *NO_IPC_LOCK))

    first, second = (bay.give_to("vfio-pci") for bay in lab.bays[:2])
    with lab.step("a machine with passthrough-hotplug=off boots with a drive"):
        vm = lab.start(extra=["-machine", "passthrough-hotplug=off", *device(first, "drive0", "bay0")]).ready()
        assert list(vm.guest.disks()) == ["bay0"]
        assert locked_kib(vm.pid) >= vm.memory * 1024
    with lab.check("it refuses additions and removals by that name"):
        vfio_refused(vm, "bay1", "passthrough-hotplug=off", command="device_add", driver="vfio-pci", host=second,
                     id="drive1", bus="bay1")
        vfio_refused(vm, "bay0", "passthrough-hotplug=off", command="device_del", id="drive0")
        assert list(vm.guest.disks()) == ["bay0"]

    with lab.step("another machine has no vectors left for its drive"):
        words = command_line(lab.plan, lab.kind, lab.new_machine()[0], memory=512,
                             extra=["-machine", "x-hotbay-max-vectors=70", *device(second, "drive1", "bay1")])
        status, text = start_refused(lab, words)
        assert status == 1 and "interrupt vectors" in text and "x-hotbay-max-vectors" in text, text
    with lab.step("until the first one is killed"):
        vm.process.kill()
        vm.wait_exit()
        vm = lab.start(memory=512, extra=["-machine", "x-hotbay-max-vectors=70", *device(second, "drive1", "bay1")])
        vm.ready()
        assert list(vm.guest.disks()) == ["bay1"]
        vm.stop()

    with lab.step("without slots that take drives and without one, no memory is locked"):
        vm = lab.start(extra=["-machine", "passthrough-hotplug=off"])
        assert locked_kib(vm.pid) == 0
