# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: how fast a drive is read in a guest, and on the lab host; asserts nothing of the figures."""
# lab: only by name

import os
import statistics
import subprocess

from bench import exits, is_host, own_program
from stalled import mount_debug

# The words of guest/reads.c, and how often each is done; the median counts.
KINDS = {
    "random 4 KiB, depth 1": "random 4096 1",
    "random 4 KiB, depth 32": "random 4096 32",
    "sequential 128 KiB, depth 4": "sequential 131072 4",
}
RUNS = 3
SECONDS_EACH = 1
# Bays by what the lab's drives are over: nothing at all, and a file.
DRIVES = {"over nothing": 0, "over a file": 1}


def run_host(lab, disk, words):
    done = subprocess.run([own_program(lab, "reads"), os.path.basename(disk), *words.split(), str(SECONDS_EACH)],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def median_rate(run):
    """Reads a second, and how many reads there were in all."""
    rates, reads = [], 0
    for _ in range(RUNS):
        count, nanoseconds = (int(word) for word in run().split())
        rates.append(count / nanoseconds * 1e9)
        reads += count
    return statistics.median(rates), reads


def read_on_host(lab, drive, bay, rates):
    for kind, words in KINDS.items():
        disk = bay.disk()
        rates[drive, kind], _ = median_rate(lambda words=words, disk=disk: run_host(lab, disk, words))
        lab.measured(f"{kind}, {drive}, lab host's own", rates[drive, kind], "1/s")


def counted(vm, run):
    """What a function returns, and the exits by kind meanwhile."""
    before = exits(vm.pid)
    result = run()
    return result, {name: count - before[name] for name, count in exits(vm.pid).items()}


def read_in_guest(lab, vm, drive, bay, rates):
    disk = vm.guest.disk(bay.name)
    for kind, words in KINDS.items():
        # To say a command to the guest and to hear the answer is exits, too: those of as many that read nothing.
        command = f"reads {disk} {words}"
        _, idle = counted(vm, lambda command=command: [vm.guest.run(f"{command} 0") for _ in range(RUNS)])
        (rate, reads), during = counted(vm, lambda command=command: median_rate(
            lambda: vm.guest.run(f"{command} {SECONDS_EACH}")))
        lab.measured(f"{kind}, {drive}", rate, "1/s")
        lab.measured(f"{kind}, {drive}, of the lab host's own", rate / rates[drive, kind], "")
        for name, count in during.items():
            lab.measured(f"{name} a read, {kind}, {drive}", max(count - idle[name], 0) / reads, "")


def scenario(lab):
    with lab.step("a guest is what this measures"):
        assert not is_host(lab), "each hypervisor's run has the lab host's own figures"
    rates = {}
    mount_debug()
    with lab.step("the lab host reads the drives"):
        for drive, number in DRIVES.items():
            read_on_host(lab, drive, lab.bays[number], rates)
    vm = lab.boot()
    with lab.step("and the guest"):
        for number in DRIVES.values():
            vm.add(lab.bays[number])
        for drive, number in DRIVES.items():
            read_in_guest(lab, vm, drive, lab.bays[number], rates)
