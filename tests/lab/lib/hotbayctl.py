# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""hotbayctl on the lab host."""

import json
import os
import subprocess

DONE, FAILED, USAGE, REFUSED, NOT_FOUND, GUEST, NO_VM = range(7)


class Ctl:
    """Runs the hotbayctl that was built beside the hypervisor under test."""

    def __init__(self, lab):
        self.path = f"{lab.plan['repo']}/build/ctl/hotbayctl"
        self._log = f"{lab.folder}/hotbayctl.log"

    def run(self, *words, status=DONE, seconds=60):
        """Runs it and asserts its exit status; returns what it printed, complaints too."""
        done = subprocess.run([self.path, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, check=False, text=True)
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(f"$ hotbayctl {' '.join(words)}\n{done.stdout}status {done.returncode}\n")
        assert done.returncode == status, f"hotbayctl {' '.join(words)}: {done.returncode}: {done.stdout}"
        return done.stdout

    def refused(self, *words, saying, status=REFUSED):
        """Asserts that it is refused in words that hold all of these."""
        text = self.run(*words, status=status)
        missing = [word for word in saying if word not in text]
        assert not missing, f"{text!r} does not say {missing}"

    def drives(self):
        """Address to what `drives --json` says of the drive."""
        return {drive["address"]: drive for drive in json.loads(self.run("drives", "--json"))}

    def bays(self):
        return {bay["name"]: bay for bay in json.loads(self.run("bays", "--json"))}

    def as_nobody(self, *words):
        """Runs it without root and returns its JSON."""
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", self.path, *words],
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)


def persistent_rule(bay):
    """Of udev, for the drive in a bay of the lab host: its path, and what it matches beside the kind of drive."""
    port = bay.port[8:]
    return (f"/etc/udev/rules.d/70-hotbay-0000:00-{port}-00.0.rules",
            f'DEVPATH=="/devices/pci0000:00/0000:??:{port}/0000:??:00.0"')


def states():
    """What every switch may change: function to driver and override."""
    top = "/sys/bus/pci/devices"
    found = {}
    for name in os.listdir(top):
        driver = f"{top}/{name}/driver"
        with open(f"{top}/{name}/driver_override", encoding="ascii") as file:
            found[name] = (os.path.basename(os.readlink(driver)) if os.path.islink(driver) else None,
                           file.read().strip())
    return found
