# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A guest without messages uses its drives by their interrupt pins, two of them on one line: in, out and pulled."""

from host import vfio_files, wait_released
from hypervisor import APPEND

READS = 200


def interrupts(guest):
    """The lines of /proc/interrupts that are NVMe drives'."""
    return guest.run("grep nvme /proc/interrupts")


def count(line):
    return int(line.split()[1])


def scenario(lab):
    cold, hot = lab.bays[1], lab.bays[3]
    with lab.step("a guest boots without messages, with a drive in a slot"):
        words = ["-append", f"{APPEND} pci=nomsi",
                 "-device", f"vfio-pci,host={cold.give_to('vfio-pci')},id=drive1,bus=bay1"]
        vm = lab.start(slots="acpi", extra=words).ready()  # hot-plug without messages: the slots are ACPI's
        guest = vm.guest
        assert set(guest.disks()) == {"bay1"}
    with lab.step("it uses the drive's pin, and data holds"):
        line = interrupts(guest)
        lab.noted("interrupt", " ".join(line.split()))
        assert "IO-APIC" in line and "MSI" not in line, line
        guest.fill(guest.disk("bay1"), seed=5)
        guest.verify(guest.disk("bay1"), seed=5)
    with lab.step("reads take interrupts, and none of them a timeout"):
        before = count(interrupts(guest))
        guest.run(f"dd if=/dev/{guest.disk('bay1')} of=/dev/null bs=4k count={READS} iflag=direct 2>/dev/null")
        assert count(interrupts(guest)) - before >= READS, f"{before}, then {interrupts(guest)}"
        assert guest.run("dmesg | grep -c -E 'timeout|irq .*: nobody cared'", check=False).text == "0"
    with lab.step("a drive that is added shares the line"):
        vm.add(hot)
        guest.fill(guest.disk("bay3"), seed=6)
        guest.verify(guest.disk("bay3"), seed=6)
        assert len(interrupts(guest).splitlines()) == 1, interrupts(guest)
    with lab.step("pulled while the guest reads from it, it leaves the line to the other"):
        other, reader = guest.probe("read", guest.disk("bay1")), guest.probe("read", guest.disk("bay3"))
        guest.synchronise()
        files, since = vfio_files(vm.pid), guest.mark()
        pulled = hot.pull(vm.pid)
        wait_released(files)
        lab.measured("pull to failed read", reader.result().time - pulled)
        guest.disk_removed(since)
        assert not other.stop().failed
        guest.verify(guest.disk("bay1"), seed=5)
    with lab.step("the first one can be removed in order"):
        vm.remove("drive1")
        assert not guest.disks()
        cold.give_to("nvme")
    with lab.check("the guest still runs, without complaint"):
        assert guest.run("dmesg | grep -c -E 'BUG:|WARNING:|Oops|nobody cared|timeout'", check=False).text == "0"
