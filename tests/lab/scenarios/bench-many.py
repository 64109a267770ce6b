# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""For tests/bench/compare: 32 drives, one after another and all at once; asserts nothing of the figures."""
# lab: --drives 32 --memory 8192
# lab: only by name

import time

from bench import host_disks, is_host, push_to_disk, switch_off
from host import wait_until

SECONDS = 400


def chart(lab, name, times):
    """When the first disk was there, the second, and so on."""
    lab.charted(name, [[number, seconds] for number, seconds in enumerate(times, 1)])
    lab.measured(name, times[-1])


def end(vm):
    """Leaves it to the kernel to close the drives, one after another: 32 resets at once can bring the emulator down."""
    vm.process.kill()
    vm.wait_exit()
    vm.stop()


def lab_host(lab):
    before = len(host_disks()) - len(lab.bays)
    with lab.step("32 drives are pushed in, one after another"):
        switch_off(lab.bays)
        started = time.monotonic()
        times = []
        for bay in lab.bays:
            push_to_disk(bay)
            times.append(time.monotonic() - started)
        chart(lab, "32 drives one after another", times)
    with lab.step("and all at once"):
        switch_off(lab.bays)
        started = time.monotonic()
        asked = [bay.ask_push() for bay in lab.bays]
        times = [wait_until(lambda count=count: len(host_disks()) - before >= count, 60, f"{count} disks") - started
                 for count in range(1, len(lab.bays) + 1)]
        for number in asked:
            lab.host.outer.answer(number)
        chart(lab, "32 drives all at once", times)


def hypervisor(lab):
    with lab.step("a guest boots with 32 slots"):
        addresses = [bay.give_to("vfio-pci") for bay in lab.bays]
        vm = lab.start(bays=32).ready()
    with lab.step("32 drives are added one after another"):
        times, started = [], None
        for bay in lab.bays:
            asked, disk = vm.add(bay)
            started = started or asked
            times.append(disk.time - started)
        chart(lab, "32 drives one after another", times)
        end(vm)

    with lab.step("another guest boots with 32 slots"):
        vm = lab.start(bays=32).ready()
    with lab.step("32 drives are added all at once"):
        since, started = vm.guest.mark(), time.monotonic()
        tick = vm.guest.probe("tick")
        asked = [vm.qmp.send("device_add", driver="vfio-pci", host=address, id=f"drive{bay.number}", bus=bay.name)
                 for bay, address in zip(lab.bays, addresses)]
        disks = vm.guest.disks_added(since, len(lab.bays), 100)
        answers = [vm.qmp.answer(number) for number in asked]
        chart(lab, "32 drives all at once", sorted(disk.time - started for disk in disks))
        lab.measured("32 drives all at once, the last command answered",
                     max(answer["arrived"] for answer in answers) - started)
        lab.measured("longest silence in 32 drives all at once", tick.stop().longest)
        assert set(vm.guest.disks()) == {bay.name for bay in lab.bays}
        end(vm)


def scenario(lab):
    if is_host(lab):
        lab_host(lab)
    else:
        hypervisor(lab)
