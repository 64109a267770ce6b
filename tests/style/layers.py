#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""Who may include whom. The table below is docs/architecture.md's rule, and this test holds it."""

import os
import re

from tree import ROOT, Tap, files, read

# Room to what its files may include with quotes: private headers, from the top of the tree.
PRIVATE = {
    "include/hotbay": r"(?!)",
    "hw": r"hw/",
    "vfio": r"vfio/|hw/(config-space|bar|msi|msix|irq-remap|later|host-bridge|host|event-stream)\.h$",
    "acpi": r"acpi/",
    "options": r"options/",
    "vmm": r"vmm/",
    "ctl": r"ctl/",
    "examples": r"(?!)",
    "tests/embedding": r"(?!)",
}
# Everything that public headers may include with angle brackets.
PUBLIC_SEES = r"(hotbay/|glib\.h$|glib-object\.h$)"
# Headers of the system that only some files may have: they say which layer knows of what.
RESERVED = {
    r"linux/kvm\.h$": r"hw/kvm[-.]|vmm/|examples/",
    r"linux/(vfio|iommufd)\.h$": r"vfio/",
    r"pci/pci\.h$": r"vfio/inventory\.c$",
    r"libudev\.h$": r"vfio/",
    r"json-glib/": r"(vmm|ctl)/",
}


def room(path):
    return next((room for room in PRIVATE if path.startswith(room + "/")), None)


def complaint(path, mark, name):
    """Why this file may not include that, or None."""
    if mark == '"':
        return None if re.match(PRIVATE[room(path)], name) else "is of a room it may not see"
    if room(path) == "include/hotbay" and not re.match(PUBLIC_SEES, name):
        return "is neither glib nor a public header"
    for reserved, holders in RESERVED.items():
        if re.match(reserved, name) and not re.match(holders, path):
            return f"is for {holders} alone"
    return None


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*([<"])([^">]+)[">]', line):
            yield number, match[1], match[2]


def complaints(path, text):
    found = []
    for number, mark, name in includes(text):
        if reason := complaint(path, mark, name):
            found.append(f"{path}:{number}: {name} {reason}")
        if mark == '"' and not os.path.exists(os.path.join(ROOT, name)):
            found.append(f"{path}:{number}: {name} is no path from the top of the tree")
    return found


# What each rule is there to catch: if one of these passes, the test itself is broken.
FORBIDDEN = (
    ("include/hotbay/slot.h", "<stdio.h>"), ("include/hotbay/slot.h", '"hw/slot.h"'),
    ("hw/bar.c", '"vfio/device.h"'), ("hw/bar.c", "<linux/vfio.h>"), ("hw/bar.c", "<linux/kvm.h>"),
    ("vfio/device.c", '"hw/slot.h"'), ("vfio/device.c", "<pci/pci.h>"),
    ("vfio/device.c", "<linux/kvm.h>"), ("acpi/dsdt.c", '"hw/host-bridge.h"'),
    ("options/port-options.c", '"hw/port.h"'), ("options/properties.c", "<json-glib/json-glib.h>"),
    ("vmm/machine.c", '"hw/port.h"'), ("vmm/machine.c", "<linux/vfio.h>"),
    ("hw/bar.c", "<json-glib/json-glib.h>"), ("hw/bar.c", '"bar.h"'),
    ("ctl/drives.c", '"vfio/host-drive.h"'), ("ctl/drives.c", "<pci/pci.h>"), ("ctl/monitor.c", '"vmm/qmp.h"'),
    ("vmm/machine.c", '"ctl/json.h"'), ("tests/embedding/project/embedder.c", '"hw/port.h"'),
    ("examples/tiny-vmm.c", '"vmm/boot.h"'),
)


def main():
    tap = Tap()
    for path, included in FORBIDDEN:
        caught = complaints(path, f"#include {included}\n")
        tap.check(f"{included} in {path} would be caught", [] if caught else ["it was not"])
    for name in PRIVATE:
        found = [line for path in files(".c", ".h", under=name) for line in complaints(path, read(path))]
        tap.check(f"{name} includes only what it may", found)
    tap.finish()


main()
