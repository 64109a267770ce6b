# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: the first hot-add to guests of 1 to 8 GiB; asserts nothing of the figures."""
# lab: --memory 11264
# lab: only by name

import time

from bench import is_host
from huge_pool import pool

SIZES = (1024, 2048, 8192)
SECONDS = 600
ADD_SECONDS = 100  # whoever finds the memory only now takes long for it
SETTLED_BYTES, SETTLED_SECONDS = 16 << 20, 1


def settle(vm):
    """Waits until the process does not grow any more: nobody's guest is to be measured while it gets its memory."""
    size, since = vm.resident(), time.monotonic()
    deadline = since + ADD_SECONDS
    while time.monotonic() < min(since + SETTLED_SECONDS, deadline):
        time.sleep(0.1)
        if vm.resident() > size + SETTLED_BYTES:
            size, since = vm.resident(), time.monotonic()
    return since


def first_add(lab, size, what, extra=()):
    """Seconds to the disk, and the longest silence, of the first hot-add to a guest of that many MiB."""
    vm = lab.start(memory=size, extra=extra).ready()
    lab.measured(f"start to settled memory, {what}", settle(vm) - vm.started)
    lab.measured(f"resident then, {what}", vm.resident() / 2**20, "MiB")
    tick = vm.guest.probe("tick")
    asked, disk = vm.add(lab.bays[0], seconds=ADD_SECONDS)
    seconds = lab.measured(f"first hot-add, {what}", disk.time - asked)
    silence = lab.measured(f"longest silence in it, {what}", tick.stop().longest)
    vm.stop()
    return seconds, silence


def scenario(lab):
    with lab.step("a guest is what this measures"):
        assert not is_host(lab), "the lab host has no figures of its own here"
    added, silent = [], []
    for size in SIZES:
        gib = size // 1024
        with lab.step(f"first hot-add to a guest of {gib} GiB"):
            seconds, silence = first_add(lab, size, f"{gib} GiB")
            added.append([gib, seconds])
            silent.append([gib, silence])
    lab.charted("first hot-add by memory", added)
    lab.charted("longest silence by memory", silent)

    size = SIZES[-1]
    with lab.step(f"first hot-add to a guest of {size // 1024} GiB in huge pages"), pool(size // 2):
        backend = f"memory-backend-memfd,id=m,size={size}M,hugetlb=on,prealloc=on"
        first_add(lab, size, f"{size // 1024} GiB of huge pages",
                  ["-machine", "memory-backend=m", "-object", backend])
