# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What a hypervisor holds of the host: files, mappings, threads, and in KVM memory slots, interrupt routes and irqfds.

KVM does not tell what it holds, so its own functions are probed from before the hypervisor starts, and the calls summed
up. Memory slots and irqfds are those made less those taken back; routes are the entries of the last table, since each
call replaces all of it."""

import os
import re
import subprocess
import time
from collections import Counter, namedtuple

from host import link_of, write

TRACING = "/sys/kernel/tracing"
# Linux 6.1 virt/kvm/kvm_main.c, irqchip.c and eventfd.c; the arguments are in di, si, dx.
PROBES = (
    "p:lab/memory kvm:__kvm_set_memory_region slot=+0(%si):u32 size=+16(%si):u64",
    "p:lab/routes kvm:kvm_set_irq_routing count=%dx:u32",
    "p:lab/irqfd kvm:kvm_irqfd gsi=+4(%si):u32 flags=+8(%si):u32",
)
KVM_IRQFD_FLAG_DEASSIGN = 1
# Threads of a pool come and go, each with a stack and an arena; a leak adds more in a soak.
SPARE_MAPPINGS = 16
SPARE_THREADS = 4

Holdings = namedtuple("Holdings", "files drive_mappings mappings threads memory_slots routes irqfds")


class KvmWitness:
    """Of one virtual machine at a time: the lab has no other while a scenario runs."""

    def __init__(self):
        if not os.path.exists(f"{TRACING}/kprobe_events"):
            subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], check=True)
        self.stop()
        write(f"{TRACING}/kprobe_events", "\n".join(PROBES) + "\n")
        write(f"{TRACING}/events/lab/enable", "1")
        self._slots = {}
        self._routes = 0
        self._irqfds = 0

    def stop(self):
        if os.path.exists(f"{TRACING}/events/lab"):
            write(f"{TRACING}/events/lab/enable", "0")
        write(f"{TRACING}/kprobe_events", "\n")
        write(f"{TRACING}/trace", "\n")

    def look(self):
        """The numbers of memory slots, routes and irqfds."""
        with open(f"{TRACING}/trace", encoding="ascii") as file:
            text = file.read()
        lost = re.search(r"entries-in-buffer/entries-written: (\d+)/(\d+)", text)
        assert lost and lost[1] == lost[2], "the trace buffer of the lab host is too small for this run"
        slots, routes, irqfds = {}, 0, 0
        for name, numbers in re.findall(r": (memory|routes|irqfd): \(.*?\) (.*)", text):
            values = [int(value) for value in re.findall(r"=(\d+)", numbers)]
            if name == "memory":
                slots.pop(values[0], None)
                if values[1]:
                    slots[values[0]] = values[1]
            elif name == "routes":
                routes = values[0]
            else:
                irqfds += -1 if values[1] & KVM_IRQFD_FLAG_DEASSIGN else 1
        return len(slots), routes, irqfds


def look(pid, witness):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        maps = file.read().splitlines()
    links = [link_of(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    files = Counter(re.sub(r"\d+", "N", link) for link in links)
    drives = sum("vfio" in line for line in maps)
    return Holdings(files, drives, len(maps) - drives, len(os.listdir(f"/proc/{pid}/task")), *witness.look())


def leaks(before, now):
    """What is held now and was not before, in words."""
    found = [f"{now.files[kind] - before.files[kind]:+d} {kind}" for kind in sorted(before.files | now.files)
             if now.files[kind] != before.files[kind]]
    for name, spare in (("drive_mappings", 0), ("mappings", SPARE_MAPPINGS), ("threads", SPARE_THREADS),
                        ("memory_slots", 0), ("routes", 0), ("irqfds", 0)):
        more = getattr(now, name) - getattr(before, name)
        if more > spare or more < 0 and not spare:
            found.append(f"{more:+d} {name.replace('_', ' ')}")
    return found


def settled(pid, witness, before=None, seconds=10):
    """What it holds when it has come to rest: the same as before, or else the same for a second."""
    deadline = time.monotonic() + seconds
    last = look(pid, witness)
    while time.monotonic() < deadline:
        if before and not leaks(before, last):
            break
        time.sleep(1)
        now = look(pid, witness)
        if not before and now == last:
            break
        last = now
    return last
