# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: how fast guest memory is mapped for DMA, by the size of its pages; asserts nothing else."""
# lab: only by name

import re
from contextlib import nullcontext

from bench import is_host
from host import read, write
from huge_pool import pool
from ioctls import ATTACH_PT, IOAS_MAP, MAP_DMA, count, traced

MIB = 2048
COMPACT = "/proc/sys/vm/compact_memory"
THP = "/sys/kernel/mm/transparent_hugepage/enabled"
BACKENDS = {
    "4 KiB pages": ("never", "memory-backend-ram,id=m,prealloc=on", nullcontext),
    "transparent huge pages": ("always", "memory-backend-ram,id=m,prealloc=on", nullcontext),
    "huge pages of 2 MiB": ("never", "memory-backend-memfd,id=m,hugetlb=on,hugetlbsize=2M,prealloc=on",
                            lambda: pool(MIB // 2)),
}


def huge_share(pid):
    """How much of the guest's memory is in huge pages."""
    text = read(f"/proc/{pid}/smaps_rollup")
    sizes = re.findall(r"^(?:AnonHugePages|ShmemPmdMapped|(?:Shared|Private)_Hugetlb): +(\d+) kB", text, re.MULTILINE)
    return sum(int(size) for size in sizes) / 1024 / MIB


def measure(lab, pages, backend):
    vm = lab.start(memory=MIB, extra=["-S", "-machine", "memory-backend=m", "-object", f"{backend},size={MIB}M"])
    with traced(vm.pid) as calls:
        vm.qmp.execute("device_add", driver="vfio-pci", host=lab.bays[0].give_to("vfio-pci"), id="drive0", bus="bay0")
    share = huge_share(vm.pid)
    assert share < 0.1 if pages.startswith("4") else share > 0.9, f"{share:.0%} of it is in huge pages"
    maps = [call.seconds for call in calls if call.name in (MAP_DMA, IOAS_MAP, ATTACH_PT)]
    assert maps, f"nothing was mapped: {count(calls)}"
    lab.measured(f"DMA map, {pages}", sum(maps) / MIB * 1024, "s/GiB")
    lab.measured(f"calls of it, {pages}", len(maps), "")
    vm.stop()


def scenario(lab):
    with lab.step("a guest is what this measures"):
        assert not is_host(lab), "the lab host has no figures of its own here"
    before = re.search(r"\[(\w+)\]", read(THP))[1]
    for pages, (transparent, backend, memory) in BACKENDS.items():
        with lab.check(f"a drive is added to a guest in {pages}"), memory():
            write(COMPACT, "1")  # or whoever comes first would have the memory that lies in one piece
            write(THP, transparent)
            try:
                measure(lab, pages, backend)
            finally:
                write(THP, before)
