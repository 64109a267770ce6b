#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
"""What becomes of the lab's results: what counts as failed, what a target says, how a trace is read, what a page says.
Of the page only the text: its plots need gnuplot."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "../style"), os.path.join(HERE, "../lab/lib")]

from figures import least, limit, share, verdict
from ioctls import parse
from page import origins, summary, table
from parts import PARTS, failures
from sections import SECTIONS, rows_of
from tree import Tap, files

TITLES = {"hotbay": "hotbay", "qemu": "QEMU 1.0", "qemu-newer": "QEMU 2.0", "host": "lab host"}
TRACE = """
          hotbay-7     [001] .....   100.000001: sys_ioctl(fd: 5, cmd: 3b71, arg: 7ffc)
       CPU 0/KVM-8     [000] .....   100.100000: sys_ioctl -> 0x0
     pool-hotbay-9     [001] d..1.   100.150000: sys_ioctl(fd: 5, cmd: 4008ae6a, arg: 7ffc)
          hotbay-7     [001] .....   100.250001: sys_ioctl -> 0x0
"""


def step(kind, ok=True):
    return dict(hypervisor=kind, name="a guest boots", ok=ok)


def part(**figures):
    return dict(commit="abc", date="today", command="tests/bench/compare", machine="a machine", load=0.1, minutes=1.0,
                again={}, failed={}, series={}, versions={},
                figures={kind.replace("_", "-"): {name: [value, "s"] for name, value in row.items()}
                         for kind, row in figures.items()})


def differs(found, expected):
    return [] if found == expected else [f"{found!r} is not {expected!r}"]


def check_failures(tap):
    kinds = ["host", "hotbay", "qemu"]
    for name, steps, whole, expected in (
            ("all is well", [step(kind) for kind in kinds], True, {}),
            ("one failed", [step("host"), step("hotbay", False), step("qemu")], True, {"hotbay": "a guest boots"}),
            ("the lab host went down", [step("host"), step("hotbay")], False,
             {"hotbay": "the lab host went down", "qemu": "it was not reached"}),
            ("it never came up", [], False, {kind: "it was not reached" for kind in kinds})):
        tap.check(f"what is to be run again when {name}",
                  differs(failures(dict(steps=steps), whole, kinds), expected))


def check_verdicts(tap):
    for target, ours, theirs, expected in (
            (limit(2), 2, None, ("<= 2", True)), (limit(2), 2.1, 9, ("<= 2", False)),
            (limit(2), None, 1, ("<= 2", None)),
            (share(0.5), 1, 2, ("<= 0.5 x QEMU", True)), (share(0.5), 1.1, 2, ("<= 0.5 x QEMU", False)),
            (share(0.5), 1, None, ("<= 0.5 x QEMU", None)), (least(1.5), 3, 2, (">= 1.5 x QEMU", True)),
            (least(1.5), 2.9, 2, (">= 1.5 x QEMU", False)), (None, 1, 2, ("", None))):
        tap.check(f"{ours} beside {theirs} for {target}", differs(verdict(target, ours, theirs), expected))


def check_trace(tap):
    iommufd = "".join(f"hotbay-7 [000] ..... {n}.0: sys_ioctl(fd: 1, cmd: {code}, arg: 0)\n"
                      for n, code in enumerate(("3b85", "3b76", "3b77")))
    tap.check("iommufd's calls have names", differs(
        [call.name for call in parse(iommufd)],
        ["IOMMU_IOAS_MAP", "VFIO_DEVICE_BIND_IOMMUFD", "VFIO_DEVICE_ATTACH_IOMMUFD_PT"]))
    found = [(call.name, call.seconds and round(call.seconds, 3)) for call in parse(TRACE)]
    tap.check("calls of threads that overlap, and one that has not returned",
              differs(found, [("VFIO_IOMMU_MAP_DMA", 0.25), ("KVM_SET_GSI_ROUTING", None)]))


def check_page(tap):
    parts = {"many": part(hotbay={"32 drives all at once": 9.0}, qemu={"32 drives all at once": 10.0})}
    found = "\n".join(summary(parts))
    tap.check("a missed target is told with both figures",
              [] if "Thirty-two drives" in found and "9 (QEMU 10)" in found and "0 of 1" in found else [found])
    section = next(section for section in SECTIONS if section.part == "many")
    found = "\n".join(table(parts["many"], "many", rows_of(section, parts["many"]), TITLES))
    tap.check("a row has what there is, a dash for the rest, the verdict and the part", [] if (
        "| 32 drives all at once, s | 9 | 10 | – | – | 0.90 | ≤ 0.4 × QEMU: **missed** | `--only many` |" in found
        and "last command answered" not in found) else [found])
    parts["many"].update(again={"qemu": "a guest boots"}, failed={"hotbay": "a guest boots"})
    found = "\n".join(origins(parts))
    tap.check("what was run again, and what is not whole, is told",
              [] if "many was run again for qemu" in found and "**many is not whole** for hotbay" in found else [found])
    counted = part(hotbay={"ioctls of a hot-add": 1, "ioctls of a hot-add: KVM_IRQFD": 1},
                   qemu={"ioctls of a hot-add": 1, "ioctls of a hot-add: VFIO_DEVICE_RESET": 1})
    section = next(section for section in SECTIONS if section.rows is None)
    found = "\n".join(table(counted, "hot-add", rows_of(section, counted), TITLES))
    tap.check("an ioctl that one did not use counts 0 for it",
              [] if "| a hot-add: `KVM_IRQFD` | 1 | 0 | – | – |" in found else [found])


def main():
    tap = Tap()
    check_failures(tap)
    check_verdicts(tap)
    check_trace(tap)
    check_page(tap)
    scenarios = [f"tests/lab/scenarios/bench-{name}.py" for name in PARTS]
    tap.check("each part has its scenario", sorted(set(scenarios) - set(files(".py", under="tests/lab"))))
    tap.finish()


main()
