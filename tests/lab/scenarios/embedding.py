# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A hypervisor of one file, examples/tiny-vmm.c, takes a drive of the host in and out."""

import os
import subprocess
from contextlib import contextmanager

from host import vfio_files, wait_released
from lines import Lines

SECONDS = 200
COMMAND_LINE = "quiet loglevel=2 panic=-1 nokaslr rdinit=/watch"


class TinyVmm(Lines):
    """examples/tiny-vmm.c: its commands, and what it and its guest say."""

    def __init__(self, lab, kernel=None):
        plan = lab.plan
        words = [f"{plan['repo']}/build/examples/tiny-vmm", kernel or plan["kernel"], plan["initrd"], COMMAND_LINE]
        self.said = []
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        super().__init__(self.process.stdout.fileno(), f"{lab.folder}/tiny-vmm.log", "tiny-vmm")

    def take(self, line, arrived):
        self.said.append((arrived, line))

    def tell(self, command):
        """One line to its standard input; returns how much it had said by then."""
        mark = len(self.said)
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()
        return mark

    def hears(self, text, since=0, seconds=30):
        """When it said so, after that mark."""
        return self.wait(lambda: next((arrived for arrived, line in self.said[since:] if text in line), None),
                         seconds, text)


def write_text(bay, text):
    """Onto the drive, with the host's own driver."""
    with open(bay.disk(), "r+b", buffering=0) as disk:
        disk.write(text.encode().ljust(4096, b"\n"))
        os.fsync(disk)


def write_stray_kernel(path):
    """What looks like a kernel by its header (Documentation/arch/x86/boot.rst) and jumps to where there is nothing."""
    image = bytearray(64 << 10)
    image[0x1f1] = 1                                         # setup_sects
    image[0x202:0x206] = b"HdrS"
    image[0x238:0x23c] = (2048).to_bytes(4, "little")        # cmdline_size
    image[0x258:0x260] = (1 << 20).to_bytes(8, "little")     # pref_address
    image[0x400:0x407] = bytes.fromhex("b800000030ffe0")     # mov eax, 768 MiB; jmp eax
    with open(path, "wb") as file:
        file.write(image)


@contextmanager
def guest_of(lab):
    """A tiny-vmm whose guest is up."""
    vmm = TinyVmm(lab)
    try:
        with lab.step("a guest boots"):
            vmm.hears("guest: is up", seconds=60)
        yield vmm
    finally:
        vmm.process.kill()
        vmm.process.wait()


def scenario(lab):
    bay = lab.bays[1]
    write_text(bay, "written on the host")
    with guest_of(lab) as vmm:
        come_and_go(lab, vmm, bay)
    write_text(bay, "power off")
    with guest_of(lab) as vmm, lab.step("a guest that switches itself off leaves its drive to the host"):
        vmm.hears("guest: has a disk: power off", vmm.tell(f"add {bay.give_to('vfio-pci')}"))
        assert vmm.process.wait(20) == 0
        bay.give_to("nvme")

    with lab.step("a guest that KVM cannot run is an error"):
        stray = f"{lab.folder}/stray-kernel"
        write_stray_kernel(stray)
        vmm = TinyVmm(lab, stray)
        assert vmm.process.wait(20) == 1
        vmm.hears("tiny-vmm: KVM cannot go on with the guest: exit")


def come_and_go(lab, vmm, bay):
    with lab.step("what cannot be is refused by name"):
        vmm.hears("remove: ", vmm.tell("remove"))
        vmm.hears("0000:7f:00.0", vmm.tell("add 0000:7f:00.0"))

    with lab.step("a drive is added, and the guest reads what the host wrote"):
        drive = bay.give_to("vfio-pci")
        vmm.hears("guest: has a disk: written on the host", vmm.tell(f"add {drive}"))

    with lab.step("removed in order, it is the host's again"):
        files = vfio_files(vmm.pid)
        since = vmm.tell("remove")
        vmm.hears("guest: has lost its disk", since)
        vmm.hears("RELEASED", since)
        wait_released(files)
        bay.give_to("nvme")
        write_text(bay, "written between")

    with lab.step("it comes again"):
        drive = bay.give_to("vfio-pci")
        vmm.hears("guest: has a disk: written between", vmm.tell(f"add {drive}"))

    with lab.step("pulled out of the host, it is gone from guest, hypervisor and host"):
        files, since = vfio_files(vmm.pid), len(vmm.said)
        pulled = bay.pull(vmm.pid)
        released = wait_released(files)
        lab.measured("pull to last file closed", released - pulled)
        lab.measured("pull to disk gone", vmm.hears("guest: has lost its disk", since) - pulled)
        bay.wait_empty()

    with lab.step("a new drive comes, and goes without the guest being asked"):
        bay.push()
        drive = bay.give_to("vfio-pci")
        vmm.hears("guest: has a disk", vmm.tell(f"add {drive}"))
        since = vmm.tell("pull")
        vmm.hears("guest: has lost its disk", since)
        vmm.hears("RELEASED", since)

    with lab.step("it comes again, and quit gives it back"):
        vmm.hears("guest: has a disk", vmm.tell(f"add {drive}"))
        vmm.tell("quit")
        assert vmm.process.wait(10) == 0
        bay.give_to("nvme")
