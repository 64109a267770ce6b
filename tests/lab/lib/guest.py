# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""The guest, seen through its serial line: the other end of guest/agent.c."""

import itertools
import re
import time
from collections import deque, namedtuple

from lines import Lines

Event = namedtuple("Event", "time words")
Output = namedtuple("Output", "status text")
ProbeResult = namedtuple("ProbeResult", "time failed error count longest")


class GuestError(Exception):
    """A command in the guest failed."""


class Probe:
    """A running guest/probe.c: read, write or tick."""

    def __init__(self, guest, mode, disk):
        self._guest = guest
        self._words = f"probe {mode} {disk or '-'}"
        self._since = guest.mark()
        self._pid = int(guest.run(f"probe {mode} {disk or ''} & echo $!"))

    def result(self, seconds=30):
        """Waits for its end by itself: its I/O failed."""
        event = self._guest.event(self._words, seconds, self._since)
        words = event.words[len(self._words):].split()
        return ProbeResult(event.time, words[0] == "failed", int(words[1]), int(words[3]), int(words[5]) / 1e6)

    def stop(self):
        self._guest.run(f"kill {self._pid}", check=False)
        return self.result()


class Guest(Lines):
    unlogged = r"^#?\d+ clock"

    def __init__(self, fd, log_path):
        self._ids = itertools.count(1)
        self._current = None
        self._output = []
        self._outputs = {}
        self._clocks = {}
        self._events = []
        self._console = deque(maxlen=500)
        self._offset = 0.0
        super().__init__(fd, log_path, "guest")

    def take(self, line, arrived):
        if match := re.match(r"! (\d+) (.*)", line):
            self._events.append((arrived, int(match[1]) / 1e9, match[2]))
        elif match := re.match(r"#(\d+) clock (\d+)", line):
            self._clocks[int(match[1])] = (arrived, int(match[2]) / 1e9)
        elif match := re.match(r"(.*)#(\d+) done (\d+)", line):
            if match[1]:
                self._output.append(match[1])
            self._outputs[int(match[2])] = Output(int(match[3]), "\n".join(self._output))
            self._output = []
        else:
            self._output.append(line)
            self._console.append((arrived, line))

    def run(self, command, seconds=30, check=True):
        """Runs a shell command and returns what it printed; with check=False, an Output with its status too."""
        number = next(self._ids)
        with self.changed:
            self._output = []
        self.send_bytes(f"{number} {command}\n".encode())
        output = self.wait(lambda: self._outputs.pop(number, None), seconds, f"end of {command!r}")
        if not check:
            return output
        if output.status:
            raise GuestError(f"{command!r} in the guest: status {output.status}: {output.text}")
        return output.text

    def synchronise(self, rounds=8):
        """Learns how the guest's clock stands to the lab's, and returns by how much that may be wrong, in seconds."""
        best = None
        for _ in range(rounds):
            number = next(self._ids)
            sent = time.monotonic()
            self.send_bytes(f"{number} clock\n".encode())
            arrived, there = self.wait(lambda number=number: self._clocks.pop(number, None), 10, "clock")
            if best is None or arrived - sent < best[0]:
                best = (arrived - sent, (arrived + sent) / 2 - there)
        self._offset = best[1]
        return best[0] / 2

    def clock_offset(self):
        """What to add to the guest's clock to have the lab's, as synchronise() found it."""
        return self._offset

    def mark(self):
        """A place in the stream of events, for event(since=)."""
        return len(self._events)

    def events_since(self, place):
        """All events from a place in their stream on, each with its time on the lab's clock."""
        with self.changed:
            return [Event(there + self._offset, words) for _, there, words in self._events[place:]]

    def said(self, pattern, after):
        """The lines that match, of what came since that time and is neither an event nor an answer."""
        with self.changed:
            return [line for arrived, line in self._console if arrived >= after and re.search(pattern, line)]

    def arrival(self, words, seconds=60, since=0):
        """When the line of an event reached the lab."""
        return self._find(words, seconds, since)[0]

    def event(self, pattern, seconds=30, since=0):
        """The first event that the pattern matches, from the place on, with its time on the lab's clock."""
        _, there, words = self._find(pattern, seconds, since)
        return Event(there + self._offset, words)

    def _find(self, pattern, seconds, since):
        def find():
            return next((event for event in self._events[since:] if re.match(pattern, event[2])), None)
        return self.wait(find, seconds, f"event {pattern!r}")

    def disk_added(self, since, seconds=30):
        return self.event(r"add block nvme\d+n\d+$", seconds, since)

    def disks_added(self, since, count, seconds=60):
        """The events of that many new disks, in their order."""
        def find():
            found = [event for event in self._events[since:] if re.match(r"add block nvme\d+n\d+$", event[2])]
            return found if len(found) >= count else None
        events = self.wait(find, seconds, f"{count} new disks")
        return [Event(there + self._offset, words) for _, there, words in events]

    def disk_removed(self, since, seconds=30, disk=r"nvme\d+n\d+"):
        return self.event(rf"remove block {disk}$", seconds, since)

    def disks(self):
        """Serial number to disk, of every NVMe drive."""
        lines = self.run("grep -sH . /sys/block/nvme*/device/serial", check=False).text
        found = re.findall(r"/sys/block/(nvme\d+n\d+)/device/serial:(\S+)", lines)
        return {serial: disk for disk, serial in found}

    def disk(self, serial):
        disks = self.disks()
        if serial not in disks:
            raise GuestError(f"the guest has no disk {serial}, only {disks}")
        return disks[serial]

    def place(self, serial):
        """The PCI addresses of a drive and of its port, as the guest has them."""
        controllers = self.run(
            "for c in /sys/class/nvme/nvme*; do echo $(cat $c/serial) $(readlink -f $c/device); done")
        paths = dict(line.split() for line in controllers.splitlines())
        return paths[serial].split("/")[-1], paths[serial].split("/")[-2]

    def probe(self, mode, disk=None):
        return Probe(self, mode, disk)

    def fill(self, disk, seed, blocks=64):
        self.run(f"probe fill {disk} {seed} {blocks}")

    def verify(self, disk, seed, blocks=64):
        self.run(f"probe verify {disk} {seed} {blocks}")

    def functions(self):
        """The guest's own inventory: PCI address to (class, vendor:device)."""
        lines = self.run("cd /sys/bus/pci/devices; for d in *; do echo $d $(cat $d/class $d/vendor $d/device); done")
        return {address: (kind, f"{vendor}:{device}") for address, kind, vendor, device in
                (line.split() for line in lines.splitlines())}
