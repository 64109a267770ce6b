# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The lab host's hardware: bays, the drives in them, and the hands that pull and push them."""

import glob
import os
import re
import subprocess
import time
from contextlib import contextmanager, suppress

from qmp import Qmp, QmpError

SYSFS = "/sys/bus/pci"
SLOT_CONTROL = 0x18
SECONDARY_BUS = 0x19


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def wait_until(true, seconds, what):
    """Waits for it, looking often, and returns when that was."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds} s: {what}")
        time.sleep(0.004)
    return time.monotonic()


@contextmanager
def on_one_cpu(pid):
    """Holds this process and all threads of another on one CPU: the outer emulator crashes when a drive is pulled while
    another CPU is in the middle of a doorbell write to it."""
    def place(cpus):
        for thread in [0] + ([int(name) for name in os.listdir(f"/proc/{pid}/task")] if pid else []):
            with suppress(ProcessLookupError):  # it ends as we look: those that close a drive do
                os.sched_setaffinity(thread, cpus)
    place({0})
    try:
        yield
    finally:
        place(range(os.cpu_count()))


@contextmanager
def swap_on(disk):
    """The disk is in use by the host. Swap needs no module, as file systems do."""
    subprocess.run(["mkswap", disk], check=True, capture_output=True)
    subprocess.run(["swapon", disk], check=True)
    try:
        yield
    finally:
        subprocess.run(["swapoff", disk], check=True)


class Bay:
    """A hot-plug slot, bayN, and the drive in it, whose serial number is bayN too unless another one was pushed in."""

    def __init__(self, host, number):
        self._host = host
        self.number = number
        self.name = f"bay{number}"
        self.port = f"0000:00:{4 + number // 8:02x}.{number % 8}"
        # unless the lab is run with --shift
        self.usual_address = f"0000:{1 + number:02x}:00.0"
        self.serial = self.name
        self._pushed = 0

    def drive(self):
        """The PCI address of its drive, None when it is empty."""
        found = glob.glob(f"{SYSFS}/devices/{self.port}/0000:*:*.*/class")
        return found[0].split("/")[-2] if found else None

    def driver(self):
        return driver_of(self.drive())

    def disk(self):
        """Its block device on the lab host, while the host's own driver has it."""
        pattern = f"{SYSFS}/devices/{self.drive()}/nvme/nvme*/nvme*n*"
        wait_until(lambda: glob.glob(pattern), 10, f"{self.name}'s disk is on the host")
        # nvme0c1n1 is one path, by controller 1, to the disk nvme0n1
        disk = "/dev/" + re.sub(r"c\d+", "", os.path.basename(glob.glob(pattern)[0]))
        wait_until(lambda: os.path.exists(disk), 10, f"{disk} is there")
        return disk

    def group(self):
        return os.path.basename(os.readlink(f"{SYSFS}/devices/{self.drive()}/iommu_group"))

    def give_to(self, driver):
        """Binds the drive to a driver, vfio-pci or nvme, and returns its address."""
        drive = self.drive()
        assert drive, f"{self.name} is empty"
        bind(drive, driver)
        return drive

    def pull(self, pid=None):
        """Takes the drive out, by surprise, from under the hypervisor pid; returns when."""
        with on_one_cpu(pid), self._slot_control() as (file, register):
            control = read_word(file, register) & ~0x0720
            at = time.monotonic()
            # Power off with the hot-plug interrupt masked: the emulator drops the drive. Power on and unmask: the lab
            # host sees the card gone, and no reason for it.
            os.pwrite(file, (control | 0x0700).to_bytes(2, "little"), register)
            os.pwrite(file, (control | 0x0120).to_bytes(2, "little"), register)
        return at

    @contextmanager
    def _slot_control(self):
        """The port's config space, and where its Slot Control register is."""
        file = os.open(f"{SYSFS}/devices/{self.port}/config", os.O_RDWR)
        try:
            yield file, express_capability(file) + SLOT_CONTROL
        finally:
            os.close(file)

    def is_off(self):
        """The lab host has switched the empty slot off, power and indicator. Until it has, about a second after a pull,
        the emulator would drop a new drive with the old."""
        with self._slot_control() as (file, register):
            return read_word(file, register) & 0x0700 == 0x0700

    def wait_empty(self, seconds=10):
        """When the lab host had let go of the drive."""
        return wait_until(lambda: not os.path.exists(f"{SYSFS}/devices/{self.port}/pci_bus") or not self.drive(),
                          seconds, f"{self.name} is free on the host")

    def push(self, seconds=10, serial=None):
        """Puts the drive back in, or one with another serial number, and waits until the lab host has it; returns when
        it was pushed."""
        wait_until(self.is_off, seconds, f"{self.name} is switched off")
        deadline = time.monotonic() + seconds
        while True:
            at = time.monotonic()
            try:
                self._host.outer.answer(self.ask_push(serial))
                break
            except QmpError:
                # the drive before it still holds the disk
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        wait_until(lambda: self.drive() and self.driver(), seconds, f"{self.name}'s drive has a driver")
        return at

    def ask_push(self, serial=None):
        """Asks the outer emulator for that, and returns the number of its answer."""
        self._pushed += 1
        self.serial = serial or self.name
        return self._host.outer.send("device_add", driver="nvme", id=f"{self.name}-{self._pushed}", serial=self.serial,
                                     drive=f"disk{self.number}", bus=f"rp{self.number}")

    def fail(self, error):
        """Lets the bay's port see an AER error, by QEMU's name: the lab host tells the driver of the drive below,
        as of an error of the drive's own, which QEMU's drives cannot report. Returns when."""
        at = time.monotonic()
        said = self._host.outer.execute("human-monitor-command",
                                        command_line=f"pcie_aer_inject_error rp{self.number} {error}")
        assert said.startswith("OK"), said
        return at

    @contextmanager
    def silent(self):
        """Meanwhile the drive, its link up, answers no access to its config space: its port passes none on.
        Yields when it began."""
        with open(f"{SYSFS}/devices/{self.port}/config", "r+b", buffering=0) as file:
            bus = os.pread(file.fileno(), 1, SECONDARY_BUS)
            os.pwrite(file.fileno(), b"\xff", SECONDARY_BUS)
            try:
                yield time.monotonic()
            finally:
                os.pwrite(file.fileno(), bus, SECONDARY_BUS)

    def power_off(self):
        """Asks the lab host's own slot to let the drive go in order; returns when the lab host has done so."""
        write(f"{SYSFS}/slots/{self.number + 1}/power", "0")
        return time.monotonic()

    def press_button(self, seconds=30):
        """Presses the attention button of the lab host's slot, which then takes its five seconds; returns when the
        drive has left."""
        self._host.outer.execute("device_del", id=f"{self.name}-{self._pushed}" if self._pushed else self.name)
        wait_until(lambda: not self.drive(), seconds, f"{self.name} is empty")
        return time.monotonic()

    def restore(self):
        """As a scenario finds it: a drive, with the host's own driver."""
        if not self.drive():
            self.push()
        if self.driver() != "nvme":
            self.give_to("nvme")


class Host:
    def __init__(self, drives, out):
        self.bays = [Bay(self, number) for number in range(drives)]
        ports = [path for path in glob.glob("/sys/class/virtio-ports/*") if read(path + "/name") == "outer.qmp"]
        self.outer = Qmp(os.open("/dev/" + os.path.basename(ports[0]), os.O_RDWR), f"{out}/outer-qmp.log", "outer QMP")
        self.outer.negotiate()

    def shared_functions(self):
        """A drive that shares its IOMMU group with another function, and that function."""
        bus = glob.glob(f"{SYSFS}/devices/0000:00:1d.0/0000:*:00.0")[0]
        return os.path.basename(bus), os.path.basename(bus)[:-1] + "1"

    def restore(self):
        for bay in self.bays:
            bay.restore()
        for function, driver in zip(self.shared_functions(), ("nvme", "virtio-pci")):
            if driver_of(function) != driver:
                bind(function, driver)

    def kernel_log(self, after):
        """What the kernel has logged since that time on its own clock, as /proc/uptime has it."""
        with os.popen("dmesg") as pipe:
            lines = re.findall(r"^\[ *([\d.]+)\] (.*)", pipe.read(), re.MULTILINE)
        return "\n".join(text for when, text in lines if float(when) >= after)

    def kernel_said(self, after, *patterns):
        """When the kernel's log first matched one of the patterns after that time, None if it did not. Its clock is
        compared with ours by a line of our own."""
        mark = f"lab mark {time.monotonic()}"
        write("/dev/kmsg", mark + "\n")
        with os.popen("dmesg") as pipe:
            lines = re.findall(r"^\[ *([\d.]+)\] (.*)", pipe.read(), re.MULTILINE)
        offset = float(mark.split()[-1]) - next(float(when) for when, text in lines if text == mark)
        for pattern in patterns:
            for when, text in lines:
                if float(when) + offset >= after and re.search(pattern, text):
                    return float(when) + offset
        return None


def driver_of(function):
    link = f"{SYSFS}/devices/{function}/driver"
    return os.path.basename(os.readlink(link)) if os.path.islink(link) else None


def is_settled(function):
    """False while the nvme driver is still starting a drive. To unbind it then makes the driver give up a little later,
    and release the drive from whatever has it by then (Linux 6.1 drivers/nvme/host/pci.c, nvme_remove_dead_ctrl())."""
    try:
        states = [read(path) for path in glob.glob(f"{SYSFS}/devices/{function}/nvme/nvme*/state")]
    except OSError:
        return False
    return driver_of(function) != "nvme" or any(state in ("live", "dead") for state in states)


def bind(function, driver):
    wait_until(lambda: is_settled(function), 60, f"the nvme driver has started {function}")
    path = f"{SYSFS}/devices/{function}"
    write(f"{path}/driver_override", driver if driver == "vfio-pci" else "\n")
    if os.path.exists(f"{path}/driver"):
        write(f"{path}/driver/unbind", function)
    write(f"{SYSFS}/drivers_probe", function)
    assert driver_of(function) == driver, f"{function} went to {driver_of(function)}, not {driver}"


def read_word(config, at):
    return int.from_bytes(os.pread(config, 2, at), "little")


def express_capability(config):
    """Where the PCI Express capability is in a config space."""
    at = os.pread(config, 1, 0x34)[0]
    while at:
        kind, following = os.pread(config, 2, at)
        if kind == 0x10:
            return at
        at = following
    raise AssertionError("a port without the PCI Express capability")


def vfio_files(pid):
    """What a process has open of VFIO beside the container: path in /proc to what its link says."""
    links = {}
    for path in glob.glob(f"/proc/{pid}/fd/*"):
        link = link_of(path)
        if re.search(r"/dev/vfio/\d|vfio-device|/dev/vfio/devices", link):
            links[path] = link
    return links


def files_of_a_drive(files):
    """How many of these VFIO files each drive has: its device and its group, or with iommufd the device alone."""
    return 1 if any("/dev/vfio/devices/" in link for link in files.values()) else 2


def link_of(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def wait_released(before, seconds=10):
    """When as many of these VFIO files had been closed as a drive has."""
    left = len(before) - files_of_a_drive(before)
    return wait_until(lambda: sum(link_of(path) == link for path, link in before.items()) <= left,
                      seconds, "the drive's VFIO files are closed")
