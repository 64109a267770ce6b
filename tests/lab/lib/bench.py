# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What the scenarios of tests/bench/compare share: hypervisors, and beside them "host", the lab host's own doing."""

import glob
import os
import re
import signal
import subprocess
import time

from guest import ProbeResult
from host import read, wait_until
from measure import version

HOST = "host"


def is_host(lab):
    """Whether the lab host's own figures are asked for, the floor; else notes which hypervisor it is."""
    if lab.kind != HOST:
        lab.noted(f"version of {lab.kind}", version(lab))
    return lab.kind == HOST


def own_program(lab, name):
    """A program of the guest's initrd, for use on the lab host."""
    path = f"/run/lab/{name}"
    os.makedirs("/run/lab", exist_ok=True)
    if not os.path.exists(path):
        with open(lab.plan["initrd"], "rb") as initrd:
            done = subprocess.run(["cpio", "-i", "--quiet", "--to-stdout", f"bin/{name}"], stdin=initrd,
                                  stdout=subprocess.PIPE, check=True)
        with open(path, "wb") as file:
            file.write(done.stdout)
        os.chmod(path, 0o755)
    return path


class HostProbe:
    """guest/probe.c on the lab host: as guest.Probe."""

    def __init__(self, lab, mode, disk=None):
        words = [own_program(lab, "probe"), mode, *([os.path.basename(disk)] if disk else [])]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def result(self, seconds=30):
        text, _ = self.process.communicate(timeout=seconds)
        words = re.search(r"! (\d+) probe \S+ \S+ (\S+) (\d+) count (\d+) longest (\d+)", text)
        return ProbeResult(int(words[1]) / 1e9, words[2] == "failed", int(words[3]), int(words[4]), int(words[5]) / 1e6)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.result()


def host_disks():
    """The lab host's NVMe disks, by name."""
    return {os.path.basename(path) for path in glob.glob("/sys/block/nvme*")}


def wait_gone(disk, seconds=30):
    name = os.path.basename(disk)
    return wait_until(lambda: not os.path.exists(f"/sys/block/{name}"), seconds, f"{name} is gone from the host")


def switch_off(bays):
    """Empties bays by the lab host's own slots, all of them at once, and waits until they take a new drive."""
    writers = [subprocess.Popen(["sh", "-c", f"echo 0 >/sys/bus/pci/slots/{bay.number + 1}/power"]) for bay in bays]
    for writer in writers:
        assert writer.wait(60) == 0
    for bay in bays:
        wait_until(bay.is_off, 10, f"{bay.name} is switched off")
    time.sleep(1)  # the emulator lets go of the drives' disks


def push_to_disk(bay):
    """Pushes a drive into a bay of the lab host; seconds until its disk is there."""
    at = bay.push()
    bay.disk()
    return time.monotonic() - at


def exits(pid):
    """What KVM has counted of a machine's exits, by kind."""
    folder = glob.glob(f"/sys/kernel/debug/kvm/{pid}-*")[0]
    return {name: int(read(f"{folder}/{name}")) for name in ("exits", "mmio_exits", "io_exits", "halt_exits")}
