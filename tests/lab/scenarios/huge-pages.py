# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Guest memory from the host's huge pages: a memfd, a mounted hugetlbfs; a pool that is too small is named."""

import re
import subprocess

from host import read
from huge_pool import pool
from hypervisor import command_line, start_refused

MIB = 1024
PAGES = MIB // 2


def huge_kib(pid):
    text = read(f"/proc/{pid}/smaps_rollup")
    return sum(int(size) for size in re.findall(r"^(?:Shared|Private)_Hugetlb: +(\d+) kB", text, re.MULTILINE))


def memfd(*more):
    return ["-machine", "memory-backend=m", "-object",
            ",".join(["memory-backend-memfd,id=m", f"size={MIB}M", "hugetlb=on", *more])]


def scenario(lab):
    def use(what, extra, bay):  # a bay whose drive keeps what is written to it
        with lab.step(f"a guest boots from {what}"):
            vm = lab.start(extra=extra).ready()
        with lab.step("a drive comes, holds data, and goes"):
            asked, disk = vm.add(bay)
            lab.measured("first hot-add", disk.time - asked)
            vm.guest.fill(vm.guest.disk(bay.name), seed=3)
            vm.guest.verify(vm.guest.disk(bay.name), seed=3)
            assert huge_kib(vm.pid) == MIB * 1024, f"{huge_kib(vm.pid)} KiB of it are huge pages"
            vm.remove(f"drive{bay.number}")
        vm.stop()

    with pool(PAGES):
        use("a memfd of huge pages", memfd("hugetlbsize=2M", "prealloc=on"), lab.bays[1])
    with pool(PAGES):
        folder = lab.new_machine()[0]
        subprocess.run(["mount", "-t", "hugetlbfs", "none", folder], check=True)
        use("a file on hugetlbfs", ["-mem-path", folder], lab.bays[3])
        subprocess.run(["umount", folder], check=True)
    with lab.step("a pool that is one page too small is named with its remedy"), pool(PAGES - 1):
        words = command_line(lab.plan, lab.kind, lab.new_machine()[0], extra=memfd())
        status, text = start_refused(lab, words)
        assert status == 1 and f"{PAGES} huge pages" in text and f"{PAGES - 1} free" in text, text
        assert "nr_hugepages" in text, text
