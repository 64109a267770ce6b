# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Bays when things go wrong: the host uses the drive, the guest does not let go of it, the hypervisor is killed while
it takes it."""

import os
import signal
import threading
import time
from contextlib import ExitStack, contextmanager

from asking import blink, severed
from host import SYSFS, read, swap_on, wait_until

# Seconds: so many more than the guest's answer takes, that one cannot be taken for the other.
HOST_TIMEOUT = 60
# More than fit the 8 MiB in which the kernel keeps them, at over 500 bytes each with what belongs to it.
EVENTS = 20000
SLOT_CONTROL_HIGH = 0x79  # where the power indicator is, in a port's config space


def ports():
    """A port for each of the first two bays of the host."""
    words = []
    for n in range(2):
        words += ["-device", f"pcie-root-port,id=bay{n},bus=pcie.0,chassis=1,slot={n + 1},addr=4.{n},"
                             f"multifunction=on,x-host-removal-timeout-ms={HOST_TIMEOUT * 1000},"
                             f"host-slot={n + 1},auto-add=on"]
    return words


def is_swap(disk):
    return any(line.split()[0] == disk for line in read("/proc/swaps").splitlines())


def tell_much():
    """The host's kernel tells more than it keeps for who does not listen."""
    with open("/sys/devices/virtual/mem/null/uevent", "wb", buffering=0) as file:
        for _ in range(EVENTS):
            file.write(b"change")


@contextmanager
def deaf(vm):
    """The hypervisor does not run for a while: what the host's kernel tells waits for it."""
    os.kill(vm.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(vm.pid, signal.SIGCONT)


def scenario(lab):
    first, second = lab.bays[:2]

    # the drive is the host's, and in use, before there is a VM
    disk = second.disk()
    with swap_on(disk):
        vm = lab.boot(bays=0, extra=ports())
        guest = vm.guest
        with lab.step("a drive that the host uses at the start is left to it, and the VM runs without"):
            assert set(guest.disks()) == {first.name} and vm.slots()["bay1"] is None
            assert "host slot 2" in vm.log() and "is swap: swapoff" in vm.log(), vm.log()
            assert second.driver() == "nvme" and is_swap(disk)

    def lend(bay):
        """The bay is emptied and its drive pushed in again, for the guest."""
        bay.power_off()
        since = guest.mark()
        bay.push()
        guest.disk_added(since)

    with lab.step("free again, and pushed in again, it is in the guest"):
        lend(second)
        assert set(guest.disks()) == {first.name, second.name}

    with lab.step("a drive that the host began to use before the VM saw it is refused, and untouched"):
        second.power_off()
        with ExitStack() as uses:
            with deaf(vm):
                told = vm.qmp.mark()
                second.push()
                disk = second.disk()
                uses.enter_context(swap_on(disk))
            event = vm.qmp.event("HOTBAY_HOST_DRIVE_REFUSED", 10, told, bus="bay1", host=second.drive())
            assert "is swap: swapoff" in event["data"]["reason"], event
            assert second.driver() == "nvme" and is_swap(disk)
            assert vm.slots()["bay1"] is None and set(guest.disks()) == {first.name}
        lend(second)

    with lab.step("a push that the VM was not told of, for all else that the host's kernel told meanwhile, is found"):
        second.power_off()
        since = guest.mark()
        with deaf(vm):
            tell_much()
            second.push()
        guest.disk_added(since)
        assert "looking at all bays again" in vm.log(), vm.log()

    with lab.step("a guest that refuses what the host asks for is pulled from at once"):
        port = guest.place(second.name)[1]
        told, ended = vm.qmp.mark(), []
        asked = threading.Thread(target=lambda: ended.append(second.power_off()))
        asked.start()
        blink(vm, "bay1", told)
        guest.run(f"printf '\\021' | dd of=/sys/bus/pci/devices/{port}/config bs=1 seek={SLOT_CONTROL_HIGH} "
                  "conv=notrunc 2>/dev/null")
        at = time.monotonic()
        asked.join(HOST_TIMEOUT + 10)
        lab.within("the guest's refusal to the end of the host's request", ended[0] - at, 10)
        assert severed(vm, "bay1-drive", told) == "escalated" and not second.drive()

    with lab.step("killed while it takes a drive from the host's driver, it leaves no trouble behind"):
        with deaf(vm):
            told = vm.qmp.mark()
            second.push()
            drive = second.drive()
            assert second.driver() == "nvme"
        # the first thing that a switch writes; its end is yet to be told to the VM
        override = f"{SYSFS}/devices/{drive}/driver_override"
        wait_until(lambda: read(override) == "vfio-pci", 10, "the switch is under way")
        vm.process.kill()
        vm.wait_exit()
        lab.noted("driver of the drive that was being taken", second.driver() or "none")
        assert not [event for event in vm.qmp.events[told:] if event["event"] == "HOTBAY_HOST_DRIVE_TAKEN"]
    vm = lab.boot(bays=0, extra=ports())
    with lab.step("the next has that drive too"):
        assert set(vm.guest.disks()) == {first.name, second.name}
