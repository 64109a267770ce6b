# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A guest boots on two CPUs, is seen and talked to, powers down and reboots."""

import os


def scenario(lab):
    with lab.step("the guest reaches userspace"):
        vm = lab.start(cpus=2)
        guest = vm.guest
        lab.measured("process start to userspace", guest.arrival("up", 120) - vm.started)
        vm.ready()

    with lab.check("it has both CPUs"):
        assert guest.run("nproc") == "2"

    with lab.check("it has its memory"):
        total = int(guest.run("awk '/MemTotal/ { print $2 }' /proc/meminfo"))
        assert total > 0.85 * 1024 * 1024, f"MemTotal is {total} kB"

    with lab.check("it sees a host bridge and four hot-plug slots"):
        kinds = [kind for kind, _ in guest.functions().values()]
        assert kinds.count("0x060000") == 1
        assert kinds.count("0x060400") == 4
        assert sorted(guest.run("ls /sys/bus/pci/slots").split()) == ["1", "2", "3", "4"]

    with lab.check("its slots are native hot-plug slots"):
        owned = guest.run("ls -d /sys/bus/pci_express/devices/*pcie004")
        assert len(owned.split()) == 4, owned

    with lab.check("serial lines go through whole in both directions"):
        text = "".join(chr(33 + n % 80).replace("'", "x") for n in range(1000))
        assert guest.run(f"echo '{text}'") == text

    with lab.check("the clock of the guest keeps the host's pace"):
        guest.synchronise()
        before = guest.clock_offset()
        guest.run("sleep 3")
        guest.synchronise()
        assert abs(guest.clock_offset() - before) < 0.1

    with lab.check("QMP names the machine's ports as the command line did"):
        assert {f"bay{n}": None for n in range(4)}.items() <= vm.slots().items()

    with lab.step("system_powerdown is the guest's power button, and ends the hypervisor"):
        vm.qmp.execute("system_powerdown")
        guest.event("power-button")
        vm.qmp.event("SHUTDOWN")
        assert vm.wait_exit() == 0

    with lab.check("nothing of it is left in /dev/vfio or in the process table"):
        assert not os.path.exists(f"/proc/{vm.pid}")
