# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The hypervisor under test and its guest: hotbay, or a QEMU given the same command line."""

import re
import signal
import subprocess
import time

import stalled
from guest import Guest
from lines import LinesEnded, connect
from qmp import Qmp

APPEND = "console=ttyS0 quiet loglevel=1 panic=-1 nokaslr"

# Seconds in which a hypervisor opens its sockets, on a machine that is busy with other things; the first of a kernel
# unpacks it before.
STARTS = 60
# By the plan's slots: whether the guest's ACPI runs them, or its native hot-plug driver.
BY_ACPI = {"acpi": "on", "native": "off"}


def program(plan, kind):
    """The words that start a hypervisor: hotbay's; qemu, the machine's own; qemu-newer, which the lab host is under."""
    if kind == "hotbay":
        return [plan["hotbay"]]
    if kind == "qemu":
        return ["/usr/bin/qemu-system-x86_64"]
    assert kind == "qemu-newer", f"no hypervisor {kind}: hotbay, qemu or qemu-newer"
    folder = f"{plan['repo']}/.cache/lab/qemu/usr"
    return [f"{folder}/bin/qemu-system-x86_64", "-L", f"{folder}/share/qemu", "-L", "/usr/share/seabios"]


def port_options(bays):
    """Hot-plug root ports bay0.., eight to a PCI device."""
    words = []
    for n in range(bays):
        words += ["-device", f"pcie-root-port,id=bay{n},bus=pcie.0,chassis=1,slot={n + 1},"
                             f"addr={4 + n // 8:x}.{n % 8},multifunction=on"]
    return words


def bound_ports(policies):
    """Hot-plug root ports bound to bays of the host: a bay's number to its auto-add. Otherwise as port_options()."""
    words = []
    for n, policy in policies.items():
        words += ["-device", f"pcie-root-port,id=bay{n},bus=pcie.0,chassis=1,slot={n + 1},addr={4 + n // 8:x}.{n % 8},"
                             f"multifunction=on,host-slot={n + 1},auto-add={policy}"]
    return words


def iommu_options(plan, kind):
    """The IOMMU backend that the plan asks for. QEMU would want to be told of it at every drive."""
    if kind != "hotbay" or not plan["iommu"]:
        return []
    return ["-object", "iommufd,id=iommufd0"] if plan["iommu"] == "iommufd" else ["-machine", "x-hotbay-iommu=type1"]


def command_line(plan, kind, folder, memory=1024, cpus=1, bays=4, slots=None, extra=()):
    """slots: native or acpi, where that is not the plan's to choose."""
    acpi = BY_ACPI[slots or plan["slots"]]
    return [*program(plan, kind), "-machine", "q35", "-accel", "kvm", "-cpu", "host",
            "-smp", str(cpus), "-m", str(memory), "-kernel", plan["kernel"], "-initrd", plan["initrd"],
            "-append", APPEND, "-nodefaults", "-display", "none", "-no-user-config",
            "-global", f"ICH9-LPC.acpi-pci-hotplug-with-bridge-support={acpi}",
            "-serial", f"unix:{folder}/serial,server=on,wait=off", "-qmp", f"unix:{folder}/qmp,server=on,wait=off",
            *iommu_options(plan, kind), *port_options(bays), *extra]


class Hypervisor:
    """Starts on construction; ready() waits for the guest."""

    def __init__(self, lab, **options):
        self.lab = lab
        self.memory = options.get("memory", 1024)
        self.folder, self._logs = lab.new_machine()
        words = command_line(lab.plan, lab.kind, self.folder, **options)
        self._log = open(self._logs + "hypervisor.log", "wb")
        self._log.write((" ".join(words) + "\n").encode())
        self._log.flush()
        self.started = time.monotonic()
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.pid = self.process.pid
        try:
            self.guest = Guest(connect(f"{self.folder}/serial", STARTS), self._logs + "guest.log")
            self.qmp = Qmp(connect(f"{self.folder}/qmp", STARTS), self._logs + "qmp.log")
        except OSError as error:
            self.process.kill()
            raise AssertionError(f"the hypervisor does not answer: {error}; see {self._logs}hypervisor.log") from error
        self.qmp.negotiate()

    def ready(self, seconds=120):
        """Waits for the guest's userspace with its drivers; returns self."""
        self.guest.arrival("ready", seconds)
        self.guest.synchronise()
        return self

    def add(self, bay, drive_id=None, seconds=30):
        """Hot-adds a bay's drive to the slot of the same name; returns when it was asked and the guest's disk event."""
        host = bay.give_to("vfio-pci")
        since = self.guest.mark()
        at = time.monotonic()
        self.qmp.execute("device_add", seconds, driver="vfio-pci", host=host, id=drive_id or f"drive{bay.number}",
                         bus=bay.name)
        return at, self.guest.disk_added(since, seconds)

    def ask_removal(self, drive_id):
        """Asks for an orderly removal; returns when."""
        at = time.monotonic()
        self.qmp.execute("device_del", id=drive_id)
        return at

    def remove(self, drive_id, seconds=30):
        """An orderly removal from request to DEVICE_DELETED; returns when it was asked and the event."""
        since = self.qmp.mark()
        at = self.ask_removal(drive_id)
        return at, self.qmp.event("DEVICE_DELETED", seconds, since, device=drive_id)

    def slots(self):
        """query-pci's view: port id to the id of the function behind it, None when it is empty."""
        found = {}

        def look(devices):
            for device in devices:
                if "pci_bridge" in device:
                    behind = device["pci_bridge"].get("devices", [])
                    found[device["qdev_id"]] = behind[0]["qdev_id"] if behind else None
                    look(behind)
        for bus in self.qmp.execute("query-pci"):
            look(bus["devices"])
        return found

    def memory_beyond_guest(self):
        """Resident bytes that are not the guest's memory: all of smaps less the one mapping of the guest's size."""
        mappings = []
        for line in open(f"/proc/{self.pid}/smaps", encoding="utf-8"):
            if match := re.match(r"Size:\s+(\d+) kB", line):
                mappings.append([int(match[1]), 0])
            elif match := re.match(r"Rss:\s+(\d+) kB", line):
                mappings[-1][1] = int(match[1])
        guests = max(mappings)
        assert guests[0] >= self.memory * 1024 * 0.9, "no mapping is as large as the guest's memory"
        return (sum(rss for _, rss in mappings) - guests[1]) * 1024

    def resident(self):
        """Resident bytes, the guest's memory and all."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8", errors="replace") as file:
            return sum(int(size) << 10 for size in re.findall(r"(?:VmRSS|HugetlbPages):\s+(\d+) kB", file.read()))

    def save_guest_log(self):
        """Puts the end of the guest's kernel log beside the other logs, or else what its silence looks like."""
        try:
            with open(self._logs + "guest-dmesg.log", "w", encoding="utf-8") as file:
                file.write(self.guest.run("dmesg | tail -n 16 | cut -c1-110", seconds=15))
        except TimeoutError:
            with open(self._logs + "stalled.log", "w", encoding="utf-8") as file:
                file.write(stalled.describe(self.pid))
        except LinesEnded:
            pass

    def log(self):
        """What it has said on its standard output and error."""
        with open(self._logs + "hypervisor.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def alive(self):
        return self.process.poll() is None

    def wait_exit(self, seconds=30):
        return self.process.wait(seconds)

    def stop(self):
        """Ends it the hard way, if it has not ended."""
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
        self.guest.close()
        self.qmp.close()
        self._log.close()


def start_refused(lab, words, seconds=30, wrapper=()):
    """Runs a command line that must be refused, and returns the exit status and what it said."""
    try:
        done = subprocess.run([*wrapper, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"it was accepted: still running after {seconds} s") from error
    text = done.stdout.decode("utf-8", "replace")
    with open(f"{lab.folder}/refused.log", "a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(words)}\n{text}status {done.returncode}\n")
    return done.returncode, text.strip()
