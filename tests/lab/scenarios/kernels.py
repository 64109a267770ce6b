# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""A kernel is unpacked once and loaded from then on, each time to another place; what cannot be kept starts as well."""
# lab: matrix

import os
import re
import shutil

from hypervisor import APPEND

RANDOM = APPEND.replace("nokaslr", "").strip()
KASLR_FLAG = 2  # of loadflags, which are byte 0x211 of the zero page
LINKED = ("ffffffff81000000", "01000000")


def place(guest):
    """The virtual and the physical address of the guest's kernel, as it says itself."""
    text = guest.run("grep -m 1 ' _text$' /proc/kallsyms").split()[0]
    code = re.search(r"([0-9a-f]+)-[0-9a-f]+ : Kernel code", guest.run("grep 'Kernel code' /proc/iomem"))
    return text, code[1]


def is_told(guest):
    """Whether the kernel was told that its place is random: it then randomizes its memory, too."""
    byte = guest.run("dd if=/sys/kernel/boot_params/data bs=1 skip=529 count=1 2>/dev/null | od -A n -t d1")
    return bool(int(byte) & KASLR_FLAG)


def has_five_levels(guest):
    """Whether its page tables have five levels; a guest that unpacks its kernel itself has them where it can."""
    return "la57" in guest.run("grep -m 1 flags /proc/cpuinfo").split()


def scenario(lab):
    folder = "/var/cache/lab-kernels"
    shutil.rmtree(folder, ignore_errors=True)

    def start(*words, cache=folder):
        vm = lab.start(extra=["-machine", f"x-hotbay-kernel-cache={cache}", *words])
        vm.guest.arrival("up", 120)
        return vm

    def timed(name, **options):
        vm = start(**options)
        seconds = lab.measured(f"{name}, to userspace", vm.guest.arrival("up") - vm.started)
        return vm, seconds

    with lab.step("a guest unpacks its kernel itself"):
        vm, _ = timed("a start without a cache", cache="off")
        five_levels = has_five_levels(vm.guest)
        lab.noted("five levels of page tables", five_levels)
        vm.stop()

    with lab.step("the first start of a kernel puts it into the cache"):
        vm, first = timed("first start of a kernel")
        vm.stop()
        entries = os.listdir(folder)
        assert len(entries) == 1 and re.fullmatch(r"[0-9a-f]{64}-[0-9a-f]{8}-2\.elf", entries[0]), entries
        entry = os.path.join(folder, entries[0])
        inode = os.stat(entry).st_ino

    with lab.step("a later one takes it from there, and is faster"):
        vm, later = timed("later start of a kernel")
        assert os.listdir(folder) == entries and os.stat(entry).st_ino == inode
        assert later < first, f"{later:.2f} s after {first:.2f} s"

    with lab.check("nokaslr has it where it is linked for"):
        assert place(vm.guest) == LINKED, place(vm.guest)
        assert not is_told(vm.guest)

    with lab.check("its page tables have as many levels as if it had unpacked itself"):
        assert has_five_levels(vm.guest) == five_levels
        vm.stop()

    with lab.step("without it, each start and each reset has another place"):
        places = []
        for _ in range(2):
            vm = start("-append", RANDOM).ready()
            places.append(place(vm.guest))
            assert is_told(vm.guest)
            if len(places) == 1:
                vm.stop()
        since = vm.guest.mark()
        vm.qmp.execute("system_reset")
        vm.guest.event("ready", 60, since)
        places.append(place(vm.guest))
        assert len(set(places)) == 3 and LINKED not in places, places
        assert len({text for text, _ in places}) > 1 and len({code for _, code in places}) > 1, places
        lab.noted("places", places)
        vm.stop()

    with lab.step("the unpacked kernel can be given as it is"):
        vm = start("-kernel", entry, cache="off")
        assert place(vm.guest) == LINKED
        vm.stop()

    with lab.step("a damaged one is not booted, but unpacked anew"):
        with open(entry, "r+b") as file:
            whole = file.read()
            file.seek(len(whole) // 2)
            file.write(bytes(byte ^ 0xFF for byte in whole[len(whole) // 2 :][:4096]))
        vm = start()
        assert os.listdir(folder) == entries and os.stat(entry).st_ino != inode
        with open(entry, "rb") as file:
            assert file.read() == whole
        vm.stop()

    with lab.step("a cache that others may write to is not used, and the guest starts"):
        os.chmod(folder, 0o777)
        os.unlink(entry)
        vm = start("-append", RANDOM)
        assert os.listdir(folder) == []
        assert is_told(vm.guest)
        vm.stop()
